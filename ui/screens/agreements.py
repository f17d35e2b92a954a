"""Agreements with one counterpart: what is in force, a sheet to propose one, signing theirs, ending one.

What is proposed, signed or ended travels in a package of its own; until then it waits in the outbox.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget
from shiboken6 import isValid

from app import settings
from app.exchange import agreements, terms
from app.exchange.agreements import Agreement, Done
from app.exchange.counterparts import Listed
from app.exchange.terms import Clauses
from app.intel import marking
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused, _, listed, ngettext, pgettext
from app.store.installation import Installation
from app.words import AGREEMENT_STATES, KINDS, ONWARD
from ui import files, numbers
from ui.desk import AUDIT, COUNTERPARTS, RELEASES, Desk
from ui.safe_text import isolate, isolate_ltr
from ui.screens.entry import form_row
from ui.widgets.buttons import Button, Check, Choice
from ui.widgets.layout import Item, column, line
from ui.widgets.notices import Icon, Refusal
from ui.widgets.panel import Section, fact
from ui.widgets.sheet import Question, Sheet
from ui.widgets.tags import TlpTag
from ui.widgets.text import Text, muted

YEAR_DAYS = 365

STATES: dict[str, tuple[str, str]] = {
    "in-force": ("badge-check", "success"),
    "proposed": ("clock", "info"),
    "upcoming": ("clock", "info"),
    "expired": ("timer", "muted"),
    "superseded": ("rotate-ccw", "muted"),
    "ended": ("x", "muted"),
    "closed": ("x", "muted"),
}
"""Icon and colour token."""


def kinds_said(kinds: tuple[str, ...]) -> str:
    """The kinds of an agreement in words: a list begins with a capital, and goes on without."""
    words = [_(KINDS[kind]) for kind in kinds if kind in KINDS]
    return listed([*words[:1], *map(str.lower, words[1:])])


def period_said(clauses: Clauses) -> str:
    """From when until when."""
    return _("{start} to {until}").format(start=numbers.day(clauses.start), until=numbers.day(clauses.until))


class Agreements(QWidget):
    """The section of a counterpart's panel."""

    def __init__(self, desk: Desk, one: Listed, known: tuple[Agreement, ...]) -> None:
        super().__init__()
        self._desk = desk
        self._one = one
        self.refusal = Refusal()
        desk.acting.connect(self.refusal.clear)
        items: list[Item] = [self.refusal]
        items += [self._agreement(agreement) for agreement in known]
        if not known:
            items.append(muted(_("None. Without one, only CLEAR leaves."), wrap=True))
        propose = Button(_("Propose…"), "quiet", icon="handshake", run=self.propose)
        self.setLayout(column(Section(_("Agreements"), len(known), *items, action=propose)))

    def _agreement(self, agreement: Agreement) -> QWidget:
        icon, color = STATES[agreement.state]
        words = AGREEMENT_STATES[agreement.state]
        clauses = agreement.clauses
        head = _("Agreement {n}").format(n=numbers.number(agreement.number))
        first = line(
            Text(head, size="label", weight="medium", fixed=True),
            TlpTag(clauses.ceiling.label),
            Text(_(words), size="label", color=color, weight="medium", fixed=True),
            None,
            gap=8,
        )
        about = f"{period_said(clauses)} · {kinds_said(clauses.kinds)} · {_(ONWARD[clauses.onward])}"
        texts = column(first, muted(about, size="small", wrap=True), gap=2)
        row = line(column(Icon(icon, color), None, margins=(0, 1, 0, 0)), texts, gap=10)
        row.setStretch(1, 1)
        if agreement.state == "proposed" and not agreement.ours:
            row.addWidget(Button(_("Sign…"), "primary", run=partial(self.sign, agreement)))
        if agreement.state in ("proposed", "in-force", "upcoming"):
            row.addWidget(Button(_("End…"), "quiet", run=partial(self.end, agreement)))
        made = QWidget()
        made.setLayout(row)
        return made

    def propose(self) -> None:
        """Open the sheet."""
        ProposeSheet(self._desk, self._one).open()

    def sign(self, agreement: Agreement) -> None:
        """Show every clause; countersigned, the package that says so goes to a folder that is asked for."""

        def ask() -> None:
            words = _("Carry the signature on")
            # What shows it may have been drawn anew since.
            files.ask_folder(self._desk.window, words, lambda path: self.sign_to(agreement, path))

        SignSheet(self._desk.window, agreement, ask).open()

    def sign_to(self, agreement: Agreement, target: Path) -> None:
        def work(installation: Installation, job: Job) -> Done:
            return agreements.sign(installation, agreement.number, target, job)

        self._write(work, _("Sign the agreement"))

    def end(self, agreement: Agreement) -> None:
        """Ask, then withdraw."""

        def work(installation: Installation, job: Job) -> Done:
            return agreements.end(installation, agreement.number, None, job)

        Question(
            self._desk.window,
            _("End agreement {n}?").format(n=numbers.number(agreement.number)),
            _(
                "Here it is out of force at once; there, when the package comes that says so. It waits in the outbox."
            ),
            _("End the agreement"),
            lambda: self._write(work, _("End the agreement")),
        ).open()

    def _write(self, work: Callable[[Installation, Job], Done], title: str) -> None:
        def failed(refused: Refused) -> None:
            if isValid(self):
                self.refusal.show_refusal(refused)
            else:
                self._desk.refused.emit(refused)

        self._desk.write(work, None, failed, changes=(COUNTERPARTS, RELEASES, AUDIT), title=title)


CLAUSE = 300
"""Width of the name of a clause: none is cut short where it is signed."""


class SignSheet(Sheet):
    """Every clause of what is about to be signed: nothing is signed that was not shown."""

    def __init__(self, window: QWidget, agreement: Agreement, sign: Callable[[], object]) -> None:
        super().__init__(
            window,
            _("Sign agreement {n} with {name}").format(
                n=numbers.number(agreement.number), name=isolate(agreement.counterpart)
            ),
            _("They signed it. Once you sign it too, it is in force here; there, when the package comes."),
        )
        for label, value in clauses_said(agreement):
            self.body.addWidget(fact(label, value, width=CLAUSE))
            self.body.addSpacing(8)
        self._sign = sign
        self.foot_trail.addWidget(Button(_("Cancel"), run=self.close_sheet))
        self.go = Button(_("Sign…"), "primary", icon="handshake", run=self._go)
        self.foot_trail.addWidget(self.go)

    def _go(self) -> None:
        self.close_sheet()
        self._sign()


def clauses_said(agreement: Agreement) -> list[tuple[str, QWidget | str]]:
    """Each clause, in words: its name and what it says."""
    clauses = agreement.clauses
    replaced = [_("Agreement {n}").format(n=numbers.number(number)) for number in agreement.supersedes]
    replaced += map(isolate_ltr, agreement.unknown)
    days = ngettext("{n} day", "{n} days", clauses.retention or 0)
    counts = clauses.receipts == terms.RECEIPTS[0]
    return [
        (_("Ceiling"), TlpTag(clauses.ceiling.label)),
        (_("Kinds"), kinds_said(clauses.kinds)),
        (_("About sectors"), _limits(clauses.sectors)),
        (_("Purposes"), _limits(clauses.purposes)),
        (_("Passing on"), _(ONWARD[clauses.onward])),
        (
            _("Kept for"),
            days.format(n=numbers.number(clauses.retention)) if clauses.retention else _("No limit"),
        ),
        (_("Period"), period_said(clauses)),
        (_("Sign by"), numbers.day(clauses.open_until)),
        (_("For exercises only"), _("yes") if clauses.exercise else _("no")),
        (_("Receipts tell counts only"), _("yes") if counts else _("no")),
        (_("Replaces"), listed(replaced) or _("none")),
    ]


def _limits(names: tuple[str, ...] | None) -> str:
    return _("any") if names is None else listed(map(isolate, names))


class ProposeSheet(Sheet):
    """The clauses of a new agreement."""

    proposed = Signal()

    def __init__(self, desk: Desk, one: Listed) -> None:
        super().__init__(
            desk.window,
            _("Propose an agreement to {name}").format(name=isolate(one.alias)),
            _("Signed here, then countersigned by them. In force once both have signed."),
        )
        self._desk = desk
        self._one = one
        today = datetime.datetime.now(datetime.UTC).date()
        self.ceiling = Choice([(h, f"TLP:{h}") for h in settings.HANDLINGS], "AMBER", lambda _v: None)
        self.kinds = {kind: Check(_(words), checked=True) for kind, words in KINDS.items()}
        self.onward = Choice([(key, _(words)) for key, words in ONWARD.items()], "never", lambda _v: None)
        self.start = _date(pgettext("day", "From"), today)
        self.until = _date(_("Until"), today + datetime.timedelta(days=YEAR_DAYS))
        self.open_until = _date(_("Sign by"), today + datetime.timedelta(days=terms.OPEN_DAYS))
        self.exercise = Check(_("For exercises only"))
        self.counts = Check(_("Receipts tell counts only"))
        self.refusal = Refusal()
        kinds = QWidget()
        kinds.setLayout(line(*self.kinds.values(), None, gap=16))
        dates = QWidget()
        dates.setLayout(line(self.start, muted(_("to"), size="body"), self.until, None, gap=8))
        for item in (
            form_row(_("Ceiling"), _held(self.ceiling), _("Nothing above it leaves.")),
            form_row(_("Kinds"), kinds),
            form_row(_("Passing on"), _held(self.onward)),
            form_row(_("Period"), dates, _("Year, month, day. Both days count.")),
            form_row(_("Sign by"), _held(self.open_until)),
            form_row("", _held(self.exercise)),
            form_row("", _held(self.counts)),
            self.refusal,
        ):
            self.body.addWidget(item)
            self.body.addSpacing(10)
        self.foot_trail.addWidget(Button(_("Cancel"), run=self.close_sheet))
        self.go = Button(_("Sign and propose…"), "primary", icon="handshake", run=self.ask)
        self.foot_trail.addWidget(self.go)

    def ask(self) -> None:
        """Ask for the folder that takes the package."""
        files.ask_folder(self._desk.window, _("Carry the proposal on"), self.propose)

    def propose(self, target: Path) -> None:
        """Sign the proposal and seal it into a folder."""
        level = marking.parse(self.ceiling.value)
        clauses = Clauses(
            ceiling=Level.CLEAR if level is None else level,
            start=numbers.western(self.start.text()),
            until=numbers.western(self.until.text()),
            open_until=numbers.western(self.open_until.text()),
            kinds=tuple(kind for kind in terms.KINDS if self.kinds[kind].isChecked()),
            onward=self.onward.value,
            exercise=self.exercise.isChecked(),
            receipts=terms.RECEIPTS[0] if self.counts.isChecked() else terms.RECEIPTS[-1],
        )
        fingerprint = self._one.fingerprint
        self.go.setEnabled(False)

        def work(installation: Installation, job: Job) -> Done:
            return agreements.propose(installation, fingerprint, clauses, (), target, job)

        def done(_done: Done) -> None:
            if isValid(self):
                self.close_sheet()

        def failed(refused: Refused) -> None:
            if isValid(self):
                self.go.setEnabled(True)
                self.refusal.show_refusal(refused)
                self.refit()  # what to do must not lie under the edge
            else:
                self._desk.refused.emit(refused)

        self._desk.write(
            work, done, failed, changes=(COUNTERPARTS, RELEASES), title=_("Propose the agreement")
        )


def _date(name: str, day: datetime.date) -> QLineEdit:
    field = QLineEdit(day.isoformat())
    field.setAccessibleName(name)
    field.setMaxLength(10)
    field.setFixedWidth(120)
    return field


def _held(widget: QWidget) -> QWidget:
    made = QWidget()
    made.setLayout(line(widget, None))
    return made
