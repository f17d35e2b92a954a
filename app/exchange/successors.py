"""Identities of a counterpart that follow one another: who a package is from whose sender is not pinned under that
card.

A rotation, signed by the old key and by the new, carries the pin and its verification over; nothing else does. It
stands among the first parts of a package and is read before the manifest's signature, which only the card in it can
verify: it bears its own signatures, and until those were checked nothing of it is believed. Two successors of one
old key are a fork of the identity: both are kept, and nothing is exchanged until the officer has compared the card
anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from app import audit
from app.exchange import counterparts
from app.exchange.statements import Statement
from app.messages import Refused
from app.store import counterparts as store
from app.store import statements as store_statements
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import rotation
from crypto.errors import CryptoError
from crypto.rotation import ROTATION_KIND, Rotation

CHAIN_LIMIT = 16
"""Rotations of one counterpart that one package may bring."""


@dataclass(frozen=True)
class Introduced:
    """The counterpart a sender is, and the rotations that lead from its pinned card to the sender's, oldest first.

    `disputed`: a rotation by an old key of theirs that names another successor than the one known; then nothing else
    counts.
    """

    one: Counterpart
    chain: tuple[Rotation, ...] = ()
    disputed: Rotation | None = None


def introduced(connection: Connection, raws: Iterable[bytes], sender: str) -> Introduced | None:
    """Who the sender with that fingerprint is by the rotations among these documents; None: nobody known."""
    claims: dict[str, list[bytes]] = {}
    for raw in raws:
        if (by := rotation.claimed_by(raw)) is not None:
            claims.setdefault(by, []).append(raw)
    found: list[Introduced] = []
    for by in claims:
        one = store.holder(connection, by)
        if one is None:
            continue
        signing = counterparts.signers(connection, one)[by]
        chain = _chain(connection, one.cid, claims, by, signing, sender)
        if chain is None:
            continue
        if isinstance(chain, Rotation):
            return Introduced(one, disputed=chain)
        if by == one.fingerprint:
            found.append(Introduced(one, chain))
        elif chain and not _on_record(connection, one.cid, chain[0]):
            found.append(Introduced(one, disputed=chain[0]))
    return min(found, key=lambda one: one.disputed is not None, default=None)


def _on_record(connection: Connection, cid: int, step: Rotation) -> bool:
    """Whether this names the successor that is pinned."""
    order = list(counterparts.signers(connection, store.get(connection, cid)))
    return step.by in order and order[order.index(step.by) + 1 :][:1] == [step.card.fingerprint]


def _chain(
    connection: Connection, cid: int, claims: dict[str, list[bytes]], by: str, signing: bytes, sender: str
) -> tuple[Rotation, ...] | Rotation | None:
    """The rotations from `by` to `sender`; None: they do not lead there; one alone: a key that names two successors."""
    chain: list[Rotation] = []
    passed = {by}
    while by != sender:
        steps = {
            step.card.fingerprint: step
            for step in _sound(claims.get(by, ()), signing, by)
            # One that was judged before is not judged again.
            if not store_statements.held(connection, cid, step.id) or _on_record(connection, cid, step)
        }
        if len(steps) > 1:
            return next(step for step in steps.values() if not _on_record(connection, cid, step))
        for step in steps.values():
            if step.card.fingerprint in passed or len(chain) == CHAIN_LIMIT:
                return None
            chain.append(step)
            by, signing = step.card.fingerprint, step.card.signing
            passed.add(by)
        if not steps:
            return None
    return tuple(chain)


def _sound(raws: Iterable[bytes], signing: bytes, by: str) -> Iterator[Rotation]:
    for raw in raws:
        try:
            yield rotation.read(raw, signing, by)
        except CryptoError:
            continue


def adopt(tx: Connection, installation: Installation, one: Counterpart, step: Rotation) -> Counterpart:
    """Pin the successor's card in the place of the one pinned now; verification, channel and ledger go on.

    Raises `Refused`: successor-known (that card is pinned as somebody else's), and as `counterparts.require_sound`
    does.
    """
    counterparts.require_sound(one)
    confirmed = False
    if (other := store.holder(tx, step.card.fingerprint)) is not None:
        if other.cid == one.cid or other.revoked or not store.untouched(tx, other.cid):
            raise Refused("successor-known", name=one.alias, other=other.alias)
        # The courier brought the new card before the rotation came: the same card is not pinned twice.
        confirmed = other.verified is not None
        store.remove(tx, other.cid, one.cid)
        audit.append(tx, installation, "counterpart.merged", fingerprint=other.fingerprint, alias=other.alias)
    channel = counterparts.load_channel(tx, one.cid)
    if channel.receiving.epoch and not channel.receiving.card:
        # What is under way in this epoch was signed with the old key, and only that counts in it.
        receiving = replace(channel.receiving, card=one.fingerprint)
        counterparts.save_channel(tx, one.cid, replace(channel, receiving=receiving))
    now = installation.now()
    store.succeed(tx, one, step.card.fingerprint, step.card.raw, step.raw, now)
    if confirmed:
        store.set_verified(tx, one.cid, now)
    store_statements.add(tx, one.cid, step.id, False, ROTATION_KIND, step.raw, now)
    audit.append(
        tx,
        installation,
        "identity.followed",
        alias=one.alias,
        before=one.fingerprint,
        after=step.card.fingerprint,
        statement=step.id.hex(),
    )
    return store.get(tx, one.cid)


def dispute(tx: Connection, installation: Installation, one: Counterpart, step: Rotation) -> None:
    """An old key named a second successor: keep the proof, exchange nothing until the officer compared the card
    anew.
    """
    store_statements.add(tx, one.cid, step.id, False, ROTATION_KIND, step.raw, installation.now())
    store.set_disputed(tx, one.cid, step.card.fingerprint)
    audit.append(
        tx,
        installation,
        "identity.forked",
        alias=one.alias,
        by=step.by,
        second=step.card.fingerprint,
        statement=step.id.hex(),
    )


def apply(tx: Connection, installation: Installation, one: Counterpart, statement: Statement) -> str:
    """Let a rotation that rode as a statement take effect; the code of what is wrong with it, or "".

    Codes: rotation-wrong (not signed by both, or in a circle), successor-known, identity-forked.
    """
    if statement.kind != ROTATION_KIND:
        return ""
    now = store.get(tx, one.cid)
    signers = counterparts.signers(tx, now)
    by = str(statement.body["by"])
    try:
        step = rotation.read(statement.raw, signers[by], by)
    except CryptoError:
        return "rotation-wrong"
    order = list(signers)
    following = order[order.index(by) + 1 :][:1]
    if following == [step.card.fingerprint]:
        return ""
    if following:
        dispute(tx, installation, now, step)
        return "identity-forked"
    if step.card.fingerprint in signers:
        return "rotation-wrong"
    try:
        adopt(tx, installation, now, step)
    except Refused as error:
        return error.code
    return "identity-rotated"
