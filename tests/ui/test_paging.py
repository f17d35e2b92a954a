"""Rows a page at a time: only what is in sight is fetched, a million rows cost nothing, selection survives a reload."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTableView

from app.jobs import Job
from app.messages import Refused
from tests.ui.driving import click_row
from ui.theme import theme
from ui.widgets.paging import PAGE, PAGES_KEPT, Cell, Column, PagedModel, Row
from ui.widgets.table import ListTable

COLUMNS = (Column("name", "Name", 0, "name", True), Column("at", "Changed", 90, "date", True))


class Source:
    """Rows of numbers, and which were asked for."""

    def __init__(self, count: int) -> None:
        self.ids: Sequence[Hashable] = range(count)
        self.asked: list[list[Hashable]] = []
        self.waiting: list[Callable[[], None]] = []
        self.late = False

    def fetch_ids(self, _job: Job) -> Sequence[Hashable]:
        return self.ids

    def fetch_rows(self, _job: Job, ids: Sequence[Hashable]) -> list[Row]:
        self.asked.append(list(ids))
        return [Row((Cell(f"name {i}"), Cell("22 Nov"))) for i in ids]

    def read(
        self, work: Callable[[Job], Any], done: Callable[[Any], object], failed: Callable[[Refused], object]
    ) -> None:
        try:
            result = work(Job())
        except Refused as refused:
            self.waiting.append(partial(failed, refused))
            return
        if self.late:
            self.waiting.append(lambda: done(result))
        else:
            done(result)


def model(source: Source) -> PagedModel:
    made = PagedModel(COLUMNS, source.fetch_ids, source.fetch_rows, source.read)
    made.reload()
    return made


def test_a_million_rows_show_at_once(qapp: QApplication) -> None:
    source = Source(1_000_000)
    table = ListTable(model(source), "rows")
    table.resize(700, 600)
    table.show()
    table.grab()
    assert len(source.asked) == 1
    table.scrollToBottom()
    table.grab()
    assert len(source.asked) <= 3
    assert source.asked[-1][-1] == 999_999


def test_pages_are_of_two_hundred_and_the_oldest_are_forgotten(qapp: QApplication) -> None:
    source = Source(PAGE * (PAGES_KEPT + 2))
    made = model(source)
    for page in range(PAGES_KEPT + 2):
        assert made.row_at(page * PAGE) is not None
    assert [len(ids) for ids in source.asked] == [PAGE] * (PAGES_KEPT + 2)
    made.row_at(0)
    assert source.asked[-1][0] == 0


def test_a_page_that_is_not_here_yet_is_asked_for_once(qapp: QApplication) -> None:
    source = Source(500)
    made = model(source)
    source.late = True
    assert made.row_at(3) is None
    assert made.row_at(4) is None
    assert len(source.waiting) == 1
    source.waiting.pop()()
    row = made.row_at(3)
    assert row is not None
    assert row.cells[0].text == "name 3"


def test_rows_of_an_old_list_never_show(qapp: QApplication) -> None:
    source = Source(500)
    made = model(source)
    source.late = True
    made.row_at(0)
    source.ids = range(1000, 1500)
    made.reload()
    old, new = source.waiting
    new()
    old()
    source.late = False
    row = made.row_at(0)
    assert row is not None
    assert row.cells[0].text == "name 1000"


def test_the_current_row_stays_current_wherever_it_goes(qapp: QApplication) -> None:
    source = Source(100)
    made = model(source)
    table = ListTable(made, "rows")
    table.show()
    table.select_row(7)
    source.ids = list(reversed(range(100)))
    made.reload()
    assert table.current_id() == 7
    assert table.currentIndex().row() == 92


def test_selection_gives_ids_in_order(qapp: QApplication) -> None:
    table = ListTable(model(Source(50)), "rows")
    table.resize(600, 500)
    table.show()
    click_row(table, 3)
    click_row(table, 5, Qt.KeyboardModifier.ShiftModifier)
    click_row(table, 1, Qt.KeyboardModifier.ControlModifier)
    assert table.selected_ids() == [1, 3, 4, 5]
    assert table.selected_count() == 4
    table.selectAll()
    assert table.selected_count() == 50


def test_keys(qapp: QApplication) -> None:
    table = ListTable(model(Source(50)), "rows")
    opened: list[object] = []
    activated: list[object] = []
    table.opened.connect(opened.append)
    table.activated_id.connect(activated.append)
    table.show()
    table.select_row(0)
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert opened[-1] == 1
    assert activated == [1]


def test_sorting_is_asked_for_never_done(qapp: QApplication) -> None:
    table = ListTable(model(Source(50)), "rows")
    table.show()
    wanted: list[tuple[str, bool]] = []
    table.sort_wanted.connect(lambda key, down: wanted.append((key, down)))
    header = table.horizontalHeader()
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=header.viewport().rect().center())
    assert wanted
    assert not table.isSortingEnabled()
    assert isinstance(table, QTableView)
    assert table.model() is table.paged


@pytest.mark.parametrize("width,shown", [(900, [0, 1, 2, 3]), (560, [0, 1, 3]), (420, [0, 3])])
def test_columns_give_way_to_names(qapp: QApplication, width: int, shown: list[int]) -> None:
    columns = (
        Column("name", "Name", 0, "name"),
        Column("type", "Type", 118, spare=2),
        Column("source", "Source", 140, spare=1),
        Column("at", "Changed", 104, "date"),
    )
    source = Source(5)
    made = PagedModel(columns, source.fetch_ids, source.fetch_rows, source.read)
    made.reload()
    table = ListTable(made, "rows")
    table.resize(width, 300)
    table.show()
    QApplication.processEvents()
    assert [n for n in range(4) if not table.isColumnHidden(n)] == shown
    assert sum(table.columnWidth(n) for n in shown) <= table.viewport().width()


@pytest.mark.parametrize("density,height", [("normal", 32), ("compact", 28)])
def test_density(qapp: QApplication, density: str, height: int) -> None:
    table = ListTable(model(Source(5)), "rows")
    theme().set_density(density)  # type: ignore[arg-type]
    assert table.rowHeight(0) == height


def test_emptied_models_hold_nothing(qapp: QApplication) -> None:
    made = model(Source(500))
    made.row_at(0)
    made.empty()
    assert made.rowCount() == 0
    assert not made._pages


def test_a_refusal_of_what_is_not_asked_for_any_more_is_not_told(qapp: QApplication) -> None:
    source = Source(5)
    made = model(source)
    told: list[object] = []
    made.refused.connect(told.append)

    def refuses(_job: Job) -> Sequence[Hashable]:
        raise Refused("query-filter")

    made._fetch_ids = refuses
    made.reload()
    made._fetch_ids = source.fetch_ids
    made.reload()
    source.waiting.pop()()
    assert told == []
    made._fetch_ids = refuses
    made.reload()
    source.waiting.pop()()
    assert len(told) == 1


def test_rows_asked_for_before_the_ids_came_are_not_taken_for_theirs(qapp: QApplication) -> None:
    """The readers work side by side: the rows of the old ids may come after the new ids."""
    source = Source(5)
    made = model(source)
    source.late = True
    source.ids = [100]
    made.reload()
    assert made.row_at(0) is None
    ids, rows = source.waiting
    ids()
    rows()
    row = made.row_at(0)
    assert row is None
    source.waiting[-1]()
    row = made.row_at(0)
    assert row is not None
    assert row.cells[0].text == "name 100"
