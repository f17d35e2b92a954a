"""One act on a whole installation in a process of its own, measured: `python -m tests.bench._life WORK HOME FILE`.

WORK is check, backup, restore (of FILE into HOME), compact or rekey. Prints JSON: seconds, CPU seconds, peak memory in
MiB; with MITHAQ_BENCH_STOP=SECONDS, the seconds that it still took when it was stopped after so many.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from pathlib import Path

from app import vault
from app.jobs import Cancelled, Job
from tests.bench._holdings import PASSPHRASE


def main(work: str, home: Path, file: Path) -> dict[str, float]:
    """Do it; returns what was measured."""
    job = Job()

    def act() -> None:
        if work == "restore":
            vault.restore(home, file, PASSPHRASE, job)
            return
        with vault.unlocked(home, PASSPHRASE) as installation:
            began[0] = time.perf_counter()
            if work == "check":
                assert vault.check(installation, job) == []
            elif work == "backup":
                vault.back_up(installation, file, job)
            elif work == "compact":
                vault.compact(installation, job)
            else:
                vault.rekey(installation, PASSPHRASE, job)
            taken.append(time.perf_counter() - began[0])

    def stop() -> None:
        asked.append(time.perf_counter())
        job.cancel()

    taken: list[float] = []
    asked: list[float] = []
    began = [time.perf_counter()]
    after = float(os.environ.get("MITHAQ_BENCH_STOP", "0"))
    if after:
        timer = threading.Timer(after, stop)
        timer.start()
        try:
            act()
        except Cancelled:
            return {"answer": time.perf_counter() - asked[0]}
        timer.cancel()
        raise AssertionError("it was done before it was stopped")
    act()
    return {
        "seconds": taken[0] if taken else time.perf_counter() - began[0],
        "cpu": time.process_time(),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
