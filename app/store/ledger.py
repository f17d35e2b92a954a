"""Queries on the ledger: who was given which content in which package, and how far it got."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.store.database import Connection, in_many


@dataclass(frozen=True)
class Entry:
    """That one content went to a counterpart in package `seq`, and how far that got."""

    cid: int
    epoch: bytes
    seq: int
    position: int
    id: str
    modified: str
    sha256: bytes
    state: str
    acknowledged: bool


_LEDGER = "cid, epoch, seq, position, id, modified, sha256, state, acknowledged"


def add(tx: Connection, entries: Iterable[Entry]) -> None:
    """Record what a sealed package gives to whom."""
    tx.executemany(
        f"INSERT INTO ledger ({_LEDGER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (e.cid, e.epoch, e.seq, e.position, e.id, e.modified, e.sha256, e.state, int(e.acknowledged))
            for e in entries
        ),
    )


def _chosen(cid: int | None, id_: str | None) -> tuple[str, tuple[object, ...]]:
    """A condition on the ledger that its indexes serve."""
    # By the id if there is one: a counterpart was given a thousand times more than an object has versions.
    chosen = {"ledger.id": id_, "ledger.cid" if id_ is None else "+ledger.cid": cid}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    return " AND ".join(("TRUE", *(f"{name} = ?" for name in chosen))), tuple(chosen.values())


def entries(connection: Connection, cid: int | None = None, id_: str | None = None) -> Iterator[Entry]:
    """What went to whom, narrowed to a counterpart or to one STIX id, newest package first."""
    where, values = _chosen(cid, id_)
    rows = connection.execute(
        f"SELECT {_LEDGER} FROM ledger WHERE {where} ORDER BY cid, epoch, seq DESC, position", values
    )
    for row in rows:
        yield Entry(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], bool(row[8]))


def told(
    connection: Connection, cid: int | None = None, id_: str | None = None
) -> Iterator[tuple[Entry, str, str, tuple[int, ...]]]:
    """`entries`, and with each entry when its package was sealed, its reference, the numbers of the agreements."""
    where, values = _chosen(cid, id_)
    columns = ", ".join(f"ledger.{name.strip()}" for name in _LEDGER.split(","))
    rows = connection.execute(
        f"SELECT {columns}, coalesce(sealed, ''), coalesce(reference, ''),"
        " (SELECT group_concat(agreement) FROM release_agreement AS r"
        " WHERE r.cid = ledger.cid AND r.epoch = ledger.epoch AND r.seq = ledger.seq)"
        " FROM ledger LEFT JOIN outbox USING (cid, epoch, seq)"
        f" WHERE {where} ORDER BY ledger.cid, ledger.epoch, ledger.seq DESC, position",
        values,
    )
    for row in rows:
        numbers = tuple(sorted(int(n) for n in row[11].split(","))) if row[11] else ()
        entry = Entry(row[0], row[1], row[2], row[3], row[4], row[5], bytes(row[6]), row[7], bool(row[8]))
        yield entry, row[9], row[10], numbers


def given_versions(connection: Connection, id_: str) -> list[tuple[int, int, int, str, str, bytes, str]]:
    """(cid, inbox number, seq, when received, modified, SHA-256, decision) of an object in the inbox, newest first."""
    rows = connection.execute(
        "SELECT cid, number, seq, received, modified, sha256, decision FROM inbox_object JOIN inbox USING (number)"
        " WHERE id = ? ORDER BY number DESC, position",
        (id_,),
    )
    return [(r[0], r[1], r[2], r[3], r[4], bytes(r[5]), r[6]) for r in rows]


def given(connection: Connection, ids: Iterable[str]) -> set[tuple[str, bytes]]:
    """(id, SHA-256) of what was given to anybody of these ids; what is void was not."""
    sql = "SELECT DISTINCT id, sha256 FROM ledger WHERE id = ? AND state <> 'void'"
    return {(row[0], bytes(row[1])) for id_ in ids for row in connection.execute(sql, (id_,))}


@dataclass(frozen=True, slots=True)
class Given:
    """That an object went out: to whom (alias), in which package, and how far that got (a state of the ledger)."""

    id: str
    to: str
    seq: int
    state: str


def given_to(connection: Connection, ids: Iterable[str]) -> list[Given]:
    """To whom any content of these ids went out, in order; what is void did not."""
    sql = (
        "SELECT DISTINCT id, alias, seq, state FROM ledger JOIN counterpart USING (cid)"
        " WHERE state <> 'void' AND id IN"
    )
    places = {id_: place for place, id_ in enumerate(ids)}
    rows = [Given(*row) for row in in_many(connection, sql, places)]
    # Upper and lower case of ASCII are one in an alias.
    return sorted(rows, key=lambda one: (places[one.id], one.to.encode().lower(), one.seq, one.state))


def contents(connection: Connection, cid: int, epoch: bytes, seq: int) -> list[tuple[str, bytes]]:
    """(id, SHA-256) of every content a package of ours gave, in its order."""
    rows = connection.execute(
        "SELECT id, sha256 FROM ledger WHERE cid = ? AND epoch = ? AND seq = ? ORDER BY position",
        (cid, epoch, seq),
    )
    return [(row[0], bytes(row[1])) for row in rows]


def size(connection: Connection, cid: int, epoch: bytes, seq: int) -> int:
    """How many objects a package of ours gave."""
    row = connection.execute(
        "SELECT count(*) FROM ledger WHERE cid = ? AND epoch = ? AND seq = ?", (cid, epoch, seq)
    ).fetchone()
    return int(row[0])


def move(
    tx: Connection, cid: int, epoch: bytes, seq: int, state: str, acknowledged: bool, before: tuple[str, ...]
) -> None:
    """Bring every entry of a package that is in one of the states `before` to `state`."""
    tx.execute(
        f"UPDATE ledger SET state = ?, acknowledged = ? WHERE cid = ? AND epoch = ? AND seq = ?"
        f" AND state IN ({', '.join('?' * len(before))})",
        (state, int(acknowledged), cid, epoch, seq, *before),
    )


def move_range(tx: Connection, cid: int, epoch: bytes, seq: int, first: int, last: int, state: str) -> None:
    """Bring the entries at positions first..last of a package to `state`, as its receipt says."""
    tx.execute(
        "UPDATE ledger SET state = ?, acknowledged = 1 WHERE cid = ? AND epoch = ? AND seq = ?"
        " AND position BETWEEN ? AND ? AND state <> 'recalled'",
        (state, cid, epoch, seq, first, last),
    )


def contents_with(connection: Connection, cid: int) -> set[bytes]:
    """SHA-256 of every content a counterpart has or is being given: sent and not void, refused or asked back, or sent
    by them.
    """
    rows = connection.execute(
        "SELECT sha256 FROM ledger WHERE cid = ? AND state NOT IN ('void', 'refused', 'recalled')"
        " UNION SELECT sha256 FROM inbox_object JOIN inbox USING (number) WHERE cid = ?",
        (cid, cid),
    )
    return {bytes(row[0]) for row in rows}
