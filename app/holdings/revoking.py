"""Whose word a revocation is: it counts only from the side that the object is from, as that is known here.

The side is a counterpart, or we ourselves for what came by imports. An object's side is that of the identity in its
`created_by_ref` (of its first content: nobody changes it later): the one the officer pinned for that identity; else
the one that identity first came from; else the one the object itself first came from. A revocation from another side
is kept as a version, *disregarded*: it is never in force, unless nothing else is held of the object.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from app import audit
from app.intel import ids
from app.intel.envelope import envelope
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store import creators, index, objects
from app.store.creators import OURS as OURS
from app.store.database import Connection
from app.store.full_text import Texts
from app.store.installation import Installation

_TEXT = msgspec.json.Decoder(dict[str, object])


@dataclass(frozen=True)
class Side:
    """Whose an object is: `identity` is its creator's id ("": it names none), `cid` the counterpart's number or `OURS`
    (None: nobody knows any more), `pinned` whether the officer said so.
    """

    identity: str
    cid: int | None
    pinned: bool


def side(connection: Connection, oid: int) -> Side:
    """Whose an object is."""
    key = objects.hash_key(connection)
    value = _TEXT.decode(objects.raw(connection, objects.first_version(connection, oid)))
    creator = value.get("created_by_ref")
    identity = creator if isinstance(creator, str) and ids.type_of(creator) else ""
    found, pinned = creators.pinned(connection, identity or str(value["id"]))
    if pinned:
        return Side(identity, found, True)
    known = objects.oid_of(connection, objects.id_hash(key, identity)) if identity else None
    return Side(identity, creators.first_side(connection, oid if known is None else known), False)


def settle(tx: Connection, oid: int, gathered: Texts | None = None) -> None:
    """Bring into force what should be, once a revocation is among an object's versions. Not inside `index.anew`, which
    takes `gathered`.
    """
    versions = objects.versions_of(tx, oid)
    revoking = [v for v in versions if _revokes(objects.raw(tx, v.vid))]
    if not revoking:
        return
    whose = side(tx, oid).cid
    away = {v.vid for v in revoking if whose not in creators.sides_of(tx, v.vid)}
    standing = [v for v in versions if v.vid not in away and (v.disregarded or not v.dropped)]
    if not standing:
        away.clear()
        standing = [v for v in versions if v.disregarded or not v.dropped]
    newest = max(v.moment for v in standing)
    beside = sorted(v.vid for v in standing if v.moment == newest)
    row = objects.rows(tx, [oid])[0]
    turned = [
        v.vid for v in versions if (v.vid in away) is not v.disregarded and (v.disregarded or not v.dropped)
    ]
    if not turned and row.current in beside and row.variants == len(beside):
        return
    with index.anew(tx, oid, gathered):
        for vid in turned:
            objects.disregard(tx, vid, vid in away)
        if row.current not in beside:
            shown = next(v for v in versions if v.vid == beside[0])
            level = None if shown.marking is None else Level(shown.marking)
            objects.show_version(
                tx, oid, shown.vid, envelope(_TEXT.decode(objects.raw(tx, shown.vid))), level
            )
        objects.set_variants(tx, oid, len(beside))


def settle_after(
    tx: Connection, oids: Iterable[int], identities: Sequence[int], gathered: Texts | None
) -> None:
    """The same for all that an import touched: these objects, and those of identities (by hash of their ids) that came
    with it: whose an object is may follow from who brought its creator.
    """
    if creators.several(tx):
        for oid in dict.fromkeys((*oids, *(creators.with_revocations(tx, identities) if identities else ()))):
            settle(tx, oid, gathered)


def settle_without(tx: Connection, identities: Sequence[int], oids: Sequence[int], job: Job) -> None:
    """The same once identities (by hash of their ids) are gone, or an act is forgotten that brought them, or these
    objects: whose an object is may have followed from that. Raises `Cancelled`.
    """
    affected = creators.revoked_among(tx, oids) if oids else []
    affected += creators.with_revocations(tx, identities) if identities else []
    different = dict.fromkeys(affected)
    words = Texts()
    for oid in job.each(different, len(different), "finish", every=1):
        settle(tx, oid, words)
        if words.full:
            words.make_room(tx, index.untold)
    words.write(tx)


def _revokes(raw: bytes) -> bool:
    return _TEXT.decode(raw).get("revoked") is True


def counts(connection: Connection, oid: int, cid: int) -> bool:
    """Whether a revocation of this object would count from that side."""
    return side(connection, oid).cid == cid


def counts_from(connection: Connection, oid: int, origin: int) -> bool:
    """Whether a revocation of this object counts that comes by this act."""
    return side(connection, oid).cid == creators.side_of(connection, origin)


def pin(installation: Installation, identity: str, cid: int | None) -> int:
    """Say whose the objects of an identity are: a counterpart's or `OURS`; None takes that back. Returns how many
    objects were looked at again. Raises `Refused` (object-unknown) unless `identity` is the id of an identity.
    """
    if ids.type_of(identity) != "identity":
        raise Refused("object-unknown", id=identity)
    with installation.database.write() as tx:
        creators.pin(tx, identity, cid)
        affected = creators.with_revocations(tx, [objects.id_hash(objects.hash_key(tx), identity)])
        for oid in affected:
            settle(tx, oid)
        audit.append(
            tx,
            installation,
            "creator.pinned",
            identity=identity,
            cid=cid,
            ours=cid == OURS,
            objects=len(affected),
        )
    return len(affected)
