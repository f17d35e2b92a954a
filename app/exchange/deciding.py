"""The officer's decision on a package in the inbox: accept all of it or some, refuse the rest with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app import audit
from app.exchange import counterparts, inbox
from app.holdings import importing
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import objects, packages, people
from app.store.database import Connection
from app.store.installation import Installation
from app.store.packages import Waiting


@dataclass(frozen=True)
class Decided:
    """How many objects of a package are in which state after a decision."""

    accepted: int
    rejected: int
    pending: int


def accept(installation: Installation, number: int, ids: Sequence[str] | None, job: Job) -> Decided:
    """Take pending objects of a package into the holdings: those with the given STIX ids, or (None) all that pend.

    Raises `Refused`: package-unknown, object-unknown, nothing-pending.
    """
    with installation.database.write() as tx:
        package = inbox.find(tx, number)
        chosen = _pending(tx, number, ids)
        one = store_counterparts.get(tx, package.cid)
        counterparts.require_sound(one)
        channel = counterparts.load_channel(tx, one.cid)
        if channel.receiving.frozen:
            raise Refused("channel-frozen", name=one.alias)
        if channel.mending:
            raise Refused("channel-mending", name=one.alias)
        origin = objects.add_origin(
            tx, "package", one.fingerprint, number, installation.officer, installation.now()
        )
        default = people.default_handling(tx)
        incoming = (_incoming(tx, number, w) for w in chosen)
        counts = importing.take(tx, incoming, origin, default, job, len(chosen), foreign=True)
        packages.decide(tx, number, (w.position for w in chosen), "accepted")
        packages.decide(tx, number, (int(where) for where, _ in counts.refused), "refused")
        decided = _settle(tx, number, package.reason)
        audit.append(
            tx, installation, "package.accepted", number=number, objects=len(chosen), pending=decided.pending
        )
        return decided


def reject(installation: Installation, number: int, reason: str, ids: Sequence[str] | None = None) -> Decided:
    """Refuse pending objects of a package: those with the given STIX ids, or (None) all that pend.

    Raises `Refused`: package-unknown, object-unknown, nothing-pending, reason-missing.
    """
    if not reason.strip():
        raise Refused("reason-missing")
    with installation.database.write() as tx:
        inbox.find(tx, number)
        chosen = _pending(tx, number, ids)
        packages.decide(tx, number, (w.position for w in chosen), "refused")
        decided = _settle(tx, number, reason)
        audit.append(tx, installation, "package.refused", number=number, objects=len(chosen))
        return decided


def _incoming(tx: Connection, number: int, waiting: Waiting) -> importing.Incoming:
    handling = None if waiting.handling is None else Level(waiting.handling)
    return importing.Incoming(
        packages.waiting_raw(tx, number, waiting.position), str(waiting.position), handling
    )


def _pending(tx: Connection, number: int, ids: Iterable[str] | None) -> list[Waiting]:
    everything = packages.waiting(tx, number)
    if ids is not None:
        wanted = set(ids)
        for missing in wanted - {w.id for w in everything}:
            raise Refused("object-unknown", id=missing)
        everything = [w for w in everything if w.id in wanted]
    chosen = [w for w in everything if w.decision == "pending"]
    if not chosen:
        raise Refused("nothing-pending", number=number)
    return chosen


def _settle(tx: Connection, number: int, reason: str) -> Decided:
    found = Counter(w.decision for w in packages.waiting(tx, number))
    packages.set_decided(tx, number, "pending" if found["pending"] else "decided", reason)
    return Decided(found["accepted"], found["refused"], found["pending"])
