"""Boxes and grounds: layouts whose margins are always said, panes that paint a ground token and hairlines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QScrollArea,
    QScrollBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui import drawing
from ui.theme import theme
from ui.tokens import TOKENS

# A property of the widget that takes the focus when its place is shown.
FOCUS_FIRST = "mithaqFirst"

Item: TypeAlias = QWidget | QLayout | int | None  # an int is a gap in px, None takes what is left
Margins: TypeAlias = int | tuple[int, int] | tuple[int, int, int, int]


def _margins(value: Margins) -> tuple[int, int, int, int]:
    if isinstance(value, int):
        return (value, value, value, value)
    if len(value) == 2:
        return (value[0], value[1], value[0], value[1])
    leading, top, trailing, bottom = value
    return (trailing, top, leading, bottom) if drawing.is_rtl() else value


def _fill(layout: QVBoxLayout | QHBoxLayout, items: Iterable[Item], margins: Margins, gap: int) -> None:
    layout.setContentsMargins(*_margins(margins))
    layout.setSpacing(gap)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        elif isinstance(item, QLayout):
            layout.addLayout(item)
        else:
            layout.addWidget(item)


def column(*items: Item, margins: Margins = 0, gap: int = 0) -> QVBoxLayout:
    """Items one below the other; `margins` is all, (sides, top and bottom), or leading, top, trailing, bottom."""
    layout = QVBoxLayout()
    _fill(layout, items, margins, gap)
    return layout


def line(*items: Item, margins: Margins = 0, gap: int = TOKENS.space[3]) -> QHBoxLayout:
    """Items side by side."""
    layout = QHBoxLayout()
    _fill(layout, items, margins, gap)
    return layout


class Pane(QWidget):
    """A ground in a token colour with hairlines on some of its edges ("top", "bottom", "leading", "trailing")."""

    def __init__(self, ground: str = "", *edges: str, layout: QLayout | None = None) -> None:
        super().__init__()
        self._ground = ground
        self._edges = edges
        if layout is not None:
            self.setLayout(layout)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._ground:
            painter.fillRect(event.rect(), theme().color(self._ground))
        color = theme().color("border")
        whole = self.rect()
        for edge in self._edges:
            if edge == "top":
                painter.fillRect(QRect(0, 0, whole.width(), 1), color)
            elif edge == "bottom":
                painter.fillRect(QRect(0, whole.height() - 1, whole.width(), 1), color)
            else:
                left = (edge == "leading") != drawing.is_rtl()
                painter.fillRect(QRect(0 if left else whole.width() - 1, 0, 1, whole.height()), color)
        painter.end()


class Card(QWidget):
    """A raised, outlined, rounded ground. Never taller than what is in it."""

    def __init__(
        self, layout: QLayout | None = None, *, ground: str = "raised", radius: int = TOKENS.radius["card"]
    ) -> None:
        super().__init__()
        self._ground = ground
        self._radius = radius
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        if layout is not None:
            self.setLayout(layout)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        edge = look.color("border")
        drawing.box(painter, self.rect(), ground=look.color(self._ground), edge=edge, radius=self._radius)
        painter.end()


class Hairline(QWidget):
    """A line across, one px high."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().color("border"))
        painter.end()


class QuietBar(QScrollBar):
    """A scroll bar whose room is always there and whose handle only shows when there is something to scroll."""

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.maximum() > self.minimum():
            super().paintEvent(event)


class Scroll(QScrollArea):
    """A vertical scroll area without a frame; the room of its bar is kept, so that nothing jumps."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setVerticalScrollBar(QuietBar(Qt.Orientation.Vertical))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        self.setWidget(inside)
        inside.setAutoFillBackground(False)  # setWidget turned it on


def clear(layout: QLayout) -> None:
    """Take everything out of `layout` and delete it."""
    while True:
        item = layout.takeAt(0)
        if item is None:
            return
        widget = item.widget()
        inner = item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)
