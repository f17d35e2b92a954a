"""A backup: everything an installation keeps in one encrypted file, taken while it is at work (crypto.backup_file).

It opens with what opens the installation elsewhere: a passphrase, or a recovery kit. The private halves of one-time and
reusable keys stay out (protocol.md 3.5), so that a stolen backup opens no package they opened.

A *move* is a backup in whose act this installation retires: nothing is done here between the copy and the end, and
afterwards it seals and opens no package. Only `revive` undoes that, and it begins every channel anew.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from app import audit
from app.courier import folder
from app.jobs import Job
from app.messages import Refused
from app.store import attachments as stored_attachments
from app.store import counterparts, packages, people
from app.store.database import Database
from app.store.installation import Installation
from app.vault.home import ATTACHMENTS, COPYING, OUTBOX, SLOTS, STORE
from crypto import backup_file, slots
from crypto.backup_file import BackupReader, Index
from crypto.errors import CryptoError


@dataclass(frozen=True)
class Made:
    """A backup that was written, read back and compared: its file, its size in bytes, the log entry it ends with."""

    path: Path
    size: int
    entry: int


def back_up(installation: Installation, target: Path, job: Job, *, move: bool = False) -> Made:
    """Write a backup to `target`, a new file. With `move`, this installation retires in the same act.

    Raises `Refused`: backup-closed (neither a passphrase alone nor a recovery kit would open it elsewhere), retired,
    store-busy (a file went away meanwhile: do it again), backup-differs (the medium gives back something else), and
    as `folder.new_file` does. Nothing is left then, and nothing is changed.
    """
    if all(slot.kind == slots.DEVICE for slot in slots.listed((installation.home / SLOTS).read_bytes())):
        raise Refused("backup-closed")
    if move and (since := people.retired(installation.database.read())):
        raise Refused("retired", since=since)
    made: Made | None = None
    try:
        if move:
            # Nothing may be done between the copy and the end of the act: others wait.
            with installation.database.write() as tx:
                made = _make(installation, target, job, moved=True)
                people.put_meta(tx, people.RETIRED, installation.now().encode())
                audit.append(tx, installation, "moved", entry=made.entry)
        else:
            made = _make(installation, target, job, moved=False)
            with installation.database.write() as tx:
                audit.append(tx, installation, "backup", entry=made.entry)
    except BaseException:
        if made is not None:
            target.unlink(missing_ok=True)
        raise
    return made


def retired(installation: Installation) -> str:
    """When this installation was moved to another machine, "" if it was not."""
    return people.retired(installation.database.read())


def revive(installation: Installation) -> None:
    """Work here again after a move that came to nothing. The copy may be at work somewhere after all: every channel
    begins anew, and each counterpart's officer must confirm that. Raises `Refused` (not-retired).
    """
    with installation.database.write() as tx:
        if not people.retired(tx):
            raise Refused("not-retired")
        people.drop_meta(tx, people.RETIRED)
        counterparts.begin_anew(tx)
        audit.append(tx, installation, "revived")


def _make(installation: Installation, target: Path, job: Job, moved: bool) -> Made:
    with _scratch(installation) as scratch:
        installation.database.copy_to(scratch / STORE, job)
        index = _prepared(installation, scratch, moved)
        raw = (installation.home / SLOTS).read_bytes()

        def opened(name: str) -> BinaryIO:
            return ((scratch if name == STORE else installation.home) / name).open("rb")

        verify = partial(_verify, raw=raw, key=installation.database.key, index=index, job=job)
        try:
            with folder.new_file(target, verify) as file:
                progress = partial(job.step, stage="backup")
                backup_file.write(file, raw, installation.database.key, index, opened, progress)
        except CryptoError as error:
            raise Refused("store-busy") from error
    return Made(target, target.stat().st_size, index.entry)


@contextlib.contextmanager
def _scratch(installation: Installation) -> Iterator[Path]:
    """A folder for the copy of the store, in the installation's own: it is as well kept there as the store."""
    path = installation.home / (COPYING + secrets.token_hex(8))
    try:
        path.mkdir(mode=0o700)
        yield path
    except OSError as error:
        raise Refused("home-unusable", home=installation.home, why=error.strerror or error) from error
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _prepared(installation: Installation, scratch: Path, moved: bool) -> Index:
    """Strip the copy of what may not ride along; what belongs to it."""
    copy = Database(scratch / STORE, installation.database.key)
    try:
        with copy.write() as tx:
            counterparts.strip_for_backup(tx)
        kept = {
            OUTBOX: packages.outbox_files(copy.read()),
            ATTACHMENTS: stored_attachments.files(copy.read()),
        }
        head = audit.head(copy.read())
        # The file alone is packed: what lay beside it still would be missing, and keys that were stripped be there.
        copy.fold()
    finally:
        copy.close()
    files = [(STORE, (scratch / STORE).stat().st_size)]
    for name, wanted in kept.items():
        where = installation.home / name
        # What is missing already is told by `check`, here and after a restore.
        files += [
            (f"{name}/{one}", (where / one).stat().st_size)
            for one in sorted(wanted)
            if (where / one).is_file()
        ]
    return Index(
        made=installation.now(),
        fingerprint=installation.identity.fingerprint,
        entry=head.number,
        head=head.hash,
        moved=moved,
        files=tuple(files),
    )


def _verify(file: BinaryIO, raw: bytes, key: bytes, index: Index, job: Job) -> None:
    """Read a backup as a restore would. Every byte authenticates, or it is not the backup that was written."""
    try:
        reader = BackupReader(file)
        if reader.slots != raw or reader.open(key) != index:
            raise Refused("backup-differs")
        done = 0
        for _name, _size, pieces in reader.files():
            for piece in pieces:
                job.step(done, index.size, "verify")
                done += len(piece)
    except CryptoError as error:
        raise Refused("backup-differs") from error
