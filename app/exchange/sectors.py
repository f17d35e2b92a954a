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
from app.store.objects import ObjectRow

IDENTITY, RELATIONSHIP = "identity--", "relationship--"
ESCAPE = b"\\"
"""A text with an escape in it may spell a word otherwise."""


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
        if not stix_id.startswith(RELATIONSHIP):
            return About(by_type(stix_id).kinds, self._sectors(stix_id) if self._by_sector else frozenset())
        values = self._values(stix_id)
        named = {value.get(side) for value in values for side in ("source_ref", "target_ref")}
        ends = [end for end in named if isinstance(end, str)]
        kinds = frozenset[str]().union(*(by_type(end).kinds for end in ends))
        if not self._by_sector:
            return About(kinds)
        said = self._label(self._held(stix_id)) or frozenset[str]().union(*map(self._of_end, ends))
        return About(kinds, said)

    def _sectors(self, stix_id: str) -> frozenset[str]:
        held = self._held(stix_id)
        if label := self._label(held):
            return label
        named = set[str]().union(*map(_identities, self._raws(held)))
        for raw in store.relationships_to(self._connection, objects.id_hash(self._hash_key, stix_id)):
            if b'"targets"' in raw or ESCAPE in raw:
                link = msgspec.json.decode(raw, type=dict[str, object])
                if link.get("relationship_type") == "targets" and link.get("source_ref") == stix_id:
                    named.add(str(link.get("target_ref")))
        return frozenset[str]().union(*(self._of_identity(one) for one in named if one.startswith(IDENTITY)))

    def _of_end(self, end: str) -> frozenset[str]:
        return self._of_identity(end) if end.startswith(IDENTITY) else self(end).sectors

    def _of_identity(self, stix_id: str) -> frozenset[str]:
        given = (value.get("sectors") for value in self._values(stix_id))
        return frozenset(
            word for words in given if isinstance(words, list) for word in words if isinstance(word, str)
        )

    def _label(self, held: ObjectRow | None) -> frozenset[str]:
        return frozenset() if held is None else store.sectors(self._connection, held.oid)

    def _held(self, stix_id: str) -> ObjectRow | None:
        return objects.find(self._connection, objects.id_hash(self._hash_key, stix_id))

    def _raws(self, held: ObjectRow | None) -> list[bytes]:
        """Every content held: what any of them is about, each may leave as."""
        if held is None:
            return []
        versions = objects.versions_of(self._connection, held.oid)
        return [objects.raw(self._connection, version.vid) for version in versions if not version.dropped]

    def _values(self, stix_id: str) -> list[Mapping[str, object]]:
        return [msgspec.json.decode(raw, type=dict[str, object]) for raw in self._raws(self._held(stix_id))]


def _identities(raw: bytes) -> set[str]:
    """The identities that an object needs, its author left out. Most name no other, and are done with soon."""
    value = msgspec.json.decode(raw, type=dict[str, object])
    author = value.get("created_by_ref")
    authored = isinstance(author, str) and author.startswith(IDENTITY)
    if ESCAPE not in raw and raw.count(IDENTITY.encode()) <= authored:
        return set()
    return {ref for ref in envelope(value).refs if ref != author and ref.startswith(IDENTITY)}


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
