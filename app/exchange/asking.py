"""Asking a counterpart about what came from them: to pass it on, or to keep it longer; and their consents.

Requests, consents and withdrawals are statements, each sealed into a package of its own; `consents` says what a set of
them is worth. A consent is for exact contents, for one third party, until a day. Nobody consents to what is not theirs:
what came from elsewhere needs that counterpart's leave first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from app import audit
from app.audit import clock
from app.exchange import consents, counterparts, gate, releases, sealing, statements, withheld
from app.exchange.consents import CONSENT, ONWARD, REQUEST, RETENTION, WITHDRAWAL, Content, Known
from app.exchange.provenance import OURS, Owners, Provenance, gather
from app.exchange.releases import Wish
from app.exchange.statements import Statement
from app.exchange.wording import Unreadable
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import custody as store
from app.store import objects, people
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import document
from crypto.identity import read_card

DEFAULT_DAYS = 90
"""How long a consent lasts when neither side names a day."""


@dataclass(frozen=True)
class Listed:
    """A request or a consent as lists show it. `number` is its name here, `kind` request or consent; `ours`: signed
    here. `request` is the number here of the request that a consent answers, None if that is not here. `third` is whom
    it is for: an alias, else what the asker calls them. `until` is "" where none is named; `why` the reason given.
    """

    number: int
    kind: str
    of: str
    counterpart: str
    ours: bool
    state: str
    at: str
    third: str
    fingerprint: str
    contents: tuple[Content, ...]
    until: str
    why: str
    request: int | None


@dataclass(frozen=True)
class Asked:
    """A request or consent after an act of the officer, and the package that tells the counterpart."""

    listed: Listed
    package: sealing.SealedPackage


def listed(installation: Installation) -> list[Listed]:
    """All requests and consents with all counterparts, newest first."""
    with installation.database.snapshot() as reader:
        found = [
            one
            for counterpart in store_counterparts.everyone(reader)
            for one in _listed(reader, installation, counterpart)
        ]
    return sorted(found, key=lambda one: one.number, reverse=True)


def show(installation: Installation, number: int) -> Listed:
    """One request or consent. Raises `Refused`: request-unknown."""
    for one in listed(installation):
        if one.number == number:
            return one
    raise Refused("request-unknown", number=number)


def request_onward(
    installation: Installation,
    to: str,
    ids: Sequence[str],
    third: str,
    reason: str,
    until: str,
    target: Path | None,
    job: Job,
) -> Asked:
    """Ask counterpart `to` for leave to release what came from them to counterpart `third`.

    It names the contents that need their consent for that, those that the chosen objects need included. `until` is the
    last day wished for, "": none. Raises `Refused`: reason-missing, nothing-to-ask (fact `decision`),
    request-too-large, and as `releases.check`, `withheld.require_nameable` and `sealing.seal` do.
    """
    if not reason.strip():
        raise Refused("reason-missing")
    one = counterparts.find(installation.database.read(), to)
    whom = counterparts.find(installation.database.read(), third)
    decision = releases.check(installation, whom.fingerprint, Wish(tuple(ids)), job)
    with installation.database.snapshot() as reader:
        owned = Provenance(reader, installation, whom, people.default_handling(reader))
        hash_key, wanted = objects.hash_key(reader), []
        for item in decision.items:
            oid = objects.oid_of(reader, objects.id_hash(hash_key, item.id))
            custody = None if oid is None else owned.custody(oid, item.vid, item.sha256, item.level)
            if custody is not None and custody.whose == one.fingerprint:
                candidate = gate.Candidate(item.vid, item.id, item.level, (), custody=custody)
                if gate.onward(candidate, gate.Terms(None, True, to=whom.fingerprint)) == "onward-consent":
                    wanted.append(Content(item.id, item.sha256.hex()))
    if not wanted:
        raise Refused("nothing-to-ask", name=one.alias, third=whom.alias, decision=decision)
    return _ask(installation, one, ONWARD, whom, wanted, reason, until, target, job)


def request_retention(
    installation: Installation,
    to: str,
    ids: Sequence[str],
    until: str,
    reason: str,
    target: Path | None,
    job: Job,
) -> Asked:
    """Ask counterpart `to` for leave to keep what came from them until a day.

    Raises `Refused`: reason-missing, object-unknown, nothing-to-ask (nothing of it came from them), request-too-large,
    and as `withheld.require_nameable` and `sealing.seal` do.
    """
    if not reason.strip():
        raise Refused("reason-missing")
    with installation.database.snapshot() as reader:
        one = counterparts.find(reader, to)
        owners, hash_key, wanted = Owners(reader), objects.hash_key(reader), []
        for id_ in ids:
            oid = objects.oid_of(reader, objects.id_hash(hash_key, id_))
            if oid is None:
                raise Refused("object-unknown", id=id_)
            for version in objects.versions_of(reader, oid):
                origin = owners(oid, version.vid)
                if origin is not None and origin.name == one.fingerprint:
                    wanted.append(Content(id_, version.sha256.hex()))
    if not wanted:
        raise Refused("nothing-to-ask", name=one.alias, third="")
    return _ask(installation, one, RETENTION, None, wanted, reason, until, target, job)


def _ask(
    installation: Installation,
    one: Counterpart,
    of: str,
    third: Counterpart | None,
    contents: Sequence[Content],
    reason: str,
    until: str,
    target: Path | None,
    job: Job,
) -> Asked:
    unique = {content.sha256: content for content in contents}
    if len(unique) > consents.OBJECTS_LIMIT:
        raise Refused("request-too-large", most=consents.OBJECTS_LIMIT)
    withheld.require_nameable(installation, one, reason)
    facts = {
        "of": of,
        "for": "" if third is None else third.fingerprint,
        # The name on the card: what the officer calls them here is for nobody else.
        "name": "" if third is None else read_card(third.card).name[: consents.TEXT_LIMIT],
        "objects": [{"id": c.id, "sha256": c.sha256} for c in unique.values()],
        "until": until or None,
        "reason": reason.strip()[: consents.TEXT_LIMIT],
    }
    statement = statements.make(installation, REQUEST, **facts)
    return _send(installation, one, statement, target, job, lambda tx: None)


def consent(
    installation: Installation,
    number: int,
    ids: Sequence[str] | None,
    until: str,
    target: Path | None,
    job: Job,
) -> Asked:
    """Consent to request `number` of theirs, for all it names or (with `ids`) for some, until a day ("": as they
    wished, else 90 days).

    Raises `Refused`: request-unknown, request-own, request-closed, object-unknown, consent-period, never-given (it was
    not given to them), not-ours-to-give (fact `cause`: the gate's, for what came from somebody else), and as
    `sealing.seal` does.
    """
    with installation.database.snapshot() as reader:
        one, id_, known = _find(reader, installation, number)
        asked = _open_request(known, installation, id_, number)
        contents = asked.contents
        if ids is not None:
            for missing in set(ids) - {content.id for content in contents}:
                raise Refused("object-unknown", id=missing)
            contents = tuple(content for content in contents if content.id in set(ids))
        today = installation.now()[:10]
        last = until or asked.until or str(date.fromisoformat(today) + timedelta(DEFAULT_DAYS))
        if last < today:
            raise Refused("consent-period", until=last)
        _require_ours(reader, installation, one, asked, contents)
        judged = audit.head(reader).number
    facts = {
        "of": asked.of,
        "request": id_.hex(),
        "for": asked.third,
        "objects": [{"id": content.id, "sha256": content.sha256} for content in contents],
        "until": last,
    }

    def check(tx: Connection) -> None:
        _open_request(_find(tx, installation, number)[2], installation, id_, number)

    statement = statements.make(installation, CONSENT, **facts)
    return _send(installation, one, statement, target, job, check, judged_at=judged)


def withdraw(installation: Installation, number: int, reason: str, target: Path | None, job: Job) -> Asked:
    """Take back request or consent `number` of ours, or decline a request of theirs (with a reason).

    Raises `Refused`: request-unknown, request-closed, not-ours-to-withdraw (their consent), reason-missing, and as
    `withheld.require_nameable` and `sealing.seal` do.
    """
    with installation.database.snapshot() as reader:
        one, id_, known = _find(reader, installation, number)
        is_request = id_ in known.requests
        if not is_request and known.consents[id_].by != OURS:
            raise Refused("not-ours-to-withdraw", number=number)
        if consents.state(known, id_, clock.today(reader, installation)) in ("withdrawn", "declined"):
            raise Refused("request-closed", number=number)
        if is_request and known.requests[id_].by != OURS and not reason.strip():
            raise Refused("reason-missing")
    withheld.require_nameable(installation, one, reason)
    statement = statements.make(
        installation,
        WITHDRAWAL,
        of=REQUEST if is_request else CONSENT,
        subject=id_.hex(),
        reason=reason.strip()[: consents.TEXT_LIMIT],
    )
    return _send(installation, one, statement, target, job, lambda tx: None, number)


def _open_request(known: Known, installation: Installation, id_: bytes, number: int) -> consents.Request:
    asked = known.requests.get(id_)
    if asked is None:
        raise Refused("request-unknown", number=number)
    if asked.by == OURS:
        raise Refused("request-own", number=number)
    if consents.state(known, id_, "") not in ("open", "answered"):
        raise Refused("request-closed", number=number)
    return asked


def _require_ours(
    reader: Connection,
    installation: Installation,
    one: Counterpart,
    asked: consents.Request,
    contents: Sequence[Content],
) -> None:
    """Refuse unless each content was given to the asker and is ours, or its owner lets it go where it is to go."""
    hash_key = objects.hash_key(reader)
    third = next((c for c in store_counterparts.everyone(reader) if c.fingerprint == asked.third), None)
    # Whom we do not know, nobody can have consented to.
    whom = third or Counterpart(0, asked.third, "", b"", "", None, None)
    owned = Provenance(reader, installation, whom, people.default_handling(reader))
    for content in contents:
        sha256 = bytes.fromhex(content.sha256)
        if not store.gave(reader, one.cid, sha256):
            raise Refused("never-given", id=content.id, name=one.alias)
        oid = objects.oid_of(reader, objects.id_hash(hash_key, content.id))
        versions = [] if oid is None else objects.versions_of(reader, oid)
        for version in versions:
            if oid is None or version.sha256 != sha256:
                continue
            own = None if version.marking is None else Level(version.marking)
            custody = owned.custody(oid, version.vid, sha256, own)
            if custody is None or custody.whose == one.fingerprint:
                continue
            if asked.of == RETENTION:
                # How long we may keep it is no leave to lengthen for others.
                raise Refused("not-ours-to-give", id=content.id, cause="retention")
            candidate = gate.Candidate(version.vid, content.id, custody.given, (), custody=custody)
            if code := gate.onward(candidate, gate.Terms(None, True, to=asked.third)):
                raise Refused("not-ours-to-give", id=content.id, cause=code)


def _find(
    connection: Connection, installation: Installation, number: int
) -> tuple[Counterpart, bytes, Known]:
    found = store.asking(connection, number)
    if found is None:
        raise Refused("request-unknown", number=number)
    cid, id_ = found
    return store_counterparts.get(connection, cid), id_, gather(connection, cid)


def _send(
    installation: Installation,
    one: Counterpart,
    statement: Statement,
    target: Path | None,
    job: Job,
    check: Callable[[Connection], None],
    about: int | None = None,
    judged_at: int | None = None,
) -> Asked:
    numbers = [about] if about is not None else []

    def commit(tx: Connection, epoch: bytes, seq: int) -> None:
        check(tx)
        if about is None:
            numbers.append(store.add_asking(tx, one.cid, statement.id))
        audit.append(
            tx,
            installation,
            _ACTS[statement.kind],
            to=one.fingerprint,
            seq=seq,
            statement=statement.id.hex(),
            number=numbers[0],
        )

    content = sealing.Content(statements=(statement,), judged_at=judged_at)
    package = sealing.seal(installation, one, content, target, commit, job)
    return Asked(next(o for o in listed(installation) if o.number == numbers[0]), package)


_ACTS = {REQUEST: "consent.requested", CONSENT: "consent.given", WITHDRAWAL: "consent.withdrawn"}


# What the counterpart sends ---------------------------------------------------------------------------------


def apply(tx: Connection, installation: Installation, one: Counterpart, statement: Statement) -> str:
    """Let a statement of theirs that was just added to the set take effect; returns what is wrong with it, or "".

    Codes: consent-unreadable, consent-other (it does nothing). One about something that is not here waits for it.
    """
    if statement.kind not in consents.KINDS or not consents.about(statement.body):
        return ""
    code = detail = ""
    try:
        said = consents.read(statement.kind, document.parse(statement.raw).body)
    except Unreadable as error:
        code, detail = "consent-unreadable", str(error)
    else:
        if statement.kind != WITHDRAWAL:
            store.add_asking(tx, one.cid, statement.id)
        if isinstance(said, consents.Consent):
            given = gather(tx, one.cid, statement.id, alone=True).consents[statement.id]
            code = consents.fault(gather(tx, one.cid, given.request, alone=True), given)
        elif isinstance(said, consents.Request):
            known = gather(tx, one.cid, statement.id)
            code = next(filter(None, (consents.fault(known, c) for c in known.consents.values())), "")
    statements.log(tx, installation, "consent.received", one.fingerprint, statement, code, detail)
    return code


def _listed(connection: Connection, installation: Installation, one: Counterpart) -> list[Listed]:
    known = gather(connection, one.cid)
    said = {
        s.id: s for s in store.statements(connection, one.cid, (REQUEST, CONSENT)) if s.number is not None
    }
    numbers = {id_: s.number for id_, s in said.items()}
    aliases = {c.fingerprint: c.alias for c in store_counterparts.everyone(connection)}
    today = clock.today(connection, installation)
    found = []
    for id_, number in numbers.items():
        asked, given = known.requests.get(id_), known.consents.get(id_)
        about = asked or given
        if about is None or number is None:
            continue
        request = known.requests.get(given.request) if given is not None else asked
        found.append(
            Listed(
                number=number,
                kind=said[id_].kind,
                of=about.of,
                counterpart=one.alias,
                ours=said[id_].ours,
                state=consents.state(known, id_, today),
                at=about.at,
                third=aliases.get(about.third) or ("" if request is None else request.name),
                fingerprint=about.third,
                contents=about.contents,
                until=about.until,
                why="" if request is None else request.reason,
                request=None if given is None else numbers.get(given.request),
            )
        )
    return found
