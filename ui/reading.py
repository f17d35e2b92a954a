"""Readings for the screens, run in workers: rows of lists, an object as properties. Frozen results, nothing kept."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.exchange import embargo, inbox, receipts
from app.holdings import attachments, browsing, feedback, graph, titles
from app.holdings.feedback import Feedback
from app.holdings.titles import Title
from app.intel import compare, marking
from app.intel.marking import Level
from app.messages import _, listed, ngettext
from app.store import counterparts as store_counterparts
from app.store.attachments import Attachment
from app.store.conditions import Selection
from app.store.custody import FREE, Restraint
from app.store.installation import Installation
from app.store.objects import ObjectRow
from ui import numbers

TIMES = frozenset(
    {"created", "modified", "valid_from", "valid_until", "first_seen", "last_seen", "published"}
)
"""Properties that are moments, read in words where nothing is compared."""
# Told elsewhere on the panel, or of no use to a reader there; all of it is in the raw JSON.
NOT_SHOWN = frozenset(
    {
        "id",
        "type",
        "spec_version",
        "name",
        "description",
        "object_marking_refs",
        "granular_markings",
        "extensions",
    }
)
LISTED = 20
"""Things of a list that are told."""
VALUE_LIMIT = 400
LINKED = 12


@dataclass(frozen=True)
class Whole:
    """One object as the panel shows it."""

    shown: browsing.Shown
    facts: tuple[tuple[str, str], ...]
    description: str
    pattern: str
    senders: dict[str, str]  # fingerprint to alias
    holders: tuple[receipts.Entry, ...] = ()  # who was given it, newest first, one entry each
    feedback: tuple[Feedback, ...] = ()  # what anybody says of it
    bound: Restraint = FREE
    attachments: tuple[Attachment, ...] = ()
    linked: graph.Neighbours | None = None  # one step away, the first `LINKED`
    called: Mapping[int, Title] = field(default_factory=dict)  # the titles of those, by oid


def count(installation: Installation, chosen: Selection) -> int:
    """How many objects fit."""
    return browsing.count(installation, chosen)


def stix_ids(installation: Installation, wanted: Sequence[int]) -> tuple[str, ...]:
    """STIX ids of row numbers."""
    out: list[str] = []
    for start in range(0, len(wanted), 500):
        out.extend(row.id for row in browsing.rows(installation, wanted[start : start + 500]))
    return tuple(out)


def names_of(installation: Installation, wanted: Sequence[str]) -> dict[str, ObjectRow]:
    """Rows of STIX ids that are held."""
    return browsing.named(installation, wanted)


def senders(installation: Installation) -> dict[str, str]:
    """Fingerprint to alias."""
    return {c.fingerprint: c.alias for c in store_counterparts.everyone(installation.database.read())}


def whole(installation: Installation, oid: int) -> Whole:
    """One object with its readable properties."""
    shown = browsing.show_oid(installation, oid)
    value = shown.value
    wanted = [v for n, v in value.items() if n.endswith("_ref") and isinstance(v, str)]
    for name, held in value.items():
        if name.endswith("_refs") and isinstance(held, list):
            wanted += [one for one in held[:LISTED] if isinstance(one, str)]
    names = {id_: row.name for id_, row in names_of(installation, wanted).items()}
    facts = []
    for name, held in value.items():
        if name in NOT_SHOWN or name == "pattern":
            continue
        text = plain_value(held, names)
        if text:
            facts.append((name, text))
    description = value.get("description")
    pattern = value.get("pattern")
    linked = graph.neighbours(installation, shown.row.id, limit=LINKED)
    return Whole(
        shown,
        tuple(facts),
        description if isinstance(description, str) else "",
        pattern if isinstance(pattern, str) else "",
        senders(installation),
        _holders(installation, shown.row.id),
        tuple(feedback.of(installation, shown.row.id)),
        embargo.of(installation, shown.row.id),
        tuple(attachments.listed(installation, shown.row.id)),
        linked,
        titles.of_held(installation, (one.row for one in linked.found)),
    )


def _holders(installation: Installation, id_: str) -> tuple[receipts.Entry, ...]:
    newest: dict[str, receipts.Entry] = {}
    for entry in receipts.ledger(installation, id_=id_):
        if entry.to not in newest or entry.seq > newest[entry.to].seq:
            newest[entry.to] = entry
    return tuple(newest.values())


_NAMING = ("phase_name", "source_name", "value", "name")
_NAMES = frozenset(_NAMING)


def plain_value(value: object, names: dict[str, str] | None = None) -> str:
    """A property as one line of text; nested ones as far as they are short."""
    if isinstance(value, bool):
        return "✓" if value else ""
    if isinstance(value, str):
        if value in marking.LEVELS:
            return f"TLP:{marking.LEVELS[value].label}"
        return (names or {}).get(value) or value[:VALUE_LIMIT]
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list) and any(isinstance(v, dict) and not _NAMES & v.keys() for v in value):
        return ngettext("{n} entry", "{n} entries", len(value)).format(n=numbers.number(len(value)))
    if isinstance(value, list):
        return _some_of(
            list(filter(None, (plain_value(v, names) for v in value[:LISTED]))), len(value) - LISTED
        )
    if isinstance(value, dict):
        for key in _NAMING:
            inner = value.get(key)
            if isinstance(inner, str):
                more = value.get("external_id")
                return f"{inner} {more}" if isinstance(more, str) else inner[:VALUE_LIMIT]
        return listed(f"{k}: {plain_value(v, names)}" for k, v in list(value.items())[:8])[:VALUE_LIMIT]
    return ""


def _some_of(things: Sequence[str], more: int) -> str:
    """Whole things, as many as have room, and how many more there are."""
    room = VALUE_LIMIT
    for at, one in enumerate(things):
        room -= len(one)
        if room < 0 and at:
            things, more = things[:at], max(more, 0) + len(things) - at
            break
    said = listed(things)
    if more > 0:
        return listed((said, _("and {n} more").format(n=numbers.number(more))))
    return said


def level_label(level: int | None) -> str:
    """The word of a stored level, "?" where it is not understood, "" for none."""
    if level is None:
        return ""
    return "?" if level == Level.UNREADABLE else Level(level).label


def shown_level(row: ObjectRow) -> tuple[str, bool]:
    """The stricter of marking and handling: (label, whether it is a handling)."""
    own, handling = row.marking, row.handling
    if handling is not None and (own is None or handling > own):
        return level_label(handling), True
    return level_label(own), False


@dataclass(frozen=True)
class Change:
    """One property that differs: the words held here and the words in the package, each with whether it differs."""

    name: str
    ours: tuple[tuple[str, bool], ...]
    theirs: tuple[tuple[str, bool], ...]
    mono: bool


@dataclass(frozen=True)
class Beside:
    """An object of a package beside what is held: `changes` are empty where nothing is held, or all is the same."""

    value: dict[str, object]
    changes: tuple[Change, ...]
    same: tuple[tuple[str, str], ...]


def beside(installation: Installation, number: int, compared: inbox.Compared) -> Beside:
    """An object in the inbox compared, property by property, with the version it is judged against here."""
    found = inbox.beside(installation, number, compared.position)
    ours, value = found.ours, found.value
    if found.held is None:
        return Beside(value, (), tuple((n, plain_value(v)) for n, v in value.items()))
    differing = compare.changed(ours, value)
    changes = tuple(_change(name, ours.get(name), value.get(name)) for name in sorted(differing, key=_order))
    same = tuple((n, plain_value(v)) for n, v in ours.items() if n not in differing)
    return Beside(value, changes, same)


_FIRST = ("name", "description", "pattern", "confidence", "modified")
_MONO = frozenset({"pattern", "hashes", "id", "x_sha256"})


def _order(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _change(name: str, ours: object, theirs: object) -> Change:
    a, b = _words(ours), _words(theirs)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False) if len(a) + len(b) < WORDS_LIMIT else None
    if matcher is None:
        return Change(name, (("".join(a), True),), (("".join(b), True),), name in _MONO)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        if a2 > a1:
            left.append(("".join(a[a1:a2]), tag != "equal"))
        if b2 > b1:
            right.append(("".join(b[b1:b2]), tag != "equal"))
    return Change(name, tuple(left), tuple(right), name in _MONO)


WORDS_LIMIT = 1_500


def _words(value: object) -> list[str]:
    text = value if isinstance(value, str) else plain_value(value) if value is not None else "–"
    return re.findall(r"\w+|\s+|[^\w\s]", text[:6_000])
