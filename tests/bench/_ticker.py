"""How late a window's timer is while a file is imported beside it: `python -m tests.bench._ticker HOME FILE`.

The import runs in a thread of this process, as the window's jobs do. Prints JSON: milliseconds by which a timer of
5 ms was late, at the 99th percentile and at worst, and how often it was looked at.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel

from app import vault
from app.formats import stix
from app.holdings import importing
from app.jobs import quiet
from tests.bench._holdings import PASSPHRASE

INTERVAL = 5


def main(home: Path, file: Path) -> dict[str, float]:
    """Import, and watch the clock of the window."""
    application = QApplication([])
    label = QLabel()
    label.show()
    moments: list[float] = []
    timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=INTERVAL)
    failed: list[BaseException] = []

    def tick() -> None:
        moments.append(time.perf_counter())
        label.setText(str(len(moments)))
        if not work.is_alive():
            application.quit()

    def run() -> None:
        try:
            with stix.opened(file) as entries:
                importing.import_entries(installation, entries, file.name, None, quiet(), file.stat().st_size)
        except BaseException as error:
            failed.append(error)

    with vault.unlocked(home, PASSPHRASE) as installation:
        work = threading.Thread(target=run)
        timer.timeout.connect(tick)
        work.start()
        timer.start()
        application.exec()
        work.join()
    if failed:
        raise failed[0]
    late = sorted((b - a) * 1000 - INTERVAL for a, b in itertools.pairwise(moments))
    return {"p99": late[len(late) * 99 // 100], "worst": late[-1], "ticks": len(late)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
