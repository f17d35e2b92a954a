"""Queries on the links between objects: from id to id by hash, as relationship objects and references say them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.store.codes import name
from app.store.database import Connection, in_many
from app.store.objects import stix_id

BATCH = 500


@dataclass(frozen=True, slots=True)
class Link:
    """`near` and `far` are hashes of ids; `rel` a relationship's type or the property that refers; `outward`: it goes
    from near to far; `vid` is the content that says so, `related` whether that is a relationship object's; `oid` is the
    far object where that was come across, else None.
    """

    near: int
    far: int
    rel: str
    outward: bool
    vid: int
    related: bool
    oid: int | None = None


_FROM_CONTENTS = """
    SELECT idh, dst, rel, 1, vid, 0, NULL FROM object CROSS JOIN version USING (oid) CROSS JOIN edge USING (vid)
        WHERE idh IN ({marks}) AND related = 0
    UNION ALL SELECT idh, src, 'source_ref', 1, vid, 0, NULL FROM object CROSS JOIN version USING (oid)
        CROSS JOIN edge USING (vid) WHERE idh IN ({marks}) AND related = 1
    UNION ALL SELECT idh, dst, 'target_ref', 1, vid, 0, NULL FROM object CROSS JOIN version USING (oid)
        CROSS JOIN edge USING (vid) WHERE idh IN ({marks}) AND related = 1
    UNION ALL SELECT idh, creator, 'created_by_ref', 1, vid, 0, NULL FROM object CROSS JOIN version USING (oid)
        WHERE idh IN ({marks}) AND creator IS NOT NULL AND version.moment = object.moment AND dropped = 0
"""
_FROM_OTHERS = """
    SELECT src, dst, rel, 1, vid, 1, NULL FROM edge INDEXED BY edge_from WHERE src IN ({marks}) AND related = 1
    UNION ALL SELECT dst, CASE related WHEN 1 THEN src ELSE idh END, rel, 0, edge.vid, related, oid
        FROM edge INDEXED BY edge_to LEFT JOIN version ON version.vid = edge.vid AND related = 0
        LEFT JOIN object USING (oid) WHERE dst IN ({marks})
    UNION ALL SELECT creator, idh, 'created_by_ref', 0, vid, 0, oid
        FROM version INDEXED BY version_by_creator CROSS JOIN object USING (oid)
        WHERE creator IN ({marks}) AND version.moment = object.moment AND dropped = 0
"""


def around(connection: Connection, hashes: Sequence[int], limit: int) -> list[Link]:
    """At most `limit` links at these ids: the references in their own contents first, then relationships, then what
    refers to them.
    """
    found: list[Link] = []
    for start in range(0, len(hashes), BATCH):
        some = hashes[start : start + BATCH]
        marks = ", ".join("?" * len(some))
        for query, times in ((_FROM_CONTENTS, 4), (_FROM_OTHERS, 3)):
            if len(found) < limit:
                rows = connection.execute(
                    f"{query.format(marks=marks)} LIMIT ?", [*list(some) * times, limit - len(found)]
                )
                found += [
                    Link(row[0], row[1], name(row[2]), bool(row[3]), row[4], bool(row[5]), row[6])
                    for row in rows
                ]
    return found


def needed(connection: Connection, vids: Sequence[int]) -> set[int]:
    """The hashes of all ids that these contents refer to, marking definitions included."""
    found = set[int]()
    for start in range(0, len(vids), BATCH):
        some = list(vids[start : start + BATCH])
        marks = ", ".join("?" * len(some))
        rows = connection.execute(
            f"SELECT dst FROM edge WHERE vid IN ({marks})"
            f" UNION SELECT src FROM edge WHERE vid IN ({marks}) AND related = 1"
            f" UNION SELECT definition FROM marked WHERE vid IN ({marks})"
            f" UNION SELECT creator FROM version WHERE vid IN ({marks}) AND creator IS NOT NULL",
            some * 4,
        )
        found.update(row[0] for row in rows)
    return found


_NOWHERE = """
    WITH RECURSIVE maker (id) AS (SELECT min(creator) FROM version WHERE creator IS NOT NULL UNION ALL
        SELECT (SELECT min(creator) FROM version WHERE creator > id) FROM maker WHERE id IS NOT NULL),
    missing (far) AS MATERIALIZED (SELECT far FROM (
        SELECT DISTINCT dst AS far FROM edge INDEXED BY edge_to
        UNION ALL SELECT DISTINCT src FROM edge INDEXED BY edge_from WHERE related = 1
        UNION ALL SELECT DISTINCT definition FROM marked INDEXED BY marked_by
        UNION ALL SELECT id FROM maker WHERE id IS NOT NULL
    ) WHERE NOT EXISTS (SELECT 1 FROM object WHERE idh = far) AND far NOT IN ({known}))
    SELECT vid, far FROM missing CROSS JOIN edge INDEXED BY edge_to ON dst = far
    UNION SELECT vid, far FROM missing CROSS JOIN edge INDEXED BY edge_from ON src = far AND related = 1
    UNION SELECT vid, far FROM missing CROSS JOIN marked INDEXED BY marked_by ON definition = far
        CROSS JOIN version USING (vid) CROSS JOIN object USING (oid)
        WHERE version.moment = object.moment AND dropped = 0
    UNION SELECT vid, far FROM missing CROSS JOIN version INDEXED BY version_by_creator ON creator = far
        CROSS JOIN object USING (oid) WHERE version.moment = object.moment AND dropped = 0"""
"""The contents in force that refer to what is not held, but for the hashes `known`. What is referred to is looked up in
the order of the index, once each; creators are few, however much each made: from one to the next.
"""


def broken(connection: Connection, known: Sequence[int], after: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """(vid, hash of an id it refers to that is neither held nor `known`) of contents in force, in order, behind the
    key `after`.
    """
    nowhere = _NOWHERE.format(known=", ".join("?" * len(known)))
    yield from connection.execute(
        f"SELECT vid, far FROM ({nowhere}) WHERE (vid, far) > (?, ?) ORDER BY vid, far", (*known, *after)
    )


def referring_nowhere(connection: Connection, known: Sequence[int]) -> list[int]:
    """The oids of the objects of which a content in force refers to what is neither held nor `known`."""
    nowhere = _NOWHERE.format(known=", ".join("?" * len(known)))
    rows = connection.execute(f"SELECT DISTINCT oid FROM ({nowhere}) CROSS JOIN version USING (vid)", known)
    return [row[0] for row in rows]


def relationship_ids(connection: Connection, vids: Iterable[int]) -> dict[int, str]:
    """The STIX ids of the objects these contents belong to, by vid."""
    found: dict[int, str] = {}
    wanted = list(vids)
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        rows = connection.execute(
            "SELECT vid, type, uid FROM version CROSS JOIN object USING (oid)"
            f" WHERE vid IN ({', '.join('?' * len(some))})",
            some,
        )
        found.update((row[0], stix_id(row[1], row[2])) for row in rows)
    return found


def in_force(connection: Connection, hashes: Iterable[int]) -> list[tuple[int, int]]:
    """(oid, vid) of the contents in force of the objects with these id hashes."""
    return [(row[0], row[1]) for row in in_many(connection, f"{_IN_FORCE} AND idh IN", hashes)]


def contents_of(connection: Connection, oids: Iterable[int]) -> list[int]:
    """The vids of the contents in force of these objects."""
    return [row[1] for row in in_many(connection, f"{_IN_FORCE} AND oid IN", oids)]


_IN_FORCE = (
    "SELECT oid, vid FROM object CROSS JOIN version USING (oid)"
    " WHERE version.moment = object.moment AND dropped = 0"
)
