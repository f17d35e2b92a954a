"""What counterparts ask back: a notice for each above the inbox, and the sheet in which the officer answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtWidgets import QLineEdit, QSizePolicy
from shiboken6 import isValid

from app.exchange import recalling, wording
from app.exchange.recalling import Listed, Sent
from app.exchange.touching import Touched
from app.holdings import titles
from app.jobs import Job
from app.messages import _, listed, ngettext
from app.store.installation import Installation
from ui import icons, numbers
from ui.desk import HOLDINGS, INBOX, RELEASES, Desk
from ui.safe_text import isolate, short_id, spoken, visible
from ui.screens.entry import form_row
from ui.widgets.buttons import Button
from ui.widgets.layout import Pane, clear, column
from ui.widgets.notices import Notice, Refusal
from ui.widgets.panel import entry, fact
from ui.widgets.sheet import Sheet
from ui.widgets.text import Text
from ui.words import object_state_word

SHOWN = 3
NAMED = 5
NONE = ("none", "-", "0")


class Recalls(Pane):
    """The recalls that nobody answered yet; nothing at all where there is none."""

    def __init__(self, desk: Desk, say: Callable[[str], object]) -> None:
        super().__init__()
        self._desk = desk
        self._say = say
        self._rows = column(gap=6, margins=(0, 0, 0, 4))
        self.setLayout(self._rows)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()
        desk.changed.connect(self._changed)
        self.reload()

    def reload(self) -> None:
        """Look again."""

        def work(installation: Installation, _job: Job) -> list[Listed]:
            return [one for one in recalling.listed(installation) if not one.ours and one.state == "open"]

        self._desk.read(work, self._show)

    def _show(self, found: list[Listed]) -> None:
        clear(self._rows)
        self.setVisible(bool(found))
        for one in found[:SHOWN]:
            words = ngettext("{name} asks {n} object back.", "{name} asks {n} objects back.", one.objects)
            said = words.format(name=isolate(one.counterpart), n=numbers.number(one.objects))
            answer = Button(_("Answer…"), run=partial(self.ask, one.number))
            self._rows.addWidget(Notice(said, "warning", icon="undo-2", action=answer))
        if len(found) > SHOWN:
            more = _("and {n} more").format(n=numbers.number(len(found) - SHOWN))
            self._rows.addWidget(Text(more, size="label", color="muted"))

    def _changed(self, what: frozenset[str]) -> None:
        if INBOX in what:
            self.reload()

    def ask(self, number: int) -> None:
        """Show what recall `number` touches, and ask for the answer."""

        def work(installation: Installation, job: Job) -> tuple[Listed, list[Touched]]:
            one, touched = recalling.show(installation, number, job)
            called = titles.of_ids(installation, (t.id for t in touched[:NAMED] if t.name))
            return one, [replace(t, name=called[t.id].words) if t.id in called else t for t in touched]

        self._desk.read(work, lambda found: Answer(self._desk, self._say, *found).open())


class Answer(Sheet):
    """One recall: why, what it touches here, and the two answers."""

    def __init__(self, desk: Desk, say: Callable[[str], object], one: Listed, touched: list[Touched]) -> None:
        name = isolate(one.counterpart)
        super().__init__(
            desk.window,
            _("{name} asks something back").format(name=name),
            _("Delete it, and say until when backups may hold it; or say why not."),
            width=560,
        )
        self._desk, self._say, self._number = desk, say, one.number
        self.body.addWidget(Text(one.reason, wrap=True))
        self.body.addSpacing(12)
        for t in touched[:NAMED]:
            mark = icons.object_icon(t.id.partition("--")[0])
            self.body.addWidget(entry(mark, t.name or short_id(t.id), object_state_word(t.state)))
            self.body.addSpacing(4)
        if len(touched) > NAMED:
            more = _("and {n} more").format(n=numbers.number(len(touched) - NAMED))
            self.body.addWidget(Text(more, size="label", color="muted"))
        self.body.addSpacing(8)
        onward = sorted({alias for t in touched for alias in t.onward})
        facts = [
            (_("Asked back"), len(touched)),
            (_("Held here"), sum(t.state == "held" for t in touched)),
            (_("Other source"), sum(t.independent for t in touched)),
            (_("In the inbox"), sum(t.state == "pending" for t in touched)),
            (_("Never came"), sum(t.state == "never" for t in touched)),
            (_("Named by"), len({id_ for t in touched for id_ in t.referring})),
        ]
        for label, count in facts:
            if count:
                self.body.addWidget(fact(label, numbers.objects(count)))
                self.body.addSpacing(4)
        if onward:
            self.body.addSpacing(8)
            words = _("Released onward to {names}: recall it there too.")
            self.body.addWidget(Notice(words.format(names=listed(map(isolate, onward))), "warning"))
        self.body.addSpacing(12)
        self.backups, self.reason = QLineEdit(), QLineEdit()
        self.backups.setPlaceholderText(spoken(visible(_("2027-12-31, or none"))))
        self.reason.setMaxLength(500)
        for label, field in (
            (_("Backups until"), self.backups),
            (_("Or why not"), self.reason),
        ):
            field.setAccessibleName(label)
            field.textChanged.connect(self._count)
            self.body.addWidget(form_row(label, field))
            self.body.addSpacing(8)
        self.refusal = Refusal()
        self.body.addWidget(self.refusal)
        self.delete_button = Button(_("Delete and confirm"), "danger", run=self.delete)
        self.refuse_button = Button(_("Refuse"), run=self.refuse)
        self.foot_lead.addWidget(self.delete_button)
        self.foot_lead.addWidget(self.refuse_button)
        self.foot_trail.addWidget(Button(_("Cancel"), run=self.close_sheet))
        self._count()

    def _count(self) -> None:
        day = self._day
        self.delete_button.setEnabled(day in NONE or wording.is_day(day))
        self.refuse_button.setEnabled(bool(self.reason.text().strip()))

    @property
    def _day(self) -> str:
        return numbers.western(self.backups.text()).lower()

    def delete(self) -> None:
        """Delete it, and seal the confirmation into the outbox."""
        day, number = "" if self._day in NONE else self._day, self._number

        def work(installation: Installation, job: Job) -> Sent:
            return recalling.confirm(installation, number, day, None, job)

        self._send(
            work, _("Deleted, and the confirmation is sealed: package {n}, to be carried from Releases.")
        )

    def refuse(self) -> None:
        """Seal the refusal into the outbox."""
        reason, number = self.reason.text(), self._number

        def work(installation: Installation, job: Job) -> Sent:
            return recalling.refuse(installation, number, reason, None, job)

        self._send(work, _("Refused, and the answer is sealed: package {n}, to be carried from Releases."))

    def _send(self, work: Callable[[Installation, Job], Sent], said: str) -> None:
        self.refusal.clear()

        def done(sent: Sent) -> None:
            self._say(said.format(n=numbers.number(sent.package.seq)))
            if isValid(self):
                self.close_sheet()

        self._desk.write(
            work,
            done,
            self.refusal.show_refusal,
            changes=(HOLDINGS, INBOX, RELEASES),
            title=_("Answer the recall"),
        )
