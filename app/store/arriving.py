"""New objects on their way into the store: their rows, gathered and written many at a time.

What is done here is done a million times, so rows are plain tuples, each statement is prepared once for many, and the
driver is given int, str and bytearray to the letter: for anything else (None, bytes, bool and enumerations too) it asks
for an adapter, which costs as much as a row. Where a column may be NULL, a number outside its range stands for that.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from app.intel import timestamp
from app.intel.observables import hashed as hashed_in
from app.store import bodies, contents, hashed, index, objects, origins
from app.store.codes import CODES
from app.store.database import Connection
from app.store.full_text import Texts
from app.store.objects import ObjectRow, uid

if TYPE_CHECKING:
    from app.intel.marking import Level
    from app.intel.prepared import Prepared

_OBJECT = (
    "INSERT INTO object (oid, idh, uid, type, name, fraction, moment, marking, handling, revoked, variants, current,"
    " confidence)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, -1), nullif(?, -1), ?, 1, ?, nullif(?, -1))"
)
_VERSION = (
    "INSERT INTO version (vid, oid, moment, fraction, sha256, marking, raw, origin, creator)"
    " VALUES (?, ?, ?, ?, ?, nullif(?, -1), ?, ?, nullif(?, 0))"
)
_RECENT = 1 << 15
"""Ids whose hashes are remembered: creators, markings and whatever everything refers to."""


class Arriving:
    """New objects of one act, `origin`. `oid` and `vid` are the last numbers given."""

    def __init__(self, tx: Connection, origin: int, texts: Texts) -> None:
        self._tx, self._origin, self._texts = tx, origin, texts
        self._place = origins.place(tx, origin)
        self.oid, self.vid = objects.last_numbers(tx)
        self._held = self.vid
        self._key = objects.hash_key(tx)
        begun = hashlib.blake2b(digest_size=8, key=self._key)

        def id_hash(id_: str) -> int:
            """`objects.id_hash`, the key taken in once."""
            hashing = begun.copy()
            hashing.update(id_.encode())
            return int.from_bytes(hashing.digest(), "big", signed=True)

        self.id_hash = id_hash
        self._recent = lru_cache(_RECENT)(id_hash)
        self._counts = Counter[tuple[str, str]]()
        self._clear()

    def _clear(self) -> None:
        self._objects: list[tuple[object, ...]] = []
        self._versions: list[tuple[object, ...]] = []
        self._words: list[tuple[int, str, str, str]] = []
        self._observables: list[tuple[str, int | str, int]] = []
        self._domains: list[tuple[str, int]] = []
        self._externals: list[tuple[str, str, int]] = []
        self._edges: list[index.Edge] = []
        self._marked: list[tuple[int, int]] = []
        self._hashed: list[hashed.Item] = []
        self._found = Counter[tuple[str, int, bool]]()

    def __len__(self) -> int:
        return len(self._objects)

    def add(self, idh: int, one: Prepared, marking: Level | None, handling: Level | None) -> None:
        """Take an object never seen before with its first version; it is in the store after `write`."""
        self.oid = oid = self.oid + 1
        self.vid = vid = self.vid + 1
        raw, indexed, recent, type_, moment = one.raw, one.indexed, self._recent, one.type, one.moment
        marked = -1 if marking is None else int(marking)
        handled = -1 if handling is None else int(handling)
        fraction = timestamp.fraction(one.modified) if moment else 0
        self._objects.append(
            (
                oid,
                idh,
                uid(type_, one.id),
                type_,
                one.name,
                fraction,
                moment,
                marked,
                handled,
                1 if one.revoked else 0,
                vid,
                -1 if one.confidence is None else one.confidence,
            )
        )
        creator = recent(one.creator) if one.creator else 0
        digest = bytearray(hashlib.sha256(raw).digest())
        self._versions.append(
            (vid, oid, moment, fraction, digest, marked, bytearray(bodies.pack(raw)), self._origin, creator)
        )
        self._words.append((oid, indexed.text, indexed.tags, indexed.parts))
        if found := indexed.observables:
            for observable in found:
                kind = observable.kind
                self._observables.append((observable.value, CODES.get(kind, kind), oid))
            if len(found) > 1 and (says := hashed_in(type_, found)):
                self._hashed.append((oid, says))
            for domain in indexed.domains:
                self._domains.append((domain, oid))
        for value, source in indexed.externals:
            self._externals.append((value, source, oid))
        for link in one.links:
            rel, src = link.rel, link.src
            if src:
                self._edges.append((vid, CODES.get(rel, rel), recent(src), recent(link.dst), 1))
            else:
                self._edges.append((vid, CODES.get(rel, rel), 0, recent(link.dst), 0))
        for definition in one.definitions:
            self._marked.append((vid, recent(definition)))
        self._found[type_, marked if marked > handled else handled, one.revoked] += 1

    def write(self) -> int:
        """Store and index what was added; the words when `texts` are written. Returns how many of the objects say of a
        file what contradicts one that was there before (`app.store.hashed`).
        """
        if self._counts:
            index.count(self._tx, self._counts)
            self._counts.clear()
        if not self._objects:
            return 0
        tx = self._tx
        tx.executemany(_OBJECT, self._objects)
        tx.executemany(_VERSION, self._versions)
        index.put_found(tx, self._observables, self._domains, self._externals)
        if self._edges:
            index.put_edges(tx, self._edges)
        if self._marked:
            index.put_marked(tx, self._marked)
        self._texts.add(self._words)
        counts = Counter({("source", self._place): len(self._objects)})
        for (type_, level, revoked), many in self._found.items():
            for facet in index.facets(type_, level, revoked, 1):
                counts[facet] += many
        index.count(tx, counts)
        contradicting = index.put_hashed(tx, self._hashed) if self._hashed else 0
        self._clear()
        return contradicting

    def supersede(
        self, known: ObjectRow, one: Prepared, marking: Level | None, handling: int | None
    ) -> ObjectRow:
        """Take a content of an object that is held, which is the only one in force from now on. `known` is its row,
        `handling` the level at which it is treated now. Returns the row as it is then.

        What `index.anew` does for any change, without reading again what is known.
        """
        tx, oid, recent = self._tx, known.oid, self._recent
        self.vid = vid = self.vid + 1
        before = contents.in_force(tx, oid)
        said = index.hashed_of(before)
        # What came meanwhile may contradict it.
        disputed = objects.rows(tx, [oid])[0].disputed if said else known.disputed
        self._count(known.type, known.marking, handling, known.revoked, known.variants > 1 or disputed, -1)
        # What this act brought came by it alone.
        came_by = index.places(tx, known.current) if known.current <= self._held else (self._place,)
        for place in came_by:
            self._counts["source", place] -= 1
        objects.add_version(tx, self._origin, oid, vid, one, marking, list(map(recent, one.definitions)))
        objects.show_version(tx, oid, vid, one, marking)
        self._count(known.type, marking, handling, one.revoked, disputed, 1)
        self._counts["source", self._place] += 1
        after = [contents.Content(vid, one.id, one.creator, one.indexed, one.links)]
        index.change(tx, self._key, oid, before, after, self._texts)
        says = index.hashed_of(after)
        if says or said:
            self._counts["conflict", ""] += hashed.change(tx, oid, says)
            disputed = objects.rows(tx, [oid])[0].disputed
        return replace(
            known,
            name=one.name,
            modified=one.modified,
            moment=one.moment,
            marking=marking,
            handling=handling,
            revoked=one.revoked,
            variants=1,
            current=vid,
            disputed=disputed,
        )

    def _count(
        self, type_: str, marking: int | None, handling: int | None, revoked: bool, conflict: bool, by: int
    ) -> None:
        for facet in index.facets(type_, objects.stricter(marking, handling), revoked, 2 if conflict else 1):
            self._counts[facet] += by
