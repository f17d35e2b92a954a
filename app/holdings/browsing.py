"""Looking at what is held: pages of a list, search, one object with its versions and sources."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from app.intel.fold import terms
from app.intel.marking import Level
from app.messages import Refused
from app.store import counterparts, objects
from app.store.database import Connection
from app.store.installation import Installation
from app.store.objects import ObjectRow, Origin, Selection, VersionRow

PAGE = 100
ORDERS = tuple(objects.ORDERS)
PAGE_LIMIT = 10_000
QUERY_LIMIT = 1_000
OID_MASK = (1 << 63) - 1


@dataclass(frozen=True)
class Page:
    """Part of a list: `total` objects fit, `next` is the cursor of the following page (None: this is the last)."""

    total: int
    rows: tuple[ObjectRow, ...]
    next: str | None


@dataclass(frozen=True)
class Version:
    """A content held for an object, and by which acts it came."""

    row: VersionRow
    sources: tuple[Origin, ...]


@dataclass(frozen=True)
class Shown:
    """One object: its row, the exact text in force, every version newest first."""

    row: ObjectRow
    raw: bytes
    versions: tuple[Version, ...]

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
    origin: tuple[str, str] = ("", ""),
) -> Selection:
    """What a list shows. `query` words must all occur, the last one as a prefix; `level` is the stricter of marking and
    handling; `origin` a (kind, name). Raises `Refused` (query-too-long)."""
    if len(query) > QUERY_LIMIT:
        raise Refused("query-too-long", most=QUERY_LIMIT)
    return Selection(
        match=expression(query),
        types=tuple(types),
        conflicts=conflicts,
        revoked=revoked,
        marking=None if level is None else int(level),
        origin_kind=origin[0],
        origin_name=origin[1],
    )


def expression(query: str) -> str:
    """`query` as an FTS5 expression in which nothing but its words acts; "" for an empty one.

    A query that folds to no word at all (only punctuation) finds nothing rather than everything.
    """
    quoted = ['"' + term.replace('"', '""') + '"' for term in terms(query)]
    if quoted:
        return " ".join([*quoted[:-1], quoted[-1] + "*"])
    return '"\x01"' if query.strip() else ""


def page(installation: Installation, chosen: Selection, limit: int = PAGE, after: str = "") -> Page:
    """A page, newest first. Raises `Refused` (cursor-unknown)."""
    limit = max(1, min(limit, PAGE_LIMIT))
    with installation.database.snapshot() as reader:
        total = objects.count(reader, chosen)
        rows = objects.page(reader, chosen, limit + 1, _key(after) if after else None)
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(total, tuple(rows), _cursor(rows[-1]) if more else None)


def ids(installation: Installation, chosen: Selection) -> tuple[str, ...]:
    """The STIX ids of everything that fits, newest first."""
    reader = installation.database.read()
    return tuple(objects.ids(reader, chosen))


def oids(
    installation: Installation, chosen: Selection, order: str = "modified", descending: bool = True
) -> list[int]:
    """Row numbers of everything that fits, ordered by a key of `ORDERS`: what a long table keeps of its rows."""
    return objects.oids(installation.database.read(), chosen, order, descending)


def rows(installation: Installation, wanted: Sequence[int]) -> list[ObjectRow]:
    """The rows of these numbers, in that order; one that is gone is left out."""
    return objects.rows(installation.database.read(), wanted)


@dataclass(frozen=True)
class Line:
    """A row of a long table: the object, and where the version in force came from last: `kind` is import or package,
    `source` the file's name or the counterpart's alias."""

    row: ObjectRow
    kind: str
    source: str


def lines(installation: Installation, wanted: Sequence[int]) -> list[Line]:
    """The lines of these row numbers, in that order; one that is gone is left out."""
    reader = installation.database.read()
    names = {one.fingerprint: one.alias for one in counterparts.everyone(reader)}
    found = []
    for row in objects.rows(reader, wanted):
        origin = objects.origins_of(reader, row.current)[-1]
        found.append(Line(row, origin.kind, names.get(origin.name, origin.name)))
    return found


def counts_by_type(installation: Installation, chosen: Selection) -> list[tuple[str, int]]:
    """(type, objects) of what fits, largest first."""
    return objects.counts_by_type(installation.database.read(), chosen)


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
    versions = tuple(
        Version(version, tuple(objects.origins_of(reader, version.vid)))
        for version in objects.versions_of(reader, row.oid)
    )
    return Shown(row, objects.raw(reader, row.current), versions)


def _cursor(row: ObjectRow) -> str:
    return base64.urlsafe_b64encode(f"{row.oid} {row.moment}".encode()).decode().rstrip("=")


def _key(cursor: str) -> tuple[str, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        oid, moment = text.split(" ", 1)
        return moment, int(oid) & OID_MASK
    except ValueError as error:
        raise Refused("cursor-unknown") from error
