"""The palette (Ctrl+K): every action that can be done now, found by its words."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.messages import _
from ui import drawing, icons
from ui.actions import MENU_WORDS, Actions, Entry
from ui.theme import theme
from ui.tokens import TOKENS
from ui.widgets.layout import Card, Hairline, column, line
from ui.widgets.notices import Icon

ROWS = 10
WIDTH = 560


class _Hits(QWidget):
    run = Signal(str)

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self.hits: list[Entry] = []
        self.at = 0
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, max(1, min(len(self.hits), ROWS)) * TOKENS.row["nav"] + 8)

    def show_hits(self, hits: list[Entry]) -> None:
        self.hits = hits
        self.at = 0
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def move_by(self, step: int) -> None:
        if self.hits:
            self.at = (self.at + step) % min(len(self.hits), ROWS)
            self.setAccessibleName(_(self.hits[self.at].words))
            self.update()

    def _row(self, event: QMouseEvent) -> int:
        return int(event.position().y() - 4) // TOKENS.row["nav"]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self._row(event)
        if 0 <= row < min(len(self.hits), ROWS) and row != self.at:
            self.at = row
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self._row(event)
        if 0 <= row < len(self.hits):
            self.run.emit(self.hits[row].key)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        height = TOKENS.row["nav"]
        if not self.hits:
            drawing.text(
                painter, self.rect().adjusted(16, 0, -16, 0), _("No action has these words."), color="muted"
            )
        for number, entry in enumerate(self.hits[:ROWS]):
            rect = QRect(4, 4 + number * height, self.width() - 8, height)
            on = number == self.at
            if on:
                drawing.box(painter, rect, ground=look.color("selection"), radius=TOKENS.radius["control"])
            at = drawing.mirrored(QRect(rect.left() + 12, rect.center().y() - 7, 16, 16), rect)
            icons.draw(painter, entry.icon or "command", at, look.color("accent" if on else "muted"))
            words = drawing.mirrored(rect.adjusted(40, 0, -200, 0), rect)
            drawing.text(painter, words, _(entry.words), color="selection_text" if on else "text")
            rest = drawing.mirrored(rect.adjusted(rect.width() - 196, 0, -12, 0), rect)
            keys = self._actions.keys(entry.key)
            hint = keys or _(MENU_WORDS[entry.menu])
            drawing.text(painter, rest, hint, size="label", color="muted", align="trailing", ltr=bool(keys))
        painter.end()


class Palette(QWidget):
    """Opens over the window; Enter acts, Esc goes back."""

    def __init__(self, window: QWidget, actions: Actions) -> None:
        super().__init__(window)
        self._over = window
        self._actions = actions
        self._field = QLineEdit()
        self._field.setObjectName("bare")
        self._field.setPlaceholderText(_("What to do?"))
        self._field.setAccessibleName(_("Find an action"))
        self._field.textChanged.connect(self._find)
        self._field.installEventFilter(self)
        self._hits = _Hits(actions)
        self._hits.run.connect(self._run)
        search = line(Icon("search"), self._field, gap=8, margins=(16, 8))
        self._card = Card(column(search, Hairline(), self._hits))
        self._card.setParent(self)
        self._before: QWidget | None = None
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Show it over the window, empty."""
        self._before = self.window().focusWidget()
        self.setGeometry(self._over.rect())
        self._field.clear()
        self._find("")
        self.show()
        self.raise_()
        self._field.setFocus()

    def close_palette(self) -> None:
        self.hide()
        if self._before is not None:
            self._before.setFocus()

    def _find(self, words: str) -> None:
        asked = words.casefold().split()
        hits = [
            entry
            for entry in self._actions.entries()
            if self._actions[entry.key].isEnabled() and all(w in _(entry.words).casefold() for w in asked)
        ]
        self._hits.show_hits(hits)
        self._place()

    def _place(self) -> None:
        self._card.setFixedWidth(WIDTH)
        self._card.adjustSize()
        self._card.move((self.width() - WIDTH) // 2, max(40, self.height() // 8))

    def _run(self, key: str) -> None:
        self.close_palette()
        self._actions.run(key)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._over.rect())
            self._place()
        elif watched is self._field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape:
                self.close_palette()
                return True
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._hits.move_by(1 if event.key() == Qt.Key.Key_Down else -1)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if self._hits.hits:
                    self._run(self._hits.hits[self._hits.at].key)
                return True
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.close_palette()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().color("scrim"))
        painter.end()
