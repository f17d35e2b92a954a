"""Buttons, all painted here: a fixed height, a width from the text, 8 px between icon and text, a ring when focused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QWidget

from app.messages import _
from ui import clipboard, drawing, icons
from ui.safe_text import spoken, visible
from ui.theme import theme
from ui.tokens import TOKENS
from ui.widgets.focus import Pressed

Kind = Literal["primary", "secondary", "quiet", "danger", "icon"]

GAP = TOKENS.space[3]


class Button(Pressed):
    """`primary`: one to a panel. `secondary`: outlined. `quiet`: a link. `danger`: outlined. `icon`: only an icon."""

    def __init__(
        self,
        label: str,
        kind: Kind = "secondary",
        *,
        icon: str = "",
        trailing: str = "",
        large: bool = False,
        run: Callable[[], object] | None = None,
        checkable: bool = False,
    ) -> None:
        super().__init__()
        self._kind: Kind = kind
        self._icon = icon
        self._trailing = trailing
        self._large = large
        self._hover = False
        self._label = ""
        self.setCheckable(checkable)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_label(label)
        if run is not None:
            self.clicked.connect(lambda *_args: run())

    def set_label(self, label: str) -> None:
        """Change the words; foreign names in them are made safe."""
        self._label = visible(label)
        name = spoken(self._label)
        self.setText(name.replace("&", "&&"))
        self.setAccessibleName(name)
        if self._kind == "icon":
            self.setToolTip(name)
        self.updateGeometry()
        self.update()

    def set_icon(self, icon: str) -> None:
        self._icon = icon
        self.update()

    @property
    def label(self) -> str:
        return self._label

    def sizeHint(self) -> QSize:
        height = TOKENS.row["button_large" if self._large else "button"]
        if self._kind == "quiet" and not self._large:
            height = 22
        if self._kind == "icon":
            return QSize(height, height)
        width = theme().metrics("body", "medium").horizontalAdvance(self._label) + 1
        if self._icon:
            width += 16 + GAP
        if self._trailing:
            width += 14 + GAP
        return QSize(width + (0 if self._kind == "quiet" else 2 * 14), height)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover = True
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = False
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        whole = self.rect()
        radius = TOKENS.radius["control"]
        focused = self.hasFocus()
        down = self.isDown() or self.isChecked()
        color = "text"
        if self._kind == "primary":
            ground = "accent_hover" if (self._hover or down) else "accent"
            color = "on_accent"
            if not self.isEnabled():
                ground, color = "sunken", "disabled"
            edge = look.color("border") if not self.isEnabled() else None
            fill = whole.adjusted(3, 3, -3, -3) if focused else whole
            drawing.box(
                painter, fill, ground=look.color(ground), edge=edge, radius=radius - (2 if focused else 0)
            )
        elif self._kind in ("secondary", "danger"):
            ground = "selection" if down else "hover" if self._hover and self.isEnabled() else "raised"
            edge_token = "danger" if self._kind == "danger" else "border_strong"
            color = "danger" if self._kind == "danger" else "text"
            if not self.isEnabled():
                ground, color, edge_token = "sunken", "disabled", "border"
            drawing.box(painter, whole, ground=look.color(ground), edge=look.color(edge_token), radius=radius)
        elif self._kind == "icon":
            color = "muted"
            if self._hover and self.isEnabled():
                drawing.box(
                    painter, whole, ground=look.color("selection" if down else "hover"), radius=radius
                )
                color = "text"
            if not self.isEnabled():
                color = "disabled"
        else:
            color = "accent_hover" if self._hover else "accent"
            if not self.isEnabled():
                color = "disabled"
        if focused:
            area = whole.adjusted(-4, 2, 4, -2) if self._kind == "quiet" else whole
            drawing.ring(painter, area.intersected(whole), radius)
        self._paint_content(painter, whole, color)
        painter.end()

    def _paint_content(self, painter: QPainter, whole: QRect, color: str) -> None:
        look = theme()
        side = 18 if self._large else 14 if self.width() < 28 else 16
        if self._kind == "icon":
            at = QRect(0, 0, side, side)
            at.moveCenter(QPoint(whole.width() // 2, whole.height() // 2))
            icons.draw(painter, self._icon, at, look.color(color))
            return
        words = look.metrics("body", "medium").horizontalAdvance(self._label) + 1
        content = words + (16 + GAP if self._icon else 0) + (14 + GAP if self._trailing else 0)
        x = 0 if self._kind == "quiet" else max(0, (whole.width() - content) // 2)
        middle = whole.height() // 2
        if self._icon:
            at = drawing.mirrored(QRect(x, middle - 8, 16, 16), whole)
            icons.draw(painter, self._icon, at, look.color(color))
            x += 16 + GAP
        at = drawing.mirrored(QRect(x, 0, words, whole.height()), whole)
        drawing.text(painter, at, self._label, weight="medium", color=color, elide="none")
        if self._hover and self._kind == "quiet" and look.scheme == "high_contrast":
            painter.fillRect(QRect(at.left(), middle + 9, at.width(), 1), look.color(color))
        if self._trailing:
            x += words + GAP
            at = drawing.mirrored(QRect(x, middle - 7, 14, 14), whole)
            icons.draw(painter, self._trailing, at, look.color(color))


class CopyButton(Button):
    """A small button that puts a text on the clipboard. What was copied is cleared when the installation locks."""

    def __init__(self, what: Callable[[], str], name: str = "") -> None:
        super().__init__(name or _("Copy"), "icon", icon="copy")
        self._what = what
        self.clicked.connect(self._copy)

    def sizeHint(self) -> QSize:
        return QSize(22, 22)

    def _copy(self) -> None:
        clipboard.copy(self._what())
        self.set_icon("check")


class MenuButton(Button):
    """A button with a chevron that opens a menu of choices."""

    def __init__(self, label: str, *, icon: str = "") -> None:
        super().__init__(label, "secondary", icon=icon, trailing="chevron-down")
        self._menu = QMenu(self)
        self.clicked.connect(self.open)

    @property
    def menu(self) -> QMenu:
        return self._menu

    def open(self) -> None:
        """Open the menu under the button."""
        corner = self.rect().bottomRight() if drawing.is_rtl() else self.rect().bottomLeft()
        at = self.mapToGlobal(corner + QPoint(0, 4))
        if drawing.is_rtl():
            at -= QPoint(self._menu.sizeHint().width(), 0)
        self._menu.popup(at)


class Choice(MenuButton):
    """One value out of a few, shown on the button."""

    def __init__(self, options: list[tuple[str, str]], value: str, chosen: Callable[[str], object]) -> None:
        """`options` are (value, words)."""
        super().__init__("")
        self._words = dict(options)
        self._value = value
        self._chosen = chosen
        for key, words in options:
            self._menu.addAction(visible(words).replace("&", "&&"), partial(self._choose, key))
        self.set_value(value)

    @property
    def value(self) -> str:
        return self._value

    def set_value(self, value: str) -> None:
        self._value = value
        self.set_label(self._words.get(value, value))

    def _choose(self, value: str) -> None:
        self.set_value(value)
        self._chosen(value)


class Segments(QWidget):
    """Two or three values side by side, one of them on."""

    def __init__(
        self, options: list[tuple[str, str]], value: str, chosen: Callable[[str], object] | None = None
    ) -> None:
        super().__init__()
        self._options = [(key, visible(words)) for key, words in options]
        self._value = value
        self._chosen = chosen
        self.setFixedHeight(TOKENS.row["button"])
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._rename()

    @property
    def value(self) -> str:
        return self._value

    def set_value(self, value: str) -> None:
        if value != self._value:
            self._value = value
            self._rename()
            self.update()
            if self._chosen is not None:
                self._chosen(value)

    def _rename(self) -> None:
        self.setAccessibleName(spoken(visible(dict(self._options).get(self._value, ""))))

    def _width(self) -> int:
        return max(theme().metrics("body", "medium").horizontalAdvance(w) for _k, w in self._options) + 32

    def sizeHint(self) -> QSize:
        return QSize(self._width() * len(self._options), TOKENS.row["button"])

    def _part(self, index: int) -> QRect:
        width = self.width() // len(self._options)
        return drawing.mirrored(QRect(index * width, 0, width, self.height()), self.rect())

    def mousePressEvent(self, event: object) -> None:
        position = event.position().toPoint()  # type: ignore[attr-defined]
        for index, (key, _words) in enumerate(self._options):
            if self._part(index).contains(position):
                self.set_value(key)

    def keyPressEvent(self, event: object) -> None:
        keys = [key for key, _words in self._options]
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(event.key(), 0)  # type: ignore[attr-defined]
        if step:
            step = -step if drawing.is_rtl() else step
            self.set_value(keys[max(0, min(len(keys) - 1, keys.index(self._value) + step))])
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        radius = TOKENS.radius["control"]
        drawing.box(
            painter,
            self.rect(),
            ground=look.color("raised"),
            edge=look.color("border_strong"),
            radius=radius,
        )
        for index, (key, words) in enumerate(self._options):
            part = self._part(index)
            on = key == self._value
            if on:
                drawing.box(
                    painter,
                    part,
                    ground=look.color("accent_soft"),
                    edge=look.color("accent"),
                    radius=radius,
                )
            drawing.text(
                painter, part, words, weight="medium", color="accent" if on else "text", align="center"
            )
        if self.hasFocus():
            drawing.ring(painter, self.rect(), radius)
        painter.end()


class Check(QAbstractButton):
    """A box to tick, with its words."""

    def __init__(self, label: str, *, checked: bool = False) -> None:
        super().__init__()
        self._label = visible(label)
        self.setText(spoken(self._label).replace("&", "&&"))
        self.setAccessibleName(spoken(self._label))
        self.setCheckable(True)
        self.setChecked(checked)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(24 + theme().metrics().horizontalAdvance(self._label) + 8, TOKENS.row["chip"])

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        whole = self.rect()
        square = drawing.mirrored(QRect(2, (whole.height() - 16) // 2, 16, 16), whole)
        on = self.isChecked()
        drawing.box(
            painter,
            square,
            ground=look.color("accent" if on else "raised"),
            edge=look.color("accent" if on else "border_strong"),
            radius=4,
        )
        if on:
            icons.draw(painter, "check", square.adjusted(2, 2, -2, -2), look.color("on_accent"))
        if self.hasFocus():
            drawing.ring(painter, square.adjusted(-2, -2, 2, 2), 5)
        words = drawing.mirrored(whole.adjusted(26, 0, 0, 0), whole)
        drawing.text(painter, words, self._label, color="text" if self.isEnabled() else "disabled")
        painter.end()
