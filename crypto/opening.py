"""Open a package: header, key, manifest, signature, then the parts as a stream; nothing is believed before its turn.

Nothing is decompressed before `verify`, nor beyond its raw size. A part's bytes are authentic as they are
read (each chunk of the payload authenticates), and whole when its reader has come to its end; the package is
whole when `parts` has. Use nothing of it before that.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import BinaryIO, Generic, Protocol, TypeVar, cast

from crypto import age_header, age_keys, composite, layout, manifest
from crypto.age_header import Header
from crypto.age_stream import CHUNK, StreamReader
from crypto.errors import CryptoError
from crypto.hashing import Hashing
from crypto.manifest import Manifest, Part
from crypto.source import Readable, Source
from crypto.zstd_frame import WINDOW_LIMIT, Outline

DECODED_BYTES = 256 * 1024

K = TypeVar("K")


def read_header_hash(source: Readable) -> bytes:
    """SHA-256 (32 bytes) of a package's age header, by which it is known again. No key is tried.

    Raises `CryptoError`: age-header (no age file), package-header (not exactly one mlkem768x25519 stanza).
    """
    return age_header.sha256(_header(Source(source)).raw)


def open_package(source: Readable, keys: Iterable[tuple[K, bytes]]) -> Opened[K]:
    """Find the key that fits, each a (caller's name for it, 32-byte seed), and read as far as the signature.

    Raises `CryptoError`: age-header, package-header, not-for-us, age-hmac, age-payload, package-format,
    package-manifest.
    """
    start = Source(source)
    header = _header(start)
    key, file_key = _unwrap(header, keys)
    hashing = Hashing()
    payload = StreamReader(start, file_key, hashing.turn)
    head = payload.read(len(layout.MAGIC) + layout.LENGTH_BYTES)
    size = int.from_bytes(head[len(layout.MAGIC) :], "big")
    if len(head) != len(layout.MAGIC) + layout.LENGTH_BYTES or not head.startswith(layout.MAGIC):
        raise CryptoError("package-format", "magic")
    if size > manifest.MANIFEST_LIMIT:
        raise CryptoError("package-format", "manifest length")
    raw, signature = payload.read(size), payload.read(composite.SIGNATURE_BYTES)
    if len(raw) != size or len(signature) != composite.SIGNATURE_BYTES:
        raise CryptoError("package-format", "cut short")
    return Opened(
        key=key,
        manifest=manifest.parse(raw),
        manifest_raw=raw,
        manifest_hash=manifest.sha256(raw),
        signature=signature,
        header_hash=age_header.sha256(header.raw),
        _payload=payload,
        _hashing=hashing,
    )


def verify_manifest(manifest_raw: bytes, signature: bytes, public: bytes) -> Manifest:
    """A kept manifest, if this key (1,984 bytes) signed it. Raises `CryptoError`: package-signature and -manifest."""
    try:
        composite.verify(public, manifest_raw, manifest.CONTEXT, signature)
    except CryptoError as error:
        raise CryptoError("package-signature", error.detail) from None
    return manifest.parse(manifest_raw)


class _Payload(Protocol):
    def view(self, most: int) -> memoryview: ...

    def read(self, size: int) -> bytes: ...


class _Again:
    """A payload of which the first bytes were read before."""

    def __init__(self, head: bytes, rest: _Payload) -> None:
        self._head, self._rest = memoryview(head), rest

    def view(self, most: int) -> memoryview:
        found, self._head = self._head[:most], self._head[most:]
        return found if found else self._rest.view(most)

    def read(self, size: int) -> bytes:
        found = bytes(self._head[:size])
        self._head = self._head[size:]
        return found + self._rest.read(size - len(found))


@dataclass
class Opened(Generic[K]):
    """A package whose key was found. `manifest` is a claim until `verify` has returned.

    `key`: the caller's name for the key that fitted. `manifest_hash`, `header_hash`: SHA-256, 32 bytes each.
    """

    key: K
    manifest: Manifest
    manifest_raw: bytes
    manifest_hash: bytes
    signature: bytes
    header_hash: bytes
    _payload: _Payload = field(repr=False)
    _hashing: Hashing = field(repr=False)
    _verified: bool = False

    def verify(self, signing_public: bytes) -> None:
        """Check who signed the manifest, and that it was sealed under this very header.

        Raises `CryptoError`: package-signature, package-header (a manifest re-wrapped under another header).
        """
        verify_manifest(self.manifest_raw, self.signature, signing_public)
        if self.manifest.header != self.header_hash:
            raise CryptoError("package-header", "another header was signed for")
        self._verified = True

    def leading(self, type_: str, most: int, limit: int) -> tuple[bytes, ...]:
        """The first parts, as long as they are of this type, uncompressed and of at most `limit` bytes; at most `most`.

        Before `verify`, and claims until then: for documents with signatures of their own, which tell who the
        sender is. `parts` gives them again and checks them. Raises `CryptoError` (package-part, age-payload).
        """
        found: list[bytes] = []
        read = bytearray()
        for part in self.manifest.parts[:most]:
            if part.type != type_ or part.codec != "none" or part.size > limit:
                break
            stored = self._payload.read(layout.STORED_BYTES + part.size)
            if int.from_bytes(stored[: layout.STORED_BYTES], "big") != part.size:
                raise CryptoError("package-part", "stored length")
            read += stored
            found.append(stored[layout.STORED_BYTES :])
        self._payload = _Again(bytes(read), self._payload)
        return tuple(found)

    def parts(self) -> Generator[tuple[Part, BinaryIO], None, None]:
        """Each part with its raw bytes to read, in order, once, after `verify`.

        What the caller leaves unread is checked all the same when it asks for the next; if it stops asking, nothing
        more is.
        Raises `CryptoError`: package-part (size, hash, frame), package-padding, age-payload, and
        package-signature if `verify` has not passed.
        """
        if not self._verified:
            raise CryptoError("package-signature", "not verified")
        self._verified = False
        with self._hashing as hashing:
            position = layout.head_size(len(self.manifest_raw))
            for part in self.manifest.parts:
                stored = self._stored_size(part)
                reader = _PartReader(self._payload, part, stored, hashing)
                yield part, cast(BinaryIO, io.BufferedReader(reader, CHUNK))
                reader.drain()
                position += layout.STORED_BYTES + stored
            self._padding(layout.padded(position) - position)

    def _stored_size(self, part: Part) -> int:
        raw = self._payload.read(layout.STORED_BYTES)
        stored = int.from_bytes(raw, "big")
        fits = stored == part.size if part.codec == "none" else layout.may_expand(part.size, stored)
        if len(raw) != layout.STORED_BYTES or not fits:
            raise CryptoError("package-part", "stored length")
        return stored

    def _padding(self, size: int) -> None:
        while found := self._payload.view(CHUNK):
            size -= len(found)
            if size < 0 or bytes(found) != bytes(len(found)):
                raise CryptoError("package-padding")
        if size:
            raise CryptoError("package-padding", "short")


class _PartReader(io.RawIOBase):
    """The raw bytes of one part. Its end is reached only if all of it was there, and was what was signed."""

    def __init__(self, payload: _Payload, part: Part, stored: int, hashing: Hashing) -> None:
        self._part, self._hashing = part, hashing
        self._left = part.size
        self._digest = hashing.begin()
        self._stored = _Stored(payload, stored)
        self._frames = None if part.codec == "none" else _decoder(self._stored)
        self._checked = False
        self._failure: CryptoError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        with memoryview(buffer) as target:
            piece = self._next(len(target))
            target[: len(piece)] = piece
            return len(piece)

    def drain(self) -> None:
        """Read what is left, so that it is checked."""
        while self._next(CHUNK):
            pass

    def _next(self, most: int) -> bytes | memoryview:
        if self._failure is not None:
            raise self._failure
        try:
            return self._piece(min(most, self._left)) if self._left else self._end()
        except CryptoError as failure:
            self._failure = failure
            raise

    def _piece(self, most: int) -> bytes | memoryview:
        piece = self._stored.view(most) if self._frames is None else self._decoded(most)
        if most and not piece:
            raise CryptoError("package-part", "short")
        self._left -= len(piece)
        self._hashing.update(self._digest, piece)
        return piece

    def _decoded(self, most: int) -> bytes:
        import zstandard

        assert self._frames is not None
        try:
            return self._frames.read(min(most, DECODED_BYTES))
        except zstandard.ZstdError:
            raise CryptoError("package-part", "frame") from None

    def _end(self) -> bytes:
        if not self._checked:
            if self._frames is not None:
                if self._decoded(1):
                    raise CryptoError("package-part", "longer than its size")
                self._stored.finish()
            if self._hashing.digest(self._digest) != self._part.sha256:
                raise CryptoError("package-part", "hash")
            self._checked = True
        return b""


class _Stored:
    """The stored bytes of one part, no more of the payload than that."""

    def __init__(self, payload: _Payload, size: int) -> None:
        self._payload, self._left = payload, size
        self._outline = Outline()

    def view(self, most: int) -> memoryview:
        found = self._payload.view(min(most, self._left))
        self._left -= len(found)
        return found

    def read(self, size: int) -> bytes:
        """For the decoder: what passes here must be one frame."""
        found = bytes(self.view(size))
        self._outline.feed(found)
        return found

    def finish(self) -> None:
        """Raise `CryptoError` (package-part) unless all was read and was one whole frame."""
        while self._left:
            if not self.read(CHUNK):
                raise CryptoError("package-part", "short")
        if not self._outline.whole:
            raise CryptoError("package-part", "cut frame")


def _decoder(stored: _Stored) -> Readable:
    import zstandard

    decoder = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT)
    return decoder.stream_reader(stored, read_size=CHUNK)  # type: ignore[arg-type]


def _header(source: Source) -> Header:
    header = age_header.read(source)
    if len(header.stanzas) != 1 or header.stanzas[0].arguments[0] != age_keys.HYBRID_TYPE:
        raise CryptoError("package-header", "stanzas")
    age_keys.hybrid_enc(header.stanzas[0])
    return header


def _unwrap(header: Header, keys: Iterable[tuple[K, bytes]]) -> tuple[K, bytes]:
    for key, seed in keys:
        file_key = age_keys.HybridIdentity(seed).unwrap(header.stanzas)
        if file_key is not None:
            header.check_mac(file_key)
            return key, file_key
    raise CryptoError("not-for-us")
