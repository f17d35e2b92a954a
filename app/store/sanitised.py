"""Queries on sanitised objects: which content became which new one, and for whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.store.database import Connection, in_many
from app.store.ledger import Given


@dataclass(frozen=True)
class Row:
    """That a content of an object of ours became a content of a new one, for one counterpart."""

    cid: int
    original: str
    original_sha256: bytes
    id: str
    modified: str
    sha256: bytes
    at: str
    officer: str


_ROW = "cid, original, original_sha256, id, modified, sha256, at, officer"


def add(tx: Connection, row: Row) -> None:
    """Keep a mapping; one that is kept stays as it is."""
    tx.execute(
        f"INSERT OR IGNORE INTO sanitised ({_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        tuple(getattr(row, name) for name in _ROW.split(", ")),
    )


def rows(connection: Connection, cid: int | None = None, original: str | None = None) -> list[Row]:
    """The mappings for one counterpart or all, of one original or all, newest first."""
    found = connection.execute(
        f"SELECT {_ROW} FROM sanitised WHERE (? IS NULL OR cid = ?) AND (? IS NULL OR original = ?)"
        " ORDER BY at DESC, cid, id",
        (cid, cid, original, original),
    )
    return [Row(r[0], r[1], bytes(r[2]), r[3], r[4], bytes(r[5]), r[6], r[7]) for r in found]


def given_of(connection: Connection, oids: Iterable[int]) -> list[Given]:
    """Which sanitised forms of these objects went out, and to whom, in order; what is void did not. By their contents:
    that an original leaves sanitised alone may have been ended since.
    """
    sql = (
        "SELECT DISTINCT sanitised.id, alias, seq, state FROM version"
        " CROSS JOIN sanitised ON original_sha256 = version.sha256"
        " CROSS JOIN ledger ON ledger.cid = sanitised.cid AND ledger.id = sanitised.id"
        " CROSS JOIN counterpart ON counterpart.cid = sanitised.cid"
        " WHERE state <> 'void' AND oid IN"
    )
    rows = {Given(*row) for row in in_many(connection, sql, oids)}
    # Upper and lower case of ASCII are one in an alias.
    return sorted(rows, key=lambda one: (one.to.encode().lower(), one.seq, one.id, one.state))


def made_for(connection: Connection) -> dict[str, int]:
    """{STIX id: cid} of every object that was made for one counterpart alone, pseudonyms included."""
    found = dict(connection.execute("SELECT DISTINCT id, cid FROM sanitised").fetchall())
    return found | dict(connection.execute("SELECT id, cid FROM pseudonym").fetchall())


def originals(connection: Connection, cid: int) -> set[str]:
    """STIX ids of the objects that one counterpart gets in a sanitised form."""
    return {r[0] for r in connection.execute("SELECT DISTINCT original FROM sanitised WHERE cid = ?", (cid,))}


def forget(tx: Connection, cid: int, original: str) -> int:
    """Forget that a counterpart gets an object in a sanitised form alone; what was made stays what it is."""
    cursor = tx.execute("UPDATE sanitised SET original = '' WHERE cid = ? AND original = ?", (cid, original))
    return int(cursor.rowcount)


def pseudonym(tx: Connection, cid: int, id_: str) -> None:
    """Keep the identity that stands for us at a counterpart."""
    tx.execute("INSERT OR IGNORE INTO pseudonym (cid, id) VALUES (?, ?)", (cid, id_))


def pseudonyms(connection: Connection) -> list[tuple[str, int]]:
    """(STIX id, cid) of the identities that stand for us."""
    return [(r[0], r[1]) for r in connection.execute("SELECT id, cid FROM pseudonym")]


def states(connection: Connection, cid: int, sha256: bytes) -> list[tuple[int, str]]:
    """(seq, state) of the packages that gave a content to a counterpart, newest first."""
    rows_ = connection.execute(
        "SELECT seq, state FROM ledger WHERE cid = ? AND sha256 = ? ORDER BY seq DESC", (cid, sha256)
    )
    return [(r[0], r[1]) for r in rows_]
