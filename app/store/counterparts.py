"""Queries on counterparts, their channels, and the one-time and reusable keys that ride in packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.store.database import Connection


@dataclass(frozen=True)
class Counterpart:
    """Another installation whose card is pinned here. Times are RFC 3339 text, None: not (yet)."""

    cid: int
    fingerprint: str
    alias: str
    card: bytes
    added: str
    verified: str | None
    revoked: str | None


_FIELDS = "cid, fingerprint, alias, card, added, verified, revoked"


def _row(row: Sequence[Any]) -> Counterpart:
    return Counterpart(*row)


def add(tx: Connection, fingerprint: str, alias: str, card: bytes, added: str) -> int:
    """Pin a card; returns its cid."""
    cursor = tx.execute(
        "INSERT INTO counterpart (fingerprint, alias, card, added) VALUES (?, ?, ?, ?)",
        (fingerprint, alias, card, added),
    )
    return int(cursor.lastrowid)


def everyone(connection: Connection) -> list[Counterpart]:
    """All counterparts, by alias."""
    return [_row(row) for row in connection.execute(f"SELECT {_FIELDS} FROM counterpart ORDER BY alias")]


def get(connection: Connection, cid: int) -> Counterpart:
    """The counterpart with that cid."""
    return _row(connection.execute(f"SELECT {_FIELDS} FROM counterpart WHERE cid = ?", (cid,)).fetchone())


def set_alias(tx: Connection, cid: int, alias: str) -> None:
    """Give a counterpart another local name."""
    tx.execute("UPDATE counterpart SET alias = ? WHERE cid = ?", (alias, cid))


def set_verified(tx: Connection, cid: int, at: str) -> None:
    """Record that the officer verified the card."""
    tx.execute("UPDATE counterpart SET verified = ? WHERE cid = ?", (at, cid))


def set_revoked(tx: Connection, cid: int, at: str) -> None:
    """Record that nothing is to be exchanged with this counterpart any more."""
    tx.execute("UPDATE counterpart SET revoked = ? WHERE cid = ?", (at, cid))


def channel(connection: Connection, cid: int) -> str:
    """The stored state of a channel."""
    return str(connection.execute("SELECT state FROM channel WHERE cid = ?", (cid,)).fetchone()[0])


def put_channel(tx: Connection, cid: int, state: str) -> None:
    """Store the state of a channel."""
    tx.execute("INSERT OR REPLACE INTO channel (cid, state) VALUES (?, ?)", (cid, state))


# Keys -------------------------------------------------------------------------------------------------------


ERASE_DAYS = 180
"""No private half of a one-time or replaced reusable key lives longer (protocol.md 3.3)."""


@dataclass(frozen=True)
class OwnKey:
    """A key pair of ours for one counterpart. `kind` is onetime or reusable; `published`: the seq that
    first carried it.
    """

    cid: int
    kind: str
    number: int
    kid: bytes
    seed: bytes
    public: bytes
    created: str
    published: int


@dataclass(frozen=True)
class TheirKey:
    """A key a counterpart published to us."""

    kind: str
    number: int
    kid: bytes
    public: bytes
    received: str


def add_own_key(tx: Connection, key: OwnKey) -> None:
    """Keep a key pair of ours."""
    tx.execute(
        "INSERT INTO own_key (cid, kind, number, kid, seed, public, created, published)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (key.cid, key.kind, key.number, key.kid, key.seed, key.public, key.created, key.published),
    )


def own_keys(connection: Connection, cid: int | None = None) -> list[OwnKey]:
    """Our live key pairs, for one counterpart or (None) for all, lowest number first."""
    rows = connection.execute(
        "SELECT cid, kind, number, kid, seed, public, created, published FROM own_key"
        " WHERE seed <> x'' AND (? IS NULL OR cid = ?) ORDER BY cid, kind, number",
        (cid, cid),
    )
    return [OwnKey(r[0], r[1], r[2], bytes(r[3]), bytes(r[4]), bytes(r[5]), r[6], r[7]) for r in rows]


def erase_own_key(tx: Connection, cid: int, kind: str, number: int) -> None:
    """Erase a private half for good (the store overwrites deleted rows)."""
    tx.execute("DELETE FROM own_key WHERE cid = ? AND kind = ? AND number = ?", (cid, kind, number))


def erase_old_keys(tx: Connection, before: str) -> None:
    """Erase every private half made before a time; of the reusable ones the newest of each counterpart stays."""
    tx.execute(
        "DELETE FROM own_key WHERE created < ? AND NOT (kind = 'reusable' AND number ="
        " (SELECT max(number) FROM own_key AS other WHERE other.cid = own_key.cid AND other.kind = 'reusable'))",
        (before,),
    )


def last_own_number(connection: Connection, cid: int, kind: str) -> int:
    """The highest number ever given to a key of ours for this counterpart (kept after the key is gone)."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (f"last-{kind}-{cid}",)).fetchone()
    return int.from_bytes(bytes(row[0]), "big") if row else 0


def put_last_own_number(tx: Connection, cid: int, kind: str, number: int) -> None:
    """Remember the highest number given, so that a number never names two keys."""
    tx.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
        (f"last-{kind}-{cid}", number.to_bytes(8, "big")),
    )


def add_their_key(tx: Connection, cid: int, key: TheirKey) -> None:
    """Keep a key they published; one already held stays as it is, with the time it first came."""
    tx.execute(
        "INSERT OR IGNORE INTO their_key (cid, kind, number, kid, public, received) VALUES (?, ?, ?, ?, ?, ?)",
        (cid, key.kind, key.number, key.kid, key.public, key.received),
    )


def their_keys(connection: Connection, cid: int, kind: str) -> list[TheirKey]:
    """Keys of one kind they published that are still to be used, lowest number first."""
    rows = connection.execute(
        "SELECT kind, number, kid, public, received FROM their_key WHERE cid = ? AND kind = ? ORDER BY number",
        (cid, kind),
    )
    return [TheirKey(r[0], r[1], bytes(r[2]), bytes(r[3]), r[4]) for r in rows]


def drop_their_keys(tx: Connection, cid: int, kind: str, upto: int) -> None:
    """Forget their keys of a kind with numbers up to `upto`."""
    tx.execute("DELETE FROM their_key WHERE cid = ? AND kind = ? AND number <= ?", (cid, kind, upto))


# Backups ----------------------------------------------------------------------------------------------------

RESTORED = "restored"
"""In `meta` while this store is a restored copy whose channels were not begun anew yet."""


def strip_for_backup(tx: Connection) -> None:
    """Make this store, a copy of one, fit to be a backup: of private halves that ride in packages only the ids stay.

    Whoever opens it first must begin every channel anew (`app.exchange.epochs.settle_restore`); nothing is sealed or
    opened before (protocol.md 3.5).
    """
    tx.execute("UPDATE own_key SET seed = x'', public = x''")
    begin_anew(tx)


def begin_anew(tx: Connection) -> None:
    """Mark this store as an older copy of itself: whoever opens it next begins every channel anew."""
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, x'01')", (RESTORED,))


def restored(connection: Connection) -> bool:
    """Whether this store is a restored copy whose channels must be begun anew."""
    return connection.execute("SELECT 1 FROM meta WHERE key = ?", (RESTORED,)).fetchone() is not None


def settled(tx: Connection) -> None:
    """Record that every channel was begun anew."""
    tx.execute("DELETE FROM meta WHERE key = ?", (RESTORED,))


def lost_key_owner(connection: Connection, kid: bytes) -> int | None:
    """To whom (cid) the key with that id was published, if its private half was lost in a restore."""
    row = connection.execute("SELECT cid FROM own_key WHERE kid = ? AND seed = x''", (kid,)).fetchone()
    return int(row[0]) if row else None


# Drops ------------------------------------------------------------------------------------------------------


def add_drop(tx: Connection, name: str, cid: int, folder: str) -> None:
    """Remember a drop used with one counterpart."""
    tx.execute("INSERT INTO drop_folder (name, cid, folder) VALUES (?, ?, ?)", (name, cid, folder))


def drops(connection: Connection) -> list[tuple[str, int, str]]:
    """(name, cid, folder) of every drop."""
    return [
        tuple(row) for row in connection.execute("SELECT name, cid, folder FROM drop_folder ORDER BY name")
    ]


def pass_over(tx: Connection, drop: str, header: bytes) -> None:
    """Remember that the package with this header, found in a drop, is not for us."""
    tx.execute("INSERT OR IGNORE INTO passed_over (drop_name, header) VALUES (?, ?)", (drop, header))


def passed_over(connection: Connection, drop: str) -> set[bytes]:
    """Headers of packages in a drop that are not for us."""
    return {
        bytes(row[0])
        for row in connection.execute("SELECT header FROM passed_over WHERE drop_name = ?", (drop,))
    }
