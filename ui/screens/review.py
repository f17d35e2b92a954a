"""Review: a package object by object beside the holdings; accept all, some, or none with a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLayout, QLineEdit, QWidget

from app.exchange import deciding, inbox, receipts
from app.exchange.deciding import Decided
from app.exchange.inbox import Compared
from app.jobs import Job
from app.messages import Refused, _, ngettext, pgettext, sentence
from app.store.installation import Installation
from ui import drawing, files, numbers, reading
from ui.desk import HOLDINGS, INBOX, RELEASES, Desk
from ui.safe_text import isolate, isolate_ltr
from ui.screens.entry import form_row
from ui.screens.named import heading, named
from ui.screens.told import Telling, Told, held_already
from ui.tokens import TOKENS
from ui.widgets.buttons import Button
from ui.widgets.chips import ChipRow, ChipSpec
from ui.widgets.diff import DiffText
from ui.widgets.focus import focus_kept
from ui.widgets.layout import Card, Hairline, Item, Pane, clear, column, line
from ui.widgets.notices import Empty, Icon, Notice, Refusal
from ui.widgets.page import Header, ListDetail, back_button
from ui.widgets.paging import Cell, Column, Made, Row, fixed_rows
from ui.widgets.panel import DetailPanel, Foot, fact, identifier
from ui.widgets.sheet import Sheet
from ui.widgets.table import ListTable, tag_width
from ui.widgets.text import Text, muted
from ui.words import property_word


class Review(Pane):
    """One package under review."""

    def __init__(self, desk: Desk, number: int, leave: Callable[[], object]) -> None:
        super().__init__("surface")
        self._desk = desk
        self._number = number
        self._leave = leave
        self._review: inbox.Review | None = None
        self._status = ""
        self._shown: list[Compared] = []
        self._beside: reading.Beside | None = None
        self._at: Compared | None = None
        self._drawn: int | None = None
        self._equal = False
        self.header = Header(_("Package"), leading=back_button(leave))
        self._summary_row = line(margins=(16, 10), gap=32)
        self.chips = ChipRow(self._choose)
        self.refusal = Refusal()
        self.telling = Telling(desk.window)
        self.receipt_notice = Pane(layout=column(margins=(0, 8, 0, 0)))
        top = Pane(
            layout=column(
                *(Card(self._summary_row), 8, self.chips, self.refusal, self.receipt_notice, 6, self.telling),
                margins=(16, 0),
            )
        )
        self.columns = (
            Column("name", _("Name"), 0, "name"),
            Column("handling", _("Handling"), tag_width(), "tag"),
            Column("status", _("State"), 110, "status"),
        )
        self.table = ListTable(fixed_rows(self.columns, []), _("Objects of the package"))
        self.table.opened.connect(self._open)
        self.table.chosen.connect(self._count)
        self.panel = DetailPanel()
        self.panel.setMinimumWidth(TOKENS.layout["detail_min"])
        self.split = ListDetail(
            self.table, self.panel, fixed_list=TOKENS.layout["detail_sheet_list"], list_min=420
        )
        self.reject_button = Button(
            _("Reject the package…"), "danger", icon="x", large=True, run=self.ask_reject
        )
        self.accept_some = Button(_("Accept the selected"), large=True, run=self.accept_selected)
        self.accept_all = Button(_("Accept all"), "primary", icon="check", large=True, run=self.accept_rest)
        self.undo_button = Button(_("Undo the acceptance"), "quiet", icon="undo-2", large=True, run=self.undo)
        self.said = Text(
            _("Nothing enters the holdings before it is accepted."),
            size="label",
            color="muted",
            elide="middle",  # a receipt's path ends in its name
        )
        self.foot = Foot(
            self.reject_button, self.undo_button, self.said, self.accept_some, self.accept_all, margin=16
        )
        self.foot.row.setStretch(2, 1)
        whole = column(self.header, top, Hairline(), self.split, self.foot)
        whole.setStretch(3, 1)
        self.setLayout(whole)
        self._show_panel()
        desk.changed.connect(self._changed)
        self.reload()

    # --- reading ------------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Compare anew."""
        number = self._number

        def work(installation: Installation, job: Job) -> inbox.Review:
            return inbox.review(installation, number, job)

        self._desk.read(work, self._show, self.refusal.show_refusal, title=_("Compare with the holdings"))

    @property
    def pending(self) -> list[Compared]:
        """What is not decided yet."""
        return (
            [o for o in self._review.objects if o.decision == "pending"] if self._review is not None else []
        )

    def _show(self, review: inbox.Review) -> None:
        self._review = review
        package = review.package
        name = _("Package {seq} from {name}")
        self.header.title.setText(name.format(seq=numbers.number(package.seq), name=isolate(package.sender)))
        clear(self._summary_row)
        row = self._summary_row
        row.addLayout(
            line(Icon("badge-check", "success"), _pair(_("Signature"), _("Theirs, verified")), gap=12)
        )
        received = numbers.moment(package.received)
        row.addLayout(line(Icon("clock"), _pair(pgettext("time", "Received"), received), gap=12))
        row.addLayout(line(Icon("key-round"), _pair(_("Key"), _key(package.protection)), gap=12))
        row.addLayout(line(Icon("flag"), _pair(_("Priority"), _(package.priority.capitalize())), gap=12))
        if package.note:
            note = Text(package.note.replace("\n", " "), size="label", weight="medium")
            holder = QWidget()
            holder.setLayout(column(muted(_("Their note")), note, gap=2))
            row.addWidget(holder, 1)
        row.addStretch(0 if package.note else 1)
        specs = [ChipSpec("", _("All"), len(review.objects))]
        for status, count in review.counts.items():
            look = TOKENS.statuses[status]
            specs.append(ChipSpec(status, _WORDS[status](), count, look.icon, look.color))
        self.chips.set(specs, self._status)
        self._fill()
        self._count()
        self._offer_receipt()

    def _fill(self) -> None:
        if self._review is None:
            return
        order = {"conflict": 0, "revoked": 1, "newer": 2, "new": 3, "same": 4, "older": 5}
        objects = [o for o in self._review.objects if not self._status or o.status == self._status]
        self._shown = sorted(objects, key=lambda o: (order.get(o.status, 9), o.position))
        rows = Made(self._shown, _row)
        kept = self._at.position if self._at is not None else None
        self.table.show_model(fixed_rows(self.columns, rows))
        at = next((i for i, o in enumerate(self._shown) if o.position == kept), 0)
        self.table.select_row(at)
        if not self._shown:
            self._at = None
            self._beside = None
            self._show_panel()

    def _choose(self, status: str) -> None:
        self._status = status
        self._fill()

    def _open(self, key: object) -> None:
        at = self._shown[key] if isinstance(key, int) and key < len(self._shown) else None
        self.split.want_detail(at is not None)
        self._at = at
        self._equal = False
        if at is None:
            return
        number = self._number

        def work(installation: Installation, _job: Job) -> reading.Beside:
            return reading.beside(installation, number, at)

        def done(found: reading.Beside) -> None:
            if self._at is at:
                self._beside = found
                self._show_panel()

        self._desk.read(work, done)

    # --- the object ---------------------------------------------------------------------------------------------------

    def _show_panel(self) -> None:
        at, found = self._at, self._beside
        if at is None or found is None or self._review is None:
            self.panel.show_items([Empty("package-open", _("Choose an object to compare it here."))])
            self._drawn = None
            return
        same_kind = [o for o in self._shown if o.status == at.status]
        place = _("{n} of {total}").format(
            n=numbers.number(same_kind.index(at) + 1), total=numbers.number(len(same_kind))
        )
        status = TOKENS.statuses[at.status]
        said = Text(f"{drawing.status_word(at.status)} {place}", size="label", color=status.color, fixed=True)
        items: list[Item] = [
            line(heading(at.type, at.title), said, gap=8),
            4,
            identifier(at.id),
            10,
        ]
        if at.decision != "pending":
            words = _("Accepted.") if at.decision == "accepted" else _("Rejected.")
            items += [Notice(words, "success" if at.decision == "accepted" else "danger"), 10]
        items += self._explain(at)
        for remark in at.remarks:
            items += [Notice(sentence(f"remark-{remark}"), "warning"), 8]
        items += self._changes(found, at) if found.changes else self._facts(found)
        if at.hits:
            items += [12, held_already(at.hits)]
        self.panel.show_items(items, anew=self._drawn == at.position)
        self._drawn = at.position

    def _explain(self, at: Compared) -> list[Item]:
        if at.status == "conflict":
            return [
                Notice(_("Same time of change and other content. Both stay until one is kept."), "conflict"),
                12,
            ]
        if at.status == "revoked":
            return [Notice(_("They revoke what is held here."), "danger"), 12]
        if at.status == "older":
            return [Notice(_("What is held here is newer. It stays in force."), "info"), 12]
        return []

    def _changes(self, found: reading.Beside, at: Compared) -> list[Item]:
        tone = "conflict" if at.status == "conflict" else "info"
        blank = Text("", size="label")
        blank.setFixedWidth(96)
        head = line(
            blank,
            line(Icon("database"), Text(_("Held here"), weight="semibold"), gap=8),
            line(Icon("package-open"), Text(_("In the package"), weight="semibold"), gap=8),
            gap=8,
        )
        head.setStretch(1, 1)
        head.setStretch(2, 1)
        items: list[Item] = [head, 8]
        for change in found.changes:
            label = Text(property_word(change.name), size="label", color="muted", wrap=True)
            label.setFixedWidth(96)
            row = line(
                column(6, label, None),
                DiffText(change.ours, tone=tone, mono=change.mono),
                DiffText(change.theirs, tone=tone, mono=change.mono),
                gap=8,
            )
            row.setStretch(1, 1)
            row.setStretch(2, 1)
            holder = QWidget()
            holder.setLayout(row)
            items += [holder, 6]
        if found.same:
            count = len(found.same)
            words = ngettext("{n} more is the same", "{n} more are the same", count)
            label_text = words.format(n=numbers.number(count))
            items += [
                line(Button(label_text, "quiet", trailing="chevron-down", run=self._toggle_equal), None)
            ]
            if self._equal:
                items += [8, *self._equal_items(found.same)]
        return items

    def _facts(self, found: reading.Beside) -> list[Item]:
        description = found.value.get("description")
        items: list[Item] = []
        if isinstance(description, str) and description:
            items += [Text(description, wrap=True), 12]
        return items + self._equal_items(found.same if found.same else tuple(_plain(found.value)))

    def _equal_items(self, facts: Sequence[tuple[str, str]]) -> list[Item]:
        items: list[Item] = []
        for name, value in facts:
            if name not in reading.NOT_SHOWN and value:
                shown = numbers.moment(value) if name in reading.TIMES else value
                items += [fact(property_word(name), shown, mono=name == "pattern"), 4]
        return items

    def _toggle_equal(self) -> None:
        self._equal = not self._equal
        self._show_panel()

    # --- deciding -----------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        pending = self.pending
        conflicts = sum(1 for o in pending if o.status == "conflict")
        picked = [o for o in self._picked() if o.decision == "pending"]
        rest = len(pending) - conflicts
        if conflicts and rest:
            self.accept_all.set_label(_("Accept all but conflicts ({n})").format(n=numbers.number(rest)))
        else:
            self.accept_all.set_label(_("Accept all ({n})").format(n=numbers.number(len(pending))))
        self.accept_some.set_label(_("Accept the selected ({n})").format(n=numbers.number(len(picked))))
        self.accept_some.setEnabled(bool(picked))
        self.accept_all.setEnabled(bool(pending))
        self.reject_button.setEnabled(bool(pending))
        accepted = (
            [] if self._review is None else [o for o in self._review.objects if o.decision == "accepted"]
        )
        self.undo_button.setVisible(bool(accepted))

    def _picked(self) -> list[Compared]:
        return [
            self._shown[n] for n in self.table.selected_ids() if isinstance(n, int) and n < len(self._shown)
        ]

    def accept_rest(self) -> None:
        """Accept all that pends, conflicts left for a choice of their own unless nothing else pends."""
        pending = self.pending
        rest = [o for o in pending if o.status != "conflict"]
        self._accept(None if len(rest) in (0, len(pending)) else tuple(o.id for o in rest))

    def accept_selected(self) -> None:
        """Accept the selected objects that pend."""
        self._accept(tuple(o.id for o in self._picked() if o.decision == "pending"))

    def _accept(self, ids: tuple[str, ...] | None) -> None:
        self.refusal.clear()
        number = self._number

        def work(installation: Installation, job: Job) -> Decided:
            return deciding.accept(installation, number, ids, job)

        self._desk.write(
            work,
            self._decided,
            self.refusal.show_refusal,
            changes=(HOLDINGS, INBOX, RELEASES),
            title=_("Accept into the holdings"),
        )

    def undo(self) -> None:
        """Let what was accepted pend again."""
        self.refusal.clear()
        number = self._number

        def work(installation: Installation, job: Job) -> Decided:
            return deciding.undo(installation, number, None, job)

        self._desk.write(
            work,
            self._decided,
            self.refusal.show_refusal,
            changes=(HOLDINGS, INBOX, RELEASES),
            title=_("Undo the acceptance"),
        )

    def ask_reject(self) -> None:
        """Ask for the reason, then reject what pends."""
        count = len(self.pending)
        words = ngettext("Reject {n} object?", "Reject {n} objects?", count).format(n=numbers.number(count))
        sheet = Sheet(self._desk.window, words, _("They read the reason in your receipt."), width=520)
        field = QLineEdit()
        field.setMaxLength(500)
        field.setAccessibleName(_("Reason"))
        sheet.body.addWidget(form_row(_("Reason"), field))
        verb = ngettext("Reject {n} object", "Reject {n} objects", count).format(n=numbers.number(count))

        def go() -> None:
            reason = field.text()
            if reason.strip():
                sheet.close_sheet()
                self.reject(reason)

        act = Button(verb, "danger", run=go)
        act.setEnabled(False)
        field.textChanged.connect(lambda text: act.setEnabled(bool(text.strip())))
        field.returnPressed.connect(go)
        sheet.foot_lead.addWidget(act)
        sheet.foot_trail.addWidget(Button(_("Cancel"), run=sheet.close_sheet))
        sheet.open()

    def reject(self, reason: str) -> None:
        """Reject what pends."""
        self.refusal.clear()
        number = self._number

        def work(installation: Installation, _job: Job) -> Decided:
            return deciding.reject(installation, number, reason)

        self._desk.write(
            work, self._decided, self.refusal.show_refusal, changes=(INBOX, RELEASES), title=_("Reject")
        )

    def _decided(self, decided: Decided) -> None:
        words = _("{accepted} accepted, {rejected} rejected, {pending} pending.")
        self.said.setText(
            words.format(
                accepted=numbers.number(decided.accepted),
                rejected=numbers.number(decided.rejected),
                pending=numbers.number(decided.pending),
            )
        )
        self.telling.tell(Told(given=decided.given))
        # The button that did it may end here; left to itself the focus would fall on the one that undoes it.
        if self.foot.isAncestorOf(self.window().focusWidget()):
            self.table.setFocus()

    def _offer_receipt(self) -> None:
        layout = self.receipt_notice.layout()
        if layout is None or self._review is None:
            return
        with focus_kept(self.receipt_notice):
            self._fill_receipt(layout, self._review)

    def _fill_receipt(self, layout: QLayout, review: inbox.Review) -> None:
        clear(layout)
        decided = [o for o in review.objects if o.decision != "pending"]
        self.receipt_notice.setVisible(bool(decided))
        if decided:
            sender = isolate(review.package.sender)
            send = Button(_("Send a receipt…"), icon="receipt", run=self.ask_receipt)
            words = _("A signed receipt tells {name} what was accepted and what was not.").format(name=sender)
            layout.addWidget(Notice(words, "info", icon="receipt", action=send))

    def ask_receipt(self) -> None:
        """Ask for the folder that takes the receipt."""
        files.ask_folder(self.window(), _("Carry the receipt on"), self.send_receipt)

    def send_receipt(self, target: Path) -> None:
        """Seal the receipt into a folder."""
        if self._review is None:
            return
        to = self._review.package.sender
        self.refusal.clear()

        def work(installation: Installation, job: Job) -> Path:
            return receipts.send(installation, to, target, job).path

        def done(path: Path) -> None:
            words = _("Receipt sealed, written, read back and verified: {path}")
            self.said.setText(words.format(path=isolate_ltr(str(path))))

        def failed(refused: Refused) -> None:
            self.refusal.show_refusal(refused)

        self._desk.write(work, done, failed, changes=(RELEASES, INBOX), title=_("Seal a receipt"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
            return
        super().keyPressEvent(event)

    def _changed(self, what: frozenset[str]) -> None:
        if INBOX in what or HOLDINGS in what:
            self.reload()


def _row(one: Compared) -> Row:
    return Row(
        (
            named(one.type, one.title),
            Cell(level="" if one.handling is None else one.handling.label, handled=one.handling is not None),
            Cell(status=one.status),
        ),
        data=one,
        muted=one.decision != "pending",
    )


_WORDS: dict[str, Callable[[], str]] = {
    "new": lambda: pgettext("filter", "New"),
    "newer": lambda: pgettext("filter", "Newer"),
    "older": lambda: pgettext("filter", "Older"),
    "same": lambda: pgettext("filter", "Same"),
    "conflict": lambda: pgettext("filter", "Conflict"),
    "revoked": lambda: pgettext("filter", "Revoked"),
}


def _plain(value: dict[str, object]) -> list[tuple[str, str]]:
    return [(name, reading.plain_value(held)) for name, held in value.items()]


def _pair(label: str, words: str) -> QWidget:
    made = QWidget()
    made.setLayout(
        column(
            Text(label, size="label", color="muted", fixed=True),
            Text(words, weight="semibold", fixed=True),
            gap=2,
        )
    )
    return made


def _key(protection: str) -> str:
    known = {"onetime": _("One-time"), "reusable": _("Reusable"), "card": _("Of the card")}
    return known.get(protection, sentence(protection))
