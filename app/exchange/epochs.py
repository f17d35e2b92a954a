"""The officer's decisions on a channel: begin anew, believe them that they do, go on after a lying ack,
ask for what is missing.

The transitions are `channel`'s; here they are stored, logged, and their consequences for keys and statements drawn
(protocol.md 4, "Epoch start").
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

import msgspec

from app import audit
from app.exchange import beginnings, counterparts, evidence, keys, statements
from app.exchange import channel as machine
from app.exchange.channel import Channel, EpochStart, Reason
from app.exchange.ranges import Ranges, numbers, ranges
from app.exchange.statements import Statement
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import ledger as store_ledger
from app.store import packages
from app.store import statements as store_statements
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto.errors import CryptoError

_EPOCH, _CARD, _HASH = (re.compile(text) for text in ("[0-9a-f]{32}", "[0-9a-f]{64}", "(?:[0-9a-f]{64})?"))

LEAP = 1 << 20
"""More decisions on one package than anybody makes between a backup and its restore."""


@dataclass(frozen=True)
class Status:
    """Where a channel stands. `state` is "" or why nothing can be sealed now; ranges are of package numbers.

    `lacking`: ours that they say have not come; `contradicted`: ours to which they signed two answers of one number;
    `unacked`: ours they have not acknowledged; `missing`: theirs that have not come (`missing_before`: of an epoch
    that a rotation ended); `lost`: ours they said they lost; `pending`: the reason of an epoch they announced and
    nobody confirmed; `own_keys` and `their_keys`: live one-time keys; `heard` and `sealed`: when something came and was
    sealed last ("": never).
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
    missing_before: Ranges = ()
    heard: str = ""
    sealed: str = ""
    lacking: Ranges = ()
    contradicted: tuple[int, ...] = ()


def status(installation: Installation, name: str) -> Status:
    """Where the channel with a counterpart stands. Raises `Refused` as `counterparts.find` does."""
    with installation.database.snapshot() as reader:
        one = counterparts.find(reader, name)
        channel = counterparts.load_channel(reader, one.cid)
        own = sum(1 for key in store_counterparts.own_keys(reader, one.cid) if key.kind == keys.ONETIME)
        theirs = keys.unused(reader, installation, one.cid)
        heard, sealed = packages.heard(reader, one.cid)
        lacking = counterparts.lacking(reader, one.cid)
        contradicted = tuple(packages.contradicted(reader, one.cid))
    sending, receiving = channel.sending, channel.receiving
    unacked = ranges(seq for seq, p in sending.packages.items() if p.state in ("sealed", "handed"))
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
        missing_before=ranges(n for old in receiving.older for n in numbers(machine.missing(old))),
        heard=heard,
        sealed=sealed,
        lacking=lacking,
        contradicted=contradicted,
    )


def restart(installation: Installation, name: str, reason: Reason) -> Status:
    """Begin our direction anew: after a restore here (restored), or to end a fork of ours or a quarrel (forked).

    Raises `Refused` as `counterparts.find` does.
    """
    with installation.database.write() as tx:
        one = counterparts.find(tx, name)
        begin(tx, installation, one, reason)
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
        # Receipts that were sent after the backup are forgotten here: none that is made now may bear their number.
        packages.leap_revisions(tx, LEAP)
        for one in everyone:
            begin(tx, installation, one, "restored")
    return tuple(one.alias for one in everyone)


def begin(
    tx: Connection, installation: Installation, one: Counterpart, reason: Reason, card: str | None = None
) -> None:
    """Begin our direction anew; `card`: under another identity of ours, whose fingerprint that is.

    What lay unacked in an epoch that a rotation ended is still under way; after any other end it has not reached them
    for all we know, and may be released again.
    """
    before = counterparts.load_channel(tx, one.cid)
    after = beginnings.restarted(
        before, secrets.token_hex(16), reason, restored=reason == "restored", card=card
    )
    counterparts.save_channel(tx, one.cid, after)
    left_start = before.sending.start
    if before.sending.next == 1 and left_start is not None:
        # Left before anything was sealed in it, it is stated all the same: the next one follows on it.
        stated_ = statements.make(installation, "epoch", **asdict(left_start))
        statements.keep_own(tx, installation, one.cid, stated_)
    store_counterparts.publish_again(tx, one.cid)
    if reason != "rotated":
        store_statements.unack(tx, one.cid)
        left = bytes.fromhex(before.sending.epoch)
        for seq, package in before.sending.packages.items():
            if package.state in ("sealed", "handed"):
                store_ledger.move(tx, one.cid, left, seq, "void", False, ("sealed", "carried"))
        keys.skip_numbers(tx, one.cid)
    if reason == "restored":
        # What was done since the backup may have used them up.
        keys.forget(tx, one.cid)
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
        settle(tx, installation, one, channel, start)
    return status(installation, one.fingerprint)


def settle(
    tx: Connection, installation: Installation, one: Counterpart, channel: Channel, start: EpochStart
) -> Channel:
    """Let the epoch that `start` begins be theirs: the channel after that, stored."""
    after = beginnings.confirmed(replace(channel, receiving=replace(channel.receiving, pending=start)))
    counterparts.save_channel(tx, one.cid, after)
    keys.forget(tx, one.cid)
    if start.reason != "rotated":
        # They forgot ours if they were restored: what lives of them is told again.
        store_counterparts.publish_again(tx, one.cid, after.sending.next)
    store_statements.unack(tx, one.cid)
    if start.after is not None:
        evidence.owe(tx, installation, one, start.after)
    audit.append(
        tx,
        installation,
        "epoch.confirmed",
        counterpart=one.fingerprint,
        epoch=start.new,
        reason=start.reason,
        lost=[list(pair) for pair in after.sending.lost],
    )
    return after


def excuse(installation: Installation, name: str) -> Status:
    """Record a lying ack and go on sealing. Raises `Refused`: rollback-proven, nothing-to-excuse, and as
    `counterparts.find` does.
    """
    with installation.database.write() as tx:
        one = counterparts.find(tx, name)
        channel = counterparts.load_channel(tx, one.cid)
        if channel.sending.proven:
            raise Refused("rollback-proven", name=one.alias)
        if not channel.sending.claimed:
            raise Refused("nothing-to-excuse", name=one.alias)
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


def stated(raws: Iterable[bytes], signers: Mapping[str, bytes]) -> dict[str, EpochStart]:
    """The starts among these documents that one of a counterpart's identities signed, by the epoch they begin."""
    found: dict[str, EpochStart] = {}
    for raw in raws:
        try:
            statement = statements.read(raw, signers)
        except CryptoError:
            continue
        start = _start(statement) if statement.kind == "epoch" else None
        # What begins under another identity counts only if that one says so.
        if start is not None and start.card in (None, statement.body["by"]):
            found[start.new] = start
    return found


def _start(statement: Statement) -> EpochStart | None:
    """What a statement that starts an epoch says, None if that cannot be."""
    facts = {name: value for name, value in statement.body.items() if name not in ("by", "at")}
    try:
        start = msgspec.convert(facts, EpochStart)
    except msgspec.ValidationError:
        return None
    heads = [head for head in (start.after, start.peer) if head is not None]
    sound = all(_EPOCH.fullmatch(epoch) for epoch in (start.new, *(head.epoch for head in heads)))
    sound = sound and all(0 <= head.seq < 1 << 53 and _HASH.fullmatch(head.hash) for head in heads)
    return start if sound and (start.card is None or _CARD.fullmatch(start.card)) else None
