"""Queries on whose things are, what binds them, and the requests and consents about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.intel import timestamp
from app.store.database import Connection, in_many
from app.store.objects import hash_key, id_hash, stix_id

CHUNK = 10_000

# Where things came from -------------------------------------------------------------------------------------


def sources(connection: Connection, oids: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(oid, vid, origin) of every version of these objects, held in force or not."""
    for some in _chunks(oids):
        marks = ", ".join("?" * len(some))
        yield from connection.execute(
            f"SELECT oid, vid, origin FROM version WHERE oid IN ({marks}) UNION ALL"
            f" SELECT oid, vid, source.origin FROM version JOIN source USING (vid) WHERE oid IN ({marks})",
            some * 2,
        )


def given_levels(connection: Connection, number: int) -> dict[bytes, int]:
    """{SHA-256: the handling with which it came in a package}, of what came with one."""
    rows = connection.execute(
        "SELECT sha256, max(handling) FROM inbox_object WHERE number = ? AND handling IS NOT NULL GROUP BY sha256",
        (number,),
    )
    return {bytes(row[0]): row[1] for row in rows}


def from_counterparts(connection: Connection) -> list[tuple[int, int, str, str, bytes]]:
    """(oid, vid, id, modified, sha256) of every version of every object that ever came in a package."""
    rows = connection.execute(
        "SELECT oid, vid, type, uid, v.moment, v.fraction, sha256 FROM version v JOIN object USING (oid) WHERE oid IN ("
        " SELECT oid FROM origin JOIN version ON origin = number WHERE kind = 'package' UNION ALL"
        " SELECT oid FROM origin JOIN source ON source.origin = number JOIN version USING (vid) WHERE kind = 'package'"
        ") ORDER BY vid"
    )
    return [(r[0], r[1], stix_id(r[2], r[3]), timestamp.written(r[4], r[5]), bytes(r[6])) for r in rows]


def only_in_inbox(connection: Connection) -> list[tuple[int, int, str, str, bytes]]:
    """(cid, package, id, modified, sha256) of what packages in the inbox still hold and nobody accepted."""
    rows = connection.execute(
        "SELECT cid, number, id, modified, sha256 FROM inbox_object JOIN inbox USING (number)"
        " WHERE decision <> 'accepted' AND id <> '' AND length(inbox_object.raw) > 2 ORDER BY number, position"
    )
    return [(r[0], r[1], r[2], r[3], bytes(r[4])) for r in rows]


def contents_of(connection: Connection, id_: str) -> list[bytes]:
    """SHA-256 of every version held under a STIX id."""
    rows = connection.execute(
        "SELECT sha256 FROM version JOIN object USING (oid) WHERE idh = ?",
        (id_hash(hash_key(connection), id_),),
    )
    return [bytes(row[0]) for row in rows]


def still_with(connection: Connection, cid: int, epoch: bytes, seq: int) -> list[bytes]:
    """SHA-256 of what a package of ours gave that the counterpart has or may have."""
    rows = connection.execute(
        "SELECT sha256 FROM ledger WHERE cid = ? AND epoch = ? AND seq = ?"
        " AND state NOT IN ('void', 'refused', 'recalled')",
        (cid, epoch, seq),
    )
    return [bytes(row[0]) for row in rows]


def gave(connection: Connection, cid: int, sha256: bytes) -> bool:
    """Whether a counterpart was given a content in a package that is not void."""
    row = connection.execute(
        "SELECT 1 FROM ledger WHERE cid = ? AND sha256 = ? AND state <> 'void' LIMIT 1", (cid, sha256)
    ).fetchone()
    return row is not None


def in_exercises(connection: Connection) -> set[bytes]:
    """SHA-256 of every content that left as a part of an exercise."""
    rows = connection.execute(
        "SELECT DISTINCT sha256 FROM release_terms JOIN ledger USING (cid, epoch, seq) WHERE exercise = 1"
    )
    return {bytes(row[0]) for row in rows}


def stricter_before(connection: Connection, oids: Sequence[int]) -> dict[int, int]:
    """{oid: the strictest marking of its versions older than the one in force}, of these objects."""
    found: dict[int, int] = {}
    for some in _chunks(oids):
        found.update(
            connection.execute(
                "SELECT v.oid, max(v.marking) FROM version v JOIN object o USING (oid)"
                f" WHERE v.oid IN ({', '.join('?' * len(some))}) AND v.moment < o.moment"
                " AND v.marking IS NOT NULL GROUP BY v.oid",
                some,
            ).fetchall()
        )
    return found


def by_level(connection: Connection, oids: Sequence[int] | None) -> dict[int, int]:
    """{level: objects} of these objects (None: all): each at the strictest of its handling and of the markings of all
    its versions, -1 where it has none.
    """
    sql = (
        "SELECT max(coalesce(handling, -1),"
        " coalesce((SELECT max(marking) FROM version WHERE version.oid = object.oid), -1)) FROM object"
    )
    rows = connection.execute(sql) if oids is None else in_many(connection, f"{sql} WHERE oid IN", oids)
    return Counter(row[0] for row in rows)


def largest_release(connection: Connection, cid: int) -> int:
    """How many objects the largest package for a counterpart had so far."""
    row = connection.execute(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM ledger WHERE cid = ? GROUP BY epoch, seq)", (cid,)
    ).fetchone()
    return row[0] or 0


# What binds them --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Restraint:
    """What binds an object beside its level: days before which something is not done ("" for none); see the
    table of that name.
    """

    held: str = ""
    travels: str = ""
    theirs: str = ""
    exercise: bool = False

    @property
    def embargo(self) -> str:
        """The "no onward use before" that goes with it."""
        return max(self.travels, self.theirs)


FREE = Restraint()


def restraints(connection: Connection) -> dict[int, Restraint]:
    """{oid: what binds it} of every object that anything binds."""
    rows = connection.execute("SELECT oid, held, travels, theirs, exercise FROM restraint")
    return {row[0]: Restraint(row[1], row[2], row[3], bool(row[4])) for row in rows}


def restraint(connection: Connection, oid: int) -> Restraint:
    """What binds one object."""
    row = connection.execute(
        "SELECT held, travels, theirs, exercise FROM restraint WHERE oid = ?", (oid,)
    ).fetchone()
    return FREE if row is None else Restraint(row[0], row[1], row[2], bool(row[3]))


def set_restraint(tx: Connection, oid: int, bound: Restraint) -> None:
    """Bind an object so, or not any more."""
    tx.execute("DELETE FROM restraint WHERE oid = ?", (oid,))
    if bound != FREE:
        tx.execute(
            "INSERT INTO restraint (oid, held, travels, theirs, exercise) VALUES (?, ?, ?, ?, ?)",
            (oid, bound.held, bound.travels, bound.theirs, int(bound.exercise)),
        )


def add_waiting_restraints(tx: Connection, number: int, said: Iterable[tuple[bytes, str, bool, str]]) -> None:
    """What binds objects of a received package: (SHA-256, embargo, exercise, onward)."""
    tx.executemany(
        "INSERT INTO inbox_restraint (number, sha256, embargo, exercise, onward) VALUES (?, ?, ?, ?, ?)",
        ((number, sha256, embargo, int(exercise), onward) for sha256, embargo, exercise, onward in said),
    )


def given_onward(connection: Connection, number: int) -> dict[bytes, str]:
    """{SHA-256: what whoever stands behind the sender lets be done with it}, of what came so in a package."""
    rows = connection.execute(
        "SELECT sha256, onward FROM inbox_restraint WHERE number = ? AND onward <> ''", (number,)
    )
    return {bytes(row[0]): row[1] for row in rows}


def waiting_restraints(connection: Connection, number: int) -> dict[bytes, tuple[str, bool]]:
    """{SHA-256: (embargo, exercise)} of what is bound in a received package."""
    rows = connection.execute(
        "SELECT sha256, embargo, exercise FROM inbox_restraint WHERE number = ?", (number,)
    )
    return {bytes(row[0]): (row[1], bool(row[2])) for row in rows}


# Requests and consents --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """A statement on a channel. `number` is the one an officer names it by, None of one that has none."""

    number: int | None
    cid: int
    id: bytes
    kind: str
    ours: bool
    raw: bytes


def statements(
    connection: Connection, cid: int, kinds: Sequence[str], id_: bytes | None = None, alone: bool = False
) -> list[Said]:
    """The statements of some kinds on a channel, in order of arrival; with `id_` that one and those about it, or that
    one `alone`.
    """
    about = "" if id_ is None else " AND (s.id = ? OR s.about = CAST(? AS BLOB))"
    rows = connection.execute(
        "SELECT number, s.cid, s.id, s.kind, s.ours, s.raw FROM statement s LEFT JOIN asking a"
        f" ON a.cid = s.cid AND a.id = s.id WHERE s.cid = ?{about} AND s.kind IN ({', '.join('?' * len(kinds))})"
        " ORDER BY s.rowid",
        (cid, *(() if id_ is None else (id_, "" if alone else id_.hex())), *kinds),
    )
    return [Said(r[0], r[1], bytes(r[2]), r[3], bool(r[4]), bytes(r[5])) for r in rows]


def add_asking(tx: Connection, cid: int, id_: bytes) -> int:
    """Give a request or a consent a number; returns it."""
    tx.execute("INSERT OR IGNORE INTO asking (cid, id) VALUES (?, ?)", (cid, id_))
    row = tx.execute("SELECT number FROM asking WHERE cid = ? AND id = ?", (cid, id_)).fetchone()
    return int(row[0])


def asking(connection: Connection, number: int) -> tuple[int, bytes] | None:
    """(cid, statement id) behind a number."""
    row = connection.execute("SELECT cid, id FROM asking WHERE number = ?", (number,)).fetchone()
    return (row[0], bytes(row[1])) if row else None


def _chunks(items: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(items), CHUNK):
        yield list(items[start : start + CHUNK])
