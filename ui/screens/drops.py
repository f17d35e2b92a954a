"""Drops, in the settings: the folders that both sides reach; adding one, and syncing all.

What goes wrong with a folder or a file in it is told here, where the officer asked for it, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QLineEdit, QWidget

from app.exchange import drops
from app.exchange.drops import Listed, Synced
from app.exchange.ranges import spoken
from app.jobs import Job
from app.messages import _, ngettext, remedy, sentence
from app.store.installation import Installation
from ui import files, numbers
from ui.desk import COUNTERPARTS, INBOX, RELEASES, SETTINGS, Desk
from ui.safe_text import isolate, isolate_file, isolate_ltr
from ui.screens.entry import form_row
from ui.widgets.buttons import Button, Choice
from ui.widgets.focus import focus_kept
from ui.widgets.layout import clear, column, line
from ui.widgets.notices import Refusal
from ui.widgets.panel import Section, entry
from ui.widgets.sheet import Sheet
from ui.widgets.text import muted

SHOWN = 100


@dataclass(frozen=True)
class Told:
    """Something that a sync came upon: in which drop and file, and what."""

    where: str
    code: str
    facts: Mapping[str, object]


class Drops(Section):
    """The drops in use."""

    def __init__(self, desk: Desk, say: Callable[[str], object]) -> None:
        self._desk, self._say = desk, say
        self._names: list[tuple[str, str]] = []
        self.told: tuple[Told, ...] = ()
        self.refusal = Refusal()
        desk.acting.connect(self.refusal.clear)
        self._rows = column(gap=6)
        self._none = muted(_("A folder that both sides reach. Packages are left and found there."), wrap=True)
        self._sync = Button(_("Sync all"), icon="arrow-left-right", run=self.sync)
        add = Button(_("Add…"), "quiet", icon="plus", run=self.ask)
        super().__init__(
            _("Drops"), None, self.refusal, self._rows, self._none, line(self._sync, None), action=add
        )
        self.show_drops((), ())

    def show_drops(self, held: tuple[Listed, ...], names: tuple[tuple[str, str], ...]) -> None:
        """The drops as they are now; `names` are fingerprint and alias of whom one can be shared with."""
        self._names = list(names)
        self.set_count(len(held))
        with focus_kept(self):
            clear(self._rows)
            for one in held:
                said = f"{isolate(one.counterpart)} · {isolate_ltr(one.folder)}"
                words = _("Remove the drop {name}").format(name=isolate(one.name))
                remove = Button(words, "icon", icon="trash-2", run=partial(self.remove, one.name))
                self._rows.addWidget(entry("folder-open", one.name, said, wrap=True, trailing=remove))
        self._none.setVisible(not held)
        self._sync.setVisible(bool(held))

    # --- adding one ---------------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Ask for a folder to use as a drop."""
        if not self._names:
            self.refusal.show_words(
                _("A drop belongs to a verified counterpart."), _("Verify one first."), "drop-counterpart"
            )
            return
        self.refusal.clear()
        files.ask_folder(self._desk.window, _("Folder of the drop"), self.name)

    def name(self, path: Path) -> None:
        """Name the drop in folder `path` and choose its counterpart."""
        names = self._names
        sheet = Sheet(self._desk.window, _("Add a drop"), isolate_ltr(str(path)), width=520)
        field = QLineEdit(path.name)
        field.setMaxLength(200)
        field.setAccessibleName(_("Name"))
        with_ = Choice(names, names[0][0], lambda _v: None)
        with_row = QWidget()
        with_row.setLayout(line(with_, None))
        sheet.body.addWidget(form_row(_("Name"), field))
        sheet.body.addSpacing(10)
        sheet.body.addWidget(form_row(_("Counterpart"), with_row))

        def go() -> None:
            name, fingerprint = field.text(), with_.value
            sheet.close_sheet()
            self._desk.write(
                lambda i, _job: drops.add(i, name, path, fingerprint),
                lambda _none: self._say(_("Drop added.")),
                self.refusal.show_refusal,
                changes=(SETTINGS,),
            )

        field.returnPressed.connect(go)
        sheet.foot_trail.addWidget(Button(_("Cancel"), run=sheet.close_sheet))
        sheet.foot_trail.addWidget(Button(_("Add the drop"), "primary", run=go))
        sheet.open()

    # --- removing one -------------------------------------------------------------------------------------------------

    def remove(self, name: str) -> None:
        """Use a drop no more: it can be added again."""
        self._desk.write(
            lambda i, _job: drops.remove(i, name),
            lambda _name: self._say(_("Drop removed. What lies in its folder stays there.")),
            self.refusal.show_refusal,
            changes=(SETTINGS,),
        )

    # --- syncing ------------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Publish what waits, and fetch what is for us, in every drop."""

        def work(installation: Installation, job: Job) -> tuple[Synced, tuple[Told, ...]]:
            done = drops.sync(installation, (), job)
            return done, _told(done, {one.name: one for one in drops.listed(installation)})

        self._desk.write(
            work,
            lambda found: self._synced(*found),
            self.refusal.show_refusal,
            changes=(INBOX, RELEASES, COUNTERPARTS),
            title=_("Sync the drops"),
        )

    def _synced(self, done: Synced, told: tuple[Told, ...]) -> None:
        self.told = told
        out, got = len(done.published), len(done.received)
        if out or got or not told:
            words = _("{out} published, {got} received.")
            self._say(words.format(out=numbers.number(out), got=numbers.number(got)))
        if len(told) == 1:
            self.refusal.show_code(told[0].code, dict(told[0].facts))
        elif told:
            count = len(told)
            words = ngettext(
                "{n} thing in the drops needs to be looked at.",
                "{n} things in the drops need to be looked at.",
                count,
            )
            self.refusal.show_words(
                words.format(n=numbers.number(count)), "", "", (_("Show…"), self.show_all)
            )

    def show_all(self) -> None:
        """All that the sync came upon."""
        sheet = Sheet(self._desk.window, _("Sync the drops"))
        for one in self.told[:SHOWN]:
            said = f"{sentence(one.code, one.facts)} {remedy(one.code, one.facts, window=True)}"
            sheet.body.addWidget(entry("triangle-alert", one.where, said, color="danger", wrap=True))
            sheet.body.addSpacing(8)
        if len(self.told) > SHOWN:
            more = _("and {n} more").format(n=numbers.number(len(self.told) - SHOWN))
            sheet.body.addWidget(muted(more))
        sheet.foot_trail.addWidget(Button(_("Close"), run=sheet.close_sheet))
        sheet.open()


def _told(done: Synced, shared: dict[str, Listed]) -> tuple[Told, ...]:
    """What was refused, and what is to be known of what came."""
    told: list[Told] = []
    for name, file, code in done.refused:
        where = isolate(name)
        if isinstance(file, int):
            where = f"{where} · {_('package {n}').format(n=numbers.number(file))}"
        elif file:
            where = f"{where} · {isolate_file(file)}"
        told.append(Told(where, code, drops.facts(shared[name], file)))
    for name, got in done.received:
        package = _("Package {seq} from {name}")
        said = package.format(seq=numbers.number(got.seq), name=isolate(got.sender))
        where = f"{isolate(name)} · {said}"
        if got.status != "new":
            told.append(Told(where, f"status-{got.status}", {"missing": spoken(got.missing)}))
        if got.lacking:
            facts = {"name": got.sender, "numbers": spoken(got.lacking)}
            told.append(Told(where, "packages-lacking", facts))
        told += [Told(where, code, {"where": place, "name": got.sender}) for place, code in got.failed]
    return tuple(told)
