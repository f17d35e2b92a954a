"""Writes the vector files: `python -m tests.vectors.make` those that are missing, with `--all` every one anew.

Keys are fixed; signatures, encapsulations and salts are random by their nature, so every run gives other bytes of the
same meaning. A committed vector is written anew only when the format it shows changes, and docs/package-format.md with
it. Files that no vector has the name of are removed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.vectors import manifests, packages, papers, successions
from tests.vectors.format import FOLDER, Vector


def every() -> Iterator[Vector]:
    """All vectors."""
    for module in (packages, manifests, papers, successions):
        yield from module.every()


def write(folder: Path, anew: bool) -> int:
    """Write vectors into a folder: all of them, or those that are missing. Returns how many were written."""
    folder.mkdir(exist_ok=True)
    vectors = {vector.name: vector for vector in every()}
    for old in folder.iterdir():
        if anew or old.name not in vectors:
            old.unlink()
    missing = [vector for vector in vectors.values() if not (folder / vector.name).exists()]
    for vector in missing:
        (folder / vector.name).write_bytes(vector.dump())
    return len(missing)


if __name__ == "__main__":
    print(write(FOLDER, "--all" in sys.argv[1:]))
