"""Signed documents: what is said, by whom, as which kind; and every way to be no document."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import composite, document
from crypto.composite import SigningKey
from crypto.errors import CryptoError

KEY = SigningKey.from_seed(bytes(64))
RAW = document.sign("receipt", b"body", KEY)


def code(raw: bytes) -> str:
    with pytest.raises(CryptoError) as caught:
        document.parse(raw)
    return caught.value.code


def test_round_trip() -> None:
    parsed = document.parse(RAW)
    assert (parsed.kind, parsed.body, parsed.raw) == ("receipt", b"body", RAW)
    assert len(parsed.id) == 32
    parsed.verify(KEY.public)


def test_id_names_what_is_said_not_the_signature() -> None:
    again = document.sign("receipt", b"body", KEY)
    assert again != RAW
    assert document.parse(again).id == document.parse(RAW).id
    other = document.sign("receipt", b"body", SigningKey.generate())
    assert document.parse(other).id == document.parse(RAW).id
    assert document.parse(document.sign("receipt", b"body2", KEY)).id != document.parse(RAW).id
    assert document.identify("ab", b"c") != document.identify("a", b"bc")


def test_kind_is_part_of_what_is_signed() -> None:
    """The body and signature of one kind, dressed as another."""
    relabelled = RAW.replace(b"receipt", b"recalls")
    parsed = document.parse(relabelled)
    assert parsed.kind == "recalls"
    with pytest.raises(CryptoError) as caught:
        parsed.verify(KEY.public)
    assert caught.value.code == "signature"


def test_somebody_elses_key() -> None:
    with pytest.raises(CryptoError):
        document.parse(RAW).verify(SigningKey.generate().public)


def test_every_truncation_and_append_is_refused() -> None:
    for size in range(len(RAW)):
        assert code(RAW[:size]) == "document-format"
    for extra in range(1, 65):
        assert code(RAW + bytes(extra)) == "document-format"


def test_every_flipped_bit_is_refused() -> None:
    head = len(RAW) - composite.SIGNATURE_BYTES
    for position in [*range(head * 8), *range(head * 8, len(RAW) * 8, 101)]:
        damaged = bytearray(RAW)
        damaged[position // 8] ^= 1 << position % 8
        with pytest.raises(CryptoError):
            document.parse(bytes(damaged)).verify(KEY.public)


@pytest.mark.parametrize(
    "kind", ["", "A", "1a", "-a", "a b", "a_b", "é", "a\n", "package", "a" * (document.KIND_LIMIT + 1)]
)
def test_kinds_that_are_none(kind: str) -> None:
    with pytest.raises(ValueError, match="kind"):
        document.sign(kind, b"", KEY)
    name = kind.encode()
    forged = document.MAGIC + bytes([len(name)]) + name + bytes(4) + bytes(composite.SIGNATURE_BYTES)
    assert code(forged) == "document-format"


def test_kind_limit() -> None:
    longest = "k" * document.KIND_LIMIT
    assert document.parse(document.sign(longest, b"", KEY)).kind == longest


def test_body_limit() -> None:
    body = bytes(document.BODY_LIMIT)
    document.parse(document.sign("note", body, KEY)).verify(KEY.public)
    with pytest.raises(ValueError, match="body"):
        document.sign("note", body + b"\0", KEY)
    size = (document.BODY_LIMIT + 1).to_bytes(4, "big")
    tail = bytes(document.BODY_LIMIT + 1 + composite.SIGNATURE_BYTES)
    assert code(document.MAGIC + b"\x04note" + size + tail) == "document-format"


def test_a_length_of_four_gigabytes_costs_nothing() -> None:
    assert code(document.MAGIC + b"\x04note\xff\xff\xff\xff" + bytes(4000)) == "document-format"


@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing_else(raw: bytes) -> None:
    for candidate in (raw, document.MAGIC + raw):
        with contextlib.suppress(CryptoError):
            document.parse(candidate)
            assert candidate == document.parse(candidate).raw


@given(st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True), st.binary(max_size=200))
def test_what_is_signed_is_read_back(kind: str, body: bytes) -> None:
    parsed = document.parse(document.sign(kind, body, KEY))
    parsed.verify(KEY.public)
    assert (parsed.kind, parsed.body) == (kind, body)
