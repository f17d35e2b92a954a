"""Whom we exchange with: cards pinned here, their local names, whether they were verified.

A card is a claim until the officer verified it; nothing is sealed to it or opened from it before. The name on a card is
a claim too: the officer's alias is what lists show and commands take.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import msgspec

from app import audit, officers
from app.exchange.beginnings import renewed
from app.exchange.channel import Channel, opened, unreached
from app.exchange.ranges import Ranges
from app.messages import Refused
from app.store import counterparts, packages, people
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import manifest as manifests
from crypto.errors import CryptoError
from crypto.identity import Card, read_card

CARD_LIMIT = 65_536
FINGERPRINT_LENGTH = 64
SHORT_FINGERPRINT = 8
_NEW_CARD = "new card"


@dataclass(frozen=True)
class Listed:
    """A counterpart as lists show it. `name` and `country` are the card's claims, `alias` is ours.

    `former`: fingerprints of the cards whose place this one took, oldest first. `carried`: when a rotation carried the
    verification over to this card ("": it did not). `disputed`: an old key of theirs named two successors.
    `replaces`: the alias of the counterpart whose place this card takes once it is verified. `lacks`: see `lacking`.
    """

    fingerprint: str
    alias: str
    name: str
    country: str
    verified: bool
    revoked: bool
    added: str
    carried: str = ""
    disputed: bool = False
    former: tuple[str, ...] = ()
    replaces: str = ""
    lacks: Ranges = ()


def own_card(installation: Installation) -> bytes:
    """This installation's card, for a counterpart to import."""
    return people.identity(installation.database.read())[1]


def own(installation: Installation) -> Card:
    """What this installation's own card says."""
    return read_card(own_card(installation))


def add(installation: Installation, raw: bytes, alias: str = "", replaces: str = "") -> Listed:
    """Pin a card under `alias` ("": the card's name, if that is free), unverified.

    With `replaces` it takes that counterpart's place, with all that was exchanged, once it is verified: for a card
    whose keys are lost. Raises `Refused`: not-a-card, card-own, card-known, card-retired, alias-taken,
    name-unusable, and as `find` does.
    """
    if len(raw) > CARD_LIMIT:
        raise Refused("not-a-card")
    try:
        card = read_card(raw)
    except CryptoError as error:
        raise Refused("not-a-card") from error
    with installation.database.write() as tx:
        if card.fingerprint in own_signers(tx):
            raise Refused("card-own")
        if (holder := counterparts.holder(tx, card.fingerprint)) is not None:
            current = holder.fingerprint == card.fingerprint
            raise Refused("card-known" if current else "card-retired", name=holder.alias)
        old = find(tx, replaces) if replaces else None
        alias = officers.good_name(alias or (f"{old.alias} ({_NEW_CARD})" if old else card.name))
        for known in counterparts.everyone(tx):
            _claim_alias(known, alias)
        cid = counterparts.add(tx, card.fingerprint, alias, raw, installation.now())
        save_channel(tx, cid, opened(secrets.token_hex(16)))
        if old is not None:
            counterparts.set_replaces(tx, cid, old.cid)
        audit.append(
            tx,
            installation,
            "counterpart.added",
            fingerprint=card.fingerprint,
            alias=alias,
            replaces=old.fingerprint if old else "",
        )
        return _listed(tx, counterparts.get(tx, cid))


def listed(installation: Installation) -> list[Listed]:
    """All counterparts, by alias."""
    reader = installation.database.read()
    return [_listed(reader, one) for one in counterparts.everyone(reader)]


def named(installation: Installation, name: str) -> str:
    """The fingerprint of the counterpart that `name` means; raises `Refused` as `find` does."""
    return find(installation.database.read(), name).fingerprint


def find(connection: Connection, name: str) -> Counterpart:
    """The counterpart that `name` means: an alias, a fingerprint, or at least its first eight digits.

    Raises `Refused`: counterpart-unknown, counterpart-ambiguous.
    """
    known = counterparts.everyone(connection)
    digits = "".join(name.lower().split())
    # An alias may look like another's digits: then it means two, whichever was meant.
    digital = len(digits) >= SHORT_FINGERPRINT
    exact = [
        one
        for one in known
        if one.alias.casefold() == name.casefold() or (digital and one.fingerprint.startswith(digits))
    ]
    if not exact and len(digits) == FINGERPRINT_LENGTH:
        holder = counterparts.holder(connection, digits)
        exact = [] if holder is None else [holder]
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
        if not one.verified or one.carried or one.disputed:
            counterparts.set_verified(tx, one.cid, installation.now())
            audit.append(tx, installation, "counterpart.verified", fingerprint=one.fingerprint)
        if one.replaces is not None:
            one = _replace(tx, installation, one, counterparts.get(tx, one.replaces))
        return _listed(tx, counterparts.get(tx, one.cid))


def _replace(tx: Connection, installation: Installation, new: Counterpart, old: Counterpart) -> Counterpart:
    """The card just verified takes the place of another, whose keys are lost: nothing sealed to those any more, and
    nothing that is signed with them counts.
    """
    counterparts.remove(tx, new.cid, old.cid)
    counterparts.succeed(tx, old, new.fingerprint, new.card, None, installation.now())
    for kind in ("onetime", "reusable"):
        counterparts.drop_their_keys(tx, old.cid, kind, (1 << 53) - 1)
    save_channel(tx, old.cid, renewed(load_channel(tx, old.cid), new.fingerprint))
    audit.append(
        tx,
        installation,
        "counterpart.replaced",
        before=old.fingerprint,
        after=new.fingerprint,
        alias=old.alias,
    )
    return counterparts.get(tx, old.cid)


def signers(connection: Connection, one: Counterpart) -> dict[str, bytes]:
    """The signing keys of a counterpart's identities by fingerprint, oldest first; the one pinned now is the last."""
    cards = [former.card for former in counterparts.former(connection, one.cid)]
    return {card.fingerprint: card.signing for card in map(read_card, [*cards, one.card])}


def own_signers(connection: Connection) -> dict[str, bytes]:
    """The signing keys of our identities by fingerprint, oldest first; the one in use is the last."""
    cards = (read_card(one.card) for one in people.identities(connection))
    return {card.fingerprint: card.signing for card in cards}


def successions(connection: Connection) -> dict[str, str]:
    """{fingerprint of a card that was succeeded: that of the card in use now}, ours and everybody's."""
    found = counterparts.successions(connection)
    if len(own := people.identities(connection)) > 1:
        *before, now = (read_card(one.card).fingerprint for one in own)
        found |= dict.fromkeys(before, now)
    return found


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
        return _listed(tx, counterparts.get(tx, one.cid))


def revoke(installation: Installation, name: str) -> Listed:
    """Exchange nothing with this counterpart any more. Raises `Refused` as `find` does."""
    with installation.database.write() as tx:
        one = find(tx, name)
        if not one.revoked:
            counterparts.set_revoked(tx, one.cid, installation.now())
            audit.append(tx, installation, "counterpart.revoked", fingerprint=one.fingerprint)
        return _listed(tx, counterparts.get(tx, one.cid))


def require_sound(one: Counterpart) -> None:
    """Raise unless packages may be exchanged with this counterpart: counterpart-unverified, counterpart-revoked,
    identity-forked.
    """
    if one.revoked:
        raise Refused("counterpart-revoked", name=one.alias)
    if one.disputed:
        raise Refused("identity-forked", name=one.alias)
    if not one.verified:
        raise Refused("counterpart-unverified", name=one.alias)


def require_at_work(installation: Installation, connection: Connection) -> None:
    """Raise (retired) if this installation was moved to another machine: only the one there seals and opens. Raise
    (state-old) if what the store says of counterparts and channels is of another time than the rest.
    """
    if installation.database.aged:
        raise Refused("state-old")
    if since := people.retired(connection):
        raise Refused("retired", since=since)


def load_channel(connection: Connection, cid: int) -> Channel:
    """The channel with a counterpart as it stands. Raises `Refused`: restore-unsettled (`epochs.settle_restore`)."""
    if counterparts.restored(connection):
        raise Refused("restore-unsettled")
    return msgspec.json.decode(counterparts.channel(connection, cid), type=Channel)


def lacking(connection: Connection, cid: int) -> Ranges:
    """The packages of ours that a counterpart, in the newest of theirs that came, says have not come, as far as they
    are under way still.
    """
    channel = msgspec.json.decode(counterparts.channel(connection, cid), type=Channel)
    raw = packages.newest_manifest(connection, cid, bytes.fromhex(channel.receiving.epoch))
    ack = None if raw is None else manifests.parse(raw).ack
    return () if ack is None else unreached(channel.sending, ack.epoch.hex(), ack.want)


def save_channel(tx: Connection, cid: int, channel: Channel) -> None:
    """Store the channel's new state."""
    counterparts.put_channel(tx, cid, msgspec.json.encode(channel).decode())


def _claim_alias(known: Counterpart, alias: str) -> None:
    """An alias must be told apart from every other alias, whatever its case, and from what names a fingerprint."""
    named = len(alias) >= SHORT_FINGERPRINT and known.fingerprint.startswith(alias.lower())
    if named or known.alias.casefold() == alias.casefold():
        raise Refused("alias-taken", alias=alias)


def _listed(connection: Connection, one: Counterpart) -> Listed:
    card = read_card(one.card)
    return Listed(
        one.fingerprint,
        one.alias,
        card.name,
        card.country,
        bool(one.verified),
        bool(one.revoked),
        one.added,
        one.carried or "",
        bool(one.disputed),
        tuple(former.fingerprint for former in counterparts.former(connection, one.cid)),
        "" if one.replaces is None else counterparts.get(connection, one.replaces).alias,
        lacking(connection, one.cid),
    )
