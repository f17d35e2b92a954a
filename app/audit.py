"""The tamper-evident log: what was done here, by whom, when.

An act appends its entry in its own transaction, so that neither exists without the other. Each entry's hash covers the
one before it: SHA-256("mithaq/audit/v1" || previous hash || entry), the entry being the exact JSON text stored.
Entries name packages by number, counterparts by fingerprint, objects by count or id: never their text, never secrets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from app.store import log
from app.store.database import Connection
from app.store.installation import Installation

DOMAIN = b"mithaq/audit/v1"


@dataclass(frozen=True)
class Entry:
    """One act: `act` is a dotted word (import, package.received), `detail` its plain facts."""

    number: int
    at: str
    officer: str
    act: str
    detail: dict[str, object]


def append(tx: Connection, installation: Installation, act: str, **detail: object) -> None:
    """Log an act inside its own transaction `tx`."""
    number, previous = log.head(tx)
    text = msgspec.json.encode(
        {
            "n": number + 1,
            "at": installation.now(),
            "officer": installation.officer,
            "act": act,
            "detail": detail,
        }
    )
    log.add(tx, number + 1, text.decode(), _digest(previous, text))


def entries(connection: Connection, before: int | None = None, limit: int = 100) -> list[Entry]:
    """The newest `limit` entries with a number lower than `before`, newest first."""
    return [_entry(number, text) for number, text, _ in log.entries(connection, before, limit)]


def checkpoint(connection: Connection) -> bytes:
    """The head of the log as text: its length and last hash. A manifest's `log` commits to it (protocol.md 2.7)."""
    number, digest = log.head(connection)
    return f"mithaq/checkpoint/v1\n{number}\n{digest.hex()}\n".encode()


def verify(connection: Connection) -> list[tuple[str, int]]:
    """(code, entry number) of every break: audit-altered, audit-missing. Empty: the chain is whole."""
    problems, previous, expected = [], bytes(32), 1
    for number, text, digest in log.oldest_first(connection):
        if number != expected:
            problems.append(("audit-missing", expected))
        elif _digest(previous, text.encode()) != digest:
            problems.append(("audit-altered", number))
        previous, expected = digest, number + 1
    return problems


def export(connection: Connection) -> Iterator[bytes]:
    """The log as JSON lines {"entry": exact text, "hash": hex}, oldest first: enough to check the chain elsewhere."""
    for _, text, digest in log.oldest_first(connection):
        yield msgspec.json.encode({"entry": text, "hash": digest.hex()}) + b"\n"


def _digest(previous: bytes, text: bytes) -> bytes:
    return hashlib.sha256(DOMAIN + previous + text).digest()


def _entry(number: int, text: str) -> Entry:
    value = msgspec.json.decode(text)
    return Entry(number, value["at"], value["officer"], value["act"], value["detail"])
