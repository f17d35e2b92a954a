"""Each clause of an agreement is broken once, and what holds it says so; the pages name every clause and no other."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from app.exchange import agreements, deciding, receipts, retention, terms
from app.exchange.terms import Clauses
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import Refused
from crypto import document
from tests.exchange.test_onward import given_by_alpha
from tests.support.sites import (
    AMBER,
    RED,
    accept_all,
    agreed,
    beside,
    indicator,
    part,
    receive,
    release,
    send,
    state,
    take,
    verdicts,
)

ROOT = Path(__file__).resolve().parents[2]
ONE = indicator(1, AMBER)


def held_back(trio, value=ONE, **clauses):
    """The gate's code for an object under an agreement with these clauses, sealed nothing."""
    agreed(trio.alpha, trio.beta, **clauses)
    take(trio.alpha, value)
    before = state(trio.alpha)
    with pytest.raises(Refused, match="nothing-leaves"):
        release(trio.alpha, "beta", value["id"])
    assert state(trio.alpha) == before
    return verdicts(trio.alpha, "beta", value["id"])[value["id"]]


def parties(trio):
    """gamma hands beta what gamma proposed to alpha."""
    agreements.propose(trio.gamma, "alpha", PLAIN, (), beside(trio.gamma), quiet())
    (raw,) = (
        trio.gamma.database.read().execute("SELECT raw FROM statement WHERE kind = 'agreement'").fetchone()
    )
    got = receive(trio.beta, send(trio.gamma, "beta", part("statement", bytes(raw))))
    assert agreements.listed(trio.beta) == []
    return dict(got.failed)["agreement"]


def starts(trio):
    return held_back(trio, start="2026-06-02")


def until(trio):
    agreed(trio.alpha, trio.beta, until="2026-06-02", open_until="2026-06-02")
    take(trio.alpha, ONE)
    trio.clock.pass_days(2)
    return verdicts(trio.alpha, "beta", ONE["id"])[ONE["id"]]


def open_until(trio):
    done = agreements.propose(trio.alpha, "beta", PLAIN, (), beside(trio.alpha), quiet())
    receive(trio.beta, done.package.path)
    trio.clock.pass_days(31)
    before = state(trio.beta)
    with pytest.raises(Refused) as error:
        agreements.sign(trio.beta, 1, beside(trio.beta), quiet())
    assert state(trio.beta) == before
    return error.value.code


def supersedes(trio):
    agreed(trio.alpha, trio.beta)
    done = agreements.propose(trio.alpha, "beta", PLAIN, (1,), beside(trio.alpha), quiet())
    receive(trio.beta, done.package.path)
    receive(trio.alpha, agreements.sign(trio.beta, 2, beside(trio.beta), quiet()).package.path)
    agreements.end(trio.alpha, 2, beside(trio.alpha), quiet())
    take(trio.alpha, ONE)
    # The first does not come back.
    assert agreements.show(trio.alpha, 1).state == "superseded"
    return verdicts(trio.alpha, "beta", ONE["id"])[ONE["id"]]


def onward(trio):
    given_by_alpha(trio, ONE, onward="never")
    return verdicts(trio.beta, "gamma", ONE["id"])[ONE["id"]]


def counted(trio):
    """What was accepted is not told: nothing but how many."""
    agreed(trio.alpha, trio.beta, receipts="counts")
    take(trio.alpha, ONE, indicator(2, AMBER))
    path = release(trio.alpha, "beta").package.path
    deciding.accept(trio.beta, receive(trio.beta, path).number, [ONE["id"]], quiet())
    receive(trio.alpha, receipts.send(trio.beta, "alpha", beside(trio.beta), quiet()).path)
    (raw,) = trio.alpha.database.read().execute("SELECT raw FROM statement WHERE kind = 'receipt'").fetchone()
    said = msgspec.json.decode(document.parse(bytes(raw)).body)
    assert (said["accepted"], said["refused"], said["counts"]) == ([], [], {"accepted": 1, "refused": 0})
    return {entry.state for entry in receipts.ledger(trio.alpha, "beta")}.pop()


def kept_too_long(trio):
    agreed(trio.alpha, trio.beta, retention=10)
    take(trio.alpha, ONE)
    accept_all(trio.beta, release(trio.alpha, "beta").package.path)
    trio.clock.pass_days(11)
    (held,) = retention.due(trio.beta).held
    assert held.overdue
    assert retention.purge(trio.beta, quiet())[0].objects == 1
    return "retention-overdue"


PLAIN = Clauses(Level.AMBER, "2026-06-01", "2027-05-31", "2026-07-01")
BROKEN = {
    "parties": (parties, "agreement-unreadable"),
    "ceiling": (lambda trio: held_back(trio, indicator(1, RED)), "ceiling"),
    "kinds": (lambda trio: held_back(trio, kinds=("vulnerabilities",)), "kind"),
    "sectors": (lambda trio: held_back(trio, sectors=("energy",)), "sector"),
    "purposes": (lambda trio: held_back(trio, purposes=("defence",)), "purpose"),
    "exercise": (lambda trio: held_back(trio, exercise=True), "exercise"),
    "from": (starts, "period"),
    "until": (until, "period"),
    "open_until": (open_until, "agreement-closed"),
    "supersedes": (supersedes, "no-agreement"),
    "onward": (onward, "onward-never"),
    "receipts": (counted, "received"),
    "retention": (kept_too_long, "retention-overdue"),
}


@pytest.mark.parametrize("clause", BROKEN)
def test_a_clause_that_is_broken_is_told(trio, clause):
    act, code = BROKEN[clause]
    assert act(trio) == code


def test_the_pages_say_where_every_clause_holds():
    written = {field.encode_name for field in msgspec.structs.fields(terms._Body)} - {"by", "at"}
    assert written == set(BROKEN)
    page = (ROOT / "docs" / "agreements.md").read_text(encoding="utf-8")
    table = page.split("## Where each clause holds", 1)[1].split("\n## ", 1)[0]
    assert named(table) == written
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    table = page.split("Each clause, and where it is enforced:", 1)[1].split("\n\n", 2)[1]
    assert named(table) == written - {"parties"}


def named(table):
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
