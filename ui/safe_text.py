"""Foreign text on the screen: plain, with what acts made visible, isolated, cut at the right place.

Every string from outside is hostile (design, section 7). Three rules live here. No widget reads markup: `install_rule`
switches every label of the application to plain text before it is shown. Nothing acts: direction overrides, invisible
and control characters become marks. Nothing leaks: a string inside a sentence is isolated, so that its direction stays
its own; a sentence that is filled does so by itself (`app.direction`), `isolate` is for strings put side by side.
Nothing here knows what the text means.
"""

from __future__ import annotations

import re
import unicodedata

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QLabel

from app import direction
from app.messages import right_to_left

LINE_LIMIT = 1_000  # characters of a line that are ever laid out
PARAGRAPH_LIMIT = 20_000

# A mark is drawn as a small outlined word. Inside a string it stands between these two, which foreign text cannot hold.
MARK_OPEN, MARK_CLOSE = "⁅", "⁆"
MARK = re.compile(f"{MARK_OPEN}([A-Z0-9+]+){MARK_CLOSE}")

_NAMED = {
    0x061C: "ALM",
    0x200B: "ZWSP",
    0x200E: "LRM",
    0x200F: "RLM",
    0x202A: "LRE",
    0x202B: "RLE",
    0x202C: "PDF",
    0x202D: "LRO",
    0x202E: "RLO",
    0x2066: "LRI",
    0x2067: "RLI",
    0x2068: "FSI",
    0x2069: "PDI",
    0xFEFF: "BOM",
}
# Joiners shape Persian and Arabic words; soft hyphens never show. Both are harmless.
_KEPT = frozenset("\u200c\u200d\u00ad")
_MARKED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COMBINING_LIMIT = 4


def _mark(character: str) -> str:
    point = ord(character)
    return f"{MARK_OPEN}{_NAMED.get(point, f'U+{point:04X}')}{MARK_CLOSE}"


def visible(text: str, *, lines: bool = False, limit: int = 0) -> str:
    """`text` with acting characters as marks, cut to `limit` characters (default: that of a line or paragraph).

    White space of any kind becomes a plain space; with `lines`, line feeds stay. Long runs of combining marks are cut.
    """
    limit = limit or (PARAGRAPH_LIMIT if lines else LINE_LIMIT)
    if len(text) > limit:
        text = text[:limit] + "…"
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    run = 0
    for character in text:
        category = unicodedata.category(character)
        run = run + 1 if category in ("Mn", "Me") else 0
        if run > _COMBINING_LIMIT:
            continue
        if character == "\n" and lines:
            out.append("\n")
        elif character in direction.OWN:
            out.append(direction.OWN[character])
        elif character in "\n\t\r":
            out.append(" ")
        elif character in (MARK_OPEN, MARK_CLOSE) or (
            category in _MARKED_CATEGORIES and character not in _KEPT
        ):
            out.append(_mark(character))
        elif category == "Zs":
            out.append(" " if character != "\u00a0" and character != "\u202f" else character)
        else:
            out.append(character)
    return "".join(out)


def spoken(text: str) -> str:
    """`visible` text for tool tips, accessible names and window titles, where marks cannot be drawn: `[RLO]`."""
    return MARK.sub(r"[\1]", text)


def isolate(text: str) -> str:
    """Foreign `text` for a sentence, its direction its own. Whoever shows the sentence makes it `visible`."""
    return direction.isolate(text[:LINE_LIMIT])


def isolate_ltr(text: str) -> str:
    """An id, hash, address or path to be put into a sentence, always left to right; see `isolate`."""
    return direction.isolate_ltr(text[:LINE_LIMIT])


def isolate_file(name: str) -> str:
    """The name of a file: its ending stands where what is read ends, also behind letters that run the other way."""
    return isolate(name) if right_to_left() else isolate_ltr(name)


_STIX_ID = re.compile(r"^([a-z0-9-]{1,60}--[0-9a-f]{8}-)[0-9a-f-]{14}-([0-9a-f]{12})$")


def short_id(text: str) -> str:
    """A STIX id with its middle left out: `malware--5d0b7c1e-…-9a41c0e2f7d8`. Other text stays as it is."""
    return _STIX_ID.sub(r"\1…-\2", text)


def elide_end(metrics: QFontMetrics, text: str, width: int) -> str:
    """A name cut at its end to `width` px."""
    return _whole(text, metrics.elidedText(text, Qt.TextElideMode.ElideRight, width))


def elide_middle(metrics: QFontMetrics, text: str, width: int) -> str:
    """An id, hash, file name or path cut in its middle to `width` px."""
    return _whole(text, metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, width))


def _whole(text: str, cut: str) -> str:
    """`cut` with the isolates that begin or end in what was left out of `text`: what stays keeps its direction."""
    if text == cut or not direction.isolated(text):
        return cut
    start = next((n for n, (a, b) in enumerate(zip(text, cut, strict=False)) if a != b), len(cut))
    most = min(len(text), len(cut)) - start - 1
    end = next((n for n in range(max(most, 0)) if text[-1 - n] != cut[-1 - n]), max(most, 0))
    ends, begins = 0, ""
    for character in text[start : len(text) - end]:
        if character in direction.BEGIN:
            begins += character
        elif character == direction.END and begins:
            begins = begins[:-1]
        elif character == direction.END:
            ends += 1
    at = len(cut) - end
    # Qt ends what begins before the dots, and forgets what begins in what is left out.
    dots = "".join(c for c in cut[start:at] if c != direction.END and c not in direction.BEGIN)
    return f"{cut[:start]}{dots}{direction.END * ends}{begins}{cut[at:]}"


_ARROW = re.compile(" [→←] ")


def elide_both(metrics: QFontMetrics, text: str, width: int) -> str:
    """One thing → another to `width` px: each is cut at its end, and no more than is left by the other."""
    arrow = _ARROW.search(text)
    if arrow is None or metrics.horizontalAdvance(text) <= width:
        return elide_end(metrics, text, width)
    before, behind = text[: arrow.start()], text[arrow.end() :]
    room = width - metrics.horizontalAdvance(arrow[0])
    first = max(room // 2, room - metrics.horizontalAdvance(behind))
    before = elide_end(metrics, before, first)
    behind = elide_end(metrics, behind, room - metrics.horizontalAdvance(before))
    return f"{before}{arrow[0]}{behind}"


class _PlainTextRule(QObject):
    """Makes every label plain before its first layout. Without it a name such as `<img src="/dev/zero">` hangs Qt."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Polish and isinstance(watched, QLabel):
            watched.setTextFormat(Qt.TextFormat.PlainText)
            watched.setOpenExternalLinks(False)
        return False


def install_rule(application: QApplication) -> None:
    """Hold the plain-text rule for every widget of `application`, tool tips included."""
    rule = _PlainTextRule(application)
    application.installEventFilter(rule)
