"""The runner of the figures: it is found out, and it does not flatter."""

from __future__ import annotations

import pytest

from tests.bench.__main__ import line, names
from tests.bench.figure import Figure, wall_milliseconds


@pytest.mark.parametrize(
    "figure, met",
    [
        (Figure("a", 250, "ms", asked=250), True),
        (Figure("a", 250.1, "ms", asked=250), False),
        (Figure("a", 9, "MB/s", asked=10, better="higher"), False),
        (Figure("a", 10, "MB/s", asked=10, better="higher"), True),
        (Figure("a", 10, "MB/s"), None),
    ],
)
def test_a_bound_is_kept_or_missed(figure: Figure, met: bool | None) -> None:
    assert figure.met is met
    assert ("MISSED" in line(figure)) is (met is False)


def test_the_measuring_modules_are_found() -> None:
    assert "startup" in set(names())
    assert "figure" not in set(names())
    assert list(names(["startup"])) == ["startup"]


def test_a_failing_command_is_no_figure() -> None:
    with pytest.raises(Exception, match="non-zero exit status"):
        wall_milliseconds(["false"], rounds=1)
