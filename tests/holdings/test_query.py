"""The query language: what each word and filter means, and where a mistake is."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.holdings.query import FILTERS, QUERY_LIMIT, parse
from app.intel.marking import Level
from app.intel.observables import Observable
from app.intel.timestamp import moment
from app.messages import Refused
from app.store.conditions import Named, Selection

DAY, MONTH = moment("2025-01-01T00:00:00Z")[:4], moment("2025-02-01T00:00:00Z")[:3]
YEAR, INSTANT = moment("2026-01-01T00:00:00Z")[:2], moment("2025-01-01T00:00:00.5Z")


@pytest.mark.parametrize(
    "text, selected",
    [
        ("", Selection()),
        ("  ", Selection()),
        ("beacon", Selection(match='"beacon"*')),
        ("beacon ", Selection(match='"beacon"')),
        ("red beacon", Selection(match='"red" "beacon"*')),
        ('"red  beacon"', Selection(match='"red  beacon"')),
        (r'"a \"b\" \\c"', Selection(match='"a ""b"" \\c"')),
        ('"', None),
        ("أحمد", Selection(match='"احمد"*')),
        ("؟!", Selection(match='"\x01"')),
        ("type:indicator Type:Malware", Selection(types=("indicator", "malware"))),
        ("marking:red marking:none", Selection(levels=(-1, int(Level.RED)))),
        ("marking:unreadable", Selection(levels=(int(Level.UNREADABLE),))),
        ('source:"CERT B" x', Selection(sources=(Named("CERT B", 1),), match='"x"*')),
        ("x counterpart:b", Selection(counterparts=(Named("b", 3),), match='"x"*')),
        (
            "after:2025-01-01 before:2026",
            Selection(after=DAY, before=YEAR),
        ),
        ("after:2025-01-01T00:00:00.500Z", Selection(after=INSTANT)),
        ("before:2025-02", Selection(before=MONTH)),
        ("confidence:70", Selection(confidence=(70, 100))),
        ("confidence:10..20", Selection(confidence=(10, 20))),
        ("confidence:10..", Selection(confidence=(10, 100))),
        ("technique:t1059.001 technique:T1003", Selection(techniques=("T1059.001", "T1003"))),
        ("revoked:yes conflict:no", Selection(revoked=True, conflict=False)),
        (
            "id:malware--00000000-0000-4000-8000-000000000001",
            Selection(id="malware--00000000-0000-4000-8000-000000000001"),
        ),
    ],
)
def test_what_a_query_selects(text: str, selected: Selection | None) -> None:
    if selected is None:
        with pytest.raises(Refused):
            parse(text)
    else:
        assert parse(text) == selected


def test_a_word_that_looks_like_a_part_of_an_observable_finds_it_inside_one() -> None:
    (one,) = parse("evil.exam").either
    assert (one.match, one.part, one.begins) == ('"evil.exam"*', '"evil.exam"', "evil.exam")
    (one,) = parse("hxxp://evil[.]example").either
    assert Observable("url", "http://evil.example") in one.values
    assert one.part == '"http://evil.example"'
    (one,) = parse("44D88612FEA8A8F3").either
    assert one.begins == "44d88612fea8a8f3"
    (one,) = parse("198.51.100.7 beacon").either
    assert one.match == '"198.51.100.7"'
    assert one.values[0] == Observable("ipv4-addr", "198.51.100.7")
    assert [network.value for network in one.values[1:]][::8] == [
        "198.0.0.0/8",
        "198.51.0.0/16",
        "198.51.100.0/24",
    ]


def test_addresses_that_begin_like_a_filter_are_words() -> None:
    for text in ("http://x.example", "hxxps://x[.]example/a:b", "fe:ed:be:ef:00:01", "dead:beef::1"):
        assert parse(text).either, text


@pytest.mark.parametrize(
    "text, code, at",
    [
        ('x "y', "query-quote", 3),
        ('source:"y', "query-quote", 8),
        ('"y"z', "query-quote", 4),
        ("colour:red", "query-filter", 1),
        ("x domain-name:value", "query-filter", 3),
        ("x type:", "query-value", 3),
        ('x type:""', "query-value", 3),
        ("type:A_B", "query-value", 1),
        ("marking:pink", "query-value", 1),
        ("after:2025-13-01", "query-value", 1),
        ("after:2025-02-30", "query-value", 1),
        ("after:yesterday", "query-value", 1),
        ("confidence:high", "query-value", 1),
        ("confidence:101", "query-value", 1),
        ("confidence:20..10", "query-value", 1),
        ("technique:1059", "query-value", 1),
        ("revoked:maybe", "query-value", 1),
        ("id:malware--1", "query-value", 1),
        ("part:ab", "query-value", 1),
        ("domain:a/b", "query-value", 1),
        ("hash:xyz1", "query-value", 1),
        ("hash:abc", "query-value", 1),
        ("after:2025 after:2026", "query-twice", 12),
        ("x" * (QUERY_LIMIT + 1), "query-too-long", None),
    ],
)
def test_a_mistake_has_a_code_and_a_place(text: str, code: str, at: int | None) -> None:
    with pytest.raises(Refused) as caught:
        parse(text)
    assert (caught.value.code, caught.value.facts.get("at")) == (code, at)


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from([*(f"{name}:" for name in FILTERS), '"', "\\", "a", " ", "1"])).map("".join)
)
def test_no_text_makes_it_fall_over(text: str) -> None:
    with contextlib.suppress(Refused):
        parse(text)


def test_observables_are_asked_for_by_filters() -> None:
    assert parse("value:198[.]51.100.7").either[0].values[0].value == "198.51.100.7"
    assert parse("part:VIL[.]Exam").either[0].part == '"vil.exam"'
    assert parse("domain:*.evil[.]example").either[0].domain == "evil.example"
    assert parse("hash:ABCD").either[0].begins == "abcd"
    assert parse("hash:sha256:abcd12").either[0].kinds == ("sha-256",)
