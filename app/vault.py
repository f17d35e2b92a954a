"""Create, unlock, check and lock an installation.

    home/           0700
      slots         the key slots: the store's random key, wrapped (crypto.slots)
      store.db      the encrypted database
      outbox/       sealed packages, until acked or void
      lock          held by the one process that works here

The passphrase opens a slot, the slot yields the 32-byte key, the key opens the store. Nothing else is readable here.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import resource
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from app import audit, officers
from app.courier import folder
from app.jobs import Job
from app.messages import Refused
from app.store import objects, packages, people
from app.store.database import KEY_BYTES, Database
from app.store.database import check as check_file
from app.store.installation import Installation, utc_now
from app.store.objects import HASH_KEY
from crypto import slots
from crypto.errors import CryptoError
from crypto.identity import Identity

SLOTS, STORE, OUTBOX, LOCK = "slots", "store.db", "outbox", "lock"
PASSPHRASE_LENGTH = 12
PR_SET_DUMPABLE = 4


@dataclass
class Unlocked:
    """An installation at work. `lock()` closes the store and lets the next process in."""

    installation: Installation
    _lock: int

    def lock(self) -> None:
        """Close everything; safe to call twice."""
        if self._lock >= 0:
            self.installation.database.close()
            os.close(self._lock)
            self._lock = -1


def create(
    home: Path, name: str, country: str, officer: str, passphrase: str, cost: slots.Cost = slots.MODERATE
) -> str:
    """Make an installation in `home` (absent or empty) and return its fingerprint.

    `country` is an ISO 3166 two-letter code. Built beside `home` and renamed, so that there is a whole one or none.
    Raises `Refused`: installation-exists, passphrase-short, name-unusable, country-unusable, home-unusable.
    """
    _close_the_process()
    name, officer, country = officers.good_name(name), officers.good_name(officer), _good_country(country)
    if len(passphrase) < PASSPHRASE_LENGTH:
        raise Refused("passphrase-short", least=PASSPHRASE_LENGTH)
    home = home.absolute()
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise Refused("installation-exists", home=home)
    scratch = home.with_name(f".{home.name}-{secrets.token_hex(8)}")
    try:
        home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch.mkdir(mode=0o700)
        try:
            fingerprint = _build(scratch, name, country, officer, passphrase, cost)
            folder.sync_folder(scratch)
            os.rename(scratch, home)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        folder.sync_folder(home.parent)
    except OSError as error:
        raise Refused("home-unusable", home=home, why=error.strerror or error) from error
    return fingerprint


def _build(home: Path, name: str, country: str, officer: str, passphrase: str, cost: slots.Cost) -> str:
    key = secrets.token_bytes(KEY_BYTES)
    (home / OUTBOX).mkdir(mode=0o700)
    _write_private(home / SLOTS, slots.create(key, passphrase, cost=cost))
    _write_private(home / LOCK, b"")
    _write_private(home / STORE, b"")
    identity = Identity.generate()
    database = Database(home / STORE, key)
    try:
        installation = Installation(home, database, identity, officer)
        now = installation.now()
        with database.write() as tx:
            people.put_meta(tx, HASH_KEY, secrets.token_bytes(16))
            people.add_identity(tx, identity.to_bytes(), identity.card(name, country, now), now)
            people.add_officer(tx, officer, now)
            audit.append(tx, installation, "created", fingerprint=identity.fingerprint)
    finally:
        database.close()
    return identity.fingerprint


def unlock(
    home: Path, passphrase: str, officer: str = "", clock: Callable[[], datetime] = utc_now
) -> Unlocked:
    """Open the installation in `home` for `officer` ("": its first), logged.

    Raises `Refused`: no-installation, in-use, wrong-passphrase, slots-damaged, officer-unknown,
    store-damaged, store-newer.
    """
    _close_the_process()
    home = home.absolute()
    if not (home / SLOTS).is_file():
        raise Refused("no-installation", home=home)
    lock = _take_lock(home / LOCK)
    try:
        database = Database(home / STORE, _store_key(home, passphrase))
    except BaseException:
        os.close(lock)
        raise
    unlocked = Unlocked(Installation(home, database, _identity(database), officer, clock), lock)
    try:
        known = officers.names(database.read())
        if officer and officer not in known:
            raise Refused("officer-unknown", name=officer)
        unlocked.installation = replace(unlocked.installation, officer=officer or known[0])
        with database.write() as tx:
            audit.append(tx, unlocked.installation, "unlocked")
        _sweep(unlocked.installation)
    except BaseException:
        unlocked.lock()
        raise
    return unlocked


@contextlib.contextmanager
def unlocked(
    home: Path, passphrase: str, officer: str = "", clock: Callable[[], datetime] = utc_now
) -> Iterator[Installation]:
    """`unlock` for the length of a block."""
    opened = unlock(home, passphrase, officer, clock)
    try:
        yield opened.installation
    finally:
        opened.lock()


@dataclass(frozen=True)
class Problem:
    """What is wrong (`code`) and where: an object's version, a log entry, a file."""

    code: str
    where: str


def check(installation: Installation, job: Job) -> list[Problem]:
    """Everything that is wrong; empty when nothing is."""
    with installation.database.snapshot() as reader:
        problems = [Problem(code, "store") for code in check_file(reader)]
        if problems:
            return problems
        for number, (vid, sha256, raw) in enumerate(objects.contents(reader)):
            if number % 1000 == 0:
                job.step(number, 0, "check")
            if hashlib.sha256(raw).digest() != sha256:
                problems.append(Problem("content-altered", f"version {vid}"))
        problems += [Problem(code, f"entry {number}") for code, number in audit.verify(reader)]
        for package in packages.sealed(reader):
            path = installation.outbox / package.file
            if not path.is_file():
                if not package.closed:
                    problems.append(Problem("outbox-missing", package.file))
                continue
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").digest() != package.sha256:
                    problems.append(Problem("outbox-altered", package.file))
    return problems


def _store_key(home: Path, passphrase: str) -> bytes:
    try:
        return slots.open((home / SLOTS).read_bytes(), passphrase)
    except CryptoError as error:
        raise Refused(error.code if error.code == "wrong-passphrase" else "slots-damaged") from error


def _identity(database: Database) -> Identity:
    secret, _ = people.identity(database.read())
    return Identity.from_bytes(secret)


def _take_lock(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refused("home-unusable", home=path.parent, why=error.strerror) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise Refused("in-use", home=path.parent) from error
    return descriptor


def _sweep(installation: Installation) -> None:
    """Remove sealed files nobody needs: of packages that are acked or void, and of seals a crash kept from
    being one.
    """
    kept = packages.outbox_files(installation.database.read())
    installation.outbox.mkdir(mode=0o700, exist_ok=True)
    for path in installation.outbox.iterdir():
        if path.name not in kept and path.is_file():
            path.unlink()


def _good_country(country: str) -> str:
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise Refused("country-unusable", country=country[:20])
    return country.upper()


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _close_the_process() -> None:
    """No core dumps, no reading of this process's memory by others of the same user, private files by default."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc: Any = ctypes.CDLL(None)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
