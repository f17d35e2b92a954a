"""The parts that a release makes of what leaves: a bundle of exact texts, what binds them beside their marking."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from app.jobs import Job
from app.store import objects
from app.store.installation import Installation
from crypto import manifest as manifests
from crypto.package import PartSource

if TYPE_CHECKING:
    from app.exchange.releases import Item


def intel(installation: Installation, leaving: Sequence[Item]) -> PartSource:
    """A STIX bundle of the stored texts, unaltered, read from the store as it is sealed."""
    head = f'{{"type":"bundle","id":"bundle--{uuid.uuid4()}","objects":['.encode()

    def pieces() -> Iterator[bytes]:
        reader = installation.database.read()
        yield head
        for index, item in enumerate(leaving):
            yield (b"," if index else b"") + objects.raw(reader, item.vid)
        yield b"]}"

    def open_() -> BinaryIO:
        return io.BufferedReader(_Joined(pieces()), 1 << 18)

    return PartSource("intel", "zstd", open_)


class _Joined(io.RawIOBase):
    """Byte strings one after the other as a file to read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            try:
                self._rest = memoryview(next(self._pieces))
            except StopIteration:
                return 0
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def handling_lines(leaving: Sequence[Item], exercise: bool, job: Job) -> bytes:
    """The `handling` part: a JSON line for each object that anything binds beside its marking (protocol.md 1). Raises
    `Cancelled`.
    """
    return b"".join(
        msgspec.json.encode(
            {
                "id": item.id,
                "modified": item.modified,
                "sha256": item.sha256.hex(),
                "tlp": (item.level if item.handling is None else item.handling).label,
                "embargo": item.bound.embargo or None,
                "exercise": exercise or item.bound.exercise,
                "case": None,
                "onward": item.onward or None,
            }
        )
        + b"\n"
        for item in job.each(leaving, len(leaving), "gather")
        if item.handling is not None or exercise or item.bound.embargo or item.bound.exercise or item.onward
    )


def text(kind: str, raw: bytes) -> PartSource:
    return PartSource(kind, "zstd", lambda: io.BytesIO(raw))


def described(part: PartSource, job: Job) -> tuple[PartSource, dict[str, object]]:
    """A part with its size, and its type, size and hash, as the release statement names it. Raises `Cancelled`."""
    digest, size = hashlib.sha256(), 0
    with part.open() as file:
        while block := file.read(1 << 20):
            # How large it is, nobody knows before.
            job.step(size, 0, "gather")
            digest.update(block)
            size += len(block)
    said = {"type": part.type, "size": size, "sha256": digest.hexdigest()}
    # The sealer need not read all of it once more to know.
    return replace(part, size=size), said


def as_sealed(manifest: bytes, lines: bytes) -> bool:
    """Whether a sealed package's `handling` part, by its manifest, is these lines (b"": it has none)."""
    sealed = [part.sha256 for part in manifests.parse(manifest).parts if part.type == "handling"]
    return sealed == ([hashlib.sha256(lines).digest()] if lines else [])
