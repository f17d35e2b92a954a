"""The officer's decision on a package in the inbox: accept all of it or some, refuse the rest with a reason, undo an
acceptance while nothing depends on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app import audit
from app.exchange import counterparts, embargo, inbox, receipts, withheld
from app.holdings import attachments, importing, taking_back
from app.intel.marking import Level
from app.intel.prepared import prepare_text
from app.jobs import Job
from app.messages import Refused
from app.store import agreements as store_agreements
from app.store import attachments as store_attachments
from app.store import counterparts as store_counterparts
from app.store import custody, objects, origins, packages, people, recalls
from app.store import ledger as store_ledger
from app.store.database import Connection, watched
from app.store.installation import Installation
from app.store.ledger import Given
from app.store.objects import VersionRow
from app.store.packages import Waiting

STEP = 100


@dataclass(frozen=True)
class Decided:
    """How many objects of a package are in which state after a decision. `given`: to whom objects went out before an
    acceptance raised the level at which they are treated.
    """

    accepted: int
    rejected: int
    pending: int
    given: tuple[Given, ...] = ()


def accept(
    installation: Installation, number: int, ids: Sequence[str] | None, job: Job, recalled: bool = False
) -> Decided:
    """Take pending objects of a package into the holdings: those with the given STIX ids, or (None) all that pend.

    What its sender asked back only with `recalled`, the officer's word: else it goes on waiting, and naming it is
    refused. Raises `Refused`: package-unknown, object-unknown, nothing-pending, recalled-pending (fact `id`).
    """
    with installation.database.write() as tx:
        package = inbox.find(tx, number)
        chosen = _pending(tx, number, ids)
        one = store_counterparts.get(tx, package.cid)
        counterparts.require_sound(one)
        channel = counterparts.load_channel(tx, one.cid)
        if channel.receiving.frozen:
            raise Refused("channel-frozen", name=one.alias)
        if channel.mending:
            raise Refused("channel-mending", name=one.alias)
        asked_back = frozenset() if recalled else recalls.from_us(tx, one.cid)
        waits = [w.id for w in chosen if w.sha256 in asked_back]
        if waits and (ids is not None or len(waits) == len(chosen)):
            raise Refused("recalled-pending", id=waits[0], n=len(waits), name=one.alias)
        chosen = [w for w in chosen if w.sha256 not in asked_back]
        origin = origins.add(tx, "package", one.fingerprint, number, installation.officer, installation.now())
        default = people.default_handling(tx)
        incoming = (_incoming(tx, number, w) for w in chosen)
        counts = importing.take(tx, incoming, origin, default, job, len(chosen), foreign=True)
        embargo.take_over(tx, number, ((w.id, w.sha256) for w in chosen))
        packages.decide(tx, number, (w.position for w in chosen), "accepted")
        refused = {int(where) for where, _ in counts.refused}
        packages.decide(tx, number, refused, "refused")
        attachments.enter(tx, installation, number, {w.id for w in chosen if w.position not in refused})
        decided = _settle(tx, installation, number, package.reason)
        audit.append(
            tx,
            installation,
            "package.accepted",
            number=number,
            objects=len(chosen),
            pending=decided.pending,
            recalled=recalled,
        )
        return replace(decided, given=tuple(counts.given))


def reject(installation: Installation, number: int, reason: str, ids: Sequence[str] | None = None) -> Decided:
    """Refuse pending objects of a package: those with the given STIX ids, or (None) all that pend.

    Raises `Refused`: package-unknown, object-unknown, nothing-pending, reason-missing, reason-too-long, and as
    `withheld.require_nameable` does.
    """
    if not reason.strip():
        raise Refused("reason-missing")
    if len(reason) > receipts.REASON_LIMIT:
        raise Refused("reason-too-long", most=receipts.REASON_LIMIT)
    reader = installation.database.read()
    sender = store_counterparts.get(reader, inbox.find(reader, number).cid)
    withheld.require_nameable(installation, sender, reason)
    with installation.database.write() as tx:
        inbox.find(tx, number)
        chosen = _pending(tx, number, ids)
        packages.decide(tx, number, (w.position for w in chosen), "refused")
        decided = _settle(tx, installation, number, reason)
        audit.append(tx, installation, "package.refused", number=number, objects=len(chosen))
        return decided


def undo(installation: Installation, number: int, ids: Sequence[str] | None, job: Job) -> Decided:
    """Undo the acceptance of a package's objects: those with the given STIX ids, or (None) all that were accepted. They
    pend again; what came into the holdings by it alone is gone without a trace, and the next receipt says so.

    A level that rose with the acceptance stays. Raises `Refused`: package-unknown, object-unknown, nothing-accepted;
    where something depends on it (facts `id`, the first, and `n`): undo-released, undo-referenced, undo-newer,
    undo-resolved, undo-bound; and `Cancelled`.
    """
    with installation.database.write() as tx, watched(tx, job.look):
        job.step(0, 0, "read")
        package = inbox.find(tx, number)
        # What was purged since is gone here for good, and stays decided.
        purged = packages.blanked(tx, number)
        chosen = [
            w
            for w in _chosen(tx, number, ids, "accepted", "nothing-accepted", job)
            if w.position not in purged
        ]
        if not chosen:
            raise Refused("nothing-accepted", number=number)
        wanted = {w.id for w in chosen}
        one = store_counterparts.get(tx, package.cid)
        acts = frozenset(origins.named(tx, "package", one.fingerprint, number))
        brought = job.each(origins.brought_by(tx, acts), packages.waiting_count(tx, number), "read")
        came = [found for found in brought if found[0] in wanted]
        leaving = origins.only_by(tx, [version.vid for _, _, version in came], acts, job)
        _require_free(
            [found for found in came if found[2].vid in leaving], chosen, min(acts, default=0), tx, job
        )
        attachments.withdraw(tx, number, job.each(wanted, len(wanted), "read"))
        done = taking_back.take_back(tx, installation, [version.vid for _, _, version in came], acts, job)
        positions = [w.position for w in chosen]
        packages.decide(tx, number, job.each(positions, len(positions), "finish"), "pending")
        decided = _settle(tx, installation, number, package.reason)
        audit.append(
            tx,
            installation,
            "acceptance.undone",
            number=number,
            objects=len(chosen),
            versions=done.versions,
            kept=done.kept,
        )
        return decided


def _require_free(
    leaving: Sequence[tuple[str, int, VersionRow]],
    accepted: Sequence[Waiting],
    since: int,
    tx: Connection,
    job: Job,
) -> None:
    """Raise unless nothing depends on the versions that would go (docs/decisions/0020-undoing-an-acceptance.md): none
    was given to anybody; none of their objects is named by something that came no earlier than act `since` and
    stays; no later version came after them; no conflict they are in was resolved; nothing that an officer gave an
    object since would go with it.
    """
    vids = {version.vid for _, _, version in leaving}
    ids = {id_ for id_, _, _ in leaving}
    given = store_ledger.given(tx, job.each(ids, len(ids), "read"))
    depends: dict[str, list[str]] = {}
    default = people.default_handling(tx)
    levels: dict[str, int] = {}
    for waiting in accepted:
        came = default if waiting.handling is None else waiting.handling
        levels[waiting.id] = max(levels.get(waiting.id, 0), came)
    for id_, idh, version in job.each(leaving, len(leaving), "check", STEP):
        others = [v for v in objects.versions_of(tx, version.oid) if v.vid not in vids]
        if (id_, version.sha256) in given:
            depends.setdefault("undo-released", []).append(id_)
        elif _resolved(version) or any(_resolved(v) and v.moment == version.moment for v in others):
            depends.setdefault("undo-resolved", []).append(id_)
        elif any(v.moment > version.moment and origins.first(tx, v.vid) > since for v in others):
            depends.setdefault("undo-newer", []).append(id_)
        elif not others and any(
            vid not in vids and origins.first(tx, vid) >= since for vid in objects.referrers(tx, idh)
        ):
            depends.setdefault("undo-referenced", []).append(id_)
        elif not others and _bound(tx, version.oid, levels.get(id_, default)):
            depends.setdefault("undo-bound", []).append(id_)
    for code, found in depends.items():
        raise Refused(code, id=found[0], n=len(found))


def _bound(tx: Connection, oid: int, came: int) -> bool:
    """Whether an object bears what an officer here gave it: a file, an embargo, sectors, a level above those it came
    with (`came`, and its markings).
    """
    (row,) = objects.rows(tx, [oid])
    restraint = custody.restraint(tx, oid)
    known = [came, *(v.marking for v in objects.versions_of(tx, oid) if v.marking is not None)]
    return (
        bool(restraint.held or restraint.travels or store_agreements.sectors(tx, oid))
        or any(one.package is None for one in store_attachments.of_object(tx, oid))
        or (row.handling is not None and row.handling > max(known))
    )


def _resolved(version: VersionRow) -> bool:
    return version.dropped and not version.disregarded


def _incoming(tx: Connection, number: int, waiting: Waiting) -> importing.Incoming:
    handling = None if waiting.handling is None else Level(waiting.handling)
    raw = packages.waiting_raw(tx, number, waiting.position)
    return importing.Incoming(prepare_text(raw, str(waiting.position)), handling)


def _pending(tx: Connection, number: int, ids: Iterable[str] | None) -> list[Waiting]:
    return _chosen(tx, number, ids, "pending", "nothing-pending")


def _chosen(
    tx: Connection, number: int, ids: Iterable[str] | None, decision: str, code: str, job: Job | None = None
) -> list[Waiting]:
    """The objects of a package that stand under `decision`, of the given ids or all; refuses with `code` if none do."""
    everything = [w for w in packages.waiting(tx, number, job) if w.id]
    if ids is not None:
        wanted = set(ids)
        for missing in wanted - {w.id for w in everything}:
            raise Refused("object-unknown", id=missing)
        everything = [w for w in everything if w.id in wanted]
    chosen = [w for w in everything if w.decision == decision]
    if not chosen:
        raise Refused(code, number=number)
    return chosen


def _settle(tx: Connection, installation: Installation, number: int, reason: str) -> Decided:
    found = Counter(packages.decisions(tx, number))
    attachments.settle(tx, installation, number)
    packages.set_decided(tx, number, "pending" if found["pending"] else "decided", reason)
    return Decided(found["accepted"], found["refused"], found["pending"])
