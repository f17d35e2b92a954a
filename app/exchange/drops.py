"""Drops: publish what waits in the outbox, find what is for us, open it into the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app import audit, officers
from app.courier import drop
from app.exchange import counterparts, outbox, receiving, sealing
from app.exchange.receiving import Received
from app.jobs import Job
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import packages
from app.store.installation import Installation

# What a file in a shared folder may be without anything being wrong: another pair's package, our own, one
# opened before.
NOT_FOR_US = frozenset({"not-for-us", "reflected", "sender-unknown"})


@dataclass(frozen=True)
class Listed:
    """A drop: its name, the counterpart it is shared with, its folder."""

    name: str
    counterpart: str
    folder: str


@dataclass(frozen=True)
class Synced:
    """What a sync did: (drop, seq) published, (drop, package) received, (drop, file, code) refused: the name of a file
    there, the number of a package of ours, or "" where the drop itself is meant.
    """

    published: tuple[tuple[str, int], ...]
    received: tuple[tuple[str, Received], ...]
    refused: tuple[tuple[str, str | int, str], ...]


def facts(one: Listed, file: str | int) -> dict[str, object]:
    """What a sentence about something refused in a drop is filled with; `file` as in `Synced`."""
    path = file if isinstance(file, str) and file else one.folder
    return {"path": path, "where": file or one.name, "seq": file, "name": one.counterpart}


def add(installation: Installation, name: str, folder: Path, with_: str) -> None:
    """Use a folder as a drop; raises `Refused`: name-unusable, drop-exists, drop-missing, and as
    `counterparts.find` does.
    """
    name, folder = officers.good_name(name), folder.absolute()
    drop.listing(folder)
    with installation.database.write() as tx:
        one = counterparts.find(tx, with_)
        if any(known.casefold() == name.casefold() for known, _, _ in store_counterparts.drops(tx)):
            raise Refused("drop-exists", name=name)
        store_counterparts.add_drop(tx, name, one.cid, str(folder))
        audit.append(tx, installation, "drop.added", name=name, counterpart=one.fingerprint)


def remove(installation: Installation, name: str) -> str:
    """Use a drop no more; what lies in its folder stays there. Returns its name as it was given. Raises `Refused`
    (drop-unknown).
    """
    with installation.database.write() as tx:
        for known, cid, _ in store_counterparts.drops(tx):
            if known.casefold() == name.casefold():
                store_counterparts.remove_drop(tx, known)
                one = store_counterparts.get(tx, cid)
                audit.append(tx, installation, "drop.removed", name=known, counterpart=one.fingerprint)
                return known
    raise Refused("drop-unknown", name=name)


def listed(installation: Installation) -> list[Listed]:
    """The drops in use, by name."""
    reader = installation.database.read()
    names = {one.cid: one.alias for one in store_counterparts.everyone(reader)}
    return [Listed(name, names[cid], folder) for name, cid, folder in store_counterparts.drops(reader)]


def sync(installation: Installation, names: Sequence[str], job: Job) -> Synced:
    """Sync the drops with these names (none: all). Raises `Refused` (drop-unknown).

    Whatever goes wrong with one drop or one file is named, and the rest goes on.
    """
    every = store_counterparts.drops(installation.database.read())
    wanted = {name.casefold() for name in names} or {name.casefold() for name, _, _ in every}
    for name in wanted - {name.casefold() for name, _, _ in every}:
        raise Refused("drop-unknown", name=name)
    published: list[tuple[str, int]] = []
    received: list[tuple[str, Received]] = []
    refused: list[tuple[str, str | int, str]] = []
    for name, cid, folder in every:
        if name.casefold() not in wanted:
            continue
        try:
            drop.listing(Path(folder))
        except Refused as error:
            # Once for all that would be left there and found there. Where others left too much, ours is left still.
            if error.code == "drop-missing":
                refused.append((name, "", error.code))
                continue
        try:
            for seq, code in _publish(installation, cid, Path(folder), job):
                if code:
                    refused.append((name, seq, code))
                else:
                    published.append((name, seq))
        except Refused as error:
            refused.append((name, "", error.code))
        try:
            for file, got in _fetch(installation, name, Path(folder), job):
                if isinstance(got, Refused):
                    refused.append((name, file, got.code))
                else:
                    received.append((name, got))
        except Refused as error:
            refused.append((name, "", error.code))
    return Synced(tuple(published), tuple(received), tuple(dict.fromkeys(refused)))


def _publish(installation: Installation, cid: int, folder: Path, job: Job) -> list[tuple[int, str]]:
    """(seq, "" or why not) of every package that waits for a courier, oldest first."""
    reader = installation.database.read()
    one = store_counterparts.get(reader, cid)
    counterparts.require_at_work(installation, reader)
    counterparts.require_sound(one)
    sending = counterparts.load_channel(reader, cid).sending
    done = []
    for package in reversed(packages.sealed(reader, cid)):
        if sealing.outgoing_state(sending, package) != "sealed":
            continue
        code = ""
        try:
            judged_at = outbox.judge_to_carry(installation, one, package, job)
            installation.secured()
            sealing.require_unmoved(installation, judged_at)
            drop.publish(installation.outbox / package.file, package.medium, package.sha256, folder, job)
        except Refused as error:
            # A crash after an earlier publication: the file is there, only the record of it is missing.
            if error.code != "target-exists" or not drop.holds(folder / package.medium, package.sha256):
                code = error.code
        if not code:
            sealing.hand_over(installation, one, package.epoch, package.seq)
        done.append((package.seq, code))
    return done


def _fetch(
    installation: Installation, name: str, folder: Path, job: Job
) -> list[tuple[str, Received | Refused]]:
    """Open what is for us. What is another's is remembered by its header, so that it costs key trials only once."""
    reader = installation.database.read()
    seen = store_counterparts.passed_over(reader, name)
    results: list[tuple[str, Received | Refused]] = []
    for found in drop.listing(folder):
        mark = b""
        try:
            mark = receiving.header_hash(found.path)
            if mark not in seen and packages.header(reader, mark) is None:
                results.append((found.name, receiving.receive(installation, found.path, job)))
        except Refused as error:
            if error.code == "not-for-us":
                with installation.database.write() as tx:
                    store_counterparts.pass_over(tx, name, mark)
            else:
                results.append((found.name, error))
    return results
