"""Looking for damage: every page, every text against its hash, the indexes, how things stand, what was signed, the
log, the sealed files, the attachments.
What follows from the texts alone can be made anew; nothing else is mended.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app import audit
from app.audit import checking as log_checking
from app.holdings import attachments, checking
from app.jobs import Job
from app.messages import Refused
from app.store import agreements, counterparts, index, objects, packages, people, standing
from app.store import statements as store_statements
from app.store.database import Connection, watched
from app.store.database import check as check_file
from app.store.installation import Installation
from crypto import document
from crypto import manifest as manifests
from crypto.errors import CryptoError
from crypto.identity import read_card
from crypto.package import verify_manifest

STRUCTURE = frozenset({"page-damaged", "structure-damaged", "reference-broken"})
"""The codes of what is wrong with the store's file itself."""
BLOCK = 1 << 20


@dataclass(frozen=True)
class Problem:
    """What is wrong (`code`) and where: an object's version, a log entry, a file."""

    code: str
    where: str


def check(installation: Installation, job: Job) -> list[Problem]:
    """Everything that is wrong; empty when nothing is. Logged."""
    problems = _problems(installation, job)
    if not any(problem.where == "store" for problem in problems):
        # Not into a file that is damaged: what can still be read of it is to stay as it is.
        with contextlib.suppress(Refused), installation.database.write() as tx:
            audit.append(tx, installation, "checked", problems=len(problems))
    return problems


def _problems(installation: Installation, job: Job) -> list[Problem]:
    with installation.database.snapshot() as reader:
        problems = [Problem(code, "store") for code in check_file(reader, job)]
        if problems:
            return problems
        job.step(0, 0, "check")
        with watched(reader, job.look):
            holds = standing.holds(reader) and standing.rows_hold(reader)
        if installation.database.aged or not holds:
            problems.append(Problem("state-old", "state"))
    try:
        with installation.database.snapshot() as reader, watched(reader, job.look):
            problems += _contents(installation, reader, job)
    except Refused as refused:
        if refused.code != "store-damaged":
            raise
        problems.append(Problem("structure-damaged", "store"))
    return problems


def _contents(installation: Installation, reader: Connection, job: Job) -> Iterator[Problem]:
    """What is wrong with what is in a sound file."""
    altered = False
    held = objects.count_versions(reader, None)
    for vid, sha256, raw in job.each(objects.contents(reader), held, "check"):
        if hashlib.sha256(raw).digest() != sha256:
            altered = True
            yield Problem("content-altered", f"version {vid}")
    if not altered:
        # An altered text may say anything, or nothing that can be read.
        for name in index.amiss(reader, job):
            yield Problem("index-wrong", name)
        for name in checking.amiss(reader, job):
            yield Problem("index-wrong", f"{name} rows")
    job.step(0, 0, "rows")
    if not index.sound(reader):
        yield Problem("counters-wrong", "store")
    for where in packages.altered(reader, job):
        yield Problem("content-altered", where)
    yield from _signed(reader, job)
    for found in log_checking.verify(reader, job=job):
        yield Problem(found.code, found.where)
    sealed = packages.sealed(reader)
    done, total = 0, sum(package.size for package in sealed)
    for package in sealed:
        path = installation.outbox / package.file
        if path.is_file():
            if _digest(path, done, total, job) != package.sha256:
                yield Problem("outbox-altered", package.file)
        elif not package.closed:
            yield Problem("outbox-missing", package.file)
        done += package.size
    for code, where in attachments.check(reader, installation, job):
        yield Problem(code, where)


def _digest(path: Path, before: int, total: int, job: Job) -> bytes:
    """SHA-256 of a file, of `total` bytes in several of which so many were read `before`."""
    digest, done = hashlib.sha256(), before
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            job.step(min(done, total), total, "check")
            digest.update(block)
            done += len(block)
    return digest.digest()


def _signed(reader: Connection, job: Job) -> Iterator[Problem]:
    """Statements and manifests that are not what their hash says, or that whoever they name did not sign; and packages
    that would not be known again by their header.
    """
    cards = [one.card for one in people.identities(reader)]
    for counterpart in counterparts.everyone(reader):
        cards += [counterpart.card, *(one.card for one in counterparts.former(reader, counterpart.cid))]
    signers = {card.fingerprint: card.signing for card in map(read_card, cards)}
    for id_, kind, raw in job.each(
        store_statements.everything(reader), store_statements.count(reader), "check", every=1
    ):
        if not _is_statement(id_, kind, raw, signers):
            yield Problem("statement-altered", f"{kind} {id_.hex()[:16]}")
    for where, raw, signature in job.each(
        packages.every_manifest(reader), packages.count(reader), "check", every=1
    ):
        try:
            signer = signers.get(manifests.parse(raw).sender)
            if signer is not None:
                verify_manifest(raw, signature, signer)
            if packages.header(reader, manifests.parse(raw).header) is None:
                yield Problem("header-missing", where)
        except CryptoError:
            yield Problem("content-altered", where)
    sealed = packages.sealed(reader)
    for package in job.each(sealed, len(sealed), "check", every=1):
        if not _is_recorded(reader, package):
            yield Problem("record-missing", f"outbox {package.seq}")


class _Release(msgspec.Struct):
    """What the officer said of a release, as the statement of it has it."""

    agreements: list[str]
    purpose: str
    exercise: bool


def _is_recorded(reader: Connection, package: packages.Sealed) -> bool:
    """Whether it is known which statements rode in a package, and of a release what the officer said of it."""
    where = package.cid, package.epoch, package.seq
    try:
        parts = manifests.parse(package.manifest).parts
        said = [
            msgspec.json.decode(
                document.parse(store_statements.raw(reader, package.cid, id_)).body, type=_Release
            )
            for id_ in store_statements.of_release(reader, *where)
        ]
    except (CryptoError, msgspec.DecodeError, ValueError):
        # That is told already.
        return True
    kept = agreements.release_terms(reader, *where)
    known = kept.purpose, kept.exercise, len(kept.agreements)
    riding = sum(part.type == "statement" for part in parts)
    return store_statements.riding(reader, *where) == riding and (
        package.release is None
        or (
            agreements.has_terms(reader, *where)
            and known in [(one.purpose, one.exercise, len(one.agreements)) for one in said]
        )
    )


def _is_statement(id_: bytes, kind: str, raw: bytes, signers: Mapping[str, bytes]) -> bool:
    try:
        said = document.parse(raw)
        by = msgspec.json.decode(said.body, type=dict[str, object]).get("by")
        signer = signers.get(by) if isinstance(by, str) else None
        if signer is not None:
            said.verify(signer)
    except (CryptoError, msgspec.DecodeError, ValueError, RecursionError):
        return False
    return (said.id, said.kind) == (id_, kind)


def mend(installation: Installation, job: Job) -> None:
    """Make every index and counter anew from the texts held; nothing else can be made anew. Logged. Raises
    `Cancelled`.

    How things stand counts from now on if a page of it is of an earlier time (state-old); then every channel begins
    anew at the next unlock, as after a restore.
    """
    with installation.database.write() as tx:
        with watched(tx, job.look):
            checking.remake(tx, job)
        aged = installation.database.aged or not standing.rows_hold(tx)
        audit.append(tx, installation, "indexes.remade", aged=aged)
        if aged:
            standing.settle_rows(tx)
            counterparts.begin_anew(tx)
            installation.database.accept_age()
