"""What is held already is told, with the objects about it and from whom they came."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.holdings import correlation
from app.holdings.correlation import HOLDERS, Correlation
from app.intel.observables import Observable, observables
from tests.holdings.test_laws import emptied
from tests.holdings.test_revoking import bring
from tests.support.sites import T1, copied, indicator, take, thing


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("correlation")) as found:
        yield found.alpha


VALUES = ["198.51.100.1", "198.51.100.2", "evil.example", "EVIL.example", "abcd" * 8]


def about(number, *values):
    pattern = " OR ".join(
        f"ipv4-addr:value = '{value}'"
        if value[0] == "1"
        else f"file:hashes.MD5 = '{value}'"
        if value[0] == "a"
        else f"domain-name:value = '{value}'"
        for value in values
    )
    return indicator(number, pattern=f"[{pattern}]")


some = st.builds(
    lambda number, values: about(number, *values),
    st.integers(1, 6),
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=3),
)


@settings(max_examples=50)
@given(st.lists(some, max_size=6), st.lists(some, min_size=1, max_size=4))
def test_hits_are_what_other_objects_are_about(site, held, coming):
    take(emptied(site), *held) if held else emptied(site)
    kept = {}
    for value in held:
        # The same id and moment with other content: both are in force.
        kept.setdefault(value["id"], set()).update(observables(value))
    found = Correlation(site.database.read())
    for value in coming:
        expected = {}
        for one in observables(value):
            others = {id_ for id_, theirs in kept.items() if one in theirs and id_ != value["id"]}
            if others:
                expected[one] = others
        hits = found.hits(value)
        assert [hit.observable for hit in hits] == [one for one in observables(value) if one in expected]
        for hit in hits:
            assert hit.count == len(expected[hit.observable])
            assert {one.id for one in hit.holders} <= expected[hit.observable]
            assert len(hit.holders) == min(HOLDERS, hit.count)


def test_an_import_tells_what_was_held_before_it_and_from_whom(site):
    emptied(site)
    bring(site, "beta", about(1, "evil.example"))
    take(site, about(2, "198.51.100.1"), name="feed.json")
    counts = take(
        site, about(3, "EVIL.example", "198.51.100.9"), about(4, "198.51.100.9"), about(2, "198.51.100.1")
    )
    ((id_, hit),) = counts.first_hits
    assert (id_, hit.observable, counts.hits) == (
        about(3)["id"],
        Observable("domain-name", "evil.example"),
        1,
    )
    assert [(one.id, one.kind, one.source) for one in hit.holders] == [(about(1)["id"], "package", "beta")]
    newer = take(site, about(2, "evil.example") | {"modified": T1})
    assert newer.hits == 1
    ((_, hit),) = newer.first_hits
    assert (hit.count, {one.source for one in hit.holders}) == (2, {"beta", "file"})


def test_what_comes_together_hits_nothing_of_itself(site, monkeypatch):
    from app.holdings import importing

    monkeypatch.setattr(importing, "STEP", 1)
    take(emptied(site), about(1, "198.51.100.1"))
    assert take(site, about(2, "evil.example"), about(3, "evil.example"), about(4, "EVIL.example")).hits == 0


def test_not_every_hit_is_told_in_full(site, monkeypatch):
    from app.holdings import importing

    monkeypatch.setattr(importing, "HITS", 3)
    monkeypatch.setattr(correlation, "BATCH", 2)
    addresses = [f"198.51.100.{number}" for number in range(8)]
    take(
        emptied(site),
        *(thing("ipv4-addr", n, value=a, name=None, modified=None) for n, a in enumerate(addresses)),
    )
    counts = take(site, about(1, *addresses))
    assert (counts.hits, len(counts.first_hits)) == (8, 3)
