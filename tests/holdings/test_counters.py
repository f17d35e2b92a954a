"""Whatever is done to what is held, the counters and indexes say what is there."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.holdings import browsing, handling, purge, revoking, taking_back
from app.jobs import quiet
from app.store import objects, origins
from tests.holdings.test_revoking import IDENTITY, SIDES, bring, clean, moves
from tests.support.sites import copied, peer, problems


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("counters")) as found:
        yield found.alpha


def purged(site, chance):
    rows = browsing.page(site, browsing.selection()).rows
    if rows:
        purge.purge_listed(site, [chance.choice(rows).id], quiet())


def taken_back(site, chance):
    acts = [row[0] for row in site.database.read().execute("SELECT number FROM origin ORDER BY number")]
    if acts:
        with site.database.write() as tx:
            act = chance.choice(acts)
            vids = [version.vid for _, _, version in origins.brought_by(tx, [act])]
            taking_back.take_back(tx, site, vids, [act], quiet())


def pinned(site, chance):
    side = chance.choice(SIDES)
    revoking.pin(site, IDENTITY, revoking.OURS if side == "ours" else peer(site, side).cid)


def resolved(site, chance):
    for row in browsing.page(site, browsing.selection()).rows:
        if row.variants > 1:
            beside = objects.versions_at(site.database.read(), row.oid, row.moment)
            kept = chance.choice([version for version in beside if not version.dropped])
            handling.resolve(site, row.id, kept.sha256.hex())


acts = moves.map(lambda move: ("bring", move)) | st.tuples(
    st.sampled_from([purged, taken_back, pinned, resolved]), st.randoms()
)


@settings(max_examples=8)
@given(st.lists(acts, min_size=3, max_size=12))
def test_counters_and_indexes_follow(site, given_):
    clean(site)
    for act, what in given_:
        if act == "bring":
            bring(site, *what)
        else:
            act(site, what)
        assert problems(site) == []
