"""What a counterpart sent is read by a process that has nothing else: whatever becomes of it, it is told."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from app.exchange import inbox, receiving
from app.formats import stix, streams, worker
from app.intel import prepared, reading
from app.jobs import Cancelled, Job, quiet
from app.messages import Refused
from crypto.errors import CryptoError
from tests.support.sites import bundle, copied, indicator, make_template, problems, state


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    template = make_template(tmp_path_factory.mktemp("template"), met=False)
    with copied(template, tmp_path_factory.mktemp("streams")) as found:
        yield found


@pytest.fixture
def instead(monkeypatch):
    """Let another program stand in for the server: it answers each request by what `act` does with the pipes."""
    streams.close()

    def stand_in(act):
        script = f"""
            import os, socket, time
            control = socket.socket(fileno=0)
            while True:
                _, pipes, _, _ = socket.recv_fds(control, 1, 2)
                if len(pipes) < 2:
                    break
                child = os.fork()
                if not child:
                    {act}
                    os._exit(0)
                [os.close(pipe) for pipe in pipes]
                control.sendall(child.to_bytes(4, "big"))
                os.waitpid(child, 0)
        """
        monkeypatch.setattr(stix, "command", lambda: [sys.executable, "-I", "-c", textwrap.dedent(script)])

    yield stand_in
    streams.close()


def read(text, job=None):
    with streams.opened(io.BytesIO(text).read, job or quiet()) as found:
        return list(found)


def code_of(text, job=None):
    with pytest.raises(Refused) as caught:
        read(text, job)
    return caught.value.code


def test_it_reads_what_this_process_would_in_the_same_order():
    many = []
    for n in range(700):
        many.append({"type": "url"} if n % 7 == 3 else indicator(n))
    old = {
        "type": "indicator",
        "id": indicator(1)["id"],
        "labels": ["x"],
        "pattern": "[url:value = 'http://a.b']",
    }
    for text in (bundle(*many), bundle(indicator(1), old), json.dumps(indicator(2)).encode()):
        here = [
            one if isinstance(one, reading.Fault) else prepared.prepare(one)
            for one in reading.read_bundle(text)
        ]
        assert read(text) == here
    assert read(bundle(old)) == [reading.Fault("objects[0]", "stix-2.0")]


def test_each_bundle_has_a_reader_of_its_own_and_none_stays():
    seen = []
    for n in range(3):
        with streams.opened(io.BytesIO(bundle(indicator(n))).read, quiet()) as found:
            next(found)
            seen.append(streams._SERVER._process.pid)
            (child,) = children(seen[-1])
            seen.append(child)
    assert len(set(seen)) == 4
    streams.close()
    assert not children(os.getpid())


def children(number):
    found = subprocess.run(["ps", "--ppid", str(number), "-o", "pid=,args="], capture_output=True, text=True)
    lines = [line.split(None, 1) for line in found.stdout.splitlines()]
    return [int(number) for number, name in lines if worker.__name__ in name or "defunct" in name]


@pytest.mark.parametrize(
    "text, code",
    [(b"", "not-stix"), (bundle(indicator(1))[:-9], "json-truncated"), (b"\xff\xfe{\0", "json-encoding")],
)
def test_what_is_wrong_with_a_bundle_is_said(text, code):
    assert code_of(text) == code


@pytest.mark.parametrize("after", [0, 100, 10**9])
def test_what_cannot_be_decrypted_is_not_taken_for_a_bad_bundle(after):
    """A failure of whoever reads is raised, also one that comes when the bundle seems whole: at its end."""
    file = io.BytesIO(bundle(indicator(1)))

    def failing(size):
        piece = file.read(min(size, after))
        if file.tell() >= after or not piece:
            raise CryptoError("package-part", "hash")
        return piece

    with pytest.raises(CryptoError, match="package-part"), streams.opened(failing, quiet()) as found:
        list(found)


@pytest.mark.parametrize("written", [0, 1])
def test_what_the_pipe_did_not_take_is_not_taken_for_a_bad_bundle(monkeypatch, written):
    """The reader gets less than there is, and says that it is no bundle."""
    real = open

    class Failing(io.FileIO):
        left = written

        def write(self, data):
            if not self.left:
                raise OSError(errno.EIO, "Input/output error")
            self.left -= 1
            return super().write(data[:100])

    monkeypatch.setattr(
        streams,
        "open",
        lambda file, *a, **k: Failing(file, "wb") if isinstance(file, int) else real(file, *a, **k),
        raising=False,
    )
    assert code_of(bundle(indicator(1))) == "reader-died"


LIES = {
    "nothing": "pass",
    "a torn frame": "os.write(pipes[1], (999).to_bytes(4, 'big') + b'B123')",
    "another shape": "os.write(pipes[1], (1).to_bytes(4, 'big') + b'B\\x01')",
    "no end": "os.write(pipes[1], (4).to_bytes(4, 'big') + b'B\\x93\\x90\\x90\\x00')",
    "its own death": "os.kill(os.getpid(), 9)",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_reader_that_lies_or_dies_is_an_error(instead, lie):
    instead(LIES[lie])
    assert code_of(bundle(*map(indicator, range(2000)))) == "reader-died"


def test_a_reader_that_hangs_is_ended(instead, monkeypatch):
    instead("time.sleep(600)")
    monkeypatch.setattr(stix, "PATIENCE", 0.3)
    # More than the pipe holds: whoever writes there is stuck until the reader is gone.
    assert code_of(bundle(*map(indicator, range(2000)))) == "reader-hung"


def test_a_reader_that_ends_and_does_not_go_holds_nobody_up(instead):
    end = "b'\\x92\\xa8not-stix\\x80'"
    instead(f"t = {end}; os.write(pipes[1], len(t).to_bytes(4, 'big') + b'E' + t); time.sleep(600)")
    assert code_of(bundle(*map(indicator, range(2000)))) == "not-stix"


def test_cancelling_answers_while_nothing_comes(instead):
    instead("time.sleep(600)")
    job = Job()
    threading.Timer(0.2, job.cancel).start()
    with pytest.raises(Cancelled):
        read(bundle(indicator(1)), job)


def test_no_more_waits_than_a_pipe_holds(instead):
    instead("time.sleep(600)")
    asked = []

    def endless(size):
        asked.append(size)
        return b" " * size

    with streams.opened(endless, quiet()):
        time.sleep(0.3)
        assert sum(asked) <= 8 * streams.PIECE


def test_a_server_that_died_is_started_again():
    assert len(read(bundle(indicator(1)))) == 1
    streams._SERVER._process.send_signal(signal.SIGKILL)
    streams._SERVER._process.wait()
    assert len(read(bundle(indicator(1)))) == 1


def test_a_reader_is_shut_to_others_and_opens_nothing():
    script = """
        import ctypes, os
        from app.formats import worker
        libc = ctypes.CDLL(None)
        worker.confine()
        print(libc.prctl(3, 0, 0, 0, 0))
    """
    done = subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(script)], capture_output=True, text=True
    )
    assert done.stdout.split() == ["0"]


def test_a_package_whose_reader_dies_is_not_received_and_can_be_again(world, instead, monkeypatch):
    path = world.mallory.intel(world.alpha, *map(indicator, range(300)), indicator(1, name="x"))
    before = state(world.alpha)
    with monkeypatch.context():
        instead("os.kill(os.getpid(), 9)")
        with pytest.raises(Refused, match="reader-died"):
            receiving.receive(world.alpha, path, quiet())
    assert state(world.alpha) == before
    assert problems(world.alpha) == []
    monkeypatch.undo()
    streams.close()
    got = receiving.receive(world.alpha, path, quiet())
    assert (got.status, got.objects, got.failed) == ("new", 301, ())
    assert len(inbox.review(world.alpha, got.number, quiet()).objects) == 301
