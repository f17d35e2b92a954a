"""How the window says what `app.words` has words for, and the properties of objects."""

from __future__ import annotations

from app.messages import N_, NP_, _
from app.words import ACTS, OBJECT_STATES, PACKAGE_STATES, STATUSES, TYPES, logged_words
from ui import numbers

PROPERTIES: dict[str, str] = {
    "aliases": N_("Also called"),
    "confidence": N_("Confidence"),
    "created": N_("Created"),
    "created_by_ref": N_("Created by"),
    "definition_type": N_("Definition"),
    "description": N_("Description"),
    "external_references": N_("References"),
    "first_seen": N_("First seen"),
    "goals": N_("Goals"),
    "identity_class": N_("Class"),
    "indicator_types": N_("Kind"),
    "infrastructure_types": N_("Kind"),
    "is_family": N_("Family"),
    "kill_chain_phases": N_("Phases"),
    "labels": N_("Labels"),
    "lang": N_("Language"),
    "last_seen": N_("Last seen"),
    "malware_types": N_("Kind"),
    "modified": N_("Changed"),
    "name": N_("Name"),
    "object_marking_refs": N_("Markings"),
    "object_refs": N_("Objects"),
    "objective": N_("Objective"),
    "pattern": N_("Pattern"),
    "pattern_type": N_("Pattern language"),
    "published": N_("Published"),
    "relationship_type": N_("Relation"),
    "report_types": N_("Kind"),
    "resource_level": N_("Resources"),
    "revoked": N_("Revoked"),
    "sectors": N_("Sectors"),
    "sighting_of_ref": N_("Sighting of"),
    "source_ref": NP_("relationship", "From"),
    "target_ref": NP_("relationship", "To"),
    "threat_actor_types": N_("Kind"),
    "tool_types": N_("Kind"),
    "valid_from": N_("Valid from"),
    "valid_until": N_("Valid until"),
    "value": N_("Value"),
    "where_sighted_refs": N_("Seen by"),
}

# Icon, colour token and words of the states that packages go through, here and at the counterpart.
STATES: dict[str, tuple[str, str, str]] = {
    code: (icon, color, PACKAGE_STATES[code])
    for code, icon, color in (
        ("sealed", "package", "muted"),
        ("handed", "hard-drive", "info"),
        ("carried", "hard-drive", "info"),
        ("received", "check", "info"),
        ("acked", "check-check", "success"),
        ("accepted", "check-check", "success"),
        ("refused", "ban", "danger"),
        ("recalled", "undo-2", "warning"),
        ("void", "x", "muted"),
        ("pending", "clock", "warning"),
        ("decided", "check", "muted"),
        ("left", "history", "muted"),
        ("closed", "check", "muted"),
    )
}


# What the log tells of an act.
DETAILS: dict[str, str] = {
    "after": NP_("log", "After"),
    "alias": N_("Alias"),
    "before": NP_("log", "Before"),
    "conflicts": N_("Conflicts"),
    "converted": NP_("log", "Converted"),
    "counterpart": N_("Counterpart"),
    "fingerprint": N_("Fingerprint"),
    "handling": N_("Handling"),
    "name": N_("Name"),
    "new": STATUSES["new"],
    "newer": STATUSES["newer"],
    "object": NP_("log", "Object"),
    "objects": N_("Objects"),
    "older": STATUSES["older"],
    "reason": N_("Reason"),
    "refused": NP_("log", "Refused"),
    "same": STATUSES["same"],
    "seq": N_("Package"),
    "size": N_("Size"),
    "to": NP_("recipient", "To"),
    "value": N_("Value"),
    "versions": N_("Versions"),
}


def type_word(kind: str, *, many: bool = False) -> str:
    """What a STIX type is called; a type nobody knows keeps its own name."""
    words = TYPES.get(kind)
    return _(words[1 if many else 0]) if words else kind


def property_word(name: str) -> str:
    """What a property is called; unknown ones keep their own name, with spaces."""
    return _(PROPERTIES[name]) if name in PROPERTIES else name.removesuffix("_ref").replace("_", " ")


def state_word(state: str) -> str:
    """The state of a package."""
    return _(STATES[state][2]) if state in STATES else state


def object_state_word(state: str) -> str:
    """The state of an object that went out in a package."""
    return _(OBJECT_STATES[state]) if state in OBJECT_STATES else state


def detail_word(name: str) -> str:
    """What the log tells; what has no word keeps the name that stands in it."""
    return _(DETAILS[name]) if name in DETAILS else name


def detail_value(act: str, name: str, value: object) -> str:
    """What the log tells under a name: a number, the word of a code, or what stands there."""
    if type(value) is int:
        return numbers.number(value)
    words = logged_words(act, name, value)
    return _(words[str(value)]) if str(value) in words else str(value)


def setting_value(name: str, value: str) -> str:
    """To what a setting is set."""
    if name == "idle_minutes" and value.isdecimal():
        return numbers.minutes(int(value))
    return f"TLP:{value}" if name == "handling" else detail_value("setting.changed", "value", value)


def act_word(act: str) -> str:
    return _(ACTS[act]) if act in ACTS else act
