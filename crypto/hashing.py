"""SHA-256 in a second thread, beside the cipher. Small pieces are hashed where they are: a thread costs more.

The caller keeps each buffer unchanged until `turn` was called twice after it was handed over: that is what
two buffers used in turn need.
"""

from __future__ import annotations

import threading
from hashlib import sha256
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash

INLINE_LIMIT = 64 * 1024

Bytes = bytes | memoryview


class Hashing:
    """One thread, started when it is first needed; use as a context manager."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[_Hash, Bytes] | None] = SimpleQueue()
        self._finished: SimpleQueue[None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._given = self._done = self._mark = 0

    def begin(self) -> _Hash:
        """A new hash to give to `update`."""
        return sha256()

    def update(self, into: _Hash, piece: Bytes) -> None:
        """Add `piece`, now or soon. Pieces of one hash are taken in order."""
        if self._given == self._done and len(piece) <= INLINE_LIMIT:
            into.update(piece)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sha256", daemon=True)
            self._thread.start()
        self._given += 1
        self._jobs.put((into, piece))

    def digest(self, of: _Hash) -> bytes:
        """The hash, once everything handed over has gone in."""
        self._wait(self._given)
        return of.digest()

    def turn(self) -> None:
        """Wait for all pieces that were handed over before the last call of `turn`."""
        self._wait(self._mark)
        self._mark = self._given

    def close(self) -> None:
        """End the thread. Safe to call twice."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Hashing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wait(self, ticket: int) -> None:
        while self._done < ticket:
            self._finished.get()
            self._done += 1

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            into, piece = job
            into.update(piece)
            del job, into, piece
            self._finished.put(None)
