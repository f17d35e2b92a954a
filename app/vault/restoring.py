"""Restoring an installation from a backup: into an empty place, whole or not at all, never over one that is there.

The file is hostile until its every byte has authenticated; the store in it is checked to the last page before the
folder gets its name. The first unlock begins every channel anew (`app.exchange.epochs.settle_restore`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app import audit, officers, outside
from app.courier import folder
from app.jobs import Job
from app.messages import Refused
from app.store import log, people
from app.store.database import Database, foreign_store
from app.store.installation import Identities, Installation, utc_now
from app.vault import checking, keyslots
from app.vault.anchor import ANCHORED, ID_BYTES, STORE_ID
from app.vault.checking import Problem
from app.vault.home import ATTACHMENTS, OUTBOX, SLOTS, STORE, built_beside, write_private
from app.vault.process import close_the_process
from crypto.backup_file import BackupReader, Index
from crypto.errors import CryptoError
from crypto.identity import Identity


@dataclass(frozen=True)
class Restored:
    """What came back: whose it is, when the backup was made, the newest log entry in it, and whether it was a move.

    `problems`: what `check` finds, all of it older than the backup.
    """

    fingerprint: str
    made: str
    entry: int
    moved: bool
    problems: tuple[Problem, ...]


def restore(
    home: Path,
    source: Path,
    passphrase: str,
    job: Job,
    *,
    recovery: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> Restored:
    """Make `home` (absent or empty) the installation that the backup in `source` holds. With `recovery`, `passphrase`
    holds the words of a recovery kit. Logged there, by its first officer. `clock` is replaced in tests only.

    Raises `Refused`: installation-exists, file-unreadable, not-a-backup, backup-damaged, backup-passphrase,
    recovery-format, backup-needs-device, kdf-memory, store-newer, store-damaged, home-unusable. Nothing is left then.
    """
    close_the_process()
    with outside.reading(source) as file, built_beside(home) as scratch:
        try:
            reader = BackupReader(file)
            key = _key(reader.slots, source, passphrase, recovery)
            index = reader.open(key)
            _unpack(reader, index, scratch, job)
        except CryptoError as error:
            code = "not-a-backup" if error.code == "backup-format" else "backup-damaged"
            raise Refused(code, path=source, detail=error.detail) from error
        problems = _settle(scratch, key, index, job, clock)
    return Restored(index.fingerprint, index.made, index.entry, index.moved, problems)


def _key(raw: bytes, source: Path, passphrase: str, recovery: bool) -> bytes:
    """The store's key out of the slots of a backup, whose refusals speak of the backup: nothing else is there yet."""
    try:
        return keyslots.key_of(raw, passphrase, recovery)
    except Refused as refused:
        if refused.code == "slots-damaged":
            raise Refused("backup-damaged", path=source, detail="slots") from refused
        raise Refused(_OF_THE_BACKUP.get(refused.code, refused.code)) from refused


_OF_THE_BACKUP = {"wrong-passphrase": "backup-passphrase", "slot-needs-device": "backup-needs-device"}


def _unpack(reader: BackupReader, index: Index, scratch: Path, job: Job) -> None:
    write_private(scratch / SLOTS, reader.slots)
    for name in (OUTBOX, ATTACHMENTS):
        (scratch / name).mkdir(mode=0o700)
    done = 0
    for name, _size, pieces in reader.files():
        # The names of an index are of a closed form: none leads out of the folder.
        descriptor = os.open(scratch / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                job.step(done, index.size, "restore")
                file.write(piece)
                done += len(piece)
            file.flush()
            os.fsync(file.fileno())
    for name in (OUTBOX, ATTACHMENTS):
        folder.sync_folder(scratch / name)


def _settle(
    scratch: Path, key: bytes, index: Index, job: Job, clock: Callable[[], datetime]
) -> tuple[Problem, ...]:
    """Check what came, to the last page and hash, and log that it came; what single texts and files have."""
    with foreign_store():
        database = Database(scratch / STORE, key)
    try:
        with foreign_store():
            installation = _installation(scratch, database, index, clock)
            problems = checking.check(installation, job)
            if any(problem.code in checking.STRUCTURE for problem in problems):
                raise Refused("store-damaged")
            with database.write() as tx:
                # It is another store from now on, older than its anchor may say, and its officer knows.
                people.put_meta(tx, STORE_ID, secrets.token_bytes(ID_BYTES))
                people.drop_meta(tx, ANCHORED)
                keyslots.remember(tx, (scratch / SLOTS).read_bytes())
                log.set_latest(tx, max(index.made, log.latest(tx)))
                audit.append(
                    tx, installation, "restored", made=index.made, entry=index.entry, moved=index.moved
                )
    finally:
        database.close()
    return tuple(problems)


def _installation(
    scratch: Path, database: Database, index: Index, clock: Callable[[], datetime]
) -> Installation:
    """What came, as an installation at work: a store of ours whose log ends where the index says."""
    head = audit.head(database.read())
    known = officers.names(database.read())
    try:
        secret, _card = people.identity(database.read())
        identity = Identity.from_bytes(secret)
    except (TypeError, CryptoError) as error:
        raise Refused("backup-damaged", path=scratch, detail="identity") from error
    if (head.number, head.hash) != (index.entry, index.head) or not known:
        raise Refused("backup-damaged", path=scratch, detail="store")
    return Installation(scratch, database, Identities(identity), known[0], clock)
