"""Settings: what an officer may set, the officers, the drops; and the life of the installation, each part a section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from app import officers, settings, vault
from app.exchange import counterparts, drops
from app.jobs import Job
from app.messages import N_, _
from app.settings import Settings as Values
from app.store.installation import Installation
from app.words import DENSITIES, LANGUAGES, SETTING_NAMES, THEMES
from ui import numbers
from ui.actions import Entry
from ui.desk import COUNTERPARTS, SETTINGS, Desk
from ui.safe_text import isolate_ltr
from ui.screens.drops import Drops
from ui.screens.entry import form_row
from ui.screens.upkeep import Backup, Store
from ui.screens.ways_in import WaysIn
from ui.theme import theme
from ui.widgets.buttons import Button, Choice, Segments
from ui.widgets.focus import focus_kept
from ui.widgets.layout import Item, Pane, Scroll, clear, column, line
from ui.widgets.notices import Refusal, ResultLine
from ui.widgets.page import Header
from ui.widgets.panel import ResultFoot, Section, entry
from ui.widgets.sheet import Sheet
from ui.widgets.text import Text, muted

if TYPE_CHECKING:
    from crypto.slots import Slot

WIDTH = 720
MINUTES = ("1", "5", "10", "15", "30", "60")
SCHEMES = {
    "system": (N_("Colours: as the desktop"), "monitor"),
    "light": (N_("Colours: light"), "sun"),
    "dark": (N_("Colours: dark"), "moon"),
    "high_contrast": (N_("Colours: high contrast"), "contrast"),
}
"""The colours in the menu."""


@dataclass(frozen=True)
class Shown:
    """All that this screen shows."""

    values: Values
    officers: tuple[str, ...]
    drops: tuple[drops.Listed, ...]
    names: tuple[tuple[str, str], ...]  # fingerprint, alias of verified counterparts
    fingerprint: str
    retired: str  # when it was moved to another machine, "" if it was not
    last: vault.LastSession
    slots: tuple[Slot, ...]
    size: int  # of the store, bytes
    anchored: bool  # this workstation's keyring watches over the store's age


class Settings(Pane):
    """One column of sections."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self._desk = desk
        self._shown: Shown | None = None
        self.header = Header(_("Settings"))
        self.refusal = Refusal()
        self.result = ResultLine()
        desk.acting.connect(self.result.clear)
        desk.acting.connect(self.refusal.clear)
        keep = partial(self.result.say, keep=True)
        self.ways, self.backup, self.store = WaysIn(desk, keep), Backup(desk, keep), Store(desk, keep)
        self.drops = Drops(desk, keep)
        self._first, self._content, self._last = column(gap=0), column(gap=0), column(gap=0)
        self._narrow = narrow = QWidget()
        narrow.setFixedWidth(WIDTH)
        life = column(self.ways, self.backup, self.store)
        narrow.setLayout(column(self._first, life, self._content, self.drops, self._last, None))
        inside = QWidget()
        inside.setLayout(line(narrow, None, margins=(16, 0, 16, 24)))
        # Over what scrolls: whoever acts far below sees it.
        self.refusal.setMaximumWidth(WIDTH)
        refusal = Pane(layout=line(self.refusal, margins=(16, 0, 16, 8)))
        self.setLayout(column(self.header, refusal, Scroll(inside), ResultFoot(self.result)))
        desk.changed.connect(self._changed)
        self.reload()

    def reload(self) -> None:
        """Fetch the settings anew."""

        def work(installation: Installation, _job: Job) -> Shown:
            ones = counterparts.listed(installation)
            return Shown(
                officers.current_settings(installation),
                tuple(officers.names(installation.database.read())),
                tuple(drops.listed(installation)),
                tuple((o.fingerprint, o.alias) for o in ones if o.verified and not o.revoked),
                installation.identity.fingerprint,
                vault.retired(installation),
                vault.last_session(installation.database.read()),
                vault.slots_of(installation),
                vault.size(installation),
                vault.anchored(installation.database.read()),
            )

        self._desk.read(work, self._show)

    def _show(self, shown: Shown) -> None:
        self._shown = shown
        self.ways.show_slots(shown.slots)
        self.backup.show_retired(shown.retired)
        self.drops.show_drops(shown.drops, shown.names)
        self.store.show_store(shown.size, anchored=shown.anchored)
        with focus_kept(self._narrow):
            self._show_rest(shown)

    def _show_rest(self, shown: Shown) -> None:
        values = shown.values
        clear(self._first)
        clear(self._content)
        clear(self._last)
        self.idle = Choice(
            [(m, numbers.minutes(int(m))) for m in _with(MINUTES, str(values.idle_minutes))],
            str(values.idle_minutes),
            partial(self.change, "idle_minutes"),
        )
        self.handling = Choice(
            [(h, f"TLP:{h}") for h in settings.HANDLINGS], values.handling, partial(self.change, "handling")
        )
        self.scheme = Choice(
            [(k, _(w)) for k, w in THEMES.items()], values.theme, partial(self.change, "theme")
        )
        self.density = Segments(
            [(k, _(w)) for k, w in DENSITIES.items()],
            values.density,
            partial(self.change, "density"),
        )
        self.language = Choice(
            [(k, _(w)) for k, w in LANGUAGES.items()], values.language, partial(self.change, "language")
        )
        security = Section(
            _("Security"),
            None,
            _row(
                _named("idle_minutes"),
                self.idle,
                _("Without a key or a mouse. Work stops, the store closes, the clipboard empties."),
            ),
        )
        intel = Section(
            _("Intel"),
            None,
            _row(
                _named("handling"),
                self.handling,
                _("How an object without a TLP marking is treated from its import on."),
            ),
        )
        look = Section(
            _("Appearance"),
            None,
            _row(_named("theme"), self.scheme),
            _row(_named("density"), self.density),
            _row(_named("language"), self.language, _("From the next unlocking on.")),
        )
        people = Section(
            _("Officers"),
            len(shown.officers),
            *(self._officer(n) for n in shown.officers),
            action=Button(_("Add…"), "quiet", icon="user-plus", run=self.ask_officer),
        )
        own = Section(
            _("This installation"),
            None,
            Text(_groups(shown.fingerprint), size="label", mono=True, wrap=True),
            muted(_("The fingerprint of our card."), size="label"),
            Text(isolate_ltr(" ".join(shown.last.words)), size="label", mono=True, wrap=True),
            muted(
                _("Four words for the log as it stands, at entry {n}.").format(
                    n=numbers.number(shown.last.entry)
                ),
                size="label",
                wrap=True,
            ),
        )
        self._first.addWidget(security)
        for section in (intel, look, people):
            self._content.addWidget(section)
        self._last.addWidget(own)

    def _officer(self, name: str) -> QWidget:
        remove = Button(_("Remove"), "quiet", run=partial(self._remove_officer, name))
        here = name == self._desk.installation.officer
        return entry("user", name, _("At work now") if here else "", trailing=None if here else remove)

    # --- acting -------------------------------------------------------------------------------------------------------

    def register(self) -> None:
        """Put what can be done here into the registry."""
        add, go = self._desk.actions.add, self._go
        add(Entry("backup", "file", N_("Back up…"), "", "hard-drive", 6), partial(go, self.backup.ask_backup))
        add(
            Entry("check-store", "file", N_("Check the store"), "", "shield-check", 6),
            partial(go, self.store.check),
        )
        for mode, (words, icon) in SCHEMES.items():
            add(Entry(f"scheme-{mode}", "view", words, "", icon, 2), partial(self._choose, "theme", mode))
        add(Entry("density", "view", N_("Compact rows"), "", "list-checks", 3), self._choose_rows)
        self._mark_look()

    def _go(self, act: Callable[[], object]) -> None:
        self._desk.go.emit("settings")
        act()

    def _write(
        self, work: Callable[[Installation, Job], object], said: str, changes: tuple[str, ...] = (SETTINGS,)
    ) -> None:
        self.refusal.clear()
        self._desk.write(work, lambda _r: self.result.say(said), self.refusal.show_refusal, changes=changes)

    def change(self, name: str, value: str) -> None:
        """Change one setting; what concerns the look shows at once."""
        self._show_look(name, value)
        self._write(lambda i, _job: officers.change_setting(i, name, value), _("Changed."))

    def _choose(self, name: str, value: str) -> None:
        """Change a setting from the menu, wherever the officer is."""
        self._show_look(name, value)
        self._desk.write(lambda i, _job: officers.change_setting(i, name, value), changes=(SETTINGS,))

    def _choose_rows(self) -> None:
        self._choose("density", "normal" if theme().density == "compact" else "compact")

    def _show_look(self, name: str, value: str) -> None:
        if name == "theme":
            theme().set_mode(value)  # type: ignore[arg-type]
        elif name == "density":
            theme().set_density(value)  # type: ignore[arg-type]
        self._mark_look()

    def _mark_look(self) -> None:
        """Tell in the menu which colours and rows are chosen."""
        mark, look = self._desk.actions.mark, theme()
        for mode in SCHEMES:
            mark(f"scheme-{mode}", look.mode == mode)
        mark("density", look.density == "compact")

    def ask_officer(self) -> None:
        """Ask for the name of another officer."""
        sheet = Sheet(self._desk.window, _("Add an officer"), width=520)
        field = QLineEdit()
        field.setMaxLength(200)
        field.setAccessibleName(_("Officer"))
        sheet.body.addWidget(form_row(_("Officer"), field))

        def go() -> None:
            name = field.text()
            sheet.close_sheet()
            self._write(lambda i, _job: officers.add(i, name), _("Officer added."))

        field.returnPressed.connect(go)
        sheet.foot_trail.addWidget(Button(_("Cancel"), run=sheet.close_sheet))
        sheet.foot_trail.addWidget(Button(_("Add the officer"), "primary", run=go))
        sheet.open()

    def _remove_officer(self, name: str) -> None:
        self._write(lambda i, _job: officers.remove(i, name), _("Officer removed."))

    def _changed(self, what: frozenset[str]) -> None:
        if SETTINGS in what or COUNTERPARTS in what:
            self.reload()

    def forget(self) -> None:
        self._shown = None
        clear(self._first)
        clear(self._content)
        clear(self._last)
        self.ways.show_slots(())
        self.drops.show_drops((), ())


def _named(setting: str) -> str:
    return _(SETTING_NAMES[setting])


def _with(known: tuple[str, ...], value: str) -> list[str]:
    return sorted({*known, value}, key=int)


def _left(*widgets: QWidget) -> QWidget:
    made = QWidget()
    made.setLayout(line(*widgets, None, gap=8))
    return made


def _row(label: str, control: QWidget, help_text: str = "") -> QWidget:
    made = QWidget()
    words = Text(label, size="body")
    words.setFixedWidth(168)
    words.setFixedHeight(30)
    items: list[Item] = [words, control]
    row = line(*items, gap=8)
    row.setAlignment(Qt.AlignmentFlag.AlignVCenter)
    if help_text:
        row.addSpacing(8)
        row.addWidget(muted(help_text, wrap=True), 1, Qt.AlignmentFlag.AlignVCenter)
    else:
        row.addStretch(1)
    made.setLayout(row)
    return made


def _groups(fingerprint: str) -> str:
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))
