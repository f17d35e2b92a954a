"""Lists of what is held: which objects fit a selection, in which order, page by page behind a key, never by offset.

Every condition is exact SQL (`_conditions`). What makes a page quick among a million is where the search begins: with
the few objects that the narrowest condition leaves, if there are few; else along the index of the wanted order (or of
a type, a level, ... in that order), looking at one object after another until the page is full. Each page of the file
that was not read before costs some 60 us, and each object lies in another one: so what the filters ask stands in these
indexes too, and the table is asked for what is shown.

All raise `Refused` (source-unknown, fact `at`) for a selection of a source that nothing came from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.intel import timestamp
from app.intel.fold import fold
from app.intel.indexing import type_tag
from app.intel.marking import LEVELS
from app.intel.networks import Span
from app.intel.observables import Observable
from app.messages import Refused
from app.store import links, objects
from app.store.codes import code
from app.store.database import Connection
from app.store.objects import ObjectRow

FEW = 1000
"""Objects that are looked at one by one and sorted."""
MANY = 50_000
"""Objects of a source that are listed; of a larger one it is asked of each object, or of all in one pass."""
_LAST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Named:
    """A name as it stands in a query, and where there (characters, from 1; 0: not from a query)."""

    text: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Either:
    """Objects that fit at least one of these ("" and () are none).

    `match`: an expression of the full text; `part`: one over parts of observables, both folded and quoted; `begins`:
    a beginning of an observable, of any of `kinds` (none given: of all); `values`: whole observables in normal form,
    with the kind "" for any; `spans`: observables that lie in one; `domain`: this domain, or anything below it; `id`:
    the object of this STIX id.
    """

    match: str = ""
    part: str = ""
    begins: str = ""
    kinds: tuple[str, ...] = ()
    values: tuple[Observable, ...] = ()
    spans: tuple[Span, ...] = ()
    domain: str = ""
    id: str = ""


@dataclass(frozen=True)
class Selection:
    """What a list shows: all objects, or those that fit every part given.

    `match` is an FTS5 expression over folded text; `levels` are the stricter of marking and handling (-1: neither),
    any of them; so are `types`, `sources` (a file's name or a counterpart's alias), `counterparts`, `techniques`
    (with their sub-techniques: objects that name one, or are related to one that does). `after` and `before` are
    beginnings of moments, the first included, the second not; what has no time fits neither. `confidence` is a range,
    both included. `within` narrows to one more source. `dangling`: what refers to anything that is not held.
    """

    match: str = ""
    types: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    sources: tuple[Named, ...] = ()
    counterparts: tuple[Named, ...] = ()
    techniques: tuple[str, ...] = ()
    either: tuple[Either, ...] = ()
    after: str = ""
    before: str = ""
    confidence: tuple[int, int] | None = None
    revoked: bool | None = None
    conflict: bool | None = None
    id: str = ""
    within: Named | None = None
    dangling: bool = False


ORDERS = {
    "modified": ("moment", "oid"),
    "name": ("name COLLATE NOCASE", "oid"),
    "type": ("type", "moment", "oid"),
    "marking": ("level", "moment", "oid"),
}
"""The orders, and the columns of each: the last one makes the key unique."""


@dataclass(frozen=True, slots=True)
class Order:
    """One of `ORDERS`, and its direction."""

    by: str = "modified"
    descending: bool = True


NEWEST = Order()


def _sort(order: Order) -> str:
    return ", ".join(f"{column} {'DESC' if order.descending else 'ASC'}" for column in ORDERS[order.by])


@dataclass(frozen=True, slots=True)
class _Set:
    """A condition as a query for the oids that fit, and as a test of one object; `size`: how many, if that is known.
    `whole`: the test where all objects are looked at ("": as any), with the values of the other.
    """

    query: str
    values: tuple[object, ...]
    test: str
    test_values: tuple[object, ...]
    size: int | None = None
    whole: str = ""


# What the conditions are ------------------------------------------------------------------------------------


def _in(column: str, values: Sequence[object]) -> tuple[str, tuple[object, ...]]:
    return f"{column} IN ({', '.join('?' * len(values))})", tuple(values)


def _plain(selection: Selection) -> tuple[list[str], list[object]]:
    """The conditions on the row itself."""
    terms, values = ["TRUE"], list[object]()
    for column, wanted in (("type", selection.types), ("level", selection.levels)):
        if wanted:
            term, some = _in(column, wanted)
            terms.append(term)
            values += some
    if selection.after:
        terms.append("moment >= ?")
        values.append(selection.after)
    if selection.before:
        terms.append("moment > '' AND moment < ?")
        values.append(selection.before)
    if selection.confidence is not None:
        terms.append("confidence BETWEEN ? AND ?")
        values += selection.confidence
    if selection.revoked is not None:
        # In letters: the index over what is revoked is for a constant only.
        terms.append("revoked = 1" if selection.revoked else "revoked = 0")
    if selection.conflict is not None:
        terms.append(
            "(variants > 1 OR disputed = 1)" if selection.conflict else "variants = 1 AND disputed = 0"
        )
    return terms, values


def _sets(connection: Connection, selection: Selection) -> list[_Set]:
    """The conditions that other tables answer."""
    found = []
    if selection.id:
        idh = objects.id_hash(objects.hash_key(connection), selection.id)
        found.append(_Set("SELECT oid FROM object WHERE idh = ?", (idh,), "idh = ?", (idh,), 1))
    for one in selection.either:
        found.append(_either(connection, one))
    if selection.techniques:
        found.append(_techniques(selection.techniques))
    within = (selection.within,) if selection.within else ()
    for names, files in ((selection.sources, True), (selection.counterparts, False), (within, True)):
        if names:
            found.append(_sources(connection, names, files))
    if selection.match:
        found.append(_listed(_TEXT, (_expression(selection),)))
    if selection.dangling:
        # A published marking is known, held or not.
        key = objects.hash_key(connection)
        known = tuple(objects.id_hash(key, id_) for id_ in LEVELS)
        referring = links.referring_nowhere(connection, known)
        found.append(_listed(_GIVEN, (_json(referring),), len(referring)))
    return found


_GIVEN = "SELECT value AS oid FROM json_each(?)"
_TEXT = "SELECT rowid AS oid FROM object_text WHERE object_text MATCH ?"


def _expression(selection: Selection) -> str:
    """The words, and the types they must be in, for the full-text index."""
    words = f"text : ({selection.match})"
    if not selection.types:
        return words
    return f"{words} AND tags : ({' OR '.join(map(type_tag, selection.types))})"


def _listed(query: str, values: tuple[object, ...], size: int | None = None) -> _Set:
    return _Set(query, values, f"oid IN ({query})", values, size)


def _either(connection: Connection, one: Either) -> _Set:
    queries, values = list[str](), list[object]()
    if one.id:
        queries.append("SELECT oid FROM object WHERE idh = ?")
        values.append(objects.id_hash(objects.hash_key(connection), one.id))
    for kind in dict.fromkeys(observable.kind for observable in one.values):
        term, some = _in("val", [observable.value for observable in one.values if observable.kind == kind])
        queries.append(f"SELECT oid FROM observable WHERE {term}" + (" AND kind = ?" if kind else ""))
        values += (*some, code(kind)) if kind else some
    for kind in dict.fromkeys(span.kind for span in one.spans):
        spans = [span for span in one.spans if span.kind == kind]
        queries.append(_IN_SPAN + (_FORMED if any(span.form for span in spans) else ""))
        values += (json.dumps(spans), code(kind))
    if one.begins:
        query = "SELECT oid FROM observable WHERE val >= ? AND val < ?"
        values += (one.begins, _behind(one.begins))
        if one.kinds:
            term, some = _in("kind", tuple(map(code, one.kinds)))
            query += f" AND {term}"
            values += some
        queries.append(query)
    if one.domain:
        turned = one.domain[::-1]
        queries.append(
            "SELECT oid FROM domain WHERE reversed = ?"
            " UNION ALL SELECT oid FROM domain WHERE reversed >= ? AND reversed < ?"
        )
        values += (turned, turned + ".", turned + "/")
    if one.part:
        queries.append("SELECT rowid AS oid FROM observable_text WHERE observable_text MATCH ?")
        values.append(one.part)
    if one.match:
        queries.append(_TEXT)
        values.append(f"text : ({one.match})")
    return _listed(" UNION ALL ".join(queries), tuple(values))


_IN_SPAN = (
    "SELECT oid FROM json_each(?) AS span CROSS JOIN observable ON val >= span.value ->> 1 AND val < span.value ->> 2"
    " AND kind = ?"
)
_ADDRESS = "substr(val, 1, instr(val || '/', '/') - 1)"
_FORMED = (
    f" AND {_ADDRESS} || ':' GLOB span.value ->> 3"
    f" AND length({_ADDRESS}) - length(replace({_ADDRESS}, ':', '')) BETWEEN span.value ->> 4 AND span.value ->> 5"
)


def _behind(beginning: str) -> str:
    """The least text that is greater than all with this beginning (code points order as UTF-8 does)."""
    return beginning + "\U0010ffff"


_NAMED = (
    "SELECT oid FROM external WHERE value = ?"
    " UNION ALL SELECT oid FROM external WHERE value > ? AND value < ?"
)


def _techniques(techniques: Sequence[str]) -> _Set:
    named = " UNION ALL ".join([_NAMED] * len(techniques))
    values = tuple(text for one in techniques for text in (one, one + ".", one + "/"))
    related = (
        "SELECT near.oid FROM object AS technique CROSS JOIN edge ON dst = technique.idh AND related = 1"
        " CROSS JOIN object AS near ON near.idh = src"
        f" WHERE technique.type = 'attack-pattern' AND technique.oid IN ({named})"
    )
    return _listed(f"{named} UNION ALL {related}", values + values)


def _sources(connection: Connection, names: Sequence[Named], files: bool) -> _Set:
    term, values = _in("origin", _acts(connection, names, files))
    query = (
        f"SELECT oid FROM version CROSS JOIN object USING (oid) WHERE {term} AND current = vid"
        " UNION ALL SELECT oid FROM source CROSS JOIN version USING (vid) CROSS JOIN object USING (oid)"
        f" WHERE source.{term} AND current = vid"
    )
    vids = f"SELECT vid FROM version WHERE {term} UNION ALL SELECT vid FROM source WHERE {term}"
    (many,) = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM ({vids}) LIMIT ?)", (*values * 2, MANY + 1)
    ).fetchone()
    if many <= MANY:
        return _listed(query, values * 2)
    return _Set(
        query,
        values * 2,
        f"(EXISTS (SELECT 1 FROM version WHERE vid = current AND {term})"
        f" OR EXISTS (SELECT 1 FROM source WHERE vid = current AND {term}))",
        values * 2,
        # Which version is current stands in the table alone: that is read once, in its own order, and the indexes say
        # the rest. The sign keeps the order of the index from being given up for that of these oids.
        whole=f"+oid IN (SELECT oid FROM object NOT INDEXED WHERE current IN ({vids}))",
    )


def _acts(connection: Connection, names: Sequence[Named], files: bool) -> list[int]:
    """The origins of any of these. Raises `Refused` (source-unknown, fact `at`)."""
    numbers = set[int]()
    for one in names:
        if not _known(connection, one.text, files):
            raise Refused("source-unknown", word=one.text, at=one.at)
        numbers.update(_origins(connection, one.text, files))
    return sorted(numbers)


_OF_COUNTERPART = (
    "SELECT origin.number, alias FROM origin LEFT JOIN inbox ON package = inbox.number JOIN counterpart"
    " ON counterpart.cid = inbox.cid OR (inbox.cid IS NULL AND fingerprint = origin.name) WHERE kind = 'package'"
)


def _origins(connection: Connection, name: str, files: bool) -> list[int]:
    """The origins of a counterpart by its alias (in any case) or fingerprint; with `files` also the imports of a
    file.
    """
    rows = connection.execute(
        f"{_OF_COUNTERPART} AND (alias = ?1 OR fingerprint = ?1)"
        " UNION SELECT number, '' FROM origin WHERE kind = 'import' AND name = ?1 AND ?2",
        (name, files),
    )
    return [row[0] for row in rows]


def _known(connection: Connection, name: str, files: bool) -> bool:
    """Whether there is a counterpart of that alias (in any case) or fingerprint; with `files` also an imported file."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM counterpart WHERE alias = ?1 OR fingerprint = ?1)"
        " OR (?2 AND EXISTS (SELECT 1 FROM origin WHERE kind = 'import' AND name = ?1))",
        (name, files),
    ).fetchone()
    return bool(row[0])


def sources(connection: Connection) -> list[tuple[str, str, int]]:
    """(kind, name, objects), most first: what is in force by the file or the counterpart (by alias) it came from."""
    aliases = dict(connection.execute("SELECT fingerprint, alias FROM counterpart").fetchall())
    found: dict[tuple[str, str], int] = {}
    for place, objects_ in objects.facet(connection, "source").items():
        kind, _, name = place.partition(" ")
        key = kind, aliases.get(name, name) if kind == "package" else name
        found[key] = found.get(key, 0) + objects_
    return sorted(((*key, many) for key, many in found.items()), key=lambda one: (-one[2], one))


# Finding them -----------------------------------------------------------------------------------------------


def _conditions(selection: Selection, sets: Iterable[_Set], whole: bool = False) -> tuple[str, list[object]]:
    terms, values = _plain(selection)
    for one in sets:
        terms.append((whole and one.whole) or one.test)
        values += one.test_values
    return " AND ".join(terms), values


def _few(connection: Connection, sets: Sequence[_Set]) -> tuple[_Set, list[int]] | None:
    """The first condition that few objects fit, and those."""
    for one in sets:
        found = connection.execute(
            f"SELECT oid FROM ({one.query}) LIMIT ?", (*one.values, FEW + 1)
        ).fetchall()
        if len(found) <= FEW:
            return one, sorted({row[0] for row in found})
    return None


def count(connection: Connection, selection: Selection) -> int:
    """How many objects fit."""
    kept = _counted(connection, selection)
    if kept is not None:
        return kept
    where, values = _conditions(selection, _sets(connection, selection), whole=True)
    return int(connection.execute(f"SELECT count(*) FROM object WHERE {where}", values).fetchone()[0])


def counts_by_type(connection: Connection, selection: Selection) -> list[tuple[str, int]]:
    """(type, objects) of what fits, largest first."""
    if selection == Selection():
        counts = objects.facet(connection, "type").items()
    else:
        where, values = _conditions(selection, _sets(connection, selection), whole=True)
        counts = connection.execute(
            f"SELECT type, count(*) FROM object WHERE {where} GROUP BY type", values
        ).fetchall()
    return sorted(counts, key=lambda one: (-one[1], one[0]))


def oids(connection: Connection, selection: Selection, order: Order = NEWEST) -> list[int]:
    """The oids of all that fits, in order."""
    where, values = _conditions(selection, _sets(connection, selection), whole=True)
    rows = connection.execute(f"SELECT oid FROM object WHERE {where} ORDER BY {_sort(order)}", values)
    return [row[0] for row in rows]


def ids(connection: Connection, selection: Selection) -> list[str]:
    """The STIX ids of all that fits, newest first."""
    where, values = _conditions(selection, _sets(connection, selection), whole=True)
    rows = connection.execute(f"SELECT type, uid FROM object WHERE {where} ORDER BY {_sort(NEWEST)}", values)
    return [objects.stix_id(*row) for row in rows]


def _counted(connection: Connection, selection: Selection) -> int | None:
    """How many fit, where a counter is kept; None where none is."""
    if selection == Selection():
        return sum(objects.facet(connection, "all").values())
    for facet, values, rest in (
        ("type", selection.types, replace(selection, types=())),
        ("level", tuple(map(str, selection.levels)), replace(selection, levels=())),
        ("revoked", ("",) if selection.revoked else (), replace(selection, revoked=None)),
        ("conflict", ("",) if selection.conflict else (), replace(selection, conflict=None)),
    ):
        if values and rest == Selection():
            counts = objects.facet(connection, facet)
            return sum(counts.get(value, 0) for value in values)
    named = (*selection.sources, *((selection.within,) if selection.within else ()))
    if selection == Selection(within=selection.within, sources=selection.sources) and len(named) == 1:
        place = _place(connection, _acts(connection, named, files=True))
        return None if place is None else objects.facet(connection, "source").get(place, 0)
    return None


def _place(connection: Connection, acts: Sequence[int]) -> str | None:
    """The value of the facet `source` that counts what came by these acts, and nothing else; None for none."""
    term, values = _in("number", acts)
    rows = connection.execute(
        f"SELECT kind || ' ' || name, min({term}) FROM origin WHERE (kind, name) IN"
        f" (SELECT kind, name FROM origin WHERE {term}) GROUP BY kind, name",
        (*values, *values),
    ).fetchall()
    return rows[0][0] if len(rows) == 1 and rows[0][1] else None


def page(
    connection: Connection, selection: Selection, order: Order, limit: int, after: Sequence[object] | None
) -> list[ObjectRow]:
    """At most `limit` objects that fit, in order, behind the key `after`: the values of the order's columns."""
    sets = _sets(connection, selection)
    few = _few(connection, [one for one in sets if one.query != _TEXT])
    if few is None and selection.match and order.by == "modified":
        found = _by_periods(connection, selection, sets, order.descending, limit, after)
        if found is not None:
            return found
    elif few is None:
        few = _few(connection, sets)
    if few is not None:
        return _among(connection, selection, sets, few, order, limit, after)
    walks = []
    for index, narrowed in _walks(connection, selection, order):
        where, values = _conditions(narrowed, sets)
        walks.append((f"object INDEXED BY {index}", where, values))
    return _fetch(connection, walks, order, limit, after)


def _among(
    connection: Connection,
    selection: Selection,
    sets: Sequence[_Set],
    few: tuple[_Set, list[int]],
    order: Order,
    limit: int,
    after: Sequence[object] | None,
) -> list[ObjectRow]:
    """A page of the few objects that fit a condition, as far as they fit the others."""
    chosen, oids_ = few
    where, values = _conditions(selection, (one for one in sets if one is not chosen))
    source = "(SELECT value AS few FROM json_each(?)) CROSS JOIN object ON oid = few"
    return _fetch(connection, [(source, where, [_json(oids_), *values])], order, limit, after)


def _fetch(
    connection: Connection,
    walks: Sequence[tuple[str, str, list[object]]],
    order: Order,
    limit: int,
    after: Sequence[object] | None,
) -> list[ObjectRow]:
    """The first `limit` rows of several (source, condition, values), in order, behind a key."""
    columns = ORDERS[order.by]
    sort = _sort(order)
    behind = ""
    if after is not None:
        marks = ", ".join("?" * len(columns))
        behind = f" AND ({', '.join(columns)}) {'<' if order.descending else '>'} ({marks})"
    parts = [
        f"SELECT * FROM (SELECT {objects.COLUMNS}, level FROM {source} WHERE {where}{behind} ORDER BY {sort} LIMIT ?)"
        for source, where, _values in walks
    ]
    values = [value for _source, _where, some in walks for value in (*some, *(after or ()), limit)]
    sql = " UNION ALL ".join(parts)
    if len(parts) > 1:
        sql += f" ORDER BY {sort} LIMIT ?"
        values.append(limit)
    return [objects.object_row(row[:-1]) for row in connection.execute(sql, values)]


RANKED = 2_000
"""Objects that are ranked: those with the words that came last. To weigh all would take too long."""


@dataclass(frozen=True, slots=True, order=True)
class Score:
    """Less is better: `rest` is 0 where the name holds all the words, `weight` FTS5's bm25."""

    rest: int
    weight: float


def ranked(
    connection: Connection, selection: Selection, limit: int, after: tuple[Score, int] | None
) -> list[tuple[Score, ObjectRow]]:
    """At most `limit` objects with the words of the selection, those that are called so first, then those that say
    most about them, behind the key (score, oid).
    """
    expression = _expression(selection)
    others = (one for one in _sets(connection, selection) if one.query != _TEXT)
    where, values = _conditions(selection, others)
    newest = connection.execute(
        "SELECT rowid FROM object_text WHERE object_text MATCH ? ORDER BY rowid DESC LIMIT ?",
        (expression, RANKED),
    ).fetchall()
    if not newest:
        return []
    rows = connection.execute(
        "SELECT bm25(object_text, 1.0, 0.0), oid, name FROM object_text CROSS JOIN object ON oid = object_text.rowid"
        f" WHERE object_text MATCH ? AND object_text.rowid >= ? AND {where}",
        [expression, newest[-1][0], *values],
    )
    words = [_SPACES.sub("", word) for word in _QUOTED.findall(selection.match)]
    found = []
    for weight, oid, name in rows:
        # Without what stands between words, other spellings of a name are no others.
        called = _SPACES.sub("", fold(name))
        found.append((Score(int(not all(word in called for word in words)), weight), -oid))
    found.sort()
    if after is not None:
        found = [one for one in found if one > (after[0], -after[1])]
    shown = found[:limit]
    whole = objects.rows(connection, [-oid for _, oid in shown])
    return [(score, row) for (score, _), row in zip(shown, whole, strict=True)]


_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_SPACES = re.compile(r"[\W_]+")


# Along the calendar -----------------------------------------------------------------------------------------

LOOKS = 48
"""Periods that are looked at before everything is."""
BETWEEN = 50
"""Entries of an index that are passed by for each object that may come: more would take longer than to sort."""
_GRAINS = (("y", timestamp.YEAR), ("m", timestamp.MONTH), ("d", timestamp.DAY))


def _by_periods(
    connection: Connection,
    selection: Selection,
    sets: Sequence[_Set],
    descending: bool,
    limit: int,
    after: Sequence[object] | None,
) -> list[ObjectRow] | None:
    """A page of what fits a common word: years, months or days one after the other, as many as it takes.

    None where too little fits in too many of them.
    """
    text = next(one for one in sets if one.query == _TEXT)
    order = Order("modified", descending)
    found: list[ObjectRow] = []
    grain, key, asked = 1, after, False
    # Each look at the beginning of a word costs as much as sorting some thousand objects.
    enough = FEW * (5 if "*" in _QUOTED.sub("", selection.match) else 1)
    for _ in range(LOOKS):
        moment = _next_moment(connection, selection, descending, key)
        if moment is None:
            return found
        while True:
            letter, length = _GRAINS[grain]
            tag = f"{letter}{timestamp.digits(moment[:length])}" if moment else "none"
            most = enough + 1 if grain < 2 and moment else -1
            match = f"{_expression(selection)} AND tags : {tag}"
            rows = connection.execute(
                "SELECT rowid FROM object_text WHERE object_text MATCH ? LIMIT ?", (match, most)
            ).fetchall()
            if len(rows) <= enough or most < 0:
                break
            grain += 1
        fits = text, [row[0] for row in rows]
        found += _of_period(connection, selection, sets, fits, order, limit - len(found), key)
        if len(found) == limit:
            return found
        if not asked:
            # The beginning of a word is gathered from the whole index each time: only now is asking for all worth it.
            few = _few(connection, [text])
            if few is not None:
                return _among(connection, selection, sets, few, order, limit, after)
            asked = True
        key = _behind_period(moment, length, descending)
        if len(rows) < FEW // 10 and grain:
            grain -= 1
    return None


def _of_period(
    connection: Connection,
    selection: Selection,
    sets: Sequence[_Set],
    fits: tuple[_Set, list[int]],
    order: Order,
    limit: int,
    after: Sequence[object] | None,
) -> list[ObjectRow]:
    """A page of the objects of a period that fit the text, as far as they fit the rest."""
    if len(fits[1]) > 2 * limit:
        # They stand close together in time. To sort them, a page is read for each; to come across them in order, one
        # for a hundred that stand between them.
        where, values = _conditions(selection, (one for one in sets if one is not fits[0]))
        along, begins = _along(selection, order.descending, after)
        sort = _sort(order)
        rows = connection.execute(
            f"SELECT {objects.COLUMNS} FROM (SELECT moment AS at, oid AS near FROM object"
            f" INDEXED BY object_by_moment WHERE {along} ORDER BY {sort} LIMIT ?) CROSS JOIN object ON oid = near"
            f" WHERE near IN (SELECT value FROM json_each(?)) AND {where}"
            f" ORDER BY {sort.replace('moment', 'at').replace('oid', 'near')} LIMIT ?",
            [*begins, len(fits[1]) * BETWEEN, _json(fits[1]), *values, limit],
        ).fetchall()
        if len(rows) == limit:
            return list(map(objects.object_row, rows))
    return _among(connection, selection, sets, fits, order, limit, after)


def _along(selection: Selection, descending: bool, key: Sequence[object] | None) -> tuple[str, list[object]]:
    """The condition on moments to be looked at behind the key, in the direction of the list."""
    terms, values = ["TRUE"], list[object]()
    if key is not None:
        terms.append(f"(moment, oid) {'<' if descending else '>'} (?, ?)")
        values += key
    if selection.after:
        terms.append("moment >= ?")
        values.append(selection.after)
    if selection.before:
        terms.append("moment > '' AND moment < ?")
        values.append(selection.before)
    return " AND ".join(terms), values


def _next_moment(
    connection: Connection, selection: Selection, descending: bool, key: Sequence[object] | None
) -> str | None:
    """The first moment behind the key, in the direction of the list, at which anything changed."""
    along, values = _along(selection, descending, key)
    row = connection.execute(
        f"SELECT moment FROM object INDEXED BY object_by_moment WHERE {along}"
        f" ORDER BY moment {'DESC' if descending else 'ASC'} LIMIT 1",
        values,
    ).fetchone()
    return None if row is None else str(row[0])


def _behind_period(moment: str, length: int, descending: bool) -> tuple[str, int]:
    """A key between the period of a moment and what comes behind it."""
    if descending:
        return moment[:length], -1
    return (moment[:length] + "~", 0) if moment else ("", _LAST)


_BY = {
    "modified": "object_by_moment",
    "name": "object_by_name",
    "type": "object_by_type",
    "marking": "object_by_level",
}


def _walks(connection: Connection, selection: Selection, order: Order) -> list[tuple[str, Selection]]:
    """The indexes to walk along, and what fits on each: together all that fits, each in the wanted order."""
    if order.by == "modified":
        ways: list[tuple[int, list[tuple[str, Selection]]]] = []
        for facet, index in (("revoked", "object_revoked"), ("conflict", "object_in_conflict")):
            if getattr(selection, facet):
                ways.append((_cost(connection, selection, facet, [""]), [(index, selection)]))
        if selection.types:
            walks = [("object_by_type", replace(selection, types=(one,))) for one in selection.types]
            if not all(_timed(connection, one) for one in selection.types):
                # What has no time stands together at one end of every other index.
                return walks
            ways.append((_cost(connection, selection, "type", selection.types), walks))
        if selection.levels:
            walks = [("object_by_level", replace(selection, levels=(one,))) for one in selection.levels]
            ways.append((_cost(connection, selection, "level", list(map(str, selection.levels))), walks))
        if ways:
            return min(ways, key=lambda way: way[0])[1]
    elif order.by == "type" and selection.types:
        return [("object_by_type", replace(selection, types=(one,))) for one in selection.types]
    elif order.by == "marking" and selection.levels:
        return [("object_by_level", replace(selection, levels=(one,))) for one in selection.levels]
    return [(_BY[order.by], selection)]


_ANSWERS = {
    "revoked": {"revoked", "types"},
    "conflict": {"conflict", "types"},
    "type": {"types", "levels", "confidence", "revoked"},
    "level": {"levels", "confidence", "revoked"},
}
"""By the facet whose objects an index has: the conditions that it answers, beside those on times."""
_ENTRIES = 100
"""Objects that a page of an index has, at least."""


def _cost(connection: Connection, selection: Selection, facet: str, values: Sequence[str]) -> int:
    """Pages to be read to pass by all objects of a facet: of the index alone, or one of the table for each."""
    counts = objects.facet(connection, facet)
    size = sum(counts.get(value, 0) for value in values)
    asked = {
        name for name in set[str]().union(*_ANSWERS.values()) if getattr(selection, name) not in ((), None)
    }
    return size // _ENTRIES if asked <= _ANSWERS[facet] else size


def _timed(connection: Connection, type_: str) -> bool:
    """Whether any object of a type has a time."""
    row = connection.execute("SELECT max(moment) FROM object WHERE type = ?", (type_,)).fetchone()
    return bool(row[0])


def _json(oids: Iterable[int]) -> str:
    return f"[{','.join(map(str, oids))}]"
