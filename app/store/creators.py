"""Queries on the sides that objects came from, and on whose the officer says an identity is."""

from __future__ import annotations

from collections.abc import Iterable

from app.store.database import Connection

OURS = 0
"""The side of what came by imports here; counterparts have numbers from 1."""

_SIDE = (
    "CASE origin.kind WHEN 'package' THEN coalesce((SELECT cid FROM inbox WHERE number = package),"
    f" (SELECT cid FROM counterpart WHERE fingerprint = origin.name)) ELSE {OURS} END"
)


def first_side(connection: Connection, oid: int) -> int | None:
    """The side an object first came from."""
    row = connection.execute(
        f"SELECT {_SIDE} FROM origin WHERE number = (SELECT min(origin) FROM version WHERE oid = ?)",
        (oid,),
    ).fetchone()
    return None if row is None else row[0]


def side_of(connection: Connection, origin: int) -> int | None:
    """The side of an act by which intel came in."""
    row = connection.execute(f"SELECT {_SIDE} FROM origin WHERE number = ?", (origin,)).fetchone()
    return None if row is None else row[0]


def sides_of(connection: Connection, vid: int) -> set[int | None]:
    """The sides a content came from."""
    rows = connection.execute(
        f"SELECT {_SIDE} FROM origin WHERE number IN"
        " (SELECT origin FROM version WHERE vid = ?1 UNION ALL SELECT origin FROM source WHERE vid = ?1)",
        (vid,),
    )
    return {row[0] for row in rows}


def pinned(connection: Connection, identity: str) -> tuple[int | None, bool]:
    """(side, True) of an identity that is pinned; (None, False) of others."""
    row = connection.execute("SELECT cid FROM creator WHERE identity = ?", (identity,)).fetchone()
    return (None, False) if row is None else (row[0], True)


def pin(tx: Connection, identity: str, cid: int | None) -> None:
    """Pin an identity to a side; None: to none any more."""
    tx.execute("DELETE FROM creator WHERE identity = ?", (identity,))
    if cid is not None:
        tx.execute("INSERT INTO creator (identity, cid) VALUES (?, ?)", (identity, cid))


def several(connection: Connection) -> bool:
    """Whether what is held came from more than one side, or is another's by the officer's word."""
    rows = connection.execute(f"SELECT {_SIDE} FROM origin UNION SELECT cid FROM creator LIMIT 2").fetchall()
    return len(rows) > 1


_WITH_REVOCATIONS = (
    "SELECT oid FROM object WHERE revoked = 1 UNION SELECT oid FROM object WHERE variants > 1"
    " UNION SELECT oid FROM version WHERE dropped = 2"
)


def with_revocations(connection: Connection, identities: Iterable[int]) -> list[int]:
    """The objects of identities (by hash of their ids, themselves included) of which some content may be a
    revocation.
    """
    rows = connection.execute(
        f"SELECT object.oid FROM ({_WITH_REVOCATIONS}) CROSS JOIN object USING (oid)"
        # Whose an object is follows from its first content.
        " CROSS JOIN version ON vid = (SELECT min(one.vid) FROM version AS one WHERE one.oid = object.oid)"
        " WHERE creator IN (SELECT value FROM json_each(?1)) OR idh IN (SELECT value FROM json_each(?1))",
        (f"[{','.join(map(str, identities))}]",),
    )
    return [row[0] for row in rows]


def revoked_among(connection: Connection, oids: Iterable[int]) -> list[int]:
    """Those of these objects of which some content may be a revocation."""
    rows = connection.execute(
        f"SELECT oid FROM ({_WITH_REVOCATIONS}) WHERE oid IN (SELECT value FROM json_each(?))",
        (f"[{','.join(map(str, oids))}]",),
    )
    return [row[0] for row in rows]
