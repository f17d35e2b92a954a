"""Bundles that this process holds in the clear, and nobody else: read by a process of its own, over a pipe (`worker`).

What a counterpart sent is decrypted here and written into the pipe as it is read there: never to a disk, and no more of
it waits than a pipe holds. Each bundle has a reader that saw no other. Readers are children of a server that reads
nothing and is started once: small packages come by the hundred, and a new process costs more than all else about one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.formats import stix, worker
from app.intel.prepared import Prepared
from app.intel.reading import Fault
from app.jobs import Job
from app.messages import Refused

PIECE = 1 << 16

_LOCK = threading.Lock()


def ready() -> None:
    """Begin to start the server, unless it runs or is in use: it is ready by the time something was decrypted."""
    if _LOCK.acquire(blocking=False):
        with contextlib.suppress(OSError):
            _SERVER.start()
        _LOCK.release()


@contextlib.contextmanager
def opened(read: Callable[[int], bytes], job: Job) -> Iterator[Iterator[Prepared | Fault]]:
    """The objects of the bundle that `read` gives (as a file's `read` does, in a thread of its own), in order, while
    the block lasts. One at a time; `read` is not called any more when the block has ended.

    STIX 2.0 is not converted. Raises whatever `read` raises, and as `stix.opened` does: `Refused` of reader-died and
    reader-hung is about the process. What came before counts for nothing then.
    """
    with _LOCK:
        try:
            reader = _SERVER.reader()
        except OSError as error:
            raise Refused("reader-died") from error
        feeder = _Feeder(read, reader.input)
        feeder.start()
        try:
            with stix.answers(reader.output, reader.end, job, Path()) as found:
                yield _judged(found, feeder, reader)
        finally:
            feeder.join()
        if feeder.failure is not None:
            raise feeder.failure


def close() -> None:
    """End the server. The next bundle starts another one."""
    with _LOCK:
        _SERVER.close()


def _judged(
    found: Iterator[Prepared | Fault], feeder: _Feeder, reader: _Reader
) -> Iterator[Prepared | Fault]:
    try:
        yield from found
    except Refused:
        # A bundle that stops in the middle because no more could be read here is not what the reader takes it for.
        reader.end()
        feeder.join()
        if feeder.failure is not None:
            raise feeder.failure from None
        raise


class _Feeder(threading.Thread):
    """Writes what is read here into a reader's pipe. `failure`: what reading raised, or `Refused` (reader-died) where
    the pipe did not take it: what the reader says of the rest it did get says nothing of the bundle.
    """

    def __init__(self, read: Callable[[int], bytes], pipe: int) -> None:
        super().__init__(daemon=True)
        self._read, self._pipe = read, pipe
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with open(self._pipe, "wb", buffering=0) as pipe:
                while piece := self._next():
                    view = memoryview(piece)
                    while view:
                        view = view[pipe.write(view) :]
        except BrokenPipeError:
            # The reader has read enough, or is gone: its answer tells.
            pass
        except OSError as error:
            self.failure = Refused("reader-died")
            self.failure.__cause__ = error

    def _next(self) -> bytes:
        try:
            return self._read(PIECE)
        except Exception as failure:
            self.failure = failure
            return b""


@dataclass(frozen=True)
class _Reader:
    """A reader of one bundle: where to write it, where its answers come, its process."""

    input: int
    output: BinaryIO
    number: int

    def end(self) -> None:
        # Until the next one is asked for, nobody waits for it: its number is its own though it has ended.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.number, signal.SIGKILL)


class _Server:
    """The process that readers are children of."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> socket.socket:
        if self._control is not None and self._process is not None and self._process.poll() is None:
            return self._control
        self.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                stix.command(),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=stix.environment(),
            )
        return self._control

    def reader(self) -> _Reader:
        """A new reader. Raises OSError."""
        control = self.start()
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        try:
            socket.send_fds(control, [b"R"], [theirs_in, theirs_out])
            number = control.recv(worker.NUMBER_BYTES, socket.MSG_WAITALL)
            if len(number) < worker.NUMBER_BYTES:
                raise ConnectionError
        except OSError:
            os.close(ours_in)
            os.close(ours_out)
            self.close()
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        return _Reader(ours_in, open(ours_out, "rb"), int.from_bytes(number, "big"))

    def close(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._control = None


_SERVER = _Server()


@atexit.register
def _leave() -> None:
    # A thread that still reads loses its reader with this process anyway.
    if _LOCK.acquire(blocking=False):
        _SERVER.close()
