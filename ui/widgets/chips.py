"""Chips: filters that carry their counts, in one row; what does not fit goes to "More"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from app.messages import _
from ui import drawing, icons
from ui.numbers import number
from ui.safe_text import spoken, visible
from ui.theme import theme
from ui.tokens import TOKENS
from ui.widgets.focus import Pressed

_PAD = 10


@dataclass(frozen=True)
class ChipSpec:
    """One filter: its key, words, count (None: no count), icon, and the status colour of its icon."""

    key: str
    words: str
    count: int | None = None
    icon: str = ""
    color: str = "muted"


class Chip(Pressed):
    """One chip. On: accent outline and soft ground. `removable` shows an x; `opens` a chevron."""

    def __init__(self, spec: ChipSpec, *, opens: bool = False) -> None:
        super().__init__()
        self.spec = spec
        self._opens = opens
        self._removable = False
        self._hover = False
        self.setCheckable(not opens)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set(spec)

    def set(self, spec: ChipSpec, *, removable: bool = False) -> None:
        """Show other words or another count."""
        self.spec = spec
        self._removable = removable
        name = spoken(visible(spec.words))
        if spec.count is not None:
            name = f"{name} {number(spec.count)}"
        self.setText(name.replace("&", "&&"))
        self.setAccessibleName(name)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        look = theme()
        width = 2 * _PAD + look.metrics("label", "medium").horizontalAdvance(visible(self.spec.words)) + 1
        if self.spec.icon:
            width += 14 + 6
        if self.spec.count is not None:
            width += 6 + look.metrics("label").horizontalAdvance(number(self.spec.count)) + 1
        if self._opens or self._removable:
            width += 14 + 4
        return QSize(width, TOKENS.row["chip"])

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
        radius = whole.height() / 2
        on = self.isChecked() or self._removable
        ground = "accent_soft" if on else "hover" if self._hover else "raised"
        edge = "accent" if on else "border"
        drawing.box(painter, whole, ground=look.color(ground), edge=look.color(edge), radius=radius)
        if self.hasFocus():
            drawing.ring(painter, whole, radius)
        x, middle = _PAD, whole.height() // 2
        empty = self.spec.count == 0
        color = "accent" if on else "muted" if empty else "text"
        if self.spec.icon:
            at = drawing.mirrored(QRect(x, middle - 7, 14, 14), whole)
            token = "accent" if on and self.spec.color == "muted" else self.spec.color
            icons.draw(painter, self.spec.icon, at, look.color(token))
            x += 20
        words = visible(self.spec.words)
        width = look.metrics("label", "medium").horizontalAdvance(words) + 1
        at = drawing.mirrored(QRect(x, 0, width, whole.height()), whole)
        drawing.text(painter, at, words, size="label", weight="medium", color=color, elide="none")
        x += width
        if self.spec.count is not None:
            shown = number(self.spec.count)
            x += 6
            width = look.metrics("label").horizontalAdvance(shown) + 1
            at = drawing.mirrored(QRect(x, 0, width, whole.height()), whole)
            drawing.text(painter, at, shown, size="label", color="accent" if on else "muted", elide="none")
            x += width
        if self._opens or self._removable:
            at = drawing.mirrored(QRect(x + 4, middle - 7, 14, 14), whole)
            icon = "x" if self._removable else "chevron-down"
            icons.draw(painter, icon, at, look.color("accent" if on else "muted"))
        painter.end()


class ChipRow(QWidget):
    """A row of chips of which one is on. Never wider than it is given: the rest opens from "More"."""

    def __init__(
        self, chosen: Callable[[str], object], *, trailing: QWidget | None = None, toggles: bool = False
    ) -> None:
        """`toggles`: a second click turns a chip off, and none may be on."""
        super().__init__()
        self._chosen = chosen
        self._chips: list[Chip] = []
        self._value = ""
        self._trailing = trailing
        self._toggles = toggles
        if trailing is not None:
            trailing.setParent(self)
        self._more = Chip(ChipSpec("", _("More")), opens=True)
        self._more.setParent(self)
        self._more.clicked.connect(self._open)
        self.setFixedHeight(TOKENS.layout["filter_row"])
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def value(self) -> str:
        """The key of the chip that is on."""
        return self._value

    @property
    def chips(self) -> tuple[Chip, ...]:
        return tuple(self._chips)

    def set(self, specs: Sequence[ChipSpec], value: str | None = None) -> None:
        """Show these filters; counts may change at any time without anything moving more than it must."""
        if value is not None:
            self._value = value
        if [c.spec.key for c in self._chips] != [s.key for s in specs]:
            for chip in self._chips:
                chip.hide()
                chip.deleteLater()
            self._chips = []
            for spec in specs:
                chip = Chip(spec)
                chip.setParent(self)
                chip.clicked.connect(lambda _on=False, key=spec.key: self.choose(key))
                self._chips.append(chip)
        for chip, spec in zip(self._chips, specs, strict=True):
            chip.set(spec)
        self._place()

    def choose(self, key: str) -> None:
        """Turn the filter `key` on and tell."""
        self._value = "" if self._toggles and key == self._value else key
        self._place()
        self._chosen(self._value)

    def sizeHint(self) -> QSize:
        return QSize(400, TOKENS.layout["filter_row"])

    def minimumSizeHint(self) -> QSize:
        return QSize(120, TOKENS.layout["filter_row"])

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutDirectionChange, QEvent.Type.StyleChange):
            self._place()
        return bool(super().event(event))

    def _place(self) -> None:
        room = self.width()
        y = (self.height() - TOKENS.row["chip"]) // 2
        if self._trailing is not None:
            hint = self._trailing.sizeHint()
            place = QRect(
                room - hint.width(), (self.height() - hint.height()) // 2, hint.width(), hint.height()
            )
            self._trailing.setGeometry(drawing.mirrored(place, self.rect()))
            room -= hint.width() + 16
        widths = [chip.sizeHint().width() for chip in self._chips]
        total = sum(widths) + 8 * max(0, len(widths) - 1)
        more = self._more.sizeHint().width()
        fits = len(widths)
        if total > room:
            fits, used = 0, more
            for width in widths:
                if used + width + 8 > room:
                    break
                used += width + 8
                fits += 1
        order = list(range(len(self._chips)))
        on = next((i for i, c in enumerate(self._chips) if c.spec.key == self._value), None)
        if on is not None and on >= fits > 0:  # what is on is never hidden
            order.remove(on)
            order.insert(fits - 1, on)
        x = 0
        for position, index in enumerate(order):
            chip = self._chips[index]
            chip.setChecked(chip.spec.key == self._value)
            chip.setVisible(position < fits)
            if position < fits:
                place = QRect(x, y, widths[index], TOKENS.row["chip"])
                chip.setGeometry(drawing.mirrored(place, self.rect()))
                x += widths[index] + 8
        self._hidden = [self._chips[i] for i in order[fits:]]
        self._more.setVisible(bool(self._hidden))
        self._more.setGeometry(drawing.mirrored(QRect(x, y, more, TOKENS.row["chip"]), self.rect()))

    def _open(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for chip in self._hidden:
            words = visible(chip.spec.words).replace("&", "&&")
            if chip.spec.count is not None:
                words = f"{words}  {number(chip.spec.count)}"
            picture = icons.icon(chip.spec.icon or "circle-dot", chip.spec.color)
            menu.addAction(picture, words, lambda key=chip.spec.key: self.choose(key))
        menu.popup(self._more.mapToGlobal(QPoint(0, self._more.height() + 4)))
