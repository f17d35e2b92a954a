"""Strict JSON: one text, one meaning, or a code.

Whatever two readers could understand differently is refused: a key given twice, NaN and infinity, half a
surrogate pair, an integer beyond 2^53 (with a point or an exponent too, unless a double keeps all its digits), a number
beyond a double, bytes that are not UTF-8, nesting past a limit. What passes is kept as written, only the white space
between tokens goes.
Sources: RFC 8259, RFC 7493 (I-JSON), STIX 2.1 section 2.10 (integer).

Codes: json-syntax, json-encoding, json-surrogate, json-number, json-duplicate-key, json-depth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal

import msgspec
import orjson

MAX_DEPTH = 64
"""Objects and arrays inside one another, the outermost counted."""

TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[{}\[\],]', re.DOTALL)
"""Strings, brackets and commas of a JSON text; a string that the text ends in counts as one."""


class NotStrict(Exception):
    """A text that is not strict JSON. `code` is one of this module's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, orjson.JSONEncodeError, NotStrict)


def _float(digits: str) -> float:
    number = float(digits)
    if abs(number) >= EXACT and (number in _INFINITE or Decimal(digits) != Decimal(repr(number))):
        raise NotStrict("json-number")
    return number


EXACT = 1 << 53
"""From here on not every integer is a double."""
_INFINITE = (float("inf"), float("-inf"))
_DECODER = msgspec.json.Decoder(float_hook=_float)


def strict(text: bytes) -> tuple[bytes, object]:
    """The text without white space between its tokens, and its value. Raises `NotStrict`."""
    try:
        compact = msgspec.json.format(text, indent=-1)
        if len(compact) == len(text):
            # They are the same: one of them is enough.
            compact = text
        value = quick(compact)
        if value is not None and shallow(value):
            return compact, value
    except _ERRORS:
        compact = b""
    code = _diagnosis(text)
    if code or not compact:
        raise NotStrict(code or "json-syntax")
    return compact, _DECODER.decode(compact)


_COLON = re.compile(rb"\\u003[aA]")


def quick(compact: bytes) -> object | None:
    """The value of a compact text if it is quickly seen to be strict but for its depth; None for null or when
    in doubt.
    """
    try:
        value = _DECODER.decode(compact)
        written = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except _ERRORS:
        return None
    # Nothing was dropped of what is written again to the letter. Otherwise: every pair, and every colon inside a
    # string, puts one colon into the text and one into the text of the value, unless the pair was dropped for a later
    # one with its key. A colon written as an escape would balance that out, so a text with one is in doubt.
    if written == compact:
        return value  # type: ignore[no-any-return]
    if compact.count(b":") != written.count(b":") or (b"\\u003" in compact and _COLON.search(compact)):
        return None
    return value  # type: ignore[no-any-return]


def shallow(value: object, levels: int = MAX_DEPTH) -> bool:
    """Whether objects and arrays nest at most `levels` deep in a JSON value."""
    if isinstance(value, dict):
        inside: Iterable[object] = value.values()
    elif isinstance(value, list):
        inside = value
    else:
        return True
    return levels > 0 and all(shallow(item, levels - 1) for item in inside if isinstance(item, dict | list))


def _depth(text: bytes) -> int:
    """How deep the brackets of a text go that may not be JSON, and too deep for a reader that calls itself."""
    depth = deepest = 0
    for found in TOKEN.finditer(text):
        token = found[0]
        if token in (b"{", b"["):
            depth += 1
            deepest = max(deepest, depth)
        elif token in (b"}", b"]"):
            depth -= 1
    return deepest


def _diagnosis(text: bytes) -> str:
    """Why `text` is not strict JSON, by the slow and certain way; "" when it is."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError:
        return "json-encoding"
    if _depth(text) > MAX_DEPTH:
        return "json-depth"
    try:
        json.loads(
            decoded,
            object_pairs_hook=_pairs,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except NotStrict as bad:
        return bad.code
    except ValueError:
        return "json-syntax"
    return "json-surrogate" if _lone_surrogate(decoded) else ""


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotStrict("json-duplicate-key")
    return value


def _constant(_name: str) -> object:
    raise NotStrict("json-number")


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) >= EXACT:
        raise NotStrict("json-number")
    return int(digits)


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def _lone_surrogate(text: str) -> bool:
    """Whether an escape in valid JSON names half a surrogate pair without the other half beside it."""
    after_high = -1
    for found in _ESCAPE.finditer(text):
        unit = int(found[1], 16) if found[1] else 0
        is_low = 0xDC00 <= unit < 0xE000
        follows = after_high == found.start()
        if is_low != follows and (is_low or after_high >= 0):
            return True
        after_high = found.end() if 0xD800 <= unit < 0xDC00 else -1
    return after_high >= 0
