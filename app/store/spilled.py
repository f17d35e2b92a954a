"""Where SQLite puts what it sorts when that is too much for its cache: a file without a name beside the store, under a
key that nobody keeps.

As built, the library sorts in memory, which grows with the store, or in files in the clear. It opens files through a
"VFS", and one of ours may stand before the system's: what is opened for a while only is a `Scratch`, all else
is left to the system. Where the driver shows nothing of the library inside, sorts stay in memory.
Source: SQLite, "The OS Backend (VFS) To SQLite", and sqlite3_vfs, sqlite3_io_methods.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlcipher3 import dbapi2

if TYPE_CHECKING:
    from crypto.scratch import Scratch


@contextlib.contextmanager
def sorting(connection: Any) -> Iterator[None]:
    """Let the statements of the block, which sort very much, do it in such files.

    What befalls a file is raised as the library words it: a disk that is full or fails, a folder that takes no file.
    """
    (where,) = [row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main"]
    if not _kept or not where:
        yield
        return
    # In a transaction, a connection that had tables of its own for a while cannot: it stays in memory.
    with contextlib.suppress(dbapi2.OperationalError):
        connection.execute("PRAGMA temp_store = FILE")
    _here.folder, _here.failed = Path(where).parent, None
    try:
        yield
    except dbapi2.DatabaseError as error:
        if _here.failed is None or isinstance(_here.failed, OSError):
            raise
        # Ctrl-C, or a bug.
        raise _here.failed from error
    finally:
        _here.folder = None
        with contextlib.suppress(dbapi2.OperationalError):
            connection.execute("PRAGMA temp_store = MEMORY")


_here = threading.local()
"""`folder` where this thread sorts, and what `failed` there."""
_open: dict[int, Scratch] = {}
_numbers = itertools.count(1)

# --- the library's side -------------------------------------------------------------------------------------

_OK, _IOERR, _FULL, _NOTFOUND, _CANTOPEN, _SHORT_READ = 0, 10, 13, 12, 14, 522
_CODES = {errno.ENOSPC: _FULL, errno.EACCES: _CANTOPEN, errno.EPERM: _CANTOPEN, errno.EROFS: _CANTOPEN}
_FOR_A_WHILE = 0x0200 | 0x0400 | 0x1000 | 0x2000
"""SQLITE_OPEN_TEMP_DB, _TRANSIENT_DB, _TEMP_JOURNAL, _SUBJOURNAL."""
_SECTOR = 4096

_int, _long, _pointer = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
_Opening = ctypes.CFUNCTYPE(_int, _pointer, _pointer, _pointer, _int, _pointer)
_Bare = ctypes.CFUNCTYPE(_int, _pointer)
_Moving = ctypes.CFUNCTYPE(_int, _pointer, _pointer, _int, _long)
_Sized = ctypes.CFUNCTYPE(_int, _pointer, _long)
_Asked = ctypes.CFUNCTYPE(_int, _pointer, _int)
_Told = ctypes.CFUNCTYPE(_int, _pointer, _pointer)
_Controlled = ctypes.CFUNCTYPE(_int, _pointer, _int, _pointer)


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("version", _int),
        ("file_size", _int),
        ("longest_path", _int),
        ("next", _pointer),
        ("name", ctypes.c_char_p),
        ("data", _pointer),
        ("open", _pointer),
        ("others", _pointer * 15),
    ]


class _Methods(ctypes.Structure):
    _fields_ = [
        ("version", _int),
        ("close", _Bare),
        ("read", _Moving),
        ("write", _Moving),
        ("truncate", _Sized),
        ("sync", _Asked),
        ("file_size", _Told),
        ("lock", _Asked),
        ("unlock", _Asked),
        ("locked", _Told),
        ("control", _Controlled),
        ("sector", _Bare),
        ("device", _Bare),
    ]


class _File(ctypes.Structure):
    _fields_ = [("methods", ctypes.POINTER(_Methods)), ("number", _long)]


def _careful(act: Callable[..., int]) -> Callable[..., int]:
    """Nothing is raised through the library: it is told that the file fails, and `sorting` raises what did."""

    def acting(*given: Any) -> int:
        try:
            return act(*given)
        except BaseException as error:
            _here.failed = error
            return _CODES.get(error.errno or 0, _IOERR) if isinstance(error, OSError) else _IOERR

    return acting


def _of(file: int) -> Scratch:
    return _open[_File.from_address(file).number]


@_careful
def _close(file: int) -> int:
    _open.pop(_File.from_address(file).number).close()
    return _OK


@_careful
def _read(file: int, into: int, size: int, offset: int) -> int:
    found = _of(file).read(size, offset)
    ctypes.memmove(into, found, len(found))
    if len(found) == size:
        return _OK
    ctypes.memset(into + len(found), 0, size - len(found))
    return _SHORT_READ


@_careful
def _write(file: int, data: int, size: int, offset: int) -> int:
    _of(file).write(ctypes.string_at(data, size), offset)
    return _OK


@_careful
def _truncate(file: int, size: int) -> int:
    _of(file).size = size
    return _OK


@_careful
def _size(file: int, size: int) -> int:
    _long.from_address(size).value = _of(file).size
    return _OK


def _nothing(*_given: Any) -> int:
    return _OK


def _not_known(*_given: Any) -> int:
    return _NOTFOUND


def _sector(_file: int) -> int:
    return _SECTOR


_METHODS = _Methods(
    *(1, _Bare(_close), _Moving(_read), _Moving(_write), _Sized(_truncate), _Asked(_nothing), _Told(_size)),
    *(_Asked(_nothing), _Asked(_nothing), _Told(_nothing), _Controlled(_not_known), _Bare(_sector)),
    _Bare(_nothing),
)


_kept: list[Any] = []
"""What the library calls, as long as it is there."""


def register(library: Any) -> None:
    """Put ours before the system's, for every connection from now on. Raises `OSError` or `AttributeError` where the
    library is another than this is made for.
    """
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    system = library.sqlite3_vfs_find(None)
    opened = _Opening(system.contents.open)

    def open_(_vfs: int, name: int, file: int, flags: int, out: int) -> int:
        if not flags & _FOR_A_WHILE:
            return int(opened(ctypes.addressof(system.contents), name, file, flags, out))
        return _opening(file)

    ours = _Vfs.from_buffer_copy(system.contents)
    if ours.file_size < ctypes.sizeof(_File):
        raise OSError
    opening = _Opening(open_)
    ours.name, ours.next, ours.open = b"mithaq", None, ctypes.cast(opening, _pointer)
    if library.sqlite3_vfs_register(ctypes.byref(ours), 1) == _OK:
        _kept.extend((ours, opening))


@_careful
def _opening(file: int) -> int:
    made = _File.from_address(file)
    # Without methods, the library does not close it.
    made.methods = None
    # Most that open a store never sort as much.
    from crypto.scratch import Scratch

    if getattr(_here, "folder", None) is None:
        return _CANTOPEN
    made.number = next(_numbers)
    _open[made.number] = Scratch(_here.folder)
    made.methods = ctypes.pointer(_METHODS)
    return _OK
