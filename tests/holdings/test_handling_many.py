"""Many objects treated more strictly at once: none is ever treated less strictly by it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.holdings import browsing, handling
from app.intel.marking import Level
from app.jobs import Cancelled, Job, quiet
from app.messages import Refused
from tests.support.sites import AMBER, CLEAR, acts, definition, indicator, problems, release, state, take

LEVELS = [level for level in Level if level is not Level.UNREADABLE]
ALL = browsing.selection()


def levels(site):
    return {row.id: row.level for row in browsing.page(site, ALL, 100).rows}


@given(
    st.lists(
        st.tuples(
            st.integers(1, 6),
            st.sampled_from([None, CLEAR, AMBER, definition(9, "red")["id"]]),
            st.sampled_from(LEVELS),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sets(st.integers(1, 6)),
    st.sampled_from(LEVELS),
)
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_each_ends_at_that_level_or_where_it_was(world, held, chosen, level):
    site = world.alpha
    for number, mark, handled in held:
        take(site, indicator(number, mark), handling=handled)
    before = levels(site)
    ids = [id_ for n in chosen if (id_ := indicator(n)["id"]) in before]
    raised = handling.raise_listed(site, ids, level, quiet())
    after = levels(site)
    assert after == {id_: max(was, level) if id_ in ids else was for id_, was in before.items()}
    assert raised.objects == sum(after[id_] != was for id_, was in before.items())
    assert handling.raise_listed(site, ids, level, quiet()).objects == 0
    assert problems(site) == []


def test_it_is_one_entry_of_the_log_and_none_for_nothing(world):
    site = world.alpha
    take(site, indicator(1), indicator(2), indicator(3, AMBER))
    said = len(acts(site))
    ids = [indicator(n)["id"] for n in (1, 2, 3)]
    assert handling.raise_listed(site, ids, Level.GREEN, quiet()).objects == 2
    assert acts(site)[said:] == ["handling.raised"]
    assert handling.raise_listed(site, ids, Level.GREEN, quiet()).objects == 0
    assert acts(site)[said:] == ["handling.raised"]


def test_it_is_said_to_whom_they_went_out(world):
    site = world.alpha
    take(site, indicator(1), indicator(2))
    release(site, "beta", indicator(1)["id"])
    raised = handling.raise_listed(site, [indicator(n)["id"] for n in (1, 2)], Level.RED, quiet())
    assert [(one.id, one.to) for one in raised.given] == [(indicator(1)["id"], "beta")]


def test_all_or_none(world):
    site = world.alpha
    take(site, *(indicator(n) for n in range(1, 1_201)))
    before = state(site)
    with pytest.raises(Refused, match="object-unknown"):
        handling.raise_listed(site, [indicator(1)["id"], indicator(5_000)["id"]], Level.RED, quiet())
    assert state(site) == before
    with pytest.raises(Refused, match="level-unknown"):
        handling.raise_listed(site, [indicator(1)["id"]], Level.UNREADABLE, quiet())

    class Impatient(Job):
        def step(self, done, total, stage):
            if done:
                self.cancel()
            super().step(done, total, stage)

    with pytest.raises(Cancelled):
        handling.raise_many(site, browsing.oids(site, ALL), Level.RED, Impatient())
    assert state(site) == before
    assert handling.raise_many(site, browsing.oids(site, ALL), Level.RED, quiet()).objects == 1_200
