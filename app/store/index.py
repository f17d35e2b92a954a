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
from operator import itemgetter

import msgspec

from app.intel import indexing
from app.intel.envelope import Envelope, envelope
from app.intel.indexing import Indexed
from app.intel.observables import Hashed
from app.intel.observables import hashed as hashed_in
from app.jobs import Job
from app.store import bodies, full_text, hashed, spilled
from app.store.codes import code
from app.store.contents import Content, all_in_force, in_force
from app.store.database import Connection, Database
from app.store.full_text import Texts, bytes_of, empty, parts_of, words_of
from app.store.words import Sums

HASH_KEY = "id-hash-key"
VERSION_KEY = "index"
BATCH = 500

Edge = tuple[int, int | str, int, int, int]
"""(vid, rel as `codes` has it, src, dst, related), ids by hash; src is 0 where it is the content's own object."""


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


def put(tx: Connection, items: Sequence[tuple[int, Indexed]], texts: Texts) -> None:
    """Index objects, by their oid, that are in no index; their words when `texts` are written."""
    for oid, one in items:
        texts.put_in(oid, one)
    found: Found = ([], [], [])
    for oid, one in items:
        for all_, more in zip(found, rows(oid, one), strict=True):
            all_ += more  # type: ignore[operator]
    put_found(tx, *found)


Found = tuple[list[tuple[str, int | str, int]], list[tuple[str, int]], list[tuple[str, str, int]]]
"""(value, kind, oid), (reversed, oid) and (value, source, oid)."""


def put_found(
    tx: Connection,
    observables: list[tuple[str, int | str, int]],
    domains: list[tuple[str, int]],
    externals: list[tuple[str, str, int]],
) -> None:
    """Add (value, kind, oid), (reversed, oid) and (value, source, oid); what stands there twice counts once."""
    # In the order of the tree: neighbours share a page.
    for sql, some in (
        ("INSERT OR IGNORE INTO observable (val, kind, oid) VALUES (?, ?, ?)", observables),
        ("INSERT OR IGNORE INTO domain (reversed, oid) VALUES (?, ?)", domains),
        ("INSERT OR IGNORE INTO external (value, source, oid) VALUES (?, ?, ?)", externals),
    ):
        if some:
            tx.executemany(sql, sorted(some, key=_first))


_first = itemgetter(0)


def put_edges(tx: Connection, edges: Iterable[Edge]) -> None:
    """Add links; one that stands twice in a content counts once."""
    tx.executemany("INSERT OR IGNORE INTO edge (vid, rel, src, dst, related) VALUES (?, ?, ?, ?, ?)", edges)


def put_marked(tx: Connection, marked: Iterable[tuple[int, int]]) -> None:
    """Add (vid, hash of a marking definition it needs)."""
    tx.executemany("INSERT OR IGNORE INTO marked (vid, definition) VALUES (?, ?)", marked)


def edges_of(key: bytes, vid: int, links: Iterable[indexing.Link]) -> list[Edge]:
    """The links in a content, but for the one to its creator, which stands in the row of the version."""
    return [
        (
            vid,
            code(link.rel),
            id_hash(key, link.src) if link.src else 0,
            id_hash(key, link.dst),
            int(link.src != ""),
        )
        for link in links
    ]


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
        before = in_force(tx, oid)
        yield
        after = in_force(tx, oid)
        change(tx, key, oid, before, after, texts)
    count(tx, {("conflict", ""): hashed.change(tx, oid, hashed_of(after))})
    if gathered is None:
        texts.write(tx)


def change(
    tx: Connection, key: bytes, oid: int, before: Sequence[Content], after: Sequence[Content], texts: Texts
) -> None:
    """Let the indexes say what the contents in force of an object say after a change, but for what they say of files.
    What both say stays where it is.
    """
    old, new = (_together(contents) for contents in (before, after))
    if before:
        texts.take_out(oid, old)
    if after:
        texts.put_in(oid, new)
    take_out(tx, *rows(oid, old, new))
    put_found(tx, *rows(oid, new, old))
    stays = {content.vid for content in before} & {content.vid for content in after}
    take_edges(tx, [content.vid for content in before if content.vid not in stays])
    for content in after:
        if content.vid not in stays:
            put_edges(tx, edges_of(key, content.vid, content.links))


def take_out(
    tx: Connection,
    observables: list[tuple[str, int | str, int]],
    domains: list[tuple[str, int]],
    externals: list[tuple[str, str, int]],
) -> None:
    """Take out what `put_found` puts in."""
    for sql, gone in zip(_TAKE_OUT, (observables, domains, externals), strict=True):
        if gone:
            tx.executemany(sql, gone)


_TAKE_OUT = (
    "DELETE FROM observable WHERE val = ? AND kind = ? AND oid = ?",
    "DELETE FROM domain WHERE reversed = ? AND oid = ?",
    "DELETE FROM external WHERE value = ? AND source = ? AND oid = ?",
)


def take_edges(tx: Connection, vids: Iterable[int]) -> None:
    """Take out the links in these contents."""
    tx.executemany("DELETE FROM edge WHERE vid = ?", [(vid,) for vid in vids])


def _together(contents: Sequence[Content]) -> Indexed:
    return indexing.merged(content.indexed for content in contents) if contents else indexing.NOTHING


def rows(oid: int, one: Indexed, but: Indexed = indexing.NOTHING) -> Found:
    """What is found by rows in `one` and not in `but`."""
    observables, domains, externals = set(but.observables), set(but.domains), set(but.externals)
    return (
        [(found.value, code(found.kind), oid) for found in one.observables if found not in observables],
        [(found, oid) for found in one.domains if found not in domains],
        [(value, source, oid) for value, source in one.externals if (value, source) not in externals],
    )


def put_hashed(tx: Connection, items: Iterable[hashed.Item]) -> int:
    """Note what new objects say of files; returns how many contradict what was there."""
    more, came = hashed.add(tx, items)
    count(tx, {("conflict", ""): more})
    return len(came)


def tell_apart(tx: Connection, oid: int) -> None:
    """The files that an object's hashes contradict are others, the officer says: no conflict any more."""
    count(tx, {("conflict", ""): hashed.tell_apart(tx, oid)})


def hashed_of(contents: Iterable[Content]) -> list[Hashed]:
    """What the contents of an object say of files, each of one."""
    return [
        found for one in contents for found in hashed_in(one.id.partition("--")[0], one.indexed.observables)
    ]


def _facets_of(tx: Connection, oid: int) -> list[tuple[str, str]]:
    row = tx.execute(
        "SELECT type, level, revoked, max(variants, 1 + disputed), current FROM object WHERE oid = ?", (oid,)
    ).fetchone()
    if row is None:
        return []
    return facets(*row[:4]) + [("source", place) for place in places(tx, row[4])]


def places(tx: Connection, vid: int) -> list[str]:
    """The values of the facet `source` for a version."""
    rows = tx.execute(
        "SELECT DISTINCT kind, name FROM origin WHERE number IN"
        " (SELECT origin FROM version WHERE vid = ?1 UNION ALL SELECT origin FROM source WHERE vid = ?1)",
        (vid,),
    )
    return [place(kind, name) for kind, name in rows]


# Much at once -----------------------------------------------------------------------------------------------

_NOT_NEEDED = """
    SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
        AND (tbl_name IN ('object', 'edge') AND name NOT IN ('object_revoked', 'object_in_conflict')
            OR name = 'version_by_creator')
"""


def lay_aside(tx: Connection, coming: int) -> list[str]:
    """Drop the indexes that taking in so many objects never looks at; returns what makes them again.

    An index in no order costs a page for each object; made of all of them at once it is sorted first. Undone with the
    transaction.
    """
    # To make it again, every text is read; to add to it, one page for each creator is kept.
    few = "version_by_creator" if coming < MANY else ""
    dropped = [row for row in tx.execute(_NOT_NEEDED).fetchall() if row[0] != few]
    for name, _ in dropped:
        tx.execute(f"DROP INDEX {name}")
    return [sql for _, sql in dropped]


SORTING = 6 << 10
"""KiB of the page cache while many rows are sorted, and of what is sorted at once: pages are read only once, and runs
that fit in the processor's own cache, merged afterwards, take two thirds of the time.
"""
MANY = 200_000
"""Objects whose rows do not stay in the page cache."""


def bring_back(tx: Connection, aside: Sequence[str], step: Callable[[int, int], None]) -> None:
    """Make indexes that were laid aside; `step` is told how many of how many are made."""
    if not aside:
        return
    (cache,) = tx.execute("PRAGMA cache_size").fetchone()
    if (tx.execute("SELECT max(oid) FROM object").fetchone()[0] or 0) > MANY:
        tx.execute(f"PRAGMA cache_size = -{SORTING}")
        tx.execute("PRAGMA shrink_memory")
    with spilled.sorting(tx):
        for done, sql in enumerate(aside):
            step(done, len(aside))
            tx.execute(sql)
    tx.execute(f"PRAGMA cache_size = {cache}")


# Making anew ------------------------------------------------------------------------------------------------


def untold(_done: int, _total: int) -> None:
    """A step that nobody hears of."""


_COUNTED = """
    SELECT 'all', '', count(*) FROM object HAVING count(*)
    UNION ALL SELECT 'type', type, count(*) FROM object GROUP BY type
    UNION ALL SELECT 'level', CAST(level AS TEXT), count(*) FROM object GROUP BY level
    UNION ALL SELECT 'revoked', '', count(*) FROM object WHERE revoked HAVING count(*)
    UNION ALL SELECT 'conflict', '', count(*) FROM object WHERE variants > 1 OR disputed = 1 HAVING count(*)
    UNION ALL SELECT 'source', kind || ' ' || origin.name, count(DISTINCT vid) FROM (
            SELECT vid, version.origin AS act FROM object JOIN version ON vid = current
            UNION ALL SELECT vid, source.origin FROM object JOIN source ON vid = current
        ) JOIN origin ON act = number GROUP BY kind, origin.name
"""


def bring_up_to_date(database: Database, step: Callable[[int, int], None] = untold) -> None:
    """Make every index anew if another way of indexing wrote it (also after a migration). One transaction; `step` as
    `remake` has it.
    """
    row = database.read().execute("SELECT value FROM meta WHERE key = ?", (VERSION_KEY,)).fetchone()
    if row is not None and bytes(row[0]) == indexing.VERSION.encode():
        return
    with database.write() as tx:
        remake(tx, step)


def remake(tx: Connection, step: Callable[[int, int], None] = untold) -> None:
    """Make every index and counter anew from the texts held. `step` is told how many of how many objects are read,
    then how many of how many trees are made; it may raise `Cancelled`.
    """
    total = tx.execute("SELECT count(*) FROM object").fetchone()[0]
    key, aside = hash_key(tx), lay_aside(tx, MANY)
    empty(tx)
    for table in ("observable", "domain", "external", "edge", "marked", "facet"):
        tx.execute(f"DELETE FROM {table}")
    hashed.clear(tx)
    items, edges = list[tuple[int, Indexed]](), list[Edge]()
    marked, files = list[tuple[int, int]](), list[hashed.Item]()

    def write() -> None:
        texts = Texts()
        put(tx, items, texts)
        texts.write(tx)
        put_edges(tx, edges)
        put_marked(tx, marked)
        hashed.add(tx, files)
        for some in (items, edges, marked, files):
            some.clear()

    last = size = done = 0
    while oids := [
        row[0]
        for row in tx.execute("SELECT oid FROM object WHERE oid > ? ORDER BY oid LIMIT ?", (last, BATCH))
    ]:
        step(done, total)
        last, done = oids[-1], done + len(oids)
        for oid in oids:
            contents = in_force(tx, oid)
            if not contents:
                continue
            one = indexing.merged(found.indexed for found in contents)
            items.append((oid, one))
            files.append((oid, hashed_of(contents)))
            for found in contents:
                edges += edges_of(key, found.vid, found.links)
            for vid, current, creator, confidence, blob in tx.execute(
                "SELECT vid, vid = current, creator, confidence, raw FROM version JOIN object USING (oid)"
                " WHERE oid = ?",
                (oid,),
            ).fetchall():
                env = envelope(msgspec.json.decode(bodies.unpack(blob), type=dict[str, object]))
                marked += [(vid, id_hash(key, definition)) for definition in env.definitions]
                # Nearly all stand right: a row costs as much to write as to read.
                if creator != (says := _creator(key, env)):
                    tx.execute("UPDATE version SET creator = ? WHERE vid = ?", (says, vid))
                if current and confidence != env.confidence:
                    tx.execute("UPDATE object SET confidence = ? WHERE oid = ?", (env.confidence, oid))
            size += bytes_of(one.text, one.parts)
            if size > full_text.LOOSE:
                write()
                size = 0
        write()
        size = 0
    step(done, total)
    bring_back(tx, aside, step)
    tx.execute(f"INSERT INTO facet (facet, value, objects) {_COUNTED}")
    tx.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
        (VERSION_KEY, indexing.VERSION.encode()),
    )


def sound(connection: Connection) -> bool:
    """Whether the counters say what is held."""
    kept = connection.execute("SELECT facet, value, objects FROM facet ORDER BY 1, 2").fetchall()
    return bool(kept == connection.execute(f"{_COUNTED} ORDER BY 1, 2").fetchall())


_ROWS = {
    "observable": "val, kind, oid",
    "domain": "reversed, oid",
    "external": "value, source, oid",
    "edge": "vid, rel, src, dst, related",
    "hashed": "weak, stated, strong, oid",
}


def amiss(connection: Connection, job: Job) -> list[str]:
    """The names of the tables that do not say what the texts held say: observable, domain, external, edge, hashed,
    version (whose each is), object_text, observable_text (`app.store.words`); disputed for a flag that follows.

    The rows of a table are summed as hashes, in whatever order they come: no memory is needed, however many there are.
    Raises `Cancelled`.
    """
    key = hash_key(connection)
    wanted: dict[str, int] = dict.fromkeys((*_ROWS, "version"), 0)
    vocabularies = Sums(connection)
    (held,) = connection.execute("SELECT count(*) FROM object").fetchone()
    for oid, contents in job.each(all_in_force(connection), held, "compare"):
        one = indexing.merged(found.indexed for found in contents)
        for table, row in (("object_text", words_of(one)), ("observable_text", parts_of(one))):
            if row is not None:
                vocabularies.add(table, (oid, *row))
        wanted["observable"] += sum(_mark(found.value, code(found.kind), oid) for found in one.observables)
        wanted["domain"] += sum(_mark(found, oid) for found in one.domains)
        wanted["external"] += sum(_mark(*found, oid) for found in one.externals)
        says = {(one.weak, int(one.stated), one.strong) for one in hashed_of(contents)}
        wanted["hashed"] += sum(_mark(*said, oid) for said in says)
        edges = {edge[:4]: edge for found in contents for edge in edges_of(key, found.vid, found.links)}
        wanted["edge"] += sum(_mark(*edge) for edge in edges.values())
        wanted["version"] += sum(
            _mark(found.vid, id_hash(key, found.creator)) for found in contents if found.creator
        )
    for name, columns in _ROWS.items():
        (many,) = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
        rows_ = connection.execute(f"SELECT {columns} FROM {name}")
        wanted[name] -= sum(_mark(*row) for row in job.each(rows_, many, "rows"))
    creators = connection.execute(
        "SELECT vid, creator FROM version JOIN object USING (oid)"
        " WHERE creator IS NOT NULL AND version.moment = object.moment AND dropped = 0"
    )
    wanted["version"] -= sum(_mark(*row) for row in job.each(creators, held, "rows"))
    job.step(0, 0, "rows")
    wanted["disputed"] = int(hashed.flags_wrong(connection))
    return [*(name for name, over in wanted.items() if over), *vocabularies.wrong(job)]


def _creator(key: bytes, env: Envelope) -> int | None:
    maker = indexing.creator(env)
    return id_hash(key, maker) if maker else None


def _mark(*row: object) -> int:
    # What Python makes of it is enough: nobody without the key writes pages, and whoever has it needs no collision.
    return hash(row)
