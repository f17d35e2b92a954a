"""Asking back what was given to counterparts, and answering what they ask back from us.

Each act is a statement sealed into a package of its own; `recalls` says what a set of them is worth. A recall voids the
unacked packages that carry what it names (protocol.md 2.2). Answering one with "deleted" deletes, in the same
transaction: what came from that counterpart alone goes for good, its copies in the inbox too; what is held from another
source stays, and the signed answer says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from app import audit
from app.exchange import counterparts, recalls, receipts, sealing, statements
from app.exchange.provenance import Owners
from app.exchange.recalls import CONFIRMATION, DELETED, RECALL, REFUSED, WITHDRAWAL, Content, Known
from app.exchange.statements import Statement
from app.exchange.terms import Unreadable
from app.holdings import attachments, taking_back
from app.intel import compare
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import custody, objects, packages
from app.store import recalls as store
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from app.store.objects import VersionRow
from crypto import document

STEP = 100
SIDES = ("theirs", "ours")


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
class Touched:
    """What a recalled content touches here. `state`: held, pending or decided (in the inbox alone), never (it did not
    come from them). `packages` are its inbox numbers, `independent` whether it is held from another source too,
    `referring` the ids held that name its object, `onward` whom we gave it to (aliases).
    """

    id: str
    sha256: bytes
    name: str
    state: str
    packages: tuple[int, ...]
    independent: bool
    referring: tuple[str, ...]
    onward: tuple[str, ...]


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
        found = _Touching(reader, row.cid)
        contents = store.contents(reader, number)
        touched = []
        for done, (id_, sha256) in enumerate(contents):
            if done % STEP == 0:
                job.step(done, len(contents), "check")
            touched.append(found.touched(id_, sha256))
        return _listed(reader, row, {}), touched


def _find(connection: Connection, number: int) -> store.Row:
    row = store.at(connection, number)
    if row is None:
        raise Refused("recall-unknown", number=number)
    return row


def _listed(connection: Connection, row: store.Row, cache: dict[int, Known]) -> Listed:
    if row.cid not in cache:
        cache[row.cid] = gather(connection, row.cid)
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


def gather(connection: Connection, cid: int) -> Known:
    """The recalls, answers and withdrawals on a channel."""
    found = []
    for said in custody.statements(connection, cid, recalls.KINDS):
        body = document.parse(said.raw).body
        try:
            if recalls.about(said.kind, msgspec.json.decode(body, type=dict[str, object])):
                # Whoever signs for a side may change its key; the side is what counts.
                found.append((said.id, replace(recalls.read(said.kind, body), by=SIDES[said.ours])))
        except (Unreadable, msgspec.MsgspecError):
            continue
    return recalls.gathered(found)


class _Touching:
    """Finds what recalled contents of one counterpart touch here."""

    def __init__(self, connection: Connection, cid: int) -> None:
        self._connection, self._cid = connection, cid
        self.fingerprint = store_counterparts.get(connection, cid).fingerprint
        self._hash_key = objects.hash_key(connection)
        self._owners = Owners(connection)
        self._aliases = {one.cid: one.alias for one in store_counterparts.everyone(connection)}
        self.theirs = frozenset(objects.origins_by(connection, "package", self.fingerprint))

    def touched(self, id_: str, sha256: bytes) -> Touched:
        connection = self._connection
        copies = store.copies(connection, self._cid, id_, sha256)
        version = self.version(id_, sha256)
        row = objects.find(connection, objects.id_hash(self._hash_key, id_))
        if version is not None:
            state = "held"
        elif any(decision == "pending" for _, _, _, decision, _ in copies):
            state = "pending"
        else:
            state = "decided" if copies else "never"
        return Touched(
            id_,
            sha256,
            "" if row is None or version is None else row.name,
            state,
            tuple(sorted({number for number, *_ in copies})),
            version is not None and not self.goes(version),
            tuple(objects.referring(connection, [objects.id_hash(self._hash_key, id_)]))
            if version is not None
            else (),
            tuple(
                self._aliases[cid]
                for cid in store.holders(connection, id_, sha256 if version is None else version.sha256)
                if cid != self._cid
            ),
        )

    def version(self, id_: str, sha256: bytes) -> VersionRow | None:
        """The version under which a content from this counterpart is held: the same bytes, or the same value."""
        row = objects.find(self._connection, objects.id_hash(self._hash_key, id_))
        if row is None:
            return None
        versions = objects.versions_of(self._connection, row.oid)
        theirs = {v.vid for v in versions if self._came(v.vid)}
        for version in versions:
            if version.vid in theirs and version.sha256 == sha256:
                return version
        for number, position, moment, decision, _ in store.copies(self._connection, self._cid, id_, sha256):
            if decision == "accepted":
                value = msgspec.json.decode(packages.waiting_raw(self._connection, number, position))
                for version in versions:
                    text = objects.raw(self._connection, version.vid)
                    same = version.vid in theirs and version.moment == moment
                    if same and compare.same_value(msgspec.json.decode(text), value):
                        return version
        return None

    def _came(self, vid: int) -> bool:
        return any(origin.number in self.theirs for origin in objects.origins_of(self._connection, vid))

    def came_at_all(self, oid: int) -> bool:
        """Whether anything that is held of an object came from this counterpart."""
        return any(self._came(version.vid) for version in objects.versions_of(self._connection, oid))

    def acts(self, version: VersionRow) -> frozenset[int]:
        """The acts by which a version came that a recall undoes: theirs; of what is theirs, later imports here too."""
        owner = self._owners(version.oid, version.vid)
        if owner is None or owner.name != self.fingerprint:
            return self.theirs
        come = objects.origins_of(self._connection, version.vid)
        return self.theirs | {origin.number for origin in come if origin.kind == "import"}

    def goes(self, version: VersionRow) -> bool:
        """Whether a version came from this counterpart alone, and goes when they ask it back."""
        acts = self.acts(version)
        return all(origin.number in acts for origin in objects.origins_of(self._connection, version.vid))


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
    of it was asked back before), recall-too-large, and as `sealing.seal` does.
    """
    _require_reason(reason)
    with installation.database.snapshot() as reader:
        one = counterparts.find(reader, to)
        contents, void = _plan(installation, reader, one, ids, versions)
        planned = audit.head(reader).number
    statement = statements.make(
        installation,
        RECALL,
        objects=[{"id": c.id, "sha256": c.sha256.hex()} for c in contents],
        reason=reason.strip(),
    )

    def commit(tx: Connection) -> None:
        store.mark_ledger(tx, one.cid)

    return _send(installation, one, statement, statement.id, target, job, commit, void, planned)


def holders(installation: Installation, ids: Sequence[str], versions: Sequence[bytes] | None) -> list[str]:
    """Aliases of all counterparts who were given any of this, in a package that is not void."""
    reader = installation.database.read()
    found = set[int]()
    for entry in (entry for id_ in dict.fromkeys(ids) for entry in packages.ledger(reader, None, id_)):
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
    reason-too-long, and as `sealing.seal` does.
    """
    _require_reason(reason)
    reader = installation.database.read()
    row = _find(reader, number)
    if not row.ours:
        raise Refused("recall-theirs", number=number)
    if recalls.withdrawn(gather(reader, row.cid), row.id):
        raise Refused("recall-closed", number=number)
    one = store_counterparts.get(reader, row.cid)
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
        kept, never = _remaining(reader, row)
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

    def delete(tx: Connection) -> None:
        _open(tx, number)
        if _remaining(tx, row) != (kept, never):
            raise Refused("store-busy")
        _delete(tx, installation, row)

    return _send(installation, one, statement, row.id, target, job, delete)


def refuse(installation: Installation, number: int, reason: str, target: Path | None, job: Job) -> Sent:
    """Answer a recall with a reason why it is not followed. Nothing is deleted.

    Raises `Refused`: recall-unknown, recall-ours, recall-closed, reason-missing, reason-too-long, and as
    `sealing.seal` does.
    """
    _require_reason(reason)
    row, one = _open(installation.database.read(), number)
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


def _remaining(connection: Connection, row: store.Row) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """SHA-256 of what a recall names and stays from another source, and of what never came from them."""
    touching, kept, never = _Touching(connection, row.cid), set[bytes](), set[bytes]()
    for id_, sha256 in store.contents(connection, row.number):
        version = touching.version(id_, sha256)
        if version is not None and not touching.goes(version):
            kept.add(sha256)
        elif version is None and not store.copies(connection, row.cid, id_, sha256):
            never.add(sha256)
    return frozenset(kept), frozenset(never - kept)


def _delete(tx: Connection, installation: Installation, row: store.Row) -> None:
    touching = _Touching(tx, row.cid)
    contents = store.contents(tx, row.number)
    leaving: dict[frozenset[int], list[int]] = {}
    for id_, sha256 in contents:
        version = touching.version(id_, sha256)
        if version is not None:
            leaving.setdefault(touching.acts(version), []).append(version.vid)
    # Not before: the copies in the inbox tell under which value a content is held.
    done = [taking_back.take_back(tx, installation, vids, acts) for acts, vids in leaving.items()]
    numbers = set[int]()
    for id_, sha256 in contents:
        for number, position, *_ in store.copies(tx, row.cid, id_, sha256):
            store.blank(tx, number, position)
            numbers.add(number)
        idh = objects.id_hash(objects.hash_key(tx), id_)
        if (oid := objects.oid_of(tx, idh)) is not None and not touching.came_at_all(oid):
            attachments.shred_given(tx, installation, oid, touching.fingerprint)
    for number in numbers:
        attachments.settle(tx, installation, number)
        packages.settle(tx, number)
    installation.database.leave_no_trace()
    audit.append(
        tx,
        installation,
        "recall.deleted",
        number=row.number,
        objects=sum(one.objects for one in done),
        versions=sum(one.versions for one in done),
        kept=sum(one.kept for one in done),
    )


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
        if statement.kind == RECALL:
            _index(tx, installation, one, statement, ours=True)
        act(tx)
        settle(tx, one.cid, recall_id)
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
    return Sent(_listed(reader, row, {}), package, void)


_ACTS = {RECALL: "recall.sent", CONFIRMATION: "recall.answered", WITHDRAWAL: "recall.withdrawn"}


def _index(
    tx: Connection, installation: Installation, one: Counterpart, statement: Statement, *, ours: bool
) -> int:
    said = recalls.read(RECALL, document.parse(statement.raw).body)
    assert isinstance(said, recalls.Recall)
    named = ((content.id, content.sha256) for content in said.contents)
    return store.add(tx, one.cid, statement.id, ours, installation.now(), named)


def settle(tx: Connection, cid: int, recall_id: bytes) -> None:
    """Let the store say what the set of statements now held makes of a recall, if that is here."""
    row = store.by_id(tx, cid, recall_id)
    known = gather(tx, cid)
    if row is None or row.id not in known.recalls:
        return
    taken = recalls.withdrawn(known, row.id)
    store.settle(tx, row.number, recalls.state(known, row.id), recalls.standing(known, row.id), taken)
    if row.ours and taken:
        for epoch, seq in store.unmark_ledger(tx, cid, row.number):
            receipts.replay(tx, cid, epoch, seq)
        store.mark_ledger(tx, cid)  # what another recall names too


def apply(tx: Connection, installation: Installation, one: Counterpart, statement: Statement) -> str:
    """Let a statement of theirs that was just added to the set take effect; returns what is wrong with it, or "".

    Codes: recall-unreadable, confirmation-other (it does nothing), confirmation-unknown (of a recall never made, kept),
    recall-tombstone (it names something that never came: remembered, and shown should it come).
    """
    if not recalls.about(statement.kind, statement.body):
        return ""
    code = detail = ""
    try:
        said = recalls.read(statement.kind, document.parse(statement.raw).body)
    except Unreadable as error:
        code, detail = "recall-unreadable", str(error)
    else:
        code = _take(tx, installation, one, statement, said)
    audit.append(
        tx,
        installation,
        "recall.received",
        sender=one.fingerprint,
        kind=statement.kind,
        statement=statement.id.hex(),
        code=code,
        detail=detail,
    )
    return code


def number_of(connection: Connection, cid: int, recall_id: bytes) -> list[int]:
    """The number here of a recall; none if it could not be read."""
    row = store.by_id(connection, cid, recall_id)
    return [] if row is None else [row.number]


def _take(
    tx: Connection, installation: Installation, one: Counterpart, statement: Statement, said: recalls.Read
) -> str:
    if isinstance(said, recalls.Recall):
        _index(tx, installation, one, statement, ours=False)
        settle(tx, one.cid, statement.id)
        copies = (store.copies(tx, one.cid, content.id, content.sha256) for content in said.contents)
        return "" if all(copies) else "recall-tombstone"
    subject = said.recall if isinstance(said, recalls.Confirmation) else said.subject
    settle(tx, one.cid, subject)
    known = gather(tx, one.cid)
    if subject not in known.recalls:
        # A withdrawal may come before its recall; an answer cannot come before what it answers was made here.
        return "confirmation-unknown" if isinstance(said, recalls.Confirmation) else ""
    if isinstance(said, recalls.Confirmation):
        return recalls.fault(known.recalls[subject], replace(said, by=SIDES[False]))
    return ""


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("reason-missing")
    if len(reason.strip()) > recalls.TEXT_LIMIT:
        raise Refused("reason-too-long", most=recalls.TEXT_LIMIT)
