"""Everything held, or what fits a query, as a STIX 2.1 bundle of the stored texts, all versions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from app import audit
from app.jobs import Job
from app.store import objects, selecting
from app.store.installation import Installation
from app.store.selecting import Selection


def bundle(installation: Installation, chosen: Selection, job: Job) -> Iterator[bytes]:
    """The text of the bundle, piece by piece, in order of arrival; every version of what is chosen."""
    with installation.database.snapshot() as reader:
        yield f'{{"type":"bundle","id":"bundle--{uuid.uuid4()}","objects":['.encode()
        selected = None if chosen == Selection() else selecting.oids(reader, chosen)
        rows = objects.held(reader, selected, True, set_aside=True)
        for number, row in enumerate(rows):
            if number % 500 == 0:
                job.step(number, len(rows), "export")
            yield (b",\n" if number else b"\n") + objects.raw(reader, row.vid)
        yield b"\n]}\n"


def count(installation: Installation, chosen: Selection) -> int:
    """How many versions `bundle` would give."""
    reader = installation.database.read()
    selected = None if chosen == Selection() else selecting.oids(reader, chosen)
    return len(objects.held(reader, selected, True, set_aside=True))


def log(installation: Installation, exported: int) -> None:
    """Record, before the first byte, that plain intel leaves the store for a file."""
    with installation.database.write() as tx:
        audit.append(tx, installation, "export", objects=exported)
