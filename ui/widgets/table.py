"""The list of things: a `QTableView` over a `PagedModel`, painted row by row as the look says.

No grid, hairlines under rows, a selection ground with an accent bar at the leading edge, names that elide at the end
and ids in the middle. A page that is not here yet shows its row height and nothing else.
"""

from __future__ import annotations

from collections.abc import Hashable

from PySide6.QtCore import (
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolTip,
    QWidget,
)

from ui import drawing, icons, numbers
from ui.safe_text import spoken
from ui.theme import theme
from ui.tokens import TOKENS
from ui.widgets.layout import FOCUS_FIRST, QuietBar
from ui.widgets.paging import Cell, Column, PagedModel, Row

FIRST_MARGIN = TOKENS.space[5]
MARGIN = TOKENS.space[3]
NAME_MIN = 160
NAME_GOOD = 220


def date_width(*, time: bool = False) -> int:
    """Room for any date in the language in use: months are not of one length."""
    say, least = (numbers.moment, 164) if time else (numbers.day, 104)
    said = (say(f"2026-{month:02}-28T08:58:58Z") for month in range(1, 13))
    return max(least, max(map(theme().metrics().horizontalAdvance, said)) + 2 * MARGIN)


def tag_width() -> int:
    """Room for any level in the language in use."""
    return max(148, max(map(drawing.handling_width, TOKENS.tlp_levels)) + 2 * MARGIN)


def paint_cell(
    painter: QPainter, rect: QRect, column: Column, cell: Cell, *, margin: int, selected: bool, muted: bool
) -> None:
    """One cell inside `rect`, `margin` px in, without its ground."""
    area = drawing.mirrored(rect.adjusted(margin, 0, -MARGIN, 0), rect)
    look = theme()
    if cell.icon:
        side = 16
        at = QRect(area.left(), area.top() + (area.height() - side) // 2, side, side)
        icons.draw(
            painter, cell.icon, drawing.mirrored(at, area), look.color("accent" if selected else "muted")
        )
        area = drawing.mirrored(area.adjusted(26, 0, 0, 0), area)
    if cell.level or cell.handled:
        width = drawing.handling_width(cell.level) if cell.handled else drawing.tlp_width(cell.level)
        at = drawing.mirrored(QRect(area.left(), area.top(), width, area.height()), area)
        draw = drawing.handling if cell.handled else drawing.tlp
        draw(painter, at.left(), area.center().y() + 1, cell.level)
        return
    if column.kind == "status":
        if cell.status:
            drawing.status(painter, area, cell.status, size="label")
            return
    elif cell.status:
        width = drawing.status_width(cell.status) + 2
        words = look.metrics("body", "semibold" if selected else "regular").horizontalAdvance(cell.shown)
        words = min(words, area.width() - width - 10)
        at = drawing.mirrored(QRect(area.left() + words + 10, area.top(), width, area.height()), area)
        drawing.status(painter, at, cell.status)
        area = drawing.mirrored(QRect(area.left(), area.top(), words + 2, area.height()), area)
    name = column.kind == "name"
    mono = column.kind == "mono"
    color = "selection_text" if selected else "text" if name and not muted else "muted"
    drawing.text(
        painter,
        area,
        cell.shown,
        size="label" if mono else "body",
        weight="semibold" if name and selected else "regular",
        color=color,
        mono=mono,
        align="trailing" if column.trails else "leading",
        elide="middle" if mono else "both" if cell.both else "end",
    )


class _Delegate(QStyledItemDelegate):
    def __init__(self, view: ListTable) -> None:
        super().__init__(view)
        self._view = view

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        model = self._view.paged
        look = theme()
        painter.save()
        painter.setClipRect(rect)
        ground = "selection" if selected else "hover" if index.row() == self._view.hovered else ""
        if ground:
            painter.fillRect(rect, look.color(ground))
        first = index.column() == 0
        if selected and first:
            bar = drawing.mirrored(QRect(rect.left(), rect.top(), 3, rect.height()), rect)
            painter.fillRect(bar, look.color("accent"))
        drawing.hairline(painter, rect.left(), rect.right() + 1, rect.bottom(), strength=0.6)
        row = model.row_at(index.row())
        if row is not None and index.column() < len(row.cells):
            column = model.columns[index.column()]
            cell = row.cells[index.column()]
            margin = FIRST_MARGIN if first else MARGIN
            paint_cell(painter, rect, column, cell, margin=margin, selected=selected, muted=row.muted)
        if index.row() == self._view.currentIndex().row() and self._view.hasFocus():
            self._paint_ring(painter, rect, index.column(), len(model.columns))
        painter.restore()

    def _paint_ring(self, painter: QPainter, rect: QRect, column: int, columns: int) -> None:
        # The ring goes round the whole row: each cell draws its part of it.
        whole = QRect(rect)
        if column > 0:
            whole = (
                drawing.mirrored(whole.adjusted(-12, 0, 0, 0), whole)
                if not drawing.is_rtl()
                else whole.adjusted(0, 0, 12, 0)
            )
        if column < columns - 1:
            whole = whole.adjusted(0, 0, 12, 0) if not drawing.is_rtl() else whole.adjusted(-12, 0, 0, 0)
        drawing.ring(painter, whole.adjusted(0, 0, 0, -1), TOKENS.radius["tag"])

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(40, theme().row_height)


class _Header(QHeaderView):
    """Column titles; the sorted one is in ink, with its chevron before it."""

    def __init__(self, table: ListTable) -> None:
        super().__init__(Qt.Orientation.Horizontal, table)
        self._table = table
        self.sorted_by = ""
        self.descending = True
        self.setFixedHeight(TOKENS.row["header"])
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def paintSection(self, painter: QPainter, rect: QRect, index: int) -> None:
        columns = self._table.paged.columns
        if index >= len(columns):
            return
        column = columns[index]
        look = theme()
        painter.save()
        painter.setClipRect(rect)
        painter.fillRect(rect, look.color("surface"))
        drawing.hairline(painter, rect.left(), rect.right() + 1, rect.bottom())
        on = column.key == self.sorted_by and bool(column.key)
        area = drawing.mirrored(rect.adjusted(FIRST_MARGIN if index == 0 else MARGIN, 0, -MARGIN, 0), rect)
        weight = "semibold" if on else "regular"
        drawing.text(
            painter,
            area,
            column.title,
            size="label",
            weight=weight,
            color="text" if on else "muted",
            align="trailing" if column.trails else "leading",
        )
        if on:
            words = look.metrics("label", weight).horizontalAdvance(column.title)
            x = area.right() - words - 19 if column.trails else area.left() + words + 6
            at = drawing.mirrored(QRect(x, area.center().y() - 6, 14, 14), area)
            icon = "chevron-down" if self.descending else "chevron-up"
            icons.draw(painter, icon, at, look.color("text"))
        painter.restore()


class ListTable(QTableView):
    """Rows of a model; the one that is current opens beside it."""

    opened = Signal(object)  # id of the current row, or None
    chosen = Signal()  # the selection changed
    activated_id = Signal(object)  # Enter or double click
    sort_wanted = Signal(str, bool)

    def __init__(self, model: PagedModel, name: str) -> None:
        super().__init__()
        self.paged = model
        self.hovered = -1
        self.setModel(model)
        self.setAccessibleName(name)
        self.setProperty(FOCUS_FIRST, True)
        self.setItemDelegate(_Delegate(self))
        self._header = _Header(self)
        self.setHorizontalHeader(self._header)
        self._header.sectionClicked.connect(self._sort)
        self._header.show()
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(1)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBar(QuietBar(Qt.Orientation.Vertical))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setCornerButtonEnabled(False)
        self.doubleClicked.connect(lambda index: self.activated_id.emit(self.paged.id_at(index.row())))
        self.entered.connect(self._enter)
        model.modelReset.connect(self._reset)
        self._kept: Hashable | None = None
        theme().changed.connect(self._density)
        self._density()

    def sorted_by(self, key: str, *, descending: bool) -> None:
        """Show in the header what the fetcher sorts by."""
        self._header.sorted_by = key
        self._header.descending = descending
        self._header.viewport().update()

    def current_id(self) -> Hashable | None:
        return self.paged.id_at(self.currentIndex().row())

    def selected_ids(self) -> list[Hashable]:
        """Ids of the selected rows, in the order of the list."""
        ids = self.paged.ids
        out: list[Hashable] = []
        for span in self._spans():
            out.extend(ids[span.top() : span.bottom() + 1])
        return out

    def selected_count(self) -> int:
        return sum(span.height() for span in self._spans())

    def _spans(self) -> list[QItemSelectionRange]:
        return sorted(self.selectionModel().selection().toList(), key=lambda span: span.top())

    def select_row(self, row: int) -> None:
        """Make `row` the current and only selected one."""
        if 0 <= row < len(self.paged.ids):
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.selectionModel().setCurrentIndex(self.paged.index(row, 0), flags)

    def show_model(self, model: PagedModel) -> None:
        """Show other rows in the same columns."""
        old = self.paged
        self.paged = model
        model.modelReset.connect(self._reset)
        self.setModel(model)
        old.deleteLater()
        self._fit()
        self.chosen.emit()

    def setModel(self, model: object) -> None:
        super().setModel(model)  # type: ignore[arg-type]
        # The model ends with the table. Python's to end, it would end wherever the collector runs, in a worker too.
        self.paged.setParent(self)
        self.selectionModel().currentRowChanged.connect(self._current)
        self.selectionModel().selectionChanged.connect(lambda *_a: self.chosen.emit())

    def _current(self, now: QModelIndex, _before: QModelIndex) -> None:
        key = self.paged.id_at(now.row())
        if key is not None:
            self._kept = key
        self.opened.emit(key)
        self.viewport().update()

    def _reset(self) -> None:
        # The same thing stays current after a reload, wherever it went.
        self.hovered = -1
        row = self.paged.row_of(self._kept) if self._kept is not None else -1
        if row >= 0:
            self.select_row(row)
        else:
            self.opened.emit(None)
        self.chosen.emit()

    def _enter(self, index: QModelIndex) -> None:
        self._hover(index.row())

    def _hover(self, row: int) -> None:
        if row != self.hovered:
            for changed in (self.hovered, row):
                if changed >= 0:
                    y = self.rowViewportPosition(changed)
                    self.viewport().update(0, y, self.viewport().width(), theme().row_height)
            self.hovered = row

    def leaveEvent(self, event: object) -> None:
        self._hover(-1)
        super().leaveEvent(event)  # type: ignore[arg-type]

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        if not self.currentIndex().isValid() and len(self.paged.ids):
            self.select_row(0)
        self.viewport().update()

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.activated_id.emit(self.current_id())
            return
        if event.key() == Qt.Key.Key_Space:
            self._tell_whole()
            return
        if event.text().isprintable() and event.text() and not event.modifiers():
            event.ignore()  # a letter is a shortcut or a search, never a jump through names
            return
        super().keyPressEvent(event)

    def _tell_whole(self) -> None:
        """What the current row says, uncut."""
        row = self.paged.row_at(self.currentIndex().row())
        if row is not None:
            words = "\n".join(spoken(cell.shown) for cell in row.cells if cell.shown)
            at = self.visualRect(self.currentIndex()).bottomLeft()
            QToolTip.showText(self.viewport().mapToGlobal(at), words, self)

    def _sort(self, section: int) -> None:
        column = self.paged.columns[section]
        if column.sortable:
            same = column.key == self._header.sorted_by
            descending = not self._header.descending if same else column.trails
            self.sort_wanted.emit(column.key, descending)

    def _density(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme().row_height)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        columns = self.paged.columns
        if not columns:
            return
        room = self.viewport().width()
        gone = 0
        while gone < 2 and room - sum(c.width for c in columns if not 0 < c.spare <= gone) < NAME_GOOD:
            gone += 1
        fixed = sum(c.width for c in columns if not 0 < c.spare <= gone)
        free = max(room - fixed, NAME_MIN)
        stretching = [i for i, c in enumerate(columns) if c.width == 0]
        for i, column in enumerate(columns):
            self.setColumnHidden(i, 0 < column.spare <= gone)
            width = column.width or free // max(1, len(stretching))
            if self.columnWidth(i) != width:
                self.setColumnWidth(i, width)


class RowStack(QWidget):
    """Rows painted one below the other inside something that scrolls already; only those in sight are painted."""

    activated_row = Signal(int)

    def __init__(self, columns: tuple[Column, ...], rows: list[Row], *, indent: int = 0) -> None:
        super().__init__()
        self._columns = columns
        self._rows = rows
        self._indent = indent
        self.setAccessibleName("\n".join(r.cells[0].shown for r in rows[:50]))
        self._resize()

    def set_rows(self, rows: list[Row]) -> None:
        self._rows = rows
        self._resize()
        self.update()

    def _resize(self) -> None:
        self.setFixedHeight(len(self._rows) * theme().row_height)

    def mouseDoubleClickEvent(self, event: object) -> None:
        self.activated_row.emit(int(event.position().y()) // theme().row_height)  # type: ignore[attr-defined]

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        dirty: QRect = event.rect()  # type: ignore[attr-defined]
        height = theme().row_height
        fixed = sum(c.width for c in self._columns)
        free = max(self.width() - self._indent - fixed, NAME_MIN)
        for number in range(
            max(0, dirty.top() // height), min(len(self._rows), dirty.bottom() // height + 1)
        ):
            x, top = self._indent, number * height
            line = drawing.mirrored(QRect(x, top, self.width() - x, height), self.rect())
            drawing.hairline(painter, line.left(), line.right() + 1, top + height - 1, strength=0.6)
            for i, column in enumerate(self._columns):
                width = column.width or free
                at = drawing.mirrored(QRect(x, top, width, height), self.rect())
                row = self._rows[number]
                margin = 0 if i == 0 else MARGIN
                paint_cell(painter, at, column, row.cells[i], margin=margin, selected=False, muted=row.muted)
                x += width
        painter.end()
