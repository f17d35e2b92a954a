"""A sheet over the scrim: guided work inside the window, so that locking covers it too. Also the one question."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QKeyCombination, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget
from shiboken6 import isValid

from app.intel.fold import fold
from app.messages import _
from ui import drawing, icons, numbers
from ui.safe_text import spoken, visible
from ui.theme import theme
from ui.tokens import TOKENS
from ui.widgets.buttons import Button
from ui.widgets.layout import Card, Hairline, Scroll, column, line
from ui.widgets.text import Text, muted, title

FOOT = 60
THROUGH = tuple(QKeyCombination(Qt.Modifier.CTRL, key) for key in (Qt.Key.Key_L, Qt.Key.Key_Q))
"""What may be pressed on a sheet too: lock, and quit."""


class Steps(QWidget):
    """The steps of a guided sequence: done, current, to come."""

    def __init__(self, words: list[str]) -> None:
        super().__init__()
        self._words = words
        self._at = 0
        self.setFixedHeight(24)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set(0)

    def set(self, at: int) -> None:
        """Step `at` is the current one."""
        self._at = at
        self.setAccessibleName(self._words[min(at, len(self._words) - 1)])
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        whole = self.rect()
        x = 0
        for number, words in enumerate(self._words):
            done, on = number < self._at, number == self._at
            circle = drawing.mirrored(QRect(x, 2, 20, 20), whole)
            ground = "accent_soft" if done else "accent" if on else "raised"
            edge = "accent" if done or on else "border_strong"
            drawing.box(
                painter,
                circle,
                ground=look.color(ground),
                edge=look.color(edge),
                width=1.5,
                radius=10,
            )
            if done:
                icons.draw(painter, "check", circle.adjusted(4, 4, -4, -4), look.color("accent"))
            else:
                color = "on_accent" if on else "muted"
                drawing.text(
                    painter,
                    circle,
                    numbers.number(number + 1),
                    size="small",
                    weight="semibold",
                    color=color,
                    align="center",
                )
            x += 27
            weight = "semibold" if on else "regular"
            width = look.metrics("label", weight).horizontalAdvance(words) + 2
            at = drawing.mirrored(QRect(x, 0, width, 24), whole)
            drawing.text(
                painter,
                at,
                words,
                size="label",
                weight=weight,
                color="text" if on else "muted",
                elide="none",
            )
            x += width + 10
            if number < len(self._words) - 1:
                at = drawing.mirrored(QRect(x, 12, 24, 1), whole)
                painter.fillRect(at, look.color("border"))
                x += 34
        painter.end()


class _Inside(QWidget):
    """What scrolls in a sheet. Its height follows from its width alone: what wraps would ask for the height that it has
    at the width it likes best.
    """

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return QSize(hint.width(), 0) if self.hasHeightForWidth() else hint


class Sheet(QWidget):
    """A card 720 wide in the middle of the window. Esc closes it; Tab stays inside."""

    closed = Signal()

    def __init__(
        self, window: QWidget, name: str, under: str = "", *, width: int = 0, height: int = 0
    ) -> None:
        super().__init__(window)
        self._over = window
        self._width = width or TOKENS.sheet[0]
        self._height = height
        self._before: QWidget | None = None
        self.setAccessibleName(spoken(visible(name)))
        self.title = title(name)
        self.under = muted(under, size="label")
        self.under.setVisible(bool(under))
        self.close_button = Button(_("Close"), "icon", icon="x", run=self.dismiss)
        head = line(column(self.title, self.under, gap=2), self.close_button, gap=8)
        head.setAlignment(self.close_button, Qt.AlignmentFlag.AlignTop)
        head.setStretch(0, 1)
        self.body = column(gap=0)
        inside = _Inside()
        self._inside = column(self.body, None, margins=(32, 4, 32, 16))
        inside.setLayout(self._inside)
        self._scroll = Scroll(inside)
        self.foot_lead = line(gap=8)
        self.foot_trail = line(gap=8)
        foot = line(self.foot_lead, None, self.foot_trail, margins=(32, 0), gap=8)
        foot_pane = QWidget()
        foot_pane.setFixedHeight(FOOT)
        foot_pane.setLayout(foot)
        self._top = top = QWidget()
        top.setLayout(column(head, margins=(32, 24, 24, 12)))
        self.card = Card(
            column(top, self._scroll, Hairline(), foot_pane, margins=1), radius=TOKENS.radius["sheet"]
        )
        self.card.setParent(self)
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Show it; the focus goes inside and comes back on closing."""
        # The window's own: it may not be active yet, when a file dialog has just closed.
        self._before = self._over.window().focusWidget()
        self.setGeometry(self._over.rect())
        self.show()
        self.raise_()
        self._place()
        first = self._first_field()
        if first is not None:
            first.setFocus()
        else:
            self.close_button.setFocus()

    def dismiss(self) -> None:
        """Somebody closes it, by the key or the cross; a sheet that shows what is seen once asks first."""
        self.close_sheet()

    def close_sheet(self) -> None:
        """Close it and forget it."""
        if self.isHidden():
            return
        self.hide()
        self._over.removeEventFilter(self)
        self.closed.emit()
        # What had the focus may have been made anew meanwhile.
        if self._before is not None and isValid(self._before) and self._before.isVisible():
            self._before.setFocus()
        self.deleteLater()

    def refit(self) -> None:
        """Bring the card to the height of its content."""
        self._place()

    def _first_field(self) -> QWidget | None:
        for field in self.card.findChildren(QLineEdit):
            if field.isVisibleTo(self) and field.isEnabled():
                return field
        return None

    def _place(self) -> None:
        room = self.rect().adjusted(16, 16, -16, -16)
        width = min(self._width, room.width())
        self._inside.activate()
        wraps = self._inside.hasHeightForWidth()
        content = self._inside.heightForWidth(width - 2) if wraps else self._inside.minimumSize().height()
        top = self._top.sizeHint().height()
        height = min(self._height or (top + content + FOOT + 4), room.height())
        self.card.setGeometry(
            (self.width() - width) // 2, max(16, (self.height() - height) // 2), width, height
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._over.rect())
            self._place()
        return False

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            # What lies under the scrim is out of reach of the keys too: they are typed here, and act nowhere else.
            event.setAccepted(event.keyCombination() not in THROUGH)
            return True
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self._place()
        return bool(super().event(event))

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Tab stays inside the sheet: what lies under the scrim is out of reach.
        reach: list[QWidget] = []
        widget = self.nextInFocusChain()
        while widget is not None and widget is not self:
            tab = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
            if tab and self.isAncestorOf(widget) and widget.isVisible() and widget.isEnabled():
                reach.append(widget)
            widget = widget.nextInFocusChain()
        if not reach:
            return False
        now = self.window().focusWidget()
        if now in reach:
            following = reach[(reach.index(now) + (1 if forward else -1)) % len(reach)]
        else:
            following = reach[0]
        following.setFocus(Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: object) -> None:
        """Clicks on the scrim reach nothing."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().color("scrim"))
        painter.end()


class Question(Sheet):
    """Asked only before what cannot be undone. The verb and the number are repeated; Cancel has the focus.

    With `typed`, the act is possible once that word has been typed. `more` stands under the consequence.
    """

    def __init__(
        self,
        window: QWidget,
        what: str,
        consequence: str,
        verb: str,
        run: Callable[[], object],
        *,
        typed: str = "",
        more: Sequence[QWidget] = (),
    ) -> None:
        super().__init__(window, what, width=520)
        self.body.addWidget(Text(consequence, wrap=True))
        for widget in more:
            self.body.addSpacing(12)
            self.body.addWidget(widget)
        self._act = Button(verb, "danger", run=lambda: self._go(run))
        self.cancel = Button(_("Cancel"), run=self.close_sheet)
        if typed:
            self.body.addSpacing(12)
            self.body.addWidget(muted(_("Type {word} to go on.").format(word=typed), wrap=True))
            self.body.addSpacing(8)
            field = QLineEdit()
            field.setAccessibleName(_("Confirmation"))
            self._act.setEnabled(False)
            field.textChanged.connect(
                # However its letters are written: an Arabic word is typed with or without a hamza.
                lambda text: self._act.setEnabled(fold(text).strip() == fold(typed))
            )
            field.returnPressed.connect(self._act.click)
            self.body.addWidget(field)
        self.foot_lead.addWidget(self._act)
        self.foot_trail.addWidget(self.cancel)

    def open(self) -> None:
        super().open()
        self.cancel.setFocus()

    def _go(self, run: Callable[[], object]) -> None:
        self.close_sheet()
        run()
