"""Long works tell how far they are, and stop in the middle with nothing changed."""

from __future__ import annotations

from itertools import groupby

import pytest

from app import jobs, vault
from app.exchange import deciding, releases
from app.exchange.releases import Wish
from app.holdings import attachments, browsing, purge
from app.jobs import Cancelled, Job, quiet
from app.messages import STAGES
from app.store import full_text, packages
from tests.support.sites import (
    AMBER,
    RED,
    T1,
    acts,
    agreed,
    definition,
    indicator,
    problems,
    receive,
    relationship,
    release,
    state,
    take,
    thing,
)

HUB = thing("identity", 90)
OWN = definition(91, "amber")
OBJECTS = (
    HUB,
    OWN,
    *(indicator(n, OWN["id"] if n % 2 else AMBER, created_by_ref=HUB["id"]) for n in range(12)),
    *(relationship(50 + n, indicator(n), indicator(n + 1)) for n in range(6)),
    indicator(3, AMBER, modified=T1, revoked=True),
)


class Heard(Job):
    """A job that keeps what it is told, and is cancelled once it was told so much."""

    def __init__(self, most: int = -1) -> None:
        super().__init__()
        self.steps, self._most = [], most

    def step(self, done: int, total: int, stage: str) -> None:
        self.steps.append((done, total, stage))
        if len(self.steps) == self._most:
            self.cancel()
        super().step(done, total, stage)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """A step for each object, as for each so many of very many."""
    monkeypatch.setattr(jobs, "EVERY", 1)
    monkeypatch.setattr(full_text, "FEW", 1)
    monkeypatch.setattr(full_text, "BATCH", 1)


def rising(steps):
    """[(stage, total, the last that was done)] of steps that never say more than there is, and never less again but
    where another round begins.
    """
    found = []
    for (stage, total), some in groupby(steps, lambda one: (one[2], one[1])):
        assert stage in STAGES
        before = -1
        for done, *_ in some:
            assert done >= 0
            assert done <= total or not total
            assert done >= before or done == 0
            before = done
        found.append((stage, total, before))
    return found


def stops_anywhere(work, site, every=1):
    """Whatever step it is stopped at, the store is as it was; returns what it tells when it is not."""
    before, logged = state(site), acts(site)
    most = 0
    while True:
        most += every
        job = Heard(most)
        try:
            work(job)
        except Cancelled:
            assert len(job.steps) == most
            assert state(site) == before
            assert acts(site) == logged
        else:
            assert most > every
            return job.steps


def test_each_tells_before_the_first_and_no_more_than_there_is(monkeypatch):
    monkeypatch.setattr(jobs, "EVERY", 2)
    job = Heard()
    assert list(job.each("abcde", 3, "check")) == [*"abcde"]
    assert list(job.each("abc", 0, "read", every=1)) == [*"abc"]
    assert job.steps == [
        *((done, 3, "check") for done in (0, 2, 3)),
        *((done, 0, "read") for done in range(3)),
    ]
    job.cancel()
    with pytest.raises(Cancelled):
        next(job.each("a", 1, "check"))


def test_a_check_tells_how_far_it_is_and_stops_anywhere(world, tmp_path):
    take(world.alpha, *OBJECTS)
    file = tmp_path / "file.bin"
    file.write_bytes(bytes(3000))
    attachments.attach(world.alpha, file, HUB["id"], "", None, quiet())
    package = release(world.alpha, "beta", HUB["id"]).package
    receive(world.alpha, world.mallory.intel(world.alpha, *(indicator(n) for n in range(70, 77))))
    told = rising(stops_anywhere(lambda job: vault.check(world.alpha, job), world.alpha, every=13))
    versions, held = len(OBJECTS), len(OBJECTS) - 1
    sent = packages.sealed(world.alpha.database.read())
    assert {stage for stage, *_ in told} == {"pages", "structure", "check", "compare", "rows", "words"}
    for stage, total, last in (
        ("check", versions, versions - 1),
        ("compare", held, held - 1),
        ("compare", versions, versions - 1),
        # The objects in the inbox; bytes of the outbox, and of the attachments.
        ("check", 7, 6),
        ("check", sum(one.size for one in sent), sum(one.size for one in sent[:-1])),
        ("check", 3000, 3000),
    ):
        assert (stage, total, last) in told
    assert package.size in [one.size for one in sent]
    assert [stage for stage, total, _ in told if not total] == [
        *("pages", "structure", "check", "rows", "words", "rows"),
    ]


@pytest.mark.parametrize("each", [False, True], ids=["all", "each"])
def test_the_gate_tells_how_far_it_is_and_stops_anywhere(met, each):
    agreed(met.alpha, met.beta, kinds=("threats",))
    chosen = (*OBJECTS[:-1], indicator(40, RED), relationship(41, indicator(40), indicator(1)))
    take(met.alpha, *OBJECTS, *chosen[-2:])
    wish, held = Wish(tuple(one["id"] for one in chosen) if each else None), len(chosen)
    found = []
    steps = stops_anywhere(lambda job: found.append(releases.check(met.alpha, "beta", wish, job)), met.alpha)
    told = rising(steps)
    assert list(dict.fromkeys(stage for stage, *_ in told)) == ["read", "check", "gather", "decide"]
    assert ("decide", held, held - 1) in told
    assert all(total for _, total, _ in told)
    assert found == [releases.check(met.alpha, "beta", wish, quiet())]
    assert found[0].leaving
    assert found[0].held


def test_a_release_tells_how_far_it_is_and_stops_anywhere(met, monkeypatch):
    agreed(met.alpha, met.beta)
    take(met.alpha, *OBJECTS)
    held, kept = len(OBJECTS) - 1, set(met.alpha.outbox.iterdir())
    # In silence the sealer would read all of it once more, to know how long it is.
    monkeypatch.setattr("crypto.sealing._count", None)

    def work(job):
        assert set(met.alpha.outbox.iterdir()) == kept
        releases.release(met.alpha, "beta", Wish(None), None, job)

    told = rising(stops_anywhere(work, met.alpha))
    assert list(dict.fromkeys(stage for stage, *_ in told)) == [
        *("read", "check", "gather", "decide", "seal", "finish"),
    ]
    assert ("finish", held, held - 1) in told
    assert len(set(met.alpha.outbox.iterdir()) - kept) == 1


WAYS = pytest.mark.parametrize(
    "few, out", [(0, 0), (0, 1 << 40), (1 << 40, 0)], ids=["word by word", "all at once", "few"]
)


@WAYS
def test_a_purge_tells_how_far_it_is_and_stops_anywhere(world, monkeypatch, few, out):
    monkeypatch.setattr(full_text, "FEW_WORDS", few)
    monkeypatch.setattr(full_text, "OUT", out)
    monkeypatch.setattr(purge, "STEP", 1)
    take(world.alpha, *OBJECTS)
    gone = [one["id"] for one in (HUB, OWN, *OBJECTS[4:8])]
    everything = browsing.oids(world.alpha, browsing.selection())
    oids = [oid for oid in everything if browsing.show_oid(world.alpha, oid).row.id in gone]
    job, written = Heard(), []
    seen = purge.foresee(world.alpha, oids, job)
    assert rising(job.steps) == [("check", 6, 5)]
    write = full_text._let_write
    monkeypatch.setattr(full_text, "_let_write", lambda tx: (written.append(tx), write(tx)))

    def work(job):
        written.clear()
        purge.purge_foreseen(world.alpha, seen, job)

    steps = stops_anywhere(work, world.alpha)
    told = rising(steps)
    assert told[:3] == [("check", 6, 5), ("read", 6, 5), ("purge", 6, 5)]
    assert ("index", 6, 6) in told if not out else ("index", 14, 13) in told
    # Between the steps, not in silence after the last.
    assert out or len(written) > 6
    assert told[-1][0] == "finish"
    assert problems(world.alpha) == []


@WAYS
def test_undoing_an_acceptance_tells_how_far_it_is_and_stops_anywhere(world, monkeypatch, few, out):
    monkeypatch.setattr(full_text, "FEW_WORDS", few)
    monkeypatch.setattr(full_text, "OUT", out)
    take(world.alpha, *(indicator(n) for n in range(60, 70)))
    came = OBJECTS[:-1]
    number = receive(world.alpha, world.mallory.intel(world.alpha, *came)).number
    deciding.accept(world.alpha, number, None, quiet())
    monkeypatch.setattr(deciding, "STEP", 1)
    monkeypatch.setattr("app.holdings.taking_back.STEP", 1)
    steps = stops_anywhere(lambda job: deciding.undo(world.alpha, number, None, job), world.alpha)
    told = rising(steps)
    many = len(came)
    for stage in ("check", "trace", "purge", "finish"):
        assert (stage, many, many - 1) in told
    assert ("index", many, many) in told if not out else ("index", 10, 9) in told
    assert problems(world.alpha) == []
    assert len(browsing.oids(world.alpha, browsing.selection())) == 10
