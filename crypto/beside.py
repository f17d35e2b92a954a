"""Work in a second thread beside the caller's own: hashing, sealing and writing while the next bytes are read.

Pays only for work that leaves the interpreter lock alone (hashlib, cryptography, files) on pieces of many kilobytes.
The caller keeps what it handed over unchanged until `turn` was called twice: that is what two buffers used in
turn need.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType
from typing import Self


class Beside:
    """One thread, started when it is first needed; use as a context manager."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._finished: SimpleQueue[BaseException | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._given = self._done = self._mark = 0

    @property
    def idle(self) -> bool:
        """Whether everything that was handed over is known to be done."""
        return self._given == self._done

    def run(self, work: Callable[[], object]) -> None:
        """Do `work` soon, after what was handed over before. What it raises is raised by a later `turn` or `wait`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="beside", daemon=True)
            self._thread.start()
        self._given += 1
        self._jobs.put(work)

    def turn(self) -> None:
        """Wait for all work that was handed over before the last call of `turn`."""
        self._wait(self._mark)
        self._mark = self._given

    def wait(self) -> None:
        """Wait for all work."""
        self._wait(self._given)

    def close(self) -> None:
        """End the thread, its work done. Safe to call twice."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wait(self, ticket: int) -> None:
        while self._done < ticket:
            failure = self._finished.get()
            self._done += 1
            if failure is not None:
                raise failure

    def _work(self) -> None:
        failed = False
        while (job := self._jobs.get()) is not None:
            failure = None
            # After a failure nothing more is done: what would follow it has lost its ground.
            if not failed:
                try:
                    job()
                except BaseException as error:
                    failure, failed = error, True
            del job
            self._finished.put(failure)
            del failure
