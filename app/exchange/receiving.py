"""Opening a package: from a file into the inbox (protocol.md 2.4).

The header is looked up before any key is tried; signature, addressee, epoch and chain are checked before a part
is read; everything a package changes is one transaction, so a failure before it changes nothing. Nothing received
is in the holdings until it is accepted.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from app import audit
from app.exchange import agreements, asking, contents, counterparts, keys, receipts, statements
from app.exchange import channel as machine
from app.exchange.channel import Acknowledgement, Arrival, Channel, EpochStart, Ranges
from app.exchange.keys import Owned
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import packages
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import package as format_
from crypto.errors import CryptoError
from crypto.identity import read_card
from crypto.package import Opened

EPOCH_LIMIT = 16 << 10
_EPOCH, _HASH = re.compile("[0-9a-f]{32}"), re.compile("(?:[0-9a-f]{64})?")


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


def receive(installation: Installation, path: Path, job: Job) -> Received:
    """Open the package in a file; see the module's head.

    Raises `Refused`: retired, file-unreadable, not-a-package, package-damaged, package-forged, not-for-us, key-lost,
    reflected, counterpart-unknown, counterpart-unverified, counterpart-revoked, channel-frozen, fork, too-far,
    epoch-unknown, epoch-pending, epoch-closed.
    """
    try:
        with _regular(path) as file:
            return _receive(installation, file, path.stem, job)
    except CryptoError as error:
        raise Refused(_CODES.get(error.code, "package-damaged"), detail=error.code) from error


_CODES = {"not-for-us": "not-for-us", "age-no-match": "not-for-us", "package-signature": "package-forged"}


def header_hash(path: Path) -> bytes:
    """What a package file is known by. Raises `Refused`: file-unreadable, package-damaged."""
    try:
        with _regular(path) as file:
            return format_.read_header_hash(file)
    except CryptoError as error:
        raise Refused("package-damaged", detail=error.code) from error


def which(installation: Installation, path: Path) -> tuple[str, str, int] | None:
    """(alias, "ours" or "theirs", seq) of a package file committed here before; None of any other package.

    Raises `Refused` as `header_hash` does.
    """
    reader = installation.database.read()
    known = packages.header(reader, header_hash(path))
    if known is None:
        return None
    cid, seq, ours = known
    return store_counterparts.get(reader, cid).alias, "ours" if ours else "theirs", seq


@contextlib.contextmanager
def _regular(path: Path) -> Iterator[BinaryIO]:
    """A file opened without waiting for whoever would write to it; raises `Refused` (file-unreadable) for
    anything else.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Refused("file-unreadable", path=path, why="not a regular file")
            yield file
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error


def _receive(installation: Installation, file: BinaryIO, hint: str, job: Job) -> Received:
    reader = installation.database.read()
    counterparts.require_at_work(reader)
    mark = format_.read_header_hash(file)
    file.seek(0)
    if (known := packages.header(reader, mark)) is not None:
        cid, seq, ours = known
        if ours:
            raise Refused("reflected", seq=seq, name=store_counterparts.get(reader, cid).alias)
        return _duplicate(reader, cid, seq)
    try:
        opened = format_.open_package(file, keys.private_halves(reader, installation, hint))
    except CryptoError as error:
        if error.code == "not-for-us" and (owner := keys.lost(reader, hint)) is not None:
            raise Refused("key-lost", name=store_counterparts.get(reader, owner).alias) from error
        raise
    one = _sender(reader, opened)
    opened.verify(read_card(one.card).signing)
    if opened.manifest.to != installation.identity.fingerprint:
        raise Refused("not-for-us")
    channel = counterparts.load_channel(reader, one.cid)
    # A forked epoch takes nothing more; the package that begins a new one is the way out.
    if channel.receiving.frozen and opened.manifest.epoch.hex() == channel.receiving.epoch:
        raise Refused("channel-frozen", name=one.alias)
    receiving, arrival = _arrive(installation, one, channel, opened)
    with installation.database.write() as tx:
        counterparts.require_at_work(tx)
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
    starts: dict[str, EpochStart] = {}
    for part, file in opened.parts():
        if part.type == "statement" and part.size <= EPOCH_LIMIT:
            try:
                statement = statements.read(file.read(), signer, one.fingerprint)
            except CryptoError:
                continue
            if statement.kind == "epoch" and (start := _epoch_start(statement)) is not None:
                starts[start.new] = start
    found = starts.get(opened.manifest.epoch.hex())
    if found is None:
        return
    after = machine.announced(channel.receiving, found, starts.values())
    if after.pending != found:
        raise Refused("epoch-closed", name=one.alias, seq=opened.manifest.seq)
    with installation.database.write() as tx:
        counterparts.save_channel(tx, one.cid, replace(channel, receiving=after))
        audit.append(
            tx, installation, "epoch.announced", sender=one.fingerprint, epoch=found.new, reason=found.reason
        )
    raise Refused("epoch-pending", name=one.alias, reason=found.reason)


def _epoch_start(statement: statements.Statement) -> EpochStart | None:
    """What a statement that starts an epoch says, None if that cannot be."""
    facts = {name: value for name, value in statement.body.items() if name not in ("by", "at")}
    try:
        start = msgspec.convert(facts, EpochStart)
    except msgspec.ValidationError:
        return None
    heads = [head for head in (start.after, start.peer) if head is not None]
    sound = all(_EPOCH.fullmatch(epoch) for epoch in (start.new, *(head.epoch for head in heads)))
    sound = sound and all(0 <= head.seq < 1 << 53 and _HASH.fullmatch(head.hash) for head in heads)
    return start if sound else None


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
    twice = manifest.release is not None and packages.release_known(tx, one.cid, manifest.release)
    shown = arrival.status == "new" and not twice
    number = packages.add_received(
        tx,
        one.cid,
        manifest.epoch,
        manifest.seq,
        opened.manifest_hash,
        opened.manifest_raw,
        opened.signature,
        # A release that is not shown has not entered: its resend still may.
        manifest.release if shown else None,
        now,
        opened.key.protection,
        manifest.priority,
    )
    content = contents.read(tx, installation, one, channel, opened, number if shown else None, job)
    if twice:
        content.failed.append(("release", "release-twice"))
    if sending.claimed:
        content.failed.append(("ack", "channel-claimed"))
    packages.set_content(tx, number, "pending" if content.objects else "decided", content.note)
    if arrival.status == "new":
        for statement in content.statements:
            if statements.keep_theirs(tx, installation, one.cid, statement):
                receipts.apply(tx, installation, one, statement)
                for reader in (agreements, asking):
                    if code := reader.apply(tx, installation, one, statement):
                        content.failed.append((statement.kind, code))
    packages.add_header(tx, opened.header_hash, one.cid, manifest.seq, False)
    keys.used(tx, one.cid, opened.key, all_closed=channel.receiving.upto >= manifest.seq)
    keys.expire(tx, installation)
    audit.append(
        tx,
        installation,
        "package.received",
        sender=one.fingerprint,
        seq=manifest.seq,
        manifest=opened.manifest_hash.hex(),
        number=number,
        objects=content.objects,
        protection=opened.key.protection,
        key=opened.key.number,
        claimed=sending.claimed,
    )
    return Received(
        number,
        one.alias,
        manifest.seq,
        "gap" if shown and arrival.missing else "new" if shown else "closed",
        tuple(part.type for part in manifest.parts),
        content.objects,
        arrival.missing,
        tuple(content.failed),
        opened.key.protection,
    )
