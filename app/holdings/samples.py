"""Malware samples: which attachments are treated as one, and the passworded zip in which one is saved out.

The zip keeps a double click, a preview and the scanner of the next machine from touching it. It hides nothing:
the password is the one that everybody in the field uses. Inside, the sample bears its SHA-256 as its name, so
that no name of a sender's choice meets an unpacking tool.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from stat import S_IFREG

PASSWORD = "infected"
HEAD_BYTES = 8
TYPES = frozenset({"malware", "malware-analysis", "artifact", "file"})
"""STIX types whose attachments are samples unless the officer who attaches one says otherwise."""

_PROGRAMS = (
    b"MZ",  # DOS, Windows
    b"\x7fELF",
    *(
        bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe")
    ),  # macOS, Java
    b"dex\n",  # Android
    bytes.fromhex("4c00000001140200"),  # Windows shortcuts
    b"#!",
)


def is_sample(stix_id: str, head: bytes, said: bool | None) -> bool:
    """Whether an attachment of that object, whose content begins with `head`, is treated as a sample.

    `said`: what the officer here said, None of one who did not say and for whatever a counterpart sends.
    """
    if said is not None:
        return said
    return stix_id.partition("--")[0] in TYPES or head.startswith(_PROGRAMS)


def zipped(pieces: Iterable[bytes], sha256: bytes, at: datetime) -> Iterator[bytes]:
    """A zip (AES-256, AE-2, with `PASSWORD`) with one sample in it, piece by piece."""
    from stream_zip import ZIP_64, stream_zip

    member = (f"{sha256.hex()}.sample", at, S_IFREG | 0o600, ZIP_64, pieces)
    # Most samples are packed already: the cheapest compression.
    yield from stream_zip(
        [member],
        password=PASSWORD,
        get_compressobj=lambda: zlib.compressobj(level=1, wbits=-zlib.MAX_WBITS),
    )
