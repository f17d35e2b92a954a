"""One piece of work on a store in a process of its own, measured: `python -m tests.bench._holdings WORK HOME [FILE]`.

WORK is create, import, cancel or export; with MITHAQ_BENCH_PLAIN set, the store has no key. Prints JSON: seconds,
CPU seconds of this process (main), of the reader and of both, peak memory of both in MiB.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from pathlib import Path

from sqlcipher3 import dbapi2

from app import vault
from app.courier import folder
from app.formats import stix
from app.holdings import exporting, importing
from app.jobs import Cancelled, Job, quiet
from app.store import database
from app.store.conditions import Selection

PASSPHRASE = "six random words are good enough"


class Plain(dbapi2.Connection):
    """A connection to a database without a key."""

    def execute(self, sql, *arguments):
        """As any, but for the key."""
        return super().execute("SELECT 1" if sql.startswith("PRAGMA key") else sql, *arguments)


def main(work: str, home: Path, file: Path | None = None) -> dict[str, float]:
    """Do it; returns what was measured."""
    if os.environ.get("MITHAQ_BENCH_PLAIN"):
        real = dbapi2.connect
        database.dbapi2.connect = lambda *given, **more: real(*given, factory=Plain, **more)
    if work == "create":
        vault.create(home, "Bench", "JO", "Bench", PASSPHRASE)
        return {}
    readers: list[int] = []
    start = stix._started

    def started(source):
        process = start(source)
        readers.append(process.pid)
        return process

    stix._started = started
    if work == "import":
        # As the command line and the window do: it starts while the officer unlocks.
        stix.ready()
    with vault.unlocked(home, PASSPHRASE) as installation, _Peak(readers) as peak:
        before = _children()
        began, used = time.perf_counter(), time.process_time()
        found: dict[str, float] = {}
        if work == "export":
            folder.write_pieces(file, exporting.bundle(installation, Selection(), quiet()))
            found["objects"] = exporting.count(installation, Selection())
        elif work == "cancel":
            found["answer"] = _cancelled(installation, file)
        else:
            with stix.opened(file) as entries:
                found["objects"] = importing.import_entries(
                    installation, entries, file.name, None, quiet(), file.stat().st_size
                ).read
        found["seconds"] = time.perf_counter() - began
        found["cpu"] = time.process_time() - used
        found["reader"] = _children() - before
    found["main"] = found["cpu"]
    found["cpu"] += found["reader"]
    found["peak"] = peak.mebibytes
    found["size"] = (home / "store.db").stat().st_size
    return found


def _children() -> float:
    """CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Peak(threading.Thread):
    """The peak memory of this process from now on, and of the readers.

    Not `ru_maxrss`: ours knows the key derivation's 256 MiB before, and a child's begins with what its parent had when
    it was started.
    """

    def __init__(self, readers: list[int]) -> None:
        super().__init__(daemon=True)
        self._readers, self._ended, self._theirs = readers, threading.Event(), 0
        self.mebibytes = 0.0

    def __enter__(self) -> _Peak:
        Path("/proc/self/clear_refs").write_text("5")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()
        self.mebibytes = (_high("self") + self._theirs) / 1024

    def run(self) -> None:
        while not self._ended.wait(0.02):
            self._theirs = max(self._theirs, *map(_high, self._readers), 0)


def _high(process: int | str) -> int:
    """KiB that a process had at most; 0 of one that ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def _cancelled(installation, file: Path) -> float:
    """Seconds from the officer's word to the end of everything, half way through an import."""
    job = Job()
    asked: list[float] = []

    def cancel() -> None:
        asked.append(time.perf_counter())
        job.cancel()

    timer = threading.Timer(1.5, cancel)
    timer.start()
    try:
        with stix.opened(file, job) as entries:
            importing.import_entries(installation, entries, file.name, None, job, file.stat().st_size)
    except Cancelled:
        return time.perf_counter() - asked[0]
    raise AssertionError("it was done before it was cancelled")


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)))
