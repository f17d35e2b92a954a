"""The rows of objects and versions are held against the texts they come from, and made anew from those."""

from __future__ import annotations

import pytest

from app import vault
from app.holdings import browsing
from app.jobs import quiet
from tests.support.sites import AMBER, T1, definition, indicator, problems, state, take

OWN = definition(9, "amber")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE version SET marking = 0 WHERE marking = 2",
        "UPDATE version SET fraction = 6",
        "UPDATE object SET name = 'another' WHERE type = 'indicator'",
        "UPDATE object SET fraction = 6",
        "UPDATE object SET confidence = 3 WHERE confidence = 70",
        "UPDATE object SET variants = 3 WHERE variants = 2",
        "DELETE FROM marked",
        "UPDATE version SET moment = (SELECT max(moment) FROM version) WHERE moment <> ''",
        "UPDATE version SET dropped = 1 WHERE vid = (SELECT max(vid) FROM version)",
    ],
)
def test_what_stands_in_rows_is_held_against_the_texts(world, sql):
    alpha = world.alpha
    take(alpha, OWN, indicator(1, OWN["id"], confidence=70), indicator(2, AMBER))
    take(alpha, indicator(2, AMBER, modified=T1), indicator(3), indicator(3, name="clash"))
    assert problems(alpha) == []
    with alpha.database.write() as tx:
        assert tx.execute(sql).rowcount
    assert set(problems(alpha)) >= {"index-wrong"}
    vault.mend(alpha, quiet())
    assert problems(alpha) == []


def test_what_stands_right_stays_as_it_is(world):
    alpha = world.alpha
    take(alpha, indicator(1, OWN["id"]), OWN, indicator(2, None), indicator(3), indicator(3, name="clash"))
    before = dict(state(alpha))
    vault.mend(alpha, quiet())
    after = dict(state(alpha))
    assert (after["object"], after["version"], after["marked"]) == (
        before["object"],
        before["version"],
        before["marked"],
    )
    assert browsing.show(alpha, indicator(1)["id"]).row.level == 2
