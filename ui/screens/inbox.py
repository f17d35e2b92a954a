"""Inbox: packages that came, opened and waiting. Nothing in them is in the holdings before it is accepted."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QStackedWidget

from app.exchange import inbox, receipts, receiving
from app.exchange.inbox import Listed
from app.exchange.ranges import spoken
from app.exchange.receiving import Received
from app.jobs import Job
from app.messages import N_, _, ngettext, pgettext, remedy, sentence
from app.store.installation import Installation
from ui import files, numbers
from ui.actions import Entry
from ui.desk import COUNTERPARTS, INBOX, RELEASES, Desk
from ui.safe_text import isolate, isolate_ltr
from ui.screens.recalls import Recalls
from ui.screens.review import Review
from ui.widgets.buttons import Button
from ui.widgets.layout import Item, Pane, column
from ui.widgets.notices import Empty, Notice, Refusal, ResultLine
from ui.widgets.page import Header, ListDetail, ListPane
from ui.widgets.paging import Cell, Column, PagedModel, Row
from ui.widgets.panel import DetailPanel, ResultFoot, Section, fact
from ui.widgets.table import ListTable, date_width
from ui.widgets.text import Text, muted, title
from ui.words import STATES, state_word

SAID = {
    "agreement": N_("They propose an agreement. Read and sign it under Counterparts."),
    "countersignature": N_("They signed an agreement. See Counterparts."),
    "receipt": N_("They say what they opened, accepted and refused. See Releases."),
    "request": N_(
        "They ask for something. In the terminal, `mithaq-cli request list` and `mithaq-cli consent list` show it."
    ),
    "consent": N_("They consent to a request. In the terminal, `mithaq-cli consent list` shows it."),
    "confirmation": N_("They answer a recall. See Releases."),
    "withdrawal": N_("They took something back, ended or declined it."),
}
"""What came with a package besides intel, by the kind of the statement."""


class Inbox(QStackedWidget):
    """The list of packages, or one under review."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.packages = Packages(desk, self.review)
        self.under_review: Review | None = None
        self.addWidget(self.packages)

    def register(self) -> None:
        add = self._desk.actions.add
        add(
            Entry("open-package", "file", N_("Open a package…"), "Ctrl+O", "package-open", 1),
            self.packages.ask_open,
        )
        add(Entry("receipt", "exchange", N_("Send a receipt…"), "", "receipt", 2), self.packages.ask_receipt)

    def review(self, number: int) -> None:
        """Compare package `number` with the holdings."""
        self.leave()
        self.under_review = Review(self._desk, number, self.leave)
        self.addWidget(self.under_review)
        self.setCurrentWidget(self.under_review)
        self._desk.go.emit("inbox")

    def leave(self) -> None:
        """Back to the list."""
        read = self.under_review is not None and self.under_review.isAncestorOf(self.window().focusWidget())
        if self.under_review is not None:
            self.removeWidget(self.under_review)
            self.under_review.deleteLater()
            self.under_review = None
        self.setCurrentWidget(self.packages)
        if read:
            self.packages.table.setFocus()

    def forget(self) -> None:
        self.leave()
        self.packages.forget()


class Packages(Pane):
    """Received packages, those that wait first, and one of them beside the list."""

    def __init__(self, desk: Desk, review: object) -> None:
        super().__init__("surface")
        self._desk = desk
        self._review = review
        self._known: dict[int, Listed] = {}
        columns = (
            Column("from", pgettext("sender", "From"), 0, "name"),
            Column("seq", _("Package"), 84, "number"),
            Column("state", _("State"), 150),
            Column("objects", _("Objects"), 92, "number", spare=1),
            Column("received", pgettext("time", "Received"), date_width(time=True), "date"),
        )
        self.model = PagedModel(columns, self._ids, self._rows, desk.jobs.read)
        self.model.refused.connect(desk.refused)
        self.table = ListTable(self.model, _("Inbox"))
        self.table.opened.connect(self._open)
        self.table.activated_id.connect(self._start_review)
        self.header = Header(_("Inbox"), Button(_("Open a package…"), icon="package-open", run=self.ask_open))
        self.empty = Empty(
            "inbox",
            _("No package yet. Open one from a drive, or drop it here."),
            Button(_("Open a package…"), icon="package-open", run=self.ask_open),
        )
        self.refusal = Refusal()
        self.result = ResultLine()
        desk.acting.connect(self.result.clear)
        desk.acting.connect(self.refusal.clear)
        self.recalls = Recalls(desk, partial(self.result.say, keep=True))
        self.listing = ListPane(self.header, [self.recalls, self.refusal], self.table, self.empty)
        side = Pane("surface", layout=column(self.listing, ResultFoot(self.result)))
        self.panel = DetailPanel()
        self.split = ListDetail(side, self.panel)
        self.setLayout(column(self.split))
        self.model.loaded.connect(self._loaded)
        desk.changed.connect(self._changed)
        self._show_panel(None)
        self.model.reload()

    def _ids(self, _job: Job) -> Sequence[Hashable]:
        found = inbox.listed(self._desk.installation)
        self._known = {one.number: one for one in found}
        return [one.number for one in found]

    def _rows(self, _job: Job, ids: Sequence[Hashable]) -> list[Row]:
        known = self._known
        return [self._row(known[n]) for n in ids if isinstance(n, int) and n in known]

    def _row(self, one: Listed) -> Row:
        icon = "package-open" if one.state == "pending" else "package"
        return Row(
            (
                Cell(one.sender, icon=icon, status=""),
                Cell(numbers.number(one.seq)),
                Cell(state_word(one.state)),
                Cell(numbers.number(one.objects)),
                Cell(numbers.moment(one.received)),
            ),
            data=one,
            muted=one.state != "pending",
        )

    @property
    def waiting(self) -> int:
        """How many packages wait for review."""
        return sum(1 for one in self._known.values() if one.state == "pending")

    def _loaded(self, count: int) -> None:
        waiting = self.waiting
        words = ngettext("{n} waits for review", "{n} wait for review", waiting)
        self.header.count.setText(words.format(n=numbers.number(waiting)) if count else "")
        self.listing.show_empty(not count)
        frame = self._desk.window.frame
        if frame is not None:
            frame.rail.place("inbox").set_badge(waiting)
        if count and self.table.current_id() is None:
            self.table.select_row(0)

    def _open(self, number: object) -> None:
        one = self._known.get(number) if isinstance(number, int) else None
        self.split.want_detail(one is not None)
        self._show_panel(one)

    def _show_panel(self, one: Listed | None) -> None:
        if one is None:
            self.panel.show_items([Empty("inbox", _("Choose a package to see what it says."))])
            self.panel.show_foot([])
            return
        _icon, _color, words = STATES.get(one.state, ("package", "muted", one.state))
        items: list[Item] = [
            muted(_(words)),
            4,
            title(
                _("Package {seq} from {name}").format(seq=numbers.number(one.seq), name=isolate(one.sender))
            ),
            10,
        ]
        if one.priority == "flash":
            items += [Notice(_("Flash: they ask for it to be read first."), "warning"), 10]
        items += [
            fact(pgettext("time", "Received"), numbers.moment(one.received)),
            6,
            fact(_("Objects"), numbers.number(one.objects)),
            6,
            fact(_("Protection"), sentence(f"protection-{one.protection}")),
            16,
        ]
        if one.note:
            items.append(Section(_("Their note"), None, Text(one.note, wrap=True)))
        if one.reason:
            items.append(Section(_("Why it was rejected"), None, Text(one.reason, wrap=True)))
        self.panel.show_items(items)
        go = Button(
            _("Review…") if one.state == "pending" else _("Look at it"),
            "primary" if one.state == "pending" else "secondary",
            icon="list-checks",
            run=lambda: self._start_review(one.number),
        )
        self.panel.show_foot([go, None, Button(_("Send a receipt…"), icon="receipt", run=self.ask_receipt)])

    def _start_review(self, number: object) -> None:
        if isinstance(number, int):
            self._review(number)  # type: ignore[operator]

    # --- acting -------------------------------------------------------------------------------------------------------

    def ask_open(self) -> None:
        """Ask for a package to open."""
        self._desk.go.emit("inbox")
        files.ask(self.window(), _("Open a package"), self.receive)

    def receive(self, path: Path) -> None:
        """Open the package in a file."""
        self._desk.go.emit("inbox")
        self.refusal.clear()

        def work(installation: Installation, job: Job) -> Received:
            return receiving.receive(installation, path, job)

        self._desk.write(
            work,
            self._say_received,
            self.refusal.show_refusal,
            changes=(INBOX, COUNTERPARTS, RELEASES),
            title=_("Open: {name}").format(name=path.name),
            cancelled=lambda: self.result.say(_("Cancelled. Nothing was changed.")),
        )

    def _say_received(self, got: Received) -> None:
        name = isolate(got.sender)
        if got.status == "duplicate":
            self.refusal.show_words(
                sentence("status-duplicate"), remedy("status-duplicate", window=True), "status-duplicate"
            )
        else:
            said = [_(words) for kind, words in SAID.items() if kind in got.said]
            if got.recalls:
                said.insert(0, _("They ask something back. Answer it above the list."))
            if got.objects:
                words = _("Package {seq} from {name}: {n} to review.")
            elif said:
                words = _("Package {seq} from {name}, nothing to review:")
            else:
                words = _("Package {seq} from {name}: receipts and keys taken, nothing to review.")
            first = words.format(seq=numbers.number(got.seq), name=name, n=numbers.objects(got.objects))
            self.result.say(" ".join((first, *said)), keep=True)
        if got.status == "gap":
            self.refusal.show_code("status-gap", {"missing": spoken(got.missing)})
        if got.lacking:
            self.refusal.show_code("packages-lacking", {"name": got.sender, "numbers": spoken(got.lacking)})
        if got.failed:
            where, code = got.failed[0]
            self.refusal.show_code(code, {"where": where})

    def ask_receipt(self) -> None:
        """Ask for the folder that takes a receipt for the sender of the current package."""
        number = self.table.current_id()
        one = self._known.get(number) if isinstance(number, int) else None
        if one is not None:
            files.ask_folder(
                self.window(), _("Carry the receipt on"), lambda path: self.send_receipt(one.sender, path)
            )

    def send_receipt(self, to: str, target: Path) -> None:
        """Seal a receipt for `to` into a folder."""
        self.refusal.clear()

        def work(installation: Installation, job: Job) -> Path:
            return receipts.send(installation, to, target, job).path

        def done(path: Path) -> None:
            words = _("Receipt sealed, written, read back and verified: {path}")
            self.result.say(words.format(path=isolate_ltr(str(path))), keep=True)

        self._desk.write(
            work, done, self.refusal.show_refusal, changes=(RELEASES, INBOX), title=_("Seal a receipt")
        )

    def _changed(self, what: frozenset[str]) -> None:
        if INBOX in what or COUNTERPARTS in what:
            self.model.reload()

    def forget(self) -> None:
        self._known = {}
        self.model.empty()
        self._show_panel(None)
