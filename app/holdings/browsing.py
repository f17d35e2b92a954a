"""Looking at what is held: pages of a list, search, one object with its versions and sources."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from app.holdings import query as language
from app.holdings import revoking, titles
from app.holdings.revoking import Side
from app.holdings.titles import Title
from app.intel.marking import Level
from app.messages import Refused
from app.store import counterparts, hashed, objects, origins, selecting
from app.store.conditions import Named, Selection
from app.store.database import Connection
from app.store.installation import Installation
from app.store.objects import ObjectRow, VersionRow
from app.store.origins import Origin
from app.store.selecting import Order, Score

PAGE = 100
ORDERS = tuple(selecting.ORDERS)
RANK = "rank"
"""Beside `ORDERS`: what says most about the words first. Only of a query with words, and one way only."""
PAGE_LIMIT = 10_000
CURSOR_LIMIT = 8_192
CONTRADICTING = 100
"""Objects that are named for contradicting another."""


_T = TypeVar("_T")


@dataclass(frozen=True)
class Page:
    """Part of a list: `total` objects fit, `next` is the cursor of the following page (None: this is the last)."""

    total: int
    rows: tuple[ObjectRow, ...]
    next: str | None


@dataclass(frozen=True)
class Version:
    """A content held for an object, and by which acts it came. `converted`: its text was made here, of STIX 2.0."""

    row: VersionRow
    sources: tuple[Origin, ...]
    converted: bool = False


@dataclass(frozen=True)
class Shown:
    """One object: its row, the exact text in force, every version newest first; whose it is, and that counterpart's
    alias ("": ours, or nobody knows). `contradicting`: the first objects that give the same file another SHA-256.
    """

    row: ObjectRow
    title: Title
    raw: bytes
    versions: tuple[Version, ...]
    creator: Side
    creator_name: str
    contradicting: tuple[ObjectRow, ...] = ()

    @property
    def value(self) -> dict[str, object]:
        """The object in force as a JSON value."""
        return msgspec.json.decode(self.raw, type=dict[str, object])

    @property
    def marking(self) -> Level | None:
        """Its TLP marking."""
        return None if self.row.marking is None else Level(self.row.marking)

    @property
    def handling(self) -> Level | None:
        """The level given here."""
        return None if self.row.handling is None else Level(self.row.handling)


def selection(
    query: str = "",
    types: Sequence[str] = (),
    conflicts: bool = False,
    revoked: bool = False,
    level: Level | None = None,
    source: str = "",
    dangling: bool = False,
) -> Selection:
    """What a list shows: what fits `query` (see `app.holdings.query`) and also all that is said beside it. `level` is
    the stricter of marking and handling, `source` a file's name or a counterpart's alias, `dangling` what refers to
    anything that is not held. Raises `Refused` as the query does.
    """
    asked = language.parse(query)
    if types:
        asked = replace(asked, types=_both(tuple(dict.fromkeys(types)), asked.types, ""))
    if level is not None:
        asked = replace(asked, levels=_both((int(level),), asked.levels, NO_LEVEL))
    if conflicts:
        asked = replace(asked, conflict=True, types=asked.types if asked.conflict is not False else ("",))
    if revoked:
        asked = replace(asked, revoked=True, types=asked.types if asked.revoked is not False else ("",))
    if source:
        asked = replace(asked, within=Named(source))
    if dangling:
        asked = replace(asked, dangling=True)
    return asked


NO_LEVEL = -2


def _both(wanted: tuple[_T, ...], asked: tuple[_T, ...], none: _T) -> tuple[_T, ...]:
    """What is in both, where `asked` is () for all; `none`, which nothing is, where that is nothing."""
    return tuple(one for one in wanted if not asked or one in asked) or (none,)


def page(
    installation: Installation,
    chosen: Selection,
    limit: int = PAGE,
    after: str = "",
    order: str = "modified",
    descending: bool = True,
) -> Page:
    """A page in an order of `ORDERS` or `RANK`. Raises `Refused`: cursor-unknown (also of another order),
    source-unknown (fact `at`: where in the query), order-unknown, order-words (ranked without words).
    """
    limit = max(1, min(limit, PAGE_LIMIT))
    with installation.database.snapshot() as reader:
        total = selecting.count(reader, chosen)
        found = _listed(reader, chosen, limit + 1, _Place(order, descending), after)
    more = len(found) > limit
    return Page(total, tuple(row for _key, row in found[:limit]), found[limit - 1][0] if more else None)


@dataclass(frozen=True)
class _Place:
    order: str
    descending: bool

    def cursor(self, row: ObjectRow, score: Score | None = None) -> str:
        """What comes behind this row, as one word."""
        values = {"moment": row.moment, "name COLLATE NOCASE": row.name, "type": row.type, "level": row.level}
        if score is not None:
            key: list[object] = [score.rest, score.weight]
        else:
            key = [values[column] for column in selecting.ORDERS[self.order][:-1]]
        text = msgspec.json.encode([self.order, self.descending, *key, row.oid])
        return base64.urlsafe_b64encode(text).decode().rstrip("=")

    def key(self, cursor: str) -> list[Any] | None:
        """The key in a cursor of this order, None for none. Raises `Refused` (cursor-unknown)."""
        if not cursor:
            return None
        try:
            padded = cursor[:CURSOR_LIMIT] + "=" * (-len(cursor) % 4)
            text = base64.b64decode(padded.encode(), b"-_", validate=True)
            order, descending, *key = msgspec.json.decode(text, type=list[Any])
        except (ValueError, RecursionError) as error:
            raise Refused("cursor-unknown") from error
        columns = ("rest", "weight", "oid") if self.order == RANK else selecting.ORDERS[self.order]
        kinds = [_KINDS[column] for column in columns]
        if [order, descending, *map(type, key)] != [self.order, self.descending, *kinds]:
            raise Refused("cursor-unknown")
        if not all(abs(value) < 1 << 63 for value in key if isinstance(value, int)):
            raise Refused("cursor-unknown")
        return key


_KINDS = {
    "moment": str,
    "name COLLATE NOCASE": str,
    "type": str,
    "level": int,
    "rest": int,
    "weight": float,
    "oid": int,
}


def _listed(
    reader: Connection, chosen: Selection, limit: int, place: _Place, after: str
) -> list[tuple[str, ObjectRow]]:
    """Rows, each with the cursor behind it."""
    if place.order == RANK:
        if not chosen.match:
            raise Refused("order-words")
        key = place.key(after)
        ranked = selecting.ranked(reader, chosen, limit, (Score(key[0], key[1]), key[2]) if key else None)
        return [(place.cursor(row, score), row) for score, row in ranked]
    if place.order not in ORDERS:
        raise Refused("order-unknown", order=place.order)
    order = Order(place.order, place.descending)
    return [
        (place.cursor(row), row) for row in selecting.page(reader, chosen, order, limit, place.key(after))
    ]


def ids(installation: Installation, chosen: Selection) -> tuple[str, ...]:
    """The STIX ids of everything that fits, newest first. Raises `Refused` (source-unknown)."""
    reader = installation.database.read()
    return tuple(selecting.ids(reader, chosen))


def oids(
    installation: Installation, chosen: Selection, order: str = "modified", descending: bool = True
) -> list[int]:
    """Row numbers of everything that fits, ordered by a key of `ORDERS` or `RANK`: what a long table keeps of its rows.
    What is too much to be ranked comes behind it, newest first. Raises `Refused`: source-unknown, order-words.
    """
    if order != RANK:
        return selecting.oids(installation.database.read(), chosen, Order(order, descending))
    if not chosen.match:
        raise Refused("order-words")
    with installation.database.snapshot() as reader:
        first = [row.oid for _score, row in selecting.ranked(reader, chosen, selecting.RANKED, None)]
        known = set(first)
        return first + [oid for oid in selecting.oids(reader, chosen) if oid not in known]


def in_the_middle(installation: Installation, query: str) -> str:
    """The query that finds, in the middle of addresses, hosts and names of files, the words of one that finds nothing;
    "" where that finds nothing either. Raises `Refused` as the query does.
    """
    other = language.as_parts(query)
    if len(other) > language.QUERY_LIMIT or not other:
        return ""
    return other if count(installation, language.parse(other)) else ""


def count(installation: Installation, chosen: Selection) -> int:
    """How many objects fit."""
    return selecting.count(installation.database.read(), chosen)


def sources(installation: Installation) -> list[tuple[str, str, int]]:
    """(kind, name, objects) of everything in force by where it came from, most first: the names of imported files,
    the aliases of counterparts.
    """
    return selecting.sources(installation.database.read())


def rows(installation: Installation, wanted: Sequence[int]) -> list[ObjectRow]:
    """The rows of these numbers, in that order; one that is gone is left out."""
    return objects.rows(installation.database.read(), wanted)


def named(installation: Installation, wanted: Iterable[str]) -> dict[str, ObjectRow]:
    """The rows of STIX ids, of those that are held."""
    reader = installation.database.read()
    key = objects.hash_key(reader)
    found = ((id_, objects.find(reader, objects.id_hash(key, id_))) for id_ in wanted)
    return {id_: row for id_, row in found if row is not None}


@dataclass(frozen=True)
class Line:
    """A row of a long table: the object, and where the version in force came from last: `kind` is import or package,
    `source` the file's name or the counterpart's alias."""

    row: ObjectRow
    title: Title
    kind: str
    source: str


def lines(installation: Installation, wanted: Sequence[int]) -> list[Line]:
    """The lines of these row numbers, in that order; one that is gone is left out."""
    reader, found = installation.database.read(), list[tuple[ObjectRow, Origin]]()
    for row in objects.rows(reader, wanted):
        found.append((row, origins.of(reader, row.current)[-1]))
    called = source_names(installation, [origin for _, origin in found])
    entitled = titles.of_rows(reader, [row for row, _ in found])
    return [
        Line(row, title, origin.kind, name)
        for (row, origin), title, name in zip(found, entitled, called, strict=True)
    ]


def source_names(installation: Installation, acts: Iterable[Origin]) -> list[str]:
    """What the sides are called that these acts brought something from: the file, or the counterpart's alias."""
    names = {one.fingerprint: one.alias for one in counterparts.everyone(installation.database.read())}
    # A file may be named like anything, a fingerprint too.
    return [names.get(act.name, act.name) if act.kind == "package" else act.name for act in acts]


def counts_by_type(installation: Installation, chosen: Selection) -> list[tuple[str, int]]:
    """(type, objects) of what fits, largest first."""
    return selecting.counts_by_type(installation.database.read(), chosen)


def show(installation: Installation, id_: str) -> Shown:
    """One object by STIX id; raises `Refused` (object-unknown)."""
    reader = installation.database.read()
    row = objects.find(reader, objects.id_hash(objects.hash_key(reader), id_))
    if row is None:
        raise Refused("object-unknown", id=id_)
    return _shown(reader, row)


def show_oid(installation: Installation, oid: int) -> Shown:
    """One object by its row number; raises `Refused` (object-unknown)."""
    reader = installation.database.read()
    rows = objects.rows(reader, [oid])
    if not rows:
        raise Refused("object-unknown", id=str(oid))
    return _shown(reader, rows[0])


def version_raw(installation: Installation, vid: int) -> bytes:
    """The exact text of one version."""
    return objects.raw(installation.database.read(), vid)


def _shown(reader: Connection, row: ObjectRow) -> Shown:
    held = objects.versions_of(reader, row.oid)
    converted = objects.converted(reader, [version.vid for version in held])
    versions = tuple(
        Version(version, tuple(origins.of(reader, version.vid)), version.vid in converted) for version in held
    )
    whose = revoking.side(reader, row.oid)
    name = counterparts.get(reader, whose.cid).alias if whose.cid else ""
    others = objects.rows(reader, hashed.contradicting(reader, row.oid, CONTRADICTING))
    (title,) = titles.of_rows(reader, [row])
    return Shown(row, title, objects.raw(reader, row.current), versions, whose, name, tuple(others))
