"""How long the window takes from its start to its first paint, and how long at most for one event of a day's work."""

from __future__ import annotations

import os
import sys

from tests.bench.figure import Figure, wall_milliseconds
from tests.ui import test_watchdog
from tests.ui.watchdog import BUDGET_S


def run() -> list[Figure]:
    """On the real display where there is one, else offscreen; the process's own start included."""
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    where = "real display" if os.environ.get("DISPLAY") else "offscreen"
    taken = wall_milliseconds([sys.executable, "-m", "tests.ui.first_paint"], rounds=7)
    # What a busy machine does once it does not do twice in the same step; what the window computes, it does.
    once, twice = test_watchdog.walk(), test_watchdog.walk()
    seconds, what, step = max((*min(once[step], twice[step]), step) for step in once)
    return [
        Figure(f"mithaq: start to first paint, {where}", taken, "ms", asked=1000),
        Figure(f"the longest event: {step} ({what})", seconds * 1000, "ms", asked=BUDGET_S * 1000),
    ]
