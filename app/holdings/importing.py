"""Taking objects into the holdings: every content is kept, none silently wins.

An object is known by its STIX id. A content with a later `modified` is newer, with an earlier one older;
with the same and another JSON value it is a conflict: both stay in force until the officer keeps one. So is an object
under an id of its own that gives a file another SHA-256 than one with the same MD5 or SHA-1 does (`app.store.hashed`).
"""

from __future__ import annotations

import contextlib
import hashlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from app import audit
from app.holdings import revoking
from app.holdings.correlation import Correlation, Hit
from app.holdings.definitions import Definitions, Marked
from app.intel import compare as values
from app.intel.marking import Level
from app.intel.observables import Observable
from app.intel.prepared import Prepared, Source, prepare
from app.intel.reading import Entry, Fault
from app.jobs import Job
from app.messages import Refused
from app.store import contents, index, objects, origins, people
from app.store import ledger as store_ledger
from app.store.arriving import Arriving
from app.store.contents import Content
from app.store.database import Connection
from app.store.full_text import Texts
from app.store.installation import Installation
from app.store.ledger import Given
from app.store.objects import ObjectRow, VersionRow
from app.store.seen import Seen

STEP = 500
FIRST_STEP = 32
"""Objects stored first; then each time twice as many, up to a step, so as not to wait for many while few are there."""
STEP_BYTES = 8 << 20
MANY = 3_000
"""New objects after which, if they are many beside what is held, indexes that nobody looks at meanwhile are made at the
end.
"""
BESIDE = 4
"""Into indexes that do not fit in memory, one object goes at the cost of sorting this many, and more."""
TEXT = 600
"""Bytes of a text, about: how many more are to come follows from the size of the file."""
VARIANTS_LIMIT = 64
MARKINGS = 10_000
"""Different ways to be marked that are remembered; where there are more, texts are read again."""
HITS = 100
"""Hits that an import tells in full; all are counted."""


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """One object to take, and the handling that came with it (None: the default, if it is unmarked)."""

    prepared: Prepared
    handling: Level | None = None


@dataclass
class Counts:
    """What an import did, in objects. `refused` are (place, code) of those that were passed by; `converted` how many
    came as STIX 2.0; `disregarded` how many newer or older ones are revocations that do not count. `hits` counts
    observables of new contents that other objects were about before, `first_hits` are (STIX id, hit), the first of
    them. `given`: to whom objects went out before this act raised the level at which they are treated.
    """

    read: int = 0
    new: int = 0
    newer: int = 0
    older: int = 0
    same: int = 0
    conflicts: int = 0
    converted: int = 0
    disregarded: int = 0
    hits: int = 0
    first_hits: list[tuple[str, Hit]] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: Counts, prefix: str) -> None:
        """Count another file too; `prefix` names it in the places of its faults."""
        self.read += other.read
        self.new += other.new
        self.newer += other.newer
        self.older += other.older
        self.same += other.same
        self.conflicts += other.conflicts
        self.converted += other.converted
        self.disregarded += other.disregarded
        self.hits += other.hits
        self.first_hits = (self.first_hits + other.first_hits)[:HITS]
        self.given += other.given
        self.refused += [(prefix + where, code) for where, code in other.refused]


def import_entries(
    installation: Installation,
    entries: Iterable[Prepared | Entry | Fault],
    name: str,
    handling: Level | None,
    job: Job,
    size: int = 0,
) -> Counts:
    """Import the objects of a file in one transaction, logged. `handling` None: the settings' default. `size`: bytes of
    the file, as far as known.

    Raises `Refused`: whatever reading raises, and not-stix when the file holds no object at all. Nothing
    is changed then.
    """
    counts = Counts()

    def good() -> Iterator[Incoming]:
        for entry in entries:
            counts.read += 1
            if isinstance(entry, Fault):
                counts.refused.append((entry.where, entry.code))
            else:
                counts.converted += entry.old
                yield Incoming(entry if isinstance(entry, Prepared) else prepare(entry))
            # It may be as great as an object can be, and so may be the next one.
            del entry

    with installation.database.large(job) as tx:
        origin = origins.add(tx, "import", name, None, installation.officer, installation.now())
        default = people.default_handling(tx) if handling is None else handling
        source = entries if isinstance(entries, Source) else None
        take(tx, good(), origin, default, job, 0, counts, size=size, source=source)
        if not counts.read:
            raise Refused("not-stix")
        if counts.read == len(counts.refused):
            raise Refused("nothing-imported", where=counts.refused[0][0], cause=counts.refused[0][1])
        origins.forget_unused(tx, origin)
        audit.append(
            tx,
            installation,
            "import",
            objects=counts.read,
            new=counts.new,
            newer=counts.newer,
            older=counts.older,
            same=counts.same,
            conflicts=counts.conflicts,
            converted=counts.converted,
            refused=len(counts.refused),
            handling=default.label,
        )
    return counts


def take(
    tx: Connection,
    incoming: Iterable[Incoming],
    origin: int,
    default: Level,
    job: Job,
    total: int,
    counts: Counts | None = None,
    foreign: bool = False,
    size: int = 0,
    source: Source | None = None,
) -> Counts:
    """Put objects into the holdings inside the caller's transaction; returns what each turned out to be.

    `foreign`: they come from a counterpart, who may raise the level of what is held here and never lower it. `source`:
    where they come from, if they are still being read; what is recognised there is counted as read.
    """
    taking = _Taking(tx, origin, default, foreign, counts or Counts(), job, size // TEXT)
    if source is not None and taking.holding:
        source.recognise = taking.recognise
    waiting, most = iter(incoming), FIRST_STEP
    while taking.gather(waiting, most):
        job.step(taking.taken, total, "store")
        taking.take()
        taking.make_room()
        most = min(2 * most, STEP)
    taking.end()
    return taking.counts


class _Taking:
    """One act of taking objects in. New ones are put into the store many at a time."""

    def __init__(
        self,
        tx: Connection,
        origin: int,
        default: Level,
        foreign: bool,
        counts: Counts,
        job: Job,
        expected: int,
    ) -> None:
        self._job = job
        self.counts = counts
        self._tx, self._origin, self._default, self._foreign = tx, origin, default, foreign
        self._hash_key = objects.hash_key(tx)
        self._definitions = Definitions(tx, self._hash_key)
        self._arrived: list[str] = []
        self._marked: dict[Marked, array[int]] = defaultdict(lambda: array("q"))
        self._texts = Texts()
        self._new = Arriving(tx, origin, self._texts)
        self._lately = set[int]()
        self._held, self._began = self._new.oid, self._new.vid
        self._expected, self.taken = expected, 0
        self._seen = Seen(tx, self._held, expected)
        self._aside: list[str] = []
        self._some: list[Incoming] = []
        self._again: list[int] = []
        self._correlation = Correlation(tx, upto=self._held) if self._held else None
        self._about: dict[str, tuple[Observable, ...]] = {}
        self._converted: list[int] = []
        self._revoked: dict[int, None] = {}
        self._identities: list[int] = []
        self._raised: list[str] = []
        self._read_by: dict[int, int] = {}
        self._shown: dict[int, Content] = {}
        """The contents that newer ones of the step may take the place of, by vid."""

    @property
    def holding(self) -> bool:
        """Whether anything was held before."""
        return self._held > 0

    def gather(self, waiting: Iterator[Incoming], most: int) -> bool:
        """Gather the objects of a step, at most so many, or `STEP_BYTES` together; whether there are any."""
        size = 0
        for one in waiting:
            self._some.append(one)
            size += len(one.prepared.raw)
            if len(self._some) == most or size > STEP_BYTES:
                break
        return bool(self._some)

    def recognise(self, contents: Sequence[tuple[str, bytes]]) -> list[bool]:
        """Which of these, (id, SHA-256 of the text), are held and change nothing: that they came is noted. Asked while
        a step is gathered: what comes after another content of its object is looked at.
        """
        self._job.step(self.taken, 0, "store")
        gathered = {one.prepared.id for one in self._some}
        hashes = [self._new.id_hash(id_) for id_, _ in contents]
        held = objects.settled(self._tx, self._seen.among(hashes), self._default)
        same, again = list[bool](), list[int]()
        for (id_, sha256), idh in zip(contents, hashes, strict=True):
            vid, text = held.get(idh, (0, None))
            same.append(text == sha256 and id_ not in gathered)
            if same[-1]:
                again.append(vid)
        origins.came(self._tx, again, self._origin)
        self.counts.read += len(again)
        self.counts.same += len(again)
        self.taken += len(again)
        return same

    def take(self) -> None:
        """Take what was gathered, or count it as refused. What is held of it is looked up at once for all."""
        some = self._some
        hashes = list(map(self._new.id_hash, [one.prepared.id for one in some]))
        known = self._known(hashes)
        waiting: list[tuple[int, Incoming]] = []
        for idh, one in zip(hashes, some, strict=True):
            if one.prepared.type == "marking-definition":
                # What comes after it may be marked by it.
                self._join_all(waiting, known)
                waiting.clear()
                if not self._admit(one.prepared):
                    continue
                if idh not in known:
                    known |= self._known([idh])
            if idh in known or idh in self._lately:
                waiting.append((idh, one))
            else:
                self._add(idh, one)
        self._join_all(waiting, known)
        self._seen.add(self._lately)
        self._lately.clear()
        origins.came(self._tx, self._again, self._origin)
        self._again.clear()
        self.taken += len(some)
        some.clear()
        if not self._aside and self._many():
            self._aside = index.lay_aside(self._tx, self._expected)

    def make_room(self) -> None:
        """Write the words that wait, if they are too many."""
        if self._texts.full:
            self._texts.make_room(self._tx, self._indexing)

    def _known(self, hashes: Sequence[int]) -> dict[int, ObjectRow]:
        """The objects that are in the store with these id hashes."""
        return objects.find_many(self._tx, self._seen.among(hashes))

    def _join_all(self, waiting: Sequence[tuple[int, Incoming]], known: dict[int, ObjectRow]) -> None:
        """Store what is new; then take what adds to objects that are held, in order. `known` are those looked up."""
        self._store()
        known |= objects.find_many(self._tx, {idh for idh, _ in waiting} - known.keys())
        # Of an object with very many versions only those of the same moments matter.
        there: dict[tuple[int, str], list[VersionRow]] = {}
        wanted = {(known[idh].oid, one.prepared.moment) for idh, one in waiting}
        for version in objects.versions_at_many(self._tx, wanted):
            there.setdefault((version.oid, version.moment), []).append(version)
        newer = [known[idh] for idh, one in waiting if one.prepared.moment > known[idh].moment]
        self._shown = contents.shown(self._tx, {row.current: not self._texts.waits(row.oid) for row in newer})
        changed = set[int]()
        for idh, one in waiting:
            row = known[idh]
            at = row.oid, one.prepared.moment
            if row.oid in changed:
                self._new.write()
                beside = objects.versions_at(self._tx, *at)
            else:
                beside = there.get(at, [])
            now = self._join(row, beside, one)
            if now is not None:
                known[idh] = now
                changed.add(row.oid)
                if now.level > row.level:
                    self._raised.append(row.id)
        self._new.write()
        self._shown = {}

    def _many(self) -> bool:
        """Whether so much is new that indexes are better made at the end."""
        new = self.counts.new
        coming = max(new, new * self._expected // self.taken)
        return new > MANY and coming > self._held // BESIDE

    def _admit(self, prepared: Prepared) -> bool:
        """Whether a marking definition may come in: what it says must not differ from what its id says here."""
        self._store()
        if self._definitions.redefines(msgspec.json.decode(prepared.raw, type=dict[str, object])):
            self.counts.refused.append((prepared.where, "marking-redefined"))
            return False
        self._arrived.append(prepared.id)
        self._definitions.changed()
        return True

    def _given(self, one: Incoming, level: Level | None) -> Level | None:
        # A marked object needs no handling; one that came with it from a counterpart may still be stricter than the
        # marking.
        return self._default if one.handling is None and level is None else one.handling

    def end(self) -> None:
        """Store what waits; read again what came before a definition it needs."""
        self._store()
        revoking.settle_after(self._tx, self._revoked, self._identities, self._texts)
        self._texts.write(self._tx, self._indexing)
        index.bring_back(self._tx, self._aside, self._indexing)
        objects.add_converted(self._tx, self._converted)
        self.counts.given += store_ledger.given_to(self._tx, dict.fromkeys(self._raised))
        arrived = set(self._arrived)
        known, lower = len(self._marked) < MARKINGS, list[int]()
        if known:
            late = [
                (marked, vids) for marked, vids in self._marked.items() if arrived.intersection(marked[1])
            ]
            lower = self._definitions.settle(
                late, self._default, lambda: self._job.step(self.taken, 0, "store")
            )
        upto = self._began if known else self._new.vid
        before = {
            vid
            for definition in self._arrived
            for vid in objects.marked_by(self._tx, objects.id_hash(self._hash_key, definition), upto)
        }
        lower += self._definitions.read_again(
            before, self._default, lambda done: self._job.step(done, len(before), "store")
        )
        objects.keep_levels(self._tx, lower)

    def _indexing(self, done: int, total: int) -> None:
        self._job.step(done, total, "index")

    def _add(self, idh: int, one: Incoming) -> None:
        prepared = one.prepared
        level = prepared.level(self._definitions) if prepared.definitions else prepared.marking
        self._new.add(idh, prepared, level, self._given(one, level))
        self._lately.add(idh)
        self.counts.new += 1
        if self._correlation is not None and prepared.indexed.observables:
            self._about[prepared.id] = prepared.indexed.observables
        # A definition that is held says the same whatever comes.
        if level == Level.UNREADABLE:
            self._note_markings(prepared)
        if prepared.old:
            self._converted.append(self._new.vid)
        if prepared.type == "identity":
            self._identities.append(idh)
        elif prepared.type == "marking-definition":
            self._store()
            self._definitions.changed()

    def _read_now(self, known: ObjectRow) -> ObjectRow:
        """The row of an object as its markings are read through the definitions that came in this act too: at the end
        all are, but what joins it now is measured by its level.
        """
        if known.marking != Level.UNREADABLE or self._read_by.get(known.oid, 0) == len(self._arrived):
            return known
        self._read_by[known.oid] = len(self._arrived)
        self._store()
        unread = objects.unreadable(self._tx, known.oid)
        objects.keep_levels(self._tx, self._definitions.read_again(unread, self._default))
        return objects.rows(self._tx, [known.oid])[0]

    def _join(self, known: ObjectRow, everything: Sequence[VersionRow], one: Incoming) -> ObjectRow | None:
        """Another content, or the same, of an object that is held; its row, if that or its versions changed.
        `everything` are the contents of that moment.
        """
        before, known = known, self._read_now(known)
        tx, oid, prepared = self._tx, known.oid, one.prepared
        level, handling = prepared.level(self._definitions), known.handling
        given = self._given(one, level)
        if self._foreign or level is None:
            given = _not_below(known, level, given, self._foreign)
        if given is not None and (handling is None or given > handling):
            objects.set_handling(tx, oid, given)
            handling = int(given)
        held = _held(tx, everything, prepared)
        if held is not None or len(everything) >= VARIANTS_LIMIT:
            if held is None:
                self.counts.refused.append((prepared.where, "too-many-variants"))
            else:
                if any(version.disregarded for version in everything):
                    self._revoked[oid] = None
                self._again.append(held)
                self.counts.same += 1
            now = known if handling == known.handling else replace(known, handling=handling)
            return None if now is before else now
        beside = [v for v in everything if not v.dropped]
        self._correlate({prepared.id: prepared.indexed.observables})
        if prepared.revoked or known.revoked:
            self._revoked[oid] = None
        counts = not prepared.revoked or revoking.counts_from(tx, oid, self._origin)
        if counts and prepared.moment > known.moment and not beside:
            row = self._new.supersede(known, prepared, level, handling, self._shown.get(known.current))
            shown = True
            self.counts.newer += 1
        else:
            self._new.vid += 1
            shown = self._add_beside(known, prepared, level, len(beside), counts)
            (row,) = objects.rows(tx, [oid])
        if shown and row.disputed and not known.disputed:
            self.counts.newer -= 1
            self.counts.conflicts += 1
        if level == Level.UNREADABLE:
            self._note_markings(prepared)
        if prepared.old:
            self._converted.append(self._new.vid)
        if prepared.type == "marking-definition":
            self._new.write()
            self._definitions.changed()
        return row

    def _add_beside(
        self, known: ObjectRow, prepared: Prepared, level: Level | None, beside: int, counts: bool
    ) -> bool:
        """Another content, beside so many of its moment, or older than what is in force; or (not `counts`) a revocation
        from another side. Returns whether it alone is in force.
        """
        tx, oid, vid, shown = self._tx, known.oid, self._new.vid, False
        in_force = counts and prepared.moment >= known.moment
        with index.anew(tx, oid, self._texts) if in_force else contextlib.nullcontext():
            objects.add_version(tx, self._origin, oid, vid, prepared, level, self._definitions_of(prepared))
            if not counts:
                objects.disregard(tx, vid, True)
                self.counts.disregarded += 1
                if prepared.moment < known.moment:
                    self.counts.older += 1
                else:
                    self.counts.newer += 1
            elif beside:
                self.counts.conflicts += 1
                if prepared.moment == known.moment:
                    objects.set_variants(tx, oid, beside + 1)
            elif prepared.moment < known.moment:
                self.counts.older += 1
            else:
                objects.show_version(tx, oid, vid, prepared, level)
                self.counts.newer += 1
                shown = True
        return shown

    def _correlate(self, about: Mapping[str, tuple[Observable, ...]]) -> None:
        """Count, and of the first tell, what other objects were about before this act; by STIX id."""
        if self._correlation is None or not about:
            return
        held = self._correlation.among(one for found in about.values() for one in found)
        if not held:
            return
        hitting = {id_: found for id_, found in about.items() if any(one in held for one in found)}
        if len(self.counts.first_hits) == HITS:
            self.counts.hits += self._correlation.count(hitting)
            return
        for id_, told in self._correlation.of(hitting).items():
            self.counts.hits += len(told)
            self.counts.first_hits += [(id_, hit) for hit in told[: HITS - len(self.counts.first_hits)]]

    def _note_markings(self, prepared: Prepared) -> None:
        """Remember what the version just stored is marked with: a definition that it needs may come after it."""
        if prepared.definitions and len(self._marked) < MARKINGS:
            self._marked[prepared.marking, prepared.definitions].append(self._new.vid)

    def _definitions_of(self, prepared: Prepared) -> tuple[int, ...]:
        return tuple(map(self._new.id_hash, prepared.definitions))

    def _store(self) -> None:
        self._correlate(self._about)
        self._about.clear()
        contradicting = self._new.write()
        self.counts.new -= contradicting
        self.counts.conflicts += contradicting


def _not_below(known: ObjectRow, marking_: Level | None, given: Level | None, foreign: bool) -> Level | None:
    """The handling that keeps an object at the level it had: its marking, and before a counterpart its handling too."""
    before = [level for level in (known.marking, known.handling if foreign else None) if level is not None]
    floor = Level(max(before)) if before else None
    if floor is None or (marking_ is not None and marking_ >= floor):
        return given
    return floor if given is None else max(given, floor)


def _held(connection: Connection, beside: Sequence[VersionRow], prepared: Prepared) -> int | None:
    """The vid under which the same content is held: the same bytes, or the same JSON value written otherwise."""
    if not beside:
        return None
    sha256 = hashlib.sha256(prepared.raw).digest()
    for version in beside:
        if version.sha256 == sha256:
            return version.vid
    value = msgspec.json.decode(prepared.raw)
    for version in beside:
        if values.same_value(msgspec.json.decode(objects.raw(connection, version.vid)), value):
            return version.vid
    return None
