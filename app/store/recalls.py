"""Queries on recalls: the contents that each names, and what the statements of the channel make of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice

from app.store.database import Connection

BATCH = 1_000


@dataclass(frozen=True)
class Row:
    """A recall on a channel. `number` is its name here, `id` its statement's; `ours`: we recalled."""

    number: int
    cid: int
    id: bytes
    ours: bool
    state: str
    at: str
    withdrawn: bool


_ROW = "number, cid, id, ours, state, at, withdrawn"


def _row(r: tuple[int, int, bytes, int, str, str, int]) -> Row:
    return Row(r[0], r[1], bytes(r[2]), bool(r[3]), r[4], r[5], bool(r[6]))


def add(
    tx: Connection, cid: int, id_: bytes, ours: bool, at: str, contents: Iterable[tuple[str, bytes]]
) -> int:
    """Give a recall a number; returns it. `contents` are (STIX id, SHA-256), `at` when it came or was made."""
    cursor = tx.execute(
        "INSERT INTO recall (cid, id, ours, state, standing, withdrawn, at) VALUES (?, ?, ?, 'open', 1, 0, ?)",
        (cid, id_, int(ours), at),
    )
    number = int(cursor.lastrowid)
    tx.executemany(
        "INSERT INTO recalled (recall, id, sha256) VALUES (?, ?, ?)",
        ((number, stix_id, sha256) for stix_id, sha256 in contents),
    )
    return number


def settle(tx: Connection, number: int, state: str, standing: bool, withdrawn: bool) -> None:
    """Record what the statements held make of a recall."""
    tx.execute(
        "UPDATE recall SET state = ?, standing = ?, withdrawn = ? WHERE number = ?",
        (state, int(standing), int(withdrawn), number),
    )


def at(connection: Connection, number: int) -> Row | None:
    """The recall with that number."""
    r = connection.execute(f"SELECT {_ROW} FROM recall WHERE number = ?", (number,)).fetchone()
    return _row(r) if r else None


def by_id(connection: Connection, cid: int, id_: bytes) -> Row | None:
    """The recall that a statement on a channel is."""
    r = connection.execute(f"SELECT {_ROW} FROM recall WHERE cid = ? AND id = ?", (cid, id_)).fetchone()
    return _row(r) if r else None


def everything(connection: Connection) -> list[Row]:
    """All recalls, newest first."""
    return [_row(r) for r in connection.execute(f"SELECT {_ROW} FROM recall ORDER BY number DESC")]


def contents(connection: Connection, number: int) -> list[tuple[str, bytes]]:
    """(STIX id, SHA-256) of what a recall names."""
    rows = connection.execute(
        "SELECT id, sha256 FROM recalled WHERE recall = ? ORDER BY id, sha256", (number,)
    )
    return [(r[0], bytes(r[1])) for r in rows]


def names_all(connection: Connection, number: int, contents: Collection[bytes]) -> bool:
    """Whether a recall names each of these contents (SHA-256)."""
    found, waiting = 0, iter(contents)
    while some := list(islice(waiting, BATCH)):
        marks = ", ".join("?" * len(some))
        sql = f"SELECT count(DISTINCT sha256) FROM recalled WHERE recall = ? AND sha256 IN ({marks})"
        found += connection.execute(sql, (number, *some)).fetchone()[0]
    return found == len(contents)


def all_came(connection: Connection, cid: int, number: int) -> bool:
    """Whether each content that a recall names came in a package of that counterpart."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM recalled r WHERE recall = ? AND NOT EXISTS (SELECT 1 FROM inbox_object o"
        " WHERE o.id = r.id AND o.sha256 = r.sha256 AND o.number IN (SELECT number FROM inbox WHERE cid = ?)))",
        (number, cid),
    ).fetchone()
    return not row[0]


def from_us(connection: Connection, cid: int) -> set[bytes]:
    """SHA-256 of the contents that a counterpart asked back from us, as far as that stands."""
    sql = "SELECT sha256 FROM recalled JOIN recall ON recall = number WHERE cid = ? AND ours = 0 AND standing = 1"
    return {bytes(r[0]) for r in connection.execute(sql, (cid,))}


def by_us(connection: Connection, cid: int) -> set[bytes]:
    """SHA-256 of the contents that we asked back from a counterpart and did not give back to them."""
    sql = "SELECT sha256 FROM recalled JOIN recall ON recall = number WHERE cid = ? AND ours = 1 AND withdrawn = 0"
    return {bytes(r[0]) for r in connection.execute(sql, (cid,))}


def of_us(connection: Connection) -> dict[bytes, set[str]]:
    """{SHA-256: fingerprints of those who asked it back from us}, as far as that stands."""
    sql = (
        "SELECT sha256, fingerprint FROM recalled JOIN recall ON recall = number JOIN counterpart USING (cid)"
        " WHERE ours = 0 AND standing = 1"
    )
    found: dict[bytes, set[str]] = {}
    for sha256, fingerprint in connection.execute(sql):
        found.setdefault(bytes(sha256), set()).add(fingerprint)
    return found


# What a recall does to packages -----------------------------------------------------------------------------


def given_to(connection: Connection, cid: int, id_: str) -> list[tuple[bytes, bytes, int, str]]:
    """(SHA-256, epoch, seq, state) of all that a counterpart was given under an id."""
    rows = connection.execute(
        "SELECT sha256, epoch, seq, state FROM ledger WHERE id = ? AND cid = ?", (id_, cid)
    )
    return [(bytes(r[0]), bytes(r[1]), r[2], r[3]) for r in rows]


def holders(connection: Connection, id_: str, sha256: bytes) -> list[int]:
    """The cids of those who were given a content in a package that is not void, and from whom it was not asked back."""
    rows = connection.execute(
        "SELECT DISTINCT cid FROM ledger WHERE id = ? AND sha256 = ? AND state NOT IN ('void', 'recalled')"
        " ORDER BY cid",
        (id_, sha256),
    )
    return [r[0] for r in rows]


def mark_ledger(tx: Connection, cid: int, epoch: bytes | None = None, seq: int = 0) -> None:
    """Let the ledger say recalled of all that we asked back from a counterpart, and has not become void; with `epoch`
    and `seq` of what that package of ours has.
    """
    where, one = ("epoch = ? AND seq = ? AND ", (epoch, seq)) if epoch is not None else ("", ())
    tx.execute(
        f"UPDATE ledger SET state = 'recalled' WHERE cid = ? AND {where}state NOT IN ('void', 'recalled') AND sha256 IN"
        " (SELECT sha256 FROM recalled JOIN recall ON recall = number WHERE cid = ? AND ours = 1 AND withdrawn = 0)",
        (cid, *one, cid),
    )


def unmark_ledger(tx: Connection, cid: int, number: int) -> list[tuple[bytes, int]]:
    """Give the ledger its word back of what recall `number` named; returns the (epoch, seq) concerned."""
    where = "cid = ? AND state = 'recalled' AND sha256 IN (SELECT sha256 FROM recalled WHERE recall = ?)"
    rows = tx.execute(f"SELECT DISTINCT epoch, seq FROM ledger WHERE {where}", (cid, number)).fetchall()
    tx.execute(
        "UPDATE ledger SET acknowledged = (SELECT max(acknowledged, o.closed) FROM outbox o WHERE o.cid = ledger.cid"
        f" AND o.epoch = ledger.epoch AND o.seq = ledger.seq) WHERE {where}",
        (cid, number),
    )
    tx.execute(
        "UPDATE ledger SET state = CASE acknowledged WHEN 1 THEN 'received' ELSE 'carried' END"
        f" WHERE {where}",
        (cid, number),
    )
    return [(bytes(r[0]), r[1]) for r in rows]


def copies(
    connection: Connection, cid: int, id_: str, sha256: bytes
) -> list[tuple[int, int, str, str, bool]]:
    """(inbox number, position, moment, decision, whether its text is here) of a counterpart's copies of a content."""
    rows = connection.execute(
        "SELECT number, position, moment, decision, length(raw) > 2 FROM inbox_object WHERE id = ? AND sha256 = ?"
        " AND number IN (SELECT number FROM inbox WHERE cid = ?) ORDER BY number, position",
        (id_, sha256, cid),
    )
    return [(r[0], r[1], r[2], r[3], bool(r[4])) for r in rows]


def copy_name(connection: Connection, number: int, position: int) -> str:
    """What a copy in the inbox is called."""
    sql = "SELECT name FROM inbox_object WHERE number = ? AND position = ?"
    return str(connection.execute(sql, (number, position)).fetchone()[0])


def blank(tx: Connection, number: int, position: int) -> None:
    """Empty the text and the name of a copy in the inbox, and refuse it if it pends."""
    tx.execute(
        "UPDATE inbox_object SET raw = CAST('{}' AS BLOB), name = '',"
        " decision = CASE decision WHEN 'pending' THEN 'refused' ELSE decision END"
        " WHERE number = ? AND position = ?",
        (number, position),
    )
