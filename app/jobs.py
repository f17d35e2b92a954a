"""How long work talks to whoever waits for it.

Long work is a plain function ``work(job)``. It calls ``job.step(done, total, stage)`` now and then; the command line
prints that, the window turns it into signals. Whoever waits may cancel: the next ``step`` then raises `Cancelled`, and
the work's own transaction undoes what it had begun. Nothing here knows of threads or of Qt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
EVERY = 500
"""Items between two steps, where one takes less than a millisecond."""


class Cancelled(Exception):
    """The waiting side asked the work to stop. Not a failure: nothing was changed."""


class Job:
    """One piece of long work as seen from inside.

    `notice` is called with (done, total, stage): `done` and `total` count the stage's own unit (objects, bytes), a
    `total` of 0 means not known; `stage` is a key of `app.messages.STAGES`.
    """

    def __init__(self, notice: Callable[[int, int, str], None] | None = None) -> None:
        self._notice = notice
        self._cancelled = False

    def cancel(self) -> None:
        """Ask the work to stop at its next step. Safe from any thread."""
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        """Whether the waiting side asked to stop."""
        return self._cancelled

    def look(self) -> None:
        """Raises `Cancelled` if the waiting side asked to stop; there is nothing to report."""
        if self._cancelled:
            raise Cancelled

    def step(self, done: int, total: int, stage: str) -> None:
        """Report progress; raises `Cancelled` if the waiting side asked to stop."""
        self.look()
        if self._notice is not None:
            self._notice(done, total, stage)

    def each(self, items: Iterable[T], total: int, stage: str, every: int = 0) -> Iterator[T]:
        """The items one by one, with a step before the first and each time `every` of them were worked on."""
        often = every or EVERY
        for done, one in enumerate(items):
            if done % often == 0:
                self.step(min(done, total) if total else done, total, stage)
            yield one


def quiet() -> Job:
    """A job nobody watches."""
    return Job()
