"""The rail: the mark, the installation, five places, running work, the officer, settings and lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.messages import STAGES, _
from ui import drawing, icons, numbers
from ui.jobs import Task
from ui.theme import theme
from ui.tokens import TOKENS
from ui.widgets.buttons import Button
from ui.widgets.focus import Pressed
from ui.widgets.layout import Card, Hairline, Pane, column, line
from ui.widgets.text import Text


def draw_mark(painter: QPainter, rect: QRect) -> None:
    """The mark: two rings that hold each other, on the accent. It never mirrors."""
    look = theme()
    drawing.box(painter, rect, ground=look.color("accent"), radius=rect.width() * 0.24)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    side = rect.width()
    ink = QColor(look.color("on_accent"))
    painter.setPen(QPen(ink, side * 0.075))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    middle = QRectF(rect).center()
    radius = side * 0.2
    for shift in (-0.14, 0.14):
        painter.drawEllipse(QPointF(middle.x() + shift * side, middle.y()), radius, radius)
    painter.restore()


class Mark(QWidget):
    """The mark at a fixed size."""

    def __init__(self, side: int = 28) -> None:
        super().__init__()
        self.setFixedSize(side, side)
        self.setAccessibleName("Mithaq")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_mark(painter, self.rect())
        painter.end()


@dataclass(frozen=True)
class PlaceSpec:
    """One place of the rail."""

    key: str
    words: str
    icon: str


class PlaceButton(Pressed):
    """A place: icon, word, and a badge with what waits there."""

    def __init__(self, spec: PlaceSpec) -> None:
        super().__init__()
        self.spec = spec
        self._badge = 0
        self._hover = False
        self.narrow = False
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFixedHeight(TOKENS.row["nav"])
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_badge(0)

    def set_badge(self, count: int) -> None:
        """Show how many things wait in this place; 0 shows nothing."""
        self._badge = count
        name = _(self.spec.words)
        self.setText(name)
        self.setAccessibleName(f"{name} {count}" if count else name)
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover = True
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        whole = self.rect()
        on = self.isChecked()
        if on or self._hover:
            drawing.box(
                painter,
                whole,
                ground=look.color("selection" if on else "hover"),
                radius=TOKENS.radius["control"],
            )
        if on:
            bar = drawing.mirrored(QRect(0, 8, 3, whole.height() - 16), whole)
            drawing.box(painter, bar, ground=look.color("accent"), radius=1.5)
        if self.hasFocus():
            drawing.ring(painter, whole, TOKENS.radius["control"])
        side = int(TOKENS.icon["nav"])
        x = (whole.width() - side) // 2 if self.narrow else 12
        at = drawing.mirrored(QRect(x, (whole.height() - side) // 2, side, side), whole)
        icons.draw(painter, self.spec.icon, at, look.color("accent" if on else "muted"))
        if not self.narrow:
            words = drawing.mirrored(QRect(40, 0, whole.width() - 76, whole.height()), whole)
            color = "selection_text" if on else "text"
            weight = "semibold" if on else "medium"
            drawing.text(painter, words, _(self.spec.words), weight=weight, color=color)
        if self._badge:
            shown = numbers.number(self._badge)
            side = 16 if self.narrow else 20
            width = max(
                side, look.metrics("small", "semibold").horizontalAdvance(shown) + (6 if self.narrow else 12)
            )
            x = whole.width() - width - (0 if self.narrow else 10)
            y = 0 if self.narrow else (whole.height() - side) // 2
            at = drawing.mirrored(QRect(x, y, width, side), whole)
            drawing.box(painter, at, ground=look.color("accent"), radius=side / 2)
            drawing.text(
                painter, at, shown, size="small", weight="semibold", color="on_accent", align="center"
            )
        painter.end()


class Bar(QWidget):
    """A thin bar: done of total; unknown totals show a third of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(4)
        self._part = 0.0
        self.setAccessibleName(_("Progress"))

    def show_part(self, done: int, total: int) -> None:
        self._part = done / total if total else 0.33
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        drawing.box(painter, self.rect(), ground=look.color("border"), radius=2)
        part = drawing.mirrored(QRect(0, 0, round(self.width() * min(1.0, self._part)), 4), self.rect())
        drawing.box(painter, part, ground=look.color("accent"), radius=2)
        painter.end()


class ProgressCard(Card):
    """A long work at the foot of the rail: its name, how far it is, the time left, cancel."""

    def __init__(self, task: Task) -> None:
        self._name = Text(task.title, size="label", weight="medium", elide="middle")
        self._cancel = Button(_("Cancel"), "icon", icon="x", run=self._stop)
        self._cancel.setFixedSize(20, 20)
        self._bar = Bar()
        self._state = Text(size="small", color="muted")
        self._head = QWidget()
        self._head.setLayout(line(self._name, self._cancel, gap=4))
        super().__init__(column(self._head, self._bar, self._state, margins=(10, 6, 8, 8), gap=5))
        self._task = task
        task.progressed.connect(self.show_progress)
        task.ended.connect(self.deleteLater)
        self.show_progress(task.done, task.total, task.stage)

    def show_progress(self, done: int, total: int, stage: str) -> None:
        self._bar.show_part(done, total)
        words = [_(STAGES[stage])] if stage in STAGES else []
        if total:
            count = _("{done} of {total}").format(done=numbers.number(done), total=numbers.number(total))
            seconds = self._task.seconds_left()
            words = [count] if seconds is None else [count, numbers.left(seconds)]
        self._state.setText(" · ".join(words))

    def fold(self, narrow: bool) -> None:
        """Only the bar, or all of it."""
        self._head.setVisible(not narrow)
        self._state.setVisible(not narrow)
        self.setToolTip(self._name.text() if narrow else "")
        margins = (4, 8, 4, 8) if narrow else (10, 6, 8, 8)
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(*margins)

    def _stop(self) -> None:
        self._task.cancel()
        self._cancel.setEnabled(False)
        self._state.setText(_("Cancelling"))


class Rail(Pane):
    """The leading side of the window."""

    def __init__(
        self,
        places: list[PlaceSpec],
        chosen: Callable[[str], object],
        settings: Callable[[], object],
        lock: Callable[[], object],
    ) -> None:
        super().__init__("rail", "trailing")
        self._narrow = False
        self.installation = Text(size="small", color="muted")
        self._name = Text("Mithaq", size="strong", weight="semibold", fixed=True)
        self._names = QWidget()
        self._names.setLayout(column(self._name, self.installation, gap=0))
        head = line(Mark(), self._names, gap=10, margins=(4, 0))
        self._buttons: dict[str, PlaceButton] = {}
        nav = column(gap=2)
        for spec in places:
            button = PlaceButton(spec)
            button.clicked.connect(lambda _on=False, key=spec.key: chosen(key))
            self._buttons[spec.key] = button
            nav.addWidget(button)
        self._cards = column(gap=8)
        self.officer = Text(size="label", weight="semibold")
        self.until_lock = Text(size="small", color="muted")
        self._who = QWidget()
        self._who.setLayout(column(self.officer, self.until_lock, gap=0))
        self._settings = Button(_("Settings"), "icon", icon="settings", large=True, run=settings)
        self._lock = Button(_("Lock"), "icon", icon="lock", large=True, run=lock)
        self._foot = line(self._who, self._settings, self._lock, gap=2, margins=(4, 0, 0, 0))
        self._foot.setStretch(0, 1)
        self.setLayout(
            column(head, 16, nav, None, self._cards, 12, Hairline(), 8, self._foot, margins=(12, 14, 12, 8))
        )
        self.setFixedWidth(TOKENS.layout["rail"])

    def choose(self, key: str) -> None:
        """Show `key` as the place one is in; "" for none of the five."""
        for name, button in self._buttons.items():
            button.setAutoExclusive(False)
            button.setChecked(name == key)
            button.setAutoExclusive(True)

    def place(self, key: str) -> PlaceButton:
        return self._buttons[key]

    def watch(self, task: Task) -> None:
        """Show the progress of `task` until it ends."""
        card = ProgressCard(task)
        self._cards.addWidget(card)
        card.fold(self._narrow)

    @property
    def cards(self) -> list[ProgressCard]:
        return self.findChildren(ProgressCard)

    @property
    def narrow(self) -> bool:
        return self._narrow

    def fold(self, narrow: bool) -> None:
        """Icons only, or icons and words."""
        self._narrow = narrow
        self.setFixedWidth(TOKENS.layout["rail_narrow" if narrow else "rail"])
        self._names.setVisible(not narrow)
        self._who.setVisible(not narrow)
        self._settings.setVisible(not narrow)
        for card in self.cards:
            card.fold(narrow)
        for button in self._buttons.values():
            button.narrow = narrow
            button.setToolTip(_(button.spec.words) if narrow else "")
            button.update()

    def show_officer(self, name: str, installation: str) -> None:
        self.officer.setText(name)
        self.installation.setText(installation)
