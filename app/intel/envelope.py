"""What lists, search and the release gate need of an object, taken out of it once.

Nothing here is trusted: a property of the wrong kind counts as absent. Text is given as it stands, hostile or
not.
Sources: STIX 2.1 sections 2.9 (identifiers), 3.2 (common properties), 4 to 7 (the objects).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec
import orjson

from app.intel import ids, marking, timestamp
from app.intel.marking import Level

MAX_NAME = 500
"""Characters of a name; a longer one is cut."""
MAX_TEXT = 1 << 20
"""Characters of searchable text of one object; the rest is not found by search."""

_MENTION = re.compile("--" + ids.UUID)
_ESCAPED = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")
_TYPE_BEFORE = re.compile(r"[a-z0-9](?:-?[a-z0-9]){0,249}")
"""Of a text read backwards."""


class Envelope(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The outside of one version of one object.

    `created`, `modified` and `creator` are as written, "" where absent. `moment` is `modified` as sortable
    text (`timestamp.moment`). `name` is the best label for people, "" where the object has none. `marking` is
    the strictest level of its markings, None where none is about TLP. `definitions` are the ids of its
    markings that are not among the nine published ones: without a resolver each makes the marking UNREADABLE.
    `rels` are the ids of all objects this one needs, each with the property it stands in first, its creator and
    markings last of all (`refs`: the ids alone).
    `confidence` is STIX's own, 0 to 100. `text` is what full text search reads, unfolded, one piece a line.
    """

    id: str
    type: str
    created: str
    modified: str
    moment: str
    name: str
    revoked: bool
    creator: str
    marking: Level | None
    definitions: tuple[str, ...]
    rels: Mapping[str, str]
    confidence: int | None
    text: str

    @property
    def refs(self) -> tuple[str, ...]:
        """The ids of all objects this one needs, each once."""
        return tuple(self.rels)


def envelope(value: Mapping[str, object], resolve: marking.Resolve | None = None) -> Envelope:
    """The envelope of an object as `reading` gives it. `resolve` finds the definitions of markings."""
    identifier, kind = _string(value, "id"), _string(value, "type")
    modified = _string(value, "modified")
    marked = marking.referred(value)
    own = tuple(ref for ref in marked if ref is not None and ref not in marking.LEVELS) if marked else ()
    confidence = value.get("confidence")
    return Envelope(
        id=identifier,
        type=kind,
        created=_string(value, "created"),
        modified=modified,
        moment=timestamp.moment(modified) or "",
        name=name(value),
        revoked=value.get("revoked") is True,
        creator=_string(value, "created_by_ref"),
        marking=marking.strictest(identifier, marked, resolve or _nothing_held),
        definitions=own,
        rels=references(value),
        confidence=confidence if type(confidence) is int and 0 <= confidence <= 100 else None,
        text="\n".join(filter(None, _searchable(value)))[:MAX_TEXT],
    )


def _nothing_held(_reference: str) -> None:
    return None


def _string(value: Mapping[str, object], key: str) -> str:
    text = value.get(key)
    return text if isinstance(text, str) else ""


# --- references ---------------------------------------------------------------------------------------------


_LAST = frozenset((None, "created_by_ref", "object_marking_refs", "marking_ref"))
"""What an id stands in (None: in nothing) that any other property goes before: of a note on the identity that wrote it,
the one would hide the other.
"""


def references(value: Mapping[str, object]) -> dict[str, str]:
    """The ids of all objects that this one needs, each with the property it stands in first; its creator and markings
    only where nothing else refers to them.
    """
    rels: dict[str, str] = {}
    _collect(value, rels)
    rels.pop(_string(value, "id"), None)
    return rels


def _collect(value: Mapping[str, object], rels: dict[str, str]) -> None:
    """Add every id that a property ending in `_ref` or `_refs` holds, and every extension definition in use."""
    for key, item in value.items():
        kind = type(item)
        if kind is str:
            if key[-4:] == "_ref" and rels.get(item) in _LAST and ids.type_of(item):  # type: ignore[call-overload, arg-type]
                rels[item] = key  # type: ignore[index]
        elif kind is list:
            if key[-5:] == "_refs":
                for ref in item:  # type: ignore[attr-defined]
                    if isinstance(ref, str) and rels.get(ref) in _LAST and ids.type_of(ref):
                        rels[ref] = key
            _collect_inside(item, rels)  # type: ignore[arg-type]
        elif kind is dict:
            if key == "extensions":
                rels.update((ref, key) for ref in item if _is_foreign_extension(ref))  # type: ignore[attr-defined]
            _collect(item, rels)  # type: ignore[arg-type]


def _collect_inside(items: list[object], rels: dict[str, str]) -> None:
    for item in items:
        if isinstance(item, dict):
            _collect(item, rels)
        elif isinstance(item, list):
            _collect_inside(item, rels)


def _is_foreign_extension(key: str) -> bool:
    """Whether `key` names an extension definition other than TLP 2.0's: that one is known, and held by nobody."""
    return ids.type_of(key) == "extension-definition" and key != marking.EXTENSION


def mentions(value: Mapping[str, object]) -> frozenset[str]:
    """Every id anywhere in an object, in keys and in the midst of text too, in lower case; its own is not counted.

    In a text an id may be glued to what stands before it: of `x-indicator--...` the id of an indicator counts as well.
    """
    return mentioned(orjson.dumps(value).decode()) - {_string(value, "id")}


def mentioned(text: str) -> frozenset[str]:
    """Every id in the text of a JSON value, in lower case. What is escaped in it is no part of an id: of `\\u002d` and
    the like nothing is found, so such a text must be written anew first.
    """
    # The n of an escaped line break is no part of the word after it.
    text = (_ESCAPED.sub(" ", text) if "\\" in text else text).lower()
    found = set[str]()
    for uuid in _MENTION.finditer(text):
        start, rest = uuid.start(), uuid[0]
        before = text[max(0, start - 64) : start]
        word = before.rpartition('"')[2]
        if not ids.is_type(word):
            # Backwards from the dashes: forwards, long text would be tried from each of its letters.
            kind = _TYPE_BEFORE.match(before[::-1])
            if kind is None:
                continue
            word = kind[0][::-1]
        found.add(word + rest)
        while "-" in word:
            word = word.partition("-")[2]
            found.add(word + rest)
    return frozenset(found)


# --- name ---------------------------------------------------------------------------------------------------

# What tells one object of a type from another, best first. Whatever is not listed goes by `_COMMON`.
_LABELS: Mapping[str, tuple[str, ...]] = {
    "relationship": ("relationship_type",),
    "note": ("abstract", "content"),
    "opinion": ("opinion",),
    "sighting": ("description", "sighting_of_ref"),
    "observed-data": ("first_observed",),
    "language-content": ("object_ref",),
    "directory": ("path",),
    "email-message": ("subject", "message_id"),
    "process": ("command_line", "pid"),
    "user-account": ("account_login", "display_name", "user_id"),
    "windows-registry-key": ("key",),
    "x509-certificate": ("subject", "serial_number"),
    "artifact": ("url",),
}
_COMMON = (
    "name",
    "value",
    "display_name",
    "title",
    "abstract",
    "path",
    "key",
    "subject",
    "url",
    "pattern",
    "description",
)
_HASHES = ("SHA-256", "SHA-512", "SHA3-256", "SHA-1", "MD5")


def name(value: Mapping[str, object]) -> str:
    """The best label for people, at most `MAX_NAME` characters; "" where there is none."""
    return _label(value)[:MAX_NAME]


def _label(value: Mapping[str, object]) -> str:
    kind = _string(value, "type")
    for key in _LABELS.get(kind, _COMMON):
        item = value.get(key)
        if isinstance(item, str) and item.strip():
            return item
        if isinstance(item, int) and not isinstance(item, bool):
            return str(item)
    if kind == "autonomous-system" and isinstance(value.get("number"), int):
        return f"AS{value['number']}"
    if kind == "network-traffic":
        return _traffic(value)
    if kind == "marking-definition":
        definition = value.get("definition")
        if isinstance(definition, dict):
            return _string(definition, "statement") or _string(definition, "tlp")
    return next(_hashes(value), "") or _string(value, "name")


def _traffic(value: Mapping[str, object]) -> str:
    protocols = value.get("protocols")
    words = [item for item in protocols if isinstance(item, str)] if isinstance(protocols, list) else []
    ports = [
        str(port) if isinstance(port := value.get(key), int) else "*" for key in ("src_port", "dst_port")
    ]
    if ports != ["*", "*"]:
        words.append(" > ".join(ports))
    return " ".join(words)


def _hashes(value: Mapping[str, object]) -> Iterator[str]:
    """The hash values of a file, artifact or certificate, the most telling first."""
    hashes = value.get("hashes")
    if isinstance(hashes, dict):
        for key in (*_HASHES, *(key for key in hashes if key not in _HASHES)):
            text = hashes.get(key)
            if isinstance(text, str):
                yield text


# --- text ---------------------------------------------------------------------------------------------------

_OF_INTEL = ("name", "description", "pattern", "abstract", "content", "explanation", "objective")
_OF_OBSERVABLES = (
    "value",
    "path",
    "key",
    "url",
    "command_line",
    "subject",
    "issuer",
    "serial_number",
    "body",
)
_OF_OTHERS = ("account_login", "display_name", "user_id", "cpe", "vendor", "message_id", "relationship_type")
_OF_PLACES = ("country", "region", "administrative_area", "city", "contact_information")
_OF_RESULTS = ("title", "opinion", "product", "result_name")
_TEXTS = frozenset((*_OF_INTEL, *_OF_OBSERVABLES, *_OF_OTHERS, *_OF_PLACES, *_OF_RESULTS))
# What was a label in STIX 2.0 is a type in 2.1. Those of indicators are left out: they say the same of nearly all.
_OF_KINDS = ("malware_types", "threat_actor_types", "tool_types", "report_types", "infrastructure_types")
_LISTS = frozenset(
    (
        *("aliases", "x_mitre_aliases", "x_opencti_aliases", "labels", "goals", "sectors", "authors"),
        *_OF_KINDS,
    )
)


def _searchable(value: Mapping[str, object]) -> list[str]:
    texts: list[str] = []
    for key, item in value.items():
        if key in _TEXTS:
            if isinstance(item, str):
                texts.append(item)
        elif key in _LISTS:
            if isinstance(item, list):
                texts += [text for text in item if isinstance(text, str)]
        elif key == "external_references":
            if isinstance(item, list):
                for reference in item:
                    if isinstance(reference, dict):
                        texts += (_string(reference, "external_id"), _string(reference, "source_name"))
        elif key == "hashes":
            texts += _hashes(value)
        elif key == "definition":
            if isinstance(item, dict):
                texts.append(_string(item, "statement"))
        elif key == "contents":
            # Translations, by language and property.
            for said in item.values() if isinstance(item, dict) else ():
                if isinstance(said, dict):
                    texts += [text for text in said.values() if isinstance(text, str)]
        elif key == "number" and isinstance(item, int):
            texts.append(f"AS{item}")
    return texts
