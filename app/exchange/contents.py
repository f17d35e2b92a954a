"""What the parts of a received package are: intel and attachments into the inbox, statements, keys, a note, levels
(protocol.md 1, "Parts").

Every part is read, for its hash must be right even if nothing of it is shown. What cannot be read is named
and passed by; the
package is received all the same. Memory is bounded: objects go into the inbox as they are read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

import msgspec

from app.exchange import counterparts, keys, statements
from app.exchange.channel import Channel
from app.exchange.files import Arriving
from app.exchange.keys import Owned
from app.exchange.terms import stricter_onward
from app.exchange.wording import is_day
from app.formats import streams
from app.intel import marking
from app.intel.envelope import envelope
from app.intel.marking import Level
from app.intel.reading import Fault
from app.jobs import Job
from app.messages import Refused
from app.store import custody as store_custody
from app.store import packages
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from app.store.packages import Waiting
from crypto.errors import CryptoError
from crypto.package import Opened

OBJECT_LIMIT = 1_000_000
FAULT_LIMIT = 10_000
INTEL_LIMIT = 4 << 30
PART_LIMITS = {
    "handling": 256 << 20,
    "note": 64 << 10,
    "statement": 16 << 20,
    "keys": 1 << 20,
    "files": 8 << 20,
}
"""Bytes of a part of each type; of all but statements there is one in a package."""
STATEMENTS_BYTES = 256 << 20
"""Bytes of all statements of a package: they are held together until it is committed. We never seal as many."""
BATCH = 1000
BATCH_BYTES = 8 << 20

_TEXT = msgspec.json.Decoder(dict[str, object])


@dataclass(frozen=True)
class Bound:
    """What came beside a content: its level; the day before which it is not passed on, "" for none; whether it is a
    part of an exercise; what whoever stands behind the sender lets be done with it (`terms.ONWARD`), "" if nobody
    stands there.
    """

    level: Level
    embargo: str
    exercise: bool
    onward: str = ""


@dataclass
class Content:
    """What the parts of a package were. `objects` and `position` count those of its intel parts,
    `position` with the faults. `bound` is what the handling part says, by SHA-256.
    """

    statements: list[statements.Statement]
    failed: list[tuple[str, str]]
    note: str = ""
    objects: int = 0
    position: int = 0
    bound: dict[bytes, Bound] = field(default_factory=dict)


def read(
    tx: Connection,
    installation: Installation,
    one: Counterpart,
    channel: Channel,
    opened: Opened[Owned],
    number: int | None,
    job: Job,
) -> Content:
    """Read every part (its hash must be right even if nothing of it is shown); objects go to inbox `number`."""
    content = Content([], [])
    signers = counterparts.signers(tx, one)
    seen, room = set[str](), STATEMENTS_BYTES
    arriving = Arriving(tx, installation, one.fingerprint, number, job)
    for part, file in opened.parts():
        if part.type == "intel":
            if part.size > INTEL_LIMIT:
                content.failed.append(("intel", "part-too-large"))
            else:
                _take_intel(tx, file, content, number, job)
            continue
        if part.type == "attachment":
            if code := arriving.take(part, file):
                content.failed.append((part.type, code))
            continue
        limit = PART_LIMITS.get(part.type)
        if limit is None:
            content.failed.append((part.type, "newer-format"))
            continue
        if part.size > limit or (part.type != "statement" and part.type in seen):
            content.failed.append((part.type, "part-too-large" if part.size > limit else "part-repeated"))
            continue
        if part.type == "statement":
            room -= part.size
            if room < 0:
                content.failed.append((part.type, "part-too-large"))
                continue
        seen.add(part.type)
        raw = file.read()
        try:
            if part.type == "handling":
                content.bound = _handling(raw)
            elif part.type == "files":
                arriving.announce(raw)
            elif part.type == "note":
                content.note = raw.decode()
            elif part.type == "statement":
                content.statements.append(statements.read(raw, signers))
            # What was told before they knew that we were restored may be used up: it is told again.
            elif (
                part.type == "keys"
                and not channel.mending
                and keys.take(tx, installation, one.cid, raw, channel.sending.onetime)
            ):
                content.failed.append(("keys", "keys-bad"))
        except (CryptoError, ValueError) as error:
            content.failed.append((part.type, getattr(error, "code", "part-unreadable")))
    if number is not None:
        # Last: a handling part may stand before the objects that it is about.
        _bind(tx, number, content)
    content.failed += [("attachment", code) for code in arriving.settle()]
    return content


def _take_intel(tx: Connection, file: BinaryIO, content: Content, number: int | None, job: Job) -> None:
    """Put the objects of an intel part into the inbox as they are read. What cannot be read is named and
    counts as refused.
    """
    batch: list[tuple[Waiting, bytes]] = []
    size = 0
    try:
        with streams.opened(file.read, job) as entries:
            for entry in entries:
                job.step(content.position, 0, "open")
                value = None if isinstance(entry, Fault) else _TEXT.decode(entry.raw)
                if isinstance(entry, Fault) or value is None or marking.is_redefinition(value):
                    code = entry.code if isinstance(entry, Fault) else "marking-redefined"
                    content.failed.append((entry.where, code))
                    item = (Waiting(content.position, "", "", code, "", "", b"", None, "refused"), b"")
                else:
                    item = (_waiting(entry.raw, value, content.position), entry.raw)
                    content.objects += number is not None
                content.position += 1
                if content.position > OBJECT_LIMIT or len(content.failed) > FAULT_LIMIT:
                    raise Refused("too-many-objects", most=OBJECT_LIMIT)
                if number is not None:
                    batch.append(item)
                    size += len(item[1])
                    if len(batch) == BATCH or size >= BATCH_BYTES:
                        packages.add_waiting(tx, number, batch)
                        batch, size = [], 0
    except Refused as error:
        if error.code in ("reader-died", "reader-hung"):
            # Nothing was found out about the package: it is not received, and can be tried again.
            raise
        content.failed.append(("intel", error.code))
    if number is not None:
        packages.add_waiting(tx, number, batch)


def _waiting(raw: bytes, value: dict[str, object], position: int) -> Waiting:
    # What the reader says of a text is not needed here, and so not believed.
    env = envelope(value)
    return Waiting(
        position=position,
        id=env.id,
        type=env.type,
        name=env.name,
        modified=env.modified,
        moment=env.moment,
        sha256=hashlib.sha256(raw).digest(),
        handling=None,
        decision="pending",
    )


class _HandlingLine(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    modified: str
    sha256: str
    tlp: str
    embargo: str | None = None
    exercise: bool = False
    case: str | None = None
    onward: Literal["never", "consent", "within-tlp"] | None = None


def _handling(raw: bytes) -> dict[bytes, Bound]:
    """{sha256: what binds it} of a `handling` part, the strictest of what is said. Raises ValueError (msgspec's
    errors are).

    A case is not known to this version: what carries one is treated as RED.
    """
    bound: dict[bytes, Bound] = {}
    for text in raw.splitlines():
        line = msgspec.json.decode(text, type=_HandlingLine)
        level = marking.parse(line.tlp)
        if level is None:
            raise ValueError("tlp")
        if line.embargo is not None and not is_day(line.embargo):
            raise ValueError("embargo")
        if line.case is not None:
            level = Level.RED
        sha256 = bytes.fromhex(line.sha256)
        before = bound.get(sha256, Bound(level, "", False))
        bound[sha256] = Bound(
            max(level, before.level),
            max(line.embargo or "", before.embargo),
            line.exercise or before.exercise,
            stricter_onward(line.onward or "", before.onward),
        )
    return bound


def _bind(tx: Connection, number: int, content: Content) -> None:
    """Let what the handling part said bind the objects of the package; all are RED if it cannot be read."""
    packages.set_waiting_handling(tx, number, {sha256: one.level for sha256, one in content.bound.items()})
    store_custody.add_waiting_restraints(
        tx,
        number,
        (
            (sha256, one.embargo, one.exercise, one.onward)
            for sha256, one in content.bound.items()
            if one.embargo or one.exercise or one.onward
        ),
    )
    if any(place == "handling" for place, _ in content.failed):
        packages.set_all_handling(tx, number, Level.RED)
