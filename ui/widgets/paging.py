"""Rows a page at a time: a model over ids whose rows are fetched when they come into sight.

`PagedModel(columns, fetch_ids, fetch_rows, read)` takes plain callables: `fetch_ids(job)` gives all ids in order,
`fetch_rows(job, ids)` the rows of some; both run through `read` (`Jobs.read`), off the window's thread.
Never a sort proxy: order and filter are the fetcher's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, overload

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.jobs import Job
from app.messages import Refused
from ui.safe_text import spoken, visible

PAGE = 200
PAGES_KEPT = 40

Kind = Literal["name", "text", "mono", "tag", "status", "date", "number"]
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Column:
    """One column: `width` 0 stretches. Dates and numbers trail, with a header that trails too.

    `spare`: where there is little room, columns of 1 go first, then those of 2; those of 0 always stay.
    """

    key: str
    title: str
    width: int = 0
    kind: Kind = "text"
    sortable: bool = False
    spare: int = 0

    @property
    def trails(self) -> bool:
        return self.kind in ("date", "number")


@dataclass(frozen=True)
class Cell:
    """What one cell shows. Text may be foreign; it is made safe when the cell is made."""

    text: str = ""
    icon: str = ""
    status: str = ""  # a status beside a name, or the status itself
    level: str = ""  # a TLP level
    handled: bool = False  # the level is a handling, not a marking
    both: bool = False  # one thing → another: where there is no room, both are cut
    shown: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "shown", visible(self.text))


@dataclass(frozen=True)
class Row:
    """The cells of one row, in the order of the columns, and what stands behind it."""

    cells: tuple[Cell, ...]
    data: Any = None
    muted: bool = False


Read = Callable[..., object]


class PagedModel(QAbstractTableModel):
    """Ids in a list, rows in pages of 200, the oldest pages forgotten."""

    loaded = Signal(int)  # number of ids, after each reload
    refused = Signal(object)  # Refused

    def __init__(
        self,
        columns: Sequence[Column],
        fetch_ids: Callable[[Job], Sequence[Hashable]],
        fetch_rows: Callable[[Job, Sequence[Hashable]], Sequence[Row]],
        read: Read,
    ) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self._fetch_ids = fetch_ids
        self._fetch_rows = fetch_rows
        self._read = read
        self._ids: Sequence[Hashable] = ()
        self._pages: OrderedDict[int, Sequence[Row]] = OrderedDict()
        self._asked: set[int] = set()
        self._generation = 0

    # --- what is shown ------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Fetch the ids anew. Until they are here, the old rows stay."""
        self._generation += 1
        generation = self._generation

        def done(ids: Sequence[Hashable]) -> None:
            if generation == self._generation:
                self._take(ids)

        self._read(self._fetch_ids, done, self._refuser())

    def refresh(self) -> None:
        """Fetch the rows in sight anew; the ids stay."""
        self._generation += 1
        self._pages.clear()
        self._asked.clear()
        if self._ids:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._ids) - 1, len(self.columns) - 1))

    def empty(self) -> None:
        """Forget everything at once: locking."""
        self._take(())

    def _take(self, ids: Sequence[Hashable]) -> None:
        self._generation += 1  # rows that were asked for meanwhile are those of other ids
        self.beginResetModel()
        self._ids = ids
        self._pages.clear()
        self._asked.clear()
        self.endResetModel()
        self.loaded.emit(len(ids))

    @property
    def ids(self) -> Sequence[Hashable]:
        return self._ids

    def id_at(self, row: int) -> Hashable | None:
        return self._ids[row] if 0 <= row < len(self._ids) else None

    def row_of(self, key: Hashable) -> int:
        """Where `key` stands, or -1."""
        try:
            return list(self._ids).index(key)
        except ValueError:
            return -1

    def row_at(self, row: int) -> Row | None:
        """The row if its page is here; else it is fetched, and None."""
        if row < 0:  # no row is the current one
            return None
        number, offset = divmod(row, PAGE)
        page = self._pages.get(number)
        if page is None:
            self._ask(number)
            page = self._pages.get(number)  # a reader that answers at once
            if page is None:
                return None
        self._pages.move_to_end(number)
        return page[offset] if offset < len(page) else None

    def _ask(self, number: int) -> None:
        if number in self._asked or number * PAGE >= len(self._ids):
            return
        self._asked.add(number)
        generation = self._generation
        ids = list(self._ids[number * PAGE : (number + 1) * PAGE])

        def done(rows: Sequence[Row]) -> None:
            if generation != self._generation:
                return
            self._asked.discard(number)
            self._pages[number] = rows
            while len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
            first = number * PAGE
            self.dataChanged.emit(
                self.index(first, 0),
                self.index(min(first + PAGE, len(self._ids)) - 1, len(self.columns) - 1),
            )

        self._read(lambda job: self._fetch_rows(job, ids), done, self._refuser())

    def _refuser(self) -> Callable[[Refused], None]:
        """Tells of a refusal, unless what was asked for is not wanted any more by then."""
        generation = self._generation

        def failed(refused: Refused) -> None:
            if generation == self._generation:
                self.refused.emit(refused)

        return failed

    # --- Qt's side ----------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.AccessibleTextRole,
        ):
            return None
        row = self.row_at(index.row())
        if row is None or index.column() >= len(row.cells):
            return None
        cell = row.cells[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole and not cell.text:
            return None
        words = [spoken(cell.shown), cell.level and f"TLP:{cell.level}", cell.status]
        return " ".join(w for w in words if w)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        return None


T = TypeVar("T")


class Made(Sequence[Row], Generic[T]):
    """Rows of things that are here already, each made when it is looked at."""

    def __init__(self, items: Sequence[T], make: Callable[[T], Row]) -> None:
        self._items = items
        self._make = make

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self._make(item) for item in self._items[index]]
        return self._make(self._items[index])


def fixed_rows(columns: Sequence[Column], rows: Sequence[Row]) -> PagedModel:
    """A model over rows that are here already."""

    def read(
        work: Callable[[Job], Any], done: Callable[[Any], None], _failed: Callable[[Refused], None]
    ) -> None:
        done(work(Job()))

    model = PagedModel(
        columns,
        lambda _job: range(len(rows)),
        lambda _job, ids: [rows[i] for i in ids],  # type: ignore[call-overload]
        read,
    )
    model.reload()
    return model
