"""What kinds and sectors an object is about: what the gate asks where an agreement is not about everything.

The sector of an object is what an officer said with a label; without one, the sectors of the identities it names (but
for its author) and of those that a relationship says it targets. Nothing found means that it is not known, and then the
gate holds the object back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from app import audit
from app.exchange import terms
from app.exchange.gate import About, by_type
from app.intel.envelope import envelope
from app.messages import Refused
from app.store import agreements as store
from app.store import objects
from app.store.database import Connection
from app.store.installation import Installation

IDENTITY = "identity--"


class Subjects:
    """Finds what objects are about, as they are held now; each id is looked up once."""

    def __init__(self, connection: Connection, hash_key: bytes, by_sector: bool) -> None:
        self._connection, self._hash_key, self._by_sector = connection, hash_key, by_sector
        self._known: dict[str, About] = {}

    def __call__(self, stix_id: str) -> About:
        if stix_id not in self._known:
            # Relationships that name each other in a ring end here.
            self._known[stix_id] = About(frozenset())
            self._known[stix_id] = self._find(stix_id)
        return self._known[stix_id]

    def _find(self, stix_id: str) -> About:
        ends = self._ends(stix_id) if stix_id.startswith(terms.RELATIONSHIP + "--") else ()
        kinds = frozenset[str]().union(*(by_type(one).kinds for one in (stix_id, *ends)))
        if not self._by_sector:
            return About(kinds)
        return About(kinds, self._label(stix_id) or self._said(stix_id, ends))

    def _said(self, stix_id: str, ends: Iterable[str]) -> frozenset[str]:
        if ends:
            return frozenset[str]().union(*(self._of_end(end) for end in ends))
        value = self._value(stix_id)
        named = (ref for ref in envelope(value).refs if ref != value.get("created_by_ref"))
        found = {ref for ref in named if ref.startswith(IDENTITY)}
        for vid in store.relationships_to(self._connection, objects.id_hash(self._hash_key, stix_id)):
            link = msgspec.json.decode(objects.raw(self._connection, vid), type=dict[str, object])
            target = link.get("target_ref")
            if link.get("relationship_type") == "targets" and link.get("source_ref") == stix_id:
                found.add(str(target))
        return frozenset[str]().union(*(self._of_identity(one) for one in found if one.startswith(IDENTITY)))

    def _of_end(self, end: str) -> frozenset[str]:
        return self._of_identity(end) if end.startswith(IDENTITY) else self(end).sectors

    def _of_identity(self, stix_id: str) -> frozenset[str]:
        given = self._value(stix_id).get("sectors")
        return (
            frozenset(one for one in given if isinstance(one, str))
            if isinstance(given, list)
            else frozenset()
        )

    def _label(self, stix_id: str) -> frozenset[str]:
        oid = objects.oid_of(self._connection, objects.id_hash(self._hash_key, stix_id))
        return frozenset() if oid is None else store.sectors(self._connection, oid)

    def _ends(self, stix_id: str) -> tuple[str, ...]:
        value = self._value(stix_id)
        ends = (value.get("source_ref"), value.get("target_ref"))
        return tuple(end for end in ends if isinstance(end, str))

    def _value(self, stix_id: str) -> Mapping[str, object]:
        row = objects.find(self._connection, objects.id_hash(self._hash_key, stix_id))
        if row is None:
            return {}
        return msgspec.json.decode(objects.raw(self._connection, row.current), type=dict[str, object])


def label(installation: Installation, id_: str, sectors: Iterable[str]) -> frozenset[str]:
    """Say what sectors an object is about, whatever identities say; none: leave it to them. Returns those before.

    Raises `Refused`: object-unknown, sector-unusable.
    """
    chosen = sorted(set(sectors))
    for sector in chosen:
        if not terms.is_word(sector):
            raise Refused("sector-unusable", sector=sector[:100])
    with installation.database.write() as tx:
        oid = objects.oid_of(tx, objects.id_hash(objects.hash_key(tx), id_))
        if oid is None:
            raise Refused("object-unknown", id=id_)
        before = store.sectors(tx, oid)
        store.put_sectors(tx, oid, chosen)
        audit.append(tx, installation, "sector.labelled", object=id_, before=sorted(before), after=chosen)
    return before
