"""What objects are called where they stand in a list.

Relationships would all be called by their type, and what says something of another object by that one's id: so a
relationship is called by what it leads from and to, a sighting by what was sighted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from app.intel import ids
from app.messages import _
from app.store import objects
from app.store.database import Connection
from app.store.installation import Installation
from app.store.objects import ObjectRow

RELATIONSHIP = "relationship"


@dataclass(frozen=True, slots=True)
class Title:
    """`name` is an object's own, or its id; `ends` what a relationship leads from and to: their names, or ids."""

    name: str
    ends: tuple[str, str] | None = None

    @property
    def words(self) -> str:
        """In one line."""
        if self.ends is None:
            return self.name
        source, target = self.ends
        return _("{link}: {source} → {target}").format(link=self.name, source=source, target=target)


def of_rows(reader: Connection, rows: Sequence[ObjectRow]) -> list[Title]:
    """The titles of objects held, in their order."""
    texts = objects.raws(reader, [row.current for row in rows if row.type == RELATIONSHIP])
    some = ((row.id, row.name, about(row.type, row.name, texts.get(row.current, b""))) for row in rows)
    return titles(reader, list(some))


def of_held(installation: Installation, rows: Iterable[ObjectRow | None]) -> dict[int, Title]:
    """The titles of objects held, by oid."""
    held = list({row.oid: row for row in rows if row is not None}.values())
    with installation.database.snapshot() as reader:
        return {row.oid: title for row, title in zip(held, of_rows(reader, held), strict=True)}


def of_ids(installation: Installation, wanted: Iterable[str]) -> dict[str, Title]:
    """The titles of the STIX ids that are held."""
    with installation.database.snapshot() as reader:
        rows = list(_held(reader, wanted))
        return {row.id: title for row, title in zip(rows, of_rows(reader, rows), strict=True)}


def about(type_: str, name: str, raw: bytes) -> tuple[str, ...]:
    """The ids of what a title names: two of a relationship, whose exact text this needs, one of what has no name of its
    own but another object's id.
    """
    if type_ == RELATIONSHIP and raw:
        value = msgspec.json.decode(raw, type=dict[str, object])
        source, target = value.get("source_ref"), value.get("target_ref")
        if isinstance(source, str) and isinstance(target, str):
            return source, target
    return (name,) if ids.type_of(name) else ()


def titles(
    reader: Connection,
    some: Sequence[tuple[str, str, tuple[str, ...]]],
    beside: Mapping[str, str] | None = None,
) -> list[Title]:
    """The titles of contents, each an id, its own name and what it is `about`, in their order. `beside` are the names
    of others that came with them, by id.
    """
    known = {id_: name for id_, name in (beside or {}).items() if name}
    unknown = {one for *_, refs in some for one in refs if one not in known}
    known |= {row.id: row.name for row in _held(reader, unknown) if row.name}
    return [_title(name or id_, [known.get(one, one) for one in refs]) for id_, name, refs in some]


def _held(reader: Connection, wanted: Iterable[str]) -> Iterable[ObjectRow]:
    key = objects.hash_key(reader)
    return objects.find_many(reader, [objects.id_hash(key, id_) for id_ in wanted]).values()


def _title(name: str, called: Sequence[str]) -> Title:
    if len(called) == 2:
        return Title(name, (called[0], called[1]))
    return Title(called[0] if called else name)
