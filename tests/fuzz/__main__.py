"""Runs one target under atheris: `python -m tests.fuzz TARGET [--seconds N] [--size BYTES] [--folder DIR]`.

Inputs that reach new code are kept in the folder (default build/fuzz/TARGET) and are the start of the next run. A
finding ends the run with a file `crash-...` there and a status that is not 0. One input may take 2 s and 256 MiB.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

SECONDS_AN_INPUT = 2
MEMORY_MIB = 256


def main() -> None:
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris")
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--size", type=int, default=65536)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with atheris.instrument_imports(
        include=["crypto", "app.exchange.files", "app.formats", "app.holdings.filenames", "app.intel"]
    ):
        from tests.fuzz.mutate import json_mutation
        from tests.fuzz.targets import JSON_TARGETS, TARGETS
    if given.target not in TARGETS:
        parser.error(f"target is one of: {', '.join(TARGETS)}")
    target, seeds = TARGETS[given.target]
    folder = given.folder or Path("build") / "fuzz" / given.target
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds():
        if len(seed) <= given.size:
            (folder / hashlib.sha256(seed).hexdigest()[:40]).write_bytes(seed)
    arguments = [
        sys.argv[0],
        str(folder),
        f"-max_total_time={given.seconds}",
        f"-max_len={given.size}",
        f"-timeout={SECONDS_AN_INPUT}",
        f"-malloc_limit_mb={MEMORY_MIB}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
    ]

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        changed = json_mutation(data, seed) if seed % 2 else None
        return changed[:most] if changed is not None else atheris.Mutate(data, most)

    if given.target in JSON_TARGETS:
        atheris.Setup(arguments, target, custom_mutator=mutate)
    else:
        atheris.Setup(arguments, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
