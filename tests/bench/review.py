"""How long a package of 100,000 objects takes to be compared with the holdings, and how long to be accepted."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from app.exchange import deciding, inbox
from app.jobs import quiet
from tests.bench.figure import Figure
from tests.support.sites import T1, copied, indicator, make_template, receive, relationship, take, thing

OBJECTS = 100_000


def objects(count: int) -> list[dict]:
    """Indicators, malware, relationships between them, and domains, a quarter each."""
    made = []
    for n in range(count // 4):
        rule, family = indicator(n), thing("malware", n, is_family=True, description=f"Family {n}. " * 8)
        rule["description"] = f"Seen at site {n}. " * 6
        made += [rule, family, relationship(n, rule, family)]
        made.append(
            thing("domain-name", n, name=None, created=None, modified=None, value=f"host{n}.example.net")
        )
    return made


def run() -> list[Figure]:
    """Half of the package is held; of that half, one in four is newer and one in four in conflict."""
    coming = objects(OBJECTS)
    held = [dict(one) for one in coming[: OBJECTS // 2]]
    for n, (here, there) in enumerate(zip(held, coming, strict=False)):
        if here["type"] == "indicator":
            there["modified"] = T1
        elif here["type"] == "malware" and n % 8 < 4:
            here["description"] = "Other words."
    with tempfile.TemporaryDirectory(prefix="mithaq-bench-") as folder:
        template = make_template(Path(folder) / "template", met=False)
        with copied(template, Path(folder) / "world") as world:
            take(world.alpha, *held)
            number = receive(world.alpha, world.mallory.intel(world.alpha, *coming)).number
            start = time.perf_counter()
            found = inbox.review(world.alpha, number, quiet())
            review = time.perf_counter() - start
            counts = found.counts
            assert counts["new"] == OBJECTS // 2, counts
            assert counts["newer"] == OBJECTS // 8 == 2 * counts["conflict"], counts
            start = time.perf_counter()
            deciding.accept(world.alpha, number, None, quiet())
            accept = time.perf_counter() - start
    return [
        Figure("review: 100,000 objects beside 50,000 held", review, "s", asked=8),
        Figure("accept: the same 100,000 objects", accept, "s"),
    ]
