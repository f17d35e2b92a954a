"""Answers in place: a notice on its soft ground, a refusal with its remedy and code, and the designed emptiness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.messages import Refused, remedy, sentence
from ui import drawing, icons
from ui.safe_text import spoken, visible
from ui.theme import theme
from ui.tokens import TOKENS
from ui.widgets.buttons import Button, CopyButton
from ui.widgets.layout import clear, column, line
from ui.widgets.text import Text

Tone = Literal["info", "warning", "danger", "success", "conflict"]

SENTENCE_LIMIT = 600  # characters of a notice or refusal; what is longer is no sentence

ICONS: dict[Tone, str] = {
    "info": "info",
    "warning": "triangle-alert",
    "danger": "ban",
    "success": "circle-check",
    "conflict": "split",
}


class Icon(QWidget):
    """One icon at a fixed size in a colour token."""

    def __init__(self, name: str, color: str = "muted", side: int = 16) -> None:
        super().__init__()
        self._name = name
        self._color = color
        self.setFixedSize(QSize(side, side))

    def set(self, name: str, color: str) -> None:
        self._name, self._color = name, color
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        icons.draw(painter, self._name, self.rect(), theme().color(self._color))
        painter.end()


class Notice(QWidget):
    """An icon and a sentence on a soft ground, for what the officer should know here and now."""

    def __init__(
        self, content: str = "", tone: Tone = "info", *, icon: str = "", action: Button | None = None
    ) -> None:
        super().__init__()
        self._tone: Tone = tone
        self._icon = Icon(icon or ICONS[tone], tone)
        self._text = Text(content, size="label", wrap=True, limit=SENTENCE_LIMIT)
        top = column(self._icon, None, margins=(0, 1, 0, 0))
        row = line(top, self._text, gap=10, margins=(12, 10, 12, 10))
        if action is not None:
            row = line(
                column(None, self._icon, None),
                column(None, self._text, None),
                action,
                gap=10,
                margins=(12, 8),
            )
        row.setStretch(1, 1)
        self.setLayout(row)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def say(self, content: str, tone: Tone, *, icon: str = "") -> None:
        """Show another sentence."""
        self._tone = tone
        self._icon.set(icon or ICONS[tone], tone)
        self._text.setText(content)
        self.setVisible(bool(content))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        edge = look.color(self._tone) if look.scheme == "high_contrast" else None
        drawing.box(
            painter,
            self.rect(),
            ground=look.color(f"{self._tone}_soft"),
            edge=edge,
            radius=TOKENS.radius["control"],
        )
        painter.end()


class Refusal(QWidget):
    """A no, where the eye is: the sentence, the remedy, its button if there is one, the code last and copyable."""

    def __init__(self, *, soft: bool = True) -> None:
        super().__init__()
        self._soft = soft
        self._code = ""
        self._sentence = Text(size="label", weight="medium", wrap=True, limit=SENTENCE_LIMIT)
        self._remedy = Text(size="label", color="muted", wrap=True, limit=SENTENCE_LIMIT)
        self._code_text = Text(size="small", mono=True, color="muted")
        self._copy = CopyButton(lambda: self._code)
        self._actions = line(gap=8)
        self._code_row = line(self._code_text, self._copy, None, gap=4)
        self._icon = Icon("hand", "danger")
        texts = column(self._sentence, self._remedy, self._code_row, self._actions, gap=2)
        row = line(column(self._icon, None, margins=(0, 1, 0, 0)), texts, gap=10, margins=(12, 10, 12, 10))
        row.setStretch(1, 1)
        self.setLayout(row)
        self.hide()

    def show_refusal(self, refused: Refused, action: tuple[str, Callable[[], object]] | None = None) -> None:
        """Show why and what to do."""
        self.show_code(refused.code, refused.facts, action)

    def show_code(
        self, code: str, facts: object = None, action: tuple[str, Callable[[], object]] | None = None
    ) -> None:
        known = facts if isinstance(facts, dict) else {}
        then = remedy(code, known, window=True)
        self.show_words(sentence(code, known), then, code, action)

    def show_words(
        self, what: str, then: str, code: str, action: tuple[str, Callable[[], object]] | None = None
    ) -> None:
        self._code = code
        self._sentence.setText(what)
        self._remedy.setText(then)
        self._remedy.setVisible(bool(then))
        self._code_text.setText(code)
        self._code_text.setVisible(bool(code))
        self._copy.setVisible(bool(code))
        clear(self._actions)
        if action is not None:
            words, run = action
            self._actions.addWidget(Button(words, run=run))
            self._actions.addStretch(1)
        self.setAccessibleName(spoken(visible(f"{what} {then}")))
        self.show()

    @property
    def code(self) -> str:
        """The code shown, or "" while nothing is refused."""
        return self._code if not self.isHidden() else ""

    def clear(self) -> None:
        """Nothing is refused any more."""
        self._code = ""
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._soft:
            return
        painter = QPainter(self)
        look = theme()
        edge = look.color("danger") if look.scheme == "high_contrast" else None
        drawing.box(
            painter, self.rect(), ground=look.color("danger_soft"), edge=edge, radius=TOKENS.radius["control"]
        )
        painter.end()


class Empty(QWidget):
    """A designed emptiness: icon, one sentence, the one action; `other` is offered over it where it may help."""

    def __init__(
        self, icon: str, content: str, action: Button | None = None, *, other: Button | None = None
    ) -> None:
        super().__init__()
        self._text = Text(content, color="muted", wrap=True, align="center")
        self._text.setMaximumWidth(340)
        self._text.setMinimumWidth(240)
        side = int(TOKENS.icon["empty"])
        body = column(
            None, line(None, Icon(icon, "muted", side), None), 12, line(None, self._text, None), gap=0
        )
        buttons = [line(None, button, None) for button in (other, action) if button is not None]
        if buttons:
            body.addSpacing(16)
            body.addLayout(column(*buttons, gap=8))
        body.addStretch(2)
        self.setLayout(body)

    def say(self, content: str) -> None:
        self._text.setText(content)


class ResultLine(QWidget):
    """What was done, in the place where it happened; it goes by itself after a while."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._icon = Icon("circle-check", "success", 14)
        # It often ends in a path, of which the file's name is to be read.
        self._text = Text(size="label", color="muted", elide="middle")
        self.setLayout(line(self._icon, self._text, gap=6))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(lambda: self.say(""))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.say("")

    def say(self, content: str, *, keep: bool = False) -> None:
        self._text.setText(content)
        self._icon.setVisible(bool(content))
        self._timer.stop()
        if content and not keep:
            self._timer.start(20_000)
        self.changed.emit()

    def clear(self) -> None:
        """What comes next may come to nothing: nothing is said to be done."""
        self.say("")

    @property
    def words(self) -> str:
        return self._text.shown

    def sizeHint(self) -> QSize:
        return QSize(120, 20)
