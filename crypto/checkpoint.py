"""Signed checkpoints of a log: C2SP tlog-checkpoint in a C2SP signed-note, under two signatures.

    <origin>
    <number of entries>
    <base64 of the root>

    — <origin> base64(key id, 4 bytes || composite signature, 3,373)
    — <origin> base64(key id, 4 bytes || Ed25519 signature, 64)

The first signature is ours: composite, by the identity whose card the reader has, over the three lines (the note text)
under the context `mithaq/checkpoint/v1`. Notes have no type for it yet: its type is 0xff followed by that context. The
second is type 0x01, for standard tools, by a key that is derived from the identity's seed and used for nothing else;
it promises what Ed25519 promises. A log's name, its origin, is its key name too. Specification: docs/package-format.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass

from crypto import composite
from crypto.composite import SigningKey
from crypto.errors import CryptoError

CONTEXT = b"mithaq/checkpoint/v1"
COMPOSITE_TYPE = b"\xff" + CONTEXT
ED25519_TYPE = b"\x01"
ED25519_LABEL = b"mithaq/log/ed25519/v1"
HASH_BYTES = 32
SIZE_LIMIT = 1 << 53
NOTE_LIMIT = 128 * 1024
SIGNATURES_LIMIT = 16
ORIGIN_LENGTH = 128

_ORIGIN = re.compile(rf"[!-*,-~]{{1,{ORIGIN_LENGTH}}}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says. Nothing of it is true before `verify`."""

    origin: str
    size: int
    root: bytes
    text: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...] = ()

    def verify(self, public: bytes) -> None:
        """Check the composite signature of a 1,984-byte key. Raises `CryptoError`: checkpoint-unsigned, signature."""
        wanted = key_id(self.origin, COMPOSITE_TYPE, public)
        found = [s for name, id_, s in self.signatures if (name, id_) == (self.origin, wanted)]
        if not found:
            raise CryptoError("checkpoint-unsigned")
        for signature in found:
            composite.verify(public, self.text, CONTEXT, signature)


def text(origin: str, size: int, root: bytes) -> bytes:
    """The three lines that are signed. Raises ValueError for what no checkpoint can say."""
    if not _ORIGIN.fullmatch(origin) or not 0 <= size < SIZE_LIMIT or len(root) != HASH_BYTES:
        raise ValueError("not a checkpoint")
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()


def sign(origin: str, size: int, root: bytes, key: SigningKey) -> bytes:
    """The signed note. Raises ValueError as `text` does."""
    from nacl.signing import SigningKey as Ed25519Key

    said = text(origin, size, root)
    ed25519 = Ed25519Key(_ed25519_seed(key))
    lines = (
        _line(origin, key_id(origin, COMPOSITE_TYPE, key.public), key.sign(said, CONTEXT)),
        _line(origin, key_id(origin, ED25519_TYPE, bytes(ed25519.verify_key)), ed25519.sign(said).signature),
    )
    return said + b"\n" + b"".join(lines)


def verifier(origin: str, key: SigningKey) -> str:
    """The Ed25519 half as standard tools take it: name, key id and key, joined by plus signs."""
    from nacl.signing import SigningKey as Ed25519Key

    public = bytes(Ed25519Key(_ed25519_seed(key)).verify_key)
    encoded = base64.b64encode(ED25519_TYPE + public).decode()
    return f"{origin}+{key_id(origin, ED25519_TYPE, public).hex()}+{encoded}"


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """The four bytes by which a note's signature names its key."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def parse(raw: bytes) -> Checkpoint:
    """Take a signed checkpoint apart; no signature is checked. Raises `CryptoError` (checkpoint-format)."""
    try:
        whole = raw.decode()
        if len(raw) > NOTE_LIMIT or any(c < " " and c != "\n" for c in whole):
            raise ValueError("note")
        said, separator, lines = whole.rpartition("\n\n")
        if not separator or not lines.endswith("\n"):
            raise ValueError("signatures")
        signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
        if len(signatures) > SIGNATURES_LIMIT:
            raise ValueError("signatures")
        return Checkpoint(*read_text(said.encode() + b"\n"), said.encode() + b"\n", signatures)
    except (ValueError, binascii.Error) as error:
        raise CryptoError("checkpoint-format", str(error)) from error


def read_text(raw: bytes) -> tuple[str, int, bytes]:
    """(origin, size, root) of the three lines. Raises ValueError: extension lines are not taken."""
    origin, size, root, end = raw.decode().split("\n")
    if not _NUMBER.fullmatch(size) or end:
        raise ValueError("text")
    found = origin, int(size), base64.b64decode(root, validate=True)
    if text(*found) != raw:
        raise ValueError("text")
    return found


def _signature(line: str) -> tuple[str, bytes, bytes]:
    dash, name, encoded = line.split(" ")
    value = base64.b64decode(encoded, validate=True)
    if dash != "\N{EM DASH}" or not name or "+" in name or len(value) < 5:
        raise ValueError("signature line")
    return name, value[:4], value[4:]


def _line(name: str, id_: bytes, signature: bytes) -> bytes:
    return f"\N{EM DASH} {name} {base64.b64encode(id_ + signature).decode()}\n".encode()


def _ed25519_seed(key: SigningKey) -> bytes:
    return hmac.digest(key.seed, ED25519_LABEL, "sha256")
