"""Whether the indexes of words say what the texts say: for each word, in how many objects it is and how often.

The indexes keep no text to compare with. So the words are indexed once more, some objects at a time, in a database in
memory with the same tokenizer, and both vocabularies are summed. Only counts are compared: it notices words that are
missing or left over, wherever a page of the index is not of this time; not that two objects changed places.

So is what an index keeps beside its words: how long each object's text is, and of all of them together, by which hits
are ranked; and that there is a way to the words of each segment. The single ways SQLite's own check compares with the
leaves they lead to, unless there is none at all.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from app.jobs import Job, quiet
from app.store.driver import dbapi2

Connection = Any
BATCH = 2_000
BATCH_TEXT = 8 << 20
"""Characters of the texts of objects that are counted together: one may have a million."""
TABLES = {"object_text": "rowid, text, tags", "observable_text": "rowid, text"}
SIZED = ("object_text",)
"""Those that know how long each object's text is."""
_SEGMENT, _LEAF = 37, 31
"""Bits of the number of a leaf before that of its segment; of its place there."""


class Sums:
    """Sums of the vocabularies, to be given the words of every object."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._wanted = dict.fromkeys(TABLES, 0)
        self._lengths = 0
        self._totals: dict[str, list[int]] = {table: [] for table in TABLES}
        self._waiting: dict[str, list[Sequence[object]]] = {table: [] for table in TABLES}
        self._size = dict.fromkeys(TABLES, 0)
        self._memory: Connection = dbapi2.connect(":memory:", isolation_level=None)
        for table in TABLES:
            row = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            self._memory.execute(row[0])
            self._memory.execute(f"CREATE VIRTUAL TABLE {table}_words USING fts5vocab({table}, row)")

    def add(self, table: str, row: Sequence[object]) -> None:
        """An object's row in one of `TABLES`."""
        self._waiting[table].append(row)
        self._size[table] += len(str(row[1]))
        if len(self._waiting[table]) >= BATCH or self._size[table] > BATCH_TEXT:
            self._count(table)

    def wrong(self, job: Job) -> list[str]:
        """The indexes that say something else, once everything was added. Raises `Cancelled`."""
        for table in TABLES:
            self._count(table)
        self._memory.close()
        with _vocabularies(self._connection) as names:
            return [table for table in TABLES if not self._right(table, names[table], job)]

    def _right(self, table: str, vocabulary: str, job: Job) -> bool:
        # Closed where it is stopped too: the table that it reads is dropped then. How many words there are is not
        # known before they are read.
        with contextlib.closing(self._connection.execute(f"SELECT * FROM {vocabulary}")) as words:
            found = sum(map(_mark, job.each(words, 0, "words")))
        return (
            found == self._wanted[table]
            and not _out_of_reach(self._connection, table)
            and totals_of(self._connection, table) == self._totals[table]
            and (table not in SIZED or _lengths(self._connection, table, job) == self._lengths)
        )

    def _count(self, table: str) -> None:
        marks = ", ".join("?" * (TABLES[table].count(",") + 1))
        self._memory.execute("BEGIN")
        self._memory.executemany(
            f"INSERT INTO {table} ({TABLES[table]}) VALUES ({marks})", self._waiting[table]
        )
        self._memory.execute("COMMIT")
        self._wanted[table] += sum(map(_mark, self._memory.execute(f"SELECT * FROM {table}_words")))
        self._totals[table] = _added(self._totals[table], totals_of(self._memory, table))
        if table in SIZED:
            self._lengths += _lengths(self._memory, table, quiet())
        self._memory.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")
        self._waiting[table].clear()
        self._size[table] = 0


def _mark(row: tuple[str, int, int]) -> int:
    """Of (word, objects, times): summed, the same for the same words in whatever parts they were counted."""
    word, objects, times = row
    return hash(word) * (objects + (times << 64))


def _out_of_reach(connection: Connection, table: str) -> bool:
    """Whether words of an index are not found because no way leads to their segment; to its first leaf none need lead.
    Source: SQLite, ext/fts5/fts5_index.c, its head.
    """
    reached = {row[0] for row in connection.execute(f"SELECT DISTINCT segid FROM {table}_idx")}
    held = connection.execute(
        f"SELECT DISTINCT id >> {_SEGMENT} FROM {table}_data WHERE id >> {_SEGMENT} > 0"
    )
    for (segment,) in held.fetchall():
        if segment not in reached:
            first = segment << _SEGMENT
            leaves = connection.execute(
                f"SELECT block FROM {table}_data WHERE id >= ? AND id < ? ORDER BY id LIMIT -1 OFFSET 1",
                (first, first + (1 << _LEAF)),
            )
            # The list of the words of a leaf is behind the rest of it.
            if any(int.from_bytes(leaf[2:4], "big") < len(leaf) for (leaf,) in leaves):
                return True
    return False


def _lengths(connection: Connection, table: str, job: Job) -> int:
    """Of how long each object's text is: one sum."""
    (many,) = connection.execute(f"SELECT count(*) FROM {table}_docsize").fetchone()
    rows = job.each(connection.execute(f"SELECT * FROM {table}_docsize"), many, "words")
    return sum(hash((id_, bytes(size))) for id_, size in rows)


def totals_of(connection: Connection, table: str) -> list[int]:
    """How many objects an index has, and how many words in each of its columns."""
    row = connection.execute(f"SELECT block FROM {table}_data WHERE id = 1").fetchone()
    found, at = list[int](), 0
    while row and at < len(row[0]):
        number, at = _varint(row[0], at)
        found.append(number)
    return _added([], found)


def _added(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """The sums of two lists of totals; noughts at the end are not told."""
    found = [a + b for a, b in itertools.zip_longest(one, other, fillvalue=0)]
    while found and not found[-1]:
        found.pop()
    return found


def _varint(text: bytes, at: int) -> tuple[int, int]:
    """A number as SQLite writes it, and where the next thing begins."""
    number = 0
    for count in range(9):
        byte = text[at + count]
        if count == 8:
            return number << 8 | byte, at + 9
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at + count + 1
    raise AssertionError


@contextlib.contextmanager
def _vocabularies(connection: Connection) -> Iterator[dict[str, str]]:
    """The vocabularies of a store, as tables of this connection alone, in memory."""
    names = {table: f"temp.{table}_words" for table in TABLES}
    (query_only,) = connection.execute("PRAGMA query_only").fetchone()
    connection.execute("PRAGMA query_only = OFF")
    try:
        for table, name in names.items():
            connection.execute(f"CREATE VIRTUAL TABLE {name} USING fts5vocab(main, {table}, row)")
        yield names
    finally:
        for name in names.values():
            connection.execute(f"DROP TABLE IF EXISTS {name}")
        connection.execute(f"PRAGMA query_only = {query_only}")
