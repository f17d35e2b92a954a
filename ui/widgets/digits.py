"""Eight digits: to read out, and to type what the other side reads. Always left to right, in both numerals."""

from __future__ import annotations

import unicodedata

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

from app.messages import _
from ui import drawing
from ui.numbers import arabic
from ui.theme import theme
from ui.tokens import TOKENS

DIGITS = 8


def western(text: str) -> str:
    """The decimal digits in `text`, of any script, as Western ones; everything else is left out."""
    return "".join(str(unicodedata.decimal(c)) for c in text if unicodedata.category(c) == "Nd")


def _spoken(digits: str) -> str:
    return " ".join(digits[:4]) + ", " + " ".join(digits[4:])


class DigitReading(QWidget):
    """Digits to read out: Western over Arabic-Indic in the same columns, four and four with a rule between."""

    def __init__(self, digits: str = "") -> None:
        super().__init__()
        self._digits = digits
        self.setFixedHeight(112)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_digits(digits)

    def show_digits(self, digits: str) -> None:
        self._digits = digits
        self.setAccessibleName(_spoken(digits))
        self.update()

    @property
    def digits(self) -> str:
        return self._digits

    def sizeHint(self) -> QSize:
        return QSize(480, 112)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        drawing.box(
            painter,
            self.rect(),
            ground=look.color("sunken"),
            edge=look.color("border"),
            radius=TOKENS.radius["card"],
        )
        pitch, gap = 56, 28
        x = (self.width() - (DIGITS * pitch + gap)) // 2
        for number, digit in enumerate(self._digits[:DIGITS]):
            left = x + number * pitch + (gap if number >= 4 else 0)
            drawing.text(
                painter,
                QRect(left, 18, pitch, 42),
                digit,
                size="code",
                weight="semibold",
                align="center",
                ltr=True,
            )
            drawing.text(
                painter,
                QRect(left, 62, pitch, 36),
                arabic(digit),
                size="title",
                color="muted",
                align="center",
            )
        painter.fillRect(QRect(x + 4 * pitch + gap // 2, 24, 1, 64), look.color("border"))
        painter.end()


class DigitEntry(QLineEdit):
    """Eight boxes, one field to a screen reader. Paste and all numerals accepted; the other numeral is echoed below."""

    completed = Signal(str)
    changed = Signal(str)

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self._digits = ""
        self.setObjectName("digits")
        self.setAccessibleName(name or _("Eight digits"))
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setMinimumSize(DIGITS * 50 + 16, 76)
        self.setMaximumHeight(76)
        self.setCursor(Qt.CursorShape.IBeamCursor)

    @property
    def digits(self) -> str:
        """What has been typed so far, in Western digits."""
        return self._digits

    def set_digits(self, text: str) -> None:
        """Replace all by the digits in `text`."""
        before = self._digits
        self._digits = western(text)[:DIGITS]
        if self.text() != self._digits:
            self.setText(self._digits)
        self.update()
        if before != self._digits:
            self.changed.emit(self._digits)
            if len(self._digits) == DIGITS:
                self.completed.emit(self._digits)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.set_digits(self._digits + western(QGuiApplication.clipboard().text()))
        elif event.key() == Qt.Key.Key_Backspace:
            self.set_digits(self._digits[:-1])
        elif event.key() == Qt.Key.Key_Delete:
            self.set_digits("")
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.returnPressed.emit()
        elif western(event.text()):
            self.set_digits(self._digits + event.text())
        else:
            event.ignore()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self.set_digits(self._digits + event.commitString())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()

    def sizeHint(self) -> QSize:
        return QSize(DIGITS * 50 + 24, 76)

    def _box(self, number: int) -> QRect:
        x = (self.width() - (DIGITS * 50 + 8)) // 2
        return QRect(x + number * 50 + (18 if number >= 4 else 0), 0, 42, 46)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        for number in range(DIGITS):
            square = self._box(number)
            here = self.hasFocus() and number == min(len(self._digits), DIGITS - 1)
            drawing.box(
                painter,
                square,
                ground=look.color("raised" if self.isEnabled() else "sunken"),
                edge=look.color("focus" if here else "border_strong"),
                width=2 if here else 1,
                radius=TOKENS.radius["control"],
            )
            if number < len(self._digits):
                digit = self._digits[number]
                drawing.text(
                    painter, square, digit, size="title", weight="semibold", align="center", ltr=True
                )
                below = QRect(square.left(), square.bottom() + 2, square.width(), 26)
                drawing.text(painter, below, arabic(digit), size="strong", color="muted", align="center")
            elif here:
                at = square.center() - QPoint(0, 12)
                painter.fillRect(QRect(at.x(), at.y(), 2, 24), look.color("accent"))
        painter.end()
