"""The door back: an installation from a backup, into the folder where none is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shiboken6 import isValid

from app import vault
from app.jobs import Job
from app.messages import STAGES, Refused, _
from ui import numbers
from ui.jobs import Jobs, Task
from ui.safe_text import isolate, isolate_ltr
from ui.screens.entry import Door, KeyEntry
from ui.widgets.buttons import Button
from ui.widgets.layout import line
from ui.widgets.text import muted


class Restore(Door):
    """What opens the backup; its progress; and back."""

    def __init__(
        self,
        home: Path,
        backup: Path,
        jobs: Jobs,
        restored: Callable[[vault.Restored], object],
        back: Callable[[], object],
    ) -> None:
        self._home = home
        self._backup = backup
        self._jobs = jobs
        self._restored = restored
        self._back = back
        self._task: Task | None = None
        self.key = KeyEntry()
        self.key.entered.connect(self.restore)
        self.button = Button(_("Restore"), "primary", large=True, run=self.restore)
        super().__init__(
            _("Restore from a backup"),
            isolate(backup.name),
            self.key,
            20,
            line(self.button, Button(_("Back"), large=True, run=self.leave), None, gap=8),
            10,
            muted(
                _(
                    "Every channel begins anew. Tell each counterpart's officer, who will be asked to confirm it."
                ),
                size="label",
                wrap=True,
            ),
            4,
            muted(_("Folder: {path}").format(path=isolate_ltr(str(home))), size="small", wrap=True),
        )

    def restore(self) -> None:
        """Try what was typed."""
        if not self.button.isEnabled():
            return
        secret, recovery = self.key.take()
        home, backup = self._home, self._backup
        self.refusal.clear()
        self.button.setEnabled(False)
        self.show_busy(_("Opening the backup"))

        def work(job: Job) -> vault.Restored:
            return vault.restore(home, backup, secret, job, recovery=recovery)

        def done(found: vault.Restored) -> None:
            self._task = None
            self._restored(found)

        def failed(refused: Refused) -> None:
            self._again()
            if isValid(self):
                self.refusal.show_refusal(refused)

        self._task = self._jobs.write(work, done, failed, self._again)
        self._task.progressed.connect(self._show_progress)

    def leave(self) -> None:
        """Back to the first door; what was begun is undone."""
        if self._task is not None:
            self._task.cancel()
        self._back()

    def _again(self) -> None:
        self._task = None
        if not isValid(self):
            return
        self.show_busy("")
        self.button.setEnabled(True)
        self.key.setFocus()

    def _show_progress(self, done: int, total: int, stage: str) -> None:
        words = _(STAGES.get(stage, stage))
        self.show_busy(f"{words} {numbers.number(100 * done // total)} %" if total else words)
        if total:
            self.busy.show_part(done, total)
