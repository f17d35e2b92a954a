"""Our identities that follow one another: rotate in time, replace what is lost (protocol.md 3.4, 4, 5).

A rotation is signed by the old key and the new; counterparts carry their verification over, and what is under way stays
readable. A replacement is for a key that may be in other hands: then a signature by it proves nothing, so every
counterpart imports the new card and compares it anew. Of a retired identity only the KEM key's private half is
kept, and that until nothing sealed to it can still come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from app import audit
from app.exchange import channel as machine
from app.exchange import counterparts, epochs
from app.exchange.channel import Channel, Reason
from app.messages import Refused
from app.store import counterparts as store
from app.store import people
from app.store import statements as store_statements
from app.store.counterparts import Counterpart, Superseded
from app.store.database import Connection
from app.store.installation import Identities, Installation
from crypto import document, rotation
from crypto.errors import CryptoError
from crypto.identity import Identity, read_card
from crypto.names import usable

IDENTITY = "identity"
"""The kind under which `superseded` keeps which counterparts know an identity."""


@dataclass(frozen=True)
class Listed:
    """An identity of this installation. `state`: in-use, retired (its KEM key still opens), erased. `waiting`:
    aliases of those who have not acknowledged that it ended, or of whom something from before may still come.
    """

    fingerprint: str
    since: str
    state: str
    rotated: bool
    waiting: tuple[str, ...] = ()


def listed(installation: Installation) -> list[Listed]:
    """Every identity this installation had, the one in use first."""
    with installation.database.snapshot() as reader:
        every = people.identities(reader)
        now = every[-1]
        found = [Listed(read_card(now.card).fingerprint, now.since, "in-use", now.rotation is not None)]
        for one, after in pairwise(every):
            waiting = tuple(w.alias for w in _waiting(reader, after)) if one.secret else ()
            state = "retired" if one.secret else "erased"
            found.append(
                Listed(read_card(one.card).fingerprint, one.since, state, one.rotation is not None, waiting)
            )
    return [found[0], *reversed(found[1:])]


def rotate(installation: Installation, name: str = "", country: str = "") -> str:
    """Let a new identity take the place of this one, which names it: its fingerprint. `name` and `country` as its card
    is to say them ("": as before).

    Raises `Refused`: name-unusable, country-unusable, store-busy.
    """
    return _succeed(installation, name, country, "rotated")


def replace_lost(installation: Installation, name: str = "", country: str = "") -> str:
    """Let a new identity take the place of one whose keys may be in other hands: its fingerprint.

    Nothing is exchanged with anybody before both officers compared the cards anew. Raises `Refused`: name-unusable,
    country-unusable, store-busy.
    """
    return _succeed(installation, name, country, "replaced")


def _succeed(installation: Installation, name: str, country: str, reason: Reason) -> str:
    old, new, now = installation.identity, Identity.generate(), installation.now()
    claims = counterparts.own(installation)
    try:
        card = new.card(name or claims.name, country or claims.country, now)
    except CryptoError as error:
        fits = usable(name or claims.name)
        raise (
            Refused("country-unusable", country=country[:20]) if fits else Refused("name-unusable", name=name)
        ) from error
    statement = rotation.sign(old, new, card, now) if reason == "rotated" else None
    with installation.database.write() as tx:
        *_before, current = people.identities(tx)
        if read_card(current.card).fingerprint != old.fingerprint:
            raise Refused("store-busy")
        people.put_secret(tx, current.number, old.retired().to_bytes())
        people.add_identity(tx, new.to_bytes(), card, now, statement)
        for one in store.everyone(tx):
            if not one.revoked:
                _tell(tx, installation, one, reason, statement, new.fingerprint)
        audit.append(tx, installation, f"identity.{reason}", before=old.fingerprint, after=new.fingerprint)
        # The old signing key must not lie in the write-ahead log.
        installation.database.leave_no_trace()
        # As soon as it is committed, whatever the disk does to the wiping.
        installation.database.on_commit(partial(_take_up, installation.identities, old, new))
    return new.fingerprint


def _take_up(identities: Identities, old: Identity, new: Identity) -> None:
    identities.retired, identities.current = (*identities.retired, old.retired()), new


def _tell(
    tx: Connection,
    installation: Installation,
    one: Counterpart,
    reason: Reason,
    statement: bytes | None,
    fingerprint: str,
) -> None:
    """What a counterpart will be told, and from where on our direction is the new identity's."""
    if statement is not None:
        id_ = document.parse(statement).id
        store_statements.add(tx, one.cid, id_, True, rotation.ROTATION_KIND, statement, installation.now())
    else:
        store.set_unverified(tx, one.cid)
    channel = counterparts.load_channel(tx, one.cid)
    sending = channel.sending
    if sending.next == 1 and sending.start is not None:
        # Nothing was sealed in this epoch yet: it begins under the new identity.
        start = replace(sending.start, card=fingerprint)
        counterparts.save_channel(tx, one.cid, replace(channel, sending=replace(sending, start=start)))
    else:
        epochs.begin(tx, installation, one, reason, fingerprint)


# The end of a retired identity --------------------------------------------------------------------------------


def heard(tx: Connection, one: Counterpart, channel: Channel, epoch: str, seq: int) -> None:
    """Their package `seq` of `epoch` is being taken in, and what it acknowledged is in `channel`: note if they know our
    identity by now, and erase the private halves of retired ones to which nothing can be under way any more.
    """
    every = people.identities(tx)
    now = every[-1]
    if not any(former.secret for former in every[:-1]):
        return
    start = channel.sending.start
    if channel.sending.started and start is not None and start.card == read_card(now.card).fingerprint:
        for former in every[1:]:
            store.add_superseded(tx, Superseded(one.cid, IDENTITY, former.number, epoch, seq))

    def load(cid: int) -> Channel:
        return channel if cid == one.cid else counterparts.load_channel(tx, cid)

    for former, after in pairwise(every):
        if former.secret and not _waiting(tx, after, load):
            people.put_secret(tx, former.number, b"")


def forget(installation: Installation) -> None:
    """Drop from memory what the store has erased."""
    identities = installation.identities
    if identities.retired:
        kept = {
            read_card(one.card).fingerprint
            for one in people.identities(installation.database.read())
            if one.secret
        }
        identities.retired = tuple(one for one in identities.retired if one.fingerprint in kept)


def _waiting(
    connection: Connection, after: people.OwnIdentity, load: Callable[[int], Channel] | None = None
) -> list[Counterpart]:
    """Counterparts who may still seal, or have something under way that was sealed, to an identity before `after`."""
    known = {row.cid: row for row in store.superseded(connection, IDENTITY) if row.number == after.number}
    found = []
    for one in store.everyone(connection):
        if one.revoked or one.added > after.since:
            continue
        row = known.get(one.cid)
        channel = load(one.cid) if load else counterparts.load_channel(connection, one.cid)
        if row is None or not machine.all_closed(channel.receiving, row.epoch, row.seq - 1):
            found.append(one)
    return found
