"""What an export would hold is what it holds: objects, versions, and the strictest level of each."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.holdings import attachments, browsing, exporting, handling, purge
from app.intel.marking import IDS, Level
from app.jobs import quiet
from app.messages import Refused
from tests.support.sites import T1, T2, indicator, relationship, take

ALL = browsing.selection()
READABLE = [level for level in Level if level is not Level.UNREADABLE]


def written(site, chosen, closure=False):
    return json.loads(b"".join(exporting.bundle(site, chosen, quiet(), closure)))["objects"]


def test_an_older_version_or_a_handling_makes_an_object_stricter(world, tmp_path):
    site = world.alpha
    take(
        site,
        indicator(1, IDS[Level.RED]),
        indicator(2),
        indicator(3, None),
        indicator(4, "marking-definition--x"),
    )
    take(site, indicator(1, IDS[Level.GREEN], modified=T1), indicator(2, modified=T1))
    handling.set_level(site, indicator(2)["id"], Level.AMBER_STRICT)
    (tmp_path / "file").write_bytes(b"x")
    attachments.attach(site, tmp_path / "file", indicator(3)["id"], "", None, quiet())
    found = exporting.contents(site, ALL)
    assert found.levels[:3] == ((Level.UNREADABLE, 1), (Level.RED, 1), (Level.AMBER_STRICT, 1))
    assert (found.objects, found.versions, found.attachments) == (4, 6, 1)
    (one,) = browsing.oids(site, browsing.selection(id_query(1)))
    assert exporting.contents(site, (one,)) == exporting.Contents(1, 2, ((Level.RED, 1),), 0)


def id_query(number):
    return indicator(number)["id"]


def test_closure_counts_what_comes_with_it(world):
    site = world.alpha
    take(site, indicator(1), indicator(2, IDS[Level.RED]), relationship(3, indicator(1), indicator(2)))
    found = browsing.oids(site, browsing.selection("type:relationship"))
    assert exporting.contents(site, found).levels == ((Level.CLEAR, 1),)
    with_all = exporting.contents(site, found, closure=True)
    assert (with_all.objects, with_all.levels[0]) == (3, (Level.RED, 1))
    assert len(written(site, found, closure=True)) == 3


def test_what_was_seen_is_what_is_written(world):
    site = world.alpha
    take(site, indicator(1), indicator(2))
    seen = exporting.contents(site, ALL)
    exporting.confirm(site, ALL, False, seen)
    take(site, indicator(2, IDS[Level.RED], modified=T2))
    with pytest.raises(Refused, match="export-changed"):
        exporting.confirm(site, ALL, False, seen)
    picked = tuple(browsing.oids(site, ALL))
    seen = exporting.contents(site, picked)
    purge.purge_listed(site, [indicator(1)["id"]], quiet())
    with pytest.raises(Refused, match="export-changed"):
        exporting.confirm(site, picked, False, seen)


@given(
    versions=st.lists(
        st.tuples(st.integers(1, 5), st.sampled_from([T1, T2]), st.sampled_from([*READABLE, None])),
        min_size=1,
        max_size=8,
    ),
    picked=st.sets(st.integers(1, 5)),
)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_numbers_are_those_of_the_bundle(world, versions, picked):
    # The store keeps what earlier examples brought: nothing that is drawn may depend on what it holds.
    site = world.alpha
    take(site, *(indicator(n, IDS.get(level), modified=at) for n, at, level in versions))
    some = tuple(oid for n in sorted(picked) for oid in browsing.oids(site, browsing.selection(id_query(n))))
    for chosen in (ALL, some):
        found, objects = exporting.contents(site, chosen), written(site, chosen)
        assert found.versions == len(objects) == exporting.count(site, chosen)
        assert found.objects == len({one["id"] for one in objects}) == sum(n for _level, n in found.levels)
        assert (
            list(found.levels) == sorted(found.levels, key=lambda one: -1 if one[0] is None else one[0])[::-1]
        )
