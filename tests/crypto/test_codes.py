"""Verification codes: the formula of the protocol, either order of the sides, any numerals."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import codes
from crypto.errors import CryptoError

LOW, HIGH = "01" * 32, "f0" * 32
EIGHT = st.from_regex(r"[0-9]{8}", fullmatch=True)


def test_the_formula() -> None:
    key = b"12345678" + b"87654321"
    t = hmac.new(key, b"mithaq-verify" + bytes.fromhex(LOW) + bytes.fromhex(HIGH), hashlib.sha256).digest()
    first = str(int.from_bytes(t[:8], "big") % 10**8).zfill(8)
    second = str(int.from_bytes(t[8:16], "big") % 10**8).zfill(8)
    assert codes.transcript("12345678", LOW, "87654321", HIGH) == (first, second)


def test_a_known_value() -> None:
    assert codes.transcript("00000000", LOW, "00000000", HIGH) == ("76489792", "27229053")


@given(EIGHT, EIGHT)
def test_both_sides_find_the_same(r_a: str, r_b: str) -> None:
    one = codes.transcript(r_a, LOW, r_b, HIGH)
    assert one == codes.transcript(r_b, HIGH, r_a, LOW)
    assert all(len(c) == 8 and c.isdigit() for c in one)


def test_everything_counts() -> None:
    base = codes.transcript("12345678", LOW, "87654321", HIGH)
    assert base[0] != base[1]
    assert codes.transcript("12345679", LOW, "87654321", HIGH) != base
    assert codes.transcript("12345678", LOW, "87654322", HIGH) != base
    assert codes.transcript("87654321", LOW, "12345678", HIGH) != base
    assert codes.transcript("12345678", "02" * 32, "87654321", HIGH) != base
    assert codes.transcript("12345678", LOW, "87654321", "f1" * 32) != base


def test_digits() -> None:
    made = {codes.digits() for _ in range(50)}
    assert len(made) > 45
    assert all(len(d) == codes.DIGITS and d.isascii() and d.isdigit() for d in made)


@pytest.mark.parametrize(
    "typed", ["12345678", "1234 5678", " 1234-5678\n", "١٢٣٤٥٦٧٨", "۱۲۳۴ ۵۶۷۸", "1234٥٦٧۸", "1234\u00a05678"]
)
def test_numerals_are_folded(typed: str) -> None:
    assert codes.fold(typed) == "12345678"
    assert codes.same("12345678", typed)
    assert not codes.same("12345679", typed)


@pytest.mark.parametrize(
    "typed", ["", "1234567", "123456789", "1234567a", "१२३४५६७८", "1234567²", "+1234567", "1" * 65, "1 " * 40]
)
def test_what_is_no_code(typed: str) -> None:
    with pytest.raises(CryptoError) as caught:
        codes.fold(typed)
    assert caught.value.code == "code-format"


def test_typed_limit() -> None:
    assert codes.fold("12345678" + " " * (codes.TYPED_LIMIT - 8)) == "12345678"
    with pytest.raises(CryptoError):
        codes.fold("12345678" + " " * (codes.TYPED_LIMIT - 7))


def test_spoken() -> None:
    assert codes.spoken("12345678") == ("1234 5678", "١٢٣٤ ٥٦٧٨")


@pytest.mark.parametrize("fingerprints", [(LOW, LOW), (LOW, HIGH[:-2]), (LOW + "00", HIGH), ("zz", HIGH)])
def test_fingerprints_that_make_no_pair(fingerprints: tuple[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (int parsing says it its own way)
        codes.transcript("12345678", fingerprints[0], "12345678", fingerprints[1])
