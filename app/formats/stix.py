"""STIX bundles in files, read by a process of its own (`worker`) as a stream; STIX 2.0 comes out as 2.1.

The file is opened here and given to the reader as its input; what comes back is bounded, typed and nothing else. Memory
is bounded whatever the file's size: a reader that is ahead waits.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO

import msgspec

from app import outside
from app.formats import worker
from app.formats.worker import Batch, Contents, End
from app.intel import ids
from app.intel.prepared import Prepared, Source
from app.intel.reading import Fault
from app.intel.splitting import MAX_OBJECT
from app.jobs import Job, quiet
from app.messages import MESSAGES, Refused
from app.store.database import make_room

GREAT = 4 << 20
"""Bytes of a frame before which room is made for it."""
PIPE = 1 << 20
"""Bytes that wait in the pipe."""
LOOK = 0.1
"""Seconds between two looks whether to stop."""
MAX_FACT = 1_000
"""Characters of what a reader says about a place in its file."""
PATIENCE = 60.0
"""Seconds without a frame after which a reader hangs: it shows itself every second, however little there is to give."""

_KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "PYTHONHOME")
_BATCH = msgspec.msgpack.Decoder(Batch)
_DECODERS: dict[bytes, msgspec.msgpack.Decoder[Batch | Contents | End]] = {
    b"C": msgspec.msgpack.Decoder(Contents),
    b"E": msgspec.msgpack.Decoder(End),
}
_TEXT = msgspec.json.Decoder(dict[str, object])
_CODES = re.compile(r"(json|stix)-[a-z0-9.-]{1,40}|not-stix|object-size|file-size|file-unreadable")
_NUMBER = re.compile(r"\[([0-9]{1,10})\]")


def command() -> Sequence[str]:
    """How the reader is started; a frozen program has no module to run and starts itself."""
    if getattr(sys, "frozen", False):
        return [sys.executable, worker.FLAG]
    return [sys.executable, "-I", "-m", worker.__name__]


@contextlib.contextmanager
def opened(path: Path, job: Job | None = None) -> Iterator[Source]:
    """The objects of a bundle file, while the block lasts. `job` may cancel while nothing comes. What the source
    recognises is left out where readers can wait for a file (`ready`).

    Raises `Refused`: file-unreadable, as reading does, and reader-died or reader-hung when the process that reads
    ends before it is done, or gives nothing for `PATIENCE` seconds. What came before counts for nothing then.
    """
    ready()
    with outside.reading(path) as file:
        process, told = _handed(file)
    assert process.stdout is not None
    try:
        with answers(process.stdout, process.kill, job or quiet(), path, told) as found:
            yield found
    finally:
        process.wait()


def size(path: Path) -> int:
    """Bytes of a file; 0 where that is not known."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def ready() -> None:
    """Begin to start the process that will read the next file, so that nobody waits for it then."""
    if hasattr(socket, "send_fds"):
        with contextlib.suppress(OSError):
            _READY.start()


def _handed(file: IO[bytes]) -> tuple[subprocess.Popen[bytes], io.FileIO | None]:
    """The reader that was given this file, and the pipe where it is told what is recognised."""
    theirs, ours = os.pipe()
    told = io.FileIO(ours, "w")
    try:
        process = _READY.take(file, theirs)
    finally:
        os.close(theirs)
    if process is None:
        told.close()
        return _started(file.fileno()), None
    return process, told


def _started(source: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(),
        stdin=source,
        stdout=subprocess.PIPE,
        # Each time a pipe is full or empty somebody waits for the interpreter's lock.
        pipesize=PIPE,
        # What it would say there is made of the file's own words.
        stderr=subprocess.DEVNULL,
        env=environment(),
    )


class _Ready:
    """The process that is to read the next file; it waits for that on a socket, and ends when this one does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def start(self) -> None:
        with self._lock:
            if self._waiting is None:
                ours, theirs = socket.socketpair()
                with theirs:
                    self._waiting = _started(theirs.fileno()), ours

    def take(self, file: IO[bytes], answers: int) -> subprocess.Popen[bytes] | None:
        """Let it read this file, and from that pipe what is recognised; None if there is none."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is None:
            return None
        process, control = waiting
        with control:
            try:
                socket.send_fds(control, [worker.FILE], [file.fileno(), answers])
            except OSError:
                process.kill()
                process.communicate()
                return None
        return process

    def close(self) -> None:
        """End it."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            process, control = waiting
            control.close()
            process.kill()
            process.communicate()


_READY = _Ready()
atexit.register(_READY.close)


def environment() -> dict[str, str]:
    """What a reader is told of this process's surroundings."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


@contextlib.contextmanager
def answers(
    pipe: IO[bytes], end: Callable[[], None], job: Job, path: Path, told: io.FileIO | None = None
) -> Iterator[Source]:
    """What a reader answers on a pipe, while the block lasts; then `end` ends the reader. `told`: the pipe where it is
    told what is recognised. Raises as `opened` does.
    """
    source = Source(partial(_entries, pipe, path, job, told))
    try:
        yield source
    finally:
        source.close()
        end()
        pipe.close()
        if told is not None:
            told.close()


def _entries(
    pipe: IO[bytes], path: Path, job: Job, told: io.FileIO | None, source: Source
) -> Generator[Prepared | Fault]:
    """What a reader answers. Of what may be great, no more is held than is being looked at: the rest waits in the pipe,
    and in the reader.
    """
    if told is not None:
        os.set_blocking(told.fileno(), False)
        _tell(told, worker.ASK if source.recognise else worker.ASK_NOT)
    upto = 0
    while not isinstance(found := _answer(_Waiting(pipe.fileno(), upto, job)), End):
        job.look()
        if isinstance(found, Batch):
            upto, objects = found.upto, _in_order(found)
            del found
            yield from objects
            del objects
        elif told is not None and source.recognise is not None:
            _tell(told, bytes(source.recognise(found)))
        else:
            raise Refused("reader-died")
    facts = {name: fact for name, fact in found.facts.items() if name in ("where", "limit", "why")}
    if found.code and not _said(found.code, *facts.values()):
        raise Refused("reader-died")
    if found.code == "file-unreadable":
        raise Refused(found.code, path=path, why=facts.get("why", ""))
    if found.code:
        raise Refused(found.code, **facts)


def _tell(told: io.FileIO, said: bytes) -> None:
    """A reader that is itself never asks so much before it listens that it would not go into the pipe."""
    try:
        written = told.write(said)
    except BrokenPipeError:
        # It may be done, of a small file before it is told anything; or dead, as its next answer tells.
        return
    except OSError:
        written = None
    if written != len(said):
        raise Refused("reader-died")


def _answer(waiting: _Waiting) -> Batch | Contents | End:
    """The next frame, of a reader that is itself. Raises `Refused`: reader-died, reader-hung."""
    head = waiting.read(worker.HEAD)
    length = int.from_bytes(head[:-1], "big")
    kind = bytes(head[-1:])
    if length > (worker.MAX_SHORT_FRAME if kind in _DECODERS else worker.MAX_FRAME):
        raise Refused("reader-died")
    if length > GREAT:
        make_room()
    try:
        found = _DECODERS.get(kind, _BATCH).decode(waiting.read(length))
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Refused("reader-died") from None
    if isinstance(found, Batch) and not (
        all(map(_holds, found.objects)) and all(_said(one.code, one.where) for one in found.faults)
    ):
        raise Refused("reader-died")
    return found


def _in_order(batch: Batch) -> Iterator[Prepared | Fault]:
    if batch.faults:
        both: list[Prepared | Fault] = [*batch.faults, *batch.objects]
        return iter(sorted(both, key=_place))
    return iter(batch.objects)


def _said(code: str, *facts: str) -> bool:
    """Whether a reader that is itself would say this: a code of its own, and short facts. They are kept and shown."""
    return (
        _CODES.fullmatch(code) is not None and code in MESSAGES and all(len(one) <= MAX_FACT for one in facts)
    )


def _place(one: Prepared | Fault) -> int:
    """Its number in the file: a batch has its faults apart."""
    found = _NUMBER.search(one.where[:40])
    return int(found[1]) if found else 0


def _holds(one: Prepared) -> bool:
    """Whether a text can be kept: it reads as the object it is said to be.

    A reader that was taken over may say anything of it else; one text that nobody can read would stop every later
    reading of the whole store.
    """
    if len(one.raw) > MAX_OBJECT:
        return False
    try:
        value = _TEXT.decode(one.raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    id_ = one.id
    return value.get("id") == id_ and value.get("type") == one.type == ids.type_of(id_)


class _Waiting:
    """The bytes of one frame out of a reader's pipe, as they come; `job` may cancel meanwhile."""

    def __init__(self, pipe: int, upto: int, job: Job) -> None:
        self._pipe, self._upto, self._job = pipe, upto, job
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)
        self._began = time.monotonic()

    def read(self, size: int) -> bytearray:
        """Exactly so many bytes. Raises `Refused`: reader-died, reader-hung."""
        found = bytearray(size)
        with memoryview(found) as view:
            at = 0
            while at < size:
                while not self._poll.poll(LOOK * 1000):
                    self._job.step(self._upto, 0, "read")
                    if time.monotonic() - self._began > PATIENCE:
                        raise Refused("reader-hung", seconds=int(PATIENCE))
                read = os.readv(self._pipe, [view[at:]])
                if not read:
                    raise Refused("reader-died")
                at += read
        return found
