"""Unlocking and locking: the passphrase opens a slot, the slot yields the key, the key opens the store."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from app import audit, officers
from app.holdings import attachments
from app.messages import Refused
from app.store import packages, people
from app.store.database import Database
from app.store.installation import Identities, Installation, utc_now
from app.vault.home import COPYING, LOCK, SLOTS, take_lock
from app.vault.keyslots import check_slots, open_store
from app.vault.process import close_the_process
from crypto.identity import Identity, Retired, read_card


@dataclass
class Unlocked:
    """An installation at work. `lock()` closes the store and lets the next process in."""

    installation: Installation
    _lock: int

    def lock(self) -> None:
        """Close everything; safe to call twice."""
        if self._lock >= 0:
            self.installation.identities.wipe()
            self.installation.database.close()
            os.close(self._lock)
            self._lock = -1


def unlock(
    home: Path,
    passphrase: str,
    officer: str = "",
    clock: Callable[[], datetime] = utc_now,
    recovery: bool = False,
) -> Unlocked:
    """Open the installation in `home` for `officer` ("": its first), logged. With `recovery`, `passphrase`
    holds the words of a recovery kit.

    Raises `Refused`: no-installation, in-use, wrong-passphrase, slots-damaged, slots-old, slot-needs-device,
    recovery-format, officer-unknown, store-damaged, store-newer.
    """
    close_the_process()
    home = home.absolute()
    if not (home / SLOTS).is_file():
        raise Refused("no-installation", home=home)
    lock = take_lock(home / LOCK)
    try:
        database = open_store(home, passphrase, recovery)
    except BaseException:
        os.close(lock)
        raise
    try:
        identities = _identities(database)
    except BaseException:
        database.close()
        os.close(lock)
        raise
    unlocked = Unlocked(Installation(home, database, identities, officer, clock), lock)
    try:
        check_slots(home, database)
        known = officers.names(database.read())
        if officer and officer not in known:
            raise Refused("officer-unknown", name=officer)
        unlocked.installation = replace(unlocked.installation, officer=officer or known[0])
        with database.write() as tx:
            audit.convert(tx, unlocked.installation)
            audit.append(tx, unlocked.installation, "unlocked.recovery" if recovery else "unlocked")
        _sweep(unlocked.installation)
        attachments.sweep(unlocked.installation)
    except BaseException:
        unlocked.lock()
        raise
    return unlocked


@contextlib.contextmanager
def unlocked(
    home: Path,
    passphrase: str,
    officer: str = "",
    clock: Callable[[], datetime] = utc_now,
    recovery: bool = False,
) -> Iterator[Installation]:
    """`unlock` for the length of a block."""
    opened = unlock(home, passphrase, officer, clock, recovery)
    try:
        yield opened.installation
    finally:
        opened.lock()


def _identities(database: Database) -> Identities:
    *before, now = people.identities(database.read())
    retired = (
        Retired.from_bytes(one.secret, read_card(one.card).fingerprint) for one in before if one.secret
    )
    return Identities(Identity.from_bytes(now.secret), tuple(retired))


def _sweep(installation: Installation) -> None:
    """Remove files nobody needs: of packages that are acked or void, of seals and backups that a crash kept from
    being one.
    """
    kept = packages.outbox_files(installation.database.read())
    installation.outbox.mkdir(mode=0o700, exist_ok=True)
    for path in installation.outbox.iterdir():
        if path.name not in kept and path.is_file():
            path.unlink()
    for path in installation.home.glob(COPYING + "*"):
        shutil.rmtree(path, ignore_errors=True)
