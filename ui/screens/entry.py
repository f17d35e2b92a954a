"""The doors: first run (create, or practise) and unlock. Nothing of an installation is shown before it is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

from app import vault
from app.jobs import Job
from app.messages import STAGES, Refused, _
from ui import numbers
from ui.jobs import Jobs
from ui.safe_text import isolate_ltr
from ui.tokens import TOKENS
from ui.widgets.buttons import Button
from ui.widgets.layout import Card, Hairline, Item, Pane, Scroll, column, line
from ui.widgets.notices import Refusal
from ui.widgets.rail import Bar, Mark
from ui.widgets.text import Text, muted, title

WIDTH = 480
ROLLED_BACK, ANCHOR_MISSING = "rolled-back", "anchor-missing"
LABEL = 128


def secret_field(name: str) -> QLineEdit:
    """A field whose text is never shown, remembered or offered to an input method."""
    field = QLineEdit()
    field.setEchoMode(QLineEdit.EchoMode.Password)
    field.setAccessibleName(name)
    field.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
    field.setInputMethodHints(
        Qt.InputMethodHint.ImhSensitiveData
        | Qt.InputMethodHint.ImhNoPredictiveText
        | Qt.InputMethodHint.ImhNoAutoUppercase
    )
    return field


def form_row(label: str, field: QWidget, help_text: str = "") -> QWidget:
    """A label before its field on one line; help under the field in muted."""
    row = QWidget()
    words = Text(label, size="body", color="muted")
    words.setFixedWidth(LABEL)
    layout = column(line(words, field, gap=8))
    if help_text:
        layout.addSpacing(4)
        layout.addLayout(line(LABEL + 8, muted(help_text, size="label", wrap=True), gap=0))
    row.setLayout(layout)
    return row


class KeyEntry(QWidget):
    """What opens an installation or a backup: the passphrase, or the words of a recovery kit."""

    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.passphrase = secret_field(_("Passphrase"))
        # Fourteen words from paper are not typed blindly; they are gone from the field as soon as they are tried.
        self.words = QLineEdit()
        self.words.setAccessibleName(_("Words of the recovery kit"))
        self.words.setInputMethodHints(
            Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText
        )
        self.words.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        for field in (self.passphrase, self.words):
            field.returnPressed.connect(self.entered)
        self._first = form_row(_("Passphrase"), self.passphrase)
        self._second = form_row(
            _("Recovery kit"), self.words, _("All fourteen words, as they stand on the paper.")
        )
        self.switch = Button("", "quiet", run=self._switch)
        indent = QWidget()
        indent.setFixedWidth(LABEL + 8)
        self.setLayout(column(self._first, self._second, 6, line(indent, self.switch, None, gap=0)))
        self.recovery = False
        self._show()

    def take(self) -> tuple[str, bool]:
        """What was typed, and whether it is of a recovery kit; the fields are empty afterwards."""
        typed = self.words.text() if self.recovery else self.passphrase.text()
        self.passphrase.clear()
        self.words.clear()
        return typed, self.recovery

    def set_recovery(self) -> None:
        """Ask for the words of a recovery kit, and nothing else."""
        self.recovery = True
        self._show()
        self.switch.hide()

    def setFocus(self, *_reason: object) -> None:
        """Where the officer types."""
        (self.words if self.recovery else self.passphrase).setFocus()

    def _switch(self) -> None:
        self.take()
        self.recovery = not self.recovery
        self._show()
        self.setFocus()

    def _show(self) -> None:
        self._first.setVisible(not self.recovery)
        self._second.setVisible(self.recovery)
        self.switch.set_label(_("Use the passphrase") if self.recovery else _("Use the recovery kit"))


class Door(Pane):
    """A card in the middle of the window under the mark."""

    def __init__(self, name: str, under: str, *items: Item) -> None:
        super().__init__("canvas")
        self.setObjectName("door")
        head = line(Mark(40), column(title(name), muted(under, wrap=True), gap=2), gap=14)
        head.setStretch(1, 1)
        self.refusal = Refusal()
        self.busy = Bar()
        self.busy_text = muted("", size="label")
        self._busy = QWidget()
        self._busy.setLayout(column(16, self.busy, 6, self.busy_text))
        self._busy.hide()
        card = Card(
            column(head, 20, Hairline(), 20, *items, 16, self.refusal, self._busy, margins=28),
            radius=TOKENS.radius["sheet"],
        )
        card.setFixedWidth(WIDTH)
        # Its height follows from the lines that wrap, not from a guess at their width.
        card.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Minimum)
        inside = QWidget()
        inside.setLayout(column(None, line(None, card, None), None, margins=24))
        self.setLayout(column(Scroll(inside)))

    def show_busy(self, what: str) -> None:
        """What is going on; "" when nothing is."""
        self.busy_text.setText(what)
        self.busy.show_part(1, 3)
        self._busy.setVisible(bool(what))


class FirstRun(Door):
    """Create an installation here, or practise with two throw-away ones."""

    def __init__(
        self,
        home: Path,
        jobs: Jobs,
        created: Callable[[str], object],
        practise: Callable[[], object],
        restore: Callable[[], object],
    ) -> None:
        self._home = home
        self._jobs = jobs
        self._created = created
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.name.setPlaceholderText(_("CERT Almaria"))
        self.name.setAccessibleName(_("Name of your team"))
        self.country = QLineEdit()
        self.country.setMaxLength(2)
        self.country.setFixedWidth(64)
        self.country.setPlaceholderText("JO")
        self.country.setAccessibleName(_("Country, two letters"))
        self.officer = QLineEdit()
        self.officer.setMaxLength(200)
        self.officer.setAccessibleName(_("Your name"))
        self.passphrase = secret_field(_("Passphrase"))
        self.again = secret_field(_("Passphrase, once more"))
        self.again.returnPressed.connect(self._create)
        self.create_button = Button(_("Create the installation"), "primary", large=True, run=self._create)
        self.practise = Button(_("Practise first"), large=True, run=practise)
        self.restore = Button(_("Restore from a backup…"), "quiet", run=restore)
        country = QWidget()
        country.setLayout(line(self.country, muted(_("Two letters, as on a card")), gap=8))
        super().__init__(
            _("Welcome to Mithaq"),
            _("Nothing is here yet. The name and country go on your card; counterparts see them."),
            form_row(_("Team"), self.name),
            10,
            form_row(_("Country"), country),
            10,
            form_row(_("Officer"), self.officer),
            10,
            form_row(_("Passphrase"), self.passphrase),
            10,
            form_row(
                _("Once more"),
                self.again,
                _("At least {n} characters. Nobody can bring it back if it is lost.").format(
                    n=numbers.number(vault.PASSPHRASE_LENGTH)
                ),
            ),
            20,
            line(self.create_button, self.practise, None, gap=8),
            10,
            line(self.restore, None),
            10,
            muted(_("Practice uses two throw-away installations and sample intel."), size="label", wrap=True),
            4,
            muted(_("Folder: {path}").format(path=isolate_ltr(str(home))), size="small", wrap=True),
        )

    def _let_act(self, may: bool) -> None:
        for button in (self.create_button, self.practise, self.restore):
            button.setEnabled(may)

    def _create(self) -> None:
        if not self.create_button.isEnabled():
            return
        passphrase = self.passphrase.text()
        if passphrase != self.again.text():
            self.refusal.show_words(
                _("The two passphrases differ."), _("Type both again."), "passphrase-differs"
            )
            self.again.clear()
            self.again.setFocus()
            return
        name, country, officer = self.name.text(), self.country.text(), self.officer.text()
        home = self._home
        self.refusal.clear()
        self._let_act(False)
        self.show_busy(_("Making keys and the encrypted store"))

        def work(_job: Job) -> str:
            return vault.create(home, name, country, officer, passphrase)

        def failed(refused: Refused) -> None:
            self.show_busy("")
            self._let_act(True)
            self.refusal.show_refusal(refused)
            self._field(refused).setFocus()

        def done(_fingerprint: str) -> None:
            self.passphrase.clear()
            self.again.clear()
            self._created(passphrase)

        self._jobs.write(work, done, failed)

    def _field(self, refused: Refused) -> QLineEdit:
        """What is to be typed anew. Left where it fell, the focus would be on the button that practises."""
        if refused.code == "country-unusable":
            return self.country
        if refused.code == "passphrase-short":
            return self.passphrase
        return self.officer if self.name.text().strip() and not self.officer.text().strip() else self.name


class Unlock(Door):
    """The passphrase or the recovery kit, and nothing that is inside. `said`: what led here, "" if nothing."""

    def __init__(
        self,
        home: Path,
        jobs: Jobs,
        opened: Callable[[vault.Unlocked], object],
        *,
        closing: bool,
        said: str = "",
    ) -> None:
        self._accept = False
        self._home = home
        self._jobs = jobs
        self._opened = opened
        self.key = KeyEntry()
        self.key.entered.connect(self.unlock)
        self.passphrase = self.key.passphrase
        self.officer = QLineEdit()
        self.officer.setMaxLength(200)
        self.officer.setPlaceholderText(_("The first one"))
        self.officer.setAccessibleName(_("Officer"))
        self.officer.returnPressed.connect(self.unlock)
        self.button = Button(_("Unlock"), "primary", icon="lock-open", large=True, run=self.unlock)
        self.stop = Button(_("Cancel"), large=True)
        self.stop.hide()
        super().__init__(
            _("Mithaq is locked"),
            said or _("Nothing of the installation is in memory."),
            self.key,
            10,
            form_row(_("Officer"), self.officer),
            20,
            line(self.button, self.stop, None, gap=8),
            10,
            muted(_("Folder: {path}").format(path=isolate_ltr(str(home))), size="small", wrap=True),
        )
        self.set_closing(closing)

    def set_closing(self, closing: bool) -> None:
        """While the store is still being closed, nothing can be opened."""
        self.button.setEnabled(not closing)
        self.stop.hide()
        self.show_busy(_("Closing the store") if closing else "")
        if not closing:
            self.key.setFocus()

    def unlock(self) -> None:
        """Try what was typed."""
        if not self.button.isEnabled():
            return
        secret, recovery = self.key.take()
        officer, home, accept = self.officer.text().strip(), self._home, self._accept
        self._accept = False
        self.button.set_label(_("Unlock"))
        self.refusal.clear()
        self.button.setEnabled(False)
        self.show_busy(_("Unlocking"))

        def work(job: Job) -> vault.Unlocked:
            from app.exchange import epochs

            opened = vault.unlock(home, secret, officer, recovery=recovery, accept=accept, job=job)
            try:
                epochs.settle_restore(opened.installation)
            except BaseException:
                opened.lock()
                raise
            return opened

        task = self._jobs.write(work, self._opened, self.refuse, lambda: self.set_closing(False))
        task.progressed.connect(self._show_progress)
        self.stop.clicked.connect(task.cancel)

    def _show_progress(self, done: int, total: int, stage: str) -> None:
        """Another program made the indexes: they are made anew before anything is shown, for minutes if need be."""
        if stage:
            count = _("{done} of {total}").format(done=numbers.number(done), total=numbers.number(total))
            self.show_busy(f"{_(STAGES[stage])} {count}")
            self.busy.show_part(done, total)
            self.stop.show()

    def refuse(self, refused: Refused) -> None:
        """Say why it did not open; an older store may be gone on with."""
        self.set_closing(False)
        older = refused.code in (ROLLED_BACK, ANCHOR_MISSING)
        self.refusal.show_refusal(refused, (_("Go on with it…"), self.accept) if older else None)

    def accept(self) -> None:
        """The officer knows why the store is older, or why nothing tells how old it is: ask for the key once more."""
        self._accept = True
        self.refusal.show_words(
            _(
                "Unlocking goes on with this store. The log will say so; an older one begins every channel anew."
            ),
            _("Type the passphrase again if you know why it is so."),
            "",
        )
        self.button.set_label(_("Unlock this store"))
        self.key.setFocus()
