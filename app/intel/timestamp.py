"""Timestamps as STIX writes them, at any precision, never through a type that would cut their digits off.

Source: STIX 2.1, section 2.16 (RFC 3339 in UTC, with `T` and `Z` in capitals). A leap second is refused: it
has no place in an order of moments that every implementation agrees on.
"""

from __future__ import annotations

import re

MAX_FRACTION = 64
"""Digits behind the point; more is not a measurement but an attack on whoever sorts them."""

_SHAPE = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.([0-9]+))?Z"
)
_DAYS = {"02": 28, "04": 30, "06": 30, "09": 30, "11": 30}


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def valid(text: object) -> bool:
    """Whether `text` is a STIX timestamp that names a moment which exists (no 30 February, no leap second, no
    year 0).
    """
    return moment(text) is not None


def moment(text: object) -> str | None:
    """`text` as sortable text: the fraction without trailing zeros, no `Z`; None where it is not a timestamp.

    Two timestamps name the same moment exactly when their moments are equal, and order as their moments do as
    text.
    """
    if not isinstance(text, str):
        return None
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    year, month, day, fraction = found.groups()
    if year == "0000":
        return None
    if day > "28":
        last = _DAYS.get(month, 31)
        if int(day) > last and not (month == "02" and day == "29" and _leap(int(year))):
            return None
    if fraction is None:
        return text[:19]
    if len(fraction) > MAX_FRACTION:
        return None
    digits = fraction.rstrip("0")
    return f"{text[:19]}.{digits}" if digits else text[:19]
