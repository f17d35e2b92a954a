"""The window's thread does no work that belongs to a worker: no import, no paging, no gate, no locking.

Runs in a process of its own, with an application that times every event it hands on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from app import vault
from app.exchange import releases
from app.exchange.releases import Wish
from app.jobs import Job
from tests.ui import stage
from tests.ui.watchdog import PATIENCE_S

OBJECTS = 4_000


def walk() -> dict[str, tuple[float, str]]:
    """The event of each step that took longest: seconds of the window's thread, and which it was."""
    environment = dict(os.environ)
    if not environment.get("DISPLAY"):
        environment["QT_QPA_PLATFORM"] = "offscreen"
    done = subprocess.run(
        [sys.executable, "-m", "tests.ui.test_watchdog"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, tuple[float, str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_no_event_does_the_work_of_a_worker() -> None:
    longest = walk()
    assert len(longest) > 15
    assert {step: event for step, event in longest.items() if event[0] > PATIENCE_S} == {}


@pytest.mark.usefixtures("qapp")
def test_the_watchdog_bites() -> None:
    code = (
        "import time\n"
        "from tests.ui.watchdog import PatientApplication\n"
        "from PySide6.QtCore import QTimer\n"
        "app = PatientApplication(['x'])\n"
        "app.watching = True\n"
        "def busy():\n"
        "    end = time.thread_time() + 0.1\n"
        "    while time.thread_time() < end: pass\n"
        "    app.quit()\n"
        "QTimer.singleShot(0, busy)\n"
        "app.exec()\n"
        "print(app.longest[0] >= 0.1)\n"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


def main() -> int:
    from tests.ui.watchdog import PatientApplication

    application = PatientApplication(["mithaq"])
    from tests.ui.driving import settle, type_into, wait
    from ui import safe_text, theme
    from ui.session import Session

    theme.install(application)
    safe_text.install_rule(application)
    folder = Path(tempfile.mkdtemp())
    a, b = stage.pair(folder)
    many = stage.bundle(folder / "many.json", [stage.indicator(n, f"Name {n}") for n in range(OBJECTS)])
    stage.take(b, many, "CLEAR")
    with vault.unlocked(b.home, stage.PASSPHRASE) as there:
        package = releases.release(there, a.name, Wish(None), folder / "package.age", Job()).package.path
    longest: dict[str, tuple[float, str]] = {}

    def note(step: str) -> None:
        settle(session)
        longest[step] = max(longest.get(step, (0.0, "")), application.longest)
        application.longest = (0.0, "")

    session = Session(application, a.home)
    session.show()
    time.sleep(0.3)
    wait(lambda: not session._jobs().running, "what the frame needs")
    application.watching = True
    type_into(session._unlock.passphrase, stage.PASSPHRASE)
    session._unlock.unlock()
    wait(lambda: session.desk, "the frame")
    note("unlock")
    frame = session.window.frame
    assert frame is not None
    frame.import_file(many)
    wait(lambda: len(frame.place("holdings").model.ids) == OBJECTS, "the import", 60)  # type: ignore[attr-defined]
    note("import")
    for key in ("inbox", "releases", "counterparts", "audit", "settings", "holdings"):
        session.go(key)
        note(key)
    holdings = frame.place("holdings")
    for row in range(0, OBJECTS, 501):
        holdings.table.select_row(row)  # type: ignore[attr-defined]
        settle(session)
    note("read")
    for row in range(0, OBJECTS, 307):
        holdings.table.verticalScrollBar().setValue(row * 32)  # type: ignore[attr-defined]
        application.processEvents()
    note("scroll")
    holdings.search.setText("name 3")  # type: ignore[attr-defined]
    wait(lambda: len(holdings.model.ids) < OBJECTS, "the search")  # type: ignore[attr-defined]
    note("search")
    session.desk.release_wanted.emit(None)  # type: ignore[union-attr]
    place = frame.place("releases")
    wait(lambda: place.draft and place.draft._judged, "the verdicts", 60)  # type: ignore[attr-defined]
    note("gate")
    frame.receive(package)
    box = frame.place("inbox")
    wait(lambda: box.packages.model.ids, "the package", 60)  # type: ignore[attr-defined]
    note("receive")
    box.review(box.packages.model.ids[0])  # type: ignore[attr-defined]
    wait(lambda: box.under_review._review, "the comparison", 60)  # type: ignore[attr-defined]
    note("compare")
    for status in ("same", ""):
        box.under_review.chips.choose(status)  # type: ignore[attr-defined]
        note("filter")
    session.lock()
    wait(lambda: session._unlock.button.isEnabled(), "the store to be closed")
    note("lock")
    session.window.close()
    print(json.dumps(longest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
