"""Every schedule of a small channel: the real transitions, searched breadth first until no new state appears.

Two sides seal, lose, deliver in any order, deliver twice, resend. At most once, one of them is put back to an older
copy of itself, rotates its identity, or replaces it after a new ceremony. What must hold is checked in every state
(protocol.md 4, "Invariants"). Loss is a message that is never delivered; a state in which it is still under way is
one in which it is lost.

How it stays small, and why nothing is missed:

- *Names for hashes.* A manifest is named by side, epoch and number. Transitions compare hashes for equality only,
and in
  one history no two manifests have one name, so histories that differ in their hashes alone behave alike.
- *What cannot matter any more is forgotten.* A message whose delivery changes nothing is dropped, of the others an
ack, a
  void number or the start of an epoch that would change nothing. All three are for good: a side only ever adds to what
  it knows in an epoch, and an epoch that was closed stays so. While an older copy may be put back, it must change
  nothing there either. `test_forgetting_loses_nothing` compares with a search that forgets nothing.
- *The two sides are alike.* Where both may do the same, a state and its mirror image are one.
- Sides and messages are kept once and numbered; a transition of the real machine is computed once for each side and
  message, and a state is a few numbers. Of states seen only 8 bytes are kept (BLAKE2b): a state is overlooked by
  chance with a probability under 10^-5 for ten million.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple

import pytest

from app.exchange import beginnings
from app.exchange import channel as machine
from app.exchange.channel import Acknowledgement, Channel, EpochStart
from app.exchange.ranges import Ranges, numbers, ranges

NONE = -1


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True)
class Bounds:
    """What may happen: packages a side seals in one epoch, resends beyond these, and at most one of the rest."""

    packages: int
    resends: int = 0
    restore: bool = False
    rotate: bool = False
    replace: bool = False

    @property
    def event(self) -> bool:
        return self.restore or self.rotate or self.replace


@dataclass(frozen=True)
class Message:
    """A sealed package as far as the channel knows it. `starts`: every start of an epoch that is not acked yet."""

    sender: str
    epoch: str
    seq: int
    prev: str
    ack: Acknowledgement | None
    void: Ranges
    starts: tuple[EpochStart, ...]

    @property
    def name(self) -> str:
        return f"{self.epoch}/{self.seq}"


@dataclass(frozen=True)
class Side:
    """One installation. `sealed` counts packages of the epoch, `resent` those beyond, `starts` what it tells of its
    epochs.

    `ceremony`: the other side replaced its identity, and the officers have not compared the new card yet.
    """

    who: str
    channel: Channel
    sealed: int = 0
    resent: int = 0
    starts: tuple[EpochStart, ...] = ()
    ceremony: bool = False


class World(NamedTuple):
    """Numbers: the two sides, the messages that can still matter, the older copy kept of side `kept` (NONE: none), and
    whether the one event has happened.
    """

    a: int
    b: int
    messages: tuple[int, ...] = ()
    copy: int = NONE
    kept: int = 0
    spent: bool = False


OTHER = {"a": "b", "b": "a"}


def frozen(value: Any) -> Any:
    """Plain data as a hashable value."""
    if is_dataclass(value):
        return tuple(frozen(getattr(value, one.name)) for one in fields(value))
    if isinstance(value, dict):
        return tuple(sorted((key, frozen(item)) for key, item in value.items()))
    if isinstance(value, tuple):
        return tuple(frozen(item) for item in value)
    return value


def mirrored(value: Any) -> Any:
    """The same with the sides exchanged."""
    if isinstance(value, str):
        return OTHER[value[0]] + value[1:] if value[:1] in OTHER and value not in WORDS else value
    if is_dataclass(value):
        return replace(value, **{one.name: mirrored(getattr(value, one.name)) for one in fields(value)})
    if isinstance(value, dict):
        return {key: mirrored(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(mirrored(item) for item in value)
    return value


WORDS = ("acked",)
"""Words in the data that begin with the letter of a side and name none."""


class Search:
    """One search: numbers for sides and messages, and the transitions computed so far."""

    def __init__(self, bounds: Bounds, forget: bool = True) -> None:
        self.bounds, self.forget = bounds, forget
        self.sides: list[Side] = []
        self.messages: list[Message] = []
        self._side_numbers: dict[Any, int] = {}
        self._message_numbers: dict[Any, int] = {}
        self._names: dict[str, int] = {}
        self.acked: list[int] = []
        self.received: list[int] = []
        self._delivered: dict[tuple[int, int], int] = {}
        self._left: dict[tuple[int, int, int], int] = {}
        self._own: dict[int, list[tuple[int, int]]] = {}
        self._mirror: dict[int, int] = {}
        self._message_mirror: dict[int, int] = {}
        self.pairs: set[tuple[int, int]] = set()

    def both(self) -> set[Any]:
        """Every pair of sides reached, with its mirror image."""
        found = [(self.sides[a], self.sides[b]) for a, b in self.pairs]
        return {frozen(pair) for one in found for pair in (one, (mirrored(one[1]), mirrored(one[0])))}

    # Numbers ------------------------------------------------------------------------------------------------

    def side(self, side: Side) -> int:
        mark = frozen(side)
        number = self._side_numbers.get(mark)
        if number is None:
            number = self._side_numbers[mark] = len(self.sides)
            self.sides.append(side)
            check(side)
            sending, receiving = side.channel.sending, side.channel.receiving
            acked = [p.hash for p in sending.packages.values() if p.state == "acked"]
            held = [one for state in (receiving, *receiving.older) for one in state.hashes.values()]
            self.acked.append(self._mask(acked))
            self.received.append(self._mask(held))
        return number

    def message(self, message: Message) -> int:
        mark = frozen(message)
        number = self._message_numbers.get(mark)
        if number is None:
            number = self._message_numbers[mark] = len(self.messages)
            self.messages.append(message)
        return number

    def _mask(self, names: list[str]) -> int:
        return sum(1 << self._names.setdefault(name, len(self._names)) for name in set(names))

    # Transitions --------------------------------------------------------------------------------------------

    def own(self, number: int) -> list[tuple[int, int]]:
        """(side after, message sealed or NONE) of all a side can do by itself."""
        if number not in self._own:
            found = [
                (self.side(side), NONE if message is None else self.message(message))
                for side, message in self._acts(self.sides[number])
            ]
            self._own[number] = found
        return self._own[number]

    def _acts(self, side: Side) -> Iterator[tuple[Side, Message | None]]:
        bounds, sending = self.bounds, side.channel.sending
        if machine.may_seal(side.channel) == "":
            if side.sealed < bounds.packages:
                yield seal(side, None)
            if side.resent < bounds.resends:
                for seq, package in sending.packages.items():
                    if package.state == "sealed":
                        yield seal(side, seq)
        if side.channel.receiving.pending is not None:
            yield replace(side, channel=beginnings.confirmed(side.channel)), None
        if side.ceremony:
            renewed = beginnings.renewed(side.channel, f"{OTHER[side.who]} card 1")
            yield replace(side, channel=renewed, ceremony=False), None

    def deliver(self, number: int, message: int) -> int:
        """The side after this message came."""
        pair = number, message
        if pair not in self._delivered:
            after = delivered(self.sides[number], self.messages[message])
            self._delivered[pair] = number if after is self.sides[number] else self.side(after)
        return self._delivered[pair]

    def left(self, number: int, copy: int, message: int) -> int:
        """What of a message can still matter to a side (and, unless NONE, to the older copy of it); NONE: nothing."""
        triple = number, copy, message
        if triple not in self._left:
            self._left[triple] = self._left_of(number, copy, message)
        return self._left[triple]

    def _left_of(self, number: int, copy: int, message: int) -> int:
        if not self.forget:
            return message
        places = [number] if copy == NONE else [number, self.side(put_back(self.sides[copy]))]
        if all(gone(self.sides[place], self.messages[message]) for place in places):
            return NONE
        thinned = self.messages[message]
        for place in places:
            if not current(self.sides[place], thinned):
                return message
        return self.message(thin([self.sides[place] for place in places], thinned))

    # States -------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """The number of states reached; raises `Broken` when an invariant failed."""
        start = World(self.side(opened("a")), self.side(opened("b")))
        seen = {self.digest(start)}
        self.pairs = {(start.a, start.b)}
        level = [start]
        while level:
            following: list[World] = []
            for world in level:
                for after in self.steps(world):
                    if not after.spent and (
                        self.acked[after.a] & ~self.received[after.b]
                        or self.acked[after.b] & ~self.received[after.a]
                    ):
                        raise Broken("a package is acked and was not received")
                    canonical = self.canonical(after)
                    mark = self.digest(canonical)
                    if mark not in seen:
                        seen.add(mark)
                        self.pairs.add((canonical.a, canonical.b))
                        following.append(canonical)
            level = following
        return len(seen)

    def digest(self, world: World) -> int:
        numbers = array("q", (world.a, world.b, world.copy, 2 * world.kept + world.spent, *world.messages))
        return int.from_bytes(hashlib.blake2b(numbers.tobytes(), digest_size=8).digest(), "big")

    def canonical(self, world: World) -> World:
        """A state or its mirror image, always the same of the two."""
        if not self.forget:
            return world
        other = World(
            self.mirror(world.b),
            self.mirror(world.a),
            tuple(sorted(self.mirror_message(one) for one in world.messages)),
            NONE if world.copy == NONE else self.mirror(world.copy),
            world.kept if world.copy == NONE else 1 - world.kept,
            world.spent,
        )
        return min(world, other)

    def mirror(self, number: int) -> int:
        if number not in self._mirror:
            self._mirror[number] = self.side(mirrored(self.sides[number]))
            self._mirror[self._mirror[number]] = number
        return self._mirror[number]

    def mirror_message(self, number: int) -> int:
        if number not in self._message_mirror:
            self._message_mirror[number] = self.message(mirrored(self.messages[number]))
            self._message_mirror[self._message_mirror[number]] = number
        return self._message_mirror[number]

    def steps(self, world: World) -> Iterator[World]:
        pair = (world.a, world.b)
        for index, number in enumerate(pair):
            for after, message in self.own(number):
                yield self.world(world, index, after, message)
            for message in world.messages:
                if self.messages[message].sender != self.sides[number].who:
                    after = self.deliver(number, message)
                    if after != number:
                        yield self.world(world, index, after)
        if world.spent or not self.bounds.event:
            return
        for index, number in enumerate(pair):
            if self.bounds.restore and world.copy == NONE:
                yield world._replace(copy=number, kept=index)
            if self.bounds.rotate:
                yield self.world(world, index, self.side(rotated(self.sides[number])), spent=True)
            if self.bounds.replace:
                after = self.world(world, index, self.side(replaced(self.sides[number])), spent=True)
                told = replace(self.sides[pair[1 - index]], ceremony=True)
                yield self.world(after, 1 - index, self.side(told))
        if world.copy != NONE:
            back = self.side(put_back(self.sides[world.copy]))
            yield self.world(world._replace(copy=NONE, kept=0), world.kept, back, spent=True)

    def world(
        self, world: World, index: int, after: int, message: int = NONE, spent: bool | None = None
    ) -> World:
        """The state in which that side is another now; what cannot matter to it any more is forgotten."""
        who = "ab"[index]
        copy = world.copy if world.copy != NONE and world.kept == index else NONE
        kept = set[int]()
        for one in world.messages:
            left = one if self.messages[one].sender == who else self.left(after, copy, one)
            if left != NONE:
                kept.add(left)
        if message != NONE:
            other = world.b if index == 0 else world.a
            there = world.copy if world.copy != NONE and world.kept != index else NONE
            if (left := self.left(other, there, message)) != NONE:
                kept.add(left)
        sides = (after, world.b) if index == 0 else (world.a, after)
        spent = world.spent if spent is None else spent
        return World(*sides, tuple(sorted(kept)), world.copy, world.kept, spent)


# What a side does -------------------------------------------------------------------------------------------


def opened(who: str) -> Side:
    channel = machine.opened(f"{who} epoch 0")
    start = channel.sending.start
    assert start is not None
    return Side(who, channel, starts=(start,))


def seal(side: Side, voids: int | None) -> tuple[Side, Message]:
    sending = side.channel.sending
    if voids is not None:
        sending = machine.voided(sending, voids)
    ack = machine.acknowledgement(side.channel.receiving)
    starts = () if sending.started else side.starts
    message = Message(
        side.who, sending.epoch, sending.next, sending.head, ack, machine.void_ranges(sending), starts
    )
    after = replace(side.channel, sending=machine.sealed(sending, message.name, None))
    counted = {"sealed": side.sealed + 1} if voids is None else {"resent": side.resent + 1}
    return replace(side, channel=after, **counted), message


def delivered(side: Side, message: Message) -> Side:
    """The side after a message; itself if that changes nothing."""
    receiving = side.channel.receiving
    known = followed(receiving, message)
    after, arrival = machine.received(
        known, message.epoch, message.seq, message.name, message.prev, message.void
    )
    if known.frozen or arrival.status == "fork":
        return changed(side, replace(side.channel, receiving=replace(receiving, frozen=True)))
    if arrival.status == "epoch-unknown" and side.ceremony is False:
        start = next((one for one in message.starts if one.new == message.epoch), None)
        if start is None:
            return side
        announced = beginnings.announced(receiving, start, message.starts)
        return changed(side, replace(side.channel, receiving=announced))
    if arrival.status not in ("new", "closed"):
        return side
    if (
        machine.received(after, message.epoch, message.seq, message.name, message.prev, message.void)[
            1
        ].status
        == "new"
    ):
        raise Broken("the same package is new twice")
    sending = side.channel.sending
    if message.ack is not None:
        sending, _ = machine.acked(sending, message.ack)
    return changed(side, Channel(sending, after, side.channel.mending and not sending.started))


def changed(side: Side, channel: Channel) -> Side:
    return side if channel == side.channel else replace(side, channel=channel)


def followed(receiving: machine.Receiving, message: Message) -> machine.Receiving:
    """As in `app.exchange.receiving`: an epoch to which rotations lead, or the first one after a new ceremony."""
    if message.epoch in (receiving.epoch, *receiving.closed, *(old.epoch for old in receiving.older)):
        return receiving
    if receiving.frozen:
        return receiving
    start = next((one for one in message.starts if one.new == message.epoch), None)
    if not receiving.epoch and receiving.closed and start is not None:
        return replace(receiving, epoch=start.new)
    cards = [f"{message.sender} card {n}" for n in (0, 1)]
    found = beginnings.followed(receiving, message.starts, message.epoch, cards[0], cards)
    return receiving if found is None else found


def rotated(side: Side) -> Side:
    return begun(side, "rotated", f"{side.who} card 1")


def replaced(side: Side) -> Side:
    return begun(side, "replaced", f"{side.who} card 1")


def put_back(side: Side) -> Side:
    return begun(side, "restored", None)


def begun(side: Side, reason: machine.Reason, card: str | None) -> Side:
    epoch = f"{side.who} epoch {reason}"
    channel = beginnings.restarted(side.channel, epoch, reason, restored=reason == "restored", card=card)
    start = channel.sending.start
    assert start is not None
    return replace(side, channel=channel, sealed=0, resent=0, starts=(*side.starts, start))


# What can be forgotten --------------------------------------------------------------------------------------


def gone(side: Side, message: Message) -> bool:
    """Whether a message changes nothing at a side, now and later: it was received, or its epoch is closed."""
    receiving = side.channel.receiving
    if message.epoch in receiving.closed:
        return True
    return any(
        one.epoch == message.epoch and message.seq in one.hashes for one in (receiving, *receiving.older)
    )


def current(side: Side, message: Message) -> bool:
    """Whether a message is of the epoch in use at a side, so that what it says is merged when it comes, or never."""
    return message.epoch == side.channel.receiving.epoch and not side.channel.receiving.frozen


def thin(sides: list[Side], message: Message) -> Message:
    """A message of the epoch in use without what every one of these sides knows already."""
    ack = message.ack
    if ack is not None and all(
        machine.acked(side.channel.sending, ack)[0] == side.channel.sending for side in sides
    ):
        ack = None
    open_: set[int] = set()
    for side in sides:
        receiving = side.channel.receiving
        told = numbers(message.void, receiving.upto + 1, message.seq - 1)
        void = set(numbers(receiving.void))
        open_ |= {n for n in told if n not in receiving.hashes and n not in void}
    return replace(message, ack=ack, void=ranges(open_), starts=())


# What must hold ---------------------------------------------------------------------------------------------


def check(side: Side) -> None:
    sending, receiving = side.channel.sending, side.channel.receiving
    if receiving.frozen:
        raise Broken("an honest schedule froze a channel")
    if sending.claimed:
        raise Broken("an honest ack was taken for a lie")
    for state in (receiving, *receiving.older):
        newest = max(state.hashes, default=0)
        known = set(state.hashes) | set(numbers(state.void, 1, newest))
        named = set(numbers(machine.missing(state)))
        last = newest if state.end is None else state.end
        if set(range(state.upto + 1, last + 1)) - known != named:
            raise Broken("a number is neither received, void nor named")
        if not all(n in known for n in range(1, state.upto + 1)):
            raise Broken("upto passed a number that is not closed")
        if state.end is not None and state.upto >= state.end:
            raise Broken("an ended epoch is whole and was not closed")
    open_ = [receiving.epoch, *(old.epoch for old in receiving.older)]
    if len({*open_, *receiving.closed}) != len(open_) + len(receiving.closed):
        raise Broken("an epoch is open and closed, or twice")


# Searches ---------------------------------------------------------------------------------------------------

SMALL = [
    Bounds(packages=3),
    Bounds(packages=2, resends=1),
    Bounds(packages=1, restore=True),
    Bounds(packages=1, rotate=True),
    Bounds(packages=1, replace=True),
]


@pytest.mark.parametrize("bounds", SMALL, ids=str)
def test_every_small_schedule_keeps_the_invariants(bounds):
    states = Search(bounds).run()
    print(f"{bounds}: {states} states")
    assert states > 50


@pytest.mark.torture
@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(packages=4),
        Bounds(packages=1, resends=1, restore=True),
        Bounds(packages=2, resends=2),
        Bounds(packages=3, resends=1),
        Bounds(packages=3, restore=True),
        Bounds(packages=3, rotate=True),
        Bounds(packages=3, replace=True),
        Bounds(packages=2, resends=1, restore=True),
        Bounds(packages=2, resends=1, rotate=True),
        Bounds(packages=2, resends=1, replace=True),
    ],
    ids=str,
)
def test_every_larger_schedule_keeps_the_invariants(bounds):
    print(f"{bounds}: {Search(bounds).run()} states")


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(packages=1, resends=1),
        Bounds(packages=1, restore=True),
        Bounds(packages=1, rotate=True),
        Bounds(packages=1, replace=True),
        pytest.param(Bounds(packages=2), marks=pytest.mark.torture),
        pytest.param(
            Bounds(packages=2, restore=True), marks=[pytest.mark.torture, pytest.mark.timeout(1800)]
        ),
    ],
    ids=str,
)
def test_forgetting_loses_nothing(bounds):
    """A search that keeps every message and tells every mirror image apart meets the same pairs of sides."""
    quick, slow = Search(bounds), Search(bounds, forget=False)
    assert quick.run() <= slow.run()
    assert quick.both() == slow.both()


def broken_ack(receiving):
    ack = HONEST["acknowledgement"](receiving)
    return None if ack is None else replace(ack, upto=ack.upto + 1)


def broken_memory(receiving, *args):
    state, arrival = HONEST["received"](receiving, *args)
    return (replace(state, hashes={}) if len(state.hashes) > 1 else state), arrival


def broken_end(receiving, after, *args):
    return HONEST["_succeeded"](receiving, replace(after, seq=max(after.seq - 1, 0)), *args)


def broken_void(sending):
    return ((1, sending.next),)


HONEST = {name: getattr(machine, name) for name in ("acknowledgement", "received", "void_ranges")}
HONEST["_succeeded"] = beginnings._succeeded


@pytest.mark.parametrize(
    "name, broken, bounds",
    [
        ("acknowledgement", broken_ack, Bounds(packages=2)),
        ("received", broken_memory, Bounds(packages=2)),
        ("_succeeded", broken_end, Bounds(packages=1, rotate=True)),
        ("void_ranges", broken_void, Bounds(packages=2)),
    ],
)
def test_the_search_finds_a_broken_machine(monkeypatch, name, broken, bounds):
    """Acks of one number too many, a memory that loses hashes, an epoch that ends too early, void that was not said."""
    monkeypatch.setattr(beginnings if name == "_succeeded" else machine, name, broken)
    with pytest.raises(Broken):
        Search(bounds).run()
