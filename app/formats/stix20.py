"""STIX 2.0 read as STIX 2.1: what changed between the two, and nothing else.

Ids, creators, times, patterns, markings and custom properties stay. A type named in `labels` goes to the
property that 2.1 has for it; a cyber observable inside observed data becomes an object of its own, under the id
the specification gives it and the markings of what it stood in. A property that 2.1 has no more is kept as a
custom one. What has no sound counterpart is refused as a whole, with its place.
Sources: STIX 2.0 parts 1 to 4 (2017); STIX 2.1 sections 2.9, 3.2, 4, 6, 9 and appendix C (its changes).

Codes: stix-2.0-shape (a property is of another kind than 2.0 says), stix-2.0-reference (a reference between
observables leads nowhere, or in a circle).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from app.intel import ids, timestamp
from app.intel.reading import SINCE_2_0, Entry, Fault

_NAMESPACE = uuid.UUID("5b0b7f8e-6ac5-4a3e-9f0d-0a6a1c1f6d52")
"""For observables to which the specification gives no id (processes): the same one here at every reading."""
_NO_OBSERVABLES = SINCE_2_0 | {"bundle", "marking-definition"}
PLACE = 200
"""Characters of a place inside an object that are told: keys may be of any length."""
MAX_CHAIN = 16
"""Observables whose ids follow from one another."""

Value = dict[str, Any]

_TYPES: Mapping[str, tuple[str, frozenset[str]]] = {
    "indicator": (
        "indicator_types",
        frozenset(
            (
                *("anomalous-activity", "anonymization", "benign", "compromised", "malicious-activity"),
                "attribution",
            )
        ),
    ),
    "malware": (
        "malware_types",
        frozenset(
            (
                *("adware", "backdoor", "bot", "ddos", "dropper", "exploit-kit", "keylogger", "ransomware"),
                *("remote-access-trojan", "resource-exploitation", "rogue-security-software", "rootkit"),
                *("screen-capture", "spyware", "trojan", "virus", "worm"),
            )
        ),
    ),
    "report": (
        "report_types",
        frozenset(
            (
                *("threat-report", "attack-pattern", "campaign", "identity", "indicator", "intrusion-set"),
                *("malware", "observed-data", "threat-actor", "tool", "vulnerability"),
            )
        ),
    ),
    "threat-actor": (
        "threat_actor_types",
        frozenset(
            (
                *("activist", "competitor", "crime-syndicate", "criminal", "hacker", "insider-accidental"),
                *("insider-disgruntled", "nation-state", "sensationalist", "spy", "terrorist"),
            )
        ),
    ),
    "tool": (
        "tool_types",
        frozenset(
            (
                *("denial-of-service", "exploitation", "information-gathering", "network-capture"),
                *("credential-exploitation", "remote-access", "vulnerability-scanning"),
            )
        ),
    ),
}
"""For each type whose `labels` said what it is: the property of 2.1, and the words of 2.0 that belong there."""

_RENAMED: Mapping[str, Mapping[str, str]] = {
    "directory": {"created": "ctime", "modified": "mtime", "accessed": "atime"},
    "file": {"created": "ctime", "modified": "mtime", "accessed": "atime"},
    "process": {"created": "created_time", "binary_ref": "image_ref"},
    "user-account": {"password_last_changed": "credential_last_changed"},
    "windows-registry-key": {"modified": "modified_time"},
}
_GONE: Mapping[str, frozenset[str]] = {
    "file": frozenset(("is_encrypted", "encryption_algorithm", "decryption_key")),
    "process": frozenset(("name", "arguments")),
    "archive-ext": frozenset(("version",)),
    "raster-image-ext": frozenset(("image_compression_algorithm",)),
    "socket-ext": frozenset(("protocol_family",)),
}


class _Unsound(Exception):
    """Something without a counterpart in 2.1; `place` is where, inside the object."""

    def __init__(self, code: str, place: str = "") -> None:
        super().__init__(code)
        self.code, self.place = code, place


def converted(entries: Iterable[Entry | Fault]) -> Iterator[Entry | Fault]:
    """The same entries, with those that came as STIX 2.0 (`Entry.old`) turned into STIX 2.1.

    Observed data gives its observables first (at `objects[3].objects.0`), then itself.
    """
    for entry in entries:
        if isinstance(entry, Fault) or not entry.old:
            yield entry
            # It may be great, and the next one as well.
            del entry
            continue
        try:
            values = list(_object(entry.value))
        except _Unsound as unsound:
            yield Fault(entry.where + unsound.place[:PLACE], unsound.code)
            continue
        for place, value in values:
            yield Entry(orjson.dumps(value), value, entry.where + place, old=True)


def _object(old: Value) -> Iterator[tuple[str, Value]]:
    """What an object becomes, each with its place inside it."""
    kind = old["type"]
    value: Value = {"type": kind, "spec_version": "2.1"}
    value |= {key: item for key, item in old.items() if key != "spec_version"}
    if "external_references" in value:
        value["external_references"] = [_reference(item) for item in _list(value, "external_references")]
    if kind in _TYPES:
        _sort_labels(value, *_TYPES[kind])
    if kind == "identity" and "labels" in value:
        value["roles"] = value.pop("labels")
    elif kind == "malware":
        # 2.0 describes families and says nothing about samples.
        value.setdefault("is_family", True)
    elif kind == "indicator":
        value |= {"pattern_type": "stix", "pattern_version": "2.0"}
    elif kind == "observed-data" and "objects" in value:
        yield from _observed(value)
        return
    yield "", value


def _sort_labels(value: Value, property_: str, words: frozenset[str]) -> None:
    labels = _list(value, "labels")
    types = [label.lower() for label in labels if isinstance(label, str) and label.lower() in words]
    rest = [label for label in labels if not (isinstance(label, str) and label.lower() in words)]
    value.pop("labels", None)
    if types:
        value[property_] = list(dict.fromkeys(types))
    if rest:
        value["labels"] = rest


def _reference(reference: object) -> object:
    if isinstance(reference, dict) and isinstance(reference.get("hashes"), dict):
        return reference | {"hashes": _hashes(reference["hashes"])}
    return reference


def _hashes(hashes: Mapping[str, object]) -> dict[str, object]:
    return {"SSDEEP" if name == "ssdeep" else name: item for name, item in hashes.items()}


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    items = value.get(key, [])
    if not isinstance(items, list):
        raise _Unsound("stix-2.0-shape", f".{key}")
    return items


# --- observed data ------------------------------------------------------------------------------------------


def _observed(value: Value) -> Iterator[tuple[str, Value]]:
    container = value.pop("objects")
    if not isinstance(container, dict) or not container:
        raise _Unsound("stix-2.0-shape", ".objects")
    granular = _list(value, "granular_markings")
    inner = [item for item in granular if _is_inside(item)]
    if inner:
        # What a part was marked with is in another object now: the whole takes it over, and is no laxer than before.
        value["object_marking_refs"] = _refs(value, inner)
        outer = [item for item in granular if not _is_inside(item)]
        if outer:
            value["granular_markings"] = outer
        else:
            del value["granular_markings"]
    markings = _refs(value, [])
    made = _Container(container, value["id"])
    for key in container:
        observable = made.observable(key)
        if markings:
            observable["object_marking_refs"] = markings
        yield f".objects.{key}", observable
    value["object_refs"] = list(dict.fromkeys(made.id(key) for key in container))
    yield "", value


def _is_inside(granular: object) -> bool:
    """Whether a granular marking is about something in `objects`."""
    if not isinstance(granular, dict) or "marking_ref" not in granular:
        raise _Unsound("stix-2.0-shape", ".granular_markings")
    return any(
        isinstance(selector, str) and selector.partition(".")[0] == "objects"
        for selector in _list(granular, "selectors")
    )


def _refs(value: Value, granular: Iterable[Mapping[str, Any]]) -> list[Any]:
    refs = [*_list(value, "object_marking_refs"), *(item["marking_ref"] for item in granular)]
    if not all(isinstance(ref, str) for ref in refs):
        raise _Unsound("stix-2.0-shape", ".object_marking_refs")
    return list(dict.fromkeys(refs))


class _Container:
    """The observables of one observed data, by their keys there."""

    def __init__(self, container: Mapping[str, Any], owner: str) -> None:
        self._container, self._owner = container, owner
        self._ids: dict[str, str] = {}
        self._open: list[str] = []

    def id(self, key: str) -> str:
        """The id that the observable under `key` gets."""
        if key not in self._ids:
            if key in self._open or len(self._open) == MAX_CHAIN:
                raise _Unsound("stix-2.0-reference", f".objects.{key}")
            self._open.append(key)
            # Only what its id follows from: everything else may lead back to it.
            shape = self._shape(key)
            kind = shape["type"]
            said = {name: shape[name] for name in ids.CONTRIBUTING.get(kind, ()) if name in shape}
            identifier = ids.sco_id({"type": kind, **self._linked(said, key)})
            if identifier is None:
                text = orjson.dumps(shape, option=orjson.OPT_SORT_KEYS).decode()
                identifier = f"{kind}--{uuid.uuid5(_NAMESPACE, self._owner + key + text)}"
            self._open.pop()
            self._ids[key] = identifier
        return self._ids[key]

    def observable(self, key: str) -> Value:
        """The observable under `key` as an object of 2.1."""
        shape = self._linked(self._shape(key), key)
        return {"type": shape.pop("type"), "spec_version": "2.1", "id": self.id(key), **shape}

    def _shape(self, key: str) -> Value:
        """The observable with the names of 2.1, its references still keys."""
        old = self._container[key]
        if not isinstance(old, dict) or not isinstance(old.get("type"), str) or not ids.is_type(old["type"]):
            raise _Unsound("stix-2.0-shape", f".objects.{key}")
        if old.keys() & {"id", "spec_version", "object_marking_refs", "granular_markings"}:
            raise _Unsound("stix-2.0-shape", f".objects.{key}")
        kind = old["type"]
        if kind in _NO_OBSERVABLES:
            raise _Unsound("stix-2.0-shape", f".objects.{key}")
        shape = _renamed(old, _RENAMED.get(kind, {}), _GONE.get(kind, frozenset()))
        if any(name in shape and not timestamp.valid(shape[name]) for name in ("created", "modified")):
            raise _Unsound("stix-2.0-shape", f".objects.{key}")
        if isinstance(shape.get("hashes"), dict):
            shape["hashes"] = _hashes(shape["hashes"])
        if isinstance(shape.get("additional_header_fields"), dict):
            shape["additional_header_fields"] = _lists(shape["additional_header_fields"])
        extensions = shape.get("extensions")
        if isinstance(extensions, dict):
            shape["extensions"] = {name: _extension(name, item) for name, item in extensions.items()}
        return shape

    def _linked(self, item: Any, key: str, name: str = "") -> Any:
        """`item` with each reference to an observable of this container turned into that one's id."""
        if isinstance(item, dict):
            return {inner: self._linked(part, key, inner) for inner, part in item.items()}
        if isinstance(item, list):
            return [self._linked(part, key, name[:-1] if name.endswith("_refs") else "") for part in item]
        if not name.endswith("_ref") or item is None:
            return item
        if not isinstance(item, str) or item not in self._container:
            raise _Unsound("stix-2.0-reference", f".objects.{key}")
        return self.id(item)


def _renamed(old: Value, names: Mapping[str, str], gone: frozenset[str]) -> Value:
    shape: Value = {}
    for name, item in old.items():
        now = f"x_{name}" if name in gone else names.get(name, name)
        if now != name and (now in old or now in shape):
            raise _Unsound("stix-2.0-shape", f".{name}")
        shape[now] = item
    return shape


def _extension(name: str, item: object) -> object:
    if not isinstance(item, dict):
        return item
    shape = _renamed(item, {}, _GONE.get(name, frozenset()))
    for key in ("hashes", "pe_hashes", "file_header_hashes"):
        if isinstance(shape.get(key), dict):
            shape[key] = _hashes(shape[key])
    if name == "http-request-ext" and isinstance(shape.get("request_header"), dict):
        shape["request_header"] = _lists(shape["request_header"])
    return shape


def _lists(fields: Mapping[str, object]) -> dict[str, object]:
    """Header fields, which 2.1 writes as lists."""
    return {name: [item] if isinstance(item, str) else item for name, item in fields.items()}
