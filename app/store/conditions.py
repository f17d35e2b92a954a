"""What a list shows, as exact SQL: a `Selection`, and the conditions it means.

A condition on the row itself is a term; one that another table answers is a `Set`, which can be asked for all that fits
it or of one object. Which of them a search begins with is `app.store.selecting`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.intel.indexing import type_tag
from app.intel.marking import LEVELS
from app.intel.networks import Span
from app.intel.observables import Observable
from app.messages import Refused
from app.store import links, objects
from app.store.codes import code
from app.store.database import Connection

MANY = 50_000
"""Objects of a source that are listed; of a larger one it is asked of each object, or of all in one pass."""


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


@dataclass(frozen=True, slots=True)
class Set:
    """A condition as a query for the oids that fit, and as a test of one object; `size`: how many, if that is known.
    `whole`: the test where all objects are looked at ("": as any), with the values of the other.
    """

    query: str
    values: tuple[object, ...]
    test: str
    test_values: tuple[object, ...]
    size: int | None = None
    whole: str = ""


def one_of(column: str, values: Sequence[object]) -> tuple[str, tuple[object, ...]]:
    """The condition that a column is one of these, and its values."""
    return f"{column} IN ({', '.join('?' * len(values))})", tuple(values)


def in_period(selection: Selection, terms: list[str], values: list[object]) -> None:
    """Add the condition on moments, if there is one."""
    if selection.after:
        terms.append("moment >= ?")
        values.append(selection.after)
    if selection.before:
        terms.append("moment > '' AND moment < ?")
        values.append(selection.before)


def _plain(selection: Selection) -> tuple[list[str], list[object]]:
    """The conditions on the row itself."""
    terms, values = ["TRUE"], list[object]()
    for column, wanted in (("type", selection.types), ("level", selection.levels)):
        if wanted:
            term, some = one_of(column, wanted)
            terms.append(term)
            values += some
    in_period(selection, terms, values)
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


def sets(connection: Connection, selection: Selection) -> list[Set]:
    """The conditions that other tables answer."""
    found = []
    if selection.id:
        idh = objects.id_hash(objects.hash_key(connection), selection.id)
        found.append(Set("SELECT oid FROM object WHERE idh = ?", (idh,), "idh = ?", (idh,), 1))
    for one in selection.either:
        found.append(_either(connection, one))
    if selection.techniques:
        found.append(_techniques(selection.techniques))
    within = (selection.within,) if selection.within else ()
    for names, files in ((selection.sources, True), (selection.counterparts, False), (within, True)):
        if names:
            found.append(_sources(connection, names, files))
    if selection.match:
        found.append(_listed(TEXT, (expression(selection),)))
    if selection.dangling:
        # A published marking is known, held or not.
        key = objects.hash_key(connection)
        known = tuple(objects.id_hash(key, id_) for id_ in LEVELS)
        referring = links.referring_nowhere(connection, known)
        found.append(_listed(_GIVEN, (json_array(referring),), len(referring)))
    return found


_GIVEN = "SELECT value AS oid FROM json_each(?)"
TEXT = "SELECT rowid AS oid FROM object_text WHERE object_text MATCH ?"


def expression(selection: Selection) -> str:
    """The words, and the types they must be in, for the full-text index."""
    words = f"text : ({selection.match})"
    if not selection.types:
        return words
    return f"{words} AND tags : ({' OR '.join(map(type_tag, selection.types))})"


def _listed(query: str, values: tuple[object, ...], size: int | None = None) -> Set:
    return Set(query, values, f"oid IN ({query})", values, size)


def _either(connection: Connection, one: Either) -> Set:
    queries, values = list[str](), list[object]()
    if one.id:
        queries.append("SELECT oid FROM object WHERE idh = ?")
        values.append(objects.id_hash(objects.hash_key(connection), one.id))
    for kind in dict.fromkeys(observable.kind for observable in one.values):
        term, some = one_of("val", [observable.value for observable in one.values if observable.kind == kind])
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
            term, some = one_of("kind", tuple(map(code, one.kinds)))
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
        queries.append(TEXT)
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


def _techniques(techniques: Sequence[str]) -> Set:
    named = " UNION ALL ".join([_NAMED] * len(techniques))
    values = tuple(text for one in techniques for text in (one, one + ".", one + "/"))
    related = (
        "SELECT near.oid FROM object AS technique CROSS JOIN edge ON dst = technique.idh AND related = 1"
        " CROSS JOIN object AS near ON near.idh = src"
        f" WHERE technique.type = 'attack-pattern' AND technique.oid IN ({named})"
    )
    return _listed(f"{named} UNION ALL {related}", values + values)


def _sources(connection: Connection, names: Sequence[Named], files: bool) -> Set:
    term, values = one_of("origin", acts(connection, names, files))
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
    return Set(
        query,
        values * 2,
        f"(EXISTS (SELECT 1 FROM version WHERE vid = current AND {term})"
        f" OR EXISTS (SELECT 1 FROM source WHERE vid = current AND {term}))",
        values * 2,
        # Which version is current stands in the table alone: that is read once, in its own order, and the indexes say
        # the rest. The sign keeps the order of the index from being given up for that of these oids.
        whole=f"+oid IN (SELECT oid FROM object NOT INDEXED WHERE current IN ({vids}))",
    )


def acts(connection: Connection, names: Sequence[Named], files: bool) -> list[int]:
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


def where(selection: Selection, several: Iterable[Set], whole: bool = False) -> tuple[str, list[object]]:
    """The condition on an object, on its row and by these sets, and its values; `whole`: where all are looked at."""
    terms, values = _plain(selection)
    for one in several:
        terms.append((whole and one.whole) or one.test)
        values += one.test_values
    return " AND ".join(terms), values


def json_array(oids: Iterable[int]) -> str:
    """Numbers as SQLite's `json_each` reads them."""
    return f"[{','.join(map(str, oids))}]"
