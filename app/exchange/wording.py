"""How the texts of statements are read: strictly and bounded, and what several kinds have in common. Pure.

The signed form is RFC 8785 JSON; whatever differs from it by one byte is unreadable, so that two readers never see two
statements. Days are whole, inclusive and of UTC.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
import rfc8785

_WORD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,15}")
_WORD_LENGTH = 64
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")


class Unreadable(ValueError):
    """A statement that says nothing: `str()` names the part at fault."""


class _Withdrawal(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    at: str
    of: str
    subject: str
    reason: str


@dataclass(frozen=True)
class Withdrawal:
    """That statement `subject` (32 bytes), which is one of kind `of`, is taken back or declined."""

    by: str
    at: str
    of: str
    subject: bytes
    reason: str


def decoded(body: bytes, form: type[Any], limit: int) -> Any:
    """A statement's body as `form`, if it is exactly that in RFC 8785 JSON. Raises `Unreadable`."""
    require(len(body) <= limit, "size")
    try:
        value = msgspec.json.decode(body, type=form)
        same = rfc8785.dumps(msgspec.to_builtins(value)) == body
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, RecursionError, ValueError) as error:
        raise Unreadable("form") from error
    require(same, "canonical")
    require(bool(_MOMENT.fullmatch(value.at)) and _is_moment(value.at), "at")
    return value


def withdrawal(body: bytes, of: Collection[str], limit: int, text_limit: int) -> Withdrawal:
    """What a withdrawal of one of these kinds says, of at most `limit` bytes. Raises `Unreadable`."""
    said: _Withdrawal = decoded(body, _Withdrawal, limit)
    require(said.of in of, "of")
    require(is_hash(said.subject), "subject")
    require(len(said.reason) <= text_limit, "text")
    return Withdrawal(said.by, said.at, said.of, bytes.fromhex(said.subject), said.reason)


def require(holds: bool, what: str) -> None:
    """Raises `Unreadable`, naming the part at fault, unless it holds."""
    if not holds:
        raise Unreadable(what)


def is_hash(text: str) -> bool:
    """Whether `text` is 32 bytes in hexadecimal, in small letters."""
    return bool(_HASH.fullmatch(text))


def is_day(text: str) -> bool:
    """Whether `text` names a day, as YYYY-MM-DD."""
    try:
        return bool(_DAY.fullmatch(text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False


def is_word(text: str) -> bool:
    """Whether `text` can name a sector or a purpose: lower-case letters, digits and single hyphens, at most 64."""
    return len(text) <= _WORD_LENGTH and bool(_WORD.fullmatch(text))


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text) is not None
    except ValueError:
        return False
