"""All that an object is linked with, a page at a time, on a sheet; one of it can be shown."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from app.holdings import graph, titles
from app.holdings.graph import Neighbour
from app.holdings.titles import Title
from app.jobs import Job
from app.messages import Refused, _, ngettext
from ui import numbers
from ui.desk import Desk
from ui.safe_text import isolate, short_id
from ui.screens.named import named
from ui.widgets.buttons import Button
from ui.widgets.notices import Refusal
from ui.widgets.paging import Cell, Column, PagedModel, Row
from ui.widgets.sheet import Sheet
from ui.widgets.table import ListTable
from ui.widgets.text import muted
from ui.words import property_word, type_word

MOST = 100_000
"""Links that are listed; of an object that everything refers to there may be millions."""
HEIGHT = 560


def said(one: Neighbour) -> str:
    """Which of the two says what of the other."""
    word = isolate(one.rel if one.by else property_word(one.rel))
    return (_("this: {link}") if one.outward else _("{link}: this")).format(link=word)


class LinkedSheet(Sheet):
    """What the object `id_`, called `name`, is linked with. `show` gets the one that is to be shown."""

    def __init__(self, desk: Desk, id_: str, name: str, show: Callable[[Neighbour], object]) -> None:
        super().__init__(desk.window, _("Linked"), isolate(name), height=HEIGHT)
        self._installation = desk.installation
        self._id = id_
        self._show = show
        self._more = False
        columns = (
            Column("name", _("Name"), 0, "name"),
            Column("type", _("Type"), 136),
            Column("link", _("Link"), 220),
        )
        self.model = PagedModel(columns, self._links, self._rows, desk.jobs.read)
        self.table = ListTable(self.model, _("Linked"))
        self.table.setFixedHeight(HEIGHT - 190)
        self.table.activated_id.connect(lambda _key: self.show_current())
        self.refusal = Refusal()
        self.body.addWidget(self.refusal)
        self.body.addWidget(self.table)
        self.count = muted()
        self.foot_lead.addWidget(self.count)
        self.button = Button(_("Show the object"), run=self.show_current)
        self.foot_trail.addWidget(self.button)
        self.foot_trail.addWidget(Button(_("Close"), run=self.close_sheet))
        self.model.loaded.connect(self._loaded)
        self.model.refused.connect(self._refuse)
        self.table.opened.connect(lambda _key: self._fit())
        self.model.dataChanged.connect(lambda *_which: self._fit())
        # What is still being read when it closes comes too late.
        self.closed.connect(self.model.empty)
        self.model.reload()

    def open(self) -> None:
        super().open()
        self.table.setFocus()

    def _links(self, _job: Job) -> Sequence[Hashable]:
        found, self._more = graph.links_of(self._installation, self._id, MOST)
        return found

    def _rows(self, _job: Job, ids: Sequence[Hashable]) -> list[Row]:
        found = graph.told(self._installation, ids)  # type: ignore[arg-type]
        called = titles.of_held(self._installation, (one.row for one in found))
        return [_row(one, called) for one in found]

    def _loaded(self, count: int) -> None:
        words = ngettext("{n} link", "{n} links", count).format(n=numbers.number(count))
        if self._more:
            words = _("The first {links}; there are more.").format(links=words)
        self.count.setText(words)
        self.table.select_row(0)

    def _refuse(self, refused: Refused) -> None:
        self.refusal.show_refusal(refused)

    def _current(self) -> Neighbour | None:
        row = self.model.row_at(self.table.currentIndex().row())
        one = row.data if row is not None else None
        return one if isinstance(one, Neighbour) and one.row is not None else None

    def _fit(self) -> None:
        self.button.setEnabled(self._current() is not None)

    def show_current(self) -> None:
        """Show the object of the current row, if it is held."""
        one = self._current()
        if one is not None:
            self.close_sheet()
            self._show(one)


def _row(one: Neighbour, called: Mapping[int, Title]) -> Row:
    if one.row is None:
        name = Cell(short_id(one.far), icon="circle-question-mark")
        link = _("{link} · not held").format(link=said(one))
        return Row((name, Cell(type_word(one.far.partition("--")[0])), Cell(link)), data=one, muted=True)
    return Row(
        (named(one.row.type, called[one.row.oid]), Cell(type_word(one.row.type)), Cell(said(one))), data=one
    )
