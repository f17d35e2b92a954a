"""The published age test kit (C2SP CCTV): one defect a vector, and the error class it declares."""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crypto import age
from crypto.errors import CryptoError

CLASSES = {
    "header failure": "age-header",
    "HMAC failure": "age-hmac",
    "no match": "age-no-match",
    "payload failure": "age-payload",
    "armor failure": "age-armor",
}
VECTORS = 143


@dataclass
class Vector:
    """One file of the kit: a few lines of fields, an empty line, the age file."""

    body: bytes
    fields: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Vector:
        head, body = path.read_bytes().split(b"\n\n", 1)
        vector = cls(body)
        for line in head.decode().splitlines():
            name, value = line.split(": ", 1)
            vector.fields.setdefault(name, []).append(value)
        if vector.fields.get("compressed") == ["zlib"]:
            vector.body = zlib.decompress(body)
        return vector

    @property
    def identities(self) -> list[age.Identity]:
        keys: list[age.Identity] = [age.parse_identity(text) for text in self.fields.get("identity", [])]
        return keys + [age.ScryptIdentity(p) for p in self.fields.get("passphrase", [])]


def names() -> list[str]:
    folder = Path(os.environ.get("MITHAQ_CORPUS") or "/nonexistent") / "age-testkit"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


class Trickle(io.RawIOBase):
    """A file that gives a few bytes at a time and cannot seek."""

    def __init__(self, raw: bytes) -> None:
        self.inner = io.BytesIO(raw)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        return self.inner.readinto(memoryview(buffer)[:1009])


def outcome(source: io.IOBase, vector: Vector, armored: bool | None) -> tuple[str, bytes]:
    target = io.BytesIO()
    try:
        age.decrypt(source, target, vector.identities, armored=armored)
    except CryptoError as error:
        return error.code, target.getvalue()
    return "success", target.getvalue()


def test_the_kit_is_whole(corpus: Path) -> None:
    assert len(list((corpus / "age-testkit").iterdir())) == VECTORS == len(names())


@pytest.mark.parametrize("name", names() or ["no-corpus"])
def test_vector(corpus: Path, name: str) -> None:
    vector = Vector.read(corpus / "age-testkit" / name)
    (expected,) = vector.fields["expect"]
    armored = vector.fields.get("armored") == ["yes"]
    code, released = outcome(io.BytesIO(vector.body), vector, armored)
    assert code == CLASSES.get(expected, expected)
    if "payload" in vector.fields:
        assert hashlib.sha256(released).hexdigest() == vector.fields["payload"][0]
    else:
        assert released == b""
    assert outcome(Trickle(vector.body), vector, armored) == (code, released)
    # Left to be recognised, armor that does not even begin as armor is no age file at all.
    guessed, released_then = outcome(io.BytesIO(vector.body), vector, None)
    assert guessed == code or (armored and guessed == "age-header")
    assert released_then == released
