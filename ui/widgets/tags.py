"""Tags as widgets: a marking, a handling, a status, and the small key of a keyboard hint."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import drawing
from ui.safe_text import spoken, visible
from ui.theme import theme
from ui.tokens import TOKENS


class _Tag(QWidget):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(spoken(visible(name)))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class TlpTag(_Tag):
    """The tag of a TLP level; anything that is not a level shows as unreadable."""

    def __init__(self, level: str) -> None:
        super().__init__(drawing.tlp_word(level))
        self._level = level

    def sizeHint(self) -> QSize:
        return QSize(drawing.tlp_width(self._level), TOKENS.row["tag"])

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        drawing.tlp(painter, 0, self.height() // 2, self._level)
        painter.end()


class HandlingTag(_Tag):
    """The tag of a handling, long ("handled as AMBER") or short."""

    def __init__(self, level: str, *, long: bool = False) -> None:
        super().__init__(drawing.handling_word(level, long=long))
        self._level = level
        self._long = long

    def sizeHint(self) -> QSize:
        return QSize(drawing.handling_width(self._level, long=self._long), TOKENS.row["tag"])

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        drawing.handling(painter, 0, self.height() // 2, self._level, long=self._long)
        painter.end()


class StatusTag(_Tag):
    """Icon, colour and word of a status."""

    def __init__(self, key: str) -> None:
        super().__init__(drawing.status_word(key))
        self._key = key

    def sizeHint(self) -> QSize:
        return QSize(drawing.status_width(self._key) + 2, TOKENS.row["tag"])

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        drawing.status(painter, self.rect(), self._key)
        painter.end()


class KeyHint(_Tag):
    """The key that starts what stands beside it."""

    def __init__(self, keys: str) -> None:
        super().__init__(keys)
        self._keys = visible(keys)

    def sizeHint(self) -> QSize:
        return QSize(theme().metrics("small", mono=True).horizontalAdvance(self._keys) + 10, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        drawing.box(
            painter,
            self.rect(),
            ground=look.color("sunken"),
            edge=look.color("border"),
            radius=TOKENS.radius["tag"],
        )
        drawing.text(
            painter,
            QRect(self.rect()),
            self._keys,
            size="small",
            color="muted",
            mono=True,
            align="center",
            elide="none",
        )
        painter.end()
