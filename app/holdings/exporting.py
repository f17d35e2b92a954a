"""Everything held, what fits a query, or some objects, as a STIX 2.1 bundle of the stored texts, all versions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app import audit
from app.holdings import graph
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store import attachments, custody, objects, selecting
from app.store.conditions import Selection
from app.store.database import Connection
from app.store.installation import Installation

Chosen: TypeAlias = Selection | Sequence[int]
"""What fits, or the objects with these row numbers."""


@dataclass(frozen=True)
class Contents:
    """What a bundle would hold: `objects`, in `versions`. `levels`: (level, objects), the strictest first; None is no
    level at all. What an older version was marked with counts too. `attachments` of theirs are not in it.
    """

    objects: int
    versions: int
    levels: tuple[tuple[Level | None, int], ...]
    attachments: int


def contents(installation: Installation, chosen: Chosen, closure: bool = False) -> Contents:
    """What `bundle` would give. Raises `Refused` (source-unknown)."""
    with installation.database.snapshot() as reader:
        selected = _selected(reader, chosen, closure)
        levels = custody.by_level(reader, selected)
        return Contents(
            sum(levels.values()),
            objects.count_versions(reader, selected),
            tuple((None if n < 0 else Level(n), levels[n]) for n in sorted(levels, reverse=True)),
            attachments.count(reader, selected),
        )


def confirm(installation: Installation, chosen: Chosen, closure: bool, seen: Contents) -> None:
    """Raise `Refused` (export-changed) unless a bundle would still hold what an officer has `seen` of it."""
    if contents(installation, chosen, closure) != seen:
        raise Refused("export-changed")


def bundle(installation: Installation, chosen: Chosen, job: Job, closure: bool = False) -> Iterator[bytes]:
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


def count(installation: Installation, chosen: Chosen, closure: bool = False) -> int:
    """How many versions `bundle` would give."""
    reader = installation.database.read()
    return objects.count_versions(reader, _selected(reader, chosen, closure))


def _selected(reader: Connection, chosen: Chosen, closure: bool) -> Sequence[int] | None:
    if chosen == Selection():
        return None
    selected = selecting.oids(reader, chosen) if isinstance(chosen, Selection) else chosen
    return graph.closure(reader, selected) if closure else selected


def log(installation: Installation, exported: int) -> None:
    """Record, before the first byte, that plain intel leaves the store for a file."""
    with installation.database.write() as tx:
        audit.append(tx, installation, "export", objects=exported)
