"""The channel's transitions: examples for each rule, and the laws under every order of arrival."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exchange import channel
from app.exchange.channel import Acknowledgement, Channel, Receiving, Sending
from app.exchange.ranges import contains, numbers, ranges

EPOCH = "aa" * 16


def sent(count, start=1):
    """(seq, hash, prev) of packages 1..count of one epoch."""
    return [(n, f"{n:064x}", f"{n - 1:064x}" if n > 1 else "") for n in range(start, count + 1)]


def receive_all(packages, receiving=None, void=()):
    state = receiving or Receiving()
    arrivals = []
    for seq, hash_, prev in packages:
        state, arrival = channel.received(state, EPOCH, seq, hash_, prev, void)
        arrivals.append(arrival)
    return state, arrivals


def test_packages_in_order_are_new_and_close_the_numbers():
    state, arrivals = receive_all(sent(3))
    assert [a.status for a in arrivals] == ["new"] * 3
    assert state.upto == 3
    assert channel.acknowledgement(state) == Acknowledgement(EPOCH, 3, f"{3:064x}", ())


def test_a_gap_is_named_and_closes_when_the_late_one_comes():
    one, two, three = sent(3)
    state, arrivals = receive_all([one, three])
    assert arrivals[1].missing == ((2, 2),)
    assert channel.acknowledgement(state) == Acknowledgement(EPOCH, 1, one[1], ((3, 3),))
    state, arrivals = receive_all([two], state)
    assert arrivals[0].status == "new"
    assert arrivals[0].missing == ()
    assert state.upto == 3


def test_the_same_package_twice_is_a_duplicate_and_changes_nothing():
    state, _ = receive_all(sent(2))
    again, arrivals = receive_all(sent(2), state)
    assert [a.status for a in arrivals] == ["duplicate"] * 2
    assert again == state


@pytest.mark.parametrize(
    "package",
    [
        (2, "ee" * 32, f"{1:064x}"),  # another manifest under a number we hold
        (4, f"{4:064x}", "ee" * 32),  # names a predecessor that is not the one we hold
        (1, "ee" * 32, ""),
    ],
)
def test_two_manifests_for_one_number_freeze_the_channel(package):
    state, _ = receive_all(sent(3))
    state, arrivals = receive_all([package], state)
    assert arrivals[0].status == "fork"
    assert state.frozen
    assert channel.may_seal(Channel(Sending(EPOCH), state)) == "channel-frozen"


def test_a_package_other_than_the_one_its_successor_named_is_a_fork():
    state, _ = receive_all([sent(3)[0], sent(3)[2]])
    state, arrivals = receive_all([(2, "ee" * 32, f"{1:064x}")], state)
    assert arrivals[0].status == "fork"


@pytest.mark.parametrize("seq, status", [(channel.WINDOW, "new"), (channel.WINDOW + 1, "too-far")])
def test_the_window_ahead_is_bounded(seq, status):
    _, arrival = channel.received(Receiving(), EPOCH, seq, "aa" * 32, "bb" * 32, ())
    assert arrival.status == status


def test_another_epoch_is_not_followed_silently():
    state, _ = receive_all(sent(1))
    _, arrival = channel.received(state, "bb" * 16, 2, "aa" * 32, f"{1:064x}", ())
    assert arrival.status == "epoch-unknown"


def test_a_void_number_closes_without_its_package_and_the_package_is_not_shown():
    state, _ = receive_all([sent(3)[0]])
    state, arrivals = receive_all([sent(3)[2]], state, void=((2, 2),))
    assert arrivals[0].missing == ()
    assert state.upto == 3
    state, arrivals = receive_all([sent(3)[1]], state)
    assert arrivals[0].status == "closed"


def test_void_after_received_changes_nothing():
    state, _ = receive_all(sent(2))
    state, _ = receive_all(sent(3)[2:], state, void=((2, 2),))
    assert not contains(state.void, 2)


def test_a_hostile_void_range_costs_nothing():
    state, _ = receive_all(sent(1), void=((1, 1 << 53),))
    assert len(numbers(state.void)) <= 2 * channel.WINDOW


def sealed(count):
    sending = Sending(EPOCH)
    for _, hash_, _ in sent(count):
        sending = channel.sealed(sending, hash_, None)
    return sending


def test_acks_merge_by_maximum_and_an_older_one_is_no_error():
    sending, first = channel.acked(sealed(4), Acknowledgement(EPOCH, 3, f"{3:064x}", ()))
    assert first == (1, 2, 3)
    again, second = channel.acked(sending, Acknowledgement(EPOCH, 1, f"{1:064x}", ()))
    assert second == ()
    assert (again.upto, again.claimed) == (3, False)


def test_what_lies_beyond_a_gap_is_acked_singly():
    sending, received = channel.acked(sealed(4), Acknowledgement(EPOCH, 1, f"{1:064x}", ((3, 4),)))
    assert received == (1, 3, 4)
    assert sending.packages[2].state == "sealed"


@pytest.mark.parametrize(
    "ack",
    [
        Acknowledgement(EPOCH, 2, "ee" * 32, ()),
        Acknowledgement(EPOCH, 5, f"{5:064x}", ()),
        Acknowledgement(EPOCH, 1, f"{1:064x}", ((4, 9),)),
    ],
)
def test_an_ack_of_what_was_never_sent_stops_sealing(ack):
    sending, received = channel.acked(sealed(4), ack)
    assert received == ()
    assert channel.may_seal(Channel(sending, Receiving())) == "channel-claimed"


def test_an_ack_of_another_epoch_says_nothing():
    sending = sealed(2)
    assert channel.acked(sending, Acknowledgement("bb" * 16, 9, "", ())) == (sending, ())


def test_sealing_stops_when_too_much_is_unacked():
    sending = sealed(channel.UNACKED_LIMIT - 1)
    assert channel.may_seal(Channel(sending, Receiving())) == ""
    sending = channel.sealed(sending, "aa" * 32, None)
    assert channel.may_seal(Channel(sending, Receiving())) == "channel-full"


def test_void_is_told_until_the_counterpart_has_closed_it():
    sending = channel.voided(sealed(3), 2)
    assert channel.void_ranges(sending) == ((2, 2),)
    sending, received = channel.acked(sending, Acknowledgement(EPOCH, 3, f"{3:064x}", ()))
    assert received == (1, 3)
    assert channel.void_ranges(sending) == ()


def test_an_acked_package_cannot_become_void():
    sending, _ = channel.acked(sealed(1), Acknowledgement(EPOCH, 1, f"{1:064x}", ()))
    assert channel.voided(sending, 1) == sending


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_every_order_of_arrival_ends_in_the_same_state(order):
    packages = sent(4)
    state, arrivals = receive_all([packages[i] for i in order])
    assert all(a.status == "new" for a in arrivals)
    assert (state.upto, channel.missing(state), state.frozen) == (4, (), False)


@given(st.lists(st.integers(1, 12), max_size=30))
def test_no_honest_schedule_forks_and_every_number_is_received_or_named(schedule):
    packages = dict(zip(range(1, 13), sent(12), strict=True))
    state, _ = receive_all([packages[n] for n in schedule])
    assert not state.frozen
    newest = max(schedule, default=0)
    assert set(schedule) | set(numbers(channel.missing(state))) == set(range(1, newest + 1))


@given(st.sets(st.integers(1, 500)))
def test_ranges_and_numbers_are_inverse(values):
    found = ranges(values)
    assert set(numbers(found)) == values
    assert all(a[1] + 1 < b[0] for a, b in itertools.pairwise(found))


def test_the_states_are_plain_and_frozen():
    for cls in (Channel, Sending, Receiving, Acknowledgement):
        assert dataclasses.is_dataclass(cls)
        assert cls.__dataclass_params__.frozen


def test_asking_names_only_what_is_missing_and_remembers_what_the_officer_asked_for():
    state, _ = receive_all([sent(6)[1], sent(6)[3], sent(6)[5]])
    assert channel.missing(state) == ((1, 1), (3, 3), (5, 5))
    assert channel.asked(state).want == ((1, 1), (3, 3), (5, 5))
    assert channel.asked(state, ((1, 3),)).want == ((1, 1), (3, 3))
    both = channel.asked(channel.asked(state, ((5, 9),)), ((1, 2),))
    assert both.want == ((1, 1), (5, 5))
    assert channel.acknowledgement(both).want == ((1, 1), (5, 5))
