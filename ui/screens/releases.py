"""Releases: what was sealed and how far it got, and the way to a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QStackedWidget

from app.courier import folder
from app.exchange import outbox, receipts, slips
from app.exchange.slips import Slip
from app.holdings import titles
from app.jobs import Job
from app.messages import N_, _, pgettext, sentence
from app.store.installation import Installation
from ui import files, numbers, paper
from ui.actions import Entry
from ui.desk import COUNTERPARTS, INBOX, RELEASES, Desk
from ui.safe_text import isolate, isolate_ltr
from ui.screens.new_release import NewRelease
from ui.widgets.buttons import Button
from ui.widgets.layout import Item, Pane, column
from ui.widgets.notices import Empty, Icon, Notice, Refusal, ResultLine
from ui.widgets.page import Header, ListDetail, ListPane
from ui.widgets.paging import Cell, Column, PagedModel, Row
from ui.widgets.panel import DetailPanel, ResultFoot, Section, entry, fact, identifier
from ui.widgets.sheet import Sheet
from ui.widgets.table import ListTable, date_width
from ui.widgets.text import Text, muted, title
from ui.words import STATES, object_state_word, state_word

LEDGER_SHOWN = 60


@dataclass(frozen=True)
class Detail:
    """A sealed package with what the ledger says of it."""

    package: outbox.Listed
    states: tuple[tuple[str, int], ...]
    objects: tuple[tuple[str, str, str], ...]  # id, name, state


class Releases(QStackedWidget):
    """The history, or a release being made."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.history = History(desk)
        self.draft: NewRelease | None = None
        self.addWidget(self.history)
        desk.release_wanted.connect(self.start)

    def register(self) -> None:
        add = self._desk.actions.add
        add(
            Entry("send-receipt", "exchange", N_("Send a receipt to the recipient…"), "", "receipt", 2),
            self.history.ask_receipt,
        )
        add(
            Entry("carry", "exchange", N_("Carry the package…"), "", "hard-drive", 2),
            self.history.carry,
        )

    def start(self, ids: object) -> None:
        """Begin a release of these STIX ids (None: everything held)."""
        self.leave()
        chosen = ids if isinstance(ids, tuple) else None
        self.draft = NewRelease(self._desk, chosen, self.leave)
        self.draft.sealed.connect(self._sealed)
        self.addWidget(self.draft)
        self.setCurrentWidget(self.draft)
        self._desk.go.emit("releases")

    def leave(self) -> None:
        """Back to the history."""
        if self.draft is not None:
            self.removeWidget(self.draft)
            self.draft.deleteLater()
            self.draft = None
        self.setCurrentWidget(self.history)

    def _sealed(self, words: str) -> None:
        self.leave()
        # The button that sealed is gone; what was focused instead may be anywhere.
        over = any(sheet.isVisible() for sheet in self.window().findChildren(Sheet))
        self.history.result.say(words, keep=True)
        self.history.show_newest(focus=self.isVisible() and not over)

    def forget(self) -> None:
        self.leave()
        self.history.forget()


class History(Pane):
    """Sealed packages, newest first, and one of them beside the list."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self._desk = desk
        self._detail: Detail | None = None
        self._focus = False
        columns = (
            Column("to", pgettext("recipient", "To"), 0, "name"),
            Column("seq", _("Package"), 84, "number"),
            Column("state", _("State"), 140),
            Column("size", _("Size"), 100, "number", spare=1),
            Column("sealed", pgettext("time", "Sealed"), date_width(time=True), "date"),
        )
        self.model = PagedModel(columns, self._ids, self._rows, desk.jobs.read)
        self.model.refused.connect(desk.refused)
        self.table = ListTable(self.model, _("Releases"))
        self.table.opened.connect(self._open)
        new = Button(_("New release"), icon="send", run=lambda: desk.go.emit("holdings"))
        self.header = Header(_("Releases"), new)
        self.empty = Empty(
            "send",
            _("Nothing has left yet. Select objects in the holdings and release them."),
            Button(_("Go to the holdings"), icon="database", run=lambda: desk.go.emit("holdings")),
        )
        self.refusal = Refusal()
        self.result = ResultLine()
        desk.acting.connect(self.result.clear)
        desk.acting.connect(self.refusal.clear)
        self.listing = ListPane(self.header, [self.refusal], self.table, self.empty)
        side = Pane("surface", layout=column(self.listing, ResultFoot(self.result)))
        self.panel = DetailPanel()
        self.split = ListDetail(side, self.panel)
        self.setLayout(column(self.split))
        self.model.loaded.connect(self._loaded)
        desk.changed.connect(self._changed)
        self._show_panel()
        self.model.reload()

    def _ids(self, _job: Job) -> Sequence[Hashable]:
        return [(p.to, p.seq) for p in outbox.listed(self._desk.installation)]

    def _rows(self, _job: Job, ids: Sequence[Hashable]) -> list[Row]:
        # Read anew: what another reload found may be older than these ids, and a row left out would move the others up.
        known = {(p.to, p.seq): p for p in outbox.listed(self._desk.installation)}
        return [self._row(known[key]) for key in ids if key in known]

    def _row(self, package: outbox.Listed) -> Row:
        icon = "receipt" if package.release is None else STATES.get(package.state, ("package",))[0]
        return Row(
            (
                Cell(package.to, icon="flag" if package.priority == "flash" else icon),
                Cell(numbers.number(package.seq)),
                Cell(state_word(package.state)),
                Cell(numbers.size(package.size)),
                Cell(numbers.moment(package.sealed)),
            ),
            data=package,
        )

    def _loaded(self, count: int) -> None:
        self.header.count.setText(numbers.number(count) if count else "")
        self.listing.show_empty(not count)
        if count and self._focus:
            self._focus = False
            self.table.setFocus()
        if count and self.table.current_id() is None:
            self.table.select_row(0)

    def show_newest(self, *, focus: bool) -> None:
        """Fetch anew; the newest package is the current one. `focus`: the keyboard is in the list then."""
        self._focus = focus
        self.table.clearSelection()
        self.model.reload()

    def _open(self, key: object) -> None:
        self.split.want_detail(key is not None)
        if not isinstance(key, tuple):
            self._detail = None
            self._show_panel()
            return
        to, seq = key

        def work(installation: Installation, _job: Job) -> Detail:
            package = next(p for p in outbox.listed(installation, to) if p.seq == seq)
            entries = [e for e in receipts.ledger(installation, to) if e.seq == seq]
            shown = entries[:LEDGER_SHOWN]
            called = titles.of_ids(installation, [e.id for e in shown])
            states = Counter(e.state for e in entries)
            return Detail(
                package,
                tuple(states.most_common()),
                tuple((e.id, called[e.id].words if e.id in called else e.id, e.state) for e in shown),
            )

        def done(detail: Detail) -> None:
            if self.table.current_id() == key:
                self._detail = detail
                self._show_panel()

        self._desk.read(work, done)

    def _show_panel(self) -> None:
        if self._detail is None:
            self.panel.show_items([Empty("send", _("Choose a package to see what is in it."))])
            self.panel.show_foot([])
            return
        package = self._detail.package
        icon, color, words = STATES.get(package.state, ("package", "muted", package.state))
        kind = _("Statements") if package.release is None else _("Release")
        items: list[Item] = [
            muted(kind),
            4,
            title(
                _("Package {seq} for {name}").format(
                    seq=numbers.number(package.seq), name=isolate(package.to)
                )
            ),
            10,
            fact(_("State"), _(words)),
            6,
            fact(pgettext("time", "Sealed"), numbers.moment(package.sealed)),
            6,
            fact(_("Size"), numbers.size(package.size)),
            6,
            fact(_("Protection"), sentence(f"protection-{package.protection}")),
        ]
        if package.priority == "flash":
            items += [6, fact(_("Priority"), _("Flash"))]
        if package.told is not None:
            said = _("{accepted} accepted, {refused} refused").format(
                accepted=numbers.number(package.told.accepted), refused=numbers.number(package.told.refused)
            )
            items += [6, fact(_("Receipt"), said)]
            if package.told.refused and package.told.reason:
                items += [6, fact(_("Reason"), isolate(package.told.reason))]
        if package.reference:
            items += [6, fact(_("Reference"), package.reference)]
        items.append(16)
        if package.release is None:
            items.append(
                Notice(
                    _("Signed statements (receipts, agreements), keys and acknowledgements; no intel."),
                    "info",
                )
            )
        else:
            total = sum(n for _s, n in self._detail.states)
            words_of = _("{state}: {n}")
            counts = ((object_state_word(s), numbers.number(n)) for s, n in self._detail.states)
            said = " · ".join(words_of.format(state=state, n=n) for state, n in counts)
            ledger = Section(_("Who has what"), total, muted(said, wrap=True))
            for id_, name, state in self._detail.objects:
                mark, tone, _words = STATES.get(state, ("circle-dot", "muted", state))
                ledger.content.addWidget(entry(mark, name or id_, object_state_word(state), color=tone))
            rest = total - len(self._detail.objects)
            if rest > 0:
                ledger.content.addWidget(muted(_("{n} more").format(n=numbers.number(rest))))
            items.append(ledger)
        items += [16, Section(_("File"), None, identifier(package.path.name))]
        self.panel.show_items(items)
        carry: list[Item] = []
        if package.state in outbox.UNDER_WAY:
            words_of = _("Carry…") if package.state == "sealed" else _("Carry again…")
            carry.append(Button(words_of, icon="hard-drive", run=self.carry))
        self.panel.show_foot(
            [
                *carry,
                Button(_("Slip…"), icon="scroll-text", run=self.ask_slip),
                None,
                Icon(icon, color),
                Text(_(words), size="label", color=color, fixed=True),
            ]
        )

    # --- acting -------------------------------------------------------------------------------------------------------

    def carry(self) -> None:
        """Copy the current package, for the first time or once more, byte for byte."""
        if self._detail is None:
            return
        package = self._detail.package
        files.ask_folder(self.window(), _("Carry the package on"), partial(self._carry_to, package))

    def _carry_to(self, package: outbox.Listed, target: Path) -> None:
        self.refusal.clear()

        def work(installation: Installation, job: Job) -> Path:
            return outbox.carry(installation, package.to, package.seq, target, job)

        def done(path: Path) -> None:
            self.result.say(
                _("Written, read back and verified: {path}").format(path=isolate_ltr(str(path))), keep=True
            )

        title_ = _("Carry package {seq}").format(seq=package.seq)
        self._desk.write(work, done, self.refusal.show_refusal, changes=(RELEASES,), title=title_)

    def ask_slip(self) -> None:
        """Ask where the slip of the current package goes."""
        if self._detail is not None:
            package = self._detail.package
            name = f"mithaq-slip-{package.seq}.pdf"
            files.ask_new(self.window(), _("Slip for the package"), name, partial(self.write_slip, package))

    def write_slip(self, package: outbox.Listed, target: Path) -> None:
        """Write the slip of a package: a page to print, or text where the name says so."""
        self.refusal.clear()

        title_ = _("Slip for the package")

        def work(installation: Installation, _job: Job) -> Slip:
            return slips.slip(installation, package.to, package.seq)

        def drawn(found: Slip) -> None:
            # The page is the window's to draw; a slow stick is not to be waited for here.
            page = paper.slip(found, target.suffix.lower())
            write = partial(folder.write_pieces, target, [page])
            self._desk.read(lambda _i, _job: write(), done, self.refusal.show_refusal, title=title_)

        def done(_size: int) -> None:
            self.result.say(_("Slip written: {path}").format(path=isolate_ltr(str(target))), keep=True)

        self._desk.read(work, drawn, self.refusal.show_refusal, title=title_)

    def ask_receipt(self) -> None:
        """Ask for the folder that takes a receipt for the counterpart of the current package."""
        if self._detail is not None:
            to = self._detail.package.to
            files.ask_folder(self.window(), _("Carry the receipt on"), partial(self.send_receipt, to))

    def send_receipt(self, to: str, target: Path) -> None:
        """Seal a receipt for `to` into a folder."""
        self.refusal.clear()

        def work(installation: Installation, job: Job) -> Path:
            return receipts.send(installation, to, target, job).path

        def done(path: Path) -> None:
            self.result.say(
                _("Receipt sealed, written, read back and verified: {path}").format(
                    path=isolate_ltr(str(path))
                ),
                keep=True,
            )

        self._desk.write(
            work, done, self.refusal.show_refusal, changes=(RELEASES, INBOX), title=_("Seal a receipt")
        )

    def _changed(self, what: frozenset[str]) -> None:
        if RELEASES in what or COUNTERPARTS in what:
            self.model.reload()

    def forget(self) -> None:
        self._detail = None
        self.model.empty()
        self._show_panel()
