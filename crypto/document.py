"""Signed documents: the one format of cards and statements. Raw bytes in, raw bytes kept, never re-serialised.

    "MITHAQ-DOCUMENT-1\\n"  u8 kind length  kind  u32 body length  body  signature (3,373)

The signature covers the body under the context `mithaq/<kind>/v1`; the id is SHA-256 of `mithaq/document/v1`,
kind length, kind and body, so it names what was said and not the (randomised) signature. What a body means is
for others.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from crypto import composite
from crypto.errors import CryptoError

MAGIC = b"MITHAQ-DOCUMENT-1\n"
KIND_LIMIT = 32
BODY_LIMIT = 16 * 1024 * 1024
ID_DOMAIN = b"mithaq/document/v1"
RESERVED = ("package", "successor", "checkpoint")
"""No kind of document: the context of these is used for something else."""

_KIND = re.compile(rf"[a-z](?:[a-z0-9-]{{0,{KIND_LIMIT - 1}}})")


@dataclass(frozen=True)
class Document:
    """A document as it came. `id` is 32 bytes. Nothing in it is true before `verify`."""

    kind: str
    body: bytes
    id: bytes
    signature: bytes
    raw: bytes

    def verify(self, public: bytes) -> None:
        """Check the signature against a 1,984-byte public key. Raises `CryptoError` (signature)."""
        composite.verify(public, self.body, _context(self.kind), self.signature)


def sign(kind: str, body: bytes, key: composite.SigningKey) -> bytes:
    """A signed document. `kind`: 1 to 32 of a-z, 0-9 and hyphen, a letter first, not reserved; `body`: at most 16 MiB.

    Raises ValueError for a kind or body that could not be read back.
    """
    if not _is_kind(kind) or len(body) > BODY_LIMIT:
        raise ValueError("kind or body out of bounds")
    return b"".join((_head(kind), len(body).to_bytes(4, "big"), body, key.sign(body, _context(kind))))


def parse(raw: bytes) -> Document:
    """Take a document apart; the signature is not checked. Raises `CryptoError` (document-format)."""
    if not raw.startswith(MAGIC) or len(raw) <= len(MAGIC):
        raise CryptoError("document-format", "magic")
    start = len(MAGIC) + 1
    end = start + raw[len(MAGIC)]
    kind = raw[start:end].decode("ascii", "replace")
    if len(raw) < end + 4 or not _is_kind(kind):
        raise CryptoError("document-format", "kind")
    size = int.from_bytes(raw[end : end + 4], "big")
    body_start, body_end = end + 4, end + 4 + size
    if size > BODY_LIMIT or len(raw) != body_end + composite.SIGNATURE_BYTES:
        raise CryptoError("document-format", "length")
    body = raw[body_start:body_end]
    return Document(kind, body, identify(kind, body), raw[body_end:], raw)


def identify(kind: str, body: bytes) -> bytes:
    """The id of a document: 32 bytes, the same for every signature over it."""
    return hashlib.sha256(ID_DOMAIN + bytes([len(kind)]) + kind.encode("ascii") + body).digest()


def _is_kind(kind: str) -> bool:
    return _KIND.fullmatch(kind) is not None and kind not in RESERVED


def _head(kind: str) -> bytes:
    return MAGIC + bytes([len(kind)]) + kind.encode("ascii")


def _context(kind: str) -> bytes:
    return f"mithaq/{kind}/v1".encode("ascii")
