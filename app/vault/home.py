"""The folder of an installation: what lies in it, and the lock that one process holds.

home/           0700
  slots         the key slots: the store's random key, wrapped (crypto.slots)
  store.db      the encrypted database
  outbox/       sealed packages, until acked or void
  attachments/  files of objects, each encrypted under a key in the store
  lock          held by the one process that works here
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from app.courier import folder
from app.messages import Refused

SLOTS, SLOTS_NEXT, STORE, OUTBOX, LOCK = "slots", "slots.next", "store.db", "outbox", "lock"
ATTACHMENTS, COPYING = "attachments", "backup-"


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


@contextlib.contextmanager
def built_beside(home: Path) -> Iterator[Path]:
    """A folder beside `home` to build an installation in; it gets its name when the block ends, is gone if it raises.

    `home` must be absent or an empty folder. What a crash left of an earlier attempt goes first. Raises `Refused`:
    installation-exists, home-unusable.
    """
    home = home.absolute()
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise Refused("installation-exists", home=home)
    scratch = home.with_name(f".{home.name}-{secrets.token_hex(8)}")
    try:
        home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep_beside(home)
        scratch.mkdir(mode=0o700)
        try:
            write_private(scratch / LOCK, b"")
            lock = take_lock(scratch / LOCK)
            try:
                yield scratch
                folder.sync_folder(scratch)
                os.rename(scratch, home)
                _confirm(home)
            finally:
                os.close(lock)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
    except OSError as error:
        raise Refused("home-unusable", home=home, why=error.strerror or error) from error


def _confirm(home: Path) -> None:
    """Make the new name last; what is refused is not there."""
    try:
        folder.sync_folder(home.parent)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise


def _sweep_beside(home: Path) -> None:
    """Remove what was being built here when its process died: nobody holds its lock."""
    for path in home.parent.glob(f".{glob.escape(home.name)}-{'[0-9a-f]' * 16}"):
        try:
            lock = take_lock(path / LOCK)
        except Refused:
            if (path / LOCK).exists():
                continue
            lock = -1
        shutil.rmtree(path, ignore_errors=True)
        if lock >= 0:
            os.close(lock)
