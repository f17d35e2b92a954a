"""A file kept on this machine: chunks as in the payload of an age file (`age_stream`), but AES-256-GCM, under a key of
its own and without a header.

    nonce (16 bytes) || chunks;    cipher key = HKDF-SHA-256(key, salt = nonce, info = "mithaq/at-rest/v1"), 32 bytes

The key is kept elsewhere. Without it the file is noise, and to delete the key is to delete the file. It never leaves
this machine, so it need not be age, and AES is a quarter of ChaCha20's work wherever the processor has it.
"""

from __future__ import annotations

import io
import os
import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto import age_stream
from crypto.age_header import hkdf
from crypto.age_stream import BATCH, CHUNK, NONCE_BYTES, TAG_BYTES, Sealer, StreamReader
from crypto.beside import Beside
from crypto.errors import CryptoError
from crypto.hashing import Hashing
from crypto.source import Readable, Source

KEY_BYTES = 32
DOMAIN = b"mithaq/at-rest/v1"
SEND_BYTES = 16 << 20


def new_key() -> bytes:
    """A random key, 32 bytes, for one file and never a second."""
    return secrets.token_bytes(KEY_BYTES)


def _cipher(key: bytes, nonce: bytes) -> AESGCM:
    return AESGCM(hkdf(key, nonce, DOMAIN))


def sealed_size(size: int) -> int:
    """How many bytes a file of `size` bytes takes."""
    return NONCE_BYTES + size + TAG_BYTES * max(-(-size // CHUNK), 1)


@dataclass(frozen=True)
class Written:
    """Size in bytes and SHA-256 of what was encrypted; no hash where none was asked for."""

    size: int
    sha256: bytes


def write(source: Readable, path: Path, key: bytes, size: int, hashed: bool = True) -> Written:
    """Encrypt everything in `source` into a new file, in bounded memory, and bring it to the disk.

    Room for `size` bytes of content is made first, so that a full disk is met before the work; there may be
    more or less. It is hashed in a second thread, sealed and written in a third. Raises what reading and
    writing raise; nothing of a failed file is good, and it is left to the caller.
    """
    with path.open("xb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, sealed_size(size))
        written = _stream(source, Sealer(_Steady(file), key, _cipher), hashed)
        file.truncate(sealed_size(written.size))
        os.fsync(file.fileno())
    return written


def _stream(source: Readable, sealer: Sealer, hashed: bool) -> Written:
    size = 0
    with Beside() as sealing, Hashing() as hashing:
        digest = hashing.begin()
        for piece, last in age_stream.batches(source):
            sealing.run(partial(sealer.seal, piece, last))
            if hashed:
                hashing.update(digest, piece)
            size += len(piece)
            sealing.turn()
            hashing.turn()
        sealing.wait()
        return Written(size, hashing.digest(digest) if hashed else b"")


class _Steady:
    """Sends what was written on to the disk as it goes: at the end little is left to wait for, and a large
    file does not push everything else out of the memory of the system.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._written = self._sent = 0

    def write(self, data: memoryview | bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._written += len(data)
        if self._written - self._sent >= SEND_BYTES:
            os.posix_fadvise(
                self._file.fileno(), self._sent, self._written - self._sent, os.POSIX_FADV_DONTNEED
            )
            self._sent = self._written


def reader(file: Readable, key: bytes) -> io.BufferedReader:
    """What is in an encrypted file, to be read once. A read raises `CryptoError` (age-payload) for a file that
    was changed or cut; what was read before is authentic. Closing it leaves `file` open.
    """
    try:
        return io.BufferedReader(_Reader(StreamReader(Source(file), key, schedule=_cipher)), CHUNK)
    except CryptoError:
        # Cut within the nonce; of a file of ours that is no header but the payload itself.
        raise CryptoError("age-payload", "payload nonce") from None


def digest(file: Readable, key: bytes) -> tuple[int, bytes]:
    """Size and SHA-256 of what is in an encrypted file. Raises `CryptoError` (age-payload)."""
    with Hashing() as hashing:
        try:
            stream = StreamReader(Source(file), key, hashing.turn, _cipher)
        except CryptoError:
            raise CryptoError("age-payload", "payload nonce") from None
        found, size = hashing.begin(), 0
        while block := stream.view(BATCH * CHUNK):
            hashing.update(found, block)
            size += len(block)
        return size, hashing.digest(found)


class _Reader(io.RawIOBase):
    """Plaintext as it is decrypted."""

    def __init__(self, stream: StreamReader) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        with memoryview(buffer) as target:
            piece = self._stream.view(len(target))
            target[: len(piece)] = piece
            return len(piece)
