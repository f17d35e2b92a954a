"""X-Wing: round trips, and keys and shares made in bad faith."""

from __future__ import annotations

import hashlib

import pytest

from crypto import kem
from crypto.errors import CryptoError

SEED = bytes(range(32))


def test_round_trip() -> None:
    public = kem.public(SEED)
    assert len(public) == kem.PUBLIC_BYTES
    enc, ciphertext = kem.seal(public, b"sixteen bytes at", b"info")
    assert (len(enc), len(ciphertext)) == (kem.ENC_BYTES, 16 + kem.TAG_BYTES)
    assert kem.open_(SEED, enc, ciphertext, b"info") == b"sixteen bytes at"


def test_seeds_are_new() -> None:
    assert kem.new_seed() != kem.new_seed()
    assert len(kem.new_seed()) == kem.SEED_BYTES


def test_nothing_else_opens_it() -> None:
    enc, ciphertext = kem.seal(kem.public(SEED), b"secret", b"info")
    attempts = [
        (bytes(32), enc, ciphertext, b"info"),
        (SEED, enc, ciphertext, b"other"),
        (SEED, enc, ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]), b"info"),
        (SEED, bytes([enc[0] ^ 1]) + enc[1:], ciphertext, b"info"),
        (SEED, enc[:-1] + bytes([enc[-1] ^ 1]), ciphertext, b"info"),
        (SEED, enc, ciphertext[:-1], b"info"),
        (SEED, enc, b"", b"info"),
    ]
    for attempt in attempts:
        with pytest.raises(kem.NoFit):
            kem.open_(*attempt)


@pytest.mark.parametrize("share", [bytes(32), b"\1" + bytes(31)])
def test_low_order_share_is_told_apart(share: bytes) -> None:
    enc, ciphertext = kem.seal(kem.public(SEED), b"secret", b"")
    with pytest.raises(kem.LowOrderShare):
        kem.open_(SEED, enc[:-32] + share, ciphertext, b"")


@pytest.mark.parametrize(
    "key",
    [
        b"",
        kem.public(SEED)[:-1],
        kem.public(SEED) + b"\0",
        kem.public(SEED)[:1184] + bytes(32),
        b"\xff" * 1184 + kem.public(SEED)[1184:],
    ],
    ids=["empty", "short", "long", "low-order", "coefficients-too-large"],
)
def test_poisoned_public_keys(key: bytes) -> None:
    with pytest.raises(CryptoError) as caught:
        kem.check_public(key)
    assert caught.value.code == "kem-key"


def test_good_public_key_passes() -> None:
    kem.check_public(kem.public(kem.new_seed()))


def test_a_seed_is_32_bytes() -> None:
    with pytest.raises(ValueError, match="32"):
        kem.public(SEED[:-1])


def test_errors_say_code_and_detail() -> None:
    assert str(CryptoError("kem-key", "length")) == "kem-key: length"
    assert str(CryptoError("kem-key")) == "kem-key"


def test_expansion_is_the_published_one() -> None:
    """X-Wing draft: SHAKE-256 of the seed, 64 bytes for ML-KEM, 32 for X25519."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    x25519 = X25519PrivateKey.from_private_bytes(hashlib.shake_256(SEED).digest(96)[64:])
    assert kem.public(SEED)[1184:] == x25519.public_key().public_bytes_raw()
