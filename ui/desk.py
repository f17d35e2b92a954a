"""What a place may use: the unlocked installation, workers, actions, and word of what changed elsewhere.

Data flows one way. A place asks for work on the installation; the work runs in a worker; a frozen result comes back.
Writing says what it changed, and every place that shows it fetches it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.jobs import Job
from app.messages import Refused
from app.store.installation import Installation
from ui.actions import Actions
from ui.jobs import Jobs, Task, unexpected
from ui.window import Window

T = TypeVar("T")

HOLDINGS, INBOX, COUNTERPARTS, RELEASES, AUDIT, SETTINGS = (
    "holdings",
    "inbox",
    "counterparts",
    "releases",
    "audit",
    "settings",
)


class Desk(QObject):
    """One unlocked installation as its places see it."""

    changed = Signal(object)  # frozenset of the names above
    acting = Signal()  # the officer does something: what was done before is not what came of it
    go = Signal(str)  # a place to show
    release_wanted = Signal(object)  # ids (tuple of STIX ids) to release, or None for all
    open_file = Signal(object)  # Path of something to open: a package, a card, a bundle
    refused = Signal(object)  # Refused with no better place to be shown

    def __init__(self, installation: Installation, jobs: Jobs, window: Window) -> None:
        super().__init__(window)
        self.installation = installation
        self.jobs = jobs
        self.window = window
        jobs.crashed.connect(self._crashed)

    @property
    def actions(self) -> Actions:
        return self.window.registry

    def read(
        self,
        work: Callable[[Installation, Job], T],
        done: Callable[[T], object],
        failed: Callable[[Refused], object] | None = None,
        *,
        title: str = "",
    ) -> Task:
        """Run work that changes nothing."""
        installation = self.installation
        return self.jobs.read(
            lambda job: work(installation, job), done, failed or self.refused.emit, title=title
        )

    def write(
        self,
        work: Callable[[Installation, Job], T],
        done: Callable[[T], object] | None = None,
        failed: Callable[[Refused], object] | None = None,
        *,
        changes: tuple[str, ...],
        title: str = "",
        cancelled: Callable[[], object] | None = None,
        alone: bool = False,
    ) -> Task:
        """Run work that changes the store; afterwards say what `changes` (the audit log always does). `alone`: no other
        work is under way meanwhile, as what writes the store's file anew asks for."""
        self.acting.emit()
        installation = self.installation

        def finish(result: T) -> None:
            self.changed.emit(frozenset((*changes, AUDIT)))
            if done is not None:
                done(result)

        return self.jobs.write(
            lambda job: work(installation, job),
            finish,
            failed or self.refused.emit,
            cancelled,
            title=title,
            alone=alone,
        )

    def _crashed(self, error: object) -> None:
        if isinstance(error, Refused):
            self.refused.emit(error)
        elif isinstance(error, BaseException):
            # A bug: told on standard error in full, on the screen in one line, and fatal to a test.
            sys.excepthook(type(error), error, error.__traceback__)
            self.refused.emit(unexpected(error))
