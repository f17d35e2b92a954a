"""Keys that ride in packages: taken with care, used once, erased after use."""

from __future__ import annotations

import pytest

from app import audit
from app.exchange import keys
from app.exchange.keys import (
    ERASE_DAYS,
    LIVE_LIMIT,
    ONETIME,
    ONETIME_GOAL,
    RENEW_DAYS,
    REUSABLE,
    USE_DAYS,
)
from app.store import counterparts as store
from crypto import kem, keys_part
from crypto.keys_part import KeysPart
from crypto.package import Ack
from tests.support.sites import (
    beside,
    channel,
    indicator,
    part,
    peer,
    problems,
    receive,
    release,
    sealed_last,
    send,
    set_channel,
    state,
    take,
)

MOMENT = 1 / 86_400_000
"""A millisecond, in days: what the program's times tell apart."""

POISON = b"\xff" * kem.PUBLIC_BYTES  # coefficients above the modulus of ML-KEM


def good():
    return kem.public(kem.new_seed())


def onetime(*numbers, public=None):
    return tuple((n, n.to_bytes(16, "big"), public or good()) for n in numbers)


def publish(world, floor=1, reusable=None, keys_=(), **manifest):
    """mallory publishes these to alpha; what alpha says of it."""
    raw = keys_part.encode(KeysPart(floor, reusable, keys_))
    return receive(world.alpha, world.mallory.package(world.alpha, part("keys", raw), **manifest)).failed


def theirs(site, name, kind=ONETIME):
    reader = site.database.read()
    return [key.number for key in store.their_keys(reader, peer(site, name).cid, kind)]


def own(site, name, kind=ONETIME):
    reader = site.database.read()
    return [key.number for key in store.own_keys(reader, peer(site, name).cid) if key.kind == kind]


# Taking -------------------------------------------------------------------------------------------------------


def test_poisoned_keys_are_dropped_and_said_and_the_rest_is_kept(world):
    found = publish(world, reusable=(1, POISON), keys_=onetime(1, 3) + onetime(4, public=POISON))
    assert found == (("keys", "keys-bad"),)
    assert theirs(world.alpha, "mallory") == [1, 3]
    assert theirs(world.alpha, "mallory", REUSABLE) == []
    assert send(world.alpha, "mallory").exists()


@pytest.mark.parametrize(
    "raw", [b"", b"MITHAQ-KEYS-1\n", keys_part.encode(KeysPart(1, None, ())) + b"\0", bytes(100)]
)
def test_a_keys_part_that_is_none_is_named_and_the_package_taken(world, raw):
    got = receive(world.alpha, world.mallory.package(world.alpha, part("keys", raw)))
    assert got.failed == (("keys", "keys-format"),)
    assert got.status == "new"
    assert theirs(world.alpha, "mallory") == []


def test_a_number_that_is_held_keeps_the_key_that_came_first(world):
    first, second = onetime(5), onetime(5)
    publish(world, keys_=first)
    assert publish(world, keys_=second) == ()
    [held] = store.their_keys(world.alpha.database.read(), peer(world.alpha, "mallory").cid, ONETIME)
    assert held.public == first[0][2]


def test_what_lies_below_the_floor_goes_and_does_not_come_back(world):
    publish(world, keys_=onetime(1, 2, 3, 4))
    publish(world, floor=3)
    assert theirs(world.alpha, "mallory") == [3, 4]


def test_numbers_up_to_the_last_used_are_late_and_not_kept(world):
    set_channel(world.alpha, "mallory", sending={"onetime": 5})
    assert publish(world, keys_=onetime(3, 5, 6)) == ()
    assert theirs(world.alpha, "mallory") == [6]


def test_keys_that_come_late_are_not_used_again(met):
    late = send(met.beta, "alpha")  # carries keys, and stays on the way
    used = []
    for _ in range(3):
        take(met.alpha, indicator(len(used)))
        path = release(met.alpha, "beta").package.path
        used.append(channel(met.alpha, "beta").sending.onetime)
        receive(met.beta, path)
    assert used == sorted(set(used))
    receive(met.alpha, late)
    assert not set(theirs(met.alpha, "beta")) & set(range(used[-1] + 1))
    assert problems(met.alpha) == []


def test_an_older_reusable_key_does_not_replace_a_newer(world):
    publish(world, reusable=(7, good()))
    assert publish(world, reusable=(6, good())) == ()
    assert theirs(world.alpha, "mallory", REUSABLE) == [7]
    publish(world, reusable=(8, good()))
    assert theirs(world.alpha, "mallory", REUSABLE) == [8]


def test_a_key_number_without_end_takes_no_later_key_away(world):
    """Whoever publishes a one-time key of the highest number only harms the packages sent to themselves."""
    publish(world, keys_=onetime(2**53 - 1))
    assert send(world.alpha, "mallory").exists()
    assert send(world.alpha, "beta").exists()


# Choosing -----------------------------------------------------------------------------------------------------


def test_the_class_of_key_grows_with_acquaintance(world):
    first = send(world.alpha, "beta")
    assert sealed_last(world.alpha, "beta").protection == "card"
    receive(world.beta, first)
    assert sealed(world.alpha, "beta") == "card"
    receive(world.alpha, send(world.beta, "alpha"))
    assert sealed(world.alpha, "beta") == "onetime"


def sealed(site, to):
    send(site, to)
    return sealed_last(site, to).protection


def test_without_one_time_keys_the_reusable_and_without_it_the_card(met):
    one = peer(met.alpha, "beta")
    assert sealed(met.alpha, "beta") == "onetime"
    with met.alpha.database.write() as tx:
        store.drop_their_keys(tx, one.cid, ONETIME, 2**53)
    assert sealed(met.alpha, "beta") == "reusable"
    with met.alpha.database.write() as tx:
        store.drop_their_keys(tx, one.cid, REUSABLE, 2**53)
    assert sealed(met.alpha, "beta") == "card"
    # Whatever the class, it opens.
    take(met.alpha, indicator(1))
    assert receive(met.beta, release(met.alpha, "beta").package.path).protection == "card"


@pytest.mark.parametrize("days, expected", [(USE_DAYS - MOMENT, "onetime"), (USE_DAYS, "card")])
def test_keys_that_came_long_ago_are_not_used(met, days, expected):
    met.clock.pass_days(days)
    assert sealed(met.alpha, "beta") == expected


def test_each_one_time_key_is_used_once(met):
    numbers, in_hand = [], theirs(met.alpha, "beta")
    for _ in range(len(in_hand) + 2):
        send(met.alpha, "beta")
        if sealed_last(met.alpha, "beta").protection == "onetime":
            numbers.append(channel(met.alpha, "beta").sending.onetime)
    assert numbers == in_hand
    assert sealed_last(met.alpha, "beta").protection == "reusable"


# Erasing ------------------------------------------------------------------------------------------------------


def test_a_private_half_is_gone_once_its_package_is_taken(met):
    path = send(met.alpha, "beta")
    number = channel(met.alpha, "beta").sending.onetime
    assert number in own(met.beta, "alpha")
    seed = next(k.seed for k in store.own_keys(met.beta.database.read()) if k.number == number)
    got = receive(met.beta, path)
    assert got.protection == "onetime"
    assert number not in own(met.beta, "alpha")
    assert not any(seed in str(row).encode() for _, rows in state(met.beta) for row in rows)
    # The package is known for good, though nothing opens it any more.
    assert receive(met.beta, path).status == "duplicate"


def test_a_private_half_that_a_missing_package_may_need_stays(met):
    first, second = send(met.alpha, "beta"), send(met.alpha, "beta")
    numbers = own(met.beta, "alpha")
    receive(met.beta, second)
    used = channel(met.alpha, "beta").sending.onetime
    assert used - 1 in own(met.beta, "alpha")
    receive(met.beta, first)
    assert set(numbers) - set(own(met.beta, "alpha")) == {used - 1, used}


def test_private_halves_are_renewed_and_erased_with_time(met):
    before = own(met.beta, "alpha", REUSABLE)
    met.clock.pass_days(RENEW_DAYS + 1)
    receive(met.alpha, send(met.beta, "alpha"))
    assert len(own(met.beta, "alpha", REUSABLE)) == len(before) + 1
    assert theirs(met.alpha, "beta", REUSABLE) == [max(own(met.beta, "alpha", REUSABLE))]
    old = set(own(met.beta, "alpha"))
    met.clock.pass_days(ERASE_DAYS + 1)
    receive(met.beta, send(met.alpha, "beta"))
    assert not old & set(own(met.beta, "alpha"))
    assert len(own(met.beta, "alpha", REUSABLE)) == 1


@pytest.mark.parametrize("days, more", [(RENEW_DAYS - MOMENT, 0), (RENEW_DAYS, 1)])
def test_a_reusable_key_is_renewed_after_thirty_days_and_not_before(met, days, more):
    before = own(met.beta, "alpha", REUSABLE)
    met.clock.pass_days(days)
    send(met.beta, "alpha")
    assert len(own(met.beta, "alpha", REUSABLE)) == len(before) + more


@pytest.mark.parametrize("days, kept", [(ERASE_DAYS, True), (ERASE_DAYS + MOMENT, False)])
def test_a_private_half_lives_a_hundred_and_eighty_days_and_no_longer(met, days, kept):
    old = set(own(met.beta, "alpha"))
    met.clock.pass_days(days)
    send(met.beta, "alpha")
    assert bool(old & set(own(met.beta, "alpha"))) is kept


@pytest.mark.parametrize("days, told", [(USE_DAYS - MOMENT, True), (USE_DAYS, False)])
def test_a_key_that_may_not_be_used_any_more_is_not_told_any_more(met, days, told):
    """So that none that was just told is erased before its ninety days are over."""
    send(met.beta, "alpha")
    lost = [key.number for key in store.own_keys(met.beta.database.read()) if key.kind == ONETIME]
    with met.alpha.database.write() as tx:
        store.drop_their_keys(tx, peer(met.alpha, "beta").cid, ONETIME, 2**53)
    with met.beta.database.write() as tx:
        tx.execute("UPDATE own_key SET published = 9")
    met.clock.pass_days(days)
    receive(met.alpha, send(met.beta, "alpha"))
    assert bool(set(lost) & set(theirs(met.alpha, "beta"))) is told


def test_a_replaced_reusable_key_goes_once_nothing_sealed_to_it_can_come(met):
    with met.alpha.database.write() as tx:
        store.drop_their_keys(tx, peer(met.alpha, "beta").cid, ONETIME, 2**53)
    slow = send(met.alpha, "beta")
    assert sealed_last(met.alpha, "beta").protection == "reusable"
    met.clock.pass_days(RENEW_DAYS)
    receive(met.alpha, send(met.beta, "alpha"))
    old, new = own(met.beta, "alpha", REUSABLE)
    # They know the newer one, but a package from before is missing.
    assert receive(met.beta, send(met.alpha, "beta")).status == "gap"
    assert own(met.beta, "alpha", REUSABLE) == [old, new]
    assert receive(met.beta, slow).protection == "reusable"
    assert own(met.beta, "alpha", REUSABLE) == [new]
    assert problems(met.beta) == []


def test_a_replaced_reusable_key_stays_while_they_may_not_know_the_newer(met):
    met.clock.pass_days(RENEW_DAYS)
    send(met.beta, "alpha")  # lost
    receive(met.beta, send(met.alpha, "beta"))
    assert len(own(met.beta, "alpha", REUSABLE)) == 2
    receive(met.alpha, send(met.beta, "alpha"))
    receive(met.beta, send(met.alpha, "beta"))
    assert len(own(met.beta, "alpha", REUSABLE)) == 1


# What they hold -------------------------------------------------------------------------------------------------


def test_keys_that_lost_packages_took_are_made_good(met):
    for _ in range(5):
        send(met.alpha, "beta")  # lost, each with a key of beta's
    receive(met.beta, send(met.alpha, "beta"))
    left = len(theirs(met.alpha, "beta"))
    assert channel(met.beta, "alpha").sending.holds == left < ONETIME_GOAL - 5
    receive(met.alpha, send(met.beta, "alpha"))
    assert len(theirs(met.alpha, "beta")) == ONETIME_GOAL


def test_what_an_older_package_says_of_their_keys_does_not_count(met):
    early = send(met.alpha, "beta")
    receive(met.beta, send(met.alpha, "beta"))
    holds = channel(met.beta, "alpha").sending.holds
    receive(met.beta, early)
    assert channel(met.beta, "alpha").sending.holds == holds


def ack(world, holds):
    """An ack of mallory's, of everything alpha sent, with this count of keys."""
    sending = channel(world.alpha, "mallory").sending
    return Ack(bytes.fromhex(sending.epoch), sending.next - 1, bytes.fromhex(sending.head), (), (), holds)


def test_who_says_that_it_has_no_keys_gets_so_many_and_no_more(world):
    for _ in range(12):
        send(world.alpha, "mallory")
        receive(world.alpha, world.mallory.package(world.alpha, ack=ack(world, 0)))
        assert len(own(world.alpha, "mallory")) <= LIVE_LIMIT
    assert len(own(world.alpha, "mallory")) == LIVE_LIMIT


def test_who_says_that_it_has_enough_gets_none(world):
    send(world.alpha, "mallory")
    live = own(world.alpha, "mallory")
    receive(world.alpha, world.mallory.package(world.alpha, ack=ack(world, 1 << 40)))
    send(world.alpha, "mallory")
    assert own(world.alpha, "mallory") == live


def test_a_number_never_names_two_keys(met):
    seen = set(own(met.beta, "alpha"))
    with met.beta.database.write() as tx:
        for number in list(seen):
            store.erase_own_key(tx, peer(met.beta, "alpha").cid, ONETIME, number)
    send(met.beta, "alpha")
    assert not seen & set(own(met.beta, "alpha"))


def test_the_other_side_is_kept_at_its_goal(met):
    for number in range(5):
        take(met.alpha, indicator(number))
        receive(met.beta, release(met.alpha, "beta").package.path)
        receive(met.alpha, send(met.beta, "alpha"))
        assert len(theirs(met.alpha, "beta")) == ONETIME_GOAL


def test_the_name_on_the_medium_hints_at_the_key_and_nothing_hangs_on_it(met):
    take(met.alpha, indicator(1))
    path = release(met.alpha, "beta").package.path
    kid = bytes.fromhex(sealed_last(met.alpha, "beta").medium.removesuffix(".age"))
    halves = keys.private_halves(met.beta.database.read(), met.beta, kid.hex())
    assert halves[0][0].number == channel(met.alpha, "beta").sending.onetime
    other = path.rename(beside(met.alpha).with_name("holiday.jpg"))
    assert receive(met.beta, other).protection == "onetime"


def test_the_log_says_what_keys_were_made_and_erased(met):
    held = store.own_keys_held(met.beta.database.read())
    value = indicator(1)
    take(met.alpha, value)
    receive(met.beta, release(met.alpha, "beta").package.path)
    arrived = logged(met.beta, "package.received")
    assert arrived["protection"] == "onetime"
    assert arrived["keys_erased"] == held - store.own_keys_held(met.beta.database.read()) >= 1
    before = store.own_keys_held(met.beta.database.read())
    send(met.beta, "alpha")
    made = store.own_keys_held(met.beta.database.read()) - before
    assert logged(met.beta, "package.sealed")["keys_made"] == made >= 1
    met.clock.pass_days(ERASE_DAYS + 1)
    before = store.own_keys_held(met.beta.database.read())
    send(met.beta, "alpha")
    sealed = logged(met.beta, "package.sealed")
    after = store.own_keys_held(met.beta.database.read())
    assert sealed["keys_erased"] == before + sealed["keys_made"] - after > 0


def logged(site, act):
    """The facts of the newest act of that name."""
    return next(one.detail for one in audit.entries(site.database.read()) if one.act == act)
