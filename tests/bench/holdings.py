"""Import and export, in processes of their own, beside stix2.MemoryStore and a store without a key, in one run.

MITHAQ_BENCH_MILLION=1 adds the figures at a million objects (some minutes, 3 GB of disk).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench import synthetic
from tests.bench.figure import Figure

OBJECTS = 100_000


MILLION = 1_000_000
MOBILE = "stix/mobile-attack-17.1.json"


def run() -> list[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = [*_hundred_thousand(folder), *_mobile(folder)]
        if os.environ.get("MITHAQ_BENCH_MILLION"):
            figures += _million(folder, next(f.value for f in figures if f.unit == "/s"))
    return figures


def work(what: str, home: Path, file: Path | None = None, plain: bool = False) -> dict[str, float]:
    """What tests/bench/_holdings.py measures."""
    command = [sys.executable, "-m", "tests.bench._holdings", what, str(home), *([str(file)] if file else [])]
    environment = os.environ | ({"MITHAQ_BENCH_PLAIN": "1"} if plain else {})
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    return json.loads(done.stdout)


def _memory_store(file: Path) -> float:
    """Seconds that stix2.MemoryStore takes to load a bundle, in a process of its own."""
    script = (
        "import sys, time, stix2, warnings; warnings.simplefilter('ignore'); began = time.perf_counter();"
        "stix2.MemoryStore().load_from_file(sys.argv[1]); print(time.perf_counter() - began)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def _hundred_thousand(folder: Path) -> Iterator[Figure]:
    file = folder / "bundle.json"
    size = synthetic.write(file, OBJECTS)
    home, plain = folder / "home", folder / "plain"
    work("create", home)
    work("create", plain, plain=True)
    theirs = OBJECTS / _memory_store(file)
    first = work("import", home, file)
    unkeyed = work("import", plain, file, plain=True)
    again = work("import", home, file)
    rate = OBJECTS / first["seconds"]
    yield Figure("import of 100,000 objects", rate, "/s", better="higher")
    yield Figure("import of 100,000: beside MemoryStore", rate / theirs, "x", 7, "higher")
    yield Figure("import of 100,000: CPU beside no key", first["cpu"] / unkeyed["cpu"], "x", 1.3)
    yield Figure("import of 100,000: time beside no key", first["seconds"] / unkeyed["seconds"], "x", 1.3)
    yield Figure("the same once more: part of the time", again["seconds"] / first["seconds"], "x", 0.7)
    yield Figure("the same once more: growth of the store", again["size"] - first["size"], "bytes", 1 << 20)
    yield Figure("import of 100,000: peak memory, both processes", first["peak"], "MiB", 450)
    yield Figure("import of 100,000: store beside compact JSON", first["size"] / size, "x", 1.0)
    yield _ticker(folder / "watched", file)
    out = folder / "out.json"
    export = work("export", home, out)
    yield Figure("export of 100,000 objects", export["objects"] / export["seconds"], "/s", 150_000, "higher")
    yield Figure("export of 100,000: peak memory", export["peak"], "MiB", 150)
    other = folder / "cancelled"
    work("create", other)
    yield Figure("a cancelled import answers after", work("cancel", other, file)["answer"] * 1000, "ms", 500)


def _ticker(home: Path, file: Path) -> Figure:
    work("create", home)
    command = [sys.executable, "-m", "tests.bench._ticker", str(home), str(file)]
    environment = {"QT_QPA_PLATFORM": "offscreen"} | os.environ
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    return Figure("import of 100,000: the window's timer late, p99", json.loads(done.stdout)["p99"], "ms", 10)


def _mobile(folder: Path) -> Iterator[Figure]:
    corpus = os.environ.get("MITHAQ_CORPUS")
    file = Path(corpus) / MOBILE if corpus else None
    if file is None or not file.is_file():
        return
    home = folder / "mobile"
    work("create", home)
    theirs = _memory_store(file)
    yield Figure(
        "import of ATT&CK mobile: beside MemoryStore",
        theirs / work("import", home, file)["seconds"],
        "x",
        4,
        "higher",
    )


def _million(folder: Path, rate: float) -> Iterator[Figure]:
    file, other, home = folder / "million.json", folder / "other.json", folder / "large"
    size = synthetic.write(file, MILLION)
    synthetic.write(other, MILLION, seed=2)
    work("create", home)
    first = work("import", home, file)
    yield Figure(
        "import of 1,000,000: beside the rate at 100,000",
        MILLION / first["seconds"] / rate,
        "x",
        1.0,
        "higher",
    )
    yield Figure("import of 1,000,000: peak memory, both processes", first["peak"], "MiB", 450)
    yield Figure("import of 1,000,000: store beside compact JSON", first["size"] / size, "x", 1.0)
    again = work("import", home, file)
    yield Figure("1,000,000 once more: part of the time", again["seconds"] / first["seconds"], "x", 0.7)
    export = work("export", home, folder / "large.json")
    yield Figure(
        "export of 1,000,000 objects", export["objects"] / export["seconds"], "/s", 150_000, "higher"
    )
    yield Figure("export of 1,000,000: peak memory", export["peak"], "MiB", 150)
    yield Figure(
        "a cancelled import into 1,000,000 answers after",
        work("cancel", home, other)["answer"] * 1000,
        "ms",
        500,
    )
    second = work("import", home, other)
    yield Figure(
        "1,000,000 into 1,000,000 others: beside the rate at 100,000",
        MILLION / second["seconds"] / rate,
        "x",
        0.5,
        "higher",
    )
    yield Figure("1,000,000 into 1,000,000 others: peak memory", second["peak"], "MiB", 450)
