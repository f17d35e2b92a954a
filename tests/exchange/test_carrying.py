"""Carrying and sending again: what was sealed by rules that changed since does not leave by the old ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.exchange import asking, drops, embargo, outbox, recalling, releases
from app.holdings import handling
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import MESSAGES, Refused
from app.store import custody, packages
from tests.exchange.test_onward import given_by_alpha
from tests.support.sites import (
    AMBER,
    acts,
    agreed,
    beside,
    indicator,
    problems,
    receive,
    state,
    take,
)

ONE, OTHER = indicator(1, None), indicator(2, AMBER)


def refused(act, *args):
    """The code of the refusal; it has a sentence."""
    with pytest.raises(Refused) as error:
        act(*args)
    assert error.value.code in MESSAGES
    return error.value.code


def carry(site, to, seq, target=None):
    return outbox.carry(site, to, seq, target or beside(site), quiet())


def resend(site, to, seq):
    return outbox.resend(site, to, seq, beside(site), quiet()).package


def sealed(site, to):
    """A release that waits in the outbox: its number."""
    return releases.release(site, to, releases.Wish(None), None, quiet()).package.seq


def stands(site, to, seq):
    return next(one.state for one in outbox.listed(site, to) if one.seq == seq)


@pytest.fixture
def ready(met):
    """alpha holds something unmarked that is handled as GREEN, and something AMBER, and may give both to beta."""
    agreed(met.alpha, met.beta)
    take(met.alpha, ONE, OTHER, handling=Level.GREEN)
    return met


def raised(site):
    handling.set_level(site, ONE["id"], Level.AMBER)


def lowered(site):
    handling.set_level(site, ONE["id"], Level.CLEAR)


def bound(site):
    embargo.keep(site, OTHER["id"], "2026-08-01", travels=True)


@pytest.mark.parametrize("change", [raised, lowered, bound])
def test_what_travels_beside_an_object_is_never_older_than_what_binds_it_here(ready, change):
    seq = sealed(ready.alpha, "beta")
    carry(ready.alpha, "beta", seq)
    change(ready.alpha)
    before = state(ready.alpha)
    target = beside(ready.alpha)
    assert refused(carry, ready.alpha, "beta", seq, target) == "carry-outdated"
    assert not target.exists()
    assert state(ready.alpha) == before
    again = resend(ready.alpha, "beta", seq)
    assert stands(ready.alpha, "beta", seq) == "void"
    # The new one says it, and may be carried.
    number = receive(ready.beta, carry(ready.alpha, "beta", again.seq)).number
    reader = ready.beta.database.read()
    level = next(one.handling for one in packages.waiting(reader, number) if one.id == ONE["id"])
    assert level == {raised: Level.AMBER, lowered: Level.CLEAR}.get(change, Level.GREEN)
    days = {day for day, _ in custody.waiting_restraints(reader, number).values()}
    assert days == ({"2026-08-01"} if change is bound else set())
    assert problems(ready.alpha) == problems(ready.beta) == []


def test_nothing_changed_and_it_goes_as_often_as_asked(ready):
    seq = sealed(ready.alpha, "beta")
    files = [carry(ready.alpha, "beta", seq) for _ in range(3)]
    assert len({file.read_bytes() for file in files}) == 1
    # There and back is as it was sealed.
    raised(ready.alpha)
    handling.set_level(ready.alpha, ONE["id"], Level.GREEN)
    carry(ready.alpha, "beta", seq)


def test_a_resend_of_a_resend_is_held_to_its_own_lines(ready):
    first = sealed(ready.alpha, "beta")
    raised(ready.alpha)
    second = resend(ready.alpha, "beta", first).seq
    handling.set_level(ready.alpha, ONE["id"], Level.GREEN)
    # As the first was sealed, not as the second was.
    assert refused(carry, ready.alpha, "beta", second) == "carry-outdated"


def test_a_drop_gets_nothing_that_is_outdated(ready):
    ready.drop = ready.folder / "drop"
    ready.drop.mkdir()
    drops.add(ready.alpha, "d", ready.drop, "beta")
    seq = sealed(ready.alpha, "beta")
    raised(ready.alpha)
    done = drops.sync(ready.alpha, (), quiet())
    assert done.refused == (("d", seq, "carry-outdated"),)
    assert list(ready.drop.iterdir()) == []
    assert stands(ready.alpha, "beta", seq) == "sealed"


def held(site):
    embargo.keep(site, OTHER["id"], "2026-08-01")


def red(site):
    handling.set_level(site, ONE["id"], Level.RED)


def asked_back(site):
    recalling.recall(site, "beta", [OTHER["id"]], None, "wrong", beside(site), quiet())


@pytest.mark.parametrize("change", [held, red, asked_back])
@pytest.mark.parametrize("act", [carry, resend])
def test_what_may_not_leave_any_more_is_void_and_goes_nowhere(ready, change, act):
    seq = sealed(ready.alpha, "beta")
    carry(ready.alpha, "beta", seq)
    change(ready.alpha)
    files = set(ready.folder.rglob("*.age"))
    code = refused(act, ready.alpha, "beta", seq)
    # A recall makes it void by itself.
    assert code == ("package-closed" if change is asked_back else "no-longer-leaves")
    assert stands(ready.alpha, "beta", seq) == "void"
    assert set(ready.folder.rglob("*.age")) <= files


def consent_withdrawn(trio):
    receive(trio.beta, asking.withdraw(trio.alpha, 2, "", beside(trio.alpha), quiet()).package.path)


def recalled(trio):
    asked = [indicator(1, AMBER)["id"]]
    sent = recalling.recall(trio.alpha, "beta", asked, None, "wrong", beside(trio.alpha), quiet())
    receive(trio.beta, sent.package.path)


def over(trio):
    trio.clock.pass_days(300)


@pytest.mark.parametrize("change", [consent_withdrawn, recalled, over])
@pytest.mark.parametrize("act", [carry, resend])
def test_what_came_from_another_goes_on_only_while_they_let_it(trio, change, act):
    value = indicator(1, AMBER)
    given_by_alpha(trio, value)
    asked = asking.request_onward(
        trio.beta, "alpha", [value["id"]], "gamma", "They are hit too", "", beside(trio.beta), quiet()
    )
    receive(trio.alpha, asked.package.path)
    receive(
        trio.beta, asking.consent(trio.alpha, 1, None, "2026-12-31", beside(trio.alpha), quiet()).package.path
    )
    seq = releases.release(trio.beta, "gamma", releases.Wish((value["id"],)), None, quiet()).package.seq
    change(trio)
    assert refused(act, trio.beta, "gamma", seq) == "no-longer-leaves"
    assert stands(trio.beta, "gamma", seq) == "void"


@pytest.mark.parametrize("late", [raised, held])
def test_an_act_between_the_gate_and_the_first_byte_stops_it(ready, late):
    seq = sealed(ready.alpha, "beta")
    # What is called last before a byte leaves.
    busy = replace(ready.alpha, secured=lambda: late(ready.alpha))
    target = beside(ready.alpha)
    assert refused(carry, busy, "beta", seq, target) == "store-busy"
    assert not target.exists()
    assert list(ready.folder.glob(".mithaq-*")) == []
    assert stands(ready.alpha, "beta", seq) == "sealed"
    assert acts(ready.alpha)[-1] != "package.carried"
