"""Verdicts in groups: how many, what, the code, the remedy and its button; three rows, then "Show 6 more"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.messages import ngettext
from ui import drawing, icons, numbers
from ui.safe_text import spoken, visible
from ui.theme import theme
from ui.tokens import TOKENS
from ui.widgets.buttons import Button
from ui.widgets.layout import column, line
from ui.widgets.paging import Column, Row
from ui.widgets.table import RowStack

FIRST = 3
STEP = 200


@dataclass(frozen=True)
class Group:
    """One verdict over some rows. `status` gives icon and colour; `reason` and `remedy` are whole sentences."""

    code: str
    status: str
    count: int
    reason: str
    remedy: str
    rows: Sequence[Row] = ()
    action: tuple[str, str, Callable[[], object]] | None = field(
        default=None, compare=False
    )  # words, icon, run
    open: bool = True


class _Head(QWidget):
    toggled = Signal()

    def __init__(self, group: Group, button: Button | None) -> None:
        super().__init__()
        self._group = group = replace(group, reason=visible(group.reason), remedy=visible(group.remedy))
        self.open = group.open
        self._hover = False
        self.setFixedHeight(TOKENS.row["group"])
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(spoken(f"{group.count} {group.reason} {group.code} {group.remedy}"))
        self._button = button
        if button is not None:
            self.setLayout(line(None, button, 16, gap=0))

    def sizeHint(self) -> QSize:
        return QSize(300, TOKENS.row["group"])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.toggled.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.toggled.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        group = self._group
        whole = self.rect()
        painter.fillRect(whole, look.color("canvas"))
        drawing.hairline(painter, 0, whole.width(), 0)
        drawing.hairline(painter, 0, whole.width(), whole.height() - 1)
        status = TOKENS.statuses[group.status]
        chevron = "chevron-down" if self.open else "chevron-right"
        top = QRect(0, 6, whole.width(), 22)
        icons.draw(painter, chevron, drawing.mirrored(QRect(14, 10, 16, 16), whole), look.color("muted"))
        color = look.color(status.color)
        icons.draw(painter, status.icon, drawing.mirrored(QRect(44, 9, 16, 16), whole), color)
        room = whole.width() - 70 - (self._button.width() + 32 if self._button is not None else 16)
        count = numbers.number(group.count)
        metrics = look.metrics("body", "semibold")
        width = metrics.horizontalAdvance(count) + 2
        at = drawing.mirrored(QRect(70, top.top(), width, top.height()), whole)
        drawing.text(painter, at, count, weight="semibold", color=color, elide="none")
        x = 70 + width + 6
        code_width = look.metrics("small", mono=True).horizontalAdvance(group.code) + 4
        words = min(metrics.horizontalAdvance(group.reason) + 2, max(40, room - width - code_width - 20))
        at = drawing.mirrored(QRect(x, top.top(), words, top.height()), whole)
        drawing.text(painter, at, group.reason, weight="semibold")
        x += words + 8
        at = drawing.mirrored(QRect(x, top.top() + 1, code_width, top.height()), whole)
        drawing.text(painter, at, group.code, size="small", mono=True, color="muted", elide="none")
        at = drawing.mirrored(QRect(70, 27, room, 20), whole)
        drawing.text(painter, at, group.remedy, size="label", color="muted")
        if self.hasFocus():
            drawing.ring(painter, whole, TOKENS.radius["tag"])
        painter.end()


class VerdictGroup(QWidget):
    """A group and its rows."""

    activated_row = Signal(object)  # Row

    def __init__(self, group: Group, columns: tuple[Column, ...]) -> None:
        super().__init__()
        self.group = group
        button = None
        if group.action is not None:
            words, icon, run = group.action
            button = Button(words, icon=icon, run=run)
        self._head = _Head(group, button)
        self._head.toggled.connect(self.toggle)
        self._count = FIRST
        self._rows = RowStack(columns, list(group.rows[:FIRST]), indent=44)
        self._rows.activated_row.connect(lambda n: self.activated_row.emit(group.rows[n]))
        self._more = Button("", "quiet", run=self.show_more)
        more = QWidget()
        more.setLayout(line(70, self._more, None, gap=0))
        more.setFixedHeight(theme().row_height)
        self._more_row = more
        self._below = QWidget()
        self._below.setLayout(column(self._rows, more))
        self.setLayout(column(self._head, self._below))
        self._refresh()

    def toggle(self) -> None:
        """Show or fold the rows."""
        self._head.open = not self._head.open
        self._refresh()

    def show_more(self) -> None:
        self._count += STEP
        self._rows.set_rows(list(self.group.rows[: self._count]))
        self._refresh()

    @property
    def shown_rows(self) -> int:
        return min(self._count, len(self.group.rows)) if self._head.open else 0

    def _refresh(self) -> None:
        self._below.setVisible(self._head.open and bool(self.group.rows))
        rest = len(self.group.rows) - self._count
        self._more_row.setVisible(rest > 0)
        if rest > 0:
            shown = min(rest, STEP)
            words = ngettext("Show {number} more", "Show {number} more", shown)
            self._more.set_label(words.format(number=numbers.number(shown)))
        self._head.update()
