"""Writes the vector files anew: `python -m tests.vectors.make`.

Keys are fixed; signatures, encapsulations and salts are random by their nature, so every run gives other bytes of the
same meaning. Write them anew only when the format changes, and say so in docs/package-format.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.vectors import manifests, packages, papers
from tests.vectors.format import FOLDER, Vector


def every() -> Iterator[Vector]:
    """All vectors."""
    for module in (packages, manifests, papers):
        yield from module.every()


def write(folder: Path) -> int:
    """Write all vectors into a folder, removing what else is in it; returns how many."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    count = 0
    for vector in every():
        with (folder / vector.name).open("xb") as file:
            file.write(vector.dump())
        count += 1
    return count


if __name__ == "__main__":
    print(write(FOLDER))
