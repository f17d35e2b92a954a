"""One-time and reusable keys that ride in packages (protocol.md 3): publication, choice, erasure."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.exchange import channel as machine
from app.exchange.channel import Channel
from app.store import counterparts
from app.store.counterparts import ERASE_DAYS, OwnKey, Superseded, TheirKey
from app.store.database import Connection
from app.store.installation import Installation
from crypto import kem, keys_part
from crypto.errors import CryptoError
from crypto.identity import read_card
from crypto.keys_part import KeysPart

ONETIME, REUSABLE = "onetime", "reusable"
ONETIME_GOAL = 16
HELD_LIMIT = 256
LIVE_LIMIT = 64
"""Private halves of one-time keys kept for a counterpart, however few of them it says it has."""
KID_BYTES = 16
SKIPPED = 1 << 20
RENEW_DAYS, USE_DAYS = 30, 90

Protection = Literal["onetime", "reusable", "card"]


@dataclass(frozen=True)
class Choice:
    """The key a package is sealed to: its class, number (None: the card's), public half and published id."""

    protection: Protection
    number: int | None
    public: bytes
    kid: bytes | None


@dataclass(frozen=True)
class Owned:
    """Whose key opened a package: the counterpart it was published to (None: our card's key) and which one."""

    cid: int | None
    protection: Protection
    number: int | None


def choose(
    connection: Connection, installation: Installation, cid: int, card: bytes, channel: Channel
) -> Choice:
    """The lowest one-time number above the last used; else the newest reusable key; else the card's key.

    Keys that came more than 90 days ago are not used. Until the counterpart acked this epoch it may not
    know us under it: then the card's key alone will do (4, epoch start).
    """
    if channel.sending.started:
        fresh = installation.days_ago(USE_DAYS)
        for key in counterparts.their_keys(connection, cid, ONETIME):
            if key.number > channel.sending.onetime and key.received > fresh:
                return Choice("onetime", key.number, key.public, key.kid)
        for key in counterparts.their_keys(connection, cid, REUSABLE)[-1:]:
            if key.received > fresh:
                return Choice("reusable", key.number, key.public, None)
    return Choice("card", None, read_card(card).kem, None)


@dataclass(frozen=True)
class Publication:
    """The `keys` part of the next package, and the key pairs in it that are new: stored when that package
    is committed.
    """

    raw: bytes
    fresh: tuple[OwnKey, ...]


def publication(
    connection: Connection, installation: Installation, cid: int, channel: Channel
) -> Publication:
    """What to publish to a counterpart now: live keys whose package they have not acked, and new ones until they hold
    the goal, by their own count of those that reached them. The reusable key is renewed every 30 days.
    """
    # What is told now may be used for 90 days from its coming: older keys are told no more, so that none
    # is erased before.
    tell = installation.days_ago(USE_DAYS)
    live = [key for key in counterparts.own_keys(connection, cid) if key.created > tell]
    due = installation.days_ago(RENEW_DAYS)
    renewed = any(key.kind == REUSABLE and key.created > due for key in live)
    fresh = [] if renewed else [_fresh(connection, installation, cid, REUSABLE, 1)]
    ready = [key for key in live if key.kind == ONETIME]
    under_way = sum(1 for key in ready if not _acked(channel, key.published))
    holds = channel.sending.holds
    lacking = ONETIME_GOAL - (len(ready) if holds is None else holds + under_way)
    count = min(lacking, LIVE_LIMIT - len(ready))
    fresh += [_fresh(connection, installation, cid, ONETIME, ahead + 1) for ahead in range(count)]
    told = [key for key in live if not _acked(channel, key.published)] + fresh
    numbers = [key.number for key in (*live, *fresh) if key.kind == ONETIME]
    part = KeysPart(
        floor=min(numbers, default=counterparts.last_own_number(connection, cid, ONETIME) + 1),
        reusable=next(((key.number, key.public) for key in reversed(told) if key.kind == REUSABLE), None),
        onetime=tuple((key.number, key.kid, key.public) for key in told if key.kind == ONETIME),
    )
    return Publication(keys_part.encode(part), tuple(fresh))


def skip_numbers(tx: Connection, cid: int) -> None:
    """Leave a gap in the numbers of our keys: an older copy of this store may have given out the next ones already.

    So a number never names two keys, and the counterpart need not forget which ones it used.
    """
    for kind in (ONETIME, REUSABLE):
        number = counterparts.last_own_number(tx, cid, kind)
        counterparts.put_last_own_number(tx, cid, kind, number + SKIPPED)


def forget(tx: Connection, cid: int) -> None:
    """Use none of the keys that a counterpart has published so far."""
    for kind in (ONETIME, REUSABLE):
        counterparts.drop_their_keys(tx, cid, kind, (1 << 53) - 1)


def keep(tx: Connection, fresh: Sequence[OwnKey], seq: int) -> None:
    """Store new key pairs, published in package `seq`; a number never names two keys, even after the key is gone."""
    for key in fresh:
        counterparts.add_own_key(tx, replace(key, published=seq))
        counterparts.put_last_own_number(tx, key.cid, key.kind, key.number)


def _acked(channel: Channel, seq: int) -> bool:
    """Whether a key first published in package `seq` reached them: it rode in each package since, until this was so."""
    sending = channel.sending
    return seq <= sending.upto or any(n >= seq and p.state == "acked" for n, p in sending.packages.items())


def take(tx: Connection, installation: Installation, cid: int, raw: bytes, last_used: int) -> int:
    """Keep the keys a counterpart published; returns how many were dropped as bad.

    Each new one is encapsulated to once: a poisoned key fails here, not in our next seal. Numbers that
    were used, or lie
    below the floor, are dropped silently: they are late, not wrong. Raises `CryptoError` (keys-format).
    """
    part = keys_part.decode(raw)
    known = {key.number for key in counterparts.their_keys(tx, cid, ONETIME)}
    now, bad = installation.now(), 0
    counterparts.drop_their_keys(tx, cid, ONETIME, max(part.floor - 1, last_used))
    for number, kid, public in part.onetime:
        if number <= last_used or number < part.floor or number in known:
            continue
        if len(known) < HELD_LIMIT and _sound(public):
            counterparts.add_their_key(tx, cid, TheirKey(ONETIME, number, kid, public, now))
            known.add(number)
        else:
            bad += 1
    if part.reusable is not None:
        number, public = part.reusable
        newest = max((key.number for key in counterparts.their_keys(tx, cid, REUSABLE)), default=0)
        if number > newest:
            if _sound(public):
                counterparts.add_their_key(tx, cid, TheirKey(REUSABLE, number, b"", public, now))
                counterparts.drop_their_keys(tx, cid, REUSABLE, number - 1)
            else:
                bad += 1
    return bad


def used(tx: Connection, cid: int, key: Owned, all_closed: bool) -> None:
    """The package sealed to `key` is being committed: a one-time private half goes for good.

    Lower numbers go too once no package before this one is missing (`all_closed`): none can need them.
    """
    if key.protection != "onetime" or key.number is None:
        return
    for own in counterparts.own_keys(tx, cid):
        if own.kind == ONETIME and (own.number == key.number or (all_closed and own.number < key.number)):
            counterparts.erase_own_key(tx, cid, ONETIME, own.number)


def retire(tx: Connection, cid: int, channel: Channel, epoch: str, seq: int) -> None:
    """Their package `seq` of `epoch` is being taken in: reusable private halves that were replaced go once the
    newer one is known to have reached them and everything they sent before they told so is closed.
    """
    reusable = [key for key in counterparts.own_keys(tx, cid) if key.kind == REUSABLE]
    if len(reusable) > 1 and _acked(channel, reusable[-1].published):
        counterparts.add_superseded(tx, Superseded(cid, REUSABLE, reusable[-1].number, epoch, seq))
    for row in counterparts.superseded(tx, REUSABLE, cid):
        if machine.all_closed(channel.receiving, row.epoch, row.seq - 1):
            for key in reusable:
                if key.number < row.number:
                    counterparts.erase_own_key(tx, cid, REUSABLE, key.number)
            counterparts.drop_superseded(tx, REUSABLE, row.number, cid)


def expire(tx: Connection, installation: Installation) -> None:
    """Erase private halves made more than 180 days ago; the newest reusable one stays until it is renewed."""
    counterparts.erase_old_keys(tx, installation.days_ago(ERASE_DAYS))


def unused(connection: Connection, installation: Installation, cid: int) -> int:
    """How many one-time keys of a counterpart are in hand that may still be used."""
    fresh = installation.days_ago(USE_DAYS)
    return sum(1 for key in counterparts.their_keys(connection, cid, ONETIME) if key.received > fresh)


def private_halves(
    connection: Connection, installation: Installation, hint: str
) -> list[tuple[Owned, bytes]]:
    """Every private half a package could be sealed to, the one the file's name hints at first."""
    keys = counterparts.own_keys(connection)
    keys.sort(key=lambda key: (key.kid.hex() != hint, key.kind != ONETIME))
    halves: list[tuple[Owned, bytes]] = [
        (Owned(key.cid, "onetime" if key.kind == ONETIME else "reusable", key.number), key.seed)
        for key in keys
    ]
    # Cards' keys last: a retired identity's while something may be under way to it.
    retired = (one.kem_seed for one in reversed(installation.identities.retired))
    seeds = (installation.identity.kem_seed, *retired)
    return [*halves, *((Owned(None, "card", None), seed) for seed in seeds)]


def lost(connection: Connection, hint: str) -> int | None:
    """To whom (cid) the key was published that a file's name hints at, if a restore lost its private half."""
    try:
        return counterparts.lost_key_owner(connection, bytes.fromhex(hint))
    except ValueError:
        return None


def _fresh(connection: Connection, installation: Installation, cid: int, kind: str, ahead: int) -> OwnKey:
    number = counterparts.last_own_number(connection, cid, kind) + ahead
    seed = kem.new_seed()
    return OwnKey(
        cid, kind, number, secrets.token_bytes(KID_BYTES), seed, kem.public(seed), installation.now(), 0
    )


def _sound(public: bytes) -> bool:
    try:
        kem.check_public(public)
    except CryptoError:
        return False
    return True
