"""Writes the chunks of a STREAM payload, some of them later than their neighbours.

STREAM seals each chunk under its own number, so the order of sealing is free as long as no number is used twice. Bytes
that are not known yet are held: their chunks stay in memory until they are settled, the others are written meanwhile.
The target must be seekable. Two buffers are used in turn, so that a second thread may still hash what the first held.
"""

from __future__ import annotations

from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.age_stream import BATCH, CHUNK, SEALED_CHUNK, TAG_BYTES, chunk_nonce
from crypto.hashing import Hashing


class ChunkWriter:
    """Plaintext in, sealed chunks out, each sealed once. Ranges that are held are written when they are settled."""

    def __init__(
        self, target: BinaryIO, origin: int, cipher: ChaCha20Poly1305, room: int, hashing: Hashing
    ) -> None:
        self._target, self._origin, self._cipher, self._hashing = target, origin, cipher, hashing
        chunks = min(-(-room // CHUNK), BATCH)
        self._size = chunks * CHUNK
        self._plain = memoryview(bytearray(self._size))
        self._spare: memoryview | None = None
        self._sealed = memoryview(bytearray(chunks * SEALED_CHUNK))
        self._first = 0  # the number of the chunk at the start of the buffer
        self._used = 0
        self._holds: dict[int, int] = {}  # chunks that must wait, and for how many settlements
        self._kept: dict[int, memoryview] = {}  # those of them that have left the buffer

    @property
    def position(self) -> int:
        """How many bytes were written."""
        return self._first * CHUNK + self._used

    def space(self) -> memoryview:
        """Where the next bytes may be put; never empty. Follow with `advance`."""
        if self._used == self._size:
            self._flush(last=False)
        return self._plain[self._used :]

    def advance(self, size: int) -> None:
        """So many bytes were put into `space`."""
        self._used += size

    def write(self, data: bytes) -> None:
        """Copy bytes in."""
        at = 0
        while at < len(data):
            space = self.space()
            step = min(len(space), len(data) - at)
            space[:step] = data[at : at + step]
            self.advance(step)
            at += step

    def zeros(self, count: int) -> None:
        """Write zeros."""
        while count:
            space = self.space()[:count]
            space[:] = bytes(len(space))
            self.advance(len(space))
            count -= len(space)

    def hold(self, start: int, size: int) -> None:
        """The bytes at `start` will be settled later; call before they are written. Their chunks are kept meanwhile."""
        for number in _touched(start, size):
            self._holds[number] = self._holds.get(number, 0) + 1

    def settle(self, start: int, data: bytes) -> None:
        """Put the real bytes where they were held, and seal the chunks that nothing else holds."""
        for number in _touched(start, len(data)):
            kept = self._kept.get(number)
            chunk = self._plain[(number - self._first) * CHUNK :][:CHUNK] if kept is None else kept
            at = max(start - number * CHUNK, 0)
            piece = data[number * CHUNK + at - start :][: CHUNK - at]
            chunk[at : at + len(piece)] = piece
            self._holds[number] -= 1
            if not self._holds[number]:
                del self._holds[number]
                if kept is not None:
                    self._seal_kept(number, self._kept.pop(number))

    def finish(self) -> int:
        """Seal what is left, the last chunk as the last. Returns the size of all sealed chunks."""
        self._flush(last=True)
        return self._target.tell() - self._origin

    def _seal_kept(self, number: int, chunk: memoryview) -> None:
        self._target.seek(self._origin + number * SEALED_CHUNK)
        out = self._sealed[:SEALED_CHUNK]
        self._cipher.encrypt_into(chunk_nonce(number, False), chunk, None, out)
        self._target.write(out)

    def _flush(self, last: bool) -> None:
        self._target.seek(self._origin + self._first * SEALED_CHUNK)
        chunks = -(-self._used // CHUNK) or int(not self._first)
        written = 0
        for i in range(chunks):
            number = self._first + i
            chunk = self._plain[i * CHUNK : min((i + 1) * CHUNK, self._used)]
            if number in self._holds:
                self._kept[number] = memoryview(bytearray(chunk))
                self._target.write(self._sealed[:written])
                written = 0
                self._target.seek(self._origin + (number + 1) * SEALED_CHUNK)
                continue
            nonce = chunk_nonce(number, last and i == chunks - 1)
            out = self._sealed[written : written + len(chunk) + TAG_BYTES]
            self._cipher.encrypt_into(nonce, chunk, None, out)
            written += len(out)
        self._target.write(self._sealed[:written])
        self._first += chunks
        self._used = 0
        if not last:
            # The other buffer, once its bytes are hashed: this one's may still be on their way.
            self._hashing.turn()
            self._plain, self._spare = self._spare or memoryview(bytearray(self._size)), self._plain


def _touched(start: int, size: int) -> range:
    """The numbers of the chunks that a range of plaintext lies in."""
    return range(start // CHUNK, (start + size - 1) // CHUNK + 1)
