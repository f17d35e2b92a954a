"""What is purged is in no page, no log and no list; what refers to it, waits or was sealed with it is told."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from app.exchange import deciding, inbox, receipts
from app.holdings import browsing, exporting, purge
from app.intel.marking import Level
from app.jobs import Cancelled, Job, quiet
from app.messages import Refused
from app.store import database, full_text, packages
from tests.support.pages import decrypted, decrypted_log
from tests.support.sites import (
    T1,
    T2,
    Deaf,
    accept_all,
    acts,
    definition,
    indicator,
    problems,
    receive,
    relationship,
    release,
    state,
    take,
    verdicts,
)

CANARY = "quixotrylantern"


def purged(site, *objects):
    return purge.purge_listed(site, [one["id"] for one in objects], quiet())


def everywhere(site):
    """Every page of the store and its log, in the clear, the store still open."""
    key, path = site.database.key, site.home / "store.db"
    return decrypted(path, key) + decrypted_log(path, key)


def seen(site, word=CANARY):
    data = everywhere(site).lower()
    return word.encode() in data


def words(rng, count=40):
    return " ".join(f"w{rng.randrange(5000)}" for _ in range(count))


@pytest.mark.parametrize("out, emptied", [(0, 0), (1 << 40, 1)], ids=["word by word", "all at once"])
def test_nothing_is_left_of_it_in_any_page(world, monkeypatch, out, emptied):
    """Among objects enough for splits and merges of every tree: versions, a conflict, words folded and of its own."""
    times, empty = [], full_text.empty
    monkeypatch.setattr(full_text, "empty", lambda tx: (times.append(True), empty(tx)))
    rng = random.Random(7)
    secret = [
        indicator(n, name=f"{CANARY} {n}", description=f"{CANARY}{n:03d} أحمد{CANARY} " + words(rng))
        for n in range(0, 400, 7)
    ]
    others = [indicator(n, description=words(rng)) for n in range(400) if n % 7]
    mixed = [*secret, *others]
    rng.shuffle(mixed)
    take(world.alpha, *mixed)
    take(world.alpha, *(one | {"modified": T1, "description": f"again {CANARY}"} for one in secret[::2]))
    take(world.alpha, *(one | {"modified": T1, "description": f"quarrel {CANARY}"} for one in secret[::2]))
    assert seen(world.alpha)
    monkeypatch.setattr(full_text, "FEW_WORDS", 0)
    monkeypatch.setattr(full_text, "OUT", out)
    done = purged(world.alpha, *secret)
    assert len(times) == emptied
    assert (done.objects, done.versions) == (len(secret), len(secret) + 2 * len(secret[::2]))
    assert not seen(world.alpha)
    assert not seen(world.alpha, "quarrel")
    for one in secret:
        assert one["id"].encode() not in everywhere(world.alpha)
    assert problems(world.alpha) == []
    assert browsing.page(world.alpha, browsing.selection(CANARY)).total == 0
    assert browsing.page(world.alpha, browsing.selection()).total == len(others)
    assert CANARY.encode() not in b"".join(exporting.bundle(world.alpha, browsing.selection(), quiet()))
    assert acts(world.alpha)[-2:] == ["purge", "checked"]


def test_it_is_gone_from_the_log_while_the_store_is_open_and_after_a_crash(world, tmp_path):
    take(world.alpha, indicator(1, name=CANARY), indicator(2))
    with world.alpha.database.snapshot():
        # A snapshot that somebody reads keeps the log alive: then closing the store empties it.
        world.alpha.database._writer.execute("PRAGMA busy_timeout = 10")
        purged(world.alpha, indicator(1))
    world.close_alpha()
    key = world.alpha.database.key
    assert CANARY.encode() not in decrypted(world.alpha.home / "store.db", key)
    assert decrypted_log(world.alpha.home / "store.db", key) == b""


def test_the_file_name_goes_with_the_last_object_it_brought(world):
    take(world.alpha, indicator(1), indicator(2))
    take(world.alpha, indicator(3))
    purged(world.alpha, indicator(1))
    reader = world.alpha.database.read()
    assert reader.execute("SELECT count(*) FROM origin").fetchone()[0] == 2
    purged(world.alpha, indicator(2))
    assert reader.execute("SELECT count(*) FROM origin").fetchone()[0] == 1


def test_what_still_refers_to_it_is_told(world):
    a, b, c = indicator(1), indicator(2), indicator(3)
    link, other = relationship(4, a, b), relationship(5, b, c)
    take(world.alpha, a, b, c, link, other)
    assert purged(world.alpha, a).referring == (link["id"],)
    done = purged(world.alpha, b, link)
    assert done.referring == (other["id"],), "what was purged itself is not told"


def test_an_unknown_id_stops_the_whole_act(world):
    take(world.alpha, indicator(1))
    before = state(world.alpha)
    with pytest.raises(Refused) as caught:
        purged(world.alpha, indicator(1), indicator(2))
    assert (caught.value.code, caught.value.facts) == ("object-unknown", {"id": indicator(2)["id"]})
    assert state(world.alpha) == before


@pytest.mark.parametrize("step", [2, 100])
def test_what_an_officer_has_seen_before_is_what_a_purge_does(world, monkeypatch, step):
    monkeypatch.setattr(purge, "STEP", step)
    a, b, c = indicator(1), indicator(2), indicator(3)
    link, other = relationship(4, a, b), relationship(5, b, c)
    take(world.beta, c)
    take(world.alpha, a, b, c, link, other)
    take(world.alpha, a | {"modified": T1})
    package = release(world.alpha, "beta", b["id"]).package
    number = receive(world.alpha, release(world.beta, "alpha", c["id"]).package.path).number
    oids = browsing.oids(world.alpha, browsing.selection())
    chosen = [oid for oid in oids if browsing.show_oid(world.alpha, oid).row.id != other["id"]]
    seen = purge.foresee(world.alpha, chosen, quiet())
    assert sorted(seen.ids) == sorted(one["id"] for one in (a, b, c, link))
    assert (seen.versions, seen.referring, seen.waiting) == (5, (other["id"],), (number,))
    assert [(one.id, one.to, one.seq) for one in seen.given] == [(b["id"], "beta", package.seq)]
    stopped = Job()
    stopped.cancel()
    with pytest.raises(Cancelled):
        purge.foresee(world.alpha, chosen, stopped)
    before = state(world.alpha)
    with pytest.raises(Refused, match="purge-changed"):
        purge.purge_foreseen(world.alpha, replace(seen, versions=4), quiet())
    assert state(world.alpha) == before
    done = purge.purge_foreseen(world.alpha, seen, quiet())
    assert (done.objects, done.versions, done.unknown) == (len(seen.ids), seen.versions, ())
    assert (done.referring, done.waiting, done.sealed) == (seen.referring, seen.waiting, seen.sealed)
    with pytest.raises(Refused, match="purge-changed"):
        purge.purge_foreseen(world.alpha, seen, quiet())


def test_what_a_purge_would_do_is_read_many_at_a_time(world):
    """However many are chosen; and by the indexes, whatever else is held."""
    hub = indicator(99)
    take(world.alpha, hub, *(relationship(n, indicator(n), hub) for n in range(1, 41)))
    oids, reader = browsing.oids(world.alpha, browsing.selection()), world.alpha.database.read()

    def read(many):
        found = []
        reader.set_trace_callback(found.append)
        try:
            seen = purge.foresee(world.alpha, oids[:many], quiet())
        finally:
            reader.set_trace_callback(None)
        assert len(seen.ids) == many
        return found

    few, many = read(2), read(41)
    assert len(few) == len(many)
    for sql in many:
        if "FROM" in sql:
            plan = [row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {sql}")]
            assert not [step for step in plan if step.startswith("SCAN") and "json_each" not in step], sql


def test_inside_anothers_transaction_an_unknown_id_is_only_told(world):
    take(world.alpha, indicator(1))
    with world.alpha.database.write() as tx:
        done = purge.purge(tx, world.alpha, [indicator(1)["id"], indicator(2)["id"]])
    assert (done.objects, done.unknown) == (1, (indicator(2)["id"],))


def test_who_was_given_it_stays_answerable(world):
    one = indicator(1, name=CANARY)
    take(world.alpha, one)
    package = release(world.alpha, "beta").package
    before = list(receipts.ledger(world.alpha, "beta"))
    done = purged(world.alpha, one)
    assert done.sealed == (("beta", package.seq),), "the sealed file still carries it"
    assert list(receipts.ledger(world.alpha, "beta")) == before != []
    assert receive(world.beta, package.path).objects == 1


def test_the_copies_in_the_inbox_go_once_they_are_decided(world):
    a, b = indicator(1, name=CANARY), indicator(2, name=CANARY)
    take(world.alpha, a, b)
    accept_all(world.beta, release(world.alpha, "beta", a["id"]).package.path)
    number = receive(world.beta, release(world.alpha, "beta", b["id"]).package.path).number
    done = purged(world.beta, a)
    assert (done.objects, done.copies, done.waiting) == (1, 1, ())
    assert seen(world.beta), "the other one pends"
    with world.beta.database.write() as tx:
        again = purge.purge(tx, world.beta, [b["id"]])
    assert (again.objects, again.copies, again.waiting) == (0, 0, (number,))
    deciding.reject(world.beta, number, "not wanted")
    assert purged(world.beta, b).copies == 1
    assert not seen(world.beta)
    assert problems(world.beta) == []
    assert len(inbox.review(world.beta, number, quiet()).objects) == 1, "the decision is still shown"
    assert packages.waiting_raw(world.beta.database.read(), number, 0) == b"{}"
    take(world.beta, indicator(2, modified="2025-01-01T00:00:00Z"))
    assert [one.status for one in inbox.review(world.beta, number, quiet()).objects] == ["newer"]
    assert receipts.send(world.beta, "alpha", world.folder / "r.age", quiet()).seq == 1


def test_what_a_purged_definition_marked_is_held_back(world):
    mark = definition(9, "clear")
    one = indicator(1, mark["id"])
    take(world.alpha, mark, one)
    assert verdicts(world.alpha, "beta", one["id"]) == {one["id"]: "leaves", mark["id"]: "leaves"}
    assert purged(world.alpha, mark).referring == (one["id"],)
    assert browsing.show(world.alpha, one["id"]).marking is Level.UNREADABLE
    assert verdicts(world.alpha, "beta", one["id"])[one["id"]] != "leaves"


def test_what_was_purged_may_come_again(world):
    take(world.alpha, indicator(1, modified=T2))
    purged(world.alpha, indicator(1))
    assert take(world.alpha, indicator(1)).new == 1
    assert browsing.show(world.alpha, indicator(1)["id"]).row.modified != T2


def test_a_statement_of_a_purge_is_stopped_in_the_middle(world, monkeypatch):
    monkeypatch.setattr(database, "LOOK", 10)
    objects = [indicator(n) for n in range(5)]
    take(world.alpha, *objects)
    before = state(world.alpha)
    with pytest.raises(Cancelled):
        purge.purge_listed(world.alpha, [one["id"] for one in objects], Deaf())
    assert state(world.alpha) == before
    assert purged(world.alpha, *objects).objects == 5
