"""A file for a while: it has no name, its key is kept nowhere, and both are gone when it is closed, whatever happens.

Each block is sealed by itself: AES-256-GCM, the nonce the number of writes before, the number of the block beside it.
Which write stands where is known here alone, so that no older block is taken for a newer one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections import OrderedDict
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK = 64 << 10
"""Bytes that are encrypted as one."""
KEPT = 24
"""Blocks held in memory: one for each of the runs that are merged at once, which are 16 at most, and those written."""
_RECORD = BLOCK + 16


class Scratch:
    """Bytes at offsets, as in a file. What was never written reads as noughts.

    Raises `OSError`, also where the file gives back something else than was written.
    """

    def __init__(self, folder: Path) -> None:
        self._file = _nameless(folder)
        self._cipher = AESGCM(secrets.token_bytes(32))
        self._blocks: OrderedDict[int, bytearray] = OrderedDict()
        self._changed = set[int]()
        self._writes = 0
        self._written: dict[int, int] = {}
        """By the number of a block, the write that it stands in."""
        self.size = 0

    def read(self, size: int, offset: int) -> bytes:
        """The bytes from `offset`, at most up to the end."""
        size = max(0, min(size, self.size - offset))
        found = b""
        while len(found) < size:
            number, at = divmod(offset + len(found), BLOCK)
            found += self._block(number)[at : at + size - len(found)]
        return found

    def write(self, data: bytes, offset: int) -> None:
        """Write all of it."""
        done = 0
        while done < len(data):
            number, at = divmod(offset + done, BLOCK)
            some = data[done : done + BLOCK - at]
            self._block(number)[at : at + len(some)] = some
            self._changed.add(number)
            done += len(some)
        if done:
            self.size = max(self.size, offset + done)

    def close(self) -> None:
        """Let it go."""
        os.close(self._file)

    def _block(self, number: int) -> bytearray:
        block = self._blocks.get(number)
        if block is None:
            if len(self._blocks) == KEPT:
                self._put_away(*self._blocks.popitem(last=False))
            block = self._blocks[number] = self._fetched(number)
        else:
            self._blocks.move_to_end(number)
        return block

    def _put_away(self, number: int, block: bytearray) -> None:
        if number not in self._changed:
            return
        self._writes += 1
        rest = memoryview(self._cipher.encrypt(_nonce(self._writes), bytes(block), _place(number)))
        os.lseek(self._file, number * _RECORD, os.SEEK_SET)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._written[number] = self._writes
        self._changed.discard(number)

    def _fetched(self, number: int) -> bytearray:
        if number not in self._written:
            return bytearray(BLOCK)
        os.lseek(self._file, number * _RECORD, os.SEEK_SET)
        record = b""
        while more := os.read(self._file, _RECORD - len(record)):
            record += more
        try:
            return bytearray(self._cipher.decrypt(_nonce(self._written[number]), record, _place(number)))
        except InvalidTag as error:
            raise OSError(errno.EIO, "not what was written") from error


def _nameless(folder: Path) -> int:
    """A new file that is gone when it is closed, whatever happens."""
    if hasattr(os, "O_TMPFILE"):
        with contextlib.suppress(OSError):
            return os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    path = folder / f"scratch-{secrets.token_hex(8)}"
    made = os.O_RDWR | os.O_CREAT | os.O_EXCL
    if hasattr(os, "O_TEMPORARY"):
        return os.open(path, made | os.O_TEMPORARY | getattr(os, "O_BINARY", 0), 0o600)
    file = os.open(path, made | os.O_CLOEXEC, 0o600)
    path.unlink()
    return file


def _nonce(write: int) -> bytes:
    return write.to_bytes(12, "big")


def _place(number: int) -> bytes:
    return number.to_bytes(8, "big")
