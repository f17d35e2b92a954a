"""Release: decide what may leave for one counterpart, and seal exactly that.

`check` and `release` judge with the same function over the same facts; what leaves is byte for byte what was shown.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app import audit
from app.audit import clock
from app.exchange import agreements, counterparts, enquiries, files, gate, parts, sealing, statements
from app.exchange.agreements import NONE_IN_FORCE, InForce
from app.exchange.files import Bundled
from app.exchange.gate import Candidate, Caution, Custody, Stated, Terms
from app.exchange.provenance import Basis, Provenance, basis_now
from app.exchange.sectors import Subjects
from app.exchange.selection import BATCH, Fact, Gathering, unhurried
from app.exchange.withheld import demands, require_nameable
from app.exchange.wording import is_word
from app.intel import marking
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store import agreements as store_agreements
from app.store import attachments as store_attachments
from app.store import custody as store_custody
from app.store import ledger as store_ledger
from app.store import objects, people
from app.store.attachments import Attachment
from app.store.counterparts import Counterpart
from app.store.custody import FREE, Restraint
from app.store.database import Connection, watched
from app.store.installation import Installation
from crypto.names import NAME_LIMIT, usable

RELEASE_ID_BYTES = 16
NOTE_LIMIT = 10_000
PRIORITIES = ("routine", "flash")


@dataclass(frozen=True)
class Wish:
    """What the officer wants to release: `selected` STIX ids (None: everything held), and how.

    `contents` instead names exact contents, (id, SHA-256), those and no others: what a package had, when it is sent
    again; `attachments` then are those it had, named so too. `answers` are the numbers of requests for information of
    theirs that it answers.
    """

    selected: tuple[str, ...] | None
    new_only: bool = False
    every_version: bool = False
    note: str = ""
    priority: str = "routine"
    reference: str = ""
    contents: tuple[tuple[str, bytes], ...] | None = None
    purpose: str = ""
    exercise: bool = False
    attachments: frozenset[tuple[str, bytes]] | None = None
    answers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Item:
    """One version and its verdict: leaves, already-has, or the code of what holds it back. `bound` is what goes
    with it beside its level, `onward` what whoever it came from lets be done with it ("": it is
    ours, or theirs, or free).
    """

    vid: int
    id: str
    type: str
    modified: str
    sha256: bytes
    level: Level
    handling: Level | None
    code: str
    bound: Restraint = FREE
    onward: str = ""


@dataclass(frozen=True)
class Decision:
    """The gate's answer for one wish and one counterpart. `attachments` leave with their objects. `protection`
    is the class of key the package would get;
    `force` and `basis` are the agreements and consents it rests on, `logged` the newest entry of the log it saw.
    """

    items: tuple[Item, ...]
    warnings: tuple[Caution, ...]
    protection: str
    ceiling: Level | None
    force: InForce = NONE_IN_FORCE
    basis: Basis = ()
    attachments: tuple[Attachment, ...] = ()
    logged: int | None = None

    @property
    def leaving(self) -> tuple[Item, ...]:
        """What leaves, in the order it stands in the package."""
        return tuple(item for item in self.items if item.code == gate.LEAVES)

    @property
    def held(self) -> tuple[Item, ...]:
        """What is held back."""
        return tuple(item for item in self.items if item.code not in (gate.LEAVES, gate.ALREADY_HAS))


@dataclass(frozen=True)
class Released:
    """A sealed release and what was decided for it."""

    package: sealing.SealedPackage
    decision: Decision
    release: str


def check(installation: Installation, to: str, wish: Wish, job: Job) -> Decision:
    """What would leave, and what not and why. Changes nothing.

    Raises `Refused`: counterpart-unknown, counterpart-ambiguous, object-unknown, and as `sealing.choice` does; and
    `Cancelled`.
    """
    with installation.database.snapshot() as reader, watched(reader, job.look), unhurried():
        return _decide(installation, reader, counterparts.find(reader, to), wish, job)


def require_usable(installation: Installation, to: str, wish: Wish) -> None:
    """Raise `Refused` unless what the officer says of a release can be said: note-too-long, purpose-unusable,
    reference-unusable, enquiry-unknown, enquiry-own, and as `counterparts.find` and `withheld.require_nameable` do.
    """
    if wish.purpose and not is_word(wish.purpose):
        raise Refused("purpose-unusable", purpose=wish.purpose[:100])
    if len(wish.note) > NOTE_LIMIT:
        raise Refused("note-too-long", most=NOTE_LIMIT)
    if wish.reference and not usable(unicodedata.normalize("NFC", wish.reference.strip())):
        raise Refused("reference-unusable", reference=wish.reference[:100], most=NAME_LIMIT)
    reader = installation.database.read()
    one = counterparts.find(reader, to)
    enquiries.ids_of(reader, one, wish.answers)
    require_nameable(installation, one, wish.note)


def release(
    installation: Installation,
    to: str,
    wish: Wish,
    target: Path | None,
    job: Job,
    shown: Decision | None = None,
) -> Released:
    """Seal what may leave and hand the package to `target` (None: it waits in the outbox). `shown` is what
    the officer saw: should something else leave now, nothing does.

    Raises `Refused`: nothing-leaves (fact `decision`: the `Decision`), and as `require_usable`, `check` and
    `sealing.seal` do.
    """
    require_usable(installation, to, wish)
    with installation.database.snapshot() as reader, watched(reader, job.look), unhurried():
        one = counterparts.find(reader, to)
        decision = _decide(installation, reader, one, wish, job)
        if not decision.leaving:
            raise Refused("nothing-leaves", decision=decision)
        if shown is not None and _contents(shown) != _contents(decision):
            raise Refused("decision-changed", decision=decision)
    return send(installation, one, wish, decision, secrets.token_bytes(RELEASE_ID_BYTES), None, target, job)


def _contents(decision: Decision) -> tuple[object, ...]:
    return tuple(
        (item.sha256, item.handling, item.bound, item.onward) for item in decision.leaving
    ), decision.attachments


def send(
    installation: Installation,
    one: Counterpart,
    wish: Wish,
    decision: Decision,
    release_id: bytes,
    replaces: int | None,
    target: Path | None,
    job: Job,
) -> Released:
    """Seal what `decision` lets leave, under a release id; `replaces` is the package this one stands for, now void.

    Raises `Refused` as `sealing.seal` does.
    """
    made = [parts.intel(installation, decision.leaving)]
    if lines := parts.handling_lines(decision.leaving, wish.exercise, job):
        made.append(parts.text("handling", lines))
    if wish.note:
        made.append(parts.text("note", wish.note.encode()))
    # Their hashes are known: what may be gigabytes is read once, as it is sealed.
    read = [parts.described(part, job) for part in made]
    described = [said for _, said in read] + files.described(decision.attachments)
    made = [part for part, _ in read] + files.parts(installation, decision.attachments)
    statement = statements.make(
        installation,
        "release",
        to=one.fingerprint,
        release=release_id.hex(),
        agreements=sorted(id_ for _, id_ in decision.force.agreements),
        purpose=wish.purpose,
        exercise=wish.exercise,
        answers=enquiries.ids_of(installation.database.read(), one, wish.answers),
        parts=described,
    )
    numbers = tuple(number for number, _ in decision.force.agreements)
    entry = {
        "release": release_id.hex(),
        "objects": len(decision.leaving),
        "held": len(decision.held),
        "attachments": len(decision.attachments),
        "reference": wish.reference,
        "priority": wish.priority,
        "replaces": replaces,
        "agreements": numbers,
        "purpose": wish.purpose,
        "exercise": wish.exercise,
    }
    content = sealing.Content(
        parts=tuple(made),
        statements=(statement,),
        release=release_id,
        entry=("release", entry),
        priority=wish.priority,
        reference=wish.reference,
        note=wish.note,
        replaces=replaces,
        protection=decision.protection,
        judged_at=decision.logged,
    )

    def commit(tx: Connection, epoch: bytes, seq: int) -> None:
        if agreements.in_force(tx, installation, one.cid) != decision.force:
            raise Refused("store-busy")
        if basis_now(tx, installation, one, decision.basis) != decision.basis:
            raise Refused("store-busy")
        if not store_attachments.all_held(tx, decision.attachments):
            raise Refused("store-busy")
        given = ((item.id, item.sha256) for item in decision.attachments)
        store_attachments.add_given(tx, one.cid, epoch, seq, given)
        said = store_agreements.ReleaseTerms(wish.purpose, wish.exercise, numbers)
        store_agreements.add_release_terms(tx, one.cid, epoch, seq, said)
        store_ledger.add(
            tx,
            (
                store_ledger.Entry(
                    one.cid, epoch, seq, position, item.id, item.modified, item.sha256, "sealed", False
                )
                for position, item in enumerate(job.each(decision.leaving, len(decision.leaving), "finish"))
            ),
        )

    sealed = sealing.seal(installation, one, content, target, commit, job)
    return Released(sealed, decision, release_id.hex())


def _decide(
    installation: Installation, reader: Connection, one: Counterpart, wish: Wish, job: Job
) -> Decision:
    _, key = sealing.choice(reader, installation, one)
    force = agreements.in_force(reader, installation, one.cid)
    terms = demands(force, one.fingerprint, installation.now()[:10], protected=key.protection != "card")
    default = people.default_handling(reader)
    hash_key = objects.hash_key(reader)
    has = store_ledger.contents_with(reader, one.cid)
    provenance = Provenance(reader, installation, one, default)
    bundled = Bundled(reader, one.cid, wish.attachments)
    gathering = Gathering(
        reader,
        hash_key,
        default,
        provenance,
        lambda row: row.sha256 in has and bundled.all_there(row.oid, terms),
        job,
    )
    if wish.contents is None:
        rows = objects.held(reader, _selected(reader, hash_key, wish, job), wish.every_version, job=job)
        gathered = gathering.chosen(rows, wish.every_version)
    else:
        job.step(0, 0, "read")
        gathered = gathering.again(objects.held_contents(reader, wish.contents))
    judgement = gate.judge(
        gathered.candidates,
        terms,
        gathering.elsewhere,
        wish.new_only,
        marking.canonical(),
        Stated(wish.purpose, wish.exercise),
        Subjects(reader, hash_key, by_sector=terms.sectors is not None),
        job,
    )
    total = len(gathered.candidates)
    theirs = {
        one.key: one.custody
        for one in job.each(gathered.candidates, total, "gather")
        if one.custody is not None
    }
    items = tuple(
        Item(
            v.key,
            fact.row.id,
            fact.row.type,
            fact.row.modified,
            fact.row.sha256,
            fact.level,
            fact.handling,
            v.code,
            provenance.restraint(fact.row.oid),
            _onward(theirs.get(v.key), fact.level),
        )
        for v in job.each(sorted(judgement.verdicts, key=lambda v: v.key), total, "gather")
        for fact in (gathered.facts[v.key],)
    )
    oids = {key: fact.row.oid for key, fact in gathered.facts.items()}
    going, bound = _along(bundled, gathered.candidates, items, oids, terms, wish, job)
    leaving = [gathered.facts[item.vid] for item in items if item.code == gate.LEAVES]
    cautions = _cautions(reader, installation, one, leaving, provenance, wish, job)
    warnings = (*judgement.warnings, *cautions, *([Caution("attachment-theirs", bound)] if bound else ()))
    logged = audit.head(reader).number
    return Decision(items, warnings, key.protection, terms.ceiling, force, provenance.basis(), going, logged)


def _onward(custody: Custody | None, level: Level) -> str:
    """What goes with a content of somebody else's, so that leave for one is not leave for all."""
    return "" if custody is None or level is Level.CLEAR else custody.onward


def _cautions(
    reader: Connection,
    installation: Installation,
    one: Counterpart,
    leaving: Sequence[Fact],
    provenance: Provenance,
    wish: Wish,
    job: Job,
) -> tuple[Caution, ...]:
    before = dict[int, int]()
    oids = sorted({fact.row.oid for fact in leaving})
    for start in range(0, len(oids), BATCH):
        job.step(start, len(oids), "gather")
        before |= store_custody.stricter_before(reader, oids[start : start + BATCH])
    exercises = store_custody.in_exercises(reader)
    signs = []
    for fact in job.each(leaving, len(leaving), "gather"):
        exercise = provenance.restraint(fact.row.oid).exercise or fact.row.sha256 in exercises
        foreign = provenance.foreign(fact.row.oid, fact.row.vid)
        weakened = before.get(fact.row.oid, -1) > fact.level
        signs.append(gate.Sign(fact.marking is not None, exercise, foreign and not exercise, weakened))
    largest = store_custody.largest_release(reader, one.cid) if len(leaving) > gate.LARGE else 0
    behind = clock.read(installation, reader).behind
    return gate.cautions(signs, Stated(wish.purpose, wish.exercise), largest, behind)


def _along(
    bundled: Bundled,
    candidates: Sequence[Candidate],
    items: Sequence[Item],
    oids: Mapping[int, int],
    terms: Terms,
    wish: Wish,
    job: Job,
) -> tuple[tuple[Attachment, ...], int]:
    """The attachments of what leaves, each once though several versions leave, and how many stay that are not ours."""
    leaving = {item.vid for item in items if item.code == gate.LEAVES}
    # Where versions of one object are bound differently, the strictest word counts.
    found: dict[int, tuple[list[Attachment], int]] = {}
    for candidate in job.each(candidates, len(candidates), "gather"):
        if candidate.key in leaving:
            along = bundled.along(oids[candidate.key], candidate, terms, wish.new_only)
            before = found.setdefault(oids[candidate.key], along)
            if along[1] > before[1]:
                found[oids[candidate.key]] = along
    going = [one for oid in sorted(found) for one in found[oid][0]]
    return tuple(going), sum(bound for _, bound in found.values())


def _selected(reader: Connection, hash_key: bytes, wish: Wish, job: Job) -> list[int] | None:
    if wish.selected is None:
        return None
    chosen = []
    for stix_id in job.each(wish.selected, len(wish.selected), "read"):
        oid = objects.oid_of(reader, objects.id_hash(hash_key, stix_id))
        if oid is None:
            raise Refused("object-unknown", id=stix_id)
        chosen.append(oid)
    return sorted(set(chosen))
