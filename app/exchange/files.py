"""Attachments in packages: which go along with what leaves, and what becomes of those that come.

The `files` part is JSON lines, one for each `attachment` part and in their order: id of the object, name,
size, SHA-256 of the content, and whether it is a malware sample. It stands before them, so that each is kept
as it streams by.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import BinaryIO

import msgspec

from app.exchange import gate
from app.exchange.gate import Candidate, Terms
from app.holdings import attachments
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store import attachments as store
from app.store.attachments import Attachment
from app.store.database import Connection
from app.store.installation import Installation
from crypto.package import Part, PartSource

LIMIT = 1024
"""Attachments in one package: with statements and the rest they stay below the parts that a manifest may have."""
NAME_LIMIT = 4096


# Leaving ----------------------------------------------------------------------------------------------------


class Bundled:
    """The attachments of everything held, and which of them go along with an object to the counterpart `cid`."""

    def __init__(self, connection: Connection, cid: int, only: frozenset[tuple[str, bytes]] | None) -> None:
        self._of: dict[int, list[Attachment]] = {}
        for one in store.held(connection):
            if only is None or (one.id, one.sha256) in only:
                assert one.oid is not None
                self._of.setdefault(one.oid, []).append(one)
        self._has = store.with_counterpart(connection, cid) if self._of else set()

    def all_there(self, oid: int, terms: Terms) -> bool:
        """Whether they have, or may not have, every attachment of an object."""
        return all(
            one.giver == terms.to or (one.id, one.sha256) in self._has for one in self._of.get(oid, ())
        )

    def along(
        self, oid: int, candidate: Candidate, terms: Terms, new_only: bool
    ) -> tuple[list[Attachment], int]:
        """What goes along with an object that leaves, and how many of its attachments are somebody else's and stay."""
        going, bound = [], 0
        for one in self._of.get(oid, ()):
            if one.giver == terms.to or (new_only and (one.id, one.sha256) in self._has):
                continue
            if _free(one, candidate, terms):
                going.append(one)
            else:
                bound += 1
        return going, bound


def _free(one: Attachment, candidate: Candidate, terms: Terms) -> bool:
    """Whether an attachment is ours, or the one it came from lets it go on with its object.

    A consent names exact bytes, and not these; what came to an object of ours from somebody else stays theirs.
    """
    if not one.giver or candidate.level is Level.CLEAR:
        return True
    custody = candidate.custody
    if custody is None or custody.whose != one.giver:
        return False
    return not gate.onward(replace(candidate, custody=replace(custody, consented=False)), terms)


def parts(installation: Installation, going: Sequence[Attachment]) -> list[PartSource]:
    """The `files` part and an `attachment` part for each; none if there are none. Raises `Refused`
    (attachments-too-many).
    """
    if not going:
        return []
    if len(going) > LIMIT:
        raise Refused("attachments-too-many", most=LIMIT)
    lines = _lines(going)
    return [
        PartSource("files", "zstd", lambda: io.BytesIO(lines)),
        *(
            PartSource("attachment", "zstd", partial(attachments.opened, installation, one), one.size)
            for one in going
        ),
    ]


def described(going: Sequence[Attachment]) -> list[dict[str, object]]:
    """Type, size and hash of what `parts` gives, as the release statement names it."""
    if not going:
        return []
    lines = _lines(going)
    listed = {"type": "files", "size": len(lines), "sha256": hashlib.sha256(lines).hexdigest()}
    return [
        listed,
        *({"type": "attachment", "size": one.size, "sha256": one.sha256.hex()} for one in going),
    ]


def _lines(going: Sequence[Attachment]) -> bytes:
    lines = (Line(one.id, one.name, one.size, one.sha256.hex(), one.sample) for one in going)
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """What the `files` part says of one attachment."""

    id: str
    name: str
    size: int
    sha256: str
    sample: bool


def read(raw: bytes) -> list[Line]:
    """The lines of a `files` part. Raises ValueError (msgspec's errors are)."""
    return [msgspec.json.decode(text, type=Line) for text in raw.splitlines()]


# Coming -----------------------------------------------------------------------------------------------------


@dataclass
class Arriving:
    """Takes the attachments of a received package into the inbox, as number `number`; None: nothing of it is shown."""

    tx: Connection
    installation: Installation
    giver: str
    number: int | None
    job: Job
    _lines: Iterator[Line] = field(default_factory=lambda: iter(()))

    def announce(self, raw: bytes) -> None:
        """The `files` part. Raises ValueError (msgspec's errors are)."""
        self._lines = iter(read(raw))

    def take(self, part: Part, file: BinaryIO) -> str:
        """An `attachment` part; returns the code of what is wrong with it, "" if it is kept. Raises as reading does."""
        line = next(self._lines, None)
        if self.number is None:
            return ""
        if line is None or (line.size, line.sha256) != (part.size, part.sha256.hex()):
            return "attachment-unnamed"
        if len(line.name) > NAME_LIMIT:
            line = Line(line.id, line.name[:NAME_LIMIT], line.size, line.sha256, line.sample)
        attachments.receive(
            self.tx,
            self.installation,
            package=self.number,
            giver=self.giver,
            id_=line.id,
            name=line.name,
            sample=line.sample,
            size=part.size,
            sha256=part.sha256,
            source=file,
            job=self.job,
        )
        return ""

    def settle(self) -> Iterable[str]:
        """Once every part was read: destroy what belongs to no object of the package; a code for each."""
        if self.number is None:
            return ()
        return ["attachment-unowned" for _ in attachments.settle(self.tx, self.installation, self.number)]
