"""The changes of the two text indexes in one act: gathered, and then made in the order of the objects."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
import zstandard

from app.intel import indexing
from app.intel.indexing import Indexed
from app.store.contents import all_in_force
from app.store.database import Connection
from app.store.words import TABLES, totals_of

BATCH = 500
"""Objects whose words are put back together."""
FEW = 1_000
"""Objects whose words are taken out one by one and written at once: with half as many it takes a tenth longer."""


class Texts:
    """The words that wait.

    FTS5 writes out whatever it holds each time a number is not larger than the one before, and each word that is taken
    out is looked for and its page written anew. So the words of new objects wait, packed, till the end of the act:
    what is replaced meanwhile never goes in. And where taking out would cost more than making the indexes anew
    from the texts held, they are emptied, and the words of what was there before go in at the end.
    """

    def __init__(self) -> None:
        self._out = 0
        self._left_out = 0
        """Objects below this number are in neither index, till the end."""
        self._clear()

    def _clear(self) -> None:
        self._waiting: list[_Words] = []
        self._packed: list[bytes] = []
        self._loose = self._size = self._new = 0
        self._first = (1 << 63) - 1
        self._changes: dict[int, tuple[Indexed | None, Indexed | None]] = {}

    @property
    def full(self) -> bool:
        """Whether so much waits that it should be written."""
        return self._size > _MUCH or len(self._changes) > _MANY

    def add(self, words: Sequence[_Words]) -> None:
        """The words of new objects are to go in; their numbers are above all that came before."""
        if words:
            self._first = min(self._first, words[0][0])
            self._waiting += words
            self._new += len(words)
            self._loose += sum(bytes_of(text, parts) for _, text, _, parts in words)
            if len(self._waiting) >= _CHUNK or self._loose > LOOSE:
                packed = _PACK.compress(msgspec.msgpack.encode(self._waiting))
                # A copy: the library keeps the room it made for what cannot be packed at all.
                self._packed.append(bytes(memoryview(packed)))
                # Long texts come with objects as great as need the room themselves.
                self._size += len(packed) * (1 if len(self._waiting) >= _CHUNK else _LONG)
                self._waiting.clear()
                self._loose = 0

    def waits(self, oid: int) -> bool:
        """Whether the words of an object that is held are in neither index: to take them out, nobody need know them."""
        return oid >= self._first or oid < self._left_out

    def take_out(self, oid: int, one: Indexed) -> None:
        """The words of an object that is in the indexes, or was about to be, are to go."""
        if oid < self._left_out:
            return
        before = None if oid >= self._first else one
        self._size += bytes_of(one.text, one.parts)
        if oid in self._changes:
            before = self._changes[oid][0]
        elif before is not None:
            self._out += _different(one.text) + len(one.parts)
        self._changes[oid] = (before, None)

    def put_in(self, oid: int, one: Indexed) -> None:
        """The words of an object are to go in."""
        if oid < self._left_out:
            return
        self._size += bytes_of(one.text, one.parts)
        self._changes[oid] = (self._changes.get(oid, (None, None))[0], one)

    def write(self, tx: Connection, step: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Make the changes, the last ones of the act; `step` is told how far that is."""
        self.make_room(tx, step)
        if self._out:
            # Now, not at the commit, which nobody can stop.
            _let_write(tx)
        if self._left_out:
            _put_back(tx, self._left_out, step)
        self._out = self._left_out = 0

    def make_room(self, tx: Connection, step: Callable[[int, int], None]) -> None:
        """Make the changes so far, in the middle of the act; `step` is told of how many of how many objects."""
        held = sorted(oid for oid in self._changes if oid < self._first)
        if self._out > FEW_WORDS and self._out * OUT > _cost_of_all(tx):
            empty(tx)
            (last,) = tx.execute("SELECT max(oid) FROM object WHERE oid < ?", (self._first,)).fetchone()
            # The last one may be gone.
            self._left_out = 1 + max(last or 0, held[-1] if held else 0)
            self._changes = {oid: change for oid, change in self._changes.items() if oid >= self._first}
            self._out, held = 0, []
        done, total = 0, len(held) + self._new
        for changes in self._parted(held):
            step(done, total)
            _rewrite(
                tx, "object_text", "rowid, text, tags", ((o, words_of(b), words_of(a)) for o, b, a in changes)
            )
            _rewrite(
                tx, "observable_text", "rowid, text", ((o, parts_of(b), parts_of(a)) for o, b, a in changes)
            )
            # In one go at the end it takes nearly as long, in silence.
            _let_write(tx)
            done += len(changes)
        for words in self._unpacked():
            step(done, total)
            new = [self._latest(one) for one in words] if len(self._changes) > len(held) else words
            _insert(tx, new)
            done += len(words)
        self._clear()

    def _parted(self, oids: Sequence[int]) -> Iterator[list[_Change]]:
        """The changes to these objects, as many at a time as are written between two steps."""
        some, size = list[_Change](), 0
        for oid in oids:
            before, after = self._changes[oid]
            some.append((oid, before, after))
            size += sum(bytes_of(one.text, one.parts) for one in (before, after) if one is not None)
            if len(some) == FEW or size > LOOSE:
                yield some
                some, size = [], 0
        if some:
            yield some

    def _unpacked(self) -> Iterator[list[_Words]]:
        for packed in self._packed:
            yield _UNPACK.decode(zstandard.ZstdDecompressor().decompress(packed))
        yield self._waiting

    def _latest(self, words: _Words) -> _Words:
        if words[0] not in self._changes:
            return words
        one = self._changes[words[0]][1]
        return (words[0], "", "", "") if one is None else (words[0], one.text, one.tags, one.parts)


_Words = tuple[int, str, str, str]
"""(oid, text, tags, parts) as `Indexed` has them; no object is without tags."""
_Change = tuple[int, Indexed | None, Indexed | None]
"""(oid, before, after): what was indexed of an object, and what is to be."""
_CHUNK = 5_000
LOOSE = 8 << 20
"""Bytes of words that are not packed yet: one object may have some MB of them."""
_LONG = 4
"""How many times the words of long texts count."""
_MUCH = 64 << 20
"""Bytes of packed words, those of two million objects, and of changed ones."""
_MANY = 50_000
_PACK = zstandard.ZstdCompressor(level=1)
_UNPACK = msgspec.msgpack.Decoder(list[_Words])


def bytes_of(text: str, parts: str) -> int:
    """Bytes of memory that words take."""
    return sys.getsizeof(text) + sys.getsizeof(parts)


def words_of(one: Indexed | None) -> tuple[str, ...] | None:
    return None if one is None else (one.text, one.tags)


def parts_of(one: Indexed | None) -> tuple[str, ...] | None:
    return (one.parts,) if one is not None and one.parts else None


def _insert(tx: Connection, words: Iterable[_Words]) -> None:
    """Put in the words of objects that are in neither index, by ascending number."""
    tx.executemany(
        "INSERT INTO object_text (rowid, text, tags) VALUES (?, ?, ?)",
        [(oid, text, tags) for oid, text, tags, _ in words if tags],
    )
    tx.executemany(
        "INSERT INTO observable_text (rowid, text) VALUES (?, ?)",
        [(oid, parts) for oid, _, _, parts in words if parts],
    )


FEW_WORDS = 100_000
"""Words that are taken out one by one whatever else there is: a second's work."""
OUT, READ = 20, 60
"""To take a word out costs as much as to put this many in (a third of it in a small index); so does to read a text
again.
"""


def _cost_of_all(tx: Connection) -> int:
    """What it costs to make both indexes anew, in words put in."""
    # What this act put in before is in no total yet.
    _let_write(tx)
    totals = [totals_of(tx, table) for table in TABLES]
    return sum(sum(found[1:]) for found in totals) + READ * max(found[0] if found else 0 for found in totals)


def _let_write(tx: Connection) -> None:
    """Let FTS5 write what it holds back."""
    tx.execute("SAVEPOINT words")
    tx.execute("RELEASE words")


def empty(tx: Connection) -> None:
    """Take all words out at once; their pages are overwritten."""
    for table in TABLES:
        tx.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")


def _put_back(tx: Connection, before: int, step: Callable[[int, int], None]) -> None:
    """Put in the words of all objects below a number, which are in neither index; `step` is told how far that is."""
    total = tx.execute("SELECT count(*) FROM object WHERE oid < ?", (before,)).fetchone()[0]
    some, size = list[_Words](), 0
    for done, (oid, contents) in enumerate(all_in_force(tx, before)):
        if done % BATCH == 0:
            step(done, total)
        one = indexing.merged(found.indexed for found in contents)
        some.append((oid, one.text, one.tags, one.parts))
        size += bytes_of(one.text, one.parts)
        if len(some) == BATCH or size > LOOSE:
            _insert(tx, some)
            some, size = [], 0
            step(done, total)
    _insert(tx, some)


_WORD = re.compile(r"[^\W_]+")
_SLICE = 1 << 20


def _different(text: str) -> int:
    """How many different words are in a text, about."""
    slices = (text[at : at + _SLICE] for at in range(0, len(text), _SLICE))
    return sum(len(set(_WORD.findall(some))) for some in slices)


def _rewrite(
    tx: Connection,
    table: str,
    columns: str,
    changes: Iterable[tuple[int, tuple[str, ...] | None, tuple[str, ...] | None]],
) -> None:
    """Take words out and put others in, (oid, before, after) by ascending oid."""
    marks = ", ".join("?" * (columns.count(",") + 1))
    for oid, before, after in changes:
        if before is not None:
            # A contentless index needs the text to the letter: its words are taken out one by one, so that none stays.
            tx.execute(f"INSERT INTO {table} ({table}, {columns}) VALUES ('delete', {marks})", (oid, *before))
        if after is not None:
            tx.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", (oid, *after))
