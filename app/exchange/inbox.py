"""The inbox: what was received, each object compared with the holdings before the officer decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from app.exchange import enquiries
from app.holdings import comparing, titles
from app.holdings.comparing import STATUSES, Outside
from app.holdings.correlation import Hit
from app.holdings.titles import Title
from app.intel import compare
from app.intel.compare import Difference
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store import attachments, custody, objects, packages, people, recalls
from app.store import counterparts as store_counterparts
from app.store.attachments import Attachment
from app.store.database import Connection
from app.store.installation import Installation
from app.store.objects import VersionRow
from app.store.packages import Waiting

STEP = 500
REMARKS = (*comparing.REMARKS, "recalled")


@dataclass(frozen=True)
class Listed:
    """A package in the inbox."""

    number: int
    sender: str
    seq: int
    state: str
    priority: str
    received: str
    objects: int
    note: str
    protection: str
    reason: str


@dataclass(frozen=True)
class Compared:
    """An object in the inbox beside the holdings: its status, and what else to see before deciding: see
    `app.holdings.comparing`, and `recalled`, its sender asked it back. `embargo`: the day before which it is not to be
    passed on, "": none.
    """

    position: int
    id: str
    type: str
    name: str
    title: Title
    modified: str
    status: str
    decision: str
    handling: Level | None
    remarks: tuple[str, ...] = ()
    embargo: str = ""
    exercise: bool = False
    hits: tuple[Hit, ...] = ()
    level: Level | None = None


@dataclass(frozen=True)
class Review:
    """A package in the inbox with its objects compared; `attachments` are those that wait with them, `answers` the
    numbers of our requests for information that it answers.
    """

    package: Listed
    objects: tuple[Compared, ...]
    attachments: tuple[Attachment, ...] = ()
    answers: tuple[int, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many objects have each status."""
        found = Counter(one.status for one in self.objects)
        return {status: found[status] for status in STATUSES}

    @property
    def remarks(self) -> dict[str, int]:
        """How many objects have each remark."""
        found = Counter(remark for one in self.objects for remark in one.remarks)
        return {remark: found[remark] for remark in REMARKS}


@dataclass(frozen=True)
class Beside:
    """An object of a package and the version held that it is judged against, None if nothing is held: the one of the
    same moment, else the one in force. `differences` go from what is held to what came.
    """

    position: int
    raw: bytes
    value: dict[str, object]
    held: VersionRow | None
    ours: dict[str, object]
    differences: tuple[Difference, ...]


def listed(installation: Installation) -> list[Listed]:
    """What was received and held something to decide: pending flash first, then newest first."""
    reader = installation.database.read()
    return [_listed(reader, one) for one in packages.received(reader) if one.release is not None]


def review(installation: Installation, number: int, job: Job) -> Review:
    """A package with each of its objects compared with the holdings; raises `Refused` (package-unknown)."""
    with installation.database.snapshot() as reader:
        package = find(reader, number)
        waiting = [one for one in packages.waiting(reader, number) if one.id]
        definitions = [
            msgspec.json.decode(raw, type=dict[str, object])
            for _, raw in packages.waiting_texts(reader, number, "marking-definition")
            if raw != comparing.PURGED
        ]

        named = {one.id: one.name for one in waiting}
        about: list[tuple[str, str, tuple[str, ...]]] = []

        def outside() -> Iterator[Outside]:
            for done, (one, raw) in enumerate(packages.waiting_texts(reader, number)):
                if done % STEP == 0:
                    job.step(done, len(waiting), "check")
                if one.id:
                    about.append((one.id, one.name, titles.about(one.type, one.name, raw)))
                    yield Outside(one.id, one.moment, one.sha256, raw, _level(one))

        found = list(
            comparing.compare(
                reader,
                outside(),
                frozenset(one.id for one in waiting if one.decision != "refused"),
                definitions,
                people.default_handling(reader),
                package.cid,
            )
        )
        bound = custody.waiting_restraints(reader, number)
        asked_back = recalls.from_us(reader, package.cid)
        compared = tuple(
            Compared(
                one.position,
                one.id,
                one.type,
                one.name,
                title,
                one.modified,
                judged.status,
                one.decision,
                _level(one),
                (*judged.remarks, "recalled") if one.sha256 in asked_back else judged.remarks,
                *bound.get(one.sha256, ("", False)),
                judged.hits,
                judged.level,
            )
            for one, judged, title in zip(waiting, found, titles.titles(reader, about, named), strict=True)
        )
        answers = enquiries.answered_by(reader, package.cid, package.release, ours=False)
        waits = tuple(attachments.waiting(reader, number))
        return Review(_listed(reader, package), compared, waits, answers)


def beside(installation: Installation, number: int, position: int) -> Beside:
    """An object in the inbox, property by property beside what is held. Raises `Refused`: object-unknown."""
    with installation.database.snapshot() as reader:
        one = packages.waiting_at(reader, number, position)
        if one is None or not one.id:
            raise Refused("object-unknown", id=str(position))
        return _beside(reader, number, one)


def differing(installation: Installation, number: int, id_: str) -> tuple[Beside, ...]:
    """Every content of a package under one STIX id, beside what is held. Raises `Refused`: package-unknown,
    object-unknown.
    """
    with installation.database.snapshot() as reader:
        find(reader, number)
        found = tuple(
            _beside(reader, number, one) for one in packages.waiting(reader, number) if one.id == id_
        )
        if not found or not id_:
            raise Refused("object-unknown", id=id_)
        return found


def _beside(reader: Connection, number: int, one: Waiting) -> Beside:
    raw = packages.waiting_raw(reader, number, one.position)
    value = msgspec.json.decode(raw, type=dict[str, object])
    row = objects.find(reader, objects.id_hash(objects.hash_key(reader), one.id))
    if row is None:
        return Beside(one.position, raw, value, None, {}, ())
    versions = objects.versions_of(reader, row.oid)
    same = [v for v in versions if v.moment == one.moment and not v.dropped]
    # The same bytes before the version shown, and that before the others of a conflict.
    same.sort(key=lambda v: (v.sha256 != one.sha256, v.vid != row.current))
    against = same[0] if same else next(v for v in versions if v.vid == row.current)
    ours = msgspec.json.decode(objects.raw(reader, against.vid), type=dict[str, object])
    return Beside(one.position, raw, value, against, ours, tuple(compare.differences(ours, value)))


def find(connection: Connection, number: int) -> packages.Received:
    """The package with that inbox number; raises `Refused` (package-unknown)."""
    package = packages.received_at(connection, number)
    if package is None:
        raise Refused("package-unknown", seq=number, name="")
    return package


def _level(one: Waiting) -> Level | None:
    return None if one.handling is None else Level(one.handling)


def _listed(connection: Connection, one: packages.Received) -> Listed:
    sender = store_counterparts.get(connection, one.cid).alias
    count = packages.waiting_count(connection, one.number)
    return Listed(
        one.number,
        sender,
        one.seq,
        one.state,
        one.priority,
        one.received,
        count,
        one.note,
        one.protection,
        one.reason,
    )
