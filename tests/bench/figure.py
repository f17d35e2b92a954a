"""One measured figure, and the way figures are taken."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """What was measured. `asked` is the bound (None: none was set), `better` the side of it to be on."""

    name: str
    value: float
    unit: str
    asked: float | None = None
    better: Literal["lower", "higher"] = "lower"

    @property
    def met(self) -> bool | None:
        """Whether the figure keeps its bound; None without one."""
        if self.asked is None:
            return None
        return self.value <= self.asked if self.better == "lower" else self.value >= self.asked


def as_installed() -> dict[str, str]:
    """The environment for a process that is measured: compiled modules are kept from run to run, as they are for
    whoever uses the program.
    """
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def wall_milliseconds(command: Sequence[str], rounds: int = 15) -> float:
    """The median wall time of `command`, a process of its own, after one unmeasured run. It must succeed."""
    env, times = as_installed(), []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, env=env)
        times.append((time.perf_counter() - start) * 1000)
    return median(times[1:])
