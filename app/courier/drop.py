"""A plain folder that both sides reach, used as a mailbox: files appear in it whole, and none replaces another."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from app.courier import folder
from app.jobs import Job
from app.messages import Refused

FILE_LIMIT = 10_000


@dataclass(frozen=True)
class Found:
    """A file in a drop: its name (a hint from outside, never to be trusted) and size in bytes."""

    name: str
    size: int
    path: Path


def listing(place: Path) -> list[Found]:
    """The finished regular files of a drop, by name. Raises `Refused`: drop-missing, drop-crowded."""
    found = []
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    name = os.fsencode(entry.name).decode(errors="replace")
                    found.append(Found(name, status.st_size, Path(entry.path)))
                if len(found) > FILE_LIMIT:
                    raise Refused("drop-crowded", path=place, most=FILE_LIMIT)
    except OSError as error:
        raise Refused("drop-missing", path=place, why=error.strerror) from error
    return sorted(found, key=lambda one: one.name)


def holds(path: Path, sha256: bytes) -> bool:
    """Whether the file at `path` is the one with this SHA-256."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest() == sha256
    except OSError:
        return False


def publish(source: Path, name: str, sha256: bytes, place: Path, job: Job | None = None) -> Path:
    """Put a sealed file into a drop under `name`; raises `Refused` as `folder.reserve` and `deliver` do."""
    if not place.is_dir():
        raise Refused("drop-missing", path=place, why="")
    room = folder.reserve(place, name, source.stat().st_size)
    return room.deliver(source, sha256, job)
