"""Levels of TLP: published ids, what definitions say, and what nobody can read."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from app.intel import marking
from app.intel.marking import (
    EXTENSION,
    IDS,
    LEVELS,
    Level,
    canonical,
    defined,
    effective,
    is_redefinition,
    parse,
)

UUID = "00000000-0000-4000-8000-00000000dead"
OWN = f"marking-definition--{UUID}"
STATEMENT = {
    "type": "marking-definition",
    "id": OWN,
    "definition_type": "statement",
    "definition": {"statement": "Copyright"},
}
TLP1 = [("white", Level.CLEAR), ("green", Level.GREEN), ("amber", Level.AMBER), ("red", Level.RED)]


def tlp(name: object, /, **more: object) -> dict[str, object]:
    base = {"type": "marking-definition", "id": OWN, "definition_type": "tlp", "definition": {"tlp": name}}
    return {**base, **more}


def tlp2(name: object, /, **more: object) -> dict[str, object]:
    extensions = {EXTENSION: {"extension_type": "property-extension", "tlp_2_0": name}}
    return {"type": "marking-definition", "id": OWN, "extensions": extensions, **more}


def nobody(_id: str) -> None:
    raise AssertionError("no definition is needed")


def unknown(_id: str) -> None:
    return None


def test_levels_order_and_speak() -> None:
    assert sorted(Level) == [
        Level.CLEAR,
        Level.GREEN,
        Level.AMBER,
        Level.AMBER_STRICT,
        Level.RED,
        Level.UNREADABLE,
    ]
    assert Level.AMBER_STRICT.label == "AMBER+STRICT"
    assert [parse(level.label) for level in Level] == [*list(Level)[:-1], None]


@pytest.mark.parametrize(
    "text, level",
    [
        ("AMBER+STRICT", Level.AMBER_STRICT),
        ("tlp:amber+strict", Level.AMBER_STRICT),
        ("TLP:WHITE", Level.CLEAR),
        (" Green ", Level.GREEN),
        ("amber strict", None),
        ("TLP:TLP:RED", None),
        ("", None),
        ("UNREADABLE", None),
        ("red ish", None),
    ],
)
def test_names(text: str, level: Level | None) -> None:
    assert parse(text) is level


@pytest.mark.parametrize("name, level", TLP1)
def test_tlp_1_is_as_stix2_has_it(name: str, level: Level) -> None:
    reference = json.loads(getattr(stix2, f"TLP_{name.upper()}").serialize())
    assert json.loads(canonical()[reference["id"]]) == reference
    assert LEVELS[reference["id"]] is level


@pytest.mark.parametrize("level", list(Level)[:-1])
def test_tlp_2_definitions(level: Level) -> None:
    value = json.loads(canonical()[IDS[level]])
    assert value["id"] == IDS[level]
    assert value["extensions"][EXTENSION] == {
        "extension_type": "property-extension",
        "tlp_2_0": level.label.lower(),
    }
    assert value["name"] == f"TLP:{level.label}"
    assert defined(value) is level
    assert str(stix2.parse(value, allow_custom=True).id) == IDS[level]


def test_canonical_definitions_are_no_redefinitions_and_clear() -> None:
    assert set(canonical()) == set(LEVELS)
    assert len(LEVELS) == 9
    for text in canonical().values():
        value = json.loads(text)
        assert not is_redefinition(value)
        assert effective(value, nobody) is Level.CLEAR


RED = IDS[Level.RED]
TLP1_WHITE = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"


@pytest.mark.parametrize(
    "value",
    [
        tlp2("clear", id=RED),
        tlp2("red", id=RED, name="TLP:CLEAR"),
        tlp("white", id=RED),
        tlp2("red", id=TLP1_WHITE),
        tlp2("red", id=RED, definition_type="tlp", definition={"tlp": "white"}),
        tlp2("red", id=RED, definition_type="statement", definition={"statement": "share freely"}),
        {**STATEMENT, "id": RED},
        {"type": "marking-definition", "id": RED},
        {"type": "marking-definition", "id": RED, "name": "TLP:AMBER"},
        {"type": "marking-definition", "id": RED, "name": "Ours"},
        {"type": "marking-definition", "id": RED, "name": "TLP:RED", "extensions": {}},
        {"type": "marking-definition", "id": RED, "name": "TLP:RED", "definition_type": "statement"},
        tlp2(None, id=RED),
        tlp2("red", id=RED, extensions={EXTENSION: "red"}),
    ],
)
def test_redefinitions_of_published_ids(value: dict[str, Any]) -> None:
    assert is_redefinition(value)
    # what the id stands for does not change by what somebody says
    assert effective({"object_marking_refs": [value["id"]]}, lambda _: value) is LEVELS[value["id"]]


@pytest.mark.parametrize(
    "value",
    [
        tlp("white", id=TLP1_WHITE),
        tlp("white", id=TLP1_WHITE, name="TLP:CLEAR", created="2020-01-01T00:00:00Z", x_custom=1),
        {"type": "marking-definition", "id": RED, "definition_type": "TLP", "name": "TLP:RED"},
        {"type": "marking-definition", "id": RED, "name": "TLP:RED"},
        {"type": "marking-definition", "id": TLP1_WHITE, "name": "TLP:CLEAR"},
        {"type": "marking-definition", "id": TLP1_WHITE, "name": "TLP:WHITE"},
        tlp("red", id=OWN),
        STATEMENT,
        {"type": "indicator", "id": "indicator--x"},
        {"id": [RED]},
    ],
)
def test_what_is_no_redefinition(value: dict[str, Any]) -> None:
    assert not is_redefinition(value)


@pytest.mark.parametrize(
    "value, level",
    [
        (tlp("amber"), Level.AMBER),
        (tlp("AMBER"), Level.AMBER),
        (tlp("x", definition={"TLP": "TLP:GREEN"}, definition_type="TLP"), Level.GREEN),
        (tlp2("amber+strict"), Level.AMBER_STRICT),
        (tlp2("green", definition_type="tlp", definition={"tlp": "green"}, name="TLP:GREEN"), Level.GREEN),
        (STATEMENT, None),
        ({**STATEMENT, "extensions": {"extension-definition--x": {}}, "name": "TLP:RED"}, None),
        (tlp("purple"), Level.UNREADABLE),
        (tlp(5), Level.UNREADABLE),
        (tlp("x", definition="amber"), Level.UNREADABLE),
        (tlp("x", definition={}), Level.UNREADABLE),
        (tlp("x", definition={"tlp": "red", "TLP": "white"}), Level.UNREADABLE),
        (tlp("x", definition={"tlp": "white", "statement": "only for you"}), Level.UNREADABLE),
        ({"type": "marking-definition", "id": OWN, "definition_type": "tlp"}, Level.UNREADABLE),
        (tlp2("ex:other"), Level.UNREADABLE),
        (tlp2("clear", name="TLP:RED"), Level.UNREADABLE),
        (tlp2("clear", name="Ours"), Level.UNREADABLE),
        (tlp2("clear", definition_type="tlp", definition={"tlp": "red"}), Level.UNREADABLE),
        ({"type": "marking-definition", "id": OWN}, Level.UNREADABLE),
        ({"type": "marking-definition", "id": OWN, "extensions": {"x": {}}}, Level.UNREADABLE),
        ({**STATEMENT, "definition": {"statement": 5}}, Level.UNREADABLE),
        ({**STATEMENT, "definition": "x"}, Level.UNREADABLE),
        ({**STATEMENT, "definition_type": "x-acs"}, Level.UNREADABLE),
        ({**STATEMENT, "type": "indicator"}, Level.UNREADABLE),
    ],
)
def test_what_a_definition_says(value: dict[str, Any], level: Level | None) -> None:
    assert defined(value) is level
    expected = level
    assert effective({"object_marking_refs": [OWN]}, {OWN: value}.get) is expected


@pytest.mark.parametrize("selectors", [["no_such_property"], ["a.[9].b"], [], None, "name", [7]])
def test_a_marking_of_a_part_counts_wherever_it_points(selectors: object) -> None:
    part = {"marking_ref": IDS[Level.RED], "lang": "fr", "selectors": selectors}
    assert effective({"granular_markings": [part]}, unknown) is Level.RED
    assert effective({"granular_markings": [{"marking_ref": IDS[Level.RED]}]}, unknown) is Level.RED
    assert effective({"granular_markings": [{"lang": "fr", "selectors": selectors}]}, unknown) is None


@pytest.mark.parametrize("own", [{}, {"object_marking_refs": [IDS[Level.CLEAR]]}])
def test_a_marking_of_what_was_observed_counts_for_the_observation(own: dict[str, Any]) -> None:
    def observed(**inside: object) -> dict[str, Any]:
        return {
            "type": "observed-data",
            "objects": {"0": {"type": "file", "name": "x", **inside}, "1": 7},
            **own,
        }

    assert effective(observed(object_marking_refs=[IDS[Level.RED]]), unknown) is Level.RED
    assert effective(observed(granular_markings=[{"marking_ref": IDS[Level.RED]}]), unknown) is Level.RED
    assert effective(observed(object_marking_refs=[OWN]), unknown) is Level.UNREADABLE
    assert effective(observed(object_marking_refs=7), unknown) is Level.UNREADABLE
    assert effective(observed(), unknown) is (Level.CLEAR if own else None)


def test_strictest_of_object_and_parts() -> None:
    value = {
        "object_marking_refs": [IDS[Level.GREEN], OWN],
        "granular_markings": [
            {"lang": "fr", "selectors": ["name"]},
            {"marking_ref": IDS[Level.RED], "selectors": ["description"]},
            {"marking_ref": TLP1_WHITE, "selectors": ["name"]},
        ],
    }
    assert effective(value, {OWN: STATEMENT}.get) is Level.RED
    assert effective(value, unknown) is Level.UNREADABLE


@pytest.mark.parametrize(
    "value",
    [
        {"object_marking_refs": OWN},
        {"object_marking_refs": None},
        {"object_marking_refs": {}},
        {"object_marking_refs": [7]},
        {"object_marking_refs": [[IDS[Level.CLEAR]]]},
        {"granular_markings": "x"},
        {"granular_markings": ["x"]},
        {"granular_markings": [{"selectors": ["name"]}]},
        {"granular_markings": [{"marking_ref": None}]},
        {"granular_markings": [{"lang": None}]},
        {"object_marking_refs": [IDS[Level.CLEAR]], "granular_markings": [{"marking_ref": OWN}]},
    ],
)
def test_what_cannot_be_read_is_the_strictest(value: dict[str, Any]) -> None:
    assert effective(value, unknown) is Level.UNREADABLE


def test_a_definition_under_another_id_does_not_count() -> None:
    assert effective({"object_marking_refs": [OWN]}, lambda _: tlp("white", id=RED)) is Level.UNREADABLE


def test_unmarked() -> None:
    for value in (
        {},
        {"object_marking_refs": []},
        {"granular_markings": [{"lang": "ar", "selectors": ["name"]}]},
    ):
        assert effective(value, nobody) is None
    assert effective({"object_marking_refs": [OWN]}, {OWN: STATEMENT}.get) is None


@given(st.lists(st.sampled_from(sorted(LEVELS))), st.lists(st.sampled_from(sorted(LEVELS))))
def test_another_marking_never_makes_it_laxer(whole: list[str], parts: list[str]) -> None:
    value = {"object_marking_refs": whole, "granular_markings": [{"marking_ref": ref} for ref in parts]}
    assert effective(value, nobody) == max((LEVELS[ref] for ref in whole + parts), default=None)


def test_labels_are_advice() -> None:
    assert marking.labelled({"labels": ["tlp:amber", "TLP:RED", "x"]}) is Level.RED
    assert marking.labelled({"labels": ["red", "tlp:purple", 5]}) is None
    assert marking.labelled({"labels": "tlp:red"}) is None
    assert effective({"labels": ["tlp:red"]}, nobody) is None
