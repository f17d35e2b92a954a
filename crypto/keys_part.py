"""The `keys` part: one-time and reusable X-Wing keys that one side publishes to the other, in binary.

    "MITHAQ-KEYS-1\\n"  u64 floor
    u8 0 or 1           [u64 number, key (1,216)]            the reusable key
    u16 count           [u64 number, id (16), key (1,216)]   the one-time keys, by number

Numbers are big endian, from 1 to 2^53 - 1. Shapes only: which keys are good, new or too old is for `app`.
"""

from __future__ import annotations

from dataclasses import dataclass

from crypto import kem
from crypto.errors import CryptoError
from crypto.strict_json import INTEGER_LIMIT

MAGIC = b"MITHAQ-KEYS-1\n"
ONETIME_LIMIT = 256
KID_BYTES = 16

_ENTRY = 8 + KID_BYTES + kem.PUBLIC_BYTES


@dataclass(frozen=True)
class KeysPart:
    """`floor`: lower one-time numbers are gone. `reusable`: (number, key). `onetime`: (number, id, key), ascending."""

    floor: int
    reusable: tuple[int, bytes] | None
    onetime: tuple[tuple[int, bytes, bytes], ...]


def encode(part: KeysPart) -> bytes:
    """The part's bytes. Raises `CryptoError` (keys-format) for one that `decode` would refuse."""
    pieces = [MAGIC, _u64(part.floor), bytes([part.reusable is not None])]
    if part.reusable is not None:
        pieces += [_u64(part.reusable[0]), part.reusable[1]]
    if len(part.onetime) > ONETIME_LIMIT:
        raise CryptoError("keys-format", "count")
    pieces.append(len(part.onetime).to_bytes(2, "big"))
    for number, kid, key in part.onetime:
        if len(kid) != KID_BYTES:
            raise CryptoError("keys-format", "id")
        pieces += [_u64(number), kid, key]
    raw = b"".join(pieces)
    decode(raw)
    return raw


def decode(raw: bytes) -> KeysPart:
    """Read a part. Raises `CryptoError` (keys-format)."""
    if not raw.startswith(MAGIC):
        raise CryptoError("keys-format", "magic")
    at = len(MAGIC)
    floor = _number(raw[at : at + 8])
    flag = raw[at + 8 : at + 9]
    at += 9
    reusable = None
    if flag == b"\1":
        reusable = _number(raw[at : at + 8]), raw[at + 8 : at + 8 + kem.PUBLIC_BYTES]
        at += 8 + kem.PUBLIC_BYTES
    elif flag != b"\0":
        raise CryptoError("keys-format", "flag")
    count = int.from_bytes(raw[at : at + 2], "big")
    at += 2
    if count > ONETIME_LIMIT or len(raw) != at + count * _ENTRY:
        raise CryptoError("keys-format", "length")
    onetime = tuple(_entry(raw[i : i + _ENTRY]) for i in range(at, len(raw), _ENTRY))
    before = floor - 1
    for number, _, _ in onetime:
        if number <= before:
            raise CryptoError("keys-format", "order")
        before = number
    if len({kid for _, kid, _ in onetime}) != count:
        raise CryptoError("keys-format", "id twice")
    return KeysPart(floor, reusable, onetime)


def _entry(raw: bytes) -> tuple[int, bytes, bytes]:
    return _number(raw[:8]), raw[8 : 8 + KID_BYTES], raw[8 + KID_BYTES :]


def _number(raw: bytes) -> int:
    number = int.from_bytes(raw, "big")
    if len(raw) != 8 or not 1 <= number <= INTEGER_LIMIT:
        raise CryptoError("keys-format", "number")
    return number


def _u64(number: int) -> bytes:
    if not 1 <= number <= INTEGER_LIMIT:
        raise CryptoError("keys-format", "number")
    return number.to_bytes(8, "big")
