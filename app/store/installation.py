"""An unlocked installation, as every service receives it: where it lives, what is open, who is at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.store.database import Database

if TYPE_CHECKING:
    from crypto.identity import Identity, Retired


OUTBOX = "outbox"
"""The folder of sealed packages in an installation's own."""


def utc_now() -> datetime:
    """The clock of this machine, in UTC."""
    return datetime.now(UTC)


@dataclass
class Identities:
    """Who this installation is, and who it was while something may still be under way to that identity.

    The one thing of an unlocked installation that changes: every thread sees a rotation at once.
    """

    current: Identity
    retired: tuple[Retired, ...] = ()

    def wipe(self) -> None:
        """Forget every private key."""
        self.current.wipe()
        for one in self.retired:
            one.wipe()


def moment(when: datetime) -> str:
    """A time as text: UTC, milliseconds, RFC 3339. Such texts compare as times."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


@dataclass(frozen=True)
class Installation:
    """`home` holds the store and the folders beside it; `officer` acts; `clock` is replaced in tests only.

    `secured()` is called after the commit of what is about to leave, before its first byte does: it waits until an
    older copy of the store put back would be noticed, and raises `Refused` (anchor-unwritten) if that cannot be had.
    """

    home: Path
    database: Database
    identities: Identities
    officer: str
    clock: Callable[[], datetime] = field(default=utc_now)
    secured: Callable[[], None] = field(default=lambda: None)

    @property
    def identity(self) -> Identity:
        """The identity in use. It may change at any time: take it once for one act."""
        return self.identities.current

    @property
    def outbox(self) -> Path:
        """The folder of sealed packages."""
        return self.home / OUTBOX

    @property
    def attachments(self) -> Path:
        """The folder of encrypted attachments."""
        return self.home / "attachments"

    def now(self) -> str:
        """The time as text: UTC, milliseconds, RFC 3339."""
        return self.days_ago(0)

    def days_ago(self, days: int) -> str:
        """The time so many days ago, in the form of `now`: such texts compare as times."""
        return moment(self.clock() - timedelta(days=days))
