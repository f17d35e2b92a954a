"""Laws of the holdings: whatever the order, and however often, the same contents end in the same state."""

from __future__ import annotations

import base64
import json
import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.holdings import browsing, exporting, handling, importing, purge
from app.intel import reading, timestamp
from app.intel.marking import Level
from app.jobs import Cancelled, quiet
from app.messages import Refused
from app.store import objects, seen, selecting
from tests.support.sites import (
    AMBER,
    CLEAR,
    RED,
    T0,
    T1,
    T2,
    Impatient,
    acts,
    bundle,
    copied,
    indicator,
    problems,
    state,
    take,
    thing,
)

# Three ids, three moments, a few contents and markings: collisions of every kind.
contents = st.builds(
    lambda number, moment, name, mark, revoked: indicator(
        number, mark, modified=moment, name=name, revoked=revoked
    ),
    st.integers(1, 3),
    st.sampled_from([T0, T1, T2, "2026-03-01T00:00:00Z"]),
    st.sampled_from(["one", "two", "three"]),
    st.sampled_from([None, CLEAR, AMBER, RED]),
    st.sampled_from([None, True]),
)
bundles = st.lists(st.lists(contents, min_size=1, max_size=5), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("laws")) as found:
        yield found.alpha


def emptied(site):
    """The same installation with nothing in it: cheaper than a new one for each example."""
    with site.database.write() as tx:
        for row in selecting.oids(tx, browsing.selection()):
            objects.forget(tx, row)
        tx.execute("DELETE FROM origin")
    return site


def held(site):
    """What is held, without the order of arrival: {id: (moment in force, contents in force, marking, ...)}."""
    reader = site.database.read()
    found = {}
    for row in browsing.page(site, browsing.selection(), 1000).rows:
        versions = objects.versions_of(reader, row.oid)
        found[row.id] = (
            row.moment,
            row.variants,
            frozenset((v.moment, canonical(objects.raw(reader, v.vid))) for v in versions),
            len(versions),
        )
    return found


def canonical(raw):
    return json.dumps(json.loads(raw), sort_keys=True)


@settings(max_examples=25)
@given(bundles, st.randoms())
def test_the_order_of_imports_does_not_matter(site, given_, chance):
    shuffled = [chance.sample(one, len(one)) for one in chance.sample(given_, len(given_))]
    ends = []
    for order in (given_, shuffled):
        emptied(site)
        for one in order:
            take(site, *one)
        ends.append(held(site))
        assert problems(site) == []
    assert ends[0] == ends[1]


@settings(max_examples=25)
@given(bundles, st.sampled_from([(1, 8), (4, 8), (1, -1)]))
def test_what_an_act_knows_of_the_ids_it_saw_changes_nothing(site, given_, slots_and_few):
    ends = []
    for slots, few in (slots_and_few, (1 << 16, 1 << 16)):
        emptied(site)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(seen, "LEAST", 1)
            patch.setattr(seen, "MOST", slots)
            patch.setattr(seen, "FEW", few)
            patch.setattr(importing, "FIRST_STEP", 1)
            patch.setattr(importing, "STEP", 2)
            take(site, *(value for one in given_ for value in one))
        ends.append((held(site), levels(site)))
        assert problems(site) == []
    assert ends[0] == ends[1]


@settings(max_examples=25)
@given(bundles)
def test_everything_once_more_changes_nothing(site, given_):
    emptied(site)
    for one in given_:
        take(site, *one)
    before, before_levels = held(site), levels(site)
    for one in given_:
        counts = take(site, *one)
        assert (counts.same, counts.read) == (len(one), len(one))
    assert held(site) == before
    assert levels(site) == before_levels


@settings(max_examples=25)
@given(bundles)
def test_the_newest_moment_is_in_force_and_conflicts_are_counted(site, given_):
    emptied(site)
    told = 0
    for one in given_:
        told += take(site, *one).conflicts
    expected = defaultdict(lambda: defaultdict(set))
    for value in (value for one in given_ for value in one):
        moment = timestamp.moment(value["modified"])
        expected[value["id"]][moment].add(json.dumps(value, sort_keys=True))
    found = held(site)
    assert set(found) == set(expected)
    beside = 0
    for stix_id, moments in expected.items():
        newest = max(moments)
        assert found[stix_id][0].removesuffix(".000") == newest
        assert found[stix_id][1] == len(moments[newest])
        beside += sum(len(those) - 1 for those in moments.values())
    assert told == beside
    conflicts = {row.id for row in browsing.page(site, browsing.selection(conflicts=True), 1000).rows}
    assert conflicts == {i for i, moments in expected.items() if len(moments[max(moments)]) > 1}


@settings(max_examples=25)
@given(bundles)
def test_what_is_exported_and_imported_again_is_what_was_held(site, given_):
    emptied(site)
    for one in given_:
        take(site, *one)
    before = held(site)
    text = b"".join(exporting.bundle(site, browsing.selection(), quiet()))
    assert len(json.loads(text)["objects"]) == exporting.count(site, browsing.selection())
    emptied(site)
    take(site, *json.loads(text)["objects"])
    assert held(site) == before


def levels(site):
    rows = browsing.page(site, browsing.selection(), 1000).rows
    return {row.id: max(lv for lv in (row.marking, row.handling, -1) if lv is not None) for row in rows}


def handlings(site):
    rows = browsing.page(site, browsing.selection(), 1000).rows
    return {row.id: row.handling for row in rows}


@settings(max_examples=25)
@given(st.lists(st.tuples(contents, st.sampled_from(list(Level)[:5])), min_size=1, max_size=8))
def test_no_import_lowers_a_handling(site, given_):
    emptied(site)
    before = {}
    for value, level in given_:
        take(site, value, handling=level)
        after = handlings(site)
        for stix_id, old in before.items():
            assert old is None or after[stix_id] >= old
        if "object_marking_refs" not in value:
            assert after[value["id"]] >= level
        before = after


@settings(max_examples=25)
@given(st.lists(contents, min_size=1, max_size=8))
def test_losing_a_marking_in_a_newer_text_does_not_lower_the_level(site, given_):
    emptied(site)
    seen = defaultdict(lambda: Level.CLEAR)
    for value in sorted(given_, key=lambda one: one["modified"].removesuffix("Z") + "."):
        take(site, value)
        shown = browsing.show(site, value["id"])
        level = max((lv for lv in (shown.marking, shown.handling) if lv is not None), default=Level.CLEAR)
        if shown.marking is None:
            assert level >= seen[value["id"]]
        seen[value["id"]] = level


@pytest.mark.parametrize(
    "key", [f'"2026",{10**40}', f'"2026",-{10**40}', '"2026",1.5', "1,1", '"2026"', '"2026",1,1']
)
def test_a_cursor_with_another_key_than_a_list_gives_is_refused(site, key):
    cursor = base64.urlsafe_b64encode(f'["modified",true,{key}]'.encode()).decode().rstrip("=")
    with pytest.raises(Refused, match="cursor-unknown"):
        browsing.page(site, browsing.selection(), 10, cursor)


def test_a_cursor_of_another_order_is_refused(site):
    take(site, *(indicator(number) for number in range(1, 5)))
    cursor = browsing.page(site, browsing.selection(), 2).next
    assert browsing.page(site, browsing.selection(), 2, cursor).rows
    for order, descending in (("modified", False), ("name", True), ("marking", True)):
        with pytest.raises(Refused, match="cursor-unknown"):
            browsing.page(site, browsing.selection(), 2, cursor, order, descending)


def test_of_an_object_with_very_many_versions_few_are_looked_at_for_the_next(site, monkeypatch):
    emptied(site)
    looked, real = [], objects.version_row
    monkeypatch.setattr(objects, "version_row", lambda row: looked.append(row) or real(row))
    many = [indicator(1, modified=f"2026-01-01T00:{n // 60:02}:{n % 60:02}.000Z") for n in range(600)]
    for values in (many, many[::-1]):
        emptied(site)
        looked.clear()
        counts = take(site, *values)
        assert (counts.new, counts.newer + counts.older) == (1, 599)
        assert len(looked) < 1_000


# Examples -------------------------------------------------------------------------------------------------------


@pytest.fixture
def alpha(site):
    return emptied(site)


def test_the_same_value_written_otherwise_is_the_same_content(alpha):
    value = indicator(1, confidence=1)
    take(alpha, value)
    other = dict(reversed([*(value | {"confidence": 1.0}).items()]))
    assert (take(alpha, other).same, browsing.show(alpha, value["id"]).row.variants) == (1, 1)
    assert take(alpha, value | {"confidence": True}).conflicts == 1


def test_the_exact_text_is_kept_but_for_white_space(alpha):
    text = bundle(indicator(1)).replace(
        b'"name": "indicator 1"', b'"name": "\\u00e9 \\/",  "x_n": 1.50, "x_big": 9007199254740991'
    )
    importing.import_entries(alpha, reading.read_bundle(text), "file", Level.CLEAR, quiet())
    raw = browsing.show(alpha, indicator(1)["id"]).raw
    assert rb'"name":"\u00e9 \/","x_n":1.50,"x_big":9007199254740991' in raw


def test_properties_that_libraries_drop_are_kept(alpha):
    value = indicator(1, revoked=False, created="2026-01-01T00:00:00.000Z", labels=[])
    take(alpha, value)
    assert browsing.show(alpha, value["id"]).value == value


def test_a_conflict_ends_by_the_officer_and_everything_stays_held(alpha):
    take(alpha, indicator(1, name="one"), indicator(1, name="two"), indicator(1, name="three"))
    versions = browsing.show(alpha, indicator(1)["id"]).versions
    keep = versions[1].row.sha256.hex()
    for prefix, code in (("", "content-unknown"), ("zz", "content-unknown")):
        with pytest.raises(Refused) as caught:
            handling.resolve(alpha, indicator(1)["id"], prefix)
        assert caught.value.code == code
    assert handling.resolve(alpha, indicator(1)["id"], keep) == 2
    shown = browsing.show(alpha, indicator(1)["id"])
    assert (shown.row.variants, len(shown.versions)) == (1, 3)
    assert [v.row.sha256.hex() for v in shown.versions if not v.row.dropped] == [keep]
    assert browsing.page(alpha, browsing.selection(shown.value["name"])).total == 1
    # What was set aside does not come back as a conflict, and is no news either.
    assert take(alpha, indicator(1, name="one"), indicator(1, name="two")).same == 2
    assert browsing.show(alpha, indicator(1)["id"]).row.variants == 1
    with pytest.raises(Refused) as caught:
        handling.resolve(alpha, indicator(1)["id"], keep)
    assert caught.value.code == "no-conflict"


def test_lowering_a_handling_is_logged_as_such(alpha):
    take(alpha, indicator(1, None), handling=Level.AMBER)
    assert not handling.set_level(alpha, indicator(1)["id"], Level.RED).lowered
    assert handling.set_level(alpha, indicator(1)["id"], Level.GREEN).lowered
    assert acts(alpha)[-2:] == ["handling.raised", "handling.lowered"]
    with pytest.raises(Refused) as caught:
        handling.set_level(alpha, indicator(1)["id"], Level.UNREADABLE)
    assert caught.value.code == "level-unknown"
    with pytest.raises(Refused) as caught:
        handling.set_level(alpha, indicator(2)["id"], Level.RED)
    assert caught.value.code == "object-unknown"


def test_a_cancelled_or_broken_import_changes_nothing(alpha):
    take(alpha, indicator(1))
    before = state(alpha)
    entries = reading.read_bundle(bundle(*map(indicator, range(1200))))
    with pytest.raises(Cancelled):
        importing.import_entries(alpha, entries, "file", None, Impatient("store"))
    with pytest.raises(Refused):
        importing.import_entries(
            alpha, reading.read_bundle(bundle(*map(indicator, range(9)))[:-3]), "f", None, quiet()
        )
    for nothing in ([], [{"type": "indicator"}]):
        with pytest.raises(Refused):
            take(alpha, *nothing)
    assert state(alpha) == before


@pytest.mark.parametrize("order", ["modified", "name", "type", "marking"])
@pytest.mark.parametrize("text", ["", "indicator type:indicator"])
def test_what_comes_and_goes_between_pages_moves_no_other_row(alpha, order, text):
    take(alpha, *(indicator(number) for number in range(1, 10)))
    chosen = browsing.selection(text)
    expected = [row.id for row in browsing.page(alpha, chosen, 100, "", order).rows]
    first = browsing.page(alpha, chosen, 4, "", order)
    take(alpha, indicator(99, RED, modified="2027-01-01T00:00:00Z", name="zz indicator"))
    purge.purge_listed(alpha, [first.rows[-1].id, first.rows[0].id], quiet())
    found, cursor = [row.id for row in first.rows], first.next
    while cursor:
        page = browsing.page(alpha, chosen, 4, cursor, order)
        found += [row.id for row in page.rows]
        cursor = page.next
    assert found == expected


def test_every_page_of_a_list_together_is_the_list(alpha):
    values = [indicator(n, modified=random.Random(n).choice([T0, T1, T2])) for n in range(1, 48)]
    take(alpha, *values, thing("malware", 1, is_family=False))
    found, cursor = [], ""
    while True:
        page = browsing.page(alpha, browsing.selection(types=("indicator",)), 10, cursor)
        found += [row.id for row in page.rows]
        if page.next is None:
            break
        cursor = page.next
    assert page.total == len(found) == len(set(found)) == 47
    assert set(found) == {value["id"] for value in values}


@pytest.mark.parametrize("cursor", ["x", "!!", "AAAA", "MTIz", "é" * 9, "W1tb" * 1000])
def test_a_cursor_that_is_none_is_refused(alpha, cursor):
    take(alpha, indicator(1))
    with pytest.raises(Refused) as caught:
        browsing.page(alpha, browsing.selection(), 10, cursor)
    assert caught.value.code == "cursor-unknown"
