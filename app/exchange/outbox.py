"""What was sealed, and what can still be done with it: carry it again, resend it, declare it void (protocol.md 2.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from app import audit
from app.audit import opening
from app.audit.opening import Opened
from app.exchange import channel as machine
from app.exchange import counterparts, enquiries, parts, releases, sealing
from app.exchange.releases import Decision, Released, Wish
from app.jobs import Job
from app.messages import Refused
from app.store import agreements, attachments, packages
from app.store import counterparts as store_counterparts
from app.store import ledger as store_ledger
from app.store import statements as store_statements
from app.store.counterparts import Counterpart
from app.store.installation import Installation
from crypto import manifest as manifests
from crypto.identity import read_card

UNDER_WAY = ("sealed", "handed", "left")
_FLASH = b'"priority":"flash"'
"""In a manifest as we write it: no other field can hold a quotation mark."""


@dataclass(frozen=True)
class Listed:
    """A sealed package. `state` is sealed, handed, acked or void; `release` hex, None: no intel in it; `told` what the
    newest receipt says.
    """

    to: str
    seq: int
    state: str
    sealed: str
    size: int
    protection: str
    release: str | None
    reference: str
    path: Path
    priority: str = "routine"
    told: packages.Told | None = None


def listed(installation: Installation, to: str = "") -> list[Listed]:
    """Sealed packages: what is urgent and under way first, then newest. Raises `Refused` as `counterparts.find`."""
    reader = installation.database.read()
    cid = counterparts.find(reader, to).cid if to else None
    names = {one.cid: one.alias for one in store_counterparts.everyone(reader)}
    channels = {one: counterparts.load_channel(reader, one).sending for one in names}
    told = {(one, *where): said for one in names for where, said in packages.told(reader, one).items()}
    found = [
        Listed(
            names[one.cid],
            one.seq,
            sealing.outgoing_state(channels[one.cid], one),
            one.sealed,
            one.size,
            one.protection,
            None if one.release is None else one.release.hex(),
            one.reference,
            installation.outbox / one.file,
            "flash" if _FLASH in one.manifest else "routine",
            told.get((one.cid, one.epoch, one.seq)),
        )
        for one in packages.sealed(reader, cid)
    ]
    return sorted(found, key=lambda one: not (one.priority == "flash" and one.state in UNDER_WAY))


def carry(installation: Installation, to: str, seq: int, target: Path, job: Job) -> Path:
    """Copy a sealed package byte for byte to `target` once more. The gate judges it again; what it refuses
    becomes void.

    Raises `Refused`: package-unknown, package-closed, as `judge_to_carry` and as `sealing.carry` do.
    """
    one, record = _sealed(installation, to, seq)
    judged_at = judge_to_carry(installation, one, record, job)
    return sealing.carry(installation, one, record, target, job, judged_at)


def resend(installation: Installation, to: str, seq: int, target: Path | None, job: Job) -> Released:
    """Seal the release of package `seq` again, as a new package with the same release id; `seq` becomes void.

    Raises `Refused`: package-unknown, package-closed, no-longer-leaves, and as `sealing.seal` does.
    """
    one, record = _sealed(installation, to, seq)
    if record.release is None:
        raise Refused("package-closed", seq=seq, name=one.alias)
    decision, wish = judge_again(installation, one, record, job)
    ended = (
        counterparts.load_channel(installation.database.read(), one.cid).sending.epoch != record.epoch.hex()
    )
    released = releases.send(
        installation, one, wish, decision, record.release, None if ended else seq, target, job
    )
    if ended:
        _void(installation, one, record)
    return released


def void(installation: Installation, to: str, seq: int) -> None:
    """Declare a package that was sealed wrongly void, while it is still in hand or lost on the way.

    Raises `Refused`: package-unknown, package-closed (they acknowledged it: ask for a recall instead).
    """
    one, record = _sealed(installation, to, seq)
    _void(installation, one, record)


def record(installation: Installation, to: str, seq: int) -> packages.Sealed:
    """What is kept of a package of ours, closed or not. Raises `Refused`: package-unknown."""
    reader = installation.database.read()
    one = counterparts.find(reader, to)
    found = packages.sealed_at(reader, one.cid, seq)
    if found is None:
        raise Refused("package-unknown", seq=seq, name=one.alias)
    return found


def opened(installation: Installation, raw: bytes) -> tuple[Opened, str, int | None]:
    """A counterpart's opening of what a package committed to, their alias, and its inbox number (None: never received
    with that manifest). Raises `Refused` as `opening.check` does.
    """
    reader = installation.database.read()
    known = {read_card(one.card): one for one in store_counterparts.everyone(reader)}
    found = opening.check(raw, list(known))
    one = known[found.card]
    return found, one.alias, packages.received_number(reader, one.cid, found.manifest_hash)


def _sealed(installation: Installation, to: str, seq: int) -> tuple[Counterpart, packages.Sealed]:
    """A package of ours that is not closed. Raises `Refused`: package-unknown, package-closed, and as
    `counterparts.find`.
    """
    reader = installation.database.read()
    one = counterparts.find(reader, to)
    record = packages.sealed_at(reader, one.cid, seq)
    if record is None:
        raise Refused("package-unknown", seq=seq, name=one.alias)
    sending = counterparts.load_channel(reader, one.cid).sending
    if sealing.outgoing_state(sending, record) not in UNDER_WAY:
        raise Refused("package-closed", seq=seq, name=one.alias)
    return one, record


def judge_again(
    installation: Installation, one: Counterpart, record: packages.Sealed, job: Job
) -> tuple[Decision, Wish]:
    """The gate's answer for exactly what a package has. One that may not leave now is made void and refused."""
    reader = installation.database.read()
    contents = tuple(store_ledger.contents(reader, one.cid, record.epoch, record.seq))
    given = frozenset(attachments.given_in(reader, one.cid, record.epoch, record.seq))
    said = agreements.release_terms(reader, one.cid, record.epoch, record.seq)
    wish = Wish(
        (),
        note=record.note,
        priority=_priority(record),
        reference=record.reference,
        contents=contents,
        purpose=said.purpose,
        exercise=said.exercise,
        answers=enquiries.answered_by(reader, one.cid, record.release, ours=True),
        attachments=given,
    )
    if not contents:
        return Decision((), (), record.protection, None), wish
    decision = releases.check(installation, one.fingerprint, wish, job)
    along = {(attachment.id, attachment.sha256) for attachment in decision.attachments}
    if len(decision.leaving) != len(set(contents)) or along != given:
        _void(installation, one, record)
        raise Refused("no-longer-leaves", seq=record.seq, name=one.alias, decision=decision)
    return decision, wish


def judge_to_carry(
    installation: Installation, one: Counterpart, record: packages.Sealed, job: Job
) -> int | None:
    """Ask the gate whether a package may leave as it was sealed; returns the newest entry of the log that it saw.

    Raises `Refused`: no-longer-leaves (it is void now), carry-outdated (what it says of the handling and embargo of its
    objects is not what binds them now; it waits, to be sent again).
    """
    decision, wish = judge_again(installation, one, record, job)
    if not parts.as_sealed(record.manifest, parts.handling_lines(decision.leaving, wish.exercise, job)):
        raise Refused("carry-outdated", seq=record.seq, name=one.alias)
    return decision.logged


def _priority(record: packages.Sealed) -> str:
    """The priority a package was sealed with."""
    return manifests.parse(record.manifest).priority


def _void(installation: Installation, one: Counterpart, record: packages.Sealed) -> None:
    with installation.database.write() as tx:
        channel = counterparts.load_channel(tx, one.cid)
        if sealing.outgoing_state(channel.sending, record) == "sealed" and record.release is not None:
            # It never left: they need not learn what it was going to be.
            unsent = store_statements.of_release(tx, one.cid, record.epoch, record.seq)
            store_statements.ride_no_more(tx, one.cid, unsent)
        if record.epoch.hex() == channel.sending.epoch:
            sending = machine.voided(channel.sending, record.seq)
            counterparts.save_channel(tx, one.cid, replace(channel, sending=sending))
        sealing.mark_void(tx, one, record.epoch, record.seq)
        audit.append(tx, installation, "package.void", to=one.fingerprint, seq=record.seq)
