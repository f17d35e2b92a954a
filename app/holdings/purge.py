"""Removing objects for good: every version, its text, its words in the index, where it came from, its
attachments, its copies in the inbox. Nothing of them stays in any page of the store or in its write-ahead log.

What stays, and why (docs/decisions/0018-what-a-purge-leaves.md): the ledger's rows and receipts, which hold an id and a
hash, so that who was given what remains answerable; and entries of the log, which is a chain and cannot forget. The
entry of the purge itself counts and names nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from app import audit
from app.holdings import attachments, revoking
from app.holdings.definitions import Definitions
from app.jobs import Job, quiet
from app.messages import Refused
from app.store import attachments as store_attachments
from app.store import ledger, objects, origins, packages, people, sanitised
from app.store.database import Connection, watched
from app.store.full_text import Texts
from app.store.installation import Installation
from app.store.ledger import Given

STEP = 100


@dataclass(frozen=True)
class Purged:
    """What a purge removed, and what still points there.

    `objects` and `versions` of the holdings, `copies` in the inbox. `unknown`: ids of which nothing was here.
    `referring`: ids of objects held that name a purged one. `waiting`: numbers of packages in the inbox in which one
    still pends. `sealed`: (counterpart's alias, seq) of sealed packages not acknowledged that carry one. `sanitised`:
    to whom forms of them went out that were made to have less in them, by the ids of those.
    """

    objects: int
    versions: int
    copies: int
    unknown: tuple[str, ...]
    referring: tuple[str, ...]
    waiting: tuple[int, ...]
    sealed: tuple[tuple[str, int], ...]
    sanitised: tuple[Given, ...]


@dataclass(frozen=True)
class Foreseen:
    """What a purge of the objects `ids` (row numbers `oids`) would remove, and what would still point there.

    `versions` and `attachments` of theirs, to whom they were `given`; the others as in `Purged`.
    """

    oids: tuple[int, ...]
    ids: tuple[str, ...]
    versions: int
    attachments: int
    given: tuple[Given, ...]
    referring: tuple[str, ...]
    waiting: tuple[int, ...]
    sealed: tuple[tuple[str, int], ...]
    sanitised: tuple[Given, ...]


def foresee(installation: Installation, oids: Sequence[int], job: Job) -> Foreseen:
    """What a purge of these objects would do; what is gone already is left out."""
    with installation.database.snapshot() as reader, watched(reader, job.look):
        return _foresee(reader, oids, job)


def _foresee(reader: Connection, oids: Sequence[int], job: Job) -> Foreseen:
    key = objects.hash_key(reader)
    held, ids, given = list[int](), list[str](), list[Given]()
    referring, waiting, sealed = set[str](), set[int](), set[tuple[str, int]]()
    for at in range(0, len(oids), STEP):
        job.step(at, len(oids), "check")
        rows = objects.rows(reader, oids[at : at + STEP])
        some = [row.id for row in rows]
        held += [row.oid for row in rows]
        ids += some
        given += ledger.given_to(reader, some)
        referring.update(objects.referring(reader, [objects.id_hash(key, id_) for id_ in some]))
        waiting.update(packages.pending_with(reader, some))
        sealed.update(packages.sealed_with(reader, some))
    return Foreseen(
        oids=tuple(held),
        ids=tuple(ids),
        versions=objects.count_versions(reader, held),
        attachments=store_attachments.count(reader, held),
        given=tuple(given),
        referring=tuple(sorted(referring.difference(ids))),
        waiting=tuple(sorted(waiting)),
        sealed=tuple(sorted(sealed)),
        sanitised=tuple(sanitised.given_of(reader, held)),
    )


def purge_foreseen(installation: Installation, seen: Foreseen, job: Job) -> Purged:
    """Purge what an officer has `seen`, in one transaction. Raises `Refused` (purge-changed) when it would not be the
    same any more.
    """
    with installation.database.write() as tx:
        with watched(tx, job.look):
            now = _foresee(tx, seen.oids, job)
        if now != seen:
            raise Refused("purge-changed")
        return purge(tx, installation, seen.ids, job)


def purge_listed(installation: Installation, ids: Sequence[str], job: Job) -> Purged:
    """Purge exactly the objects with these STIX ids, in one transaction. Raises `Refused` (object-unknown) when
    nothing is here of one of them: an act that cannot be undone does not guess.
    """
    with installation.database.write() as tx:
        done = purge(tx, installation, ids, job)
        if done.unknown:
            raise Refused("object-unknown", id=done.unknown[0])
    return done


def purge(tx: Connection, installation: Installation, ids: Iterable[str], job: Job | None = None) -> Purged:
    """Remove objects by STIX id inside the caller's transaction, with an entry in the log.

    When it commits, the write-ahead log is emptied too. Copies in the inbox lose their text and name once they are
    decided; what pends is the officer's to decide first.
    """
    job = job or quiet()
    with watched(tx, job.look):
        return _purge(tx, installation, dict.fromkeys(ids), job)


def _purge(tx: Connection, installation: Installation, ids: Collection[str], job: Job) -> Purged:
    key, total = objects.hash_key(tx), len(ids)
    hashes = {id_: objects.id_hash(key, id_) for id_ in job.each(ids, total, "read")}
    held = objects.oids_of(tx, hashes.values())
    # In order of arrival: what came together lies together.
    wanted = sorted(hashes, key=lambda id_: held.get(hashes[id_], 0))
    forms = sanitised.given_of(tx, held.values())
    removed = versions = copies = 0
    unknown, definitions, identities = [], [], list[int]()
    words = Texts()

    def step(done: int, total: int) -> None:
        job.step(done, total, "index")

    for id_ in job.each(wanted, total, "purge", STEP):
        row = objects.find(tx, hashes[id_])
        blanked = packages.blank_waiting(tx, id_)
        copies += blanked
        if row is not None:
            attachments.shred(tx, installation, row.oid)
            versions += objects.forget(tx, row.oid, words)
            removed += 1
            if words.full:
                words.make_room(tx, step)
            if row.type == "marking-definition":
                definitions.append(id_)
            elif row.type == "identity":
                identities.append(hashes[id_])
        elif not blanked:
            unknown.append(id_)
    words.write(tx, step)
    job.step(0, 0, "finish")
    origins.forget_empty(tx)
    read_markings_again(tx, key, definitions, job)
    revoking.settle_without(tx, identities, (), job)
    installation.database.leave_no_trace()
    audit.append(tx, installation, "purge", objects=removed, versions=versions, copies=copies)
    return Purged(
        objects=removed,
        versions=versions,
        copies=copies,
        unknown=tuple(unknown),
        referring=tuple(objects.referring(tx, hashes.values())),
        waiting=tuple(packages.pending_with(tx, wanted)),
        sealed=tuple(packages.sealed_with(tx, wanted)),
        sanitised=tuple(forms),
    )


def read_markings_again(tx: Connection, key: bytes, definitions: Sequence[str], job: Job) -> None:
    """What was marked by a purged definition has a marking nobody can read any more: it is held back from now on."""
    affected = {vid for id_ in definitions for vid in objects.marked_by(tx, objects.id_hash(key, id_))}
    total = len(affected)
    Definitions(tx, key).read_again(
        affected, people.default_handling(tx), lambda done: job.step(done, total, "finish")
    )
