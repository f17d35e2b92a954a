"""Directions of a channel that begin anew, in another epoch: ours, and theirs as they say so (protocol.md 4). Pure.

An epoch says on which one it follows. After a rotation of keys it opens by itself, and the old one stays open to what
was sealed in it; after anything else it waits for the officer, and the old one closes for good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.exchange.channel import (
    Channel,
    EpochStart,
    Head,
    Outgoing,
    Reason,
    Receiving,
    Sending,
    acknowledgement,
    with_older,
)
from app.exchange.ranges import ranges


def restarted(
    channel: Channel, epoch: str, reason: Reason, restored: bool = False, card: str | None = None
) -> Channel:
    """Begin our direction anew under `epoch`. What lay unacked stays behind: its releases are offered for resend.

    `restored`: this store is an older copy of itself; nothing of theirs is accepted until they acked the new epoch.
    `card`: our fingerprint, if that is another one now; an epoch ended by a rotation stays open to what was sealed
    in it.
    """
    sending, receiving = channel.sending, channel.receiving
    after = Head(sending.epoch, sending.next - 1, sending.head)
    ack = acknowledgement(receiving)
    peer = Head(ack.epoch, ack.upto, ack.hash) if ack else None
    under_way = {n: p for n, p in sending.packages.items() if p.state in ("sealed", "handed")}
    fresh = Sending(
        epoch,
        onetime=sending.onetime,
        start=EpochStart(epoch, reason, after, peer, card),
        before=under_way if reason == "rotated" else {},
    )
    return Channel(fresh, receiving, mending=channel.mending or restored)


def followed(
    receiving: Receiving, starts: Iterable[EpochStart], epoch: str, card: str, successors: Iterable[str]
) -> Receiving | None:
    """Their direction as it stands in `epoch`, if rotations alone lead there from the epoch known here; else None.

    `starts` are all starts they stated, `card` is the fingerprint of the identity they have here so far,
    `successors` are those that followed. Each epoch ended that way stays open up to the number its successor names,
    exactly; if we hold another package there, or a later one, that is a fork.
    """
    by_epoch = {one.new: one for one in starts}
    chain: list[EpochStart] = []
    at: str | None = epoch
    while at is not None and at != receiving.epoch:
        one = by_epoch.get(at)
        if one is None or one in chain or at in receiving.closed:
            return None
        chain.append(one)
        at = one.after.epoch if one.after is not None else None
    state, may = receiving, set(successors)
    for one in reversed(chain):
        if one.reason == "first" and one.after is None and not state.epoch and not state.closed:
            state = replace(state, epoch=one.new, card=one.card or card)
        elif one.reason == "rotated" and one.after is not None and one.card in may:
            state = _succeeded(state, one.after, one.new, one.card, card)
        else:
            return None
    return state if state.epoch == epoch or (state.frozen and not receiving.frozen) else None


def _succeeded(receiving: Receiving, after: Head, epoch: str, card: str, before: str) -> Receiving:
    known = receiving.hashes.get(after.seq) or receiving.expected.get(after.seq, after.hash)
    if max(receiving.hashes, default=0) > after.seq or known != after.hash:
        return replace(receiving, frozen=True)
    expected = dict(receiving.expected)
    if after.seq and after.seq not in receiving.hashes:
        expected[after.seq] = after.hash
    ended = replace(
        receiving,
        expected=expected,
        end=after.seq,
        card=receiving.card or before,
        older=(),
        closed=(),
        pending=None,
        skipped=(),
    )
    fresh = replace(
        Receiving(epoch, card=card, closed=receiving.closed, frozen=receiving.frozen),
        older=(*receiving.older, ended),
    )
    return with_older(fresh, ended)


def announced(receiving: Receiving, start: EpochStart, others: Iterable[EpochStart] = ()) -> Receiving:
    """They say their direction begins anew. The first of all opens at once; any other waits for the officer.

    It must follow on the epoch known here, directly or over epochs they began and left meanwhile (`others`
    are all starts
    they stated): one that follows on a closed epoch was left itself, and an epoch never reopens.
    """
    if start.new == receiving.epoch or start.new in receiving.closed:
        return receiving
    if not receiving.epoch:
        return (
            replace(receiving, epoch=start.new)
            if start.reason == "first"
            else replace(receiving, pending=start)
        )
    before = {one.new: one for one in others}
    skipped: list[str] = []
    after = start.after
    while after is not None and after.epoch != receiving.epoch:
        if after.epoch in receiving.closed or after.epoch in skipped or after.epoch not in before:
            return receiving
        skipped.append(after.epoch)
        after = before[after.epoch].after
    if after is None:
        return receiving
    return replace(receiving, pending=start, skipped=tuple(skipped))


def renewed(channel: Channel, card: str) -> Channel:
    """Their card was replaced after a new ceremony: what they began under the old one closes at our head, and the first
    package under `card`, the new one's fingerprint, opens their direction anew.
    """
    receiving = channel.receiving
    open_ = (*(old.epoch for old in receiving.older), *((receiving.epoch,) if receiving.epoch else ()))
    closed = (*receiving.closed, *open_, *receiving.skipped)
    return replace(channel, receiving=Receiving(closed=closed, card=card))


def confirmed(channel: Channel) -> Channel:
    """The officer asked them out of band: the announced epoch is theirs. The old one closes at our head.

    What they lost of ours is named in `lost`; if they do not know our epoch any more, it is announced to them again.
    """
    receiving, sending = channel.receiving, channel.sending
    start = receiving.pending
    if start is None:
        return channel
    closed = receiving.closed + ((receiving.epoch,) if receiving.epoch else ()) + receiving.skipped
    closed += tuple(old.epoch for old in receiving.older)
    knows_us = start.peer is not None and start.peer.epoch == sending.epoch
    upto = start.peer.seq if start.peer is not None and knows_us else 0
    lost = ranges(seq for seq, p in sending.packages.items() if seq > upto and p.state == "acked")
    packages = {
        seq: Outgoing(p.hash, "handed") if seq > upto and p.state == "acked" else p
        for seq, p in sending.packages.items()
    }
    mended = replace(
        sending,
        packages=packages,
        upto=min(sending.upto, upto),
        started=sending.started and knows_us,
        lost=lost,
        holds=None,
        holds_seq=0,
    )
    return Channel(mended, Receiving(start.new, closed=closed, card=start.card or ""), channel.mending)
