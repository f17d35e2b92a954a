"""What may not be named to a counterpart in what an officer writes to them: the gate withholds it, and its id would
tell that it is here, and of an observable even what it is (docs/decisions/0012-a-withheld-id-is-never-named.md).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.audit import clock
from app.exchange import agreements, gate, sealing
from app.exchange.agreements import InForce
from app.exchange.gate import Terms
from app.exchange.provenance import Provenance
from app.exchange.sectors import Subjects
from app.exchange.selection import Gathering
from app.exchange.terms import KINDS
from app.intel import marking
from app.intel.envelope import mentioned
from app.jobs import quiet
from app.messages import Refused
from app.store import ledger as store_ledger
from app.store import objects, people
from app.store.counterparts import Counterpart
from app.store.installation import Installation


def demands(force: InForce, to: str, today: str, protected: bool) -> Terms:
    """What the gate is told of the agreements in force with counterpart `to` (fingerprint) on a day; `protected`: the
    key is another than the card's.
    """
    clauses = force.clauses
    if clauses is None:
        return Terms(None, protected, lapsed=force.lapsed, to=to, today=today)
    return Terms(
        ceiling=clauses.ceiling,
        protected=protected,
        kinds=None if clauses.kinds == KINDS else frozenset(clauses.kinds),
        sectors=None if clauses.sectors is None else frozenset(clauses.sectors),
        purposes=None if clauses.purposes is None else frozenset(clauses.purposes),
        exercise=clauses.exercise,
        to=to,
        today=today,
    )


def require_nameable(
    installation: Installation, one: Counterpart, words: str, ids: Iterable[str] = ()
) -> None:
    """Raise unless every id in `words` and `ids` may be named to a counterpart: it is not held here, is theirs, was
    given to them, or would not be held back.

    Raises `Refused`: names-withheld (fact `id`), and as `sealing.choice` does.
    """
    wanted = sorted({*ids, *mentioned(msgspec.json.encode(words).decode())} - set(marking.canonical()))
    if not wanted:
        return
    with installation.database.snapshot() as reader:
        _, key = sealing.choice(reader, installation, one)
        force = agreements.in_force(reader, installation, one.cid)
        today = clock.today(reader, installation)
        terms = demands(force, one.fingerprint, today, protected=key.protection != "card")
        default, hash_key = people.default_handling(reader), objects.hash_key(reader)
        provenance = Provenance(reader, installation, one, default)
        gathering = Gathering(reader, hash_key, default, provenance, lambda _row: False, quiet())
        about = Subjects(reader, hash_key, by_sector=terms.sectors is not None)
        has = store_ledger.contents_with(reader, one.cid)
        for stix_id in wanted:
            oid = objects.oid_of(reader, objects.id_hash(hash_key, stix_id))
            known = oid is None or any(v.sha256 in has for v in objects.versions_of(reader, oid))
            if not known and gate.hidden(stix_id, gathering.elsewhere(stix_id), terms, about):
                raise Refused("names-withheld", id=stix_id, name=one.alias)
