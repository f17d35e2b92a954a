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
    from app.store.contents import Content

_OBJECT = (
    "INSERT INTO object (oid, idh, uid, type, name, fraction, moment, marking, handling, revoked, variants, current,"
    " confidence)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, -1), nullif(?, -1), ?, 1, ?, nullif(?, -1))"
)
_VERSION = (
    "INSERT INTO version (vid, oid, moment, fraction, sha256, marking, raw, origin, creator)"
    " VALUES (?, ?, ?, ?, ?, nullif(?, -1), ?, ?, nullif(?, 0))"
)
_SHOWN = (
    "UPDATE object SET name = ?, fraction = ?, moment = ?, marking = nullif(?, -1), revoked = ?, current = ?,"
    " confidence = nullif(?, -1) WHERE oid = ?"
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
        self._shown: list[tuple[object, ...]] = []
        self._gone: index.Found = ([], [], [])
        self._unlinked: list[int] = []
        self._marked: list[tuple[int, int]] = []
        self._hashed: list[hashed.Item] = []
        self._found = Counter[tuple[str, int, bool]]()

    def __len__(self) -> int:
        return len(self._objects)

    def add(self, idh: int, one: Prepared, marking: Level | None, handling: Level | None) -> None:
        """Take an object never seen before with its first version; it is in the store after `write`."""
        self.oid = oid = self.oid + 1
        self.vid = vid = self.vid + 1
        indexed, type_, moment = one.indexed, one.type, one.moment
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
        self._version(oid, fraction, marked, one)
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
        self._found[type_, marked if marked > handled else handled, one.revoked] += 1

    def _version(self, oid: int, fraction: int, marked: int, one: Prepared) -> None:
        """The row of the version last numbered, its links and what it is marked with."""
        vid, recent, raw = self.vid, self._recent, one.raw
        creator = recent(one.creator) if one.creator else 0
        digest = bytearray(hashlib.sha256(raw).digest())
        packed = bytearray(bodies.pack(raw))
        self._versions.append((vid, oid, one.moment, fraction, digest, marked, packed, self._origin, creator))
        for link in one.links:
            rel, src = link.rel, link.src
            if src:
                self._edges.append((vid, CODES.get(rel, rel), recent(src), recent(link.dst), 1))
            else:
                self._edges.append((vid, CODES.get(rel, rel), 0, recent(link.dst), 0))
        for definition in one.definitions:
            self._marked.append((vid, recent(definition)))

    def write(self) -> int:
        """Store and index what was added; the words when `texts` are written. Returns how many of the objects say of a
        file what contradicts one that was there before (`app.store.hashed`).
        """
        tx = self._tx
        if self._objects:
            tx.executemany(_OBJECT, self._objects)
            self._texts.add(self._words)
            self._counts["source", self._place] += len(self._objects)
            for (type_, level, revoked), many in self._found.items():
                for facet in index.facets(type_, level, revoked, 1):
                    self._counts[facet] += many
        if self._shown:
            tx.executemany(_SHOWN, self._shown)
            index.take_out(tx, *self._gone)
            index.take_edges(tx, self._unlinked)
        if self._versions:
            tx.executemany(_VERSION, self._versions)
            index.put_found(tx, self._observables, self._domains, self._externals)
            index.put_edges(tx, self._edges)
            index.put_marked(tx, self._marked)
        if self._counts:
            index.count(tx, self._counts)
            self._counts.clear()
        contradicting = index.put_hashed(tx, self._hashed) if self._hashed else 0
        self._clear()
        return contradicting

    def supersede(
        self,
        known: ObjectRow,
        one: Prepared,
        marking: Level | None,
        handling: int | None,
        before: Content | None,
    ) -> ObjectRow:
        """Take a content of an object that is held, which is the only one in force from now on. `known` is its row,
        `handling` the level at which it is treated now, `before` the content shown, if it was read (`contents.shown`).
        Returns the row as it will be.

        What `index.anew` does for any change, without reading again what is known; most of it waits for `write`, so
        nothing of this object is to be read until then.
        """
        oid, indexed = known.oid, one.indexed
        if before is None or known.in_conflict:
            return self._supersede_now(known, one, marking, handling)
        after = contents.Content(self.vid + 1, one.id, one.creator, indexed, one.links)
        if index.hashed_of([before]) or index.hashed_of([after]):
            return self._supersede_now(known, one, marking, handling)
        self.vid = vid = self.vid + 1
        self._changed(known, one, marking, handling, before=False, after=False)
        fraction = timestamp.fraction(one.modified) if one.moment else 0
        marked = -1 if marking is None else int(marking)
        confidence = -1 if one.confidence is None else one.confidence
        self._shown.append(
            (one.name, fraction, one.moment, marked, 1 if one.revoked else 0, vid, confidence, oid)
        )
        self._version(oid, fraction, marked, one)
        self._texts.take_out(oid, before.indexed)
        self._texts.put_in(oid, indexed)
        come = self._observables, self._domains, self._externals
        for waiting, rows in (
            *zip(self._gone, index.rows(oid, before.indexed, indexed), strict=True),
            *zip(come, index.rows(oid, indexed, before.indexed), strict=True),
        ):
            waiting += rows  # type: ignore[operator]
        self._unlinked.append(before.vid)
        return _row(known, one, marking, handling, vid, False)

    def _supersede_now(
        self, known: ObjectRow, one: Prepared, marking: Level | None, handling: int | None
    ) -> ObjectRow:
        tx, oid, recent = self._tx, known.oid, self._recent
        self.vid = vid = self.vid + 1
        before = contents.in_force(tx, oid)
        said = index.hashed_of(before)
        # What came meanwhile may contradict it.
        disputed = objects.rows(tx, [oid])[0].disputed if said else known.disputed
        self._changed(known, one, marking, handling, known.variants > 1 or disputed, disputed)
        objects.add_version(tx, self._origin, oid, vid, one, marking, list(map(recent, one.definitions)))
        objects.show_version(tx, oid, vid, one, marking)
        after = [contents.Content(vid, one.id, one.creator, one.indexed, one.links)]
        index.change(tx, self._key, oid, before, after, self._texts)
        says = index.hashed_of(after)
        if says or said:
            self._counts["conflict", ""] += hashed.change(tx, oid, says)
            disputed = objects.rows(tx, [oid])[0].disputed
        return _row(known, one, marking, handling, vid, disputed)

    def _changed(
        self,
        known: ObjectRow,
        one: Prepared,
        marking: int | None,
        handling: int | None,
        before: bool,
        after: bool,
    ) -> None:
        """Count a content that takes the place of others, in conflict `before` it or `after`."""
        self._count(known.type, known.marking, handling, known.revoked, before, -1)
        self._count(known.type, marking, handling, one.revoked, after, 1)
        # What this act brought came by it alone.
        if known.current <= self._held:
            for place in index.places(self._tx, known.current):
                self._counts["source", place] -= 1
            self._counts["source", self._place] += 1

    def _count(
        self, type_: str, marking: int | None, handling: int | None, revoked: bool, conflict: bool, by: int
    ) -> None:
        for facet in index.facets(type_, objects.stricter(marking, handling), revoked, 2 if conflict else 1):
            self._counts[facet] += by


def _row(
    known: ObjectRow, one: Prepared, marking: int | None, handling: int | None, vid: int, disputed: bool
) -> ObjectRow:
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
