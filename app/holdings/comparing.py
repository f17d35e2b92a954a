"""What objects from outside would be here, beside what is held: judged many at a time, nothing is taken in.

A status says what a content would be, exactly one each: new, newer, older, same, conflict, revoked. Remarks say what
an officer should see before deciding, any number each:

weakened        its level is below the one that what is held is treated at (accepted, it stays at the stricter one)
redefinition    a marking definition that says another level than its id has here or elsewhere among these
dangling        it needs an object that is neither held nor among these
feedback        it is a sighting, an opinion or a note on something that is held
contradicts     it gives a file with the same MD5 or SHA-1 another SHA-256 than an object held, or one before it here
disregarded     a revocation that is not its sender's to make: accepted, it is kept and does not count

Hits are the observables it is about that other objects held are about too; of what is the same, none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec

from app.holdings import revoking
from app.holdings.correlation import Correlation, Hit
from app.holdings.definitions import Definitions
from app.intel import compare as values
from app.intel import ids, marking
from app.intel.envelope import references
from app.intel.marking import Level
from app.intel.observables import Hashed, observables
from app.intel.observables import hashed as hashed_in
from app.store import hashed, objects
from app.store.database import Connection
from app.store.objects import ObjectRow, VersionRow

STATUSES = ("new", "newer", "older", "same", "conflict", "revoked")
REMARKS = ("weakened", "redefinition", "dangling", "feedback", "contradicts", "disregarded")
FEEDBACK = ("sighting", "opinion", "note")
BATCH = 1000
PURGED = b"{}"

_TEXT = msgspec.json.Decoder(dict[str, object])


@dataclass(frozen=True, slots=True)
class Outside:
    """A content from outside: `moment` as `app.intel.timestamp` makes it, `raw` its exact text ({}: it was
    purged here, nothing is remarked then), `handling` the level that came beside it.
    """

    id: str
    moment: str
    sha256: bytes
    raw: bytes
    handling: Level | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one content would be here. `level`: at which it came, by its marking, the handling or our default; None if
    its text was purged.
    """

    status: str
    remarks: tuple[str, ...]
    hits: tuple[Hit, ...] = ()
    level: Level | None = None


def compare(
    connection: Connection,
    outside: Iterable[Outside],
    together: frozenset[str],
    definitions: Sequence[Mapping[str, object]],
    default: Level,
    sender: int | None = None,
) -> Iterator[Comparison]:
    """Compare contents with what is held, in their order. `together` are the ids of all that came with them,
    `definitions` the values of the marking definitions among those, `default` the level of what says none,
    `sender` the counterpart's number.
    """
    comparing = _Comparing(connection, together, definitions, default, sender)
    waiting = iter(outside)
    while some := list(islice(waiting, BATCH)):
        yield from comparing.batch(some)


class _Comparing:
    """One act of comparing: what it read once serves the contents that follow."""

    def __init__(
        self,
        connection: Connection,
        together: frozenset[str],
        definitions: Sequence[Mapping[str, object]],
        default: Level,
        sender: int | None,
    ) -> None:
        self._connection, self._default, self._sender = connection, default, sender
        self._correlation = Correlation(connection)
        self._hash_key = objects.hash_key(connection)
        self._held = Definitions(connection, self._hash_key)
        self._beside: dict[str, list[Mapping[str, object]]] = {}
        for value in definitions:
            self._beside.setdefault(str(value.get("id")), []).append(value)
        self._known = set[str]()
        self._stated: dict[bytes, tuple[bytes, str]] = {}
        self._present = dict.fromkeys((*together, *marking.LEVELS), True)

    def batch(self, some: Sequence[Outside]) -> Iterator[Comparison]:
        hashes = [objects.id_hash(self._hash_key, one.id) for one in some]
        known = objects.find_many(self._connection, hashes)
        versions: dict[int, list[VersionRow]] = {}
        for version in objects.versions_of_many(self._connection, [row.oid for row in known.values()]):
            versions.setdefault(version.oid, []).append(version)
        parsed = [_TEXT.decode(one.raw) if one.raw != PURGED else None for one in some]
        needed = [() if value is None else references(value) for value in parsed]
        self._look_up({ref for refs in needed for ref in refs})
        about = {one.id: observables(v) for one, v in zip(some, parsed, strict=True) if v is not None}
        hits = self._correlation.of(about)
        said = {id_: hashed_in(ids.type_of(id_), found) for id_, found in about.items()}
        stated = [pair for pairs in said.values() for pair in pairs if pair.stated]
        others = hashed.strong(self._connection, {pair.weak for pair in stated}, stated=True)
        for one, idh, value, refs in zip(some, hashes, parsed, needed, strict=True):
            row = known.get(idh)
            beside = [] if row is None else [v for v in versions[row.oid] if v.moment == one.moment]
            status = self._status(one, value, row, beside)
            remarks = list(() if value is None else self._remarks(one, value, row, status))
            if not all(self._present[ref] for ref in refs):
                remarks.append("dangling")
            if value is not None and value.get("type") in FEEDBACK and self._heard(value):
                remarks.append("feedback")
            if status != "same" and self._contradicts(row, said.get(one.id, ()), others, one.id):
                remarks.append("contradicts")
            found = () if status == "same" else hits.get(one.id, ())
            level = None if value is None else self._level(one, value)
            yield Comparison(status, tuple(remarks), found, level)

    def _look_up(self, refs: set[str]) -> None:
        """Learn which of these ids are held."""
        unknown = {objects.id_hash(self._hash_key, ref): ref for ref in refs if ref not in self._present}
        held = objects.known(self._connection, unknown)
        self._present.update((ref, idh in held) for idh, ref in unknown.items())
        self._known.update(ref for idh, ref in unknown.items() if idh in held)

    def _heard(self, value: Mapping[str, object]) -> bool:
        """Whether a sighting, opinion or note is on something that is held, and did not come with it."""
        refs = value.get("object_refs")
        about = [value.get("sighting_of_ref"), *(refs if isinstance(refs, list) else ())]
        return any(isinstance(ref, str) and ref in self._known for ref in about)

    def _contradicts(
        self, row: ObjectRow | None, said: Iterable[Hashed], others: hashed.Said, id_: str
    ) -> bool:
        """Whether what a content states of a file contradicts another object, held or before it among these."""
        found = False
        for one in said:
            if one.stated:
                found = found or bool(hashed.unlike(others, one) - {-1 if row is None else row.oid})
                before = self._stated.setdefault(one.weak, (one.strong, id_))
                found = found or (before[0] != one.strong and before[1] != id_)
        return found

    def _status(
        self,
        one: Outside,
        value: Mapping[str, object] | None,
        row: ObjectRow | None,
        beside: Sequence[VersionRow],
    ) -> str:
        if row is None:
            return "new"
        if any(version.sha256 == one.sha256 for version in beside):
            return "same"
        if beside and value is not None:
            texts = (objects.raw(self._connection, version.vid) for version in beside)
            if any(values.same_value(_TEXT.decode(text), value) for text in texts):
                return "same"
        if any(not version.dropped for version in beside):
            return "conflict"
        if one.moment < row.moment:
            return "older"
        return "revoked" if value is not None and _revokes(value) and not row.revoked else "newer"

    def _remarks(
        self, one: Outside, value: Mapping[str, object], row: ObjectRow | None, status: str
    ) -> Iterator[str]:
        if (
            row is not None
            and status not in ("same", "older")
            and self._level(one, value) < _level(row, self._default)
        ):
            yield "weakened"
        if value.get("type") == "marking-definition" and self._redefines(value):
            yield "redefinition"
        if row is not None and status != "same" and _revokes(value) and not self._theirs(row):
            yield "disregarded"

    def _theirs(self, row: ObjectRow) -> bool:
        return self._sender is None or revoking.counts(self._connection, row.oid, self._sender)

    def _level(self, one: Outside, value: Mapping[str, object]) -> Level:
        own = marking.effective(value, self._definition)
        if own is None and one.handling is None:
            return self._default
        return max(level for level in (own, one.handling) if level is not None)

    def _definition(self, stix_id: str) -> Mapping[str, object] | None:
        return self._held(stix_id) or next(iter(self._beside.get(stix_id, ())), None)

    def _redefines(self, value: Mapping[str, object]) -> bool:
        others = self._beside.get(str(value.get("id")), ())
        level = marking.defined(value)
        return self._held.redefines(value) or any(marking.defined(other) != level for other in others)


def _revokes(value: Mapping[str, object]) -> bool:
    return value.get("revoked") is True


def _level(row: ObjectRow, default: Level) -> Level:
    levels = [Level(level) for level in (row.marking, row.handling) if level is not None]
    return max(levels, default=default)
