"""Identities and cards: an installation's long-term key pairs, and the signed public half a counterpart imports.

The fingerprint is SHA-256 of `mithaq/identity/v1`, the signing public key (1,984 bytes) and the X-Wing public
key (1,216): it names the keys, not the name on the card. A card is a signed document of kind `card`, signed
by the key it carries: that shows possession of the signing key and nothing about who holds it.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import re
from dataclasses import dataclass

from crypto import composite, document, kem, names, strict_json
from crypto.composite import SigningKey
from crypto.errors import CryptoError
from crypto.memory import Locked

CARD_KIND = "card"
CARD_LIMIT = 16 * 1024
FINGERPRINT_DOMAIN = b"mithaq/identity/v1"

_SECRET_MAGIC = b"mithaq-identity-1\n"
_RETIRED_MAGIC = b"mithaq-retired-1\n"
_FIELDS = ("name", "country", "created", "signing", "kem")
_COUNTRY = re.compile(r"[A-Z]{2}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z", re.ASCII)


class Identity:
    """Both private keys of an installation: `signing`, and the 32-byte seed of the KEM key."""

    def __init__(self, signing: SigningKey, kem_seed: bytes) -> None:
        if len(kem_seed) != kem.SEED_BYTES:
            raise ValueError("a KEM seed is 32 bytes")
        self.signing = signing
        self._kem_seed = Locked(kem_seed)

    @property
    def kem_seed(self) -> bytes:
        """The seed of the KEM key, a copy of what is kept locked."""
        return self._kem_seed.reveal()

    def wipe(self) -> None:
        """Forget both private keys."""
        self.signing.wipe()
        self._kem_seed.wipe()

    @classmethod
    def generate(cls) -> Identity:
        """A new identity from the system's random source."""
        return cls(SigningKey.generate(), kem.new_seed())

    @classmethod
    def from_bytes(cls, raw: bytes) -> Identity:
        """Read what `to_bytes` wrote. Raises `CryptoError` (identity-format)."""
        body = raw[len(_SECRET_MAGIC) :]
        if not raw.startswith(_SECRET_MAGIC) or len(body) != composite.SEED_BYTES + kem.SEED_BYTES:
            raise CryptoError("identity-format")
        return cls(SigningKey.from_seed(body[: composite.SEED_BYTES]), body[composite.SEED_BYTES :])

    def to_bytes(self) -> bytes:
        """Both private keys, for the encrypted store and nowhere else."""
        return _SECRET_MAGIC + self.signing.seed + self.kem_seed

    @functools.cached_property
    def kem_public(self) -> bytes:
        """The public half of the KEM key, 1,216 bytes."""
        return kem.public(self.kem_seed)

    @functools.cached_property
    def fingerprint(self) -> str:
        """64 lower-case hexadecimal digits."""
        return fingerprint(self.signing.public, self.kem_public)

    def card(self, name: str, country: str, created: str) -> bytes:
        """A card: `country` is two capital letters, `created` RFC 3339 in UTC.

        Raises `CryptoError` (card-format) for a name, country or time that `read_card` would refuse.
        """
        _check(name, country, created)
        body = strict_json.dump(
            {
                "name": name,
                "country": country,
                "created": created,
                "signing": base64.b64encode(self.signing.public).decode(),
                "kem": base64.b64encode(self.kem_public).decode(),
            }
        )
        return document.sign(CARD_KIND, body, self.signing)

    def retired(self) -> Retired:
        """What is kept of this identity once another took its place."""
        return Retired(self.fingerprint, self.kem_seed)

    def __repr__(self) -> str:
        return "Identity(...)"


class Retired:
    """An identity whose place another took: it opens what is still under way to it, and signs nothing any more."""

    def __init__(self, fingerprint: str, kem_seed: bytes) -> None:
        if len(kem_seed) != kem.SEED_BYTES:
            raise ValueError("a KEM seed is 32 bytes")
        self.fingerprint = fingerprint
        self._kem_seed = Locked(kem_seed)

    @property
    def kem_seed(self) -> bytes:
        """The seed of the KEM key, a copy of what is kept locked."""
        return self._kem_seed.reveal()

    def wipe(self) -> None:
        """Forget the private key."""
        self._kem_seed.wipe()

    @classmethod
    def from_bytes(cls, raw: bytes, fingerprint: str) -> Retired:
        """Read what `to_bytes` wrote. Raises `CryptoError` (identity-format)."""
        if not raw.startswith(_RETIRED_MAGIC) or len(raw) != len(_RETIRED_MAGIC) + kem.SEED_BYTES:
            raise CryptoError("identity-format")
        return cls(fingerprint, raw[len(_RETIRED_MAGIC) :])

    def to_bytes(self) -> bytes:
        """The private key, for the encrypted store and nowhere else."""
        return _RETIRED_MAGIC + self.kem_seed

    def __repr__(self) -> str:
        return "Retired(...)"


@dataclass(frozen=True)
class Card:
    """What a card says. `name`, `country` and `created` are claims; the keys and the fingerprint are facts."""

    name: str
    country: str
    created: str
    signing: bytes
    kem: bytes
    fingerprint: str
    raw: bytes


def read_card(raw: bytes) -> Card:
    """Read a card and check that the key it carries signed it, and that its KEM key can be sealed to.

    Raises `CryptoError`: card-format, card-signature.
    """
    if len(raw) > CARD_LIMIT:
        raise CryptoError("card-format", "size")
    try:
        signed = document.parse(raw)
    except CryptoError as error:
        raise CryptoError("card-format", error.detail) from None
    if signed.kind != CARD_KIND:
        raise CryptoError("card-format", "kind")
    reader = strict_json.Reader("card-format")
    fields = reader.fields(reader.parse(signed.body), _FIELDS, "fields")
    name, country, created = fields["name"], fields["country"], fields["created"]
    _check(name, country, created)
    signing = _key(fields["signing"], composite.PUBLIC_BYTES)
    encapsulation = _key(fields["kem"], kem.PUBLIC_BYTES)
    try:
        signed.verify(signing)
    except CryptoError as error:
        raise CryptoError("card-signature", error.detail) from None
    try:
        kem.check_public(encapsulation)
    except CryptoError:
        raise CryptoError("card-format", "kem") from None
    return Card(name, country, created, signing, encapsulation, fingerprint(signing, encapsulation), raw)


def fingerprint(signing: bytes, encapsulation: bytes) -> str:
    """The name of a pair of public keys: 64 lower-case hexadecimal digits."""
    return hashlib.sha256(FINGERPRINT_DOMAIN + signing + encapsulation).hexdigest()


def _check(name: object, country: object, created: object) -> None:
    if type(name) is not str or not names.usable(name):
        raise CryptoError("card-format", "name")
    reader = strict_json.Reader("card-format")
    reader.text(country, "country", _COUNTRY)
    reader.text(created, "created", _TIME)


def _key(value: object, size: int) -> bytes:
    try:
        raw = base64.b64decode(value, validate=True) if type(value) is str else b""
    except (binascii.Error, ValueError):
        raise CryptoError("card-format", "key") from None
    if len(raw) != size or base64.b64encode(raw).decode() != value:
        raise CryptoError("card-format", "key")
    return raw
