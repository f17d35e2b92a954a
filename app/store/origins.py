"""Queries on the acts by which intel came in, and which content came by which.

The first act stands in the row of the version itself; `source` has the further ones, of which there are few.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from app.jobs import Job
from app.store import index
from app.store.database import Connection, in_many
from app.store.objects import VERSION, VersionRow, stix_id, version_row


@dataclass(frozen=True)
class Origin:
    """One act by which intel came in. `kind` is import or package, `name` a file's name or a fingerprint."""

    number: int
    kind: str
    name: str
    package: int | None
    officer: str
    at: str


def add(connection: Connection, kind: str, name: str, package: int | None, officer: str, at: str) -> int:
    """A new origin; returns its number."""
    cursor = connection.execute(
        "INSERT INTO origin (kind, name, package, officer, at) VALUES (?, ?, ?, ?, ?)",
        (kind, name, package, officer, at),
    )
    return int(cursor.lastrowid)


def _acts(connection: Connection, vids: Collection[int]) -> Iterator[tuple[int, int]]:
    """(vid, origin) of these versions."""
    for sql in (
        "SELECT vid, origin FROM version WHERE vid IN",
        "SELECT vid, origin FROM source WHERE vid IN",
    ):
        yield from ((row[0], row[1]) for row in in_many(connection, sql, vids))


def came(connection: Connection, vids: Iterable[int], origin: int) -> None:
    """That these versions, which are held, came by `origin` too; once for each file name, and for each package."""
    kind, name, package = connection.execute(
        "SELECT kind, name, package FROM origin WHERE number = ?", (origin,)
    ).fetchone()
    vids = dict.fromkeys(vids)
    acts = dict(
        connection.execute("SELECT number, package FROM origin WHERE kind = ? AND name = ?", (kind, name))
    )
    there, counted = set(), set()
    for vid, act in _acts(connection, vids):
        if act in acts:
            counted.add(vid)
            if acts[act] == package:
                there.add(vid)
    fresh = [vid for vid in vids if vid not in there]
    if not fresh:
        return
    connection.executemany("INSERT INTO source (vid, origin) VALUES (?, ?)", [(vid, origin) for vid in fresh])
    shown = "SELECT vid FROM version JOIN object USING (oid) WHERE vid = current AND vid IN"
    more = sum(1 for _ in in_many(connection, shown, [vid for vid in fresh if vid not in counted]))
    index.count(connection, {("source", index.place(kind, name)): more})


def place(connection: Connection, origin: int) -> str:
    """The value of the facet `source` for what came by this act."""
    row = connection.execute("SELECT kind, name FROM origin WHERE number = ?", (origin,)).fetchone()
    return index.place(row[0], row[1])


def drop(tx: Connection, vid: int, origins: Collection[int]) -> None:
    """That version `vid` came by these origins is forgotten."""
    oid, first = tx.execute("SELECT oid, origin FROM version WHERE vid = ?", (vid,)).fetchone()
    with index.counted(tx, oid):
        tx.executemany("DELETE FROM source WHERE vid = ? AND origin = ?", [(vid, one) for one in origins])
        if first in origins:
            (left,) = tx.execute("SELECT min(origin) FROM source WHERE vid = ?", (vid,)).fetchone()
            tx.execute("UPDATE version SET origin = ? WHERE vid = ?", (left, vid))
            tx.execute("DELETE FROM source WHERE vid = ? AND origin = ?", (vid, left))


def named(connection: Connection, kind: str, name: str, package: int | None = None) -> list[int]:
    """The numbers of the acts of a kind under a name, of one inbox package or (None) of any."""
    rows = connection.execute(
        "SELECT number FROM origin WHERE kind = ? AND name = ? AND (? IS NULL OR package = ?)",
        (kind, name, package, package),
    )
    return [row[0] for row in rows]


def brought_by(connection: Connection, origins: Iterable[int]) -> Iterator[tuple[str, int, VersionRow]]:
    """(STIX id, its hash, version) of everything that came by these acts, by others too or not; each once."""
    origins = list(origins)
    vids = {
        vid
        for sql in ("SELECT vid FROM version WHERE origin IN", "SELECT vid FROM source WHERE origin IN")
        for (vid,) in in_many(connection, sql, origins)
    }
    columns = ", ".join(f"v.{name.strip()}" for name in VERSION.split(","))
    sql = f"SELECT type, uid, idh, {columns} FROM version v JOIN object USING (oid) WHERE v.vid IN"
    for row in in_many(connection, sql, sorted(vids)):
        yield stix_id(row[0], row[1]), row[2], version_row(row[3:])


def only_by(connection: Connection, vids: Collection[int], origins: Collection[int], job: Job) -> set[int]:
    """Those of the versions that came by nothing but these acts. Raises `Cancelled`."""
    theirs, others = set[int](), set[int]()
    for vid, origin in job.each(_acts(connection, vids), len(vids), "read"):
        (theirs if origin in origins else others).add(vid)
    return theirs - others


def first(connection: Connection, vid: int) -> int:
    """The number of the act by which a version first came."""
    return int(connection.execute("SELECT origin FROM version WHERE vid = ?", (vid,)).fetchone()[0])


def of(connection: Connection, vid: int) -> list[Origin]:
    """Where a version came from, first arrival first."""
    rows = connection.execute(
        "SELECT number, kind, name, package, officer, at FROM origin WHERE number IN"
        " (SELECT origin FROM version WHERE vid = ?1 UNION ALL SELECT origin FROM source WHERE vid = ?1)"
        " ORDER BY number",
        (vid,),
    )
    return [Origin(*row) for row in rows]


def every(connection: Connection) -> dict[int, Origin]:
    """Every act by which something came in, by number."""
    rows = connection.execute("SELECT number, kind, name, package, officer, at FROM origin")
    return {row[0]: Origin(*row) for row in rows}


_UNUSED = (
    "NOT EXISTS (SELECT 1 FROM version WHERE version.origin = number)"
    " AND NOT EXISTS (SELECT 1 FROM source WHERE source.origin = number)"
)


def forget_unused(tx: Connection, origin: int) -> None:
    """Delete an act that brought nothing."""
    tx.execute(f"DELETE FROM origin WHERE number = ? AND {_UNUSED}", (origin,))


def forget_empty(tx: Connection) -> None:
    """Delete the acts of which nothing is held any more: their file names may tell what it was."""
    tx.execute(f"DELETE FROM origin WHERE {_UNUSED}")
