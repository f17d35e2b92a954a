"""The chunk writer: whatever is held and settled, the file is the plain STREAM one, and no nonce is used twice."""

from __future__ import annotations

import io
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import age_stream
from crypto.age_stream import BATCH, CHUNK
from crypto.chunk_writer import ChunkWriter
from crypto.hashing import Hashing
from crypto.package import seal
from tests.crypto.samples import DRAFT, RECIPIENT, SIGNER, source

KEY = bytes(range(32))


class Recording:
    """A cipher that refuses to use a nonce twice."""

    def __init__(self) -> None:
        self._cipher = ChaCha20Poly1305(KEY)
        self.nonces: set[bytes] = set()

    def encrypt_into(self, nonce: bytes, data: Any, associated: None, buffer: Any) -> int:
        assert nonce not in self.nonces
        self.nonces.add(nonce)
        return self._cipher.encrypt_into(nonce, data, associated, buffer)


def straight(plain: bytes) -> bytes:
    cipher = ChaCha20Poly1305(KEY)
    chunks = [plain[i : i + CHUNK] for i in range(0, len(plain), CHUNK)] or [b""]
    last = len(chunks) - 1
    return b"".join(
        cipher.encrypt(age_stream.chunk_nonce(i, i == last), chunk, None) for i, chunk in enumerate(chunks)
    )


RUNS = st.lists(
    st.tuples(st.sampled_from(["write", "zeros", "hold", "settle"]), st.integers(1, 3 * CHUNK)), max_size=25
)


@settings(max_examples=60)
@given(st.integers(1, 5 * CHUNK), RUNS)
def test_any_order_gives_the_plain_stream(room: int, runs: list[tuple[str, int]]) -> None:
    target, cipher, plain = io.BytesIO(b"head"), Recording(), bytearray()
    held: list[tuple[int, int]] = []
    with Hashing() as hashing:
        writer = ChunkWriter(target, 4, cipher, room, hashing)

        def settle(start: int, size: int) -> None:
            real = bytes((start + i) * 31 & 255 for i in range(size))
            writer.settle(start, real)
            plain[start : start + size] = real

        for what, size in runs:
            if what == "write":
                data = bytes([size & 255]) * size
                writer.write(data)
                plain += data
            elif what == "zeros":
                writer.zeros(size)
                plain += bytes(size)
            elif what == "hold":
                held.append((writer.position, size))
                writer.hold(writer.position, size)
                writer.write(b"?" * size)
                plain += b"?" * size
            elif held:
                settle(*held.pop(size % len(held)))
            assert writer.position == len(plain)
        while held:
            settle(*held.pop(0))
        assert writer.finish() == len(straight(bytes(plain)))
    assert target.getvalue() == b"head" + straight(bytes(plain))


def test_memory_of_what_is_held_is_let_go() -> None:
    target = io.BytesIO()
    with Hashing() as hashing:
        writer = ChunkWriter(target, 0, ChaCha20Poly1305(KEY), 100 * CHUNK, hashing)
        for _ in range(40):
            field = writer.position
            writer.hold(field, 8)
            writer.write(bytes(8) + b"x" * (BATCH * CHUNK))
            assert len(writer._kept) <= 2
            writer.settle(field, b"settled!")
        assert not writer._kept
        assert not writer._holds


def test_a_seal_uses_no_nonce_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    ciphers: list[Recording] = []

    def cipher(file_key: bytes, nonce: bytes) -> Recording:
        ciphers.append(Recording())
        return ciphers[-1]

    monkeypatch.setattr(age_stream, "payload_cipher", cipher)
    text = b"".join(b'{"id":%d}' % i for i in range(400_000))
    target = io.BytesIO()
    parts = [source("intel", text, "zstd"), source("attachment", text), source("intel", text, "zstd")]
    seal(target, RECIPIENT, SIGNER, DRAFT, parts)
    (one,) = ciphers
    numbers = sorted(int.from_bytes(nonce[:11], "big") for nonce in one.nonces)
    assert numbers == list(range(len(numbers)))
    assert sum(nonce[11] for nonce in one.nonces) == 1
