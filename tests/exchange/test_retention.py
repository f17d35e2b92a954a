"""Retention: what must go by when, at whoever holds it and at whoever gave it; purged, or longer with a consent."""

from __future__ import annotations

from app.exchange import agreements, asking, deciding, retention
from app.holdings import browsing
from app.jobs import quiet
from tests.support.sites import (
    AMBER,
    T1,
    accept_all,
    acts,
    agreed,
    beside,
    indicator,
    problems,
    receive,
    release,
    state,
    take,
)


def held(site):
    return {one.id: (one.giver, one.due, one.overdue) for one in retention.due(site).held}


def given(site):
    return [(one.to, one.objects, one.due, one.overdue, one.longer) for one in retention.due(site).given]


def give(world, *objects):
    take(world.alpha, *objects)
    return release(world.alpha, "beta", *(one["id"] for one in objects)).package.path


def holdings(site):
    return {row.id for row in browsing.page(site, browsing.selection(), 100).rows}


def test_each_side_sees_when_it_is_due_and_what_is_overdue_goes(world):
    agreed(world.alpha, world.beta, retention=10)
    value, ours = indicator(1, AMBER), indicator(2, AMBER)
    take(world.beta, ours)
    path = give(world, value, ours)
    world.clock.pass_days(1)
    accept_all(world.beta, path)
    assert held(world.beta) == {value["id"]: ("alpha", "2026-06-12", False)}, "ours may stay"
    assert given(world.alpha) == [("beta", 2, "2026-06-11", False, 0)]
    assert held(world.alpha) == {}
    assert retention.purge(world.beta, quiet())[0].objects == 0
    world.clock.pass_days(10)
    assert held(world.beta)[value["id"]][2] is False, "its last day"
    world.clock.pass_days(1)
    assert held(world.beta) == {value["id"]: ("alpha", "2026-06-12", True)}
    assert given(world.alpha) == [("beta", 2, "2026-06-11", True, 0)]
    done, mixed = retention.purge(world.beta, quiet())
    assert (done.objects, mixed) == (1, ())
    assert acts(world.beta)[-1] == "retention.purged"
    assert holdings(world.beta) == {ours["id"]}
    assert held(world.beta) == {}
    assert problems(world.beta) == []


def test_it_binds_after_the_agreement_ended_and_the_shortest_counts(world):
    agreed(world.alpha, world.beta, retention=30)
    value = indicator(1, AMBER)
    accept_all(world.beta, give(world, value))
    agreed(world.alpha, world.beta, retention=5)
    assert held(world.beta)[value["id"]][1] == "2026-06-06"
    for number in (1, 2):
        agreements.end(world.beta, number, beside(world.beta), quiet())
    assert held(world.beta)[value["id"]][1] == "2026-07-01"


def test_given_again_it_counts_from_then_and_without_a_clause_nothing_is_due(world):
    value, other = indicator(1, AMBER), indicator(2)
    accept_all(world.beta, give(world, other))
    assert held(world.beta) == {}
    agreed(world.alpha, world.beta, retention=10)
    accept_all(world.beta, give(world, value))
    world.clock.pass_days(8)
    accept_all(world.beta, release(world.alpha, "beta", value["id"]).package.path)
    assert held(world.beta)[value["id"]][1] == "2026-06-19"


def test_what_only_lies_in_the_inbox_is_due_as_well(world):
    agreed(world.alpha, world.beta, retention=10)
    value, refused_ = indicator(1, AMBER), indicator(2, AMBER)
    got = receive(world.beta, give(world, value, refused_))
    assert set(held(world.beta)) == {value["id"], refused_["id"]}
    deciding.reject(world.beta, got.number, "no", [refused_["id"]])
    world.clock.pass_days(11)
    done, _ = retention.purge(world.beta, quiet())
    assert done.waiting == (got.number,), "what pends, the officer decides first"
    assert set(held(world.beta)) == {value["id"]}
    deciding.reject(world.beta, got.number, "no more")
    done, _ = retention.purge(world.beta, quiet())
    assert done.copies == 1
    assert held(world.beta) == {}


def test_what_is_held_of_our_own_beside_it_keeps_the_object(world):
    agreed(world.alpha, world.beta, retention=10)
    ours = indicator(1, AMBER)
    newer = ours | {"modified": T1, "name": "from alpha"}
    take(world.beta, ours)
    accept_all(world.beta, give(world, newer))
    world.clock.pass_days(11)
    assert held(world.beta)[ours["id"]][2]
    before = state(world.beta)
    assert retention.purge(world.beta, quiet())[1] == (ours["id"],)
    assert state(world.beta) == before


def test_a_consent_puts_it_off_at_both_sides_and_its_withdrawal_ends_that(world):
    agreed(world.alpha, world.beta, retention=10)
    value = indicator(1, AMBER)
    accept_all(world.beta, give(world, value))
    ask = asking.request_retention(
        world.beta, "alpha", [value["id"]], "2026-12-31", "a case", beside(world.beta), quiet()
    )
    receive(world.alpha, ask.package.path)
    consent = asking.consent(world.alpha, 1, None, "2026-09-30", beside(world.alpha), quiet())
    receive(world.beta, consent.package.path)
    assert held(world.beta)[value["id"]][1] == "2026-09-30"
    assert given(world.alpha)[0][4] == 1
    world.clock.pass_days(30)
    assert held(world.beta)[value["id"]][2] is False
    assert given(world.alpha)[0][3] is False
    gone = asking.withdraw(world.alpha, 2, "", beside(world.alpha), quiet())
    receive(world.beta, gone.package.path)
    assert held(world.beta)[value["id"]] == ("alpha", "2026-06-11", True)
    assert given(world.alpha)[0][3:] == (True, 0)


def test_a_clock_that_went_back_puts_nothing_off(world):
    agreed(world.alpha, world.beta, retention=10)
    accept_all(world.beta, give(world, indicator(1, AMBER)))
    world.clock.pass_days(11)
    take(world.beta, indicator(9))
    world.clock.pass_days(-11)
    assert held(world.beta)[indicator(1)["id"]][2]
