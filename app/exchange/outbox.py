"""What was sealed, and carrying it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.exchange import counterparts, sealing
from app.jobs import Job
from app.store import counterparts as store_counterparts
from app.store import packages
from app.store.installation import Installation


@dataclass(frozen=True)
class Listed:
    """A sealed package. `state` is sealed, handed, acked or void; `release` hex, None: no intel in it."""

    to: str
    seq: int
    state: str
    sealed: str
    size: int
    protection: str
    release: str | None
    reference: str
    path: Path


def listed(installation: Installation, to: str = "") -> list[Listed]:
    """Sealed packages, newest first. Raises `Refused` as `counterparts.find` does."""
    reader = installation.database.read()
    cid = counterparts.find(reader, to).cid if to else None
    names = {one.cid: one.alias for one in store_counterparts.everyone(reader)}
    channels = {one: counterparts.load_channel(reader, one).sending for one in names}
    return [
        Listed(
            names[one.cid],
            one.seq,
            sealing.outgoing_state(channels[one.cid], one.epoch.hex(), one.seq),
            one.sealed,
            one.size,
            one.protection,
            None if one.release is None else one.release.hex(),
            one.reference,
            installation.outbox / one.file,
        )
        for one in packages.sealed(reader, cid)
    ]


def carry(installation: Installation, to: str, seq: int, target: Path, job: Job) -> Path:
    """Copy package `seq` byte for byte to `target` once more; see `sealing.carry`."""
    return sealing.carry(installation, counterparts.find(installation.database.read(), to), seq, target, job)
