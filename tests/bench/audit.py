"""The log: appending to it, its checkpoint, and checking a hundred thousand entries."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from app import audit, vault
from app.audit import checking, papers
from crypto.slots import Cost
from tests.bench.figure import Figure

ENTRIES = 100_000
PASSPHRASE = "correct horse battery staple"


def run() -> list[Figure]:
    """One installation with a log of that length, each entry appended as an act does it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        vault.create(home, "bench", "JO", "R. Haddad", PASSPHRASE, cost=Cost(passes=1, memory=8))
        with vault.unlocked(home, PASSPHRASE) as site:
            start = time.perf_counter()
            with site.database.write() as tx:
                for number in range(ENTRIES):
                    audit.append(tx, site, "package.received", sender="ab" * 32, seq=number, objects=12)
            each = (time.perf_counter() - start) / ENTRIES
            reader = site.database.read()
            start = time.perf_counter()
            papers.signed(reader, site)
            signed = time.perf_counter() - start
            start = time.perf_counter()
            assert checking.verify(reader) == []
            verified = time.perf_counter() - start
            path = Path(folder) / "log"
            with path.open("wb") as file:
                file.writelines(papers.export(reader, site))
            start = time.perf_counter()
            assert papers.check(path, papers.own_cards(reader)).breaks == ()
            exported = time.perf_counter() - start
    return [
        Figure("audit verify, 100,000 entries", verified, "s", 5.0),
        Figure("audit verify of an export, 100,000 entries", exported, "s", 5.0),
        Figure("audit entry appended", each * 1e6, "us"),
        Figure("audit checkpoint signed at 100,000 entries", signed * 1000, "ms"),
    ]
