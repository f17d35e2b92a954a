"""Practice: two throw-away installations on this machine exchange sample intel, step by step, for somebody who watches.

Everything is real but the two parties: the same services, formats, keys and files as in use. Nothing outside the folder
is touched.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from app import vault
from app.direction import bare
from app.exchange import counterparts, deciding, inbox, receipts, receiving, releases
from app.exchange.releases import Wish
from app.formats import stix
from app.holdings import importing
from app.jobs import quiet
from app.messages import _, plain, sentence
from app.store.installation import Installation

SAMPLES = Path(__file__).resolve().parent.parent / "resources" / "samples"
SAMPLE = "copper-lantern.json"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Site:
    """One of the two practice installations, and the passphrase that opens it."""

    name: str
    country: str
    officer: str
    home: Path
    passphrase: str


def prepare(folder: Path) -> tuple[Site, Site]:
    """Create both installations in a new `folder`, pin and verify their cards, import the sample intel on the first.

    Raises `Refused` as `vault.create` does.
    """
    here = _create(folder, "CERT Almaria", "JO", "R. Haddad")
    there = _create(folder, "Northmark CSIRT", "PT", "S. Duarte")
    with _at(here) as a, _at(there) as b:
        for one, other in ((a, b), (b, a)):
            added = counterparts.add(one, counterparts.own_card(other))
            counterparts.verify(one, added.fingerprint)
        with stix.opened(SAMPLES / SAMPLE) as entries:
            importing.import_entries(a, entries, SAMPLE, None, quiet())
    return here, there


def run(folder: Path, say: Say) -> None:
    """The whole exchange, each step said: what is done, what it shows, where the files are."""
    say(_("Two practice installations, two cards exchanged and verified, sample intel imported:"))
    here, there = prepare(folder)
    for site in (here, there):
        say(f"  {site.name} ({site.officer}): {site.home}")
    stick = folder / "stick"
    stick.mkdir(mode=0o700)
    with _at(here) as a, _at(there) as b:
        package = _release(a, there, stick, say)
        _review(b, package, say)
        say(_("{name} seals a signed receipt and carries it back.").format(name=there.name))
        answer = receipts.send(b, here.name, stick, quiet())
        say(f"  {answer.path}")
        receiving.receive(a, answer.path, quiet())
        states = [entry.state for entry in receipts.ledger(a)]
        say(_("The ledger of {name} now says who has what:").format(name=here.name))
        for state in sorted(set(states)):
            say(f"  {state}: {states.count(state)}")
    say(_("Done. Look around with:"))
    program = Path(sys.executable).with_name("mithaq-cli")
    for site in (here, there):
        say(f'  {program} --home "{site.home}" --passphrase-file "{folder / site.home.name}.passphrase" list')


def _release(a: Installation, there: Site, stick: Path, say: Say) -> Path:
    say(_("{name} asks the gate what may leave for {other}:").format(name=a.officer, other=there.name))
    decision = releases.check(a, there.name, Wish(None), quiet())
    say("  " + _("Leaves: {n}").format(n=len(decision.leaving)))
    for item in decision.held:
        say(f"  {item.id}: {sentence(item.code)}")
    say(_("What may leave is sealed, written to the stick, read back and compared:"))
    note = bare(_("First package of the practice exchange."))
    released = releases.release(a, there.name, Wish(None, note=note), stick, quiet())
    say(f"  {released.package.path} ({released.package.size:,} B)")
    say(f"  SHA-256 {released.package.sha256.hex()}")
    return released.package.path


def _review(b: Installation, package: Path, say: Say) -> None:
    got = receiving.receive(b, package, quiet())
    say(
        _("{name} opens package {seq} from {sender} into the inbox:").format(
            name=b.officer, seq=got.seq, sender=got.sender
        )
    )
    assert got.number is not None
    review = inbox.review(b, got.number, quiet())
    say("  " + ", ".join(f"{status}: {count}" for status, count in review.counts.items() if count))
    for one in review.objects[:5]:
        say(f"  {one.status}  {one.type}  {plain(one.title.words)}")
    decided = deciding.accept(b, got.number, None, quiet())
    say(_("{n} objects accepted into the holdings.").format(n=decided.accepted))


def _create(folder: Path, name: str, country: str, officer: str) -> Site:
    home = folder / name.lower().replace(" ", "-")
    passphrase = secrets.token_urlsafe(18)
    vault.create(home, name, country, officer, passphrase)
    home.with_name(home.name + ".passphrase").write_text(passphrase + "\n")
    return Site(name, country, officer, home, passphrase)


def _at(site: Site) -> AbstractContextManager[Installation]:
    return vault.unlocked(site.home, site.passphrase)
