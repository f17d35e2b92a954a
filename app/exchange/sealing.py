"""Seal one package and commit it: the only way anything leaves (protocol.md 2.3).

The order is the safety: the file into the outbox and to the disk; then one transaction for everything the seal changes;
only then a byte to a courier. A seal that was not committed never happened: its file is removed at the next unlock.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from app import audit
from app.courier import folder
from app.exchange import channel as machine
from app.exchange import counterparts, keys, statements
from app.exchange.channel import Channel, Sending
from app.exchange.statements import Statement
from app.jobs import Cancelled, Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import ledger as store_ledger
from app.store import packages
from app.store import statements as store_statements
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import package as format_
from crypto.errors import CryptoError
from crypto.package import Draft, PartSource

FORMAT = 1
SUFFIX = ".age"
SALT_BYTES = 32
ASK_DAYS = 14
LEADING = ("rotation", "epoch")
"""Kinds of statements a package begins with, in this order."""
STATEMENTS_LIMIT = 2048
STATEMENTS_BYTES = 128 << 20
"""Standing statements in one package, oldest first: how many, and their bytes; the rest rides in the next ones."""


@dataclass(frozen=True)
class SealedPackage:
    """A committed seal. `path` is where a courier put it, or its place in the outbox when there was none."""

    path: Path
    seq: int
    protection: str
    size: int
    sha256: bytes


@dataclass(frozen=True)
class Content:
    """What goes into a package beside keys and standing statements. `release` is the release id, if intel leaves.

    `entry`: the act this package carries out, and its facts, logged before the log that the manifest commits to.
    `replaces`: a package of ours that this one makes void; `voids`: others. `protection`: the class of key the
    gate judged for; sealing with another is refused. `judged_at`: the newest entry of the log that was seen when this
    was decided; any act since (a handling raised, an embargo, a consent withdrawn) may have changed that.
    """

    parts: tuple[PartSource, ...] = ()
    statements: tuple[Statement, ...] = ()
    release: bytes | None = None
    entry: tuple[str, Mapping[str, object]] | None = None
    priority: str = "routine"
    reference: str = ""
    note: str = ""
    replaces: int | None = None
    voids: tuple[int, ...] = ()
    protection: str | None = None
    judged_at: int | None = None


Commit = Callable[[Connection, bytes, int], None]
"""What the caller adds to the committing transaction: called with (transaction, epoch, seq)."""


def choice(
    connection: Connection, installation: Installation, one: Counterpart
) -> tuple[Channel, keys.Choice]:
    """The channel and the key the next package to a counterpart will be sealed to.

    Raises `Refused`: retired, counterpart-unverified, counterpart-revoked, channel-frozen, channel-claimed,
    channel-full.
    """
    counterparts.require_at_work(installation, connection)
    counterparts.require_sound(one)
    channel = counterparts.load_channel(connection, one.cid)
    if code := machine.may_seal(channel):
        raise Refused(code, name=one.alias)
    return channel, keys.choose(connection, installation, one.cid, one.card, channel)


def seal(
    installation: Installation,
    one: Counterpart,
    content: Content,
    target: Path | None,
    commit: Commit,
    job: Job,
) -> SealedPackage:
    """Seal `content` for a counterpart and hand the file to `target` (a new file, a folder; None: it stays
    in the outbox).

    Raises `Refused` as `choice` and `folder.reserve` do, before anything is changed; when delivery fails after the
    commit: carry-failed, and the package waits in the outbox.
    """
    reader = installation.database.read()
    before, key = choice(reader, installation, one)
    if content.protection not in (None, key.protection):
        raise Refused("store-busy")
    channel, epoch = before, bytes.fromhex(before.sending.epoch)
    voids = (*content.voids, *(() if content.replaces is None else (content.replaces,)))
    for seq in voids:
        channel = replace(channel, sending=machine.voided(channel.sending, seq))
    # What never left, and never will: they need not learn what it was going to be.
    unsent = {
        id_
        for seq in content.voids
        if before.sending.packages[seq].state == "sealed"
        for id_ in store_statements.of_release(reader, one.cid, epoch, seq)
    }
    publication = keys.publication(reader, installation, one.cid, channel)
    kept = [s for s in _standing(reader, installation, one.cid, channel) if s.id not in unsent]
    standing = [*_first(kept), *content.statements]
    # A reader who does not know the sender or the epoch finds first what says so.
    leading = [one for one in standing if one.kind in LEADING]
    following = [one for one in standing if one.kind not in LEADING]
    parts = [
        *(_bytes_part("statement", s.raw) for s in leading),
        *content.parts,
        *(_bytes_part("statement", s.raw) for s in following),
        _bytes_part("keys", publication.raw),
    ]
    entry = None
    if content.entry is not None:
        act, facts = content.entry
        where = {"to": one.fingerprint, "seq": channel.sending.next}
        entry = audit.prepare(reader, installation, act, **where, **facts)
        if content.judged_at not in (None, entry.number - 1):
            raise Refused("store-busy")
    logged = audit.head(reader).number if entry is None else entry.number
    checkpoint = audit.checkpoint(reader, logged) if entry is None else entry.checkpoint
    salt = secrets.token_bytes(SALT_BYTES)
    identity = installation.identity
    draft = Draft(
        sender=identity.fingerprint,
        to=one.fingerprint,
        epoch=bytes.fromhex(channel.sending.epoch),
        seq=channel.sending.next,
        prev=bytes.fromhex(channel.sending.head) or None,
        sealed=installation.now(),
        reads=FORMAT,
        ack=_ack(reader, installation, one.cid, channel, key),
        void=machine.void_ranges(channel.sending),
        release=content.release,
        priority=content.priority,
        log=hashlib.sha256(salt + checkpoint).digest(),
    )
    # On the medium the name is the key's published id, a hint for its owner. In the outbox it is ours
    # alone: the counterpart
    # chose that id, and could choose one that another counterpart's package already bears.
    medium = (key.kid or secrets.token_bytes(keys.KID_BYTES)).hex() + SUFFIX
    path = installation.outbox / (secrets.token_hex(16) + SUFFIX)
    room: folder.Reservation | None = None
    try:
        with path.open("xb") as file:
            sealed = format_.seal(
                file,
                key.public,
                identity.signing,
                draft,
                parts,
                lambda d, t: job.step(d, t, "seal"),
            )
            file.flush()
            os.fsync(file.fileno())
        folder.sync_folder(installation.outbox)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").digest()
        if target is not None:
            room = folder.reserve(target, medium, sealed.size)
        record = packages.Sealed(
            cid=one.cid,
            seq=draft.seq,
            epoch=draft.epoch,
            manifest_hash=sealed.manifest_hash,
            manifest=sealed.manifest_raw,
            signature=sealed.signature,
            release=content.release,
            file=path.name,
            medium=medium,
            size=sealed.size,
            sha256=sha256,
            sealed=draft.sealed,
            protection=key.protection,
            reference=content.reference,
            note=content.note,
            salt=salt,
            logged=logged,
        )
        with installation.database.write() as tx:
            counterparts.require_at_work(installation, tx)
            counterparts.require_sound(store_counterparts.get(tx, one.cid))
            if counterparts.load_channel(tx, one.cid) != before:
                raise Refused("store-busy")
            if entry is not None:
                audit.add(tx, entry)
            elif content.judged_at not in (None, audit.head(tx).number):
                raise Refused("store-busy")
            _commit(tx, installation, one, channel, key, record, sealed.header_hash, publication, standing)
            store_statements.ride_no_more(tx, one.cid, unsent)
            for seq in voids:
                mark_void(tx, one, draft.epoch, seq)
            commit(tx, draft.epoch, draft.seq)
    except BaseException as error:
        if room is not None:
            room.cancel()
        if path.name not in packages.outbox_files(installation.database.read()):
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Refused("outbox-failed", why=error.strerror) from error
        if isinstance(error, CryptoError):
            raise Refused("seal-failed", detail=error.code) from error
        raise
    if room is None:
        return SealedPackage(path, draft.seq, key.protection, sealed.size, sha256)
    try:
        installation.secured()
        delivered = room.deliver(path, sha256, job)
        _handed_over(installation, one, draft.epoch, draft.seq, delivered)
    except (Refused, Cancelled, KeyboardInterrupt) as error:
        room.cancel()
        cause = error.code if isinstance(error, Refused) else "cancelled"
        raise Refused("carry-failed", seq=draft.seq, path=room.path, cause=cause) from error
    return SealedPackage(delivered, draft.seq, key.protection, sealed.size, sha256)


def hand_over(installation: Installation, one: Counterpart, epoch: bytes, seq: int) -> None:
    """Record that a courier took package `seq` of an epoch of ours."""
    with installation.database.write() as tx:
        channel = counterparts.load_channel(tx, one.cid)
        sending = machine.handed(channel.sending, epoch.hex(), seq)
        counterparts.save_channel(tx, one.cid, replace(channel, sending=sending))
        store_ledger.move(tx, one.cid, epoch, seq, "carried", False, ("sealed",))
        audit.append(tx, installation, "package.carried", to=one.fingerprint, seq=seq)


def _handed_over(
    installation: Installation, one: Counterpart, epoch: bytes, seq: int, delivered: Path
) -> None:
    """What cannot be recorded as carried does not leave: the file on the medium goes again."""
    try:
        hand_over(installation, one, epoch, seq)
    except BaseException:
        with contextlib.suppress(OSError):
            delivered.unlink()
        raise


def carry(
    installation: Installation,
    one: Counterpart,
    record: packages.Sealed,
    target: Path,
    job: Job,
    judged_at: int | None = None,
) -> Path:
    """Copy a sealed package byte for byte from the outbox once more. `judged_at` is as in `Content`.

    Raises `Refused`: retired, counterpart-unverified, counterpart-revoked, anchor-unwritten, store-busy, and as
    `folder.reserve` and `deliver` do.
    """
    counterparts.require_at_work(installation, installation.database.read())
    counterparts.require_sound(one)
    installation.secured()
    room = folder.reserve(target, record.medium, record.size)
    try:
        require_unmoved(installation, judged_at)
    except Refused:
        room.cancel()
        raise
    delivered = room.deliver(installation.outbox / record.file, record.sha256, job)
    _handed_over(installation, one, record.epoch, record.seq, delivered)
    return delivered


def require_unmoved(installation: Installation, judged_at: int | None) -> None:
    """Raises `Refused` (store-busy) if anything was logged since the gate judged by entry `judged_at` (None: it need
    not have).
    """
    if judged_at not in (None, audit.head(installation.database.read()).number):
        raise Refused("store-busy")


def mark_void(tx: Connection, one: Counterpart, epoch: bytes, seq: int) -> None:
    """What else becomes of package `seq` when it is void: its ledger entries, its sealed file."""
    before = ("sealed", "carried", "received", "accepted", "refused")
    store_ledger.move(tx, one.cid, epoch, seq, "void", False, before)
    packages.set_closed(tx, one.cid, epoch, (seq,))


def outgoing_state(sending: Sending, record: packages.Sealed) -> str:
    """Where a package stands: sealed, handed, acked, void; of an epoch that ended: closed, or left behind unacked."""
    if record.epoch.hex() != sending.epoch:
        if record.closed:
            return "closed"
        before = machine.under_way(sending, record.epoch.hex(), record.seq)
        return "left" if before is None else before.state
    package = sending.packages.get(record.seq)
    return "acked" if package is None else package.state


def _commit(
    tx: Connection,
    installation: Installation,
    one: Counterpart,
    channel: Channel,
    key: keys.Choice,
    record: packages.Sealed,
    header_hash: bytes,
    publication: keys.Publication,
    carried: Sequence[Statement],
) -> None:
    onetime = key.number if key.protection == "onetime" else None
    sending = machine.sealed(channel.sending, record.manifest_hash.hex(), onetime)
    counterparts.save_channel(tx, one.cid, replace(channel, sending=sending))
    packages.add_sealed(tx, record)
    packages.add_header(tx, header_hash, one.cid, record.seq, True)
    if onetime is not None:
        store_counterparts.drop_their_keys(tx, one.cid, keys.ONETIME, onetime)
    keys.keep(tx, publication.fresh, record.seq)
    before = store_counterparts.own_keys_held(tx)
    keys.expire(tx, installation)
    for statement in carried:
        statements.keep_own(tx, installation, one.cid, statement)
    store_statements.add_carried(tx, one.cid, record.epoch, record.seq, {s.id for s in carried})
    audit.append(
        tx,
        installation,
        "package.sealed",
        to=one.fingerprint,
        seq=record.seq,
        manifest=record.manifest_hash.hex(),
        protection=key.protection,
        key=key.number,
        keys_made=len(publication.fresh),
        keys_erased=before - store_counterparts.own_keys_held(tx),
    )


def _standing(
    connection: Connection, installation: Installation, cid: int, channel: Channel
) -> list[Statement]:
    """Every statement of ours they have not acked, those of `LEADING` first: without them nothing else is read.

    With the first package of an epoch, the one that starts it is made.
    """
    kept = [Statement(k.id, k.kind, {}, k.raw) for k in store_statements.unacked(connection, cid)]
    start = channel.sending.start
    if channel.sending.next == 1 and start is not None:
        kept.append(statements.make(installation, "epoch", **asdict(start)))
    return sorted(kept, key=lambda one: LEADING.index(one.kind) if one.kind in LEADING else len(LEADING))


def _first(kept: Sequence[Statement]) -> list[Statement]:
    """As many of them as one package takes. One of the largest always fits, so that nothing waits for ever."""
    room, first = STATEMENTS_BYTES, list[Statement]()
    for statement in kept[:STATEMENTS_LIMIT]:
        room -= len(statement.raw)
        if room < 0 and first:
            break
        first.append(statement)
    return first


def _ack(
    connection: Connection, installation: Installation, cid: int, channel: Channel, key: keys.Choice
) -> format_.Ack | None:
    ack = machine.acknowledgement(_overdue(connection, installation, cid, channel.receiving))
    if ack is None:
        return None
    return format_.Ack(
        epoch=bytes.fromhex(ack.epoch),
        upto=ack.upto,
        hash=bytes.fromhex(ack.hash) or None,
        have=ack.have,
        want=ack.want,
        # What is left once this package took its own.
        holds=keys.unused(connection, installation, cid) - (key.protection == "onetime"),
    )


def _overdue(
    connection: Connection, installation: Installation, cid: int, receiving: machine.Receiving
) -> machine.Receiving:
    """Ask, unbidden, for what a successor has shown to be missing for 14 days."""
    absent = machine.missing(receiving)
    if not absent:
        return receiving
    long_ago = installation.days_ago(ASK_DAYS)
    old = (
        seq for seq, at in packages.arrivals(connection, cid, bytes.fromhex(receiving.epoch)) if at < long_ago
    )
    newest = max(old, default=0)
    return machine.asked(receiving, ((1, newest),) if newest else ())


def _bytes_part(kind: str, raw: bytes) -> PartSource:
    return PartSource(kind, "none", lambda: io.BytesIO(raw))
