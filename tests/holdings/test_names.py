"""A name of letters and figures is one name, however it is written and however it is typed."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.holdings.query import parse
from app.intel.fold import MAX_JOINED, index_text

MARKS = ["", "-", " ", "_", "–", "\u2011", "\u2010"]
letters = st.text("abct", min_size=2, max_size=4)
figures = st.text("0128", min_size=1, max_size=4)
around = (
    st.sampled_from(["", "not ", "(", "x/", "l'", "«", "يستخدم "]),
    st.sampled_from(["", ".", "/y", "'s", ")", ", 7"]),
)


def finds(typed: str, *written: str) -> list[bool]:
    """Which texts are found by what is typed, as the store would ask for its words."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE VIRTUAL TABLE t USING fts5 (text, tokenize = 'unicode61 remove_diacritics 0')")
    base.executemany("INSERT INTO t (rowid, text) VALUES (?, ?)", enumerate(map(index_text, written)))
    asked = parse(typed)
    found = set(range(len(written)))
    for match in filter(None, [asked.match, *(one.match for one in asked.either)]):
        rows = base.execute("SELECT rowid FROM t WHERE t MATCH ?", (f"text : ({match})",))
        found &= {row[0] for row in rows}
    base.close()
    return [number in found for number in range(len(written))]


@given(letters, figures, *around, st.sampled_from(["", " "]), st.integers(0, 3))
def test_one_name_however_it_is_written_and_typed(name, number, before, behind, ended, cut):
    written = [f"{before}{name.upper()}{mark}{number}{behind}" for mark in MARKS]
    whole = number if ended else number[: len(number) - cut] or number
    arabic = whole.translate({ord(digit): 0x660 + int(digit) for digit in whole})
    for mark in MARKS:
        for digits in (whole, arabic):
            assert all(finds(f"{name}{mark}{digits}{ended}", *written)), (mark, digits)
            assert all(finds(f'"{name}{mark}{number}"', *written)), mark


@given(letters, figures, figures, st.sampled_from(MARKS), st.sampled_from(MARKS))
def test_another_number_is_another_name(name, number, other, written, typed):
    (found,) = finds(f"{name}{typed}{other} ", f"{name}{written}{number}")
    assert found == (number == other)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "apt-28.example",
            "from 192.0.2.1",
            "at 10:30",
            "TLS 1.2",
            "paid 5,000",
            "apt-28@mail.example",
            "x.apt-28",
        ),
        *(
            "apt-28a",
            "file:hashes.'SHA-256' = 'ab'",
            "malware--deadbeef-1234-4321-8765-000000000000",
            "28 apt",
        ),
        *("apt\n28", "apt  28", "apt - 28", "a 1", "apt 1234567", "x" * 25 + " 1"),
    ],
)
def test_what_is_no_name_stays_as_it_is(text):
    assert index_text(text) == text.lower()


def test_as_many_names_are_kept_together_as_there_may_be():
    text = " ".join(f"ab {number}" for number in range(MAX_JOINED + 5))
    assert len(index_text(text).split("\n")[1].split()) == MAX_JOINED
    assert len(index_text(text + " x_1 y-1 z\u20101").split("\n")[1].split()) == MAX_JOINED
    # Those beyond are found as they were.
    assert finds(f"ab {MAX_JOINED + 4} ", text) == finds(f"ab-{MAX_JOINED + 4} ", text) == [True]
