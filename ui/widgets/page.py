"""A place: a header with the search at its end, filters under it, the list, and the thing itself beside the list.

If the list would fall under 560 px, the thing itself lies over the list instead, and Esc takes it away.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QSplitter, QStackedWidget, QWidget

from app.messages import _
from ui import drawing, icons
from ui.tokens import TOKENS
from ui.widgets.buttons import Button
from ui.widgets.layout import Hairline, Item, Pane, column, line
from ui.widgets.text import Text, muted, title

SEARCH_DELAY_MS = 120


class SearchField(QLineEdit):
    """Search as one types: `searched` gets the words once typing pauses."""

    def __init__(self, hint: str, searched: Callable[[str], object]) -> None:
        super().__init__()
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        self.setFixedWidth(236)
        self.setMaxLength(500)
        self.addAction(icons.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SEARCH_DELAY_MS)
        self._timer.timeout.connect(lambda: searched(self.text().strip()))
        self.textChanged.connect(lambda _text: self._timer.start())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        super().keyPressEvent(event)


class Header(QWidget):
    """The header of a place: title, count, and at its end the search and the one button."""

    def __init__(self, name: str, *trailing: Item, leading: QWidget | None = None) -> None:
        super().__init__()
        self.title = title(name)
        self.count = muted("", size="body")
        self.title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.count.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        base = line(self.title, column(4, self.count), gap=12)
        items: list[Item] = [leading] if leading is not None else []
        margin = TOKENS.layout["page_margin"]
        self.setLayout(line(*items, base, None, *trailing, margins=(margin, 0), gap=8))
        self.setFixedHeight(TOKENS.layout["header"])


class ListDetail(QWidget):
    """A list and the thing itself beside it, with a splitter that stays where it was put."""

    def __init__(
        self,
        listing: QWidget,
        detail: QWidget,
        *,
        detail_width: int = TOKENS.layout["detail"],
        list_min: int = TOKENS.layout["list_min"],
        fixed_list: int = 0,
    ) -> None:
        """`fixed_list`: the list has this width and the detail gets the rest (review)."""
        super().__init__()
        self._list = listing
        self._detail = detail
        self._detail_width = detail_width
        self._list_min = list_min
        self._fixed_list = fixed_list
        self._overlay = False
        self._wanted = False
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(listing)
        self._splitter.addWidget(detail)
        stretch = 1 if fixed_list else 0
        self._splitter.setStretchFactor(0, 1 - stretch)
        self._splitter.setStretchFactor(1, stretch)
        self._splitter.splitterMoved.connect(self._moved)
        self.setLayout(column(self._splitter))

    @property
    def overlaid(self) -> bool:
        """Whether the detail lies over the list."""
        return self._overlay

    def want_detail(self, wanted: bool) -> None:
        """Whether there is a thing to show; only matters while the detail lies over the list."""
        self._wanted = wanted
        if self._overlay:
            self._detail.setVisible(wanted)

    def _moved(self) -> None:
        sizes = self._splitter.sizes()
        if self._fixed_list:
            self._fixed_list = sizes[0]
        else:
            self._detail_width = sizes[1]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = self.width()
        beside = (self._fixed_list or self._list_min) + (
            self._detail.minimumWidth()
            if self._fixed_list
            else min(self._detail_width, TOKENS.layout["detail"])
        )
        overlay = width < beside
        if overlay != self._overlay:
            self._overlay = overlay
            if overlay:
                self._detail.setParent(self)
                self._detail.setVisible(self._wanted)
            else:
                self._splitter.addWidget(self._detail)
                self._detail.show()
        if overlay:
            own = min(max(self._detail_width, self._detail.minimumWidth()), width)
            self._detail.setGeometry(drawing.mirrored(QRect(width - own, 0, own, self.height()), self.rect()))
            self._detail.raise_()
        elif self._fixed_list:
            self._splitter.setSizes([self._fixed_list, max(1, width - self._fixed_list)])
        else:
            own = min(self._detail_width, width - self._list_min)
            self._splitter.setSizes([max(1, width - own), max(1, own)])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._overlay and self._detail.isVisible():
            self._detail.hide()
            self._list.setFocus()
            return
        super().keyPressEvent(event)


class ListPane(Pane):
    """The list side of a place: header, filters, and under them the list or a designed emptiness."""

    def __init__(self, header: Header, filters: list[QWidget], table: QWidget, empty: QWidget) -> None:
        super().__init__("surface")
        self.stack = QStackedWidget()
        self.stack.addWidget(table)
        self.stack.addWidget(empty)
        self._table = table
        margin = TOKENS.layout["page_margin"]
        rows = column(*filters, margins=(margin, 0, margin, 6)) if filters else column()
        layout = column(header, rows, Hairline(), self.stack)
        layout.setStretchFactor(
            self.stack, 1
        )  # what is said above it takes the height of its words, and no more
        self.setLayout(layout)

    def show_empty(self, empty: bool) -> None:
        self.stack.setCurrentIndex(1 if empty else 0)


def back_button(run: Callable[[], object]) -> Button:
    """Goes back one level; points against the reading direction."""
    return Button(_("Back"), "icon", icon="arrow-left", run=run)


def count_text(content: str = "") -> Text:
    """A count at the end of a row of filters."""
    return Text(content, size="label", color="muted", fixed=True)
