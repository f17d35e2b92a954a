"""What grows with the inbox, and what does not: counted in statements and in what is read again, never in time."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from app.exchange import consents, inbox, recalling, recalls, releases
from app.exchange.releases import Wish
from app.jobs import Cancelled, quiet
from app.store import custody
from crypto import document
from crypto.package import Ack
from tests.exchange.test_onward import ask, given_by_alpha, grant
from tests.support.sites import (
    AMBER,
    Deaf,
    beside,
    bundle,
    channel,
    indicator,
    part,
    peer,
    receive,
    release,
    send,
    sha256_of,
    take,
    thing,
)

FEW, MANY = 20, 220


@contextmanager
def counted(connection):
    """The statements that a connection runs, those that triggers do left out."""
    seen = []
    connection.set_trace_callback(lambda sql: seen.append(sql) if not sql.startswith("--") else None)
    try:
        yield seen
    finally:
        connection.set_trace_callback(None)


def of_file(kind, number, sha256):
    """An object about a file of a number: all of one number have one MD5."""
    hashes = {"MD5": f"{number:032x}", "SHA-256": f"{sha256:064x}"}
    if kind == "file":
        value = {
            "type": "file",
            "spec_version": "2.1",
            "id": f"file--{number:08x}-0000-4000-8000-{sha256:012x}",
        }
        return value | {"hashes": hashes}
    pattern = " AND ".join(f"file:hashes.'{name}' = '{value}'" for name, value in hashes.items())
    return indicator(number, pattern=f"[{pattern}]")


def test_a_review_asks_no_question_for_each_object(world):
    take(world.beta, *(indicator(n, pattern=f"[domain-name:value = 'h{n}.example']") for n in range(MANY)))
    take(world.beta, *(of_file("file", n, 1) for n in range(MANY)))
    asked = {}
    for count in (FEW, MANY):
        came = [indicator(10_000 + n, pattern=f"[domain-name:value = 'h{n}.example']") for n in range(count)]
        came += [of_file("file", n, 2) for n in range(count)]
        path = send(world.alpha, "beta", part("intel", bundle(*came)), release=bytes([count % 256]) * 16)
        number = receive(world.beta, path).number
        with counted(world.beta.database.read()) as seen:
            found = inbox.review(world.beta, number, quiet())
        # Each hits something, and is named with where that came from; each file contradicts one that is held.
        assert all(one.hits and one.hits[0].holders[0].source == "file" for one in found.objects)
        assert found.remarks["contradicts"] == count
        assert sum(hit.differing for one in found.objects for hit in one.hits) == count
        asked[count] = len(seen)
    assert asked[MANY] - asked[FEW] < (MANY - FEW) / 10, asked


def _reads(monkeypatch, module):
    seen = []
    real = module.read
    monkeypatch.setattr(module, "read", lambda *given: (seen.append(given[0]), real(*given))[1])
    return seen


def _costs(site, mallory, statements, seen):
    """(statements run, texts read) for each of these statements of theirs, each in a package of its own."""
    costs = []
    for one in statements:
        path = mallory.package(site, one)
        before = len(seen)
        with counted(site.database._writer) as ran:
            receive(site, path)
        costs.append((len(ran), len(seen) - before))
    return costs


def steady(costs):
    """That the last costs what the first did, but for the log, whose tree has log2 of its length of levels."""
    ran, read = zip(*costs, strict=True)
    assert max(ran[-5:]) < min(ran[:5]) + 20, ran
    assert max(read) <= 3, read


COUNT = 25


def test_a_statement_about_recalls_reads_no_other_one_again(world, monkeypatch):
    seen, mallory = _reads(monkeypatch, recalls), world.mallory
    asked = [
        mallory.statement(
            "recall", objects=[{"id": indicator(n)["id"], "sha256": sha256_of(indicator(n))}], reason="wrong"
        )
        for n in range(COUNT)
    ]
    steady(_costs(world.alpha, mallory, asked, seen))
    assert len(recalling.listed(world.alpha)) == COUNT
    back = [
        mallory.statement("withdrawal", of="recall", subject=id_of(one).hex(), reason="right after all")
        for one in asked
    ]
    steady(_costs(world.alpha, mallory, back, seen))
    assert {one.state for one in recalling.listed(world.alpha)} == {"withdrawn"}


def test_however_many_answers_to_one_recall_each_is_looked_at_once(world, monkeypatch):
    mallory = world.mallory
    take(world.alpha, indicator(1))
    release(world.alpha, "mallory")
    ours = channel(world.alpha, "mallory").sending
    ack = Ack(bytes.fromhex(ours.epoch), 1, bytes.fromhex(ours.head), (), (), 0)
    receive(world.alpha, mallory.package(world.alpha, ack=ack))
    ids = [indicator(1)["id"]]
    recalling.recall(world.alpha, "mallory", ids, None, "wrong", beside(world.alpha), quiet())
    reader = world.alpha.database.read()
    id_ = custody.statements(reader, peer(world.alpha, "mallory").cid, ("recall",))[0].id
    seen = _reads(monkeypatch, recalls)
    said = [
        mallory.statement(
            "confirmation",
            recall=id_.hex(),
            answer="refused",
            kept=[],
            never=[],
            backups=None,
            reason=f"no {n}",
        )
        for n in range(COUNT)
    ]
    steady(_costs(world.alpha, mallory, said, seen))
    assert recalling.listed(world.alpha)[0].state == "refused"


def test_however_many_consents_each_is_looked_at_beside_its_request_alone(trio, monkeypatch):
    value = indicator(1, AMBER)
    given_by_alpha(trio, value)
    request = ask(trio.beta, "alpha", "gamma", value["id"])
    receive(trio.alpha, request.package.path)
    seen = _reads(monkeypatch, consents)
    costs = []
    for _ in range(12):
        path = grant(trio.alpha, 1).package.path
        before = len(seen)
        with counted(trio.beta.database._writer) as ran:
            receive(trio.beta, path)
        costs.append((len(ran), len(seen) - before))
        receive(trio.alpha, send(trio.beta, "alpha"))
        trio.clock.pass_days(0.01)
    steady(costs)


def id_of(statement):
    """The id of a statement that a part holds."""
    return document.parse(statement.open().read()).id


def test_looking_up_what_the_chosen_name_can_be_stopped(world):
    report = thing("report", 2, object_refs=[indicator(1)["id"]], published="2026-01-01T00:00:00Z")
    take(world.alpha, indicator(1), report)
    with pytest.raises(Cancelled):
        releases.check(world.alpha, "beta", Wish((report["id"],)), Deaf())
