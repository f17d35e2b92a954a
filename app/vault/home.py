"""The folder of an installation: what lies in it, and the lock that one process holds.

home/           0700
  slots         the key slots: the store's random key, wrapped (crypto.slots)
  store.db      the encrypted database
  outbox/       sealed packages, until acked or void
  attachments/  files of objects, each encrypted under a key in the store
  lock          held by the one process that works here
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from app.messages import Refused

SLOTS, SLOTS_NEXT, STORE, OUTBOX, LOCK = "slots", "slots.next", "store.db", "outbox", "lock"


def take_lock(path: Path) -> int:
    """Hold the lock of an installation; the descriptor to close afterwards. Raises `Refused`: in-use, home-unusable."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refused("home-unusable", home=path.parent, why=error.strerror) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise Refused("in-use", home=path.parent) from error
    return descriptor


def write_private(path: Path, data: bytes) -> None:
    """Write a new file for its owner alone, on the disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
