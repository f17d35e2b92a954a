"""Sanitising own objects for one counterpart: what is taken out, and that nothing of it is left. Pure.

A sanitised object is a new object, with an id of its own for each counterpart (STIX 2.1, 3.6.2: who made an object,
and what it is, do not change from version to version; a text with less in it is no later version of the whole one).
Sanitised again after the original changed, it is a new version of that new object. It bears no trace of the
original: no `derived-from`, which would name it. docs/decisions/0027-sanitised-objects.md
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from app.intel import ids
from app.intel.fold import fold
from app.messages import Refused

MARK = "[…]"
"""What stands in the place of a text that was taken out."""
CREATOR = "created_by_ref"
_MARKINGS = ("object_marking_refs", "granular_markings")

# Not words: changing them would change what the object is, and what is found there cannot be taken out.
_FIXED = frozenset(
    (
        *("type", "spec_version", "id", "created", "modified", "pattern", "pattern_type", "valid_from"),
        *("valid_until", "first_seen", "last_seen", "published", "relationship_type", "extension_type"),
    )
)


@dataclass(frozen=True)
class Rules:
    """What to take out. `drop`: properties and extensions by name. `redact`: texts, in any case of letters.
    `creator`: the identity that is to stand as the creator, "" leaves it as it is.
    """

    drop: frozenset[str] = frozenset()
    redact: tuple[str, ...] = ()
    creator: str = ""


@dataclass(frozen=True)
class Names:
    """What becomes of ids: `new` says under which another object leaves, `withheld` are those that do not leave."""

    new: Mapping[str, str] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()


def new_id(secret: bytes, cid: int, original: str) -> str:
    """The id of a sanitised object: the same for one counterpart each time, unrelated to any other."""
    message = f"sanitised/{cid}/{original}".encode()
    digest = bytearray(hashlib.blake2b(message, digest_size=16, key=secret).digest())
    digest[6] = digest[6] & 0x0F | 0x40
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    kind = original.partition("--")[0]
    return f"{kind}--{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def sanitised(
    value: Mapping[str, object],
    rules: Rules,
    names: Names,
    needed: Collection[str],
    created: str,
    modified: str,
) -> bytes:
    """The text of the new object, whose id `names.new` gives.

    `needed` are the properties without which it is no object of its type. Markings stay whole: with one less it would
    be treated more laxly than what it was made from. Raises `Refused` with its `id`: sanitise-needed (`what` is to be
    dropped or names what is withheld, and cannot be missing), sanitise-remains (a text or an id that was to be taken
    out is in a place that cannot change, or is written in another way: accents, letters of another form, signs that
    cannot be seen).
    """
    id_ = str(value["id"])
    for name in rules.drop & frozenset(needed):
        if name in value:
            raise Refused("sanitise-needed", id=id_, what=name)
    taking = _Taking(rules, names)
    made: dict[str, object] = {}
    for name, item in value.items():
        if name in rules.drop:
            continue
        marking = name in _MARKINGS
        kept = item if marking else taking.value(name, item)
        if kept is _GONE or (marking and not names.withheld.isdisjoint(_strings(item))):
            if marking or name in needed:
                raise Refused("sanitise-needed", id=id_, what=name)
            continue
        made[name] = kept
    _mend_markings(made)
    made["id"] = names.new[id_]
    if "created" in value:
        made |= {"created": created, "modified": modified}
    if rules.creator:
        made[CREATOR] = rules.creator
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    said = list(_strings(made))
    plain, folded = [text.casefold(), *map(str.casefold, said)], [fold(one) for one in said]
    for gone in (*rules.redact, *names.new, *names.withheld):
        alike = fold(gone)
        if any(gone.casefold() in one for one in plain) or (alike and any(alike in one for one in folded)):
            raise Refused("sanitise-remains", id=id_, what=gone)
    return text.encode()


_GONE = object()


class _Taking:
    def __init__(self, rules: Rules, names: Names) -> None:
        self._rules, self._names = rules, names
        self._new = {old.lower(): new for old, new in names.new.items()}
        # Longest first: of two texts, one inside the other, the outer goes whole.
        texts = sorted({*rules.redact, *names.new, *names.withheld}, key=len, reverse=True)
        self._texts = re.compile("|".join(map(re.escape, texts)), re.IGNORECASE) if texts else None

    def value(self, name: str, item: object) -> object:
        """What is left of a property's value, `_GONE` if nothing is."""
        if isinstance(item, str):
            if ids.type_of(item) and (name.endswith(("_ref", "_refs")) or name == "id"):
                return _GONE if item in self._names.withheld else self._names.new.get(item, item)
            return item if name in _FIXED else self._text(item)
        if isinstance(item, list):
            kept = [one for one in (self.value(name, inner) for inner in item) if one is not _GONE]
            return kept if kept or not item else _GONE
        if isinstance(item, dict):
            left = {}
            for key, inner in item.items():
                if key in self._rules.drop or key in self._names.withheld:
                    continue
                kept_inner = self.value(key, inner)
                if kept_inner is not _GONE:
                    left[self._text(key)] = kept_inner
            return left if left or not item else _GONE
        return item

    def _text(self, text: str) -> str:
        if self._texts is None:
            return text
        return self._texts.sub(lambda found: self._new.get(found[0].lower(), MARK), text)


def _mend_markings(made: dict[str, object]) -> None:
    """Let granular markings point at what is still there."""
    granular = made.get("granular_markings")
    if not isinstance(granular, list):
        return
    kept = []
    for one in granular:
        selectors = one.get("selectors") if isinstance(one, dict) else None
        if isinstance(selectors, list):
            left = [s for s in selectors if isinstance(s, str) and s.split(".")[0] in made]
            if left:
                kept.append(one | {"selectors": left})
        else:
            kept.append(one)
    if kept:
        made["granular_markings"] = kept
    else:
        del made["granular_markings"]


def _strings(value: object) -> Iterator[str]:
    """Every string of a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _strings(one)
