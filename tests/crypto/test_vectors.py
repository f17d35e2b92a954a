"""Our own vectors: the committed files, and the script that makes them."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from crypto import document, identity, kem, keys_part, rotation, slots
from crypto.composite import SIGNATURE_BYTES, SigningKey
from crypto.errors import CryptoError
from crypto.package import open_package, verify_manifest
from tests.vectors import make
from tests.vectors.format import FOLDER, Vector, body_of, load

LEAST = 150
SIZE_LIMIT = 20 * 1024


def outcome(vector: Vector) -> tuple[str, list[str]]:
    """What our readers make of a vector: success or the code, and what the vector says about good ones."""
    try:
        return "success", READERS[vector.one("kind")](vector, body_of(vector))
    except CryptoError as error:
        return error.code, []


def read_package(vector: Vector, body: bytes) -> list[str]:
    opened = open_package(io.BytesIO(body), [("seed", bytes.fromhex(vector.one("seed")))])
    opened.verify(public(vector))
    return [f"{part.type} {hashlib.sha256(file.read()).hexdigest()}" for part, file in opened.parts()]


def read_manifest(vector: Vector, body: bytes) -> list[str]:
    signature, raw = body[:SIGNATURE_BYTES], body[SIGNATURE_BYTES:]
    verify_manifest(raw, signature, public(vector))
    return [hashlib.sha256(raw).hexdigest()]


def read_document(vector: Vector, body: bytes) -> list[str]:
    parsed = document.parse(body)
    parsed.verify(public(vector))
    return [parsed.id.hex()]


def read_card(_: Vector, body: bytes) -> list[str]:
    return [identity.read_card(body).fingerprint]


def read_rotation(vector: Vector, body: bytes) -> list[str]:
    old = identity.fingerprint(public(vector), kem.public(bytes.fromhex(vector.one("seed"))))
    return [rotation.read(body, public(vector), old).card.fingerprint]


def read_keys(_: Vector, body: bytes) -> list[str]:
    return [hashlib.sha256(keys_part.encode(keys_part.decode(body))).hexdigest()]


def read_slots(vector: Vector, body: bytes) -> list[str]:
    if "words" in vector.fields:
        return [slots.open_recovery(body, vector.one("words")).hex()]
    device = bytes.fromhex(vector.one("device")) or None
    return [slots.open(body, vector.one("passphrase"), device).hex()]


def public(vector: Vector) -> bytes:
    return SigningKey.from_seed(bytes.fromhex(vector.one("signer"))).public


READERS = {
    "package": read_package,
    "manifest": read_manifest,
    "document": read_document,
    "card": read_card,
    "rotation": read_rotation,
    "keys": read_keys,
    "slots": read_slots,
}


def check(vector: Vector) -> None:
    code, results = outcome(vector)
    assert code == vector.one("expect")
    if code == "success":
        assert results == vector.fields.get("result", vector.fields.get("part", []))


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_vector(path: Path) -> None:
    check(load(path))


def test_there_are_enough_small_ones_one_defect_each() -> None:
    vectors = [load(path) for path in FOLDER.iterdir()]
    assert len(vectors) >= LEAST
    assert all(path.stat().st_size <= SIZE_LIMIT for path in FOLDER.iterdir())
    assert {vector.one("kind") for vector in vectors} == set(READERS)
    assert all(vector.one("comment") for vector in vectors)
    for kind in READERS:
        assert any(v.one("expect") == "success" for v in vectors if v.one("kind") == kind)


def test_the_script_makes_the_same_vectors(tmp_path: Path) -> None:
    """Not byte for byte (signatures are random), but the same names and meanings, and they hold too."""
    everything = list(make.every())
    made = {vector.name: vector for vector in everything}
    assert len(made) == len(everything)
    assert made.keys() == {path.name for path in FOLDER.iterdir()}
    for name, vector in made.items():
        committed = load(FOLDER / name)
        for field in ("expect", "kind", "comment"):
            assert vector.one(field) == committed.one(field)
        (tmp_path / name).write_bytes(vector.dump())
        check(load(tmp_path / name))
