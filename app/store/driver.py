"""SQLCipher and its driver, `dbapi2`, set up for the way this program uses them.

As built, the library takes a lock at every call and at every piece of memory, for programs that use one connection in
several threads at once. Here the writer is used under a lock of its own, and every other connection in one thread only
(`app.store.database`); only `interrupt` comes from elsewhere, which needs none. Without those locks an import takes a
twelfth less time. The driver has no way to say so, the library has: before its first connection it can be set up.
Source: SQLite, "Using SQLite In Multi-Threaded Applications" and sqlite3_config().
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from typing import Any

from sqlcipher3 import _sqlite3
from sqlcipher3 import dbapi2 as dbapi2

from app.store import spilled

_MULTITHREAD, _MEMSTATUS = 2, 9
"""SQLITE_CONFIG_MULTITHREAD: no two threads use a connection at once; SQLITE_CONFIG_MEMSTATUS: whether memory in use is
counted, which nothing here asks for.
"""


_DEFENSIVE = 1010
_MMAP_THRESHOLD, GREAT = -3, 4 << 20
"""M_MMAP_THRESHOLD of the system's C library; bytes of a piece of memory that goes back to the system once it is free,
rather than be kept in case such a one is asked for again: of the objects that come, few are as great.
"""

_opened = threading.local()
_sqlite: Any = None
_system: Any = None


def _note(handle: int, _error: object, _routines: object) -> int:
    _opened.handle = handle
    return 0


_NOTE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(_note)
"""Kept: the library calls it as long as there is one."""


def _set_up() -> Any:
    library = ctypes.CDLL(_sqlite3.__file__)
    shut, configure, begin = library.sqlite3_shutdown, library.sqlite3_config, library.sqlite3_initialize
    if shut() == 0:
        configure(_MULTITHREAD)
        configure(_MEMSTATUS, 0)
        begin()
    library.sqlite3_db_cacheflush.argtypes = [ctypes.c_void_p]
    library.sqlite3_db_config.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    # Called with the library's own name of each connection, in the thread that opens it.
    library.sqlite3_auto_extension(_NOTE)
    return library


def handle() -> int | None:
    """The library's name of the connection that this thread opened last; None where that is not known."""
    return getattr(_opened, "handle", None)


def defend() -> bool:
    """Put the connection that this thread opened last into defensive mode: no statement writes to the schema's table or
    to the tables behind an index of words. Whether it is. Source: SQLite, SQLITE_DBCONFIG_DEFENSIVE.
    """
    known, on = handle(), ctypes.c_int(0)
    if known is not None:
        _sqlite.sqlite3_db_config(known, _DEFENSIVE, 1, ctypes.byref(on))
    return bool(on.value)


def let_go(connection: Any, handle: int | None, cache: int) -> None:
    """Let a connection, in the middle of its transaction, do with a cache of so many KiB, and give the rest back.

    Pages that it changed are written first: it would keep them till its end. Source: SQLite, sqlite3_db_cacheflush().
    """
    if handle is not None:
        _sqlite.sqlite3_db_cacheflush(handle)
    connection.execute(f"PRAGMA cache_size = -{cache}")
    connection.execute("PRAGMA shrink_memory")
    with contextlib.suppress(AttributeError):
        _system.malloc_trim(0)


# Where the driver shows nothing of the library inside, or the system of its own, they stay as they were built.
with contextlib.suppress(OSError, AttributeError):
    _sqlite = _set_up()
with contextlib.suppress(OSError, AttributeError):
    spilled.register(_sqlite)
with contextlib.suppress(OSError, AttributeError, TypeError):
    _system = ctypes.CDLL(None)
    _system.mallopt(_MMAP_THRESHOLD, GREAT)
