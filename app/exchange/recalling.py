"""Asking back what was given to counterparts, and answering what they ask back from us.

Each act is a statement sealed into a package of its own; `recalls` says what a set of them is worth. A recall voids the
unacked packages that carry what it names (protocol.md 2.2). Answering one with "deleted" deletes, in the same
transaction: what came from that counterpart alone goes for good, its copies in the inbox too; what is held from another
source stays, and the signed answer says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app import audit
from app.exchange import counterparts, recall_state, recalls, sealing, statements, withheld
from app.exchange.recalls import CONFIRMATION, DELETED, RECALL, REFUSED, WITHDRAWAL, Content, Known
from app.exchange.statements import Statement
from app.exchange.touching import Touched, Touching, delete, remaining
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import ledger as store_ledger
from app.store import packages
from app.store import recalls as store
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation

STEP = 100


@dataclass(frozen=True)
class Listed:
    """A recall as lists show it. `number` is its name here; `ours`: we asked back. `objects` counts contents, `at` is
    the signer's clock, `came` ours. Of the answer: `kept` contents are held from another source, `never` never came,
    backups may hold the rest until the day `backups` ("": none do), `answer` is why it was refused.
    """

    number: int
    counterpart: str
    ours: bool
    state: str
    at: str
    came: str
    objects: int
    reason: str
    kept: int = 0
    never: int = 0
    backups: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Sent:
    """A recall after an act of the officer, the package that tells the counterpart, and what it made void."""

    listed: Listed
    package: sealing.SealedPackage
    void: tuple[int, ...] = ()


# Reading ----------------------------------------------------------------------------------------------------


def listed(installation: Installation) -> list[Listed]:
    """All recalls with all counterparts, newest first."""
    with installation.database.snapshot() as reader:
        known: dict[int, Known] = {}
        return [_listed(reader, row, known) for row in store.everything(reader)]


def show(installation: Installation, number: int, job: Job) -> tuple[Listed, list[Touched]]:
    """One recall, and what each content it names touches here. Raises `Refused`: recall-unknown."""
    with installation.database.snapshot() as reader:
        row = _find(reader, number)
        found = Touching(reader, row.cid)
        contents = store.contents(reader, number)
        touched = []
        for done, (id_, sha256) in enumerate(contents):
            if done % STEP == 0:
                job.step(done, len(contents), "check")
            touched.append(found.touched(id_, sha256))
        return _one(reader, row), touched


def _find(connection: Connection, number: int) -> store.Row:
    row = store.at(connection, number)
    if row is None:
        raise Refused("recall-unknown", number=number)
    return row


def _one(connection: Connection, row: store.Row) -> Listed:
    return _listed(connection, row, {row.cid: recall_state.gather(connection, row.cid, row.id)})


def _listed(connection: Connection, row: store.Row, cache: dict[int, Known]) -> Listed:
    if row.cid not in cache:
        cache[row.cid] = recall_state.gather(connection, row.cid)
    known = cache[row.cid]
    recall, given = known.recalls[row.id], recalls.answers(known, row.id)
    deleted = [one for one in given if one.answer == DELETED]
    last = next(reversed(deleted or given), None)
    return Listed(
        row.number,
        store_counterparts.get(connection, row.cid).alias,
        row.ours,
        row.state,
        recall.at,
        row.at,
        len(recall.contents),
        recall.reason,
        0 if last is None else len(last.kept),
        0 if last is None else len(last.never),
        "" if last is None else last.backups,
        "" if last is None else last.reason,
    )


# Asking back ------------------------------------------------------------------------------------------------


def recall(
    installation: Installation,
    to: str,
    ids: Sequence[str],
    versions: Sequence[bytes] | None,
    reason: str,
    target: Path | None,
    job: Job,
) -> Sent:
    """Ask a counterpart to delete what they were given under these STIX ids: all versions, or (SHA-256) only some.

    Packages that carry it and are not acked become void; what was only in packages that never left is not named.
    Raises `Refused`: reason-missing, reason-too-long, recall-never-given (fact `id`: the first), recall-standing (all
    of it was asked back before), recall-too-large, and as `withheld.require_nameable` and `sealing.seal` do.
    """
    _require_reason(reason)
    with installation.database.snapshot() as reader:
        one = counterparts.find(reader, to)
        contents, void = _plan(installation, reader, one, ids, versions)
        planned = audit.head(reader).number
    withheld.require_nameable(installation, one, reason)
    statement = statements.make(
        installation,
        RECALL,
        objects=[{"id": c.id, "sha256": c.sha256.hex()} for c in contents],
        reason=reason.strip(),
    )

    def check(tx: Connection) -> None:
        # The same asked back again within one tick of the clock is the same statement, and that is withdrawn.
        if store.by_id(tx, one.cid, statement.id) is not None:
            raise Refused("store-busy")

    return _send(installation, one, statement, statement.id, target, job, check, void, planned)


def holders(installation: Installation, ids: Sequence[str], versions: Sequence[bytes] | None) -> list[str]:
    """Aliases of all counterparts who were given any of this, in a package that is not void."""
    reader = installation.database.read()
    found = set[int]()
    for entry in (entry for id_ in dict.fromkeys(ids) for entry in store_ledger.entries(reader, None, id_)):
        if entry.state not in ("void", "recalled") and (versions is None or entry.sha256 in versions):
            found.add(entry.cid)
    return sorted(store_counterparts.get(reader, cid).alias for cid in found)


def held_by(
    installation: Installation, to: str, ids: Sequence[str], versions: Sequence[bytes] | None
) -> list[str]:
    """Those of the ids under which a counterpart was given any of this."""
    reader = installation.database.read()
    cid = counterparts.find(reader, to).cid
    return [
        id_
        for id_ in dict.fromkeys(ids)
        if any(
            state not in ("void", "recalled") and (versions is None or sha256 in versions)
            for sha256, _, _, state in store.given_to(reader, cid, id_)
        )
    ]


def _plan(
    installation: Installation,
    reader: Connection,
    one: Counterpart,
    ids: Sequence[str],
    versions: Sequence[bytes] | None,
) -> tuple[list[Content], tuple[int, ...]]:
    """What a recall names, and which packages it makes void."""
    sending = counterparts.load_channel(reader, one.cid).sending
    standing = store.by_us(reader, one.cid)
    left = {(record.epoch, record.seq): record for record in packages.sealed(reader, one.cid)}
    contents, void, before = set[tuple[str, bytes]](), set[int](), False
    for id_ in dict.fromkeys(ids):
        given = [g for g in store.given_to(reader, one.cid, id_) if versions is None or g[0] in versions]
        given = [g for g in given if g[3] != "void"]
        if not given:
            raise Refused("recall-never-given", id=id_, name=one.alias)
        for sha256, epoch, seq, _ in given:
            state = sealing.outgoing_state(sending, left[epoch, seq])
            if state in ("sealed", "handed"):
                void.add(seq)
            if state != "sealed" and sha256 not in standing:
                contents.add((id_, sha256))
            before = before or sha256 in standing
    if not contents:
        raise Refused("recall-standing" if before and not void else "recall-not-left", name=one.alias)
    if len(contents) > recalls.OBJECTS_LIMIT:
        raise Refused("recall-too-large", most=recalls.OBJECTS_LIMIT)
    ordered = [Content(id_, sha256) for id_, sha256 in sorted(contents)]
    return ordered, tuple(sorted(void))


def withdraw(installation: Installation, number: int, reason: str, target: Path | None, job: Job) -> Sent:
    """Take a recall of ours back: they may use it again, and the ledger says again how far it got.

    Raises `Refused`: recall-unknown, recall-theirs, recall-closed (withdrawn before), reason-missing,
    reason-too-long, and as `withheld.require_nameable` and `sealing.seal` do.
    """
    _require_reason(reason)
    reader = installation.database.read()
    row = _find(reader, number)
    if not row.ours:
        raise Refused("recall-theirs", number=number)
    if row.withdrawn:
        raise Refused("recall-closed", number=number)
    one = store_counterparts.get(reader, row.cid)
    withheld.require_nameable(installation, one, reason)
    statement = statements.make(
        installation, WITHDRAWAL, of=RECALL, subject=row.id.hex(), reason=reason.strip()
    )
    return _send(installation, one, statement, row.id, target, job, lambda tx: None)


# Answering --------------------------------------------------------------------------------------------------


def confirm(installation: Installation, number: int, backups: str, target: Path | None, job: Job) -> Sent:
    """Delete what a counterpart asks back, and seal the signed confirmation.

    `backups` is the last day on which backups may still hold it, "": none does; it is the officer's word. Raises
    `Refused`: recall-unknown, recall-ours, recall-closed, backups-past, and as `sealing.seal` does.
    """
    with installation.database.snapshot() as reader:
        row, one = _open(reader, number)
        if backups and backups < installation.now()[:10]:
            raise Refused("backups-past", day=backups)
        kept, never = remaining(reader, row)
    statement = statements.make(
        installation,
        CONFIRMATION,
        recall=row.id.hex(),
        answer=DELETED,
        kept=sorted(sha256.hex() for sha256 in kept),
        never=sorted(sha256.hex() for sha256 in never),
        backups=backups or None,
        reason="",
    )

    def follow(tx: Connection) -> None:
        _open(tx, number)
        if remaining(tx, row) != (kept, never):
            raise Refused("store-busy")
        delete(tx, installation, row, job)

    return _send(installation, one, statement, row.id, target, job, follow)


def refuse(installation: Installation, number: int, reason: str, target: Path | None, job: Job) -> Sent:
    """Answer a recall with a reason why it is not followed. Nothing is deleted.

    Raises `Refused`: recall-unknown, recall-ours, recall-closed, reason-missing, reason-too-long, and as
    `withheld.require_nameable` and `sealing.seal` do.
    """
    _require_reason(reason)
    row, one = _open(installation.database.read(), number)
    withheld.require_nameable(installation, one, reason)
    statement = statements.make(
        installation,
        CONFIRMATION,
        recall=row.id.hex(),
        answer=REFUSED,
        kept=[],
        never=[],
        backups=None,
        reason=reason.strip(),
    )

    def check(tx: Connection) -> None:
        _open(tx, number)

    return _send(installation, one, statement, row.id, target, job, check)


def _open(connection: Connection, number: int) -> tuple[store.Row, Counterpart]:
    """A recall of theirs that can be answered: also one that was refused, to follow it after all."""
    row = _find(connection, number)
    if row.ours:
        raise Refused("recall-ours", number=number)
    if row.state not in ("open", "refused"):
        raise Refused("recall-closed", number=number)
    return row, store_counterparts.get(connection, row.cid)


# Statements -------------------------------------------------------------------------------------------------


def _send(
    installation: Installation,
    one: Counterpart,
    statement: Statement,
    recall_id: bytes,
    target: Path | None,
    job: Job,
    act: Callable[[Connection], None],
    void: tuple[int, ...] = (),
    planned: int | None = None,
) -> Sent:
    def commit(tx: Connection, epoch: bytes, seq: int) -> None:
        act(tx)
        recall_state.take(tx, installation, one.cid, statement, ours=True)
        audit.append(
            tx,
            installation,
            _ACTS[statement.kind],
            to=one.fingerprint,
            seq=seq,
            recall=recall_id.hex(),
            statement=statement.id.hex(),
            void=list(void),
        )

    content = sealing.Content(statements=(statement,), voids=void, judged_at=planned)
    package = sealing.seal(installation, one, content, target, commit, job)
    reader = installation.database.read()
    row = store.by_id(reader, one.cid, recall_id)
    assert row is not None
    return Sent(_one(reader, row), package, void)


_ACTS = {RECALL: "recall.sent", CONFIRMATION: "recall.answered", WITHDRAWAL: "recall.withdrawn"}


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("reason-missing")
    if len(reason.strip()) > recalls.TEXT_LIMIT:
        raise Refused("reason-too-long", most=recalls.TEXT_LIMIT)
