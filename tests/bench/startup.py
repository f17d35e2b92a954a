"""How long a command of `mithaq-cli` takes to start, without any key derivation."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from app import vault
from crypto.slots import Cost
from tests.bench.figure import Figure, wall_milliseconds

CLI = str(Path(sys.executable).parent / "mithaq-cli")
PASSPHRASE = "six random words are good enough"


def run() -> list[Figure]:
    """Help, and whole commands on an installation whose key derivation costs nothing, as a script would start them."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        secret = Path(folder) / "passphrase"
        secret.write_text(PASSPHRASE + "\n")
        vault.create(home, "Bench", "JO", "Bench", PASSPHRASE, cost=Cost(passes=1, memory=8))
        options = [CLI, "--home", str(home), "--passphrase-file", str(secret)]
        commands = {"--help": [CLI, "--help"], "release --help": [CLI, "release", "--help"]}
        commands |= {
            name: [*options, *name.split()] for name in ("list", "outbox", "inbox list", "audit verify")
        }
        return [
            Figure(f"mithaq-cli {name}", wall_milliseconds(command), "ms", asked=250)
            for name, command in commands.items()
        ]
