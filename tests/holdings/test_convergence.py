"""What is held, and all that follows from it, is the same however it came: at once, in parts, in another order.

Large acts take other ways than small ones (words that wait packed, indexes laid aside, markings settled from memory):
with limits brought down to a few objects, small files go the ways of large ones.
"""

from __future__ import annotations

import contextlib
from types import MappingProxyType
from unittest import mock

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.holdings import checking, importing
from app.holdings.correlation import Correlation
from app.intel.marking import Level
from app.intel.observables import observables
from app.jobs import quiet
from app.store import full_text, index, objects
from tests.holdings.test_hash_conflicts import file
from tests.holdings.test_laws import emptied
from tests.holdings.test_revoking import OURS, bring
from tests.support.sites import AMBER, CLEAR, T0, T1, T2, copied, definition, indicator, relationship, thing

LEVEL = definition(1, "amber")
STATEMENT = thing(
    "marking-definition",
    2,
    None,
    modified=None,
    definition_type="statement",
    definition={"statement": "ours"},
)
MARKS = [
    None,
    CLEAR,
    AMBER,
    LEVEL["id"],
    STATEMENT["id"],
    [LEVEL["id"], STATEMENT["id"]],
    [STATEMENT["id"], AMBER],
]
IDENTITIES = [thing("identity", number) for number in (1, 2)]
SMALL = {
    importing: {"FIRST_STEP": 1, "STEP": 2, "MANY": 1, "BESIDE": 1 << 20, "TEXT": 1},
    index: {"MANY": 1},
    full_text: {"_CHUNK": 2, "LOOSE": 300, "_MUCH": 150, "_MANY": 2},
}
"""Limits at which everything is much."""


def marked(value, mark):
    marks = {"object_marking_refs": mark if isinstance(mark, list) else [mark]} if mark else {}
    return {key: item for key, item in value.items() if key != "object_marking_refs"} | marks


indicators = st.builds(
    lambda number, modified, name, address, more, mark: marked(
        indicator(
            number,
            modified=modified,
            name=name,
            pattern=f"[ipv4-addr:value = '198.51.100.{address}' OR url:value = 'http://a{address}.example/x']",
            **more,
        ),
        mark,
    ),
    st.sampled_from([1, 1, 1, 2]),
    st.sampled_from([T0, T1, T2]),
    st.sampled_from(["one", "APT-28, Storm 0558", "one two APT28"]),
    st.integers(1, 2),
    st.fixed_dictionaries(
        {},
        optional={
            "revoked": st.just(True),
            "confidence": st.integers(0, 2),
            "created_by_ref": st.sampled_from([one["id"] for one in IDENTITIES]),
            "external_references": st.just([{"source_name": "x", "external_id": "CVE-1"}]),
        },
    ),
    st.sampled_from(MARKS),
)
files = st.builds(
    file, st.sampled_from(["m", "n"]), st.sampled_from("ab"), name=st.sampled_from([None, "f"])
).map(
    lambda one: (
        one | {"id": f"file--0000000{len(one)}-0000-4000-8000-00000000000{one['hashes']['SHA-256'][0]}"}
    )
)
notes = st.builds(
    lambda number, refs, maker, modified, mark: marked(
        thing(
            "note",
            number,
            content="seen",
            name=None,
            object_refs=refs,
            created_by_ref=maker["id"],
            modified=modified,
        ),
        mark,
    ),
    st.integers(1, 2),
    st.lists(
        st.sampled_from([indicator(1)["id"], IDENTITIES[0]["id"], LEVEL["id"]]), min_size=1, unique=True
    ),
    st.sampled_from([*IDENTITIES, thing("note", 1)]),
    st.sampled_from([T0, T1]),
    st.sampled_from(MARKS),
)
links = st.builds(
    lambda number, source, target, mark: marked(relationship(number, source, target), mark),
    st.integers(1, 2),
    *[st.sampled_from([indicator(1), indicator(2), IDENTITIES[0]])] * 2,
    st.sampled_from(MARKS),
)
definitions = st.sampled_from([LEVEL, STATEMENT])
things = st.one_of(
    indicators, indicators, files, notes, notes, links, definitions, st.sampled_from(IDENTITIES)
)
many = st.lists(things, max_size=9)


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("convergence")) as found:
        with found.alpha.database.write() as tx:
            for table in ("object_text", "observable_text"):
                tx.execute(f"CREATE VIRTUAL TABLE {table}_seen USING fts5vocab({table}, instance)")
        yield found.alpha


@contextlib.contextmanager
def limits(changes):
    with contextlib.ExitStack() as stack:
        for module, values in changes.items():
            stack.enter_context(mock.patch.multiple(module, **values))
        yield


VERSION = "hex(version.sha256)"
TABLES = {
    # Whose revocations count is not asked again where something newer is in force.
    "version": f"SELECT idh, {VERSION}, version.moment, version.fraction, version.marking,"
    " iif(version.moment < object.moment, 0, dropped), creator"
    " FROM version JOIN object USING (oid)",
    "source": f"SELECT DISTINCT {VERSION}, kind, origin.name FROM version JOIN (SELECT vid, origin AS act FROM version"
    " UNION ALL SELECT vid, origin FROM source) USING (vid) JOIN origin ON act = number",
    "object": "SELECT idh, uid, type, moment, variants, disputed FROM object",
    "alone": f"SELECT idh, {VERSION}, object.name, object.fraction, object.marking, revoked, confidence"
    " FROM object JOIN version ON vid = current WHERE variants = 1",
    "observable": "SELECT val, kind, idh FROM observable JOIN object USING (oid)",
    "domain": "SELECT reversed, idh FROM domain JOIN object USING (oid)",
    "external": "SELECT value, source, idh FROM external JOIN object USING (oid)",
    "edge": f"SELECT {VERSION}, rel, src, dst, related FROM edge JOIN version USING (vid)",
    "marked": f"SELECT {VERSION}, definition FROM marked JOIN version USING (vid)",
    "hashed": "SELECT hex(weak), stated, hex(strong), idh FROM hashed JOIN object USING (oid)",
    "facet": "SELECT facet, value, objects FROM facet WHERE facet NOT IN ('level', 'revoked')",
    # Of contents side by side, words stand in the order in which they came.
    "words": "SELECT term, idh, col, count(*) FROM object_text_seen JOIN object ON doc = oid GROUP BY 1, 2, 3",
    "parts": "SELECT DISTINCT term, idh, col FROM observable_text_seen JOIN object ON doc = oid",
    "indexes": "SELECT name, sql FROM sqlite_master WHERE type = 'index'",
}
ORDERED = {
    # What of contents side by side is shown is the one that came first.
    "shown": f"SELECT idh, {VERSION}, object.name, object.fraction, revoked, confidence"
    " FROM object JOIN version ON vid = current",
    # A level that was given stays, so what came first counts.
    "level": "SELECT idh, object.marking, handling, level FROM object",
    "facets": "SELECT facet, value, objects FROM facet",
}


def dump(site, more=MappingProxyType({})):
    """Everything that is held or follows from it, without the numbers of rows."""
    reader = site.database.read()
    tables = {**TABLES, **more}.items()
    found = {name: sorted(map(tuple, reader.execute(sql)), key=repr) for name, sql in tables}
    about = {
        one
        for _, _, raw in objects.contents(reader)
        for one in observables(msgspec.json.decode(raw, type=dict[str, object]))
    }
    hits = Correlation(reader).of({"x": tuple(about)}).get("x", [])
    found["hits"] = sorted(
        (hit.observable.value, hit.count, sorted(one.id for one in hit.holders)) for hit in hits
    )
    assert index.sound(reader)
    assert index.amiss(reader, quiet()) == []
    assert checking.amiss(reader, quiet()) == []
    return found


def brought(site, before, side, acts, changes=None):
    """A dump after `before` came by an import, and then these acts from a side."""
    emptied(site)
    if before:
        bring(site, OURS, *before)
    with limits(changes or {}):
        for act in acts:
            if act:
                bring(site, side, *act)


def alone(values):
    return [[one] for one in values]


MUCH = pytest.param(600, marks=[pytest.mark.torture, pytest.mark.timeout(3000)])


@pytest.mark.parametrize("examples", [10, MUCH])
def test_at_once_in_parts_or_as_much_at_once_is_the_same(site, examples):
    @settings(max_examples=examples)
    @given(many, many, st.sampled_from([OURS, "beta"]), st.integers(0, 9))
    def law(before, values, side, cut):
        dumps = []
        for acts, changes in (
            ([values], {}),
            ([values], SMALL),
            ([values], SMALL | {importing: SMALL[importing] | {"MARKINGS": 2}}),
            ([values[:cut], values[cut:]], {}),
            ([values[:cut], values[cut:]], SMALL),
            (alone(values), {}),
        ):
            brought(site, before, side, acts, changes)
            dumps.append(dump(site, ORDERED))
            # What came over a content that nobody could read yet stays as strict till the officer says otherwise.
            assume(not any(handling == Level.UNREADABLE for _, _, handling, _ in dumps[-1]["level"]))
            assert dumps[-1] == dumps[0], (len(acts), changes)
        with site.database.write() as tx:
            index.remake(tx)
        assert dump(site, ORDERED) == dumps[0]

    law()


@pytest.mark.parametrize("examples", [15, MUCH])
def test_in_another_order_is_the_same_but_for_what_the_first_decides(site, examples):
    @settings(max_examples=examples)
    @given(many, st.randoms(), st.sampled_from([OURS, "beta"]), st.booleans())
    def law(values, chance, side, once):
        dumps = []
        for order in (values, values[::-1], chance.sample(values, len(values))):
            brought(site, [], side, [order] if once else alone(order), SMALL)
            dumps.append(dump(site))
            assert dumps[-1] == dumps[0]

    law()


def test_the_limits_that_are_brought_down_are_those_that_are_looked_at(site):
    emptied(site)
    values = [indicator(number, LEVEL["id"], name=f"name {number}") for number in range(12)]
    laid, written = index.lay_aside, full_text.Texts.make_room
    with (
        mock.patch.object(index, "lay_aside", side_effect=laid) as aside,
        mock.patch.object(full_text.Texts, "make_room", autospec=True, side_effect=written) as writing,
    ):
        brought(site, [], OURS, [values], SMALL)
    assert aside.call_count == 1
    assert writing.call_count > 2
    assert len(dump(site, ORDERED)["words"]) > 12


def test_what_joins_an_object_in_one_act_is_measured_by_a_definition_that_came_between(site):
    newer = marked(indicator(1, modified=T1), None)
    brought(site, [], OURS, [[indicator(1, LEVEL["id"]), LEVEL, newer]])
    row = objects.find(
        site.database.read(), objects.id_hash(objects.hash_key(site.database.read()), newer["id"])
    )
    assert (row.marking, row.handling) == (None, Level.AMBER)
