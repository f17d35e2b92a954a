"""What an agreement says: its clauses as values, the one form in which they are signed, the strictest of several.

No database, no clock, no keys. A clause that nothing enforces yet is read, kept and shown like the others
(docs/cli.md says which). The signed form is RFC 8785 JSON; whatever differs from it by one byte is unreadable, so
that two readers never see two agreements. Days are whole, inclusive and of UTC. Source: design, exchange rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import msgspec
import rfc8785

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

_WORD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,15}")
_WORD_LENGTH = 64
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")


def stricter_onward(one: str, other: str) -> str:
    """The stricter of two words on passing on; "" says nothing."""
    return min(filter(None, (one, other)), key=ONWARD.index, default="")


class Unreadable(ValueError):
    """A statement about agreements that says nothing: `str()` names the part at fault."""


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
    raw = decoded(body, _Body)
    level = marking.parse(raw.ceiling)
    _require(level is not None and level.label == raw.ceiling, "ceiling")
    assert level is not None
    _require(len(raw.parties) == 2 and raw.parties[0] < raw.parties[1], "parties")
    _require(all(_HASH.fullmatch(one) for one in raw.parties) and raw.by in raw.parties, "parties")
    for text, what in ((raw.from_, "from"), (raw.until, "until"), (raw.open_until, "open_until")):
        _require(is_day(text), what)
    _require(raw.from_ <= raw.until, "until")
    _require(bool(raw.kinds) and raw.kinds == [kind for kind in KINDS if kind in raw.kinds], "kinds")
    _require(raw.onward in ONWARD, "onward")
    _require(raw.retention is None or 1 <= raw.retention <= RETENTION_LIMIT, "retention")
    receipts = RECEIPTS[-1] if raw.receipts is msgspec.UNSET else raw.receipts
    _require(receipts in RECEIPTS, "receipts")
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
        supersedes=_sorted(raw.supersedes, "supersedes", lambda text: bool(_HASH.fullmatch(text))),
        receipts=receipts,
    )
    return Proposal(raw.by, raw.at, (raw.parties[0], raw.parties[1]), clauses)


def read_countersignature(body: bytes) -> Answer:
    """What a countersignature's body says. Raises `Unreadable`."""
    raw = decoded(body, _Answer)
    try:
        signature = bytes.fromhex(raw.signature)
    except ValueError:
        raise Unreadable("signature") from None
    _require(signature.hex() == raw.signature, "signature")
    _require(bool(_HASH.fullmatch(raw.agreement)), "agreement")
    return Answer(raw.by, raw.at, bytes.fromhex(raw.agreement), signature)


def read_withdrawal(body: bytes) -> Answer:
    """What a withdrawal of an agreement says. Raises `Unreadable`."""
    raw = decoded(body, _Withdrawal)
    _require(raw.of == "agreement", "of")
    _require(bool(_HASH.fullmatch(raw.subject)), "subject")
    return Answer(raw.by, raw.at, bytes.fromhex(raw.subject), b"")


def decoded(body: bytes, form: type[Any], limit: int = BODY_LIMIT) -> Any:
    """A statement's body as `form`, if it is exactly that in RFC 8785 JSON. Raises `Unreadable`."""
    _require(len(body) <= limit, "size")
    try:
        value = msgspec.json.decode(body, type=form)
        same = rfc8785.dumps(msgspec.to_builtins(value)) == body
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, RecursionError, ValueError) as error:
        raise Unreadable("form") from error
    _require(same, "canonical")
    _require(bool(_MOMENT.fullmatch(value.at)) and _is_moment(value.at), "at")
    return value


def is_day(text: str) -> bool:
    """Whether `text` names a day, as YYYY-MM-DD."""
    try:
        return bool(_DAY.fullmatch(text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def is_word(text: str) -> bool:
    """Whether `text` can name a sector or a purpose: lower-case letters, digits and single hyphens, at most 64."""
    return len(text) <= _WORD_LENGTH and bool(_WORD.fullmatch(text))


def _words(items: list[str] | None, what: str) -> tuple[str, ...] | None:
    if items is None:
        return None
    _require(bool(items), what)
    return _sorted(items, what, is_word)


def _sorted(items: Sequence[str], what: str, good: Callable[[str], bool]) -> tuple[str, ...]:
    _require(len(items) <= WORDS_LIMIT and all(good(item) for item in items), what)
    _require(list(items) == sorted(set(items)), what)
    return tuple(items)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Unreadable(what)


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
