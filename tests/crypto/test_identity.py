"""Cards and fingerprints: what a card proves, and what may not stand on one."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from crypto import document, identity, names
from crypto.composite import SigningKey
from crypto.errors import CryptoError
from crypto.identity import Identity, read_card

ME = Identity(SigningKey.from_seed(bytes(range(64))), bytes(range(32)))
CREATED = "2026-11-23T12:00:00.000Z"
CARD = ME.card("CERT الأردن", "JO", CREATED)
FIELDS = json.loads(document.parse(CARD).body)


def code(raw: bytes) -> str:
    with pytest.raises(CryptoError) as caught:
        read_card(raw)
    return caught.value.code


def signed(body: bytes, kind: str = "card", key: SigningKey = ME.signing) -> bytes:
    return document.sign(kind, body, key)


def with_fields(**changes: Any) -> bytes:
    return signed(json.dumps({**FIELDS, **changes}, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def test_a_card_says_who_and_its_fingerprint_names_the_keys() -> None:
    card = read_card(CARD)
    assert (card.name, card.country, card.created, card.raw) == ("CERT الأردن", "JO", CREATED, CARD)
    assert (card.signing, card.kem) == (ME.signing.public, ME.kem_public)
    spoken = hashlib.sha256(b"mithaq/identity/v1" + card.signing + card.kem).hexdigest()
    assert card.fingerprint == ME.fingerprint == spoken
    assert read_card(ME.card("Another", "FR", CREATED)).fingerprint == spoken


def test_identity_survives_the_store() -> None:
    again = Identity.from_bytes(ME.to_bytes())
    assert (again.kem_seed, again.kem_public) == (ME.kem_seed, ME.kem_public)
    assert again.fingerprint == ME.fingerprint
    assert again.signing.seed == ME.signing.seed
    assert repr(ME) == "Identity(...)"
    assert Identity.generate().fingerprint != Identity.generate().fingerprint


def test_a_wiped_identity_is_gone() -> None:
    one = Identity.generate()
    print_ = one.fingerprint
    one.wipe()
    assert one.fingerprint == print_
    with pytest.raises(ValueError):  # noqa: PT011 (mmap's own words)
        one.to_bytes()
    with pytest.raises(ValueError, match="32"):
        Identity(SigningKey.generate(), bytes(31))


@pytest.mark.parametrize("raw", [b"", ME.to_bytes()[:-1], ME.to_bytes() + b"\0", b"x" + ME.to_bytes()[1:]])
def test_bytes_that_are_no_identity(raw: bytes) -> None:
    with pytest.raises(CryptoError) as caught:
        Identity.from_bytes(raw)
    assert caught.value.code == "identity-format"


def test_a_card_signed_by_another_key_is_refused() -> None:
    assert code(signed(document.parse(CARD).body, key=SigningKey.generate())) == "card-signature"


def test_keys_swapped_by_a_courier_are_refused() -> None:
    """The KEM key replaced under the old signature; and the whole card re-signed: another fingerprint."""
    mallory = Identity.generate()
    body = json.dumps({**FIELDS, "kem": base64.b64encode(mallory.kem_public).decode()}).encode()
    forged = (
        document.MAGIC + b"\x04card" + len(body).to_bytes(4, "big") + body + document.parse(CARD).signature
    )
    assert code(forged) == "card-signature"
    assert read_card(mallory.card("CERT الأردن", "JO", CREATED)).fingerprint != ME.fingerprint


def test_a_statement_is_no_card() -> None:
    assert code(signed(document.parse(CARD).body, kind="roster")) == "card-format"
    assert code(CARD.replace(b"\x04card", b"\x04carl")) == "card-format"


GOOD_NAMES = ["A", "x" * names.NAME_LIMIT, "فريق الاستجابة", "تیم\u200cها", "CERT-É", "a  b", "名前"]
BAD_NAMES = [
    "",
    " a",
    "a ",
    "x" * (names.NAME_LIMIT + 1),
    "a\nb",
    "a\0b",
    "a\u202eb",
    "a\u2066b",
    "a\u200fb",
    "a\ufeffb",
    "a\u2028b",
    "e\u0301",
    "a\ue000",
    "a\U000e0041",
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_names(name: str) -> None:
    assert read_card(ME.card(name, "JO", CREATED)).name == name


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_neither_written_nor_read(name: str) -> None:
    with pytest.raises(CryptoError) as caught:
        ME.card(name, "JO", CREATED)
    assert caught.value.code == "card-format"
    assert code(with_fields(name=name)) == "card-format"


@pytest.mark.parametrize(
    "changes",
    [
        {"country": "jo"},
        {"country": "JOR"},
        {"country": "J"},
        {"country": "ЈО"},
        {"country": None},
        {"created": "2026-11-23"},
        {"created": "2026-11-23T12:00:00+00:00"},
        {"created": "٢٠٢٦-11-23T12:00:00Z"},
        {"created": 5},
        {"name": 5},
        {"name": "a\udc80"},
        {"signing": ""},
        {"signing": None},
        {"signing": FIELDS["signing"][:-4]},
        {"signing": FIELDS["signing"] + "\n"},
        {"signing": FIELDS["signing"][:20] + "\n" + FIELDS["signing"][20:]},
        {"signing": FIELDS["kem"]},
        {"kem": "A" * len(FIELDS["kem"])},
        {"kem": FIELDS["kem"][:-4]},
        {"kem": base64.b64encode(ME.kem_public[:1184] + bytes(32)).decode()},
        {"kem": base64.b64encode(b"\xff" * 1216).decode()},
        {"extra": 1},
    ],
)
def test_bad_fields(changes: dict[str, Any]) -> None:
    assert code(with_fields(**changes)) == "card-format"


def test_each_field_is_needed_and_none_may_stand_twice() -> None:
    for name in FIELDS:
        body = {k: v for k, v in FIELDS.items() if k != name}
        assert code(signed(json.dumps(body).encode())) == "card-format"
    text = document.parse(CARD).body.decode()
    assert code(signed(text.replace("{", '{"name":"x",', 1).encode())) == "card-format"


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b"{", b"[" * 10_000, b'\xef\xbb\xbf{"name":1}'])
def test_bodies_that_are_no_card(body: bytes) -> None:
    assert code(signed(body)) == "card-format"


def test_size_limit() -> None:
    room = identity.CARD_LIMIT - len(CARD)
    body = document.parse(CARD).body
    assert len(signed(body + b" " * room)) == identity.CARD_LIMIT
    assert read_card(signed(body + b" " * room)).fingerprint == ME.fingerprint
    assert code(signed(body + b" " * (room + 1))) == "card-format"
