"""The contents in force of objects, read back from their texts with what is indexed of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import msgspec

from app.intel import indexing
from app.intel.envelope import envelope
from app.intel.indexing import Indexed
from app.store import bodies
from app.store.database import Connection


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


def _content(vid: int, blob: bytes) -> Content:
    value = msgspec.json.decode(bodies.unpack(blob), type=dict[str, object])
    env = envelope(value)
    return Content(
        vid, env.id, indexing.creator(env), indexing.indexed(value, env), indexing.links(value, env)
    )
