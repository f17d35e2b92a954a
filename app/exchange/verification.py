"""The verification ceremony (protocol.md 5): two officers read digits to each other, and each side's program compares.

The order is the security. Random digits are made only after the other's card is pinned here; our half of the code is
shown only once theirs are in: so nobody can search for a card that fits a code already known. Plain frozen states: each
step gives the next one, and a step out of order raises.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.exchange import counterparts
from app.exchange.counterparts import Listed
from app.messages import Refused
from app.store.installation import Installation
from crypto import codes
from crypto.errors import CryptoError

MISSES = 3


@dataclass(frozen=True)
class Ceremony:
    """Where a ceremony with one counterpart stands. `mine`: our digits, to be read out and typed there.

    `half`: our half of the code, to be read out, "" until their digits are in. `passed`: their half was right here.
    """

    name: str
    own: str
    their: str
    mine: str
    half: str = ""
    awaited: str = ""
    misses: int = 0
    passed: bool = False

    @property
    def misses_left(self) -> int:
        """How many more wrong codes it takes."""
        return MISSES - self.misses


def begin(installation: Installation, name: str) -> Ceremony:
    """Start with fresh digits. Raises `Refused` as `counterparts.find` does, and counterpart-revoked."""
    with installation.database.snapshot() as reader:
        one = counterparts.find(reader, name)
    if one.revoked:
        raise Refused("counterpart-revoked", name=one.alias)
    return Ceremony(one.alias, installation.identity.fingerprint, one.fingerprint, codes.digits())


def hear(ceremony: Ceremony, digits: str) -> Ceremony:
    """Their digits, as typed; then `half` can be read to them. Raises `Refused`: code-format, verify-order."""
    if ceremony.half:
        raise Refused("verify-order")
    try:
        low, high = codes.transcript(ceremony.mine, ceremony.own, digits, ceremony.their)
    except CryptoError as error:
        raise Refused(error.code) from error
    ours_is_low = ceremony.own < ceremony.their
    half, awaited = (low, high) if ours_is_low else (high, low)
    return replace(ceremony, half=half, awaited=awaited)


def compare(ceremony: Ceremony, digits: str) -> Ceremony:
    """Their half of the code, as typed: passed, or one miss more. After the third (`misses_left` 0) it is spent.

    Raises `Refused`: code-format, verify-order, verify-mismatch (spent: start again with fresh digits).
    """
    if not ceremony.misses_left:
        raise Refused("verify-mismatch", name=ceremony.name)
    if not ceremony.awaited or ceremony.passed:
        raise Refused("verify-order")
    try:
        fits = codes.same(ceremony.awaited, digits)
    except CryptoError as error:
        raise Refused(error.code) from error
    return replace(ceremony, passed=True) if fits else replace(ceremony, misses=ceremony.misses + 1)


def confirm(installation: Installation, ceremony: Ceremony) -> Listed:
    """The officer states that the other side's check passed too: verified. Raises `Refused` (verify-order)."""
    if not ceremony.passed:
        raise Refused("verify-order")
    return counterparts.verify(installation, ceremony.their)


def spoken(digits: str) -> tuple[str, str]:
    """Digits to be read out, in groups of four: in Western and in Arabic-Indic numerals."""
    return codes.spoken(digits)
