"""Work off the window's thread: `work(job)` runs in a worker, its result comes back to a slot on the window's thread.

Reading work may run side by side; writing work runs one at a time, in order, as the store has one writer. Nothing here
knows what the work does. `stop` cancels everything and waits: locking uses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, QTimer, Signal, Slot

from app.jobs import Cancelled, Job
from app.messages import Refused

T = TypeVar("T")

SHOWN_AFTER_MS = 300  # shorter work never shows a card
NOTICE_EVERY_S = 0.05  # progress reaches the window at most this often


class _Bridge(QObject):
    """Carries what happens in the worker to the window's thread."""

    progressed = Signal(int, int, str)
    ended = Signal(object, object)  # result, exception


class Task(QObject):
    """One running work, seen from the window."""

    progressed = Signal(int, int, str)
    shown = Signal()
    ended = Signal()

    def __init__(self, title: str, job: Job, parent: QObject) -> None:
        super().__init__(parent)
        self.title = title
        self.began = time.monotonic()
        self.done = 0
        self.total = 0
        self.stage = ""
        self._job = job

    def cancel(self) -> None:
        """Ask the work to stop at its next step."""
        self._job.cancel()

    def seconds_left(self) -> int | None:
        """A guess from the pace so far; None while there is nothing to guess from."""
        spent = time.monotonic() - self.began
        if self.total <= 0 or self.done <= 0 or spent < 1:
            return None
        return int(spent * (self.total - self.done) / self.done) + 1


@dataclass
class _Pending:
    task: Task
    bridge: _Bridge
    done: Callable[[Any], None] | None
    failed: Callable[[Refused], None] | None
    cancelled: Callable[[], None] | None
    run: _Run | None = None


class _Run(QRunnable):
    def __init__(self, work: Callable[[Job], Any], job: Job, bridge: _Bridge) -> None:
        super().__init__()
        self.setAutoDelete(False)
        self._work = work
        self._job = job
        self._bridge = bridge

    def run(self) -> None:
        try:
            result = self._work(self._job)
        except BaseException as error:
            self._bridge.ended.emit(None, error)
        else:
            self._bridge.ended.emit(result, None)


class Jobs(QObject):
    """Runs work and keeps what is running."""

    began = Signal(Task)
    crashed = Signal(object)  # an exception that is neither a refusal nor a cancellation: a bug

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._readers = QThreadPool(self)
        self._readers.setMaxThreadCount(2)
        self._writer = QThreadPool(self)
        self._writer.setMaxThreadCount(1)
        self._writer.setExpiryTimeout(-1)
        self._pending: dict[Task, _Pending] = {}

    @property
    def running(self) -> tuple[Task, ...]:
        return tuple(self._pending)

    def read(
        self,
        work: Callable[[Job], T],
        done: Callable[[T], None],
        failed: Callable[[Refused], None] | None = None,
        *,
        title: str = "",
    ) -> Task:
        """Run work that changes nothing; several may run side by side."""
        return self._start(self._readers, work, done, failed, None, title)

    def write(
        self,
        work: Callable[[Job], T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[Refused], None] | None = None,
        cancelled: Callable[[], None] | None = None,
        *,
        title: str = "",
    ) -> Task:
        """Run work that changes the store; one at a time, in the order asked for."""
        return self._start(self._writer, work, done, failed, cancelled, title)

    def stop(self, milliseconds: int = 10_000) -> bool:
        """Cancel all, wait for the workers, forget every result. True if all ended in time."""
        for task in list(self._pending):
            task.cancel()
        self._readers.clear()
        self._writer.clear()
        ended = self._readers.waitForDone(milliseconds) and self._writer.waitForDone(milliseconds)
        for task, pending in list(self._pending.items()):
            pending.bridge.blockSignals(True)
            self._pending.pop(task)
            task.ended.emit()
            task.deleteLater()
        return ended

    def _start(
        self,
        pool: QThreadPool,
        work: Callable[[Job], T],
        done: Callable[[T], None] | None,
        failed: Callable[[Refused], None] | None,
        cancelled: Callable[[], None] | None,
        title: str,
    ) -> Task:
        bridge = _Bridge()
        last = 0.0

        def notice(count: int, total: int, stage: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= NOTICE_EVERY_S or count == total:
                last = now
                bridge.progressed.emit(min(count, _CAP), min(total, _CAP), stage)

        job = Job(notice)
        task = Task(title, job, self)
        pending = _Pending(task, bridge, done, failed, cancelled)
        pending.run = _Run(work, job, bridge)
        self._pending[task] = pending
        queued = Qt.ConnectionType.QueuedConnection
        bridge.progressed.connect(_Progress(task, self).take, queued)
        bridge.ended.connect(_End(self, task).take, queued)
        if title:
            QTimer.singleShot(SHOWN_AFTER_MS, task, lambda: self._show(task))
        pool.start(pending.run)
        return task

    def _show(self, task: Task) -> None:
        if task in self._pending:
            self.began.emit(task)
            task.shown.emit()

    def _ended(self, task: Task, result: Any, error: BaseException | None) -> None:
        pending = self._pending.pop(task, None)
        if pending is None:
            return
        task.ended.emit()
        task.deleteLater()
        if error is None:
            if pending.done is not None:
                pending.done(result)
        elif isinstance(error, Cancelled):
            if pending.cancelled is not None:
                pending.cancelled()
        elif isinstance(error, Refused):
            if pending.failed is not None:
                pending.failed(error)
            else:
                self.crashed.emit(error)
        else:
            self.crashed.emit(error)


_CAP = 2**31 - 1  # Qt's signals carry C integers


class _Progress(QObject):
    """Receiver of progress, living on the window's thread."""

    def __init__(self, task: Task, parent: QObject) -> None:
        super().__init__(task)
        self._task = task

    @Slot(int, int, str)
    def take(self, done: int, total: int, stage: str) -> None:
        task = self._task
        task.done, task.total, task.stage = done, total, stage
        task.progressed.emit(done, total, stage)


class _End(QObject):
    """Receiver of the end, living on the window's thread."""

    def __init__(self, jobs: Jobs, task: Task) -> None:
        super().__init__(task)
        self._jobs = jobs
        self._task = task

    @Slot(object, object)
    def take(self, result: object, error: object) -> None:
        self._jobs._ended(self._task, result, error if isinstance(error, BaseException) else None)
