"""Questions to the ledger where a million versions of objects were released."""

from __future__ import annotations

import hashlib
import random
import secrets
import tempfile
import time
from pathlib import Path

from app import vault
from app.exchange import channel, counterparts, epochs, receipts
from app.store import ledger as store_ledger
from app.store import packages
from app.store.packages import Sealed
from crypto.identity import Identity
from crypto.slots import Cost
from tests.bench.figure import Figure

COUNTERPARTS, PACKAGES, OBJECTS = 20, 50, 1000
PASSPHRASE = "correct horse battery staple"
ROUNDS = 200


def run() -> list[Figure]:
    """The slowest of one in twenty of two hundred questions, each about another object."""
    assert COUNTERPARTS * PACKAGES * OBJECTS == 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        vault.create(home, "bench", "JO", "R. Haddad", PASSPHRASE, cost=Cost(passes=1, memory=8))
        with vault.unlocked(home, PASSPHRASE) as site:
            now = site.now()
            names = [
                counterparts.add(site, Identity.generate().card(f"team {n}", "JO", now), "").alias
                for n in range(COUNTERPARTS)
            ]
            # Every counterpart was given each object; every object exists in several versions.
            for number in range(COUNTERPARTS):
                with site.database.write() as tx:
                    _release(tx, number + 1, now)
            chosen = random.Random(7).sample(range(PACKAGES * OBJECTS), ROUNDS)
            by_id = _p95(lambda n: list(receipts.ledger(site, id_=_id(chosen[n]))))
            narrowed = _p95(lambda n: list(receipts.ledger(site, names[n % 20], _id(chosen[n]))))
            gave = _p95(lambda n: receipts.given(site, _id(chosen[n])))
            stands = _p95(lambda n: epochs.status(site, names[n % 20]))
    return [
        Figure("ledger --id at 1,000,000 released versions, p95", by_id, "ms", 50.0),
        Figure("ledger --to --id, p95", narrowed, "ms", 50.0),
        Figure("what counterparts gave of an object, p95", gave, "ms", 50.0),
        Figure("channel show, p95", stands, "ms", 50.0),
    ]


def _release(tx: object, cid: int, now: str) -> None:
    epoch = bytes.fromhex(channel.Sending(secrets.token_hex(16)).epoch)
    for seq in range(1, PACKAGES + 1):
        digest = secrets.token_bytes(32)
        packages.add_sealed(
            tx,
            Sealed(
                cid, seq, epoch, digest, b"", b"", None, f"{cid}-{seq}", "x.age", 1, digest, now, "onetime",
                f"2026/{seq}", "", b"", 0, True,
            ),
        )  # fmt: skip
        store_ledger.add(
            tx,
            (
                store_ledger.Entry(
                    cid, epoch, seq, position, _id((seq - 1) * OBJECTS + position), now,
                    hashlib.sha256(b"%d %d" % (seq, position)).digest(), "accepted", True,
                )
                for position in range(OBJECTS)
            ),
        )  # fmt: skip


def _id(number: int) -> str:
    return f"indicator--{hashlib.sha256(b'%d' % number).hexdigest()[:8]}-0000-4000-8000-{number:012x}"


def _p95(ask: object) -> float:
    times = []
    for number in range(ROUNDS):
        start = time.perf_counter()
        ask(number)  # type: ignore[operator]
        times.append((time.perf_counter() - start) * 1000)
    return sorted(times)[ROUNDS * 95 // 100]
