"""Sanitising own objects for one counterpart before they are released.

What `redaction` makes of them is taken into the holdings as objects of ours that leave for that counterpart alone; the
originals leave for it no more. They are then released like anything else, and the store keeps which content became
which. docs/decisions/0027-sanitised-objects.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from app import audit
from app.exchange import counterparts, gate, releases
from app.exchange.provenance import Owners
from app.exchange.releases import Wish
from app.holdings import importing
from app.intel import authoring, marking, redaction
from app.intel.envelope import envelope, mentions
from app.intel.marking import Level
from app.intel.prepared import prepare_text
from app.intel.redaction import Names, Rules
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import objects, origins, people
from app.store import sanitised as store
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from app.store.objects import ObjectRow

TEXTS_LIMIT = 1_000
TEXT_LIMIT = 1_000
NAME = "Source withheld"
"""The name of a pseudonymous identity: the same for all, so that it tells nothing."""


@dataclass(frozen=True)
class Wanted:
    """How to sanitise. `drop`: properties and extensions; `redact`: texts; `pseudonym`: replace the creator; `ours`:
    identities that the officer says are this team's own.
    """

    drop: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    pseudonym: bool = False
    ours: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A sanitised object: exactly the bytes that will leave. `unchanged`: it was made before and is the same."""

    original: str
    id: str
    raw: bytes
    unchanged: bool


@dataclass(frozen=True)
class Sanitised:
    """What was made, in the order asked for, the pseudonymous identity first; `removed` ids were taken out of it."""

    made: tuple[Made, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """Which content of ours became which, and how far that got: `state` of the newest package with it, "": none."""

    original: str
    original_sha256: bytes
    id: str
    modified: str
    sha256: bytes
    to: str
    at: str
    seq: int | None
    state: str


def listed(installation: Installation, to: str = "", original: str = "") -> list[Listed]:
    """The mapping, newest first. Raises `Refused` as `counterparts.find` does."""
    with installation.database.snapshot() as reader:
        cid = counterparts.find(reader, to).cid if to else None
        names = {one.cid: one.alias for one in store_counterparts.everyone(reader)}
        found = []
        for row in store.rows(reader, cid, original or None):
            seq, state = next(iter(store.states(reader, row.cid, row.sha256)), (None, ""))
            found.append(
                Listed(
                    row.original,
                    row.original_sha256,
                    row.id,
                    row.modified,
                    row.sha256,
                    names[row.cid],
                    row.at,
                    seq,
                    state,
                )
            )
        return found


def sanitise(
    installation: Installation, to: str, chosen: Sequence[str], wanted: Wanted, dry_run: bool, job: Job
) -> Sanitised:
    """Make sanitised forms of objects of ours for a counterpart, all or none; with `dry_run` only show the bytes.

    References to what may not leave for them are taken out, those to each other lead to the new objects. Raises
    `Refused`: object-unknown, sanitise-nothing (nothing is to be taken out), sanitise-not-ours (it came from a
    counterpart, or another identity made it), sanitise-type, sanitise-conflict, sanitise-needed, sanitise-remains,
    redaction-unusable, and as `counterparts.find` does.
    """
    if not (wanted.drop or wanted.redact or wanted.pseudonym):
        raise Refused("sanitise-nothing")
    texts = [text for text in wanted.redact if text.strip()]
    if len(texts) > TEXTS_LIMIT or len(texts) < len(wanted.redact) or any(len(t) > TEXT_LIMIT for t in texts):
        raise Refused("redaction-unusable", most=TEXTS_LIMIT)
    one = counterparts.find(installation.database.read(), to)
    gone = _not_leaving(installation, one, chosen, job)
    with installation.database.write() as tx:
        done = _make(tx, installation, one, chosen, wanted, gone, job)
        if dry_run:
            raise _Shown(done)
        audit.append(
            tx,
            installation,
            "sanitised",
            to=one.fingerprint,
            objects=len(done.made),
            dropped=list(wanted.drop),
            redacted=len(wanted.redact),
            pseudonym=wanted.pseudonym,
            ours=list(wanted.ours),
        )
    return done


class _Shown(Exception):
    """Ends the transaction of a dry run without a change."""

    def __init__(self, done: Sanitised) -> None:
        super().__init__()
        self.done = done


def shown(installation: Installation, to: str, chosen: Sequence[str], wanted: Wanted, job: Job) -> Sanitised:
    """What `sanitise` would make, byte for byte as long as it is the same day. Changes nothing."""
    try:
        return sanitise(installation, to, chosen, wanted, True, job)
    except _Shown as end:
        return end.done


def give_whole(installation: Installation, to: str, chosen: Sequence[str]) -> int:
    """Let a counterpart have the originals again. Returns how many mappings that ends. Raises `Refused`:
    sanitise-unknown (fact `id`), and as `counterparts.find` does.
    """
    ended = 0
    with installation.database.write() as tx:
        one = counterparts.find(tx, to)
        for id_ in dict.fromkeys(chosen):
            count = store.forget(tx, one.cid, id_)
            if not count:
                raise Refused("sanitise-unknown", id=id_, name=one.alias)
            ended += count
            audit.append(tx, installation, "sanitised.ended", to=one.fingerprint, object=id_)
    return ended


def _not_leaving(
    installation: Installation, one: Counterpart, chosen: Sequence[str], job: Job
) -> frozenset[str]:
    """Of all ids that the chosen objects mention, those that are held here and may not leave for the counterpart."""
    with installation.database.snapshot() as reader:
        key, named = objects.hash_key(reader), set[str]()
        for id_ in chosen:
            row = objects.find(reader, objects.id_hash(key, id_))
            if row is None:
                raise Refused("object-unknown", id=id_)
            named |= mentions(msgspec.json.decode(objects.raw(reader, row.current), type=dict[str, object]))
        named -= {*chosen, *marking.LEVELS}
        held = [id_ for id_ in sorted(named) if objects.oid_of(reader, objects.id_hash(key, id_)) is not None]
    if not held:
        return frozenset()
    decision = releases.check(installation, one.fingerprint, Wish(tuple(held)), job)
    leaving = {item.id for item in decision.items if item.code in (gate.LEAVES, gate.ALREADY_HAS)}
    return frozenset(held) - leaving


def _make(
    tx: Connection,
    installation: Installation,
    one: Counterpart,
    chosen: Sequence[str],
    wanted: Wanted,
    gone: frozenset[str],
    job: Job,
) -> Sanitised:
    key, owners = objects.hash_key(tx), Owners(tx)
    found = [_own(tx, key, owners, wanted, id_) for id_ in dict.fromkeys(chosen)]
    creators = {creator for _, value, _ in found if isinstance(creator := value.get(redaction.CREATOR), str)}
    alias = redaction.new_id(key, one.cid, f"identity--{installation.identity.fingerprint}")
    alias = _kept_alias(tx, one.cid) or alias
    names = Names(
        {row.id: redaction.new_id(key, one.cid, row.id) for row, _, _ in found},
        gone | (frozenset(creators) if wanted.pseudonym else frozenset()),
    )
    rules = Rules(frozenset(wanted.drop), wanted.redact, alias if wanted.pseudonym else "")
    day = installation.now()[:10] + "T00:00:00.000Z"
    origin = origins.add(tx, "import", "sanitised", None, installation.officer, installation.now())
    default, made = people.default_handling(tx), []
    if wanted.pseudonym:
        store.pseudonym(tx, one.cid, alias)
        row = objects.find(tx, objects.id_hash(key, alias))
        if row is None:
            raw = authoring.identity(alias, NAME, day, [marking.IDS[Level.CLEAR]])
            importing.take(tx, [importing.Incoming(prepare_text(raw, alias))], origin, default, job, 1)
        else:
            raw = objects.raw(tx, row.current)
        made.append(Made("", alias, raw, row is not None))
    for row, value, sha256 in found:
        new = _renewed(tx, key, value, rules, names, day)
        made.append(Made(row.id, names.new[row.id], *new))
        if not new[1]:
            level = None if row.handling is None else Level(row.handling)
            importing.take(
                tx, [importing.Incoming(prepare_text(new[0], row.id), level)], origin, default, job, 1
            )
        modified = msgspec.json.decode(new[0], type=dict[str, object]).get("modified", "")
        store.add(
            tx,
            store.Row(
                one.cid,
                row.id,
                sha256,
                names.new[row.id],
                str(modified),
                hashlib.sha256(new[0]).digest(),
                installation.now(),
                installation.officer,
            ),
        )
    origins.forget_empty(tx)
    return Sanitised(tuple(made), tuple(sorted(names.withheld)))


def _kept_alias(tx: Connection, cid: int) -> str | None:
    return next((id_ for id_, whose in store.pseudonyms(tx) if whose == cid), None)


def _own(
    tx: Connection, key: bytes, owners: Owners, wanted: Wanted, id_: str
) -> tuple[ObjectRow, dict[str, object], bytes]:
    """An object of ours that can be sanitised: its row, its value, and the SHA-256 of that content."""
    row = objects.find(tx, objects.id_hash(key, id_))
    if row is None:
        raise Refused("object-unknown", id=id_)
    (version,) = objects.versions(tx, [row.current])
    value = msgspec.json.decode(objects.raw(tx, row.current), type=dict[str, object])
    if "modified" not in value or id_ in store.made_for(tx):
        raise Refused("sanitise-type", id=id_)
    creator = value.get(redaction.CREATOR)
    ours = (None, people.own_identity(tx), *wanted.ours)
    if owners(row.oid, row.current) is not None or creator not in ours:
        raise Refused("sanitise-not-ours", id=id_, creator=creator or "")
    if row.variants > 1:
        raise Refused("sanitise-conflict", id=id_)
    return row, value, version.sha256


def _renewed(
    tx: Connection, key: bytes, value: dict[str, object], rules: Rules, names: Names, day: str
) -> tuple[bytes, bool]:
    """The text of the new object, and whether it is held so already. It keeps its `created`, and its `modified` only
    grows, by whole days or at least a millisecond: times of ours would tie together what two counterparts have.
    """
    needed: Collection[str] = authoring.needed(str(value["type"]))
    row = objects.find(tx, objects.id_hash(key, names.new[str(value["id"])]))
    if row is None:
        return redaction.sanitised(value, rules, names, needed, day, day), False
    held = objects.raw(tx, row.current)
    created = envelope(msgspec.json.decode(held, type=dict[str, object])).created
    if redaction.sanitised(value, rules, names, needed, created, row.modified) == held:
        return held, True
    later = max(day, _tick(row.modified))
    return redaction.sanitised(value, rules, names, needed, created, later), False


def _tick(moment: str) -> str:
    """The next millisecond after a time of the form that is written here."""
    head, milliseconds = moment[:-5], int(moment[-4:-1]) + 1
    return f"{head}.{milliseconds:03d}Z" if milliseconds < 1000 else f"{head}.999999Z"
