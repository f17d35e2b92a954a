"""Open the commitment that a manifest makes to our log, for whoever disputes it (protocol.md 2.7).

    {"mithaq": "log-opening-1", "manifest": base64, "signature": base64, "checkpoint": three lines, "salt": hex}

The manifest is the sealed package's own, under its own signature, and holds SHA-256(salt || checkpoint): so the file
shows which log stood behind that package, to whoever has the sender's card, and the receiver has the manifest too.
Nothing in it tells what the package brought.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from app import audit
from app.messages import Refused
from app.store import packages
from app.store.database import Connection
from crypto import checkpoint as checkpoints
from crypto import manifest as manifests
from crypto import strict_json
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError
from crypto.identity import Card
from crypto.manifest import Manifest
from crypto.package import verify_manifest

FORMAT = "log-opening-1"
FILE_LIMIT = 4 << 20
_FIELDS = ("mithaq", "manifest", "signature", "checkpoint", "salt")


@dataclass(frozen=True)
class Opened:
    """A commitment that holds: the log of `card`'s owner had this checkpoint when package `manifest` was sealed."""

    card: Card
    manifest: Manifest
    manifest_hash: bytes
    checkpoint: Checkpoint


def opening(connection: Connection, record: packages.Sealed) -> bytes:
    """The file that opens the commitment of a package of ours.

    Raises `Refused`: opening-before (sealed before the log was a tree), opening-differs (the log is not the one that it
    committed to).
    """
    if not record.logged:
        raise Refused("opening-before", seq=record.seq)
    text = audit.checkpoint(connection, record.logged)
    if manifests.parse(record.manifest).log != hashlib.sha256(record.salt + text).digest():
        raise Refused("opening-differs")
    file = strict_json.dump(
        {
            "mithaq": FORMAT,
            "manifest": base64.b64encode(record.manifest).decode(),
            "signature": base64.b64encode(record.signature).decode(),
            "checkpoint": text.decode(),
            "salt": record.salt.hex(),
        }
    )
    return file + b"\n"


def check(raw: bytes, known: Sequence[Card]) -> Opened:
    """Check an opening against cards, of which one must be the sender's.

    Raises `Refused`: log-file, log-unsigned (by none of the cards), log-forged, opening-differs (the manifest
    commits to another log).
    """
    try:
        if len(raw) > FILE_LIMIT:
            raise ValueError("size")
        reader = strict_json.Reader("log-file")
        fields = reader.fields(reader.parse(raw), _FIELDS, "fields")
        if fields["mithaq"] != FORMAT or not all(isinstance(fields[name], str) for name in _FIELDS):
            raise ValueError("format")
        manifest = base64.b64decode(str(fields["manifest"]), validate=True)
        signature = base64.b64decode(str(fields["signature"]), validate=True)
        text, salt = str(fields["checkpoint"]).encode(), bytes.fromhex(str(fields["salt"]))
        said = Checkpoint(*checkpoints.read_text(text), text)
    except (CryptoError, ValueError, binascii.Error) as error:
        raise Refused("log-file") from error
    for card in known:
        try:
            found = verify_manifest(manifest, signature, card.signing)
        except CryptoError:
            continue
        if found.sender != card.fingerprint:
            raise Refused("log-forged")
        if found.log != hashlib.sha256(salt + text).digest():
            raise Refused("opening-differs")
        return Opened(card, found, hashlib.sha256(manifest).digest(), said)
    raise Refused("log-unsigned")
