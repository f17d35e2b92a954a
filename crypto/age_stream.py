"""STREAM: the payload of an age file, in chunks of 64 KiB that are sealed each under its own counter.

Specification: C2SP age.md, "Payload". A chunk's nonce is its number (11 bytes, big endian) and a byte that
says whether it is the last. Nothing is released from a chunk that does not authenticate; the end is authenticated too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from crypto.age_header import hkdf
from crypto.errors import CryptoError
from crypto.source import Readable, Source, Writable

NONCE_BYTES = 16
TAG_BYTES = 16
CHUNK = 64 * 1024
SEALED_CHUNK = CHUNK + TAG_BYTES
BATCH = 16

KeySchedule = Callable[[bytes, bytes], ChaCha20Poly1305 | AESGCM]
"""What makes the cipher of one payload from its key and the 16 bytes at its start."""


def payload_cipher(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    """The cipher of one payload; `nonce` is the 16 bytes at its start."""
    return ChaCha20Poly1305(hkdf(file_key, nonce, b"payload"))


def chunk_nonce(number: int, last: bool) -> bytes:
    """The nonce of a chunk."""
    return number.to_bytes(11, "big") + bytes([last])


def new_nonce() -> bytes:
    """The 16 random bytes that start a payload."""
    return secrets.token_bytes(NONCE_BYTES)


def encrypt(source: Readable, target: BinaryIO, file_key: bytes) -> None:
    """Write the payload of everything in `source`: nonce and chunks."""
    sealer = Sealer(target, file_key)
    for piece, last in batches(source):
        sealer.seal(piece, last)


def batches(source: Readable) -> Iterator[tuple[memoryview, bool]]:
    """Everything in `source` in pieces of whole chunks, each with whether it is the last, which alone may be
    short or empty.

    Two buffers are used in turn: a piece is unchanged until the next but one is asked for.
    """
    reader = Source(source)
    # One byte more than a batch: only with it in hand is it known whether the batch's end is the end.
    plain, spare = (memoryview(bytearray(BATCH * CHUNK + 1)) for _ in range(2))
    held = 0
    while True:
        size = held + reader.fill(plain[held:])
        if size < len(plain):
            yield plain[:size], True
            return
        yield plain[:-1], False
        spare[0], held = plain[-1], 1
        plain, spare = spare, plain


class Sealer:
    """Writes a payload: the nonce at once, then piece after piece as `batches` gives them."""

    def __init__(self, target: Writable, file_key: bytes, schedule: KeySchedule = payload_cipher) -> None:
        nonce = new_nonce()
        self._target, self._cipher = target, schedule(file_key, nonce)
        self._sealed = memoryview(bytearray(BATCH * SEALED_CHUNK))
        self._number = 0
        target.write(nonce)

    def seal(self, piece: memoryview, last: bool) -> None:
        """Seal and write a piece."""
        chunks = max(-(-len(piece) // CHUNK), 1)
        written = 0
        for i in range(chunks):
            chunk = piece[i * CHUNK : (i + 1) * CHUNK]
            out = self._sealed[written : written + len(chunk) + TAG_BYTES]
            self._cipher.encrypt_into(chunk_nonce(self._number, last and i == chunks - 1), chunk, None, out)
            self._number += 1
            written += len(out)
        self._target.write(self._sealed[:written])


class StreamReader:
    """Decrypts a payload as it is read. `view` and `read` raise `CryptoError` (age-payload).

    With `turn`, two buffers are used in turn, and it is called before each change: a second thread may still
    be at work on what `view` gave out.
    """

    def __init__(
        self,
        source: Source,
        file_key: bytes,
        turn: Callable[[], None] | None = None,
        schedule: KeySchedule = payload_cipher,
    ) -> None:
        nonce = source.read(NONCE_BYTES)
        if len(nonce) != NONCE_BYTES:
            raise CryptoError("age-header", "payload nonce")
        self._source = source
        self._cipher = schedule(file_key, nonce)
        self._turn = turn
        self._sealed: memoryview
        self._plain: memoryview
        self._spare: memoryview
        self._take_buffers(1)
        self._number = 0
        self._start = self._end = 0
        self._done = False
        self._failure: CryptoError | None = None

    def view(self, most: int) -> memoryview:
        """Up to `most` bytes of plaintext, none at the end. Nothing is copied: valid until the next call."""
        if self._start == self._end:
            self._next_batch()
        end = min(self._start + most, self._end)
        found = self._plain[self._start : end]
        self._start = end
        return found

    def read(self, size: int) -> bytes:
        """`size` bytes; fewer only at the end."""
        parts = []
        while size and (found := self.view(size)):
            parts.append(bytes(found))
            size -= len(found)
        return b"".join(parts)

    def _next_batch(self) -> None:
        self._start = self._end = 0
        if self._number == 1 and not self._done:
            # Most files are short; only a long one gets long buffers.
            self._take_buffers(BATCH)
        elif self._turn is not None:
            self._turn()
            self._plain, self._spare = self._spare, self._plain
        if self._failure is None and not self._done:
            try:
                self._open_batch(self._source.fill(self._sealed))
            except CryptoError as failure:
                self._failure = failure
        if self._failure is not None and not self._end:
            raise self._failure

    def _take_buffers(self, chunks: int) -> None:
        self._sealed = memoryview(bytearray(chunks * SEALED_CHUNK))
        self._plain = self._spare = memoryview(bytearray(chunks * CHUNK))
        if self._turn is not None:
            self._spare = memoryview(bytearray(chunks * CHUNK))

    def _open_batch(self, size: int) -> None:
        if not size:
            raise CryptoError("age-payload", "no last chunk")
        for start in range(0, size, SEALED_CHUNK):
            if self._done:
                raise CryptoError("age-payload", "after the last chunk")
            self._open(self._sealed[start : min(start + SEALED_CHUNK, size)])
        if self._done and self._source.peek(1):
            raise CryptoError("age-payload", "after the last chunk")

    def _open(self, chunk: memoryview) -> None:
        size = len(chunk) - TAG_BYTES
        if size < 0 or (size == 0 and self._number):
            raise CryptoError("age-payload", "short chunk")
        out = self._plain[self._end : self._end + size]
        # A full chunk may be the last one too; a short one can be nothing else.
        for last in (False, True) if size == CHUNK else (True,):
            try:
                self._cipher.decrypt_into(chunk_nonce(self._number, last), chunk, None, out)
            except InvalidTag:
                continue
            self._number += 1
            self._end += size
            self._done = last
            return
        raise CryptoError("age-payload", f"chunk {self._number}")
