"""A file into a folder: whole under its name or not there, never over another, and compared with what was meant."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.courier import drop, folder
from app.courier.folder import BLOCK, FIXED_TIME, TEMPORARY
from app.jobs import Cancelled
from app.messages import Refused
from tests.support.sites import Impatient

CONTENT = bytes(range(256)) * 5000


def refused(code, act, *arguments, **more):
    with pytest.raises(Refused) as caught:
        act(*arguments, **more)
    assert caught.value.code == code


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def stick(tmp_path):
    path = tmp_path / "stick"
    path.mkdir()
    return path


def sha256(raw=CONTENT):
    return hashlib.sha256(raw).digest()


def deliver(source, target, name="p.age", job=None, digest=None):
    room = folder.reserve(target, name, source.stat().st_size)
    return room.deliver(source, digest or sha256(source.read_bytes()), job)


def names(place):
    return sorted(path.name for path in place.iterdir())


# Delivering -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_what_arrives_is_what_was_sent(tmp_path, stick, size):
    source = tmp_path / "s"
    source.write_bytes(os.urandom(size))
    path = deliver(source, stick)
    assert path == stick / "p.age"
    assert path.read_bytes() == source.read_bytes()
    assert names(stick) == ["p.age"]
    assert path.stat().st_mtime == FIXED_TIME
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_file_name_or_a_folder_as_target(source, stick):
    assert deliver(source, stick / "named.age").name == "named.age"
    refused("target-exists", deliver, source, stick / "named.age")
    refused("target-missing", deliver, source, stick / "no" / "such")
    refused("target-missing", deliver, source, stick / "named.age" / "below")
    refused("target-missing", deliver, source, stick / ("n" * 300))
    assert names(stick) == ["named.age"]


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling"])
def test_nothing_is_replaced(source, stick, kind):
    place = stick / "p.age"
    if kind == "file":
        place.write_bytes(b"mine")
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to(stick.parent / ("source" if kind == "link" else "nothing"))
    refused("target-exists", folder.reserve, stick, "p.age", 10)
    assert names(stick) == ["p.age"]
    assert source.read_bytes() == CONTENT
    assert not (stick.parent / "nothing").exists()


def test_what_comes_in_between_is_not_replaced(source, stick):
    room = folder.reserve(stick, "p.age", len(CONTENT))
    (stick / "p.age").write_bytes(b"faster")
    refused("target-exists", room.deliver, source, sha256())
    assert (stick / "p.age").read_bytes() == b"faster"
    assert names(stick) == ["p.age"]


def test_no_byte_of_the_package_is_there_before_it_is_delivered(stick):
    room = folder.reserve(stick, "p.age", 100_000)
    [waiting] = stick.iterdir()
    assert waiting.name.startswith(TEMPORARY)
    assert waiting.read_bytes() == bytes(100_000)
    room.cancel()
    room.cancel()
    assert names(stick) == []


@pytest.mark.parametrize("stage", ["store", "verify"])
def test_a_delivery_that_is_cancelled_leaves_nothing(source, stick, stage):
    with pytest.raises(Cancelled):
        deliver(source, stick, job=Impatient(stage))
    assert names(stick) == []


def test_what_reads_back_differently_is_taken_away(source, stick):
    refused("target-differs", deliver, source, stick, digest=bytes(32))
    assert names(stick) == []


def test_a_source_that_is_gone_leaves_nothing(source, stick):
    room = folder.reserve(stick, "p.age", len(CONTENT))
    source.unlink()
    refused("target-missing", room.deliver, source, sha256())
    assert names(stick) == []


@pytest.mark.parametrize(
    "number, code",
    [
        (errno.ENOSPC, "target-full"),
        (errno.EDQUOT, "target-full"),
        (errno.EROFS, "target-read-only"),
        (errno.EACCES, "target-read-only"),
        (errno.EIO, "target-failed"),
        (errno.ENODEV, "target-failed"),
    ],
)
@pytest.mark.parametrize("call", ["write", "fsync", "ftruncate", "utime", "posix_fallocate"])
def test_a_medium_that_fails_is_said_and_leaves_nothing(source, stick, monkeypatch, number, code, call):
    def fails(*arguments, **more):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(folder.os, call, fails)
        refused(code, deliver, source, stick)
    assert names(stick) == []
    deliver(source, stick)


def test_without_renaming_in_one_step_the_name_is_claimed_first(source, stick, monkeypatch):
    monkeypatch.setattr(folder.sys, "platform", "other")
    deliver(source, stick)
    with pytest.raises(FileExistsError):
        folder.rename_without_replacing(source, stick / "p.age")
    assert source.exists()
    assert (stick / "p.age").read_bytes() == CONTENT


@pytest.mark.parametrize("act", [deliver, lambda source, stick: folder.write_pieces(stick / "p.age", [b"x"])])
def test_a_name_that_was_claimed_for_nothing_is_given_back(source, stick, monkeypatch, act):
    def fails(*arguments, **more):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    nameless(monkeypatch, False)
    monkeypatch.setattr(folder.sys, "platform", "other")
    monkeypatch.setattr(folder.os, "replace", fails)
    refused("target-failed", act, source, stick)
    assert names(stick) == []


@contextlib.contextmanager
def mounted(place, *options):
    place.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", place], capture_output=True
    )
    if done.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_full_medium_is_known_before_anything_is_sealed(source, tmp_path):
    with mounted(tmp_path / "small", "size=64k") as small:
        refused("target-full", folder.reserve, small, "p.age", len(CONTENT))
        assert names(small) == []
        with pytest.raises(Refused) as caught:
            folder.write_pieces(small / "x", iter([bytes(40_000)] * 9))
        assert caught.value.code == "target-full"
        assert names(small) == []


def test_a_medium_that_may_not_be_written(source, tmp_path):
    with mounted(tmp_path / "ro", "size=64k,ro") as place:
        refused("target-read-only", folder.reserve, place, "p.age", 10)


# Files of our own -------------------------------------------------------------------------------------------------


def test_a_file_of_our_own_is_for_its_owner_only_and_whole(tmp_path):
    assert folder.write_pieces(tmp_path / "x", iter([b"a", b"", b"bc"])) == 3
    assert (tmp_path / "x").read_bytes() == b"abc"
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600
    refused("target-exists", folder.write_pieces, tmp_path / "x", iter([b"z"]))
    refused("target-exists", folder.write_pieces, tmp_path, iter([b"z"]))
    refused("target-missing", folder.write_pieces, tmp_path / "no" / "x", iter([b"z"]))
    refused("target-missing", folder.write_pieces, tmp_path / ("n" * 300), iter([b"z"]))
    assert (tmp_path / "x").read_bytes() == b"abc"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Cancelled])
def test_a_file_of_our_own_that_breaks_off_was_never_there(tmp_path, error):
    def pieces():
        yield b"half"
        raise error

    with pytest.raises(error):
        folder.write_pieces(tmp_path / "x", pieces())
    assert names(tmp_path) == []


def nameless(monkeypatch, there):
    """Whether the folder's file system knows files without a name."""
    real = os.open

    def open_(path, flags, *more, **named):
        if not there and flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.ENOTSUP, "not supported")
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", open_)


DYING = """
import os, signal, sys
from pathlib import Path
from app.courier import folder
with folder.new_file(Path(sys.argv[1])) as file:
    file.write(b"in the clear" * 200_000)
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_of_a_file_of_our_own_a_crash_leaves_nothing(tmp_path):
    done = subprocess.run([sys.executable, "-c", DYING, tmp_path / "x"])
    assert done.returncode == -signal.SIGKILL
    assert names(tmp_path) == []


@pytest.mark.parametrize("there", [True, False])
def test_a_file_of_our_own_replaces_nothing_that_came_meanwhile(tmp_path, monkeypatch, there):
    nameless(monkeypatch, there)

    def pieces():
        yield b"ours"
        (tmp_path / "x").write_bytes(b"faster")

    refused("target-exists", folder.write_pieces, tmp_path / "x", pieces())
    assert (tmp_path / "x").read_bytes() == b"faster"
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("there", [True, False])
def test_a_file_of_our_own_is_read_back_before_it_has_its_name(tmp_path, monkeypatch, there):
    nameless(monkeypatch, there)
    seen = []

    def look(file):
        seen.append(file.read())
        assert not (tmp_path / "x").exists()

    with folder.new_file(tmp_path / "x", look) as file:
        file.write(b"whole")
    assert seen == [b"whole"] == [(tmp_path / "x").read_bytes()]
    assert names(tmp_path) == ["x"]


# Drops ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number, stays",
    [(errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False), (errno.ENOSPC, False)],
)
def test_a_folder_that_cannot_be_synced(tmp_path, monkeypatch, number, stays):
    """A share that knows no such thing keeps the file; where the disk fails, what is refused is not there."""
    real = os.fsync

    def sync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    with contextlib.nullcontext() if stays else pytest.raises(Refused):
        folder.write_pieces(tmp_path / "card", [b"all of it"])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([b"all of it"] if stays else [])


def test_a_listing_shows_finished_regular_files_only(stick):
    (stick / "b.age").write_bytes(b"22")
    (stick / "a.age").write_bytes(b"1")
    (stick / (TEMPORARY + "x")).write_bytes(b"half")
    (stick / ".hidden").write_bytes(b"")
    (stick / "folder").mkdir()
    (stick / "link").symlink_to("/dev/zero")
    os.mkfifo(stick / "fifo")
    assert [(one.name, one.size) for one in drop.listing(stick)] == [("a.age", 1), ("b.age", 2)]
    refused("drop-missing", drop.listing, stick / "no")


@pytest.mark.parametrize("more, crowded", [(0, False), (1, True)])
def test_a_crowded_drop(stick, monkeypatch, more, crowded):
    monkeypatch.setattr(drop, "FILE_LIMIT", 3)
    for number in range(3 + more):
        (stick / f"{number}").write_bytes(b"")
    if crowded:
        refused("drop-crowded", drop.listing, stick)
    else:
        assert len(drop.listing(stick)) == 3


def test_publishing(source, stick):
    drop.publish(source, "p.age", sha256(), stick)
    assert drop.holds(stick / "p.age", sha256())
    assert not drop.holds(stick / "p.age", bytes(32))
    assert not drop.holds(stick / "no", sha256())
    refused("target-exists", drop.publish, source, "p.age", sha256(), stick)
    refused("drop-missing", drop.publish, source, "q.age", sha256(), stick / "no")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["reserve", "deliver", "cancel", "intrude"]), max_size=8))
def test_whatever_is_begun_and_broken_off_one_whole_file_stands_there_or_none(source, stick, steps):
    for path in stick.iterdir():
        path.unlink()
    rooms = []
    for step in steps:
        with contextlib.suppress(Refused):
            if step == "reserve":
                rooms.append(folder.reserve(stick, "p.age", len(CONTENT)))
            elif step == "intrude" and not (stick / "p.age").exists():
                (stick / "p.age").write_bytes(b"other")
            elif rooms:
                room = rooms.pop()
                room.cancel() if step == "cancel" else room.deliver(source, sha256())
    for room in rooms:
        room.cancel()
    assert names(stick) in ([], ["p.age"])
    for path in stick.iterdir():
        assert path.read_bytes() in (CONTENT, b"other")
