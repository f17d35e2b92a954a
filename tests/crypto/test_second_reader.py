"""A second reader, written from docs/package-format.md alone: it imports nothing of ours, and reads every good vector.

It is not strict; it shows that the page says enough to read, sign and seal.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import re
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "files"
CHUNK = 65536
LABEL = b"COMPSIG-MLDSA65-Ed25519-SHA512"


def unpadded(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4))


def derived(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


# Section 1


def xwing(seed: bytes) -> hpke.MLKEM768X25519PrivateKey:
    expanded = hashlib.shake_256(seed).digest(96)
    return hpke.MLKEM768X25519PrivateKey(
        mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        x25519.X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def composite_public(seed: bytes) -> bytes:
    half = mldsa.MLDSA65PrivateKey.from_seed_bytes(seed[:32]).public_key().public_bytes_raw()
    return half + ed25519.Ed25519PrivateKey.from_private_bytes(seed[32:]).public_key().public_bytes_raw()


def composite_verify(public: bytes, context: bytes, message: bytes, signature: bytes) -> None:
    signed = b"CompositeAlgorithmSignatures2025" + LABEL + bytes([len(context)]) + context
    signed += hashlib.sha512(message).digest()
    mldsa.MLDSA65PublicKey.from_public_bytes(public[:1952]).verify(signature[:3309], signed, LABEL)
    ed25519.Ed25519PublicKey.from_public_bytes(public[1952:]).verify(signature[3309:], signed)


# Sections 3 to 6


def open_age(raw: bytes, seed: bytes) -> tuple[bytes, bytes]:
    """(header hash, plaintext)."""
    found = re.match(rb"age-encryption.org/v1\n-> mlkem768x25519 (\S+)\n(\S+)\n---( (\S+)\n)", raw)
    assert found
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
    info = b"age-encryption.org/mlkem768x25519"
    file_key = suite.decrypt(unpadded(found[1]) + unpadded(found[2]), xwing(seed), info=info)
    mac = hmac.new(derived(file_key, b"", b"header"), raw[: found.start(3)], "sha256").digest()
    assert mac == unpadded(found[4])
    nonce, body = raw[found.end() : found.end() + 16], raw[found.end() + 16 :]
    cipher = ChaCha20Poly1305(derived(file_key, nonce, b"payload"))
    count = max(-(-len(body) // (CHUNK + 16)), 1)
    plain = [
        cipher.decrypt(
            i.to_bytes(11, "big") + bytes([i == count - 1]),
            body[i * (CHUNK + 16) : (i + 1) * (CHUNK + 16)],
            None,
        )
        for i in range(count)
    ]
    return hashlib.sha256(raw[: found.end()]).digest(), b"".join(plain)


def padme(size: int) -> int:
    n = max(size, 32768)
    e = n.bit_length() - 1
    b = e - ((e.bit_length() - 1) + 1)
    return -(-n // 2**b) * 2**b


def open_package(raw: bytes, seed: bytes, public: bytes) -> list[str]:
    header, inside = open_age(raw, seed)
    file = io.BytesIO(inside)
    assert file.read(8) == b"MITHAQ1\n"
    manifest = file.read(int.from_bytes(file.read(4), "big"))
    composite_verify(public, b"mithaq/package/v1", manifest, file.read(3373))
    fields = json.loads(manifest)
    assert fields["header"] == header.hex()
    read = []
    for part in fields["parts"]:
        stored = file.read(int.from_bytes(file.read(8), "big"))
        if part["codec"] == "zstd":
            stored = zstandard.ZstdDecompressor().decompressobj().decompress(stored)
        assert len(stored) == part["size"]
        assert hashlib.sha256(stored).hexdigest() == part["sha256"]
        read.append(f"{part['type']} {part['sha256']}")
    end = file.tell()
    assert file.read() == bytes(padme(end) - end)
    return read


# Sections 7 and 8


def read_document(raw: bytes, public: bytes | None) -> tuple[bytes, str]:
    """(body, id); the key of a card is in the card."""
    magic = b"MITHAQ-DOCUMENT-1\n"
    assert raw.startswith(magic)
    k = raw[len(magic)]
    at = len(magic) + 1 + k
    kind, size = raw[len(magic) + 1 : at], int.from_bytes(raw[at : at + 4], "big")
    body, signature = raw[at + 4 : at + 4 + size], raw[at + 4 + size :]
    key = public or base64.b64decode(json.loads(body)["signing"])
    composite_verify(key, b"mithaq/" + kind + b"/v1", body, signature)
    return body, hashlib.sha256(b"mithaq/document/v1" + bytes([k]) + kind + body).hexdigest()


def read_card(raw: bytes) -> str:
    fields = json.loads(read_document(raw, None)[0])
    keys = base64.b64decode(fields["signing"]) + base64.b64decode(fields["kem"])
    return hashlib.sha256(b"mithaq/identity/v1" + keys).hexdigest()


def read_rotation(raw: bytes, old_public: bytes, old_seed: bytes) -> str:
    body, _ = read_document(raw, old_public)
    fields = json.loads(body)
    successor = read_card(base64.b64decode(fields["card"]))
    card = json.loads(read_document(base64.b64decode(fields["card"]), None)[0])
    expanded = hashlib.shake_256(old_seed).digest(96)
    kem = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).public_key().public_bytes_raw()
    kem += x25519.X25519PrivateKey.from_private_bytes(expanded[64:]).public_key().public_bytes_raw()
    old = hashlib.sha256(b"mithaq/identity/v1" + old_public + kem).digest()
    assert fields["by"] == old.hex()
    both = old + bytes.fromhex(successor)
    composite_verify(
        base64.b64decode(card["signing"]), b"mithaq/successor/v1", both, base64.b64decode(fields["signature"])
    )
    return successor


# Section 10


def recovery_secret(words: str) -> bytes:
    number = 0
    for word in re.split(r"[\s,.-]+", words.lower()):
        for place, letter in enumerate(word):
            alphabet = "aiou" if place % 2 else "bdfghjklmnprstvz"
            number = number * len(alphabet) + alphabet.index(letter)
    whole = number.to_bytes(28, "big")
    assert whole[24:] == hashlib.sha256(b"mithaq/recovery/v1" + whole[:24]).digest()[:4]
    return whole[:24]


def written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def open_slots(raw: bytes, given: dict[str, str]) -> str:
    file = json.loads(raw)
    order = ("id", "kind", "label", "passes", "memory", "salt", "wrapped")
    for slot in file["slots"]:
        salt = bytes.fromhex(slot["salt"])
        if slot["kind"] == "recovery" and "words" in given:
            message = b"mithaq/slot/recovery/v1" + salt
            key = hmac.new(recovery_secret(given["words"]), message, "sha256").digest()
        elif slot["kind"] != "recovery" and "passphrase" in given:
            passphrase = unicodedata.normalize("NFKC", given["passphrase"]).encode()
            cost = {"iterations": slot["passes"], "memory_cost": slot["memory"], "lanes": 1}
            stretched = Argon2id(salt=salt, length=32, **cost).derive(passphrase)
            key = hmac.new(b"mithaq/slot/passphrase/v1", stretched, "sha256").digest()
            if slot["kind"] == "passphrase+device":
                device = bytes.fromhex(given.get("device", ""))
                key = hmac.new(device, b"mithaq/slot/device/v1" + stretched, "sha256").digest()
        else:
            continue
        associated = written({"format": "mithaq-slots-1", **{name: slot[name] for name in order[:-1]}})
        try:
            store = ChaCha20Poly1305(key).decrypt(bytes(12), bytes.fromhex(slot["wrapped"]), associated)
        except Exception:
            continue
        covered = {
            "next": file["next"],
            "slots": [{name: one[name] for name in order} for one in file["slots"]],
        }
        mac = hmac.new(store, b"mithaq/slots/mac/v1" + written(covered), "sha256").hexdigest()
        assert mac == file["mac"]
        return store.hex()
    raise AssertionError("nothing opens it")


# Section 12


def load(path: Path) -> tuple[dict[str, list[str]], bytes]:
    head, body = path.read_bytes().split(b"\n\n", 1)
    fields: dict[str, list[str]] = {}
    for line in head.decode().split("\n"):
        name, value = line.split(": ", 1)
        fields.setdefault(name, []).append(value)
    if "payload" in fields:
        end = body.index(b"\n", body.index(b"\n--- ") + 1) + 1
        nonce, inside = bytes.fromhex(fields["nonce"][0]), zlib.decompress(body[end:])
        cipher = ChaCha20Poly1305(derived(bytes.fromhex(fields["file key"][0]), nonce, b"payload"))
        count = max(-(-len(inside) // CHUNK), 1)
        body = body[:end] + nonce
        for i in range(count):
            part = inside[i * CHUNK : (i + 1) * CHUNK]
            body += cipher.encrypt(i.to_bytes(11, "big") + bytes([i == count - 1]), part, None)
    elif "compressed" in fields:
        body = zlib.decompress(body)
    return fields, body


GOOD = [path for path in sorted(FOLDER.iterdir()) if path.read_bytes().startswith(b"expect: success\n")]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_it_reads_every_good_vector(path: Path) -> None:
    fields, body = load(path)
    public = composite_public(bytes.fromhex(fields["signer"][0])) if "signer" in fields else b""
    match fields["kind"][0]:
        case "package":
            assert open_package(body, bytes.fromhex(fields["seed"][0]), public) == fields.get("part", [])
        case "manifest":
            composite_verify(public, b"mithaq/package/v1", body[3373:], body[:3373])
            assert hashlib.sha256(body[3373:]).hexdigest() == fields["result"][0]
        case "document":
            assert read_document(body, public)[1] == fields["result"][0]
        case "card":
            assert read_card(body) == fields["result"][0]
        case "rotation":
            assert read_rotation(body, public, bytes.fromhex(fields["seed"][0])) == fields["result"][0]
        case "slots":
            assert (
                open_slots(body, {name: values[0] for name, values in fields.items()}) == fields["result"][0]
            )
        case "keys":
            assert hashlib.sha256(body).hexdigest() == fields["result"][0]


def test_there_are_good_ones_of_every_kind() -> None:
    assert len(GOOD) > 40
    assert len({load(path)[0]["kind"][0] for path in GOOD}) == 7


def test_it_reads_what_the_first_one_seals_today() -> None:
    from tests.crypto.samples import SEED, SIGNER, sealed, source

    text = b'{"type":"bundle"}' * 50_000
    raw, _ = sealed([source("intel", text, "zstd"), source("attachment", bytes(range(256)) * 2000)])
    read = open_package(raw, SEED, SIGNER.public)
    assert read[0] == f"intel {hashlib.sha256(text).hexdigest()}"
