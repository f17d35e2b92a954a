"""Builds packages right or wrong in any one place, from fixed keys. For tests and vectors only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import zstandard

from crypto import age_header, age_stream, kem, layout
from crypto.age_header import Stanza
from crypto.age_keys import HybridRecipient
from crypto.composite import SigningKey

SIGNER_SEED = bytes(range(64))
SIGNER = SigningKey.from_seed(SIGNER_SEED)
SEED = bytes(range(100, 132))
RECIPIENT = kem.public(SEED)
FILE_KEY = bytes(range(200, 216))
NONCE = bytes(range(216, 232))

FIELDS: dict[str, Any] = {
    "from": "ab" * 32,
    "to": "cd" * 32,
    "epoch": "0e" * 16,
    "seq": 7,
    "prev": "09" * 32,
    "header": "",
    "sealed": "2026-11-23T12:00:00.000Z",
    "reads": 1,
    "ack": {
        "epoch": "ee" * 16,
        "upto": 5,
        "hash": "0a" * 32,
        "have": [[7, 9], [11, 11]],
        "want": [[6, 6]],
        "holds": 12,
    },
    "void": [[2, 3]],
    "release": "1d" * 16,
    "priority": "routine",
    "log": "10" * 32,
    "parts": [],
}


def compact(value: object) -> bytes:
    """JSON without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def squeezed(raw: bytes, **settings: Any) -> bytes:
    """One zstd frame."""
    return zstandard.ZstdCompressor(level=1, **settings).compress(raw)


@dataclass
class Piece:
    """A part: what is said of it and what is there. None: what is true."""

    type: str
    raw: bytes
    codec: str = "none"
    size: int | None = None
    sha256: str | None = None
    stored: bytes | None = None
    length: int | None = None

    @property
    def described(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "size": len(self.raw) if self.size is None else self.size,
            "sha256": self.sha256 or hashlib.sha256(self.raw).hexdigest(),
            "codec": self.codec,
        }

    @property
    def laid_out(self) -> bytes:
        stored = self.stored
        if stored is None:
            stored = self.raw if self.codec == "none" else squeezed(self.raw)
        length = len(stored) if self.length is None else self.length
        return length.to_bytes(8, "big") + stored


def same(value: Any) -> Any:
    """Changes nothing."""
    return value


@dataclass
class Recipe:
    """Where a package may be wrong. Each callable gets what is right and returns what is used."""

    pieces: list[Piece] = field(default_factory=lambda: [Piece("note", b"salam")])
    recipient: bytes = RECIPIENT
    stanzas: Callable[[list[Stanza]], list[Stanza]] = same
    header: Callable[[bytes], bytes] = same
    fields: dict[str, Any] = field(default_factory=dict)
    text: Callable[[bytes], bytes] = same
    signer: SigningKey = SIGNER
    context: bytes = b"mithaq/package/v1"
    signed_text: Callable[[bytes], bytes] = same
    signature: Callable[[bytes], bytes] = same
    magic: bytes = b"MITHAQ1\n"
    manifest_length: int | None = None
    padding: Callable[[bytes], bytes] = same
    inside: Callable[[bytes], bytes] = same

    def build(self) -> tuple[bytes, bytes]:
        """(age header, plaintext of the payload)."""
        stanzas = self.stanzas([HybridRecipient(self.recipient).wrap(FILE_KEY)])
        header = self.header(age_header.write(stanzas, FILE_KEY))
        described = [piece.described for piece in self.pieces]
        fields = {**FIELDS, "header": hashlib.sha256(header).hexdigest(), "parts": described, **self.fields}
        text = self.text(compact(fields))
        signature = self.signature(self.signer.sign(text, self.context))
        text = self.signed_text(text)
        length = len(text) if self.manifest_length is None else self.manifest_length
        body = self.magic + length.to_bytes(4, "big") + text + signature
        body += b"".join(piece.laid_out for piece in self.pieces)
        body += self.padding(bytes(layout.padded(len(body)) - len(body)))
        return header, self.inside(body)

    def file(self) -> bytes:
        """The whole package."""
        header, inside = self.build()
        return header + sealed(inside)


def sealed(inside: bytes) -> bytes:
    """The age payload of `inside` under the fixed file key and nonce: 16 bytes and the chunks."""
    cipher = age_stream.payload_cipher(FILE_KEY, NONCE)
    chunks = [inside[i : i + age_stream.CHUNK] for i in range(0, len(inside), age_stream.CHUNK)] or [b""]
    return NONCE + b"".join(
        cipher.encrypt(age_stream.chunk_nonce(i, i == len(chunks) - 1), chunk, None)
        for i, chunk in enumerate(chunks)
    )
