"""What hangs together with what, held against a graph drawn from the texts alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.holdings import browsing, feedback, graph
from app.intel import marking
from app.intel.envelope import references
from app.jobs import quiet
from app.messages import Refused
from app.store import index, selecting
from app.store.conditions import Selection
from tests.holdings.test_laws import emptied
from tests.support.sites import AMBER, T0, T1, copied, indicator, relationship, take, thing

MARKINGS = ("object_marking_refs", "marking_ref")


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("graph")) as found:
        yield found.alpha


def ident(number):
    """Six objects that may be held, some of which never are."""
    return f"indicator--{number:08x}-0000-4000-8000-000000000000"


MAKERS = [f"identity--{number:08x}-0000-4000-8000-000000000000" for number in range(3)]


def in_order(value, first):
    """The same with one of its properties before all others: what is written first hides nothing."""
    return {first: value[first], **value} if first in value else value


things = st.builds(
    lambda number, refs, maker, first, own, name, modified: in_order(
        thing(
            *(("indicator", number, own) if number < 4 else ("report", number, own)),
            object_refs=refs or None,
            created_by_ref=maker if maker != "own" else (ident(number) if number < 4 else None),
            name=name,
            modified=modified,
        ),
        first,
    ),
    st.integers(0, 6),
    st.lists(st.integers(0, 7).map(ident) | st.sampled_from(MAKERS), max_size=2, unique=True),
    st.sampled_from([*MAKERS, "own", None]),
    st.sampled_from(["created_by_ref", "object_refs"]),
    st.sampled_from([AMBER, "marking-definition--00000001-0000-4000-8000-000000000000"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from([T0, T1]),
)
identities = st.integers(0, 2).map(lambda n: thing("identity", n))
relations = st.builds(
    lambda number, source, target, rel: (
        relationship(number, {"id": ident(source)}, {"id": ident(target)}) | {"relationship_type": rel}
    ),
    st.integers(20, 24),
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from(["uses", "indicates"]),
)


def drawn(site):
    """(values in force by id, steps as (source, rel, target, by))."""
    held, steps = {}, set()
    for oid in selecting.oids(site.database.read(), Selection()):
        shown = browsing.show_oid(site, oid)
        held[shown.row.id] = [
            json.loads(browsing.version_raw(site, v.row.vid))
            for v in shown.versions
            if v.row.moment == shown.row.moment and not v.row.dropped
        ]
    for id_, values in held.items():
        for value in values:
            ends = ()
            if value["type"] == "relationship":
                ends = value["source_ref"], value["target_ref"]
                steps.add((ends[0], value["relationship_type"], ends[1], id_))
                steps.add((id_, "source_ref", ends[0], ""))
                steps.add((id_, "target_ref", ends[1], ""))
            for ref, rel in references(value).items():
                if rel not in (*MARKINGS, "created_by_ref") and ref not in ends:
                    steps.add((id_, rel, ref, ""))
            if (maker := value.get("created_by_ref")) not in (None, id_):
                steps.add((id_, "created_by_ref", maker, ""))
    return held, steps


def around(steps, ids):
    """Steps at these ids. The ends of a relationship object are steps from it only."""
    return {
        step
        for step in steps
        if step[0] in ids or (step[2] in ids and step[1] not in ("source_ref", "target_ref"))
    }


@settings(max_examples=40)
@given(st.lists(things | identities | relations, min_size=1, max_size=12))
def test_neighbours_closure_and_what_dangles(site, objects):
    take(emptied(site), *objects)
    held, steps = drawn(site)
    for begin in held:
        expected, edge, seen = set(), {begin}, {begin}
        for hops in (1, 2):
            new = around(steps, edge)
            expected |= new
            found = graph.neighbours(site, begin, hops)
            assert not found.more
            told = [(n.near, n.far) if n.outward else (n.far, n.near) for n in found.found]
            ways = {(a, n.rel, b, n.by) for (a, b), n in zip(told, found.found, strict=True)}
            assert ways == expected
            assert all(
                (n.row.id if n.row else None) == (n.far if n.far in held else None) for n in found.found
            )
            edge = {end for step in new for end in (step[0], step[2])} - seen
            seen |= edge
    reader = site.database.read()
    for begin in held:
        expected, edge = {begin}, [begin]
        while edge:
            for value in held.get(edge.pop(), ()):
                new = (references(value).keys() & held.keys()) - expected
                expected |= new
                edge += new
        row = browsing.show(site, begin).row
        assert {one.id for one in browsing.rows(site, graph.closure(reader, [row.oid]))} == expected
    loose = {
        (id_, ref)
        for id_, values in held.items()
        for value in values
        for ref in references(value)
        if ref not in held and ref not in marking.LEVELS
    }
    assert {(one.id, one.target) for one in every_dangling(site, 2)} == loose
    assert {(one.id, one.target) for one in every_dangling(site, 1000)} == loose
    chosen = browsing.selection(dangling=True)
    assert sorted(browsing.ids(site, chosen)) == sorted({id_ for id_, _target in loose})
    assert (
        browsing.count(site, chosen) == browsing.page(site, chosen).total == len(browsing.oids(site, chosen))
    )
    assert [row.id for row in browsing.page(site, chosen).rows] == list(browsing.ids(site, chosen))


def every_dangling(site, size):
    found, cursor = [], ""
    while cursor is not None:
        some, cursor = graph.dangling(site, size, cursor)
        assert some or cursor is None
        found += some
    return found


@pytest.mark.parametrize("first", ["created_by_ref", "object_refs"])
def test_what_an_identity_says_of_itself_is_said_of_it(site, first):
    maker = thing("identity", 1)
    note = in_order(
        thing("note", 2, content="moved", object_refs=[maker["id"]], created_by_ref=maker["id"]), first
    )
    take(emptied(site), note)
    # Nobody knows the identity yet: one thing is missing, however often it is named.
    assert [(one.rel, one.target) for one in every_dangling(site, 9)] == [("object_refs", maker["id"])]
    take(site, maker)
    assert every_dangling(site, 9) == []
    assert [one.id for one in feedback.of(site, maker["id"])] == [note["id"]]
    found = graph.neighbours(site, maker["id"]).found
    assert {(one.rel, one.outward, one.far) for one in found} == {
        ("created_by_ref", False, note["id"]),
        ("object_refs", False, note["id"]),
    }
    reader = site.database.read()
    ours = [browsing.show(site, one["id"]).row.oid for one in (note, maker)]
    assert graph.closure(reader, ours[:1]) == sorted(ours)
    assert index.amiss(reader, quiet()) == []


def test_what_names_itself_as_its_creator_has_none(site):
    maker = thing("identity", 1, created_by_ref=thing("identity", 1)["id"])
    take(emptied(site), maker)
    assert graph.neighbours(site, maker["id"]).found == ()
    assert every_dangling(site, 9) == []
    assert index.amiss(site.database.read(), quiet()) == []


def test_what_is_asked_for_is_all_that_is_told(site):
    hub = thing("identity", 1)
    take(emptied(site), hub, *(indicator(n, created_by_ref=hub["id"]) for n in range(1, 9)))
    found = graph.neighbours(site, hub["id"], 2, 5)
    assert (len(found.found), found.more) == (5, True)
    assert not graph.neighbours(site, hub["id"], 1, 8).more


def traced(site, act):
    """The statements that an act reads with."""
    reader, found = site.database.read(), []
    reader.set_trace_callback(found.append)
    try:
        act()
    finally:
        reader.set_trace_callback(None)
    return found


def test_what_is_needed_is_read_many_at_a_time(site):
    hub = thing("identity", 1)
    take(emptied(site), hub, *(indicator(n, created_by_ref=hub["id"]) for n in range(1, 41)))
    oids = browsing.oids(site, browsing.selection("type:indicator"))
    few, many = (traced(site, lambda n=n: graph.closure(site.database.read(), oids[:n])) for n in (2, 40))
    assert len(few) == len(many)


def test_what_is_referred_to_is_looked_for_once(site):
    """However many refer to it: what nobody holds is found among the ends of all links, each of which is one."""
    gone = thing("malware", 1)
    take(emptied(site), *(relationship(n, indicator(n), gone) for n in range(1, 31)))
    chosen = browsing.selection(dangling=True)
    found = traced(site, lambda: browsing.oids(site, chosen))
    (sql,) = (one for one in found if "missing" in one)
    plan = [row[3] for row in site.database.read().execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert "MATERIALIZE missing" in plan
    # One look into the ids of objects, behind the ends: none of each link's own.
    assert sum("sqlite_autoindex_object_1" in step for step in plan) == 1
    assert len(browsing.oids(site, chosen)) == 30


@pytest.mark.parametrize("cursor", ["x", "1", "1.2.3", "9" * 40 + ".1", "1.", "é.1"])
def test_a_cursor_that_is_none_is_refused(site, cursor):
    with pytest.raises(Refused, match="cursor-unknown"):
        graph.dangling(site, 5, cursor)


def test_an_object_that_is_not_held_has_no_neighbours(site):
    with pytest.raises(Refused, match="object-unknown"):
        graph.neighbours(site, ident(99))


def test_what_two_contents_in_conflict_say_is_one_step(site):
    maker, seen = thing("identity", 1), indicator(1)
    link = relationship(3, seen, maker)
    note = thing("note", 2, content="moved", object_refs=[seen["id"]])
    take(emptied(site), maker, seen, link, note)
    take(site, link | {"description": "of another mind"}, note | {"content": "went"})
    assert browsing.show(site, link["id"]).row.in_conflict
    for hops in (1, 2):
        found = graph.neighbours(site, seen["id"], hops).found
        assert sorted(one.rel for one in found if one.near == seen["id"]) == [
            "object_refs",
            "related-to",
        ]
        assert len({(one.near, one.far, one.rel, one.by) for one in found}) == len(found)
    keys, more = graph.links_of(site, seen["id"], 9)
    assert (len(keys), more) == (2, False)
