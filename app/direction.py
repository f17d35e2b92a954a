"""Which way a text runs: what is put into a sentence keeps its own direction, the sentence keeps that of its language.

A name, a path, an option or a date inside an Arabic sentence turns round, and turns what stands beside it round,
unless it is isolated (Unicode Standard Annex 9). It is isolated here, where `app.messages` fills a sentence, for the
window and the terminal alike. Until a text is shown, characters drawn anew for each run stand for the isolates, so
that no text from outside can hold them: a real isolate in a foreign text is marked like every other control. Whoever
shows a text calls `shown` (the window through `ui.safe_text`); whoever hands it on as a value calls `bare`.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import PurePath

_FIRST_PRIVATE, _PRIVATE = 0xF0000, 0xFFF0
_base = _FIRST_PRIVATE + int.from_bytes(os.urandom(8), "big") % _PRIVATE
_ISOLATE, _ISOLATE_LTR, _ISOLATE_RTL, _END, _MARK_LTR, _MARK_RTL = (chr(_base + n) for n in range(6))

OWN = {
    _ISOLATE: "\u2068",
    _ISOLATE_LTR: "\u2066",
    _ISOLATE_RTL: "\u2067",
    _END: "\u2069",
    _MARK_LTR: "\u200e",
    _MARK_RTL: "\u200f",
}
"""What stands for an isolate or a mark of ours, and what it is when shown."""

_SHOWN = str.maketrans(OWN)
_BARE = str.maketrans(dict.fromkeys(OWN, ""))
_OPENING, _CLOSING = frozenset((_ISOLATE, _ISOLATE_LTR, _ISOLATE_RTL)), frozenset(_END)
BEGIN, END = "\u2066\u2067\u2068", "\u2069"
"""What begins and ends an isolate, shown."""
_SHOWN_OPENING, _SHOWN_CLOSING = frozenset(BEGIN), frozenset(END)
_LETTERS, _RTL_LETTERS = frozenset(("L", "R", "AL")), frozenset(("R", "AL"))
# Words of a right-to-left script with their numbers; separators stay between the digits they part.
_RTL_CLASSES = frozenset(("R", "AL", "AN", "NSM", "WS", "CS"))
_TO_RIGHT = frozenset(("R", "AL", "AN"))

# What a translation holds that always runs left to right: commands, options with their value, days, powers.
_TECHNICAL = re.compile(
    r"`[^`\n]+`|(?<![A-Za-z0-9-])--?[a-z][a-z-]*(?:[ =][A-Z]+\b)?|\b\d{4}-\d\d-\d\d\b|\b\d+\^\d+\b"
)
_PATH = re.compile(r"(?:\.{0,2}/|[A-Za-z]:\\)")


def shown(text: str) -> str:
    """`text` for whoever reads it: isolates and marks are what they are."""
    return text if text.isascii() else text.translate(_SHOWN)


def bare(text: str) -> str:
    """`text` as a value: to be copied, compared or written into a document."""
    return str(text) if text.isascii() else text.translate(_BARE)


def isolate(text: str) -> str:
    """`text` with its direction its own."""
    return f"{_ISOLATE}{text}{_END}"


def isolate_ltr(text: str) -> str:
    """An id, hash, address, path or command: from left to right wherever it stands."""
    return f"{_ISOLATE_LTR}{text}{_END}"


def first_strong(text: str) -> str:
    """ "L" or "R", after the first letter that stands in no isolate, as a paragraph is read; "" without one."""
    if text.isascii():
        return "L" if any(map(str.isalpha, text)) else ""
    ours = any(character in OWN for character in text)
    opening, closing = (_OPENING, _CLOSING) if ours else (_SHOWN_OPENING, _SHOWN_CLOSING)
    depth = 0
    for character in text:
        if character in opening:
            depth += 1
        elif character in closing:
            depth = max(0, depth - 1)
        elif depth == 0:
            found = unicodedata.bidirectional(OWN.get(character, character))
            if found in _LETTERS:
                return "L" if found == "L" else "R"
    return ""


def isolated(text: str) -> bool:
    """Whether there is an isolate in it."""
    return not text.isascii() and any(c in _OPENING or c in _SHOWN_OPENING for c in text)


def kept(value: object, rtl: bool, path: bool = False) -> object:
    """A value for a sentence that runs right to left (`rtl`) or not, isolated if it could turn there. Numbers cannot.

    A `path` runs from left to right, whatever its first letter is.
    """
    if isinstance(value, PurePath):
        return kept(str(value), rtl, True)
    if not isinstance(value, str) or not value:
        return value
    if value[0] in _OPENING and value[-1] == _END and value.count(_END) == 1:
        return value
    if rtl:
        if value.isdecimal() or all(unicodedata.bidirectional(c) in _RTL_CLASSES for c in value):
            return value
    elif value.isascii() or not any(unicodedata.bidirectional(c) in _TO_RIGHT for c in value):
        return value
    return isolate_ltr(value) if path or _PATH.match(value) else isolate(value)


def led(text: str, rtl: bool) -> str:
    """A sentence whose first letter of its own may run the other way, led by a mark of its language's direction."""
    if text.isascii() and not rtl:
        return text
    first = first_strong(text)
    if rtl:
        return text if first == "R" or not text else _MARK_RTL + text
    return _MARK_LTR + text if first == "R" or (not first and isolated(text)) else text


def translated(text: str, rtl: bool) -> str:
    """A translation with the technical words in it isolated, where its language runs right to left."""
    if not rtl or text.isascii():
        return text
    text = _TECHNICAL.sub(lambda found: isolate_ltr(found[0]), text)
    # Fields are letters too; what is filled is led once it is filled.
    return text if "{" in text else line(text, rtl)


def line(text: str, rtl: bool) -> str:
    """A line put together of words and values, led as a sentence is if words of its language are in it."""
    if text.isascii() or not rtl:
        return text
    return led(text, rtl) if any(unicodedata.bidirectional(c) in _RTL_LETTERS for c in text) else text
