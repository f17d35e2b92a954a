"""ASCII armor of age files: strict PEM, as C2SP age.md asks, so that one file has one text.

Allowed: LF or CRLF, white space before and after. Refused: everything else that lenient PEM readers let pass.
Errors are `CryptoError` (age-armor).
"""

from __future__ import annotations

import base64
from typing import BinaryIO

from crypto.errors import CryptoError
from crypto.source import Readable, Source

BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
END = b"-----END AGE ENCRYPTED FILE-----"
COLUMNS = 64
WHITE_SPACE_LIMIT = 1024

_WHITE_SPACE = b" \t\r\n"
_LINE_BYTES = COLUMNS // 4 * 3
_LINE_LIMIT = len(BEGIN) + COLUMNS


def looks_armored(source: Source) -> bool:
    """Whether a file begins like armor. Consumes nothing."""
    start = source.peek(WHITE_SPACE_LIMIT + len(BEGIN)).lstrip(_WHITE_SPACE)
    return start.startswith(BEGIN)


class ArmorReader:
    """The bytes inside an armored file, as they are read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._pending = b""
        self._last = False
        self._done = False
        skipped = len(source.peek(WHITE_SPACE_LIMIT + 1)) - len(
            source.peek(WHITE_SPACE_LIMIT + 1).lstrip(_WHITE_SPACE)
        )
        if skipped > WHITE_SPACE_LIMIT:
            raise CryptoError("age-armor", "white space")
        source.read(skipped)
        if self._line() != BEGIN:
            raise CryptoError("age-armor", "first line")

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, at least one except at the end."""
        blocks = [self._pending]
        held = len(self._pending)
        while held < size and not self._done:
            block = self._block()
            blocks.append(block)
            held += len(block)
        found = b"".join(blocks)
        self._pending = found[size:]
        return found[:size]

    def _block(self) -> bytes:
        line = self._line()
        if line == END:
            self._finish()
            return b""
        if self._last or not line or len(line) > COLUMNS or len(line) % 4:
            raise CryptoError("age-armor", "line")
        try:
            raw = base64.b64decode(line, validate=True)
        except ValueError:
            raise CryptoError("age-armor", "base64") from None
        if base64.b64encode(raw) != line:
            raise CryptoError("age-armor", "not canonical")
        self._last = len(raw) < _LINE_BYTES
        return raw

    def _finish(self) -> None:
        rest = self._source.read(WHITE_SPACE_LIMIT + 1)
        if rest.strip(_WHITE_SPACE) or len(rest) > WHITE_SPACE_LIMIT:
            raise CryptoError("age-armor", "after the end")
        self._done = True

    def _line(self) -> bytes:
        line = self._source.line(_LINE_LIMIT)
        if line is None:
            raise CryptoError("age-armor", "line")
        if line.endswith(b"\r\n"):
            return line[:-2]
        if line.endswith(b"\n"):
            return line[:-1]
        # A file may end without a line feed, but only after its last line.
        if line != END:
            raise CryptoError("age-armor", "cut short")
        return line


class ArmorWriter:
    """Armors what is written to it. `close` writes the end and leaves the target open."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._pending = b""
        target.write(BEGIN + b"\n")

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take any number of bytes."""
        whole = self._pending + bytes(data)
        full = len(whole) - len(whole) % _LINE_BYTES
        self._pending = whole[full:]
        text = base64.b64encode(whole[:full])
        self._target.write(b"".join(text[i : i + COLUMNS] + b"\n" for i in range(0, len(text), COLUMNS)))
        return len(data)

    def close(self) -> None:
        """Write what is left and the last line."""
        if self._pending:
            self._target.write(base64.b64encode(self._pending) + b"\n")
        self._target.write(END + b"\n")


def reader(source: Source) -> Readable:
    """The inside of an armored file. Raises `CryptoError` (age-armor), now and while it is read."""
    return ArmorReader(source)
