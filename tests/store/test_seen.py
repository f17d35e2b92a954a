"""The sieve of ids: nothing that was seen is ever denied, however few the slots are."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store import seen
from app.store.seen import Seen
from tests.support.sites import indicator, take

hashes = st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=40)


class _Held:
    """A store in which objects with these ids are held."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = ids

    def execute(self, sql: str) -> list[tuple[int]]:
        return [(idh,) for idh in self._ids]


@given(hashes, hashes, hashes, st.integers(0, 6), st.integers(0, 50))
def test_what_is_held_or_was_added_is_never_denied(held, added, others, bits, expected):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen, "LEAST", 1)
        patch.setattr(seen, "MOST", 1 << bits)
        sieve = Seen(_Held(held), len(held), expected)
    sieve.add(added)
    asked = [*held, *added, *others]
    assert [one for one in sieve.among(asked) if one in {*held, *added}] == [*held, *added] + [
        one for one in others if one in {*held, *added}
    ]


def test_most_of_what_was_not_seen_is_denied(world):
    take(world.alpha, *(indicator(n) for n in range(20)))
    store = world.alpha.database
    sieve = Seen(store.read(), 20, 1_000)
    chance = Random(5)
    strangers = [chance.getrandbits(63) for _ in range(10_000)]
    assert len(sieve.among(strangers)) < 100
    held = [row[0] for row in store.read().execute("SELECT idh FROM object")]
    assert sieve.among(held) == held


def test_beside_many_that_are_held_a_few_are_simply_looked_for(world):
    take(world.alpha, *(indicator(n) for n in range(20)))
    assert Seen(world.alpha.database.read(), 20, 2).among([1, 2, 3]) == [1, 2, 3]
