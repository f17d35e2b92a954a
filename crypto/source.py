"""Bounded reading with look-ahead from any binary file object, seekable or not, buffered or raw."""

from __future__ import annotations

from typing import Protocol

_BLOCK = 4096


class Readable(Protocol):
    """What is needed of a file to read from: `read(size)`, b"" at its end, fewer bytes than asked for at any time."""

    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    """What is needed of a file to write to: it takes all of what it is given."""

    def write(self, data: bytes | memoryview, /) -> object: ...


class Source:
    """Reads a file from where it stands; the file is used by nobody else meanwhile."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._into = getattr(file, "readinto", None)
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        """The next `size` bytes without consuming them; fewer only at the end of the file."""
        while len(self._ahead) < size:
            more = self._file.read(max(size - len(self._ahead), _BLOCK))
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end of the file."""
        found = self.peek(size)
        self._ahead = self._ahead[len(found) :]
        return found

    def line(self, limit: int) -> bytes | None:
        """The next line with its line feed, or what is left at the end of the file; None if longer than `limit`."""
        found = self.peek(min(limit, _BLOCK))
        end = found.find(b"\n") + 1
        if not end:
            found = self.peek(limit)
            end = found.find(b"\n") + 1 or len(found)
            if end == limit and not found.endswith(b"\n") and self.peek(limit + 1)[limit:]:
                return None
        self._ahead = self._ahead[end:]
        return found[:end]

    def fill(self, buffer: memoryview) -> int:
        """Fill `buffer` from its start; returns how much, less than its length only at the end of the file."""
        done = min(len(self._ahead), len(buffer))
        buffer[:done] = self._ahead[:done]
        self._ahead = self._ahead[done:]
        while done < len(buffer):
            if self._into is not None:
                got = self._into(buffer[done:])
            else:
                block = self._file.read(len(buffer) - done)
                got = len(block)
                buffer[done : done + got] = block
            if not got:
                break
            done += got
        return done
