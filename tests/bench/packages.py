"""Sealing and opening a package beside age with minisign and beside gpg (tests/crypto/bench.py measures)."""

from __future__ import annotations

from tests.bench.figure import Figure
from tests.crypto import bench


def run() -> list[Figure]:
    """Whole processes on one file of a gibibyte, in one run."""
    return bench.run()
