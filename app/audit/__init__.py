"""The tamper-evident log: what was done here, by whom, when.

An act appends its entry in its own transaction, so that neither exists without the other. The entries, as the exact
JSON texts stored, are the leaves of a Merkle tree (RFC 6962, `crypto.merkle`). The head of the tree, its number of
entries and its root, stands for all of them: whoever kept an earlier head can tell whether the log only grew since.
Entries name packages by number, counterparts by fingerprint, objects by count or id: never their text, never secrets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from app.messages import Refused
from app.store import log
from app.store.database import Connection
from app.store.installation import Installation
from crypto import checkpoint as checkpoints
from crypto import merkle

CHAIN_DOMAIN = b"mithaq/audit/v1"
ORIGIN = "mithaq/log/"


@dataclass(frozen=True)
class Entry:
    """One act: `act` is a dotted word (import, package.received), `detail` its plain facts."""

    number: int
    at: str
    officer: str
    act: str
    detail: dict[str, object]


@dataclass(frozen=True)
class Head:
    """The newest entry's number (0: none), and the 32-byte root of the tree up to it."""

    number: int
    hash: bytes


@dataclass(frozen=True)
class Prepared:
    """An entry that is not in the log yet, with the nodes it completes and the checkpoint that it will make."""

    number: int
    text: str
    nodes: tuple[tuple[int, int, bytes], ...]
    checkpoint: bytes


def append(tx: Connection, installation: Installation, act: str, **detail: object) -> int:
    """Log an act inside its own transaction `tx`; returns the entry's number."""
    size = log.size(tx)
    text = _text(installation, size + 1, act, detail)
    nodes = merkle.appended(size, merkle.leaf(text), partial(log.node, tx))
    log.add(tx, size + 1, text.decode(), nodes)
    return size + 1


def prepare(connection: Connection, installation: Installation, act: str, **detail: object) -> Prepared:
    """The entry that would be logged now, for what must commit to it before it is done; `add` logs it."""
    size = log.size(connection)
    text = _text(installation, size + 1, act, detail)
    made = merkle.appended(size, merkle.leaf(text), partial(log.node, connection))
    fresh = {(level, position): hash_ for level, position, hash_ in made}

    def node(level: int, position: int) -> bytes:
        return fresh.get((level, position)) or log.node(connection, level, position)

    root = merkle.root(size + 1, node)
    return Prepared(
        size + 1, text.decode(), tuple(made), checkpoints.text(origin(node(0, 0)), size + 1, root)
    )


def add(tx: Connection, entry: Prepared) -> None:
    """Log a prepared entry. Raises `Refused` (store-busy): something else was logged since."""
    if log.size(tx) != entry.number - 1:
        raise Refused("store-busy")
    log.add(tx, entry.number, entry.text, entry.nodes)


def entries(connection: Connection, before: int | None = None, limit: int = 100) -> list[Entry]:
    """The newest `limit` entries with a number lower than `before`, newest first."""
    return [decoded(number, text) for number, text in log.entries(connection, before, limit)]


def decoded(number: int, text: str) -> Entry:
    """An entry as a value. Raises ValueError for a text that no act wrote."""
    try:
        value = msgspec.json.decode(text)
        return Entry(number, value["at"], value["officer"], value["act"], value["detail"])
    except (msgspec.MsgspecError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("not an entry") from error


def head(connection: Connection, size: int | None = None) -> Head:
    """Where the log stands (`size`: where it stood after that many entries). Takes log2(size) look-ups."""
    number = log.size(connection) if size is None else size
    return Head(number, merkle.root(number, partial(log.node, connection)))


def checkpoint(connection: Connection, size: int | None = None) -> bytes:
    """The head as the text of a checkpoint (C2SP tlog-checkpoint): origin, number of entries, root; three lines.

    A manifest's `log` commits to it (protocol.md 2.7). `app.audit.papers` signs it.
    """
    found = head(connection, size)
    return checkpoints.text(name(connection), found.number, found.hash)


def name(connection: Connection) -> str:
    """The name of this log; see `origin`."""
    return origin(log.node(connection, 0, 0))


def origin(first_leaf: bytes) -> str:
    """The name of a log, from the hash of its first entry: it stays when the identity changes."""
    return ORIGIN + first_leaf[:16].hex()


def _text(installation: Installation, number: int, act: str, detail: Mapping[str, object]) -> bytes:
    said = {
        "n": number,
        "at": installation.now(),
        "officer": installation.officer,
        "act": act,
        "detail": detail,
    }
    return msgspec.json.encode(said)


def convert(tx: Connection, installation: Installation) -> None:
    """Take over the entries of a store that chained them, before there was a tree.

    They become the first leaves, text for text. An entry of its own then records where the chain ended and what of
    it did not hold (`crypto.merkle` could not tell), so that nothing before it can be changed afterwards unseen.
    """
    old = log.chain(tx)
    if not old:
        return
    previous, broken = bytes(32), []
    for number, text, digest in old:
        if hashlib.sha256(CHAIN_DOMAIN + previous + text.encode()).digest() != digest:
            broken.append(number)
        previous = digest
    levels = merkle.levels([merkle.leaf(text.encode()) for _, text, _ in old])
    for place, (_, text, _) in enumerate(old):
        log.add(tx, place + 1, text, ())
    log.add_nodes(
        tx, ((level, place, hash_) for level, row in enumerate(levels) for place, hash_ in enumerate(row))
    )
    log.drop_chain(tx)
    append(tx, installation, "log.converted", entries=len(old), chain=previous.hex(), broken=broken[:100])
