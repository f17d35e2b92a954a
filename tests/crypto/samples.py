"""Fixed keys and small makers that the tests of packages share."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from crypto import kem
from crypto.composite import SigningKey
from crypto.package import Ack, Draft, Opened, PartSource, Sealed, open_package, seal

SIGNER = SigningKey.from_seed(bytes(range(64)))
SEED = bytes(range(100, 132))
RECIPIENT = kem.public(SEED)

DRAFT = Draft(
    sender="ab" * 32,
    to="cd" * 32,
    epoch=bytes(range(16)),
    seq=7,
    prev=bytes(range(32)),
    sealed="2026-11-23T12:00:00.000Z",
    reads=1,
    ack=Ack(bytes(range(16, 32)), 5, bytes(range(32, 64)), ((7, 9), (11, 11)), ((6, 6),), 12),
    void=((2, 3),),
    release=bytes(range(16)),
    priority="routine",
    log=bytes(range(64, 96)),
)


class OneWay(io.RawIOBase):
    """A file that can only be read, forwards, a little at a time."""

    def __init__(self, raw: bytes, step: int = 7777) -> None:
        self._inner, self._step = io.BytesIO(raw), step

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._inner.readinto(memoryview(buffer)[: self._step])


def source(kind: str, raw: bytes, codec: str = "none", *, one_way: bool = False) -> PartSource:
    def open_() -> BinaryIO:
        return OneWay(raw) if one_way else io.BytesIO(raw)

    return PartSource(kind, codec, open_)


def sealed(parts: Sequence[PartSource] = (), **changes: Any) -> tuple[bytes, Sealed]:
    target = io.BytesIO()
    result = seal(target, RECIPIENT, SIGNER, replace(DRAFT, **changes), parts)
    return target.getvalue(), result


def opened(raw: bytes) -> Opened[str]:
    return open_package(io.BytesIO(raw), [("ours", SEED)])


def read_all(raw: bytes) -> list[tuple[str, bytes]]:
    """Open, verify and read to the end."""
    package = opened(raw)
    package.verify(SIGNER.public)
    return [(part.type, file.read()) for part, file in package.parts()]
