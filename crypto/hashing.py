"""SHA-256 in a second thread, beside the cipher. Small pieces are hashed where they are: a thread costs more."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from crypto.beside import Beside

if TYPE_CHECKING:
    from hashlib import _Hash

INLINE_LIMIT = 64 * 1024


class Hashing(Beside):
    """A thread for any number of hashes, each of pieces taken in order."""

    def begin(self) -> _Hash:
        """A new hash to give to `update`."""
        return sha256()

    def update(self, into: _Hash, piece: bytes | memoryview) -> None:
        """Add `piece`, now or soon."""
        if self.idle and len(piece) <= INLINE_LIMIT:
            into.update(piece)
        else:
            self.run(partial(into.update, piece))

    def digest(self, of: _Hash) -> bytes:
        """The hash, once everything handed over has gone in."""
        self.wait()
        return of.digest()
