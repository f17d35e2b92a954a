"""Composite signatures: ML-DSA-65 and Ed25519 over one message; both must verify.

Specification: IETF LAMPS, draft-ietf-lamps-pq-composite-sigs, algorithm id-MLDSA65-Ed25519-SHA512. Keys and
signatures are the plain concatenation the draft gives, ML-DSA first:

    seed       32 ML-DSA seed     || 32 Ed25519 seed       =    64 bytes
    public   1952 ML-DSA          || 32 Ed25519            =  1984 bytes
    signature 3309 ML-DSA         || 64 Ed25519            =  3373 bytes

Knows nothing of what is signed; the context string keeps kinds of document apart.
"""

from __future__ import annotations

import functools
import hashlib
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from crypto.errors import CryptoError
from crypto.memory import Locked

SEED_BYTES = 64
PUBLIC_BYTES = 1984
SIGNATURE_BYTES = 3373
CONTEXT_LIMIT = 255

_LABEL = b"COMPSIG-MLDSA65-Ed25519-SHA512"
_PREFIX = b"CompositeAlgorithmSignatures2025"
_MLDSA_SEED = 32
_MLDSA_PUBLIC = 1952
_MLDSA_SIGNATURE = 3309


def _representative(message: bytes, context: bytes) -> bytes:
    """What both halves sign (the draft's M')."""
    if len(context) > CONTEXT_LIMIT:
        raise ValueError("context is longer than 255 bytes")
    return b"".join((_PREFIX, _LABEL, bytes([len(context)]), context, hashlib.sha512(message).digest()))


class SigningKey:
    """A private signing key, made from its 64-byte seed. `public` is 1,984 bytes."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError("a signing seed is 64 bytes")
        self._seed = Locked(seed)

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key from the system's random source."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of a 64-byte seed. Raises ValueError for another length."""
        return cls(seed)

    @property
    def seed(self) -> bytes:
        """The 64-byte seed, a copy of what is kept locked."""
        return self._seed.reveal()

    def wipe(self) -> None:
        """Forget the private key. Signing raises ValueError from now on."""
        self._seed.wipe()

    def _mldsa(self) -> MLDSA65PrivateKey:
        """Made for each use, so that the only copy that stays is the locked one: 0.2 ms."""
        return MLDSA65PrivateKey.from_seed_bytes(self.seed[:_MLDSA_SEED])

    @functools.cached_property
    def public(self) -> bytes:
        """The public half, 1,984 bytes."""
        from nacl.signing import SigningKey as Ed25519Key

        ed25519 = bytes(Ed25519Key(self.seed[_MLDSA_SEED:]).verify_key)
        return self._mldsa().public_key().public_bytes_raw() + ed25519

    def sign(self, message: bytes, context: bytes) -> bytes:
        """A signature of 3,373 bytes, randomised. `context`: at most 255 bytes (ValueError)."""
        from nacl.signing import SigningKey as Ed25519Key

        represented = _representative(message, context)
        return (
            self._mldsa().sign(represented, _LABEL)
            + Ed25519Key(self.seed[_MLDSA_SEED:]).sign(represented).signature
        )

    def __repr__(self) -> str:
        return "SigningKey(...)"


def verify(public: bytes, message: bytes, context: bytes, signature: bytes) -> None:
    """Return if both halves verify. Raises `CryptoError` (signature), for wrong lengths too."""
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
        raise CryptoError("signature", "length")
    represented = _representative(message, context)
    try:
        mldsa = MLDSA65PublicKey.from_public_bytes(public[:_MLDSA_PUBLIC])
        mldsa.verify(signature[:_MLDSA_SIGNATURE], represented, _LABEL)
    except (InvalidSignature, ValueError):
        raise CryptoError("signature", "ML-DSA-65") from None
    try:
        VerifyKey(public[_MLDSA_PUBLIC:]).verify(represented, signature[_MLDSA_SIGNATURE:])
    except (BadSignatureError, ValueError):
        raise CryptoError("signature", "Ed25519") from None
