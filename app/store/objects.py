"""Queries on what is held: objects (one for each STIX id) and their versions (one for each content).

Functions take the connection they work on: a writer's inside a service's transaction, or a reader.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from app.intel import timestamp
from app.intel.marking import Level
from app.jobs import Job, quiet
from app.store import bodies, index
from app.store.codes import code
from app.store.database import Connection, in_many
from app.store.full_text import Texts
from app.store.index import HASH_KEY as HASH_KEY
from app.store.index import hash_key as hash_key
from app.store.index import id_hash as id_hash

if TYPE_CHECKING:
    from app.intel.envelope import Envelope
    from app.intel.prepared import Prepared


@dataclass(frozen=True)
class ObjectRow:
    """What lists and filters need of one object. `marking` and `handling` are `app.intel.marking.Level` values."""

    oid: int
    id: str
    type: str
    name: str
    modified: str
    moment: str
    marking: int | None
    handling: int | None
    revoked: bool
    variants: int
    current: int
    disputed: bool = False

    @property
    def in_conflict(self) -> bool:
        """Whether several contents stand side by side, or what it says of a file contradicts another object."""
        return self.variants > 1 or self.disputed

    @property
    def level(self) -> int:
        """The stricter of marking and handling, -1 for neither."""
        return stricter(self.marking, self.handling)


# Also of those who list objects (app.store.selecting).
COLUMNS = "oid, type, uid, name, moment, fraction, marking, handling, revoked, variants, current, disputed"


def object_row(row: Sequence[Any]) -> ObjectRow:
    """A row of `COLUMNS`."""
    oid, type_, uid_, name, moment, fraction, marking, handling, revoked, variants, current, disputed = row
    id_, modified = stix_id(type_, uid_), timestamp.written(moment, fraction)
    return ObjectRow(
        *(oid, id_, type_, name, modified, moment, marking, handling),
        *(bool(revoked), variants, current, bool(disputed)),
    )


def uid(type_: str, id_: str) -> bytearray | str:
    """What is stored of an id beside its type: the bytes of its UUID, or all of it where it has capital letters."""
    # The driver takes a bytearray quicker than bytes (app.store.arriving).
    if id_.islower() and len(id_) == len(type_) + 38:
        return bytearray.fromhex(id_[-36:].replace("-", ""))
    return id_


def stix_id(type_: str, uid_: bytes | str) -> str:
    """The id of which that is stored."""
    if isinstance(uid_, str):
        return uid_
    digits = uid_.hex()
    return f"{type_}--{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@dataclass(frozen=True)
class VersionRow:
    """One content of an object. `modified` is as written ("" for types without one), `moment` its sortable form.

    `dropped`: it is not in force though its moment may be: a conflict was resolved against it; or it is
    `disregarded`, a revocation that is not its author's to make.
    """

    vid: int
    oid: int
    modified: str
    moment: str
    sha256: bytes
    marking: int | None
    dropped: bool
    disregarded: bool = False


_DISREGARDED = 2
VERSION = "vid, oid, moment, fraction, sha256, marking, dropped"


def version_row(row: Sequence[Any]) -> VersionRow:
    """A row of `VERSION`."""
    vid, oid, moment, fraction, sha256, marking, dropped = row
    modified = timestamp.written(moment, fraction)
    return VersionRow(vid, oid, modified, moment, sha256, marking, bool(dropped), dropped == _DISREGARDED)


def find(connection: Connection, idh: int) -> ObjectRow | None:
    """The object with that id hash."""
    row = connection.execute(f"SELECT {COLUMNS} FROM object WHERE idh = ?", (idh,)).fetchone()
    return object_row(row) if row else None


def find_many(connection: Connection, hashes: Iterable[int]) -> dict[int, ObjectRow]:
    """The objects with these id hashes, by hash; what is not held is left out."""
    sql = f"SELECT idh, {COLUMNS} FROM object WHERE idh IN"
    return {row[0]: object_row(row[1:]) for row in in_many(connection, sql, hashes)}


def settled(connection: Connection, hashes: Iterable[int], default: int) -> dict[int, tuple[int, bytes]]:
    """{id hash: (vid, SHA-256 of its text)} of objects of which the same content changes nothing when it comes again,
    if what has no marking is treated at the level `default`.
    """
    sql = f"""
        SELECT idh, current, sha256 FROM object JOIN version ON vid = current
        WHERE variants = 1
            AND (object.marking <> {int(Level.UNREADABLE)} OR object.marking IS NULL AND handling >= {int(default)})
            AND idh IN"""
    return {row[0]: (row[1], bytes(row[2])) for row in in_many(connection, sql, hashes)}


def known(connection: Connection, hashes: Iterable[int]) -> set[int]:
    """Those of these id hashes that are held."""
    return {row[0] for row in in_many(connection, "SELECT idh FROM object WHERE idh IN", hashes)}


def oids_of(connection: Connection, hashes: Iterable[int]) -> dict[int, int]:
    """{id hash: oid} of those of these that are held."""
    return dict(map(tuple, in_many(connection, "SELECT idh, oid FROM object WHERE idh IN", hashes)))


def versions(connection: Connection, vids: Iterable[int]) -> list[VersionRow]:
    """The versions with these numbers, in no order."""
    return [version_row(r) for r in in_many(connection, f"SELECT {VERSION} FROM version WHERE vid IN", vids)]


def versions_of_many(connection: Connection, oids: Iterable[int]) -> Iterator[VersionRow]:
    """All versions of these objects, in no order."""
    return map(version_row, in_many(connection, f"SELECT {VERSION} FROM version WHERE oid IN", oids))


def versions_at_many(connection: Connection, moments: Iterable[tuple[int, str]]) -> Iterator[VersionRow]:
    """The contents held for these (oid, moment), in no order."""
    waiting = iter(moments)
    while some := list(islice(waiting, 500)):
        marks = ", ".join(["(?, ?)"] * len(some))
        sql = f"SELECT {VERSION} FROM version WHERE (oid, moment) IN (VALUES {marks})"
        yield from map(version_row, connection.execute(sql, [fact for one in some for fact in one]))


def owners(connection: Connection, vids: Iterable[int]) -> dict[int, int]:
    """{vid: oid} of the object that each version is one of."""
    return dict(map(tuple, in_many(connection, "SELECT vid, oid FROM version WHERE vid IN", set(vids))))


def first_version(connection: Connection, oid: int) -> int:
    """The vid of the first content of an object that is held."""
    return int(connection.execute("SELECT min(vid) FROM version WHERE oid = ?", (oid,)).fetchone()[0])


def versions_of(connection: Connection, oid: int) -> list[VersionRow]:
    """All versions of an object, newest first."""
    rows = connection.execute(
        f"SELECT {VERSION} FROM version WHERE oid = ? ORDER BY moment DESC, vid", (oid,)
    )
    return [version_row(row) for row in rows]


def versions_at(connection: Connection, oid: int, moment: str) -> list[VersionRow]:
    """The contents held for one object and moment."""
    rows = connection.execute(f"SELECT {VERSION} FROM version WHERE oid = ? AND moment = ?", (oid, moment))
    return [version_row(row) for row in rows]


def raw(connection: Connection, vid: int) -> bytes:
    """The exact text of a version."""
    return bodies.unpack(connection.execute("SELECT raw FROM version WHERE vid = ?", (vid,)).fetchone()[0])


def raws(connection: Connection, vids: Iterable[int]) -> dict[int, bytes]:
    """The exact texts of many versions, by vid."""
    rows_ = in_many(connection, "SELECT vid, raw FROM version WHERE vid IN", vids)
    return {row[0]: bodies.unpack(row[1]) for row in rows_}


def last_numbers(connection: Connection) -> tuple[int, int]:
    """The highest oid and vid in use: the one writer numbers new rows itself, to put them in many at a time."""
    row = connection.execute(
        "SELECT (SELECT max(oid) FROM object), (SELECT max(vid) FROM version)"
    ).fetchone()
    return row[0] or 0, row[1] or 0


def add_version(
    connection: Connection,
    origin: int,
    oid: int,
    vid: int,
    prepared: Prepared,
    marking: int | None,
    definitions: Sequence[int],
) -> None:
    """Store one content of object `oid` that came by `origin`, with the hashes of the marking definitions it needs.

    Inside `index.anew` where it comes into force; `show_version` says whether it is the one shown.
    """
    sha256 = hashlib.sha256(prepared.raw).digest()
    fraction = timestamp.fraction(prepared.modified)
    creator = id_hash(hash_key(connection), prepared.creator) if prepared.creator else None
    connection.execute(
        "INSERT INTO version (vid, oid, moment, fraction, sha256, marking, raw, origin, creator)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (vid, oid, prepared.moment, fraction, sha256, marking, bodies.pack(prepared.raw), origin, creator),
    )
    if definitions:
        index.put_marked(connection, ((vid, target) for target in definitions))


def show_version(
    connection: Connection, oid: int, vid: int, envelope: Envelope | Prepared, marking: int | None
) -> None:
    """Make version `vid` the only one in force for its object. Inside `index.anew`."""
    connection.execute(
        "UPDATE object SET name = ?, fraction = ?, moment = ?, marking = ?, revoked = ?,"
        " variants = 1, current = ?, confidence = ? WHERE oid = ?",
        (
            envelope.name,
            timestamp.fraction(envelope.modified),
            envelope.moment,
            marking,
            int(envelope.revoked),
            vid,
            envelope.confidence,
            oid,
        ),
    )


def forget(tx: Connection, oid: int, gathered: Texts | None = None) -> int:
    """Delete an object for good: its versions and texts, words, observables, links, counts, sources, labels. Its words
    are `gathered`, as `index.anew` says.

    Returns how many versions. What else names it (ledger, inbox, log) is the caller's.
    """
    versions = tx.execute("SELECT count(*) FROM version WHERE oid = ?", (oid,)).fetchone()[0]
    with index.anew(tx, oid, gathered):
        tx.execute("DELETE FROM object WHERE oid = ?", (oid,))
    return int(versions)


def set_variants(connection: Connection, oid: int, variants: int) -> None:
    """How many contents stand side by side for the moment in force. Inside `index.anew`."""
    connection.execute("UPDATE object SET variants = ? WHERE oid = ?", (variants, oid))


def drop_version(connection: Connection, vid: int, dropped: bool = True) -> None:
    """Mark a content as resolved against, or let it count again; it stays held. Inside `index.anew`."""
    connection.execute("UPDATE version SET dropped = ? WHERE vid = ?", (int(dropped), vid))


def disregard(connection: Connection, vid: int, yes: bool) -> None:
    """Mark a revocation as one that does not count, or as one that does after all. Inside `index.anew`."""
    connection.execute("UPDATE version SET dropped = ? WHERE vid = ?", (_DISREGARDED if yes else 0, vid))


def add_converted(connection: Connection, vids: Iterable[int]) -> None:
    """Remember that the texts of these versions were made here, out of STIX 2.0."""
    connection.executemany("INSERT OR IGNORE INTO converted (vid) VALUES (?)", [(vid,) for vid in vids])


def converted(connection: Connection, vids: Iterable[int]) -> set[int]:
    """Those of these versions whose texts were made here, out of STIX 2.0."""
    return {row[0] for row in in_many(connection, "SELECT vid FROM converted WHERE vid IN", vids)}


def set_handling(connection: Connection, oid: int, level: int) -> None:
    """Set the level at which an object is treated here."""
    with index.counted(connection, oid):
        connection.execute("UPDATE object SET handling = ? WHERE oid = ?", (level, oid))


def raise_handling(tx: Connection, oids: Sequence[int], level: int) -> list[str]:
    """Treat those of these objects that were treated at a lower level than this at it; returns their ids."""
    lower = [
        *in_many(tx, f"SELECT oid, type, uid, level FROM object WHERE level < {int(level)} AND oid IN", oids)
    ]
    tx.executemany("UPDATE object SET handling = ? WHERE oid = ?", [(int(level), row[0]) for row in lower])
    counts = Counter(("level", str(row[3])) for row in lower)
    index.count(
        tx, {facet: -many for facet, many in counts.items()} | {("level", str(int(level))): len(lower)}
    )
    return [stix_id(row[1], row[2]) for row in lower]


_OTHERWISE = """(SELECT oid, vid, marking FROM version
    WHERE vid IN (SELECT value FROM json_each(:vids)) AND marking IS NOT :level)"""
"""Of versions those of which another level was read."""


def set_marking(connection: Connection, vids: Sequence[int], level: int | None, handling: int) -> list[int]:
    """Correct the level read from the markings of versions, once a definition they need has come or gone.

    An object that turns out to have no TLP marking gets `handling`, unless it has one. Returns the oids of those that
    are marked lower now, for `keep_levels` once all are corrected.
    """
    given = {"vids": json.dumps(list(vids)), "level": level, "handling": handling}
    theirs = f"oid IN (SELECT oid FROM {_OTHERWISE})"
    of_levels = f"SELECT 'level', CAST(level AS TEXT), count(*) FROM object WHERE {theirs} GROUP BY level"
    lower = connection.execute(
        f"SELECT object.oid FROM {_OTHERWISE} AS one JOIN object ON current = vid AND object.oid = one.oid"
        " WHERE ifnull(:level, -1) < one.marking",
        given,
    ).fetchall()
    counts = Counter[tuple[str, str]]()
    for facet_, value, many in connection.execute(of_levels, given):
        counts[facet_, value] -= many
    connection.execute(
        "UPDATE object SET handling = iif(:level IS NULL, ifnull(handling, :handling), handling),"
        f" marking = iif(current IN (SELECT value FROM json_each(:vids)), :level, marking) WHERE {theirs}",
        given,
    )
    for facet_, value, many in connection.execute(of_levels, given):
        counts[facet_, value] += many
    connection.execute(
        f"UPDATE version SET marking = :level WHERE vid IN (SELECT vid FROM {_OTHERWISE})", given
    )
    index.count(connection, counts)
    return [row[0] for row in lower]


def unreadable(connection: Connection, oid: int) -> list[int]:
    """The vids of the contents of an object whose markings could not be read."""
    rows_ = connection.execute(
        "SELECT vid FROM version WHERE oid = ? AND marking = ?", (oid, Level.UNREADABLE)
    )
    return [row[0] for row in rows_]


_BEFORE = """
    SELECT o.oid, o.marking, handling, kind = 'package', (
        SELECT marking FROM version AS older WHERE older.oid = o.oid AND vid < current AND dropped = 0
            AND older.moment < o.moment ORDER BY older.moment DESC, marking DESC LIMIT 1
    ) FROM object AS o JOIN version AS v ON v.vid = current JOIN origin ON number = v.origin
    WHERE EXISTS (SELECT 1 FROM version AS one WHERE one.oid = o.oid AND one.vid < current) AND o.oid IN
"""


def keep_levels(connection: Connection, oids: Iterable[int]) -> None:
    """Treat these objects, whose markings could not be read when they came, at the level of the content before where
    that is to be kept: what a counterpart sends lowers nothing, and what has no TLP marking does not either.
    """
    for oid, marking, handling, foreign, before in list(in_many(connection, _BEFORE, oids)):
        floor = -1 if before is None else before
        if floor > stricter(marking, handling) and (foreign or marking is None):
            set_handling(connection, oid, floor)


def stricter(marking: int | None, handling: int | None) -> int:
    """The stricter of marking and handling, -1 for neither."""
    return max(-1 if marking is None else marking, -1 if handling is None else handling)


LAST = (1 << 63) - 1
"""The highest number a row may have."""


def marked_by(connection: Connection, definition: int, upto: int = LAST) -> list[int]:
    """The vids, up to one, of the versions that need the marking definition with that id hash."""
    rows_ = connection.execute("SELECT vid FROM marked WHERE definition = ? AND vid <= ?", (definition, upto))
    return [row[0] for row in rows_]


def facet(connection: Connection, name: str) -> dict[str, int]:
    """{value: objects} of a facet: all, type, level, source ("kind name"), revoked, conflict."""
    return dict(connection.execute("SELECT value, objects FROM facet WHERE facet = ?", (name,)).fetchall())


_TARGETS = "(SELECT value FROM json_each(?1))"
_NEED = f"""(SELECT vid FROM edge WHERE dst IN {_TARGETS}
    UNION SELECT vid FROM edge WHERE src IN {_TARGETS} AND related = 1
    UNION SELECT vid FROM marked WHERE definition IN {_TARGETS}
    UNION SELECT vid FROM version CROSS JOIN object USING (oid)
        WHERE creator IN {_TARGETS} AND version.moment = object.moment AND dropped = 0)"""


def referrers(connection: Connection, target: int) -> list[int]:
    """The vids of the contents in force that need the id with hash `target`."""
    return [row[0] for row in connection.execute(f"SELECT vid FROM {_NEED}", (json.dumps([target]),))]


def said_of(connection: Connection, target: int, types: Sequence[str], limit: int) -> list[int]:
    """The vids of the contents in force, of objects of some types, that are about the id with hash `target` (by
    `sighting_of_ref` or `object_refs`); the first that came.
    """
    rows_ = connection.execute(
        "SELECT vid FROM edge JOIN version USING (vid) JOIN object USING (oid) WHERE dst = ?"
        f" AND rel IN (?, ?) AND type IN ({', '.join('?' * len(types))})"
        " ORDER BY vid LIMIT ?",
        (target, code("sighting_of_ref"), code("object_refs"), *types, limit),
    )
    return [row[0] for row in rows_]


def referring(connection: Connection, targets: Iterable[int]) -> list[str]:
    """The STIX ids of the objects of which a content in force needs one of the ids with these hashes."""
    sql = f"SELECT DISTINCT type, uid FROM object JOIN version USING (oid) WHERE vid IN {_NEED}"
    return sorted(stix_id(*row) for row in connection.execute(sql, (json.dumps(list(targets)),)))


def forget_versions(tx: Connection, vids: Iterable[int]) -> None:
    """Delete versions, with their texts and sources. Inside `index.anew`, after another one is shown."""
    tx.executemany("DELETE FROM version WHERE vid = ?", ((vid,) for vid in vids))


def identities(connection: Connection, oids: Iterable[int]) -> list[int]:
    """The id hashes of those of these objects that are identities."""
    sql = "SELECT idh FROM object WHERE type = 'identity' AND oid IN"
    return [row[0] for row in in_many(connection, sql, oids)]


# What stands in rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stands:
    """What the rows of a version say: `version` its moment, fraction and marking; `shown`, where it is the one shown,
    those of its object, and its name, whether it is revoked, and its confidence.
    """

    vid: int
    oid: int
    version: tuple[object, ...]
    shown: tuple[object, ...]


_OF_VERSION = "moment, fraction, marking"
_OF_OBJECT = f"{_OF_VERSION}, name, revoked, confidence"


def standing(connection: Connection) -> Iterator[tuple[Stands, bytes]]:
    """What stands in the rows of every version held, and its exact text, in order of arrival."""
    columns = [
        f"{row}.{name}"
        for row, names in (("v", _OF_VERSION), ("o", _OF_OBJECT))
        for name in names.split(", ")
    ]
    sql = f"SELECT vid, oid, vid = current, raw, {', '.join(columns)} FROM version v CROSS JOIN object o USING (oid)"
    for vid, oid, shown, blob, *row in connection.execute(f"{sql} ORDER BY vid"):
        yield Stands(vid, oid, tuple(row[:3]), tuple(row[3:]) if shown else ()), bodies.unpack(blob)


def correct(tx: Connection, says: Stands) -> None:
    """Let the rows of a version say this."""
    tx.execute(f"UPDATE version SET ({_OF_VERSION}) = (?, ?, ?) WHERE vid = ?", (*says.version, says.vid))
    if says.shown:
        tx.execute(
            f"UPDATE object SET ({_OF_OBJECT}) = (?, ?, ?, ?, ?, ?) WHERE oid = ?", (*says.shown, says.oid)
        )


def marked(connection: Connection) -> Iterator[tuple[int, int]]:
    """(vid, hash of the id of a marking definition it needs) of every version."""
    yield from map(tuple, connection.execute("SELECT vid, definition FROM marked"))


def count_marked(connection: Connection) -> int:
    """How many rows `marked` gives."""
    return int(connection.execute("SELECT count(*) FROM marked").fetchone()[0])


_COUNT = (
    "(SELECT count(*) FROM version v WHERE v.oid = object.oid AND v.moment = object.moment AND dropped = 0)"
)
_SHOWN = (
    "EXISTS (SELECT 1 FROM version v WHERE vid = current AND v.oid = object.oid AND v.moment = object.moment"
    " AND dropped = 0)"
)


def counted(connection: Connection) -> bool:
    """Whether every object shows a content in force, and knows how many those are."""
    sql = f"SELECT EXISTS (SELECT 1 FROM object WHERE variants <> {_COUNT} OR NOT {_SHOWN})"
    return not connection.execute(sql).fetchone()[0]


def count_anew(tx: Connection) -> None:
    """Let every object know how many contents are in force."""
    tx.execute(f"UPDATE object SET variants = {_COUNT} WHERE variants <> {_COUNT} AND {_SHOWN}")


# Rows and contents -------------------------------------------------------------------------------------------


def rows(connection: Connection, wanted: Sequence[int]) -> list[ObjectRow]:
    """The rows of `wanted` oids, in that order; an oid that is gone is left out."""
    marks = ", ".join("?" * len(wanted))
    found = {
        row[0]: object_row(row)
        for row in connection.execute(f"SELECT {COLUMNS} FROM object WHERE oid IN ({marks})", list(wanted))
    }
    return [found[oid] for oid in wanted if oid in found]


def contents(connection: Connection) -> Iterator[tuple[int, bytes, bytes]]:
    """(vid, sha256, exact text) of every version held, in order of arrival."""
    for row in connection.execute("SELECT vid, sha256, raw FROM version ORDER BY vid"):
        yield row[0], bytes(row[1]), bodies.unpack(row[2])


TEXTS = 500


def texts(connection: Connection, selected: Sequence[int] | None) -> Iterator[list[bytes]]:
    """The exact texts of all versions of the `selected` oids (None: all), in order of arrival, some at a time."""
    if selected is None:
        cursor = connection.execute("SELECT raw FROM version ORDER BY vid")
        while some := cursor.fetchmany(TEXTS):
            yield [bodies.unpack(row[0]) for row in some]
        return
    vids = array(
        "q", (row[0] for row in in_many(connection, "SELECT vid FROM version WHERE oid IN", selected))
    )
    ordered = sorted(vids)
    for start in range(0, len(ordered), TEXTS):
        some = ordered[start : start + TEXTS]
        found = connection.execute(
            f"SELECT raw FROM version WHERE vid IN ({', '.join('?' * len(some))}) ORDER BY vid", some
        )
        yield [bodies.unpack(row[0]) for row in found]


def count_versions(connection: Connection, selected: Sequence[int] | None) -> int:
    """How many versions of the `selected` oids (None: all objects) are held."""
    if selected is None:
        return int(connection.execute("SELECT count(*) FROM version").fetchone()[0])
    return sum(row[0] for row in in_many(connection, "SELECT 1 FROM version WHERE oid IN", selected))


@dataclass(frozen=True)
class Held:
    """A version as the release gate needs it."""

    vid: int
    oid: int
    id: str
    type: str
    modified: str
    sha256: bytes
    handling: int | None
    variants: int


def held(
    connection: Connection,
    selected: Sequence[int] | None,
    every: bool,
    set_aside: bool = False,
    job: Job | None = None,
) -> list[Held]:
    """Versions of the `selected` oids (None: all objects): those in force, or with `every` all, in order of arrival.

    Contents that a conflict was resolved against, and revocations that do not count, are left out unless `set_aside`.
    Raises `Cancelled`.
    """
    job = job or quiet()
    sql = f"{_HELD} WHERE dropped <= {_DISREGARDED if set_aside else 0}"
    if not every:
        sql += " AND version.moment = object.moment"
    if selected is None:
        rows_, total = connection.execute(f"{sql} ORDER BY vid"), count_versions(connection, None)
    else:
        rows_, total = in_many(connection, f"{sql} AND oid IN", selected), len(selected)
    found = [_held_row(row) for row in job.each(rows_, total, "read")]
    if selected is not None:
        found.sort(key=lambda one: one.vid)
    return found


_HELD = (
    "SELECT vid, oid, type, uid, version.moment, version.fraction, sha256, handling, variants"
    " FROM version JOIN object USING (oid)"
)


def _held_row(row: Sequence[Any]) -> Held:
    vid, oid, type_, uid_, moment, fraction, sha256, handling, variants = row
    modified = timestamp.written(moment, fraction)
    return Held(vid, oid, stix_id(type_, uid_), type_, modified, bytes(sha256), handling, variants)


def held_contents(connection: Connection, contents: Iterable[tuple[str, bytes]]) -> list[Held]:
    """The versions with these (id, SHA-256), in order of arrival; one that is not held any more is left out."""
    key, sql = hash_key(connection), f"{_HELD} WHERE idh = ? AND sha256 = ? AND dropped = 0"
    found = [row for id_, sha256 in contents for row in connection.execute(sql, (id_hash(key, id_), sha256))]
    return [_held_row(row) for row in sorted(found)]


def oid_of(connection: Connection, idh: int) -> int | None:
    """The oid behind an id hash."""
    row = connection.execute("SELECT oid FROM object WHERE idh = ?", (idh,)).fetchone()
    return None if row is None else int(row[0])
