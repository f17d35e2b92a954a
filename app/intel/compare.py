"""Equality of JSON values: what decides between *same* and *conflict*.

Source: RFC 8259. Objects compare without order, arrays with it, strings by code point, numbers by their
mathematical value (1 is 1.0, and an integer never loses digits to a float); true is not 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


def same_value(a: object, b: object) -> bool:
    """Whether `a` and `b` are the same JSON value."""
    # Python's own equality is coarser than JSON's, and fast: it takes true for 1 and differs in nothing else.
    return bool(a == b) and _no_bool_for_number(a, b)


def changed(a: Mapping[str, object], b: Mapping[str, object]) -> tuple[str, ...]:
    """The properties of `a` and `b` whose values differ, those only one of them has included; sorted."""
    return tuple(
        sorted(
            key
            for key in a.keys() | b.keys()
            if key not in a or key not in b or not same_value(a[key], b[key])
        )
    )


@dataclass(frozen=True)
class Difference:
    """A place where two objects differ: a JSON Pointer (RFC 6901), and the values there; ABSENT where there is none."""

    path: str
    before: object
    after: object


ABSENT = object()


def differences(a: Mapping[str, object], b: Mapping[str, object], path: str = "") -> Iterator[Difference]:
    """Where `a` and `b` differ, property by property; into objects, and not into arrays: there the order counts."""
    for key in changed(a, b):
        before, after = a.get(key, ABSENT), b.get(key, ABSENT)
        place = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if isinstance(before, dict) and isinstance(after, dict):
            yield from differences(before, after, place)
        else:
            yield Difference(place, before, after)


def _no_bool_for_number(a: object, b: object) -> bool:
    if isinstance(a, str) or a is None:
        return True
    if isinstance(a, dict) and isinstance(b, dict):
        return all(_no_bool_for_number(value, b[key]) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return all(map(_no_bool_for_number, a, b))
    return isinstance(a, bool) == isinstance(b, bool)
