"""Reviewing a package: what each object would be here, and what to see before deciding."""

from __future__ import annotations

import pytest

from app.exchange import deciding, inbox
from app.holdings import browsing, handling
from app.intel.compare import ABSENT
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import Refused
from tests.support.sites import (
    AMBER,
    CLEAR,
    RED,
    T1,
    T2,
    definition,
    indicator,
    level_line,
    receive,
    relationship,
    take,
    thing,
)


def reviewed(world, *objects, **more):
    """The review of a package of mallory's with these objects: {id: (status, remarks)}."""
    got = receive(world.alpha, world.mallory.intel(world.alpha, *objects, **more))
    review = inbox.review(world.alpha, got.number, quiet())
    assert sum(review.counts.values()) == len(review.objects)
    return {one.id: (one.status, one.remarks) for one in review.objects}


def test_each_object_has_one_status(world):
    old, same, older, clash, gone = (indicator(n) for n in range(1, 6))
    older |= {"modified": T1}
    take(world.alpha, old, same, older, clash, gone)
    found = reviewed(
        world,
        old | {"modified": T1},
        dict(reversed(same.items())),
        older | {"modified": old["modified"]},
        clash | {"name": "other"},
        gone | {"modified": T2, "revoked": True},
        indicator(6),
    )
    assert [status for status, _ in found.values()] == [
        "newer",
        "same",
        "older",
        "conflict",
        "revoked",
        "new",
    ]
    # What was imported here is ours to revoke.
    assert found[gone["id"]] == ("revoked", ("disregarded",))
    assert {remarks for id_, (_, remarks) in found.items() if id_ != gone["id"]} == {()}


def test_a_revoked_object_is_newer_where_it_was_revoked_before(world):
    gone = indicator(1, modified=T1, revoked=True)
    take(world.alpha, gone)
    assert reviewed(world, gone | {"modified": T2})[gone["id"]] == ("newer", ("disregarded",))


@pytest.mark.parametrize(
    "held, level, coming, line, weaker",
    [
        (RED, None, AMBER, None, True),
        (AMBER, None, RED, None, False),
        (AMBER, None, AMBER, None, False),
        (None, Level.RED, None, None, True),  # nothing said: the default, AMBER
        (None, Level.RED, None, "RED", False),
        (CLEAR, Level.RED, CLEAR, "GREEN", True),
        (None, Level.GREEN, None, None, False),
    ],
)
def test_a_weakened_marking_is_remarked(world, held, level, coming, line, weaker):
    take(world.alpha, indicator(1, held), handling=level)
    if level is not None:
        handling.set_level(world.alpha, indicator(1)["id"], level)
    new = indicator(1, coming, modified=T1)
    lines = [] if line is None else [level_line(new, line)]
    found = reviewed(world, new, handling=lines or None)
    assert found[new["id"]] == ("newer", ("weakened",) if weaker else ())


def test_what_was_remarked_as_weakened_stays_at_the_stricter_level(world):
    take(world.alpha, indicator(1, RED))
    got = receive(world.alpha, world.mallory.intel(world.alpha, indicator(1, CLEAR, modified=T1)))
    deciding.accept(world.alpha, got.number, None, quiet())
    assert browsing.show(world.alpha, indicator(1)["id"]).handling == Level.RED


def test_a_marking_of_the_same_package_is_understood(world):
    take(world.alpha, indicator(1, RED))
    weak = definition(1, "green")
    new = indicator(1, weak["id"], modified=T1)
    # Whichever comes first in the package.
    for objects in ([weak, new], [new, weak]):
        assert reviewed(world, *objects)[new["id"]] == ("newer", ("weakened",))


def test_a_redefinition_is_remarked(world):
    mark = definition(1, "red")
    take(world.alpha, mark)
    weak = definition(1, "clear", created=T1)
    assert reviewed(world, weak)[weak["id"]][1] == ("redefinition",)
    both = reviewed(world, definition(2, "red"), definition(3, "green"), definition(2, "amber"))
    assert both == {
        definition(2, "red")["id"]: ("new", ("redefinition",)),
        definition(3, "green")["id"]: ("new", ()),
    }


def test_a_published_definition_that_only_says_its_name_is_taken_for_what_it_is(world):
    white = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
    bare = {"type": "marking-definition", "spec_version": "2.1", "id": white, "created": T1}
    assert reviewed(world, bare | {"name": "TLP:CLEAR"})[white] == ("new", ())
    counts = take(world.alpha, bare | {"name": "TLP:CLEAR"}, bare | {"name": "TLP:RED"}, bare)
    assert (counts.new, [code for _, code in counts.refused]) == (1, ["marking-redefined"] * 2)
    assert browsing.show(world.alpha, white).marking is Level.CLEAR


def test_a_dangling_reference_is_remarked(world):
    here, there, beside = indicator(1), thing("malware", 2), thing("malware", 3)
    take(world.alpha, there)
    ties = [relationship(n, here, target) for n, target in enumerate((there, beside, thing("malware", 4)))]
    found = reviewed(world, here, beside, *ties)
    assert [found[tie["id"]][1] for tie in ties] == [(), (), ("dangling",)]


def test_what_was_refused_is_not_there_to_be_needed(world):
    first, second = indicator(1), indicator(2)
    tie = relationship(1, first, second)
    number = receive(world.alpha, world.mallory.intel(world.alpha, first, second, tie)).number
    deciding.reject(world.alpha, number, "not ours", [first["id"]])
    review = {one.id: one.remarks for one in inbox.review(world.alpha, number, quiet()).objects}
    assert review == {first["id"]: (), second["id"]: (), tie["id"]: ("dangling",)}


def test_differences_go_property_by_property(world):
    held = indicator(1, labels=["a"], x_deep={"a/b": 1, "c": {"d": 2}}, x_gone=True)
    take(world.alpha, held)
    new = held | {"modified": T1, "labels": ["a", "b"], "x_deep": {"a/b": 2, "c": {"d": 2}}, "x_come": 1}
    del new["x_gone"]
    number = receive(world.alpha, world.mallory.intel(world.alpha, new)).number
    (found,) = inbox.differing(world.alpha, number, held["id"])
    assert [(d.path, d.before, d.after) for d in found.differences] == [
        ("/labels", ["a"], ["a", "b"]),
        ("/modified", held["modified"], T1),
        ("/x_come", ABSENT, 1),
        ("/x_deep/a~1b", 1, 2),
        ("/x_gone", True, ABSENT),
    ]
    with pytest.raises(Refused, match="object-unknown"):
        inbox.differing(world.alpha, number, indicator(2)["id"])
    with pytest.raises(Refused, match="package-unknown"):
        inbox.differing(world.alpha, 9, held["id"])


def test_a_conflict_is_set_beside_the_version_of_its_own_moment(world):
    take(world.alpha, indicator(1, name="old"))
    take(world.alpha, indicator(1, name="new", modified=T1))
    number = receive(world.alpha, world.mallory.intel(world.alpha, indicator(1, name="clash"))).number
    (found,) = inbox.differing(world.alpha, number, indicator(1)["id"])
    assert [(d.path, d.before, d.after) for d in found.differences] == [("/name", "old", "clash")]


def test_one_md5_with_another_sha256_is_remarked(world):
    def file(number, sha256, **more):
        return thing("file", number, modified=None, hashes={"MD5": "ab" * 16, "SHA-256": sha256 * 32}, **more)

    take(world.alpha, file(1, "aa"))
    found = reviewed(
        world, file(2, "aa"), file(3, "bb"), thing("artifact", 4, hashes=file(4, "cc")["hashes"])
    )
    assert [found[one["id"]] for one in (file(2, "aa"), file(3, "bb"))] == [
        ("new", ()),
        ("new", ("contradicts",)),
    ]
    number = receive(world.alpha, world.mallory.intel(world.alpha, file(1, "dd"), file(5, "dd"))).number
    shown = [(one.status, one.remarks) for one in inbox.review(world.alpha, number, quiet()).objects]
    # STIX gives both one id here, or another: a conflict either way.
    assert shown == [("conflict", ()), ("new", ("contradicts",))]
    deciding.accept(world.alpha, number, None, quiet())
    chosen = browsing.page(world.alpha, browsing.selection(conflicts=True))
    assert {row.id for row in chosen.rows} == {file(1, "aa")["id"], file(5, "dd")["id"]}


def test_what_contradicts_within_a_package_is_remarked(world):
    files = [
        thing("file", n, modified=None, hashes={"SHA-1": "ab" * 20, "SHA-256": f"{n:02}" * 32})
        for n in (1, 2, 3)
    ]
    found = reviewed(world, *files, files[0])
    assert [remarks for _, remarks in found.values()] == [(), ("contradicts",), ("contradicts",)]
