"""Preview: what leaves, object by object, and the exact bytes of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtWidgets import QWidget

from app.exchange.releases import Item
from app.holdings import browsing
from app.holdings.titles import Title
from app.jobs import Job
from app.messages import _
from app.store.installation import Installation
from ui import numbers, reading
from ui.desk import Desk
from ui.screens.named import named
from ui.widgets.layout import Pane, Scroll, clear, column, line
from ui.widgets.paging import Cell, Column, Made, Row, fixed_rows
from ui.widgets.sheet import Sheet
from ui.widgets.table import ListTable, tag_width
from ui.widgets.text import Text, muted

HEIGHT = 640
TEXT_LIMIT = 200_000


class PreviewSheet(Sheet):
    """The list on the leading side, the exact text of the current one beside it."""

    def __init__(self, desk: Desk, items: Sequence[Item], names: Mapping[str, Title]) -> None:
        super().__init__(
            desk.window,
            _("Exactly what leaves"),
            _("The text of each object as it is stored, byte for byte."),
            width=1080,
            height=HEIGHT,
        )
        self._desk = desk
        self._items = items

        def row(item: Item) -> Row:
            level = Cell(level=reading.level_label(int(item.level)), handled=item.handling == item.level)
            return Row((named(item.type, names.get(item.id) or Title(item.id)), level), data=item)

        columns = (Column("name", _("Name"), 0, "name"), Column("level", _("Marking"), tag_width(), "tag"))
        self.table = ListTable(fixed_rows(columns, Made(items, row)), _("Exactly what leaves"))
        self.table.setFixedWidth(440)
        self.table.setFixedHeight(HEIGHT - 190)
        self.table.opened.connect(self._open)
        self._text = column(gap=8)
        inside = QWidget()
        inside.setLayout(column(self._text, None, margins=12))
        beside = Pane("sunken", layout=column(Scroll(inside)))
        beside.setFixedHeight(HEIGHT - 190)
        self.body.addLayout(line(self.table, beside, gap=12))
        self.foot_lead.addWidget(muted(numbers.objects(len(items))))
        self.table.select_row(0)

    def open(self) -> None:
        super().open()
        self.table.setFocus()

    def _open(self, key: object) -> None:
        if not isinstance(key, int):
            return
        item = self._items[key]

        def work(installation: Installation, _job: Job) -> str:
            return browsing.version_raw(installation, item.vid).decode("utf-8", "replace")

        def done(text: str) -> None:
            clear(self._text)
            self._text.addWidget(Text(item.sha256.hex(), size="small", mono=True, color="muted", wrap=True))
            self._text.addWidget(Text(text[:TEXT_LIMIT], size="label", mono=True, wrap=True))

        self._desk.read(work, done)
