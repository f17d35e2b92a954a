"""Opening a package: from a file into the inbox (protocol.md 2.4).

The header is looked up before any key is tried; signature, addressee, epoch and chain are checked before a part
is read; everything a package changes is one transaction, so a failure before it changes nothing. Nothing received
is in the holdings until it is accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from app import audit, outside
from app.exchange import (
    agreements,
    asking,
    beginnings,
    contents,
    counterparts,
    enquiries,
    epochs,
    evidence,
    identities,
    keys,
    recall_state,
    recalls,
    receipts,
    statements,
    successors,
)
from app.exchange import channel as machine
from app.exchange.channel import Acknowledgement, Arrival, Channel, EpochStart
from app.exchange.keys import Owned
from app.exchange.ranges import Ranges
from app.formats import streams
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import ledger as store_ledger
from app.store import packages
from app.store import statements as store_statements
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import manifest as manifests
from crypto import package as format_
from crypto.errors import CryptoError
from crypto.package import Opened
from crypto.rotation import ROTATION_LIMIT, Rotation

EPOCH_LIMIT = 16 << 10
AHEAD_DAYS = 2
"""How far their clock may be ahead of ours before the officer is told."""
LEADING_LIMIT = 32
"""Statements at the head of a package that are looked at for who sent it and in which epoch."""


@dataclass(frozen=True)
class Received:
    """What opening a package did. `status` is new, duplicate, gap or closed; `missing` names the numbers not here yet.

    `number` is its number here (None: of a duplicate whose record is gone); `parts` its types in order; `failed` the
    (place, code) of parts and objects that could not be read though the package is sound; `recalls` the numbers here
    of what they ask back; `lacking` are packages of ours that they say have not come; `said` the kinds of the
    statements that were new here and did something, each as often as it came; `priority` routine or flash.
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
    recalls: tuple[int, ...] = ()
    lacking: Ranges = ()
    said: tuple[str, ...] = ()
    priority: str = "routine"


def receive(installation: Installation, path: Path, job: Job) -> Received:
    """Open the package in a file; see the module's head.

    Raises `Refused`: retired, file-unreadable, not-a-package, package-damaged, package-forged, not-for-us, key-lost,
    reflected, counterpart-unknown, counterpart-unverified, counterpart-revoked, channel-frozen, fork, too-far,
    epoch-unknown, epoch-pending, epoch-closed, reader-died, reader-hung.
    """
    streams.ready()
    try:
        with outside.reading(path) as file:
            return _receive(installation, file, path.stem, job)
    except CryptoError as error:
        raise Refused(_CODES.get(error.code, "package-damaged"), detail=error.code) from error
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error


_CODES = {"not-for-us": "not-for-us", "age-no-match": "not-for-us", "package-signature": "package-forged"}


def header_hash(path: Path) -> bytes:
    """What a package file is known by. Raises `Refused`: file-unreadable, package-damaged."""
    try:
        with outside.reading(path) as file:
            return format_.read_header_hash(file)
    except CryptoError as error:
        raise Refused("package-damaged", detail=error.code) from error
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error


def _receive(installation: Installation, file: BinaryIO, hint: str, job: Job) -> Received:
    reader = installation.database.read()
    counterparts.require_at_work(installation, reader)
    mark = format_.read_header_hash(file)
    file.seek(0)
    if (committed := packages.header(reader, mark)) is not None:
        cid, seq, ours = committed
        if ours:
            raise Refused("reflected", seq=seq, name=store_counterparts.get(reader, cid).alias)
        return _duplicate(reader, cid, seq, mark)
    try:
        opened = format_.open_package(file, keys.private_halves(reader, installation, hint))
    except CryptoError as error:
        if error.code == "not-for-us" and (owner := keys.lost(reader, hint)) is not None:
            raise Refused("key-lost", name=store_counterparts.get(reader, owner).alias) from error
        raise
    sender = _sender(installation, reader, opened)
    one = sender.one
    opened.verify(sender.signing)
    if opened.manifest.to not in counterparts.own_signers(reader):
        raise Refused("not-for-us")
    channel = counterparts.load_channel(reader, one.cid)
    epoch = opened.manifest.epoch.hex()
    # A forked channel takes nothing more, of epochs before neither; what begins a new one is the way out.
    begun = (channel.receiving.epoch, *(old.epoch for old in channel.receiving.older))
    if channel.receiving.frozen and epoch in begun:
        raise Refused("channel-frozen", name=one.alias)
    known, begins = _known_epoch(reader, sender, channel, opened)
    # Before anything was received no epoch is known, and only the identity pinned now begins one.
    if epoch in (known.receiving.epoch or epoch, *(old.epoch for old in known.receiving.older)):
        expected = machine.signer(known.receiving, epoch) or one.fingerprint
        if opened.manifest.sender != expected:
            raise Refused("package-forged")
    receiving, arrival = _arrive(installation, sender, channel, known, opened)
    with installation.database.write() as tx:
        counterparts.require_at_work(installation, tx)
        _require_unchanged(tx, one, channel)
        for step in sender.chain:
            one = successors.adopt(tx, installation, one, step)
        if begins is not None:
            epochs.settle(tx, installation, one, channel, begins)
        done = _commit(tx, installation, one, replace(known, receiving=receiving), arrival, opened, job)
    identities.forget(installation)
    if sender.chain:
        done = replace(done, failed=(*done.failed, ("rotation", "identity-rotated")))
    return done


def _require_unchanged(tx: Connection, one: Counterpart, channel: Channel) -> None:
    """Refuse (store-busy) what was judged by a state that is gone: stored, it would undo what was sealed meanwhile."""
    if counterparts.load_channel(tx, one.cid) != channel or store_counterparts.get(tx, one.cid) != one:
        raise Refused("store-busy")


def _duplicate(reader: Connection, cid: int, seq: int, mark: bytes) -> Received:
    # Each epoch counts anew: the header tells which package of that number it was.
    same = (r for r in packages.received(reader, cid) if r.seq == seq)
    number = next((r.number for r in same if manifests.parse(r.manifest).header == mark), None)
    return Received(number, store_counterparts.get(reader, cid).alias, seq, "duplicate")


@dataclass(frozen=True)
class _Sender:
    """Who a package is from: the counterpart as it is pinned, the rotations that lead from there to the sender, the
    sender's signing key. `cards`: the identities from the pinned one on.
    """

    one: Counterpart
    signing: bytes
    chain: tuple[Rotation, ...] = ()

    @property
    def cards(self) -> tuple[str, ...]:
        return (self.one.fingerprint, *(step.card.fingerprint for step in self.chain))


def _sender(installation: Installation, reader: Connection, opened: Opened[Owned]) -> _Sender:
    """The pinned, verified counterpart the manifest names, itself or as a successor; the key that fitted must be one
    published to them.
    """
    fingerprint = opened.manifest.sender
    one = store_counterparts.holder(reader, fingerprint)
    chain: tuple[Rotation, ...] = ()
    if one is None or (one.fingerprint == fingerprint and store_counterparts.untouched(reader, one.cid)):
        found = successors.introduced(reader, _leading(opened), fingerprint)
        if found is not None and found.disputed is not None:
            with installation.database.write() as tx:
                successors.dispute(tx, installation, found.one, found.disputed)
            raise Refused("identity-forked", name=found.one.alias)
        if found is not None:
            one, chain = found.one, found.chain
    if one is None:
        raise Refused("sender-unknown", fingerprint=fingerprint)
    counterparts.require_sound(one)
    if opened.key.cid not in (None, one.cid):
        raise Refused("package-forged")
    signing = chain[-1].card.signing if chain else counterparts.signers(reader, one)[fingerprint]
    return _Sender(one, signing, chain)


def _leading(opened: Opened[Owned]) -> tuple[bytes, ...]:
    """The statements a package begins with: rotations and the starts of epochs, each with signatures of its own."""
    return opened.leading("statement", LEADING_LIMIT, ROTATION_LIMIT)


def _known_epoch(
    reader: Connection, sender: _Sender, channel: Channel, opened: Opened[Owned]
) -> tuple[Channel, EpochStart | None]:
    """The channel as it stands in this package's epoch, where nobody has to decide that: one that rotations alone lead
    to, or the first one under a card that a ceremony put in the place of another (then also the start of it).
    """
    epoch, receiving = opened.manifest.epoch.hex(), channel.receiving
    known = (receiving.epoch, *receiving.closed, *(old.epoch for old in receiving.older))
    if epoch in known or receiving.frozen or opened.manifest.sender != sender.cards[-1]:
        return channel, None
    signers = _signers(reader, sender)
    starts = epochs.stated(_leading(opened), signers)
    if not receiving.epoch and receiving.closed and (start := starts.get(epoch)) is not None:
        return beginnings.confirmed(replace(channel, receiving=replace(receiving, pending=start))), start
    followed = beginnings.followed(receiving, starts.values(), epoch, sender.one.fingerprint, signers)
    if followed is None:
        return channel, None
    return replace(channel, receiving=followed, sending=replace(channel.sending, holds_seq=0)), None


def _signers(reader: Connection, sender: _Sender) -> dict[str, bytes]:
    """The signing keys of a counterpart's identities, those that this package brings too."""
    brought = {step.card.fingerprint: step.card.signing for step in sender.chain}
    return counterparts.signers(reader, sender.one) | brought


def _arrive(
    installation: Installation, sender: _Sender, before: Channel, known: Channel, opened: Opened[Owned]
) -> tuple[machine.Receiving, Arrival]:
    manifest, one = opened.manifest, sender.one
    receiving, arrival = machine.received(
        known.receiving,
        manifest.epoch.hex(),
        manifest.seq,
        opened.manifest_hash.hex(),
        manifest.prev.hex() if manifest.prev else "",
        manifest.void,
    )
    if known.receiving.frozen and not before.receiving.frozen:
        arrival = Arrival("fork")
    if arrival.status == "fork":
        with installation.database.write() as tx:
            _require_unchanged(tx, one, before)
            frozen = replace(before.receiving, frozen=True)
            counterparts.save_channel(tx, one.cid, replace(before, receiving=frozen))
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
        _announce(installation, sender, before, opened)
    if arrival.status in ("fork", "too-far", "epoch-unknown", "epoch-closed"):
        raise Refused(arrival.status, name=one.alias, seq=manifest.seq)
    return receiving, arrival


def _announce(installation: Installation, sender: _Sender, channel: Channel, opened: Opened[Owned]) -> None:
    """A package of an epoch nobody here knows: if it carries the statement that starts it, keep that for the officer.

    The package itself is not taken: once the officer confirmed the epoch it is received again. Raises `Refused`
    (epoch-pending) unless there is no such statement.
    """
    one = sender.one
    if opened.manifest.sender != sender.cards[-1]:
        # A retired identity begins nothing any more.
        raise Refused("epoch-closed", name=one.alias, seq=opened.manifest.seq)
    signers = _signers(installation.database.read(), sender)
    raws = (
        file.read() for part, file in opened.parts() if part.type == "statement" and part.size <= EPOCH_LIMIT
    )
    starts = epochs.stated(raws, signers)
    found = starts.get(opened.manifest.epoch.hex())
    if found is None:
        return
    after = beginnings.announced(channel.receiving, found, starts.values())
    if after.pending != found:
        raise Refused("epoch-closed", name=one.alias, seq=opened.manifest.seq)
    with installation.database.write() as tx:
        _require_unchanged(tx, one, channel)
        counterparts.save_channel(tx, one.cid, replace(channel, receiving=after))
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
    manifest, now, epoch = opened.manifest, installation.now(), opened.manifest.epoch.hex()
    if arrival.status == "duplicate":
        return _duplicate(tx, one.cid, manifest.seq, opened.header_hash)
    sending, acked = channel.sending, tuple[int, ...]()
    if manifest.ack is not None:
        ack = manifest.ack
        hash_ = ack.hash.hex() if ack.hash else ""
        sending, acked = machine.acked(sending, Acknowledgement(ack.epoch.hex(), ack.upto, hash_, ack.have))
        store_statements.ack(tx, one.cid, ack.epoch, acked)
        packages.set_closed(tx, one.cid, ack.epoch, acked)
        for seq in acked:
            store_ledger.move(tx, one.cid, ack.epoch, seq, "received", True, ("sealed", "carried"))
        if epoch == channel.receiving.epoch:
            sending = machine.held(sending, manifest.seq, ack.holds)
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
    if manifest.sealed[:10] > installation.days_ago(-AHEAD_DAYS)[:10]:
        content.failed.append(("sealed", "clock-ahead"))
    if sending.claimed:
        content.failed.append(("ack", "channel-claimed"))
    packages.set_content(tx, number, "pending" if content.objects else "decided", content.note)
    asked_back, said = list[int](), list[str]()
    if arrival.status == "new":
        for statement in content.statements:
            if statements.keep_theirs(tx, installation, one.cid, statement):
                readers = (receipts, agreements, asking, evidence, successors, recall_state, enquiries)
                codes = [reader.apply(tx, installation, one, statement) for reader in readers]
                content.failed += [(statement.kind, code) for code in codes if code]
                if not any(codes):
                    said.append(statement.kind)
                if statement.kind == recalls.RECALL:
                    asked_back += recall_state.number_of(tx, one.cid, statement.id)
    packages.add_header(tx, opened.header_hash, one.cid, manifest.seq, False)
    before = store_counterparts.own_keys_held(tx)
    keys.used(tx, one.cid, opened.key, machine.all_closed(channel.receiving, epoch, manifest.seq))
    keys.retire(tx, one.cid, channel, epoch, manifest.seq)
    keys.expire(tx, installation)
    identities.heard(tx, one, channel, epoch, manifest.seq)
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
        keys_erased=before - store_counterparts.own_keys_held(tx),
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
        tuple(asked_back),
        counterparts.lacking(tx, one.cid) if manifest.ack is not None and manifest.ack.want else (),
        tuple(sorted(said)),
        manifest.priority,
    )
