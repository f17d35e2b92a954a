"""Queries on requests for information: their numbers here, and the packages that answer them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.store.database import Connection


@dataclass(frozen=True)
class Row:
    """A request for information on a channel. `number` is its name here, `id` its statement's; `ours`: we asked."""

    number: int
    cid: int
    id: bytes
    ours: bool


_ROW = "number, cid, id, ours"


def add(tx: Connection, cid: int, id_: bytes, ours: bool) -> None:
    """Give a request a number."""
    tx.execute("INSERT OR IGNORE INTO enquiry (cid, id, ours) VALUES (?, ?, ?)", (cid, id_, int(ours)))


def at(connection: Connection, number: int) -> Row | None:
    """The request with that number."""
    r = connection.execute(f"SELECT {_ROW} FROM enquiry WHERE number = ?", (number,)).fetchone()
    return Row(r[0], r[1], bytes(r[2]), bool(r[3])) if r else None


def everything(connection: Connection) -> list[Row]:
    """All requests, newest first."""
    rows = connection.execute(f"SELECT {_ROW} FROM enquiry ORDER BY number DESC")
    return [Row(r[0], r[1], bytes(r[2]), bool(r[3])) for r in rows]


def statements(
    connection: Connection, cid: int, kinds: Sequence[str]
) -> Iterator[tuple[bytes, str, bool, bytes]]:
    """(id, kind, ours, raw) of the statements of some kinds on a channel."""
    marks = ", ".join("?" * len(kinds))
    rows = connection.execute(
        f"SELECT id, kind, ours, raw FROM statement WHERE cid = ? AND kind IN ({marks}) ORDER BY rowid",
        (cid, *kinds),
    )
    for r in rows:
        yield bytes(r[0]), r[1], bool(r[2]), bytes(r[3])


def received_with(connection: Connection, cid: int, release: bytes) -> list[int]:
    """Inbox numbers of the packages of a counterpart with a release."""
    rows = connection.execute("SELECT number FROM inbox WHERE cid = ? AND release = ?", (cid, release))
    return [r[0] for r in rows]


def sealed_with(connection: Connection, cid: int, release: bytes) -> list[int]:
    """Numbers of our packages to a counterpart with a release, but for those that are void."""
    rows = connection.execute(
        "SELECT seq FROM outbox WHERE cid = ? AND release = ? AND EXISTS (SELECT 1 FROM ledger WHERE"
        " ledger.cid = outbox.cid AND ledger.epoch = outbox.epoch AND ledger.seq = outbox.seq AND state <> 'void')",
        (cid, release),
    )
    return [r[0] for r in rows]
