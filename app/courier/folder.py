"""A file into a folder, whole or not at all: temporary name, room made first, fsync, rename, read back and compared.

`reserve` finds out before anything is sealed whether the target can take the file: it makes the temporary file at its
full size, without one byte of the package in it. `deliver` fills it once the seal is committed.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.jobs import Job, quiet
from app.messages import Refused

BLOCK = 1 << 20
FIXED_TIME = 946_684_800
"""2000-01-01T00:00:00Z: times on the medium say nothing of when a package was made; FAT knows no earlier than 1980."""

TEMPORARY = ".mithaq-"
_UNNAMED = Path("/proc/self/fd")
"""Where a file that is open has a name by which it can be given another. Source: open(2), O_TMPFILE."""
AT_FDCWD, RENAME_NOREPLACE = -100, 1


@dataclass
class Reservation:
    """Room for `size` bytes at `path`, held under a temporary name beside it."""

    path: Path
    size: int
    _temporary: Path
    _descriptor: int

    def deliver(self, source: Path, sha256: bytes, job: Job | None = None) -> Path:
        """Fill the room with `source`, commit the name, read the file back and compare it.

        Raises `Refused`: target-exists, target-full, target-read-only, target-failed, target-differs.
        """
        job = job or quiet()
        with _target_errors(self.path):
            try:
                self._fill(source, job)
                self._commit()
            except BaseException:
                self.cancel()
                raise
            self._close()
            try:
                sync_folder(self.path.parent)
                if _read_back(self.path, self.size, job) != sha256:
                    raise Refused("target-differs", path=self.path)
            except BaseException:
                # Not compared to the end is not delivered.
                with contextlib.suppress(OSError):
                    self.path.unlink()
                raise
        return self.path

    def _fill(self, source: Path, job: Job) -> None:
        with source.open("rb") as file:
            done = 0
            while block := file.read(BLOCK):
                job.step(done, self.size, "store")
                view = memoryview(block)
                while view:
                    view = view[os.write(self._descriptor, view) :]
                done += len(block)
        os.ftruncate(self._descriptor, done)
        # What is sealed may be read by whoever carries it; on a shared folder that is another user.
        with contextlib.suppress(OSError):
            os.fchmod(self._descriptor, 0o644)
        os.fsync(self._descriptor)
        os.utime(self._temporary, (FIXED_TIME, FIXED_TIME))

    def _commit(self) -> None:
        """Give it its name; `FileExistsError` if something else has it."""
        if self._temporary.parent == _UNNAMED:
            # Only where a folder is named, though none is needed, does the call follow the name to the file.
            os.link(self._temporary, self.path, src_dir_fd=self._descriptor, follow_symlinks=True)
        else:
            rename_without_replacing(self._temporary, self.path)

    def cancel(self) -> None:
        """Give the room back; nothing remains."""
        self._close()
        if self._temporary.parent != _UNNAMED:
            with contextlib.suppress(OSError):
                self._temporary.unlink()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def reserve(target: Path, name: str, size: int) -> Reservation:
    """Make room at `target` (a file that does not exist, or a folder that gets `name`).

    Raises `Refused`: target-exists, target-full, target-read-only, target-missing, target-failed.
    """
    with _target_errors(target):
        path = target / name if _is_folder(target) else target
        _refuse_taken(path)
        temporary = path.with_name(TEMPORARY + secrets.token_hex(8))
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        room = Reservation(path, size, temporary, descriptor)
        try:
            if size:
                os.posix_fallocate(descriptor, 0, size)
        except BaseException:
            room.cancel()
            raise
    return room


def _unnamed(path: Path) -> Reservation | None:
    """A file that has no name before it is whole, so that a crash leaves nothing of it; None where the system knows no
    such files in `path`'s folder (on sticks). Raises `Refused` as `reserve` does.
    """
    _refuse_taken(path)
    if sys.platform != "linux" or not _UNNAMED.is_dir():
        return None
    try:
        descriptor = os.open(path.parent, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.EISDIR, errno.EINVAL, errno.ENOENT):
            return None
        raise
    return Reservation(path, 0, _UNNAMED / str(descriptor), descriptor)


def _refuse_taken(path: Path) -> None:
    if not path.parent.is_dir():
        raise Refused("target-missing", path=path.parent)
    if os.path.lexists(path):
        raise Refused("target-exists", path=path)


@contextlib.contextmanager
def new_file(target: Path, verify: Callable[[BinaryIO], None] | None = None) -> Iterator[BinaryIO]:
    """A new file of our own (a card, an export) to write to, readable by its owner only: it appears when
    the block ends.

    `verify` reads it back from the medium before it gets its name, and raises what is wrong with it. Nothing remains
    when the block raises; nor, where files can be without a name, when the process dies: it may be in the clear. Raises
    `Refused` as `reserve` does.
    """
    with _target_errors(target):
        if _is_folder(target):
            raise Refused("target-exists", path=target)
        room = _unnamed(target) or reserve(target, target.name, 0)
        try:
            with os.fdopen(os.dup(room._descriptor), "wb", buffering=BLOCK) as file:
                yield file
            os.fsync(room._descriptor)
            if verify is not None:
                with room._temporary.open("rb", buffering=0) as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                    verify(file)
            room._commit()
        except BaseException:
            room.cancel()
            raise
        room._close()
        try:
            sync_folder(target.parent)
        except BaseException:
            # What is refused is not there.
            with contextlib.suppress(OSError):
                room.path.unlink()
            raise


def write_pieces(target: Path, pieces: Iterable[bytes]) -> int:
    """Write a new file of our own as `new_file` does; returns its size in bytes."""
    with new_file(target) as file:
        return sum(file.write(piece) for piece in pieces)


def rename_without_replacing(source: Path, target: Path) -> None:
    """Rename in one step; `FileExistsError` if the target is there.

    Where the file system has no such step (FAT through some drivers), the name is claimed first.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if (
            libc.renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), RENAME_NOREPLACE)
            == 0
        ):
            return
        number = ctypes.get_errno()
        if number not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise OSError(number, os.strerror(number), str(target))
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        os.replace(source, target)
    except BaseException:
        # The claim must not stand there in its stead.
        os.unlink(target)
        raise


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some shares know no such thing, and say so: no reason to take away what is there.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _is_folder(target: Path) -> bool:
    try:
        return stat.S_ISDIR(target.stat().st_mode)
    except FileNotFoundError:
        return False


def _read_back(path: Path, size: int, job: Job) -> bytes:
    """SHA-256 of what the medium gives back, its copy in memory dropped first."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while block := file.read(BLOCK):
            job.step(done, size, "verify")
            digest.update(block)
            done += len(block)
    return digest.digest()


@contextlib.contextmanager
def _target_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise Refused("target-exists", path=path) from error
    except OSError as error:
        raise Refused(_CODES.get(error.errno or 0, "target-failed"), path=path, why=error.strerror) from error


_CODES = {
    errno.ENOSPC: "target-full",
    errno.EDQUOT: "target-full",
    errno.EFBIG: "target-full",
    errno.EROFS: "target-read-only",
    errno.EACCES: "target-read-only",
    errno.EPERM: "target-read-only",
    errno.ENOENT: "target-missing",
    errno.ENOTDIR: "target-missing",
    errno.ENAMETOOLONG: "target-missing",
}
