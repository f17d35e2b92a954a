"""Installations in this process, a counterpart who keeps no rule, and STIX for them to exchange.

The key derivation costs nothing here. A template is made once in a session and its folders are copied for each test.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import rfc8785

from app import vault
from app.exchange import agreements, counterparts, deciding, receiving, releases, sealing
from app.exchange import channel as machine
from app.exchange.terms import Clauses
from app.holdings import importing
from app.intel import marking, reading
from app.intel.marking import Level
from app.jobs import Cancelled, Job, quiet
from app.store import counterparts as store_counterparts
from app.store import packages
from app.store.installation import Installation
from crypto import document
from crypto import package as format_
from crypto.identity import Identity
from crypto.package import Draft, PartSource
from crypto.slots import Cost

CHEAP = Cost(passes=1, memory=8)
PASSPHRASE = "correct horse battery staple"
T0 = "2026-01-01T00:00:00.000Z"
T1 = "2026-02-01T00:00:00.000Z"
T2 = "2026-03-01T00:00:00.000Z"
CLEAR, AMBER, RED = (marking.IDS[level] for level in (Level.CLEAR, Level.AMBER, Level.RED))
_serial = itertools.count(1)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_days(self, days: float) -> None:
        self.time += timedelta(days=days)


# Installations ----------------------------------------------------------------------------------------------


def make_template(root: Path, *, met: bool, clock: Callable[[], datetime] | None = None) -> Path:
    """alpha and beta who verified each other, and mallory, an identity that alpha verified, in a folder.

    `met`: packages went both ways, so that one-time keys are in hand. `clock`: for use by real processes, the real one.
    """
    for name in ("alpha", "beta"):
        vault.create(root / name, name, "JO", "R. Haddad", PASSPHRASE, CHEAP, clock=clock or Clock())
    mallory = Identity.generate()
    (root / "mallory").write_bytes(mallory.to_bytes())
    with unlocked(root / "alpha", clock) as alpha, unlocked(root / "beta", clock) as beta:
        connect(alpha, beta)
        pin(alpha, mallory.card("mallory", "XX", T0))
        if met:
            for x, y, name in ((alpha, beta, "beta"), (beta, alpha, "alpha"), (alpha, beta, "beta")):
                receive(y, send(x, name))
    return root


TRIO = ("alpha", "beta", "gamma")


def make_trio(root: Path) -> Path:
    """Three installations, each pair verified and with each other's one-time keys, in a folder."""
    with contextlib.ExitStack() as stack:
        sites = {}
        for name in TRIO:
            vault.create(root / name, name, "JO", "R. Haddad", PASSPHRASE, CHEAP, clock=Clock())
            sites[name] = stack.enter_context(unlocked(root / name))
        for a, b in itertools.combinations(TRIO, 2):
            connect(sites[a], sites[b])
            for x, y in ((a, b), (b, a), (a, b)):
                receive(sites[y], send(sites[x], y))
    return root


@contextlib.contextmanager
def copied_trio(template: Path, folder: Path) -> Iterator[SimpleNamespace]:
    """alpha, beta and gamma from a template: copied, open, with one clock for all."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    clock = Clock()
    with contextlib.ExitStack() as stack:
        sites = {name: stack.enter_context(unlocked(folder / name, clock)) for name in TRIO}
        yield SimpleNamespace(**sites, sites=sites, folder=folder, clock=clock)


@contextlib.contextmanager
def unlocked(home: Path, clock: Callable[[], datetime] | None = None) -> Iterator[Installation]:
    with vault.unlocked(home, PASSPHRASE, clock=clock or Clock()) as installation:
        yield installation


def pin(site: Installation, card: bytes, alias: str = "") -> None:
    counterparts.verify(site, counterparts.add(site, card, alias).fingerprint)


def connect(a: Installation, b: Installation) -> None:
    pin(a, counterparts.own_card(b))
    pin(b, counterparts.own_card(a))


@contextlib.contextmanager
def copied(template: Path, folder: Path) -> Iterator[SimpleNamespace]:
    """alpha, beta and mallory from a template: copied, open, with one clock for all."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    clock = Clock()
    alpha = vault.unlock(folder / "alpha", PASSPHRASE, clock=clock)
    beta = vault.unlock(folder / "beta", PASSPHRASE, clock=clock)
    try:
        yield SimpleNamespace(
            alpha=alpha.installation,
            beta=beta.installation,
            close_alpha=alpha.lock,
            mallory=Rogue(Identity.from_bytes((folder / "mallory").read_bytes()), folder),
            folder=folder,
            clock=clock,
        )
    finally:
        alpha.lock()
        beta.lock()


def problems(site: Installation) -> list[str]:
    """Codes of what `check` finds wrong."""
    return [problem.code for problem in vault.check(site, quiet())]


def state(site: Installation) -> list[tuple[str, list[tuple]]]:
    """Everything in the store, to show that something changed nothing. What follows is left out: text indexes, and the
    sum of how things stand.
    """
    reader = site.database.read()
    names = [
        row[0]
        for row in reader.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%\\_text%' ESCAPE '\\'"
            " AND name <> 'seal'"
            " ORDER BY name"
        )
    ]
    return [(name, sorted(map(tuple, reader.execute(f"SELECT * FROM {name}")), key=repr)) for name in names]


def acts(site: Installation) -> list[str]:
    """What the log says was done, oldest first."""
    rows = site.database.read().execute("SELECT entry FROM audit ORDER BY number")
    return [json.loads(row[0])["act"] for row in rows]


# Acts -------------------------------------------------------------------------------------------------------


def new_path(folder: Path, suffix: str = ".age") -> Path:
    return folder / f"file-{next(_serial)}{suffix}"


def beside(site: Installation) -> Path:
    """A file name that is free, beside an installation."""
    return new_path(site.home.parent)


def peer(site: Installation, name: str) -> store_counterparts.Counterpart:
    return counterparts.find(site.database.read(), name)


def channel(site: Installation, name: str) -> machine.Channel:
    return counterparts.load_channel(site.database.read(), peer(site, name).cid)


def set_channel(site: Installation, name: str, **changes) -> None:
    """Put a channel into a state: `sending` and `receiving` are dictionaries of changes."""
    one = peer(site, name)
    with site.database.write() as tx:
        old = counterparts.load_channel(tx, one.cid)
        parts = {part: replace(getattr(old, part), **values) for part, values in changes.items()}
        counterparts.save_channel(tx, one.cid, replace(old, **parts))


def send(site: Installation, to: str, *parts: PartSource, release: bytes | None = None) -> Path:
    """An honest package with these parts, without the gate: for what only a seal does."""
    content = sealing.Content(parts, (), release)
    return sealing.seal(
        site, peer(site, to), content, beside(site), lambda tx, epoch, seq: None, quiet()
    ).path


def release(site: Installation, to: str, *ids: str, target: Path | None = None, **wish) -> releases.Released:
    """Release the objects with these ids (none: all)."""
    chosen = releases.Wish(ids or None, **wish)
    return releases.release(site, to, chosen, target or beside(site), quiet())


def verdicts(site: Installation, to: str, *ids: str) -> dict[str, str]:
    """The gate's code for each id that a release of these ids is about."""
    decision = releases.check(site, to, releases.Wish(ids or None), quiet())
    return {item.id: item.code for item in decision.items}


LASTING = Clauses(Level.AMBER, "2026-06-01", "2027-05-31", "2026-07-01")
"""From the day at whose noon the clock of the tests stands."""


def agreed(a: Installation, b: Installation, **clauses) -> str:
    """An agreement between two installations, named as their folders, in force on both sides; its id."""
    terms = replace(LASTING, **clauses)
    done = agreements.propose(a, b.home.name, terms, (), beside(a), quiet())
    receive(b, done.package.path)
    number = next(one.number for one in agreements.listed(b) if one.id == done.agreement.id)
    receive(a, agreements.sign(b, number, beside(b), quiet()).package.path)
    return done.agreement.id


def receive(site: Installation, path: Path) -> receiving.Received:
    return receiving.receive(site, path, quiet())


def accept_all(site: Installation, path: Path) -> deciding.Decided:
    """Receive a package and accept what is in it."""
    return deciding.accept(site, receive(site, path).number, None, quiet())


class Impatient(Job):
    """A job that is cancelled when it comes to a stage, or interrupted by another error."""

    def __init__(self, stage: str, stop: type[BaseException] = Cancelled) -> None:
        super().__init__()
        self.stage, self.stop = stage, stop

    def step(self, done: int, total: int, stage: str) -> None:
        if stage == self.stage:
            if self.stop is not Cancelled:
                raise self.stop
            self.cancel()
        super().step(done, total, stage)


class Deaf(Job):
    """A job that is cancelled at its first step, and hears of it in the middle of a statement at the earliest."""

    def step(self, done: int, total: int, stage: str) -> None:
        self.cancel()


# A counterpart who keeps no rule -----------------------------------------------------------------------------


@dataclass
class Rogue:
    """Seals and signs whatever it is told to, with an identity that was verified."""

    identity: Identity
    folder: Path
    epoch: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    seq: int = 0
    head: bytes | None = None

    @property
    def fingerprint(self) -> str:
        return self.identity.fingerprint

    def package(
        self,
        to: Installation,
        *parts: PartSource,
        key: bytes | None = None,
        name: str | None = None,
        keep: bool = True,
        **manifest,
    ) -> Path:
        """A package for `to`, sealed to its card unless `key` is given. `manifest` replaces fields of an honest one;
        not `keep`: the next package follows the one before this.
        """
        seq = manifest.get("seq", self.seq + 1)
        draft = Draft(
            sender=self.identity.fingerprint,
            to=to.identity.fingerprint,
            epoch=self.epoch,
            seq=seq,
            prev=None if seq == 1 else self.head or bytes(32),
            sealed=T0,
            reads=1,
            ack=None,
            void=(),
            release=None,
            priority="routine",
            log=None,
        )
        path = self.folder / name if name else new_path(self.folder)
        with path.open("xb") as file:
            sealed = format_.seal(
                file,
                key or to.identity.kem_public,
                self.identity.signing,
                replace(draft, **manifest),
                parts,
                None,
            )
        if keep:
            self.seq, self.head = seq, sealed.manifest_hash
        return path

    def intel(self, to: Installation, *objects: dict, handling: list[dict] | None = None, **more) -> Path:
        """A package with a bundle of these objects, and the lines of a handling part."""
        parts = [part("intel", bundle(*objects))]
        if handling is not None:
            parts.append(part("handling", b"".join(json.dumps(line).encode() + b"\n" for line in handling)))
        more.setdefault("release", secrets.token_bytes(16))
        return self.package(to, *parts, **more)

    def signed(self, kind: str, body: bytes) -> bytes:
        return document.sign(kind, body, self.identity.signing)

    def statement(self, kind: str, **facts) -> PartSource:
        body = {"by": self.fingerprint, "at": T0} | facts
        return part("statement", self.signed(kind, rfc8785.dumps(body)))

    def receipt(self, package: bytes, **facts) -> PartSource:
        """A receipt for the package with this manifest hash."""
        body = {
            "package": package.hex(),
            "release": None,
            "revision": 1,
            "opened": T0,
            "accepted": [],
            "refused": [],
            "reason": "",
        }
        return self.statement("receipt", **body | facts)


def part(kind: str, raw: bytes, codec: str = "none") -> PartSource:
    return PartSource(kind, codec, lambda: io.BytesIO(raw))


def sealed_last(site: Installation, to: str) -> packages.Sealed:
    """The newest package for a counterpart, as the outbox has it."""
    return packages.sealed(site.database.read(), peer(site, to).cid)[0]


# STIX -------------------------------------------------------------------------------------------------------


def thing(kind: str, number: int, mark: str | None = CLEAR, **more) -> dict:
    """An object of any type; None leaves a property out."""
    value = {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{number:08x}-0000-4000-8000-000000000000",
        "created": T0,
        "modified": T0,
        "name": f"{kind} {number}",
        "object_marking_refs": [mark] if mark else None,
    } | more
    return {key: item for key, item in value.items() if item is not None}


def indicator(number: int, mark: str | None = CLEAR, **more) -> dict:
    pattern = {
        "pattern": f"[ipv4-addr:value = '198.51.100.{number % 256}']",
        "pattern_type": "stix",
        "valid_from": T0,
    }
    return thing("indicator", number, mark, **pattern | more)


def relationship(number: int, source: dict, target: dict, mark: str | None = CLEAR) -> dict:
    return thing(
        "relationship",
        number,
        mark,
        name=None,
        relationship_type="related-to",
        source_ref=source["id"],
        target_ref=target["id"],
    )


def definition(number: int, level: str, **more) -> dict:
    """A marking definition that gives a TLP level under an id of its own."""
    extension = {"extension_type": "property-extension", "tlp_2_0": level}
    body = {"modified": None, "name": f"TLP:{level.upper()}", "extensions": {marking.EXTENSION: extension}}
    return thing("marking-definition", number, None, **body | more)


def bundle(*objects: dict) -> bytes:
    head = {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000"}
    return json.dumps(head | {"objects": objects}).encode()


def take(
    site: Installation, *objects: dict, handling: Level | None = Level.CLEAR, name: str = "file"
) -> importing.Counts:
    """Import these objects."""
    return importing.import_entries(site, reading.read_bundle(bundle(*objects)), name, handling, quiet())


def sha256_of(value: dict) -> str:
    """The hash of an object's text as it is kept, hex."""
    entry = next(iter(reading.read_bundle(bundle(value))))
    return hashlib.sha256(entry.raw).hexdigest()


def level_line(value: dict, tlp: str, **more) -> dict:
    """A line of a handling part."""
    line = {"id": value["id"], "modified": value.get("modified", ""), "sha256": sha256_of(value), "tlp": tlp}
    return line | more
