"""The pages of a store as they would stand without encryption: what somebody with the key finds in every byte."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAGE, RESERVED, SALT, IV = 4096, 80, 16, 16
WAL_HEADER, FRAME_HEADER = 32, 24


def decrypted(path: Path, key: bytes) -> bytes:
    """Every page of a store's file, free ones included (SQLCipher 4, a raw key)."""
    raw = path.read_bytes()
    return b"".join(_clear(raw[i : i + PAGE], key, first=not i) for i in range(0, len(raw), PAGE))


def decrypted_log(path: Path, key: bytes) -> bytes:
    """Every page in the write-ahead log of the store at `path`, written over since or not; b"" without a log."""
    log = path.with_name(path.name + "-wal")
    raw = log.read_bytes() if log.exists() else b""
    clear, step = [], FRAME_HEADER + PAGE
    for start in range(WAL_HEADER, len(raw) - step + 1, step):
        number = int.from_bytes(raw[start : start + 4], "big")
        clear.append(_clear(raw[start + FRAME_HEADER : start + step], key, first=number == 1))
    return b"".join(clear)


def _clear(page: bytes, key: bytes, first: bool) -> bytes:
    body, iv = page[SALT if first else 0 : PAGE - RESERVED], page[PAGE - RESERVED :][:IV]
    turn = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return turn.update(body) + turn.finalize()
