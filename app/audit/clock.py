"""What day it is: the latest that this machine's clock and the log have said, so that time never runs backward.

What ended, an agreement, a consent, the time for which something may be kept, does not come back when the clock goes
back. A clock that was once wrongly ahead would end things for good: an officer who says what day it is and why ends
that, and it stands in the log (docs/decisions/0031).
"""

from __future__ import annotations

from dataclasses import dataclass

from app import audit
from app.messages import Refused
from app.store import log
from app.store.database import Connection
from app.store.installation import Installation

REASON_LIMIT = 1_000


@dataclass(frozen=True)
class Reading:
    """This machine's clock, the latest time in the log ("": none), and the `day` that counts. `behind`: the clock says
    less than the log.
    """

    now: str
    latest: str
    day: str
    behind: bool


def read(installation: Installation, connection: Connection | None = None) -> Reading:
    """What the clock and the log say."""
    now = installation.now()
    latest = log.latest(installation.database.read() if connection is None else connection)
    return Reading(now, latest, max(now, latest)[:10], now < latest)


def today(connection: Connection, installation: Installation) -> str:
    """The day by which what was permitted ends: 2026-06-01, UTC."""
    return read(installation, connection).day


def correct(installation: Installation, day: str, reason: str) -> Reading:
    """Count by this machine's clock from now on, though the log has seen later: that was wrong. `day` is today, as the
    officer knows it and not as the machine says.

    Raises `Refused`: clock-sound (the log has seen nothing later), clock-other-day, clock-unexplained,
    reason-too-long.
    """
    with installation.database.write() as tx:
        before = read(installation, tx)
        if not before.behind:
            raise Refused("clock-sound")
        if day != before.now[:10]:
            raise Refused("clock-other-day", day=before.now[:10])
        if not reason.strip():
            raise Refused("clock-unexplained")
        if len(reason) > REASON_LIMIT:
            raise Refused("reason-too-long", most=REASON_LIMIT)
        audit.append(tx, installation, "clock.corrected", latest=before.latest, why=reason.strip())
        log.set_latest(tx, before.now)
        return read(installation, tx)
