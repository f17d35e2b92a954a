"""Sightings, opinions and notes: what we say of an object that is held, and what is said of it by anybody.

They are objects of ours, with a reference to the original, which stays as it is: they go to whoever gave it by a
release like any other.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

import msgspec

from app import audit
from app.holdings import importing
from app.intel import authoring, marking
from app.intel.marking import Level
from app.intel.prepared import prepare_text
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts, objects, origins, people
from app.store.database import Connection
from app.store.installation import Installation
from crypto.identity import read_card

TYPES = ("sighting", "opinion", "note")
TEXT_LIMIT = 100_000
LIMIT = 200


@dataclass(frozen=True)
class Said:
    """What to say. `kind` is one of `TYPES`; `opinion` one of `authoring.OPINIONS`; `words` a text, "" for none;
    `count`, `first` and `last` are a sighting's. `level` None: as strict as what it is about.
    """

    kind: str
    words: str = ""
    opinion: str = ""
    count: int | None = None
    first: str = ""
    last: str = ""
    level: Level | None = None


@dataclass(frozen=True)
class Feedback:
    """What somebody said of an object: `words` in short, `kind` import or package, `source` the file's name or the
    fingerprint it came from.
    """

    id: str
    type: str
    words: str
    kind: str
    source: str


def say(installation: Installation, about: str, said: Said, job: Job) -> str:
    """Write a sighting, opinion or note on an object that is held; returns its STIX id.

    Raises `Refused`: object-unknown, feedback-unusable (fact `what`).
    """
    if len(said.words) > TEXT_LIMIT:
        raise Refused("feedback-unusable", what=f"{TEXT_LIMIT}")
    with installation.database.write() as tx:
        row = objects.find(tx, objects.id_hash(objects.hash_key(tx), about))
        if row is None:
            raise Refused("object-unknown", id=about)
        now = installation.now()
        origin = origins.add(tx, "import", "feedback", None, installation.officer, now)
        by = _own_identity(tx, origin, now, job)
        level = said.level
        if level is None:
            default = people.default_handling(tx)
            levels = [Level(found) for found in (row.marking, row.handling) if found is not None]
            level = min(max(levels, default=default), Level.RED)
        marks = [marking.IDS[level]]
        if said.kind == "sighting":
            raw = authoring.sighting(about, by, now, marks, said.count, said.first, said.last, said.words)
        elif said.kind == "opinion":
            raw = authoring.opinion(about, by, now, marks, said.opinion, said.words)
        else:
            raw = authoring.note(about, by, now, marks, said.words)
        id_ = str(msgspec.json.decode(raw, type=dict[str, object])["id"])
        importing.take(tx, [importing.Incoming(prepare_text(raw, id_))], origin, level, job, 1)
        audit.append(tx, installation, "feedback", object=id_, about=about)
    return id_


def _own_identity(tx: Connection, origin: int, now: str, job: Job) -> str:
    """The STIX id of the identity under which we write, made the first time from what the card says."""
    known = people.own_identity(tx)
    if known and objects.oid_of(tx, objects.id_hash(objects.hash_key(tx), known)) is not None:
        return known
    id_ = known or f"identity--{uuid.uuid4()}"
    name = read_card(people.identity(tx)[1]).name
    raw = authoring.identity(id_, name, now, [marking.IDS[Level.CLEAR]])
    importing.take(tx, [importing.Incoming(prepare_text(raw, id_))], origin, Level.CLEAR, job, 1)
    people.put_meta(tx, people.OWN_IDENTITY, id_.encode())
    return id_


def of(installation: Installation, about: str) -> list[Feedback]:
    """What is held of sightings, opinions and notes on an object; `source` is an alias where it came in a package."""
    with installation.database.snapshot() as reader:
        names = {one.fingerprint: one.alias for one in counterparts.everyone(reader)}
        found = on(reader, about)
    # A file may be named like anything, a fingerprint too: only a package speaks for a counterpart.
    return [
        replace(one, source=names.get(one.source, one.source)) if one.kind == "package" else one
        for one in found
    ]


def on(connection: Connection, about: str) -> list[Feedback]:
    """What is held of sightings, opinions and notes on an object, the first `LIMIT` that came."""
    key = objects.hash_key(connection)
    found = []
    for vid in objects.said_of(connection, objects.id_hash(key, about), TYPES, LIMIT):
        (version,) = objects.versions(connection, [vid])
        (row,) = objects.rows(connection, [version.oid])
        value = msgspec.json.decode(objects.raw(connection, vid), type=dict[str, object])
        origin = origins.of(connection, vid)[0]
        found.append(Feedback(row.id, row.type, _words(value), origin.kind, origin.name))
    return found


def _words(value: dict[str, object]) -> str:
    said = [value.get(name) for name in ("opinion", "count", "explanation", "content", "description")]
    return ": ".join(str(one) for one in said if isinstance(one, str | int) and not isinstance(one, bool))[
        :300
    ]
