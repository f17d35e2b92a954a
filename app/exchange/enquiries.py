"""Requests for information: asked of a counterpart, answered by releases that name them.

A request of this kind is a statement whose `of` is `information` (requests for consent have another, `consents`); the
release statement of an answer names it. Whoever asked closes it, whoever was asked declines it, with a withdrawal. What
one is worth is a function of the set of statements held, never of the order in which they came.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from app import audit
from app.exchange import counterparts, sealing, statements, withheld
from app.exchange.statements import Statement
from app.exchange.wording import Unreadable, decoded, require, withdrawal
from app.intel import ids
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import enquiries as store
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import document

REQUEST, WITHDRAWAL, RELEASE = "request", "withdrawal", "release"
OF = "information"
BODY_LIMIT = 1 << 20
TEXT_LIMIT = 10_000
REASON_LIMIT = 1_000
ABOUT_LIMIT = 1_000
"""STIX ids that a request names."""


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    at: str
    of: str
    text: str
    about: list[str]


@dataclass(frozen=True)
class Enquiry:
    """What was asked; `ours`: by us. `about` are the STIX ids it names."""

    ours: bool
    at: str
    text: str
    about: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """That enquiry `subject` (32 bytes) was closed by whoever asked, or declined by the other side."""

    ours: bool
    subject: bytes
    reason: str


@dataclass(frozen=True)
class Known:
    """The statements about enquiries on one channel. `answers`: {enquiry's id: release ids, by whom (ours)}."""

    enquiries: dict[bytes, Enquiry] = field(default_factory=dict)
    ended: tuple[Ended, ...] = ()
    answers: dict[bytes, frozenset[tuple[bool, bytes]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """An enquiry as lists show it. `number` is its name here; `answers` are the numbers of the packages that answer it:
    in our inbox of what we asked, of our own of what they asked. `reason`: why it was declined or closed.
    """

    number: int
    counterpart: str
    ours: bool
    state: str
    at: str
    text: str
    about: tuple[str, ...]
    answers: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Sent:
    """An enquiry after an act of the officer, and the package that tells the counterpart."""

    listed: Listed
    package: sealing.SealedPackage


def read(kind: str, body: bytes, ours: bool) -> Enquiry | Ended:
    """What a statement says. Raises `Unreadable`; nothing of it is trusted but that."""
    if kind == REQUEST:
        asked: _Request = decoded(body, _Request, BODY_LIMIT)
        require(asked.of == OF and bool(asked.text.strip()) and len(asked.text) <= TEXT_LIMIT, "text")
        require(len(asked.about) <= ABOUT_LIMIT and all(map(ids.type_of, asked.about)), "about")
        require(asked.about == sorted(set(asked.about)), "about")
        return Enquiry(ours, asked.at, asked.text, tuple(asked.about))
    taken = withdrawal(body, (OF,), BODY_LIMIT, REASON_LIMIT)
    return Ended(ours, taken.subject, taken.reason)


def about(kind: str, body: dict[str, object]) -> bool:
    """Whether a statement is about an enquiry: it says so."""
    return kind in (REQUEST, WITHDRAWAL) and body.get("of") == OF


def state(known: Known, id_: bytes) -> str:
    """closed (by whoever asked), answered, declined, or open."""
    asked = known.enquiries[id_]
    ended = [one for one in known.ended if one.subject == id_]
    if any(one.ours == asked.ours for one in ended):
        return "closed"
    if any(ours != asked.ours for ours, _ in known.answers.get(id_, ())):
        return "answered"
    return "declined" if ended else "open"


def named(body: dict[str, object]) -> list[bytes]:
    """The ids of the enquiries that a release statement answers; what is no id is passed by."""
    said = body.get("answers")
    found = []
    for one in said if isinstance(said, list) else ():
        try:
            found.append(bytes.fromhex(one))
        except (TypeError, ValueError):
            continue
    return found


def gathered(said: Iterable[tuple[bytes, str, bool, bytes]]) -> Known:
    """What a set of statements (id, kind, ours, body) says of enquiries, in whatever order; what cannot be read says
    nothing.
    """
    enquiries, ended = dict[bytes, Enquiry](), list[Ended]()
    answers: dict[bytes, set[tuple[bool, bytes]]] = {}
    for id_, kind, ours, body in said:
        try:
            value = msgspec.json.decode(body, type=dict[str, object])
            if kind == RELEASE:
                release = bytes.fromhex(str(value.get("release")))
                for enquiry in named(value):
                    answers.setdefault(enquiry, set()).add((ours, release))
            elif about(kind, value):
                one = read(kind, body, ours)
                if isinstance(one, Enquiry):
                    enquiries[id_] = one
                else:
                    ended.append(one)
        except (Unreadable, ValueError):
            continue
    return Known(enquiries, tuple(ended), {id_: frozenset(some) for id_, some in answers.items()})


def gather(connection: Connection, cid: int) -> Known:
    """The enquiries on a channel. A release answers one while a package is under way with it or arrived: what was made
    void, or has not come though its statement has, answers nothing.
    """
    said = store.statements(connection, cid, (REQUEST, WITHDRAWAL, RELEASE))
    known = gathered((id_, kind, ours, document.parse(raw).body) for id_, kind, ours, raw in said)
    there = {
        id_: frozenset(one for one in some if _numbers(connection, cid, *one))
        for id_, some in known.answers.items()
    }
    return replace(known, answers=there)


def _numbers(connection: Connection, cid: int, ours: bool, release: bytes) -> list[int]:
    """The packages with a release: of our own that are not void, or in the inbox."""
    return (store.sealed_with if ours else store.received_with)(connection, cid, release)


# Reading ----------------------------------------------------------------------------------------------------


def listed(installation: Installation) -> list[Listed]:
    """All enquiries with all counterparts, newest first."""
    with installation.database.snapshot() as reader:
        known: dict[int, Known] = {}
        return [_listed(reader, row, known) for row in store.everything(reader)]


def show(installation: Installation, number: int) -> Listed:
    """One enquiry. Raises `Refused`: enquiry-unknown."""
    with installation.database.snapshot() as reader:
        row = store.at(reader, number)
        if row is None:
            raise Refused("enquiry-unknown", number=number)
        return _listed(reader, row, {})


def _listed(connection: Connection, row: store.Row, cache: dict[int, Known]) -> Listed:
    if row.cid not in cache:
        cache[row.cid] = gather(connection, row.cid)
    known = cache[row.cid]
    asked = known.enquiries[row.id]
    answers = [one for one in known.answers.get(row.id, ()) if one[0] != asked.ours]
    reasons = [one.reason for one in known.ended if one.subject == row.id and one.reason]
    return Listed(
        row.number,
        store_counterparts.get(connection, row.cid).alias,
        asked.ours,
        state(known, row.id),
        asked.at,
        asked.text,
        asked.about,
        tuple(sorted(n for one in answers for n in _numbers(connection, row.cid, *one))),
        min(reasons, default=""),
    )


def answered_by(connection: Connection, cid: int, release: bytes | None, *, ours: bool) -> tuple[int, ...]:
    """The numbers here of the enquiries that a release answers; `ours`: it is a release of ours."""
    if release is None:
        return ()
    known = gather(connection, cid)
    rows = {row.id: row.number for row in store.everything(connection) if row.cid == cid}
    return tuple(
        sorted(rows[id_] for id_, some in known.answers.items() if (ours, release) in some and id_ in rows)
    )


def ids_of(connection: Connection, one: Counterpart, numbers: Collection[int]) -> list[str]:
    """The ids (hex) of enquiries of a counterpart, for a release that answers them. Raises `Refused`:
    enquiry-unknown, enquiry-own (we asked it).
    """
    found = []
    for number in numbers:
        row = store.at(connection, number)
        if row is None or row.cid != one.cid:
            raise Refused("enquiry-unknown", number=number)
        if row.ours:
            raise Refused("enquiry-own", number=number)
        found.append(row.id.hex())
    return sorted(found)


# What the officer does --------------------------------------------------------------------------------------


def ask(
    installation: Installation,
    to: str,
    text: str,
    about_: Sequence[str],
    target: Path | None,
    job: Job,
) -> Sent:
    """Ask a counterpart for information, about objects or none. Raises `Refused`: text-missing, enquiry-too-large,
    and as `withheld.require_nameable` and `sealing.seal` do.
    """
    if not text.strip():
        raise Refused("text-missing")
    wanted = sorted(set(about_))
    if len(text.strip()) > TEXT_LIMIT or len(wanted) > ABOUT_LIMIT:
        raise Refused("enquiry-too-large", most=TEXT_LIMIT, ids=ABOUT_LIMIT)
    for id_ in wanted:
        if not ids.type_of(id_):
            raise Refused("object-unknown", id=id_)
    one = counterparts.find(installation.database.read(), to)
    withheld.require_nameable(installation, one, text, wanted)
    statement = statements.make(installation, REQUEST, of=OF, text=text.strip(), about=wanted)
    return _send(installation, one, statement, statement.id, target, job)


def close(installation: Installation, number: int, reason: str, target: Path | None, job: Job) -> Sent:
    """Close an enquiry of ours, or decline one of theirs, with a reason.

    Raises `Refused`: enquiry-unknown, enquiry-closed, reason-missing, reason-too-long, and as `sealing.seal` does.
    """
    reader = installation.database.read()
    row = store.at(reader, number)
    if row is None:
        raise Refused("enquiry-unknown", number=number)
    known = gather(reader, row.cid)
    if any(one.subject == row.id and one.ours for one in known.ended) or state(known, row.id) == "closed":
        raise Refused("enquiry-closed", number=number)
    if not row.ours and not reason.strip():
        raise Refused("reason-missing")
    if len(reason.strip()) > REASON_LIMIT:
        raise Refused("reason-too-long", most=REASON_LIMIT)
    one = store_counterparts.get(reader, row.cid)
    withheld.require_nameable(installation, one, reason)
    statement = statements.make(installation, WITHDRAWAL, of=OF, subject=row.id.hex(), reason=reason.strip())
    return _send(installation, one, statement, row.id, target, job)


def _send(
    installation: Installation,
    one: Counterpart,
    statement: Statement,
    id_: bytes,
    target: Path | None,
    job: Job,
) -> Sent:
    def commit(tx: Connection, epoch: bytes, seq: int) -> None:
        if statement.kind == REQUEST:
            store.add(tx, one.cid, statement.id, True)
        act = "information.requested" if statement.kind == REQUEST else "information.closed"
        audit.append(
            tx,
            installation,
            act,
            to=one.fingerprint,
            seq=seq,
            request=id_.hex(),
            statement=statement.id.hex(),
        )

    package = sealing.seal(installation, one, sealing.Content(statements=(statement,)), target, commit, job)
    reader = installation.database.read()
    row = next(row for row in store.everything(reader) if (row.cid, row.id) == (one.cid, id_))
    return Sent(_listed(reader, row, {}), package)


# What the counterpart sends ---------------------------------------------------------------------------------


def apply(tx: Connection, installation: Installation, one: Counterpart, statement: Statement) -> str:
    """Let a statement of theirs that was just added to the set take effect; returns what is wrong with it
    (enquiry-unreadable), or "".
    """
    if not about(statement.kind, statement.body):
        return ""
    code = ""
    try:
        said = read(statement.kind, document.parse(statement.raw).body, ours=False)
    except Unreadable:
        code = "enquiry-unreadable"
    else:
        if isinstance(said, Enquiry):
            store.add(tx, one.cid, statement.id, False)
    statements.log(tx, installation, "information.received", one.fingerprint, statement, code)
    return code
