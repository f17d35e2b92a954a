"""Timestamps as STIX writes them, at any precision, never through a type that would cut their digits off.

Source: STIX 2.1, section 2.16 (RFC 3339 in UTC, with `T` and `Z` in capitals). A leap second is refused: it
has no place in an order of moments that every implementation agrees on.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_FRACTION = 64
"""Digits behind the point; more is not a measurement but an attack on whoever sorts them."""

_LONGEST = 21 + MAX_FRACTION
_DATE_LENGTH = 10
_DATE = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_TIME = re.compile(r"T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]+))?Z")
_DAYS = {"02": 28, "04": 30, "06": 30, "09": 30, "11": 30}


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def valid(text: object) -> bool:
    """Whether `text` is a STIX timestamp that names a moment which exists (no 30 February, no leap second, no
    year 0).
    """
    return (
        isinstance(text, str)
        and len(text) <= _LONGEST
        and _day(text[:_DATE_LENGTH]) is not None
        and _TIME.fullmatch(text, _DATE_LENGTH) is not None
    )


def moment(text: object) -> str | None:
    """`text` as short, sortable text; None where it is not a timestamp.

    Two timestamps name the same moment exactly when their moments are equal, and order as their moments do as text.
    What a moment begins with stands for a year (`YEAR` characters), a month (`MONTH`) or a day (`DAY`).
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    day, time = _day(text[:_DATE_LENGTH]), _TIME.fullmatch(text, _DATE_LENGTH)
    if day is None or time is None:
        return None
    hour, minute, second, fraction = time.groups()
    short = day + _TWO[hour] + _TWO[minute] + _TWO[second]
    # The fraction as it is, but for zeros at its end.
    return short if fraction is None else short + fraction.rstrip("0")


@lru_cache(1 << 14)
def _day(text: str) -> str | None:
    """The moment's beginning for a date, two digits a character; None where there is no such day."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = found.groups()
    if year == "0000":
        return None
    if day > "28":
        last = _DAYS.get(month, 31)
        if int(day) > last and not (month == "02" and day == "29" and _leap(int(year))):
            return None
    return _TWO[year[:2]] + _TWO[year[2:]] + _TWO[month] + _TWO[day]


YEAR, MONTH, DAY = 2, 3, 4
_TWO = {f"{number:02}": chr(32 + number) for number in range(100)}
_DIGITS = {letter: digits for digits, letter in _TWO.items()}


def digits(beginning: str) -> str:
    """The digits that the beginning of a moment stands for, at most to the second: `20261130` for one of a day."""
    return "".join(_DIGITS.get(letter, "??") for letter in beginning[:7])


def fraction(text: str) -> int:
    """How many digits of a second a timestamp is written with."""
    return max(len(text) - 21, 0)


def written(moment: str, fraction: int) -> str:
    """The timestamp that gives `moment`, written with as many digits of a second; "" for no moment."""
    if not moment:
        return ""
    d = digits(moment)
    behind = f".{moment[7:].ljust(fraction, '0')}" if fraction else ""
    return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}{behind}Z"
