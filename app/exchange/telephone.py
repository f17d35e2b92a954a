"""A short code for a receipt, read over the telephone while the signed one is still on its way (crypto.codes).

Both sides derive it from the package's manifest and the numbers. It tells the sender that whoever reads it has opened
that package, and that the numbers were heard right; one guess in a hundred million is right by chance. It is no
signature and proves nothing to others: the ledger waits for the receipt itself, and only the log keeps what was heard.
"""

from __future__ import annotations

from dataclasses import dataclass

from app import audit
from app.exchange import counterparts
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import ledger as store_ledger
from app.store import packages
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import codes
from crypto.errors import CryptoError


@dataclass(frozen=True)
class Spoken:
    """What to read out about package `seq` of a counterpart: `code` in groups of four, in both numerals."""

    name: str
    seq: int
    accepted: int
    refused: int
    pending: int
    code: tuple[str, str]


@dataclass(frozen=True)
class Heard:
    """What a code that was heard says of our package `seq`: so many of `objects` were accepted, so many refused."""

    name: str
    seq: int
    objects: int
    accepted: int
    refused: int


def mine(installation: Installation, number: int) -> Spoken:
    """The code of a package in the inbox as it stands. Raises `Refused`: package-unknown."""
    with installation.database.snapshot() as reader:
        package = packages.received_at(reader, number)
        if package is None:
            raise Refused("package-unknown", seq=number, name="")
        decided = packages.decisions(reader, number)
        name = store_counterparts.get(reader, package.cid).alias
    accepted, refused = decided.get("accepted", 0), decided.get("refused", 0)
    code = codes.spoken(codes.receipt(package.manifest_hash, accepted, refused))
    return Spoken(name, package.seq, accepted, refused, decided.get("pending", 0), code)


def expected(
    installation: Installation, to: str, seq: int, accepted: int | None = None, refused: int | None = None
) -> list[tuple[Heard, str]]:
    """What would be read out for package `seq` with these numbers; without any, for nothing decided, all accepted, all
    refused. Raises `Refused`: package-unknown, and as `counterparts.find` does.
    """
    with installation.database.snapshot() as reader:
        return _expected(reader, counterparts.find(reader, to), seq, accepted, refused)


def _expected(
    connection: Connection, one: Counterpart, seq: int, accepted: int | None, refused: int | None
) -> list[tuple[Heard, str]]:
    record = packages.sealed_at(connection, one.cid, seq)
    if record is None:
        raise Refused("package-unknown", seq=seq, name=one.alias)
    size = store_ledger.size(connection, one.cid, record.epoch, seq)
    numbers = [(accepted or 0, refused or 0)]
    if accepted is None and refused is None:
        numbers = list(dict.fromkeys([(0, 0), (size, 0), (0, size)]))
    return [
        (Heard(one.alias, seq, size, *pair), codes.receipt(record.manifest_hash, *pair))
        for pair in numbers
        if sum(pair) <= size
    ]


def heard(
    installation: Installation,
    to: str,
    seq: int,
    typed: str,
    accepted: int | None = None,
    refused: int | None = None,
) -> Heard:
    """What a code that a counterpart read out says of package `seq`; logged. Without numbers it is tried for nothing
    decided, all accepted, all refused.

    Raises `Refused`: package-unknown, code-format, heard-wrong, and as `counterparts.find` does.
    """
    with installation.database.write() as tx:
        one = counterparts.find(tx, to)
        candidates = _expected(tx, one, seq, accepted, refused)
        try:
            said = next((found for found, code in candidates if codes.same(code, typed)), None)
        except CryptoError as error:
            raise Refused(error.code) from error
        if said is None:
            raise Refused("heard-wrong", seq=seq, name=one.alias)
        audit.append(
            tx,
            installation,
            "receipt.heard",
            to=one.fingerprint,
            seq=seq,
            accepted=said.accepted,
            refused=said.refused,
        )
    return said
