"""Great objects and many words: what they take of memory is bounded, and what follows them ends."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from random import Random

import pytest

from app.holdings import importing
from app.intel.prepared import prepare_text
from app.jobs import quiet
from app.store import full_text
from tests.support.sites import T0, T1, indicator, problems, thing

BOUND = 450
"""MiB that an import takes in both processes together, whatever the file."""
GREATEST = 16 << 20

IMPORT = """
import resource, sys, threading, time
from pathlib import Path
from app import vault
from app.formats import stix
from app.holdings import importing
from crypto.slots import Cost

def peak(process):
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM")), 0)

readers = [0]

def watch():
    while not ended.wait(0.02):
        for reader in Path("/proc/self/task", str(threading.main_thread().native_id), "children").read_text().split():
            readers.append(peak(reader))

home, ended = Path(sys.argv[1]), threading.Event()
vault.create(home, "Site", "JO", "Officer", "six random words", cost=Cost(passes=1, memory=8))
threading.Thread(target=watch, daemon=True).start()
with vault.unlocked(home, "six random words", "Officer") as site:
    for file in map(Path, sys.argv[2:]):
        with stix.opened(file) as entries:
            counts = importing.import_entries(site, entries, file.name, None, Job(), file.stat().st_size)
        print(counts.new, counts.newer, len(counts.refused))
    ended.set()
    print(peak("self"), max(readers))
    print(*(problem.code for problem in vault.check(site, Job())))
"""
"""Imports files into a new installation; says what each did, the peaks of this process and of the readers in MiB, and
what the check finds.
"""


def imported(home, *files):
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, home, *files], capture_output=True, text=True, check=True
    )
    *counts, peaks, found = done.stdout.split("\n")[:-1]
    assert found == ""
    assert sum(map(int, peaks.split())) < BOUND, peaks
    return counts


def written(path, values):
    with path.open("w") as file:
        file.write('{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[')
        for number, value in enumerate(values):
            file.write("," * (number > 0) + json.dumps(value, ensure_ascii=False))
        file.write("]}")
    return path


def arabic(number):
    """As great as an object can be, of words in Arabic, and one character for which Python keeps all in four bytes."""
    chance = Random(number)
    words = [
        "".join(chance.choices("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", k=chance.randint(2, 8))) for _ in range(20_000)
    ]
    text, size = [], 0
    while size < GREATEST - (1 << 17):
        text.append(" ".join(chance.choices(words, k=5_000)))
        size += len(text[-1].encode()) + 1
    return thing("malware", number, is_family=False, description=" ".join(text) + "\U0001f600")


def test_nothing_of_an_object_is_held_when_the_next_one_is_read(world, monkeypatch):
    monkeypatch.setattr(importing, "STEP_BYTES", 1 << 20)
    monkeypatch.setattr(full_text, "LOOSE", 1 << 20)
    held = []

    def great():
        for number in range(1, 6):
            value = indicator(number, description=f"word{number} " * (1 << 19))
            one = prepare_text(json.dumps(value).encode(), f"objects[{number}]")
            del value
            held.append(tracemalloc.get_traced_memory()[0])
            yield one
            del one
            held.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        counts = importing.import_entries(world.alpha, great(), "great", None, quiet())
    finally:
        tracemalloc.stop()
    assert counts.new == 5
    before, after = held[::2], held[1::2]
    assert min(before) > 4 << 20
    assert max(after) < 2 << 20
    assert problems(world.alpha) == []


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_newer_versions_of_many_long_texts_come_in(tmp_path):
    """Words that are nearly all different: one by one they would go out for a quarter of an hour."""
    chance = Random(3)

    def long(moment):
        for number in range(400):
            words = " ".join(f"{chance.getrandbits(28):x}" for _ in range(130_000))
            yield thing("malware", number + 1, is_family=False, modified=moment, description=words)

    first, newer = (written(tmp_path / name, long(moment)) for name, moment in (("first", T0), ("newer", T1)))
    assert imported(tmp_path / "home", first, newer) == ["400 0 0", "0 400 0"]


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_great_objects_behind_many_small_ones_fit_in_memory(tmp_path):
    """The cache of the store is full of what is not written yet when they come."""

    def values():
        for number in range(300_000):
            yield indicator(100 + number, name=f"{number:x}")
        for number in range(1, 51):
            yield arabic(number)

    assert imported(tmp_path / "home", written(tmp_path / "great", values())) == ["300050 0 0"]
