"""The thing itself, beside the list: a panel that scrolls, sections, facts and entries, a foot with the actions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QLayout, QSizePolicy, QWidget

from ui import numbers
from ui.safe_text import short_id
from ui.tokens import TOKENS
from ui.widgets.buttons import Button, CopyButton
from ui.widgets.focus import focus_kept
from ui.widgets.layout import Hairline, Item, Pane, Scroll, clear, column, line
from ui.widgets.notices import Empty, Icon, ResultLine
from ui.widgets.tags import HandlingTag, TlpTag
from ui.widgets.text import Text, heading, muted, title

LABEL = 112


def grows(widget: QWidget) -> QWidget:
    """`widget` takes what is left across, its height follows its width."""
    policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(widget.hasHeightForWidth())
    widget.setSizePolicy(policy)
    return widget


class Foot(Pane):
    """The foot of a panel or page: actions at the leading end, a hint or the other actions at the trailing end."""

    def __init__(self, *items: Item, height: int = TOKENS.layout["actions"], margin: int = 20) -> None:
        super().__init__("", "top")
        self.setFixedHeight(height)
        self.row = line(*items, margins=(margin, 0), gap=8)
        self.setLayout(self.row)


class ResultFoot(Foot):
    """A foot that only says what was done; while nothing was, it is plain ground."""

    def __init__(self, result: ResultLine) -> None:
        super().__init__(result, height=44, margin=16)
        self._result = result
        result.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._result.words:
            super().paintEvent(event)


class Section(QWidget):
    """A heading with its count over its content; a hairline parts it from what is above."""

    def __init__(
        self, name: str, count: int | None = None, *items: Item, action: Button | None = None
    ) -> None:
        super().__init__()
        self._count = muted(size="label")
        head: list[Item] = [heading(name), self._count, None]
        if action is not None:
            head.append(action)
        self.content = column(*items, gap=6)
        top = QWidget()
        top.setFixedHeight(22)
        top.setLayout(line(*head, gap=8))
        self.setLayout(column(Hairline(), 12, top, 4, self.content, 14))
        self.set_count(count)

    def set_count(self, count: int | None) -> None:
        """How many there are; None says nothing of it."""
        self._count.setText("" if count is None else numbers.number(count))
        self._count.setHidden(count is None)


def fact(label: str, value: QWidget | str, *, width: int = LABEL, mono: bool = False) -> QWidget:
    """A label and its value on one line; the value wraps."""
    row = QWidget()
    words = Text(label, size="label", color="muted")
    words.setFixedWidth(width - 8)
    shown = Text(value, size="label", mono=mono, wrap=True) if isinstance(value, str) else value
    layout = line(column(words, None), shown, gap=8)
    if isinstance(value, str):
        grows(shown)
        layout.setStretch(1, 1)
    else:
        layout.addStretch(1)
    row.setLayout(layout)
    return row


def entry(
    icon: str,
    first: str,
    second: str = "",
    *,
    color: str = "muted",
    trailing: QWidget | None = None,
    wrap: bool = False,
) -> QWidget:
    """An icon, a line in medium and a muted line under it."""
    row = QWidget()
    texts = column(Text(first, size="label", weight="medium", wrap=wrap), gap=1)
    if second:
        texts.addWidget(Text(second, size="small", color="muted", wrap=wrap))
    layout = line(column(Icon(icon, color), None, margins=(0, 1, 0, 0)), texts, gap=10)
    layout.setStretch(1, 1)
    if trailing is not None:
        layout.addWidget(trailing)
        layout.setAlignment(trailing, Qt.AlignmentFlag.AlignTop)
    row.setLayout(layout)
    return row


def identifier(text: str) -> QWidget:
    """An id in mono with its middle left out, and the button that copies all of it."""
    row = QWidget()
    shown = Text(short_id(text), size="label", mono=True, color="muted", elide="middle")
    row.setLayout(line(shown, CopyButton(lambda: text), None, gap=6))
    return row


def tags(marking: str, handling: str) -> QWidget:
    """Marking and handling side by side, as far as there are any."""
    row = QWidget()
    items: list[Item] = []
    if marking:
        items.append(TlpTag(marking))
    if handling:
        items.append(HandlingTag(handling, long=True))
    row.setLayout(line(*items, None, gap=8))
    return row


class DetailPanel(Pane):
    """The panel beside a list: content that scrolls over a foot that stays."""

    def __init__(self, *, ground: str = "raised", edge: bool = True) -> None:
        super().__init__(ground)
        self._inside = QWidget()
        margin = TOKENS.layout["detail_margin"]
        self._content = column(gap=0)
        self._outer = column(self._content, None, margins=(margin, margin - 4, margin, margin))
        self._inside.setLayout(self._outer)
        self.scroller = Scroll(self._inside)
        self.foot = Foot(margin=margin)
        self.foot.hide()
        self.setLayout(column(self.scroller, self.foot))
        self.setMinimumWidth(TOKENS.layout["detail_min"])

    def show_items(self, items: Sequence[Item], *, anew: bool = False) -> None:
        """Replace the content; the scroll position goes to the top, and the focus with it. `anew`: the same thing is
        shown, changed: the scroll position and the focus stay where they are.
        """
        self.setUpdatesEnabled(False)
        with focus_kept(self._inside, other=not anew):
            self._replace(items)
        if not anew:
            self.scroller.verticalScrollBar().setValue(0)
        self.setUpdatesEnabled(True)

    def _replace(self, items: Sequence[Item]) -> None:
        clear(self._content)
        alone = any(isinstance(item, Empty) for item in items)
        self._outer.setStretch(0, 1 if alone else 0)
        self._outer.setStretch(1, 0 if alone else 1)
        for item in items:
            if item is None:
                self._content.addStretch(1)
            elif isinstance(item, int):
                self._content.addSpacing(item)
            elif isinstance(item, QLayout):
                self._content.addLayout(item)
            else:
                self._content.addWidget(item)

    def show_tall_foot(self, content: QLayout) -> None:
        """Replace the actions by the one that decides, over a line about it."""
        clear(self.foot.row)
        self.foot.setFixedHeight(88)
        self.foot.row.addLayout(content)
        self.foot.show()

    def show_foot(self, items: Sequence[Item]) -> None:
        """Replace the actions; none hides the foot. The focus stays on the action of the same name."""
        with focus_kept(self.foot):
            self._replace_foot(items)

    def _replace_foot(self, items: Sequence[Item]) -> None:
        clear(self.foot.row)
        self.foot.setFixedHeight(TOKENS.layout["actions"])
        for item in items:
            if item is None:
                self.foot.row.addStretch(1)
            elif isinstance(item, int):
                self.foot.row.addSpacing(item)
            elif isinstance(item, QLayout):
                self.foot.row.addLayout(item)
            else:
                self.foot.row.addWidget(item)
        self.foot.setVisible(bool(items))


def object_title(kind_icon: str, kind: str, name: str, *, both: bool = False) -> QWidget:
    """Type with its icon over the name; `both`: that is one thing → another."""
    widget = QWidget()
    kind_row = line(Icon(kind_icon, "muted"), muted(kind, size="label"), None, gap=8)
    name_text = title(name, elide="both" if both else "end")
    widget.setLayout(column(kind_row, 6, name_text))
    return widget
