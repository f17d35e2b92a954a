"""The officer's decisions about what is held: the handling of an object, and which content of a conflict to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from app import audit
from app.intel import marking
from app.intel.envelope import envelope
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store import index, objects
from app.store import ledger as store_ledger
from app.store.database import Connection
from app.store.installation import Installation
from app.store.ledger import Given


@dataclass(frozen=True)
class Changed:
    """A handling before and after; `lowered` needed a log entry of its own kind. `given`: to whom the object went out
    before, when it was treated at a lower level than now.
    """

    before: Level | None
    after: Level
    lowered: bool
    given: tuple[Given, ...] = ()


def set_level(installation: Installation, id_: str, level: Level) -> Changed:
    """Set the level at which an object is treated here. Raising is free, lowering is logged as such.

    Raises `Refused`: object-unknown, level-unknown.
    """
    if level is Level.UNREADABLE:
        raise Refused("level-unknown", level=level.label)
    with installation.database.write() as tx:
        row = objects.find(tx, objects.id_hash(objects.hash_key(tx), id_))
        if row is None:
            raise Refused("object-unknown", id=id_)
        before = None if row.handling is None else Level(row.handling)
        lowered = before is not None and level < before
        objects.set_handling(tx, row.oid, level)
        act = "handling.lowered" if lowered else "handling.raised"
        audit.append(
            tx, installation, act, object=id_, before=before.label if before else None, after=level.label
        )
        marked = -1 if row.marking is None else row.marking
        raised = max(marked, level) > max(marked, -1 if before is None else before)
        given = store_ledger.given_to(tx, [id_]) if raised else []
    return Changed(before, level, lowered, tuple(given))


@dataclass(frozen=True)
class Raised:
    """How many `objects` are treated at a higher level than before, and to whom they were `given` then."""

    objects: int
    given: tuple[Given, ...]


def raise_many(installation: Installation, oids: Sequence[int], level: Level, job: Job) -> Raised:
    """Treat these objects at `level` at least, in one transaction: none at a lower level than before. What is gone is
    left out.

    Raises `Refused`: level-unknown.
    """
    with installation.database.write() as tx:
        return _raise(tx, installation, oids, level, job)


def raise_listed(installation: Installation, ids: Sequence[str], level: Level, job: Job) -> Raised:
    """The same for the objects with these STIX ids. Raises `Refused` too (object-unknown) when one is not held."""
    with installation.database.write() as tx:
        key = objects.hash_key(tx)
        hashes = {objects.id_hash(key, id_): id_ for id_ in ids}
        known = objects.oids_of(tx, hashes)
        for idh, id_ in hashes.items():
            if idh not in known:
                raise Refused("object-unknown", id=id_)
        return _raise(tx, installation, list(known.values()), level, job)


STEP = 500


def _raise(tx: Connection, installation: Installation, oids: Sequence[int], level: Level, job: Job) -> Raised:
    if level is Level.UNREADABLE:
        raise Refused("level-unknown", level=level.label)
    raised, given = 0, list[Given]()
    for at in range(0, len(oids), STEP):
        job.step(at, len(oids), "store")
        ids = objects.raise_handling(tx, oids[at : at + STEP], level)
        raised += len(ids)
        given += store_ledger.given_to(tx, ids)
    if raised:
        audit.append(tx, installation, "handling.raised", objects=raised, after=level.label)
    return Raised(raised, tuple(given))


def resolve(installation: Installation, id_: str, keep: str) -> int:
    """End a conflict by keeping the content whose SHA-256 (hex) begins with `keep`; returns how many were set aside.

    All stay held; the others no longer count. Where objects under ids of their own contradict each other in what they
    say of a file, none is set aside: they are about different files, the officer says, until another one comes.

    Raises `Refused`: object-unknown, no-conflict, content-unknown.
    """
    with installation.database.write() as tx:
        row = objects.find(tx, objects.id_hash(objects.hash_key(tx), id_))
        if row is None:
            raise Refused("object-unknown", id=id_)
        beside = [v for v in objects.versions_at(tx, row.oid, row.moment) if not v.dropped]
        if not row.in_conflict:
            raise Refused("no-conflict", id=id_)
        kept = [v for v in beside if keep and v.sha256.hex().startswith(keep.lower())]
        if len(kept) != 1:
            raise Refused("content-unknown", sha256=keep)
        env = envelope(msgspec.json.decode(objects.raw(tx, kept[0].vid), type=dict[str, object]))
        level = None if kept[0].marking is None else marking.Level(kept[0].marking)
        if len(beside) > 1:
            with index.anew(tx, row.oid):
                for version in beside:
                    if version.vid != kept[0].vid:
                        objects.drop_version(tx, version.vid)
                objects.show_version(tx, row.oid, kept[0].vid, env, level)
        else:
            index.tell_apart(tx, row.oid)
        audit.append(tx, installation, "conflict.resolved", object=id_, kept=kept[0].sha256.hex())
    return len(beside) - 1
