"""Audit: the tamper-evident log as a list, newest first, and one entry beside it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

from app import audit
from app.audit import checking, papers
from app.courier import folder
from app.holdings import titles
from app.jobs import Job
from app.messages import N_, _, sentence
from app.store.installation import Installation
from ui import files, numbers, reading
from ui.actions import Entry
from ui.desk import AUDIT, Desk
from ui.safe_text import isolate, isolate_file
from ui.widgets.buttons import Button
from ui.widgets.layout import Item, Pane, column
from ui.widgets.notices import Empty, Refusal, ResultLine
from ui.widgets.page import Header, ListDetail, ListPane
from ui.widgets.paging import Cell, Column, PagedModel, Row
from ui.widgets.panel import DetailPanel, ResultFoot, fact
from ui.widgets.table import ListTable, date_width
from ui.widgets.text import muted, title
from ui.words import act_word, detail_value, detail_word, setting_value

BREAKS_SHOWN = 50
_ICONS = {
    "log": "scroll-text",
    "locked": "lock",
    "import": "download",
    "release": "send",
    "receipt": "receipt",
    "package": "package-open",
    "counterpart": "users",
    "unlocked": "lock-open",
    "created": "key-round",
    "handling": "tag",
    "conflict": "split",
    "setting": "settings",
    "officer": "user",
    "agreement": "handshake",
    "drop": "folder-open",
    "ack": "check-check",
    "epoch": "history",
    "export": "upload",
    "packages": "rotate-ccw",
    "sector": "tag",
    "slot": "key-round",
    "store": "key-round",
    "channel": "link-2",
    "attachment": "paperclip",
}


class Audit(Pane):
    """The log."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self._desk = desk
        columns = (
            Column("act", _("Act"), 0, "name"),
            Column("officer", _("Officer"), 150, spare=1),
            Column("at", _("When"), date_width(time=True), "date"),
            Column("number", _("Entry"), 76, "number"),
        )
        self.model = PagedModel(columns, self._ids, self._rows, desk.jobs.read)
        self.model.refused.connect(desk.refused)
        self.table = ListTable(self.model, _("Audit"))
        self.table.opened.connect(self._open)
        check = Button(_("Check the log"), icon="shield-check", run=self.check)
        export = Button(_("Export…"), icon="upload", run=self.ask_export)
        self.header = Header(_("Audit"), check, export)
        self.refusal = Refusal()
        self.result = ResultLine()
        desk.acting.connect(self.result.clear)
        desk.acting.connect(self.refusal.clear)
        self.listing = ListPane(
            self.header, [self.refusal], self.table, Empty("scroll-text", _("No entry yet."))
        )
        side = Pane("surface", layout=column(self.listing, ResultFoot(self.result)))
        self.panel = DetailPanel()
        self.split = ListDetail(side, self.panel)
        self.setLayout(column(self.split))
        self.model.loaded.connect(self._loaded)
        desk.changed.connect(self._changed)
        self.model.reload()

    def register(self) -> None:
        add = self._desk.actions.add
        add(Entry("check-log", "file", N_("Check the log"), "", "shield-check", 5), self.check)
        add(Entry("export-log", "file", N_("Export the log…"), "", "upload", 5), self.ask_export)

    def _ids(self, _job: Job) -> Sequence[Hashable]:
        newest = audit.entries(self._desk.installation.database.read(), None, 1)
        return range(newest[0].number, 0, -1) if newest else ()

    def _rows(self, _job: Job, ids: Sequence[Hashable]) -> list[Row]:
        first = ids[0]
        assert isinstance(first, int)
        found = audit.entries(self._desk.installation.database.read(), first + 1, len(ids))
        return [
            Row(
                (
                    Cell(_said(e), icon=_ICONS.get(e.act.split(".")[0], "circle-dot")),
                    Cell(e.officer),
                    Cell(numbers.moment(e.at)),
                    Cell(numbers.number(e.number)),
                ),
                data=e,
            )
            for e in found
        ]

    def _loaded(self, count: int) -> None:
        self.header.count.setText(numbers.number(count))
        self.listing.show_empty(not count)
        if count and self.table.current_id() is None:
            self.table.select_row(0)

    def _open(self, number: object) -> None:
        self.split.want_detail(number is not None)
        if not isinstance(number, int):
            self.panel.show_items([Empty("scroll-text", _("Choose an entry to read it."))])
            return

        def work(installation: Installation, _job: Job) -> tuple[audit.Entry, dict[str, str]]:
            entry = audit.entries(installation.database.read(), number + 1, 1)[0]
            return entry, _called(installation, entry)

        self._desk.read(work, lambda found: self._show(*found))

    def _show(self, entry: audit.Entry, names: dict[str, str]) -> None:
        """One entry; `names` says what the counterparts and objects in it are called."""
        items: list[Item] = [
            muted(_("Entry {n}").format(n=numbers.number(entry.number))),
            4,
            title(act_word(entry.act)),
            12,
            fact(_("Officer"), entry.officer),
            4,
            fact(_("When"), numbers.moment(entry.at)),
            4,
            fact(_("Act"), entry.act, mono=True),
        ]
        setting = _setting(entry)
        if setting is not None:
            self.panel.show_items([*items, 4, fact(*setting)])
            return
        for name, value in entry.detail.items():
            text = detail_value(entry.act, name, value)
            called = names.get(text, "")
            if called:
                items += [4, fact(detail_word(name), isolate(called)), fact("", text, mono=True)]
            else:
                items += [4, fact(detail_word(name), text, mono=len(text) >= 32)]
        self.panel.show_items(items)

    def check(self) -> None:
        """Check that no entry was altered, dropped or reordered."""
        self._desk.go.emit("audit")
        self.refusal.clear()

        def work(installation: Installation, _job: Job) -> list[checking.Break]:
            return checking.check(installation)

        def done(problems: list[checking.Break]) -> None:
            if problems:
                self.refusal.show_code(problems[0].code, {"where": problems[0].where})
                self._show_breaks(problems)
            else:
                self.result.say(
                    _("The log is whole, and is what every package sealed here committed to."), keep=True
                )

        self._desk.write(work, done, self.refusal.show_refusal, changes=(), title=_("Check the log"))

    def _show_breaks(self, problems: list[checking.Break]) -> None:
        """What does not hold, one after the other, in the place of an entry."""
        self.split.want_detail(True)
        items: list[Item] = [title(_("What does not hold"))]
        for one in problems[:BREAKS_SHOWN]:
            items += [12, fact(one.where, sentence(one.code, {"where": one.where}))]
        if len(problems) > BREAKS_SHOWN:
            more = _("and {n} more").format(n=numbers.number(len(problems) - BREAKS_SHOWN))
            items += [12, muted(more)]
        self.panel.show_items(items)

    def ask_export(self) -> None:
        self._desk.go.emit("audit")
        files.ask_new(self.window(), _("Export the log"), "mithaq-audit.jsonl", self.export)

    def export(self, path: Path) -> None:
        """Write the log with its signed checkpoint to a file."""
        self.refusal.clear()

        def work(installation: Installation, _job: Job) -> int:
            with installation.database.write() as tx:
                audit.append(tx, installation, "log.exported")
            with installation.database.snapshot() as reader:
                return folder.write_pieces(path, papers.export(reader, installation))

        def done(size: int) -> None:
            words = _("The log was written to {name} ({size}).")
            self.result.say(words.format(name=isolate_file(path.name), size=numbers.size(size)))

        self._desk.write(work, done, self.refusal.show_refusal, changes=(), title=_("Export the log"))

    def _changed(self, what: frozenset[str]) -> None:
        if AUDIT in what:
            self.model.reload()

    def forget(self) -> None:
        self.model.empty()
        self.panel.show_items([])


def _said(entry: audit.Entry) -> str:
    """An act with the facts that tell it from its neighbours."""
    detail = entry.detail
    parts = [act_word(entry.act)]
    if isinstance(detail.get("objects"), int):
        parts.append(numbers.objects(int(str(detail["objects"]))))
    if isinstance(detail.get("alias"), str):
        parts.append(isolate(str(detail["alias"])))
    if isinstance(detail.get("seq"), int):
        parts.append(_("package {n}").format(n=numbers.number(int(str(detail["seq"])))))
    setting = _setting(entry)
    if setting is not None:
        parts.append(_("{name}: {value}").format(name=setting[0], value=setting[1]))
    return " · ".join(parts)


def _setting(entry: audit.Entry) -> tuple[str, str] | None:
    """Which setting was changed, and to what."""
    name, value = entry.detail.get("name"), entry.detail.get("value")
    if entry.act != "setting.changed" or not isinstance(name, str) or not isinstance(value, str):
        return None
    return detail_value(entry.act, "name", name), setting_value(name, value)


def _called(installation: Installation, entry: audit.Entry) -> dict[str, str]:
    """What the counterparts and the object that an entry tells of are called here, by fingerprint and id."""
    told = {value for value in entry.detail.values() if isinstance(value, str)}
    names = {one: alias for one, alias in reading.senders(installation).items() if one in told}
    object_ = entry.detail.get("object")
    if isinstance(object_, str):
        called = titles.of_ids(installation, [object_])
        names |= {id_: title.words for id_, title in called.items() if title.words != id_}
    return names
