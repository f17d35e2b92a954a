"""Numbers, sizes and dates as they are read: grouped digits, dates in words, never 11/22.

Digits in prose follow the language; digits inside ids, versions, addresses and codes never come here.
"""

from __future__ import annotations

import datetime
import unicodedata

from app.messages import N_, _, listed, ngettext, pgettext, write_numbers

_WESTERN = "0123456789"
_ARABIC = "٠١٢٣٤٥٦٧٨٩"
_TO_ARABIC = str.maketrans(_WESTERN, _ARABIC)

UNITS = (N_("kB"), N_("MB"), N_("GB"), N_("TB"))

_arabic_digits = False

MONTHS = (
    N_("Jan"),
    N_("Feb"),
    N_("Mar"),
    N_("Apr"),
    N_("May"),
    N_("Jun"),
    N_("Jul"),
    N_("Aug"),
    N_("Sep"),
    N_("Oct"),
    N_("Nov"),
    N_("Dec"),
)


def use_arabic_digits(on: bool) -> None:
    """Show prose digits as Arabic-Indic from now on."""
    global _arabic_digits
    _arabic_digits = on
    write_numbers(number if on else str)


def western(typed: str) -> str:
    """What was typed, its digits of any script as Western ones, without the white space around it."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in typed.strip())


def arabic(digits: str) -> str:
    """Western digits in `digits` as Arabic-Indic ones."""
    return digits.translate(_TO_ARABIC)


def _prose(text: str) -> str:
    return arabic(text) if _arabic_digits else text


def number(value: int) -> str:
    """24771 as 24,771."""
    return _prose(f"{value:,}".replace(",", pgettext("between thousands", ",")))


def size(count: int) -> str:
    """A count of bytes in the unit that reads best."""
    if count < 1_000:
        return _("{number} bytes").format(number=number(count))
    value = float(count)
    for unit in UNITS:
        value /= 1_000
        if value < 999.5 or unit == UNITS[-1]:
            digits = f"{value:.1f}" if value < 99.5 else f"{value:.0f}"
            digits = digits.replace(".", pgettext("before tenths", "."))
            return f"{_prose(digits)} {_(unit)}"
    raise AssertionError


def minutes(count: int) -> str:
    """A time in minutes."""
    return ngettext("{n} minute", "{n} minutes", count).format(n=number(count))


def parse_time(text: str) -> datetime.datetime | None:
    """A STIX or ISO timestamp as written, or None where it is none."""
    if len(text) < 10:
        return None
    head = text[:19].replace(" ", "T").rstrip("Z")
    try:
        return datetime.datetime.fromisoformat(head).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def day(text: str, *, year: bool = True) -> str:
    """ "2026-11-22T09:14:00Z" as "22 Nov 2026"; text that is no time is returned as it is."""
    when = parse_time(text)
    if when is None:
        return text
    shown = f"{when.day} {_(MONTHS[when.month - 1])}"
    return _prose(f"{shown} {when.year}" if year else shown)


def moment(text: str) -> str:
    """ "2026-11-22T09:14:00Z" as "22 Nov 2026, 09:14"."""
    when = parse_time(text)
    if when is None:
        return text
    return listed((day(text), _prose(f"{when.hour:02}:{when.minute:02}")))


def objects(count: int) -> str:
    """ "24,771 objects"."""
    return ngettext("{number} object", "{number} objects", count).format(number=number(count))


def objects_in(count: int, versions: int) -> str:
    """ "3 objects in 4 versions"; no versions where each has one."""
    if versions == count:
        return objects(count)
    words = ngettext("{objects} in {number} version", "{objects} in {number} versions", versions)
    return words.format(objects=objects(count), number=number(versions))


def left(seconds: int) -> str:
    """The time that work still takes."""
    if seconds < 90:
        return ngettext("{number} s left", "{number} s left", seconds).format(number=number(seconds))
    minutes = round(seconds / 60)
    return ngettext("{number} min left", "{number} min left", minutes).format(number=number(minutes))
