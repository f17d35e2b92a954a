"""Bech32 (BIP 173) without its length limit: how age writes keys as text.

All lower or all upper case; the checksum is computed over the lower-case form.
"""

from __future__ import annotations

from collections.abc import Iterable

CHECKSUM_LENGTH = 6

_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_CHARSET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def encode(prefix: str, data: bytes) -> str:
    """`data` under a lower-case prefix, in lower case."""
    groups = -(-len(data) * 8 // 5)
    number = int.from_bytes(data, "big") << (groups * 5 - len(data) * 8)
    values = [number >> 5 * i & 31 for i in reversed(range(groups))]
    check = _polymod([*_expand(prefix), *values, *([0] * CHECKSUM_LENGTH)]) ^ 1
    tail = [check >> 5 * i & 31 for i in reversed(range(CHECKSUM_LENGTH))]
    return prefix + "1" + "".join(_CHARSET[value] for value in (*values, *tail))


def decode(text: str) -> tuple[str, bytes]:
    """(lower-case prefix, data). Raises ValueError for anything that `encode` would not write, bar upper case."""
    lower = text.lower()
    if not text.isascii() or text not in (lower, text.upper()):
        raise ValueError("mixed case or not ASCII")
    prefix, separator, coded = lower.rpartition("1")
    if not separator or not prefix or len(coded) < CHECKSUM_LENGTH:
        raise ValueError("no separator or too short")
    if any(not "!" <= character <= "~" for character in prefix):
        raise ValueError("prefix")
    try:
        values = [_VALUES[character] for character in coded]
    except KeyError:
        raise ValueError("character") from None
    if _polymod([*_expand(prefix), *values]) != 1:
        raise ValueError("checksum")
    values = values[:-CHECKSUM_LENGTH]
    size, spare = divmod(len(values) * 5, 8)
    number = 0
    for value in values:
        number = number << 5 | value
    if spare >= 5 or number & ((1 << spare) - 1):
        raise ValueError("padding")
    return prefix, (number >> spare).to_bytes(size, "big")


def _expand(prefix: str) -> list[int]:
    codes = prefix.encode("ascii")
    return [*(c >> 5 for c in codes), 0, *(c & 31 for c in codes)]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate(_GENERATOR):
            if top >> i & 1:
                check ^= generator
    return check
