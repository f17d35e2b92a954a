"""Embargoes: held here until a day, or travelling with "no onward use before" and enforced where they arrive."""

from __future__ import annotations

import hashlib

import pytest

from app.exchange import deciding, embargo, inbox, outbox, provenance, releases
from app.holdings import handling
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import MESSAGES, Refused
from app.store.custody import Restraint
from tests.support.sites import (
    AMBER,
    CLEAR,
    T1,
    accept_all,
    acts,
    agreed,
    indicator,
    level_line,
    receive,
    relationship,
    release,
    state,
    take,
    verdicts,
)

LATER, LATEST = "2026-06-03", "2026-06-10"


def refused(act, *args, **kwargs):
    """The code of the refusal; it has a sentence, and changes nothing."""
    before = state(args[0])
    with pytest.raises(Refused) as error:
        act(*args, **kwargs)
    assert error.value.code in MESSAGES
    assert state(args[0]) == before
    return error.value.code


def code(site, to, value):
    return verdicts(site, to, value["id"])[value["id"]]


def test_what_is_held_until_a_day_leaves_on_that_day_and_nothing_that_names_it_before(world):
    value, other = indicator(1), indicator(2)
    link = relationship(3, value, other)
    take(world.alpha, value, other, link)
    embargo.keep(world.alpha, value["id"], LATER)
    assert acts(world.alpha)[-1] == "embargo"
    assert list(verdicts(world.alpha, "beta").values()) == ["embargo", "leaves", "withheld-reference"]
    assert code(world.alpha, "beta", link) == "withheld-reference", (
        "not selected, it is withheld all the same"
    )
    world.clock.pass_days(1)
    assert code(world.alpha, "beta", value) == "embargo"
    world.clock.pass_days(1)
    assert set(verdicts(world.alpha, "beta").values()) == {"leaves"}
    # A clock that went back ends nothing.
    world.clock.pass_days(-3650)
    assert code(world.alpha, "beta", value) == "embargo"


@pytest.mark.parametrize("act", ["embargo", "handling"])
def test_what_changes_between_the_gate_and_the_seal_seals_nothing(world, monkeypatch, act):
    value = indicator(1)
    take(world.alpha, value)
    make = releases.statements.make

    def meanwhile(*given, **facts):
        if act == "embargo":
            embargo.keep(world.alpha, value["id"], LATER)
        else:
            handling.set_level(world.alpha, value["id"], Level.RED)
        return make(*given, **facts)

    monkeypatch.setattr(releases.statements, "make", meanwhile)
    with pytest.raises(Refused) as caught:
        releases.release(world.alpha, "beta", releases.Wish(None), None, quiet())
    assert caught.value.code == "store-busy"
    assert outbox.listed(world.alpha) == []


def test_an_embargo_that_travels_is_shown_and_enforced_at_the_other_gate(trio):
    agreed(trio.alpha, trio.beta, onward="within-tlp")
    agreed(trio.beta, trio.gamma)
    value = indicator(1, CLEAR)
    take(trio.alpha, value)
    embargo.keep(trio.alpha, value["id"], LATER, travels=True)
    got = receive(trio.beta, release(trio.alpha, "beta", value["id"]).package.path)
    (shown,) = inbox.review(trio.beta, got.number, quiet()).objects
    assert shown.embargo == LATER
    deciding.accept(trio.beta, got.number, None, quiet())
    assert embargo.of(trio.beta, value["id"]) == Restraint(theirs=LATER)
    assert code(trio.beta, "gamma", value) == "embargo"
    assert code(trio.beta, "alpha", value) == "leaves", "it may go back to whose it is"
    # Neither an import, nor an earlier day said later, nor an officer lowers it.
    take(trio.beta, value)
    embargo.keep(trio.alpha, value["id"], "2026-06-02", travels=True)
    accept_all(trio.beta, release(trio.alpha, "beta", value["id"]).package.path)
    assert refused(embargo.lift, trio.beta, value["id"]) == "embargo-theirs"
    assert code(trio.beta, "gamma", value) == "embargo"
    # A later one wins; then it is over.
    embargo.keep(trio.alpha, value["id"], LATEST, travels=True)
    accept_all(trio.beta, release(trio.alpha, "beta", value["id"]).package.path)
    trio.clock.pass_days(3)
    assert code(trio.beta, "gamma", value) == "embargo"
    trio.clock.pass_days(6)
    assert code(trio.beta, "gamma", value) == "leaves"


def test_an_embargo_goes_on_with_what_goes_on(trio):
    """alpha names a day; beta gives the object back to nobody but alpha, and what leaves bears the day."""
    agreed(trio.alpha, trio.beta, onward="within-tlp")
    value = indicator(1, CLEAR)
    take(trio.alpha, value)
    embargo.keep(trio.alpha, value["id"], LATER, travels=True)
    accept_all(trio.beta, release(trio.alpha, "beta", value["id"]).package.path)
    done = release(trio.beta, "alpha", value["id"])
    assert done.decision.leaving[0].bound.embargo == LATER
    accept_all(trio.alpha, done.package.path)
    assert embargo.of(trio.alpha, value["id"]) == Restraint(travels=LATER, theirs=LATER)
    # It is alpha's own: its officer ends it, whatever came back.
    assert embargo.lift(trio.alpha, value["id"]).after == Restraint()
    assert code(trio.alpha, "gamma", value) == "leaves"


def test_a_newer_version_is_bound_by_the_day_too(world):
    value = indicator(1)
    newer = value | {"modified": T1, "name": "more"}
    take(world.alpha, value)
    embargo.keep(world.alpha, value["id"], LATER)
    take(world.alpha, newer)
    assert code(world.alpha, "beta", newer) == "embargo"


def test_of_several_lines_the_latest_day_counts_and_only_what_is_accepted_is_bound(world):
    value, other = indicator(1), indicator(2)
    lines = [
        level_line(value, "CLEAR", embargo=LATEST),
        level_line(value, "CLEAR", embargo=LATER, exercise=True),
        level_line(other, "CLEAR", embargo="9999-12-31"),
    ]
    got = receive(world.alpha, world.mallory.intel(world.alpha, value, other, handling=lines))
    take(world.alpha, other)
    deciding.accept(world.alpha, got.number, [value["id"]], quiet())
    assert embargo.of(world.alpha, value["id"]) == Restraint(theirs=LATEST, exercise=True)
    assert embargo.of(world.alpha, other["id"]) == Restraint()


def test_days_that_are_none_and_objects_that_are_not_here(world):
    value = indicator(1)
    take(world.alpha, value)
    assert refused(embargo.keep, world.alpha, value["id"], "soon") == "day-unusable"
    assert refused(embargo.keep, world.alpha, "indicator--x", LATER) == "object-unknown"
    assert refused(embargo.of, world.alpha, "indicator--x") == "object-unknown"


def test_a_source_of_our_own_frees_from_leave_and_not_from_the_day(trio):
    agreed(trio.alpha, trio.beta)
    agreed(trio.beta, trio.gamma)
    value = indicator(1, AMBER)
    take(trio.alpha, value)
    embargo.keep(trio.alpha, value["id"], LATER, travels=True)
    accept_all(trio.beta, release(trio.alpha, "beta", value["id"]).package.path)
    provenance.declare(trio.beta, [value["id"]], "our sensors")
    assert code(trio.beta, "gamma", value) == "embargo"
    embargo.lift(trio.beta, value["id"])
    assert code(trio.beta, "gamma", value) == "leaves"


def test_an_exercise_says_so_in_what_leaves(world):
    value = indicator(1)
    take(world.alpha, value)
    accept_all(world.beta, release(world.alpha, "beta", value["id"], exercise=True).package.path)
    assert embargo.of(world.beta, value["id"]).exercise
    assert releases.check(world.beta, "alpha", releases.Wish(None), quiet()).items[0].bound.exercise


# What the gate warns of --------------------------------------------------------------------------------------


def warned(site, to, *ids, **wish):
    decision = releases.check(site, to, releases.Wish(ids or None, **wish), quiet())
    return {one.code: one.count for one in decision.warnings}


def test_the_gate_warns_of_what_may_be_a_slip(world):
    agreed(world.alpha, world.beta)
    drill, real, plain, public = (
        indicator(1, AMBER),
        indicator(2, AMBER),
        indicator(3, None),
        indicator(4, AMBER),
    )
    take(world.alpha, drill, real, plain, public, public | {"modified": T1, "object_marking_refs": [CLEAR]})
    assert warned(world.alpha, "beta", real["id"]) == {}
    assert warned(world.alpha, "beta", plain["id"]) == {"nothing-marked": 1}
    assert warned(world.alpha, "beta", public["id"]) == {"weakened": 1}
    release(world.alpha, "beta", drill["id"], exercise=True)
    assert warned(world.alpha, "beta", drill["id"], real["id"]) == {"exercise-mixed": 1}
    assert warned(world.alpha, "beta", drill["id"], real["id"], exercise=True) == {}
    world.clock.pass_days(-1)
    assert warned(world.alpha, "beta", real["id"]) == {"clock-behind": 1}


def test_what_leaves_is_byte_for_byte_what_the_look_showed(world):
    agreed(world.alpha, world.beta)
    take(
        world.alpha,
        indicator(1, AMBER, description="\u0645\u064a\u062b\u0627\u0642 \\u002d 1.0"),
        indicator(2, None),
    )
    embargo.keep(world.alpha, indicator(2)["id"], LATER, travels=True)
    shown = releases.check(world.alpha, "beta", releases.Wish(None), quiet())
    got = receive(world.beta, release(world.alpha, "beta").package.path)
    review = inbox.review(world.beta, got.number, quiet())
    assert [one.id for one in review.objects] == [one.id for one in shown.leaving]
    for there, here in zip(review.objects, shown.leaving, strict=True):
        raw = inbox.beside(world.beta, got.number, there.position).raw
        assert hashlib.sha256(raw).digest() == here.sha256
        assert (there.handling, there.embargo) == (here.handling, here.bound.embargo)
