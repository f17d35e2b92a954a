"""age identities and recipients: X25519, X-Wing (mlkem768x25519) and passphrase (scrypt).

Specification: C2SP age.md, "Native recipient types". A recipient wraps a file key into stanzas, an identity
looks for its own among a file's. A stanza of a known type that is malformed fails the file (age-header),
whoever it was for.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto import bech32, kem
from crypto.age_header import FILE_KEY_BYTES, Stanza, decode, encode, hkdf
from crypto.errors import CryptoError

X25519_TYPE = "X25519"
HYBRID_TYPE = "mlkem768x25519"
SCRYPT_TYPE = "scrypt"
HYBRID_INFO = b"age-encryption.org/mlkem768x25519"
SALT_BYTES = 16
WORK_DEFAULT = 18
WORK_LIMIT = 20  # 1 GiB of memory and some three seconds
IDENTITY_FILE_LIMIT = 1024 * 1024

_X25519_INFO = b"age-encryption.org/v1/X25519"
_SCRYPT_DOMAIN = b"age-encryption.org/v1/scrypt"
_WRAPPED_BYTES = FILE_KEY_BYTES + 16
_ZERO_NONCE = bytes(12)
_WORK = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)


class Recipient(Protocol):
    """Who can open a file. The recipients of one file agree on `label`: quantum resistance is not watered down."""

    @property
    def label(self) -> str: ...

    def wrap(self, file_key: bytes) -> Stanza:
        """The stanza that gives the file key to this recipient."""
        ...


class Identity(Protocol):
    """A private key or passphrase."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """The file key, or None if no stanza is for this identity. Raises `CryptoError` (age-header)."""
        ...


@dataclass(frozen=True)
class X25519Recipient:
    """A public key, 32 bytes; text `age1...`."""

    public: bytes
    label = ""

    def wrap(self, file_key: bytes) -> Stanza:
        """See `Recipient`. Raises `CryptoError` (age-key) for a key of low order."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        try:
            secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.public))
        except ValueError:
            raise CryptoError("age-key", "low order") from None
        key = hkdf(secret, share + self.public, _X25519_INFO)
        return Stanza((X25519_TYPE, encode(share)), _wrap(key, file_key))

    def __str__(self) -> str:
        return bech32.encode("age", self.public)


@dataclass(frozen=True, repr=False)
class X25519Identity:
    """A private key, 32 bytes; text `AGE-SECRET-KEY-1...`."""

    secret: bytes

    @classmethod
    def generate(cls) -> X25519Identity:
        """A new key."""
        return cls(secrets.token_bytes(32))

    @property
    def recipient(self) -> X25519Recipient:
        """The public half."""
        private = X25519PrivateKey.from_private_bytes(self.secret)
        return X25519Recipient(private.public_key().public_bytes_raw())

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """See `Identity`."""
        for stanza in _of_type(X25519_TYPE, stanzas):
            share = _argument(stanza, 2, 32)
            private = X25519PrivateKey.from_private_bytes(self.secret)
            try:
                secret = private.exchange(X25519PublicKey.from_public_bytes(share))
            except ValueError:
                raise CryptoError("age-header", "low order") from None
            key = hkdf(secret, share + private.public_key().public_bytes_raw(), _X25519_INFO)
            if (file_key := _unwrap(key, stanza)) is not None:
                return file_key
        return None

    def __str__(self) -> str:
        return bech32.encode("age-secret-key-", self.secret).upper()


@dataclass(frozen=True)
class HybridRecipient:
    """An X-Wing public key, 1,216 bytes; text `age1pq1...`."""

    public: bytes
    label = "postquantum"

    def wrap(self, file_key: bytes) -> Stanza:
        """See `Recipient`. Raises `CryptoError` (kem-key)."""
        enc, body = kem.seal(self.public, file_key, HYBRID_INFO)
        return Stanza((HYBRID_TYPE, encode(enc)), body)

    def __str__(self) -> str:
        return bech32.encode("age1pq", self.public)


@dataclass(frozen=True, repr=False)
class HybridIdentity:
    """An X-Wing seed, 32 bytes; text `AGE-SECRET-KEY-PQ-1...`."""

    seed: bytes

    @classmethod
    def generate(cls) -> HybridIdentity:
        """A new key."""
        return cls(kem.new_seed())

    @property
    def recipient(self) -> HybridRecipient:
        """The public half."""
        return HybridRecipient(kem.public(self.seed))

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """See `Identity`."""
        for stanza in _of_type(HYBRID_TYPE, stanzas):
            enc = hybrid_enc(stanza)
            try:
                return kem.open_(self.seed, enc, stanza.body, HYBRID_INFO)
            except kem.LowOrderShare:
                raise CryptoError("age-header", "low order") from None
            except kem.NoFit:
                continue
        return None

    def __str__(self) -> str:
        return bech32.encode("age-secret-key-pq-", self.seed).upper()


def hybrid_enc(stanza: Stanza) -> bytes:
    """The encapsulation in a well-formed mlkem768x25519 stanza, 1,120 bytes. Raises `CryptoError`
    (age-header).
    """
    return _argument(stanza, 2, kem.ENC_BYTES)


@dataclass(frozen=True, repr=False)
class ScryptRecipient:
    """A passphrase. `work` is the logarithm of scrypt's N: 18 takes 256 MiB and most of a second."""

    passphrase: str
    work: int = WORK_DEFAULT
    label = "passphrase"

    def wrap(self, file_key: bytes) -> Stanza:
        """See `Recipient`; the only recipient of its file."""
        salt = secrets.token_bytes(SALT_BYTES)
        key = _scrypt(self.passphrase, salt, self.work)
        return Stanza((SCRYPT_TYPE, encode(salt), str(self.work)), _wrap(key, file_key))


@dataclass(frozen=True, repr=False)
class ScryptIdentity:
    """A passphrase. A file that asks for more work than `most_work` is refused before any is done."""

    passphrase: str
    most_work: int = WORK_LIMIT

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """See `Identity`."""
        for stanza in _of_type(SCRYPT_TYPE, stanzas):
            salt = _argument(stanza, 3, SALT_BYTES)
            if not _WORK.fullmatch(stanza.arguments[2]) or int(stanza.arguments[2]) > self.most_work:
                raise CryptoError("age-header", "work factor")
            return _unwrap(_scrypt(self.passphrase, salt, int(stanza.arguments[2])), stanza)
        return None


def parse_recipient(text: str) -> X25519Recipient | HybridRecipient:
    """`age1...` or `age1pq1...`. Raises `CryptoError` (age-key)."""
    prefix, data = _bech32(text)
    if text == text.lower():
        if prefix == "age" and len(data) == 32:
            return X25519Recipient(data)
        if prefix == "age1pq" and len(data) == kem.PUBLIC_BYTES:
            return HybridRecipient(data)
    raise CryptoError("age-key", "recipient")


def parse_identity(text: str) -> X25519Identity | HybridIdentity:
    """`AGE-SECRET-KEY-1...` or `AGE-SECRET-KEY-PQ-1...`. Raises `CryptoError` (age-key)."""
    prefix, data = _bech32(text)
    if text == text.upper() and len(data) == 32:
        if prefix == "age-secret-key-":
            return X25519Identity(data)
        if prefix == "age-secret-key-pq-":
            return HybridIdentity(data)
    raise CryptoError("age-key", "identity")


def parse_identity_file(raw: bytes) -> tuple[X25519Identity | HybridIdentity, ...]:
    """The identities of a file: one a line, `#` starts a comment line. Raises `CryptoError` (age-key)."""
    found = tuple(parse_identity(line) for line in _lines(raw))
    if not found:
        raise CryptoError("age-key", "no identity")
    return found


def parse_recipient_file(raw: bytes) -> tuple[X25519Recipient | HybridRecipient, ...]:
    """The recipients of a file: one a line, `#` starts a comment line. Raises `CryptoError` (age-key)."""
    found = tuple(parse_recipient(line) for line in _lines(raw))
    if not found:
        raise CryptoError("age-key", "no recipient")
    return found


def identity_file(identity: X25519Identity | HybridIdentity, created: str) -> bytes:
    """A file for one identity, with its recipient in a comment, as age-keygen writes it."""
    return f"# created: {created}\n# public key: {identity.recipient}\n{identity}\n".encode("ascii")


def _lines(raw: bytes) -> Iterable[str]:
    if len(raw) > IDENTITY_FILE_LIMIT:
        raise CryptoError("age-key", "size")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise CryptoError("age-key", "not text") from None
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.strip() and not line.startswith("#"):
            yield line.strip(" \t")


def _bech32(text: str) -> tuple[str, bytes]:
    try:
        return bech32.decode(text)
    except ValueError as error:
        raise CryptoError("age-key", str(error)) from None


def _of_type(name: str, stanzas: Sequence[Stanza]) -> Iterable[Stanza]:
    return (stanza for stanza in stanzas if stanza.arguments[0] == name)


def _argument(stanza: Stanza, count: int, size: int) -> bytes:
    """The second argument of a stanza that must have `count`, as `size` bytes; the body must hold a file key."""
    found = decode(stanza.arguments[1]) if len(stanza.arguments) == count else None
    if found is None or len(found) != size or len(stanza.body) != _WRAPPED_BYTES:
        raise CryptoError("age-header", stanza.arguments[0])
    return found


def _wrap(key: bytes, file_key: bytes) -> bytes:
    return ChaCha20Poly1305(key).encrypt(_ZERO_NONCE, file_key, None)


def _unwrap(key: bytes, stanza: Stanza) -> bytes | None:
    try:
        return ChaCha20Poly1305(key).decrypt(_ZERO_NONCE, stanza.body, None)
    except InvalidTag:
        return None


def _scrypt(passphrase: str, salt: bytes, work: int) -> bytes:
    if not 1 <= work <= WORK_LIMIT:
        raise CryptoError("age-key", "work factor")
    try:
        return hashlib.scrypt(
            passphrase.encode("utf-8"),
            salt=_SCRYPT_DOMAIN + salt,
            n=1 << work,
            r=8,
            p=1,
            maxmem=(1 << work) * 1024 + 1024 * 1024,
            dklen=32,
        )
    except (ValueError, MemoryError):
        raise CryptoError("kdf-memory") from None
