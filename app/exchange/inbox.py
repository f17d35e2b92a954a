"""The inbox: what was received, each object compared with the holdings before the officer decides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial

from app.holdings import importing
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import objects, packages
from app.store.database import Connection
from app.store.installation import Installation

STATUSES = ("new", "newer", "older", "same", "conflict", "revoked")


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
    """An object in the inbox beside the holdings: new, newer, older, same, conflict or revoked."""

    position: int
    id: str
    type: str
    name: str
    modified: str
    status: str
    decision: str
    handling: Level | None


@dataclass(frozen=True)
class Review:
    """A package in the inbox with its objects compared."""

    package: Listed
    objects: tuple[Compared, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many objects have each status."""
        found = Counter(one.status for one in self.objects)
        return {status: found[status] for status in STATUSES}


def listed(installation: Installation) -> list[Listed]:
    """What was received and held something to decide: pending flash first, then newest first."""
    reader = installation.database.read()
    return [_listed(reader, one) for one in packages.received(reader) if one.release is not None]


def review(installation: Installation, number: int, job: Job) -> Review:
    """A package with each of its objects compared with the holdings; raises `Refused` (package-unknown)."""
    reader = installation.database.read()
    package = find(reader, number)
    hash_key = objects.hash_key(reader)
    compared: list[Compared] = []
    for one in packages.waiting(reader, number):
        if not one.id:
            continue
        job.step(len(compared), 0, "check")
        read = partial(packages.waiting_raw, reader, number, one.position)
        status = importing.compare(reader, hash_key, one.id, one.moment, one.sha256, read)
        handling = None if one.handling is None else Level(one.handling)
        compared.append(
            Compared(one.position, one.id, one.type, one.name, one.modified, status, one.decision, handling)
        )
    return Review(_listed(reader, package), tuple(compared))


def raw(installation: Installation, number: int, position: int) -> bytes:
    """The exact text of an object in the inbox."""
    return packages.waiting_raw(installation.database.read(), number, position)


def find(connection: Connection, number: int) -> packages.Received:
    """The package with that inbox number; raises `Refused` (package-unknown)."""
    package = packages.received_at(connection, number)
    if package is None:
        raise Refused("package-unknown", seq=number, name="")
    return package


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
