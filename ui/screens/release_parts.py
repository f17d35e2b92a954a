"""The small parts of a release being made: the bar of verdicts, the counts of what leaves, labels beside fields."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.messages import _
from ui import drawing, numbers
from ui.safe_text import spoken, visible
from ui.screens.judged import Judged
from ui.theme import theme
from ui.widgets.layout import column, line
from ui.widgets.tags import TlpTag
from ui.widgets.text import Text
from ui.words import type_word


class Parts(QWidget):
    """A bar of what leaves, what they have, what is held back."""

    def __init__(self, leaving: int, has: int, held: int) -> None:
        super().__init__()
        self._parts = ((leaving, "accent"), (has, "muted"), (held, "warning"))
        self.setFixedHeight(8)
        words = _("{leaving} leave, {held} held back").format(
            leaving=numbers.number(leaving), held=numbers.number(held)
        )
        self.setAccessibleName(spoken(visible(words)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        total = sum(n for n, _c in self._parts) or 1
        x = 0.0
        for count, color in self._parts:
            width = self.width() * count / total
            if count:
                part = QRect(round(x), 0, max(3, round(width) - 2), 8)
                drawing.box(painter, drawing.mirrored(part, self.rect()), ground=look.color(color), radius=3)
            x += width
        painter.end()


def pair(label: str, value: QWidget) -> QWidget:
    made = QWidget()
    made.setLayout(column(Text(label, size="label", color="muted", fixed=True), value, gap=2))
    return made


def strong(words: str) -> Text:
    return Text(words, weight="semibold", fixed=True)


def field(label: str, field: QWidget, height: int) -> QWidget:
    made = QWidget()
    words = Text(label, size="label", color="muted")
    words.setFixedWidth(96)
    words.setFixedHeight(min(height, 30))
    row = line(column(words, None), field, gap=0)
    if field.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Fixed:
        row.addStretch(1)
    made.setLayout(row)
    made.setFixedHeight(height)
    return made


def tallies(judged: Judged) -> QWidget:
    """What leaves by type, and by level."""
    made = QWidget()
    most, others = judged.types[:4], judged.types[4:]
    rest = sum(n for _t, n in others)
    left = column(gap=4)
    for kind, count in most:
        left.addLayout(_tally(Text(type_word(kind, many=True), size="label", color="muted"), count))
    if rest:
        left.addLayout(_tally(Text(_("Other types"), size="label", color="muted"), rest))
    right = column(gap=4)
    for level, count in judged.levels:
        right.addLayout(_tally(TlpTag(level.label), count))
    left.addStretch(1)
    right.addStretch(1)
    row = line(gap=28)
    row.addLayout(left, 3)
    row.addLayout(right, 2)
    made.setLayout(row)
    return made


def _tally(label: QWidget, count: int) -> QHBoxLayout:
    return line(label, None, Text(numbers.number(count), size="label", weight="medium", fixed=True))
