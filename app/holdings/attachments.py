"""Attachments: files that belong to one object each, kept encrypted beside the database.

    attachments/<32 random hexadecimal digits>     crypto.at_rest, under a key that only the attachment's row holds

A file is on the disk before the transaction that brings its row commits, and is unlinked after the one that deletes it:
so a crash leaves at most a file without a key, which is noise, and which the next unlock removes. Whoever
deletes the row (an object's purge deletes it by itself) has destroyed the content.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from app import audit, outside
from app.holdings import samples, titles
from app.holdings.filenames import numbered, safe
from app.jobs import Job
from app.messages import Refused
from app.store import attachments as store
from app.store import objects, selecting
from app.store.attachments import Attachment
from app.store.conditions import Selection
from app.store.database import Connection
from app.store.installation import Installation
from crypto import at_rest
from crypto.errors import CryptoError
from crypto.source import Readable, Source

BLOCK = 1 << 20
OBJECT_LIMIT = 1000
"""Attachments of one object."""


def listed(installation: Installation, id_: str) -> list[Attachment]:
    """The attachments of an object, by name. Raises `Refused` (object-unknown)."""
    reader = installation.database.read()
    return store.of_object(reader, _oid(reader, id_))


def count(installation: Installation, chosen: Selection) -> int:
    """How many attachments the objects that fit have."""
    reader = installation.database.read()
    return store.count(reader, None if chosen == Selection() else selecting.oids(reader, chosen))


def attach(
    installation: Installation, path: Path, id_: str, name: str, sample: bool | None, job: Job
) -> Attachment:
    """Keep a copy of the file at `path` as an attachment of the object `id_`, under `name` made safe ("": the
    file's own).

    `sample`: whether it is malware, None: as its object's type and its first bytes tell.
    Raises `Refused`: object-unknown, file-unreadable, attachment-held (the object has that content),
    attachment-named (or one under that name), attachments-too-many, attachment-failed.
    """
    name = safe(name or path.name)
    with outside.reading(path) as file, installation.database.write() as tx:
        oid = _oid(tx, id_)
        beside = store.of_object(tx, oid)
        if len(beside) >= OBJECT_LIMIT:
            raise Refused("attachments-too-many", most=OBJECT_LIMIT)
        if any(one.name == name for one in beside):
            raise Refused("attachment-named", name=name, id=id_, called=_called(tx, id_))
        source = Source(file)
        try:
            head = source.peek(samples.HEAD_BYTES)
        except OSError as error:
            raise Refused("file-unreadable", path=path, why=error.strerror) from error
        sample = samples.is_sample(id_, head, sample)
        watched = _Watched(source, job, os.fstat(file.fileno()).st_size, "store")
        kept = _keep(installation, watched, hashed=True)
        for other in beside:
            if other.sha256 == kept.written.sha256:
                raise Refused("attachment-held", name=other.name, id=id_, called=_called(tx, id_))
        one = _row(installation, kept, id_, name, sample, oid=oid)
        store.add(tx, one)
        audit.append(tx, installation, "attachment.added", object=id_, size=one.size, sample=sample)
    return one


@dataclass(frozen=True)
class Saving:
    """An attachment on its way out: `zipped` if it is a sample, which leaves in a zip with `samples.PASSWORD` only."""

    attachment: Attachment
    zipped: bool
    pieces: Iterator[bytes]


def save(installation: Installation, id_: str, name: str, job: Job) -> Saving:
    """Take an attachment out in the clear, a sample as a zip; logged before its first byte.

    Raises `Refused`: object-unknown, attachment-unknown; and as its pieces are taken: attachment-missing,
    attachment-altered.
    """
    with installation.database.write() as tx:
        one = _find(tx, id_, name)
        audit.append(tx, installation, "attachment.saved", object=id_, number=one.number, sample=one.sample)
    pieces = _pieces(installation, one, job)
    if one.sample:
        pieces = samples.zipped(pieces, one.sha256, installation.clock())
    return Saving(one, one.sample, pieces)


def remove(installation: Installation, id_: str, name: str) -> None:
    """Destroy an attachment: its key is deleted, then its file. Raises `Refused`: object-unknown,
    attachment-unknown.
    """
    with installation.database.write() as tx:
        one = _find(tx, id_, name)
        _shred(tx, installation, [one])
        audit.append(tx, installation, "attachment.removed", object=id_, number=one.number)


def opened(installation: Installation, one: Attachment) -> BinaryIO:
    """What is in an attachment, to be read once.

    Raises `Refused`: attachment-missing, and when it is read attachment-altered.
    """
    try:
        file = (installation.attachments / one.file).open("rb", buffering=0)
    except OSError as error:
        raise Refused("attachment-missing", where=_where(one)) from error
    return io.BufferedReader(_Content(file, one), BLOCK)


def _pieces(installation: Installation, one: Attachment, job: Job) -> Iterator[bytes]:
    done = 0
    with opened(installation, one) as file:
        while block := file.read(BLOCK):
            job.step(done, one.size, "export")
            done += len(block)
            yield block


def _where(one: Attachment) -> str:
    return f"{one.id} {one.name}"


class _Content(io.RawIOBase):
    """What is in the file of an attachment, all of it or `Refused`."""

    def __init__(self, file: BinaryIO, one: Attachment) -> None:
        self._file, self._one, self._left = file, one, one.size
        self._reader: io.BufferedReader | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        try:
            if self._reader is None:
                self._reader = at_rest.reader(self._file, self._one.key)
            size = self._reader.readinto(buffer)
        except (CryptoError, OSError) as error:
            raise Refused("attachment-altered", where=_where(self._one)) from error
        self._left -= size
        if self._left < 0 or (not size and self._left):
            raise Refused("attachment-altered", where=_where(self._one))
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


# With packages ----------------------------------------------------------------------------------------------


def receive(
    tx: Connection,
    installation: Installation,
    *,
    package: int,
    giver: str,
    id_: str,
    name: str,
    sample: bool,
    size: int,
    sha256: bytes,
    source: Readable,
    job: Job,
) -> None:
    """Keep what came with a package, in the inbox; the caller checks its content against `size` and `sha256`.

    Whether it is a sample is not for the sender to deny. Raises `Refused` (attachment-failed), and what reading raises.
    """
    begun = Source(source)
    sample = sample or samples.is_sample(id_, begun.peek(samples.HEAD_BYTES), None)
    kept = _keep(installation, _Watched(begun, job, size, "open"), hashed=False)
    store.add(
        tx, _row(installation, kept, id_, safe(name), sample, sha256=sha256, package=package, giver=giver)
    )


def enter(tx: Connection, installation: Installation, package: int, ids: Collection[str]) -> None:
    """Bring the attachments of accepted objects (STIX ids) of a package from the inbox into the holdings.

    Content that the object has already is not kept twice; a name that is taken there gets a number.
    """
    key = objects.hash_key(tx)
    for one in store.waiting(tx, package):
        oid = objects.oid_of(tx, objects.id_hash(key, one.id)) if one.id in ids else None
        if oid is None:
            continue
        beside = store.of_object(tx, oid)
        if any(other.sha256 == one.sha256 for other in beside):
            _shred(tx, installation, [one])
            continue
        taken, name, number = {other.name for other in beside}, one.name, 1
        while name in taken:
            number += 1
            name = numbered(one.name, number)
        store.enter(tx, one.number, oid, name)


def withdraw(tx: Connection, package: int, ids: Iterable[str]) -> None:
    """The reverse of `enter`: back into the inbox, to be called before the objects themselves go."""
    for id_ in ids:
        store.withdraw(tx, package, id_)


def settle(tx: Connection, installation: Installation, package: int) -> list[str]:
    """Destroy what waits in the inbox for no object that still pends; returns the STIX ids they named."""
    pending = store.undecided(tx, package)
    gone = [one for one in store.waiting(tx, package) if one.id not in pending]
    _shred(tx, installation, gone)
    return [one.id for one in gone]


# Life of the store ------------------------------------------------------------------------------------------


def shred(tx: Connection, installation: Installation, oid: int) -> int:
    """Destroy every attachment of an object that is held, for a purge; returns how many. Their files are unlinked when
    the transaction commits.
    """
    everything = store.of_object(tx, oid)
    _shred(tx, installation, everything)
    return len(everything)


def shred_given(tx: Connection, installation: Installation, oid: int, giver: str) -> None:
    """Destroy the attachments of an object that a counterpart (by fingerprint) gave, as `shred` does."""
    _shred(tx, installation, [one for one in store.of_object(tx, oid) if one.giver == giver])


def sweep(installation: Installation) -> None:
    """Remove files that have no key here, and attachments whose place in the inbox is gone. Nothing else may
    be at work.
    """
    if store.lost(installation.database.read()):
        with installation.database.write() as tx:
            store.delete(tx, store.lost(tx))
    installation.attachments.mkdir(mode=0o700, exist_ok=True)
    kept = store.files(installation.database.read())
    for path in installation.attachments.iterdir():
        if path.name not in kept and path.is_file():
            path.unlink()


def check(reader: Connection, installation: Installation, job: Job) -> Iterator[tuple[str, str]]:
    """(code, where) of every attachment that is not what it was: attachment-missing, attachment-altered; and
    of every file in the folder that is none: attachment-stray.
    """
    known = set[str]()
    done, total = 0, store.bytes_held(reader)
    for one in store.everything(reader):
        known.add(one.file)
        where = _where(one)
        try:
            with (installation.attachments / one.file).open("rb", buffering=0) as file:
                if at_rest.digest(_Watched(Source(file), job, total, "check", done), one.key) != (
                    one.size,
                    one.sha256,
                ):
                    yield "attachment-altered", where
        except CryptoError:
            yield "attachment-altered", where
        except OSError:
            yield "attachment-missing", where
        done += one.size
    if installation.attachments.is_dir():
        for path in sorted(installation.attachments.iterdir()):
            if path.name not in known:
                yield "attachment-stray", path.name


# Files ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kept:
    """A new encrypted file: its name in the folder, its key, what is in it."""

    file: str
    key: bytes
    written: at_rest.Written


def _keep(installation: Installation, source: _Watched, hashed: bool) -> _Kept:
    """Encrypt `source` into a new file. It is on the disk when this returns, and is removed if the transaction
    is undone.

    Raises `Refused` (attachment-failed), and what reading raises.
    """
    name, key = secrets.token_hex(16), at_rest.new_key()
    path = installation.attachments / name
    installation.database.on_rollback(partial(_unlink, path))
    try:
        written = at_rest.write(source, path, key, source.total, hashed)
        _sync(installation.attachments)
    except OSError as error:
        raise Refused("attachment-failed", why=error.strerror) from error
    return _Kept(name, key, written)


def _row(
    installation: Installation,
    kept: _Kept,
    id_: str,
    name: str,
    sample: bool,
    oid: int | None = None,
    package: int | None = None,
    sha256: bytes = b"",
    giver: str = "",
) -> Attachment:
    return Attachment(
        number=0,
        id=id_,
        oid=oid,
        package=package,
        name=name,
        size=kept.written.size,
        sha256=sha256 or kept.written.sha256,
        sample=sample,
        file=kept.file,
        key=kept.key,
        officer=installation.officer,
        at=installation.now(),
        giver=giver,
    )


def _shred(tx: Connection, installation: Installation, gone: list[Attachment]) -> None:
    if not gone:
        return
    store.delete(tx, (one.number for one in gone))
    installation.database.leave_no_trace()
    for one in gone:
        installation.database.on_commit(partial(_unlink, installation.attachments / one.file))


def _unlink(path: Path) -> None:
    # Without its key it is noise already; the next unlock tries again.
    with contextlib.suppress(OSError):
        path.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _oid(connection: Connection, id_: str) -> int:
    oid = objects.oid_of(connection, objects.id_hash(objects.hash_key(connection), id_))
    if oid is None:
        raise Refused("object-unknown", id=id_)
    return oid


def _called(connection: Connection, id_: str) -> str:
    """What an object that is held is called, or its id."""
    row = objects.find(connection, objects.id_hash(objects.hash_key(connection), id_))
    return id_ if row is None else titles.of_rows(connection, [row])[0].words


def _find(connection: Connection, id_: str, name: str) -> Attachment:
    for one in store.of_object(connection, _oid(connection, id_)):
        if one.name == name:
            return one
    raise Refused("attachment-unknown", name=name, id=id_, called=_called(connection, id_))


class _Watched:
    """A source that reports how much was read of it and, `done`, before it, and stops when the job is cancelled."""

    def __init__(self, source: Source, job: Job, total: int, stage: str, done: int = 0) -> None:
        self._source, self._job, self.total, self._stage = source, job, total, stage
        self._done = done

    def readinto(self, buffer: memoryview) -> int:
        # A file grows while it is read, and an encrypted one is longer than what is in it.
        self._job.step(min(self._done, self.total), self.total, self._stage)
        size = self._source.fill(buffer)
        self._done += size
        return size

    def read(self, size: int, /) -> bytes:
        buffer = memoryview(bytearray(size))
        return bytes(buffer[: self.readinto(buffer)])
