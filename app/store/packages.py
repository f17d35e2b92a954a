"""Queries on sealed and received packages, and their headers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.jobs import Job, quiet
from app.store.database import Connection, in_many


def header(connection: Connection, hash_: bytes) -> tuple[int, int, bool] | None:
    """(cid, seq, ours) of the committed package with that header hash."""
    row = connection.execute("SELECT cid, seq, ours FROM header WHERE hash = ?", (hash_,)).fetchone()
    return (row[0], row[1], bool(row[2])) if row else None


def add_header(tx: Connection, hash_: bytes, cid: int, seq: int, ours: bool) -> None:
    """Remember a committed package's header for good."""
    tx.execute("INSERT INTO header (hash, cid, seq, ours) VALUES (?, ?, ?, ?)", (hash_, cid, seq, int(ours)))


# Outbox -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sealed:
    """A package we sealed. `file` is its name in the outbox folder, `medium` the one it bears under way, `size` bytes,
    `sha256` of the whole file. `salt` and `logged` open its commitment to the log as it was after `logged` entries.
    """

    cid: int
    seq: int
    epoch: bytes
    manifest_hash: bytes
    manifest: bytes
    signature: bytes
    release: bytes | None
    file: str
    medium: str
    size: int
    sha256: bytes
    sealed: str
    protection: str
    reference: str
    note: str
    salt: bytes
    logged: int
    closed: bool = False


_SEALED = (
    "cid, seq, epoch, manifest_hash, manifest, signature, release, file, medium, size, sha256, sealed, protection,"
    " reference, note, salt, logged, closed"
)


def _sealed(row: Sequence[Any]) -> Sealed:
    return Sealed(*row)


def add_sealed(tx: Connection, package: Sealed) -> None:
    """Commit a sealed package."""
    tx.execute(
        f"INSERT INTO outbox ({_SEALED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tuple(getattr(package, name.strip()) for name in _SEALED.split(",")),
    )


def sealed(connection: Connection, cid: int | None = None) -> list[Sealed]:
    """What we sealed, for one counterpart or for all, newest first."""
    rows = connection.execute(
        f"SELECT {_SEALED} FROM outbox WHERE ? IS NULL OR cid = ? ORDER BY rowid DESC",
        (cid, cid),
    )
    return [_sealed(row) for row in rows]


def sealed_at(connection: Connection, cid: int, seq: int) -> Sealed | None:
    """The package with that number: one that is not closed before others, of a newer epoch before an older one."""
    row = connection.execute(
        f"SELECT {_SEALED} FROM outbox WHERE cid = ? AND seq = ? ORDER BY closed, rowid DESC LIMIT 1",
        (cid, seq),
    ).fetchone()
    return _sealed(row) if row else None


def sealed_by_manifest(connection: Connection, cid: int, manifest_hash: bytes) -> Sealed | None:
    """The package with that manifest."""
    row = connection.execute(
        f"SELECT {_SEALED} FROM outbox WHERE manifest_hash = ? AND cid = ?", (manifest_hash, cid)
    ).fetchone()
    return _sealed(row) if row else None


def sealed_in(connection: Connection, cid: int, epoch: bytes, seq: int) -> Sealed | None:
    """The package with that number in an epoch."""
    row = connection.execute(
        f"SELECT {_SEALED} FROM outbox WHERE cid = ? AND epoch = ? AND seq = ?", (cid, epoch, seq)
    ).fetchone()
    return _sealed(row) if row else None


def receipt_revision(connection: Connection, cid: int, manifest_hash: bytes) -> int:
    """The revision of the newest receipt that came for a package of ours; 0: none."""
    row = connection.execute(
        "SELECT receipt FROM outbox WHERE cid = ? AND manifest_hash = ?", (cid, manifest_hash)
    ).fetchone()
    return int(row[0])


def set_receipt_revision(tx: Connection, cid: int, manifest_hash: bytes, revision: int) -> None:
    """Record the revision of the newest receipt for a package of ours."""
    tx.execute(
        "UPDATE outbox SET receipt = ? WHERE cid = ? AND manifest_hash = ?", (revision, cid, manifest_hash)
    )


@dataclass(frozen=True)
class Told:
    """What the newest receipt says of a package of ours: how many objects were accepted, how many refused and why."""

    accepted: int
    refused: int
    reason: str


def set_told(tx: Connection, cid: int, manifest_hash: bytes, said: Told) -> None:
    """Record what the newest receipt says of a package of ours."""
    tx.execute(
        "UPDATE outbox SET accepted = ?, refused = ?, reason = ? WHERE cid = ? AND manifest_hash = ?",
        (said.accepted, said.refused, said.reason, cid, manifest_hash),
    )


def answered(
    tx: Connection, cid: int, manifest_hash: bytes, revision: int, digest: bytes, statement: bytes
) -> bytes | None:
    """Record what a receipt with this revision says; the statement that said otherwise before, None if none did."""
    where = (cid, manifest_hash, revision)
    row = tx.execute(
        "SELECT digest, statement FROM answered WHERE cid = ? AND package = ? AND revision = ?", where
    ).fetchone()
    if row is None:
        tx.execute("INSERT INTO answered VALUES (?, ?, ?, ?, ?, NULL)", (*where, digest, statement))
    if row is None or bytes(row[0]) == digest:
        return None
    tx.execute(
        "UPDATE answered SET other = coalesce(other, ?) WHERE cid = ? AND package = ? AND revision = ?",
        (statement, *where),
    )
    return bytes(row[1])


def contradicted(connection: Connection, cid: int) -> list[int]:
    """Numbers of our packages to which a counterpart signed two different answers under one revision."""
    rows = connection.execute(
        "SELECT DISTINCT seq FROM outbox JOIN answered ON outbox.cid = answered.cid AND package = manifest_hash"
        " WHERE outbox.cid = ? AND other IS NOT NULL ORDER BY seq",
        (cid,),
    )
    return [int(row[0]) for row in rows]


def told(connection: Connection, cid: int) -> dict[tuple[bytes, int], Told]:
    """{(epoch, seq): what the newest receipt says} of packages of ours."""
    rows = connection.execute(
        "SELECT epoch, seq, accepted, refused, reason FROM outbox WHERE cid = ? AND accepted IS NOT NULL",
        (cid,),
    )
    return {(bytes(row[0]), row[1]): Told(*row[2:]) for row in rows}


def heard(connection: Connection, cid: int) -> tuple[str, str]:
    """When a package of a counterpart came last, and when one was last sealed for them; "" for never."""
    row = connection.execute(
        "SELECT coalesce((SELECT max(received) FROM inbox WHERE cid = ?), ''),"
        " coalesce((SELECT max(sealed) FROM outbox WHERE cid = ?), '')",
        (cid, cid),
    ).fetchone()
    return row[0], row[1]


def set_closed(tx: Connection, cid: int, epoch: bytes, seqs: Iterable[int]) -> None:
    """Record that packages need their sealed files no more: acknowledged, or void."""
    tx.executemany(
        "UPDATE outbox SET closed = 1 WHERE cid = ? AND epoch = ? AND seq = ?",
        ((cid, epoch, s) for s in seqs),
    )


def outbox_files(connection: Connection) -> set[str]:
    """Names of the sealed files to keep."""
    return {row[0] for row in connection.execute("SELECT file FROM outbox WHERE closed = 0")}


@dataclass(frozen=True)
class Commitment:
    """What opens a manifest's commitment to the log after `logged` entries (0: to the chain before the tree)."""

    seq: int
    manifest_hash: bytes
    manifest: bytes
    salt: bytes
    logged: int


def commitments(connection: Connection) -> Iterator[tuple[str, Commitment]]:
    """(fingerprint of the counterpart, commitment) of every package we sealed, oldest first."""
    rows = connection.execute(
        "SELECT fingerprint, seq, manifest_hash, manifest, salt, logged FROM outbox JOIN counterpart USING (cid)"
        " ORDER BY outbox.rowid"
    )
    for row in rows:
        yield row[0], Commitment(*row[1:])


# Inbox ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Received:
    """A package that was received. `state` is pending (something is undecided) or decided; `revision` grows with each
    decision on it, undone ones included, and `receipted` is the one the last receipt told.
    """

    number: int
    cid: int
    epoch: bytes
    seq: int
    manifest_hash: bytes
    manifest: bytes
    signature: bytes
    release: bytes | None
    received: str
    protection: str
    priority: str
    state: str
    note: str
    reason: str
    receipted: int
    revision: int


_RECEIVED = (
    "number, cid, epoch, seq, manifest_hash, manifest, signature, release, received, protection, priority, state, note,"
    " reason, receipted, revision"
)


def add_received(
    tx: Connection,
    cid: int,
    epoch: bytes,
    seq: int,
    manifest_hash: bytes,
    manifest: bytes,
    signature: bytes,
    release: bytes | None,
    received: str,
    protection: str,
    priority: str,
) -> int:
    """Commit a received package; returns its inbox number. What is in it follows by `add_waiting`, `set_content`."""
    cursor = tx.execute(
        "INSERT INTO inbox (cid, epoch, seq, manifest_hash, manifest, signature, release, received, protection,"
        " priority, state, note, reason, receipted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'decided', '', '', 0)",
        (cid, epoch, seq, manifest_hash, manifest, signature, release, received, protection, priority),
    )
    return int(cursor.lastrowid)


def set_content(tx: Connection, number: int, state: str, note: str) -> None:
    """Record whether anything of a package waits for the officer, and its cover note."""
    tx.execute("UPDATE inbox SET state = ?, note = ? WHERE number = ?", (state, note, number))


def set_waiting_handling(tx: Connection, number: int, levels: Mapping[bytes, int]) -> None:
    """The handling that came with objects of a package, by the SHA-256 of their text."""
    tx.executemany(
        "UPDATE inbox_object SET handling = ? WHERE number = ? AND sha256 = ?",
        ((int(level), number, sha256) for sha256, level in levels.items()),
    )


def set_all_handling(tx: Connection, number: int, level: int) -> None:
    """Treat every object of a package at a level."""
    tx.execute("UPDATE inbox_object SET handling = ? WHERE number = ?", (int(level), number))


def received(connection: Connection, cid: int | None = None) -> list[Received]:
    """What was received, from one counterpart or from all: flash before routine, then newest first."""
    rows = connection.execute(
        f"SELECT {_RECEIVED} FROM inbox WHERE ? IS NULL OR cid = ?"
        " ORDER BY state = 'pending' AND priority = 'flash' DESC, number DESC",
        (cid, cid),
    )
    return [Received(*row) for row in rows]


def received_at(connection: Connection, number: int) -> Received | None:
    """The received package with that inbox number."""
    row = connection.execute(f"SELECT {_RECEIVED} FROM inbox WHERE number = ?", (number,)).fetchone()
    return Received(*row) if row else None


def received_number(connection: Connection, cid: int, manifest_hash: bytes) -> int | None:
    """The inbox number of the package with that manifest."""
    row = connection.execute(
        "SELECT number FROM inbox WHERE cid = ? AND manifest_hash = ?", (cid, manifest_hash)
    ).fetchone()
    return None if row is None else int(row[0])


def newest_manifest(connection: Connection, cid: int, epoch: bytes) -> bytes | None:
    """The manifest of the package of an epoch of a counterpart with the highest number that came."""
    row = connection.execute(
        "SELECT manifest FROM inbox WHERE cid = ? AND epoch = ? ORDER BY seq DESC LIMIT 1", (cid, epoch)
    ).fetchone()
    return None if row is None else bytes(row[0])


def leap_revisions(tx: Connection, by: int) -> None:
    """Count the revisions of all receipts on from far above where they stand; what is due stays due."""
    tx.execute("UPDATE inbox SET revision = revision + ?, receipted = receipted + ?", (by, by))


def arrivals(connection: Connection, cid: int, epoch: bytes) -> list[tuple[int, str]]:
    """(seq, when) of what was received of an epoch, by number."""
    rows = connection.execute(
        "SELECT seq, received FROM inbox WHERE cid = ? AND epoch = ? ORDER BY seq", (cid, epoch)
    )
    return [(row[0], row[1]) for row in rows]


def release_known(connection: Connection, cid: int, release: bytes) -> bool:
    """Whether a release id of a counterpart entered the inbox before."""
    row = connection.execute("SELECT 1 FROM inbox WHERE cid = ? AND release = ?", (cid, release)).fetchone()
    return row is not None


def set_decided(tx: Connection, number: int, state: str, reason: str) -> None:
    """Record a decision: where the review of a package stands now."""
    tx.execute(
        "UPDATE inbox SET state = ?, reason = ?, revision = revision + 1 WHERE number = ?",
        (state, reason, number),
    )


def settle(tx: Connection, number: int) -> None:
    """Record that something was decided on a package otherwise than in its review, and whether anything still pends."""
    tx.execute(
        "UPDATE inbox SET revision = revision + 1, state = CASE WHEN EXISTS (SELECT 1 FROM inbox_object o"
        " WHERE o.number = inbox.number AND o.decision = 'pending') THEN 'pending' ELSE 'decided' END"
        " WHERE number = ?",
        (number,),
    )


def set_receipted(tx: Connection, number: int, revision: int) -> None:
    """Record the newest receipt sealed for a package."""
    tx.execute("UPDATE inbox SET receipted = ? WHERE number = ?", (revision, number))


@dataclass(frozen=True)
class Waiting:
    """An object in the inbox. `decision` is pending, accepted or refused."""

    position: int
    id: str
    type: str
    name: str
    modified: str
    moment: str
    sha256: bytes
    handling: int | None
    decision: str


_WAITING = "position, id, type, name, modified, moment, sha256, handling, decision"


def add_waiting(tx: Connection, number: int, items: Iterable[tuple[Waiting, bytes]]) -> None:
    """Put objects of a received package into the inbox, each with its exact text."""
    tx.executemany(
        f"INSERT INTO inbox_object (number, {_WAITING}, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                number,
                w.position,
                w.id,
                w.type,
                w.name,
                w.modified,
                w.moment,
                w.sha256,
                w.handling,
                w.decision,
                raw,
            )
            for w, raw in items
        ),
    )


def waiting(connection: Connection, number: int, job: Job | None = None) -> list[Waiting]:
    """The objects of a received package, in its order. Raises `Cancelled`."""
    rows = connection.execute(
        f"SELECT {_WAITING} FROM inbox_object WHERE number = ? ORDER BY position", (number,)
    )
    told = (job or quiet()).each(rows, waiting_count(connection, number), "read")
    return [Waiting(r[0], r[1], r[2], r[3], r[4], r[5], bytes(r[6]), r[7], r[8]) for r in told]


def waiting_at(connection: Connection, number: int, position: int) -> Waiting | None:
    """One object of a received package."""
    rows = connection.execute(
        f"SELECT {_WAITING} FROM inbox_object WHERE number = ? AND position = ?", (number, position)
    )
    return next((Waiting(r[0], r[1], r[2], r[3], r[4], r[5], bytes(r[6]), r[7], r[8]) for r in rows), None)


def waiting_texts(connection: Connection, number: int, type_: str = "") -> Iterator[tuple[Waiting, bytes]]:
    """The objects of a received package with their exact texts, in its order; of one type, or (with "") all."""
    rows = connection.execute(
        f"SELECT {_WAITING}, raw FROM inbox_object WHERE number = ? AND (? = '' OR type = ?) ORDER BY position",
        (number, type_, type_),
    )
    for r in rows:
        yield Waiting(r[0], r[1], r[2], r[3], r[4], r[5], bytes(r[6]), r[7], r[8]), bytes(r[9])


def waiting_count(connection: Connection, number: int) -> int:
    """How many objects a received package brought."""
    return int(
        connection.execute("SELECT count(*) FROM inbox_object WHERE number = ?", (number,)).fetchone()[0]
    )


def decisions(connection: Connection, number: int) -> dict[str, int]:
    """How many objects of a received package are pending, accepted, refused."""
    rows = connection.execute(
        "SELECT decision, count(*) FROM inbox_object WHERE number = ? GROUP BY decision", (number,)
    )
    return dict(rows.fetchall())


def waiting_raw(connection: Connection, number: int, position: int) -> bytes:
    """The exact text of an object in the inbox."""
    row = connection.execute(
        "SELECT raw FROM inbox_object WHERE number = ? AND position = ?", (number, position)
    ).fetchone()
    return bytes(row[0])


def decide(tx: Connection, number: int, positions: Iterable[int], decision: str) -> None:
    """Record the officer's decision on objects of a received package."""
    tx.executemany(
        "UPDATE inbox_object SET decision = ? WHERE number = ? AND position = ?",
        ((decision, number, position) for position in positions),
    )


def blank_waiting(tx: Connection, id_: str) -> int:
    """Empty the text and the name of every decided copy of an object in the inbox; returns how many there were.

    Id, hash and decision stay: the receipt that was signed speaks of them. An empty JSON object is left as the text.
    """
    cursor = tx.execute(
        "UPDATE inbox_object SET raw = CAST('{}' AS BLOB), name = ''"
        " WHERE id = ? AND decision <> 'pending' AND length(raw) > 2",
        (id_,),
    )
    return int(cursor.rowcount)


def blanked(connection: Connection, number: int) -> set[int]:
    """Positions of the objects of a received package that were purged here."""
    sql = "SELECT position FROM inbox_object WHERE number = ? AND id <> '' AND length(raw) <= 2"
    return {row[0] for row in connection.execute(sql, (number,))}


def pending_with(connection: Connection, ids: Iterable[str]) -> list[int]:
    """Numbers of the received packages in which one of these objects pends."""
    sql = "SELECT DISTINCT number FROM inbox_object WHERE decision = 'pending' AND id IN"
    return sorted({row[0] for row in in_many(connection, sql, ids)})


def sealed_with(connection: Connection, ids: Iterable[str]) -> list[tuple[str, int]]:
    """(alias, seq) of the packages still kept in the outbox that carry one of these objects."""
    sql = (
        "SELECT DISTINCT alias, seq FROM ledger JOIN outbox USING (cid, epoch, seq) JOIN counterpart USING (cid)"
        " WHERE closed = 0 AND id IN"
    )
    return sorted({(row[0], row[1]) for row in in_many(connection, sql, ids)})


def add_evidence(
    tx: Connection, cid: int, epoch: bytes, seq: int, manifest: bytes, signature: bytes, at: str
) -> None:
    """Keep a signed manifest that contradicts one we hold."""
    tx.execute(
        "INSERT OR IGNORE INTO evidence (cid, epoch, seq, manifest, signature, at) VALUES (?, ?, ?, ?, ?, ?)",
        (cid, epoch, seq, manifest, signature, at),
    )


def manifests(connection: Connection, cid: int, epoch: bytes, least: int) -> list[tuple[bytes, bytes]]:
    """(manifest, signature) of what was received of an epoch from number `least` on, by number."""
    rows = connection.execute(
        "SELECT manifest, signature FROM inbox WHERE cid = ? AND epoch = ? AND seq >= ? ORDER BY seq",
        (cid, epoch, least),
    )
    return [(bytes(row[0]), bytes(row[1])) for row in rows]


def contradicting(connection: Connection, cid: int) -> list[tuple[bytes, bytes]]:
    """(manifest, signature) of what a counterpart signed twice under one number, both of each pair."""
    rows = connection.execute(
        "SELECT manifest, signature FROM evidence WHERE cid = :cid UNION SELECT i.manifest, i.signature"
        " FROM inbox i JOIN evidence e USING (cid, epoch, seq) WHERE cid = :cid",
        {"cid": cid},
    )
    return [(bytes(row[0]), bytes(row[1])) for row in rows]


# Checking ---------------------------------------------------------------------------------------------------


def every_manifest(connection: Connection) -> Iterator[tuple[str, bytes, bytes]]:
    """(where, raw, signature) of the manifest of every package sealed or received."""
    for table, name in (("outbox", "seq"), ("inbox", "number")):
        for number, raw, signature in connection.execute(f"SELECT {name}, manifest, signature FROM {table}"):
            yield f"{table} {number}", bytes(raw), bytes(signature)


def count(connection: Connection) -> int:
    """How many packages were sealed or received."""
    sql = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM inbox)"
    return int(connection.execute(sql).fetchone()[0])


def altered(connection: Connection, job: Job) -> Iterator[str]:
    """Where a text of the exchange differs from the hash kept beside it: manifests, objects in the inbox. Raises
    `Cancelled`.
    """
    for table, name in (("outbox", "seq"), ("inbox", "number")):
        for number, hash_, manifest in connection.execute(
            f"SELECT {name}, manifest_hash, manifest FROM {table}"
        ):
            if hashlib.sha256(manifest).digest() != hash_:
                yield f"{table} {number}"
    rows = connection.execute("SELECT number, position, sha256, raw FROM inbox_object WHERE id <> ''")
    total = connection.execute("SELECT count(*) FROM inbox_object").fetchone()[0]
    for number, position, hash_, raw in job.each(rows, total, "check"):
        # What was purged left an empty object.
        if len(raw) > 2 and hashlib.sha256(raw).digest() != hash_:
            yield f"inbox {number}, object {position}"
