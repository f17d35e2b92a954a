"""The signed text of an agreement: what is read, what is not, and the strictest of several."""

from __future__ import annotations

from dataclasses import replace

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app.exchange import terms, wording
from app.exchange.terms import KINDS, ONWARD, Clauses
from app.exchange.wording import Unreadable
from app.intel.marking import Level

A, B, C = "a" * 64, "b" * 64, "c" * 64
AT = "2026-06-01T12:00:00.000Z"
PLAIN = Clauses(Level.AMBER, "2026-06-01", "2027-05-31", "2026-07-01")


def body(**changes):
    value = {"by": A, "at": AT} | terms.facts((A, B), PLAIN) | changes
    return {name: item for name, item in value.items() if item is not Ellipsis}


def read(**changes):
    return terms.read_proposal(rfc8785.dumps(body(**changes)))


days = st.dates().map(str)
words = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8})?", fullmatch=True)
some_words = st.none() | st.sets(words, min_size=1, max_size=4).map(lambda found: tuple(sorted(found)))
clauses = st.builds(
    Clauses,
    ceiling=st.sampled_from([level for level in Level if level is not Level.UNREADABLE]),
    start=days,
    until=days,
    open_until=days,
    kinds=st.sets(st.sampled_from(KINDS), min_size=1).map(lambda k: tuple(x for x in KINDS if x in k)),
    sectors=some_words,
    purposes=some_words,
    onward=st.sampled_from(ONWARD),
    receipts=st.sampled_from(terms.RECEIPTS),
    retention=st.none() | st.integers(1, terms.RETENTION_LIMIT),
    exercise=st.booleans(),
    supersedes=st.sets(st.sampled_from([A, B, C])).map(lambda found: tuple(sorted(found))),
).map(lambda one: replace(one, start=min(one.start, one.until), until=max(one.start, one.until)))


@given(clauses)
def test_what_is_written_is_read(some):
    proposal = terms.read_proposal(rfc8785.dumps({"by": B, "at": AT, **terms.facts((B, A), some)}))
    assert proposal == terms.Proposal(B, AT, (A, B), some)


@pytest.mark.parametrize("name", sorted(body().keys() - {"receipts"}))
def test_every_name_must_stand_in_it(name):
    with pytest.raises(Unreadable):
        read(**{name: ...})


def test_an_agreement_of_before_says_nothing_of_receipts_and_means_ids():
    assert "receipts" in body()
    assert read(receipts=...).clauses.receipts == "ids"
    counts = read(receipts="counts").clauses
    assert terms.strictest([counts, read().clauses]).receipts == "counts"


@pytest.mark.parametrize(
    "changes",
    [
        {"by": C},
        {"at": "2026-06-01T12:00:00Z"},
        {"at": "2026-13-01T12:00:00.000Z"},
        {"at": ""},
        {"parties": [A]},
        {"parties": [A, A]},
        {"parties": [B, A]},
        {"parties": [A, B, C]},
        {"parties": [A, "B" * 64]},
        {"parties": A},
        {"ceiling": "amber"},
        {"ceiling": "UNREADABLE"},
        {"ceiling": "WHITE"},
        {"ceiling": 2},
        {"from": "2026-02-30"},
        {"from": "0000-01-01"},
        {"from": "99999-01-01"},
        {"from": "20260601"},
        {"from": "2026-W23-1"},
        {"from": "٢٠٢٦-٠٦-٠١"},
        {"from": "2026-06-01 "},
        {"from": "2027-06-01"},
        {"until": "2026-05-31"},
        {"until": None},
        {"open_until": "2026-6-1"},
        {"kinds": []},
        {"kinds": ["threats", "threats"]},
        {"kinds": list(reversed(KINDS))},
        {"kinds": ["rumours"]},
        {"kinds": None},
        {"sectors": []},
        {"sectors": ["b", "a"]},
        {"sectors": ["a", "a"]},
        {"sectors": ["Energy"]},
        {"sectors": ["a\u202eb"]},
        {"sectors": [""]},
        {"sectors": ["a--b"]},
        {"purposes": ["a b"]},
        {"onward": "always"},
        {"receipts": "all"},
        {"receipts": None},
        {"retention": 0},
        {"retention": -1},
        {"retention": True},
        {"retention": 1.5},
        {"retention": "30"},
        {"exercise": 0},
        {"exercise": None},
        {"supersedes": None},
        {"supersedes": ["f" * 63]},
        {"supersedes": [B, A]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_text_that_says_something_absurd_says_nothing(changes):
    with pytest.raises(Unreadable):
        read(**changes)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"\xef\xbb\xbf" + rfc8785.dumps(body()),
        b" " + rfc8785.dumps(body()),
        rfc8785.dumps(body()) + b"\n",
        rfc8785.dumps(body()).replace(b'{"at"', b'{"by":"x","at"'),
        rfc8785.dumps(body()).replace(b"AMBER", b"\\u0041MBER"),
        rfc8785.dumps(body()).replace(b"null", b"[" * 100_000, 1),
        b'{"a":' * 100_000,
        b"\xff" * 100,
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_whatever_is_not_the_one_form_says_nothing(raw):
    with pytest.raises(Unreadable):
        terms.read_proposal(raw)


def test_limits():
    fits = sorted(f"s{n:02}" for n in range(terms.WORDS_LIMIT))
    assert read(sectors=fits).clauses.sectors == tuple(fits)
    with pytest.raises(Unreadable):
        read(sectors=[*fits, "z"])
    assert read(retention=terms.RETENTION_LIMIT)
    with pytest.raises(Unreadable):
        read(retention=terms.RETENTION_LIMIT + 1)
    assert wording.is_word("a" * 64)
    assert not wording.is_word("a" * 65)
    raw = rfc8785.dumps({"by": A, "at": AT, "of": "agreement", "subject": B})
    assert terms.read_withdrawal(raw)
    with pytest.raises(Unreadable, match="size"):
        terms.read_withdrawal(raw + b" " * (terms.BODY_LIMIT + 1 - len(raw)))
    with pytest.raises(Unreadable, match="canonical"):
        terms.read_withdrawal(raw + b" " * (terms.BODY_LIMIT - len(raw)))


@pytest.mark.parametrize("signature", ["zz", "AB", "abc", "ab ", 5])
def test_a_countersignature_is_hexadecimal(signature):
    with pytest.raises(Unreadable):
        terms.read_countersignature(
            rfc8785.dumps({"by": A, "at": AT, "agreement": B, "signature": signature})
        )


# The strictest ----------------------------------------------------------------------------------------------


@given(st.lists(clauses, min_size=1, max_size=4))
def test_the_strictest_allows_nothing_that_one_of_them_forbids(several):
    found = terms.strictest(several)
    for one in several:
        assert found.ceiling <= one.ceiling
        assert set(found.kinds) <= set(one.kinds)
        assert one.sectors is None or set(found.sectors) <= set(one.sectors)
        assert one.purposes is None or set(found.purposes) <= set(one.purposes)
        assert ONWARD.index(found.onward) <= ONWARD.index(one.onward)
        assert one.retention is None or found.retention <= one.retention
        assert found.exercise or not one.exercise
    assert terms.strictest([*several, *several]) == found
    assert terms.strictest(several[::-1]) == found
    assert terms.strictest([found]) == found


def test_none_has_no_strictest_and_what_excludes_each_other_leaves_nothing():
    assert terms.strictest([]) is None
    found = terms.strictest(
        [
            replace(PLAIN, kinds=("threats",), sectors=("energy",)),
            replace(PLAIN, kinds=("vulnerabilities",), sectors=("water",)),
        ]
    )
    assert found.kinds == found.sectors == ()


def test_changed_clauses_by_the_names_of_the_signed_text():
    other = replace(PLAIN, ceiling=Level.RED, start="2026-06-02", exercise=True)
    assert terms.changed(PLAIN, other) == {
        "ceiling": ("AMBER", "RED"),
        "from": ("2026-06-01", "2026-06-02"),
        "exercise": (False, True),
    }
    assert terms.changed(PLAIN, PLAIN) == {}


@pytest.mark.parametrize(
    "type_, kind",
    [
        ("indicator", "threats"),
        ("ipv4-addr", "threats"),
        ("report", "threats"),
        ("x-made-up", "threats"),
        ("vulnerability", "vulnerabilities"),
        ("course-of-action", "best-practices"),
        ("identity", None),
        ("marking-definition", None),
        ("extension-definition", None),
        ("relationship", None),
    ],
)
def test_the_kind_of_each_type(type_, kind):
    assert terms.kind_of(f"{type_}--{A}") == kind
