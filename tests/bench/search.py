"""Finding things among a million objects: 200 queries of each kind, warm (95th percentile), and the first after a
cold open.

The store is made once under build/ and kept, with a key derivation that costs nothing; a cold open is a new
connection after the system was told to forget the file. A page is a hundred rows, without the total: that is counted
apart.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from app import vault
from app.formats import stix
from app.holdings import browsing, graph, importing
from app.holdings.query import parse
from app.jobs import Job
from app.store import objects, selecting
from app.store.conditions import Selection
from app.store.installation import Installation
from app.store.selecting import Order
from crypto.slots import Cost
from tests.bench import synthetic
from tests.bench.figure import Figure

COUNT = 1_000_000
QUERIES = 200
FEW = 5
"""Of those that take long, and ask nothing that could differ."""
ROWS = 101
PASSPHRASE = "six random words are good enough"
FOLDER = Path(__file__).resolve().parents[2] / "build" / "bench-search"

COMBINATIONS: dict[str, tuple[Callable[[Random], str], Order]] = {
    "everything, newest first": (lambda r: "", Order()),
    "everything, by name": (lambda r: "", Order("name", False)),
    "everything, by marking": (lambda r: "", Order("marking")),
    "a type, newest first": (lambda r: f"type:{r.choice(TYPES)}", Order()),
    "a type and a level": (lambda r: f"type:{r.choice(TYPES)} marking:{r.choice(LEVELS)}", Order()),
    "a level in a year, by type": (
        lambda r: f"marking:{r.choice(LEVELS)} after:{r.randint(2017, 2025)}",
        Order("type"),
    ),
    "revoked of a type": (lambda r: f"revoked:yes type:{r.choice(CHANGING)}", Order()),
    "a source and a confidence": (
        lambda r: f"source:bundle.json confidence:{r.choice((70, 85, 95))}",
        Order(),
    ),
    "a technique": (lambda r: f"technique:T{1000 + r.randrange(700)}", Order()),
    "two types in a month, oldest first": (
        lambda r: f"type:report type:malware after:{r.randint(2017, 2025)}-0{r.randint(1, 9)}",
        Order("modified", False),
    ),
}
TYPES = ("indicator", "relationship", "domain-name", "file", "report", "malware", "vulnerability", "campaign")
CHANGING = ("indicator", "relationship", "report", "sighting")
LEVELS = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")


def prepared(folder: Path = FOLDER, count: int = COUNT) -> Path:
    """The home of an installation with so many objects; made if it is not there."""
    home = folder / f"home-{count}"
    done = folder / f"done-{count}"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "bundle.json"
        synthetic.write(file, count)
        vault.create(home, "Bench", "JO", "Bench", PASSPHRASE, cost=Cost(passes=1, memory=8))
        with vault.unlocked(home, PASSPHRASE, "Bench") as installation, stix.opened(file) as entries:
            importing.import_entries(installation, entries, file.name, None, Job())
        file.unlink()
        done.touch()
    return home


@contextmanager
def opened(home: Path, cold: bool = False) -> Iterator[Installation]:
    """The installation, unlocked; `cold`: nothing of its file is in memory before."""
    if cold:
        for path in home.glob("store.db*"):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with vault.unlocked(home, PASSPHRASE, "Bench") as installation:
        yield installation


def listed(query: str, order: Order) -> Callable[[Installation], object]:
    """A page of what fits."""
    return lambda here: selecting.page(here.database.read(), parse(query), order, ROWS, None)


def ranked(query: str) -> Callable[[Installation], object]:
    """A page of what fits, best first."""
    return lambda here: selecting.ranked(here.database.read(), parse(query), ROWS, None)


def kinds(home: Path) -> list[tuple[str, list[Callable[[Installation], Any]], float, float]]:
    """(name, queries, asked of the warm, asked of the first) of every kind; queries are of what is held."""
    random = Random(7)
    with opened(home) as here:
        reader = here.database.read()
        last = reader.execute("SELECT max(oid) FROM object").fetchone()[0]

        def some(condition: str, columns: str) -> Sequence[Any]:
            while True:
                row = reader.execute(
                    # Along the oids: an index would have the same first one for all.
                    f"SELECT {columns} FROM object NOT INDEXED WHERE oid >= ? AND {condition} LIMIT 1",
                    (random.randrange(last),),
                ).fetchone()
                if row:
                    return tuple(row)

        ids = [objects.stix_id(*some("TRUE", "type, uid")) for _ in range(QUERIES)]
        linked = [
            objects.stix_id(*some("type IN ('indicator', 'malware', 'report')", "type, uid"))
            for _ in range(QUERIES)
        ]
        names = [some("type IN ('domain-name', 'ipv4-addr', 'url')", "name")[0] for _ in range(QUERIES)]
    words = [_words(random) for _ in range(QUERIES)]
    beginnings = [random.choice(word.split())[:3] for word in words]
    parts = [f"part:{name[len(name) // 3 : len(name) // 3 + 7]}" for name in names if len(name) > 10]
    found: list[tuple[str, list[Callable[[Installation], Any]], float, float]] = [
        ("by id", [lambda here, i=i: browsing.show(here, i) for i in ids], 1, 5)
    ]
    for name, (make, order) in COMBINATIONS.items():
        found.append((name, [listed(make(random), order) for _ in range(QUERIES)], 10, 50))
    return [
        *found,
        ("full text, newest first", [listed(f"{word} ", Order()) for word in words], 5, 40),
        ("full text, by rank", [ranked(f"{word} ") for word in words], 20, 100),
        ("as-you-type prefix of three", [listed(word, Order()) for word in beginnings], 15, 40),
        ("observable, exact", [listed(f'value:"{name}"', Order()) for name in names], 1, 5),
        ("observable, a part", [listed(part, Order()) for part in parts], 10, 40),
        ("one hop", [lambda here, i=i: graph.neighbours(here, i, 1, 100) for i in linked], 1, 5),
        ("two hops", [lambda here, i=i: graph.neighbours(here, i, 2, 100) for i in linked], 5, 20),
        ("facet counts", [_facets] * QUERIES, 5, 20),
        ("all rows of a source", [_of_source] * FEW, 3000, 5000),
        ("what dangles, a page", [_dangling] * FEW, 1000, 3000),
    ]


def _words(random: Random) -> str:
    """One word or two, common or rare, Latin or Arabic, as somebody would type them."""
    vocabulary = synthetic.vocabulary()
    many = 1 + (random.random() < 0.4)
    return " ".join(
        synthetic.rare_word(int(60_000 * random.random() ** 2))
        if random.random() < 0.4
        else random.choice(vocabulary)
        for _ in range(many)
    )


def _of_source(here: Installation) -> object:
    return browsing.oids(here, browsing.selection(source="bundle.json"))


def _dangling(here: Installation) -> object:
    return browsing.page(here, browsing.selection(dangling=True))


def _facets(here: Installation) -> object:
    return browsing.counts_by_type(here, Selection()), browsing.sources(here)


def measured(here: Installation, queries: Sequence[Callable[[Installation], object]]) -> float:
    """The 95th percentile in milliseconds over the queries, each the best of three after one unmeasured run: the
    machine has other work, too.
    """
    times = []
    for query in queries:
        query(here)
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            query(here)
            best = min(best, (time.perf_counter() - start) * 1000)
        times.append(best)
    return sorted(times)[int(len(times) * 0.95)]


def run() -> list[Figure]:
    """All of it; making the store takes a while the first time."""
    home = prepared()
    everything = kinds(home)
    figures = []
    with opened(home) as here:
        for name, queries, asked, _first in everything:
            figures.append(Figure(f"{name}, warm p95", measured(here, queries), "ms", asked))
    for name, queries, _asked, first in everything:
        times = []
        for query in queries[:5]:
            with opened(home, cold=True) as here:
                start = time.perf_counter()
                query(here)
                times.append((time.perf_counter() - start) * 1000)
        figures.append(Figure(f"{name}, first after a cold open", sorted(times)[2], "ms", first))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        with opened(home) as here:
            browsing.page(here, Selection())
            times.append((time.perf_counter() - start) * 1000)
    figures.append(Figure("unlock to first page, no key derivation", sorted(times)[2], "ms", 50))
    return figures
