"""The anchor: where the log stood last, kept outside the store, so that an older copy put back is noticed.

SQLCipher authenticates pages, not their age. After each commit the head of the log (number of entries and root)
goes into this workstation's keyring, by a thread of its own: the keyring may be slow or ask its owner something, and
nobody waits for it but who is about to let a byte leave (protocol.md 2.3). At unlock the store is compared with it
(protocol.md 4).
"""

from __future__ import annotations

import atexit
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from app import audit
from app.audit import Head
from app.messages import Refused
from app.store import people
from app.store.database import Connection
from app.vault import workstation

STORE_ID = "store-id"
ANCHORED = "anchored"
ID_BYTES = 16
WAIT_SECONDS = 10.0
EXIT_SECONDS = 3.0
_TEXT = re.compile("([1-9][0-9]{0,15}) ([0-9a-f]{64})")


@dataclass(frozen=True)
class Verdict:
    """What comparing a store with its anchor says. `code`: "" (nothing against it), rolled-back, anchor-missing.

    `here` and `anchored` are numbers of log entries (0: no anchor). `kept`: the keyring answers and holds the anchor.
    """

    code: str
    here: int
    anchored: int
    kept: bool


def name_of(store_id: bytes) -> str:
    """The name under which the keyring keeps the anchor of a store."""
    return f"anchor {store_id.hex()}"


def compare(connection: Connection, renew: bool = False) -> Verdict:
    """Compare a store with its anchor; nothing is changed in the store. An anchor is made where there was none yet, and
    with `renew` where it is gone.
    """
    head = audit.head(connection)
    store_id = people.meta(connection, STORE_ID)
    known = anchored(connection)
    try:
        found = _parse(workstation.recall(name_of(store_id))) if store_id else None
        if found is None and store_id and (renew or not known):
            workstation.remember(name_of(store_id), _text(head))
            return Verdict("anchor-missing" if known else "", head.number, 0, kept=True)
    except Refused:
        return Verdict("anchor-missing" if known else "", head.number, 0, kept=False)
    if found is None:
        return Verdict("anchor-missing" if known else "", head.number, 0, kept=False)
    if found.number > head.number or audit.head(connection, found.number).hash != found.hash:
        return Verdict("rolled-back", head.number, found.number, kept=True)
    return Verdict("", head.number, found.number, kept=True)


def anchored(connection: Connection) -> bool:
    """Whether this workstation's keyring keeps watch over the store."""
    return people.meta(connection, ANCHORED) is not None


class Anchor:
    """Writes each new head of a store's log into the keyring, the newest only where several came meanwhile."""

    def __init__(self, store_id: bytes) -> None:
        self._name = name_of(store_id)
        self._turn = threading.Condition()
        self._wanted: Head | None = None
        self._written: Head | None = None
        self._failed = False
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="anchor", daemon=True)
        self._thread.start()
        # A daemon thread, so that a keyring that hangs never keeps the program from ending; but given a moment.
        self._at_exit: Callable[[], object] = lambda: self.settle(EXIT_SECONDS)
        atexit.register(self._at_exit)

    def note(self, connection: Connection) -> None:
        """A transaction was committed: its head is to be kept. Returns at once."""
        head = audit.head(connection)
        with self._turn:
            self._wanted, self._failed = head, False
            self._turn.notify_all()

    def settle(self, seconds: float = WAIT_SECONDS) -> bool:
        """Wait until the newest head is kept; False if it is not by then, or the keyring refused it."""
        with self._turn:
            self._turn.wait_for(lambda: self._failed or self._written == self._wanted, seconds)
            return self._written == self._wanted

    def require(self) -> None:
        """Wait as `settle` does; raises `Refused` (anchor-unwritten)."""
        if not self.settle():
            raise Refused("anchor-unwritten")

    def close(self) -> None:
        """Nothing more will come; what came is still written. Returns at once."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()

    def _work(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(
                    lambda: self._closed or (self._wanted != self._written and not self._failed)
                )
                head = self._wanted
                if head is None or head == self._written or self._failed:
                    atexit.unregister(self._at_exit)
                    return
            try:
                workstation.remember(self._name, _text(head))
                failed = False
            except Refused:
                failed = True
            with self._turn:
                if failed:
                    self._failed = self._wanted == head
                else:
                    self._written = head
                self._turn.notify_all()


def _text(head: Head) -> str:
    return f"{head.number} {head.hash.hex()}"


def _parse(text: str | None) -> Head | None:
    """What the keyring holds, None if it is not of our making."""
    found = _TEXT.fullmatch(text or "")
    return Head(int(found[1]), bytes.fromhex(found[2])) if found else None
