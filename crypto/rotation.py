"""Rotation: the document by which one identity names another as its successor, signed by both.

A document of kind `rotation`, signed by the old key. Its body has the new card and a signature by the new key over both
fingerprints: so nobody is made a successor who does not want to be, and nobody takes a place that was not given. It
says nothing about a channel and is the same for every counterpart.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from crypto import composite, document, strict_json
from crypto.errors import CryptoError
from crypto.identity import CARD_LIMIT, Card, Identity, read_card

ROTATION_KIND = "rotation"
ROTATION_LIMIT = 48 * 1024
SUCCESSOR_CONTEXT = b"mithaq/successor/v1"

_FIELDS = ("at", "by", "card", "signature")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Rotation:
    """What a rotation says: the identity with fingerprint `by` is succeeded by that of `card`. `id` is the
    document's.
    """

    id: bytes
    by: str
    at: str
    card: Card
    raw: bytes


def sign(old: Identity, new: Identity, card: bytes, at: str) -> bytes:
    """The document: `card` is the new identity's, `at` RFC 3339 in UTC."""
    fields = {
        "at": at,
        "by": old.fingerprint,
        "card": base64.b64encode(card).decode(),
        "signature": base64.b64encode(
            new.signing.sign(_both(old.fingerprint, new.fingerprint), SUCCESSOR_CONTEXT)
        ).decode(),
    }
    return document.sign(ROTATION_KIND, strict_json.dump(fields), old.signing)


def claimed_by(raw: bytes) -> str | None:
    """The fingerprint of who says to have signed these bytes, None if they are no rotation. Nothing is checked."""
    try:
        return str(_fields(document.parse(raw))["by"]) if len(raw) <= ROTATION_LIMIT else None
    except CryptoError:
        return None


def read(raw: bytes, signing: bytes, fingerprint: str) -> Rotation:
    """Check a rotation away from the identity with this signing key and fingerprint.

    Raises `CryptoError`: rotation-format (also: by another, or to itself), signature (the old key's), card-format,
    card-signature, rotation-successor (the new key did not sign, or not this).
    """
    if len(raw) > ROTATION_LIMIT:
        raise CryptoError("rotation-format", "size")
    try:
        signed = document.parse(raw)
    except CryptoError as error:
        raise CryptoError("rotation-format", error.detail) from None
    fields = _fields(signed)
    if fields["by"] != fingerprint:
        raise CryptoError("rotation-format", "by")
    card, signature = (
        _bytes(fields["card"], CARD_LIMIT),
        _bytes(fields["signature"], composite.SIGNATURE_BYTES),
    )
    signed.verify(signing)
    successor = read_card(card)
    if successor.fingerprint == fingerprint:
        raise CryptoError("rotation-format", "to itself")
    try:
        both = _both(fingerprint, successor.fingerprint)
        composite.verify(successor.signing, both, SUCCESSOR_CONTEXT, signature)
    except CryptoError as error:
        raise CryptoError("rotation-successor", error.detail) from None
    return Rotation(signed.id, fingerprint, str(fields["at"]), successor, raw)


def _fields(signed: document.Document) -> dict[str, object]:
    if signed.kind != ROTATION_KIND:
        raise CryptoError("rotation-format", "kind")
    reader = strict_json.Reader("rotation-format")
    fields = reader.fields(reader.parse(signed.body), _FIELDS, "fields")
    reader.text(fields["at"], "at", _TIME)
    reader.text(fields["by"], "by", _FINGERPRINT)
    return fields


def _bytes(value: object, most: int) -> bytes:
    try:
        raw = base64.b64decode(value, validate=True) if type(value) is str else b""
    except (binascii.Error, ValueError):
        raise CryptoError("rotation-format", "base64") from None
    if not raw or len(raw) > most or base64.b64encode(raw).decode() != value:
        raise CryptoError("rotation-format", "base64")
    return raw


def _both(old: str, new: str) -> bytes:
    return bytes.fromhex(old) + bytes.fromhex(new)
