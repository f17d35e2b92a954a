"""Queries on the links between objects: from id to id by hash, as relationship objects and references say them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.store.codes import name
from app.store.database import Connection
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


def broken(connection: Connection, after: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """(vid, hash of an id it refers to that is not held) of contents in force, in order, behind the key `after`."""
    # Creators are few, however much each made: from one to the next along the index.
    yield from connection.execute(
        "WITH RECURSIVE maker (id) AS (SELECT min(creator) FROM version UNION ALL"
        " SELECT (SELECT min(creator) FROM version WHERE creator > id) FROM maker WHERE id IS NOT NULL)"
        " SELECT vid, far FROM ("
        " SELECT vid, dst AS far FROM edge WHERE (vid, dst) > (?1, ?2) AND vid >= ?1"
        " UNION SELECT vid, src FROM edge WHERE related = 1 AND (vid, src) > (?1, ?2) AND vid >= ?1"
        " UNION SELECT vid, definition FROM marked CROSS JOIN version USING (vid) CROSS JOIN object USING (oid)"
        "  WHERE version.moment = object.moment AND dropped = 0 AND (vid, definition) > (?1, ?2) AND vid >= ?1"
        " UNION SELECT vid, creator FROM version CROSS JOIN object USING (oid) WHERE creator IN"
        "  (SELECT id FROM maker WHERE NOT EXISTS (SELECT 1 FROM object WHERE idh = id))"
        "  AND version.moment = object.moment AND dropped = 0 AND (vid, creator) > (?1, ?2) AND vid >= ?1)"
        " WHERE NOT EXISTS (SELECT 1 FROM object WHERE idh = far) ORDER BY vid, far",
        after,
    )


REFERRING_NOWHERE = """SELECT oid FROM version WHERE vid IN (
    WITH RECURSIVE maker (id) AS (SELECT min(creator) FROM version UNION ALL
        SELECT (SELECT min(creator) FROM version WHERE creator > id) FROM maker WHERE id IS NOT NULL)
    SELECT vid FROM (
        SELECT vid, dst AS far FROM edge
        UNION ALL SELECT vid, src FROM edge WHERE related = 1
        UNION ALL SELECT vid, definition FROM marked CROSS JOIN version USING (vid) CROSS JOIN object USING (oid)
            WHERE version.moment = object.moment AND dropped = 0
        UNION ALL SELECT vid, creator FROM version CROSS JOIN object USING (oid) WHERE creator IN
            (SELECT id FROM maker WHERE NOT EXISTS (SELECT 1 FROM object WHERE idh = id))
            AND version.moment = object.moment AND dropped = 0
    ) WHERE far NOT IN ({known}) AND NOT EXISTS (SELECT 1 FROM object WHERE idh = far))"""
"""The objects of which a content in force refers to what `broken` gives, but for the hashes `known`."""


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
    found: list[tuple[int, int]] = []
    wanted = list(hashes)
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        found += connection.execute(
            f"SELECT oid, vid FROM object CROSS JOIN version USING (oid) WHERE idh IN ({', '.join('?' * len(some))})"
            " AND version.moment = object.moment AND dropped = 0",
            some,
        ).fetchall()
    return found
