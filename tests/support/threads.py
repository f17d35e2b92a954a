"""Which threads use which connection. SQLite takes no lock of its own here (app.store.driver), so two threads in one
connection at once would spoil memory, and a reader belongs to one thread for good (app.store.database).
"""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from app.store.driver import dbapi2


def _watched(name: str, base: type) -> Callable[..., Any]:
    does = getattr(base, name)

    def call(self: Any, *given: Any, **more: Any) -> Any:
        with self.watched.using(name, *given[:1]):
            return does(self, *given, **more)

    return call


class _Cursor(dbapi2.Cursor):  # type: ignore[misc]
    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.watched = connection.watched

    def __iter__(self) -> Any:
        return self


for _name in ("execute", "executemany", "executescript", "fetchone", "fetchmany", "fetchall", "__next__"):
    setattr(_Cursor, _name, _watched(_name, dbapi2.Cursor))


class _Connection(dbapi2.Connection):  # type: ignore[misc]
    def __init__(self, *given: Any, **more: Any) -> None:
        self.watched = _Watched()
        super().__init__(*given, **more)

    def cursor(self, factory: type = _Cursor) -> Any:
        return super().cursor(factory)

    def execute(self, *given: Any) -> Any:
        return self.cursor().execute(*given)

    def executemany(self, *given: Any) -> Any:
        return self.cursor().executemany(*given)

    def executescript(self, *given: Any) -> Any:
        return self.cursor().executescript(*given)


for _name in ("close", "backup"):
    setattr(_Connection, _name, _watched(_name, dbapi2.Connection))


_wrong: list[str] = []


class _Watched:
    """How one connection is used. A thread may come back into it: a progress handler, a row after a row."""

    def __init__(self) -> None:
        self.busy: tuple[int, ...] = ()
        self.thread: int | None = None
        self.reader = False

    @contextlib.contextmanager
    def using(self, name: str, what: object = "") -> Iterator[None]:
        me = threading.get_ident()
        if any(thread != me for thread in self.busy):
            self._tell("two threads at once", name, what)
        if self.reader and name != "close" and me != self.thread:
            self._tell("a reader in another thread", name, what)
        if "query_only" in str(what)[:40]:
            self.reader, self.thread = True, me
        self.busy = (*self.busy, me)
        try:
            yield
        finally:
            left = list(self.busy)
            left.remove(me)
            self.busy = tuple(left)

    def _tell(self, how: str, name: str, what: object) -> None:
        place = "".join(traceback.format_stack()[-7:-3])
        _wrong.append(f"{how}: {threading.current_thread().name} {name} {str(what)[:80]}\n{place}")


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """Every connection opened in the block is watched for as long as it lives; gives what went wrong so far."""
    real = dbapi2.connect
    _wrong.clear()

    def connect(*given: Any, **more: Any) -> Any:
        return real(*given, factory=_Connection, **more)

    with mock.patch.object(dbapi2, "connect", connect):
        yield _wrong
