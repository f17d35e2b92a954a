"""The inbox: packages are opened into it, compared with the holdings, and decided by the officer.

`receive` is protocol.md 2.4: the header is looked up before any key is tried; signature, addressee, epoch and chain are
checked before a part is read; everything a package changes is one transaction, so a failure before it changes nothing.
Nothing received is in the holdings until it is accepted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec

from app import audit
from app.exchange import channel as machine
from app.exchange import counterparts, keys, receipts, statements
from app.exchange.channel import Acknowledgement, Arrival, Channel, EpochStart, Ranges
from app.exchange.keys import Owned
from app.holdings import importing
from app.intel import marking, reading
from app.intel.envelope import envelope
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import objects, packages, people
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from app.store.packages import Waiting
from crypto import package as format_
from crypto.errors import CryptoError
from crypto.identity import read_card
from crypto.package import Opened

OBJECT_LIMIT = 1_000_000
SMALL_PART_LIMIT = 256 << 20
READ_BYTES = 1 << 18


@dataclass(frozen=True)
class Received:
    """What opening a package did. `status` is new, duplicate, gap or closed; `missing` names the numbers not here yet.

    `number` is its number here (None: of a duplicate whose record is gone); `parts` its types in order; `failed` the
    (place, code) of parts and objects that could not be read though the package is sound.
    """

    number: int | None
    sender: str
    seq: int
    status: str
    parts: tuple[str, ...] = ()
    objects: int = 0
    missing: Ranges = ()
    failed: tuple[tuple[str, str], ...] = ()
    protection: str = ""


@dataclass(frozen=True)
class Listed:
    """A package in the inbox."""

    number: int
    sender: str
    seq: int
    state: str
    priority: str
    received: str
    objects: int
    note: str
    protection: str
    reason: str


@dataclass(frozen=True)
class Compared:
    """An object in the inbox beside the holdings: new, newer, older, same, conflict or revoked."""

    position: int
    id: str
    type: str
    name: str
    modified: str
    status: str
    decision: str
    handling: Level | None


@dataclass(frozen=True)
class Review:
    """A package in the inbox with its objects compared."""

    package: Listed
    objects: tuple[Compared, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many objects have each status."""
        found = Counter(one.status for one in self.objects)
        return {status: found[status] for status in STATUSES}


@dataclass(frozen=True)
class Decided:
    """How many objects of a package are in which state after a decision."""

    accepted: int
    rejected: int
    pending: int


STATUSES = ("new", "newer", "older", "same", "conflict", "revoked")


# Receiving --------------------------------------------------------------------------------------------------


def receive(installation: Installation, path: Path, job: Job) -> Received:
    """Open the package in a file; see the module's head.

    Raises `Refused`: file-unreadable, not-a-package, package-damaged, package-forged, not-for-us, reflected,
    counterpart-unknown, counterpart-unverified, counterpart-revoked, channel-frozen, fork, too-far, epoch-unknown,
    release-twice.
    """
    try:
        with path.open("rb") as file:
            return _receive(installation, file, path.stem, job)
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error
    except CryptoError as error:
        raise Refused(_CODES.get(error.code, "package-damaged"), detail=error.code) from error


_CODES = {"not-for-us": "not-for-us", "age-no-match": "not-for-us", "package-signature": "package-forged"}


def which(installation: Installation, path: Path) -> tuple[str, str, int] | None:
    """(alias, "ours" or "theirs", seq) of a package file committed here before; None of any other package.

    Raises `Refused`: file-unreadable, package-damaged.
    """
    try:
        with path.open("rb") as file:
            header_hash = format_.read_header_hash(file)
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error
    except CryptoError as error:
        raise Refused("package-damaged", detail=error.code) from error
    reader = installation.database.read()
    known = packages.header(reader, header_hash)
    if known is None:
        return None
    cid, seq, ours = known
    return store_counterparts.get(reader, cid).alias, "ours" if ours else "theirs", seq


def _receive(installation: Installation, file: BinaryIO, hint: str, job: Job) -> Received:
    reader = installation.database.read()
    header_hash = format_.read_header_hash(file)
    file.seek(0)
    if (known := packages.header(reader, header_hash)) is not None:
        cid, seq, ours = known
        if ours:
            raise Refused("reflected", seq=seq, name=store_counterparts.get(reader, cid).alias)
        return _duplicate(reader, cid, seq)
    opened = format_.open_package(file, keys.private_halves(reader, installation, hint))
    one = _sender(reader, opened)
    opened.verify(read_card(one.card).signing)
    if opened.manifest.to != installation.identity.fingerprint:
        raise Refused("not-for-us")
    channel = counterparts.load_channel(reader, one.cid)
    if channel.receiving.frozen:
        raise Refused("channel-frozen", name=one.alias)
    receiving, arrival = _arrive(installation, one, channel, opened)
    manifest = opened.manifest
    if manifest.release is not None and packages.release_known(reader, manifest.release):
        raise Refused("release-twice", name=one.alias, seq=manifest.seq)
    with installation.database.write() as tx:
        if counterparts.load_channel(tx, one.cid) != channel:
            raise Refused("store-busy")
        return _commit(tx, installation, one, replace(channel, receiving=receiving), arrival, opened, job)


def _duplicate(reader: Connection, cid: int, seq: int) -> Received:
    number = next((r.number for r in packages.received(reader, cid) if r.seq == seq), None)
    return Received(number, store_counterparts.get(reader, cid).alias, seq, "duplicate")


def _sender(reader: Connection, opened: Opened[Owned]) -> Counterpart:
    """The pinned, verified counterpart the manifest names; the key that fitted must be one published to them."""
    for one in store_counterparts.everyone(reader):
        if one.fingerprint == opened.manifest.sender:
            counterparts.require_sound(one)
            if opened.key.cid not in (None, one.cid):
                raise Refused("package-forged")
            return one
    raise Refused("sender-unknown", fingerprint=opened.manifest.sender)


def _arrive(
    installation: Installation, one: Counterpart, channel: Channel, opened: Opened[Owned]
) -> tuple[machine.Receiving, Arrival]:
    manifest = opened.manifest
    receiving, arrival = machine.received(
        channel.receiving,
        manifest.epoch.hex(),
        manifest.seq,
        opened.manifest_hash.hex(),
        manifest.prev.hex() if manifest.prev else "",
        manifest.void,
    )
    if arrival.status == "fork":
        with installation.database.write() as tx:
            counterparts.save_channel(tx, one.cid, replace(channel, receiving=receiving))
            packages.add_evidence(
                tx,
                one.cid,
                manifest.epoch,
                manifest.seq,
                opened.manifest_raw,
                opened.signature,
                installation.now(),
            )
            audit.append(
                tx,
                installation,
                "channel.forked",
                sender=one.fingerprint,
                seq=manifest.seq,
                manifest=opened.manifest_hash.hex(),
            )
    if arrival.status == "epoch-unknown":
        _announce(installation, one, channel, opened)
    if arrival.status in ("fork", "too-far", "epoch-unknown", "epoch-closed"):
        raise Refused(arrival.status, name=one.alias, seq=manifest.seq)
    return receiving, arrival


def _announce(installation: Installation, one: Counterpart, channel: Channel, opened: Opened[Owned]) -> None:
    """A package of an epoch nobody here knows: if it carries the statement that starts it, keep that for the officer.

    The package itself is not taken: once the officer confirmed the epoch it is received again. Raises `Refused`
    (epoch-pending) unless there is no such statement.
    """
    signer = read_card(one.card).signing
    found: EpochStart | None = None
    for part, file in opened.parts():
        if part.type == "statement":
            try:
                statement = statements.read(_all(file, part.size), signer, one.fingerprint)
                facts = {name: value for name, value in statement.body.items() if name not in ("by", "at")}
                start = msgspec.convert(facts, EpochStart) if statement.kind == "epoch" else None
            except (CryptoError, msgspec.ValidationError):
                continue
            if start is not None and start.new == opened.manifest.epoch.hex():
                found = start
    if found is None:
        return
    with installation.database.write() as tx:
        receiving = machine.announced(channel.receiving, found)
        counterparts.save_channel(tx, one.cid, replace(channel, receiving=receiving))
        audit.append(
            tx, installation, "epoch.announced", sender=one.fingerprint, epoch=found.new, reason=found.reason
        )
    raise Refused("epoch-pending", name=one.alias, reason=found.reason)


def _commit(
    tx: Connection,
    installation: Installation,
    one: Counterpart,
    channel: Channel,
    arrival: Arrival,
    opened: Opened[Owned],
    job: Job,
) -> Received:
    manifest, now = opened.manifest, installation.now()
    if arrival.status == "duplicate":
        return _duplicate(tx, one.cid, manifest.seq)
    sending, acked = channel.sending, tuple[int, ...]()
    if manifest.ack is not None:
        ack = manifest.ack
        hash_ = ack.hash.hex() if ack.hash else ""
        sending, acked = machine.acked(sending, Acknowledgement(ack.epoch.hex(), ack.upto, hash_, ack.have))
        epoch = bytes.fromhex(sending.epoch)
        packages.ack_statements(tx, one.cid, epoch, acked)
        packages.set_closed(tx, one.cid, epoch, acked)
        for seq in acked:
            packages.move_ledger(tx, one.cid, epoch, seq, "received", True, ("sealed", "carried"))
    channel = replace(channel, sending=sending, mending=channel.mending and not sending.started)
    counterparts.save_channel(tx, one.cid, channel)
    content = _read_parts(tx, installation, one, channel, opened, job)
    shown = arrival.status == "new"
    waits = shown and bool(content.waiting)
    number = packages.add_received(
        tx,
        one.cid,
        manifest.epoch,
        manifest.seq,
        opened.manifest_hash,
        opened.manifest_raw,
        opened.signature,
        manifest.release,
        now,
        opened.key.protection,
        manifest.priority,
        "pending" if waits else "decided",
        content.note,
    )
    if shown:
        packages.add_waiting(tx, number, content.waiting)
        for statement in content.statements:
            if statements.keep_theirs(tx, installation, one.cid, statement):
                receipts.apply(tx, installation, one, statement)
    packages.add_header(tx, opened.header_hash, one.cid, manifest.seq, False)
    keys.used(tx, one.cid, opened.key, all_closed=channel.receiving.upto >= manifest.seq)
    keys.expire(tx, installation, one.cid)
    audit.append(
        tx,
        installation,
        "package.received",
        sender=one.fingerprint,
        seq=manifest.seq,
        manifest=opened.manifest_hash.hex(),
        number=number,
        objects=len(content.waiting),
        protection=opened.key.protection,
        key=opened.key.number,
        claimed=sending.claimed,
    )
    status = "closed" if not shown else "gap" if arrival.missing else "new"
    return Received(
        number,
        one.alias,
        manifest.seq,
        status,
        tuple(part.type for part in manifest.parts),
        len(content.waiting) if shown else 0,
        arrival.missing,
        tuple(content.failed),
        opened.key.protection,
    )


@dataclass
class _Content:
    waiting: list[tuple[Waiting, bytes]]
    statements: list[statements.Statement]
    failed: list[tuple[str, str]]
    note: str


def _read_parts(
    tx: Connection,
    installation: Installation,
    one: Counterpart,
    channel: Channel,
    opened: Opened[Owned],
    job: Job,
) -> _Content:
    content = _Content([], [], [], "")
    handling: dict[bytes, Level] = {}
    signer = read_card(one.card).signing
    position = 0
    for part, file in opened.parts():
        job.step(len(content.waiting), 0, "open")
        if part.type == "intel":
            position = _objects(file, position, content, job)
            continue
        raw = _all(file, part.size) if part.type in ("handling", "note", "statement", "keys") else b""
        try:
            if part.type == "handling":
                handling |= _handling(raw)
            elif part.type == "note":
                content.note += raw.decode()
            elif part.type == "statement":
                content.statements.append(statements.read(raw, signer, one.fingerprint))
            elif part.type == "keys":
                if keys.take(tx, installation, one.cid, raw, channel.sending.onetime):
                    content.failed.append(("keys", "keys-bad"))
            else:
                content.failed.append((part.type, "newer-format"))
        except (CryptoError, ValueError) as error:
            content.failed.append((part.type, getattr(error, "code", "part-unreadable")))
    content.waiting = [
        (replace(waiting, handling=handling.get(waiting.sha256)), text) for waiting, text in content.waiting
    ]
    return content


def _objects(file: BinaryIO, position: int, content: _Content, job: Job) -> int:
    """Read an intel part; returns the position after it. What cannot be read is named, the rest is kept."""
    try:
        for entry in reading.read_chunks(iter(lambda: file.read(READ_BYTES), b"")):
            job.step(len(content.waiting), 0, "open")
            if isinstance(entry, reading.Fault):
                content.failed.append((entry.where, entry.code))
            else:
                env = envelope(entry.value)
                waiting = Waiting(
                    position=position,
                    id=env.id,
                    type=env.type,
                    name=env.name,
                    modified=env.modified,
                    moment=env.moment,
                    sha256=hashlib.sha256(entry.raw).digest(),
                    handling=None,
                    decision="pending",
                )
                content.waiting.append((waiting, entry.raw))
            position += 1
            if position > OBJECT_LIMIT:
                raise Refused("too-many-objects", most=OBJECT_LIMIT)
    except Refused as error:
        content.failed.append(("intel", error.code))
    return position


class _HandlingLine(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    modified: str
    sha256: str
    tlp: str
    embargo: str | None = None
    exercise: bool = False
    case: str | None = None


def _handling(raw: bytes) -> dict[bytes, Level]:
    """{sha256: level} of a `handling` part. Raises ValueError (msgspec's errors are) on anything else."""
    lines = [msgspec.json.decode(line, type=_HandlingLine) for line in raw.splitlines()]
    levels = {bytes.fromhex(line.sha256): marking.parse(line.tlp) for line in lines}
    if None in levels.values():
        raise ValueError("tlp")
    return {sha256: level for sha256, level in levels.items() if level is not None}


def _all(file: BinaryIO, size: int) -> bytes:
    if size > SMALL_PART_LIMIT:
        raise CryptoError("package-part", "part larger than this program reads")
    return file.read()


# Reviewing --------------------------------------------------------------------------------------------------


def listed(installation: Installation) -> list[Listed]:
    """What was received and held something to decide: pending flash first, then newest first."""
    reader = installation.database.read()
    return [_listed(reader, one) for one in packages.received(reader) if one.release is not None]


def review(installation: Installation, number: int, job: Job) -> Review:
    """A package with each of its objects compared with the holdings; raises `Refused` (package-unknown)."""
    reader = installation.database.read()
    package = _package(reader, number)
    hash_key = objects.hash_key(reader)
    compared: list[Compared] = []
    for one in packages.waiting(reader, number):
        job.step(len(compared), 0, "check")
        read = partial(packages.waiting_raw, reader, number, one.position)
        status = importing.compare(reader, hash_key, one.id, one.moment, one.sha256, read)
        handling = None if one.handling is None else Level(one.handling)
        compared.append(
            Compared(one.position, one.id, one.type, one.name, one.modified, status, one.decision, handling)
        )
    return Review(_listed(reader, package), tuple(compared))


def raw(installation: Installation, number: int, position: int) -> bytes:
    """The exact text of an object in the inbox."""
    return packages.waiting_raw(installation.database.read(), number, position)


def accept(installation: Installation, number: int, ids: Sequence[str] | None, job: Job) -> Decided:
    """Take pending objects of a package into the holdings: those with the given STIX ids, or (None) all that pend.

    Raises `Refused`: package-unknown, object-unknown, nothing-pending.
    """
    with installation.database.write() as tx:
        package = _package(tx, number)
        chosen = _pending(tx, number, ids)
        one = store_counterparts.get(tx, package.cid)
        channel = counterparts.load_channel(tx, one.cid)
        if channel.receiving.frozen:
            raise Refused("channel-frozen", name=one.alias)
        if channel.mending:
            raise Refused("channel-mending", name=one.alias)
        origin = objects.add_origin(
            tx, "package", one.fingerprint, number, installation.officer, installation.now()
        )
        default = people.default_handling(tx)
        importing.take(
            tx,
            (
                importing.Incoming(
                    packages.waiting_raw(tx, number, w.position),
                    None if w.handling is None else Level(w.handling),
                )
                for w in chosen
            ),
            origin,
            default,
            job,
            len(chosen),
        )
        packages.decide(tx, number, (w.position for w in chosen), "accepted")
        decided = _settle(tx, number, package.reason)
        audit.append(
            tx, installation, "package.accepted", number=number, objects=len(chosen), pending=decided.pending
        )
        return decided


def reject(installation: Installation, number: int, reason: str) -> Decided:
    """Refuse everything of a package that is still pending; raises `Refused` (package-unknown,
    nothing-pending, reason-missing).
    """
    if not reason.strip():
        raise Refused("reason-missing")
    with installation.database.write() as tx:
        _package(tx, number)
        chosen = _pending(tx, number, None)
        packages.decide(tx, number, (w.position for w in chosen), "refused")
        decided = _settle(tx, number, reason)
        audit.append(tx, installation, "package.refused", number=number, objects=len(chosen))
        return decided


def _package(connection: Connection, number: int) -> packages.Received:
    package = packages.received_at(connection, number)
    if package is None:
        raise Refused("package-unknown", seq=number, name="")
    return package


def _pending(tx: Connection, number: int, ids: Iterable[str] | None) -> list[Waiting]:
    everything = packages.waiting(tx, number)
    if ids is not None:
        wanted = set(ids)
        for missing in wanted - {w.id for w in everything}:
            raise Refused("object-unknown", id=missing)
        everything = [w for w in everything if w.id in wanted]
    chosen = [w for w in everything if w.decision == "pending"]
    if not chosen:
        raise Refused("nothing-pending", number=number)
    return chosen


def _settle(tx: Connection, number: int, reason: str) -> Decided:
    found = Counter(w.decision for w in packages.waiting(tx, number))
    packages.set_decided(tx, number, "pending" if found["pending"] else "decided", reason)
    return Decided(found["accepted"], found["refused"], found["pending"])


def _listed(connection: Connection, one: packages.Received) -> Listed:
    sender = store_counterparts.get(connection, one.cid).alias
    count = packages.waiting_count(connection, one.number)
    return Listed(
        one.number,
        sender,
        one.seq,
        one.state,
        one.priority,
        one.received,
        count,
        one.note,
        one.protection,
        one.reason,
    )
