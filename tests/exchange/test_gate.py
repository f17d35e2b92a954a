"""The gate: what leaves, what is held and why; and the laws that hold for every selection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exchange.gate import (
    ALREADY_HAS,
    LARGE,
    LEAVES,
    About,
    Candidate,
    Sign,
    Stated,
    Terms,
    by_type,
    cautions,
    judge,
    over,
    stricter,
)
from app.intel.marking import Level
from app.messages import MESSAGES

NOTHING_ELSEWHERE = {}.get
OPEN = Terms(Level.AMBER, protected=True)


def held(**levels):
    """What `elsewhere` says of ids with these levels; _ in a name stands for a hyphen."""
    return {name.replace("_", "-"): [Candidate(0, name, level, ())] for name, level in levels.items()}.get


def verdicts(judgement):
    return {verdict.key: verdict.code for verdict in judgement.verdicts}


@pytest.mark.parametrize(
    "level, terms, code",
    [
        (Level.CLEAR, Terms(None, False), ""),
        (Level.GREEN, Terms(None, True), "no-agreement"),
        (Level.AMBER, OPEN, ""),
        (Level.AMBER_STRICT, OPEN, "ceiling"),
        (Level.RED, Terms(Level.RED, True), ""),
        (Level.AMBER, Terms(Level.AMBER, False), "card-key"),
        (Level.UNREADABLE, Terms(Level.RED, True), "unreadable-marking"),
    ],
)
def test_a_level_against_the_terms(level, terms, code):
    assert over(level, terms) == code


def test_what_names_something_withheld_is_withheld_through_any_number_of_steps():
    chain = [Candidate(1, "red", Level.RED, ())]
    chain += [Candidate(n, f"o{n}", Level.CLEAR, ("red" if n == 2 else f"o{n - 1}",)) for n in range(2, 50)]
    found = verdicts(judge(chain, OPEN, NOTHING_ELSEWHERE))
    assert found == {1: "ceiling", **dict.fromkeys(range(2, 50), "withheld-reference")}


def test_a_cycle_of_clear_objects_leaves():
    ring = [Candidate(n, f"o{n}", Level.CLEAR, (f"o{(n + 1) % 5}",)) for n in range(5)]
    assert set(verdicts(judge(ring, OPEN, NOTHING_ELSEWHERE)).values()) == {LEAVES}


def test_an_id_held_here_and_not_selected_counts_with_its_own_level():
    elsewhere = held(red=Level.RED, clear=Level.CLEAR)
    objects = [Candidate(1, "a", Level.CLEAR, ("red",)), Candidate(2, "b", Level.CLEAR, ("clear", "never"))]
    judgement = judge(objects, OPEN, elsewhere)
    assert verdicts(judgement) == {1: "withheld-reference", 2: LEAVES}
    assert {(w.code, w.count) for w in judgement.warnings} == {("dangling", 1), ("not-selected", 1)}


def test_public_ids_are_neither_dangling_nor_withheld():
    judgement = judge([Candidate(1, "a", Level.CLEAR, ("tlp",))], OPEN, NOTHING_ELSEWHERE, public={"tlp": ""})
    assert not judgement.warnings
    assert verdicts(judgement) == {1: LEAVES}


def test_new_only_leaves_out_what_they_have_but_still_judges_it():
    objects = [
        Candidate(1, "a", Level.CLEAR, (), has=True),
        Candidate(2, "b", Level.RED, (), has=True),
        Candidate(3, "c", Level.CLEAR, ("a",)),
    ]
    assert verdicts(judge(objects, OPEN, NOTHING_ELSEWHERE, new_only=True)) == {
        1: ALREADY_HAS,
        2: "ceiling",
        3: LEAVES,
    }
    assert verdicts(judge(objects, OPEN, NOTHING_ELSEWHERE))[1] == LEAVES


def test_the_stricter_of_marking_and_handling_counts():
    assert stricter(Level.CLEAR, Level.RED, Level.AMBER) is Level.RED
    assert stricter(Level.RED, Level.CLEAR, Level.AMBER) is Level.RED
    assert stricter(None, Level.CLEAR, Level.AMBER) is Level.CLEAR
    assert stricter(None, None, Level.AMBER) is Level.AMBER


def test_an_id_that_only_stands_in_a_text_gives_a_withheld_object_away_too():
    objects = [
        Candidate(1, "red", Level.RED, ()),
        Candidate(2, "b", Level.CLEAR, (), names=("red",)),
        Candidate(3, "c", Level.CLEAR, (), names=("held-red", "never-held")),
        Candidate(4, "d", Level.CLEAR, (), names=("never-held",)),
    ]
    judgement = judge(objects, OPEN, held(held_red=Level.RED))
    assert verdicts(judgement) == {1: "ceiling", 2: "withheld-reference", 3: "withheld-reference", 4: LEAVES}
    assert not judgement.warnings, "a word in a text is no reference that dangles"


names = st.integers(0, 11).map(lambda n: f"o{n}")
candidates = st.lists(
    st.tuples(names, st.sampled_from(Level), st.lists(names, max_size=3), st.booleans()), max_size=16
).map(lambda rows: [Candidate(k, i, lv, tuple(r), h) for k, (i, lv, r, h) in enumerate(rows)])
terms = st.builds(
    Terms, st.none() | st.sampled_from([lv for lv in Level if lv is not Level.UNREADABLE]), st.booleans()
)


@given(candidates, terms, st.booleans())
def test_nothing_that_leaves_is_over_the_terms_or_names_an_id_that_is_withheld(objects, allowed, new_only):
    found = verdicts(judge(objects, allowed, NOTHING_ELSEWHERE, new_only))
    withheld = {one.id for one in objects if found[one.key] not in (LEAVES, ALREADY_HAS)}
    for one in objects:
        if found[one.key] in (LEAVES, ALREADY_HAS):
            assert not over(one.level, allowed)
            assert not withheld & set(one.refs)
    assert len(found) == len(objects)


@given(candidates, terms)
def test_a_laxer_agreement_never_holds_back_more(objects, allowed):
    if allowed.ceiling is None:
        return
    stricter_found = verdicts(judge(objects, Terms(None, allowed.protected), NOTHING_ELSEWHERE))
    laxer_found = verdicts(judge(objects, allowed, NOTHING_ELSEWHERE))
    assert all(laxer_found[key] == LEAVES for key, code in stricter_found.items() if code == LEAVES)


# What an agreement is about ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "level, terms, code",
    [
        (Level.CLEAR, Terms(None, True, lapsed=True), ""),
        (Level.GREEN, Terms(None, True, lapsed=True), "period"),
        (Level.UNREADABLE, Terms(None, True, lapsed=True), "unreadable-marking"),
    ],
)
def test_out_of_its_period_an_agreement_lets_clear_leave_and_no_more(level, terms, code):
    assert over(level, terms) == code


@pytest.mark.parametrize(
    "stated, terms, code",
    [
        (Stated(), Terms(Level.RED, True), ""),
        (Stated("x"), Terms(Level.RED, True), ""),
        (Stated(), Terms(Level.RED, True, purposes=frozenset("x")), "purpose"),
        (Stated("y"), Terms(Level.RED, True, purposes=frozenset("x")), "purpose"),
        (Stated("x"), Terms(Level.RED, True, purposes=frozenset("x")), ""),
        (Stated("x"), Terms(Level.RED, True, purposes=frozenset()), "purpose"),
        (Stated(), Terms(Level.RED, True, exercise=True), "exercise"),
        (Stated(exercise=True), Terms(Level.RED, True, exercise=True), ""),
    ],
)
def test_what_the_officer_must_state(stated, terms, code):
    objects = [Candidate(1, "indicator--a", Level.CLEAR, ())]
    assert verdicts(judge(objects, terms, NOTHING_ELSEWHERE, stated=stated)) == {1: code or LEAVES}


def test_the_kind_comes_before_the_sector_the_purpose_and_the_level():
    terms = Terms(Level.CLEAR, True, frozenset(("threats",)), frozenset(("water",)), frozenset(("x",)))
    objects = [Candidate(1, "vulnerability--a", Level.RED, ()), Candidate(2, "indicator--b", Level.RED, ())]
    assert verdicts(judge(objects, terms, NOTHING_ELSEWHERE)) == {1: "kind", 2: "sector"}

    def wet(stix_id):
        return About(by_type(stix_id).kinds, frozenset(("water",)))

    assert verdicts(judge(objects, terms, NOTHING_ELSEWHERE, about=wet)) == {1: "kind", 2: "purpose"}
    found = judge(objects, terms, NOTHING_ELSEWHERE, about=wet, stated=Stated("x"))
    assert verdicts(found) == {1: "kind", 2: "ceiling"}


KINDS = ["indicator", "vulnerability", "course-of-action", "identity", "marking-definition"]
typed_names = st.tuples(st.sampled_from(KINDS), st.integers(0, 3)).map(lambda pair: f"{pair[0]}--{pair[1]}")
typed = st.lists(
    st.tuples(typed_names, st.sampled_from(Level), st.lists(typed_names, max_size=3)), max_size=14
).map(lambda rows: [Candidate(k, i, lv, tuple(r)) for k, (i, lv, r) in enumerate(rows)])


@given(typed, st.sets(st.sampled_from(["threats", "vulnerabilities", "best-practices"])), typed_names)
def test_only_what_the_agreement_is_about_leaves_and_what_that_needs(objects, kinds, elsewhere):
    allowed = Terms(Level.AMBER, True, kinds=frozenset(kinds))
    found = verdicts(judge(objects, allowed, {elsewhere: [Candidate(0, elsewhere, Level.CLEAR, ())]}.get))
    leaving = [one for one in objects if found[one.key] == LEAVES]
    for one in leaving:
        assert by_type(one.id).kinds <= kinds
        held = {other.id for other in objects if found[other.key] != LEAVES} | (
            set() if by_type(elsewhere).kinds <= kinds else {elsewhere} - {other.id for other in objects}
        )
        assert not held & set(one.refs)
    # From what has a kind, everything that leaves can be reached.
    reached = {one.id for one in leaving if by_type(one.id).kinds}
    for _ in objects:
        reached |= {ref for one in leaving if one.id in reached for ref in one.refs}
    assert {one.id for one in leaving} <= reached


# What to know before sealing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "signs, stated, largest, behind, expected",
    [
        ([Sign(True)], Stated(), 0, False, {}),
        ([Sign(False)] * 3, Stated(), 0, False, {"nothing-marked": 3}),
        ([Sign(False), Sign(True)], Stated(), 0, False, {}),
        ([Sign(True, weakened=True), Sign(True)], Stated(), 0, False, {"weakened": 1}),
        ([Sign(True, exercise=True), Sign(True)], Stated(), 0, False, {"exercise-mixed": 1}),
        ([Sign(True, exercise=True), Sign(True)], Stated(exercise=True), 0, False, {}),
        ([Sign(True, real=True), Sign(True)], Stated(exercise=True), 0, False, {"exercise-mixed": 1}),
        ([Sign(True)] * LARGE, Stated(), 0, False, {}),
        ([Sign(True)] * (LARGE + 1), Stated(), 0, False, {"large": LARGE + 1}),
        ([Sign(True)] * (LARGE + 1), Stated(), 101, False, {}),
        ([Sign(True)], Stated(), 0, True, {"clock-behind": 1}),
        ([], Stated(), 0, False, {}),
    ],
)
def test_what_gives_pause(signs, stated, largest, behind, expected):
    found = cautions(signs, stated, largest, behind)
    assert {one.code: one.count for one in found} == expected
    assert all(one.code in MESSAGES for one in found)
