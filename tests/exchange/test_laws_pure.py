"""Laws of the exchange for three installations, on the pure state (`model`): random schedules of everything.

All converge, nothing is accepted twice, nothing is lost without being named, nothing goes where nobody let it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from app.exchange import channel as machine
from app.exchange import consents, gate
from tests.exchange.model import Schedule

SHORT, LONG = 15, 60


def run(seeds: range, steps: int) -> Counter[str]:
    """What happened in these schedules; the seed of one that breaks a law is in the message."""
    seen = Counter[str]()
    for seed in seeds:
        schedule = Schedule(seed)
        try:
            schedule.run(steps)
        except AssertionError as error:
            raise AssertionError(f"Schedule({seed}).run({steps}): {error}") from error
        seen += schedule.seen
    return seen


def test_ten_thousand_schedules_keep_the_laws():
    seen = run(range(10_000), SHORT)
    assert min(seen[what] for what in ("leaves", "onward", "held", "duplicate", "restored", "closed")) > 10


@pytest.mark.torture
@pytest.mark.timeout(3000)
def test_a_hundred_thousand_longer_schedules_keep_the_laws():
    run(range(100_000, 200_000), LONG)


def test_longer_schedules_keep_the_laws():
    assert run(range(100), LONG)["onward"] > 5


def boasting(receiving):
    ack = ACKNOWLEDGEMENT(receiving)
    return None if ack is None else replace(ack, upto=ack.upto + 1)


ACKNOWLEDGEMENT = machine.acknowledgement


@pytest.mark.parametrize(
    "module, name, broken",
    [
        (machine, "acknowledgement", boasting),
        (machine, "missing", lambda receiving: ()),
        (gate, "onward", lambda one, terms: ""),
        (consents, "in_force", lambda known, today: known.consents),
    ],
)
def test_a_broken_rule_is_found(monkeypatch, module, name, broken):
    monkeypatch.setattr(module, name, broken)
    with pytest.raises((AssertionError, KeyError)):
        run(range(1_000), LONG)
