"""Queries on who and what this installation is: identity, officers, settings, the store's own constants."""

from __future__ import annotations

from dataclasses import dataclass

from app import settings
from app.intel import marking
from app.intel.marking import Level
from app.settings import Settings
from app.store.database import Connection


def put_meta(tx: Connection, key: str, value: bytes) -> None:
    """Set one of the store's own constants."""
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def meta(connection: Connection, key: str) -> bytes | None:
    """One of the store's own constants."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return bytes(row[0]) if row else None


def drop_meta(tx: Connection, key: str) -> None:
    """Forget one of the store's own constants."""
    tx.execute("DELETE FROM meta WHERE key = ?", (key,))


RETIRED = "retired"
"""In `meta` once this installation was moved to another machine: when."""


def retired(connection: Connection) -> str:
    """When this installation was moved elsewhere, "" if it was not: it seals and opens no package any more."""
    return (meta(connection, RETIRED) or b"").decode()


@dataclass(frozen=True)
class OwnIdentity:
    """An identity of this installation. `secret`: both private halves of the one in use, the KEM key's of a retired
    one, b"" in the end. `rotation`: the statement by which the one before named it, None if none did.
    """

    number: int
    secret: bytes
    card: bytes
    since: str
    rotation: bytes | None


def add_identity(
    tx: Connection, secret: bytes, card: bytes, since: str, rotation: bytes | None = None
) -> int:
    """Make this the identity in use; returns its number."""
    cursor = tx.execute(
        "INSERT INTO identity (secret, card, since, rotation) VALUES (?, ?, ?, ?)",
        (secret, card, since, rotation),
    )
    return int(cursor.lastrowid)


def put_secret(tx: Connection, number: int, secret: bytes) -> None:
    """Overwrite what is kept of an identity's private halves."""
    tx.execute("UPDATE identity SET secret = ? WHERE number = ?", (secret, number))


def identities(connection: Connection) -> list[OwnIdentity]:
    """Every identity this installation had, the one in use last."""
    rows = connection.execute("SELECT number, secret, card, since, rotation FROM identity ORDER BY number")
    return [OwnIdentity(*row) for row in rows]


def identity(connection: Connection) -> tuple[bytes, bytes]:
    """(secret, card) of the identity in use."""
    row = connection.execute("SELECT secret, card FROM identity ORDER BY number DESC LIMIT 1").fetchone()
    return bytes(row[0]), bytes(row[1])


def cards(connection: Connection) -> list[bytes]:
    """The cards of every identity this installation had, the one in use first."""
    rows = connection.execute("SELECT card FROM identity ORDER BY number DESC")
    return [bytes(row[0]) for row in rows]


OWN_IDENTITY = "own-identity"


def own_identity(connection: Connection) -> str:
    """The STIX id of the identity under which this installation writes; "" before it wrote anything."""
    found = meta(connection, OWN_IDENTITY)
    return "" if found is None else found.decode()


def add_officer(tx: Connection, name: str, since: str) -> None:
    """Add an officer, or take back one who was removed."""
    tx.execute(
        "INSERT INTO officer (name, since) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET removed = NULL",
        (name, since),
    )


def remove_officer(tx: Connection, name: str, at: str) -> None:
    """Mark an officer as gone; what they did keeps their name."""
    tx.execute("UPDATE officer SET removed = ? WHERE name = ?", (at, name))


def officers(connection: Connection) -> list[tuple[str, str]]:
    """(name, since) of the officers of this installation, in order of arrival."""
    return [
        (row[0], row[1])
        for row in connection.execute(
            "SELECT name, since FROM officer WHERE removed IS NULL ORDER BY since, name"
        )
    ]


def put_setting(tx: Connection, name: str, value: str) -> None:
    """Set a setting; its meaning is in app.settings."""
    tx.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))


def current_settings(connection: Connection) -> Settings:
    """The settings in force."""
    return settings.read(dict(connection.execute("SELECT name, value FROM setting").fetchall()))


def default_handling(connection: Connection) -> Level:
    """The level an unmarked object gets when none is given with it."""
    level = marking.parse(current_settings(connection).handling)
    return Level.AMBER if level is None else level
