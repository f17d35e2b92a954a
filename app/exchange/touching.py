"""What recalled contents of one counterpart touch here, and their deletion.

What came from them alone goes for good, its copies in the inbox too; what is held from another source stays, and the
signed answer says so (docs/decisions/0026).
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from app import audit
from app.exchange.provenance import Owners
from app.holdings import attachments, taking_back
from app.intel import compare
from app.jobs import Job
from app.store import counterparts, objects, origins, packages
from app.store import recalls as store
from app.store.database import Connection, watched
from app.store.installation import Installation
from app.store.objects import VersionRow

STEP = 100


@dataclass(frozen=True)
class Touched:
    """What a recalled content touches here. `state`: held, pending or decided (in the inbox alone), never (it did not
    come from them). `packages` are its inbox numbers, `independent` whether it is held from another source too,
    `referring` the ids held that name its object, `onward` whom we gave it to (aliases).
    """

    id: str
    sha256: bytes
    name: str
    state: str
    packages: tuple[int, ...]
    independent: bool
    referring: tuple[str, ...]
    onward: tuple[str, ...]


class Touching:
    """Finds what recalled contents of one counterpart touch here."""

    def __init__(self, connection: Connection, cid: int) -> None:
        self._connection, self._cid = connection, cid
        self.fingerprint = counterparts.get(connection, cid).fingerprint
        self._hash_key = objects.hash_key(connection)
        self._owners = Owners(connection)
        self._aliases = {one.cid: one.alias for one in counterparts.everyone(connection)}
        self.theirs = frozenset(origins.named(connection, "package", self.fingerprint))

    def touched(self, id_: str, sha256: bytes) -> Touched:
        """What one content touches."""
        connection = self._connection
        copies = store.copies(connection, self._cid, id_, sha256)
        version = self.version(id_, sha256)
        row = objects.find(connection, objects.id_hash(self._hash_key, id_))
        if version is not None:
            state = "held"
        elif any(decision == "pending" for _, _, _, decision, _ in copies):
            state = "pending"
        else:
            state = "decided" if copies else "never"
        name = "" if row is None or version is None else row.name
        if state == "pending":
            name = next(store.copy_name(connection, n, at) for n, at, _, now, _ in copies if now == "pending")
        return Touched(
            id_,
            sha256,
            name,
            state,
            tuple(sorted({number for number, *_ in copies})),
            version is not None and not self.goes(version),
            tuple(objects.referring(connection, [objects.id_hash(self._hash_key, id_)]))
            if version is not None
            else (),
            tuple(
                self._aliases[cid]
                for cid in store.holders(connection, id_, sha256 if version is None else version.sha256)
                if cid != self._cid
            ),
        )

    def version(self, id_: str, sha256: bytes) -> VersionRow | None:
        """The version under which a content from this counterpart is held: the same bytes, or the same value."""
        row = objects.find(self._connection, objects.id_hash(self._hash_key, id_))
        if row is None:
            return None
        versions = objects.versions_of(self._connection, row.oid)
        theirs = {v.vid for v in versions if self._came(v.vid)}
        for version in versions:
            if version.vid in theirs and version.sha256 == sha256:
                return version
        for number, position, moment, decision, _ in store.copies(self._connection, self._cid, id_, sha256):
            if decision == "accepted":
                value = msgspec.json.decode(packages.waiting_raw(self._connection, number, position))
                for version in versions:
                    text = objects.raw(self._connection, version.vid)
                    same = version.vid in theirs and version.moment == moment
                    if same and compare.same_value(msgspec.json.decode(text), value):
                        return version
        return None

    def _came(self, vid: int) -> bool:
        return any(origin.number in self.theirs for origin in origins.of(self._connection, vid))

    def came_at_all(self, oid: int) -> bool:
        """Whether anything that is held of an object came from this counterpart."""
        return any(self._came(version.vid) for version in objects.versions_of(self._connection, oid))

    def acts(self, version: VersionRow) -> frozenset[int]:
        """The acts by which a version came that a recall undoes: theirs; of what is theirs, later imports here too."""
        owner = self._owners(version.oid, version.vid)
        if owner is None or owner.name != self.fingerprint:
            return self.theirs
        come = origins.of(self._connection, version.vid)
        return self.theirs | {origin.number for origin in come if origin.kind == "import"}

    def goes(self, version: VersionRow) -> bool:
        """Whether a version came from this counterpart alone, and goes when they ask it back."""
        acts = self.acts(version)
        return all(origin.number in acts for origin in origins.of(self._connection, version.vid))


def remaining(connection: Connection, row: store.Row) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """SHA-256 of what a recall names and stays from another source, and of what never came from them."""
    touching, kept, never = Touching(connection, row.cid), set[bytes](), set[bytes]()
    for id_, sha256 in store.contents(connection, row.number):
        version = touching.version(id_, sha256)
        if version is not None and not touching.goes(version):
            kept.add(sha256)
        elif version is None and not store.copies(connection, row.cid, id_, sha256):
            never.add(sha256)
    return frozenset(kept), frozenset(never - kept)


def delete(tx: Connection, installation: Installation, row: store.Row, job: Job) -> None:
    """Delete what a recall names and came from its sender alone, within the transaction `tx`. Logged. Raises
    `Cancelled`.
    """
    with watched(tx, job.look):
        _delete(tx, installation, row, job)


def _delete(tx: Connection, installation: Installation, row: store.Row, job: Job) -> None:
    touching = Touching(tx, row.cid)
    contents = store.contents(tx, row.number)
    leaving: dict[frozenset[int], list[int]] = {}
    for id_, sha256 in job.each(contents, len(contents), "read", STEP):
        version = touching.version(id_, sha256)
        if version is not None:
            leaving.setdefault(touching.acts(version), []).append(version.vid)
    # Not before: the copies in the inbox tell under which value a content is held.
    done = [taking_back.take_back(tx, installation, vids, acts, job) for acts, vids in leaving.items()]
    numbers = set[int]()
    for id_, sha256 in job.each(contents, len(contents), "finish", STEP):
        for number, position, *_ in store.copies(tx, row.cid, id_, sha256):
            store.blank(tx, number, position)
            numbers.add(number)
        idh = objects.id_hash(objects.hash_key(tx), id_)
        if (oid := objects.oid_of(tx, idh)) is not None and not touching.came_at_all(oid):
            attachments.shred_given(tx, installation, oid, touching.fingerprint)
    for number in numbers:
        attachments.settle(tx, installation, number)
        packages.settle(tx, number)
    installation.database.leave_no_trace()
    audit.append(
        tx,
        installation,
        "recall.deleted",
        number=row.number,
        objects=sum(one.objects for one in done),
        versions=sum(one.versions for one in done),
        kept=sum(one.kept for one in done),
    )
