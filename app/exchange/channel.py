"""The channel: a pure state machine for each counterpart, two independent directions (protocol.md 4).

Plain data in, plain data out: no clock, no files, no keys. A transition returns the state after it; the service stores
that in the same transaction as what the transition was about. Hashes and epochs are lower-case hex. How a direction
begins anew is in `beginnings`.

A sequence number is *closed* when it was received or is void; `upto` is the highest number below which (and with which)
all are closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from app.exchange.ranges import Ranges, contains, numbers, ranges

WINDOW = 4096
"""A package further than this ahead of `upto` is refused; as many hashes behind it are kept to name a fork."""

UNACKED_LIMIT = 4096
RANGES_LIMIT = 256

State = Literal["sealed", "handed", "acked", "void"]
Reason = Literal["first", "restored", "forked", "rotated", "replaced"]


@dataclass(frozen=True)
class Outgoing:
    """One of our packages that the counterpart has not closed yet, or the newest ones it has."""

    hash: str
    state: State


@dataclass(frozen=True)
class Head:
    """Where one direction stood: an epoch, a number in it (0: nothing yet) and that manifest's hash ("" if unknown)."""

    epoch: str
    seq: int
    hash: str


@dataclass(frozen=True)
class EpochStart:
    """That a sender's direction begins anew: the new epoch, why, where the old one ended (None: there was
    none), how far the sender had the receiver's direction (None: nothing of it), and the fingerprint of the identity
    under which it begins, if that is another than before.
    """

    new: str
    reason: Reason
    after: Head | None = None
    peer: Head | None = None
    card: str | None = None


@dataclass(frozen=True)
class Sending:
    """Our direction. `next` is the number the next seal gets, `head` the hash of the newest manifest ("" at first).

    `start` is what the statement that opens this epoch says. `started`: the counterpart acked something of this epoch;
    until then it is sealed to the card's key. `claimed`: an ack named what we never sent, or a hash that is not ours;
    sealing stops. `proven`: they showed a manifest with our signature that is not ours here: this store went back.
    `onetime` is the number of the last one-time key used. `lost`: numbers the counterpart
    said it no longer has, after a restore there: offered for resend. `before`: packages of the epoch that a rotation of
    ours ended, still under way: they stay receivable. `holds`: how many unused one-time keys of ours they had in hand
    when they sealed their package `holds_seq`.
    """

    epoch: str
    next: int = 1
    head: str = ""
    packages: Mapping[int, Outgoing] = field(default_factory=dict)
    upto: int = 0
    started: bool = False
    claimed: bool = False
    proven: bool = False
    onetime: int = 0
    start: EpochStart | None = None
    lost: Ranges = ()
    before: Mapping[int, Outgoing] = field(default_factory=dict)
    holds: int | None = None
    holds_seq: int = 0


@dataclass(frozen=True)
class Receiving:
    """Their direction. `hashes` of received manifests, `expected` of those only a successor named, `void` numbers.

    `frozen`: two manifests were signed for one number (a fork); nothing is accepted or sealed on this
    channel. `pending`:
    they announced a new epoch that the officer has not confirmed, `skipped` those they began and left
    meanwhile. `closed` epochs never reopen. `want`:
    missing numbers the officer asked for. `card`: the fingerprint under which this epoch is signed ("": the only one
    there was). `older`: epochs that a rotation ended, open up to their `end`, exactly.
    """

    epoch: str = ""
    upto: int = 0
    hashes: Mapping[int, str] = field(default_factory=dict)
    expected: Mapping[int, str] = field(default_factory=dict)
    void: Ranges = ()
    frozen: bool = False
    pending: EpochStart | None = None
    skipped: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    want: Ranges = ()
    card: str = ""
    older: tuple[Receiving, ...] = ()
    end: int | None = None


@dataclass(frozen=True)
class Channel:
    """Both directions. `mending`: we were restored; nothing is accepted until they acked our new epoch."""

    sending: Sending
    receiving: Receiving
    mending: bool = False


@dataclass(frozen=True)
class Acknowledgement:
    """What one side tells of the other's direction: all up to `upto` closed, `hash` of that one, `have` beyond it."""

    epoch: str
    upto: int
    hash: str
    have: Ranges
    want: Ranges = ()


@dataclass(frozen=True)
class Arrival:
    """What a received package was: new, closed (it was void: not shown), duplicate, or a refusal.

    Refusals: fork, too-far, epoch-unknown, epoch-closed. `missing` names the numbers below it that are not closed.
    """

    status: Literal["new", "closed", "duplicate", "fork", "too-far", "epoch-unknown", "epoch-closed"]
    missing: Ranges = ()


# Sending ----------------------------------------------------------------------------------------------------


def may_seal(channel: Channel) -> str:
    """ "" if a package may be sealed now, else why not: channel-frozen, channel-proven, channel-claimed, channel-
    full.
    """
    if channel.receiving.frozen:
        return "channel-frozen"
    if channel.sending.proven:
        return "channel-proven"
    if channel.sending.claimed:
        return "channel-claimed"
    open_seqs = [
        seq for seq, package in channel.sending.packages.items() if package.state in ("sealed", "handed")
    ]
    if len(open_seqs) >= UNACKED_LIMIT or len(ranges(open_seqs)) > RANGES_LIMIT:
        return "channel-full"
    return ""


def sealed(sending: Sending, manifest_hash: str, onetime: int | None) -> Sending:
    """After number `next` was sealed with that manifest, under one-time key `onetime` (None: another class of key)."""
    return replace(
        sending,
        next=sending.next + 1,
        head=manifest_hash,
        packages={**sending.packages, sending.next: Outgoing(manifest_hash, "sealed")},
        onetime=sending.onetime if onetime is None else onetime,
    )


def handed(sending: Sending, epoch: str, seq: int) -> Sending:
    """After a courier took package `seq` of an epoch of ours."""
    if epoch == sending.epoch:
        return _with_state(sending, seq, "handed", ("sealed",))
    package = under_way(sending, epoch, seq)
    if package is None:
        return sending
    return replace(sending, before={**sending.before, seq: replace(package, state="handed")})


def under_way(sending: Sending, epoch: str, seq: int) -> Outgoing | None:
    """Package `seq` of the epoch that a rotation of ours ended, while it is not acked."""
    start = sending.start
    ended = start is not None and start.after is not None and start.after.epoch == epoch
    return sending.before.get(seq) if ended else None


def voided(sending: Sending, seq: int) -> Sending:
    """After the officer declared `seq` void; one that was acked stays so (void after received changes nothing)."""
    return _with_state(sending, seq, "void", ("sealed", "handed"))


def void_ranges(sending: Sending) -> Ranges:
    """Own void numbers the counterpart has not closed yet: they ride in every manifest until it has."""
    own = ranges(seq for seq, p in sending.packages.items() if p.state == "void" and seq > sending.upto)
    return own[:RANGES_LIMIT]


def acked(sending: Sending, ack: Acknowledgement) -> tuple[Sending, tuple[int, ...]]:
    """Merge an ack; also the numbers now known to have been received.

    Acks merge by maximum: an older one is no error. An ack of another epoch says nothing here.
    """
    if ack.epoch != sending.epoch:
        return _acked_before(sending, ack)
    ours = sending.packages.get(ack.upto)
    told = (ack.upto, *(end for _, end in ack.have))
    lies = ours is not None and ours.state != "void" and ours.hash != ack.hash
    if max(told) >= sending.next or lies:
        return replace(sending, claimed=True), ()
    packages, received = dict(sending.packages), []
    for seq, package in sending.packages.items():
        if package.state in ("sealed", "handed") and (seq <= ack.upto or contains(ack.have, seq)):
            packages[seq] = Outgoing(package.hash, "acked")
            received.append(seq)
    upto = max(sending.upto, ack.upto)
    kept = {seq: package for seq, package in packages.items() if seq > upto - WINDOW}
    lost = ranges(n for n in numbers(sending.lost) if n > upto and n not in received)
    return replace(sending, packages=kept, upto=upto, started=True, lost=lost), tuple(sorted(received))


def _acked_before(sending: Sending, ack: Acknowledgement) -> tuple[Sending, tuple[int, ...]]:
    """An ack that was under way when our identity rotated: of the epoch which that ended. Any other says nothing."""
    start = sending.start
    if start is None or start.reason != "rotated" or start.after is None or ack.epoch != start.after.epoch:
        return sending, ()
    ours = sending.before.get(ack.upto)
    told = (ack.upto, *(end for _, end in ack.have))
    lies = ours is not None and ours.state != "void" and ours.hash != ack.hash
    if max(told) > start.after.seq or lies:
        return replace(sending, claimed=True), ()
    done = {n for n in sending.before if n <= ack.upto or contains(ack.have, n)}
    left = {n: package for n, package in sending.before.items() if n not in done}
    received = (n for n in done if sending.before[n].state != "void")
    return replace(sending, before=left), tuple(sorted(received))


def held(sending: Sending, seq: int, holds: int) -> Sending:
    """Their package `seq` says how many unused one-time keys of ours they have; the newest package is right."""
    return sending if seq <= sending.holds_seq else replace(sending, holds=holds, holds_seq=seq)


def unreached(sending: Sending, epoch: str, want: Ranges) -> Ranges:
    """Of the numbers that their ack of an epoch wants, those that are sealed or handed and neither acked nor void."""
    if epoch != sending.epoch:
        return ()
    waiting = (seq for seq, package in sending.packages.items() if package.state in ("sealed", "handed"))
    return ranges(seq for seq in waiting if contains(want, seq))


def _with_state(sending: Sending, seq: int, state: State, before: tuple[State, ...]) -> Sending:
    package = sending.packages.get(seq)
    if package is None or package.state not in before:
        return sending
    return replace(sending, packages={**sending.packages, seq: Outgoing(package.hash, state)})


# Receiving --------------------------------------------------------------------------------------------------


def received(
    receiving: Receiving, epoch: str, seq: int, manifest_hash: str, prev: str, void: Ranges
) -> tuple[Receiving, Arrival]:
    """A package whose signature verified: its number, hash, the hash of the one before it, the sender's
    void numbers.
    """
    for old in receiving.older:
        if old.epoch == epoch:
            late, arrival = received(old, epoch, seq, manifest_hash, prev, void)
            return with_older(receiving, late), arrival
    if epoch in receiving.closed:
        return receiving, Arrival("epoch-closed")
    if receiving.epoch and epoch != receiving.epoch:
        return receiving, Arrival("epoch-unknown")
    if seq > receiving.upto + WINDOW or seq <= receiving.upto - WINDOW:
        return receiving, Arrival("too-far")
    known = receiving.hashes.get(seq)
    if known == manifest_hash:
        return receiving, Arrival("duplicate")
    before = receiving.hashes.get(seq - 1) or receiving.expected.get(seq - 1)
    if (
        known is not None
        or receiving.expected.get(seq, manifest_hash) != manifest_hash
        or (before or prev) != prev
    ):
        return replace(receiving, frozen=True), Arrival("fork")
    if (seq == 1 and prev) or (receiving.end is not None and seq > receiving.end):
        return replace(receiving, frozen=True), Arrival("fork")
    was_void = contains(receiving.void, seq)
    expected = dict(receiving.expected)
    if seq > 1:
        expected[seq - 1] = prev
    hashes = {**receiving.hashes, seq: manifest_hash}
    told = (n for n in numbers(void, receiving.upto + 1, seq - 1) if n not in hashes)
    told_void = ranges([*numbers(receiving.void), *told])
    state = _advance(replace(receiving, epoch=epoch, hashes=hashes, expected=expected, void=told_void))
    return state, Arrival("closed" if was_void else "new", missing(state))


def missing(receiving: Receiving) -> Ranges:
    """Numbers that were sealed before one we hold, and are neither received nor void."""
    newest = max(receiving.hashes, default=0)
    if receiving.end is not None:
        newest = min(receiving.end + 1, receiving.upto + WINDOW + 1)
    void = set(numbers(receiving.void, receiving.upto + 1, newest))
    absent = (n for n in range(receiving.upto + 1, newest) if n not in receiving.hashes and n not in void)
    return ranges(absent)


def acknowledgement(receiving: Receiving) -> Acknowledgement | None:
    """What to tell the sender in the next manifest; None before anything was received."""
    if not receiving.epoch:
        return None
    head = receiving.hashes.get(receiving.upto) or receiving.expected.get(receiving.upto, "")
    beyond = ranges(seq for seq in receiving.hashes if seq > receiving.upto)[:RANGES_LIMIT]
    wanted = set(numbers(receiving.want))
    want = ranges(n for n in numbers(missing(receiving)) if n in wanted)[:RANGES_LIMIT]
    return Acknowledgement(receiving.epoch, receiving.upto, head, beyond, want)


def with_older(receiving: Receiving, late: Receiving) -> Receiving:
    """The state after a package of an epoch that a rotation ended: closed for good once its last number is."""
    whole = late.end is not None and late.upto >= late.end
    kept = () if whole else (replace(late, frozen=False),)
    return replace(
        receiving,
        frozen=receiving.frozen or late.frozen,
        older=tuple(one for old in receiving.older for one in (kept if old.epoch == late.epoch else (old,))),
        closed=(*receiving.closed, late.epoch) if whole else receiving.closed,
    )


def signer(receiving: Receiving, epoch: str) -> str:
    """The fingerprint under which an open epoch of theirs must be signed; "": that of the card pinned now."""
    return next((old.card for old in receiving.older if old.epoch == epoch), receiving.card)


def _advance(receiving: Receiving) -> Receiving:
    upto = receiving.upto
    void = set(numbers(receiving.void, upto))
    while upto + 1 in receiving.hashes or upto + 1 in void:
        upto += 1
    floor = upto - WINDOW
    return replace(
        receiving,
        upto=upto,
        hashes={seq: h for seq, h in receiving.hashes.items() if seq > floor},
        expected={seq: h for seq, h in receiving.expected.items() if seq > floor},
        void=ranges(n for n in numbers(receiving.void) if n > floor),
    )


# What the officer and the keys ask of it ----------------------------------------------------------------------


def opened(epoch: str) -> Channel:
    """The channel with a counterpart whose card was just pinned."""
    return Channel(Sending(epoch, start=EpochStart(epoch, "first")), Receiving())


def all_closed(receiving: Receiving, epoch: str, seq: int) -> bool:
    """Whether no package of theirs up to `seq` of `epoch`, those of epochs before it included, can still come."""
    for old in receiving.older:
        if old.epoch == epoch:
            return old.upto >= seq
        if old.end is None or old.upto < old.end:
            return False
    return receiving.epoch != epoch or receiving.upto >= seq


def asked(receiving: Receiving, asked_for: Ranges | None = None) -> Receiving:
    """Ask for what is missing (None: all of it, as the officer wishes): the next manifest says so."""
    absent = missing(receiving)
    if asked_for is None:
        return replace(receiving, want=absent)
    more = (n for n in numbers(absent) if contains(asked_for, n) or contains(receiving.want, n))
    return replace(receiving, want=ranges(more))


def excused(sending: Sending) -> Sending:
    """The officer recorded a lying ack and goes on."""
    return replace(sending, claimed=False)
