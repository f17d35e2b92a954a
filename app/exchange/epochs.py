"""The officer's decisions on a channel: begin anew, believe them that they do, go on after a lying ack,
ask for what is missing.

The transitions are `channel`'s; here they are stored, logged, and their consequences for keys and statements drawn
(protocol.md 4, "Epoch start").
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from app import audit
from app.exchange import channel as machine
from app.exchange import counterparts, keys
from app.exchange.channel import Channel, EpochStart, Ranges, Reason
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import packages
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation


@dataclass(frozen=True)
class Status:
    """Where a channel stands. `state` is "" or why nothing can be sealed now; ranges are of package numbers.

    `unacked`: ours they have not acknowledged; `missing`: theirs that have not come; `lost`: ours they said they lost;
    `pending`: the reason of an epoch they announced and nobody confirmed; `own_keys` and `their_keys`:
    live one-time keys.
    """

    name: str
    state: str
    sent: int
    unacked: Ranges
    received: int
    missing: Ranges
    lost: Ranges
    pending: str
    mending: bool
    own_keys: int
    their_keys: int


def status(installation: Installation, name: str) -> Status:
    """Where the channel with a counterpart stands. Raises `Refused` as `counterparts.find` does."""
    with installation.database.snapshot() as reader:
        one = counterparts.find(reader, name)
        channel = counterparts.load_channel(reader, one.cid)
        own = sum(1 for key in store_counterparts.own_keys(reader, one.cid) if key.kind == keys.ONETIME)
        theirs = keys.unused(reader, one.cid)
    sending, receiving = channel.sending, channel.receiving
    unacked = machine.ranges(seq for seq, p in sending.packages.items() if p.state in ("sealed", "handed"))
    return Status(
        name=one.alias,
        state=machine.may_seal(channel),
        sent=sending.next - 1,
        unacked=unacked,
        received=max(receiving.hashes, default=receiving.upto),
        missing=machine.missing(receiving),
        lost=sending.lost,
        pending=receiving.pending.reason if receiving.pending is not None else "",
        mending=channel.mending,
        own_keys=own,
        their_keys=theirs,
    )


def restart(installation: Installation, name: str, reason: Reason) -> Status:
    """Begin our direction anew: after a restore here (restored), or to end a fork of ours or a quarrel (forked).

    Raises `Refused` as `counterparts.find` does.
    """
    with installation.database.write() as tx:
        one = counterparts.find(tx, name)
        _restart(tx, installation, one, reason)
    return status(installation, one.fingerprint)


def settle_restore(installation: Installation) -> tuple[str, ...]:
    """Begin every channel anew if this store was just restored from a backup; returns the aliases, else nothing.

    For whoever unlocks an installation, before anything else. Nothing of theirs is accepted on a channel until
    they acked its new epoch (protocol.md 4, "After our own restore").
    """
    if not store_counterparts.restored(installation.database.read()):
        return ()
    with installation.database.write() as tx:
        everyone = store_counterparts.everyone(tx)
        store_counterparts.settled(tx)
        for one in everyone:
            _restart(tx, installation, one, "restored")
    return tuple(one.alias for one in everyone)


def _restart(tx: Connection, installation: Installation, one: Counterpart, reason: Reason) -> None:
    before = counterparts.load_channel(tx, one.cid)
    after = machine.restarted(before, secrets.token_hex(16), reason, restored=reason == "restored")
    counterparts.save_channel(tx, one.cid, after)
    packages.unack_statements(tx, one.cid)
    # What lay unacked has not reached them for all we know: it may be released again.
    left = bytes.fromhex(before.sending.epoch)
    for seq, package in before.sending.packages.items():
        if package.state in ("sealed", "handed"):
            packages.move_ledger(tx, one.cid, left, seq, "void", False, ("sealed", "carried"))
    keys.skip_numbers(tx, one.cid)
    audit.append(
        tx,
        installation,
        "epoch.restarted",
        counterpart=one.fingerprint,
        reason=reason,
        before=before.sending.epoch,
        after=after.sending.epoch,
        seq=before.sending.next - 1,
    )


def confirm(installation: Installation, name: str) -> Status:
    """The officer asked them by another way: the epoch they announced is theirs. Their old keys are dropped.

    Raises `Refused`: nothing-to-confirm, and as `counterparts.find` does.
    """
    with installation.database.write() as tx:
        one = counterparts.find(tx, name)
        channel = counterparts.load_channel(tx, one.cid)
        start = channel.receiving.pending
        if start is None:
            raise Refused("nothing-to-confirm", name=one.alias)
        after = machine.confirmed(channel)
        counterparts.save_channel(tx, one.cid, after)
        _forget_keys(tx, one)
        packages.unack_statements(tx, one.cid)
        _log_confirmed(tx, installation, one, start, after)
    return status(installation, one.fingerprint)


def excuse(installation: Installation, name: str) -> Status:
    """Record a lying ack and go on sealing. Raises `Refused` as `counterparts.find` does."""
    with installation.database.write() as tx:
        one = counterparts.find(tx, name)
        channel = counterparts.load_channel(tx, one.cid)
        counterparts.save_channel(tx, one.cid, replace(channel, sending=machine.excused(channel.sending)))
        audit.append(tx, installation, "ack.excused", counterpart=one.fingerprint)
    return status(installation, one.fingerprint)


def ask(installation: Installation, name: str) -> Status:
    """Ask for every package that is missing now; the next manifest says so. Raises `Refused` as
    `counterparts.find` does.
    """
    with installation.database.write() as tx:
        one = counterparts.find(tx, name)
        channel = counterparts.load_channel(tx, one.cid)
        receiving = machine.asked(channel.receiving)
        counterparts.save_channel(tx, one.cid, replace(channel, receiving=receiving))
        wanted = [list(pair) for pair in receiving.want]
        audit.append(tx, installation, "packages.asked", counterpart=one.fingerprint, wanted=wanted)
    return status(installation, one.fingerprint)


def _forget_keys(tx: Connection, one: Counterpart) -> None:
    for kind in (keys.ONETIME, keys.REUSABLE):
        store_counterparts.drop_their_keys(tx, one.cid, kind, (1 << 53) - 1)


def _log_confirmed(
    tx: Connection, installation: Installation, one: Counterpart, start: EpochStart, after: Channel
) -> None:
    audit.append(
        tx,
        installation,
        "epoch.confirmed",
        counterpart=one.fingerprint,
        epoch=start.new,
        reason=start.reason,
        lost=[list(pair) for pair in after.sending.lost],
    )
