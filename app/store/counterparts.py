"""Queries on counterparts, their channels, and the one-time and reusable keys that ride in packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.store import index
from app.store.database import Connection


@dataclass(frozen=True)
class Counterpart:
    """Another installation whose card is pinned here. Times are RFC 3339 text, None: not (yet).

    `carried`: when a rotation carried the verification over to this card, None: the card itself was verified, or
    nothing was. `disputed`: the fingerprint of a second successor that the same old key named. `replaces`: the cid
    whose place this card takes once it is verified.
    """

    cid: int
    fingerprint: str
    alias: str
    card: bytes
    added: str
    verified: str | None
    revoked: str | None
    carried: str | None = None
    disputed: str | None = None
    replaces: int | None = None


_FIELDS = "cid, fingerprint, alias, card, added, verified, revoked, carried, disputed, replaces"


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
    """Record that the officer verified the card that is pinned now."""
    tx.execute(
        "UPDATE counterpart SET verified = ?, carried = NULL, disputed = NULL WHERE cid = ?", (at, cid)
    )


def set_unverified(tx: Connection, cid: int) -> None:
    """Record that the officers must compare anew."""
    tx.execute("UPDATE counterpart SET verified = NULL, carried = NULL WHERE cid = ?", (cid,))


def set_disputed(tx: Connection, cid: int, fingerprint: str) -> None:
    """Record that an old key of a counterpart named a second successor."""
    tx.execute("UPDATE counterpart SET disputed = ? WHERE cid = ?", (fingerprint, cid))


def set_replaces(tx: Connection, cid: int, other: int) -> None:
    """Record whose place a card takes once it is verified."""
    tx.execute("UPDATE counterpart SET replaces = ? WHERE cid = ?", (other, cid))


def set_revoked(tx: Connection, cid: int, at: str) -> None:
    """Record that nothing is to be exchanged with this counterpart any more."""
    tx.execute("UPDATE counterpart SET revoked = ? WHERE cid = ?", (at, cid))


# Identities that follow one another ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Former:
    """A card of a counterpart whose place another took. `rotation`: the statement that named the next one, None: a new
    ceremony did.
    """

    fingerprint: str
    card: bytes
    rotation: bytes | None
    until: str


def former(connection: Connection, cid: int) -> list[Former]:
    """The cards a counterpart had before, oldest first."""
    rows = connection.execute(
        "SELECT fingerprint, card, rotation, until FROM former_card WHERE cid = ? ORDER BY number", (cid,)
    )
    return [Former(*row) for row in rows]


def successions(connection: Connection) -> dict[str, str]:
    """{fingerprint of a counterpart's former card: that of the card pinned now}."""
    return dict(
        connection.execute(
            "SELECT f.fingerprint, c.fingerprint FROM former_card f JOIN counterpart c USING (cid)"
        ).fetchall()
    )


def holder(connection: Connection, fingerprint: str) -> Counterpart | None:
    """Whose card that is or was."""
    row = connection.execute(
        f"SELECT {_FIELDS} FROM counterpart WHERE fingerprint = ? OR cid ="
        " (SELECT cid FROM former_card WHERE fingerprint = ?)",
        (fingerprint, fingerprint),
    ).fetchone()
    return _row(row) if row else None


def succeed(
    tx: Connection, one: Counterpart, fingerprint: str, card: bytes, rotation: bytes | None, at: str
) -> None:
    """Pin a card in the place of the one pinned now. With a `rotation` its verification is carried over; without,
    the new one was just verified itself, and a revocation of the old one is spent.
    """
    tx.execute(
        "INSERT INTO former_card (cid, fingerprint, card, rotation, until) VALUES (?, ?, ?, ?, ?)",
        (one.cid, one.fingerprint, one.card, rotation, at),
    )
    tx.execute(
        "UPDATE counterpart SET fingerprint = ?, card = ?, verified = ?, carried = ? WHERE cid = ?",
        (fingerprint, card, one.verified if rotation else at, at if rotation else None, one.cid),
    )
    # What came from them is known by their fingerprint: it stays theirs.
    index.rename_source(tx, "package", one.fingerprint, fingerprint)
    if rotation is None:
        tx.execute("UPDATE counterpart SET revoked = NULL, disputed = NULL WHERE cid = ?", (one.cid,))


def untouched(connection: Connection, cid: int) -> bool:
    """Whether nothing was ever exchanged with a counterpart."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM outbox WHERE cid = :cid) OR EXISTS (SELECT 1 FROM inbox WHERE cid = :cid)"
        " OR EXISTS (SELECT 1 FROM former_card WHERE cid = :cid)",
        {"cid": cid},
    ).fetchone()
    return not row[0]


def remove(tx: Connection, cid: int, heir: int) -> None:
    """Unpin a card with which nothing was exchanged; its drops are the heir's from now on."""
    tx.execute("UPDATE drop_folder SET cid = ? WHERE cid = ?", (heir, cid))
    tx.execute("UPDATE counterpart SET replaces = NULL WHERE replaces = ?", (cid,))
    for table in ("own_key", "their_key", "statement", "superseded", "evidence", "channel", "counterpart"):
        tx.execute(f"DELETE FROM {table} WHERE cid = ?", (cid,))


@dataclass(frozen=True)
class Superseded:
    """That a counterpart knows number `number` of a kind since its package `seq` of `epoch`: what came before it is
    kept only for what is under way from before that.
    """

    cid: int
    kind: str
    number: int
    epoch: str
    seq: int


def add_superseded(tx: Connection, one: Superseded) -> None:
    """Record since when; the first word stands."""
    tx.execute(
        "INSERT OR IGNORE INTO superseded (cid, kind, number, epoch, seq) VALUES (?, ?, ?, ?, ?)",
        (one.cid, one.kind, one.number, one.epoch, one.seq),
    )


def superseded(connection: Connection, kind: str, cid: int | None = None) -> list[Superseded]:
    """What is recorded of a kind, for one counterpart or all, by number."""
    rows = connection.execute(
        "SELECT cid, kind, number, epoch, seq FROM superseded WHERE kind = ? AND (? IS NULL OR cid = ?)"
        " ORDER BY number",
        (kind, cid, cid),
    )
    return [Superseded(*row) for row in rows]


def drop_superseded(tx: Connection, kind: str, number: int, cid: int | None = None) -> None:
    """Forget what is recorded of a kind up to a number."""
    tx.execute(
        "DELETE FROM superseded WHERE kind = ? AND number <= ? AND (? IS NULL OR cid = ?)",
        (kind, number, cid, cid),
    )


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


def publish_again(tx: Connection, cid: int, seq: int = 1) -> None:
    """Let every live key of ours ride again from package `seq` on: the first, where our direction begins anew."""
    tx.execute("UPDATE own_key SET published = ? WHERE cid = ?", (seq, cid))


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


def own_keys_held(connection: Connection) -> int:
    """How many private halves there are, for all counterparts."""
    return int(connection.execute("SELECT count(*) FROM own_key").fetchone()[0])


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


def remove_drop(tx: Connection, name: str) -> None:
    """Forget a drop, and what was passed over in it."""
    tx.execute("DELETE FROM drop_folder WHERE name = ?", (name,))
    tx.execute("DELETE FROM passed_over WHERE drop_name = ?", (name,))


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
