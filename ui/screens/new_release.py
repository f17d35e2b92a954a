"""A release being made: for whom, the gate's verdict on each object, and the one button that seals what may leave.

The verdicts shown and the seal come from the same judgement of the same facts (`app.exchange.releases`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QSizePolicy, QStackedWidget, QWidget

from app.exchange import counterparts, releases
from app.exchange.counterparts import Listed
from app.exchange.gate import ALREADY_HAS, LEAVES
from app.exchange.releases import Decision, Item, Released, Wish
from app.holdings import titles
from app.jobs import Cancelled, Job
from app.messages import N_, Refused, _, listed, ngettext, pgettext, remedy, sentence
from app.store.installation import Installation
from app.words import KINDS
from ui import files, numbers
from ui.desk import COUNTERPARTS, RELEASES, Desk
from ui.jobs import Task
from ui.safe_text import isolate
from ui.screens.agreements import ProposeSheet, kinds_said
from ui.screens.judged import NAMED, Judged, judged, rows
from ui.screens.preview import PreviewSheet
from ui.screens.release_parts import Parts, field, pair, strong, tallies
from ui.widgets.buttons import Button, Choice, Segments
from ui.widgets.chips import Chip, ChipRow, ChipSpec
from ui.widgets.layout import Card, Hairline, Pane, Scroll, clear, column, line
from ui.widgets.layout import Item as Widget
from ui.widgets.notices import Empty, Icon, Notice, Refusal
from ui.widgets.page import Header, ListDetail, back_button
from ui.widgets.paging import Column
from ui.widgets.panel import DetailPanel, Section, entry
from ui.widgets.table import tag_width
from ui.widgets.tags import KeyHint, TlpTag
from ui.widgets.text import Text, muted
from ui.widgets.verdicts import Group, VerdictGroup


class NewRelease(Pane):
    """One release, from the selection to the seal."""

    sealed = Signal(str)  # what was done, in words

    def __init__(self, desk: Desk, ids: tuple[str, ...] | None, leave: Callable[[], object]) -> None:
        super().__init__("surface")
        self._desk = desk
        self._ids = ids
        self._leave = leave
        self._judged: Judged | None = None
        self._group = ""
        self._task: Task | None = None
        self._to = ""
        self._purpose = ""
        self._exercise = False
        self._ones: list[Listed] = []
        self.target: Path | None = None
        change = Button(_("Change selection"), icon="list-checks", run=lambda: self._back(leave))
        self.header = Header(_("New release"), change, leading=back_button(leave))
        self.header.count.setText(
            _("everything held")
            if ids is None
            else _("{n} from the holdings").format(n=numbers.objects(len(ids)))
        )
        self._summary_row = line(gap=24)
        self._kinds = Text(weight="semibold")
        self._some_kinds = QWidget()
        self._some_kinds.setLayout(
            line(Text(_("Kinds"), size="label", color="muted", fixed=True), self._kinds, gap=12)
        )
        self._summary = Card(column(self._summary_row, self._some_kinds, gap=6, margins=(16, 10, 16, 10)))
        self.chips = ChipRow(self._choose)
        self.only_new = Chip(ChipSpec("new", _("Only what they lack")))
        self.only_new.clicked.connect(lambda: self.judge())
        chips = line(self.chips, self.only_new, gap=8)
        self.refusal = Refusal()
        top = Pane(layout=column(self._summary, 8, chips, self.refusal, 6, margins=(16, 0)))
        self._groups = column()
        groups = Pane("surface", layout=column(self._groups, None))
        self._stack = QStackedWidget()
        self._stack.addWidget(Scroll(groups))
        self._wait = Empty("shield-check", _("The gate looks at each object."))
        self._stack.addWidget(self._wait)
        self._nobody = Empty(
            "users",
            _("No verified counterpart yet. Nothing can be sealed for anybody."),
            Button(_("Go to the counterparts"), icon="users", run=lambda: desk.go.emit("counterparts")),
        )
        self._stack.addWidget(self._nobody)
        whole = column(self.header, top, Hairline(), self._stack)
        whole.setStretch(3, 1)
        side = Pane("surface", layout=whole)
        self.panel = DetailPanel()
        self.split = ListDetail(side, self.panel, detail_width=392)
        self.split.want_detail(True)
        self.setLayout(column(self.split))
        self.priority = Segments([("routine", _("Routine")), ("flash", _("Flash"))], "routine")
        self.note = QPlainTextEdit()
        self.reference = QLineEdit()
        shortcut = QShortcut(QKeySequence("Ctrl+Return"), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.seal)
        self._make_form()
        desk.changed.connect(self._changed)
        self._stack.setCurrentWidget(self._wait)
        self._fetch_ones()

    def _back(self, leave: Callable[[], object]) -> None:
        leave()
        self._desk.go.emit("holdings")

    def _make_form(self) -> None:
        self.note.setPlaceholderText(_("For the officer there"))
        self.note.setAccessibleName(_("Note"))
        self.note.setFixedHeight(58)
        self.note.setTabChangesFocus(True)
        self.reference.setPlaceholderText(_("Your file number, if any"))
        self.reference.setAccessibleName(_("Reference"))
        self.reference.setMaxLength(200)

    # --- whom for -----------------------------------------------------------------------------------------------------

    def _fetch_ones(self) -> None:
        def done(ones: list[Listed]) -> None:
            self._ones = [o for o in ones if o.verified and not o.revoked]
            if not self._ones:
                self._stack.setCurrentWidget(self._nobody)
                self._show_summary()
                self._show_panel()
                return
            if self._to not in {o.fingerprint for o in self._ones}:
                self._to = self._ones[0].fingerprint
            self.judge()

        self._desk.read(lambda installation, _job: counterparts.listed(installation), done)

    def choose_counterpart(self, fingerprint: str) -> None:
        """Release to this one."""
        self._to = fingerprint
        self.judge()

    @property
    def counterpart(self) -> Listed | None:
        return next((o for o in self._ones if o.fingerprint == self._to), None)

    def _show_summary(self) -> None:
        clear(self._summary_row)
        one = self.counterpart
        if one is None:
            self._summary.hide()
            return
        self._summary.show()
        choice = Choice([(o.fingerprint, o.alias) for o in self._ones], self._to, self.choose_counterpart)
        choice.setAccessibleName(pgettext("recipient", "To"))
        row = self._summary_row
        row.addLayout(line(Icon("badge-check", "success"), pair(pgettext("recipient", "To"), choice), gap=12))
        decision = self._judged.decision if self._judged else None
        clauses = decision.force.clauses if decision is not None else None
        agreed = _("None in force")
        if decision is not None and clauses is not None:
            known = listed(numbers.number(n) for n, _id in decision.force.agreements)
            agreed = _("No. {n}, to {day}").format(n=known, day=numbers.day(clauses.until))
        row.addLayout(line(Icon("handshake"), pair(_("Agreement"), Text(agreed, weight="semibold")), gap=12))
        ceiling = "CLEAR" if decision is None or decision.ceiling is None else decision.ceiling.label
        row.addLayout(line(pair(_("Ceiling"), TlpTag(ceiling))))
        if decision is not None:
            row.addLayout(
                line(Icon("key-round"), pair(_("Key"), strong(_(_KEYS[decision.protection]))), gap=12)
            )
        every = clauses is not None and KINDS.keys() <= set(clauses.kinds)
        if every:
            row.addLayout(line(pair(_("Kinds"), strong(pgettext("kinds", "All")))))
        row.addStretch(1)
        self._some_kinds.setVisible(clauses is not None and not every)
        self._kinds.setText("" if clauses is None else kinds_said(clauses.kinds))

    # --- judging ------------------------------------------------------------------------------------------------------

    def _wish(self) -> Wish:
        return Wish(
            self._ids,
            self.only_new.isChecked(),
            False,
            self.note.toPlainText().strip(),
            self.priority.value,
            self.reference.text().strip(),
            purpose=self._purpose,
            exercise=self._exercise,
        )

    def judge(self) -> None:
        """Ask the gate again."""
        self.refusal.clear()
        if self._task is not None:
            self._task.cancel()
        to, wish = self._to, self._wish()
        self._stack.setCurrentWidget(self._wait)

        def work(installation: Installation, job: Job) -> Judged:
            decision = releases.check(installation, to, wish, job)
            wanted: list[str] = []
            seen: Counter[str] = Counter()
            for item in decision.items:
                seen[item.code] += 1
                if seen[item.code] <= NAMED:
                    wanted.append(item.id)
            if to != self._to:
                raise Cancelled
            return judged(decision, titles.of_ids(installation, wanted))

        def done(judged: Judged) -> None:
            self._judged = judged
            self._show()

        def failed(refused: Refused) -> None:
            self._judged = None
            self._show_summary()
            self._show_panel()
            self.refusal.show_refusal(refused)

        self._task = self._desk.read(work, done, failed, title=_("Check what may leave"))

    def _show(self) -> None:
        judged = self._judged
        if judged is None:
            return
        decision = judged.decision
        has, leaving = judged.count(ALREADY_HAS), judged.count(LEAVES)
        held = len(decision.items) - has - leaving
        specs = [ChipSpec("", _("All"), len(decision.items))]
        specs.append(ChipSpec("leaves", pgettext("filter", "Leaves"), leaving, "arrow-up-right", "accent"))
        specs.append(ChipSpec("already-has", pgettext("filter", "Already has"), has, "check-check"))
        specs.append(ChipSpec("held", pgettext("filter", "Held back"), held, "hand", "warning"))
        self.chips.set(specs, self._group)
        self._show_summary()
        self._show_groups(judged)
        self._show_panel()
        self._stack.setCurrentIndex(0)

    def _choose(self, group: str) -> None:
        self._group = group
        if self._judged is not None:
            self._show_groups(self._judged)

    def _show_groups(self, judged: Judged) -> None:
        clear(self._groups)
        columns = (
            Column("name", "", 0, "name"),
            Column("marking", "", tag_width(), "tag"),
            Column("type", "", 132),
        )
        for code, items in judged.groups:
            status = code if code in (LEAVES, ALREADY_HAS) else "held"
            if self._group and self._group != status:
                continue
            group = Group(
                code,
                status,
                len(items),
                _reason(code),
                remedy(code, window=True) or (_leaves_under(judged.decision) if code == LEAVES else ""),
                rows(items, judged.names),
                self._action(code),
                open=code != ALREADY_HAS,
            )
            shown = VerdictGroup(group, columns)
            shown.activated_row.connect(lambda row: self.preview(row.data))
            self._groups.addWidget(shown)

    def _action(self, code: str) -> tuple[str, str, Callable[[], object]] | None:
        one = self.counterpart
        if code in ("no-agreement", "ceiling", "kind", "period") and one is not None:
            return (_("Propose agreement…"), "handshake", lambda: ProposeSheet(self._desk, one).open())
        if code == "exercise":
            return (_("This is an exercise"), "flag", self._as_exercise)
        return None

    def _as_exercise(self) -> None:
        self._exercise = True
        self.judge()

    def _choose_purpose(self, purpose: str) -> None:
        self._purpose = purpose
        self.judge()

    # --- the panel ----------------------------------------------------------------------------------------------------

    def _show_panel(self) -> None:
        self.note.setParent(None)
        self.reference.setParent(None)
        self.priority.setParent(None)
        one = self.counterpart
        if self._judged is None or one is None:
            self.panel.show_items(
                [Empty("lock", _("What leaves is counted here before anything is sealed."))]
            )
            self.panel.show_foot([])
            return
        decision = self._judged.decision
        leaving, has = self._judged.count(LEAVES), self._judged.count(ALREADY_HAS)
        count = Text(numbers.number(leaving), size="code", weight="semibold", fixed=True)
        words = ngettext("object leaves", "objects leave", leaving)
        preview = Button(_("Preview"), "quiet", icon="eye", run=lambda: self.preview(None))
        preview.setEnabled(bool(leaving))
        items: list[Widget] = [
            line(count, column(10, muted(words, size="body")), None, preview, gap=8),
            8,
            Parts(leaving, has, len(decision.items) - leaving - has),
            14,
            tallies(self._judged),
            16,
        ]
        if decision.warnings:
            said = [sentence(w.code, {"n": w.count, "count": w.count}) for w in decision.warnings]
            notices = [
                Notice(_("{many}: {what}").format(many=numbers.number(w.count), what=text), "warning")
                for w, text in zip(decision.warnings, said, strict=True)
            ]
            items.append(Section(_("Check before sealing"), None, *notices))
        purposes = decision.force.clauses.purposes if decision.force.clauses is not None else None
        stated: list[Widget] = []
        if purposes:
            options = [("", _("Not stated")), *((purpose, purpose) for purpose in purposes)]
            stated = [field(_("Purpose"), Choice(options, self._purpose, self._choose_purpose), 30), 8]
        form = column(
            *stated,
            field(_("Priority"), self.priority, 30),
            8,
            field(_("Note"), self.note, 58),
            8,
            field(_("Reference"), self.reference, 30),
        )
        holder = QWidget()
        holder.setLayout(form)
        items.append(Section(_("Package"), None, holder))
        where = Button(_("Change"), "quiet", run=self.ask_target)
        if self.target is None:
            carry = entry(
                "package", _("The outbox"), _("It waits there until it is carried."), trailing=where
            )
        else:
            carry = entry(
                "hard-drive", self.target.name or str(self.target), str(self.target), trailing=where
            )
        items.append(
            Section(
                _("Carry on"),
                None,
                carry,
                entry("key-round", sentence(f"protection-{decision.protection}"), wrap=True),
            )
        )
        self.panel.show_items(items)
        self._show_foot(one, leaving)

    def _show_foot(self, one: Listed, leaving: int) -> None:
        seal = Button(
            _("Seal for {name}").format(name=isolate(one.alias)),
            "primary",
            icon="lock",
            large=True,
            run=self.seal,
        )
        seal.setEnabled(bool(leaving))
        if not leaving:
            seal.setToolTip(_("Nothing may leave."))
        self.seal_button = seal
        seal.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        said = muted(
            _("Written, read back, verified.") if self.target else _("Waits in the outbox until carried.")
        )
        self.panel.show_tall_foot(column(seal, line(said, None, KeyHint("Ctrl+Enter"), gap=8), gap=8))

    def preview(self, item: object) -> None:
        """The exact text of what leaves, or of one object."""
        if self._judged is None:
            return
        decision = self._judged.decision
        some = [item] if isinstance(item, Item) else list(decision.leaving)
        if some:
            PreviewSheet(self._desk, some, self._judged.names).open()

    def ask_target(self) -> None:
        """Ask for the folder or drive that takes the package."""
        files.ask_folder(self.window(), _("Carry the package on"), self.set_target)

    def set_target(self, path: Path) -> None:
        self.target = path
        self._show_panel()

    def seal(self) -> None:
        """Seal what may leave; written, read back, verified."""
        one = self.counterpart
        if one is None or self._judged is None or not self._judged.count(LEAVES):
            return
        wish, target, shown = self._wish(), self.target, self._judged.decision
        self.refusal.clear()
        self.seal_button.setEnabled(False)

        def work(installation: Installation, job: Job) -> Released:
            return releases.release(installation, one.fingerprint, wish, target, job, shown)

        def done(released: Released) -> None:
            count = numbers.objects(len(released.decision.leaving))
            words = (
                _("Package {seq} with {n} waits in the outbox.")
                if target is None
                else _("Package {seq} with {n}: sealed, written, read back and verified.")
            )
            self.sealed.emit(words.format(seq=released.package.seq, n=count))

        def failed(refused: Refused) -> None:
            self.seal_button.setEnabled(True)
            if refused.code == "decision-changed":
                self.judge()
            self.refusal.show_refusal(refused)

        name = _("Seal for {name}").format(name=isolate(one.alias))
        self._desk.write(
            work, done, failed, changes=(RELEASES, COUNTERPARTS), title=name, cancelled=self.judge
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
            return
        super().keyPressEvent(event)

    def _changed(self, what: frozenset[str]) -> None:
        if COUNTERPARTS in what and not self._ones:
            self._fetch_ones()


_KEYS = {"onetime": N_("One-time"), "reusable": N_("Reusable"), "card": N_("Of the card")}


def _reason(code: str) -> str:
    """What a group of objects has in common; beside their number, so as the filter says it where there is one."""
    said = {LEAVES: pgettext("filter", "Leaves"), ALREADY_HAS: pgettext("filter", "Already has")}
    return said.get(code) or sentence(code).rstrip(".")


def _leaves_under(decision: Decision) -> str:
    ceiling = "CLEAR" if decision.ceiling is None else decision.ceiling.label
    return _("Every marking and handling at or below {level}.").format(level=ceiling)
