"""What an inspector may read of the log: who did what when, how much went to whom under which agreements.

No intel: no objects' names, texts or ids (an observable's id can be guessed from its value), no notes, no reasons. Of
an entry's facts only those in `PLAIN` are told, and only if they are numbers, words of ours or hashes; what an act may
come to log later is left out until it is named here. References and purposes are the officers' own words: told only
if asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from app import audit
from app.audit import Entry
from app.store import counterparts, log
from app.store.database import Connection

# fmt: off
PLAIN = frozenset((
    "accepted", "agreement", "agreements", "code", "counterpart", "epoch", "exercise", "failed", "fingerprint",
    "held", "kind", "level", "manifest", "missing", "new", "newer", "number", "objects", "older", "package",
    "packages", "pending", "priority", "problems", "protection", "read", "reason", "refused",
    "release", "removed", "replaces", "same", "sender", "seq", "slot", "state", "to", "wanted",
))
# fmt: on
"""Facts that are told; `reason` only where it is a word of ours."""
WORDS = frozenset(("purpose", "reference"))
"""Facts that officers wrote freely about a release."""
_WORD = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+){0,7}")
_WORD_LENGTH = 64
_REASONS = frozenset(("first", "restored", "forked", "rotated", "replaced"))
_COUNTED = {
    "release": ("released", "objects"),
    "package.sealed": ("sealed", None),
    "package.received": ("received", None),
    "receipt.received": ("receipts", None),
    "package.void": ("void", None),
}


@dataclass
class Exchange:
    """How much went to and came from one counterpart. Counts of packages, `objects` of objects released, in those that
    became void too (`void`); `accepted` and `refused` are what the newest receipt of each package says.
    """

    fingerprint: str
    alias: str
    sealed: int = 0
    void: int = 0
    released: int = 0
    objects: int = 0
    received: int = 0
    receipts: int = 0
    accepted: int = 0
    refused: int = 0
    agreements: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Report:
    """`entries` are those of the period, with the plain facts only; `head` is where the log stands now."""

    since: str
    until: str
    head: audit.Head
    entries: tuple[Entry, ...]
    officers: dict[str, Counter[str]]
    exchanges: tuple[Exchange, ...]


def report(connection: Connection, since: str = "", until: str = "", references: bool = False) -> Report:
    """The report on days `since` to `until` (YYYY-MM-DD, inclusive, of UTC; "": without a bound)."""
    chosen = []
    for number, text in log.oldest_first(connection):
        try:
            entry = audit.decoded(number, text)
            inside = since <= entry.at[:10] and (not until or entry.at[:10] <= until)
        except (ValueError, TypeError):
            continue
        if inside:
            chosen.append(entry)
    officers: dict[str, Counter[str]] = {}
    for entry in chosen:
        officers.setdefault(entry.officer, Counter())[entry.act] += 1
    names = {one.fingerprint: one.alias for one in counterparts.everyone(connection)}
    told = tuple(plain(entry, references) for entry in chosen)
    return Report(since, until, audit.head(connection), told, officers, _exchanges(chosen, names))


def plain(entry: Entry, references: bool = False) -> Entry:
    """An entry with those facts only that tell no intel."""
    facts = {
        name: value
        for name, value in entry.detail.items()
        if (name in PLAIN and _plain(name, value)) or (references and name in WORDS)
    }
    return Entry(entry.number, entry.at, entry.officer, entry.act, facts)


def _plain(name: str, value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, int) for item in value)
    if isinstance(value, str):
        if name == "reason":
            return value in _REASONS
        return len(value) <= _WORD_LENGTH and bool(_WORD.fullmatch(value))
    return value is None or isinstance(value, int)


def _exchanges(entries: Iterable[Entry], names: dict[str, str]) -> tuple[Exchange, ...]:
    found: dict[str, Exchange] = {}
    told: dict[tuple[str, object], tuple[int, int]] = {}
    for entry in entries:
        other = entry.detail.get("to") or entry.detail.get("sender")
        if not isinstance(other, str):
            continue
        voids = _voids(entry)
        if entry.act not in _COUNTED and not voids:
            continue
        one = found.setdefault(other, Exchange(other, names.get(other, "")))
        one.void += voids
        if entry.act not in _COUNTED:
            continue
        what, objects = _COUNTED[entry.act]
        setattr(one, what, getattr(one, what) + 1)
        if objects:
            one.objects += _count(entry, objects)
            agreements = entry.detail.get("agreements")
            if isinstance(agreements, list):
                one.agreements.update(n for n in agreements if isinstance(n, int))
        if entry.act == "receipt.received":
            # A later receipt of a package stands in the place of the one before.
            package = entry.detail.get("package") or entry.detail.get("seq")
            told[other, str(package)] = _count(entry, "accepted"), _count(entry, "refused")
    for (other, _package), (accepted, refused) in told.items():
        found[other].accepted += accepted
        found[other].refused += refused
    return tuple(sorted(found.values(), key=lambda one: (one.alias, one.fingerprint)))


def _voids(entry: Entry) -> int:
    """How many packages became void by another act than `package.void`: a release in one's place, a recall."""
    named = entry.detail.get("void")
    return isinstance(entry.detail.get("replaces"), int) + (len(named) if isinstance(named, list) else 0)


def _count(entry: Entry, name: str) -> int:
    value = entry.detail.get(name)
    return value if isinstance(value, int) else 0
