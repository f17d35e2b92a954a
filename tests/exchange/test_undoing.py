"""Undoing an acceptance: it leaves no trace, and is refused while something depends on it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.exchange import deciding, embargo, inbox, recalling, receipts, sectors
from app.holdings import attachments, browsing, handling, purge
from app.intel.marking import Level
from app.jobs import Cancelled, quiet
from app.messages import Refused
from app.store import database
from tests.support.sites import (
    AMBER,
    T1,
    T2,
    Deaf,
    Impatient,
    acts,
    beside,
    definition,
    indicator,
    problems,
    receive,
    relationship,
    release,
    sha256_of,
    state,
    take,
    thing,
)


def given_package(world, *objects, **more) -> int:
    return receive(world.alpha, world.mallory.intel(world.alpha, *objects, **more)).number


def accept(world, number, *ids):
    return deciding.accept(world.alpha, number, ids or None, quiet())


def undo(world, number, *ids):
    return deciding.undo(world.alpha, number, ids or None, quiet())


def holdings(site):
    """Everything of the holdings in the store, and what the index finds."""
    tables = {
        "object",
        "version",
        "source",
        "origin",
        "edge",
        "marked",
        "observable",
        "external",
        "facet",
    }
    words = browsing.page(site, browsing.selection("brass"), 1000)
    return [found for found in state(site) if found[0] in tables], [row.id for row in words.rows]


def refuses(world, code, number, *ids):
    before = state(world.alpha)
    with pytest.raises(Refused) as caught:
        undo(world, number, *ids)
    assert caught.value.code == code
    assert state(world.alpha) == before
    return caught.value.facts


def test_what_only_the_acceptance_brought_goes_without_a_trace(world):
    take(world.alpha, indicator(1), indicator(2), indicator(3, name="brass plate"))
    before = holdings(world.alpha)
    number = given_package(
        world,
        indicator(1),  # the same
        indicator(2, name="brass clash"),
        indicator(3, modified=T1, name="newer"),
        indicator(4, name="brass new"),
        relationship(5, indicator(4), indicator(1)),
    )
    accept(world, number)
    assert holdings(world.alpha) != before
    done = undo(world, number)
    assert (done.accepted, done.rejected, done.pending) == (0, 0, 5)
    assert holdings(world.alpha) == before
    assert problems(world.alpha) == []
    assert "acceptance.undone" in acts(world.alpha)
    # It can be decided again, the other way too.
    accept(world, number, indicator(4)["id"])
    assert deciding.reject(world.alpha, number, "no").rejected == 4


KINDS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(["T0", "T1", "T2"]), st.sampled_from("ab")), max_size=6
)


@settings(suppress_health_check=list(HealthCheck), max_examples=12)
@given(held=KINDS, coming=KINDS.filter(bool))
def test_undoing_at_once_restores_the_holdings(world, held, coming):
    """Whatever is held and comes, also of the examples before: accept and undo change nothing."""
    times = {"T0": "2026-01-01T00:00:00.000Z", "T1": T1, "T2": T2}

    def made(choices):
        return [indicator(n, modified=times[t], name=f"brass {w}") for n, t, w in choices]

    if held:
        take(world.alpha, *made(held))
    before = holdings(world.alpha)
    number = given_package(world, *made(coming))
    accept(world, number)
    undo(world, number)
    assert holdings(world.alpha) == before


def test_some_can_be_undone_and_the_rest_stays(world):
    number = given_package(world, indicator(1), indicator(2))
    accept(world, number)
    done = undo(world, number, indicator(1)["id"])
    assert (done.accepted, done.pending) == (1, 1)
    held = [row.id for row in browsing.page(world.alpha, browsing.selection()).rows]
    assert held == [indicator(2)["id"]]
    refuses(world, "object-unknown", number, indicator(9)["id"])
    refuses(world, "nothing-accepted", number, indicator(1)["id"])


def test_what_another_act_brought_too_stays(world):
    first, second = given_package(world, indicator(1)), given_package(world, indicator(1))
    accept(world, first)
    accept(world, second)
    undo(world, first)
    (version,) = browsing.show(world.alpha, indicator(1)["id"]).versions
    assert [origin.package for origin in version.sources] == [second]


def test_released_onward_it_stays(met):
    number = receive(met.alpha, release_from(met, indicator(1))).number
    deciding.accept(met.alpha, number, None, quiet())
    release(met.alpha, "mallory", indicator(1)["id"])
    facts = refuses(met, "undo-released", number)
    assert facts == {"id": indicator(1)["id"], "n": 1}


def release_from(met, *objects):
    take(met.beta, *objects)
    return release(met.beta, "alpha", *(one["id"] for one in objects)).package.path


def test_named_by_what_came_later_it_stays(world):
    number = given_package(world, indicator(1), thing("malware", 2))
    accept(world, number)
    take(world.alpha, relationship(3, indicator(1), thing("malware", 2)))
    assert refuses(world, "undo-referenced", number)["n"] == 2


def test_named_by_what_was_there_before_it_goes(world):
    take(world.alpha, relationship(3, indicator(1), thing("malware", 2)))
    number = given_package(world, indicator(1))
    accept(world, number)
    assert undo(world, number).pending == 1


def test_named_within_the_package_both_go_or_neither(world):
    tie = relationship(3, indicator(1), thing("malware", 2))
    number = given_package(world, indicator(1), tie)
    accept(world, number)
    refuses(world, "undo-referenced", number, indicator(1)["id"])
    undo(world, number)
    assert browsing.page(world.alpha, browsing.selection()).total == 0


def test_under_a_later_version_it_stays(world):
    number = given_package(world, indicator(1))
    accept(world, number)
    take(world.alpha, indicator(1, modified=T1))
    refuses(world, "undo-newer", number)


def test_in_a_resolved_conflict_it_stays(world):
    take(world.alpha, indicator(1))
    number = given_package(world, indicator(1, name="other"))
    accept(world, number)
    handling.resolve(world.alpha, indicator(1)["id"], sha256_of(indicator(1)))
    refuses(world, "undo-resolved", number)


def test_a_level_that_rose_stays(world):
    take(world.alpha, indicator(1, AMBER))
    number = given_package(world, indicator(1, modified=T1))
    accept(world, number)
    undo(world, number)
    assert browsing.show(world.alpha, indicator(1)["id"]).handling == Level.AMBER


def test_a_definition_takes_its_meaning_along(world):
    mark = definition(1, "clear")
    take(world.alpha, indicator(2, mark["id"]))
    number = given_package(world, mark)
    accept(world, number)
    assert browsing.show(world.alpha, indicator(2)["id"]).marking == Level.CLEAR
    undo(world, number)
    assert browsing.show(world.alpha, indicator(2)["id"]).marking == Level.UNREADABLE


def test_what_was_purged_since_stays_decided(world):
    number = given_package(world, indicator(1), indicator(2))
    accept(world, number)
    purge.purge_listed(world.alpha, [indicator(1)["id"]], quiet())
    assert undo(world, number).accepted == 1
    refuses(world, "nothing-accepted", number)
    review = inbox.review(world.alpha, number, quiet())
    assert [one.decision for one in review.objects] == ["accepted", "pending"]


def test_the_next_receipt_says_so_whichever_comes_first(met):
    number = receive(met.alpha, release_from(met, indicator(1), indicator(2))).number
    deciding.accept(met.alpha, number, None, quiet())
    said = receipts.send(met.alpha, "beta", beside(met.alpha), quiet()).path
    deciding.undo(met.alpha, number, [indicator(1)["id"]], quiet())
    corrected = receipts.send(met.alpha, "beta", beside(met.alpha), quiet()).path
    for path in (corrected, said):
        receive(met.beta, path)
        states = {entry.id: entry.state for entry in receipts.ledger(met.beta, "alpha")}
        assert states == {indicator(1)["id"]: "received", indicator(2)["id"]: "accepted"}
    assert receipts.due(met.alpha.database.read(), 1) == []


def test_a_revocation_that_does_not_count_stays_without_effect(met):
    """What is undone lay between the object and somebody else's revocation of it."""
    value = indicator(1)
    first = receive(met.alpha, release_from(met, value)).number
    deciding.accept(met.alpha, first, None, quiet())
    second = receive(met.alpha, release_from(met, value | {"modified": T1, "name": "newer"})).number
    deciding.accept(met.alpha, second, None, quiet())
    third = given_package(met, value | {"modified": T2, "revoked": True})
    accept(met, third)
    shown = browsing.show(met.alpha, value["id"])
    assert (shown.row.name, shown.row.revoked) == ("newer", False)
    refuses(met, "undo-newer", second)
    undo(met, third)
    undo(met, second)
    accept(met, third)
    shown = browsing.show(met.alpha, value["id"])
    assert (shown.row.name, shown.row.revoked, shown.row.variants) == ("indicator 1", False, 1)
    undo(met, third)
    assert problems(met.alpha) == []


def test_a_recall_leaves_somebody_elses_revocation_without_effect(met):
    value = indicator(1)
    deciding.accept(met.alpha, receive(met.alpha, release_from(met, value)).number, None, quiet())
    newer = value | {"modified": T1, "name": "newer"}
    deciding.accept(met.alpha, receive(met.alpha, release_from(met, newer)).number, None, quiet())
    accept(met, given_package(met, value | {"modified": T2, "revoked": True}))
    receive(met.beta, receipts.send(met.alpha, "beta", beside(met.alpha), quiet()).path)
    only = [bytes.fromhex(sha256_of(newer))]
    back = recalling.recall(met.beta, "alpha", [value["id"]], only, "x", beside(met.beta), quiet())
    receive(met.alpha, back.package.path)
    recalling.confirm(met.alpha, 1, "", beside(met.alpha), quiet())
    shown = browsing.show(met.alpha, value["id"])
    assert (shown.row.name, shown.row.revoked, shown.row.variants) == ("indicator 1", False, 1)
    assert problems(met.alpha) == []


@pytest.mark.parametrize("what", ["file", "embargo", "travels", "sector", "level"])
def test_what_an_officer_gave_it_since_is_not_lost_with_it(world, tmp_path, what):
    """A file of ours would be destroyed; a day, a sector, a level would not count once it is accepted again."""
    number = given_package(world, indicator(1), indicator(2))
    accept(world, number)
    id_ = indicator(1)["id"]
    if what == "file":
        (tmp_path / "ours.txt").write_text("what we know of it")
        attachments.attach(world.alpha, tmp_path / "ours.txt", id_, "", None, quiet())
    elif what == "sector":
        sectors.label(world.alpha, id_, ["energy"])
    elif what == "level":
        handling.set_level(world.alpha, id_, Level.RED)
    else:
        embargo.keep(world.alpha, id_, "2031-01-01", travels=what == "travels")
    assert refuses(world, "undo-bound", number) == {"id": id_, "n": 1}
    undo(world, number, indicator(2)["id"])
    if what == "file":
        attachments.remove(world.alpha, id_, "ours.txt")
    elif what == "sector":
        sectors.label(world.alpha, id_, [])
    elif what == "level":
        handling.set_level(world.alpha, id_, Level.CLEAR)
    else:
        embargo.lift(world.alpha, id_)
    undo(world, number)
    assert problems(world.alpha) == []


def test_levels_and_days_that_came_with_it_do_not_hold_it(world):
    """Two versions, the newer marked more mildly: the object keeps the older one's level."""
    number = given_package(
        world,
        indicator(1, AMBER),
        indicator(1, modified=T1),
        thing("note", 3, None, content="x", object_refs=[indicator(1)["id"]]),
    )
    accept(world, number)
    undo(world, number)
    assert browsing.page(world.alpha, browsing.selection(""), 10).total == 0


@pytest.mark.parametrize("job", [Impatient("purge"), Deaf()], ids=["at a step", "in a statement"])
def test_an_undoing_that_is_stopped_changes_nothing(world, monkeypatch, job):
    monkeypatch.setattr(database, "LOOK", 10)
    number = given_package(world, *(indicator(n) for n in range(5)))
    accept(world, number)
    before = state(world.alpha)
    with pytest.raises(Cancelled):
        deciding.undo(world.alpha, number, None, job)
    assert state(world.alpha) == before
    assert undo(world, number).pending == 5
