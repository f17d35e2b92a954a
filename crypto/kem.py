"""X-Wing key pairs, and HPKE with them: ML-KEM-768 and X25519 together, so that both would have to fall.

A private key is a 32-byte seed; SHAKE-256 expands it to 64 bytes for ML-KEM and 32 for X25519 (X-Wing,
draft-connolly-cfrg-xwing-kem). A public key is 1,184 + 32 bytes. `seal` and `open_` are HPKE's SealBase and
OpenBase with HKDF-SHA256 and ChaCha20-Poly1305 (RFC 9180; age's mlkem768x25519 recipient uses the same suite).
"""

from __future__ import annotations

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from crypto.errors import CryptoError

SEED_BYTES = 32
PUBLIC_BYTES = 1216
ENC_BYTES = 1120
TAG_BYTES = 16

_MLKEM_PUBLIC = 1184
_MLKEM_CIPHERTEXT = 1088
_MLKEM_SEED = 64

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class NoFit(Exception):
    """The ciphertext was not made for this key, or was changed."""


class LowOrderShare(Exception):
    """The sender's X25519 share gives an all-zero secret: never honest."""


def new_seed() -> bytes:
    """A new private key: 32 random bytes."""
    return secrets.token_bytes(SEED_BYTES)


def public(seed: bytes) -> bytes:
    """The public key of a seed, 1,216 bytes."""
    mlkem, x25519 = _halves(seed)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def check_public(key: bytes) -> None:
    """Encapsulate once to a public key from outside, so that a poisoned one fails here and not in a seal.

    Raises `CryptoError` (kem-key).
    """
    seal(key, b"", b"mithaq/check")


def seal(key: bytes, plaintext: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Encrypt to a public key: (enc of 1,120 bytes, ciphertext and tag). Raises `CryptoError` (kem-key)."""
    if len(key) != PUBLIC_BYTES:
        raise CryptoError("kem-key", "length")
    try:
        mlkem = MLKEM768PublicKey.from_public_bytes(key[:_MLKEM_PUBLIC])
        x25519 = X25519PublicKey.from_public_bytes(key[_MLKEM_PUBLIC:])
        sealed = _SUITE.encrypt(plaintext, MLKEM768X25519PublicKey(mlkem, x25519), info=info)
    except ValueError:
        raise CryptoError("kem-key", "not usable") from None
    return sealed[:ENC_BYTES], sealed[ENC_BYTES:]


def open_(seed: bytes, enc: bytes, ciphertext: bytes, info: bytes) -> bytes:
    """Decrypt what `seal` made. Raises `NoFit`, or `LowOrderShare`."""
    mlkem, x25519 = _halves(seed)
    try:
        return _SUITE.decrypt(enc + ciphertext, MLKEM768X25519PrivateKey(mlkem, x25519), info=info)
    except (InvalidTag, ValueError):
        # The suite reports every failure alike; only this one says that the file was made in bad faith.
        try:
            x25519.exchange(X25519PublicKey.from_public_bytes(enc[_MLKEM_CIPHERTEXT:]))
        except ValueError:
            raise LowOrderShare from None
        raise NoFit from None


def _halves(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(seed) != SEED_BYTES:
        raise ValueError("a KEM seed is 32 bytes")
    expanded = hashlib.shake_256(seed).digest(_MLKEM_SEED + 32)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED]),
        X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED:]),
    )
