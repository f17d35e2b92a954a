"""What is chosen for a release and what that needs, as the gate asks about it: read in bulk, each text once.

Definitions and identities that chosen objects need come along by themselves, so that the other side can read the
markings and tell who said it; the gate judges them like everything else.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from app.exchange import gate
from app.exchange.gate import Candidate
from app.exchange.provenance import Provenance
from app.holdings.definitions import Definitions
from app.intel.marking import Level
from app.intel.outline import outline
from app.jobs import Job
from app.store import objects
from app.store.database import Connection
from app.store.objects import Held

FOLLOWING = ("marking-definition--", "extension-definition--", "identity--")
BATCH = 1000


@contextlib.contextmanager
def unhurried() -> Iterator[None]:
    """Let the collector of cycles rest while many small values are made that all stay: it would look through all of
    them again and again, for a third of the time.
    """
    working = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if working:
            gc.enable()


Has = Callable[[Held], bool]
"""Whether the counterpart has a version already."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A version that was gathered: its `marking`, the `handling` of its object, and the `level` they come to."""

    row: Held
    marking: Level | None
    handling: Level | None
    level: Level


@dataclass
class Gathered:
    """The candidates in the order they were found, and what is known of each by its vid."""

    candidates: list[Candidate] = field(default_factory=list)
    facts: dict[int, Fact] = field(default_factory=dict)


class Gathering:
    """Reads objects for one release. `default` is the level of what has neither marking nor handling."""

    def __init__(
        self, reader: Connection, hash_key: bytes, default: Level, provenance: Provenance, has: Has, job: Job
    ) -> None:
        self._reader, self._hash_key, self._default = reader, hash_key, default
        self._provenance, self._has, self._job = provenance, has, job
        self._resolve = Definitions(reader, hash_key)
        self._found = Gathered()

    def chosen(self, rows: Sequence[Held], every_version: bool) -> Gathered:
        """What was chosen, then what that needs, and so on. `every_version` of what follows, too."""
        seen = {row.oid for row in rows}
        while rows:
            needed = self._read(rows, again=False)
            hashes = [objects.id_hash(self._hash_key, ref) for ref in needed]
            following = sorted(set(objects.oids_of(self._reader, hashes).values()) - seen)
            seen.update(following)
            rows = objects.held(self._reader, following, every_version, job=self._job)
        return self._found

    def again(self, rows: Sequence[Held]) -> Gathered:
        """Exactly these, sent before: what the object has become since counts too."""
        self._read(rows, again=True)
        return self._found

    def elsewhere(self, stix_id: str) -> list[Candidate] | None:
        """The contents in force of an id as the gate asks of them, None if it is not held. Raises `Cancelled`."""
        # Of ten thousand reports, all that they name is asked one by one.
        self._job.look()
        row = objects.find(self._reader, objects.id_hash(self._hash_key, stix_id))
        if row is None:
            return None
        handling = None if row.handling is None else Level(row.handling)
        found = []
        for version in objects.versions_at(self._reader, row.oid, row.moment):
            if not version.dropped:
                own = None if version.marking is None else Level(version.marking)
                custody = self._provenance.custody(row.oid, version.vid, version.sha256, own)
                level = gate.stricter(own, handling, self._default)
                embargo = self._provenance.embargo(row.oid, version.vid)
                barred = self._provenance.barred(stix_id, row.oid, version.vid, version.sha256)
                found.append(
                    Candidate(
                        version.vid, stix_id, level, (), custody=custody, embargo=embargo, barred=barred
                    )
                )
        return found

    def _read(self, rows: Sequence[Held], again: bool) -> dict[str, None]:
        """Take versions in; returns the ids that must follow them."""
        needed: dict[str, None] = {}
        for start in range(0, len(rows), BATCH):
            self._job.step(start, len(rows), "check")
            some = rows[start : start + BATCH]
            self._provenance.load(row.oid for row in some)
            texts = objects.raws(self._reader, [row.vid for row in some])
            for row in some:
                needed.update(self._take(row, texts[row.vid], again))
        return needed

    def _take(self, row: Held, raw: bytes, again: bool) -> dict[str, None]:
        seen = outline(raw, self._resolve)
        handling = None if row.handling is None else Level(row.handling)
        level = gate.stricter(seen.marking, handling, self._default)
        if again:
            level = max(level, *(now.level for now in self.elsewhere(row.id) or ()), Level.CLEAR)
        self._found.facts[row.vid] = Fact(row, seen.marking, handling, level)
        self._found.candidates.append(
            Candidate(
                row.vid,
                row.id,
                level,
                seen.refs,
                self._has(row),
                seen.names,
                self._provenance.custody(row.oid, row.vid, row.sha256, seen.marking),
                self._provenance.embargo(row.oid, row.vid),
                self._provenance.barred(row.id, row.oid, row.vid, row.sha256),
            )
        )
        return {ref: None for ref in seen.refs if ref.startswith(FOLLOWING)}
