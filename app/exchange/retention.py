"""Retention: what must go by when, here of what others gave, and there of what we gave.

The clause counts in days from the day on which a package was received (at ours) or sealed (at theirs: the least they
can have). It binds what came under it even when the agreement is over; of those under which a content came and
those in force now the shortest counts. Given again later, it counts from then. The counterpart may consent to more
(`asking.request_retention`). Due is the last day on which it may be held; a clock that went back puts nothing off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from app import audit
from app.audit import clock
from app.exchange import agreements, consents, counterparts, terms
from app.exchange.consents import Known
from app.exchange.provenance import OURS, PACKAGE, THEIRS, Owners, gather, under
from app.exchange.terms import Clauses
from app.holdings import purge as purging
from app.jobs import Job
from app.store import agreements as store_agreements
from app.store import counterparts as store_counterparts
from app.store import custody as store
from app.store import origins, packages
from app.store.database import Connection
from app.store.installation import Installation
from crypto import document


@dataclass(frozen=True)
class Held:
    """A content of `giver` (an alias) that is held here since a day, and may be until the day `due`: in the holdings,
    or (`inbox`) in a package only.
    """

    id: str
    modified: str
    sha256: bytes
    giver: str
    since: str
    due: str
    overdue: bool
    inbox: bool


@dataclass(frozen=True)
class Given:
    """A package of ours whose `objects` counterpart `to` may hold until the day `due`; `longer` of them have a consent
    of ours to be held longer.
    """

    to: str
    seq: int
    objects: int
    sealed: str
    due: str
    overdue: bool
    longer: int


@dataclass(frozen=True)
class Due:
    """What is to go, the earliest first."""

    held: tuple[Held, ...]
    given: tuple[Given, ...]


def due(installation: Installation, to: str = "") -> Due:
    """What must go by when. `to` narrows it to one counterpart. Raises `Refused` as `counterparts.find` does."""
    with installation.database.snapshot() as reader:
        everyone = [counterparts.find(reader, to)] if to else store_counterparts.everyone(reader)
        today = clock.today(reader, installation)
        cids = {one.cid: one.alias for one in everyone}
        held = [one for cid, one in _held(reader, installation, today) if cid in cids]
        given = [one for cid in cids for one in _given(reader, cid, cids[cid], today)]
    return Due(
        tuple(sorted(held, key=lambda one: (one.due, one.id))),
        tuple(sorted(given, key=lambda one: (one.due, one.to, one.seq))),
    )


def purge(installation: Installation, job: Job) -> tuple[purging.Purged, tuple[str, ...]]:
    """Remove for good what is overdue here. Returns what was removed, and the ids that stay because something else is
    held of them that may stay: the officer decides about these.
    """
    with installation.database.write() as tx:
        today = clock.today(tx, installation)
        bound = {one.sha256 for _, one in _held(tx, installation, today) if one.overdue}
        ids = {one.id for _, one in _held(tx, installation, today) if one.overdue}
        mixed = {id_ for id_ in ids if any(sha256 not in bound for sha256 in store.contents_of(tx, id_))}
        if not ids - mixed:
            return purging.Purged(0, 0, 0, (), (), (), (), ()), tuple(sorted(mixed))
        done = purging.purge(tx, installation, sorted(ids - mixed), job)
        audit.append(tx, installation, "retention.purged", objects=len(ids - mixed), kept=len(mixed))
    return done, tuple(sorted(mixed))


class _Giver:
    """What binds things of one counterpart: clauses by package, consents by content."""

    def __init__(
        self, connection: Connection, installation: Installation, one: store_counterparts.Counterpart
    ):
        self.alias, self.cid = one.alias, one.cid
        self._connection = connection
        force = agreements.in_force(connection, installation, one.cid).clauses
        self._force = [] if force is None else [force]
        self._longer = longer(gather(connection, one.cid), OURS)
        self._under: dict[int, dict[str, list[Clauses]]] = {}
        self._days: dict[int, tuple[str, int | None]] = {}

    def due(self, number: int, sha256: bytes) -> tuple[str, str] | None:
        """(since, due) of a content that came in package `number`, None: for ever."""
        if number not in self._days:
            package = packages.received_at(self._connection, number)
            days = _shortest([*under(self._connection, self.cid, number, self._under), *self._force])
            self._days[number] = ("" if package is None else package.received[:10], days)
        since, days = self._days[number]
        if days is None or not since:
            return None
        return since, max(_after(since, days), self._longer.get(sha256, ""))


def _held(reader: Connection, installation: Installation, today: str) -> Iterator[tuple[int, Held]]:
    """(cid, what is held of theirs), each content once."""
    givers = {
        one.fingerprint: _Giver(reader, installation, one) for one in store_counterparts.everyone(reader)
    }
    acts, owners = origins.every(reader), Owners(reader)
    rows = store.from_counterparts(reader)
    came: dict[int, list[int]] = defaultdict(list)
    for _, vid, origin in store.sources(reader, sorted({oid for oid, *_ in rows})):
        came[vid].append(origin)
    owners.load({oid for oid, *_ in rows})
    seen = set[tuple[str, bytes]]()
    for oid, vid, id_, modified, sha256 in rows:
        seen.add((id_, sha256))
        owner = owners(oid, vid)
        giver = None if owner is None else givers.get(owner.name)
        if owner is None or giver is None:
            continue
        numbers = {
            acts[n].package for n in came[vid] if acts[n].kind == PACKAGE and acts[n].name == owner.name
        }
        spans = [giver.due(number, sha256) for number in numbers if number is not None]
        if spans and all(spans):
            since, last = max((span for span in spans if span), key=lambda span: span[1])
            yield giver.cid, Held(id_, modified, sha256, giver.alias, since, last, last < today, False)
    by_cid = {giver.cid: giver for giver in givers.values()}
    for cid, number, id_, modified, sha256 in store.only_in_inbox(reader):
        if (id_, sha256) not in seen:
            seen.add((id_, sha256))
            span = by_cid[cid].due(number, sha256)
            if span:
                yield (
                    cid,
                    Held(id_, modified, sha256, by_cid[cid].alias, span[0], span[1], span[1] < today, True),
                )


def _given(reader: Connection, cid: int, alias: str, today: str) -> Iterator[Given]:
    retention = {
        row.number: terms.read_proposal(document.parse(row.raw).body).clauses.retention
        for row in store_agreements.of(reader, cid)
    }
    known = longer(gather(reader, cid), THEIRS)
    for package in packages.sealed(reader, cid):
        if package.release is None:
            continue
        said = store_agreements.release_terms(reader, cid, package.epoch, package.seq)
        days = min((d for n in said.agreements if (d := retention.get(n)) is not None), default=None)
        contents = store.still_with(reader, cid, package.epoch, package.seq) if days is not None else []
        if days is not None and contents:
            last = _after(package.sealed[:10], days)
            more = sum(known.get(sha256, "") > last for sha256 in contents)
            overdue = last < today and more < len(contents)
            yield Given(alias, package.seq, len(contents), package.sealed[:10], last, overdue, more)


def longer(known: Known, asker: str) -> dict[bytes, str]:
    """{SHA-256: the last day to which a consent puts off what is due}, of the consents to the requests of one side."""
    found: dict[bytes, str] = {}
    for id_, consent in known.consents.items():
        asked = known.requests.get(consent.request)
        if consent.of != consents.RETENTION or asked is None or asked.by != asker:
            continue
        if consents.state(known, id_, consent.until) == "in-force":
            for content in consent.contents:
                sha256 = bytes.fromhex(content.sha256)
                found[sha256] = max(consent.until, found.get(sha256, ""))
    return found


def _shortest(several: Iterable[Clauses]) -> int | None:
    return min((one.retention for one in several if one.retention is not None), default=None)


def _after(day: str, days: int) -> str:
    try:
        return str(date.fromisoformat(day) + timedelta(days))
    except OverflowError:
        return "9999-12-31"
