"""Timestamps at any precision."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intel import timestamp
from app.intel.timestamp import MAX_FRACTION, moment, valid


@pytest.mark.parametrize(
    "text",
    [
        "2016-01-20T12:31:12.123Z",
        "2016-01-20T12:31:12Z",
        "2016-01-20T12:31:12.000Z",
        "2016-01-20T12:31:12.100000Z",
        "2016-01-20T12:31:12.123456789012Z",
        "2024-02-29T00:00:00Z",
        "2000-02-29T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9Z",
    ],
)
def test_valid_ones(text: str) -> None:
    found = moment(text)
    assert found is not None
    assert timestamp.written(found, timestamp.fraction(text)) == text
    assert valid(text)
    # Without zeros behind the fraction, whatever it was written with.
    assert moment(timestamp.written(found, 20)) == found


def test_the_beginnings_of_a_moment_are_its_year_month_and_day() -> None:
    found = moment("2016-01-20T12:31:12.5Z")
    assert found is not None
    lengths = (timestamp.YEAR, timestamp.MONTH, timestamp.DAY, 7, 9)
    assert [timestamp.digits(found[:length]) for length in lengths] == [
        "2016",
        "201601",
        "20160120",
        "20160120123112",
        "20160120123112",
    ]
    assert timestamp.written("", 3) == ""


@pytest.mark.parametrize(
    "text",
    [
        "2016-01-20T12:31:60Z",
        "2016-12-31T23:59:60Z",
        "2016-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2016-04-31T00:00:00Z",
        "2016-13-01T00:00:00Z",
        "2016-00-01T00:00:00Z",
        "2016-01-00T00:00:00Z",
        "2016-01-20T24:00:00Z",
        "0000-01-01T00:00:00Z",
        "2016-01-20T12:31:12",
        "2016-01-20T12:31:12+00:00",
        "2016-01-20t12:31:12Z",
        "2016-01-20T12:31:12z",
        "2016-01-20 12:31:12Z",
        "2016-01-20T12:31:12.Z",
        "2016-01-20T12:31:12,5Z",
        " 2016-01-20T12:31:12Z",
        "2016-01-20T12:31:12Z\n",
        "٢٠١٦-01-20T12:31:12Z",
        "2016-01-20",
        "",
        None,
        1453293072,
    ],
)
def test_bad_ones(text: object) -> None:
    assert moment(text) is None
    assert not valid(text)


def test_the_fraction_has_a_limit() -> None:
    assert valid("2016-01-20T12:31:12." + "1" * MAX_FRACTION + "Z")
    assert not valid("2016-01-20T12:31:12." + "1" * (MAX_FRACTION + 1) + "Z")


SECONDS = st.integers(0, 250_000_000_000)
FRACTIONS = st.text("0123456789", max_size=12)


def written(second: int, fraction: str) -> str:
    whole = datetime(1, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    return f"{whole:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + (f".{fraction}" if fraction else "") + "Z"


@given(SECONDS, FRACTIONS, SECONDS | st.none(), FRACTIONS)
def test_moments_order_as_the_times_do(a: int, a_part: str, b: int | None, b_part: str) -> None:
    b = a if b is None else b
    exact_a, exact_b = a + Decimal(f"0.{a_part or 0}"), b + Decimal(f"0.{b_part or 0}")
    first, second = moment(written(a, a_part)), moment(written(b, b_part))
    assert first is not None
    assert second is not None
    assert (first < second) == (exact_a < exact_b)
    assert (first == second) == (exact_a == exact_b)
    assert timestamp.written(first, len(a_part)) == written(a, a_part)


@given(st.integers(1, 9999), st.integers(0, 13), st.integers(0, 32))
def test_dates_exist_exactly_when_the_calendar_has_them(year: int, month: int, day: int) -> None:
    try:
        datetime(year, month, day, tzinfo=UTC)
        exists = True
    except ValueError:
        exists = False
    assert valid(f"{year:04}-{month:02}-{day:02}T00:00:00Z") == exists


@given(
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]*)?Z?", fullmatch=True
    )
)
def test_what_is_valid_has_a_moment(text: str) -> None:
    assert valid(text) == (moment(text) is not None)
