"""Secrets that live long, outside of Python's heap: locked into memory, left out of core dumps, zeroed at the end.

What it is worth: the copy that lives as long as the program never reaches the swap file or a dump, and is gone when it
is dropped. What it is not: Python and the libraries make short-lived copies (`bytes`, and keys inside OpenSSL, which
zeroes its own) that nobody can wipe from here. Where the system has no locking, or the quota is used up, the buffer
works all the same and `locked` says so.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import sys
import weakref
from collections.abc import Callable
from typing import Any


class Locked:
    """A secret of fixed size. Read it with `reveal`; `wipe` ends it, and so does the last reference."""

    def __init__(self, secret: bytes) -> None:
        self._size = len(secret)
        self._pages = mmap.mmap(-1, max(self._size, 1))
        self.locked = _lock(self._pages)
        self._pages[: self._size] = secret
        self._end: Callable[[], object] = weakref.finalize(self, _wipe, self._pages, self.locked)

    def reveal(self) -> bytes:
        """A copy, to be used and dropped at once. Raises ValueError after `wipe`."""
        return self._pages[: self._size]

    def wipe(self) -> None:
        """Zero and release it. Safe to call twice."""
        self._end()

    def __repr__(self) -> str:
        return "Locked(...)"


def _lock(pages: mmap.mmap) -> bool:
    if sys.platform == "win32":
        return False
    if hasattr(mmap, "MADV_DONTDUMP"):
        with contextlib.suppress(OSError):
            pages.madvise(mmap.MADV_DONTDUMP)
    return bool(_call("mlock", pages) == 0)


def _wipe(pages: mmap.mmap, locked: bool) -> None:
    pages[:] = bytes(len(pages))
    if locked:
        _call("munlock", pages)
    pages.close()


def _call(name: str, pages: mmap.mmap) -> int:
    """A function of the C library over whole pages; -1 if there is none."""
    try:
        function: Any = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return -1
    start = ctypes.c_char.from_buffer(pages)
    try:
        return int(function(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(pages))))
    finally:
        del start  # a buffer that is still looked at cannot be closed
