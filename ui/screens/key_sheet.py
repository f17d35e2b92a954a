"""A sheet that asks for what opens the installation before it changes what does: the officer may have left the window.

What it changes, whoever makes the sheet says. A refusal is shown in it while it is open, and handed on afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtWidgets import QLineEdit
from shiboken6 import isValid

from app.jobs import Job
from app.messages import Refused, _
from app.store.installation import Installation
from ui.desk import SETTINGS, Desk
from ui.screens.entry import KeyEntry
from ui.widgets.buttons import Button, Kind
from ui.widgets.layout import Hairline, Item, column
from ui.widgets.notices import Refusal
from ui.widgets.sheet import Sheet
from ui.widgets.text import muted

T = TypeVar("T")
LABEL_LETTERS = 200


@dataclass(frozen=True)
class Tell:
    """Where it is told what came of it."""

    said: Callable[[str], object]
    refused: Callable[[Refused], object]


class KeySheet(Sheet):
    """Asks for what opens the installation, and does something with it; stays while that is refused."""

    def __init__(
        self,
        desk: Desk,
        tell: Tell,
        name: str,
        *items: Item,
        verb: str,
        kind: Kind = "primary",
        why: str = "",
    ) -> None:
        super().__init__(desk.window, name, width=560)
        self._desk, self.tell = desk, tell
        self.key = KeyEntry()
        self.key.entered.connect(self.go)
        self.refusal = Refusal()
        self.refusal_room = column(self.refusal)
        why = why or _(
            "Type a passphrase that opens this installation, or the recovery kit: it shows that it is you."
        )
        asked = column(muted(why, wrap=True), 8, self.key)
        self.body.addLayout(column(*items, 16, Hairline(), 16, asked, 12, self.refusal_room))
        self.busy = muted()
        self.button = Button(verb, kind, run=self.go)
        self.cancel = Button(_("Cancel"), run=self.close_sheet)
        if kind == "danger":
            self.foot_lead.addWidget(self.button)
            self.foot_trail.addWidget(self.busy)
            self.foot_trail.addWidget(self.cancel)
        else:
            self.foot_lead.addWidget(self.busy)
            self.foot_trail.addWidget(self.cancel)
            self.foot_trail.addWidget(self.button)

    def go(self) -> None:
        """Do it with what was typed."""
        raise NotImplementedError

    def run(
        self,
        work: Callable[[Installation, Job], T],
        done: Callable[[T], object],
        *,
        title: str = "",
        alone: bool = False,
        stopped: str = "",
    ) -> None:
        """Run `work`; then `done`, or the refusal here, if the sheet is still open."""
        if not self.button.isEnabled():
            return
        self.refusal.clear()
        self.button.setEnabled(False)
        self.busy.setText(_("Trying what was typed"))

        def again() -> None:
            self.button.setEnabled(True)
            self.busy.setText("")

        def failed(refused: Refused) -> None:
            if isValid(self) and self.isVisible():
                again()
                self.refusal.show_refusal(refused)
                self.refit()
                self.key.setFocus()
            else:
                self.tell.refused(refused)

        def cancelled() -> None:
            self.tell.said(stopped)
            if isValid(self):
                self.close_sheet()

        self._desk.write(
            work, done, failed, changes=(SETTINGS,), title=title, cancelled=cancelled, alone=alone
        )

    def done(self, words: str) -> None:
        """It is done: say so and close."""
        self.tell.said(words)
        if isValid(self):
            self.close_sheet()


def label_field() -> QLineEdit:
    field = QLineEdit()
    field.setMaxLength(LABEL_LETTERS)
    field.setAccessibleName(_("Called"))
    return field


def label_help() -> str:
    return _("Whose it is, or where it is kept. Anybody who has the folder can read this.")
