"""The contents in force of objects, read back from their texts with what is indexed of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import msgspec

from app.intel import indexing
from app.intel.envelope import envelope
from app.intel.indexing import Indexed
from app.store import bodies
from app.store.database import Connection

LONG = 64 << 10
"""Bytes of a text of which not hundreds are held at once."""


@dataclass(frozen=True, slots=True)
class Content:
    """A content of the object `id`, and what is indexed of it."""

    vid: int
    id: str
    creator: str
    indexed: Indexed
    links: Sequence[indexing.Link]


def in_force(tx: Connection, oid: int) -> list[Content]:
    """The contents in force, in order of arrival."""
    return [
        _content(vid, blob)
        for vid, blob in tx.execute(
            "SELECT vid, raw FROM version JOIN object USING (oid)"
            " WHERE oid = ? AND version.moment = object.moment AND dropped = 0 ORDER BY vid",
            (oid,),
        ).fetchall()
    ]


def all_in_force(connection: Connection, before: int = 1 << 62) -> Iterator[tuple[int, list[Content]]]:
    """(oid, the contents in force) of every object below a number, read in one go."""
    # The table of objects leads, so that nothing is sorted.
    rows = connection.execute(
        "SELECT oid, vid, raw FROM object CROSS JOIN version USING (oid)"
        " WHERE oid < ? AND version.moment = object.moment AND dropped = 0 ORDER BY oid",
        (before,),
    )
    for oid, of_one in groupby(rows, itemgetter(0)):
        several = sorted((vid, blob) for _, vid, blob in of_one)
        yield oid, [_content(vid, blob) for vid, blob in several]


def shown(tx: Connection, wanted: Mapping[int, bool]) -> dict[int, Content]:
    """These contents, some hundred, by vid: with all of it (True), or without the words and the links. Long ones are
    left out: who needs one of those reads it by itself.
    """
    found: dict[int, Content] = {}
    marks = ", ".join("?" * len(wanted))
    for vid, blob in tx.execute(f"SELECT vid, raw FROM version WHERE vid IN ({marks})", list(wanted)):
        if not 0 <= bodies.size(blob) <= LONG:
            continue
        if wanted[vid]:
            found[vid] = _content(vid, blob)
        else:
            value = _value(blob)
            found[vid] = Content(vid, str(value["id"]), "", indexing.wordless(value), ())
    return found


def _value(blob: bytes) -> dict[str, object]:
    return msgspec.json.decode(bodies.unpack(blob), type=dict[str, object])


def _content(vid: int, blob: bytes) -> Content:
    value = _value(blob)
    env = envelope(value)
    return Content(
        vid, env.id, indexing.creator(env), indexing.indexed(value, env), indexing.links(value, env)
    )
