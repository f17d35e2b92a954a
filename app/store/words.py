"""Whether the indexes of words say what the texts say: for each word, in how many objects it is and how often.

The indexes keep no text to compare with. So the words are indexed once more, some objects at a time, in a database in
memory with the same tokenizer, and both vocabularies are summed. Only counts are compared: it notices words that are
missing or left over, wherever a page of the index is not of this time; not that two objects changed places.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from app.store.driver import dbapi2

Connection = Any
BATCH = 2_000
TABLES = {"object_text": "rowid, text, tags", "observable_text": "rowid, text"}


class Sums:
    """Sums of the vocabularies, to be given the words of every object."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._wanted = dict.fromkeys(TABLES, 0)
        self._waiting: dict[str, list[Sequence[object]]] = {table: [] for table in TABLES}
        self._memory: Connection = dbapi2.connect(":memory:", isolation_level=None)
        for table in TABLES:
            row = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            self._memory.execute(row[0])
            self._memory.execute(f"CREATE VIRTUAL TABLE {table}_words USING fts5vocab({table}, row)")

    def add(self, table: str, row: Sequence[object]) -> None:
        """An object's row in one of `TABLES`."""
        self._waiting[table].append(row)
        if len(self._waiting[table]) >= BATCH:
            self._count(table)

    def wrong(self) -> list[str]:
        """The indexes that say something else, once everything was added."""
        for table in TABLES:
            self._count(table)
        self._memory.close()
        with _vocabularies(self._connection) as names:
            return [
                table
                for table in TABLES
                if self._wanted[table] != _sum(self._connection.execute(f"SELECT * FROM {names[table]}"))
            ]

    def _count(self, table: str) -> None:
        marks = ", ".join("?" * (TABLES[table].count(",") + 1))
        self._memory.execute("BEGIN")
        self._memory.executemany(
            f"INSERT INTO {table} ({TABLES[table]}) VALUES ({marks})", self._waiting[table]
        )
        self._memory.execute("COMMIT")
        self._wanted[table] += _sum(self._memory.execute(f"SELECT * FROM {table}_words"))
        self._memory.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")
        self._waiting[table].clear()


def _sum(rows: Iterator[tuple[str, int, int]]) -> int:
    """Of (word, objects, times): the same for the same words in whatever parts they were counted."""
    return sum(hash(word) * (objects + (times << 64)) for word, objects, times in rows)


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
