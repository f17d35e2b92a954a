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

SLOTS, SLOTS_NEXT, STORE, OUTBOX, LOCK = "slots", "slots.next", "store.db", "outbox", "lock"
SLOTS_HASH = "slots-sha256"
KEYRING_SERVICE = "mithaq"
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
            self.installation.identity.wipe()
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
    raw = slots.create(key, passphrase, cost=cost)
    _write_private(home / SLOTS, raw)
    _write_private(home / LOCK, b"")
    _write_private(home / STORE, b"")
    identity = Identity.generate()
    database = Database(home / STORE, key, new=True)
    try:
        installation = Installation(home, database, identity, officer)
        now = installation.now()
        with database.write() as tx:
            people.put_meta(tx, HASH_KEY, secrets.token_bytes(16))
            people.put_meta(tx, SLOTS_HASH, _hashes(raw))
            people.add_identity(tx, identity.to_bytes(), identity.card(name, country, now), now)
            people.add_officer(tx, officer, now)
            audit.append(tx, installation, "created", fingerprint=identity.fingerprint)
    finally:
        database.close()
    return identity.fingerprint


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
    _close_the_process()
    home = home.absolute()
    if not (home / SLOTS).is_file():
        raise Refused("no-installation", home=home)
    lock = _take_lock(home / LOCK)
    try:
        database = _open_store(home, passphrase, recovery)
    except BaseException:
        os.close(lock)
        raise
    try:
        identity = _identity(database)
    except BaseException:
        database.close()
        os.close(lock)
        raise
    unlocked = Unlocked(Installation(home, database, identity, officer, clock), lock)
    try:
        _check_slots(home, database)
        known = officers.names(database.read())
        if officer and officer not in known:
            raise Refused("officer-unknown", name=officer)
        unlocked.installation = replace(unlocked.installation, officer=officer or known[0])
        with database.write() as tx:
            audit.append(tx, unlocked.installation, "unlocked.recovery" if recovery else "unlocked")
        _sweep(unlocked.installation)
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


# Key slots --------------------------------------------------------------------------------------------------


def slots_of(installation: Installation) -> tuple[slots.Slot, ...]:
    """What opens this installation."""
    return slots.listed((installation.home / SLOTS).read_bytes())


def add_slot(
    installation: Installation, passphrase: str, label: str, device: bool, cost: slots.Cost = slots.MODERATE
) -> None:
    """One more passphrase; with `device`, it opens only together with a secret kept in this workstation's keyring.

    Raises `Refused`: passphrase-short, name-unusable, keyring-unavailable, slots-full.
    """
    if len(passphrase) < PASSPHRASE_LENGTH:
        raise Refused("passphrase-short", least=PASSPHRASE_LENGTH)
    label = officers.good_name(label) if label else ""
    secret = _make_device_secret(installation.home) if device else None
    with _slot_errors():
        raw = slots.add(
            _slots_file(installation),
            installation.database.key,
            passphrase,
            device_secret=secret,
            cost=cost,
            label=label,
        )
    _replace_slots(installation, raw, "slot.added", kind="device" if device else "passphrase", label=label)


def add_recovery_slot(installation: Installation, label: str) -> tuple[str, ...]:
    """A recovery kit: its words are returned once and kept nowhere. Raises `Refused` (slots-full)."""
    label = officers.good_name(label) if label else ""
    with _slot_errors():
        raw, words = slots.add_recovery(_slots_file(installation), installation.database.key, label)
    _replace_slots(installation, raw, "slot.added", kind="recovery", label=label)
    return words


def remove_slot(installation: Installation, slot: int) -> None:
    """Remove a slot; what it wrapped still opens older copies: `rekey` shuts them out.

    Raises `Refused`: slot-unknown, slot-last.
    """
    with _slot_errors():
        raw = slots.remove(_slots_file(installation), installation.database.key, slot)
    _replace_slots(installation, raw, "slot.removed", slot=slot)


def rekey(installation: Installation, passphrase: str) -> None:
    """Encrypt the store anew under a fresh key; only the slot of this passphrase comes along.

    The new slots lie beside the old ones until the store is rewritten: a crash at any moment leaves one pair that fits.
    Raises `Refused`: wrong-passphrase.
    """
    key = secrets.token_bytes(KEY_BYTES)
    with _slot_errors():
        old = _slots_file(installation)
        secret = _device_secret(installation.home) if _needs_device(old) else None
        raw = slots.rekey(old, installation.database.key, key, passphrase, secret)
    following = installation.home / SLOTS_NEXT
    following.unlink(missing_ok=True)
    _write_private(following, raw)
    folder.sync_folder(installation.home)
    with installation.database.write() as tx:
        people.put_meta(tx, SLOTS_HASH, _hashes(old, raw))
        audit.append(tx, installation, "store.rekeyed")
    installation.database.rekey(key)
    os.replace(following, installation.home / SLOTS)
    folder.sync_folder(installation.home)
    with installation.database.write() as tx:
        people.put_meta(tx, SLOTS_HASH, _hashes(raw))


def _slots_file(installation: Installation) -> bytes:
    return (installation.home / SLOTS).read_bytes()


def _replace_slots(installation: Installation, raw: bytes, act: str, **detail: object) -> None:
    """Put a new slots file in the place of the old one; until the next unlock both count, so that a crash
    locks nobody out.
    """
    home, old = installation.home, _slots_file(installation)
    with installation.database.write() as tx:
        people.put_meta(tx, SLOTS_HASH, _hashes(old, raw))
        audit.append(tx, installation, act, **detail)
    scratch = home / f".{SLOTS}-{secrets.token_hex(8)}"
    try:
        _write_private(scratch, raw)
        os.replace(scratch, home / SLOTS)
    finally:
        scratch.unlink(missing_ok=True)
    folder.sync_folder(home)
    with installation.database.write() as tx:
        people.put_meta(tx, SLOTS_HASH, _hashes(raw))


def _check_slots(home: Path, database: Database) -> None:
    """An older slots file put back would let a removed passphrase in again. Raises `Refused` (slots-old)."""
    raw = (home / SLOTS).read_bytes()
    known = people.meta(database.read(), SLOTS_HASH) or b""
    if _hashes(raw) not in {known[i : i + 32] for i in range(0, len(known), 32)}:
        raise Refused("slots-old")
    if known != _hashes(raw):
        with database.write() as tx:
            people.put_meta(tx, SLOTS_HASH, _hashes(raw))


def _hashes(*files: bytes) -> bytes:
    return b"".join(hashlib.sha256(raw).digest() for raw in files)


def _open_store(home: Path, passphrase: str, recovery: bool) -> Database:
    """The store, with the slots that fit it: after a crash in `rekey` that may be the ones laid beside."""
    following = home / SLOTS_NEXT
    try:
        database = Database(home / STORE, _store_key(home / SLOTS, passphrase, recovery))
    except Refused as error:
        if error.code not in ("store-damaged", "wrong-passphrase") or not following.is_file():
            raise
        database = Database(home / STORE, _store_key(following, passphrase, recovery))
        os.replace(following, home / SLOTS)
        folder.sync_folder(home)
    following.unlink(missing_ok=True)
    return database


def _store_key(path: Path, passphrase: str, recovery: bool) -> bytes:
    raw = path.read_bytes()
    with _slot_errors():
        if recovery:
            return slots.open_recovery(raw, passphrase)
        return slots.open(raw, passphrase, _device_secret(path.parent) if _needs_device(raw) else None)


def _needs_device(raw: bytes) -> bool:
    return any(slot.kind == slots.DEVICE for slot in slots.listed(raw))


@contextlib.contextmanager
def _slot_errors() -> Iterator[None]:
    try:
        yield
    except CryptoError as error:
        own = {
            "wrong-passphrase",
            "slot-needs-device",
            "recovery-format",
            "slots-full",
            "slot-unknown",
            "slot-last",
            "kdf-memory",
        }
        raise Refused(error.code if error.code in own else "slots-damaged") from error


def _device_secret(home: Path) -> bytes | None:
    """This workstation's secret for an installation, None if its keyring has none or cannot be asked.

    Back-ends raise what they like, a D-Bus library's own errors included: this is the one border where all are caught.
    """
    try:
        import keyring

        found = keyring.get_password(KEYRING_SERVICE, str(home))
        return None if found is None else bytes.fromhex(found)
    except Exception:
        return None


def _make_device_secret(home: Path) -> bytes:
    """The secret of this workstation, made and kept in its keyring if there is none. Raises `Refused`
    (keyring-unavailable).
    """
    secret = _device_secret(home)
    if secret is not None:
        return secret
    secret = secrets.token_bytes(slots.DEVICE_BYTES)
    try:
        import keyring

        keyring.set_password(KEYRING_SERVICE, str(home), secret.hex())
        kept = keyring.get_password(KEYRING_SERVICE, str(home))
    except Exception as error:
        raise Refused("keyring-unavailable", why=type(error).__name__) from error
    if kept != secret.hex():
        raise Refused("keyring-unavailable", why="not kept")
    return secret


# Checking ---------------------------------------------------------------------------------------------------


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
