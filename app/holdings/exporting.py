"""Everything held, or what fits a query, as a STIX 2.1 bundle of the stored texts, all versions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from app import audit
from app.jobs import Job
from app.store import objects, selecting
from app.store.database import Connection
from app.store.installation import Installation
from app.store.selecting import Selection


def bundle(installation: Installation, chosen: Selection, job: Job) -> Iterator[bytes]:
    """The text of the bundle, piece by piece, in order of arrival; every version of what is chosen."""
    with installation.database.snapshot() as reader:
        yield f'{{"type":"bundle","id":"bundle--{uuid.uuid4()}","objects":['.encode()
        selected = _selected(reader, chosen)
        total, done = objects.count_versions(reader, selected), 0
        for some in objects.texts(reader, selected):
            job.step(done, total, "export")
            yield (b",\n" if done else b"\n") + b",\n".join(some)
            done += len(some)
        yield b"\n]}\n"


def count(installation: Installation, chosen: Selection) -> int:
    """How many versions `bundle` would give."""
    reader = installation.database.read()
    return objects.count_versions(reader, _selected(reader, chosen))


def _selected(reader: Connection, chosen: Selection) -> list[int] | None:
    return None if chosen == Selection() else selecting.oids(reader, chosen)


def log(installation: Installation, exported: int) -> None:
    """Record, before the first byte, that plain intel leaves the store for a file."""
    with installation.database.write() as tx:
        audit.append(tx, installation, "export", objects=exported)
