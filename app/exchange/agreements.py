"""Agreements: the terms of a channel, proposed by one side, signed by both, in force for a period.

A proposal, its countersignature and its withdrawal are statements. What an agreement is worth is a function of the
set of them that is held and of the day, never of the order in which they came: `standing`, below. The
countersignature holds a signature over the very bytes that the proposer signed, so that anybody can check both
(`agreement_file`). An agreement binds both directions; each side's gate enforces it on what leaves there.

What both signed away stays away: an agreement that a signed one replaces is superseded for good once that one's
first day came, even if that one is ended later. The time of a signature is the signer's word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app import audit
from app.audit import clock
from app.exchange import counterparts, sealing, statements, terms
from app.exchange.statements import Statement
from app.exchange.terms import Clauses, Proposal
from app.exchange.wording import Unreadable
from app.jobs import Job
from app.messages import Refused
from app.store import agreements as store
from app.store import counterparts as store_counterparts
from app.store.agreements import Row
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import document
from crypto.errors import CryptoError

AGREEMENT, COUNTERSIGNATURE, WITHDRAWAL = KINDS = ("agreement", "countersignature", "withdrawal")

STATES = ("proposed", "upcoming", "in-force", "expired", "superseded", "ended", "closed")
"""`upcoming`: signed, its first day is still to come. `closed`: not signed by its last day for signing."""


@dataclass(frozen=True)
class Known:
    """What the statements held say about one proposal: the days on which it was signed by the other side, and
    whether anybody withdrew.
    """

    clauses: Clauses
    signed: tuple[str, ...] = ()
    withdrawn: bool = False

    @property
    def binding(self) -> bool:
        """Whether it was signed in time, whatever became of it."""
        return any(day <= self.clauses.open_until for day in self.signed)


def standing(known: Mapping[bytes, Known], today: str) -> dict[bytes, str]:
    """The state of each of the agreements between two parties on a day: a function of the set alone."""
    gone = {
        bytes.fromhex(hash_)
        for one in known.values()
        if one.binding and one.clauses.start <= today
        for hash_ in one.clauses.supersedes
    }
    return {id_: _state(one, id_ in gone, today) for id_, one in known.items()}


def _state(one: Known, superseded: bool, today: str) -> str:
    if one.withdrawn:
        return "ended"
    if superseded:
        return "superseded"
    if not one.binding:
        return "proposed" if not one.signed and today <= one.clauses.open_until else "closed"
    if today < one.clauses.start:
        return "upcoming"
    return "in-force" if today <= one.clauses.until else "expired"


@dataclass(frozen=True)
class Agreement:
    """An agreement as lists show it. `number` is its name here, `id` the same on both sides; `ours`: proposed here.

    `signed` and `ended` are times by the signers' clocks, "" if not. `supersedes` are the numbers here of those it
    replaces, `unknown` the ids of those that are not here.
    """

    number: int
    id: str
    counterpart: str
    ours: bool
    state: str
    proposed: str
    signed: str
    ended: str
    clauses: Clauses
    parties: tuple[str, str]
    supersedes: tuple[int, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class InForce:
    """What binds the exchange with one counterpart today: the strictest of each clause, None if nothing does.

    `lapsed`: nothing is in force, and there is an agreement whose period is over or has not begun.
    """

    clauses: Clauses | None = None
    agreements: tuple[tuple[int, str], ...] = ()
    lapsed: bool = False


NONE_IN_FORCE = InForce()


# The state --------------------------------------------------------------------------------------------------


def in_force(connection: Connection, installation: Installation, cid: int) -> InForce:
    """What is in force with a counterpart on the latest day that was seen here."""
    rows = store.of(connection, cid)
    if not rows:
        return NONE_IN_FORCE
    known = _known(connection, cid, rows)
    states = standing(known, clock.today(connection, installation))
    force = sorted((row.number, row.id.hex()) for row in rows if states[row.id] == "in-force")
    clauses = terms.strictest([known[bytes.fromhex(id_)].clauses for _, id_ in force])
    lapsed = clauses is None and any(state in ("expired", "upcoming") for state in states.values())
    return InForce(clauses, tuple(force), lapsed)


def listed(installation: Installation) -> list[Agreement]:
    """All agreements with all counterparts, newest first."""
    with installation.database.snapshot() as reader:
        found = [
            agreement
            for one in store_counterparts.everyone(reader)
            for agreement in _agreements(reader, installation, one)
        ]
    return sorted(found, key=lambda agreement: agreement.number, reverse=True)


def show(installation: Installation, number: int) -> Agreement:
    """One agreement. Raises `Refused`: agreement-unknown."""
    with installation.database.snapshot() as reader:
        return _find(reader, installation, number)[1]


def differences(installation: Installation, before: int, after: int) -> dict[str, tuple[object, object]]:
    """{clause: (in `before`, in `after`)} of the clauses that differ. Raises `Refused`: agreement-unknown."""
    return terms.changed(show(installation, before).clauses, show(installation, after).clauses)


def _known(connection: Connection, cid: int, rows: Iterable[Row]) -> dict[bytes, Known]:
    known = {row.id: Known(_proposal(row).clauses) for row in rows}
    for answer in store.answers(connection, cid):
        if answer.counts and answer.subject in known:
            one = known[answer.subject]
            if answer.kind == WITHDRAWAL:
                known[answer.subject] = replace(one, withdrawn=True)
            else:
                known[answer.subject] = replace(one, signed=(*one.signed, answer.at[:10]))
    return known


def _agreements(connection: Connection, installation: Installation, one: Counterpart) -> list[Agreement]:
    rows = store.of(connection, one.cid)
    states = standing(_known(connection, one.cid, rows), clock.today(connection, installation))
    numbers = {row.id.hex(): row.number for row in rows}
    times: dict[tuple[bytes, str], list[str]] = {}
    for answer in store.answers(connection, one.cid):
        if answer.counts:
            times.setdefault((answer.subject, answer.kind), []).append(answer.at)
    found = []
    for row in rows:
        proposal = _proposal(row)
        hashes = proposal.clauses.supersedes
        found.append(
            Agreement(
                number=row.number,
                id=row.id.hex(),
                counterpart=one.alias,
                ours=row.ours,
                state=states[row.id],
                proposed=proposal.at,
                signed=min(times.get((row.id, COUNTERSIGNATURE), [""])),
                ended=min(times.get((row.id, WITHDRAWAL), [""])),
                clauses=proposal.clauses,
                parties=proposal.parties,
                supersedes=tuple(sorted(numbers[hash_] for hash_ in hashes if hash_ in numbers)),
                unknown=tuple(hash_ for hash_ in hashes if hash_ not in numbers),
            )
        )
    return found


def _find(connection: Connection, installation: Installation, number: int) -> tuple[Counterpart, Agreement]:
    row = store.at(connection, number)
    if row is None:
        raise Refused("agreement-unknown", number=number)
    one = store_counterparts.get(connection, row.cid)
    found = next(a for a in _agreements(connection, installation, one) if a.number == number)
    return one, found


def _proposal(row: Row) -> Proposal:
    return terms.read_proposal(document.parse(row.raw).body)


# What the officer does --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Done:
    """An agreement after an act of the officer, and the package that tells the counterpart."""

    agreement: Agreement
    package: sealing.SealedPackage


def propose(
    installation: Installation,
    to: str,
    clauses: Clauses,
    supersedes: Sequence[int],
    target: Path | None,
    job: Job,
) -> Done:
    """Sign a proposal and seal it into a package. `supersedes` are numbers; what `clauses` says of it is replaced.

    Raises `Refused`: agreement-period, agreement-clause, agreement-unknown, store-busy (the same was just proposed),
    and as `sealing.seal` does.
    """
    reader = installation.database.read()
    one = counterparts.find(reader, to)
    today = installation.now()[:10]
    replaced = [store.at(reader, number) for number in supersedes]
    for number, row in zip(supersedes, replaced, strict=True):
        if row is None or row.cid != one.cid:
            raise Refused("agreement-unknown", number=number)
    if clauses.until < max(clauses.start, today) or not today <= clauses.open_until <= clauses.until:
        raise Refused("agreement-period", start=clauses.start, until=clauses.until)
    clauses = replace(
        clauses, supersedes=tuple(sorted({row.id.hex() for row in replaced if row is not None}))
    )
    parties = (installation.identity.fingerprint, one.fingerprint)
    statement = statements.make(installation, AGREEMENT, **terms.facts(parties, clauses))
    try:
        terms.read_proposal(document.parse(statement.raw).body)
    except Unreadable as error:
        raise Refused("agreement-clause", clause=error) from error

    def check(tx: Connection) -> None:
        # The same terms within one tick of the clock are the same statement, and that has its number already.
        if store.by_id(tx, one.cid, statement.id) is not None:
            raise Refused("store-busy")

    return _send(installation, one, statement, statement.id, target, job, check)


def sign(installation: Installation, number: int, target: Path | None, job: Job) -> Done:
    """Countersign a proposal of theirs and seal the countersignature into a package: here it is in force at once.

    Raises `Refused`: agreement-unknown, agreement-own, agreement-signed, agreement-closed, agreement-ended,
    agreement-superseded, and as `sealing.seal` does.
    """
    reader = installation.database.read()
    one, agreement = _find(reader, installation, number)
    _require_open(agreement)
    row = store.at(reader, number)
    assert row is not None
    said = document.parse(row.raw).body
    signature = document.parse(document.sign(AGREEMENT, said, installation.identity.signing)).signature
    statement = statements.make(
        installation, COUNTERSIGNATURE, agreement=agreement.id, signature=signature.hex()
    )

    def check(tx: Connection) -> None:
        _require_open(_find(tx, installation, number)[1])

    return _send(installation, one, statement, row.id, target, job, check)


def end(installation: Installation, number: int, target: Path | None, job: Job) -> Done:
    """Withdraw from an agreement, or withdraw or decline a proposal, and seal that into a package.

    Either side may, at any time; here it is out of force at once, there when the package comes.
    Raises `Refused`: agreement-unknown, agreement-ended, and as `sealing.seal` does.
    """
    reader = installation.database.read()
    one, agreement = _find(reader, installation, number)
    if agreement.state == "ended":
        raise Refused("agreement-ended", number=number)
    statement = statements.make(installation, WITHDRAWAL, of=AGREEMENT, subject=agreement.id)
    return _send(installation, one, statement, bytes.fromhex(agreement.id), target, job, lambda tx: None)


def _require_open(agreement: Agreement) -> None:
    if agreement.ours:
        raise Refused("agreement-own", number=agreement.number)
    code = _NOT_OPEN.get(agreement.state)
    if code:
        raise Refused(code, number=agreement.number)


_NOT_OPEN = {
    "upcoming": "agreement-signed",
    "in-force": "agreement-signed",
    "expired": "agreement-signed",
    "superseded": "agreement-superseded",
    "ended": "agreement-ended",
    "closed": "agreement-closed",
}


def _send(
    installation: Installation,
    one: Counterpart,
    statement: Statement,
    id_: bytes,
    target: Path | None,
    job: Job,
    check: Callable[[Connection], None],
) -> Done:
    def commit(tx: Connection, epoch: bytes, seq: int) -> None:
        check(tx)
        _keep(tx, installation, one, statement, ours=True)
        audit.append(
            tx,
            installation,
            _ACTS[statement.kind],
            to=one.fingerprint,
            seq=seq,
            agreement=id_.hex(),
            statement=statement.id.hex(),
        )

    package = sealing.seal(installation, one, sealing.Content(statements=(statement,)), target, commit, job)
    row = store.by_id(installation.database.read(), one.cid, id_)
    assert row is not None
    return Done(show(installation, row.number), package)


_ACTS = {AGREEMENT: "agreement.proposed", COUNTERSIGNATURE: "agreement.signed", WITHDRAWAL: "agreement.ended"}


# What the counterpart sends ---------------------------------------------------------------------------------


def apply(tx: Connection, installation: Installation, one: Counterpart, statement: Statement) -> str:
    """Let a statement of theirs that was just added to the set take effect; returns what is wrong with it, or "".

    Codes: agreement-unreadable, agreement-closed (signed too late), countersignature-wrong. A statement about an
    agreement that is not here waits for it.
    """
    if statement.kind not in KINDS:
        return ""
    if statement.kind == WITHDRAWAL and statement.body.get("of", AGREEMENT) != AGREEMENT:
        return ""
    try:
        code = _keep(tx, installation, one, statement, ours=False)
    except Unreadable as error:
        code, detail = "agreement-unreadable", str(error)
    else:
        detail = ""
    statements.log(tx, installation, "agreement.received", one.fingerprint, statement, code, detail)
    return code


def _keep(
    tx: Connection, installation: Installation, one: Counterpart, statement: Statement, *, ours: bool
) -> str:
    """Index a statement; the code of what is wrong with it or with those that waited for it, "" if nothing is."""
    body = document.parse(statement.raw).body
    if statement.kind == AGREEMENT:
        proposal = terms.read_proposal(body)
        if not _between(tx, one, proposal.parties):
            raise Unreadable("parties")
        store.add(tx, one.cid, statement.id, ours)
        row = store.by_id(tx, one.cid, statement.id)
        assert row is not None
        codes = []
        for waiting in store.answers(tx, one.cid, statement.id):
            signature = _read_answer(waiting.kind, document.parse(waiting.raw).body).signature
            counts = _counts(tx, one, row, waiting.kind, waiting.ours, signature)
            store.settle_answer(tx, one.cid, waiting.id, counts)
            codes.append(_code(row, waiting.kind, waiting.at, counts))
        return next(filter(None, codes), "")
    if statement.kind == WITHDRAWAL and statement.body.get("of") != AGREEMENT:
        return ""
    answer = _read_answer(statement.kind, body)
    subject = store.by_id(tx, one.cid, answer.subject)
    done = None if subject is None else _counts(tx, one, subject, statement.kind, ours, answer.signature)
    store.add_answer(tx, one.cid, statement.id, statement.kind, answer.subject, ours, answer.at, done)
    return "" if subject is None or done is None else _code(subject, statement.kind, answer.at, done)


def _read_answer(kind: str, body: bytes) -> terms.Answer:
    return terms.read_withdrawal(body) if kind == WITHDRAWAL else terms.read_countersignature(body)


def _between(connection: Connection, one: Counterpart, parties: tuple[str, str]) -> bool:
    """Whether the parties are we and they, each under the identity of today or one that it succeeded."""
    ours, theirs = counterparts.own_signers(connection), counterparts.signers(connection, one)
    return any(a in ours and b in theirs for a, b in (parties, parties[::-1]))


def _counts(
    connection: Connection, one: Counterpart, subject: Row, kind: str, ours: bool, signature: bytes
) -> bool:
    """Whether an answer is by whom it must be: either party withdraws, the one who did not propose signs, and
    signs the very bytes.
    """
    if kind == WITHDRAWAL:
        return True
    if ours == subject.ours:
        return False
    signers = counterparts.own_signers(connection) if ours else counterparts.signers(connection, one)
    body = document.parse(subject.raw).body
    return any(signs_same(body, signature, public) for public in reversed(signers.values()))


def signs_same(body: bytes, signature: bytes, public: bytes) -> bool:
    """Whether a countersigner's signature is one over the body of the agreement, as an agreement."""
    try:
        document.Document(AGREEMENT, body, b"", signature, b"").verify(public)
    except CryptoError:
        return False
    return True


def _code(subject: Row, kind: str, at: str, counts: bool) -> str:
    if not counts:
        return "countersignature-wrong"
    late = kind == COUNTERSIGNATURE and at[:10] > _proposal(subject).clauses.open_until
    return "agreement-closed" if late else ""
