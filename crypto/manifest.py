"""The manifest of a package: what it is, who sealed it for whom, where it stands in the channel, what it holds.

Strict JSON (`strict_json`), read and written in one form of fields, signed as the bytes it is. Knows the
meaning of each field's shape only; the channel's rules are for `app`. Specification: docs/package-format.md,
"Manifest".
"""

from __future__ import annotations

import datetime
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from crypto import strict_json
from crypto.strict_json import INTEGER_LIMIT

CODE = "package-manifest"
CONTEXT = b"mithaq/package/v1"
MANIFEST_LIMIT = 1024 * 1024
PARTS_LIMIT = 4096
PART_LIMIT = 1 << 40
RANGES_LIMIT = 256
HASH_BYTES = 32
ID_BYTES = 16
PRIORITIES = ("flash", "routine")
CODECS = ("none", "zstd")
TYPE_LENGTH = 32
FORMAT_LIMIT = 65_535

Ranges = tuple[tuple[int, int], ...]
"""Numbers as inclusive pairs, ascending, none touching the next."""

_FIELDS = (
    "from",
    "to",
    "epoch",
    "seq",
    "prev",
    "header",
    "sealed",
    "reads",
    "ack",
    "void",
    "release",
    "priority",
    "log",
    "parts",
)
_ACK_FIELDS = ("epoch", "upto", "hash", "have", "want", "holds")
_PART_FIELDS = ("type", "size", "sha256", "codec")
_TYPE = re.compile(rf"[a-z][a-z0-9-]{{0,{TYPE_LENGTH - 1}}}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")

_read = strict_json.Reader(CODE)


@dataclass(frozen=True)
class Ack:
    """What the sender has of the receiver's packages.

    `epoch`: the receiver's, 16 bytes. `upto`: every number up to it is closed; `hash`: of the manifest at
    `upto`, if known. `have` and `want` lie above `upto`. `holds`: unused one-time keys of the receiver in the
    sender's hands.
    """

    epoch: bytes
    upto: int
    hash: bytes | None
    have: Ranges
    want: Ranges
    holds: int


@dataclass(frozen=True)
class Part:
    """One part: its type, the size and SHA-256 (32 bytes) of its raw bytes, and how they are stored."""

    type: str
    size: int
    sha256: bytes
    codec: str


@dataclass(frozen=True)
class Draft:
    """A manifest before sealing: all but the header's hash and the parts, which the sealer finds.

    `sender` and `to` are fingerprints (64 hexadecimal digits), `epoch` and `release` 16 bytes, `prev` and
    `log` 32 bytes, `sealed` RFC 3339 in UTC with milliseconds, `seq` counts from 1; `prev` is None for 1 and
    only for it.
    """

    sender: str
    to: str
    epoch: bytes
    seq: int
    prev: bytes | None
    sealed: str
    reads: int
    ack: Ack | None
    void: Ranges
    release: bytes | None
    priority: str
    log: bytes | None


@dataclass(frozen=True)
class Manifest(Draft):
    """A whole manifest: a draft, the SHA-256 of the age header it was sealed under, and the parts in their order."""

    header: bytes
    parts: tuple[Part, ...]


def encode(manifest: Manifest) -> bytes:
    """The manifest's bytes. Raises `CryptoError` (package-manifest) for one that `parse` would refuse."""
    ack = manifest.ack
    raw = strict_json.dump(
        {
            "from": manifest.sender,
            "to": manifest.to,
            "epoch": manifest.epoch.hex(),
            "seq": manifest.seq,
            "prev": _hex(manifest.prev),
            "header": manifest.header.hex(),
            "sealed": manifest.sealed,
            "reads": manifest.reads,
            "ack": None
            if ack is None
            else {
                "epoch": ack.epoch.hex(),
                "upto": ack.upto,
                "hash": _hex(ack.hash),
                "have": ack.have,
                "want": ack.want,
                "holds": ack.holds,
            },
            "void": manifest.void,
            "release": _hex(manifest.release),
            "priority": manifest.priority,
            "log": _hex(manifest.log),
            "parts": [
                {"type": p.type, "size": p.size, "sha256": p.sha256.hex(), "codec": p.codec}
                for p in manifest.parts
            ],
        }
    )
    parse(raw)
    return raw


def parse(raw: bytes) -> Manifest:
    """Read a manifest. Raises `CryptoError` (package-manifest) at the first thing that is not as it must be."""
    if len(raw) > MANIFEST_LIMIT:
        _read.fail("size")
    f = _read.fields(_read.parse(raw), _FIELDS, "fields")
    seq = _read.integer(f["seq"], "seq", 1)
    prev = None if f["prev"] is None else _read.hex(f["prev"], "prev", HASH_BYTES)
    if (prev is None) != (seq == 1):
        _read.fail("prev")
    return Manifest(
        sender=_read.hex(f["from"], "from", HASH_BYTES).hex(),
        to=_read.hex(f["to"], "to", HASH_BYTES).hex(),
        epoch=_read.hex(f["epoch"], "epoch", ID_BYTES),
        seq=seq,
        prev=prev,
        header=_read.hex(f["header"], "header", HASH_BYTES),
        sealed=_time(f["sealed"]),
        reads=_read.integer(f["reads"], "reads", 1, FORMAT_LIMIT),
        ack=None if f["ack"] is None else _ack(f["ack"]),
        void=_ranges(f["void"], "void", 1),
        release=None if f["release"] is None else _read.hex(f["release"], "release", ID_BYTES),
        priority=_read.choice(f["priority"], "priority", PRIORITIES),
        log=None if f["log"] is None else _read.hex(f["log"], "log", HASH_BYTES),
        parts=_read.list_of(f["parts"], "parts", PARTS_LIMIT, _part),
    )


def sha256(raw: bytes) -> bytes:
    """The hash that names a manifest: what `prev` and `ack` speak of."""
    return hashlib.sha256(raw).digest()


def _ack(value: object) -> Ack:
    f = _read.fields(value, _ACK_FIELDS, "ack")
    upto = _read.integer(f["upto"], "upto")
    known = None if f["hash"] is None else _read.hex(f["hash"], "hash", HASH_BYTES)
    if known is not None and not upto:
        _read.fail("hash")
    return Ack(
        epoch=_read.hex(f["epoch"], "epoch", ID_BYTES),
        upto=upto,
        hash=known,
        have=_ranges(f["have"], "have", upto + 1),
        want=_ranges(f["want"], "want", upto + 1),
        holds=_read.integer(f["holds"], "holds"),
    )


def _part(value: object) -> Part:
    f = _read.fields(value, _PART_FIELDS, "part")
    return Part(
        type=_read.text(f["type"], "type", _TYPE),
        size=_read.integer(f["size"], "size", 0, PART_LIMIT),
        sha256=_read.hex(f["sha256"], "sha256", HASH_BYTES),
        codec=_read.choice(f["codec"], "codec", CODECS),
    )


def _ranges(value: object, what: str, least: int) -> Ranges:
    found = _read.list_of(value, what, RANGES_LIMIT, lambda item: _pair(item, what))
    for start, end in found:
        if not least <= start <= end:
            _read.fail(what)
        least = end + 2
    return found


def _pair(value: object, what: str) -> tuple[int, int]:
    if type(value) is not list or len(value) != 2:
        _read.fail(what)
    pair: list[Any] = value
    return _read.integer(pair[0], what, 1, INTEGER_LIMIT), _read.integer(pair[1], what, 1, INTEGER_LIMIT)


def _time(value: object) -> str:
    text = _read.text(value, "sealed", _TIME)
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        _read.fail("sealed")
    return text


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
