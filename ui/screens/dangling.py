"""What is referred to and not held: a notice over the list that is narrowed to it, and what is missing, by id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QSizePolicy

from app.holdings import graph, titles
from app.jobs import Job
from app.messages import Refused, _
from app.store.installation import Installation
from ui import icons, numbers
from ui.desk import Desk
from ui.jobs import Task
from ui.widgets.buttons import Button, CopyButton
from ui.widgets.layout import Pane, column
from ui.widgets.notices import Notice
from ui.widgets.paging import Cell, Column, Made, Row, fixed_rows
from ui.widgets.sheet import Sheet
from ui.widgets.table import ListTable
from ui.widgets.text import muted

SHOWN = 1_000
"""References that are looked at for the list."""
HEIGHT = 560


@dataclass(frozen=True)
class Missing:
    """An object that is not held: its id, which objects name it (ids), and what the first of these is called."""

    id: str
    by: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class Found:
    """What is missing, in order of arrival of what names it; `more`: there is more than was looked at."""

    missing: tuple[Missing, ...]
    more: bool


def find(installation: Installation, limit: int = SHOWN) -> Found:
    """What the first `limit` references to something that is not held name, each once."""
    references, following = graph.dangling(installation, limit)
    by: dict[str, dict[str, None]] = {}
    for one in references:
        by.setdefault(one.target, {})[one.id] = None
    firsts = [next(iter(ids)) for ids in by.values()]
    names = {id_: title.words for id_, title in titles.of_ids(installation, firsts).items()}
    missing = (
        Missing(target, tuple(ids), names.get(first, first))
        for (target, ids), first in zip(by.items(), firsts, strict=True)
    )
    return Found(tuple(missing), following is not None)


class DanglingNotice(Pane):
    """Says what the list is narrowed to, and leads to what is missing. `show` gets the id of an object to show."""

    def __init__(
        self, desk: Desk, show: Callable[[str], object], refused: Callable[[Refused], object]
    ) -> None:
        super().__init__()
        self._desk, self._show, self._refused = desk, show, refused
        self._asked: Task | None = None
        words = _("Each of these refers to something that is not held.")
        notice = Notice(words, action=Button(_("Show what is missing…"), run=self.ask))
        self.setLayout(column(notice, margins=(0, 0, 0, 8)))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def ask(self) -> None:
        """Look for what is missing, and show it."""
        if self._asked in self._desk.jobs.running:
            return

        def work(installation: Installation, _job: Job) -> Found:
            return find(installation)

        def done(found: Found) -> None:
            DanglingSheet(self._desk, found, self._show).open()

        self._asked = self._desk.read(work, done, self._refused, title=_("Look for what is missing"))


class DanglingSheet(Sheet):
    """What is missing, by its id, and what names it."""

    def __init__(self, desk: Desk, found: Found, show: Callable[[str], object]) -> None:
        super().__init__(
            desk.window,
            _("Referred to, and not held"),
            _("All holdings are looked at, whatever the list is narrowed to."),
            height=HEIGHT,
        )
        self._missing: Sequence[Missing] = found.missing
        self._show = show

        def row(one: Missing) -> Row:
            icon = icons.object_icon(one.id.partition("--")[0])
            return Row((Cell(one.id, icon=icon), Cell(one.name), Cell(numbers.number(len(one.by)))), data=one)

        columns = (
            Column("id", _("Not held"), 0, "mono"),
            Column("name", _("Named by"), 200),
            Column("count", _("Objects"), 88, "number"),
        )
        self.table = ListTable(fixed_rows(columns, Made(found.missing, row)), _("Referred to, and not held"))
        self.table.setFixedHeight(HEIGHT - 190)
        self.table.activated_id.connect(self._open)
        self.body.addWidget(self.table)
        said = numbers.objects(len(found.missing))
        if found.more:
            said = _("The first {objects}; there are more.").format(objects=said)
        self.foot_lead.addWidget(muted(said))
        self.foot_lead.addWidget(CopyButton(self._ids, _("Copy all ids")))
        self.foot_trail.addWidget(Button(_("Show what names it"), run=self.show_current))
        self.foot_trail.addWidget(Button(_("Close"), run=self.close_sheet))
        self.table.select_row(0)

    def open(self) -> None:
        super().open()
        self.table.setFocus()

    def _ids(self) -> str:
        return "\n".join(one.id for one in self._missing)

    def show_current(self) -> None:
        """Show the first object that names the current one."""
        self._open(self.table.current_id())

    def _open(self, key: object) -> None:
        if isinstance(key, int):
            self.close_sheet()
            self._show(self._missing[key].by[0])
