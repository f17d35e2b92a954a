"""Runs the measuring modules beside it: `python -m tests.bench [NAME...]`.

Every module here with a `run() -> list[Figure]` is one. The figures are printed beside the asked ones and
written to build/bench.json with the machine they were taken on. A missed bound is shown, and is no error: a
busy machine misses bounds too. A module that breaks is an error (exit 1).
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figure import Figure

HERE = Path(__file__).resolve().parent
REPORT = HERE.parent.parent / "build" / "bench.json"
HELPERS = frozenset(("figure", "synthetic"))
MARKS = {True: "kept", False: "MISSED", None: "-"}


def names(wanted: Sequence[str] = ()) -> Iterator[str]:
    """The measuring modules, or those of them that are wanted."""
    for path in sorted(HERE.glob("*.py")):
        if not path.stem.startswith("_") and path.stem not in HELPERS and (not wanted or path.stem in wanted):
            yield path.stem


def line(figure: Figure) -> str:
    """One row of the table."""
    bound = "" if figure.asked is None else f"{'<=' if figure.better == 'lower' else '>='} {figure.asked:g}"
    return f"{figure.name:<52} {figure.value:>12,.1f} {figure.unit:<8} {bound:>12}  {MARKS[figure.met]}"


def main(wanted: Sequence[str]) -> int:
    """Measure, print, write the report."""
    figures: list[Figure] = []
    broken: list[str] = []
    print(f"{'figure':<52} {'measured':>12} {'':<8} {'asked':>12}")
    for name in names(wanted):
        try:
            found = importlib.import_module(f"tests.bench.{name}").run()
        except Exception:
            traceback.print_exc()
            broken.append(name)
            continue
        for figure in found:
            print(line(figure), flush=True)
        figures += found
    report = {
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "figures": [asdict(figure) | {"met": figure.met} for figure in figures],
        "broken": broken,
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    missed = sum(figure.met is False for figure in figures)
    print(f"{len(figures)} figures, {missed} missed, {len(broken)} modules broken: {REPORT}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
