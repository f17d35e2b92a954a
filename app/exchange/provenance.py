"""Whose each content is, and what whoever it came from lets be done with it: facts for the release gate.

What first came here in a package belongs to the counterpart who sent it, whatever is imported later; so does
each further content that came in one. What first came by an import or was made here is ours. An officer may declare
an independent source (`declare`), for the contents held then. Who stood behind the one it came from is not told in
packages, but what they let be done with it: whoever gave it answers, and consents to no more than they were let.
Source: design, originator control; docs/decisions/0019, 0036.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from app import audit
from app.audit import clock
from app.exchange import agreements, consents, counterparts, gate, terms
from app.exchange.consents import Known
from app.exchange.gate import Custody
from app.exchange.terms import Clauses
from app.exchange.wording import Unreadable
from app.intel.marking import Level
from app.messages import Refused
from app.store import agreements as store_agreements
from app.store import counterparts as store_counterparts
from app.store import custody as store
from app.store import objects, origins, packages, recalls, sanitised, standing
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from app.store.origins import Origin
from crypto import document

PACKAGE, DECLARED = "package", "declared"
OURS, THEIRS = "ours", "theirs"

Basis = tuple[tuple[str, tuple[tuple[int, str], ...], frozenset[bytes]], ...]
"""(fingerprint, its agreements in force, the contents it consented to) of each counterpart that was relied on."""


class Owners:
    """Finds the act by which each version first came from a counterpart; None of what is ours. `load` reads many."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._origins = origins.every(connection)
        self._packages = {number for number, one in self._origins.items() if one.kind == PACKAGE}
        self._declarations = {number for number, one in self._origins.items() if one.kind == DECLARED}
        self._any = bool(self._packages)
        self._loaded = set[int]()
        self._of: dict[int, Origin] = {}

    def load(self, oids: Iterable[int]) -> None:
        """Read where all versions of these objects came from."""
        fresh = [oid for oid in oids if oid not in self._loaded] if self._any else []
        self._loaded.update(fresh)
        of_object, of_version, versions = dict[int, int](), dict[int, int](), dict[int, int]()
        declared, freed = set[int](), set[int]()
        for oid, vid, number in store.sources(self._connection, fresh):
            versions[vid] = oid
            if number < of_object.get(oid, number + 1):
                of_object[oid] = number
            if number < of_version.get(vid, number + 1):
                of_version[vid] = number
            if number in self._declarations:
                declared.add(vid)
                freed.add(oid)
        for vid, oid in versions.items():
            if vid in declared:
                continue
            if of_version[vid] in self._packages:
                self._of[vid] = self._origins[of_version[vid]]
            elif of_object[oid] in self._packages and oid not in freed:
                self._of[vid] = self._origins[of_object[oid]]

    def __call__(self, oid: int, vid: int) -> Origin | None:
        if oid not in self._loaded:
            self.load([oid])
        return self._of.get(vid)


class Provenance:
    """Whose things are and whether they may go to one counterpart. `default` is the level of what has none.

    Raises `Refused` (state-old) if what binds objects is of an earlier time than the rest.
    """

    def __init__(
        self, connection: Connection, installation: Installation, to: Counterpart, default: Level
    ) -> None:
        self._connection, self._installation, self._to, self._default = connection, installation, to, default
        self._owners = Owners(connection)
        # An older page of theirs would let go what is held back.
        if not standing.rows_hold(connection, ("restraint",)):
            raise Refused("state-old")
        self._restraints = store.restraints(connection)
        self._givers = {one.fingerprint: one for one in store_counterparts.everyone(connection)}
        self._asked_back = recalls.by_us(connection, to.cid)
        self._asked_of_us = recalls.of_us(connection)
        self._sanitised = sanitised.originals(connection, to.cid)
        self._made_for = sanitised.made_for(connection)
        self._leave: dict[str, tuple[agreements.InForce, frozenset[bytes]]] = {}
        self._under: dict[int, dict[str, list[Clauses]]] = {}
        self._levels: dict[int, dict[bytes, int]] = {}
        self._onward: dict[tuple[str, int | None], str] = {}
        self._behind: dict[int, dict[bytes, str]] = {}

    def load(self, oids: Iterable[int]) -> None:
        """Read what is known of these objects, many at once."""
        self._owners.load(oids)

    def custody(self, oid: int, vid: int, sha256: bytes, marking: Level | None) -> Custody | None:
        """Whose a content is and what they let be done with it; None of what is ours."""
        origin = self._owners(oid, vid)
        if origin is None:
            return None
        said = None if origin.package is None else self._given_levels(origin.package).get(sha256)
        given = gate.stricter(marking, None if said is None else Level(said), self._default)
        if origin.name == self._to.fingerprint:
            return Custody(origin.name, given)
        clause = self._clause(origin)
        if clause and origin.package is not None:
            clause = terms.stricter_onward(clause, self._given_onward(origin.package).get(sha256, ""))
        return Custody(origin.name, given, clause, sha256 in self._permission(origin.name)[1])

    def foreign(self, oid: int, vid: int) -> bool:
        """Whether a content is a counterpart's."""
        return self._owners(oid, vid) is not None

    def embargo(self, oid: int, vid: int) -> str:
        """The day before which a content does not leave for the counterpart, "": none. It may go back to its owner."""
        bound = self._restraints.get(oid)
        if bound is None:
            return ""
        origin = self._owners(oid, vid)
        back = origin is not None and origin.name == self._to.fingerprint
        return bound.held if back else max(bound.held, bound.theirs)

    def barred(self, stix_id: str, oid: int, vid: int, sha256: bytes) -> str:
        """Why a content is not for this counterpart whatever its level: recalled (asked back, by us from them or from
        us by whom it came from), sanitised (they get another form of it), made-for-another (it is the form that
        somebody else gets); "" if it may be.
        """
        if sha256 in self._asked_back:
            return "recalled"
        if sha256 in self._asked_of_us:
            origin = self._owners(oid, vid)
            if origin is not None and origin.name in self._asked_of_us[sha256]:
                return "recalled"
        if stix_id in self._sanitised:
            return "sanitised"
        return "" if self._made_for.get(stix_id, self._to.cid) == self._to.cid else "made-for-another"

    def restraint(self, oid: int) -> store.Restraint:
        """What binds an object beside its level."""
        return self._restraints.get(oid, store.FREE)

    def basis(self) -> Basis:
        """What was relied on of the agreements with those it came from, and of their consents: it must be the same
        still when a package is sealed.
        """
        return tuple((name, force.agreements, some) for name, (force, some) in sorted(self._leave.items()))

    def _given_levels(self, number: int) -> dict[bytes, int]:
        if number not in self._levels:
            self._levels[number] = store.given_levels(self._connection, number)
        return self._levels[number]

    def _given_onward(self, number: int) -> dict[bytes, str]:
        if number not in self._behind:
            self._behind[number] = store.given_onward(self._connection, number)
        return self._behind[number]

    def _permission(self, giver: str) -> tuple[agreements.InForce, frozenset[bytes]]:
        if giver not in self._leave:
            self._leave[giver] = permission(self._connection, self._installation, giver, self._to.fingerprint)
        return self._leave[giver]

    def _clause(self, origin: Origin) -> str:
        key = (origin.name, origin.package)
        if key not in self._onward:
            force = self._permission(origin.name)[0]
            several = [] if force.clauses is None else [force.clauses]
            if several and origin.package is not None:
                several += under(self._connection, self._givers[origin.name].cid, origin.package, self._under)
            self._onward[key] = min((one.onward for one in several), key=terms.ONWARD.index, default="")
        return self._onward[key]


def permission(
    connection: Connection, installation: Installation, giver: str, to: str
) -> tuple[agreements.InForce, frozenset[bytes]]:
    """What is in force with the counterpart `giver`, and the contents (SHA-256) that they consent may go to `to`."""
    one = next((o for o in store_counterparts.everyone(connection) if o.fingerprint == giver), None)
    if one is None or one.revoked:
        return agreements.NONE_IN_FORCE, frozenset()
    known = gather(connection, one.cid)
    standing = consents.in_force(known, clock.today(connection, installation)).values()
    contents = frozenset(
        bytes.fromhex(content.sha256)
        for consent in standing
        if consent.of == consents.ONWARD
        and consent.third == to
        and known.requests[consent.request].by == OURS
        for content in consent.contents
    )
    return agreements.in_force(connection, installation, one.cid), contents


def basis_now(tx: Connection, installation: Installation, to: Counterpart, basis: Basis) -> Basis:
    """What those that a decision relied on say now."""
    found = ((giver, permission(tx, installation, giver, to.fingerprint)) for giver, *_ in basis)
    return tuple((giver, force.agreements, contents) for giver, (force, contents) in found)


def gather(connection: Connection, cid: int, id_: bytes | None = None, alone: bool = False) -> Known:
    """The requests, consents and withdrawals on a channel; with `id_` that one and those about it, or that one `alone`.
    `by` says which side, whatever key it signed with; whom they
    name by a card that has a successor, they name by the successor's.
    """
    found = []
    today = counterparts.successions(connection)
    for said in store.statements(connection, cid, consents.KINDS, id_, alone):
        body = document.parse(said.raw).body
        try:
            if consents.about(msgspec.json.decode(body, type=dict[str, object])):
                one = consents.renamed(consents.read(said.kind, body), today)
                found.append((said.id, replace(one, by=OURS if said.ours else THEIRS)))
        except (Unreadable, msgspec.MsgspecError):
            continue
    return consents.gathered(found)


def under(
    connection: Connection, cid: int, number: int, cache: dict[int, dict[str, list[Clauses]]] | None = None
) -> list[Clauses]:
    """The clauses of the agreements under which package `number` of a counterpart came, those that are known here."""
    cache = {} if cache is None else cache
    if cid not in cache:
        cache[cid] = _releases(connection, cid)
    package = packages.received_at(connection, number)
    release = None if package is None else package.release
    return [] if release is None else cache[cid].get(release.hex(), [])


def _releases(connection: Connection, cid: int) -> dict[str, list[Clauses]]:
    """{release id: the clauses of the agreements that its statement names}."""
    known = {
        row.id.hex(): terms.read_proposal(document.parse(row.raw).body).clauses
        for row in store_agreements.of(connection, cid)
    }
    found: dict[str, list[Clauses]] = defaultdict(list)
    for said in store.statements(connection, cid, ("release",)):
        if said.ours:
            continue
        body = msgspec.json.decode(document.parse(said.raw).body, type=dict[str, object])
        release, named = body.get("release"), body.get("agreements")
        if isinstance(release, str) and isinstance(named, list):
            found[release] += [known[id_] for id_ in named if isinstance(id_, str) and id_ in known]
    return found


# What the officer says --------------------------------------------------------------------------------------


def declare(installation: Installation, ids: Sequence[str], reason: str) -> int:
    """Declare that the contents held of these objects are known here from an independent source too, so that
    whoever sent them has no say any more. Logged. Returns how many contents that frees.

    Raises `Refused`: object-unknown, reason-missing.
    """
    if not reason.strip():
        raise Refused("reason-missing")
    with installation.database.write() as tx:
        hash_key, owners, freed = objects.hash_key(tx), Owners(tx), 0
        name = reason.strip()[: consents.TEXT_LIMIT]
        origin = origins.add(tx, DECLARED, name, None, installation.officer, installation.now())
        for id_ in dict.fromkeys(ids):
            oid = objects.oid_of(tx, objects.id_hash(hash_key, id_))
            if oid is None:
                raise Refused("object-unknown", id=id_)
            for version in objects.versions_of(tx, oid):
                freed += owners(oid, version.vid) is not None
                origins.came(tx, [version.vid], origin)
            audit.append(tx, installation, "source.declared", object=id_)
    return freed
