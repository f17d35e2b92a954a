"""STIX bundles in files, read as a stream: memory is bounded whatever the file's size. STIX 2.0 comes out as 2.1."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.formats import stix20
from app.intel.reading import Entry, Fault, read_chunks
from app.messages import Refused

CHUNK = 1 << 20


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Iterator[Entry | Fault]]:
    """The objects of a bundle file, while the block lasts. Raises `Refused`: file-unreadable, and as reading does."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error
    with file:
        yield stix20.converted(read_chunks(_chunks(file, path), take_old=True))


def _chunks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    while True:
        try:
            chunk = file.read(CHUNK)
        except OSError as error:
            raise Refused("file-unreadable", path=path, why=error.strerror) from error
        if not chunk:
            return
        yield chunk
