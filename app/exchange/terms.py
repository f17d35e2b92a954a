"""What an agreement says: its clauses as values, the one form in which they are signed, the strictest of several.

No database, no clock, no keys. Where each clause holds is said in docs/agreements.md. Source: design, exchange rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from app.exchange.wording import Unreadable, decoded, is_day, is_hash, is_word, require
from app.intel import marking
from app.intel.marking import Level

THREATS, VULNERABILITIES, BEST_PRACTICES = KINDS = ("threats", "vulnerabilities", "best-practices")
NEVER, CONSENT, WITHIN_TLP = ONWARD = ("never", "consent", "within-tlp")
"""Strictest first."""

RECEIPTS = ("counts", "ids")
"""What a receipt tells: how many, or which. Strictest first; an agreement that does not say means ids."""

BODY_LIMIT = 64 << 10
"""Bytes of the text of an agreement."""
WORDS_LIMIT = 64
"""Sectors, purposes or superseded agreements of one agreement."""
RETENTION_LIMIT = 36_500
"""Days."""
OPEN_DAYS = 90
"""How long a proposal may be signed, if nobody says otherwise."""


def stricter_onward(one: str, other: str) -> str:
    """The stricter of two words on passing on; "" says nothing."""
    return min(filter(None, (one, other)), key=ONWARD.index, default="")


@dataclass(frozen=True)
class Clauses:
    """What may leave for whom, for what, and what they may do with it.

    `kinds` is a part of `KINDS`, in that order; `sectors` and `purposes` are sorted, None: any. `retention` is in
    days, None: unlimited. `start` and `until` are the first and last day in force, `open_until` the last day for
    signing. `supersedes` are ids (hex, sorted) of agreements that this one replaces.
    """

    ceiling: Level
    start: str
    until: str
    open_until: str
    kinds: tuple[str, ...] = KINDS
    sectors: tuple[str, ...] | None = None
    purposes: tuple[str, ...] | None = None
    onward: str = ONWARD[0]
    retention: int | None = None
    exercise: bool = False
    supersedes: tuple[str, ...] = ()
    receipts: str = RECEIPTS[-1]


class _Body(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The signed text. Every name must stand in it, but `receipts`, which agreements of before do not have."""

    by: str
    at: str
    parties: list[str]
    purposes: list[str] | None
    ceiling: str
    kinds: list[str]
    sectors: list[str] | None
    onward: str
    retention: int | None
    exercise: bool
    from_: str
    until: str
    open_until: str
    supersedes: list[str]
    receipts: str | msgspec.UnsetType = msgspec.UNSET


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    at: str
    agreement: str
    signature: str


class _Withdrawal(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    at: str
    of: str
    subject: str


@dataclass(frozen=True)
class Proposal:
    """An agreement as one side signed it. `parties` are the two fingerprints, the lower first; `by` is one of them."""

    by: str
    at: str
    parties: tuple[str, str]
    clauses: Clauses


@dataclass(frozen=True)
class Answer:
    """A countersignature or a withdrawal: about agreement `subject` (32 bytes), signed `at`.

    `signature` is the countersigner's over the very bytes that the proposer signed; b"" of a withdrawal.
    """

    by: str
    at: str
    subject: bytes
    signature: bytes


# Writing and reading ----------------------------------------------------------------------------------------


def facts(parties: Iterable[str], clauses: Clauses) -> dict[str, object]:
    """The facts of the statement that proposes `clauses`, for `statements.make`."""
    return {
        "parties": sorted(parties),
        "purposes": None if clauses.purposes is None else list(clauses.purposes),
        "ceiling": clauses.ceiling.label,
        "kinds": list(clauses.kinds),
        "sectors": None if clauses.sectors is None else list(clauses.sectors),
        "onward": clauses.onward,
        "retention": clauses.retention,
        "exercise": clauses.exercise,
        "from": clauses.start,
        "until": clauses.until,
        "open_until": clauses.open_until,
        "supersedes": list(clauses.supersedes),
        "receipts": clauses.receipts,
    }


def read_proposal(body: bytes) -> Proposal:
    """The agreement that a statement's body proposes. Raises `Unreadable`; nothing of it is trusted but that."""
    raw = decoded(body, _Body, BODY_LIMIT)
    level = marking.parse(raw.ceiling)
    require(level is not None and level.label == raw.ceiling, "ceiling")
    assert level is not None
    require(len(raw.parties) == 2 and raw.parties[0] < raw.parties[1], "parties")
    require(all(map(is_hash, raw.parties)) and raw.by in raw.parties, "parties")
    for text, what in ((raw.from_, "from"), (raw.until, "until"), (raw.open_until, "open_until")):
        require(is_day(text), what)
    require(raw.from_ <= raw.until, "until")
    require(bool(raw.kinds) and raw.kinds == [kind for kind in KINDS if kind in raw.kinds], "kinds")
    require(raw.onward in ONWARD, "onward")
    require(raw.retention is None or 1 <= raw.retention <= RETENTION_LIMIT, "retention")
    receipts = RECEIPTS[-1] if raw.receipts is msgspec.UNSET else raw.receipts
    require(receipts in RECEIPTS, "receipts")
    clauses = Clauses(
        ceiling=level,
        start=raw.from_,
        until=raw.until,
        open_until=raw.open_until,
        kinds=tuple(raw.kinds),
        sectors=_words(raw.sectors, "sectors"),
        purposes=_words(raw.purposes, "purposes"),
        onward=raw.onward,
        retention=raw.retention,
        exercise=raw.exercise,
        supersedes=_sorted(raw.supersedes, "supersedes", is_hash),
        receipts=receipts,
    )
    return Proposal(raw.by, raw.at, (raw.parties[0], raw.parties[1]), clauses)


def read_countersignature(body: bytes) -> Answer:
    """What a countersignature's body says. Raises `Unreadable`."""
    raw = decoded(body, _Answer, BODY_LIMIT)
    try:
        signature = bytes.fromhex(raw.signature)
    except ValueError:
        raise Unreadable("signature") from None
    require(signature.hex() == raw.signature, "signature")
    require(is_hash(raw.agreement), "agreement")
    return Answer(raw.by, raw.at, bytes.fromhex(raw.agreement), signature)


def read_withdrawal(body: bytes) -> Answer:
    """What a withdrawal of an agreement says. Raises `Unreadable`."""
    raw = decoded(body, _Withdrawal, BODY_LIMIT)
    require(raw.of == "agreement", "of")
    require(is_hash(raw.subject), "subject")
    return Answer(raw.by, raw.at, bytes.fromhex(raw.subject), b"")


def _words(items: list[str] | None, what: str) -> tuple[str, ...] | None:
    if items is None:
        return None
    require(bool(items), what)
    return _sorted(items, what, is_word)


def _sorted(items: Sequence[str], what: str, good: Callable[[str], bool]) -> tuple[str, ...]:
    require(len(items) <= WORDS_LIMIT and all(good(item) for item in items), what)
    require(list(items) == sorted(set(items)), what)
    return tuple(items)


# Comparing --------------------------------------------------------------------------------------------------


def strictest(several: Sequence[Clauses]) -> Clauses | None:
    """The strictest clause of each, None of none. Kinds, sectors or purposes that exclude each other leave nothing."""
    if not several:
        return None
    kinds = tuple(kind for kind in KINDS if all(kind in one.kinds for one in several))
    retentions = [one.retention for one in several if one.retention is not None]
    return replace(
        several[0],
        ceiling=min(one.ceiling for one in several),
        start=max(one.start for one in several),
        until=min(one.until for one in several),
        open_until=min(one.open_until for one in several),
        kinds=kinds,
        sectors=_common([one.sectors for one in several]),
        purposes=_common([one.purposes for one in several]),
        onward=min((one.onward for one in several), key=ONWARD.index),
        retention=min(retentions, default=None),
        exercise=any(one.exercise for one in several),
        receipts=min((one.receipts for one in several), key=RECEIPTS.index),
        supersedes=tuple(sorted({hash_ for one in several for hash_ in one.supersedes})),
    )


def _common(several: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    limits = [set(one) for one in several if one is not None]
    return tuple(sorted(set.intersection(*limits))) if limits else None


def clauses_as_facts(clauses: Clauses) -> dict[str, object]:
    """The clauses by the names that they bear in the signed text, without the parties."""
    return {name: value for name, value in facts((), clauses).items() if name != "parties"}


def changed(before: Clauses, after: Clauses) -> dict[str, tuple[object, object]]:
    """{clause: (before, after)} of the clauses in which two agreements differ, in the order of the signed text."""
    old, new = clauses_as_facts(before), clauses_as_facts(after)
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}


# Kinds ------------------------------------------------------------------------------------------------------

_KINDS = {"vulnerability": VULNERABILITIES, "course-of-action": BEST_PRACTICES}
FOLLOWERS = frozenset(("marking-definition", "extension-definition", "identity"))
"""Types without a kind: they leave with what names them."""
RELATIONSHIP = "relationship"
"""It has no kind either; it follows its two ends."""


def kind_of(stix_id: str) -> str | None:
    """The kind of an object, by the type in its id; None of what has none. Every type not listed is of the threats."""
    type_ = stix_id.partition("--")[0]
    if type_ in FOLLOWERS or type_ == RELATIONSHIP:
        return None
    return _KINDS.get(type_, THREATS)
