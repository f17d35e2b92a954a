"""How long a command of `mithaq-cli` takes to start, without any key derivation."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.figure import Figure, wall_milliseconds

CLI = str(Path(sys.executable).parent / "mithaq-cli")


def run() -> list[Figure]:
    """Help of the whole, and of one command, each as an officer's script would start it."""
    return [
        Figure("mithaq-cli --help", wall_milliseconds([CLI, "--help"]), "ms", asked=250),
        Figure("mithaq-cli release --help", wall_milliseconds([CLI, "release", "--help"]), "ms", asked=250),
    ]
