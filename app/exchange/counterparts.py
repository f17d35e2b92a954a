"""Whom we exchange with: cards pinned here, their local names, whether they were verified.

A card is a claim until the officer verified it; nothing is sealed to it or opened from it before. The name on a card is
a claim too: the officer's alias is what lists show and commands take.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import msgspec

from app import audit, officers
from app.exchange.channel import Channel, opened
from app.messages import Refused
from app.store import counterparts, people
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto.errors import CryptoError
from crypto.identity import Card, read_card

CARD_LIMIT = 65_536
FINGERPRINT_LENGTH = 64
SHORT_FINGERPRINT = 8


@dataclass(frozen=True)
class Listed:
    """A counterpart as lists show it. `name` and `country` are the card's claims, `alias` is ours."""

    fingerprint: str
    alias: str
    name: str
    country: str
    verified: bool
    revoked: bool
    added: str


def own_card(installation: Installation) -> bytes:
    """This installation's card, for a counterpart to import."""
    return people.identity(installation.database.read())[1]


def own(installation: Installation) -> Card:
    """What this installation's own card says."""
    return read_card(own_card(installation))


def add(installation: Installation, raw: bytes, alias: str = "") -> Listed:
    """Pin a card under `alias` ("": the card's name, if that is free), unverified.

    Raises `Refused`: not-a-card, card-own, card-known, alias-taken, name-unusable.
    """
    if len(raw) > CARD_LIMIT:
        raise Refused("not-a-card")
    try:
        card = read_card(raw)
    except CryptoError as error:
        raise Refused("not-a-card") from error
    if card.fingerprint == installation.identity.fingerprint:
        raise Refused("card-own")
    alias = officers.good_name(alias or card.name)
    with installation.database.write() as tx:
        for known in counterparts.everyone(tx):
            if known.fingerprint == card.fingerprint:
                raise Refused("card-known", name=known.alias)
            _claim_alias(known, alias)
        cid = counterparts.add(tx, card.fingerprint, alias, raw, installation.now())
        save_channel(tx, cid, opened(secrets.token_hex(16)))
        audit.append(tx, installation, "counterpart.added", fingerprint=card.fingerprint, alias=alias)
        return _listed(counterparts.get(tx, cid))


def listed(installation: Installation) -> list[Listed]:
    """All counterparts, by alias."""
    return [_listed(one) for one in counterparts.everyone(installation.database.read())]


def find(connection: Connection, name: str) -> Counterpart:
    """The counterpart that `name` means: an alias, a fingerprint, or at least its first eight digits.

    Raises `Refused`: counterpart-unknown, counterpart-ambiguous.
    """
    known = counterparts.everyone(connection)
    digits = "".join(name.lower().split())
    exact = [one for one in known if one.alias.casefold() == name.casefold()] or [
        one for one in known if len(digits) >= SHORT_FINGERPRINT and one.fingerprint.startswith(digits)
    ]
    if not exact:
        raise Refused("counterpart-unknown", name=name)
    if len(exact) > 1:
        raise Refused("counterpart-ambiguous", name=name)
    return exact[0]


def verify(installation: Installation, name: str) -> Listed:
    """The officer states that the card's fingerprint was compared with the counterpart out of band.

    Raises `Refused`: counterpart-unknown, counterpart-ambiguous, counterpart-revoked.
    """
    with installation.database.write() as tx:
        one = find(tx, name)
        if one.revoked:
            raise Refused("counterpart-revoked", name=one.alias)
        if not one.verified:
            counterparts.set_verified(tx, one.cid, installation.now())
            audit.append(tx, installation, "counterpart.verified", fingerprint=one.fingerprint)
        return _listed(counterparts.get(tx, one.cid))


def rename(installation: Installation, name: str, alias: str) -> Listed:
    """Give a counterpart another alias; raises `Refused` as `find` does, and alias-taken, name-unusable."""
    alias = officers.good_name(alias)
    with installation.database.write() as tx:
        one = find(tx, name)
        for known in counterparts.everyone(tx):
            if known.cid != one.cid:
                _claim_alias(known, alias)
        counterparts.set_alias(tx, one.cid, alias)
        audit.append(tx, installation, "counterpart.renamed", fingerprint=one.fingerprint, alias=alias)
        return _listed(counterparts.get(tx, one.cid))


def revoke(installation: Installation, name: str) -> Listed:
    """Exchange nothing with this counterpart any more. Raises `Refused` as `find` does."""
    with installation.database.write() as tx:
        one = find(tx, name)
        if not one.revoked:
            counterparts.set_revoked(tx, one.cid, installation.now())
            audit.append(tx, installation, "counterpart.revoked", fingerprint=one.fingerprint)
        return _listed(counterparts.get(tx, one.cid))


def require_sound(one: Counterpart) -> None:
    """Raise unless packages may be exchanged with this counterpart: counterpart-unverified, counterpart-revoked."""
    if one.revoked:
        raise Refused("counterpart-revoked", name=one.alias)
    if not one.verified:
        raise Refused("counterpart-unverified", name=one.alias)


def require_at_work(connection: Connection) -> None:
    """Raise (retired) if this installation was moved to another machine: only the one there seals and opens."""
    if since := people.retired(connection):
        raise Refused("retired", since=since)


def load_channel(connection: Connection, cid: int) -> Channel:
    """The channel with a counterpart as it stands. Raises `Refused`: restore-unsettled (`epochs.settle_restore`)."""
    if counterparts.restored(connection):
        raise Refused("restore-unsettled")
    return msgspec.json.decode(counterparts.channel(connection, cid), type=Channel)


def save_channel(tx: Connection, cid: int, channel: Channel) -> None:
    """Store the channel's new state."""
    counterparts.put_channel(tx, cid, msgspec.json.encode(channel).decode())


def _claim_alias(known: Counterpart, alias: str) -> None:
    """An alias must be told apart from every other alias, whatever its case, and from what names a fingerprint."""
    named = len(alias) >= SHORT_FINGERPRINT and known.fingerprint.startswith(alias.lower())
    if named or known.alias.casefold() == alias.casefold():
        raise Refused("alias-taken", alias=alias)


def _listed(one: Counterpart) -> Listed:
    card = read_card(one.card)
    return Listed(
        one.fingerprint, one.alias, card.name, card.country, bool(one.verified), bool(one.revoked), one.added
    )
