"""Queries on attachments: what they are, the key of each, where they wait, and which went to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.store.database import Connection


@dataclass(frozen=True)
class Attachment:
    """A file that belongs to the object `id`. `oid` is None while it waits in the inbox; `package` is the
    inbox number it came in with, None of one attached here, and `giver` the fingerprint of the counterpart who
    sent that, "". `file` is its name in the attachments folder,
    `key` its file key.
    """

    number: int
    id: str
    oid: int | None
    package: int | None
    name: str
    size: int
    sha256: bytes
    sample: bool
    file: str
    key: bytes = field(repr=False)
    officer: str
    at: str
    giver: str


_COLUMNS = "number, id, oid, package, name, size, sha256, sample, file, key, officer, at, giver"


def _attachment(row: Sequence[Any]) -> Attachment:
    fields = [*row]
    fields[7] = bool(fields[7])
    return Attachment(*fields)


def add(tx: Connection, one: Attachment) -> None:
    """Keep an attachment; its `number` is given here."""
    tx.execute(
        "INSERT INTO attachment (id, oid, package, name, size, sha256, sample, file, key, officer, at, giver)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(one.id, one.oid, one.package, one.name, one.size, one.sha256),
            *(int(one.sample), one.file, one.key, one.officer, one.at, one.giver),
        ),
    )


def everything(connection: Connection) -> Iterator[Attachment]:
    """Every attachment, those in the inbox too, in order of arrival."""
    for row in connection.execute(f"SELECT {_COLUMNS} FROM attachment ORDER BY number"):
        yield _attachment(row)


def bytes_held(connection: Connection) -> int:
    """How many bytes are in all that `everything` gives."""
    return int(connection.execute("SELECT coalesce(sum(size), 0) FROM attachment").fetchone()[0])


def held(connection: Connection) -> list[Attachment]:
    """Every attachment of an object that is held, by object and name."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM attachment WHERE oid IS NOT NULL ORDER BY oid, name")
    return [_attachment(row) for row in rows]


def all_held(connection: Connection, some: Iterable[Attachment]) -> bool:
    """Whether these attachments are still there."""
    find = "SELECT 1 FROM attachment WHERE number = ? AND file = ? AND oid IS NOT NULL"
    return all(connection.execute(find, (one.number, one.file)).fetchone() for one in some)


def of_object(connection: Connection, oid: int) -> list[Attachment]:
    """The attachments of an object that is held, by name."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM attachment WHERE oid = ? ORDER BY name", (oid,))
    return [_attachment(row) for row in rows]


def count(connection: Connection, oids: Sequence[int] | None) -> int:
    """How many attachments these objects have, None: all that are held."""
    held = [row[0] for row in connection.execute("SELECT oid FROM attachment WHERE oid IS NOT NULL")]
    wanted = None if oids is None else set(oids)
    return sum(1 for oid in held if wanted is None or oid in wanted)


def waiting(connection: Connection, package: int) -> list[Attachment]:
    """The attachments of a received package that are still in the inbox, in its order."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM attachment WHERE package = ? AND oid IS NULL ORDER BY number", (package,)
    )
    return [_attachment(row) for row in rows]


def undecided(connection: Connection, package: int) -> set[str]:
    """STIX ids of the objects of a received package that the officer has not decided on."""
    rows = connection.execute(
        "SELECT id FROM inbox_object WHERE number = ? AND decision = 'pending'", (package,)
    )
    return {row[0] for row in rows}


def enter(tx: Connection, number: int, oid: int, name: str) -> None:
    """Bring an attachment from the inbox to the object `oid` under a name that is free there."""
    tx.execute("UPDATE attachment SET oid = ?, name = ? WHERE number = ?", (oid, name, number))


def withdraw(tx: Connection, package: int, id_: str) -> None:
    """Bring what an object got with a package back into the inbox."""
    tx.execute("UPDATE attachment SET oid = NULL WHERE package = ? AND id = ?", (package, id_))


def delete(tx: Connection, numbers: Iterable[int]) -> None:
    """Delete attachments with their keys."""
    tx.executemany("DELETE FROM attachment WHERE number = ?", ((number,) for number in numbers))


def lost(connection: Connection) -> list[int]:
    """Numbers of attachments that waited in an inbox entry that is gone."""
    rows = connection.execute("SELECT number FROM attachment WHERE oid IS NULL AND package IS NULL")
    return [row[0] for row in rows]


def files(connection: Connection) -> set[str]:
    """Names of the files to keep."""
    return {row[0] for row in connection.execute("SELECT file FROM attachment")}


# What went to whom ------------------------------------------------------------------------------------------


def add_given(tx: Connection, cid: int, epoch: bytes, seq: int, given: Iterable[tuple[str, bytes]]) -> None:
    """Record the (object's id, SHA-256) of the attachments in a sealed package."""
    tx.executemany(
        "INSERT OR IGNORE INTO attachment_given (cid, epoch, seq, id, sha256) VALUES (?, ?, ?, ?, ?)",
        ((cid, epoch, seq, id_, sha256) for id_, sha256 in given),
    )


def given_in(connection: Connection, cid: int, epoch: bytes, seq: int) -> set[tuple[str, bytes]]:
    """(object's id, SHA-256) of the attachments that a package of ours has."""
    rows = connection.execute(
        "SELECT id, sha256 FROM attachment_given WHERE cid = ? AND epoch = ? AND seq = ?", (cid, epoch, seq)
    )
    return {(row[0], bytes(row[1])) for row in rows}


def with_counterpart(connection: Connection, cid: int) -> set[tuple[str, bytes]]:
    """(object's id, SHA-256) of the attachments a counterpart was given with an object that is neither void
    nor refused.
    """
    rows = connection.execute(
        "SELECT g.id, g.sha256 FROM attachment_given g JOIN ledger l USING (cid, epoch, seq, id)"
        " WHERE g.cid = ? AND l.state NOT IN ('void', 'refused')",
        (cid,),
    )
    return {(row[0], bytes(row[1])) for row in rows}
