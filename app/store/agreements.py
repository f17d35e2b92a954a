"""Queries on agreements: the proposals, what answers them, what was released under them; and labels of sectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.store import bodies
from app.store.codes import code
from app.store.database import Connection


@dataclass(frozen=True)
class Row:
    """An agreement somebody proposed. `number` is its name here, `id` its statement's, `raw` that statement."""

    number: int
    cid: int
    id: bytes
    ours: bool
    raw: bytes


@dataclass(frozen=True)
class AnswerRow:
    """A countersignature or withdrawal of agreement `subject`, signed `at`. `counts` is None while the
    agreement is unknown.
    """

    id: bytes
    kind: str
    subject: bytes
    ours: bool
    at: str
    counts: bool | None
    raw: bytes


_ROW = "number, a.cid, a.id, a.ours, raw FROM agreement a JOIN statement s ON s.cid = a.cid AND s.id = a.id"
_ANSWER = (
    "a.id, a.kind, subject, a.ours, a.at, counts, raw FROM agreement_answer a"
    " JOIN statement s ON s.cid = a.cid AND s.id = a.id"
)


def add(tx: Connection, cid: int, id_: bytes, ours: bool) -> int:
    """Give a proposal a number; returns it."""
    cursor = tx.execute("INSERT INTO agreement (cid, id, ours) VALUES (?, ?, ?)", (cid, id_, int(ours)))
    return int(cursor.lastrowid)


def of(connection: Connection, cid: int | None = None) -> list[Row]:
    """The agreements with one counterpart, or with all, newest first."""
    rows = connection.execute(f"SELECT {_ROW} WHERE ? IS NULL OR a.cid = ? ORDER BY number DESC", (cid, cid))
    return [Row(r[0], r[1], bytes(r[2]), bool(r[3]), bytes(r[4])) for r in rows]


def at(connection: Connection, number: int) -> Row | None:
    """The agreement with that number."""
    r = connection.execute(f"SELECT {_ROW} WHERE number = ?", (number,)).fetchone()
    return Row(r[0], r[1], bytes(r[2]), bool(r[3]), bytes(r[4])) if r else None


def by_id(connection: Connection, cid: int, id_: bytes) -> Row | None:
    """The agreement that a statement on a channel proposes."""
    r = connection.execute(f"SELECT {_ROW} WHERE a.cid = ? AND a.id = ?", (cid, id_)).fetchone()
    return Row(r[0], r[1], bytes(r[2]), bool(r[3]), bytes(r[4])) if r else None


def add_answer(
    tx: Connection, cid: int, id_: bytes, kind: str, subject: bytes, ours: bool, at_: str, counts: bool | None
) -> None:
    """Keep what a countersignature or withdrawal is about."""
    tx.execute(
        "INSERT OR IGNORE INTO agreement_answer (cid, id, kind, subject, ours, at, counts)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (cid, id_, kind, subject, int(ours), at_, None if counts is None else int(counts)),
    )


def answers(connection: Connection, cid: int, subject: bytes | None = None) -> list[AnswerRow]:
    """The countersignatures and withdrawals on a channel, or those of one agreement, in the order of their ids."""
    rows = connection.execute(
        f"SELECT {_ANSWER} WHERE a.cid = ? AND (? IS NULL OR subject = ?) ORDER BY a.id",
        (cid, subject, subject),
    )
    return [
        AnswerRow(
            bytes(r[0]),
            r[1],
            bytes(r[2]),
            bool(r[3]),
            r[4],
            None if r[5] is None else bool(r[5]),
            bytes(r[6]),
        )
        for r in rows
    ]


def settle_answer(tx: Connection, cid: int, id_: bytes, counts: bool) -> None:
    """Record whether an answer counts, now that its agreement is here."""
    tx.execute("UPDATE agreement_answer SET counts = ? WHERE cid = ? AND id = ?", (int(counts), cid, id_))


# Releases ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReleaseTerms:
    """What the officer said of a release, and the numbers of the agreements under which it left."""

    purpose: str = ""
    exercise: bool = False
    agreements: tuple[int, ...] = ()


def add_release_terms(tx: Connection, cid: int, epoch: bytes, seq: int, said: ReleaseTerms) -> None:
    """Record the terms of a sealed release."""
    tx.execute(
        "INSERT INTO release_terms (cid, epoch, seq, purpose, exercise) VALUES (?, ?, ?, ?, ?)",
        (cid, epoch, seq, said.purpose, int(said.exercise)),
    )
    tx.executemany(
        "INSERT INTO release_agreement (cid, epoch, seq, agreement) VALUES (?, ?, ?, ?)",
        ((cid, epoch, seq, number) for number in said.agreements),
    )


def has_terms(connection: Connection, cid: int, epoch: bytes, seq: int) -> bool:
    """Whether anything is recorded as the terms of a package, if only that there were none."""
    where = (cid, epoch, seq)
    sql = "SELECT 1 FROM release_terms WHERE cid = ? AND epoch = ? AND seq = ?"
    return connection.execute(sql, where).fetchone() is not None


def release_terms(connection: Connection, cid: int, epoch: bytes, seq: int) -> ReleaseTerms:
    """The terms of a sealed release; the empty ones of a package that was none."""
    where = (cid, epoch, seq)
    row = connection.execute(
        "SELECT purpose, exercise FROM release_terms WHERE cid = ? AND epoch = ? AND seq = ?", where
    ).fetchone()
    if row is None:
        return ReleaseTerms()
    numbers = connection.execute(
        "SELECT agreement FROM release_agreement WHERE cid = ? AND epoch = ? AND seq = ? ORDER BY agreement",
        where,
    )
    return ReleaseTerms(row[0], bool(row[1]), tuple(number for (number,) in numbers))


# Sectors ----------------------------------------------------------------------------------------------------


def put_sectors(tx: Connection, oid: int, sectors: Iterable[str]) -> None:
    """Replace the officer's label of an object; none takes it away."""
    tx.execute("DELETE FROM sector_label WHERE oid = ?", (oid,))
    tx.executemany("INSERT INTO sector_label (oid, sector) VALUES (?, ?)", ((oid, s) for s in sectors))


def sectors(connection: Connection, oid: int) -> frozenset[str]:
    """The officer's label of an object."""
    rows = connection.execute("SELECT sector FROM sector_label WHERE oid = ?", (oid,))
    return frozenset(row[0] for row in rows)


def targeting(connection: Connection, source: int) -> list[tuple[int, int, bytes]]:
    """(oid, vid, text) of the relationships in force by which the id with hash `source` targets something."""
    rows = connection.execute(
        "SELECT v.oid, vid, raw FROM edge JOIN version v USING (vid) WHERE src = ? AND related = 1 AND rel = ?",
        (source, code("targets")),
    )
    return [(row[0], row[1], bodies.unpack(row[2])) for row in rows]
