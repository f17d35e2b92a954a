"""Equality of JSON values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intel.compare import ABSENT, changed, differences, same_value

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, -0.0, 1.5, "", "1", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "a, b",
    [
        ("1", "1.0"),
        ("100", "1e2"),
        ("0", "-0.0"),
        ('{"a":1,"b":[true,null]}', '{ "b" : [true, null], "a" : 1.00 }'),
        ('"\\u00e9\\/"', '"é/"'),
        ("9007199254740993", "9007199254740993"),
    ],
)
def test_same(a: str, b: str) -> None:
    assert same_value(json.loads(a), json.loads(b))


@pytest.mark.parametrize(
    "a, b",
    [
        ("1", "true"),
        ("0", "false"),
        ("1.0", "true"),
        ("[1]", "[true]"),
        ('{"a":{"b":[0]}}', '{"a":{"b":[false]}}'),
        ("null", "false"),
        ("null", "{}"),
        ("[1,2]", "[2,1]"),
        ("9007199254740993", "9007199254740992"),
        ("9007199254740993", "9007199254740992.0"),
        ('"é"', '"e\\u0301"'),
        ('{"a":null}', "{}"),
    ],
)
def test_different(a: str, b: str) -> None:
    assert not same_value(json.loads(a), json.loads(b))


def canonical(value: Any) -> Any:
    """A form that Python compares as JSON does: numbers and truth values set apart."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return ("other", type(value).__name__, value)
    if isinstance(value, int | float):
        return ("number", value)
    if isinstance(value, list):
        return ("list", [canonical(item) for item in value])
    return ("object", {key: canonical(item) for key, item in value.items()})


@given(JSON, JSON)
def test_it_is_json_equality(a: Any, b: Any) -> None:
    assert same_value(a, b) == (canonical(a) == canonical(b))
    assert same_value(a, a)
    assert same_value(a, b) == same_value(b, a)


def test_changed_names_the_properties() -> None:
    old = {"id": "x", "name": "a", "revoked": False, "labels": ["a"], "n": 1}
    new = {"id": "x", "name": "b", "labels": ["a"], "n": 1.0, "confidence": 1}
    assert changed(old, new) == ("confidence", "name", "revoked")
    assert changed(old, old) == ()
    assert changed({"a": 1}, {"a": True}) == ("a",)
    assert changed({"a": None}, {}) == ("a",)


@given(st.dictionaries(st.sampled_from("abc"), JSON), st.dictionaries(st.sampled_from("abc"), JSON))
def test_changed_is_empty_exactly_for_the_same(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert (changed(a, b) == ()) == same_value(a, b)
    assert changed(a, b) == changed(b, a)


def patched(value: Any, path: str, after: object) -> None:
    """Put `after` at a JSON Pointer of `value`, or take away what is there."""
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    for part in way:
        value = value[part]
    if after is ABSENT:
        del value[last]
    else:
        value[last] = after


OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "a/b", "~1", ""]), JSON, max_size=4)


@given(OBJECTS, OBJECTS)
def test_differences_lead_from_one_to_the_other(a, b):
    one = json.loads(json.dumps(a))
    for found in differences(a, b):
        patched(one, found.path, found.after)
    assert same_value(one, b)
    assert (not list(differences(a, b))) == same_value(a, b)
