"""What kinds and sectors an object is about: what the gate asks where an agreement is not about everything.

The sector of an object is what an officer said with a label; without one, the sectors of the identities it names (but
for its author) and of those that a relationship says it targets. Nothing found means that it is not known, and then the
gate holds the object back. What a counterpart says of what is not theirs only narrows: it may add a sector that the
agreement does not name, never give an object the first it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from app import audit
from app.exchange import wording
from app.exchange.gate import About, by_type
from app.exchange.provenance import Owners
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


@dataclass(frozen=True)
class _Said:
    """Sectors that something is said to be about: `own` by whoever has the say, `foreign` by anybody else."""

    own: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()

    @property
    def sectors(self) -> frozenset[str]:
        """What the gate may go by: what others say narrows, and gives nothing that the owner did not."""
        return self.own | self.foreign if self.own else frozenset()


def _together(several: Iterable[_Said]) -> _Said:
    found = list(several)
    nothing = frozenset[str]()
    return _Said(nothing.union(*(s.own for s in found)), nothing.union(*(s.foreign for s in found)))


@dataclass(frozen=True)
class _Content:
    """A content held: its value, and whose it is (a fingerprint, "": ours)."""

    raw: bytes
    whose: str

    @property
    def value(self) -> Mapping[str, object]:
        return msgspec.json.decode(self.raw, type=dict[str, object])


class Subjects:
    """Finds what objects are about, as they are held now; each id is looked up once."""

    def __init__(self, connection: Connection, hash_key: bytes, by_sector: bool) -> None:
        self._connection, self._hash_key, self._by_sector = connection, hash_key, by_sector
        self._owners = Owners(connection)
        self._known: dict[str, tuple[About, _Said]] = {}

    def __call__(self, stix_id: str) -> About:
        return self._about(stix_id)[0]

    def _about(self, stix_id: str) -> tuple[About, _Said]:
        if stix_id not in self._known:
            # Relationships that name each other in a ring end here.
            self._known[stix_id] = About(frozenset()), _Said()
            kinds, said = self._find(stix_id)
            self._known[stix_id] = About(kinds, said.sectors), said
        return self._known[stix_id]

    def _find(self, stix_id: str) -> tuple[frozenset[str], _Said]:
        if not stix_id.startswith(RELATIONSHIP):
            return by_type(stix_id).kinds, self._sectors(stix_id) if self._by_sector else _Said()
        held = self._held(stix_id)
        contents = self._contents(held)
        named = {(c.value.get(side), c.whose) for c in contents for side in ("source_ref", "target_ref")}
        ends = [(end, whose) for end, whose in named if isinstance(end, str)]
        kinds = frozenset[str]().union(*(by_type(end).kinds for end, _ in ends))
        if not self._by_sector:
            return kinds, _Said()
        trusted = _trusted(contents)
        return kinds, self._label(held) or _together(
            _trust(self._of_end(end, trusted), whose in trusted) for end, whose in ends
        )

    def _sectors(self, stix_id: str) -> _Said:
        held = self._held(stix_id)
        if label := self._label(held):
            return label
        contents = self._contents(held)
        trusted = _trusted(contents)
        named = {(ref, content.whose) for content in contents for ref in _identities(content.raw)}
        source = objects.id_hash(self._hash_key, stix_id)
        for oid, vid, raw in store.targeting(self._connection, source):
            link = msgspec.json.decode(raw, type=dict[str, object])
            named.add((str(link.get("target_ref")), self._whose(oid, vid)))
        return _together(
            _trust(self._of_identity(one, trusted), whose in trusted)
            for one, whose in named
            if one.startswith(IDENTITY)
        )

    def _of_end(self, end: str, trusted: frozenset[str]) -> _Said:
        return self._of_identity(end, trusted) if end.startswith(IDENTITY) else self._about(end)[1]

    def _of_identity(self, stix_id: str, trusted: frozenset[str]) -> _Said:
        return _together(
            _trust(_Said(own=_words(content.value.get("sectors"))), content.whose in trusted)
            for content in self._contents(self._held(stix_id))
        )

    def _label(self, held: ObjectRow | None) -> _Said | None:
        label = frozenset[str]() if held is None else store.sectors(self._connection, held.oid)
        return _Said(own=label) if label else None

    def _held(self, stix_id: str) -> ObjectRow | None:
        return objects.find(self._connection, objects.id_hash(self._hash_key, stix_id))

    def _contents(self, held: ObjectRow | None) -> list[_Content]:
        """Every content held: what any of them is about, each may leave as."""
        if held is None:
            return []
        versions = objects.versions_of(self._connection, held.oid)
        return [
            _Content(objects.raw(self._connection, version.vid), self._whose(held.oid, version.vid))
            for version in versions
            if not version.dropped
        ]

    def _whose(self, oid: int, vid: int) -> str:
        origin = self._owners(oid, vid)
        return "" if origin is None else origin.name


def _trusted(contents: Sequence[_Content]) -> frozenset[str]:
    """Who has the say about an object: we, and of what is wholly a counterpart's, they."""
    owners = {content.whose for content in contents}
    return frozenset(("",)) | (owners if len(owners) == 1 else set())


def _trust(said: _Said, trusted: bool) -> _Said:
    return said if trusted else _Said(foreign=said.own | said.foreign)


def _words(given: object) -> frozenset[str]:
    return (
        frozenset(word for word in given if isinstance(word, str)) if isinstance(given, list) else frozenset()
    )


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
        if not wording.is_word(sector):
            raise Refused("sector-unusable", sector=sector[:100])
    with installation.database.write() as tx:
        oid = objects.oid_of(tx, objects.id_hash(objects.hash_key(tx), id_))
        if oid is None:
            raise Refused("object-unknown", id=id_)
        before = store.sectors(tx, oid)
        store.put_sectors(tx, oid, chosen)
        audit.append(tx, installation, "sector.labelled", object=id_, before=sorted(before), after=chosen)
    return before
