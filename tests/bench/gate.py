"""How long the release gate takes over 100,000 objects, end to end: reading them, judging them, saying why.

Half were imported here; half came from a counterpart, so that whose they are and what their agreement says counts. The
agreement covers some kinds and AMBER; a third of the objects is marked, the rest has a handling.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from app.exchange import releases
from app.exchange.releases import Wish
from app.holdings import importing
from app.holdings.importing import Incoming
from app.intel.marking import Level
from app.intel.prepared import prepare_text
from app.jobs import quiet
from app.store import origins
from app.store.installation import Installation
from tests.bench.figure import Figure
from tests.bench.synthetic import values
from tests.support.sites import agreed, copied, make_template

OBJECTS = 100_000


def taken(site: Installation, kind: str, name: str, some: Iterable[dict[str, object]]) -> None:
    """Put objects into the holdings as if they came so."""
    with site.database.write() as tx:
        origin = origins.add(tx, kind, name, None, site.officer, site.now())
        incoming = (Incoming(prepare_text(msgspec.json.encode(one), str(n))) for n, one in enumerate(some))
        importing.take(tx, incoming, origin, Level.GREEN, quiet(), OBJECTS, foreign=kind == "package")


def checked(site: Installation, wish: Wish) -> tuple[float, releases.Decision]:
    """Seconds of one check, and what it said."""
    start = time.perf_counter()
    decision = releases.check(site, "beta", wish, quiet())
    return time.perf_counter() - start, decision


def run() -> list[Figure]:
    """The best of three, for a busy machine measures its business."""
    made: Sequence[dict[str, object]] = list(values(OBJECTS))
    with tempfile.TemporaryDirectory(prefix="mithaq-bench-") as folder:
        template = make_template(Path(folder) / "template", met=True)
        with copied(template, Path(folder) / "world") as world:
            agreed(world.alpha, world.beta)
            taken(world.alpha, "import", "file", made[: OBJECTS // 2])
            taken(world.alpha, "package", world.mallory.fingerprint, made[OBJECTS // 2 :])
            runs = [checked(world.alpha, Wish(None)) for _ in range(3)]
            decision = runs[0][1]
            assert len(decision.items) >= 0.9 * OBJECTS
            assert len({item.code for item in decision.items}) > 2
            new = min(checked(world.alpha, Wish(None, new_only=True))[0] for _ in range(2))
    return [
        Figure("gate: 100,000 objects, end to end", min(seconds for seconds, _ in runs), "s", asked=5),
        Figure("gate: the same, only what they lack", new, "s"),
    ]
