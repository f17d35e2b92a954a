"""Every schedule of a small channel: the real transitions, searched breadth first until no new state appears.

Two sides seal, lose, deliver late, deliver twice, resend, ask; one of them may once be put back to an
older copy of itself
and is then mended by both officers. What must hold is checked in every state (protocol.md 4, "Invariants").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from app.exchange import channel as machine
from app.exchange.channel import Acknowledgement, Channel, EpochStart, Ranges


@dataclass(frozen=True)
class Message:
    """A sealed package as far as the channel knows it; `release` is what the officer releases, the same in a resend."""

    sender: int
    epoch: str
    seq: int
    hash: str
    prev: str
    ack: Acknowledgement | None
    void: Ranges
    release: str
    start: EpochStart | None


@dataclass(frozen=True)
class Side:
    """One installation: its channel, which releases entered its inbox, and what it sealed in its current epoch."""

    channel: Channel
    inbox: frozenset[str] = frozenset()
    sealed: int = 0
    epochs: int = 1


@dataclass(frozen=True)
class World:
    """Both sides, everything that was ever sealed, and the older copy that may still be put back (side, copy)."""

    sides: tuple[Side, Side]
    sent: frozenset[Message] = frozenset()
    copy: tuple[int, Side] | None = None
    restored: bool = False


@dataclass(frozen=True)
class Bounds:
    packages: int
    resends: int = 0
    restore: bool = False


class Broken(AssertionError):
    """An invariant does not hold."""


def key(value):
    """A state as a hashable value: channels hold mappings."""
    if isinstance(value, Channel):
        sending, receiving = value.sending, value.receiving
        return (
            replace(sending, packages=()),
            tuple(sorted((s, p.hash, p.state) for s, p in sending.packages.items())),
            replace(receiving, hashes=(), expected=()),
            tuple(sorted(receiving.hashes.items())),
            tuple(sorted(receiving.expected.items())),
            value.mending,
        )
    return value


def world_key(world: World):
    sides = tuple((key(s.channel), s.inbox, s.sealed, s.epochs) for s in world.sides)
    copy = None if world.copy is None else (world.copy[0], key(world.copy[1].channel), world.copy[1].inbox)
    return sides, world.sent, copy, world.restored


def with_side(world: World, index: int, side: Side, **more) -> World:
    sides = (side, world.sides[1]) if index == 0 else (world.sides[0], side)
    return replace(world, sides=sides, **more)


def seal(world: World, index: int, release: str, voids: int | None = None) -> World:
    side = world.sides[index]
    sending = side.channel.sending
    if voids is not None:
        sending = machine.voided(sending, voids)
    body = (
        index,
        sending.epoch,
        sending.next,
        release,
        voids,
        machine.acknowledgement(side.channel.receiving),
    )
    hash_ = hashlib.sha256(repr(body).encode()).hexdigest()
    message = Message(
        index,
        sending.epoch,
        sending.next,
        hash_,
        sending.head,
        machine.acknowledgement(side.channel.receiving),
        machine.void_ranges(sending),
        release,
        None if sending.started else sending.start,
    )
    channel = replace(side.channel, sending=machine.sealed(sending, hash_, None))
    return with_side(
        world, index, replace(side, channel=channel, sealed=side.sealed + 1), sent=world.sent | {message}
    )


def deliver(world: World, message: Message) -> World:
    index = 1 - message.sender
    side = world.sides[index]
    receiving, arrival = machine.received(
        side.channel.receiving, message.epoch, message.seq, message.hash, message.prev, message.void
    )
    if arrival.status == "epoch-unknown" and message.start is not None:
        announced = machine.announced(side.channel.receiving, message.start)
        return with_side(world, index, replace(side, channel=replace(side.channel, receiving=announced)))
    if arrival.status == "fork":
        return with_side(world, index, replace(side, channel=replace(side.channel, receiving=receiving)))
    if arrival.status in ("duplicate", "too-far", "epoch-unknown", "epoch-closed"):
        return world
    sending = side.channel.sending
    if message.ack is not None:
        sending, _ = machine.acked(sending, message.ack)
    mending = side.channel.mending and not sending.started
    inbox = side.inbox
    if arrival.status == "new" and not mending:
        if (
            message.release in inbox
            and not world.restored
            and not any(m.release == message.release and m != message for m in world.sent)
        ):
            raise Broken(f"{message.release} entered twice")
        inbox = inbox | {message.release}
    channel = Channel(sending, receiving, mending)
    return with_side(world, index, replace(side, channel=channel, inbox=inbox))


def steps(world: World, bounds: Bounds) -> Iterator[World]:
    for index, side in enumerate(world.sides):
        free = machine.may_seal(side.channel) == ""
        if free and side.sealed < bounds.packages:
            yield seal(world, index, f"release {index} {side.epochs} {side.sealed}")
        if free and bounds.resends and side.sealed < bounds.packages + bounds.resends:
            for seq, package in side.channel.sending.packages.items():
                if package.state == "sealed":
                    original = next(m for m in world.sent if m.hash == package.hash)
                    yield seal(world, index, original.release, voids=seq)
        if side.channel.receiving.pending is not None:
            mended = machine.confirmed(side.channel)
            yield with_side(world, index, replace(side, channel=mended))
    for message in world.sent:
        after = deliver(world, message)
        if after is not world:
            yield after
    if bounds.restore and world.copy is None and not world.restored:
        yield replace(world, copy=(0, world.sides[0]))
    if world.copy is not None and not world.restored:
        index, copy = world.copy
        channel = machine.restarted(copy.channel, f"epoch {index} again", "restored", restored=True)
        back = replace(copy, channel=channel, epochs=copy.epochs + 1, sealed=0)
        yield replace(with_side(world, index, back), restored=True, copy=None)


def check(world: World) -> None:
    for index, side in enumerate(world.sides):
        receiving, other = side.channel.receiving, world.sides[1 - index]
        if not world.restored:
            if receiving.frozen:
                raise Broken("an honest schedule froze a channel")
            if side.channel.sending.claimed:
                raise Broken("an honest ack was taken for a lie")
            for seq, package in side.channel.sending.packages.items():
                if package.state == "acked" and other.channel.receiving.hashes.get(seq) != package.hash:
                    raise Broken(f"{seq} is acked and was not received")
        newest = max(receiving.hashes, default=0)
        known = set(receiving.hashes) | set(machine.numbers(receiving.void, 1, newest))
        named = set(machine.numbers(machine.missing(receiving)))
        if set(range(receiving.upto + 1, newest + 1)) - known != named:
            raise Broken("a number is neither received, void nor named")
        if not all(n in known or n <= receiving.upto - machine.WINDOW for n in range(1, receiving.upto + 1)):
            raise Broken("upto passed a number that is not closed")


def search(bounds: Bounds) -> int:
    """The number of states reached; raises `Broken` with the state in which an invariant failed."""
    start = World((Side(machine.opened("epoch 0")), Side(machine.opened("epoch 1"))))
    seen = {world_key(start)}
    frontier = [start]
    while frontier:
        following = []
        for world in frontier:
            check(world)
            for after in steps(world, bounds):
                mark = world_key(after)
                if mark not in seen:
                    seen.add(mark)
                    following.append(after)
        frontier = following
    return len(seen)


@pytest.mark.parametrize(
    "bounds, least",
    [
        (Bounds(packages=2), 100),
        (Bounds(packages=2, resends=1), 1000),
        (Bounds(packages=1, restore=True), 100),
    ],
)
def test_every_small_schedule_keeps_the_invariants(bounds, least):
    states = search(bounds)
    print(f"{bounds}: {states} states")
    assert states > least


@pytest.mark.torture
@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    "bounds",
    [Bounds(packages=3), Bounds(packages=2, restore=True), Bounds(packages=4)],
)
def test_every_larger_schedule_keeps_the_invariants(bounds):
    print(f"{bounds}: {search(bounds)} states")


def test_the_search_finds_a_broken_machine(monkeypatch):
    """A machine that acks one number too many must not pass: the search itself is tested."""
    honest = machine.acknowledgement

    def boasting(receiving):
        ack = honest(receiving)
        return None if ack is None else replace(ack, upto=ack.upto + 1)

    monkeypatch.setattr(machine, "acknowledgement", boasting)
    with pytest.raises(Broken):
        search(Bounds(packages=2))
