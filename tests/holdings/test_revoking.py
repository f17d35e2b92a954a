"""A revocation counts only from the side an object is from."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.holdings import browsing, importing, purge, revoking, taking_back
from app.holdings.importing import Incoming
from app.intel import timestamp
from app.intel.marking import Level
from app.intel.prepared import prepare_text
from app.jobs import quiet
from app.messages import Refused
from app.store import counterparts, objects, origins
from tests.holdings.test_laws import emptied
from tests.support.sites import T0, T1, T2, copied, indicator, peer, problems, take, thing

OURS = "ours"
PACKAGES = itertools.count(1)
SIDES = [OURS, "beta", "mallory"]
IDENTITY, OTHER = (thing("identity", number, created=T0)["id"] for number in (77, 78))


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("revoking")) as found:
        yield found.alpha


def clean(site):
    with site.database.write() as tx:
        tx.execute("DELETE FROM creator")
    return emptied(site)


def bring(site, side, *values):
    """Take objects in as if they came from that side."""
    if side == OURS:
        return take(site, *values)
    with site.database.write() as tx:
        origin = origins.add(
            tx, "package", peer(site, side).fingerprint, next(PACKAGES), "R", "2026-01-01T00:00:00.000Z"
        )
        texts = [json.dumps(value, separators=(",", ":")).encode() for value in values]
        incoming = [Incoming(prepare_text(text, str(number))) for number, text in enumerate(texts)]
        return importing.take(tx, incoming, origin, Level.AMBER, quiet(), len(incoming), foreign=True)


def take_back(site, *acts):
    """Forget what came by the acts with these numbers."""
    with site.database.write() as tx:
        vids = [row.vid for _, _, row in origins.brought_by(tx, acts)]
        return taking_back.take_back(tx, site, vids, acts, quiet())


def pin(site, side):
    cid = revoking.OURS if side == OURS else None if side is None else peer(site, side).cid
    return revoking.pin(site, IDENTITY, cid)


def shown(site, value):
    return browsing.show(site, value["id"])


def revoked(value, modified=T1, **more):
    return value | {"modified": modified, "revoked": True} | more


moves = st.tuples(
    st.sampled_from(SIDES),
    st.builds(
        lambda number, modified, name, gone, creator: indicator(
            number,
            None,
            modified=modified,
            name=name,
            revoked=gone,
            # Whoever says it is another's than the first content does says nothing.
            created_by_ref=creator if number == 1 else None,
        ),
        st.integers(1, 2),
        st.sampled_from([T0, T1, T2]),
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, True]),
        st.sampled_from([IDENTITY, IDENTITY, OTHER, None]),
    )
    | st.just(thing("identity", 77, None)),
)
pins = st.tuples(st.just("pin"), st.sampled_from([None, *SIDES]))


@settings(max_examples=30)
@given(st.lists(moves | pins, min_size=1, max_size=9), st.integers(0, 8))
def test_what_is_in_force_follows_from_who_said_what(site, given_, undone):
    clean(site)
    pinned, texts, brought = None, {}, []
    for who, what in given_:
        if who == "pin":
            pinned = what
            pin(site, what)
            continue
        bring(site, who, what)
        texts.setdefault(what["id"], {})[json.dumps(what, sort_keys=True)] = what
        (act,) = site.database.read().execute("SELECT max(number) FROM origin").fetchone()
        brought.append((who, what, act))
    if undone < len(brought) and brought[undone][0] != OURS:
        take_back(site, brought.pop(undone)[2])
    # A version keeps its place among those of its object when the act that brought it first is undone.
    held, first = {}, {}
    for side, value, _ in brought:
        versions = held.setdefault(value["id"], {})
        first.setdefault(value["id"], side)
        for text, one in texts[value["id"]].items():
            sides = {who for who, what, _ in brought if what == one}
            if sides:
                versions[text] = (one, sides)
    assert problems(site) == []
    for id_, versions in held.items():
        creator = next(iter(versions.values()))[0].get("created_by_ref")
        if pinned is not None and IDENTITY in (creator, id_):
            whose = pinned
        else:
            whose = first.get(creator, first[id_])
        away = {
            text for text, (value, sides) in versions.items() if value.get("revoked") and whose not in sides
        }
        standing = {text: value for text, (value, _) in versions.items() if text not in away}
        if not standing:
            standing, away = {text: value for text, (value, _) in versions.items()}, set()
        newest = max(value["modified"] for value in standing.values())
        beside = [value for value in standing.values() if value["modified"] == newest]
        found = browsing.show(site, id_)
        assert found.row.moment == timestamp.moment(newest)
        assert found.row.variants == len(beside)
        assert found.value in beside
        assert found.row.revoked is (found.value.get("revoked") is True)
        texts = {
            json.dumps(json.loads(browsing.version_raw(site, v.row.vid)), sort_keys=True)
            for v in found.versions
            if v.row.disregarded
        }
        # What is older than what is in force makes no difference any more.
        matter = {text for text in away if versions[text][0]["modified"] >= newest}
        assert matter <= texts <= away


def test_the_officer_s_word_stands_before_where_an_identity_came_from(site):
    clean(site)
    value = indicator(1, created_by_ref=IDENTITY)
    bring(site, OURS, thing("identity", 77))
    bring(site, "mallory", value)
    bring(site, "beta", revoked(value))
    assert not shown(site, value).row.revoked
    assert (shown(site, value).creator.cid, shown(site, value).creator_name) == (revoking.OURS, "")
    assert revoking.pin(site, IDENTITY, peer(site, "beta").cid) == 1
    assert shown(site, value).row.revoked
    assert shown(site, value).creator_name == "beta"
    revoking.pin(site, IDENTITY, None)
    assert not shown(site, value).row.revoked
    with pytest.raises(Refused, match="object-unknown"):
        revoking.pin(site, value["id"], revoking.OURS)


def forget_purged(site):
    purge.purge_listed(site, [IDENTITY], quiet())


def forget_taken_back(site):
    vids = [version.row.vid for version in browsing.show(site, IDENTITY).versions]
    with site.database.write() as tx:
        acts = [act.number for vid in vids for act in origins.of(tx, vid)]
        taking_back.take_back(tx, site, vids, acts, quiet())


@pytest.mark.parametrize("forget", [forget_purged, forget_taken_back])
def test_without_the_identity_revocations_are_judged_as_if_it_had_never_come(site, forget):
    clean(site)
    value = indicator(1, created_by_ref=IDENTITY)
    bring(site, OURS, value, revoked(value))
    assert shown(site, value).row.revoked
    bring(site, "mallory", thing("identity", 77))
    assert not shown(site, value).row.revoked
    forget(site)
    assert shown(site, value).row.revoked
    assert problems(site) == []


def test_an_identity_that_stays_by_a_later_act_decides_by_that_one(site):
    clean(site)
    value = indicator(1, created_by_ref=IDENTITY)
    bring(site, "mallory", thing("identity", 77))
    bring(site, OURS, thing("identity", 77))
    bring(site, OURS, value, revoked(value))
    assert not shown(site, value).row.revoked
    (version,) = browsing.show(site, IDENTITY).versions
    with site.database.write() as tx:
        first = origins.first(tx, version.row.vid)
        taking_back.take_back(tx, site, [version.row.vid], [first], quiet())
    assert shown(site, value).row.revoked
    assert problems(site) == []


def test_a_pinned_identity_counts_where_everything_came_from_one_side(site):
    value = indicator(1, created_by_ref=IDENTITY)
    for order in ((value, revoked(value)), (revoked(value), value)):
        clean(site)
        pin(site, "beta")
        for one in order:
            bring(site, OURS, one)
        assert not shown(site, value).row.revoked


def test_whose_an_object_is_does_not_change_with_its_creator(site):
    clean(site)
    value = indicator(1, created_by_ref=IDENTITY)
    bring(site, OURS, value)
    bring(site, "beta", revoked(value, T2))
    bring(site, "mallory", value | {"modified": T1, "created_by_ref": OTHER})
    assert not shown(site, value).row.revoked
    assert pin(site, "beta") == 1
    assert shown(site, value).row.revoked


@pytest.mark.parametrize("by, after", [("beta", False), (OURS, True)])
def test_an_object_is_of_whoever_brought_it_once_its_first_act_is_taken_back(site, by, after):
    clean(site)
    value = indicator(1)
    bring(site, "beta", value)
    (act,) = site.database.read().execute("SELECT max(number) FROM origin").fetchone()
    bring(site, OURS, value)
    bring(site, by, revoked(value))
    assert shown(site, value).row.revoked is not after
    assert take_back(site, act).kept == 1
    assert shown(site, value).row.revoked is after
    assert problems(site) == []


def test_a_revocation_from_elsewhere_neither_conflicts_nor_leaves(site):
    clean(site)
    value = indicator(1)
    bring(site, OURS, value)
    counts = bring(site, "beta", revoked(value, modified=T0), revoked(value, modified=T2))
    assert (counts.disregarded, counts.conflicts, counts.newer) == (2, 0, 2)
    assert shown(site, value).row.variants == 1
    reader = site.database.read()
    assert [one.vid for one in objects.held(reader, None, True)] == [shown(site, value).row.current]
    assert len(objects.held(reader, None, True, set_aside=True)) == 3
    assert len(counterparts.everyone(reader)) == 2


def test_the_same_revocation_counts_once_its_author_brings_it(site):
    clean(site)
    value = indicator(1)
    bring(site, "beta", value)
    bring(site, "mallory", revoked(value))
    assert not shown(site, value).row.revoked
    assert bring(site, "beta", revoked(value)).same == 1
    assert shown(site, value).row.revoked


def test_a_newer_version_is_in_force_beside_a_revocation_that_is_not(site):
    clean(site)
    value = indicator(1)
    bring(site, OURS, value)
    bring(site, "beta", revoked(value, modified=T2))
    assert bring(site, OURS, value | {"modified": T1, "name": "newer"}).newer == 1
    assert (shown(site, value).row.name, shown(site, value).row.revoked) == ("newer", False)
