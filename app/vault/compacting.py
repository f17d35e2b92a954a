"""Making the store small again: what was deleted left free pages, overwritten but kept."""

from __future__ import annotations

import os
from dataclasses import dataclass

from app import audit
from app.jobs import Job
from app.messages import Refused
from app.store.installation import Installation
from app.vault.home import STORE


@dataclass(frozen=True)
class Compacted:
    """The size of the store in bytes, before and after."""

    before: int
    after: int


def size(installation: Installation) -> int:
    """What the store takes on the disk, in bytes."""
    path = installation.home / STORE
    log = path.with_name(f"{STORE}-wal")
    return path.stat().st_size + (log.stat().st_size if log.is_file() else 0)


def compact(installation: Installation, job: Job) -> Compacted:
    """Write the store anew without its free pages, and remove the copy kept of it before a migration. Logged.

    No other thread may be at work. Raises `Refused`: compact-room (the disk has not the room for a second store),
    disk-full, store-busy; and `Cancelled`. Nothing is changed then.
    """
    path = installation.home / STORE
    before = size(installation)
    room = os.statvfs(installation.home)
    if room.f_bavail * room.f_frsize < before:
        raise Refused("compact-room", need=before, free=room.f_bavail * room.f_frsize)
    installation.database.compact(job)
    installation.database.forget_copies()
    after = path.stat().st_size
    with installation.database.write() as tx:
        audit.append(tx, installation, "store.compacted", before=before, after=after)
    return Compacted(before, after)
