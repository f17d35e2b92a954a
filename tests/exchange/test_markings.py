"""No counterpart changes what a marking says here, nor lowers the level of what we hold."""

from __future__ import annotations

import json

import pytest

from app.exchange import deciding, inbox
from app.holdings import browsing, handling
from app.intel import marking
from app.intel.marking import Level
from app.jobs import quiet
from tests.support.sites import (
    AMBER,
    CLEAR,
    RED,
    T1,
    T2,
    accept_all,
    bundle,
    definition,
    indicator,
    level_line,
    part,
    receive,
    relationship,
    take,
    thing,
    verdicts,
)


def statement_marking(number, **more):
    body = {
        "modified": None,
        "name": None,
        "definition_type": "statement",
        "definition": {"statement": "Copyright"},
    }
    return thing("marking-definition", number, None, **body | more)


def mark_of(site, value):
    return browsing.show(site, value["id"]).marking


@pytest.mark.parametrize("more", [{}, {"modified": T2}, {"created": T2, "modified": T2}])
@pytest.mark.parametrize("lines", [False, True])
def test_a_definition_we_hold_is_not_redefined_by_a_package(world, more, lines):
    secret = indicator(1, definition(9, "red")["id"])
    take(world.alpha, definition(9, "red"), secret)
    laxer = definition(9, "clear", **more)
    path = world.mallory.intel(
        world.alpha, laxer, indicator(2), handling=[level_line(laxer, "CLEAR")] if lines else None
    )
    decided = accept_all(world.alpha, path)
    assert (decided.accepted, decided.rejected) == (1, 1)
    assert mark_of(world.alpha, secret) is Level.RED
    assert verdicts(world.alpha, "beta", secret["id"])[secret["id"]] == "no-agreement"


def test_a_definition_we_hold_is_not_redefined_by_an_import(world):
    secret = indicator(1, definition(9, "red")["id"])
    take(world.alpha, definition(9, "red"), secret)
    counts = take(world.alpha, definition(9, "clear", modified=T2), indicator(2))
    assert [code for _, code in counts.refused] == ["marking-redefined"]
    assert mark_of(world.alpha, secret) is Level.RED


def test_a_statement_does_not_become_a_level_nor_a_level_a_statement(world):
    take(world.alpha, statement_marking(8), definition(9, "red"))
    decided = accept_all(
        world.alpha,
        world.mallory.intel(
            world.alpha, definition(8, "clear"), statement_marking(9, modified=T2), indicator(1)
        ),
    )
    assert (decided.accepted, decided.rejected) == (1, 2)


def test_the_same_definition_again_is_no_redefinition(world):
    take(world.alpha, definition(9, "amber"))
    assert accept_all(world.alpha, world.mallory.intel(world.alpha, definition(9, "amber"))).accepted == 1


def test_of_two_texts_in_one_package_the_second_does_not_redefine_the_first(world):
    secret = indicator(1, definition(9, "red")["id"])
    path = world.mallory.intel(world.alpha, definition(9, "red"), secret, definition(9, "clear", modified=T2))
    assert accept_all(world.alpha, path).rejected == 1
    assert mark_of(world.alpha, secret) is Level.RED


def test_a_definition_that_comes_late_is_applied_to_what_needed_it(world):
    secret, open_ = indicator(1, definition(9, "red")["id"]), indicator(2, statement_marking(8)["id"])
    take(world.alpha, secret, open_, handling=Level.GREEN)
    assert mark_of(world.alpha, secret) is mark_of(world.alpha, open_) is Level.UNREADABLE
    assert set(verdicts(world.alpha, "mallory").values()) == {"unreadable-marking"}
    take(world.alpha, definition(9, "red"), statement_marking(8), handling=Level.GREEN)
    assert mark_of(world.alpha, secret) is Level.RED
    shown = browsing.show(world.alpha, open_["id"])
    assert (shown.marking, shown.handling) == (None, Level.GREEN)


@pytest.mark.parametrize(
    "acts", [["definition", "newer"], ["definition newer"], ["newer", "definition"], ["newer definition"]]
)
def test_a_definition_of_a_counterpart_that_comes_late_lowers_nothing(world, acts):
    ours, own = indicator(1, RED), definition(9, "clear")
    sent = {"definition": own, "newer": indicator(1, own["id"], modified=T1)}
    take(world.alpha, ours)
    for act in acts:
        accept_all(world.alpha, world.mallory.intel(world.alpha, *(sent[what] for what in act.split())))
    shown = browsing.show(world.alpha, ours["id"])
    assert (shown.marking, shown.handling) == (Level.CLEAR, Level.RED)
    assert verdicts(world.alpha, "beta", ours["id"])[ours["id"]] == "no-agreement"


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("once", [False, True])
def test_a_statement_that_comes_late_takes_no_level_away(world, late, once):
    older, newer = (
        indicator(1, definition(9, "amber")["id"]),
        indicator(1, statement_marking(8)["id"], modified=T1),
    )
    definitions = [definition(9, "amber"), statement_marking(8)]
    order = [older, newer, *definitions] if late else [*definitions, older, newer]
    for act in [order] if once else [[one] for one in order]:
        take(world.alpha, *act)
    shown = browsing.show(world.alpha, older["id"])
    assert (shown.marking, shown.handling) == (None, Level.AMBER)


def test_a_definition_that_comes_late_lets_us_lower_what_is_ours(world):
    take(world.alpha, indicator(1, RED))
    take(world.alpha, indicator(1, definition(9, "clear")["id"], modified=T1))
    take(world.alpha, definition(9, "clear"))
    shown = browsing.show(world.alpha, indicator(1)["id"])
    assert (shown.marking, shown.handling) == (Level.CLEAR, None)


@pytest.mark.parametrize("level", list(marking.IDS))
@pytest.mark.parametrize("by", ["import", "package"])
def test_the_published_definitions_cannot_be_redefined(world, level, by):
    other = "red" if level is not Level.RED else "clear"
    fake = definition(1, other) | {"id": marking.IDS[level]}
    if by == "import":
        counts = take(world.alpha, fake, indicator(1))
        assert [code for _, code in counts.refused] == ["marking-redefined"]
    else:
        got = receive(world.alpha, world.mallory.intel(world.alpha, fake, indicator(1)))
        assert [code for _, code in got.failed] == ["marking-redefined"]
        assert got.objects == 1
        assert {one.id for one in inbox.review(world.alpha, got.number, quiet()).objects} == {
            indicator(1)["id"]
        }
        assert deciding.accept(world.alpha, got.number, None, quiet()).rejected == 1
    assert verdicts(world.alpha, "beta") == {indicator(1)["id"]: "leaves"}


# Levels -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [None, CLEAR])
@pytest.mark.parametrize("line", ["CLEAR", None])
def test_a_newer_text_of_a_counterpart_does_not_lower_a_level(world, mark, line):
    ours = indicator(1, RED)
    pointer = relationship(2, ours, ours)
    take(world.alpha, ours, pointer)
    theirs = indicator(1, mark, modified=T1, name="lower")
    path = world.mallory.intel(world.alpha, theirs, handling=[level_line(theirs, line)] if line else None)
    assert accept_all(world.alpha, path).accepted == 1
    shown = browsing.show(world.alpha, ours["id"])
    assert shown.value["name"] == "lower"
    assert max(level for level in (shown.marking, shown.handling) if level is not None) is Level.RED
    assert verdicts(world.alpha, "beta", ours["id"], pointer["id"]) == {
        ours["id"]: "no-agreement",
        pointer["id"]: "withheld-reference",
    }


def test_a_handling_given_here_is_not_lowered_by_a_counterpart(world):
    take(world.alpha, indicator(1, None), handling=Level.AMBER)
    theirs = indicator(1, CLEAR, modified=T1)
    accept_all(world.alpha, world.mallory.intel(world.alpha, theirs, handling=[level_line(theirs, "CLEAR")]))
    assert verdicts(world.alpha, "beta") == {theirs["id"]: "no-agreement"}


def test_a_counterpart_may_raise_a_level(world):
    take(world.alpha, indicator(1))
    accept_all(world.alpha, world.mallory.intel(world.alpha, indicator(1, AMBER, modified=T1)))
    assert verdicts(world.alpha, "beta") == {indicator(1)["id"]: "no-agreement"}


def test_the_officer_may_lower_what_a_counterpart_may_not(world):
    take(world.alpha, indicator(1, None), handling=Level.RED)
    assert handling.set_level(world.alpha, indicator(1)["id"], Level.CLEAR).lowered
    assert verdicts(world.alpha, "beta") == {indicator(1)["id"]: "leaves"}


@pytest.mark.parametrize("lines", [("CLEAR", "RED"), ("RED", "CLEAR")])
def test_of_several_handling_lines_the_strictest_counts(world, lines):
    value = indicator(1, None)
    path = world.mallory.intel(world.alpha, value, handling=[level_line(value, line) for line in lines])
    accept_all(world.alpha, path)
    assert browsing.show(world.alpha, value["id"]).handling is Level.RED


def test_a_case_that_nobody_here_understands_makes_it_red(world):
    value = indicator(1, None)
    path = world.mallory.intel(world.alpha, value, handling=[level_line(value, "CLEAR", case="7")])
    accept_all(world.alpha, path)
    assert browsing.show(world.alpha, value["id"]).handling is Level.RED


@pytest.mark.parametrize(
    "change", [{"tlp": "PURPLE"}, {"embargo": "soon"}, {"embargo": "2026-02-30"}, {"more": 1}]
)
def test_a_handling_part_that_cannot_be_read_is_named_and_all_is_red(world, change):
    value = indicator(1, CLEAR)
    got = receive(
        world.alpha, world.mallory.intel(world.alpha, value, handling=[level_line(value, "CLEAR") | change])
    )
    assert ("handling", "part-unreadable") in got.failed
    deciding.accept(world.alpha, got.number, None, quiet())
    assert browsing.show(world.alpha, value["id"]).handling is Level.RED


def test_a_handling_part_counts_wherever_it_stands(world):
    value = indicator(1, CLEAR)
    line = json.dumps(level_line(value, "AMBER+STRICT")).encode()
    parts = [part("handling", line), part("intel", bundle(value))]
    accept_all(world.alpha, world.mallory.package(world.alpha, *parts, release=bytes(16)))
    assert browsing.show(world.alpha, value["id"]).handling is Level.AMBER_STRICT


# Conflicts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(CLEAR, RED), (RED, CLEAR)])
@pytest.mark.parametrize("selected", [True, False])
def test_one_strict_content_of_a_conflict_withholds_what_points_to_it(world, order, selected):
    first, second = (indicator(1, mark, name=mark[-4:]) for mark in order)
    pointer = relationship(2, first, first)
    take(world.alpha, first, pointer)
    assert take(world.alpha, second).conflicts == 1
    chosen = (first["id"], pointer["id"]) if selected else (pointer["id"],)
    assert verdicts(world.alpha, "beta", *chosen)[pointer["id"]] == "withheld-reference"


def test_a_conflict_resolved_for_the_clear_content_frees_what_points_to_it(world):
    strict, clear = indicator(1, RED), indicator(1, CLEAR, name="other")
    pointer = relationship(2, strict, strict)
    take(world.alpha, strict, pointer)
    take(world.alpha, clear)
    kept = browsing.show(world.alpha, clear["id"]).versions
    sha256 = next(v.row.sha256.hex() for v in kept if v.row.marking == Level.CLEAR)
    handling.resolve(world.alpha, clear["id"], sha256)
    assert verdicts(world.alpha, "beta", pointer["id"])[pointer["id"]] == "leaves"


# What names a withheld object ---------------------------------------------------------------------------------


def mention(how, hidden):
    return {
        "text": indicator(2, description=f"see {hidden}, please"),
        "glued": indicator(2, description=f"(x-{hidden})"),
        "key": thing("x-thing", 2, x_map={hidden: 1}),
        "custom": thing("x-thing", 2, x_related=hidden),
        "custom list": thing("x-thing", 2, x_ref=[hidden]),
        "wrong shape": thing("x-thing", 2, object_refs=hidden),
        "nested": thing("x-thing", 2, x_a=[{"b": [{"c": f"..{hidden}.."}]}]),
        "upper case": indicator(2, description=f"see {hidden.upper()}"),
        "upper digits": indicator(2, description="see indicator--" + hidden.split("--")[1].upper()),
        "reference": thing("note", 2, content="c", object_refs=[hidden]),
    }[how]


HOWS = [
    "text",
    "glued",
    "upper case",
    "upper digits",
    "key",
    "custom",
    "custom list",
    "wrong shape",
    "nested",
    "reference",
]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("selected", [True, False])
def test_what_names_a_withheld_object_stays(world, how, selected):
    # Letters among the digits, or upper case would be no other spelling.
    hidden = indicator(0xABCDEF, RED)
    value = mention(how, hidden["id"])
    take(world.alpha, hidden, value)
    chosen = (value["id"], hidden["id"]) if selected else (value["id"],)
    assert verdicts(world.alpha, "beta", *chosen)[value["id"]] == "withheld-reference"


@pytest.mark.parametrize("how", HOWS)
def test_what_names_a_clear_object_leaves(world, how):
    named = indicator(0xABCDEF)
    value = mention(how, named["id"])
    take(world.alpha, named, value)
    assert verdicts(world.alpha, "beta", value["id"])[value["id"]] == "leaves"


def test_what_names_an_object_that_a_counterpart_sent_and_nobody_accepted_is_no_secret(world):
    receive(world.alpha, world.mallory.intel(world.alpha, indicator(7, RED)))
    take(world.alpha, indicator(1, description=indicator(7)["id"]))
    assert verdicts(world.alpha, "beta") == {indicator(1)["id"]: "leaves"}
