"""Holdings: everything held, found and filtered in the store, and one object beside the list."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtGui import QPaintEvent

from app.formats import stix
from app.holdings import browsing, handling, importing
from app.holdings.importing import Counts
from app.intel.marking import Level
from app.jobs import Job
from app.messages import N_, Refused, _, listed, ngettext
from app.store.installation import Installation
from ui import files, numbers, reading
from ui.actions import Entry
from ui.desk import HOLDINGS, INBOX, Desk
from ui.safe_text import isolate
from ui.screens import filters
from ui.screens.dangling import DanglingNotice
from ui.screens.export import Export
from ui.screens.filters import Filter, Filters
from ui.screens.levels import open_levels
from ui.screens.named import named
from ui.screens.object_panel import ObjectPanel
from ui.screens.order import Order
from ui.screens.purge import Purge
from ui.screens.told import Telling, Told
from ui.widgets.buttons import Button
from ui.widgets.layout import Pane, column, line
from ui.widgets.notices import Empty, Refusal, ResultLine
from ui.widgets.page import Header, ListDetail, ListPane, SearchField, count_text
from ui.widgets.paging import Cell, Column, PagedModel, Row
from ui.widgets.table import ListTable, date_width, tag_width
from ui.words import type_word


class Holdings(Pane):
    """The list of what is held and the object beside it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self._desk = desk
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
        self.order = Order(self._sort)
        self.table.sort_wanted.connect(self.order.choose)
        self.filters = Filters(self._narrow, self.order)
        self.search = SearchField(_("Search name, id, value"), self.filters.search)
        self._import = Button(_("Import…"), icon="download", run=self.ask_import)
        outward = Button(_("Export what is listed"), "icon", icon="upload", run=self.export_listed)
        self.header = Header(_("Holdings"), self.search, outward, self._import)
        self.result = ResultLine()
        desk.acting.connect(self.result.clear)
        self.refusal = Refusal()
        desk.acting.connect(self.refusal.clear)
        self.export = Export(desk, self.result, self.refusal)
        self.telling = Telling(desk.window)
        self.dangling = DanglingNotice(desk, self.show_only, self._refuse)
        self.purge = Purge(desk, self.result, self.refusal, self.telling.tell)
        self.empty = Empty(
            "database",
            _("Nothing is held yet. Import a STIX bundle, or drop one here."),
            Button(_("Import…"), icon="download", run=self.ask_import),
        )
        self.middle = Button("", icon="search", run=self.search_the_middle)
        self._middle = ""
        self.nothing = Empty(
            "search",
            _("Nothing matches."),
            Button(_("Clear filters"), icon="x", run=self.clear_filters),
            other=self.middle,
        )
        self.listing = ListPane(
            self.header, [self.filters, self.dangling, self.refusal, self.telling], self.table, self.empty
        )
        self.listing.stack.addWidget(self.nothing)
        self.selection_foot = SelectionFoot(
            self.table.clearSelection,
            self.purge_selected,
            self.open_levels,
            self.export_selected,
            self.release_selected,
            self.result,
        )
        side = Pane("surface", layout=column(self.listing, self.selection_foot))
        self.panel = ObjectPanel(desk, self.result.say, self.telling.tell)
        self.split = ListDetail(side, self.panel)
        self.setLayout(column(self.split))
        self.table.opened.connect(self._open)
        self.table.chosen.connect(self._chosen)
        self.table.activated_id.connect(self._open)
        self.model.loaded.connect(self._loaded)
        desk.changed.connect(self._changed)
        self._show_order()
        self._offer_middle("")
        self.reload()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _ids(self, _job: Job) -> Sequence[Hashable]:
        chosen = self.filters.value.selection()
        return browsing.oids(self._desk.installation, chosen, *self.order.of(chosen))

    def _rows(self, _job: Job, ids: Sequence[Hashable]) -> list[Row]:
        return [self._row(one) for one in browsing.lines(self._desk.installation, ids)]  # type: ignore[arg-type]

    def _row(self, one: browsing.Line) -> Row:
        row = one.row
        level, handled = reading.shown_level(row)
        status = "conflict" if row.in_conflict else "revoked" if row.revoked else ""
        return Row(
            (
                named(row.type, one.title, status),
                Cell(type_word(row.type)),
                Cell(level=level, handled=handled),
                Cell(one.source),
                Cell(numbers.day(row.modified) if row.modified else "–"),
            ),
            data=row,
        )

    def reload(self) -> None:
        """Fetch ids and counts anew."""
        chosen = self.filters.value
        self.model.reload()
        self._desk.read(lambda i, _job: filters.count(i, chosen), self._show_numbers, self._refuse)

    def _show_numbers(self, found: filters.Numbers) -> None:
        self.header.count.setText(numbers.objects(found.total))
        self.filters.show_numbers(found)

    def _loaded(self, count: int) -> None:
        self.filters.show_matches(count)
        self.listing.stack.setCurrentIndex(0 if count else 2 if self.filters.value.any else 1)
        if not count and self.filters.value.query:
            self._look_in_the_middle(self.filters.value)
        self.split.want_detail(bool(count) and self.table.current_id() is not None)
        if count and not self.split.overlaid and self.table.current_id() is None:
            self.table.select_row(0)

    def _look_in_the_middle(self, chosen: Filter) -> None:
        """Offer the query that finds in the middle of words what `chosen` does not find, if there is one."""

        def done(found: Filter | None) -> None:
            if chosen == self.filters.value and len(found.query if found else "") <= self.search.maxLength():
                self._offer_middle(found.query if found else "")

        # A query that is wrong is told by the list.
        self._desk.read(lambda i, _job: filters.in_the_middle(i, chosen), done, lambda _refused: None)

    def _offer_middle(self, query: str) -> None:
        self._middle = query
        words = _("No word begins so. It is part of an address, a host or a file name.")
        self.nothing.say(words if query else _("Nothing matches."))
        self.middle.set_label(_("Search {query}").format(query=isolate(filters.shortened(query))))
        self.middle.setVisible(bool(query))

    def search_the_middle(self) -> None:
        """Search for what was offered."""
        self.search.setText(self._middle)
        self.search.setFocus()

    def _refuse(self, refused: Refused) -> None:
        self.refusal.show_refusal(refused)

    def _narrow(self) -> None:
        self.refusal.clear()
        self._offer_middle("")
        self.dangling.setVisible(self.filters.value.flag == "dangling")
        self._show_order()
        self.reload()

    def clear_filters(self) -> None:
        """Show everything again."""
        self.search.blockSignals(True)
        self.search.clear()
        self.search.blockSignals(False)
        self.filters.clear()

    def show_only(self, id_: str) -> None:
        """Show one object by its STIX id, and nothing else."""
        self.clear_filters()
        self.search.setText(id_)

    def _sort(self) -> None:
        self._show_order()
        self.model.reload()

    def _show_order(self) -> None:
        try:
            key, descending = self.order.show_for(self.filters.value.selection())
        except Refused:
            return  # the list says so
        self.table.sorted_by(key, descending=descending)

    # --- acting -------------------------------------------------------------------------------------------------------

    def register(self) -> None:
        """Put what can be done here into the registry."""
        add = self._desk.actions.add
        add(Entry("import", "file", N_("Import…"), "Ctrl+I", "download", 1), self.ask_import)
        add(Entry("export", "file", N_("Export what is listed…"), "Ctrl+E", "upload", 1), self.export_listed)
        add(Entry("search", "edit", N_("Search the holdings"), "Ctrl+F", "search", 1), self.focus_search)
        add(Entry("clear-filters", "edit", N_("Clear filters"), "", "x", 1), self.clear_filters)
        add(Entry("select-all", "selection", N_("Select all"), "Ctrl+A", "list-checks", 1), self._select_all)
        add(Entry("select-none", "selection", N_("Select nothing"), "", "x", 1), self.table.clearSelection)
        add(
            Entry("release", "selection", N_("Release the selection…"), "Ctrl+R", "send", 2),
            self.release_selected,
        )
        add(Entry("attach", "selection", N_("Attach a file…"), "", "paperclip", 3), self._attach)
        add(
            Entry("export-selection", "selection", N_("Export the selection…"), "Ctrl+Shift+E", "upload", 2),
            self.export_selected,
        )
        add(
            Entry("handling", "selection", N_("Treat the selection more strictly…"), "", "tag", 2),
            self.open_levels,
        )
        add(
            Entry("purge", "selection", N_("Purge the selection…"), "Ctrl+Del", "trash-2", 3),
            self.purge_selected,
        )
        add(
            Entry("release-all", "exchange", N_("Release everything held…"), "", "send", 1),
            lambda: self._desk.release_wanted.emit(None),
        )
        add(
            Entry("dangling", "view", N_("References to what is not held"), "", "circle-question-mark", 5),
            self._show_dangling,
        )
        add(Entry("order", "view", N_("Order of the list…"), "", "circle-arrow-down", 5), self._open_order)
        add(Entry("raw-json", "view", N_("Raw JSON"), "J", "braces", 5), self.panel.toggle_raw)

    def _attach(self) -> None:
        self._desk.go.emit("holdings")
        self.refusal.clear()
        if not self.panel.attached.ask_file():
            self.refusal.show_words(
                _("A file is attached to an object."), _("Choose the object first."), "object-unchosen"
            )

    def focus_search(self) -> None:
        self._desk.go.emit("holdings")
        self.search.setFocus()
        self.search.selectAll()

    def _show_dangling(self) -> None:
        self._desk.go.emit("holdings")
        self.filters.choose_flag("dangling")

    def _open_order(self) -> None:
        self._desk.go.emit("holdings")
        self.order.open()

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

    def export_listed(self) -> None:
        """Ask for a file to write what is listed to."""
        self._desk.go.emit("holdings")
        narrowed = self.filters.value
        try:
            chosen = narrowed.selection()
        except Refused as refused:
            self._refuse(refused)
            return
        listed_ = _("What is listed: {filters}").format(filters=narrowed.words)
        self.export.ask(chosen, listed_ if narrowed.any else _("Everything held"))

    def export_selected(self) -> None:
        """Ask for a file to write the selection to."""
        picked = self.table.selected_ids()
        if picked:
            self._desk.go.emit("holdings")
            self.export.ask(tuple(picked), _("What is selected"))  # type: ignore[arg-type]

    def open_levels(self) -> None:
        """Offer the levels that the selection can be treated at, at least."""
        # What is selected may change under the menu.
        picked = tuple(self.table.selected_ids())
        if picked:
            self._desk.go.emit("holdings")
            at = self.selection_foot.levels if len(picked) > 1 else self.table
            open_levels(self, at, _("Treat as {level} at least"), partial(self.treat_at_least, picked))  # type: ignore[arg-type]

    def treat_at_least(self, oids: Sequence[int], level: Level) -> None:
        """Treat these objects at `level` at least; what is treated more strictly stays so."""
        self.refusal.clear()
        self.telling.clear()

        def done(raised: handling.Raised) -> None:
            words = _("Treated more strictly than before: {n} of {total}.")
            self.result.say(words.format(n=numbers.number(raised.objects), total=numbers.number(len(oids))))
            self.telling.tell(Told(given=raised.given))

        self._desk.write(
            lambda i, job: handling.raise_many(i, oids, level, job),
            done,
            self._refuse,
            changes=(HOLDINGS,),
            title=_("Handling"),
            cancelled=lambda: self.result.say(_("Cancelled. Nothing was changed.")),
        )

    def purge_selected(self) -> None:
        """Ask before the selection is removed for good."""
        picked = self.table.selected_ids()
        if picked:
            self._desk.go.emit("holdings")
            self.purge.ask(tuple(picked))  # type: ignore[arg-type]

    def ask_import(self) -> None:
        """Ask for files to import."""
        self._desk.go.emit("holdings")
        stix.ready()
        files.ask(
            self.window(),
            _("Import"),
            self.import_file,
            filters=_("STIX bundles (*.json);;All files (*)"),
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
        focused = self.window().focusWidget()
        act = next((one for one in self.selection_foot.findChildren(Button) if one is focused), None)
        self.selection_foot.show_count(self.table.selected_count())
        # The acts go with the selection; whoever stood on one is back in the list.
        if act is not None and not act.isVisible():
            self.table.setFocus()

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

    def __init__(
        self,
        clear: Callable[[], object],
        purge: Callable[[], object],
        levels: Callable[[], object],
        export: Callable[[], object],
        release: Callable[[], object],
        result: ResultLine,
    ) -> None:
        super().__init__("surface", "top")
        self._count = count_text()
        self.levels = Button(_("Handling"), icon="tag", trailing="chevron-down", run=levels)
        self._acts = (
            Button(_("Select nothing"), "quiet", run=clear),
            Button(_("Purge…"), "danger", icon="trash-2", run=purge),
            self.levels,
            Button(_("Export…"), icon="upload", run=export),
            Button(_("Release…"), icon="send", run=release),
        )
        self._result = result
        result.changed.connect(self._fit)
        # What cannot be undone stands apart from what is done every day.
        clear_, purge_, *acts = self._acts
        self._row = Pane(layout=line(self._count, 8, clear_, 8, purge_, None, *acts, gap=8))
        self.setLayout(column(self._row, result, margins=(16, 0)))
        self.show_count(0)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._result.words or self._row.isVisible():
            super().paintEvent(event)

    def show_count(self, count: int) -> None:
        """How many rows are selected; one is only the one that is read."""
        many = count > 1
        words = ngettext("{number} selected", "{number} selected", count).format(number=numbers.number(count))
        self._count.setText(words if many else "")
        self._row.setVisible(many)
        self._fit()

    def _fit(self) -> None:
        """A row for the acts, and one for what was done; where there is neither, the room of one."""
        acts, said = not self._row.isHidden(), bool(self._result.words)
        self._row.setFixedHeight(44)
        self._result.setFixedHeight(32 if acts else 44)
        self._result.setVisible(said)
        self.setFixedHeight(44 + 32 * (acts and said))
        self.update()
