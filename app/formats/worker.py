"""A process of its own that reads a hostile file: it has the file, a pipe, and nothing else of ours.

`python -m app.formats.worker`: standard input is the file, standard output takes frames, each a length (four bytes, big
end first), a letter and MessagePack: `B` a batch of what was read, `E` the end, with the code of what is wrong with the
file, if anything is. An output that stops without an `E` means that the reader died. It knows neither the store nor the
name of the file, holds no keys, and takes its own powers away before the first byte of the file.

With a socket as its standard input it waits there. When a file comes over it, with a pipe for answers (`_Asking`), it
becomes the reader of that. For each pair of pipes that comes it makes a child that is such a reader (of STIX 2.1
alone), and answers with the child's number: a child costs much less than a new process, and none has seen what another
one read.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import io
import os
import socket
import stat
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from typing import Annotated, Any, BinaryIO

import msgspec
import rfc8785

from app.formats import stix20
from app.intel.prepared import Prepared, prepare
from app.intel.reading import Entry, Fault, read_chunks
from app.messages import Refused

FLAG = "--read-hostile-file"
"""The one argument that makes a frozen program be this reader."""
MEMORY = 1 << 30
"""Bytes of address space; the greatest object there may be takes about half of it."""
CHUNK = 1 << 20
BATCH = 250
"""Objects in a frame; also the memory that is lost when the other side does not keep up."""
FIRST_BATCH = 32
"""In the first frame; each has twice as many as the one before, so that the other side soon has something to do."""
BATCH_BYTES = 1 << 20
ASKED_BYTES = 1 << 16
"""Bytes of a text, at most, that is held here until the answer comes."""
AHEAD = 3
"""Batches of which the answer may still be on its way."""
SELDOM = 16
"""Batches that are not asked about, at most, between two that are, where little is recognised."""
FILE = b"F"
"""What comes over the socket with a file; with a pair of pipes, anything else."""
ASK, ASK_NOT = b"A", b"N"
"""What the other side says first, and then a byte of 0 or 1 for each object it is asked about."""
BEAT = 1.0
"""Seconds after which a reader that has nothing to give shows that it still reads."""
NUMBER_BYTES = 4
"""Bytes of a process's number."""
PR_SET_DUMPABLE = 4
M_MMAP_THRESHOLD, GREAT = -3, 4 << 20
"""Bytes of a piece of memory that goes back to the system once it is free: few objects are as great."""
_SAMPLE = b'{"type":"bundle","objects":[{"type":"url","id":"url--0e2ae6a7-2d0f-5b1c-9b1c-3f1d7e0a9c11","value":"http://a.b/"}]}'
HEAD = 5
"""Bytes of a frame before its text: the length of that, and the letter."""
MAX_FRAME = 192 << 20
"""Bytes of a frame: the greatest object with its texts, many times over."""
MAX_SHORT_FRAME = 1 << 17
"""And of one that holds no objects: a question about as many as may be, with ids as long as they may be."""


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Some of what was read, in order but for the faults, and how many bytes of the file were looked at."""

    objects: tuple[Prepared, ...]
    faults: tuple[Fault, ...]
    upto: int


Digest = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Contents = Annotated[tuple[tuple[str, Digest], ...], msgspec.Meta(min_length=1, max_length=BATCH)]
"""Which objects were read, by (id, SHA-256 of the exact text)."""


class End(msgspec.Struct, frozen=True, array_like=True):
    """How it ended: "" or a code, with its facts."""

    code: str
    facts: dict[str, str]


class _Watched:
    """The chunks of a file, counted; `beat` is called at each, to show that somebody is still reading."""

    def __init__(self, file: BinaryIO, beat: Callable[[int], None]) -> None:
        self._file, self._beat = file, beat
        self.upto = 0

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._file.read(CHUNK):
            self.upto += len(chunk)
            self._beat(self.upto)
            yield chunk


def read(
    file: BinaryIO, write: Callable[[bytearray], None], take_old: bool = True, answers: int | None = None
) -> None:
    """Read `file` and write frames until its end. `take_old`: what is STIX 2.0 is converted, else it is a fault.
    `answers`: the pipe where it is said what is recognised.
    """
    frames = _Frames(write)

    def beat(upto: int) -> None:
        if time.monotonic() - frames.last > BEAT:
            frames.send(b"B", Batch((), (), upto))

    chunks = _Watched(file, beat)
    try:
        found = read_chunks(chunks, take_old)
        asking = None if answers is None else _Asking(answers)
        batches = _Batches(chunks, frames, asking)
        for entry in stix20.converted(found) if take_old else found:
            batches.add(entry)
            # It may be as great as an object can be: nothing of it is held while it is sent, or the next one is read.
            del entry
            batches.close_full()
        batches.end()
        end = End("", {})
    except Refused as refused:
        end = End(refused.code, {key: str(fact) for key, fact in refused.facts.items()})
    except OSError as error:
        end = End("file-unreadable", {"why": error.strerror or ""})
    frames.send(b"E", end)


class _Frames:
    """The frames of a reader; `last`: when it wrote one. A frame is made in the place from where it is written."""

    def __init__(self, write: Callable[[bytearray], None]) -> None:
        self._write = write
        self._encode_into = msgspec.msgpack.Encoder().encode_into
        self.last = time.monotonic()

    def send(self, kind: bytes, what: Batch | Contents | End) -> None:
        frame = bytearray(HEAD)
        self._encode_into(what, frame, HEAD)
        frame[:HEAD] = (len(frame) - HEAD).to_bytes(HEAD - 1, "big") + kind
        self._write(frame)
        self.last = time.monotonic()


class _Asking:
    """The other side, which may hold some of the objects already: what it recognises need not be looked at, which is
    most of the work. Asked of batches, while that is worth the wait.
    """

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self._begun = self._wanted = False
        self._pause = self._passing = 0
        os.set_blocking(answers, False)

    def begins(self) -> bool:
        """Whether the next batch is one to ask about."""
        if not self._begun:
            try:
                said = os.read(self._answers, 1)
            except BlockingIOError:
                return False
            self._begun, self._wanted = True, said == ASK
            os.set_blocking(self._answers, True)
        if self._passing:
            self._passing -= 1
            return False
        return self._wanted

    def answer(self, many: int) -> bytes:
        """A byte for each object of the batch that was asked about first: 1 if it is recognised."""
        found = b""
        while len(found) < many:
            more = os.read(self._answers, many - len(found))
            if not more:
                raise BrokenPipeError
            found += more
        self._pause = 0 if 4 * sum(found) >= many else min(2 * self._pause or 1, SELDOM)
        self._passing = self._pause
        return found


class _Batches:
    """What is read, put into frames in order. Of a batch that is asked about, texts wait for the answer."""

    def __init__(self, chunks: _Watched, frames: _Frames, asking: _Asking | None) -> None:
        self._chunks, self._frames, self._asking = chunks, frames, asking
        self._waiting = deque[tuple[list[Prepared | Entry], list[Fault], int, set[object]]]()
        self._most = FIRST_BATCH
        self._clear()

    def _clear(self) -> None:
        self._objects: list[Prepared | Entry] = []
        self._faults: list[Fault] = []
        self._size = 0
        self._ids = set[object]()
        self._asks = self._asking is not None and self._asking.begins()

    def add(self, entry: Entry | Fault) -> None:
        """The next thing that was read."""
        if isinstance(entry, Fault):
            self._faults.append(entry)
            return
        if self._asks and _may_be_held(entry) and not self._is_here(entry.value["id"]):
            self._objects.append(entry)
        else:
            if len(entry.raw) > ASKED_BYTES:
                self._settle(0)
            self._objects.append(prepare(entry))
        self._size += len(entry.raw)
        self._ids.add(entry.value["id"])

    def _is_here(self, id_: object) -> bool:
        """Whether another content of that object is not there yet. What this one means there may follow from it."""
        return id_ in self._ids or any(id_ in ids for *_, ids in self._waiting)

    def close_full(self) -> None:
        """Send the batch on its way, if it is full."""
        if len(self._objects) + len(self._faults) >= self._most or self._size >= BATCH_BYTES:
            self._close()
            self._most = min(2 * self._most, BATCH)

    def end(self) -> None:
        """There is nothing more."""
        self._close()
        self._settle(0)

    def _close(self) -> None:
        asked = [one for one in self._objects if isinstance(one, Entry)]
        if asked:
            contents = ((str(one.value["id"]), hashlib.sha256(one.raw).digest()) for one in asked)
            self._frames.send(b"C", tuple(contents))
        self._waiting.append((self._objects, self._faults, self._chunks.upto, self._ids))
        self._settle(AHEAD if asked and self._size < BATCH_BYTES else 0)
        self._clear()

    def _settle(self, left: int) -> None:
        """Send the batches that wait, but for so many."""
        while len(self._waiting) > left:
            found, faults, upto, _ = self._waiting.popleft()
            asked = sum(isinstance(one, Entry) for one in found)
            known = iter(self._asking.answer(asked) if asked and self._asking is not None else b"")
            objects = [
                prepare(one) if isinstance(one, Entry) else one
                for one in found
                if not isinstance(one, Entry) or not next(known)
            ]
            self._frames.send(b"B", Batch(tuple(objects), tuple(faults), upto))


def _may_be_held(entry: Entry) -> bool:
    """Whether to ask of an object, at all. A definition of markings is always looked at."""
    return not entry.old and len(entry.raw) <= ASKED_BYTES and entry.value["type"] != "marking-definition"


def confine() -> None:
    """Give up what a reader never needs: other files, other processes, more memory, a trace of its own in a crash, and
    being looked into by others of the same user.
    """
    _load()
    _shut()
    with contextlib.suppress(ImportError):
        import resource

        for limit, most in (
            (resource.RLIMIT_AS, MEMORY),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_NOFILE, 0),
            (resource.RLIMIT_NPROC, 0),
        ):
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(limit, (most, most))


@functools.cache
def _load() -> None:
    """Load what is loaded at its first use: then no file can be opened any more. The library of hashes takes 4 ms, so a
    server does this for its children.
    """
    hashlib.sha256(b"")
    rfc8785.dumps({"": ""})
    uuid.uuid5(uuid.NAMESPACE_URL, "")
    with contextlib.suppress(ImportError):
        import resource  # noqa: F401


def _shut() -> None:
    if sys.platform == "linux":
        _libc().prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        with contextlib.suppress(AttributeError):
            _libc().mallopt(M_MMAP_THRESHOLD, GREAT)


@functools.cache
def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None)


def serve(control: socket.socket) -> None:
    """Make a reader for each pair of pipes that comes, or be the reader of the file that comes, until the other side is
    gone; see the module's head.
    """
    # What a child needs is loaded here, once, and is not touched by the collector of garbage: then pages stay shared.
    _load()
    _shut()
    read(io.BytesIO(_SAMPLE), lambda frame: None)
    gc.collect()
    gc.freeze()
    child = 0
    while True:
        what, pipes, _, _ = socket.recv_fds(control, 1, 2)
        if child:
            # Whoever asked for it is done with it. Only now is its number free for another process.
            os.waitpid(child, 0)
        if len(pipes) != 2:
            return
        if what == FILE:
            control.close()
            os.dup2(pipes[0], 0)
            os.close(pipes[0])
            _live(take_old=True, answers=pipes[1])
            return
        child = os.fork()
        if not child:
            control.close()
            os.dup2(pipes[0], 0)
            os.dup2(pipes[1], 1)
            for pipe in pipes:
                os.close(pipe)
            try:
                _live(take_old=False)
            finally:
                os._exit(0)
        for pipe in pipes:
            os.close(pipe)
        control.sendall(child.to_bytes(NUMBER_BYTES, "big"))


def main() -> None:
    """The process's whole life."""
    if stat.S_ISSOCK(os.fstat(0).st_mode):
        with socket.socket(fileno=0) as control, contextlib.suppress(ConnectionError):
            serve(control)
    else:
        _live(take_old=True)


def _live(take_old: bool, answers: int | None = None) -> None:
    """A reader's whole life."""
    confine()

    def write(frame: bytearray) -> None:
        view = memoryview(frame)
        while view:
            view = view[os.write(1, view) :]

    # The side that reads the pipe may go away at any time: a cancelled import.
    with contextlib.suppress(BrokenPipeError), open(0, "rb", buffering=0, closefd=False) as file:
        read(file, write, take_old, answers)


if __name__ == "__main__":
    main()
