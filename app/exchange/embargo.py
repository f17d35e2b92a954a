"""Embargoes: a day before which something does not leave, or is not passed on.

An officer keeps an object here until a day (`held`: it leaves for nobody), or lets it travel with "no onward use
before" a day (`travels`). What comes with one of those is bound by it here (`theirs`): the latest day that anybody
named counts, and no import, no counterpart and no earlier day said later lowers it. On the day itself it is over, by
this machine's clock; a clock that went back ends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from app import audit
from app.exchange.provenance import Owners
from app.exchange.wording import is_day
from app.messages import Refused
from app.store import custody as store
from app.store import objects
from app.store.custody import Restraint
from app.store.database import Connection
from app.store.installation import Installation


@dataclass(frozen=True)
class Changed:
    """What binds an object before and after."""

    before: Restraint
    after: Restraint


def of(installation: Installation, id_: str) -> Restraint:
    """What binds an object. Raises `Refused`: object-unknown."""
    reader = installation.database.read()
    return store.restraint(reader, _oid(reader, id_))


def keep(installation: Installation, id_: str, until: str, travels: bool = False) -> Changed:
    """Hold an object here until a day, or (`travels`) let it leave with "no onward use before" that day. An earlier day
    than was said before shortens that, and is logged as such.

    Raises `Refused`: object-unknown, day-unusable.
    """
    if not is_day(until):
        raise Refused("day-unusable", day=until[:100])
    return _change(installation, id_, None if travels else until, until if travels else None)


def lift(installation: Installation, id_: str) -> Changed:
    """End what officers here said; and of what is ours, what a counterpart said too.

    Raises `Refused`: object-unknown, embargo-theirs (the counterpart whose it is named a day that is still to come).
    """
    return _change(installation, id_, "", "", lift=True)


def _change(
    installation: Installation, id_: str, held: str | None, travels: str | None, lift: bool = False
) -> Changed:
    with installation.database.write() as tx:
        oid = _oid(tx, id_)
        before = store.restraint(tx, oid)
        after = replace(
            before,
            held=before.held if held is None else held,
            travels=before.travels if travels is None else travels,
        )
        if lift and before.theirs:
            owners = Owners(tx)
            foreign = any(owners(oid, version.vid) is not None for version in objects.versions_of(tx, oid))
            if foreign and before == after and before.theirs > installation.now()[:10]:
                raise Refused("embargo-theirs", id=id_, day=before.theirs)
            after = after if foreign else replace(after, theirs="")
        store.set_restraint(tx, oid, after)
        audit.append(
            tx,
            installation,
            "embargo",
            object=id_,
            before=[before.held, before.travels, before.theirs],
            after=[after.held, after.travels, after.theirs],
            shortened=after.held < before.held or after.embargo < before.embargo,
        )
    return Changed(before, after)


def take_over(tx: Connection, number: int, contents: Iterable[tuple[str, bytes]]) -> None:
    """Bind what was accepted of package `number`, (STIX id, SHA-256), by what came with it: the later day wins."""
    said = store.waiting_restraints(tx, number)
    if not said:
        return
    hash_key = objects.hash_key(tx)
    for id_, sha256 in contents:
        oid = objects.oid_of(tx, objects.id_hash(hash_key, id_)) if sha256 in said else None
        if oid is not None:
            embargo, exercise = said[sha256]
            bound = store.restraint(tx, oid)
            theirs, exercise = max(bound.theirs, embargo), bound.exercise or exercise
            store.set_restraint(tx, oid, replace(bound, theirs=theirs, exercise=exercise))


def _oid(connection: Connection, id_: str) -> int:
    oid = objects.oid_of(connection, objects.id_hash(objects.hash_key(connection), id_))
    if oid is None:
        raise Refused("object-unknown", id=id_)
    return oid
