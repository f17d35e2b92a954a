"""Comparisons in patterns: those of real ones, and no time lost on hostile ones."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stix2.patterns import StringConstant

from app.intel.patterns import MAX_PATTERN, Comparison, comparisons, demanded


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("[ipv4-addr:value = '198.51.100.1']", [("ipv4-addr:value", "=", False, ("198.51.100.1",))]),
        ("[file:hashes.'SHA-256'='aa']", [("file:hashes.SHA-256", "=", False, ("aa",))]),
        ("[a:b=='x' OR a:c <> 5]", [("a:b", "=", False, ("x",)), ("a:c", "!=", False, ("5",))]),
        ("[a:b NOT = 'x' AND a:c not in ('y')]", [("a:b", "=", True, ("x",)), ("a:c", "IN", True, ("y",))]),
        ("[a:b IN ('x', 'y',3)]", [("a:b", "IN", False, ("x", "y", "3"))]),
        ("[a:b ISSUBSET '10.0.0.0/8']", [("a:b", "ISSUBSET", False, ("10.0.0.0/8",))]),
        ("[a:b LIKE '%x%'] FOLLOWEDBY [c:d MATCHES '^x$']", [
            ("a:b", "LIKE", False, ("%x%",)), ("c:d", "MATCHES", False, ("^x$",))]),
        ("([a:b = 'x'] AND [c:d = 'y']) WITHIN 5 SECONDS", [
            ("a:b", "=", False, ("x",)), ("c:d", "=", False, ("y",))]),
        ("[a:b = 'it\\'s' AND a:c = 'back\\\\slash']", [
            ("a:b", "=", False, ("it's",)), ("a:c", "=", False, ("back\\slash",))]),
        ("[a:b = 'c:d = \\'e\\'']", [("a:b", "=", False, ("c:d = 'e'",))]),
        ("[x:y[*].z[0].'w v' = true]", [("x:y[*].z[0].w v", "=", False, ("true",))]),
        ("[a:b = t'2026-01-01T00:00:00Z'] START t'x' STOP t'y'", [
            ("a:b", "=", False, ("2026-01-01T00:00:00Z",))]),
        ("[a:b = h'ff' AND a:c = b'AA==']", [("a:b", "=", False, ("ff",)), ("a:c", "=", False, ("AA==",))]),
        ("[EXISTS a:b AND c:d = 'x']", [("c:d", "=", False, ("x",))]),
        ("[a:b = -1.5]", [("a:b", "=", False, ("-1.5",))]),
        ("[a:b >= 5 AND a:b<10]", [("a:b", ">=", False, ("5",)), ("a:b", "<", False, ("10",))]),
        ("[a:b = 'x\n\ty']", [("a:b", "=", False, ("x\n\ty",))]),
        ("[a:b = 'unterminated", []),
        ("[a:b 'x' = c:d]", []),
        ("rule x { strings: $a = \"b\" }", []),
        ("", []),
    ],
)  # fmt: skip
def test_comparisons(pattern: str, expected: list[tuple[str, str, bool, tuple[str, ...]]]) -> None:
    assert list(comparisons(pattern)) == [Comparison(*one) for one in expected]


@given(st.text(), st.text())
def test_any_constant_comes_back(one: str, two: str) -> None:
    pattern = f"[a:b = {StringConstant(one)} AND c:d IN ({StringConstant(two)}, {StringConstant(one)})]"
    assert [c.values for c in comparisons(pattern)] == [(one,), (two, one)]


def test_patterns_of_the_corpus(corpus: Path) -> None:
    found = 0
    for name in ("test_event1_stix21", "test_events_collection_stix21"):
        for value in json.loads((corpus / "misp" / f"{name}.json").read_bytes())["objects"]:
            if value["type"] == "indicator":
                found += 1
                assert [c for c in comparisons(value["pattern"]) if c.operator == "=" and c.values[0]]
    assert found


@pytest.mark.parametrize(
    "piece",
    ["'", "'\\", "\\'", "'x\\'", "(", "[", "a:", "a:b", "a:'", "a:b.'", "a:b['x", "a:b[*]", "a-", "a:b IN (", "a:b='",
     "\\", "1", "1.", "=", " ", "a:b.'\\'", "not "],
)  # fmt: skip
def test_no_pattern_takes_long(piece: str) -> None:
    start = time.process_time()
    sum(1 for _ in comparisons(piece * (MAX_PATTERN // len(piece))))
    sum(1 for _ in comparisons("[a:b = '" + piece * (MAX_PATTERN // len(piece))))
    assert time.process_time() - start < 10


@pytest.mark.parametrize("piece", ["a:b = 'x' AND ", "a:b.'c'", "a:b.c", "a:bb", "a:b='x'", "a:b = 'x' OR  "])
def test_no_row_of_equalities_takes_long(piece: str) -> None:
    start = time.process_time()
    sum(1 for _ in demanded(f"[{piece * ((MAX_PATTERN - 2) // len(piece))}]"))
    assert time.process_time() - start < 10


PIECES = st.sampled_from(
    ["[", "]", " ", "  ", "AND", " OR ", "NOT", "IN", "(", ")", ",", "=", " = ", "==", "!=", "a:b", "file:hashes", ".",
     "*", "'x'", "'it\\'s'", "'SHA-256'", "'", "c", "_c", "1", "-", ":", "h'ff'", "'\n'", "[0]", "LIKE",
     "url:value = 'u'"]
)  # fmt: skip


@given(
    st.lists(PIECES, max_size=14).map("".join)
    | st.lists(PIECES, max_size=8).map(lambda found: f"[{' '.join(found)}]")
)
@example("[a:b = 'x' OR a:b.'c d'.e='y']")
@example("[a:b.c = 'x']")
@example("[a:b_c='x' AND d-e:f = '']")
def test_what_is_demanded_is_what_the_comparisons_say(pattern: str) -> None:
    expected = [
        (one.path, value)
        for one in comparisons(pattern)
        if not one.negated and one.operator in ("=", "IN", "ISSUBSET")
        for value in one.values
    ]
    assert list(demanded(pattern)) == expected


def test_what_is_too_long_is_looked_at_in_part() -> None:
    start = "[a:b = 'x' OR "
    inside = start + " " * (MAX_PATTERN - len(start) - len("a:b = 'y'")) + "a:b = 'y']"
    assert len(list(comparisons(inside))) == 2
    assert len(list(comparisons(inside.replace(" a:b = 'y'", "  a:b = 'y'")))) == 1


@given(st.text(st.sampled_from("ab:='.()[]*\\ IN1NOT"), max_size=60))
def test_no_pattern_makes_it_fall_over(pattern: str) -> None:
    for one in comparisons(pattern):
        assert one.values is not None
