"""Ways to unlock, in the settings: the key slots; adding one, removing one, a fresh key for the store.

How a slot works is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app import vault
from app.jobs import Job
from app.messages import _
from app.store.installation import Installation
from app.words import SLOTS
from ui import numbers
from ui.desk import Desk
from ui.safe_text import isolate, spoken, visible
from ui.screens.entry import form_row, secret_field
from ui.screens.key_sheet import KeySheet, Tell, label_field, label_help
from ui.screens.recovery_kit import KitSheet
from ui.widgets.buttons import Button, Check
from ui.widgets.focus import focus_kept
from ui.widgets.layout import clear, column, line
from ui.widgets.notices import Notice, Refusal
from ui.widgets.panel import Section, entry
from ui.widgets.text import Text, muted

if TYPE_CHECKING:
    from crypto.slots import Slot

ICONS = {"passphrase": "key-round", "passphrase+device": "monitor", "recovery": "file-key"}


class WaysIn(Section):
    """What opens this installation."""

    def __init__(self, desk: Desk, say: Callable[[str], object]) -> None:
        self._desk, self._say = desk, say
        self.refusal = Refusal()
        desk.acting.connect(self.refusal.clear)
        self._rows = column(gap=6)
        add = Button(_("Add a passphrase…"), icon="key-round", run=self.ask_passphrase)
        kit = Button(_("Make a recovery kit…"), icon="file-key", run=self.ask_kit)
        fresh = Button(_("Give the store a fresh key…"), icon="rotate-ccw", run=self.ask_fresh)
        super().__init__(
            _("Ways to unlock"),
            None,
            self.refusal,
            self._rows,
            line(add, kit, None, gap=8),
            line(fresh, None),
        )

    def show_slots(self, slots: tuple[Slot, ...]) -> None:
        """The slots as they are now."""
        self.set_count(len(slots))
        with focus_kept(self):
            clear(self._rows)
            for slot in slots:
                self._rows.addWidget(self._row(slot, alone=len(slots) == 1))

    def _row(self, slot: Slot, *, alone: bool) -> QWidget:
        icon, second = ICONS[slot.kind], _numbered(slot)
        remove = Button(_("Remove…"), "quiet", run=partial(self.ask_remove, slot))
        remove.setAccessibleName(spoken(visible(_("Remove {name}…").format(name=second))))
        return entry(icon, slot.label or _("Without a name"), second, trailing=None if alone else remove)

    # --- acting -------------------------------------------------------------------------------------------------------

    def ask_passphrase(self) -> None:
        """Ask for one more passphrase."""
        PassphraseSheet(self._desk, Tell(self.said, self.refusal.show_refusal)).open()

    def ask_kit(self) -> None:
        """Ask for the name of a recovery kit, and show its words."""
        KitSheet(self._desk, Tell(self.said, self.refusal.show_refusal)).open()

    def ask_remove(self, slot: Slot) -> None:
        """Ask before a slot is removed."""
        RemoveSheet(self._desk, Tell(self.said, self.refusal.show_refusal), slot).open()

    def ask_fresh(self) -> None:
        """Ask before the store gets a fresh key."""
        FreshSheet(self._desk, Tell(self.said, self.refusal.show_refusal)).open()

    def said(self, words: str) -> None:
        """Something was done."""
        self.refusal.clear()
        self._say(words)


class PassphraseSheet(KeySheet):
    """One more passphrase, bound to this workstation's keyring or not."""

    def __init__(self, desk: Desk, tell: Tell) -> None:
        self.label = label_field()
        self.new = secret_field(_("New passphrase"))
        self.again = secret_field(_("New passphrase, once more"))
        self.device = Check(_("Opens together with this workstation's keyring only"))
        least = _("At least {n} characters; six random words are good.").format(
            n=numbers.number(vault.PASSPHRASE_LENGTH)
        )
        super().__init__(
            desk,
            tell,
            _("Add a passphrase"),
            form_row(_("Called"), self.label, label_help()),
            10,
            form_row(_("New passphrase"), self.new),
            10,
            form_row(_("Once more"), self.again, least),
            10,
            line(self.device, None),
            muted(
                _("Then it opens nothing on another machine, and nothing once that keyring is lost."),
                wrap=True,
            ),
            verb=_("Add the passphrase"),
        )

    def go(self) -> None:
        new, label, device = self.new.text(), self.label.text().strip(), self.device.isChecked()
        if new != self.again.text():
            self.refusal.show_words(
                _("The two passphrases differ."), _("Type both again."), "passphrase-differs"
            )
            self.again.clear()
            self.again.setFocus()
            return
        secret, recovery = self.key.take()

        def work(installation: Installation, _job: Job) -> None:
            vault.confirm(installation, secret, recovery)
            vault.add_slot(installation, new, label, device)

        self.run(work, lambda _none: self.done(_("The passphrase opens this installation from now on.")))


class RemoveSheet(KeySheet):
    """One slot less; what was typed must open the installation without it."""

    def __init__(self, desk: Desk, tell: Tell, slot: Slot) -> None:
        self._slot = slot
        called = isolate(slot.label or _numbered(slot))
        super().__init__(
            desk,
            tell,
            _("Remove {name}?").format(name=called),
            Text(
                _(
                    "Whoever knows nothing else does not unlock any more. Backups and copies of the store made before"
                    " still open with it; a fresh key for the store ends that for what is written from then on."
                ),
                wrap=True,
            ),
            verb=_("Remove the way to unlock"),
            kind="danger",
            why=_(
                "Type a passphrase that stays, or the recovery kit: it shows that somebody can still unlock."
            ),
        )

    def go(self) -> None:
        secret, recovery = self.key.take()
        slot = self._slot.id

        def work(installation: Installation, _job: Job) -> None:
            vault.confirm(installation, secret, recovery, slot)
            vault.remove_slot(installation, slot)

        self.run(work, lambda _none: self.done(_("Removed. It does not open this installation any more.")))


class FreshSheet(KeySheet):
    """The store under a fresh key, with the one passphrase that is typed."""

    def __init__(self, desk: Desk, tell: Tell) -> None:
        super().__init__(
            desk,
            tell,
            _("Give the store a fresh key?"),
            Text(
                _(
                    "The store is encrypted anew. Only the passphrase typed here comes along: every other one, and"
                    " every recovery kit, opens nothing any more. Backups made before still open as they did."
                ),
                wrap=True,
            ),
            10,
            Notice(
                _("While it runs, lists wait. It can be cancelled; then everything stays as it was."), "info"
            ),
            verb=_("Encrypt the store anew"),
            kind="danger",
            why=_("Type the passphrase that is to open this installation from then on."),
        )
        self.key.switch.hide()

    def go(self) -> None:
        secret, _recovery = self.key.take()
        self.run(
            lambda installation, job: vault.rekey(installation, secret, job),
            lambda _none: self.done(
                _("The store has a fresh key. Make a recovery kit and add the other passphrases anew.")
            ),
            title=_("Encrypt the store anew"),
            alone=True,
            stopped=_("Stopped. The store keeps its key, and every way to unlock stays."),
        )


def _numbered(slot: Slot) -> str:
    return _("{kind} · number {n}").format(kind=_(SLOTS[slot.kind]), n=numbers.number(slot.id))
