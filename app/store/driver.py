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

from sqlcipher3 import _sqlite3
from sqlcipher3 import dbapi2 as dbapi2

_MULTITHREAD, _MEMSTATUS = 2, 9
"""SQLITE_CONFIG_MULTITHREAD: no two threads use a connection at once; SQLITE_CONFIG_MEMSTATUS: whether memory in use is
counted, which nothing here asks for.
"""


def _set_up() -> None:
    library = ctypes.CDLL(_sqlite3.__file__)
    shut, configure, begin = library.sqlite3_shutdown, library.sqlite3_config, library.sqlite3_initialize
    if shut() == 0:
        configure(_MULTITHREAD)
        configure(_MEMSTATUS, 0)
        begin()


# Where the driver shows nothing of the library inside, it stays as it was built.
with contextlib.suppress(OSError, AttributeError):
    _set_up()
