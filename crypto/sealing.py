"""Seal a package: one pass over the parts, one over the output, in bounded memory.

The manifest stands first and holds every part's hash, and a compressed part's stored length stands before it;
neither is known until the part has gone by. So the chunks that hold them are kept in memory until then:
STREAM seals each chunk under its own number, and no number is ever used twice. The target must therefore be seekable.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import BinaryIO

from crypto import age_header, age_stream, layout, manifest
from crypto.age_header import FILE_KEY_BYTES
from crypto.age_keys import HybridRecipient
from crypto.age_stream import BATCH, CHUNK
from crypto.chunk_writer import ChunkWriter
from crypto.composite import SigningKey
from crypto.errors import CryptoError
from crypto.hashing import Hashing
from crypto.manifest import Draft, Manifest, Part
from crypto.source import Source

MEMORY_LIMIT = BATCH * CHUNK
LEVEL = 1
PROBE_BYTES = 64 * 1024
WORTH = 0.95

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class PartSource:
    """A part to be sealed. `open` gives its raw bytes from the start, each time it is called; the sealer closes it.

    `codec`: none, or zstd if it may be compressed (it is where that pays). `size`: of the raw bytes, if
    known; otherwise found by seeking to the end, or by reading the source once more.
    """

    type: str
    codec: str
    open: Callable[[], BinaryIO]
    size: int | None = None


@dataclass(frozen=True)
class Sealed:
    """A sealed package: its manifest, what names and signs it, the hash of its age header, its size in bytes."""

    manifest: Manifest
    manifest_raw: bytes
    manifest_hash: bytes
    signature: bytes
    header_hash: bytes
    size: int


def seal(
    target: BinaryIO,
    recipient: bytes,
    signer: SigningKey,
    draft: Draft,
    parts: Sequence[PartSource],
    step: Step | None = None,
) -> Sealed:
    """Write a package for one X-Wing public key (1,216 bytes), signed, to a seekable file, from where it stands.

    `step(done, total)` counts raw bytes. Raises `CryptoError`: kem-key, package-manifest (a draft or a part
    that no reader would take), package-source (a source that changed while it was read). Nothing of a failed
    seal is good.
    """
    if len(parts) > manifest.PARTS_LIMIT:
        raise CryptoError(manifest.CODE, "parts")
    plain: set[int] = set()
    origin = target.tell()
    with Hashing() as hashing:
        plans = _plans(parts)
        while True:
            try:
                return _Seal(target, origin, recipient, draft, plans, plain, hashing, step).run(signer)
            except _TooDense as dense:
                # It would look like a bomb to the reader. Rare, and cheap: start anew, with this part as it is.
                plain.add(dense.index)
                target.seek(origin)
                target.truncate()


class _TooDense(Exception):
    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


@dataclass(frozen=True)
class _Plan:
    """A part whose size is known, and whether compressing it pays."""

    source: PartSource
    size: int
    codec: str
    open: Callable[[], BinaryIO]


def _plans(parts: Sequence[PartSource]) -> list[_Plan]:
    plans, room = [], MEMORY_LIMIT
    for part in parts:
        plan = _plan(part, room)
        plans.append(plan)
        if plan.open is not part.open:
            room -= plan.size
    return plans


def _plan(part: PartSource, room: int) -> _Plan:
    """Look at a part once. One that cannot seek and takes less than `room` is kept, and not opened again."""
    with part.open() as file:
        size, opener = part.size, part.open
        if size is None and file.seekable():
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
        source = Source(file)
        codec = part.codec if part.codec != "zstd" or _pays(source.peek(PROBE_BYTES)) else "none"
        if size is None:
            size, held = _count(source, room)
            if held is not None:
                opener = _in_memory(held)
    return _Plan(part, size, codec, opener)


def _in_memory(held: bytes) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(held)


def _pays(start: bytes) -> bool:
    import zstandard

    return len(zstandard.ZstdCompressor(level=LEVEL).compress(start)) < WORTH * len(start)


def _count(source: Source, room: int) -> tuple[int, bytes | None]:
    """The size of what is left, and the bytes themselves if they are few."""
    start = source.read(room)
    size = len(start)
    if size < room:
        return size, start
    buffer = memoryview(bytearray(MEMORY_LIMIT))
    while got := source.fill(buffer):
        size += got
    return size, None


class _Seal:
    """One attempt."""

    def __init__(
        self,
        target: BinaryIO,
        origin: int,
        recipient: bytes,
        draft: Draft,
        plans: Sequence[_Plan],
        plain: set[int],
        hashing: Hashing,
        step: Step | None,
    ) -> None:
        file_key = secrets.token_bytes(FILE_KEY_BYTES)
        nonce = age_stream.new_nonce()
        stanza = HybridRecipient(recipient).wrap(file_key)
        header = age_header.write([stanza], file_key)
        self._header_hash = age_header.sha256(header)
        self._draft, self._plans, self._hashing, self._step = draft, plans, hashing, step
        self._codecs = ["none" if i in plain else plan.codec for i, plan in enumerate(plans)]
        self._done, self._total = 0, sum(plan.size for plan in plans)
        # Same length as the real one: hashes are of fixed width, all else is known.
        blank = manifest.encode(self._manifest([bytes(manifest.HASH_BYTES)] * len(plans)))
        self._head_size = layout.head_size(len(blank))
        target.write(header + nonce)
        room = self._head_size + self._total + layout.PADDING_FLOOR
        cipher = age_stream.payload_cipher(file_key, nonce)
        self._start = len(header) + len(nonce)
        self._out = ChunkWriter(target, origin + self._start, cipher, room, hashing)

    def run(self, signer: SigningKey) -> Sealed:
        out = self._out
        out.hold(0, self._head_size)
        out.write(bytes(self._head_size))
        digests = [self._part(index, plan) for index, plan in enumerate(self._plans)]
        out.zeros(layout.padded(out.position) - out.position)
        whole = self._manifest(digests)
        raw = manifest.encode(whole)
        signature = signer.sign(raw, manifest.CONTEXT)
        out.settle(0, layout.head(raw, signature))
        size = self._start + out.finish()
        return Sealed(whole, raw, manifest.sha256(raw), signature, self._header_hash, size)

    def _manifest(self, digests: Sequence[bytes]) -> Manifest:
        found = tuple(
            Part(plan.source.type, plan.size, digest, codec)
            for plan, digest, codec in zip(self._plans, digests, self._codecs, strict=True)
        )
        given = {field.name: getattr(self._draft, field.name) for field in fields(Draft)}
        return Manifest(**given, header=self._header_hash, parts=found)

    def _part(self, index: int, plan: _Plan) -> bytes:
        with plan.open() as file:
            source = Source(file)
            if self._codecs[index] == "none":
                digest = self._as_it_is(source, plan.size)
            else:
                digest = self._compressed(source, plan.size, index)
            if source.peek(1):
                raise CryptoError("package-source", "grew")
        return digest

    def _as_it_is(self, source: Source, size: int) -> bytes:
        self._out.write(size.to_bytes(layout.STORED_BYTES, "big"))
        digest, left = self._hashing.begin(), size
        while left:
            space = self._out.space()[:left]
            got = source.fill(space)
            self._hashing.update(digest, space[:got])
            self._out.advance(got)
            left -= got
            self._count(got)
            if got < len(space):
                raise CryptoError("package-source", "shrank")
        return self._hashing.digest(digest)

    def _compressed(self, source: Source, size: int, index: int) -> bytes:
        import zstandard

        field = self._out.position
        self._out.hold(field, layout.STORED_BYTES)
        self._out.write(bytes(layout.STORED_BYTES))
        packer = zstandard.ZstdCompressor(level=LEVEL).compressobj(size=size)
        digest, left = self._hashing.begin(), size
        room = min(size, MEMORY_LIMIT)
        turns = memoryview(bytearray(room)), memoryview(bytearray(room))
        while left:
            raw = turns[0][: min(left, room)]
            self._hashing.turn()
            got = source.fill(raw)
            if got < len(raw):
                raise CryptoError("package-source", "shrank")
            self._hashing.update(digest, raw)
            self._out.write(packer.compress(raw))
            turns = turns[1], turns[0]
            left -= got
            self._count(got)
        self._out.write(packer.flush())
        stored = self._out.position - field - layout.STORED_BYTES
        if not layout.may_expand(size, stored):
            raise _TooDense(index)
        self._out.settle(field, stored.to_bytes(layout.STORED_BYTES, "big"))
        return self._hashing.digest(digest)

    def _count(self, size: int) -> None:
        self._done += size
        if self._step is not None:
            self._step(self._done, self._total)
