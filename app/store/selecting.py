"""Lists of what is held: which objects fit a selection, in which order, page by page behind a key, never by offset.

Every condition is exact SQL (`app.store.conditions`). What makes a page quick among a million is where the search
begins: with the few objects that the narrowest condition leaves, if there are few; else along the index of the wanted
order (or of a type, a level, ... in that order), looking at one object after another until the page is full. Each page
of the file that was not read before costs some 60 us, and each object lies in another one: so what the filters ask
stands in these indexes too, and the table is asked for what is shown.

All raise `Refused` (source-unknown, fact `at`) for a selection of a source that nothing came from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.intel import timestamp
from app.intel.fold import fold, index_text
from app.store import conditions, objects
from app.store.conditions import Selection
from app.store.database import Connection
from app.store.objects import ObjectRow

FEW = 1000
"""Objects that are looked at one by one and sorted."""
_LAST = (1 << 63) - 1

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


def _few(connection: Connection, sets: Sequence[conditions.Set]) -> tuple[conditions.Set, list[int]] | None:
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
    where, values = conditions.where(selection, conditions.sets(connection, selection), whole=True)
    return int(connection.execute(f"SELECT count(*) FROM object WHERE {where}", values).fetchone()[0])


def counts_by_type(connection: Connection, selection: Selection) -> list[tuple[str, int]]:
    """(type, objects) of what fits, largest first."""
    if selection == Selection():
        counts = objects.facet(connection, "type").items()
    else:
        where, values = conditions.where(selection, conditions.sets(connection, selection), whole=True)
        counts = connection.execute(
            f"SELECT type, count(*) FROM object WHERE {where} GROUP BY type", values
        ).fetchall()
    return sorted(counts, key=lambda one: (-one[1], one[0]))


def oids(connection: Connection, selection: Selection, order: Order = NEWEST) -> list[int]:
    """The oids of all that fits, in order."""
    where, values = conditions.where(selection, conditions.sets(connection, selection), whole=True)
    rows = connection.execute(f"SELECT oid FROM object WHERE {where} ORDER BY {_sort(order)}", values)
    return [row[0] for row in rows]


def ids(connection: Connection, selection: Selection) -> list[str]:
    """The STIX ids of all that fits, newest first."""
    where, values = conditions.where(selection, conditions.sets(connection, selection), whole=True)
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
        place = _place(connection, conditions.acts(connection, named, files=True))
        return None if place is None else objects.facet(connection, "source").get(place, 0)
    return None


def _place(connection: Connection, acts: Sequence[int]) -> str | None:
    """The value of the facet `source` that counts what came by these acts, and nothing else; None for none."""
    term, values = conditions.one_of("number", acts)
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
    sets = conditions.sets(connection, selection)
    few = _few(connection, [one for one in sets if one.query != conditions.TEXT])
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
        where, values = conditions.where(narrowed, sets)
        walks.append((f"object INDEXED BY {index}", where, values))
    return _fetch(connection, walks, order, limit, after)


def _among(
    connection: Connection,
    selection: Selection,
    sets: Sequence[conditions.Set],
    few: tuple[conditions.Set, list[int]],
    order: Order,
    limit: int,
    after: Sequence[object] | None,
) -> list[ObjectRow]:
    """A page of the few objects that fit a condition, as far as they fit the others."""
    chosen, oids_ = few
    where, values = conditions.where(selection, (one for one in sets if one is not chosen))
    source = "(SELECT value AS few FROM json_each(?)) CROSS JOIN object ON oid = few"
    return _fetch(connection, [(source, where, [conditions.json_array(oids_), *values])], order, limit, after)


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
    expression = conditions.expression(selection)
    others = (one for one in conditions.sets(connection, selection) if one.query != conditions.TEXT)
    where, values = conditions.where(selection, others)
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
    clauses = _clauses(selection.match)
    found = []
    for weight, oid, name in rows:
        called = _SPACES.sub("", fold(name) if name.isascii() else index_text(name))
        named = all(any(all(word in called for word in one) for one in either) for either in clauses)
        found.append((Score(int(not named), weight), -oid))
    found.sort()
    if after is not None:
        found = [one for one in found if one > (after[0], -after[1])]
    shown = found[:limit]
    whole = objects.rows(connection, [-oid for _, oid in shown])
    return [(score, row) for (score, _), row in zip(shown, whole, strict=True)]


def _clauses(match: str) -> list[list[list[str]]]:
    """What an expression asks for, each in one of several ways, of words without what stands between them."""
    found = list[list[list[str]]]()
    within = False
    for mark, quoted in _MARKS.findall(match):
        if mark == "OR":
            found[-1].append([])
        elif mark:
            within = mark == "("
            if within:
                found.append([[]])
        else:
            if not within:
                found.append([[]])
            found[-1][-1].append(_SPACES.sub("", quoted))
    return found


_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_MARKS = re.compile(rf"([()]|OR)|{_QUOTED.pattern}")
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
    sets: Sequence[conditions.Set],
    descending: bool,
    limit: int,
    after: Sequence[object] | None,
) -> list[ObjectRow] | None:
    """A page of what fits a common word: years, months or days one after the other, as many as it takes.

    None where too little fits in too many of them.
    """
    text = next(one for one in sets if one.query == conditions.TEXT)
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
            match = f"{conditions.expression(selection)} AND tags : {tag}"
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
    sets: Sequence[conditions.Set],
    fits: tuple[conditions.Set, list[int]],
    order: Order,
    limit: int,
    after: Sequence[object] | None,
) -> list[ObjectRow]:
    """A page of the objects of a period that fit the text, as far as they fit the rest."""
    if len(fits[1]) > 2 * limit:
        # They stand close together in time. To sort them, a page is read for each; to come across them in order, one
        # for a hundred that stand between them.
        where, values = conditions.where(selection, (one for one in sets if one is not fits[0]))
        along, begins = _along(selection, order.descending, after)
        sort = _sort(order)
        rows = connection.execute(
            f"SELECT {objects.COLUMNS} FROM (SELECT moment AS at, oid AS near FROM object"
            f" INDEXED BY object_by_moment WHERE {along} ORDER BY {sort} LIMIT ?) CROSS JOIN object ON oid = near"
            f" WHERE near IN (SELECT value FROM json_each(?)) AND {where}"
            f" ORDER BY {sort.replace('moment', 'at').replace('oid', 'near')} LIMIT ?",
            [*begins, len(fits[1]) * BETWEEN, conditions.json_array(fits[1]), *values, limit],
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
    conditions.in_period(selection, terms, values)
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
