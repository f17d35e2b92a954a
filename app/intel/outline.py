"""What the release gate needs of an object, read off its exact text: its level, the ids it needs, the ids it names.

The same as `envelope` and `marking.effective` say, several times as fast, for texts as the store keeps them: valid
JSON without white space between tokens. A property's name and value cannot be imitated inside a string there, for a
quotation mark in a string is escaped; a text with an escaped character code in it goes the long way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from app.intel import ids, marking
from app.intel.envelope import envelope, mentioned, mentions
from app.intel.marking import Level

_ID = rb'"([a-z0-9](?:-?[a-z0-9]){0,249}--' + ids.UUID.encode() + rb')"'
_REF = re.compile(rb'_ref":' + _ID)
_REFS = re.compile(rb'_refs":\[([^\[\]{}]*)([\[\]{}])')
_IN_LIST = re.compile(_ID)
_INSIDE = (b"\\u", b'"extensions":{', b'"objects":{')
"""Escapes, and parts that may be anything."""


class _Marked(msgspec.Struct):
    id: Any = msgspec.UNSET
    object_marking_refs: Any = msgspec.UNSET
    granular_markings: Any = msgspec.UNSET


_marked = msgspec.json.Decoder(_Marked)


@dataclass(frozen=True, slots=True)
class Outline:
    """`marking` is the strictest level of its markings, None where none is about TLP; `refs` are the ids it needs, each
    once; `names` all ids anywhere in it, its own left out, in lower case.
    """

    marking: Level | None
    refs: tuple[str, ...]
    names: frozenset[str]


def outline(raw: bytes, resolve: marking.Resolve) -> Outline:
    """The outline of an object with this text. `resolve` finds the definitions of markings."""
    fast = None if any(one in raw for one in _INSIDE) else _refs(raw)
    if fast is None:
        value = msgspec.json.decode(raw, type=dict[str, object])
        return Outline(marking.effective(value, resolve), envelope(value).refs, mentions(value))
    head = _marked.decode(raw)
    own = head.id if isinstance(head.id, str) else ""
    fast.pop(own, None)
    return Outline(_level(head, resolve), tuple(fast), mentioned(raw.decode()) - {own})


def _refs(raw: bytes) -> dict[str, None] | None:
    """The ids in properties that refer, in some order; None where only reading the whole value can tell."""
    found: dict[str, None] = {one.decode(): None for one in _REF.findall(raw)}
    for inside, end in _REFS.findall(raw):
        if end != b"]" or inside.count(b'"') % 2 or b"\\" in inside:
            return None
        found.update((one.decode(), None) for one in _IN_LIST.findall(inside))
    return found


def _level(head: _Marked, resolve: marking.Resolve) -> Level | None:
    markings = head.object_marking_refs
    if head.granular_markings is msgspec.UNSET and type(markings) is list and len(markings) == 1:
        # By far the most: one published marking.
        level = marking.LEVELS.get(markings[0]) if isinstance(markings[0], str) else None
        if level is not None and head.id not in marking.LEVELS:
            return level
    said = {"id": head.id, "object_marking_refs": markings, "granular_markings": head.granular_markings}
    return marking.effective({key: item for key, item in said.items() if item is not msgspec.UNSET}, resolve)
