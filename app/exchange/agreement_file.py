"""An agreement in a file of its own, for somebody who has no installation: both signatures can be checked offline.

    {"mithaq": "agreement-1", "statements": [base64 of a signed document, ...]}

First the agreement as its proposer signed it, then the countersignature, then what either side withdrew. A
countersignature holds a second signature, over the body of the first document: so both parties signed the same bytes.
Whether another agreement replaced this one is not in the file. If a party's identity was succeeded, its old card
and the rotation that names the next one follow: so the cards of today are enough to check it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.exchange import agreements, terms
from app.exchange.agreements import AGREEMENT, COUNTERSIGNATURE, WITHDRAWAL
from app.exchange.terms import Answer, Clauses, Proposal
from app.exchange.wording import Unreadable
from app.messages import Refused
from app.store import agreements as store
from app.store import counterparts as store_counterparts
from app.store import people
from app.store.database import Connection
from app.store.installation import Installation
from crypto import document, rotation, strict_json
from crypto.document import Document
from crypto.errors import CryptoError
from crypto.identity import CARD_KIND, Card, read_card
from crypto.rotation import ROTATION_KIND

FORMAT = "agreement-1"
FILE_LIMIT = 1 << 20
STATEMENT_LIMIT = 64


@dataclass(frozen=True)
class Checked:
    """An agreement whose signatures were checked. `proposer` and `signer` are the cards given, each at its place;
    times are by the signers' clocks, `ended` "" if neither side withdrew.
    """

    id: str
    proposer: Card
    signer: Card
    proposed: str
    signed: str
    ended: str
    clauses: Clauses


def export(installation: Installation, number: int) -> bytes:
    """The file of an agreement that both sides signed. Raises `Refused`: agreement-unknown, agreement-unsigned."""
    with installation.database.snapshot() as reader:
        row = store.at(reader, number)
        if row is None:
            raise Refused("agreement-unknown", number=number)
        until = terms.read_proposal(document.parse(row.raw).body).clauses.open_until
        counted = [answer for answer in store.answers(reader, row.cid, row.id) if answer.counts]
        followed = _followed(reader, row.cid)
    signed = [a for a in counted if a.kind == COUNTERSIGNATURE and a.at[:10] <= until]
    if not signed:
        raise Refused("agreement-unsigned", number=number)
    withdrawn = [answer.raw for answer in counted if answer.kind == WITHDRAWAL]
    said = [row.raw, min(signed, key=lambda a: a.at).raw, *withdrawn, *followed]
    return encode(said[:STATEMENT_LIMIT])


def encode(statements: Sequence[bytes]) -> bytes:
    """The file that holds these statements."""
    texts = [base64.b64encode(raw).decode() for raw in statements]
    return strict_json.dump({"mithaq": FORMAT, "statements": texts}) + b"\n"


def check(raw: bytes, cards: Sequence[bytes]) -> Checked:
    """Check an exported agreement against the two parties' cards, in any order; nothing else is needed.

    Raises `Refused`: not-a-card, agreement-file, agreement-parties, agreement-forged, agreement-unsigned,
    agreement-closed.
    """
    given = {card.fingerprint: card for card in map(_card, cards)}
    every = _documents(raw)
    known, holders = _predecessors(given, [one for one in every if one.kind in (CARD_KIND, ROTATION_KIND)])
    documents = [one for one in every if one.kind not in (CARD_KIND, ROTATION_KIND)]
    if not documents:
        raise Refused("agreement-file")
    bodies = [_said(one) for one in documents]
    first, answers = bodies[0], bodies[1:]
    if not isinstance(first, Proposal) or not all(isinstance(one, Answer) for one in answers):
        raise Refused("agreement-file")
    if {holders.get(party) for party in first.parties} != set(given):
        raise Refused("agreement-parties")
    id_ = documents[0].id
    for one, said in zip(documents, bodies, strict=True):
        _verify(one, said, known)
    signed, ended = [], []
    for one, said in zip(documents[1:], answers, strict=True):
        assert isinstance(said, Answer)
        if said.subject != id_:
            raise Refused("agreement-file")
        if one.kind == WITHDRAWAL:
            ended.append(said.at)
            continue
        card = known[said.by]
        if holders[said.by] == holders[first.by] or not agreements.signs_same(
            documents[0].body, said.signature, card.signing
        ):
            raise Refused("agreement-forged")
        signed.append((said.at, given[holders[said.by]]))
    if not signed:
        raise Refused("agreement-unsigned", number=id_.hex()[:12])
    at, signer = min(signed, key=lambda pair: pair[0])
    if at[:10] > first.clauses.open_until:
        raise Refused("agreement-closed")
    return Checked(
        id_.hex(), given[holders[first.by]], signer, first.at, at, min(ended, default=""), first.clauses
    )


def _followed(connection: Connection, cid: int) -> list[bytes]:
    """Cards of both parties that were succeeded by a rotation, each before the rotation."""
    own = people.identities(connection)
    steps = [(one.card, after.rotation) for one, after in pairwise(own)]
    steps += [(one.card, one.rotation) for one in store_counterparts.former(connection, cid)]
    return [raw for card, rotation_ in steps if rotation_ is not None for raw in (card, rotation_)]


def _predecessors(
    given: dict[str, Card], documents: Sequence[Document]
) -> tuple[dict[str, Card], dict[str, str]]:
    """The cards that count beside those given, by fingerprint: each was succeeded by one that counts. And for each card
    which of the given ones it leads to.
    """
    cards: dict[str, Card] = {}
    for one in documents:
        if one.kind == CARD_KIND:
            card = _card(one.raw)
            cards[card.fingerprint] = card
    steps: dict[str, str] = {}
    for one in documents:
        by = rotation.claimed_by(one.raw)
        if one.kind == ROTATION_KIND and by in cards:
            try:
                steps[by] = rotation.read(one.raw, cards[by].signing, by).card.fingerprint
            except CryptoError as error:
                raise Refused("agreement-forged") from error
    known, holders = dict(given), {fingerprint: fingerprint for fingerprint in given}
    for _ in steps:
        for old, new in steps.items():
            if new in holders and old not in holders:
                known[old], holders[old] = cards[old], holders[new]
    return known, holders


def _card(raw: bytes) -> Card:
    try:
        return read_card(raw)
    except CryptoError as error:
        raise Refused("not-a-card") from error


def _documents(raw: bytes) -> list[Document]:
    try:
        if len(raw) > FILE_LIMIT:
            raise ValueError("size")
        reader = strict_json.Reader("agreement-file")
        fields = reader.fields(reader.parse(raw), ("mithaq", "statements"), "fields")
        reader.choice(fields["mithaq"], "mithaq", (FORMAT,))
        texts = reader.list_of(fields["statements"], "statements", STATEMENT_LIMIT, str)
        documents = [document.parse(base64.b64decode(text, validate=True)) for text in texts]
        if not documents:
            raise ValueError("statements")
    except (CryptoError, ValueError, binascii.Error) as error:
        raise Refused("agreement-file") from error
    return documents


def _said(one: Document) -> Proposal | Answer:
    readers: dict[str, Callable[[bytes], Proposal | Answer]] = {
        AGREEMENT: terms.read_proposal,
        COUNTERSIGNATURE: terms.read_countersignature,
        WITHDRAWAL: terms.read_withdrawal,
    }
    try:
        return readers[one.kind](one.body)
    except (KeyError, Unreadable) as error:
        raise Refused("agreement-file") from error


def _verify(one: Document, said: Proposal | Answer, known: dict[str, Card]) -> None:
    if said.by not in known:
        raise Refused("agreement-parties")
    try:
        one.verify(known[said.by].signing)
    except CryptoError as error:
        raise Refused("agreement-forged") from error
