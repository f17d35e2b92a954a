"""Receipts: the signed answer to a package, and the ledger that answers turn.

A receipt names the package by its manifest's hash and the objects by their positions in it, as ranges:
what was accepted,
what was refused, what still waits. A later `revision` replaces an earlier one, whatever order they come in; of two that
differ under one revision the first to come counts, and the other is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated

import msgspec

from app import audit
from app.exchange import agreements, counterparts, sealing, statements, terms
from app.exchange.provenance import under
from app.exchange.ranges import ranges
from app.exchange.statements import Statement
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import ledger as store_ledger
from app.store import objects, packages, recalls, sanitised
from app.store import statements as store_statements
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import document

REASON_LIMIT = 1_000
"""Characters of a reason that are kept, and that one of ours has at most."""


@dataclass(frozen=True)
class Entry:
    """That one content went to a counterpart, and how far it got: since when, under which reference of ours and which
    agreements (by number).
    """

    id: str
    modified: str
    to: str
    seq: int
    state: str
    acknowledged: bool
    since: str = ""
    reference: str = ""
    agreements: tuple[int, ...] = ()
    sha256: str = ""


@dataclass(frozen=True)
class Given:
    """That a counterpart gave us one content, in which inbox package and when, and what was decided about it.

    `state` is pending, accepted, refused, or removed: accepted, and not held any more.
    """

    id: str
    modified: str
    sender: str
    number: int
    seq: int
    received: str
    state: str
    sha256: str


class Counts(msgspec.Struct, forbid_unknown_fields=True):
    """How many objects were accepted and refused, where the agreement lets a receipt tell no more."""

    accepted: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
    refused: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """What a receipt says of one package. Ranges are of positions in it; `revision` grows with each decision.
    `counts` stands in their place (then they are empty) where the agreement says so.
    """

    package: str
    release: str | None
    revision: Annotated[int, msgspec.Meta(ge=1, lt=1 << 53)]
    opened: str
    accepted: list[tuple[int, int]]
    refused: list[tuple[int, int]]
    reason: str
    counts: Counts | None = None

    def check(self, size: int) -> None:
        """Raise ValueError unless it can be true of a package of `size` objects."""
        if self.counts is not None:
            told = self.accepted or self.refused
            if told or self.counts.accepted + self.counts.refused > size:
                raise ValueError("counts")
        free = 0
        for first, last in sorted([*self.accepted, *self.refused]):
            if not free <= first <= last < size:
                raise ValueError("ranges")
            free = last + 1

    def fits(self, size: int) -> bool:
        """Whether it can be true of a package of `size` objects."""
        try:
            self.check(size)
        except ValueError:
            return False
        return True

    def numbers(self) -> tuple[int, int]:
        """How many objects were accepted, how many refused."""
        if self.counts is not None:
            return self.counts.accepted, self.counts.refused
        return tuple(
            sum(last - first + 1 for first, last in given) for given in (self.accepted, self.refused)
        )  # type: ignore[return-value]

    def told(self, size: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """The ranges accepted and refused of a package of `size` objects, as far as they can be known: counts tell
        only of all.
        """
        if self.counts is None or not size:
            return self.accepted, self.refused
        whole = [(0, size - 1)]
        return (whole if self.counts.accepted == size else []), (whole if self.counts.refused == size else [])


def due(connection: Connection, cid: int) -> list[packages.Received]:
    """Releases received from a counterpart whose newest state no receipt has told them yet."""
    return [
        one
        for one in packages.received(connection, cid)
        if one.release is not None and one.receipted < one.revision
    ]


def send(installation: Installation, to: str, target: Path | None, job: Job) -> sealing.SealedPackage:
    """Seal a package with a receipt for everything received from a counterpart since the last one.

    With nothing new to say it still carries what they have not acked yet, and what we have received.
    Raises `Refused`: nothing-received, and as `sealing.seal` does.
    """
    reader = installation.database.read()
    one = counterparts.find(reader, to)
    if not packages.received(reader, one.cid):
        raise Refused("nothing-received", name=one.alias)
    answered = due(reader, one.cid)
    made = tuple(_receipt(installation, reader, package) for package in answered)

    def commit(tx: Connection, epoch: bytes, seq: int) -> None:
        for package in answered:
            packages.set_receipted(tx, package.number, package.revision)
        audit.append(
            tx, installation, "receipt", to=one.fingerprint, seq=seq, packages=[p.seq for p in answered]
        )

    return sealing.seal(installation, one, sealing.Content(statements=made), target, commit, job)


def apply(tx: Connection, installation: Installation, one: Counterpart, statement: Statement) -> str:
    """Let a statement of theirs that was just added to the set take effect here; returns what is wrong with it
    (receipt-unreadable, receipt-unknown, receipt-contradicts: they signed otherwise under this revision, and that
    came first and counts), or "".
    """
    if statement.kind != "receipt":
        return ""
    facts = {name: value for name, value in statement.body.items() if name not in ("by", "at")}
    try:
        answer = msgspec.convert(facts, Answer)
        package = packages.sealed_by_manifest(tx, one.cid, bytes.fromhex(answer.package))
        if package is not None:
            answer.check(store_ledger.size(tx, one.cid, package.epoch, package.seq))
    except ValueError:
        audit.append(
            tx, installation, "receipt.unreadable", sender=one.fingerprint, statement=statement.id.hex()
        )
        return "receipt-unreadable"
    if package is None:
        audit.append(
            tx, installation, "receipt.unknown", sender=one.fingerprint, statement=statement.id.hex()
        )
        return "receipt-unknown"
    digest = hashlib.sha256(msgspec.json.encode(answer)).digest()
    first = packages.answered(tx, one.cid, package.manifest_hash, answer.revision, digest, statement.id)
    if first is not None:
        audit.append(
            tx,
            installation,
            "receipt.contradicts",
            sender=one.fingerprint,
            seq=package.seq,
            number=answer.revision,
            first=first.hex(),
            statement=statement.id.hex(),
        )
        return "receipt-contradicts"
    if answer.revision <= packages.receipt_revision(tx, one.cid, package.manifest_hash):
        return ""
    packages.set_receipt_revision(tx, one.cid, package.manifest_hash, answer.revision)
    _turn(tx, package, answer)
    accepted, refused = answer.numbers()
    reason = answer.reason.encode(errors="replace").decode()[:REASON_LIMIT]
    packages.set_told(tx, one.cid, package.manifest_hash, packages.Told(accepted, refused, reason))
    audit.append(
        tx,
        installation,
        "receipt.received",
        sender=one.fingerprint,
        seq=package.seq,
        package=package.manifest_hash.hex(),
        accepted=accepted,
        refused=refused,
    )
    return ""


def _turn(tx: Connection, package: packages.Sealed, answer: Answer) -> None:
    """Let the ledger say what a receipt says; of what was asked back it goes on saying that."""
    cid, epoch, seq = package.cid, package.epoch, package.seq
    before = ("sealed", "carried", "accepted", "refused", "void")
    store_ledger.move(tx, cid, epoch, seq, "received", True, before)
    size = store_ledger.size(tx, cid, epoch, seq)
    accepted, refused = answer.told(size)
    for state, given in (("accepted", accepted), ("refused", refused)):
        for first, last in given:
            store_ledger.move_range(tx, cid, epoch, seq, first, last, state)
    recalls.mark_ledger(tx, cid, epoch, seq)


def replay(tx: Connection, cid: int, epoch: bytes, seq: int) -> None:
    """Let the newest receipt that came for a package turn the ledger again, after a recall was taken back."""
    package = packages.sealed_in(tx, cid, epoch, seq)
    if package is None:
        return
    newest: Answer | None = None
    size = store_ledger.size(tx, cid, epoch, seq)
    for raw in store_statements.theirs(tx, cid, "receipt"):
        answer = _read(document.parse(raw).body)
        if answer is None or bytes.fromhex(answer.package) != package.manifest_hash:
            continue
        # One that did nothing when it came does nothing now.
        if answer.fits(size) and (newest is None or answer.revision > newest.revision):
            newest = answer
    if newest is not None:
        _turn(tx, package, newest)


def _read(body: bytes) -> Answer | None:
    try:
        facts = msgspec.json.decode(body, type=dict[str, object])
        answer = msgspec.convert({k: v for k, v in facts.items() if k not in ("by", "at")}, Answer)
        bytes.fromhex(answer.package)
        return answer
    except ValueError:
        return None


def ledger(installation: Installation, to: str = "", id_: str = "") -> Iterator[Entry]:
    """Who was given what, narrowed to a counterpart or a STIX id; of an object of ours also its sanitised forms. Raises
    `Refused` as `counterparts.find` does.
    """
    reader = installation.database.read()
    cid = counterparts.find(reader, to).cid if to else None
    names = {one.cid: one.alias for one in store_counterparts.everyone(reader)}
    forms = {row.id for row in sanitised.rows(reader, cid, id_)} if id_ else set()
    found = (store_ledger.told(reader, cid, one) for one in (id_ or None, *sorted(forms)))
    for entry, sealed, reference, numbers in chain.from_iterable(found):
        yield Entry(
            entry.id,
            entry.modified,
            names[entry.cid],
            entry.seq,
            entry.state,
            entry.acknowledged,
            sealed,
            reference,
            numbers,
            entry.sha256.hex(),
        )


def given(installation: Installation, id_: str) -> list[Given]:
    """Every version of an object that counterparts gave us, newest package first."""
    with installation.database.snapshot() as reader:
        names = {one.cid: one.alias for one in store_counterparts.everyone(reader)}
        oid = objects.oid_of(reader, objects.id_hash(objects.hash_key(reader), id_))
        held = set() if oid is None else {one.sha256 for one in objects.versions_of(reader, oid)}
        found = list(store_ledger.given_versions(reader, id_))
    return [
        Given(
            id_,
            modified,
            names[cid],
            number,
            seq,
            received,
            "removed" if decision == "accepted" and sha256 not in held else decision,
            sha256.hex(),
        )
        for cid, number, seq, received, modified, sha256, decision in found
    ]


def _receipt(installation: Installation, connection: Connection, package: packages.Received) -> Statement:
    objects = packages.waiting(connection, package.number)
    decided = {
        decision: [list(pair) for pair in ranges(w.position for w in objects if w.decision == decision)]
        for decision in ("accepted", "refused")
    }
    counted = _counted(installation, connection, package)
    counts = {decision: sum(w.decision == decision for w in objects) for decision in ("accepted", "refused")}
    return statements.make(
        installation,
        "receipt",
        package=package.manifest_hash.hex(),
        release=None if package.release is None else package.release.hex(),
        revision=package.revision,
        opened=package.received,
        accepted=[] if counted else decided["accepted"],
        refused=[] if counted else decided["refused"],
        reason=package.reason,
        **({"counts": counts} if counted else {}),
    )


def _counted(installation: Installation, connection: Connection, package: packages.Received) -> bool:
    """Whether an agreement in force, or one under which the package came, lets the receipt tell counts only."""
    force = agreements.in_force(connection, installation, package.cid).clauses
    several = [*under(connection, package.cid, package.number), *([] if force is None else [force])]
    return any(one.receipts == terms.RECEIPTS[0] for one in several)
