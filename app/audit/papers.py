"""The log outside the store: signed checkpoints, an export that verifies by itself, the proof of one entry.

    a checkpoint   C2SP tlog-checkpoint (crypto.checkpoint)
    a proof        C2SP tlog-proof, the entry's exact text in its `extra` line
    an export      JSON lines: {"mithaq": "log-1", "checkpoint": signed note}, then for each entry, oldest first,
                   {"number", "leaf": hash in hex, "entry": exact text}

Whoever has the card of the installation can check each of them; an installation is not needed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec

from app import audit, outside
from app.audit import checking
from app.audit.checking import Break, Witness
from app.messages import Refused
from app.store import log, people
from app.store.database import Connection
from app.store.installation import Installation
from crypto import checkpoint as checkpoints
from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError
from crypto.identity import Card, read_card

FORMAT = "log-1"
PROOF = "c2sp.org/tlog-proof@v1"
PAPER_LIMIT = 1 << 20
"""Bytes of a checkpoint, a proof, or one line of an export."""
PATH_LIMIT = 64
MISSING_LIMIT = 1 << 20
"""Entries that an export may lack before one of its lines; the number of an entry is its writer's claim."""
"""Hashes in a proof."""

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})")


@dataclass(frozen=True)
class Checked:
    """A paper whose signature was checked. `kind`: checkpoint, proof, export; `card` is the signer's.

    `entry`: what a proof proves. `breaks`: where an export does not hold.
    """

    kind: str
    checkpoint: Checkpoint
    card: Card
    entry: audit.Entry | None = None
    breaks: tuple[Break, ...] = ()


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    mithaq: str
    checkpoint: str


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    number: Annotated[int, msgspec.Meta(ge=1, lt=1 << 53)]
    leaf: str
    entry: str


# Writing ----------------------------------------------------------------------------------------------------


def signed(connection: Connection, installation: Installation) -> bytes:
    """The checkpoint of the log as it stands, signed."""
    found = audit.head(connection)
    return checkpoints.sign(audit.name(connection), found.number, found.hash, installation.identity.signing)


def verifier(connection: Connection, installation: Installation) -> str:
    """The key of this log's Ed25519 signatures, as standard tools take it."""
    return checkpoints.verifier(audit.name(connection), installation.identity.signing)


def export(connection: Connection, installation: Installation) -> Iterator[bytes]:
    """The lines of an export. `connection` must see one state from first to last (a snapshot)."""
    yield msgspec.json.encode(_Head(FORMAT, signed(connection, installation).decode())) + b"\n"
    for number, text in log.oldest_first(connection):
        yield msgspec.json.encode(_Line(number, merkle.leaf(text.encode()).hex(), text)) + b"\n"


def prove(connection: Connection, installation: Installation, number: int) -> bytes:
    """The proof that an entry is in the log. Raises `Refused`: entry-unknown."""
    text = log.entry(connection, number)
    if text is None:
        raise Refused("entry-unknown", number=number)
    path = merkle.inclusion(number - 1, audit.head(connection).number, partial(log.node, connection))
    lines = [
        PROOF,
        f"extra {base64.b64encode(text.encode()).decode()}",
        f"index {number - 1}",
        *(base64.b64encode(hash_).decode() for hash_ in path),
        "",
        "",
    ]
    return "\n".join(lines).encode() + signed(connection, installation)


# Checking ---------------------------------------------------------------------------------------------------


def own_cards(connection: Connection) -> list[Card]:
    """The cards of this installation's identities, retired ones too."""
    return [read_card(raw) for raw in people.cards(connection)]


def cards(raw: Sequence[bytes]) -> list[Card]:
    """Cards from files. Raises `Refused`: not-a-card."""
    try:
        return [read_card(one) for one in raw]
    except CryptoError as error:
        raise Refused("not-a-card") from error


def witness(path: Path, known: Sequence[Card], origin: str) -> Witness:
    """A checkpoint in a file, as a witness of the log with that origin.

    Raises `Refused`: file-unreadable, log-file, log-unsigned, log-forged, log-other.
    """
    found, _ = _opened(_small(path), known)
    if found.origin != origin:
        raise Refused("log-other", path=path.name)
    return Witness(path.name, found.size, lambda root: root == found.root, given=True)


def check(path: Path, known: Sequence[Card], earlier: Sequence[Path] = ()) -> Checked:
    """Check a checkpoint, a proof or an export against cards, an export against `earlier` checkpoints too.

    Raises `Refused`: file-unreadable, log-file (not one of them), log-unsigned (by none of the cards), log-forged (the
    signature or the proof is false), log-other (an earlier checkpoint is of another log), log-uncompared (what is no
    export cannot be held against an earlier checkpoint).
    """
    try:
        with outside.reading(path) as file:
            start = file.read(len(PROOF) + 1)
            if start[:1] == b"{":
                file.seek(0)
                return _check_export(iter(lambda: file.readline(PAPER_LIMIT + 1), b""), known, earlier)
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error) from error
    if earlier:
        raise Refused("log-uncompared", path=path.name)
    raw = _small(path)
    if start != PROOF.encode() + b"\n":
        found, card = _opened(raw, known)
        return Checked("checkpoint", found, card)
    return _check_proof(raw, known)


def _check_proof(raw: bytes, known: Sequence[Card]) -> Checked:
    head, separator, note = raw.partition(b"\n\n")
    try:
        _, extra, index, *path = head.decode("ascii").split("\n")
        word, _, encoded = extra.partition(" ")
        number = _INDEX.fullmatch(index)
        if word != "extra" or number is None or len(path) > PATH_LIMIT or not separator:
            raise ValueError("proof")
        text = base64.b64decode(encoded, validate=True)
        hashes = [base64.b64decode(line, validate=True) for line in path]
        place = int(number[1])
        entry = audit.decoded(place + 1, text.decode())
    except (ValueError, binascii.Error) as error:
        raise Refused("log-file") from error
    found, card = _opened(note, known)
    if not merkle.includes(merkle.leaf(text), place, found.size, hashes, found.root):
        raise Refused("log-forged")
    return Checked("proof", found, card, entry)


def _check_export(lines: Iterator[bytes], known: Sequence[Card], earlier: Sequence[Path]) -> Checked:
    texts: list[tuple[int, str]] = []
    leaves: dict[int, bytes] = {}
    try:
        head = msgspec.json.decode(next(lines), type=_Head)
        if head.mithaq != FORMAT:
            raise ValueError("format")
        decode = msgspec.json.Decoder(_Line).decode
        for raw in lines:
            if len(raw) > PAPER_LIMIT:
                raise ValueError("line")
            line = decode(raw)
            if line.number - 1 in leaves or (texts and line.number <= texts[-1][0]):
                raise ValueError("order")
            if line.number > len(texts) + MISSING_LIMIT:
                raise ValueError("gap")
            texts.append((line.number, line.entry))
            leaves[line.number - 1] = bytes.fromhex(line.leaf)
    except (msgspec.MsgspecError, ValueError, RecursionError, StopIteration) as error:
        raise Refused("log-file") from error
    found, card = _opened(head.checkpoint.encode(errors="replace"), known)
    own = Witness("checkpoint", found.size, lambda root: root == found.root, given=True)
    others = [witness(path, known, found.origin) for path in earlier]
    breaks = checking.examine(texts, leaves, [own, *others])
    more = max(leaves, default=-1) + 1
    if more > found.size:
        breaks.append(Break("audit-unvouched", found.size + 1, more))
    return Checked("export", found, card, breaks=tuple(breaks))


def _opened(raw: bytes, known: Sequence[Card]) -> tuple[Checkpoint, Card]:
    """A signed checkpoint and the card of who signed it."""
    try:
        found = checkpoints.parse(raw)
    except CryptoError as error:
        raise Refused("log-file") from error
    for card in known:
        try:
            found.verify(card.signing)
            return found, card
        except CryptoError as error:
            if error.code == "signature":
                raise Refused("log-forged") from error
    raise Refused("log-unsigned")


def _small(path: Path) -> bytes:
    raw = outside.start(path, PAPER_LIMIT)
    if len(raw) > PAPER_LIMIT:
        raise Refused("log-file")
    return raw
