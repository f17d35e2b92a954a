"""Ranges of package numbers: inclusive pairs, ascending, not touching, as manifests carry them."""

from __future__ import annotations

from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]


def ranges(values: Iterable[int]) -> Ranges:
    """The numbers as inclusive ranges, ascending, not touching."""
    result: list[tuple[int, int]] = []
    for value in sorted(set(values)):
        if result and result[-1][1] == value - 1:
            result[-1] = (result[-1][0], value)
        else:
            result.append((value, value))
    return tuple(result)


def numbers(given: Ranges, least: int = 0, most: int | None = None) -> list[int]:
    """The numbers in ranges that lie in least..most: a hostile range of 2^53 costs nothing."""
    result: list[int] = []
    for start, end in given:
        result.extend(range(max(start, least), (end if most is None else min(end, most)) + 1))
    return result


def contains(given: Ranges, number: int) -> bool:
    """Whether `number` lies in one of the ranges."""
    return any(start <= number <= end for start, end in given)


def spoken(given: Iterable[tuple[int, int]]) -> str:
    """The numbers as people write them: 3, 5-7."""
    return ", ".join(str(start) if start == end else f"{start}-{end}" for start, end in given) or "-"
