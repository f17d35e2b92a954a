"""Which observables are held already, in which objects, and from whom those came.

Asked of what is imported or received, before it is taken in: an object never hits itself, nor what arrives together
with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.intel import ids
from app.intel.observables import WEAK, Hashed, Observable, observables
from app.intel.observables import hashed as hashed_in
from app.store import hashed, objects
from app.store.codes import name
from app.store.database import Connection

HOLDERS = 5
"""Objects that are named for one observable."""
BATCH = 400
KNOWN = 10_000
"""Objects that are remembered while others are asked for."""


@dataclass(frozen=True, slots=True)
class Holder:
    """An object that is about an observable. `kind` and `source` say where it came from first: import and the file's
    name, or package and the counterpart's alias. `differs`: of the file with this MD5 or SHA-1 it says another SHA-256.
    """

    id: str
    type: str
    name: str
    kind: str
    source: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """An observable that is held already: `count` objects are about it, the first few are `holders`.

    `differing` of them say another SHA-256 than the object that hits: then an MD5 or SHA-1 in common means little.
    """

    observable: Observable
    count: int
    holders: tuple[Holder, ...]
    differing: int = 0


class Correlation:
    """Finds hits in the state of a connection. `upto`: only objects up to this number count (None: all)."""

    def __init__(self, connection: Connection, upto: int | None = None) -> None:
        self._connection = connection
        self._upto = (1 << 63) - 1 if upto is None else upto
        self._holders: dict[int, Holder] = {}

    def hits(self, value: Mapping[str, object]) -> tuple[Hit, ...]:
        """The hits of one object, in the order its observables stand in."""
        return self.of({str(value.get("id")): observables(value)}).get(str(value.get("id")), ())

    def of(self, wanted: Mapping[str, tuple[Observable, ...]]) -> dict[str, tuple[Hit, ...]]:
        """The hits of several objects, by STIX id, given their observables; an object without any is left out."""
        others = self._others(wanted)
        self._name({oid for beside in others.values() for oid in beside[:HOLDERS]})
        apart = self._apart(wanted, others)
        answer: dict[str, tuple[Hit, ...]] = {}
        for (id_, one), beside in others.items():
            differing = apart.get((id_, one), set()).intersection(beside)
            holders = (
                replace(self._holders[oid], differs=True) if oid in differing else self._holders[oid]
                for oid in beside[:HOLDERS]
            )
            hit = Hit(one, len(beside), tuple(holders), len(differing))
            answer[id_] = (*answer.get(id_, ()), hit)
        return answer

    def count(self, wanted: Mapping[str, tuple[Observable, ...]]) -> int:
        """How many hits several objects have together."""
        return len(self._others(wanted))

    def _others(
        self, wanted: Mapping[str, tuple[Observable, ...]]
    ) -> dict[tuple[str, Observable], list[int]]:
        """Of each observable of these objects that others are about: the numbers of those."""
        held = self._held({one for found in wanted.values() for one in found})
        own = self._own(wanted)
        return {
            (id_, one): beside
            for id_, found in wanted.items()
            for one in found
            if (beside := [oid for oid in held.get(one, ()) if oid != own.get(id_)])
        }

    def among(self, wanted: Iterable[Observable]) -> set[Observable]:
        """Those of these observables that are held."""
        return set(self._held(set(wanted), one_each=True))

    def _held(self, wanted: set[Observable], one_each: bool = False) -> dict[Observable, list[int]]:
        """The numbers of the objects about each, oldest first."""
        found: dict[Observable, list[int]] = {}
        for some in _batches(sorted({one.value for one in wanted})):
            rows = self._connection.execute(
                f"SELECT kind, val, {'min(oid)' if one_each else 'oid'} FROM observable"
                f" WHERE val IN ({', '.join('?' * len(some))}) AND oid <= ?{' GROUP BY val, kind' if one_each else ''}",
                [*some, self._upto],
            )
            for kind, value, oid in rows:
                found.setdefault(Observable(name(kind), value), []).append(oid)
        return {one: sorted(oids) for one, oids in found.items() if one in wanted}

    def _apart(
        self, wanted: Mapping[str, tuple[Observable, ...]], others: Iterable[tuple[str, Observable]]
    ) -> dict[tuple[str, Observable], set[int]]:
        """Of each weak hash of an object that others have too, the objects that say another SHA-256 of that file."""
        pairs: dict[tuple[str, Observable], Hashed] = {}
        for id_, one in others:
            if one.kind in WEAK:
                said = {pair.weak.hex(): pair for pair in hashed_in(ids.type_of(id_), wanted[id_])}
                if one.value in said:
                    pairs[id_, one] = said[one.value]
        known = hashed.strong(self._connection, {pair.weak for pair in pairs.values()})
        return {key: hashed.unlike(known, pair) for key, pair in pairs.items()}

    def _own(self, wanted: Iterable[str]) -> dict[str, int]:
        """The numbers of those of these objects that are held."""
        key = objects.hash_key(self._connection)
        hashes = {objects.id_hash(key, id_): id_ for id_ in wanted}
        held = objects.oids_of(self._connection, hashes)
        return {hashes[idh]: oid for idh, oid in held.items()}

    def _name(self, oids: Iterable[int]) -> None:
        """Learn what these objects are, and where they came from first."""
        if len(self._holders) > KNOWN:
            self._holders.clear()
        for some in _batches([oid for oid in oids if oid not in self._holders]):
            # Of a group that is reduced by min(), SQLite takes the other columns from the row that has the least.
            rows = self._connection.execute(
                "SELECT object.oid, uid, object.type, object.name, origin.kind, coalesce(alias, origin.name),"
                " min(origin.number)"
                " FROM object CROSS JOIN version USING (oid)"
                " CROSS JOIN origin ON origin = origin.number LEFT JOIN inbox ON package = inbox.number"
                " LEFT JOIN counterpart ON origin.kind = 'package'"
                "  AND (counterpart.cid = inbox.cid OR (inbox.cid IS NULL AND fingerprint = origin.name))"
                f" WHERE object.oid IN ({', '.join('?' * len(some))}) GROUP BY object.oid",
                some,
            )
            self._holders.update((r[0], Holder(objects.stix_id(r[2], r[1]), *r[2:6])) for r in rows)


def _batches(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]
