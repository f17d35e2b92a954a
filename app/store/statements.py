"""Queries on the statements of a channel: the set that both sides keep, and which rode in which package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.store.database import Connection


@dataclass(frozen=True)
class Kept:
    """A signed statement on a channel, ours or theirs."""

    id: bytes
    kind: str
    raw: bytes
    acked: bool


def add(tx: Connection, cid: int, id_: bytes, ours: bool, kind: str, raw: bytes, at: str) -> bool:
    """Keep a statement; False if it was held before."""
    cursor = tx.execute(
        "INSERT OR IGNORE INTO statement (cid, id, ours, kind, raw, at, acked) VALUES (?, ?, ?, ?, ?, ?, 0)",
        (cid, id_, int(ours), kind, raw, at),
    )
    return bool(cursor.rowcount)


def held(connection: Connection, cid: int, id_: bytes) -> bool:
    """Whether a statement is in the set shared with a counterpart."""
    row = connection.execute("SELECT 1 FROM statement WHERE cid = ? AND id = ?", (cid, id_)).fetchone()
    return row is not None


def theirs(connection: Connection, cid: int, kind: str) -> Iterator[bytes]:
    """The statements of a kind that a counterpart sent, as they were signed, in order of arrival."""
    sql = "SELECT raw FROM statement WHERE cid = ? AND ours = 0 AND kind = ? ORDER BY rowid"
    for row in connection.execute(sql, (cid, kind)):
        yield bytes(row[0])


def everything(connection: Connection) -> Iterator[tuple[bytes, str, bytes]]:
    """(id, kind, raw) of every statement held, ours and theirs, in order of arrival."""
    for id_, kind, raw in connection.execute("SELECT id, kind, raw FROM statement ORDER BY rowid"):
        yield bytes(id_), kind, bytes(raw)


def count(connection: Connection) -> int:
    """How many statements `everything` gives."""
    return int(connection.execute("SELECT count(*) FROM statement").fetchone()[0])


def raw(connection: Connection, cid: int, id_: bytes) -> bytes:
    """The text of a statement that is held."""
    row = connection.execute("SELECT raw FROM statement WHERE cid = ? AND id = ?", (cid, id_)).fetchone()
    return bytes(row[0])


def unacked(connection: Connection, cid: int) -> list[Kept]:
    """Our statements the counterpart has not acked, oldest first: they ride in every package."""
    rows = connection.execute(
        "SELECT id, kind, raw, acked FROM statement WHERE cid = ? AND ours = 1 AND acked = 0 ORDER BY rowid",
        (cid,),
    )
    return [Kept(bytes(r[0]), r[1], bytes(r[2]), bool(r[3])) for r in rows]


def add_carried(tx: Connection, cid: int, epoch: bytes, seq: int, ids: Iterable[bytes]) -> None:
    """Remember which statements rode in a package."""
    tx.executemany(
        "INSERT INTO carried (cid, epoch, seq, statement) VALUES (?, ?, ?, ?)",
        ((cid, epoch, seq, i) for i in ids),
    )


def riding(connection: Connection, cid: int, epoch: bytes, seq: int) -> int:
    """How many statements rode in a package."""
    row = connection.execute(
        "SELECT count(*) FROM carried WHERE cid = ? AND epoch = ? AND seq = ?", (cid, epoch, seq)
    ).fetchone()
    return int(row[0])


def of_release(connection: Connection, cid: int, epoch: bytes, seq: int) -> list[bytes]:
    """Ids of the statements that say what a package of ours releases; none if it releases nothing."""
    rows = connection.execute(
        "SELECT id FROM statement WHERE cid = ? AND ours = 1 AND kind = 'release' AND id IN"
        " (SELECT statement FROM carried WHERE cid = ? AND epoch = ? AND seq = ?) AND instr(raw,"
        " (SELECT CAST(lower(hex(release)) AS BLOB) FROM outbox WHERE cid = ? AND epoch = ? AND seq = ?)) > 0",
        (cid, cid, epoch, seq, cid, epoch, seq),
    )
    return [bytes(row[0]) for row in rows]


def ride_no_more(tx: Connection, cid: int, ids: Iterable[bytes]) -> None:
    """Let statements of ours ride in no package any more."""
    tx.executemany("UPDATE statement SET acked = 1 WHERE cid = ? AND id = ?", ((cid, id_) for id_ in ids))


def unack(tx: Connection, cid: int) -> None:
    """Let every statement of ours ride again: the counterpart lost what it had."""
    tx.execute("UPDATE statement SET acked = 0 WHERE cid = ? AND ours = 1", (cid,))


def ack(tx: Connection, cid: int, epoch: bytes, seqs: Iterable[int]) -> None:
    """Mark the statements that rode in received packages as known to the counterpart."""
    for seq in seqs:
        tx.execute(
            "UPDATE statement SET acked = 1 WHERE cid = ? AND ours = 1 AND id IN"
            " (SELECT statement FROM carried WHERE cid = ? AND epoch = ? AND seq = ?)",
            (cid, cid, epoch, seq),
        )
