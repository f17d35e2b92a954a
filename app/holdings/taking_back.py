"""Taking back what came in by certain acts: a version that came by nothing else goes for good, without a trace.

A version that also came by another act stays, and forgets that it came by these. What is left of an object shows the
newest version that remains.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from app.holdings import attachments, revoking
from app.holdings.purge import read_markings_again
from app.intel.envelope import envelope
from app.intel.marking import Level
from app.jobs import Job
from app.store import index, objects, origins
from app.store.database import Connection
from app.store.full_text import Texts
from app.store.installation import Installation

STEP = 100


@dataclass(frozen=True)
class TakenBack:
    """How many versions went, of how many objects nothing is left, how many versions stay by another act."""

    versions: int
    objects: int
    kept: int


def take_back(
    tx: Connection, installation: Installation, vids: Collection[int], acts: Collection[int], job: Job
) -> TakenBack:
    """Forget, inside the caller's transaction, that these versions came by these acts. The caller has the transaction
    `watched`.
    """
    brought = objects.versions(tx, job.each(vids, len(vids), "read"))
    gone = defaultdict[int, set[int]](set)
    for version in job.each(brought, len(brought), "trace", STEP):
        origins.drop(tx, version.vid, acts)
        if not origins.of(tx, version.vid):
            gone[version.oid].add(version.vid)
    key = objects.hash_key(tx)
    identities = objects.identities(tx, {row.oid for row in brought})
    emptied, definitions, words = 0, [], Texts()

    def step(done: int, total: int) -> None:
        job.step(done, total, "index")

    for oid, leaving in job.each(sorted(gone.items()), len(gone), "purge", STEP):
        (row,) = objects.rows(tx, [oid])
        remaining = [v for v in objects.versions_of(tx, oid) if v.vid not in leaving]
        if not remaining:
            attachments.shred(tx, installation, oid)
            objects.forget(tx, oid, words)
            emptied += 1
        else:
            with index.anew(tx, oid, words):
                _show_newest(tx, oid, remaining)
                objects.forget_versions(tx, leaving)
        if words.full:
            words.make_room(tx, step)
        if row.type == "marking-definition":
            definitions.append(row.id)
    words.write(tx, step)
    job.step(0, 0, "finish")
    origins.forget_empty(tx)
    read_markings_again(tx, key, definitions, job)
    revoking.settle_without(tx, identities, list({row.oid for row in brought}), job)
    installation.database.leave_no_trace()
    versions = sum(map(len, gone.values()))
    return TakenBack(versions, emptied, len(vids) - versions)


def _show_newest(tx: Connection, oid: int, remaining: list[objects.VersionRow]) -> None:
    """Let an object show the newest of what remains of it; those that a conflict was resolved against count again
    where the one that was kept is gone.
    """
    moment = max(version.moment for version in remaining)
    beside = [version for version in remaining if version.moment == moment]
    standing = [version for version in beside if not version.dropped]
    if not standing:
        standing = beside
        for version in beside:
            objects.drop_version(tx, version.vid, dropped=False)
    newest = min(standing, key=lambda version: version.vid)
    env = envelope(msgspec.json.decode(objects.raw(tx, newest.vid), type=dict[str, object]))
    level = None if newest.marking is None else Level(newest.marking)
    objects.show_version(tx, oid, newest.vid, env, level)
    objects.set_variants(tx, oid, len(standing))
