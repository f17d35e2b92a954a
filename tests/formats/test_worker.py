"""Hostile files are read by a process of its own: whatever becomes of it, the store is whole and it is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from app.formats import stix, streams, worker
from app.holdings import importing
from app.intel import prepared, reading
from app.jobs import Cancelled, Job, quiet
from app.messages import MESSAGES, Refused
from tests.support.sites import bundle, copied, indicator, make_template, problems, state


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return make_template(tmp_path_factory.mktemp("worker"), met=False)


@pytest.fixture(scope="module")
def site(template, tmp_path_factory):
    with copied(template, tmp_path_factory.mktemp("site")) as found:
        yield found.alpha


def written(folder, *values, text=None):
    path = folder / "bundle.json"
    path.write_bytes(bundle(*values) if text is None else text)
    return path


def imported(site, path, job=None):
    job = job or quiet()
    with stix.opened(path, job) as entries:
        return importing.import_entries(site, entries, path.name, None, job)


def refused(site, path, code, job=None):
    before = state(site)
    with pytest.raises(Refused) as caught:
        imported(site, path, job)
    assert caught.value.code == code
    assert code in MESSAGES
    assert state(site) == before
    assert problems(site) == []


def instead(monkeypatch, script):
    """Let another program stand in for the reader."""
    stix._READY.close()
    monkeypatch.setattr(stix, "command", lambda: [sys.executable, "-I", "-c", script])


def test_another_process_reads_what_this_one_would(site, tmp_path, corpus):
    for path in [*sorted((corpus / "misp").glob("*stix2*.json"))[:3], written(tmp_path, indicator(1))]:
        with stix.opened(path) as entries:
            found = list(entries)
        with path.open("rb") as file:
            here = list(worker.stix20.converted(reading.read_chunks(iter([file.read()]), take_old=True)))
        assert [one for one in found if isinstance(one, reading.Fault)] == [
            one for one in here if isinstance(one, reading.Fault)
        ]
        assert [one for one in found if not isinstance(one, reading.Fault)] == [
            prepared.prepare(one) for one in here if not isinstance(one, reading.Fault)
        ]
        assert found


def test_a_reader_that_waits_reads_the_same_and_no_second_file(site, tmp_path, corpus):
    first = sorted((corpus / "misp").glob("*stix2*.json"))[0]
    with stix.opened(first) as entries:
        expected = list(entries)
    stix.ready()
    waiting = stix._READY._waiting[0]
    stix.ready()
    assert stix._READY._waiting[0] is waiting
    with stix.opened(first) as entries:
        assert list(entries) == expected
    assert waiting.returncode is not None
    assert stix._READY._waiting is None


def test_a_waiting_reader_that_ended_is_replaced(site, tmp_path):
    stix.ready()
    stix._READY._waiting[0].kill()
    stix._READY._waiting[0].wait()
    with stix.opened(written(tmp_path, indicator(1))) as entries:
        assert len(list(entries)) == 1


@pytest.mark.parametrize("ready", [False, True])
@pytest.mark.parametrize(
    "text, code",
    [
        (b"", "not-stix"),
        (b"{", "json-truncated"),
        (bundle(indicator(1))[:-40], "json-truncated"),
        (b'{"type":"bundle","objects":[' + b"[" * 500_000, "json-truncated"),
        (b'{"type":"bundle","objects":' + b'{"a":' * 100_000, "json-truncated"),
        (b'{"type":"bundle","objects":[{"type":"x"}]}', "nothing-imported"),
        (b"\xff\xfe{\0", "json-encoding"),
    ],
)
def test_bombs_and_torsos_change_nothing(site, tmp_path, text, code, ready):
    if ready:
        stix.ready()
    refused(site, written(tmp_path, text=text), code)


def test_what_cannot_be_opened_is_said(site, tmp_path):
    refused(site, tmp_path / "absent.json", "file-unreadable")
    refused(site, tmp_path, "file-unreadable")


LIES = {
    "nothing": "pass",
    "a torn head": "import os; os.write(1, b'\\0\\0')",
    "a torn frame": "import os; os.write(1, (999).to_bytes(4, 'big') + b'B123')",
    "a frame larger than any": "import os, time; os.write(1, b'\\xff\\xff\\xff\\xffB'); time.sleep(60)",
    "another shape": "import os; os.write(1, (1).to_bytes(4, 'big') + b'B\\x01')",
    "nesting without end": "import os; t = b'\\x94\\x90\\x90\\x00' + b'\\x91' * 5000 + b'\\x90';"
    " os.write(1, len(t).to_bytes(4, 'big') + b'B' + t)",
    "another letter": "import os; os.write(1, (1).to_bytes(4, 'big') + b'Z\\x90')",
    "no end": "import os; os.write(1, (4).to_bytes(4, 'big') + b'B\\x93\\x90\\x90\\x00')",
    "its own death": "import os; os.kill(os.getpid(), 9)",
    "an exception": "raise MemoryError",
    "other types": "import os; t = b'\\x93\\x91\\x97\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x90\\x00';"
    " os.write(1, len(t).to_bytes(4, 'big') + b'B' + t)",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_reader_that_lies_or_dies_is_an_error(site, tmp_path, monkeypatch, lie):
    instead(monkeypatch, LIES[lie])
    refused(site, written(tmp_path, indicator(1)), "reader-died")


TEXTS = {
    "no JSON": lambda raw: b"nothing",
    "half of it": lambda raw: raw[:-9],
    "no object": lambda raw: b"[]",
    "bytes that are no text": lambda raw: raw.replace(b"indicator 1", b"\xff"),
    "a number beyond any": lambda raw: raw[:-1] + b',"x":1e9999}',
    "nesting without end": lambda raw: raw[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "another object": lambda raw: raw.replace(b"indicator--00000001", b"indicator--00000002"),
    "another type": lambda raw: raw.replace(b'"type":"indicator"', b'"type":"identity"'),
}


def tell(tmp_path, monkeypatch, one):
    """Let the reader give this, whatever is in the file."""
    encode = msgspec.msgpack.encode
    frames = [(b"B", encode(worker.Batch((one,), (), 1))), (b"E", encode(worker.End("", {})))]
    told = tmp_path / "told"
    told.write_bytes(b"".join(len(text).to_bytes(4, "big") + kind + text for kind, text in frames))
    instead(monkeypatch, f"import os; os.write(1, open({str(told)!r}, 'rb').read())")


@pytest.mark.parametrize("lie", TEXTS)
def test_a_text_that_is_not_what_the_reader_says_stays_out(site, tmp_path, monkeypatch, lie):
    good = prepared.prepare_text(json.dumps(indicator(1), separators=(",", ":")).encode(), "")
    text = TEXTS[lie](good.raw)
    assert text != good.raw
    tell(tmp_path, monkeypatch, msgspec.structs.replace(good, raw=text))
    refused(site, written(tmp_path, indicator(1)), "reader-died")


def test_a_reader_that_hangs_is_ended(site, tmp_path, monkeypatch):
    instead(monkeypatch, "import time; time.sleep(600)")
    monkeypatch.setattr(stix, "PATIENCE", 0.3)
    refused(site, written(tmp_path, indicator(1)), "reader-hung")


def test_a_reader_killed_on_the_way_leaves_the_store_as_it_was(site, tmp_path, monkeypatch):
    path = written(tmp_path, *map(indicator, range(20_000, 24_000)))
    stix._READY.close()
    started = []
    real = subprocess.Popen

    def popen(*arguments, **more):
        started.append(real(*arguments, **more))
        return started[-1]

    monkeypatch.setattr(stix.subprocess, "Popen", popen)

    class Killing(Job):
        def step(self, done, total, stage):
            if stage == "store" and done >= 1000:
                os.kill(started[0].pid, signal.SIGKILL)

    # What it had sent before may be all there is: then the import is whole. Kept waiting, it cannot have sent all.
    refused(site, path, "reader-died", Killing())
    assert started[0].returncode == -signal.SIGKILL


def test_cancelling_answers_while_nothing_comes(site, tmp_path, monkeypatch):
    instead(monkeypatch, "import time; time.sleep(600)")
    job = Job()
    threading.Timer(0.2, job.cancel).start()
    before = state(site)
    with pytest.raises(Cancelled):
        imported(site, written(tmp_path, indicator(1)), job)
    assert state(site) == before


def test_no_reader_stays_behind(site, tmp_path):
    path = written(tmp_path, *map(indicator, range(30_000, 33_000)))
    for takes in (1, 5):
        with stix.opened(path) as entries:
            for _ in range(takes):
                next(entries)
    streams.close()
    found = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True)
    assert "app.formats.worker" not in found.stdout


def test_the_reader_gave_its_powers_away(tmp_path):
    """What it tries once confined, in a process of its own."""
    script = f"""
import os, sys
from app.formats import worker
worker.confine()
said = []
for name, act in {{
    "open": lambda: open({str(tmp_path / "x")!r}, "w"),
    "read": lambda: open("/etc/passwd"),
    "connect": lambda: __import__("socket").socket(),
    "memory": lambda: bytearray(2 << 30),
}}.items():
    try:
        act()
        said.append(name)
    except (OSError, MemoryError):
        pass
os.write(1, repr(said).encode())
"""
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]"


def test_a_reader_that_runs_ahead_waits(tmp_path, monkeypatch):
    """What is not taken is not held, here or there: of a file of 40 MB little more than a pipe holds is read."""
    path = tmp_path / "long.json"
    with path.open("wb") as file:
        file.write(b'{"type":"bundle","id":"bundle--1","objects":[')
        text = json.dumps(indicator(1, description="x" * 100_000)).encode()
        file.write(b",".join([text] * 400) + b"]}")
    stix._READY.close()
    started = []
    real = stix._started
    monkeypatch.setattr(stix, "_started", lambda source: started.append(real(source)) or started[-1])
    with stix.opened(path) as entries:
        next(entries)
        time.sleep(0.5)
        place = Path(f"/proc/{started[0].pid}/fdinfo/0").read_text().split()[1]
    assert int(place) < stix.PIPE + 8 * worker.BATCH_BYTES


PEAK = """
import pathlib, resource, sys, time
from app.formats import stix
from app.intel.reading import Fault
found = faults = 0
with stix.opened(pathlib.Path(sys.argv[1])) as entries:
    for one in entries:
        if isinstance(one, Fault):
            faults += 1
            print(one.where, one.code)
        else:
            found += 1
            # A store that is slower than the reader: whatever can wait does.
            time.sleep(0.3 * (len(one.raw) > 1 << 20))
print(found, faults)
# Not `ru_maxrss`, which begins with what whoever started this process had.
(own,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(own.split()[1]) // 1024)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""
"""Reads a file in a process of its own and says the peaks of that and of the reader, in MiB."""


def great(number, ending=""):
    """The text of an object as great as one can be."""
    head, _, tail = (
        json.dumps(indicator(number, description="@" + ending), ensure_ascii=False).encode().partition(b"@")
    )
    return (
        head + b"x" * ((16 << 20) - len(head) - len(tail) + tail.count(b" ") + head.count(b" ") - 64) + tail
    )


def test_great_objects_one_behind_another_are_held_one_at_a_time(tmp_path):
    """Though whoever takes them is slow; one with a character that makes Python's text of it four times as long."""
    path = tmp_path / "great.json"
    path.write_bytes(
        bundle()[:-2] + b",".join([great(1), great(2), great(3, "\U0001f600"), great(4)]) + b"]}"
    )
    done = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True)
    counts, here, there = done.stdout.splitlines()
    assert counts == "4 0"
    assert int(here) + int(there) < 450


def test_room_is_made_before_something_great_is_taken_from_the_reader(tmp_path, monkeypatch):
    path, made = tmp_path / "great.json", []
    path.write_bytes(bundle(indicator(1), indicator(2, description="x" * (1 << 20)), indicator(3)))
    monkeypatch.setattr(stix, "GREAT", 1 << 20)
    monkeypatch.setattr(stix, "make_room", lambda: made.append(True))
    with stix.opened(path) as entries:
        assert sum(1 for _ in entries) == 3
    assert made == [True]


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_two_gigabytes_are_read_in_bounded_memory(tmp_path):
    """Small objects, the greatest there may be, one that is greater, and much white space; here and in the reader."""
    path = tmp_path / "large.json"
    small = json.dumps(indicator(1)).encode()
    head, _, tail = json.dumps(indicator(2, description="@")).encode().partition(b"@")
    great = head + b"x" * ((16 << 20) - len(head) - len(tail)) + tail
    with path.open("wb") as file:
        file.write(b'{"type":"bundle","id":"bundle--1","objects":[')
        for turn in range(20):
            file.write(b",".join([small] * 2000) + b"," + great + b",")
            file.write((small + b" " * (20 << 20) + b",") * 4)
            if turn == 10:
                file.write(head + b"x" * (64 << 20) + tail + b",")
        file.write(small + b"]}" + b"\n" * (1 << 19))
    assert path.stat().st_size > 1_950_000_000
    done = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True)
    where, counts, *peaks = done.stdout.splitlines()
    assert (where, counts) == (f"objects[{11 * 2005}] object-size", f"{20 * 2005 + 1} 1")
    assert sum(map(int, peaks)) < 450


def test_the_first_frames_come_soon_and_all_come_in_order(tmp_path):
    path = written(tmp_path, *(indicator(number) for number in range(1, 1_000)))
    frames = []
    with path.open("rb", buffering=0) as file:
        worker.read(file, lambda frame: frames.append(bytes(frame)))
    batches = [msgspec.msgpack.decode(one[worker.HEAD :], type=worker.Batch) for one in frames[:-1]]
    assert [len(one.objects) for one in batches[:5]] == [32, 64, 128, 250, 250]
    assert [one.where for batch in batches for one in batch.objects] == [f"objects[{n}]" for n in range(999)]


def test_a_frame_is_what_it_says():
    batch = worker.Batch((), (reading.Fault("objects[0]", "stix-id"),), 7)
    text = msgspec.msgpack.encode(batch)
    assert msgspec.msgpack.decode(text, type=worker.Batch) == batch


def test_the_flag_is_one_everywhere():
    from app import cli
    from ui import main

    assert cli.READER == main.READER == worker.FLAG


def test_a_frozen_program_starts_itself_as_the_reader(tmp_path):
    cli = str(Path(sys.executable).with_name("mithaq-cli"))
    with written(tmp_path, indicator(1)).open("rb") as file:
        done = subprocess.run([cli, worker.FLAG], stdin=file, capture_output=True)
    assert indicator(1)["id"].encode() in done.stdout


@pytest.mark.parametrize(
    "frame",
    [
        (b"B", worker.Batch((), (reading.Fault("objects[0]", "no-such-code"),), 1)),
        (b"B", worker.Batch((), (reading.Fault("objects[0]", "retired"),), 1)),
        (b"B", worker.Batch((), (reading.Fault("x" * (stix.MAX_FACT + 1), "stix-id"),), 1)),
        (b"E", worker.End("no-such-code", {})),
        (b"E", worker.End("stix-no-such", {})),
        (b"E", worker.End("wrong-passphrase", {})),
        (b"E", worker.End("json-syntax", {"where": "x" * (stix.MAX_FACT + 1)})),
    ],
)
def test_what_no_reader_says_is_not_repeated(site, tmp_path, monkeypatch, frame):
    told = tmp_path / "told"
    text = msgspec.msgpack.encode(frame[1])
    end = msgspec.msgpack.encode(worker.End("", {}))
    told.write_bytes(
        b"".join(len(t).to_bytes(4, "big") + kind + t for kind, t in ((frame[0], text), (b"E", end)))
    )
    instead(monkeypatch, f"import os; os.write(1, open({str(told)!r}, 'rb').read())")
    refused(site, written(tmp_path, indicator(1)), "reader-died")


def test_facts_that_no_sentence_has_are_left_out(site, tmp_path, monkeypatch):
    told = tmp_path / "told"
    text = msgspec.msgpack.encode(worker.End("json-syntax", {"where": "byte 3", "code": "x", "self": "y"}))
    told.write_bytes(len(text).to_bytes(4, "big") + b"E" + text)
    instead(monkeypatch, f"import os; os.write(1, open({str(told)!r}, 'rb').read())")
    with pytest.raises(Refused) as caught:
        imported(site, written(tmp_path, indicator(1)))
    assert (caught.value.code, caught.value.facts) == ("json-syntax", {"where": "byte 3"})


def test_a_key_of_any_length_is_a_fault_like_another(site, tmp_path):
    key = "k" * 100_000
    old = {
        "type": "observed-data",
        "id": "observed-data--00000001-0000-4000-8000-000000000000",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "first_observed": "2026-01-01T00:00:00Z",
        "last_observed": "2026-01-01T00:00:00Z",
        "number_observed": 1,
        "objects": {key: {"type": "file", "name": "x", "parent_directory_ref": key}},
    }
    counts = imported(site, written(tmp_path, indicator(77), old))
    ((where, code),) = counts.refused
    assert (counts.new, code) == (1, "stix-2.0-reference")
    assert len(where) < stix.MAX_FACT


@pytest.mark.parametrize("end", [{}, [], {"a": []}, None, 7, True])
def test_an_end_of_any_kind_costs_nobody_else_anything(site, tmp_path, end):
    tie = {
        "type": "relationship",
        "spec_version": "2.1",
        "id": f"relationship--{hash(repr(end)) % 10**8:08}-0000-4000-8000-000000000000",
        "relationship_type": "uses",
        "source_ref": end,
        "target_ref": indicator(1)["id"],
    }
    assert (
        imported(site, written(tmp_path, tie, tie | {"target_ref": end, "relationship_type": end})).refused
        == []
    )
    assert problems(site) == []
