"""Looking for damage: every page, every text against its hash, the indexes, the log, the sealed files, the attachments.
What follows from the texts alone can be made anew; nothing else is mended.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass

from app import audit
from app.audit import checking as log_checking
from app.holdings import attachments
from app.jobs import Job
from app.messages import Refused
from app.store import index, objects, packages
from app.store.database import check as check_file
from app.store.database import watched
from app.store.installation import Installation

STRUCTURE = frozenset({"page-damaged", "structure-damaged", "reference-broken"})
"""The codes of what is wrong with the store's file itself."""


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
    def step() -> None:
        job.step(0, 0, "check")

    with installation.database.snapshot() as reader:
        problems = [Problem(code, "store") for code in check_file(reader, step)]
        if problems:
            return problems
    with installation.database.snapshot() as reader, watched(reader, step):
        for number, (vid, sha256, raw) in enumerate(objects.contents(reader)):
            if number % 1000 == 0:
                job.step(number, 0, "check")
            if hashlib.sha256(raw).digest() != sha256:
                problems.append(Problem("content-altered", f"version {vid}"))
        if not problems:
            # An altered text may say anything, or nothing that can be read.
            wrong = index.amiss(reader, lambda done: job.step(done, 0, "check"))
            problems += [Problem("index-wrong", name) for name in wrong]
        if not index.sound(reader):
            problems.append(Problem("counters-wrong", "store"))
        problems += [Problem("content-altered", where) for where in packages.altered(reader)]
        problems += [Problem(found.code, found.where) for found in log_checking.verify(reader)]
        for package in packages.sealed(reader):
            path = installation.outbox / package.file
            if not path.is_file():
                if not package.closed:
                    problems.append(Problem("outbox-missing", package.file))
                continue
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").digest() != package.sha256:
                    problems.append(Problem("outbox-altered", package.file))
        problems += [Problem(code, where) for code, where in attachments.check(reader, installation, job)]
    return problems


def mend(installation: Installation) -> None:
    """Make every index and counter anew from the texts held; nothing else can be made anew. Logged."""
    with installation.database.write() as tx:
        index.remake(tx)
        audit.append(tx, installation, "indexes.remade")
