"""Everything held, or what fits a query, as a STIX 2.1 bundle of the stored texts, all versions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from app import audit
from app.holdings import graph
from app.jobs import Job
from app.store import objects, selecting
from app.store.database import Connection
from app.store.installation import Installation
from app.store.selecting import Selection


def bundle(installation: Installation, chosen: Selection, job: Job, closure: bool = False) -> Iterator[bytes]:
    """The text of the bundle, piece by piece, in order of arrival; every version of what is chosen, with `closure` of
    all that needs, too.
    """
    with installation.database.snapshot() as reader:
        yield f'{{"type":"bundle","id":"bundle--{uuid.uuid4()}","objects":['.encode()
        selected = _selected(reader, chosen, closure)
        total, done = objects.count_versions(reader, selected), 0
        for some in objects.texts(reader, selected):
            job.step(done, total, "export")
            yield (b",\n" if done else b"\n") + b",\n".join(some)
            done += len(some)
        yield b"\n]}\n"


def count(installation: Installation, chosen: Selection, closure: bool = False) -> int:
    """How many versions `bundle` would give."""
    reader = installation.database.read()
    return objects.count_versions(reader, _selected(reader, chosen, closure))


def _selected(reader: Connection, chosen: Selection, closure: bool) -> list[int] | None:
    if chosen == Selection():
        return None
    selected = selecting.oids(reader, chosen)
    return graph.closure(reader, selected) if closure else selected


def log(installation: Installation, exported: int) -> None:
    """Record, before the first byte, that plain intel leaves the store for a file."""
    with installation.database.write() as tx:
        audit.append(tx, installation, "export", objects=exported)
