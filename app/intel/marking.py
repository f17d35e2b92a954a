"""TLP: what level an object's markings give it.

A level comes from the definition a marking refers to: by its id where that is one of the nine published ones,
else by what the definition says. A statement gives no level and passes. Whatever cannot be found or
understood is UNREADABLE, the strictest of all. Labels that look like TLP are no markings (`labelled` reads
them for whoever wants to be careful).
Sources: STIX 2.1 section 7.2 (data markings); FIRST TLP 2.0; the registered
extension `extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d` of the OASIS common objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum

EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
"""The registered extension by which a definition says its TLP 2.0 level, in `tlp_2_0`."""

Resolve = Callable[[str], Mapping[str, object] | None]
"""From a marking's id to the value of its definition, or None where it is not held."""


class Level(IntEnum):
    """TLP 2.0 levels, laxest first; UNREADABLE stands above RED. The numbers are stored and stay."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    RED = 4
    UNREADABLE = 5

    @property
    def label(self) -> str:
        """The level as TLP writes it, without the prefix: `AMBER+STRICT`."""
        return self.name.replace("_", "+")


_BY_NAME = {level.label: level for level in Level if level is not Level.UNREADABLE} | {"WHITE": Level.CLEAR}

_TLP2 = {
    Level.CLEAR: "94868c89-83c2-464b-929b-a1a8aa3c8487",
    Level.GREEN: "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Level.AMBER: "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Level.AMBER_STRICT: "939a9414-2ddd-4d32-a0cd-375ea402b003",
    Level.RED: "e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_TLP1 = {
    "white": "613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "f88d31f6-486f-44da-b317-01333bde0b82",
    "red": "5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}

IDS: Mapping[Level, str] = {level: f"marking-definition--{uuid}" for level, uuid in _TLP2.items()}
"""The id of each level's TLP 2.0 definition."""

LEVELS: Mapping[str, Level] = {marking: level for level, marking in IDS.items()} | {
    f"marking-definition--{uuid}": _BY_NAME[name.upper()] for name, uuid in _TLP1.items()
}
"""The level of each of the nine published ids, TLP 1 read as its equivalent."""


def parse(text: str) -> Level | None:
    """The level that `text` names (`AMBER+STRICT`, `tlp:amber`, TLP 1's `WHITE`), None for none."""
    return _BY_NAME.get(text.strip().upper().removeprefix("TLP:"))


def canonical() -> dict[str, str]:
    """The nine published definitions as JSON texts, by id: TLP 2.0 as its extension gives them, TLP 1 as STIX
    2.1 does.
    """
    texts: dict[str, str] = {}
    for level, marking in IDS.items():
        texts[marking] = _text(
            type="marking-definition",
            spec_version="2.1",
            id=marking,
            created="2022-10-01T00:00:00.000Z",
            name=f"TLP:{level.label}",
            extensions={EXTENSION: {"extension_type": "property-extension", "tlp_2_0": level.label.lower()}},
        )
    for name, uuid in _TLP1.items():
        marking = f"marking-definition--{uuid}"
        texts[marking] = _text(
            type="marking-definition",
            spec_version="2.1",
            id=marking,
            created="2017-01-20T00:00:00.000Z",
            definition_type="tlp",
            name=f"TLP:{name.upper()}",
            definition={"tlp": name},
        )
    return texts


def _text(**properties: object) -> str:
    return json.dumps(properties, separators=(",", ":"))


def defined(value: Mapping[str, object]) -> Level | None:
    """The level a marking definition gives by what it says, whatever its id; None for a statement.

    UNREADABLE where it says nothing known, or contradicts itself.
    """
    if value.get("type") != "marking-definition":
        return Level.UNREADABLE
    said = list(_claims(value))
    if said:
        return said[0] if said[0] is not None and len(set(said)) == 1 else Level.UNREADABLE
    definition = value.get("definition")
    if value.get("definition_type") == "statement" and isinstance(definition, dict):
        return None if isinstance(definition.get("statement"), str) else Level.UNREADABLE
    return Level.UNREADABLE


def _claims(value: Mapping[str, object]) -> Iterator[Level | None]:
    """Each level that a definition of TLP names, None for a name that is none; nothing where it is not about
    TLP.
    """
    extensions = value.get("extensions")
    extension = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
    kind = value.get("definition_type")
    about_tlp = isinstance(kind, str) and kind.lower() == "tlp"
    if extension is not None:
        yield _level(extension.get("tlp_2_0")) if isinstance(extension, dict) else None
    if about_tlp:
        # Some producers write the key in capitals, some leave the definition out and only give the name.
        definition = value.get("definition")
        if isinstance(definition, dict):
            named = [item for key, item in definition.items() if key.lower() == "tlp"]
            yield _level(named[0]) if len(definition) == len(named) == 1 else None
        elif definition is not None or "name" not in value:
            yield None
    elif extension is not None and ("definition_type" in value or "definition" in value):
        yield None
    if (about_tlp or extension is not None) and "name" in value:
        yield _level(value["name"])


def _level(text: object) -> Level | None:
    return parse(text) if isinstance(text, str) else None


def is_redefinition(value: Mapping[str, object]) -> bool:
    """Whether `value` has one of the nine published ids and does not say what that id stands for.

    Other spellings of the same level (another `created`, no name, TLP:CLEAR under TLP 1's id of WHITE, the name and
    nothing else) are not.
    """
    marking = value.get("id")
    level = LEVELS.get(marking) if isinstance(marking, str) else None
    if level is None or defined(value) is level:
        return False
    named_only = not any(key in value for key in ("definition_type", "definition", "extensions"))
    return not (
        named_only and value.get("type") == "marking-definition" and _level(value.get("name")) is level
    )


def referred(value: Mapping[str, object]) -> tuple[str | None, ...]:
    """The ids of all markings of an object and of its parts, each once; None for one that cannot be read.

    The objects inside observed data are parts of it.
    """
    if value.get("type") == "observed-data" and isinstance(inside := value.get("objects"), dict):
        whole = [value, *(one for one in inside.values() if isinstance(one, dict))]
        return tuple(dict.fromkeys(ref for one in whole for ref in _referred(one)))
    return _referred(value)


def _referred(value: Mapping[str, object]) -> tuple[str | None, ...]:
    if "object_marking_refs" not in value and "granular_markings" not in value:
        return ()
    found: dict[str | None, None] = {}
    for marking in _list(value, "object_marking_refs"):
        found[marking if isinstance(marking, str) else None] = None
    for granular in _list(value, "granular_markings"):
        if not isinstance(granular, dict):
            found[None] = None
        elif "marking_ref" in granular:
            marking = granular["marking_ref"]
            found[marking if isinstance(marking, str) else None] = None
        elif not isinstance(granular.get("lang"), str):
            found[None] = None
    return tuple(found)


def _list(value: Mapping[str, object], key: str) -> Iterable[object]:
    if key not in value:
        return ()
    items = value[key]
    return items if isinstance(items, list) else (None,)


def effective(value: Mapping[str, object], resolve: Resolve) -> Level | None:
    """The strictest level among the markings of an object and of its parts; None where none of them is about
    TLP.

    UNREADABLE where one is malformed, not held, or not understood. A published definition itself is CLEAR.
    """
    identifier = value.get("id")
    return strictest(identifier if isinstance(identifier, str) else "", referred(value), resolve)


def strictest(identifier: str, references: Iterable[str | None], resolve: Resolve) -> Level | None:
    """The same for an object of that id whose markings are `references`, as `referred` gives them."""
    found = Level.CLEAR if identifier in LEVELS else None
    for reference in references:
        level = resolved(reference, resolve)
        if level is not None and (found is None or level > found):
            found = level
    return found


def deferred(reference: str) -> Mapping[str, object]:
    """Finds definitions for whoever has none at hand and asks again for each: none of these gives a level."""
    return {
        "type": "marking-definition",
        "id": reference,
        "definition_type": "statement",
        "definition": {"statement": ""},
    }


def resolved(reference: str | None, resolve: Resolve) -> Level | None:
    """The level that one marking gives, by its id; None for an id that cannot be read is UNREADABLE."""
    if reference is None:
        return Level.UNREADABLE
    if reference in LEVELS:
        return LEVELS[reference]
    definition = resolve(reference)
    if definition is None or definition.get("id") != reference:
        return Level.UNREADABLE
    return defined(definition)


def labelled(value: Mapping[str, object]) -> Level | None:
    """The strictest level that `labels` name as a tag (`tlp:red`); None without one. Not a marking: advice at
    most.
    """
    levels = (
        parse(label)
        for label in _list(value, "labels")
        if isinstance(label, str) and label.strip().upper().startswith("TLP:")
    )
    return max((level for level in levels if level is not None), default=None)
