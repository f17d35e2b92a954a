"""Composite signatures against the published vector, and both halves needed."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from crypto import composite
from crypto.composite import SigningKey, verify
from crypto.errors import CryptoError

MLDSA_BYTES = 3309
KEY = SigningKey.from_seed(bytes(range(64)))


def refused(public: bytes, message: bytes, context: bytes, signature: bytes) -> str:
    with pytest.raises(CryptoError) as caught:
        verify(public, message, context, signature)
    assert caught.value.code == "signature"
    return caught.value.detail


def test_published_vector(corpus: Path) -> None:
    published = json.loads((corpus / "composite-signatures" / "id-MLDSA65-Ed25519-SHA512.json").read_text())
    one = next(t for t in published["tests"] if t["tcId"] == "id-MLDSA65-Ed25519-SHA512")
    public, seed, plain, in_context = (base64.b64decode(one[k]) for k in ("pk", "sk", "s", "sWithContext"))
    message, context = base64.b64decode(published["m"]), base64.b64decode(published["ctx"])
    verify(public, message, b"", plain)
    verify(public, message, context, in_context)
    assert SigningKey.from_seed(seed).public == public
    refused(public, message, context, plain)
    refused(public, message, b"", in_context)
    refused(public, message + b"!", context, in_context)


def test_own_signature_verifies_and_is_bound_to_message_context_and_key() -> None:
    signature = KEY.sign(b"message", b"context")
    assert len(signature) == composite.SIGNATURE_BYTES
    assert len(KEY.public) == composite.PUBLIC_BYTES
    verify(KEY.public, b"message", b"context", signature)
    refused(KEY.public, b"massage", b"context", signature)
    refused(KEY.public, b"message", b"contexT", signature)
    refused(SigningKey.generate().public, b"message", b"context", signature)


def test_a_flipped_bit_in_either_half_is_refused() -> None:
    signature = KEY.sign(b"message", b"")
    for position in (*range(0, MLDSA_BYTES, 97), MLDSA_BYTES - 1):
        damaged = bytearray(signature)
        damaged[position] ^= 1 << position % 8
        assert refused(KEY.public, b"message", b"", bytes(damaged)) == "ML-DSA-65"
    for position in range(MLDSA_BYTES, len(signature)):
        damaged = bytearray(signature)
        damaged[position] ^= 1 << position % 8
        assert refused(KEY.public, b"message", b"", bytes(damaged)) == "Ed25519"


def test_halves_of_two_good_signatures_by_two_keys_do_not_make_one() -> None:
    other = SigningKey.generate()
    ours, theirs = KEY.sign(b"message", b""), other.sign(b"message", b"")
    refused(KEY.public, b"message", b"", ours[:MLDSA_BYTES] + theirs[MLDSA_BYTES:])
    refused(KEY.public, b"message", b"", theirs[:MLDSA_BYTES] + ours[MLDSA_BYTES:])
    mixed = KEY.public[:1952] + other.public[1952:]
    refused(mixed, b"message", b"", ours)


@pytest.mark.parametrize("size", [0, 1, 3372, 3374, 6746])
def test_wrong_length_is_refused(size: int) -> None:
    signature = (KEY.sign(b"m", b"") * 2)[:size]
    assert refused(KEY.public, b"m", b"", signature) == "length"


@pytest.mark.parametrize("public", [b"", KEY.public[:-1], KEY.public + b"\0"])
def test_wrong_length_of_key_is_refused(public: bytes) -> None:
    assert refused(public, b"m", b"", KEY.sign(b"m", b"")) == "length"


def test_degenerate_keys_are_refused() -> None:
    signature = KEY.sign(b"m", b"")
    for half in (b"\0", b"\1", b"\xff"):
        refused(KEY.public[:1952] + half * 32, b"m", b"", signature)
        refused(half * 1952 + KEY.public[1952:], b"m", b"", signature)
        refused(half * 1984, b"m", b"", half * 3373)


def test_context_limit() -> None:
    verify(KEY.public, b"m", b"c" * composite.CONTEXT_LIMIT, KEY.sign(b"m", b"c" * composite.CONTEXT_LIMIT))
    with pytest.raises(ValueError, match="255"):
        KEY.sign(b"m", b"c" * (composite.CONTEXT_LIMIT + 1))


@pytest.mark.parametrize("size", [0, 63, 65])
def test_seed_length(size: int) -> None:
    with pytest.raises(ValueError, match="64"):
        SigningKey.from_seed(bytes(size))


def test_a_key_does_not_show_itself() -> None:
    assert repr(KEY) == "SigningKey(...)"
