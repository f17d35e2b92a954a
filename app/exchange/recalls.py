"""Recalls and what answers them: their text, and what a set of them is worth. Pure.

Whoever gave something may ask for it back, content by content; the other side confirms that it is deleted, or refuses
with a reason; whoever recalled may withdraw that. State is a function of the set of statements, never of the order of
arrival: an answer or a withdrawal that comes before its recall waits for it, a withdrawal holds for good. A recall may
come before what it recalls, and stays as its tombstone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce

import msgspec

from app.exchange.wording import Withdrawal, decoded, is_day, is_hash, require, withdrawal
from app.intel import ids

RECALL, CONFIRMATION, WITHDRAWAL = KINDS = ("recall", "confirmation", "withdrawal")
DELETED, REFUSED = ANSWERS = ("deleted", "refused")
STATES = ("open", "refused", "withdrawn", "confirmed")
"""What is said later lifts it and never lowers it."""
BODY_LIMIT = 8 << 20
OBJECTS_LIMIT = 20_000
"""Contents named by one recall."""
TEXT_LIMIT = 1_000
"""Characters of a reason."""


class _Content(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    id: str
    sha256: str


class _Recall(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    at: str
    objects: list[_Content]
    reason: str


class _Confirmation(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    at: str
    recall: str
    answer: str
    kept: list[str]
    never: list[str]
    backups: str | None
    reason: str


@dataclass(frozen=True)
class Content:
    """One content of one object, by STIX id and SHA-256 (32 bytes)."""

    id: str
    sha256: bytes


@dataclass(frozen=True)
class Recall:
    """Asked back by whoever gave it: exactly these contents."""

    by: str
    at: str
    contents: tuple[Content, ...]
    reason: str


@dataclass(frozen=True)
class Confirmation:
    """The answer to recall `recall` (32 bytes): deleted or refused.

    Of what is deleted, `kept` (SHA-256) stays held from another source, `never` never came; `backups` is the last
    day on which backups may hold it, "": no backup does.
    """

    by: str
    at: str
    recall: bytes
    answer: str
    kept: frozenset[bytes]
    never: frozenset[bytes]
    backups: str
    reason: str


Read = Recall | Confirmation | Withdrawal


def about(kind: str, body: dict[str, object]) -> bool:
    """Whether a statement is about recalls: a withdrawal says of what it is."""
    return kind in (RECALL, CONFIRMATION) or (kind == WITHDRAWAL and body.get("of") == RECALL)


def read(kind: str, body: bytes) -> Read:
    """What a statement says. Raises `Unreadable`; nothing of it is trusted but that."""
    if kind == RECALL:
        asked: _Recall = decoded(body, _Recall, BODY_LIMIT)
        require(_is_text(asked.reason) and bool(asked.reason), "reason")
        require(0 < len(asked.objects) <= OBJECTS_LIMIT, "objects")
        require(all(ids.type_of(one.id) and is_hash(one.sha256) for one in asked.objects), "objects")
        order = [(one.id, one.sha256) for one in asked.objects]
        require(order == sorted(set(order)), "objects")
        contents = tuple(Content(one.id, bytes.fromhex(one.sha256)) for one in asked.objects)
        return Recall(asked.by, asked.at, contents, asked.reason)
    if kind == CONFIRMATION:
        said: _Confirmation = decoded(body, _Confirmation, BODY_LIMIT)
        require(is_hash(said.recall) and said.answer in ANSWERS and _is_text(said.reason), "answer")
        require(bool(said.reason) if said.answer == REFUSED else not said.reason, "reason")
        require(said.backups is None or is_day(said.backups), "backups")
        require(said.answer == DELETED or not (said.kept or said.never or said.backups), "refused")
        kept, never = _hashes(said.kept), _hashes(said.never)
        require(not kept & never, "kept")
        recall = bytes.fromhex(said.recall)
        return Confirmation(
            said.by, said.at, recall, said.answer, kept, never, said.backups or "", said.reason
        )
    return withdrawal(body, (RECALL,), BODY_LIMIT, TEXT_LIMIT)


def _hashes(named: list[str]) -> frozenset[bytes]:
    require(len(named) <= OBJECTS_LIMIT and all(map(is_hash, named)) and named == sorted(set(named)), "hash")
    return frozenset(map(bytes.fromhex, named))


def _is_text(text: str) -> bool:
    return len(text) <= TEXT_LIMIT


# The state --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """The statements of both sides about recalls on one channel; recalls by id."""

    recalls: dict[bytes, Recall] = field(default_factory=dict)
    confirmations: tuple[Confirmation, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()


def gathered(statements: Iterable[tuple[bytes, Read]]) -> Known:
    """What a set of statements is, in whatever order."""
    recalls, confirmations, withdrawals = dict[bytes, Recall](), list[Confirmation](), list[Withdrawal]()
    for id_, one in statements:
        if isinstance(one, Recall):
            recalls[id_] = one
        elif isinstance(one, Confirmation):
            confirmations.append(one)
        else:
            withdrawals.append(one)
    return Known(recalls, tuple(confirmations), tuple(withdrawals))


def fault(recall: Recall, answer: Confirmation) -> str:
    """What is wrong with an answer: confirmation-other (by the one who recalled, or over contents it does not name); ""
    if nothing is.
    """
    named = {content.sha256 for content in recall.contents}
    return "" if answer.by != recall.by and answer.kept | answer.never <= named else "confirmation-other"


def answers(known: Known, id_: bytes) -> list[Confirmation]:
    """The answers to a recall that count, as they were signed."""
    recall = known.recalls[id_]
    found = [one for one in known.confirmations if one.recall == id_ and not fault(recall, one)]
    return sorted(
        found, key=lambda one: (one.at, one.answer, sorted(one.kept), sorted(one.never), one.backups)
    )


def withdrawn(known: Known, id_: bytes) -> bool:
    """Whether whoever recalled took that back."""
    by = known.recalls[id_].by
    return any(one.subject == id_ and one.by == by for one in known.withdrawals)


def added(state: str, said: Confirmation | Withdrawal) -> str:
    """The state of a recall once something that counts is said of it too: the same in whatever order it is said."""
    if isinstance(said, Withdrawal):
        lifted = "withdrawn"
    else:
        lifted = "confirmed" if said.answer == DELETED else "refused"
    return max(state, lifted, key=STATES.index)


def state(known: Known, id_: bytes) -> str:
    """open, confirmed (it is deleted there, whatever else was said), withdrawn, or refused."""
    by = known.recalls[id_].by
    taken = (one for one in known.withdrawals if one.subject == id_ and one.by == by)
    said: list[Confirmation | Withdrawal] = [*answers(known, id_), *taken]
    return reduce(added, said, STATES[0])


def stands(state: str, withdrawn: bool) -> bool:
    """Whether what it names is not to be accepted or passed on by whom it was recalled from."""
    return not withdrawn and state != "refused"


def standing(known: Known, id_: bytes) -> bool:
    """See `stands`."""
    return stands(state(known, id_), withdrawn(known, id_))
