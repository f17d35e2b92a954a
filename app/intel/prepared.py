"""All that the store needs to know of one object, found out once, where its text is read.

For files that is a process of its own. It crosses from there as MessagePack of this shape and no other, so that a
reader taken over by what it read can lie about the objects of its file and do no more.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

import msgspec

from app.intel import indexing, marking
from app.intel.envelope import envelope
from app.intel.indexing import Indexed, Link
from app.intel.marking import Level, Resolve
from app.intel.reading import Entry, Fault


class Prepared(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One object: `raw` its exact text, `where` its place in the file, `old` whether it came as STIX 2.0; what it is
    called and when it is from as its `Envelope` has it; what is indexed of it.

    `creator` is the id of the object that made it. `marking` leaves out the definitions it names: `level` adds them.
    """

    raw: bytes
    where: str
    old: bool
    id: str
    type: str
    name: str
    created: str
    modified: str
    moment: str
    revoked: bool
    creator: str
    marking: Level | None
    definitions: tuple[str, ...]
    confidence: int | None
    indexed: Indexed
    links: tuple[Link, ...]

    def level(self, resolve: Resolve) -> Level | None:
        """The strictest level of its markings, as `marking.effective` gives it."""
        strictest = self.marking
        for definition in self.definitions:
            level = marking.resolved(definition, resolve)
            if level is not None and (strictest is None or level > strictest):
                strictest = level
        return strictest


Recognise = Callable[[Sequence[tuple[str, bytes]]], Sequence[bool]]
"""Told (id, SHA-256 of the exact text) of objects that are read, it says of each whether that was all there is to know
of it.
"""


class Source:
    """Objects on their way from another process: what `reading` of this source gives, once. What `recognise`, if it is
    set before the first one is taken, has recognised never comes.
    """

    def __init__(self, reading: Callable[[Source], Generator[Prepared | Fault]]) -> None:
        self.recognise: Recognise | None = None
        self._found = reading(self)

    def __iter__(self) -> Iterator[Prepared | Fault]:
        return self._found

    def __next__(self) -> Prepared | Fault:
        return next(self._found)

    def close(self) -> None:
        """Nothing comes any more, and whoever recognised is let go."""
        self._found.close()
        self.recognise = None


def prepare(entry: Entry) -> Prepared:
    """Find out what the store needs to know of an object that was read."""
    env = envelope(entry.value, marking.deferred)
    return Prepared(
        entry.raw,
        entry.where,
        entry.old,
        env.id,
        env.type,
        env.name,
        env.created,
        env.modified,
        env.moment,
        env.revoked,
        indexing.creator(env),
        env.marking,
        env.definitions,
        env.confidence,
        indexing.indexed(entry.value, env),
        indexing.links(entry.value, env),
    )


def prepare_text(raw: bytes, where: str) -> Prepared:
    """The same for the exact text of an object that was read strictly before."""
    return prepare(Entry(raw, msgspec.json.decode(raw, type=dict[str, object]), where))
