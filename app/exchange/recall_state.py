"""What the statements on a channel make of each recall, kept in the store as they come.

A statement is looked at beside the one it is about, never beside all: a channel may hold very many.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from app.exchange import recalls, receipts, statements
from app.exchange.recalls import Confirmation, Known
from app.exchange.statements import Statement
from app.exchange.wording import Unreadable
from app.store import custody
from app.store import recalls as store
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import document

SIDES = ("theirs", "ours")


def gather(connection: Connection, cid: int, id_: bytes | None = None) -> Known:
    """The recalls, answers and withdrawals on a channel, or one recall with what is about it."""
    found = []
    for said in custody.statements(connection, cid, recalls.KINDS, id_):
        body = document.parse(said.raw).body
        try:
            if recalls.about(said.kind, msgspec.json.decode(body, type=dict[str, object])):
                # Whoever signs for a side may change its key; the side is what counts.
                found.append((said.id, replace(recalls.read(said.kind, body), by=SIDES[said.ours])))
        except (Unreadable, msgspec.MsgspecError):
            continue
    return recalls.gathered(found)


def take(tx: Connection, installation: Installation, cid: int, statement: Statement, ours: bool) -> str:
    """Let a statement that was just added to the set take effect; returns what is wrong with it, or "": see `apply`.

    Raises `Unreadable`.
    """
    said = recalls.read(statement.kind, document.parse(statement.raw).body)
    if isinstance(said, recalls.Recall):
        named = ((content.id, content.sha256) for content in said.contents)
        number = store.add(tx, cid, statement.id, ours, installation.now(), named)
        _settle(tx, cid, statement.id)
        if ours:
            store.mark_ledger(tx, cid)
        return "" if ours or store.all_came(tx, cid, number) else "recall-tombstone"
    answers = isinstance(said, Confirmation)
    row = store.by_id(tx, cid, said.recall if isinstance(said, Confirmation) else said.subject)
    if row is None:
        # A withdrawal may come before its recall; an answer cannot come before what it answers was made here.
        return "confirmation-unknown" if answers else ""
    if isinstance(said, Confirmation) and (
        row.ours == ours or not store.names_all(tx, row.number, said.kept | said.never)
    ):
        return "confirmation-other"
    if answers or row.ours == ours:
        _record(tx, row, recalls.added(row.state, said), row.withdrawn or not answers)
    return ""


def _settle(tx: Connection, cid: int, id_: bytes) -> None:
    """Let the store say what the set of statements now held makes of a recall that just came."""
    row, known = store.by_id(tx, cid, id_), gather(tx, cid, id_)
    if row is not None and id_ in known.recalls:
        _record(tx, row, recalls.state(known, id_), recalls.withdrawn(known, id_))


def _record(tx: Connection, row: store.Row, state: str, taken: bool) -> None:
    store.settle(tx, row.number, state, recalls.stands(state, taken), taken)
    if row.ours and taken and not row.withdrawn:
        for epoch, seq in store.unmark_ledger(tx, row.cid, row.number):
            receipts.replay(tx, row.cid, epoch, seq)
        store.mark_ledger(tx, row.cid)  # what another recall names too


def apply(tx: Connection, installation: Installation, one: Counterpart, statement: Statement) -> str:
    """Let a statement of theirs that was just added to the set take effect; returns what is wrong with it, or "".

    Codes: recall-unreadable, confirmation-other (it does nothing), confirmation-unknown (of a recall never made, kept),
    recall-tombstone (it names something that never came: remembered, and shown should it come).
    """
    if not recalls.about(statement.kind, statement.body):
        return ""
    code = detail = ""
    try:
        code = take(tx, installation, one.cid, statement, ours=False)
    except Unreadable as error:
        code, detail = "recall-unreadable", str(error)
    statements.log(tx, installation, "recall.received", one.fingerprint, statement, code, detail)
    return code


def number_of(connection: Connection, cid: int, recall_id: bytes) -> list[int]:
    """The number here of a recall; none if it could not be read."""
    row = store.by_id(connection, cid, recall_id)
    return [] if row is None else [row.number]
