"""Queries on the log: numbered entries, each with the hash that chains it to the one before."""

from __future__ import annotations

from collections.abc import Iterator

from app.store.database import Connection


def head(connection: Connection) -> tuple[int, bytes]:
    """(number, hash) of the newest entry; (0, 32 zero bytes) of an empty log."""
    row = connection.execute("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    return (row[0], bytes(row[1])) if row else (0, bytes(32))


def add(connection: Connection, number: int, entry: str, digest: bytes) -> None:
    """Append an entry's exact text and its hash."""
    connection.execute("INSERT INTO audit (number, entry, hash) VALUES (?, ?, ?)", (number, entry, digest))


def entries(
    connection: Connection, before: int | None = None, limit: int = -1
) -> Iterator[tuple[int, str, bytes]]:
    """(number, entry, hash) newest first, those with a lower number than `before`."""
    sql = "SELECT number, entry, hash FROM audit WHERE (? IS NULL OR number < ?) ORDER BY number DESC LIMIT ?"
    for row in connection.execute(sql, (before, before, limit)):
        yield row[0], row[1], bytes(row[2])


def oldest_first(connection: Connection) -> Iterator[tuple[int, str, bytes]]:
    """Every (number, entry, hash) from the first on."""
    for row in connection.execute("SELECT number, entry, hash FROM audit ORDER BY number"):
        yield row[0], row[1], bytes(row[2])
