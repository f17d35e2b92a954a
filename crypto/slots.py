"""Key slots: the store's 32-byte key, wrapped once for each way of opening it. One small file of strict JSON.

Kinds: `passphrase`; `passphrase+device` (a second secret, kept by this workstation); `recovery` (words on paper). A
slot's key-encryption key comes from a fresh salt each time it is written, so a zero nonce is used once with it:

    stretched = Argon2id(passphrase as NFKC UTF-8, salt, passes, memory)            32 bytes
    passphrase:         HMAC-SHA-256("mithaq/slot/passphrase/v1", stretched)
    passphrase+device:  HMAC-SHA-256(device secret, "mithaq/slot/device/v1" || stretched)
    recovery:           HMAC-SHA-256(recovery secret, "mithaq/slot/recovery/v1" || salt)
    wrapped = ChaCha20-Poly1305(key, zero nonce, store key, associated data = all other fields of the slot)

`mac` is keyed by the store key and covers the whole file: a slot added, removed or relabelled by somebody without the
key is noticed on opening. An old copy of the file put back is not; the store remembers the file's hash for that.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto import names, recovery, strict_json
from crypto.errors import CryptoError

FORMAT = "mithaq-slots-1"
PASSPHRASE, DEVICE, RECOVERY = "passphrase", "passphrase+device", "recovery"
KINDS = (PASSPHRASE, DEVICE, RECOVERY)

KEY_BYTES = 32
DEVICE_BYTES = 32
SALT_BYTES = 16
WRAPPED_BYTES = KEY_BYTES + 16
SLOTS_LIMIT = 16
FILE_LIMIT = 16 * 1024
PASSPHRASE_LIMIT = 1024
PASSES_LIMIT = 16
MEMORY_LEAST = 8
MEMORY_LIMIT = 1024 * 1024
WORK_LIMIT = 4 * 1024 * 1024

_FIELDS = ("format", "next", "slots", "mac")
_SLOT_FIELDS = ("id", "kind", "label", "passes", "memory", "salt", "wrapped")
_ZERO_NONCE = bytes(12)
_MAC_DOMAIN = b"mithaq/slots/mac/v1"
_TEXT = re.compile(r"[^\x00-\x1f]*")

_read = strict_json.Reader("slots-format")


@dataclass(frozen=True)
class Cost:
    """Argon2id's parameters: `passes` over `memory` KiB, one lane."""

    passes: int
    memory: int


MODERATE = Cost(passes=3, memory=256 * 1024)


@dataclass(frozen=True)
class Slot:
    """What is public about a slot: its number in the file, kind, label and cost (None: recovery needs none)."""

    id: int
    kind: str
    label: str
    cost: Cost | None


@dataclass(frozen=True)
class _Kept:
    """A slot as it stands in the file; `passes` and `memory` are 0 for recovery."""

    id: int
    kind: str
    label: str
    passes: int
    memory: int
    salt: str
    wrapped: str


@dataclass(frozen=True)
class _File:
    next: int
    slots: tuple[_Kept, ...]
    mac: str


def create(key: bytes, passphrase: str, cost: Cost = MODERATE, label: str = "") -> bytes:
    """A new file with one passphrase slot around a 32-byte key."""
    _check_key(key)
    return _written(key, 2, (_wrapped(1, PASSPHRASE, label, cost, key, _stretch(passphrase, None)),))


def open(raw: bytes, passphrase: str, device_secret: bytes | None = None) -> bytes:
    """The key, from the first slot this passphrase opens; slots that need a device only with its secret (32 bytes).

    Raises `CryptoError`: slots-format, wrong-passphrase, slot-needs-device (no other slot to try), slots-changed (the
    passphrase is right, but the file was edited without the key), kdf-memory (not enough to stretch the passphrase).
    """
    file = _parse(raw)
    kinds = (PASSPHRASE,) if device_secret is None else (DEVICE, PASSPHRASE)
    usable = [slot for kind in kinds for slot in file.slots if slot.kind == kind]
    if not usable and device_secret is None and any(slot.kind == DEVICE for slot in file.slots):
        raise CryptoError("slot-needs-device")
    return _open(file, usable, _stretch(passphrase, device_secret))[1]


def open_recovery(raw: bytes, words: str) -> bytes:
    """The key, from the words of a recovery kit. Raises `CryptoError`: recovery-format, and as `open`."""
    secret = recovery.read(words)
    file = _parse(raw)
    return _open(file, [slot for slot in file.slots if slot.kind == RECOVERY], _recover(secret))[1]


def listed(raw: bytes) -> tuple[Slot, ...]:
    """The slots of a file. Raises `CryptoError` (slots-format)."""
    return tuple(
        Slot(s.id, s.kind, s.label, None if s.kind == RECOVERY else Cost(s.passes, s.memory))
        for s in _parse(raw).slots
    )


def add(
    raw: bytes,
    key: bytes,
    passphrase: str,
    *,
    device_secret: bytes | None = None,
    cost: Cost = MODERATE,
    label: str = "",
) -> bytes:
    """The file with one more slot. Raises `CryptoError`: slots-format, slots-changed (the key is not this file's),
    slots-full."""
    file = _checked(raw, key)
    kind = PASSPHRASE if device_secret is None else DEVICE
    slot = _wrapped(file.next, kind, label, cost, key, _stretch(passphrase, device_secret))
    return _with(key, file, slot)


def add_recovery(raw: bytes, key: bytes, label: str = "") -> tuple[bytes, tuple[str, ...]]:
    """The file with a recovery slot, and its words: shown once, kept nowhere. Raises as `add`."""
    file = _checked(raw, key)
    secret = secrets.token_bytes(recovery.SECRET_BYTES)
    slot = _wrapped(file.next, RECOVERY, label, Cost(0, 0), key, _recover(secret))
    return _with(key, file, slot), recovery.write(secret)


def remove(raw: bytes, key: bytes, slot: int) -> bytes:
    """The file without a slot.

    Raises `CryptoError`: slots-format, slots-changed, slot-unknown, slot-last (of those that a passphrase opens),
    slot-last-free (of those that open without a device: a keyring is lost with its machine).
    """
    file = _checked(raw, key)
    rest = tuple(one for one in file.slots if one.id != slot)
    if len(rest) == len(file.slots):
        raise CryptoError("slot-unknown")
    if not any(one.kind != RECOVERY for one in rest):
        raise CryptoError("slot-last")
    if all(one.kind == DEVICE for one in rest):
        raise CryptoError("slot-last-free")
    return _written(key, file.next, rest)


def marks(raw: bytes) -> frozenset[bytes]:
    """What tells each slot of a file from every other there ever was, 32 bytes each. Raises `CryptoError` (slots-
    format).
    """
    return frozenset(hashlib.sha256(strict_json.dump(asdict(slot))).digest() for slot in _parse(raw).slots)


def only(raw: bytes, key: bytes, kept: Collection[bytes]) -> bytes:
    """The file with the slots alone whose mark is among `kept`. Raises `CryptoError`: slots-format, slots-changed,
    slot-unknown (none is)."""
    file = _checked(raw, key)
    rest = tuple(one for one in file.slots if hashlib.sha256(strict_json.dump(asdict(one))).digest() in kept)
    if not rest:
        raise CryptoError("slot-unknown")
    return _written(key, file.next, rest)


def rekey(
    raw: bytes, key: bytes, new_key: bytes, passphrase: str, device_secret: bytes | None = None
) -> bytes:
    """A file for a new key with the one slot this passphrase opens, wrapped anew. The others cannot come along.

    Raises `CryptoError` as `open`, and slot-last-free: that slot needs a device.
    """
    _check_key(new_key)
    file = _checked(raw, key)
    derive = _stretch(passphrase, device_secret)
    kinds = (PASSPHRASE,) if device_secret is None else (DEVICE, PASSPHRASE)
    old, _ = _open(file, [slot for kind in kinds for slot in file.slots if slot.kind == kind], derive)
    if old.kind == DEVICE:
        raise CryptoError("slot-last-free")
    slot = _wrapped(old.id, old.kind, old.label, Cost(old.passes, old.memory), new_key, derive)
    return _written(new_key, file.next, (slot,))


_Derive = Callable[[_Kept], bytes]
"""From a slot's kind, salt and cost to its key-encryption key."""


def _stretch(passphrase: str, device_secret: bytes | None) -> _Derive:
    text = unicodedata.normalize("NFKC", passphrase).encode("utf-8")
    if not text or len(passphrase) > PASSPHRASE_LIMIT:
        raise CryptoError("wrong-passphrase", "length")
    if device_secret is not None and len(device_secret) != DEVICE_BYTES:
        raise ValueError("a device secret is 32 bytes")

    def derive(slot: _Kept) -> bytes:
        from nacl.pwhash import argon2id

        salt = bytes.fromhex(slot.salt)
        try:
            stretched = argon2id.kdf(KEY_BYTES, text, salt, opslimit=slot.passes, memlimit=slot.memory * 1024)
        except (RuntimeError, MemoryError):
            raise CryptoError("kdf-memory") from None
        if slot.kind == DEVICE and device_secret is not None:
            return hmac.digest(device_secret, b"mithaq/slot/device/v1" + stretched, "sha256")
        return hmac.digest(b"mithaq/slot/passphrase/v1", stretched, "sha256")

    return derive


def _recover(secret: bytes) -> _Derive:
    return lambda slot: hmac.digest(secret, b"mithaq/slot/recovery/v1" + bytes.fromhex(slot.salt), "sha256")


def _open(file: _File, slots: Sequence[_Kept], derive: _Derive) -> tuple[_Kept, bytes]:
    for slot in slots:
        try:
            key = ChaCha20Poly1305(derive(slot)).decrypt(
                _ZERO_NONCE, bytes.fromhex(slot.wrapped), _associated(slot)
            )
        except InvalidTag:
            continue
        _check_mac(file, key)
        return slot, key
    raise CryptoError("wrong-passphrase")


def _wrapped(number: int, kind: str, label: str, cost: Cost, key: bytes, derive: _Derive) -> _Kept:
    slot = _Kept(number, kind, label, cost.passes, cost.memory, secrets.token_hex(SALT_BYTES), "")
    _slot({**asdict(slot), "wrapped": "00" * WRAPPED_BYTES})
    wrapped = ChaCha20Poly1305(derive(slot)).encrypt(_ZERO_NONCE, key, _associated(slot))
    return replace(slot, wrapped=wrapped.hex())


def _associated(slot: _Kept) -> bytes:
    fields = asdict(slot)
    del fields["wrapped"]
    return strict_json.dump({"format": FORMAT, **fields})


def _with(key: bytes, file: _File, slot: _Kept) -> bytes:
    if len(file.slots) == SLOTS_LIMIT:
        raise CryptoError("slots-full")
    return _written(key, file.next + 1, (*file.slots, slot))


def _written(key: bytes, following: int, slots: tuple[_Kept, ...]) -> bytes:
    file = _File(following, slots, "")
    mac = hmac.digest(key, _covered(file), "sha256").hex()
    fields = {"format": FORMAT, "next": following, "slots": [asdict(slot) for slot in slots], "mac": mac}
    return strict_json.dump(fields) + b"\n"


def _covered(file: _File) -> bytes:
    return _MAC_DOMAIN + strict_json.dump({"next": file.next, "slots": [asdict(slot) for slot in file.slots]})


def _check_mac(file: _File, key: bytes) -> None:
    if not hmac.compare_digest(hmac.digest(key, _covered(file), "sha256"), bytes.fromhex(file.mac)):
        raise CryptoError("slots-changed")


def _checked(raw: bytes, key: bytes) -> _File:
    _check_key(key)
    file = _parse(raw)
    _check_mac(file, key)
    return file


def _check_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise ValueError("a store key is 32 bytes")


def _parse(raw: bytes) -> _File:
    if len(raw) > FILE_LIMIT:
        _read.fail("size")
    f = _read.fields(_read.parse(raw), _FIELDS, "fields")
    _read.choice(f["format"], "format", (FORMAT,))
    slots = _read.list_of(f["slots"], "slots", SLOTS_LIMIT, _slot)
    following = _read.integer(f["next"], "next", 1)
    numbers = [slot.id for slot in slots]
    if not slots or numbers != sorted(set(numbers)) or numbers[-1] >= following:
        _read.fail("ids")
    return _File(following, slots, _read.hex(f["mac"], "mac", 32).hex())


def _slot(value: object) -> _Kept:
    f = _read.fields(value, _SLOT_FIELDS, "slot")
    kind = _read.choice(f["kind"], "kind", KINDS)
    label = _read.text(f["label"], "label", _TEXT)
    if label and not names.usable(label):
        _read.fail("label")
    if kind == RECOVERY:
        passes, memory = (
            _read.integer(f["passes"], "passes", 0, 0),
            _read.integer(f["memory"], "memory", 0, 0),
        )
    else:
        passes = _read.integer(f["passes"], "passes", 1, PASSES_LIMIT)
        memory = _read.integer(f["memory"], "memory", MEMORY_LEAST, MEMORY_LIMIT)
        if passes * memory > WORK_LIMIT:
            _read.fail("cost")
    return _Kept(
        id=_read.integer(f["id"], "id", 1),
        kind=kind,
        label=label,
        passes=passes,
        memory=memory,
        salt=_read.hex(f["salt"], "salt", SALT_BYTES).hex(),
        wrapped=_read.hex(f["wrapped"], "wrapped", WRAPPED_BYTES).hex(),
    )
