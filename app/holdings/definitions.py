"""Marking definitions as held: what the markings of every object here are read through.

A definition is not versioned in STIX, and no second text under its id may change what it says: one that gives another
level is refused (`redefines`), whoever sends it. Should two stand side by side all the same, the strictest counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from app.intel import marking
from app.intel.marking import Level
from app.store import objects
from app.store.database import Connection

BATCH = 500
Marked = tuple[Level | None, tuple[str, ...]]
"""The strictest level of the published markings of a text, and the ids of its other ones (`app.intel.prepared`)."""


class Definitions:
    """Finds the definition behind a marking id, each read once until `changed`."""

    def __init__(self, connection: Connection, hash_key: bytes) -> None:
        self._connection, self._hash_key = connection, hash_key
        self._known: dict[str, dict[str, object] | None] = {}

    def __call__(self, stix_id: str) -> dict[str, object] | None:
        if stix_id not in self._known:
            self._known[stix_id] = max(self._held(stix_id), key=_strictness, default=None)
        return self._known[stix_id]

    def redefines(self, value: Mapping[str, object]) -> bool:
        """Whether `value` is a marking definition that says another level than its id has, published or held."""
        if value.get("type") != "marking-definition":
            return False
        if value.get("id") in marking.LEVELS:
            return marking.is_redefinition(value)
        held = self(str(value.get("id")))
        return held is not None and marking.defined(held) != marking.defined(value)

    def changed(self) -> None:
        """Forget what was read: a definition came in."""
        self._known.clear()

    def read_again(
        self, vids: Collection[int], handling: Level, step: Callable[[int], None] = lambda done: None
    ) -> list[int]:
        """Give these versions the level their markings have now; what has none is treated at `handling`. `step` is told
        how many were read. Returns as `objects.set_marking` does.
        """
        ordered, lower = sorted(vids), list[int]()
        for start in range(0, len(ordered), BATCH):
            step(start)
            texts = objects.raws(self._connection, ordered[start : start + BATCH])
            read = defaultdict[Level | None, list[int]](list)
            for vid, raw in texts.items():
                read[marking.effective(msgspec.json.decode(raw, type=dict[str, object]), self)].append(vid)
            for level, some in read.items():
                lower += objects.set_marking(self._connection, some, level, handling)
        return lower

    def settle(
        self, marked: Iterable[tuple[Marked, Sequence[int]]], handling: Level, step: Callable[[], None]
    ) -> list[int]:
        """The same for versions of which it is known what their markings are; `step` is called now and then."""
        lower = list[int]()
        for (named, definitions), vids in marked:
            levels = [named, *(marking.resolved(one, self) for one in definitions)]
            level = max((one for one in levels if one is not None), default=None)
            for start in range(0, len(vids), BATCH):
                step()
                some = vids[start : start + BATCH]
                lower += objects.set_marking(self._connection, some, level, handling)
        return lower

    def _held(self, stix_id: str) -> list[dict[str, object]]:
        row = objects.find(self._connection, objects.id_hash(self._hash_key, stix_id))
        versions = [] if row is None else objects.versions_of(self._connection, row.oid)
        return [
            msgspec.json.decode(objects.raw(self._connection, version.vid), type=dict[str, object])
            for version in versions
        ]


def _strictness(definition: Mapping[str, object]) -> int:
    level = marking.defined(definition)
    return -1 if level is None else int(level)
