"""Files at rest: what was written comes back, whatever its size and source, and damage never passes."""

from __future__ import annotations

import errno
import hashlib
import io
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import at_rest
from crypto.age_stream import BATCH, CHUNK, SEALED_CHUNK
from crypto.beside import Beside
from crypto.errors import CryptoError

KEY = bytes(range(32))


class Dripping:
    """Gives fewer bytes than asked for."""

    def __init__(self, raw: bytes, step: int) -> None:
        self._file, self._step = io.BytesIO(raw), step

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._step))


@pytest.mark.parametrize(
    "size",
    [
        0,
        1,
        CHUNK - 1,
        CHUNK,
        CHUNK + 1,
        BATCH * CHUNK - 1,
        BATCH * CHUNK,
        BATCH * CHUNK + 1,
        3 * BATCH * CHUNK,
    ],
)
@pytest.mark.parametrize("expected", [0, 100, 5 << 20])
def test_what_was_written_comes_back(tmp_path, size, expected):
    raw = os.urandom(size)
    written = at_rest.write(io.BytesIO(raw), tmp_path / "f", KEY, expected)
    assert written == at_rest.Written(size, hashlib.sha256(raw).digest())
    stored = (tmp_path / "f").read_bytes()
    assert len(stored) == at_rest.sealed_size(size)
    assert at_rest.reader(io.BytesIO(stored), KEY).read() == raw
    assert at_rest.digest(io.BytesIO(stored), KEY) == (size, written.sha256)


def test_it_is_what_its_description_says(tmp_path):
    """Read with nothing of ours: nonce, HKDF, chunks of AES-256-GCM under their numbers."""
    raw = os.urandom(CHUNK + 5)
    at_rest.write(io.BytesIO(raw), tmp_path / "f", KEY, len(raw))
    stored = (tmp_path / "f").read_bytes()
    nonce, first, second = stored[:16], stored[16 : 16 + CHUNK + 16], stored[16 + CHUNK + 16 :]
    cipher = AESGCM(HKDF(SHA256(), 32, nonce, b"mithaq/at-rest/v1").derive(KEY))
    assert cipher.decrypt(bytes(12), first, None) == raw[:CHUNK]
    assert cipher.decrypt(bytes(10) + b"\x01\x01", second, None) == raw[CHUNK:]


@settings(max_examples=20)
@given(raw=st.binary(max_size=3000), step=st.integers(1, 700))
def test_any_source_is_taken_as_it_comes(tmp_path_factory, raw, step):
    path = tmp_path_factory.mktemp("at-rest") / "f"
    at_rest.write(Dripping(raw, step), path, KEY, 0)
    assert at_rest.reader(io.BytesIO(path.read_bytes()), KEY).read() == raw


def test_no_two_files_are_alike(tmp_path):
    for name in "ab":
        at_rest.write(io.BytesIO(b"same"), tmp_path / name, KEY, 4)
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()
    assert at_rest.new_key() != at_rest.new_key()


def test_an_existing_file_is_not_touched(tmp_path):
    (tmp_path / "f").write_bytes(b"here")
    with pytest.raises(FileExistsError):
        at_rest.write(io.BytesIO(b"x"), tmp_path / "f", KEY, 1)
    assert (tmp_path / "f").read_bytes() == b"here"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("stored") / "f"
    at_rest.write(io.BytesIO(os.urandom(2 * CHUNK + 77)), path, KEY, 0)
    return path.read_bytes()


def refused(raw: bytes, key: bytes = KEY) -> None:
    for work in (
        lambda: at_rest.reader(io.BytesIO(raw), key).read(),
        lambda: at_rest.digest(io.BytesIO(raw), key),
    ):
        with pytest.raises(CryptoError) as caught:
            work()
        assert caught.value.code == "age-payload"


def test_damage_sampled(stored):
    for at in range(0, len(stored), 1777):
        for bit in (0, 7):
            refused(stored[:at] + bytes([stored[at] ^ 1 << bit]) + stored[at + 1 :])
    for cut in [*range(40), *range(40, len(stored), 1777), len(stored) - 1]:
        refused(stored[:cut])
    for more in (1, 16, 64, SEALED_CHUNK):
        refused(stored + bytes(more))
    refused(stored, bytes(32))


@pytest.mark.torture
def test_every_flipped_bit_and_truncation(tmp_path):
    """All bits of a file of two chunks, cut down so that each is tried; and each length."""
    at_rest.write(io.BytesIO(os.urandom(CHUNK + 50)), tmp_path / "f", KEY, 0)
    stored = (tmp_path / "f").read_bytes()
    tried = bytearray(stored)
    for at in range(len(stored)):
        bits = range(8) if at < 64 or at > len(stored) - 200 or at % 64 == 0 else (at % 8,)
        for bit in bits:
            tried[at] ^= 1 << bit
            with pytest.raises(CryptoError):
                at_rest.digest(io.BytesIO(tried), KEY)
            tried[at] ^= 1 << bit
    for cut in range(len(stored)):
        with pytest.raises(CryptoError):
            at_rest.digest(io.BytesIO(stored[:cut]), KEY)


def test_chunks_moved_or_taken_from_another_file(stored, tmp_path):
    at_rest.write(io.BytesIO(os.urandom(2 * CHUNK + 77)), tmp_path / "g", KEY, 0)
    other = (tmp_path / "g").read_bytes()
    nonce = stored[:16]
    a, b, c = (stored[16 + i * SEALED_CHUNK : 16 + (i + 1) * SEALED_CHUNK] for i in range(3))
    for order in ((b, a, c), (a, a, c), (a, c), (b, c), (c,), (a, b), (a, b, c, c), (a, b, b)):
        refused(nonce + b"".join(order))
    # Under the same key: the nonce of a file keeps its chunks apart from those of every other.
    refused(nonce + a + other[16 + SEALED_CHUNK :])
    refused(other[:16] + stored[16:])


class Failing(io.BytesIO):
    """Fails after so many bytes."""

    def readinto(self, buffer):
        if self.tell() >= 3 << 20:
            raise OSError(errno.EIO, "gone")
        return super().readinto(buffer)


def test_a_source_that_fails_is_said_and_no_thread_stays(tmp_path):
    import threading

    before = threading.active_count()
    with pytest.raises(OSError, match="gone"):
        at_rest.write(Failing(bytes(5 << 20)), tmp_path / "f", KEY, 0)
    assert threading.active_count() == before


def test_what_fails_beside_is_raised_and_nothing_follows_it():
    done = []

    def fail() -> None:
        raise OSError(errno.ENOSPC, "full")

    with Beside() as beside:
        beside.run(fail)
        beside.run(lambda: done.append(1))
        with pytest.raises(OSError, match="full"):
            beside.wait()
    assert done == []


def test_a_disk_that_fills_is_said(tmp_path, monkeypatch):
    def full(descriptor, offset, size):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="full"):
        at_rest.write(io.BytesIO(b"x"), tmp_path / "f", KEY, 1)
