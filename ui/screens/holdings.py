"""Holdings: everything held, found and filtered in the store, and one object beside the list."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QMenu

from app.formats import stix
from app.holdings import browsing, importing
from app.holdings.importing import Counts
from app.intel.marking import Level
from app.jobs import Job
from app.messages import N_, Refused, _, listed, ngettext
from app.store.installation import Installation
from app.store.selecting import Selection
from ui import files, icons, numbers, reading
from ui.actions import Entry
from ui.desk import HOLDINGS, INBOX, Desk
from ui.safe_text import isolate, visible
from ui.screens.object_panel import ObjectPanel
from ui.screens.told import Telling, Told
from ui.widgets.buttons import Button
from ui.widgets.chips import Chip, ChipRow, ChipSpec
from ui.widgets.layout import Pane, column, line
from ui.widgets.notices import Empty, Refusal, ResultLine
from ui.widgets.page import Header, ListDetail, ListPane, SearchField, count_text
from ui.widgets.paging import Cell, Column, PagedModel, Row
from ui.widgets.table import ListTable, date_width, tag_width
from ui.words import type_word

TYPE_CHIPS = 40
SOURCES = 30
SOURCE_LETTERS = 40


def shortened(name: str) -> str:
    """A source's name as a chip or a menu shows it."""
    return name if len(name) <= SOURCE_LETTERS else name[: SOURCE_LETTERS - 1] + "…"


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed to."""

    query: str = ""
    type: str = ""
    level: str = ""
    flag: str = ""  # conflict or revoked
    source: str = ""  # a file's name or a counterpart's alias

    def selection(self) -> Selection:
        return browsing.selection(
            self.query,
            (self.type,) if self.type else (),
            self.flag == "conflict",
            self.flag == "revoked",
            Level[self.level.replace("+", "_")] if self.level else None,
            self.source,
        )

    @property
    def any(self) -> bool:
        return self != Filter()


@dataclass(frozen=True)
class Numbers:
    """The counts that the filters carry."""

    total: int
    types: tuple[tuple[str, int], ...]
    conflicts: int
    revoked: int
    sources: tuple[str, ...]


class Holdings(Pane):
    """The list of what is held and the object beside it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self._desk = desk
        self._filter = Filter()
        self._order, self._descending = "modified", True
        columns = (
            Column("name", _("Name"), 0, "name", True),
            Column("type", _("Type"), 136, "text", True, spare=2),
            Column("marking", _("Marking"), tag_width(), "tag", True),
            Column("source", _("Source"), 140, spare=1),
            Column("modified", _("Changed"), date_width(), "date", True),
        )
        self.model = PagedModel(columns, self._ids, self._rows, desk.jobs.read)
        self.model.refused.connect(self._refuse)
        self.table = ListTable(self.model, _("Holdings"))
        self.table.sorted_by("modified", descending=True)
        self.table.sort_wanted.connect(self._sort)
        self.search = SearchField(_("Search name, id, value"), self._search)
        self._import = Button(_("Import…"), icon="download", run=self.ask_import)
        self.header = Header(_("Holdings"), self.search, self._import)
        self.types = ChipRow(self._choose_type)
        self.matches = count_text()
        self.flags = ChipRow(self._choose_flag, trailing=self.matches, toggles=True)
        self._level = Chip(ChipSpec("level", _("Marking")), opens=True)
        self._level.clicked.connect(self._open_levels)
        self._source = Chip(ChipSpec("source", _("Source")), opens=True)
        self._source.clicked.connect(self._open_sources)
        self._sources: tuple[str, ...] = ()
        self.result = ResultLine()
        self.refusal = Refusal()
        self.telling = Telling(desk.window)
        self.empty = Empty(
            "database",
            _("Nothing is held yet. Import a STIX bundle, or drop one here."),
            Button(_("Import…"), icon="download", run=self.ask_import),
        )
        self.nothing = Empty(
            "search",
            _("Nothing matches."),
            Button(_("Clear filters"), icon="x", run=self.clear_filters),
        )
        second = Pane(layout=line(self._level, self._source, self.flags, gap=8))
        self.listing = ListPane(
            self.header, [self.types, second, self.refusal, self.telling], self.table, self.empty
        )
        self.listing.stack.addWidget(self.nothing)
        self.selection_foot = SelectionFoot(self.release_selected, self.table.clearSelection, self.result)
        side = Pane("surface", layout=column(self.listing, self.selection_foot))
        self.panel = ObjectPanel(desk, self.release_selected, self.result.say, self.telling.tell)
        self.split = ListDetail(side, self.panel)
        self.setLayout(column(self.split))
        self.table.opened.connect(self._open)
        self.table.chosen.connect(self._chosen)
        self.table.activated_id.connect(self._open)
        self.model.loaded.connect(self._loaded)
        desk.changed.connect(self._changed)
        self._first_loaded = False
        self.reload()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _ids(self, _job: Job) -> Sequence[Hashable]:
        return browsing.oids(self._desk.installation, self._filter.selection(), self._order, self._descending)

    def _rows(self, _job: Job, ids: Sequence[Hashable]) -> list[Row]:
        return [self._row(one) for one in browsing.lines(self._desk.installation, ids)]  # type: ignore[arg-type]

    def _row(self, one: browsing.Line) -> Row:
        row = one.row
        level, handled = reading.shown_level(row)
        status = "conflict" if row.in_conflict else "revoked" if row.revoked else ""
        return Row(
            (
                Cell(row.name or row.id, icon=icons.object_icon(row.type), status=status),
                Cell(type_word(row.type)),
                Cell(level=level, handled=handled),
                Cell(one.source),
                Cell(numbers.day(row.modified) if row.modified else "–"),
            ),
            data=row,
        )

    def reload(self) -> None:
        """Fetch ids and counts anew."""
        chosen = self._filter

        def work(installation: Installation, _job: Job) -> Numbers:
            free = replace(chosen, type="").selection()
            types = browsing.counts_by_type(installation, free)
            return Numbers(
                reading.count(installation, Filter().selection()),
                tuple(types),
                reading.count(installation, Filter(flag="conflict").selection()),
                reading.count(installation, Filter(flag="revoked").selection()),
                tuple(name for _kind, name, _count in browsing.sources(installation)[:SOURCES]),
            )

        self.model.reload()
        self._desk.read(work, self._show_numbers, self._refuse)

    def _show_numbers(self, found: Numbers) -> None:
        self.header.count.setText(numbers.objects(found.total))
        self._sources = found.sources
        specs = [ChipSpec("", _("All"), sum(n for _t, n in found.types))]
        specs += [
            ChipSpec(kind, type_word(kind, many=True), count, icons.object_icon(kind))
            for kind, count in found.types[:TYPE_CHIPS]
        ]
        if self._filter.type and self._filter.type not in {s.key for s in specs}:
            kind = self._filter.type
            specs.append(ChipSpec(kind, type_word(kind, many=True), 0, icons.object_icon(kind)))
        self.types.set(specs, self._filter.type)
        self.flags.set(
            [
                ChipSpec("conflict", _("Conflicts"), found.conflicts, "split", "conflict"),
                ChipSpec("revoked", _("Revoked"), found.revoked, "ban", "danger"),
            ],
            self._filter.flag,
        )

    def _loaded(self, count: int) -> None:
        if self._filter.any:
            self.matches.setText(
                ngettext("{number} matches", "{number} match", count).format(number=numbers.number(count))
            )
        else:
            self.matches.setText("")
        self.listing.stack.setCurrentIndex(0 if count else 2 if self._filter.any else 1)
        self.split.want_detail(bool(count) and self.table.current_id() is not None)
        if count and not self.split.overlaid and self.table.current_id() is None:
            self.table.select_row(0)
        self.flags.updateGeometry()
        self.flags.set([c.spec for c in self.flags.chips], self._filter.flag)

    def _refuse(self, refused: Refused) -> None:
        self.refusal.show_refusal(refused)

    # --- filters ------------------------------------------------------------------------------------------------------

    def _narrow(self, chosen: Filter) -> None:
        if chosen != self._filter:
            self._filter = chosen
            self.refusal.clear()
            self.reload()

    def _search(self, words: str) -> None:
        self._narrow(replace(self._filter, query=words))

    def _choose_type(self, kind: str) -> None:
        self._narrow(replace(self._filter, type=kind))

    def _choose_flag(self, flag: str) -> None:
        self._narrow(replace(self._filter, flag=flag))

    def choose_level(self, level: str) -> None:
        """Show only what is treated at `level`; "" for all."""
        words = f"TLP:{level}" if level else _("Marking")
        self._level.set(ChipSpec("level", words), removable=bool(level))
        self._narrow(replace(self._filter, level=level))

    def choose_source(self, source: str) -> None:
        """Show only what came from a file or a counterpart; "" for all."""
        words = isolate(shortened(source)) if source else _("Source")
        self._source.set(ChipSpec("source", words), removable=bool(source))
        self._narrow(replace(self._filter, source=source))

    def _open_sources(self) -> None:
        if self._filter.source:
            self.choose_source("")
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for source in self._sources:
            # An ampersand would underline what follows it.
            words = visible(isolate(shortened(source))).replace("&", "&&")
            menu.addAction(words, partial(self.choose_source, source))
        menu.popup(self._source.mapToGlobal(QPoint(0, self._source.height() + 4)))

    def _open_levels(self) -> None:
        if self._filter.level:
            self.choose_level("")
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for level in reversed(Level):
            if level is not Level.UNREADABLE:
                menu.addAction(f"TLP:{level.label}", partial(self.choose_level, level.label))
        menu.popup(self._level.mapToGlobal(QPoint(0, self._level.height() + 4)))

    def clear_filters(self) -> None:
        """Show everything again."""
        self.search.blockSignals(True)
        self.search.clear()
        self.search.blockSignals(False)
        self._level.set(ChipSpec("level", _("Marking")))
        self._source.set(ChipSpec("source", _("Source")))
        self._narrow(Filter())

    def _sort(self, key: str, descending: bool) -> None:
        self._order, self._descending = key, descending
        self.table.sorted_by(key, descending=descending)
        self.model.reload()

    # --- acting -------------------------------------------------------------------------------------------------------

    def register(self) -> None:
        """Put what can be done here into the registry."""
        add = self._desk.actions.add
        add(Entry("import", "file", N_("Import…"), "Ctrl+I", "download", 1), self.ask_import)
        add(Entry("search", "edit", N_("Search the holdings"), "Ctrl+F", "search", 1), self.focus_search)
        add(Entry("clear-filters", "edit", N_("Clear filters"), "", "x", 1), self.clear_filters)
        add(Entry("select-all", "selection", N_("Select all"), "Ctrl+A", "list-checks", 1), self._select_all)
        add(Entry("select-none", "selection", N_("Select nothing"), "", "x", 1), self.table.clearSelection)
        add(
            Entry("release", "selection", N_("Release the selection…"), "Ctrl+R", "send", 2),
            self.release_selected,
        )
        add(
            Entry("release-all", "exchange", N_("Release everything held…"), "", "send", 1),
            lambda: self._desk.release_wanted.emit(None),
        )
        add(Entry("raw-json", "view", N_("Raw JSON"), "J", "braces", 5), self.panel.toggle_raw)

    def focus_search(self) -> None:
        self._desk.go.emit("holdings")
        self.search.setFocus()
        self.search.selectAll()

    def _select_all(self) -> None:
        self._desk.go.emit("holdings")
        self.table.selectAll()
        self.table.setFocus()

    def release_selected(self) -> None:
        """Hand the selection to the releases."""
        picked = self.table.selected_ids()
        if not picked:
            return

        def work(installation: Installation, _job: Job) -> tuple[str, ...]:
            return reading.stix_ids(installation, picked)  # type: ignore[arg-type]

        self._desk.read(work, self._desk.release_wanted.emit, self._refuse)

    def ask_import(self) -> None:
        """Ask for files to import."""
        self._desk.go.emit("holdings")
        stix.ready()
        files.ask(
            self.window(),
            _("Import"),
            self.import_file,
            filters=_("STIX 2.1 bundles (*.json);;All files (*)"),
            many=True,
        )

    def import_file(self, path: Path) -> None:
        """Import one file, at the default handling."""
        self.refusal.clear()
        self.telling.clear()

        def work(installation: Installation, job: Job) -> Counts:
            with stix.opened(path, job) as entries:
                size = stix.size(path)
                return importing.import_entries(installation, entries, path.name, None, job, size)

        def done(counts: Counts) -> None:
            self._say_imported(path.name, counts)

        title = _("Import: {name}").format(name=path.name)
        self._desk.write(
            work,
            done,
            self._refuse,
            changes=(HOLDINGS, INBOX),
            title=title,
            cancelled=lambda: self.result.say(_("Import cancelled. Nothing was changed.")),
        )

    def _say_imported(self, name: str, counts: Counts) -> None:
        parts = [
            (counts.new, _("{n} new")),
            (counts.newer, _("{n} newer")),
            (counts.same, _("{n} same")),
            (counts.older, _("{n} older")),
            (counts.conflicts, _("{n} in conflict")),
            (len(counts.refused), _("{n} refused")),
        ]
        said = listed(text.format(n=numbers.number(n)) for n, text in parts if n)
        words = _("{name}: {counts}").format(name=isolate(name), counts=said)
        self.result.say(words, keep=bool(counts.refused))
        hits = [hit for _id, hit in counts.first_hits]
        self.telling.tell_also(Told(counts.given, hits, counts.hits, counts.refused))
        if counts.refused:
            where, code = counts.refused[0]
            several = (_("Show…"), self.telling.show_all) if len(self.telling.told.refused) > 1 else None
            self.refusal.show_code(code, {"where": where}, several)

    def _open(self, oid: object) -> None:
        self.panel.show_object(oid if isinstance(oid, int) else None)
        self.split.want_detail(isinstance(oid, int))

    def _chosen(self) -> None:
        self.selection_foot.show_count(self.table.selected_count())

    def _changed(self, what: frozenset[str]) -> None:
        if HOLDINGS in what:
            self.reload()
            self.panel.reload()

    def forget(self) -> None:
        """Empty every model: locking."""
        self.model.empty()
        self.panel.show_object(None)


class SelectionFoot(Pane):
    """What is selected and what can be done with it; and the line that says what was done."""

    def __init__(self, release: object, clear: object, result: ResultLine) -> None:
        super().__init__("surface", "top")
        self._count = count_text()
        self._release = Button(_("Release…"), "secondary", icon="send", run=release)  # type: ignore[arg-type]
        self._clear = Button(_("Select nothing"), "quiet", run=clear)  # type: ignore[arg-type]
        self._result = result
        result.changed.connect(self.update)
        self.setFixedHeight(44)
        self.setLayout(line(self._count, self._clear, result, self._release, margins=(16, 0), gap=16))
        self.show_count(0)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._result.words or self._count.isVisible():
            super().paintEvent(event)

    def show_count(self, count: int) -> None:
        """How many rows are selected; one is only the one that is read."""
        many = count > 1
        words = ngettext("{number} selected", "{number} selected", count).format(number=numbers.number(count))
        self._count.setText(words if many else "")
        self._count.setVisible(many)
        self._clear.setVisible(many)
        self._release.setVisible(many)
