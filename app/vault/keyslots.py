"""The key slots of an installation: which passphrases, keyrings and recovery kits yield the key of its store."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from app import audit, officers
from app.courier import folder
from app.jobs import Job
from app.messages import Refused
from app.store import index, people
from app.store.database import KEY_BYTES, Connection, Database
from app.store.installation import Installation
from app.vault import attempts
from app.vault.home import SLOTS, SLOTS_NEXT, STORE, write_private
from app.vault.workstation import device_secret, make_device_secret
from crypto import slots
from crypto.errors import CryptoError

SLOTS_HASH, SLOTS_MARKS, SLOTS_ACT = "slots-sha256", "slots-marks", "slots-act"
REKEYED = "store.rekeyed"
PASSPHRASE_LENGTH = 12


def slots_of(installation: Installation) -> tuple[slots.Slot, ...]:
    """What opens this installation."""
    return slots.listed((installation.home / SLOTS).read_bytes())


def opens(installation: Installation, secret: str, recovery: bool = False, without: int = 0) -> None:
    """See that a passphrase, or the words of a recovery kit, opens this installation; `without` a slot (0: with all).

    Raises `Refused`: slot-going (only that one is opened by it), slot-unknown, slot-last, slot-last-free, and as
    `key_of` does.
    """
    raw = _slots_file(installation)
    device = device_secret(installation.home) if not recovery and _needs_device(raw) else None
    with _slot_errors():
        rest = slots.remove(raw, installation.database.key, without) if without else raw
    try:
        found = key_of(rest, secret, recovery, device)
    except Refused as refused:
        if not without or refused.code not in ("wrong-passphrase", "slot-needs-device"):
            raise
        key_of(raw, secret, recovery, device)
        raise Refused("slot-going") from refused
    if found != installation.database.key:
        raise Refused("slots-damaged")


def confirm(installation: Installation, secret: str, recovery: bool = False, without: int = 0) -> None:
    """See that whoever sits before an open installation can open it, before what opens it is changed: one that is wrong
    counts as an attempt to unlock. Raises `Refused` as `opens`.
    """
    try:
        opens(installation, secret, recovery, without)
    except Refused as refused:
        if refused.code == "wrong-passphrase":
            attempts.failed(installation.home, installation.now())
        raise


def add_slot(
    installation: Installation, passphrase: str, label: str, device: bool, cost: slots.Cost = slots.MODERATE
) -> None:
    """One more passphrase; with `device`, it opens only together with a secret kept in this workstation's keyring.

    Raises `Refused`: passphrase-short, name-unusable, keyring-unavailable, slots-full.
    """
    if len(passphrase) < PASSPHRASE_LENGTH:
        raise Refused("passphrase-short", least=PASSPHRASE_LENGTH)
    label = officers.good_name(label) if label else ""
    secret = make_device_secret(installation.home) if device else None
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

    Raises `Refused`: slot-unknown, slot-last, slot-last-free.
    """
    with _slot_errors():
        raw = slots.remove(_slots_file(installation), installation.database.key, slot)
    _replace_slots(installation, raw, "slot.removed", slot=slot)


def rekey(installation: Installation, passphrase: str, job: Job) -> None:
    """Encrypt the store anew under a fresh key; only the slot of this passphrase comes along.

    The new slots lie beside the old ones until the store is rewritten: a crash at any moment leaves one pair that fits.
    Raises `Refused`: wrong-passphrase, slot-last-free (it opens with this workstation's keyring only), and as
    `Database.rekey` does; `Cancelled`.
    """
    key = secrets.token_bytes(KEY_BYTES)
    with _slot_errors():
        old = _slots_file(installation)
        secret = device_secret(installation.home) if _needs_device(old) else None
        raw = slots.rekey(old, installation.database.key, key, passphrase, secret)
    following = installation.home / SLOTS_NEXT
    with _written(installation.home):
        following.unlink(missing_ok=True)
        write_private(following, raw)
        folder.sync_folder(installation.home)
    _announce(installation, REKEYED, old, raw)
    try:
        installation.database.rekey(key, job)
    except BaseException as error:
        if installation.database.key == key:
            # The slots lie beside the store that they fit: whoever opens it next puts them in their place.
            raise Refused("unconfirmed", why=error) from error
        # The old key and every old slot go on counting, and the log does not say otherwise.
        _take_back(installation, old)
        with contextlib.suppress(OSError):
            following.unlink(missing_ok=True)
        raise
    _in_force(installation, raw, following)


@contextlib.contextmanager
def _written(home: Path) -> Iterator[None]:
    """What a disk does to files of the installation is `Refused` (disk-full, home-unusable)."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise Refused("disk-full") from error
        raise Refused("home-unusable", home=home, why=error.strerror or error) from error


def _slots_file(installation: Installation) -> bytes:
    return (installation.home / SLOTS).read_bytes()


def _replace_slots(installation: Installation, raw: bytes, act: str, **detail: object) -> None:
    """Put a new slots file in the place of the old one; until the next unlock both count, so that a crash
    locks nobody out.
    """
    home, old = installation.home, _slots_file(installation)
    _announce(installation, act, old, raw, **detail)
    scratch = home / f".{SLOTS}-{secrets.token_hex(8)}"
    try:
        with _written(home):
            write_private(scratch, raw)
            os.replace(scratch, home / SLOTS)
    except BaseException:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
        _take_back(installation, old)
        raise
    _in_force(installation, raw)


def _announce(installation: Installation, act: str, old: bytes, raw: bytes, **detail: object) -> None:
    """Log an act before it is done beside the store, and let either slots file count meanwhile."""
    with installation.database.write() as tx:
        remember(tx, old, raw)
        people.put_meta(tx, SLOTS_ACT, act.encode())
        audit.append(tx, installation, act, **detail)


def _take_back(installation: Installation, old: bytes) -> None:
    """What was announced did not come about; if the disk does not take that either, the next unlock says so."""
    with contextlib.suppress(Refused), installation.database.write() as tx:
        _undo(tx, installation, old)


def _undo(tx: Connection, installation: Installation, old: bytes) -> None:
    act = (people.meta(tx, SLOTS_ACT) or b"").decode()
    remember(tx, old)
    if act == REKEYED:
        audit.append(tx, installation, "store.rekey-undone")
    else:
        audit.append(tx, installation, "slots.undone", undone=act)


def _in_force(installation: Installation, raw: bytes, following: Path | None = None) -> None:
    """The act is done. Until its file is sure to stay, both count: after a power cut the older one may lie there."""
    try:
        with _written(installation.home):
            if following is not None:
                os.replace(following, installation.home / SLOTS)
            folder.sync_folder(installation.home)
    except Refused as error:
        raise Refused("unconfirmed", why=error.facts.get("why", error.code)) from error
    with contextlib.suppress(Refused), installation.database.write() as tx:
        remember(tx, raw)


def check_slots(installation: Installation, passphrase: str, recovery: bool) -> None:
    """An older slots file put back would let a removed passphrase in again. Raises `Refused` (slots-old).

    One who opens it with a slot that was not removed is let in; then the file is mended: only slots that count stay.
    """
    home, database = installation.home, installation.database
    raw = (home / SLOTS).read_bytes()
    known = people.meta(database.read(), SLOTS_HASH) or b""
    if hashlib.sha256(raw).digest() not in _parted(known):
        _replace_slots(installation, _mended(home, raw, database, passphrase, recovery), "slots.mended")
    elif known != hashlib.sha256(raw).digest() or people.meta(database.read(), SLOTS_MARKS) is None:
        with database.write() as tx:
            if len(known) > hashlib.sha256().digest_size and known.startswith(hashlib.sha256(raw).digest()):
                _undo(tx, installation, raw)
            else:
                remember(tx, raw)


def _mended(home: Path, raw: bytes, database: Database, passphrase: str, recovery: bool) -> bytes:
    """A slots file that is not the store's, with the slots alone that count, if the one in use is among them."""
    marks = _parted(people.meta(database.read(), SLOTS_MARKS) or b"")
    try:
        rest = slots.only(raw, database.key, marks)
        device = not recovery and _needs_device(rest)
        key_of(rest, passphrase, recovery, device_secret(home) if device else None)
    except (CryptoError, Refused) as error:
        raise Refused("slots-old") from error
    return rest


def _parted(digests: bytes) -> set[bytes]:
    return {digests[i : i + 32] for i in range(0, len(digests), 32)}


def remember(tx: Connection, *files: bytes) -> None:
    """Keep in the store which slots files count (of two, until the newer one is in its place), and which slots."""
    people.put_meta(tx, SLOTS_HASH, b"".join(hashlib.sha256(raw).digest() for raw in files))
    people.put_meta(tx, SLOTS_MARKS, b"".join(sorted(slots.marks(files[-1]))))


def open_store(home: Path, passphrase: str, recovery: bool, job: Job) -> Database:
    """The store, with the slots that fit it: after a crash in `rekey` that may be the ones laid beside.

    Raises `Cancelled` while the indexes are made anew: they stay as they were.
    """
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
    try:
        # Minutes for a million objects, when the program has another way of indexing than the one before.
        with database.watched(job.look):
            index.bring_up_to_date(database, lambda done, total: job.step(done, total, "index"))
    except BaseException:
        database.close()
        raise
    return database


def key_of(raw: bytes, passphrase: str, recovery: bool, secret: bytes | None = None) -> bytes:
    """The store's key out of a slots file. `secret` is this workstation's, where there is one. Raises `Refused`:
    wrong-passphrase, recovery-format, slot-needs-device, slots-damaged, kdf-memory.
    """
    with _slot_errors():
        return slots.open_recovery(raw, passphrase) if recovery else slots.open(raw, passphrase, secret)


def _store_key(path: Path, passphrase: str, recovery: bool) -> bytes:
    raw = path.read_bytes()
    with _slot_errors():
        secret = device_secret(path.parent) if not recovery and _needs_device(raw) else None
    return key_of(raw, passphrase, recovery, secret)


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
            "slot-last-free",
            "kdf-memory",
        }
        raise Refused(error.code if error.code in own else "slots-damaged") from error
