"""Strict JSON for our own small formats: one object, each name once, integers only, nothing unknown.

RFC 8259 narrowed: UTF-8 without a mark, no fractions, exponents, minus signs, NaN or Infinity; numbers at
most 2^53 - 1. Every reader below says what it wants and fails with the caller's code. Not for STIX, which is
other people's JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from crypto.errors import CryptoError

INTEGER_LIMIT = 2**53 - 1

_T = TypeVar("_T")
_HEX = re.compile(r"(?:[0-9a-f]{2})*")


class Reader:
    """Reads one document; every failure is `CryptoError(code, detail)`."""

    def __init__(self, code: str) -> None:
        self.code = code

    def fail(self, detail: str) -> NoReturn:
        """Raise the caller's code."""
        raise CryptoError(self.code, detail)

    def parse(self, raw: bytes) -> object:
        """The JSON value of `raw`."""
        try:
            return json.loads(
                raw.decode("utf-8"),
                object_pairs_hook=self._object,
                parse_int=self._integer,
                parse_float=self._no_number,
                parse_constant=self._no_number,
            )
        except (ValueError, RecursionError):
            self.fail("not JSON")

    def fields(self, value: object, names: Sequence[str], what: str) -> dict[str, Any]:
        """`value` as an object with exactly these names."""
        if type(value) is not dict or value.keys() != set(names):
            self.fail(what)
        return value

    def integer(self, value: object, what: str, least: int = 0, most: int = INTEGER_LIMIT) -> int:
        """`value` as an integer within bounds."""
        if type(value) is not int or not least <= value <= most:
            self.fail(what)
        return value

    def text(self, value: object, what: str, pattern: re.Pattern[str]) -> str:
        """`value` as a string that the whole pattern matches."""
        if type(value) is not str or not pattern.fullmatch(value):
            self.fail(what)
        return value

    def hex(self, value: object, what: str, size: int) -> bytes:
        """`value` as lower-case hexadecimal of `size` bytes."""
        if type(value) is not str or len(value) != 2 * size or not _HEX.fullmatch(value):
            self.fail(what)
        return bytes.fromhex(value)

    def choice(self, value: object, what: str, among: Sequence[str]) -> str:
        """`value` as one of the given strings."""
        if type(value) is not str or value not in among:
            self.fail(what)
        return value

    def list_of(self, value: object, what: str, most: int, each: Callable[[object], _T]) -> tuple[_T, ...]:
        """`value` as an array of at most `most` items, each read by `each`."""
        if type(value) is not list or len(value) > most:
            self.fail(what)
        return tuple(each(item) for item in value)

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) != len(pairs):
            self.fail("a name twice")
        return result

    def _integer(self, digits: str) -> int:
        if len(digits) > 16 or digits.startswith("-"):
            self.fail("number")
        return int(digits)

    def _no_number(self, _: str) -> NoReturn:
        self.fail("number")


def dump(value: object) -> bytes:
    """JSON as we write it: no white space, names in the order given, text as UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
