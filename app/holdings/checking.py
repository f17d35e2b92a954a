"""Whether the rows of objects and versions say what the texts say: when each is from, how it is marked, what is shown.

What is found by words, observables and links is `app.store.index`'s; a level that an officer gave follows from no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from app.holdings.definitions import Definitions
from app.intel import timestamp
from app.intel.envelope import Envelope, envelope
from app.jobs import Job
from app.store import index, objects
from app.store.database import Connection
from app.store.objects import Stands


def _read(connection: Connection) -> Iterator[tuple[Stands, Stands, Envelope]]:
    """What stands in the rows of each version, what its text says, and its envelope."""
    definitions = Definitions(connection, objects.hash_key(connection))
    for stands, raw in objects.standing(connection):
        env = envelope(msgspec.json.decode(raw, type=dict[str, object]), definitions)
        fraction = timestamp.fraction(env.modified) if env.moment else 0
        says = replace(stands, version=(env.moment, fraction, env.marking))
        if stands.shown:
            shown = (env.moment, fraction, env.marking, env.name, int(env.revoked), env.confidence)
            says = replace(says, shown=shown)
        yield stands, says, env


def amiss(connection: Connection, job: Job) -> list[str]:
    """The names of the tables that say something else: marked, object, version. Raises `Cancelled`."""
    key, wrong, marked = objects.hash_key(connection), set[str](), 0
    held = objects.count_versions(connection, None)
    for stands, says, env in job.each(_read(connection), held, "compare"):
        if stands.version != says.version:
            wrong.add("version")
        if stands.shown != says.shown:
            wrong.add("object")
        marked += sum(hash((stands.vid, objects.id_hash(key, one))) for one in env.definitions)
    many = objects.count_marked(connection)
    if marked != sum(map(hash, job.each(objects.marked(connection), many, "rows"))):
        wrong.add("marked")
    job.step(0, 0, "rows")
    if not objects.counted(connection):
        wrong.add("object")
    return sorted(wrong)


def remake(tx: Connection, job: Job) -> None:
    """Write anew the rows that say something else than the texts, and all that is made of those. Raises `Cancelled`."""
    wrong = list[Stands]()
    for stands, says, _ in job.each(_read(tx), objects.count_versions(tx, None), "compare"):
        if stands != says:
            wrong.append(says)
    for says in wrong:
        objects.correct(tx, says)
    objects.count_anew(tx)
    index.remake(tx, lambda done, total: job.step(done, total, "index"))
