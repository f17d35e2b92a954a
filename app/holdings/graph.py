"""How objects hang together: what is one or two steps away, what a selection needs, what leads nowhere.

A step is a relationship object between two others, or a reference inside one; markings are no steps, though a
selection needs their definitions. Only contents in force count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from app.intel import marking
from app.intel.envelope import references
from app.messages import Refused
from app.store import links, objects
from app.store.database import Connection
from app.store.installation import Installation
from app.store.objects import ObjectRow

LIMIT = 1_000
"""Steps that are shown; of an object that everything refers to there may be a million."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One step: from the object `near` to the object `far`, both STIX ids, `hops` steps from where it began.

    `row` is the far object, None where it is not held. `rel` is a relationship's type or the property that refers,
    `outward` whether it leads from near to far, `by` the id of the relationship object that says so ("": a reference).
    """

    hops: int
    near: str
    far: str
    rel: str
    outward: bool
    by: str
    row: ObjectRow | None


@dataclass(frozen=True)
class Neighbours:
    """What is around an object; `more`: there is more than was asked for."""

    row: ObjectRow
    found: tuple[Neighbour, ...]
    more: bool


def neighbours(installation: Installation, id_: str, hops: int = 1, limit: int = LIMIT) -> Neighbours:
    """The steps around an object, nearest first, at most `limit`. Raises `Refused` (object-unknown)."""
    with installation.database.snapshot() as reader:
        key = objects.hash_key(reader)
        begin = objects.id_hash(key, id_)
        row = objects.find(reader, begin)
        if row is None:
            raise Refused("object-unknown", id=id_)
        seen, edge = {begin}, [begin]
        steps: list[tuple[int, links.Link]] = []
        told = set[tuple[int, int, str, int]]()
        read = 0
        for hop in range(1, hops + 1):
            new = dict[int, None]()
            around = links.around(reader, edge, limit + 1 - len(steps) + read)
            read += len(around)
            says = objects.owners(reader, (link.vid for link in around))
            for link in around:
                # Seen from its other end it is the same step; so it is if two contents in conflict say it.
                ends = (link.near, link.far) if link.outward else (link.far, link.near)
                if (step := (*ends, link.rel, says[link.vid])) not in told:
                    told.add(step)
                    steps.append((hop, link))
                    new.setdefault(link.far)
            edge = [one for one in new if one not in seen]
            seen.update(edge)
            if len(steps) > limit:
                break
        return Neighbours(row, _told(reader, key, steps[:limit]), len(steps) > limit)


def links_of(installation: Installation, id_: str, limit: int) -> tuple[list[links.Link], bool]:
    """The keys of the steps from an object to what is one away, at most `limit`, and whether there are more; `told`
    reads some of them. Raises `Refused` (object-unknown).
    """
    with installation.database.snapshot() as reader:
        begin = objects.id_hash(objects.hash_key(reader), id_)
        if objects.find(reader, begin) is None:
            raise Refused("object-unknown", id=id_)
        found = links.around(reader, [begin], limit + 1)
        says = objects.owners(reader, (link.vid for link in found))
    # What an object says of itself is seen from both its ends; contents in conflict may say the same.
    once = {(link.rel, says[link.vid], frozenset((link.near, link.far))): link for link in reversed(found)}
    return list(reversed(once.values()))[:limit], len(found) > limit


def told(installation: Installation, steps: Sequence[links.Link]) -> tuple[Neighbour, ...]:
    """Some of what `links_of` gave."""
    with installation.database.snapshot() as reader:
        return _told(reader, objects.hash_key(reader), [(1, link) for link in steps])


def _told(reader: Connection, key: bytes, steps: Sequence[tuple[int, links.Link]]) -> tuple[Neighbour, ...]:
    # An id is looked up in an index that has no order: where the object was come across, by its number.
    by_oid = {row.oid: row for row in objects.rows(reader, [link.oid for _, link in steps if link.oid])}
    rows = {link.far: by_oid[link.oid] for _, link in steps if link.oid}
    rows |= objects.find_many(
        reader, {idh for _, link in steps for idh in (link.near, link.far)} - rows.keys()
    )
    says = links.relationship_ids(reader, {link.vid for _, link in steps if link.related})
    absent = {link.vid for _, link in steps for idh in (link.near, link.far) if idh not in rows}
    names = {idh: row.id for idh, row in rows.items()} | _named(reader, key, absent)
    return tuple(
        Neighbour(
            hop,
            names.get(link.near, ""),
            names.get(link.far, ""),
            link.rel,
            link.outward,
            says[link.vid] if link.related else "",
            rows.get(link.far),
        )
        for hop, link in steps
    )


def _named(reader: Connection, key: bytes, vids: set[int]) -> dict[int, str]:
    """The ids that these contents name, by hash: of what is not held, nothing else knows them."""
    return {objects.id_hash(key, ref): ref for vid in sorted(vids) for ref in references(_value(reader, vid))}


def _value(reader: Connection, vid: int) -> Mapping[str, object]:
    return msgspec.json.decode(objects.raw(reader, vid), type=dict[str, object])


# What a selection needs -------------------------------------------------------------------------------------


def closure(reader: Connection, oids: Sequence[int]) -> list[int]:
    """These objects and all that is held of what they need, and what that needs: oids, in order of arrival."""
    found = set(oids)
    vids = links.contents_of(reader, found)
    while vids:
        rows = links.in_force(reader, links.needed(reader, vids))
        vids = [vid for oid, vid in rows if oid not in found]
        found.update(oid for oid, _vid in rows)
    return sorted(found)


# What leads nowhere -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dangling:
    """A reference from the object `id` to one that is not held; `rel` is the property it stands in."""

    id: str
    rel: str
    target: str


def dangling(
    installation: Installation, limit: int = LIMIT, after: str = ""
) -> tuple[list[Dangling], str | None]:
    """At most `limit` references to objects that are not held, in order of arrival, behind the cursor `after`; and
    the cursor of what follows, None for nothing. Raises `Refused` (cursor-unknown).
    """
    with installation.database.snapshot() as reader:
        key = objects.hash_key(reader)
        found: list[Dangling] = []
        last = (0, 0)
        for vid, far, one in _dangling(reader, key, _place(after)):
            if len(found) == limit:
                return found, f"{last[0]}.{last[1]}"
            found.append(one)
            last = vid, far
    return found, None


def _dangling(reader: Connection, key: bytes, after: tuple[int, int]) -> Iterator[tuple[int, int, Dangling]]:
    read, names, id_ = 0, dict[int, tuple[str, str]](), ""
    # A published marking is known, held or not.
    known = [objects.id_hash(key, id_) for id_ in marking.LEVELS]
    for vid, far in links.broken(reader, known, after):
        if vid != read:
            value = _value(reader, vid)
            read, id_ = vid, str(value["id"])
            names = {objects.id_hash(key, ref): (rel, ref) for ref, rel in references(value).items()}
        rel, target = names.get(far, ("", ""))
        yield vid, far, Dangling(id_, rel, target)


def _place(cursor: str) -> tuple[int, int]:
    if not cursor:
        return 0, -(1 << 63)
    vid, _, far = cursor.partition(".")
    try:
        place = int(vid), int(far)
    except ValueError as error:
        raise Refused("cursor-unknown") from error
    if max(map(abs, place)) >= 1 << 63:
        raise Refused("cursor-unknown")
    return place
