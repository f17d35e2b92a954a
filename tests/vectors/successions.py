"""Vectors of rotations: the documents by which one identity names another as its successor."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from typing import Any

from crypto import rotation
from crypto.composite import SigningKey
from crypto.identity import Identity
from tests.vectors.forge import SEED, SIGNER, SIGNER_SEED, compact
from tests.vectors.format import Vector
from tests.vectors.papers import CREATED, ME, OTHER, framed

NEXT = Identity(OTHER, bytes(32))
THIRD = Identity(SigningKey.from_seed(bytes(range(64))), bytes(range(32)))
CARD = NEXT.card("CERT Amal", "JO", CREATED)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def every() -> Iterator[Vector]:
    """All of them."""

    def vector(name: str, expect: str, comment: str, body: bytes, result: Identity = NEXT) -> Vector:
        head = {
            "expect": [expect],
            "kind": ["rotation"],
            "comment": [comment],
            "signer": [SIGNER_SEED.hex()],
            "seed": [SEED.hex()],
            "compressed": ["zlib"],
        }
        if expect == "success":
            head["result"] = [result.fingerprint]
        return Vector(f"rotation_{name}", head, zlib.compress(body, 9))

    def signed(body: bytes, kind: str = "rotation", key: SigningKey = SIGNER, context: str = "") -> bytes:
        return framed(kind.encode(), body, key.sign(body, f"mithaq/{context or kind}/v1".encode()))

    def with_(**changes: Any) -> bytes:
        return signed(compact(fields | changes))

    def half(
        text: str, comment: str, message: bytes, key: SigningKey = OTHER, context: str = "successor"
    ) -> Vector:
        made = key.sign(message, f"mithaq/{context}/v1".encode())
        return vector(text, "rotation-successor", comment, with_(signature=b64(made)))

    fields = json.loads(framed_body(rotation.sign(ME, NEXT, CARD, CREATED)))
    both = bytes.fromhex(ME.fingerprint) + bytes.fromhex(NEXT.fingerprint)
    good = signed(compact(fields))

    def wrong(name: str, comment: str, body: bytes) -> Vector:
        return vector(name, "rotation-format", comment, body)

    yield vector("good", "success", "signed by both", good)
    yield vector("seconds", "success", "a time without milliseconds", with_(at="2026-11-23T12:00:00Z"))
    yield vector(
        "order", "success", "fields in another order", signed(compact(dict(reversed(fields.items()))))
    )
    yield vector(
        "other_card",
        "success",
        "another card of the same keys",
        with_(card=b64(NEXT.card("Other", "PT", CREATED))),
    )
    yield wrong("kind", "a consent", signed(compact(fields), "consent"))
    yield wrong("list", "a list", signed(b"[]"))
    yield wrong("twice", "a field twice", signed(compact(fields).replace(b"{", b'{"at":"x",', 1)))
    yield wrong("unknown", "a field too many", with_(why="age"))
    for name in fields:
        rest = {key: value for key, value in fields.items() if key != name}
        yield wrong(f"no_{name}", f"without {name}", signed(compact(rest)))
    yield wrong("at_date", "a date for a time", with_(at="2026-11-23"))
    yield wrong("by_other", "by another identity", with_(by=THIRD.fingerprint))
    yield wrong("by_capital", "a fingerprint in capitals", with_(by=ME.fingerprint.upper()))
    yield wrong("card_newline", "base64 with a line break", with_(card=fields["card"] + "\n"))
    yield wrong("card_empty", "no card", with_(card=""))
    yield wrong("card_number", "a number for a card", with_(card=1))
    yield wrong(
        "signature_padding", "base64 without padding", with_(signature=fields["signature"].rstrip("="))
    )
    to_itself = rotation.sign(ME, ME, ME.card("CERT Amal", "JO", CREATED), CREATED)
    yield wrong("itself", "an identity that succeeds itself", to_itself)
    yield wrong(
        "too_large", "a body over the limit", signed(compact(fields) + b" " * rotation.ROTATION_LIMIT)
    )
    yield wrong("cut", "the last byte is missing", good[:-1])
    yield wrong("tail", "a byte after the signature", good + b"\0")
    yield vector(
        "signer", "signature", "the new key signed for the old one", signed(compact(fields), key=OTHER)
    )
    yield vector("context", "signature", "signed as a card", signed(compact(fields), context="card"))
    yield vector("edited", "signature", "the time was edited", good.replace(b"2026-11-23", b"2026-11-24", 1))
    yield vector(
        "not_a_card", "card-format", "a receipt for a card", with_(card=b64(signed(b"{}", "receipt")))
    )
    torn = bytearray(CARD)
    torn[-1] ^= 1
    yield vector(
        "card_torn", "card-signature", "the card's signature is broken", with_(card=b64(bytes(torn)))
    )
    yield half("half_context", "the successor signed it as a rotation", both, context="rotation")
    yield half("half_other", "somebody else signed for the successor", both, THIRD.signing)
    yield half("half_old", "the old key signed for the successor", both, SIGNER)
    yield half("half_turned", "the successor signed the other way round", both[32:] + both[:32])
    yield half("half_elsewhere", "the successor signed for another predecessor", bytes(32) + both[32:])
    third = b64(THIRD.card("Third", "XX", CREATED))
    yield vector("other_keys", "rotation-successor", "a card of other keys than signed", with_(card=third))
    short = b64(OTHER.sign(both, rotation.SUCCESSOR_CONTEXT)[:-1])
    yield vector(
        "half_short",
        "rotation-successor",
        "a byte of the successor's signature is missing",
        with_(signature=short),
    )


def framed_body(raw: bytes) -> bytes:
    """The body of a rotation."""
    at = len(b"MITHAQ-DOCUMENT-1\n") + 1 + len("rotation") + 4
    return raw[at:-3373]
