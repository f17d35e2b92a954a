"""How long the window's thread works without going back to its event loop, in its own processor time.

Processor time of that one thread: what other processes and workers take does not count, what the window computes does.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

BUDGET_S = 0.05
"""What an officer does not notice; `make bench` measures it."""
PATIENCE_S = 5 * BUDGET_S
"""What no machine needs for an event, unless what belongs to a worker is done in the window's thread."""


class PatientApplication(QApplication):
    """An application that notes which event cost most, in seconds."""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self.watching = False
        self.longest = (0.0, "")
        self._depth = 0

    def notify(self, receiver: QObject, event: QEvent) -> bool:
        if not self.watching or self._depth:
            return bool(super().notify(receiver, event))
        self._depth = 1
        kind = event.type().name
        name = type(receiver).__name__
        before = time.thread_time()
        try:
            return bool(super().notify(receiver, event))
        finally:
            self._depth = 0
            spent = time.thread_time() - before
            self.longest = max(self.longest, (spent, f"{name} {kind}"))
