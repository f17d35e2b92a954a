"""The vector files: a few lines of `name: value`, an empty line, and the body, as in the age test kit.

expect      success, or the code of the error
kind        package, manifest, card, document, rotation, slots, keys
comment     the one thing that is wrong, or worth noticing
seed        of the X-Wing key that opens a package, or of the identity that signed a rotation, hexadecimal
signer      seed of the signing key (64 bytes) whose public half verifies
payload     of a package: `plain` if the body is the age header and the payload's plaintext, to be sealed with
file key    this file key and
nonce       this nonce at the start of the payload; without `payload` the body is the file
compressed  zlib, if what follows the age header (of others: the body) is
passphrase, device, words
            what opens a slot file
part        of a good package: type and SHA-256 of the raw bytes, in order, one line each
result      of a good card its fingerprint, of a rotation the successor's, of a document its id, of a slot file the
key, else SHA-256 of the body
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "files"


@dataclass
class Vector:
    """One vector."""

    name: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""

    def one(self, name: str, default: str = "") -> str:
        """The only value of a field."""
        (value,) = self.fields.get(name, [default])
        return value

    def dump(self) -> bytes:
        """The file."""
        lines = [f"{name}: {value}\n" for name, values in self.fields.items() for value in values]
        return "".join(lines).encode() + b"\n" + self.body


def load(path: Path) -> Vector:
    """Read a vector file."""
    head, body = path.read_bytes().split(b"\n\n", 1)
    vector = Vector(path.name, {}, body)
    for line in head.decode().splitlines():
        name, value = line.split(": ", 1)
        vector.fields.setdefault(name, []).append(value)
    return vector


def body_of(vector: Vector) -> bytes:
    """The bytes a reader under test gets."""
    from crypto import age_stream

    body = vector.body
    if "payload" not in vector.fields:
        return zlib.decompress(body) if "compressed" in vector.fields else body
    end = body.index(b"\n", body.index(b"\n--- ") + 1) + 1
    inside = zlib.decompress(body[end:])
    nonce = bytes.fromhex(vector.one("nonce"))
    cipher = age_stream.payload_cipher(bytes.fromhex(vector.one("file key")), nonce)
    chunks = [inside[i : i + age_stream.CHUNK] for i in range(0, len(inside), age_stream.CHUNK)] or [b""]
    last = len(chunks) - 1
    sealed = (
        cipher.encrypt(age_stream.chunk_nonce(i, i == last), chunk, None) for i, chunk in enumerate(chunks)
    )
    return body[:end] + nonce + b"".join(sealed)
