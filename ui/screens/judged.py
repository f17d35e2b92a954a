"""A release decision laid out for the screen: verdicts in groups, rows made when looked at, what leaves counted.

Runs in a worker; knows no widget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.exchange.gate import ALREADY_HAS, LEAVES
from app.exchange.releases import Decision, Item
from app.holdings.titles import Title
from app.intel.marking import Level
from ui import reading
from ui.screens.named import named
from ui.widgets.paging import Cell, Made, Row
from ui.words import type_word

NAMED = 400  # rows of a group whose names are fetched at once


@dataclass(frozen=True)
class Judged:
    """A decision with the names of what it is about."""

    decision: Decision
    names: Mapping[str, Title]
    groups: tuple[tuple[str, tuple[Item, ...]], ...]  # by code: held first, largest first, leaves last
    types: tuple[tuple[str, int], ...]  # of what leaves, most first
    levels: tuple[tuple[Level, int], ...]  # of what leaves, strictest first

    def count(self, code: str) -> int:
        """How many objects have this verdict."""
        return sum(len(items) for known, items in self.groups if known == code)


def judged(decision: Decision, names: Mapping[str, Title]) -> Judged:
    """A decision laid out for the screen; runs in a worker."""
    by_code: dict[str, list[Item]] = {}
    for item in decision.items:
        by_code.setdefault(item.code, []).append(item)
    order = sorted(by_code, key=lambda code: (_rank(code), -len(by_code[code])))
    leaving = decision.leaving
    return Judged(
        decision,
        names,
        tuple((code, tuple(by_code[code])) for code in order),
        tuple(Counter(item.type for item in leaving).most_common()),
        tuple(sorted(Counter(item.level for item in leaving).items(), reverse=True)),
    )


def _rank(code: str) -> int:
    return 2 if code == LEAVES else 1 if code == ALREADY_HAS else 0


def rows(items: Sequence[Item], names: Mapping[str, Title]) -> Made[Item]:
    """Rows made when they are looked at: a verdict may be about a hundred thousand objects."""
    return Made(items, lambda item: _row(item, names))


def _row(item: Item, names: Mapping[str, Title]) -> Row:
    level = reading.level_label(int(item.level))
    handled = item.handling is not None and item.handling == item.level
    return Row(
        (
            named(item.type, names.get(item.id) or Title(item.id)),
            Cell(level=level, handled=handled),
            Cell(type_word(item.type)),
        ),
        data=item,
    )
