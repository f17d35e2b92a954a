"""Attempts to unlock that failed: counted beside the store, which nobody opened, and logged at the next unlock.

Whoever can write to the folder can remove the count; it is for the officer who wonders, not against a thief.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from app.vault.home import write_private

ATTEMPTS = "attempts"
FILE_LIMIT = 4096
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


@dataclass(frozen=True)
class Attempts:
    """How often unlocking failed since it last succeeded, the first time and the last. 0: the count is not readable."""

    count: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
    first: str
    last: str


def failed(home: Path, at: str) -> None:
    """Count one more, at the time `at`. A folder that cannot be written to keeps no count."""
    before = pending(home)
    now = Attempts(before.count + 1, before.first or at, at) if before else Attempts(1, at, at)
    scratch = home / f".{ATTEMPTS}-{secrets.token_hex(8)}"
    with contextlib.suppress(OSError):
        try:
            write_private(scratch, msgspec.json.encode(now))
            os.replace(scratch, home / ATTEMPTS)
        finally:
            scratch.unlink(missing_ok=True)


def pending(home: Path) -> Attempts | None:
    """What was counted since the last unlock, None if nothing was."""
    try:
        with (home / ATTEMPTS).open("rb") as file:
            raw = file.read(FILE_LIMIT)
    except FileNotFoundError:
        return None
    except OSError:
        return Attempts(0, "", "")
    try:
        found = msgspec.json.decode(raw, type=Attempts)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Attempts(0, "", "")
    good = all(_MOMENT.fullmatch(time) or not time for time in (found.first, found.last))
    return found if good else Attempts(0, "", "")


def forget(home: Path) -> None:
    """Begin anew: what was counted is logged."""
    with contextlib.suppress(OSError):
        (home / ATTEMPTS).unlink(missing_ok=True)
