"""Seal a package: one pass over the parts, one over the output, in bounded memory.

The manifest stands first and holds every part's hash, and a compressed part's stored length stands before it;
neither is known until the part has gone by. So the chunks that hold them are kept in memory until then:
STREAM seals each chunk under its own number, and no number is ever used twice. The target must therefore be
seekable.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto import age_header, age_stream, layout, manifest
from crypto.age_header import FILE_KEY_BYTES
from crypto.age_keys import HybridRecipient
from crypto.age_stream import CHUNK, SEALED_CHUNK, TAG_BYTES
from crypto.composite import SigningKey
from crypto.errors import CryptoError
from crypto.hashing import Hashing
from crypto.manifest import Draft, Manifest, Part
from crypto.source import Source

BATCH = 16
MEMORY_LIMIT = BATCH * CHUNK
LEVEL = 1
PROBE_BYTES = 64 * 1024
WORTH = 0.95

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class PartSource:
    """A part to be sealed. `open` gives its raw bytes from the start, each time it is called; the sealer
    closes it.

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
    """Write a package for one X-Wing public key (1,216 bytes), signed, to a seekable file, from where it
    stands.

    `step(done, total)` counts raw bytes. Raises `CryptoError`: kem-key, package-manifest (a draft or a part
    that no reader would take), package-source (a source that changed while it was read). Nothing of a failed
    seal is good.
    """
    if len(parts) > manifest.PARTS_LIMIT:
        raise CryptoError(manifest.CODE, "parts")
    plain: set[int] = set()
    origin = target.tell()
    with Hashing() as hashing:
        plans = [_plan(part) for part in parts]
        while True:
            try:
                return _Seal(target, origin, recipient, draft, plans, plain, hashing, step).run(signer)
            except _TooDense as dense:
                # It would look like a bomb to the reader. Rare, and cheap: start anew, with this part as it
                # is.
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


def _plan(part: PartSource) -> _Plan:
    file = part.open()
    with file:
        size, opener = part.size, part.open
        if size is None and file.seekable():
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
        source = Source(file)
        codec = part.codec if part.codec != "zstd" or _pays(source.peek(PROBE_BYTES)) else "none"
        if size is None:
            size, held = _count(source)
            if held is not None:
                opener = _in_memory(held)
    return _Plan(part, size, codec, opener)


def _in_memory(held: bytes) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(held)


def _pays(start: bytes) -> bool:
    import zstandard

    return len(zstandard.ZstdCompressor(level=LEVEL).compress(start)) < WORTH * len(start)


def _count(source: Source) -> tuple[int, bytes | None]:
    """The size of what is left, and the bytes themselves if they are few."""
    start = source.read(MEMORY_LIMIT)
    size = len(start)
    if size < MEMORY_LIMIT:
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
        self._out = _Chunks(target, origin + self._start, cipher, room, hashing)

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


class _Chunks:
    """Plaintext in, sealed chunks out, each sealed once. Ranges that are held are written when they are
    settled.
    """

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
        """The bytes at `start` will be settled later; call before they are written. Their chunks are kept
        meanwhile.
        """
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
        self._cipher.encrypt_into(age_stream.chunk_nonce(number, False), chunk, None, out)
        self._target.write(out)

    def _flush(self, last: bool) -> None:
        self._target.seek(self._origin + self._first * SEALED_CHUNK)
        chunks = -(-self._used // CHUNK)
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
            nonce = age_stream.chunk_nonce(number, last and i == chunks - 1)
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
