"""How things stand: one sum over the small tables that say it, kept in the store with each transaction.

SQLCipher authenticates a page and not its age: one that lies in the file as it was earlier reads like any other. The
texts held have hashes, the indexes follow from the texts, the log is a tree. What is left are tables with a row for
each counterpart, agreement or setting, of which nothing else knows: a channel's next number, a card that was revoked.
Together with the length of the log they make this sum; a page of theirs put back alone does not fit it, nor does one
put back with the page of the sum, unless nothing was logged in between. The sum has a table of its own, `seal`.

Tables that may grow long are not read with each act: what binds objects, what was said of a package. Triggers keep the
number of their rows and a sum of what those say (`row_sum`, which counts here), to be compared by `rows_hold`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

Connection = Any
SCHEMA = 21
"""The version of the schema from which on there is a sum."""
VERSION = b"\x04"
TABLES = (
    *("setting", "identity", "officer", "counterpart", "channel", "former_card", "superseded"),
    *("agreement", "agreement_answer", "recall", "asking", "enquiry", "creator", "drop_folder", "pseudonym"),
    *("told_apart", "clock", "row_sum"),
)
"""Tables of which every row counts; changing them takes another `VERSION`."""
LONG = ("restraint", "sector_label", "inbox_restraint", "attachment_given", "answered", "inbox", "outbox")
"""Tables of whose rows a sum is kept."""
_MORE = (
    "SELECT 'log', max(number), 0, 0 FROM audit",
    "SELECT key, value, 0, 0 FROM meta",
    # Of keys, whether they are there: a used one that comes back would be used again.
    "SELECT 'own', cid, count(*), sum(number) FROM own_key GROUP BY cid, kind",
    "SELECT 'their', cid, count(*), sum(number) FROM their_key GROUP BY cid, kind",
    # How the indexes of words are kept: whether what is deleted from them is overwritten.
    "SELECT 'words', k, v, 0 FROM object_text_config",
    "SELECT 'parts', k, v, 0 FROM observable_text_config",
)


def holds(connection: Connection) -> bool:
    """Whether the tables are as the last transaction left them; True where no sum was kept yet."""
    row = connection.execute("SELECT sum FROM seal").fetchone()
    return row is None or bytes(row[0][:1]) != VERSION or bytes(row[0]) == _sum(connection)


def rows_hold(connection: Connection, tables: Iterable[str] = LONG) -> bool:
    """Whether these of the `LONG` tables are as the last transaction left them."""
    return all(
        connection.execute(f"SELECT count(*), coalesce(sum(said), 0) FROM {table}_said").fetchone()
        == connection.execute("SELECT many, sum FROM row_sum WHERE name = ?", (table,)).fetchone()
        for table in tables
    )


def settle_rows(tx: Connection) -> None:
    """What the rows of the `LONG` tables say is what counts from now on."""
    for table in LONG:
        tx.execute(
            f"UPDATE row_sum SET (many, sum) = (SELECT count(*), coalesce(sum(said), 0) FROM {table}_said)"
            " WHERE name = ?",
            (table,),
        )


def put(tx: Connection) -> None:
    """Keep the sum of how the tables stand now."""
    # At a savepoint the indexes of words write what they hold back; the first words that ever go change a setting.
    tx.execute("SAVEPOINT standing")
    tx.execute("RELEASE standing")
    tx.execute("INSERT OR REPLACE INTO seal (rowid, sum) VALUES (1, ?)", (_sum(tx),))


def _sum(connection: Connection) -> bytes:
    found = hashlib.blake2b(digest_size=32)
    for query in (*(f"SELECT * FROM {table}" for table in TABLES), *_MORE):
        rows = sorted(map(repr, connection.execute(query)))
        found.update(repr((query, rows)).encode())
    return VERSION + found.digest()
