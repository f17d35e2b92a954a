"""The slip that goes with a sealed package on paper: what it is, for whom, and who handed it to whom.

The values and the lines; `app.printed` words them. A slip tells nothing of what is in the package.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.exchange import counterparts, outbox
from app.store.installation import Installation
from crypto import manifest as manifests
from crypto.identity import read_card


@dataclass(frozen=True)
class Slip:
    """What a slip says of package `seq`. `sha256` is of the whole file, hex; fingerprints are of the two cards."""

    sender: str
    sender_fingerprint: str
    to: str
    to_fingerprint: str
    seq: int
    sealed: str
    priority: str
    reference: str
    file: str
    size: int
    sha256: str


def slip(installation: Installation, to: str, seq: int) -> Slip:
    """The slip of a package of ours, logged by nobody: it changes nothing. Raises `Refused`: package-unknown."""
    reader = installation.database.read()
    one = counterparts.find(reader, to)
    record = outbox.record(installation, to, seq)
    manifest = manifests.parse(record.manifest)
    own = read_card(counterparts.own_card(installation))
    return Slip(
        own.name,
        manifest.sender,
        # As its card says: the paper goes out of the house, and what the officer calls them stays in it.
        read_card(one.card).name,
        manifest.to,
        seq,
        record.sealed,
        manifest.priority,
        record.reference,
        record.medium,
        record.size,
        record.sha256.hex(),
    )
