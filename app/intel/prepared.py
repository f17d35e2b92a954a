"""All that the store needs to know of one object, found out once, where its text is read.

For files that is a process of its own. It crosses from there as MessagePack of this shape and no other, so that a
reader taken over by what it read can lie about the objects of its file and do no more.
"""

from __future__ import annotations

import hashlib

import msgspec

from app.intel import indexing, marking
from app.intel.envelope import Envelope, envelope
from app.intel.indexing import Indexed, Link
from app.intel.reading import Entry


class Prepared(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One object: `raw` its exact text and the SHA-256 of it, `where` its place in the file, `old` whether it came as
    STIX 2.0.

    The envelope's marking leaves out the definitions it names: `level` adds them.
    """

    raw: bytes
    where: str
    old: bool
    sha256: bytes
    envelope: Envelope
    indexed: Indexed
    links: tuple[Link, ...]

    def level(self, resolve: marking.Resolve) -> marking.Level | None:
        """The strictest level of its markings, as `marking.effective` gives it."""
        strictest = self.envelope.marking
        for definition in self.envelope.definitions:
            level = marking.resolved(definition, resolve)
            if level is not None and (strictest is None or level > strictest):
                strictest = level
        return strictest


def prepare(entry: Entry) -> Prepared:
    """Find out what the store needs to know of an object that was read."""
    env = envelope(entry.value, marking.deferred)
    return Prepared(
        raw=entry.raw,
        where=entry.where,
        old=entry.old,
        sha256=hashlib.sha256(entry.raw).digest(),
        envelope=env,
        indexed=indexing.indexed(entry.value, env),
        links=indexing.links(entry.value, env),
    )


def prepare_text(raw: bytes, where: str) -> Prepared:
    """The same for the exact text of an object that was read strictly before."""
    return prepare(Entry(raw, msgspec.json.decode(raw, type=dict[str, object]), where))
