"""One piece of work on a store in a process of its own, measured: `python -m tests.bench._holdings WORK HOME [FILE]`.

WORK is create, import, cancel or export; with MITHAQ_BENCH_PLAIN set, the store has no key. Prints JSON: seconds,
CPU seconds with those of the reader, peak memory of both in MiB.
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
from app.store.selecting import Selection
from crypto.slots import Cost

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
        vault.create(home, "Bench", "JO", "Bench", PASSPHRASE, cost=Cost(passes=1, memory=8))
        return {}
    with vault.unlocked(home, PASSPHRASE) as installation:
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
                    installation, entries, file.name, None, quiet()
                ).read
        found["seconds"] = time.perf_counter() - began
        found["cpu"] = time.process_time() - used
    own, reader = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    found["cpu"] += reader.ru_utime + reader.ru_stime
    found["peak"] = (own.ru_maxrss + (reader.ru_maxrss if work == "import" else 0)) / 1024
    found["size"] = (home / "store.db").stat().st_size
    return found


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
            importing.import_entries(installation, entries, file.name, None, job)
    except Cancelled:
        return time.perf_counter() - asked[0]
    raise AssertionError("it was done before it was cancelled")


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)))
