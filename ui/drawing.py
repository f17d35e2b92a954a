"""Painting the small things that tables, tags and panels share: text, boxes, TLP and handling tags, statuses, rings.

Functions take logical rectangles; alignment is "leading" or "trailing" and resolved by the direction of the layout.
Nothing here keeps state or knows where a value came from; text is made safe by `ui.safe_text` before it is drawn.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QGuiApplication, QPainter, QPen, QTextLayout, QTextOption

from app import direction
from app.messages import N_, _
from app.words import STATUSES
from ui import icons
from ui.safe_text import MARK, MARK_OPEN, elide_both, elide_end, elide_middle, isolate_ltr, visible
from ui.theme import focus_width, theme
from ui.tokens import TOKENS

Elide = Literal["end", "middle", "both", "none"]
Align = Literal["leading", "trailing", "center"]

LEVELS = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")

STATUS_WORDS = STATUSES | {
    "hits": N_("Hit"),
    "held": N_("Held back"),
    "leaves": N_("Leaves"),
    "already-has": N_("Already has"),
}


def is_rtl() -> bool:
    """Whether the application reads from right to left."""
    return QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft


def mirrored(rect: QRect, inside: QRect) -> QRect:
    """`rect`, laid out left to right within `inside`, where it really goes."""
    if not is_rtl():
        return rect
    return QRect(inside.left() + inside.right() - rect.right(), rect.top(), rect.width(), rect.height())


def runs(content: str) -> Qt.LayoutDirection:
    """The direction of a paragraph: that of its first letter outside isolates. What has none is digits and stays from
    left to right, unless it is put together of isolated things: those follow one another as everything here does.
    """
    first = direction.first_strong(content)
    rtl = first == "R" or (not first and direction.isolated(content) and is_rtl())
    return Qt.LayoutDirection.RightToLeft if rtl else Qt.LayoutDirection.LeftToRight


def text(
    painter: QPainter,
    rect: QRect,
    content: str,
    *,
    size: str = "body",
    weight: str = "regular",
    color: str | QColor = "text",
    mono: bool = False,
    ltr: bool = False,
    align: Align = "leading",
    elide: Elide = "end",
) -> int:
    """Draw one line of safe text, centred in the height of `rect`; returns the width it took, px.

    `mono` text and `ltr` text run left to right wherever they stand; for other text see `runs`.
    """
    look = theme()
    content = direction.shown(content)
    font = look.font(size, weight, mono=mono)
    metrics = look.metrics(size, weight, mono=mono)
    if elide == "end":
        content = elide_end(metrics, content, rect.width())
    elif elide == "middle":
        content = elide_middle(metrics, content, rect.width())
    elif elide == "both":
        content = elide_both(metrics, content, rect.width())
    painter.setFont(font)
    painter.setPen(look.color(color) if isinstance(color, str) else color)
    trailing = align == "trailing"
    if align == "center":
        where = Qt.AlignmentFlag.AlignHCenter
    else:
        where = Qt.AlignmentFlag.AlignRight if trailing != is_rtl() else Qt.AlignmentFlag.AlignLeft
    if MARK_OPEN in content:
        return _marked(painter, rect, content, metrics, where)
    painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight if mono or ltr else runs(content))
    painter.drawText(
        rect, where | Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute | _SINGLE, content
    )
    return min(metrics.horizontalAdvance(content), rect.width())


_SINGLE = Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip


def outline_marks(painter: QPainter, layout: QTextLayout, content: str, at: QPointF, height: float) -> None:
    """Outline the marks of a drawn layout of `content`, so that nobody takes them for the text itself."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme().color("warning"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for found in MARK.finditer(content):
        line = layout.lineForTextPosition(found.start())
        if not line.isValid():
            continue
        a, b = _x(line, found.start()), _x(line, found.end())
        box = QRectF(min(a, b), line.y() + 1, abs(b - a), height - 2).translated(at)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    painter.restore()


def _x(line: object, position: int) -> float:
    value = line.cursorToX(position)  # type: ignore[attr-defined]
    return float(value[0] if isinstance(value, tuple) else value)


def _marked(
    painter: QPainter, rect: QRect, content: str, metrics: QFontMetrics, where: Qt.AlignmentFlag
) -> int:
    shown = content.replace("⁅", "\u2009").replace("⁆", "\u2009")
    layout = QTextLayout(shown, painter.font())
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.NoWrap)
    option.setTextDirection(runs(content))
    layout.setTextOption(option)
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(100_000)
    layout.endLayout()
    width = min(int(line.naturalTextWidth()) + 1, rect.width())
    x = float(rect.left())
    if where == Qt.AlignmentFlag.AlignRight:
        x = rect.left() + rect.width() - width
    elif where == Qt.AlignmentFlag.AlignHCenter:
        x = rect.left() + (rect.width() - width) / 2
    if layout.textOption().textDirection() == Qt.LayoutDirection.RightToLeft:
        x -= 100_000 - width
    at = QPointF(x, rect.top() + (rect.height() - line.height()) / 2)
    painter.save()
    painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
    layout.draw(painter, at)
    outline_marks(painter, layout, content, at, line.height())
    painter.restore()
    return width


def box(
    painter: QPainter,
    rect: QRect | QRectF,
    *,
    ground: QColor | None = None,
    edge: QColor | None = None,
    width: float = 1.0,
    radius: float = 0.0,
    dashed: bool = False,
) -> None:
    """A rounded rectangle whose edge lies inside `rect`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(ground if ground is not None else Qt.BrushStyle.NoBrush)
    area = QRectF(rect)
    if edge is None:
        painter.setPen(Qt.PenStyle.NoPen)
    else:
        pen = QPen(edge, width)
        if dashed:
            pen.setDashPattern([3, 2])
        painter.setPen(pen)
        half = width / 2
        area.adjust(half, half, -half, -half)
    painter.drawRoundedRect(area, radius, radius)
    painter.restore()


def ring(painter: QPainter, rect: QRect, radius: float) -> None:
    """The focus ring, just inside `rect`."""
    look = theme()
    box(painter, rect, edge=look.color("focus"), width=focus_width(look.scheme), radius=radius)


def hairline(painter: QPainter, x1: int, x2: int, y: int, *, strength: float = 1.0) -> None:
    """A horizontal line one px high in the border colour, mixed into what lies below by `strength`."""
    color = QColor(theme().color("border"))
    color.setAlphaF(strength)
    painter.fillRect(QRect(min(x1, x2), y, abs(x2 - x1), 1), color)


# --- tags -------------------------------------------------------------------------------------------------------------


def tlp_word(level: str) -> str:
    """The word of a level, never translated; "" and what is not a level are not understood."""
    return f"TLP:{level}" if level in LEVELS else _("Unreadable")


def tlp_width(level: str) -> int:
    """Width of the tag of `level`, px."""
    word = tlp_word(level)
    extra = 12 if level in LEVELS else 12 + 16
    return theme().metrics("small", "semibold").horizontalAdvance(word) + extra


def tlp(painter: QPainter, x: int, middle: int, level: str) -> int:
    """Draw the tag of a marking with its left edge at `x`, centred on `middle`; returns its width."""
    look = theme()
    width, height = tlp_width(level), TOKENS.row["tag"]
    rect = QRect(x, middle - height // 2, width, height)
    if level not in LEVELS:
        box(painter, rect, edge=look.color("warning"), radius=TOKENS.radius["tag"])
        inner = mirrored(QRect(rect.left() + 4, rect.top() + 2, 14, 14), rect)
        icons.draw(painter, "circle-question-mark", inner, look.color("warning"))
        rest = mirrored(rect.adjusted(21, 0, -6, 0), rect)
        text(painter, rest, tlp_word(level), size="small", weight="medium", color="warning", elide="none")
        return width
    box(
        painter,
        rect,
        ground=TOKENS.tlp_ground,
        edge=TOKENS.tlp_outline[look.scheme],
        radius=TOKENS.radius["tag"],
    )
    colour = TOKENS.tlp_levels[level]
    text(
        painter,
        rect,
        tlp_word(level),
        size="small",
        weight="semibold",
        color=colour,
        ltr=True,
        align="center",
        elide="none",
    )
    return width


def handling_word(level: str, *, long: bool = False) -> str:
    """How a handling is said: "as AMBER", or in full."""
    template = _("handled as {level}") if long else _("as {level}")
    return visible(template.format(level=isolate_ltr(level)))


def handling_width(level: str, *, long: bool = False) -> int:
    return theme().metrics("small", "medium").horizontalAdvance(handling_word(level, long=long)) + 26


def handling(painter: QPainter, x: int, middle: int, level: str, *, long: bool = False) -> int:
    """Draw the tag of a handling: ours, not a marking, so it never looks like one."""
    look = theme()
    width, height = handling_width(level, long=long), TOKENS.row["tag"]
    rect = QRect(x, middle - height // 2, width, height)
    box(painter, rect, edge=look.color("border_strong"), radius=TOKENS.radius["tag"], dashed=True)
    swatch = mirrored(QRect(rect.left() + 5, rect.top() + 3, 12, 12), rect)
    box(painter, swatch, ground=TOKENS.tlp_ground, edge=TOKENS.tlp_outline[look.scheme], radius=3)
    dot = QRectF(swatch).adjusted(3, 3, -3, -3)
    box(painter, dot, ground=TOKENS.tlp_levels.get(level, TOKENS.tlp_levels["CLEAR"]), radius=3)
    rest = mirrored(rect.adjusted(21, 0, -5, 0), rect)
    word = handling_word(level, long=long)
    text(painter, rest, word, size="small", weight="medium", elide="none")
    return width


def status_word(key: str) -> str:
    """The word of a status in the language in use."""
    return _(STATUS_WORDS[key]) if key in STATUS_WORDS else key


def status_width(key: str, *, size: str = "small") -> int:
    return 14 + 6 + theme().metrics(size, "medium").horizontalAdvance(status_word(key))


def status(painter: QPainter, rect: QRect, key: str, *, size: str = "small", word: bool = True) -> None:
    """Icon, colour and word of a status at the leading edge of `rect`."""
    look = TOKENS.statuses[key]
    color = theme().color(look.color)
    side = 14 if size == "small" else 16
    at = mirrored(QRect(rect.left(), rect.top() + (rect.height() - side) // 2, side, side), rect)
    icons.draw(painter, look.icon, at, color)
    if word:
        rest = mirrored(rect.adjusted(side + 6, 0, 0, 0), rect)
        text(painter, rest, status_word(key), size=size, weight="medium", color=color)
