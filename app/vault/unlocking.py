"""Unlocking and locking: the passphrase opens a slot, the slot yields the key, the key opens the store."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from app import audit, officers
from app.holdings import attachments
from app.jobs import Job, quiet
from app.messages import Refused
from app.store import counterparts, packages, people
from app.store.database import Connection, Database, known_errors
from app.store.installation import Identities, Installation, moment, utc_now
from app.vault import anchor, attempts, workstation
from app.vault.anchor import ANCHORED, ID_BYTES, STORE_ID, Anchor
from app.vault.home import COPYING, LOCK, SLOTS, take_lock
from app.vault.keyslots import check_slots, open_store
from app.vault.process import close_the_process
from crypto import recovery as recovery_words
from crypto.identity import Identity, Retired, read_card

HEAD_BYTES = 8
LOCK_SECONDS = 1.0
"""How long locking waits for a slow keyring; what it has not taken by then follows."""
NAME_SHOWN = 64


@dataclass(frozen=True)
class LastSession:
    """Where the log stood when the store was opened: the number of its newest entry (0: none), when and by whom it was
    written, and four words that stand for all of it. An officer who remembers them notices an older store.
    """

    entry: int
    at: str
    officer: str
    words: tuple[str, ...]


@dataclass
class Unlocked:
    """An installation at work. `lock()` closes the store and lets the next process in.

    `accepted`: what the officer went on in spite of (rolled-back, anchor-missing), "" if nothing stood against it.
    """

    installation: Installation
    last: LastSession
    _lock: int
    accepted: str = ""
    _anchor: Anchor | None = None
    _logged: bool = False

    def lock(self) -> None:
        """Log it and close everything; safe to call twice. A store that cannot be written to is closed all the same."""
        if self._lock >= 0:
            if self._logged:
                with contextlib.suppress(Refused), self.installation.database.write() as tx:
                    audit.append(tx, self.installation, "locked")
            self.installation.identities.wipe()
            if self._anchor is not None:
                self._anchor.settle(LOCK_SECONDS)
                self._anchor.close()
            self.installation.database.close()
            os.close(self._lock)
            self._lock = -1


def unlock(
    home: Path,
    passphrase: str,
    officer: str = "",
    clock: Callable[[], datetime] = utc_now,
    recovery: bool = False,
    accept: bool = False,
    job: Job | None = None,
) -> Unlocked:
    """Open the installation in `home` for `officer` ("": its first), logged. With `recovery`, `passphrase`
    holds the words of a recovery kit. With `accept`, go on with a store that is older than its anchor, or whose anchor
    is gone: the officer knows why. An older store begins every channel anew. `job` hears of indexes that are made anew,
    and may be cancelled until they are.

    Raises `Refused`: rolled-back, anchor-missing (nothing is changed then), no-installation, in-use, wrong-passphrase,
    slots-damaged, slots-old, slot-needs-device, recovery-format, officer-unknown, store-damaged, store-newer.
    """
    close_the_process()
    workstation.wake()
    home = home.absolute()
    if not (home / SLOTS).is_file():
        raise Refused("no-installation", home=home)
    lock = take_lock(home / LOCK)
    try:
        database = open_store(home, passphrase, recovery, job or quiet())
    except BaseException as error:
        if isinstance(error, Refused):
            attempts.failed(home, moment(clock()))
        os.close(lock)
        raise
    try:
        with known_errors():
            identities, last = _identities(database), last_session(database.read())
    except BaseException:
        database.close()
        os.close(lock)
        raise
    unlocked = Unlocked(Installation(home, database, identities, officer, clock), last, lock)
    try:
        with known_errors():
            known = officers.names(database.read())
            if officer and officer not in known:
                raise Refused("officer-unknown", name=officer)
            unlocked.installation = replace(unlocked.installation, officer=officer or known[0])
            check_slots(unlocked.installation, passphrase, recovery)
            _anchored(unlocked, recovery, accept)
            unlocked._logged = True
            attempts.forget(home)
            _sweep(unlocked.installation)
            attachments.sweep(unlocked.installation)
    except BaseException as error:
        if isinstance(error, Refused) and error.code in ("officer-unknown", "slots-old"):
            _log_refusal(unlocked.installation, error.code, officer)
        unlocked.lock()
        raise
    return unlocked


def _log_refusal(installation: Installation, code: str, officer: str) -> None:
    """The passphrase was right and something else was not: who said to be who could not come in."""
    with contextlib.suppress(Refused), installation.database.write() as tx:
        audit.convert(tx, installation)
        said = officer.encode(errors="replace").decode()[:NAME_SHOWN]
        audit.append(tx, replace(installation, officer=""), "unlock.refused", code=code, name=said)


def _anchored(unlocked: Unlocked, recovery: bool, accept: bool) -> None:
    """Compare the store with its anchor, log that it was opened, and keep the anchor from now on."""
    installation = unlocked.installation
    database = installation.database
    if people.meta(database.read(), STORE_ID) is None:
        with database.write() as tx:
            people.put_meta(tx, STORE_ID, secrets.token_bytes(ID_BYTES))
    verdict = anchor.compare(database.read(), renew=accept)
    if verdict.code and not accept:
        raise Refused(verdict.code, here=verdict.here, anchored=verdict.anchored)
    unlocked.accepted = verdict.code
    failed = attempts.pending(installation.home)
    with database.write() as tx:
        audit.convert(tx, installation)
        if verdict.code:
            audit.append(tx, installation, verdict.code, here=verdict.here, anchored=verdict.anchored)
        if verdict.code == "rolled-back":
            counterparts.begin_anew(tx)
        if verdict.kept:
            people.put_meta(tx, ANCHORED, b"1")
        else:
            people.drop_meta(tx, ANCHORED)
        if failed is not None:
            audit.append(tx, installation, "unlock.failed", **asdict(failed))
        audit.append(tx, installation, "unlocked.recovery" if recovery else "unlocked")
    if verdict.kept:
        unlocked._anchor = Anchor(people.meta(database.read(), STORE_ID) or b"")
        unlocked.installation = replace(installation, secured=unlocked._anchor.require)
        database.after_commit = unlocked._anchor.note
        unlocked._anchor.note(database.read())


def last_session(connection: Connection) -> LastSession:
    """Where the log stands now, in an officer's words."""
    head = audit.head(connection)
    newest = next(iter(audit.entries(connection, limit=1)), None)
    words = recovery_words.spoken(head.hash[:HEAD_BYTES])
    return LastSession(head.number, newest.at if newest else "", newest.officer if newest else "", words)


@contextlib.contextmanager
def unlocked(
    home: Path,
    passphrase: str,
    officer: str = "",
    clock: Callable[[], datetime] = utc_now,
    recovery: bool = False,
) -> Iterator[Installation]:
    """`unlock` for the length of a block."""
    opened = unlock(home, passphrase, officer, clock, recovery)
    try:
        yield opened.installation
    finally:
        opened.lock()


def _identities(database: Database) -> Identities:
    *before, now = people.identities(database.read())
    retired = (
        Retired.from_bytes(one.secret, read_card(one.card).fingerprint) for one in before if one.secret
    )
    return Identities(Identity.from_bytes(now.secret), tuple(retired))


def _sweep(installation: Installation) -> None:
    """Remove files nobody needs: of packages that are acked or void, of seals and backups that a crash kept from
    being one.
    """
    kept = packages.outbox_files(installation.database.read())
    installation.outbox.mkdir(mode=0o700, exist_ok=True)
    for path in installation.outbox.iterdir():
        if path.name not in kept and path.is_file():
            path.unlink()
    for path in installation.home.glob(COPYING + "*"):
        shutil.rmtree(path, ignore_errors=True)
