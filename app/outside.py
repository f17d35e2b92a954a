"""A file that somebody names: opened for reading if it is a regular file, and never waited for.

A named pipe would hold up whoever opens it until somebody writes to it, and the lock of the installation with them.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.messages import Refused


@contextlib.contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """The file, while the block lasts. Raises `Refused` (file-unreadable): it cannot be opened, or is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refused("file-unreadable", path=path, why="not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        yield file


def start(path: Path, limit: int) -> bytes:
    """The first bytes of a file, one more than `limit` where it is longer. Raises as `reading` does, also where it
    cannot be read.
    """
    with reading(path) as file:
        try:
            return file.read(limit + 1)
        except OSError as error:
            raise Refused("file-unreadable", path=path, why=error.strerror) from error
