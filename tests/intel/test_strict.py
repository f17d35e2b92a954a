"""Strict JSON, held against the standard library's reader with every check written out."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intel.strict import MAX_DEPTH, NotStrict, quick, strict


def baseline(text: bytes) -> Any:
    """The value of a strict text by the plainest means, or ValueError."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in found}) != len(found):
            raise ValueError("duplicate")
        return dict(found)

    def constant(_name: str) -> Any:
        raise ValueError("constant")

    def point(digits: str) -> float:
        value = float(digits)
        if abs(value) >= 2**53 and (math.isinf(value) or Fraction(digits) != Fraction(repr(value))):
            raise ValueError("digits")
        return value

    def check(value: Any, depth: int) -> None:
        if isinstance(value, str):
            value.encode("utf-8")
        elif isinstance(value, bool) or value is None:
            pass
        elif isinstance(value, int) and abs(value) > 2**53 - 1:
            raise ValueError("integer")
        elif isinstance(value, float) and math.isinf(value):
            raise ValueError("float")
        elif isinstance(value, (list, dict)):
            if depth == MAX_DEPTH:
                raise ValueError("depth")
            for item in value:
                check(item, depth + 1)
            if isinstance(value, dict):
                for item in value.values():
                    check(item, depth + 1)

    value = json.loads(
        text.decode("utf-8"), object_pairs_hook=pairs, parse_constant=constant, parse_float=point
    )
    check(value, 0)
    return value


def verdict(text: bytes) -> Any:
    try:
        return strict(text)[1]
    except NotStrict:
        return ValueError


def expected(text: bytes) -> Any:
    try:
        return baseline(text)
    except ValueError:
        return ValueError


@pytest.mark.parametrize(
    "text, code",
    [
        (b'{"a":1,"a":1}', "json-duplicate-key"),
        (b'{"a":1,"\\u0061":2}', "json-duplicate-key"),
        (b'{"x":{"deep":[{"a":1,"b":2,"a":3}]}}', "json-duplicate-key"),
        # a colon written as an escape makes up for the colon that goes with the dropped pair
        (b'{"a":1,"a":"\\u003a"}', "json-duplicate-key"),
        (b'{"a":1,"a":"\\u003A"}', "json-duplicate-key"),
        (b'{"a\\u003a":1,"a:":2}', "json-duplicate-key"),
        (b"[NaN]", "json-number"),
        (b"[Infinity]", "json-number"),
        (b"[-Infinity]", "json-number"),
        (b"[1e999]", "json-number"),
        (b"[9007199254740992]", "json-number"),
        (b"[-9007199254740992]", "json-number"),
        (b"[" + b"9" * 10_000 + b"]", "json-number"),
        # Beyond 2^53 with a point: a double has another last digit.
        (b"[9007199254740993.0]", "json-number"),
        (b'[{"a":[-9007199254740993.00]}]', "json-number"),
        (b"[9007199254740993e0]", "json-number"),
        (b"[12345678901234567890.5]", "json-number"),
        (b"[-1e309]", "json-number"),
        (b'["\\ud800"]', "json-surrogate"),
        (b'["\\udc00"]', "json-surrogate"),
        (b'["\\ud800\\ud800\\udc00"]', "json-surrogate"),
        (b'["\\ud800 \\udc00"]', "json-surrogate"),
        (b'["\\ud800\\n"]', "json-surrogate"),
        (b'{"\\udc00":1}', "json-surrogate"),
        (b'["\xed\xa0\x80"]', "json-encoding"),
        (b'["\xff"]', "json-encoding"),
        (b'["\xc0\xaf"]', "json-encoding"),
        (b'{"a":1} x', "json-syntax"),
        (b"[1,]", "json-syntax"),
        (b"[01]", "json-syntax"),
        (b"[+1]", "json-syntax"),
        (b"['a']", "json-syntax"),
        (b'["a\tb"]', "json-syntax"),
        (b'["\\x41"]', "json-syntax"),
        (b'{"a":1', "json-syntax"),
        (b'"abc', "json-syntax"),
        (b'"abc\\', "json-syntax"),
        (b"// no\n[]", "json-syntax"),
        (b"", "json-syntax"),
        (b"[" * 100_000 + b"]" * 100_000, "json-depth"),
        (b'{"a":' * 100_000, "json-depth"),
    ],
)
def test_what_is_not_strict_is_refused(text: bytes, code: str) -> None:
    with pytest.raises(NotStrict) as caught:
        strict(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1.0,"b":1E+5,"c":-0.0,"d":"\\/\\u00e9","e":9007199254740991,"f":false,"a2":null}',
        b'["\\ud83d\\ude00","\\u0000","\\\\ud800","\\\\\\u0041"]',
        b'{"a:b":"c:d","e\\\\u003a":":::"}',
        b"null",
        b'{"type":"a","type2":"a"}',
        # No digit is lost: whoever reads them as doubles has what is written.
        b"[9007199254740992.0,1.0e17,1e300,-1E22,0.1234567890123456789012,9007199254740991.0,1e-400]",
    ],
)
def test_what_is_strict_comes_back_untouched(text: bytes) -> None:
    assert strict(text) == (text, json.loads(text))
    assert strict(b" \r\n\t" + text + b"\n") == (text, json.loads(text))


def test_depth_on_each_side_of_the_limit() -> None:
    assert strict(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(NotStrict, match="json-depth"):
        strict(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
    assert strict(b"[" + b",".join([b"[]"] * 1000) + b',"' + b"[" * 1000 + b'"]')


def test_brackets_in_strings_are_not_depth() -> None:
    assert strict(b'["' + b"[" * 1000 + b'\\"' + b"{" * 1000 + b'"]')


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)


@given(VALUES, st.sampled_from([None, 0, 3, "\t"]), st.booleans())
def test_white_space_goes_and_nothing_else(value: Any, indent: Any, ascii_only: bool) -> None:
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only).encode()
    spaced = json.dumps(value, separators=(" ,\r\n", "\t: "), indent=indent, ensure_ascii=ascii_only).encode()
    compact, read = strict(spaced)
    assert compact == plain
    assert read == value
    assert strict(compact) == (compact, read)


PIECES = [
    '{"a":',
    '"a"',
    ":",
    ",",
    "{",
    "}",
    "[",
    "]",
    "1",
    "-",
    ".5",
    "e9",
    '"',
    "\\",
    "\\u003a",
    "\\ud800",
    "\\udc00",
]
PIECES += ["a", " ", "true", "null", '{"a":1,"a":2}', '"\\u003A"', '"b":', "9007199254740993", "NaN", "é"]
FRAGMENTS = st.lists(st.sampled_from(PIECES), max_size=12)


@given(FRAGMENTS)
def test_any_text_is_judged_as_by_the_plain_reader(fragments: list[str]) -> None:
    text = "".join(fragments).encode()
    assert verdict(text) == expected(text)


KEYS = st.sampled_from(["a", "b", "a:", ":", "é"])
COLONS = st.sampled_from(["", ":", "::"])


@st.composite
def objects_with_duplicates(draw: st.DrawFn, depth: int = 2) -> str:
    """The text of an object whose keys may repeat, with colons plain and escaped."""

    def string(text: str) -> str:
        return (
            '"'
            + "".join(draw(st.sampled_from(["\\u003a", "\\u003A", ":"])) if c == ":" else c for c in text)
            + '"'
        )

    pairs = []
    for _ in range(draw(st.integers(0, 3))):
        value = (
            draw(objects_with_duplicates(depth - 1))
            if depth and draw(st.booleans())
            else string(draw(COLONS))
        )
        pairs.append(string(draw(KEYS)) + ":" + value)
    return "{" + ",".join(pairs) + "}"


@given(objects_with_duplicates())
def test_duplicate_keys_are_found_exactly(text: str) -> None:
    assert verdict(text.encode()) == expected(text.encode())


@given(objects_with_duplicates())
def test_the_quick_way_never_passes_a_duplicate(text: str) -> None:
    if quick(text.encode()) is not None:
        assert expected(text.encode()) is not ValueError
