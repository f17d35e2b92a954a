"""The indexes and counters over what is held: written with each object, taken out with it, made anew when need be.

They follow from the texts alone (`app.intel.indexing`), for the contents in force of each object. Whoever changes
what is in force does so inside `anew` (or `counted`, where only a level or a source changes); nothing else writes
these tables.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from app.intel import indexing
from app.intel.envelope import envelope
from app.intel.indexing import Indexed
from app.intel.observables import Hashed
from app.intel.observables import hashed as hashed_in
from app.store import bodies, hashed
from app.store.database import Connection, Database

HASH_KEY = "id-hash-key"
VERSION_KEY = "index"
BATCH = 500

Edge = tuple[int, str, int, int, bool]
"""(vid, rel, src, dst, related), ids by hash."""


@lru_cache(1 << 14)
def id_hash(key: bytes, stix_id: str) -> int:
    """The 64-bit keyed hash of `stix_id` that stands for it in indexes (signed, as SQLite's integers are)."""
    # An object's own id, its creator and its markings are asked for again and again.
    return int.from_bytes(
        hashlib.blake2b(stix_id.encode(), digest_size=8, key=key).digest(), "big", signed=True
    )


def hash_key(connection: Connection) -> bytes:
    """This store's key for `id_hash`."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (HASH_KEY,)).fetchone()
    return bytes(row[0])


# Writing ----------------------------------------------------------------------------------------------------


class Texts:
    """Changes of the two text indexes, gathered and then made in the order of the objects.

    FTS5 writes out whatever it holds each time a number is not larger than the one before: to change an old object
    between new ones would cost more than a hundred of these.
    """

    def __init__(self) -> None:
        self._changes: dict[int, tuple[Indexed | None, Indexed | None]] = {}

    def __len__(self) -> int:
        return len(self._changes)

    def take_out(self, oid: int, one: Indexed) -> None:
        """The words of an object that is in the indexes, or was about to be, are to go."""
        before, after = self._changes.get(oid, (one, None))
        if before is None and after is not None:
            del self._changes[oid]
        else:
            self._changes[oid] = (before, None)

    def put_in(self, oid: int, one: Indexed) -> None:
        """The words of an object are to go in."""
        self._changes[oid] = (self._changes.get(oid, (None, None))[0], one)

    def write(self, tx: Connection) -> None:
        """Make the changes."""
        words, parts = [], []
        for oid, (before, after) in sorted(self._changes.items()):
            words.append((oid, _words(before), _words(after)))
            parts.append((oid, _part(before), _part(after)))
        _rewrite(tx, "object_text", "rowid, text, tags", words)
        _rewrite(tx, "observable_text", "rowid, text", parts)
        self._changes.clear()


def _words(one: Indexed | None) -> tuple[str, ...] | None:
    return None if one is None else (one.text, one.tags)


def _part(one: Indexed | None) -> tuple[str, ...] | None:
    return (one.parts,) if one is not None and one.parts else None


def _rewrite(
    tx: Connection,
    table: str,
    columns: str,
    changes: Iterable[tuple[int, tuple[str, ...] | None, tuple[str, ...] | None]],
) -> None:
    """Take words out and put others in, (oid, before, after) by ascending oid."""
    marks = ", ".join("?" * (columns.count(",") + 1))
    put = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
    fresh: list[tuple[object, ...]] = []
    for oid, before, after in changes:
        if before is not None:
            tx.executemany(put, fresh)
            fresh.clear()
            # A contentless index needs the text to the letter: its words are taken out one by one, so that none stays.
            tx.execute(f"INSERT INTO {table} ({table}, {columns}) VALUES ('delete', {marks})", (oid, *before))
        if after is not None:
            fresh.append((oid, *after))
    tx.executemany(put, fresh)


def put(tx: Connection, items: Sequence[tuple[int, Indexed]], texts: Texts) -> None:
    """Index objects, by their oid, that are in no index; their words when `texts` are written."""
    for oid, one in items:
        texts.put_in(oid, one)
    # In the order of the tree: neighbours share a page.
    tx.executemany(
        "INSERT INTO observable (val, kind, oid) VALUES (?, ?, ?)",
        sorted((found.value, found.kind, oid) for oid, one in items for found in one.observables),
    )
    tx.executemany(
        "INSERT INTO domain (reversed, oid) VALUES (?, ?)",
        sorted((found, oid) for oid, one in items for found in one.domains),
    )
    tx.executemany(
        "INSERT INTO external (value, source, oid) VALUES (?, ?, ?)",
        sorted((value, source, oid) for oid, one in items for value, source in one.externals),
    )


def put_edges(tx: Connection, edges: Iterable[Edge]) -> None:
    """Add links; one that stands twice in a content counts once."""
    tx.executemany("INSERT OR IGNORE INTO edge (vid, rel, src, dst, related) VALUES (?, ?, ?, ?, ?)", edges)


def put_marked(tx: Connection, marked: Iterable[tuple[int, int]]) -> None:
    """Add (vid, hash of a marking definition it needs)."""
    tx.executemany("INSERT OR IGNORE INTO marked (vid, definition) VALUES (?, ?)", marked)


def edges_of(key: bytes, vid: int, links: Iterable[indexing.Link]) -> list[Edge]:
    """The links in a content."""
    return [(vid, link.rel, id_hash(key, link.src), id_hash(key, link.dst), link.related) for link in links]


def count(tx: Connection, change: Mapping[tuple[str, str], int]) -> None:
    """Add to the counters: {(facet, value): by how much}."""
    changes = [(facet, value, by) for (facet, value), by in change.items() if by]
    tx.executemany(
        "INSERT INTO facet (facet, value, objects) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET objects = objects + excluded.objects",
        changes,
    )
    if any(by < 0 for *_, by in changes):
        tx.execute("DELETE FROM facet WHERE objects = 0")


def facets(type_: str, level: int, revoked: bool, variants: int) -> list[tuple[str, str]]:
    """What an object counts for, but for its sources."""
    found = [("all", ""), ("type", type_), ("level", str(level))]
    if revoked:
        found.append(("revoked", ""))
    if variants > 1:
        found.append(("conflict", ""))
    return found


def place(kind: str, name: str) -> str:
    """The value of the facet `source` for an origin."""
    return f"{kind} {name}"


# Changing ---------------------------------------------------------------------------------------------------


def rename_source(tx: Connection, kind: str, old: str, new: str) -> None:
    """What came from `old` came from `new`: one counterpart under another card, from which nothing came yet."""
    tx.execute("UPDATE origin SET name = ? WHERE kind = ? AND name = ?", (new, kind, old))
    tx.execute(
        "UPDATE facet SET value = ? WHERE facet = 'source' AND value = ?",
        (place(kind, new), place(kind, old)),
    )


@contextlib.contextmanager
def counted(tx: Connection, oid: int) -> Iterator[None]:
    """Keep the counters right while the block changes the row or the sources of an object."""
    before = _facets_of(tx, oid)
    yield
    after = Counter(_facets_of(tx, oid))
    after.subtract(before)
    count(tx, after)


@contextlib.contextmanager
def anew(tx: Connection, oid: int, gathered: Texts | None = None) -> Iterator[None]:
    """Keep indexes and counters right while the block changes which contents are in force, or deletes the object.

    For an object that is held and indexed. Many changes in a row are `gathered` and written by the caller. A block that
    raises leaves the transaction to be undone.
    """
    key = hash_key(tx)
    texts = Texts() if gathered is None else gathered
    with counted(tx, oid):
        before = _in_force(tx, oid)
        if before:
            one = indexing.merged(one for _, one, _ in before)
            texts.take_out(oid, one)
            _take_out(tx, oid, one)
            tx.executemany("DELETE FROM edge WHERE vid = ?", [(vid,) for vid, *_ in before])
        yield
        after = _in_force(tx, oid)
        if after:
            put(tx, [(oid, indexing.merged(one for _, one, _ in after))], texts)
            for vid, _, links in after:
                put_edges(tx, edges_of(key, vid, links))
    count(tx, {("conflict", ""): hashed.change(tx, oid, _hashed(tx, oid, after))})
    if gathered is None:
        texts.write(tx)


def put_hashed(tx: Connection, items: Iterable[tuple[int, str, Indexed]]) -> int:
    """Note what new objects, (oid, type, what is indexed), say of files; returns how many contradict what was there."""
    more, came = hashed.add(tx, ((oid, hashed_in(type_, one.observables)) for oid, type_, one in items))
    count(tx, {("conflict", ""): more})
    return len(came)


def tell_apart(tx: Connection, oid: int) -> None:
    """The files that an object's hashes contradict are others, the officer says: no conflict any more."""
    count(tx, {("conflict", ""): hashed.tell_apart(tx, oid)})


def _hashed(tx: Connection, oid: int, contents: Iterable[tuple[int, Indexed, object]]) -> list[Hashed]:
    """What the contents of an object say of files, each of one."""
    row = tx.execute("SELECT type FROM object WHERE oid = ?", (oid,)).fetchone()
    return [one for _, found, _ in contents for one in hashed_in(row[0], found.observables)]


def _take_out(tx: Connection, oid: int, one: Indexed) -> None:
    tx.executemany(
        "DELETE FROM observable WHERE val = ? AND kind = ? AND oid = ?",
        [(found.value, found.kind, oid) for found in one.observables],
    )
    tx.executemany(
        "DELETE FROM domain WHERE reversed = ? AND oid = ?", [(found, oid) for found in one.domains]
    )
    tx.executemany(
        "DELETE FROM external WHERE value = ? AND source = ? AND oid = ?",
        [(value, source, oid) for value, source in one.externals],
    )


def _in_force(tx: Connection, oid: int) -> list[tuple[int, Indexed, tuple[indexing.Link, ...]]]:
    """(vid, what is indexed of it, its links) of each content in force, in order of arrival."""
    found = []
    for vid, blob in tx.execute(
        "SELECT vid, raw FROM version JOIN object USING (oid) JOIN body USING (vid)"
        " WHERE oid = ? AND version.moment = object.moment AND dropped = 0 ORDER BY vid",
        (oid,),
    ).fetchall():
        value = msgspec.json.decode(bodies.unpack(blob), type=dict[str, object])
        env = envelope(value)
        found.append((vid, indexing.indexed(value, env), indexing.links(value, env)))
    return found


def _facets_of(tx: Connection, oid: int) -> list[tuple[str, str]]:
    row = tx.execute(
        "SELECT type, level, revoked, max(variants, 1 + disputed), current FROM object WHERE oid = ?", (oid,)
    ).fetchone()
    if row is None:
        return []
    places = tx.execute(
        "SELECT DISTINCT kind, name FROM source JOIN origin ON origin = number WHERE vid = ?", (row[4],)
    )
    return facets(*row[:4]) + [("source", place(kind, name)) for kind, name in places]


# Much at once -----------------------------------------------------------------------------------------------

_NOT_NEEDED = """
    SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
        AND (tbl_name IN ('object', 'edge') OR name IN ('version_by_sha256', 'source_of_origin'))
"""


def lay_aside(tx: Connection) -> list[str]:
    """Drop the indexes that taking objects in never looks at; returns what makes them again.

    An index in no order costs a page for each object; made of all of them at once it is sorted first. Undone with the
    transaction.
    """
    dropped = tx.execute(_NOT_NEEDED).fetchall()
    for name, _ in dropped:
        tx.execute(f"DROP INDEX {name}")
    return [sql for _, sql in dropped]


# Making anew ------------------------------------------------------------------------------------------------

_COUNTED = """
    SELECT 'all', '', count(*) FROM object HAVING count(*)
    UNION ALL SELECT 'type', type, count(*) FROM object GROUP BY type
    UNION ALL SELECT 'level', CAST(level AS TEXT), count(*) FROM object GROUP BY level
    UNION ALL SELECT 'revoked', '', count(*) FROM object WHERE revoked HAVING count(*)
    UNION ALL SELECT 'conflict', '', count(*) FROM object WHERE variants > 1 OR disputed = 1 HAVING count(*)
    UNION ALL SELECT 'source', kind || ' ' || origin.name, count(DISTINCT oid) FROM object
        JOIN source ON vid = current JOIN origin ON origin = number GROUP BY kind, origin.name
"""


def bring_up_to_date(database: Database) -> None:
    """Make every index anew if another way of indexing wrote it (also after a migration). One transaction."""
    row = database.read().execute("SELECT value FROM meta WHERE key = ?", (VERSION_KEY,)).fetchone()
    if row is not None and bytes(row[0]) == indexing.VERSION.encode():
        return
    with database.write() as tx:
        remake(tx)


def remake(tx: Connection) -> None:
    """Make every index and counter anew from the texts held."""
    key = hash_key(tx)
    for table in ("object_text", "observable_text"):
        tx.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")
    for table in ("observable", "domain", "external", "edge", "marked", "facet"):
        tx.execute(f"DELETE FROM {table}")
    hashed.clear(tx)
    last = 0
    while oids := [
        row[0]
        for row in tx.execute("SELECT oid FROM object WHERE oid > ? ORDER BY oid LIMIT ?", (last, BATCH))
    ]:
        last = oids[-1]
        items, edges, marked, says = [], list[Edge](), list[tuple[int, int]](), list[hashed.Item]()
        for oid in oids:
            contents = _in_force(tx, oid)
            if not contents:
                continue
            items.append((oid, indexing.merged(one for _, one, _ in contents)))
            says.append((oid, _hashed(tx, oid, contents)))
            for vid, _, links in contents:
                edges += edges_of(key, vid, links)
            for vid, current, blob in tx.execute(
                "SELECT vid, vid = current, raw FROM version JOIN object USING (oid) JOIN body USING (vid)"
                " WHERE oid = ?",
                (oid,),
            ).fetchall():
                env = envelope(msgspec.json.decode(bodies.unpack(blob), type=dict[str, object]))
                marked += [(vid, id_hash(key, definition)) for definition in env.definitions]
                if current:
                    tx.execute(
                        "UPDATE object SET creator = ?, confidence = ? WHERE oid = ?",
                        (id_hash(key, env.creator) if env.creator else None, env.confidence, oid),
                    )
        texts = Texts()
        put(tx, items, texts)
        texts.write(tx)
        put_edges(tx, edges)
        put_marked(tx, marked)
        hashed.add(tx, says)
    tx.execute(f"INSERT INTO facet (facet, value, objects) {_COUNTED}")
    tx.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
        (VERSION_KEY, indexing.VERSION.encode()),
    )


def sound(connection: Connection) -> bool:
    """Whether the counters say what is held."""
    kept = connection.execute("SELECT facet, value, objects FROM facet ORDER BY 1, 2").fetchall()
    return bool(kept == connection.execute(f"{_COUNTED} ORDER BY 1, 2").fetchall())


def amiss(connection: Connection, step: Callable[[int], None]) -> list[str]:
    """The names of the tables that do not say what the texts held say: observable, domain, external, edge, hashed;
    disputed for the flag that follows from the last.

    `step` is called with the number of objects read. The rows of a table are summed as hashes, in whatever order they
    come: no memory is needed, however many there are.
    """
    key = hash_key(connection)
    wanted: dict[str, int] = dict.fromkeys(("observable", "domain", "external", "edge", "hashed"), 0)
    oids = connection.execute("SELECT oid FROM object ORDER BY oid")
    for number, (oid,) in enumerate(oids):
        if number % BATCH == 0:
            step(number)
        contents = _in_force(connection, oid)
        if not contents:
            continue
        one = indexing.merged(found for _, found, _ in contents)
        wanted["observable"] += sum(_mark(found.value, found.kind, oid) for found in one.observables)
        wanted["domain"] += sum(_mark(found, oid) for found in one.domains)
        wanted["external"] += sum(_mark(*found, oid) for found in one.externals)
        says = {(one.weak, int(one.stated), one.strong) for one in _hashed(connection, oid, contents)}
        wanted["hashed"] += sum(_mark(*said, oid) for said in says)
        edges = {edge[:4]: edge for vid, _, links in contents for edge in edges_of(key, vid, links)}
        wanted["edge"] += sum(_mark(*edge[:4], int(edge[4])) for edge in edges.values())
    for name, columns in (
        ("observable", "val, kind, oid"),
        ("domain", "reversed, oid"),
        ("external", "value, source, oid"),
        ("edge", "vid, rel, src, dst, related"),
        ("hashed", "weak, stated, strong, oid"),
    ):
        wanted[name] -= sum(_mark(*row) for row in connection.execute(f"SELECT {columns} FROM {name}"))
    wanted["disputed"] = int(hashed.flags_wrong(connection))
    return [name for name, over in wanted.items() if over]


def _mark(*row: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=16).digest(), "big")
