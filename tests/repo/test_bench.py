"""The runner of the figures: it is found out, and it does not flatter."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.intel import ids, marking
from app.intel.envelope import envelope
from app.intel.reading import Entry, read_bundle
from tests.bench import synthetic
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
    assert {"figure", "synthetic"}.isdisjoint(names())
    assert list(names(["startup"])) == ["startup"]


def test_a_failing_command_is_no_figure() -> None:
    with pytest.raises(Exception, match="non-zero exit status"):
        wall_milliseconds(["false"], rounds=1)


def test_synthetic_bundles_are_the_same_for_a_seed_and_read_without_a_fault(tmp_path: Path) -> None:
    size = synthetic.write(tmp_path / "a", 3000)
    synthetic.write(tmp_path / "b", 3000)
    raw = (tmp_path / "a").read_bytes()
    assert len(raw) == size
    assert raw == (tmp_path / "b").read_bytes()
    values = list(synthetic.values(3000))
    assert values[:500] == list(synthetic.values(500))
    assert [entry.value for entry in read_bundle(raw) if isinstance(entry, Entry)] == values
    assert list(synthetic.values(50, seed=2)) != values[:50]
    kinds = {value["type"] for value in values}
    assert kinds == (synthetic.SCHEDULE.keys() - {"version"}) | {"marking-definition"}
    assert all(value["id"] == ids.sco_id(value) for value in values if value["type"] in ids.CONTRIBUTING)
    held = {value["id"] for value in values}
    refs = [ref for value in values for ref in envelope(value).refs if ref not in marking.LEVELS]
    assert 0 < sum(ref not in held for ref in refs) < len(refs) / 50
