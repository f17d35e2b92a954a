"""What a file without a name is: ours, theirs, for us, or something else. Nothing is opened into the inbox.

Without the store only what is outside the seal can be told: that it is sealed, its size, its SHA-256, and whether the
same bytes lie in the outbox.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from app.exchange import counterparts, keys, sealing
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import packages
from app.store.database import Connection
from app.store.installation import Installation
from crypto import manifest as manifests
from crypto import package as format_
from crypto.errors import CryptoError

OURS, THEIRS, FOR_US, KEY_LOST, SEALED, OTHER = "ours", "theirs", "for-us", "key-lost", "sealed", "other"


@dataclass(frozen=True)
class Named:
    """What a file is. `kind`:

    `ours`: a package of ours for `name`; `state` as in the outbox, `intact` whether it is just what was sealed.
    `theirs`: a package from `name` that was received before. `for-us`: sealed to a key of ours and not received yet;
    `name` is the counterpart whose signature it bears, "" if it is of nobody known. `key-lost`: it was for us.
    `sealed`: a sealed file, not for us or not to be told. `other`: no sealed file.
    """

    kind: str
    size: int
    sha256: str
    name: str = ""
    seq: int = 0
    state: str = ""
    reference: str = ""
    priority: str = ""
    intact: bool | None = None


def outside(path: Path, outbox: Path) -> Named:
    """What can be told of a file without a passphrase. Raises `Refused` (file-unreadable)."""
    size, sha256 = _measured(path)
    try:
        with path.open("rb") as file:
            format_.read_header_hash(file)
    except CryptoError:
        return Named(OTHER, size, sha256)
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error
    kept = outbox.iterdir() if outbox.is_dir() else ()
    same = (one for one in kept if one.is_file() and one.stat().st_size == size)
    if any(_measured(one)[1] == sha256 for one in same):
        return Named(OURS, size, sha256, intact=True)
    return Named(SEALED, size, sha256)


def which(installation: Installation, path: Path) -> Named:
    """What a file is, as far as this installation can tell. Raises `Refused` (file-unreadable)."""
    found = outside(path, installation.outbox)
    if found.kind == OTHER:
        return found
    reader = installation.database.read()
    with path.open("rb") as file:
        mark = format_.read_header_hash(file)
    known = packages.header(reader, mark)
    if known is None:
        return _unknown(installation, reader, path, found)
    cid, seq, ours = known
    name = store_counterparts.get(reader, cid).alias
    if not ours:
        got = next((one for one in packages.received(reader, cid) if one.seq == seq), None)
        priority = "" if got is None else got.priority
        return Named(
            THEIRS, found.size, found.sha256, name, seq, "" if got is None else got.state, "", priority
        )
    for one in packages.sealed(reader, cid):
        manifest = manifests.parse(one.manifest) if one.seq == seq else None
        if manifest is not None and manifest.header == mark:
            sending = counterparts.load_channel(reader, cid).sending
            state = sealing.outgoing_state(sending, one)
            intact = one.sha256.hex() == found.sha256
            return Named(
                OURS, found.size, found.sha256, name, seq, state, one.reference, manifest.priority, intact
            )
    return Named(OURS, found.size, found.sha256, name, seq)


def _unknown(installation: Installation, reader: Connection, path: Path, found: Named) -> Named:
    try:
        with path.open("rb") as file:
            opened = format_.open_package(file, keys.private_halves(reader, installation, path.stem))
    except CryptoError as error:
        if error.code in ("not-for-us", "age-no-match"):
            owner = keys.lost(reader, path.stem)
            if owner is not None:
                alias = store_counterparts.get(reader, owner).alias
                return Named(KEY_LOST, found.size, found.sha256, alias)
            return Named(SEALED, found.size, found.sha256)
        return Named(FOR_US, found.size, found.sha256, intact=False)
    one = store_counterparts.holder(reader, opened.manifest.sender)
    name = ""
    if one is not None:
        signing = counterparts.signers(reader, one).get(opened.manifest.sender)
        try:
            if signing is not None:
                opened.verify(signing)
                name = one.alias
        except CryptoError:
            return Named(FOR_US, found.size, found.sha256, intact=False)
    if not name:
        return Named(FOR_US, found.size, found.sha256)
    return Named(
        FOR_US, found.size, found.sha256, name, opened.manifest.seq, priority=opened.manifest.priority
    )


def _measured(path: Path) -> tuple[int, str]:
    try:
        if not path.is_file():
            raise Refused("file-unreadable", path=path, why="not a regular file")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return file.tell(), digest
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error
