"""A recovery kit: made, its words shown once and not to be copied, and tried from the paper before all is done."""

from __future__ import annotations

from shiboken6 import isValid

from app import vault
from app.jobs import Job
from app.messages import Refused, _
from app.store.installation import Installation
from ui.desk import Desk
from ui.screens.entry import KeyEntry, form_row
from ui.screens.key_sheet import KeySheet, Tell, label_field, label_help
from ui.widgets.buttons import Button
from ui.widgets.layout import column
from ui.widgets.notices import Refusal
from ui.widgets.sheet import Question, Sheet
from ui.widgets.text import Text

LINE_WORDS = 4


class KitSheet(KeySheet):
    """A recovery kit: its words, once, and then typed from the paper to see that they are right."""

    def __init__(self, desk: Desk, tell: Tell) -> None:
        self.label = label_field()
        super().__init__(
            desk,
            tell,
            _("Make a recovery kit"),
            Text(
                _(
                    "Fourteen words that open this installation and its backups without a passphrase. They are shown"
                    " once: have paper and a pen at hand, and a safe."
                ),
                wrap=True,
            ),
            10,
            form_row(_("Called"), self.label, label_help()),
            verb=_("Make the kit"),
        )

    def go(self) -> None:
        secret, recovery = self.key.take()
        label = self.label.text().strip()

        def work(installation: Installation, _job: Job) -> tuple[str, ...]:
            vault.confirm(installation, secret, recovery)
            return vault.add_recovery_slot(installation, label)

        def made(words: tuple[str, ...]) -> None:
            self.done(_("The recovery kit is made; its words have not been tried."))
            WordsSheet(self._desk, self.tell, words).open()

        self.run(work, made)


class WordsSheet(Sheet):
    """The words of a recovery kit, and a field in which they are typed from the paper."""

    def __init__(self, desk: Desk, tell: Tell, words: tuple[str, ...]) -> None:
        super().__init__(desk.window, _("The words of the recovery kit"), width=560)
        self._desk, self.tell = desk, tell
        lines = "\n".join(" ".join(words[at : at + LINE_WORDS]) for at in range(0, len(words), LINE_WORDS))
        self.words = Text(lines, size="title", mono=True, wrap=True)
        self.told = Text(_("Write these words on paper, in this order. They are shown this once."), wrap=True)
        self.key = KeyEntry()
        self.key.set_recovery()
        self.key.entered.connect(self.try_words)
        self.refusal = Refusal()
        self.body.addLayout(column(self.told, 16, self.words, self.key, 12, self.refusal))
        self.turn = Button("", run=lambda: self._show(typing=not self.key.isVisible()))
        self.button = Button("", "primary", run=self._next)
        self.foot_lead.addWidget(self.turn)
        self.foot_trail.addWidget(self.button)
        self._show(typing=False)

    def open(self) -> None:
        super().open()
        self.button.setFocus()

    def dismiss(self) -> None:
        Question(
            self._desk.window,
            _("Close without having tried the words?"),
            _(
                "They are not shown again. If they are not on paper word for word, this kit opens nothing:"
                " make another, and remove this one."
            ),
            _("Close the words"),
            self.close_sheet,
        ).open()

    def _show(self, *, typing: bool) -> None:
        self.words.setVisible(not typing)
        self.key.setVisible(typing)
        self.told.setText(
            _("Type the words from the paper, to see that it opens this installation.")
            if typing
            else _("Write these words on paper, in this order. They are shown this once.")
        )
        self.turn.set_label(_("Show the words again"))
        self.turn.setVisible(typing)
        self.button.set_label(_("Try the words") if typing else _("I have written them down"))
        self.refusal.clear()
        self.refit()
        (self.key if typing else self.button).setFocus()

    def _next(self) -> None:
        if self.key.isVisible():
            self.try_words()
        else:
            self._show(typing=True)

    def try_words(self) -> None:
        """See that what was typed opens the installation."""
        if not self.key.words.text().strip():
            self.key.setFocus()
            return
        typed, recovery = self.key.take()

        def failed(refused: Refused) -> None:
            if isValid(self):
                self.refusal.show_refusal(refused)
                self.refit()
                self.key.setFocus()

        def done(_none: None) -> None:
            self.tell.said(_("The words on the paper open this installation. Keep it in a safe."))
            if isValid(self):
                self.close_sheet()

        self._desk.read(lambda installation, _job: vault.opens(installation, typed, recovery), done, failed)
