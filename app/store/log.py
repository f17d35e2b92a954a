"""Queries on the log: numbered entries, and the complete nodes of the Merkle tree over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.store.database import Connection

ABSENT = bytes(32)
"""Stands for a node that is not there, so that a damaged log can still be written to and looked into."""


def size(connection: Connection) -> int:
    """How many entries were logged: by what is there of entries or of leaves, whichever says more."""
    row = connection.execute(
        "SELECT max(coalesce((SELECT number FROM audit ORDER BY number DESC LIMIT 1), 0), coalesce("
        "(SELECT position + 1 FROM audit_node WHERE level = 0 ORDER BY position DESC LIMIT 1), 0))"
    ).fetchone()
    return int(row[0])


def add(tx: Connection, number: int, entry: str, nodes: Iterable[tuple[int, int, bytes]]) -> None:
    """Append an entry's exact text and the nodes (level, position, hash) that it completes."""
    tx.execute("INSERT INTO audit (number, entry) VALUES (?, ?)", (number, entry))
    add_nodes(tx, nodes)


def add_nodes(tx: Connection, nodes: Iterable[tuple[int, int, bytes]]) -> None:
    """Keep complete nodes (level, position, hash)."""
    tx.executemany("INSERT OR REPLACE INTO audit_node (level, position, hash) VALUES (?, ?, ?)", nodes)


def node(connection: Connection, level: int, position: int) -> bytes:
    """The hash of a complete node; `ABSENT` if there is none."""
    row = connection.execute(
        "SELECT hash FROM audit_node WHERE level = ? AND position = ?", (level, position)
    ).fetchone()
    return bytes(row[0]) if row else ABSENT


def nodes(connection: Connection) -> Iterator[tuple[int, int, bytes]]:
    """Every (level, position, hash), leaves first, each level in order."""
    yield from connection.execute("SELECT level, position, hash FROM audit_node ORDER BY level, position")


def entries(connection: Connection, before: int | None = None, limit: int = -1) -> Iterator[tuple[int, str]]:
    """(number, entry) newest first, those with a lower number than `before`."""
    sql = "SELECT number, entry FROM audit WHERE (? IS NULL OR number < ?) ORDER BY number DESC LIMIT ?"
    yield from connection.execute(sql, (before, before, limit))


def oldest_first(connection: Connection) -> Iterator[tuple[int, str]]:
    """Every (number, entry) from the first on."""
    yield from connection.execute("SELECT number, entry FROM audit ORDER BY number")


def entry(connection: Connection, number: int) -> str | None:
    """The exact text of an entry."""
    row = connection.execute("SELECT entry FROM audit WHERE number = ?", (number,)).fetchone()
    return row[0] if row else None


def chain(connection: Connection) -> list[tuple[int, str, bytes]]:
    """(number, entry, hash) of what was logged before there was a tree, oldest first."""
    rows = connection.execute("SELECT number, entry, hash FROM audit_chain ORDER BY number")
    return [(row[0], row[1], bytes(row[2])) for row in rows]


def drop_chain(tx: Connection) -> None:
    """Forget the chain, whose entries are in the tree now."""
    tx.execute("DELETE FROM audit_chain")


def latest(connection: Connection) -> str:
    """The latest time that an entry bears, by which permissions ended; "" while there is none."""
    row = connection.execute("SELECT max(latest) FROM clock").fetchone()
    return row[0] or ""


def set_latest(tx: Connection, at: str) -> None:
    """Let this be the latest time until an entry bears a later one."""
    tx.execute("UPDATE clock SET latest = ?", (at,))
