"""Numbers, dates and lists as each language writes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app import messages
from app.direction import bare
from app.messages import listed
from ui import numbers


@pytest.fixture
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    messages.use_language(request.param)
    numbers.use_arabic_digits(request.param == "ar")
    yield request.param
    messages.use_language("en")
    numbers.use_arabic_digits(False)


@pytest.mark.parametrize(
    "language, number, size, moment, list_",
    [
        ("en", "24,771", "1.5 kB", "22 Nov 2026, 09:14", "a, b"),
        ("ar", "٢٤٬٧٧١", "١٫٥ كيلوبايت", "٢٢ نوفمبر ٢٠٢٦، ٠٩:١٤", "a، b"),
        ("fr", "24\u202f771", "1,5 ko", "22 nov. 2026, 09:14", "a, b"),
    ],
    indirect=["language"],
)
def test_each_language_has_its_own(language: str, number: str, size: str, moment: str, list_: str) -> None:
    assert numbers.number(24_771) == number
    assert numbers.size(1_500) == size
    assert numbers.moment("2026-11-22T09:14:00Z") == moment
    assert bare(listed(["a", "b"])) == list_
