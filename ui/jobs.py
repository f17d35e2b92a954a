"""Work off the window's thread: `work(job)` runs in a worker, its result comes back to a slot on the window's thread.

Reading work may run side by side; writing work runs one at a time, in order, as the store has one writer. Work that
writes the store's file anew runs alone: no other is under way meanwhile. Nothing here knows what the work does. `stop`
cancels everything: locking uses it.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.jobs import Cancelled, Job
from app.messages import Refused

T = TypeVar("T")

SHOWN_AFTER_MS = 300  # shorter work never shows a card
NOTICE_EVERY_S = 0.05  # progress reaches the window at most this often
LOOK_S = 0.1  # who waits to be alone looks this often whether it is cancelled


class _Bridge(QObject):
    """Carries what happens in the workers to the window's thread: the work's number, and what there is to say."""

    progressed = Signal(int, int, int, str)
    ended = Signal(int, object, object)  # result, exception
    stopped = Signal()


# A worker may still be inside an emission when nobody listens any more: bridges are small and stay for good.
_bridges: list[_Bridge] = []


class Task(QObject):
    """One running work, seen from the window."""

    progressed = Signal(int, int, str)
    shown = Signal()
    ended = Signal()

    def __init__(self, title: str, job: Job, parent: QObject) -> None:
        super().__init__(parent)
        self.title = title
        self._began = time.monotonic()
        self._first = 0
        self.done = 0
        self.total = 0
        self.stage = ""
        self._job = job

    def cancel(self) -> None:
        """Ask the work to stop at its next step."""
        self._job.cancel()

    def show(self, done: int, total: int, stage: str) -> None:
        """How far it is now."""
        if (total, stage) != (self.total, self.stage) or done < self.done:
            # Another stage has a pace of its own.
            self._began, self._first = time.monotonic(), done
        self.done, self.total, self.stage = done, total, stage
        self.progressed.emit(done, total, stage)

    def seconds_left(self) -> int | None:
        """A guess from the pace of this stage so far; None while there is nothing to guess from."""
        spent, came = time.monotonic() - self._began, self.done - self._first
        if self.total <= 0 or came <= 0 or spent < 1:
            return None
        return int(spent * (self.total - self.done) / came) + 1


@dataclass
class _Pending:
    """What is under way. `work` is held here too: what it holds of the window is let go in the window's thread then."""

    task: Task
    work: Callable[[Job], Any]
    done: Callable[[Any], object] | None
    failed: Callable[[Refused], object] | None
    cancelled: Callable[[], object] | None


class _Workers:
    """Python threads that take work from one queue. Not Qt's pool: its threads lose what is thread-local between runs,
    and the store keeps a reader for each thread."""

    def __init__(self, count: int, name: str) -> None:
        self._queue: queue.SimpleQueue[Callable[[], Callable[[], None]] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._serve, name=name, daemon=True) for _n in range(count)]
        for thread in self._threads:
            thread.start()

    def put(self, run: Callable[[], Callable[[], None]]) -> None:
        """Have it run, and what it gives called once nothing of it is held here any more."""
        self._queue.put(run)

    def end(self) -> None:
        """Finish what is queued and end; returns when every thread has."""
        for _thread in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (run := self._queue.get()) is not None:
            tell = run()
            del run
            tell()
            del tell


class _Floor:
    """Reading work shares it. Who wants it alone waits until the last one has left, and nobody enters meanwhile."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._reading = 0
        self._wanted = False
        self.taken = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._turn:
            self._turn.wait_for(lambda: not self._wanted)
            self._reading += 1
        try:
            yield
        finally:
            with self._turn:
                self._reading -= 1
                self._turn.notify_all()

    @contextmanager
    def alone(self, job: Job) -> Iterator[None]:
        """Only the one writer asks for it. Raises `Cancelled`."""
        self._wanted = True
        try:
            with self._turn:
                while not self._turn.wait_for(lambda: not self._reading, LOOK_S):
                    job.step(0, 0, "")
                self.taken = True
            # Who stops everything cancels first and looks then: from here on, one of the two is seen.
            job.step(0, 0, "")
            yield
        finally:
            with self._turn:
                self._wanted = self.taken = False
                self._turn.notify_all()


class Jobs(QObject):
    """Runs work and keeps what is running."""

    began = Signal(Task)
    crashed = Signal(object)  # an exception that is neither a refusal nor a cancellation: a bug

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._readers = _Workers(2, "reader")
        self._writer = _Workers(1, "writer")
        self._floor = _Floor()
        self._pending: dict[int, _Pending] = {}
        self._forgotten: list[_Pending] = []
        self._numbers = itertools.count()
        self._stopped = False
        self._then: Callable[[], object] | None = None
        self._bridge = _Bridge()
        _bridges.append(self._bridge)
        queued = Qt.ConnectionType.QueuedConnection
        self._bridge.progressed.connect(self._progressed, queued)
        self._bridge.ended.connect(self._ended, queued)
        self._bridge.stopped.connect(self._all_ended, queued)

    @property
    def running(self) -> tuple[Task, ...]:
        return tuple(pending.task for pending in self._pending.values())

    def read(
        self,
        work: Callable[[Job], T],
        done: Callable[[T], object],
        failed: Callable[[Refused], object] | None = None,
        *,
        title: str = "",
    ) -> Task:
        """Run work that changes nothing; several may run side by side."""
        floor = self._floor
        return self._start(self._readers, lambda _job: floor.shared(), work, done, failed, None, title)

    def write(
        self,
        work: Callable[[Job], T],
        done: Callable[[T], object] | None = None,
        failed: Callable[[Refused], object] | None = None,
        cancelled: Callable[[], object] | None = None,
        *,
        title: str = "",
        alone: bool = False,
    ) -> Task:
        """Run work that changes the store; one at a time, in the order asked for. `alone`: reading work waits too, for
        what may not share the store with another thread."""
        floor = self._floor
        entry = floor.alone if alone else lambda _job: nullcontext()
        return self._start(self._writer, entry, work, done, failed, cancelled, title)

    def stop(
        self,
        finally_: Callable[[], object] | None = None,
        then: Callable[[], None] | None = None,
        interrupt: Callable[[], object] | None = None,
    ) -> None:
        """Cancel all and forget every result, at once; when the workers have ended, `finally_` runs off the window's
        thread, and `then` on it. Nothing can be started any more. `interrupt` hastens the end of work that does not
        look whether it is cancelled; it is left out while work runs alone, which does."""
        self._stopped = True
        self._then = then
        for pending in self._pending.values():
            pending.task.cancel()
            pending.task.ended.emit()
            pending.task.deleteLater()
        self._forgotten += self._pending.values()
        self._pending.clear()
        if interrupt is not None and not self._floor.taken:
            interrupt()
        bridge, readers, writer = self._bridge, self._readers, self._writer

        def wait() -> None:
            readers.end()
            writer.end()
            if finally_ is not None:
                finally_()
            bridge.stopped.emit()

        threading.Thread(target=wait, name="stopping").start()

    @Slot()
    def _all_ended(self) -> None:
        self._forgotten.clear()
        if self._then is not None:
            self._then()

    def _start(
        self,
        workers: _Workers,
        entry: Callable[[Job], AbstractContextManager[None]],
        work: Callable[[Job], T],
        done: Callable[[T], object] | None,
        failed: Callable[[Refused], object] | None,
        cancelled: Callable[[], object] | None,
        title: str,
    ) -> Task:
        bridge, number, last, shown = self._bridge, next(self._numbers), 0.0, ""

        def notice(count: int, total: int, stage: str) -> None:
            nonlocal last, shown
            now = time.monotonic()
            # A stage may be named once, and then be silent.
            if now - last >= NOTICE_EVERY_S or stage != shown:
                last, shown = now, stage
                bridge.progressed.emit(number, min(count, _CAP), min(total, _CAP), stage)

        job = Job(notice)
        task = Task(title, job, self)
        if self._stopped:
            return task
        self._pending[number] = _Pending(task, work, done, failed, cancelled)

        def run() -> Callable[[], None]:
            try:
                with entry(job):
                    job.step(0, 0, "")
                    result = work(job)
            except BaseException as error:
                _let_go(error)
                return partial(bridge.ended.emit, number, None, error)
            return partial(bridge.ended.emit, number, result, None)

        if title:
            QTimer.singleShot(SHOWN_AFTER_MS, task, lambda: self._show(number))
        workers.put(run)
        return task

    def _show(self, number: int) -> None:
        pending = self._pending.get(number)
        if pending is not None:
            self.began.emit(pending.task)
            pending.task.shown.emit()

    @Slot(int, int, int, str)
    def _progressed(self, number: int, done: int, total: int, stage: str) -> None:
        pending = self._pending.get(number)
        if pending is not None:
            pending.task.show(done, total, stage)

    @Slot(int, object, object)
    def _ended(self, number: int, result: Any, error: BaseException | None) -> None:
        pending = self._pending.pop(number, None)
        if pending is None:
            return
        task = pending.task
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
            if pending.failed is not None:
                # Whoever asked for it waits for an answer.
                pending.failed(unexpected(error))


def unexpected(error: BaseException) -> Refused:
    """A fault of the program, as it is told on the screen."""
    return Refused("unexpected", what=type(error).__name__)


def _let_go(error: BaseException | None) -> None:
    """Free what the frames of failed work hold (cursors above all) in the thread that used it: with the error it would
    be freed in the window's, while this thread may be using the same connection again. Where it failed stays known.
    """
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


_CAP = 2**31 - 1  # Qt's signals carry C integers
