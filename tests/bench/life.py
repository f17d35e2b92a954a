"""Acts on an installation of 100,000 objects: check, backup, restore, compact, a fresh key: time, memory, and how soon
each answers when it is stopped.

MITHAQ_BENCH_MILLION=1 takes a million objects instead (some minutes, 6 GB of disk).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench import holdings, synthetic
from tests.bench.figure import Figure

PEAK = 450
"""MiB, as for an import."""
ANSWER = 500
"""Milliseconds in which what is stopped answers."""


def run() -> list[Figure]:
    """The figures."""
    count = holdings.MILLION if os.environ.get("MITHAQ_BENCH_MILLION") else holdings.OBJECTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthetic.write(folder / "bundle.json", count)
        holdings.work("create", folder / "home")
        holdings.work("import", folder / "home", folder / "bundle.json")
        return list(measured(folder, f"{count:,}"))


def measured(folder: Path, count: str) -> Iterator[Figure]:
    """The figures of the installation in `folder` / "home"."""
    home, file = folder / "home", folder / "all.backup"
    for work in ("check", "backup", "restore", "compact", "rekey"):
        place = folder / "restored" if work == "restore" else home
        found = _work(work, place, file)
        yield Figure(f"{work} of {count} objects", found["seconds"], "s")
        yield Figure(f"{work} of {count}: peak memory", found["peak"], "MiB", PEAK)
        stopped = folder / "stopped"
        answer = _work(
            work,
            stopped if work == "restore" else home,
            stopped if work == "backup" else file,
            found["seconds"] / 3,
        )["answer"]
        assert not stopped.exists()
        yield Figure(f"{work} of {count}: answers after", answer * 1000, "ms", ANSWER)
    shutil.rmtree(folder / "restored")


def _work(work: str, home: Path, file: Path, stop: float = 0) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench._life", work, str(home), str(file)]
    environment = os.environ | ({"MITHAQ_BENCH_STOP": str(stop)} if stop else {})
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    return json.loads(done.stdout)
