"""Requests and consents about what came from the other side: their text, and what a set of them is worth. Pure.

Whoever holds another's intel may ask to pass it on to a third party, or to keep it longer than agreed (`of` says
which: onward, retention); the other side consents, with an end, to exactly the contents it names, or declines.
State is a function of the set of statements and of the day, never of the order of arrival: a consent whose request
is not here yet waits for it, a withdrawal holds for good, also if it comes before what it withdraws. Statements of
these kinds about something else (`of`) are not read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from app.exchange.wording import Withdrawal, decoded, is_day, is_hash, require, withdrawal

REQUEST, CONSENT, WITHDRAWAL = KINDS = ("request", "consent", "withdrawal")
ONWARD, RETENTION = ABOUT = ("onward", "retention")
BODY_LIMIT = 4 << 20
OBJECTS_LIMIT = 10_000
"""Contents named by one request or consent."""
TEXT_LIMIT = 1_000
"""Characters of a reason or of a name."""


class _Content(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    id: str
    sha256: str


class _Request(msgspec.Struct, forbid_unknown_fields=True, rename={"for_": "for"}):
    """The signed text. `for` and `name` are "" of a retention."""

    by: str
    at: str
    of: str
    for_: str
    name: str
    objects: list[_Content]
    until: str | None
    reason: str


class _Consent(msgspec.Struct, forbid_unknown_fields=True, rename={"for_": "for"}):
    by: str
    at: str
    of: str
    request: str
    for_: str
    objects: list[_Content]
    until: str


@dataclass(frozen=True)
class Content:
    """One content of one object, by STIX id and SHA-256 in hexadecimal."""

    id: str
    sha256: str


@dataclass(frozen=True)
class Request:
    """Asked by one side of the other. `third` is the fingerprint of whom it is for, `name` what the asker calls them
    (both "" of a retention); `until` the last day wished for, "": open.
    """

    by: str
    at: str
    of: str
    third: str
    name: str
    contents: tuple[Content, ...]
    until: str
    reason: str


@dataclass(frozen=True)
class Consent:
    """The answer to request `request` (32 bytes): good until the last day `until`, for these contents alone."""

    by: str
    at: str
    of: str
    request: bytes
    third: str
    contents: tuple[Content, ...]
    until: str


Read = Request | Consent | Withdrawal


def about(body: dict[str, object]) -> bool:
    """Whether a statement of one of our kinds is about these matters, by its `of`."""
    return body.get("of") in (*ABOUT, REQUEST, CONSENT)


def read(kind: str, body: bytes) -> Read:
    """What a statement says. Raises `Unreadable`; nothing of it is trusted but that."""
    if kind == REQUEST:
        asked: _Request = decoded(body, _Request, BODY_LIMIT)
        require(asked.of in ABOUT, "of")
        require(is_hash(asked.for_) if asked.of == ONWARD else not asked.for_ and not asked.name, "for")
        require(asked.until is None or is_day(asked.until), "until")
        require(len(asked.reason) <= TEXT_LIMIT and len(asked.name) <= TEXT_LIMIT, "text")
        contents = _contents(asked.objects)
        return Request(
            asked.by, asked.at, asked.of, asked.for_, asked.name, contents, asked.until or "", asked.reason
        )
    if kind == CONSENT:
        given: _Consent = decoded(body, _Consent, BODY_LIMIT)
        require(given.of in ABOUT and is_hash(given.request), "of")
        require(is_hash(given.for_) if given.of == ONWARD else not given.for_, "for")
        require(is_day(given.until), "until")
        contents, request = _contents(given.objects), bytes.fromhex(given.request)
        return Consent(given.by, given.at, given.of, request, given.for_, contents, given.until)
    return withdrawal(body, (REQUEST, CONSENT), BODY_LIMIT, TEXT_LIMIT)


def _contents(objects: list[_Content]) -> tuple[Content, ...]:
    require(0 < len(objects) <= OBJECTS_LIMIT, "objects")
    found = tuple(Content(one.id, one.sha256) for one in objects)
    require(all(is_hash(one.sha256) and len(one.id) <= TEXT_LIMIT for one in found), "objects")
    require(len({one.sha256 for one in found}) == len(found), "objects")
    return found


# The state --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """The statements of both sides about these matters on one channel, by id."""

    requests: dict[bytes, Request] = field(default_factory=dict)
    consents: dict[bytes, Consent] = field(default_factory=dict)
    withdrawals: tuple[Withdrawal, ...] = ()

    def withdrawn(self, subject: bytes, kind: str) -> list[Withdrawal]:
        """Who took it back, or declined it, if anybody did."""
        return [one for one in self.withdrawals if one.subject == subject and one.of == kind]


def renamed(one: Read, today: Mapping[str, str]) -> Read:
    """The same with each fingerprint replaced by the one that `today` has for it."""
    by = today.get(one.by, one.by)
    if isinstance(one, Withdrawal):
        return replace(one, by=by)
    return replace(one, by=by, third=today.get(one.third, one.third))


def gathered(statements: Iterable[tuple[bytes, Read]]) -> Known:
    """What a set of statements is, in whatever order."""
    requests, consents, withdrawals = dict[bytes, Request](), dict[bytes, Consent](), list[Withdrawal]()
    for id_, one in statements:
        if isinstance(one, Request):
            requests[id_] = one
        elif isinstance(one, Consent):
            consents[id_] = one
        else:
            withdrawals.append(one)
    return Known(requests, consents, tuple(withdrawals))


def fault(known: Known, given: Consent) -> str:
    """What is wrong with a consent: consent-other (by the wrong side, for another object, other bytes or somebody
    else than was asked); "" if nothing is, or its request is not here.
    """
    asked = known.requests.get(given.request)
    if asked is None:
        return ""
    fits = given.by != asked.by and (given.of, given.third) == (asked.of, asked.third)
    return "" if fits and set(given.contents) <= set(asked.contents) else "consent-other"


def state(known: Known, id_: bytes, today: str) -> str:
    """The state of a request (open, answered, declined, withdrawn) or consent (in-force, expired, withdrawn, waiting,
    void) on a day. `waiting`: its request is not here; `void`: it does nothing (`fault`).
    """
    asked = known.requests.get(id_)
    if asked is not None:
        taken = known.withdrawn(id_, REQUEST)
        if taken:
            return "withdrawn" if any(one.by == asked.by for one in taken) else "declined"
        answered = any(c.request == id_ and not fault(known, c) for c in known.consents.values())
        return "answered" if answered else "open"
    given = known.consents[id_]
    if fault(known, given):
        return "void"
    if known.withdrawn(id_, CONSENT) or known.withdrawn(given.request, REQUEST):
        return "withdrawn"
    if given.request not in known.requests:
        return "waiting"
    return "in-force" if today <= given.until else "expired"


def in_force(known: Known, today: str) -> dict[bytes, Consent]:
    """The consents that count on a day."""
    return {id_: one for id_, one in known.consents.items() if state(known, id_, today) == "in-force"}
