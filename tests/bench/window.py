"""How long the window takes from its start to its first paint."""

from __future__ import annotations

import os
import sys

from tests.bench.figure import Figure, wall_milliseconds


def run() -> list[Figure]:
    """On the real display where there is one, else offscreen; the process's own start included."""
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    where = "real display" if os.environ.get("DISPLAY") else "offscreen"
    taken = wall_milliseconds([sys.executable, "-m", "tests.ui.first_paint"], rounds=7)
    return [Figure(f"mithaq: start to first paint, {where}", taken, "ms", asked=1000)]
