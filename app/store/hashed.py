"""Which objects contradict each other in the hashes of a file: one that can be made to collide, several that cannot.

Written by `app.store.index`, for the contents in force, as all that follows from the texts. A group (one MD5 or SHA-1)
is looked at when its first contradiction comes and when its last one goes, no object beside every other one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice

from app.intel.observables import Hashed
from app.store.database import Connection

BATCH = 400
Item = tuple[int, Sequence[Hashed]]
"""An object, by its oid, and what its contents in force say."""


def add(tx: Connection, items: Iterable[Item]) -> tuple[int, set[int]]:
    """Put in objects that are not in, by ascending oid. Returns by how much the number of objects in conflict grew, and
    which of these contradict one that was there before them.
    """
    stated: dict[bytes, list[tuple[int, bytes]]] = {}
    rows = []
    for oid, says in items:
        for one in says:
            # To the driver as it takes them without asking for an adapter (`app.store.arriving`).
            rows.append((bytearray(one.weak), 1 if one.stated else 0, bytearray(one.strong), oid))
            if one.stated:
                stated.setdefault(one.weak, []).append((oid, one.strong))
    if not rows:
        return 0, set()
    before = _ends(tx, stated)
    was = {weak for weak, ends in before.items() if len(ends) > 1 and _contradicts(tx, weak)}
    tx.executemany("INSERT OR IGNORE INTO hashed (weak, stated, strong, oid) VALUES (?, ?, ?, ?)", rows)
    more, came = 0, set[int]()
    for weak, some in stated.items():
        seen = before.get(weak, set())
        if len(seen | {strong for _, strong in some}) < 2 or not _contradicts(tx, weak):
            continue
        more += _raise(tx, [oid for oid, _ in some]) if weak in was else _flag(tx, weak)
        for oid, strong in some:
            if seen - {strong}:
                came.add(oid)
            seen.add(strong)
    return more, came


def change(tx: Connection, oid: int, says: Sequence[Hashed]) -> int:
    """Let an object say this and nothing else (nothing: it is gone, or was never in). Returns as `add` does."""
    before = tx.execute("SELECT weak, stated, strong FROM hashed WHERE oid = ?", (oid,)).fetchall()
    after = {(one.weak, int(one.stated), one.strong) for one in says}
    if set(map(tuple, before)) == after:
        return 0
    was = {bytes(weak) for weak, stated, _ in before if stated and _contradicts(tx, weak)}
    tx.execute("DELETE FROM hashed WHERE oid = ?", (oid,))
    more = sum(_settle(tx, weak) for weak in was if not _contradicts(tx, weak))
    more += _lower(tx, [oid])
    more += add(tx, [(oid, says)])[0]
    # Of what is held no more, the officer's word goes too.
    tx.executemany(
        "DELETE FROM told_apart WHERE weak = ?1 AND strong = ?2 AND NOT EXISTS"
        " (SELECT 1 FROM hashed WHERE weak = ?1 AND stated = 1 AND strong = ?2)",
        {(weak, strong) for weak, stated, strong in before if stated},
    )
    return more


def contradicting(connection: Connection, oid: int, limit: int) -> list[int]:
    """The oids of objects whose stated hashes contradict those of this one, settled or not; the first of each group."""
    rows = connection.execute(
        "SELECT DISTINCT other.oid FROM hashed AS own JOIN hashed AS other"
        " ON other.weak = own.weak AND other.stated = 1 AND other.strong <> own.strong AND other.oid <> own.oid"
        " WHERE own.oid = ? AND own.stated = 1 LIMIT ?",
        (oid, limit),
    )
    return [row[0] for row in rows]


Said = Mapping[bytes, Sequence[tuple[bytes, int]]]
"""By weak hash, the (strong hash, oid) of the objects that say both of one file."""


def strong(connection: Connection, weaks: Collection[bytes], stated: bool = False) -> Said:
    """What objects say (with `stated`: state) of the files with these weak hashes."""
    found: dict[bytes, list[tuple[bytes, int]]] = {}
    waiting = iter(weaks)
    while some := list(islice(waiting, BATCH)):
        rows = connection.execute(
            f"SELECT weak, strong, oid FROM hashed WHERE weak IN ({', '.join('?' * len(some))}) AND stated >= ?",
            (*some, stated),
        )
        for weak, strong_, oid in rows:
            found.setdefault(bytes(weak), []).append((bytes(strong_), oid))
    return found


def unlike(said: Said, one: Hashed) -> set[int]:
    """The oids of objects that say another strong hash of the file with this weak one."""
    return {oid for strong_, oid in said.get(one.weak, ()) if strong_ != one.strong}


def tell_apart(tx: Connection, oid: int) -> int:
    """The officer says that the files this object's hashes contradict are others. Returns as `add` does."""
    weaks = [r[0] for r in tx.execute("SELECT DISTINCT weak FROM hashed WHERE oid = ? AND stated", (oid,))]
    more = 0
    for weak in weaks:
        tx.execute(
            "INSERT OR IGNORE INTO told_apart (weak, strong)"
            " SELECT DISTINCT weak, strong FROM hashed WHERE weak = ? AND stated = 1",
            (weak,),
        )
        more += _settle(tx, weak)
    return more


def clear(tx: Connection) -> None:
    """Forget everything but the officer's word, to be made anew."""
    tx.execute("DELETE FROM hashed")
    tx.execute("UPDATE object SET disputed = 0 WHERE disputed = 1")


_CONTRADICTING = """
    SELECT weak FROM hashed WHERE stated = 1 GROUP BY weak HAVING min(strong) <> max(strong)
        AND sum(NOT EXISTS (SELECT 1 FROM told_apart t WHERE t.weak = hashed.weak AND t.strong = hashed.strong))
"""


def flags_wrong(connection: Connection) -> bool:
    """Whether an object is flagged that contradicts none, or one is not that does."""
    wanted = f"SELECT DISTINCT oid FROM hashed WHERE stated = 1 AND weak IN ({_CONTRADICTING})"
    kept = "SELECT oid FROM object WHERE (variants > 1 OR disputed = 1) AND disputed = 1"
    return any(
        connection.execute(f"SELECT EXISTS ({one} EXCEPT {other})").fetchone()[0]
        for one, other in ((wanted, kept), (kept, wanted))
    )


def _ends(tx: Connection, weaks: Collection[bytes]) -> dict[bytes, set[bytes]]:
    """The least and the greatest strong hash that is stated of each: two if there is more than one."""
    rows = tx.execute(
        "SELECT weak, min(strong), max(strong) FROM hashed"
        f" WHERE weak IN ({', '.join('?' * len(weaks))}) AND stated = 1 GROUP BY weak",
        list(map(bytearray, weaks)),
    )
    return {weak: {least, greatest} for weak, least, greatest in rows}


def _contradicts(tx: Connection, weak: bytes) -> bool:
    """Whether more than one strong hash is stated of a weak one, and not all were told apart."""
    row = tx.execute(
        "SELECT (SELECT min(strong) FROM hashed WHERE weak = ?1 AND stated = 1)"
        " <> (SELECT max(strong) FROM hashed WHERE weak = ?1 AND stated = 1)"
        " AND EXISTS (SELECT 1 FROM hashed AS h WHERE weak = ?1 AND stated = 1 AND NOT EXISTS"
        " (SELECT 1 FROM told_apart AS t WHERE t.weak = h.weak AND t.strong = h.strong))",
        (weak,),
    ).fetchone()
    return bool(row[0])


def _flag(tx: Connection, weak: bytes) -> int:
    """Flag every object of a group; returns how many of them were in no conflict."""
    return _raise(tx, _group(tx, weak))


def _settle(tx: Connection, weak: bytes) -> int:
    """Take the flag from the objects of a group that contradicts itself no more, unless another one keeps it."""
    return _lower(tx, _group(tx, weak))


def _group(tx: Connection, weak: bytes) -> list[int]:
    rows = tx.execute("SELECT DISTINCT oid FROM hashed WHERE weak = ? AND stated = 1", (weak,))
    return [row[0] for row in rows]


def _raise(tx: Connection, oids: Iterable[int]) -> int:
    more = 0
    for oid in oids:
        row = tx.execute(
            "UPDATE object SET disputed = 1 WHERE oid = ? AND disputed = 0 RETURNING variants", (oid,)
        ).fetchone()
        more += row is not None and row[0] == 1
    return more


def _lower(tx: Connection, oids: Iterable[int]) -> int:
    less = 0
    for oid in oids:
        groups = tx.execute(
            "SELECT DISTINCT weak FROM hashed WHERE oid = ? AND stated = 1", (oid,)
        ).fetchall()
        if any(_contradicts(tx, weak) for (weak,) in groups):
            continue
        row = tx.execute(
            "UPDATE object SET disputed = 0 WHERE oid = ? AND disputed = 1 RETURNING variants", (oid,)
        ).fetchone()
        less += row is not None and row[0] == 1
    return -less
