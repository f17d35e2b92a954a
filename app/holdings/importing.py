"""Taking objects into the holdings: every content is kept, none silently wins.

An object is known by its STIX id. A content with a later `modified` is newer, with an earlier one older;
with the same and another JSON value it is a conflict: both stay in force until the officer keeps one.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from app import audit
from app.holdings.definitions import Definitions
from app.intel import compare as values
from app.intel import marking
from app.intel.envelope import Envelope, envelope
from app.intel.indexing import indexed
from app.intel.marking import Level
from app.intel.reading import Entry, Fault
from app.jobs import Job
from app.messages import Refused
from app.store import index, objects, people
from app.store.database import Connection
from app.store.installation import Installation
from app.store.objects import ObjectRow

STEP = 500
VARIANTS_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Incoming:
    """One object to take: its exact text, where it stood, and the handling that came with it (None: the
    default, if it is unmarked).
    """

    raw: bytes
    where: str
    handling: Level | None = None
    value: dict[str, object] | None = None


@dataclass
class Counts:
    """What an import did, in objects. `refused` are (place, code) of those that were passed by; `converted` how many
    came as STIX 2.0.
    """

    read: int = 0
    new: int = 0
    newer: int = 0
    older: int = 0
    same: int = 0
    conflicts: int = 0
    converted: int = 0
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
        self.refused += [(prefix + where, code) for where, code in other.refused]


def import_entries(
    installation: Installation, entries: Iterable[Entry | Fault], name: str, handling: Level | None, job: Job
) -> Counts:
    """Import the objects of a file in one transaction, logged. `handling` None: the settings' default.

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
                yield Incoming(entry.raw, entry.where, None, entry.value)

    with installation.database.write() as tx:
        origin = objects.add_origin(tx, "import", name, None, installation.officer, installation.now())
        default = people.default_handling(tx) if handling is None else handling
        take(tx, good(), origin, default, job, 0, counts)
        if not counts.read:
            raise Refused("not-stix")
        if counts.read == len(counts.refused):
            raise Refused("nothing-imported", where=counts.refused[0][0], cause=counts.refused[0][1])
        objects.forget_empty_origins(tx)
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
) -> Counts:
    """Put objects into the holdings inside the caller's transaction; returns what each turned out to be.

    `foreign`: they come from a counterpart, who may raise the level of what is held here and never lower it.
    """
    taking = _Taking(tx, origin, default, foreign, counts or Counts(), job)
    for number, one in enumerate(incoming):
        if number % STEP == 0:
            job.step(number, total, "store")
        taking.take(one)
    taking.end()
    return taking.counts


class _Taking:
    """One act of taking objects in. New ones are put into the store many at a time."""

    def __init__(
        self, tx: Connection, origin: int, default: Level, foreign: bool, counts: Counts, job: Job
    ) -> None:
        self._job = job
        self.counts = counts
        self._tx, self._origin, self._default, self._foreign = tx, origin, default, foreign
        self._hash_key = objects.hash_key(tx)
        self._definitions = Definitions(tx, self._hash_key)
        self._arrived: list[str] = []
        self._oid, self._vid = objects.last_numbers(tx)
        self._fresh: dict[int, objects.Fresh] = {}

    def take(self, one: Incoming) -> None:
        """Take one object, or count it as refused."""
        value = one.value if one.value is not None else msgspec.json.decode(one.raw, type=dict[str, object])
        is_definition = value.get("type") == "marking-definition"
        if is_definition:
            self._store()
            if self._definitions.redefines(value):
                self.counts.refused.append((one.where, "marking-redefined"))
                return
        env = envelope(value, self._definitions)
        idh = objects.id_hash(self._hash_key, env.id)
        if idh in self._fresh:
            self._store()
        known = objects.find(self._tx, idh)
        # A marked object needs no handling; one that came with it from a counterpart may still be stricter than the
        # marking.
        given = one.handling
        if given is None and env.marking is None:
            given = self._default
        if known is None:
            self._add(idh, env, given, one.raw, value)
        else:
            self._join(known, env, given, one.raw, one.where)
        if is_definition:
            self._store()
            self._arrived.append(env.id)
            self._definitions.changed()

    def end(self) -> None:
        """Store what waits; read again what came before a definition it needs."""
        self._store()
        affected = {
            vid
            for definition in self._arrived
            for vid in objects.marked_by(self._tx, objects.id_hash(self._hash_key, definition))
        }
        for number, vid in enumerate(sorted(affected)):
            if number % STEP == 0:
                self._job.step(number, len(affected), "store")
            value = msgspec.json.decode(objects.raw(self._tx, vid), type=dict[str, object])
            level = marking.effective(value, self._definitions)
            objects.set_marking(self._tx, vid, level, self._default)

    def _add(
        self, idh: int, env: Envelope, given: Level | None, raw: bytes, value: dict[str, object]
    ) -> None:
        self._oid += 1
        self._vid += 1
        self._fresh[idh] = objects.Fresh(
            oid=self._oid,
            vid=self._vid,
            idh=idh,
            envelope=env,
            marking=env.marking,
            handling=given,
            raw=raw,
            sha256=hashlib.sha256(raw).digest(),
            indexed=indexed(value, env),
            edges=index.edges_of(self._hash_key, self._vid, value, env),
            definitions=self._definitions_of(env),
            creator=self._hash(env.creator) if env.creator else None,
        )
        self.counts.new += 1
        if len(self._fresh) == STEP:
            self._store()

    def _join(self, known: ObjectRow, env: Envelope, given: Level | None, raw: bytes, where: str) -> None:
        """Another content, or the same, of an object that is held."""
        tx, oid = self._tx, known.oid
        if self._foreign or env.marking is None:
            given = _not_below(known, env.marking, given, self._foreign)
        if given is not None and (known.handling is None or given > known.handling):
            objects.set_handling(tx, oid, given)
        sha256 = hashlib.sha256(raw).digest()
        held = _held(tx, known, env.moment, sha256, lambda: raw)
        if held is not None:
            objects.add_source(tx, held, self._origin)
            self.counts.same += 1
            return
        everything = objects.versions_at(tx, oid, env.moment)
        if len(everything) >= VARIANTS_LIMIT:
            self.counts.refused.append((where, "too-many-variants"))
            return
        beside = [v for v in everything if not v.dropped]
        self._vid += 1
        vid = self._vid
        in_force = env.moment >= known.moment
        with index.anew(tx, oid) if in_force else contextlib.nullcontext():
            definitions = self._definitions_of(env)
            objects.add_version(tx, self._origin, oid, vid, env, env.marking, raw, sha256, definitions)
            if beside:
                self.counts.conflicts += 1
                if env.moment == known.moment:
                    objects.set_variants(tx, oid, len(beside) + 1)
            elif env.moment < known.moment:
                self.counts.older += 1
            else:
                objects.show_version(tx, oid, vid, env, env.marking)
                self.counts.newer += 1

    def _hash(self, id_: str) -> int:
        return objects.id_hash(self._hash_key, id_)

    def _definitions_of(self, env: Envelope) -> tuple[int, ...]:
        return tuple(map(self._hash, env.definitions))

    def _store(self) -> None:
        if self._fresh:
            objects.add_fresh(self._tx, self._origin, list(self._fresh.values()))
            self._fresh.clear()


def _not_below(known: ObjectRow, marking_: Level | None, given: Level | None, foreign: bool) -> Level | None:
    """The handling that keeps an object at the level it had: its marking, and before a counterpart its handling too."""
    before = [level for level in (known.marking, known.handling if foreign else None) if level is not None]
    floor = Level(max(before)) if before else None
    if floor is None or (marking_ is not None and marking_ >= floor):
        return given
    return floor if given is None else max(given, floor)


def _held(
    connection: Connection, known: ObjectRow, moment: str, sha256: bytes, read: Callable[[], bytes]
) -> int | None:
    """The vid under which the same content is held: the same bytes, or the same JSON value written otherwise."""
    beside = objects.versions_at(connection, known.oid, moment)
    for version in beside:
        if version.sha256 == sha256:
            return version.vid
    if not beside:
        return None
    value = msgspec.json.decode(read())
    for version in beside:
        if values.same_value(msgspec.json.decode(objects.raw(connection, version.vid)), value):
            return version.vid
    return None
