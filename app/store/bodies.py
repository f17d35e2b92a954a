"""The stored form of an object's exact text: packed and unpacked, nothing of what it says.

A zstd frame under a shipped dictionary (scripts/train_dictionary.py), trained on synthetic data only; or the text
itself, where packing gains nothing and in stores of yesterday. A text begins with a brace, a frame never.
"""

from __future__ import annotations

import threading
from pathlib import Path

import zstandard

NUMBER = 1
"""Of the dictionary; it stands in each frame."""
DICTIONARY = Path(__file__).resolve().parents[2] / "resources" / "packing" / f"texts-{NUMBER}.zdict"
LEVEL = 1
"""Higher ones save a twentieth of the size and cost twice the time."""
MAX_TEXT = 16 << 20
"""Bytes of a text; no object is larger (app.intel.splitting)."""


class _Tools(threading.local):
    """zstd's contexts serve one thread at a time."""

    def __init__(self) -> None:
        dictionary = zstandard.ZstdCompressionDict(DICTIONARY.read_bytes())
        self.pack = zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary).compress
        self.unpack = zstandard.ZstdDecompressor(dict_data=dictionary).decompress


_tools: _Tools | None = None


def _ready() -> _Tools:
    global _tools
    _tools = _tools or _Tools()
    return _tools


def pack(raw: bytes) -> bytes:
    """The form in which a text is stored."""
    blob = (_tools or _ready()).pack(raw)
    return blob if len(blob) < len(raw) else raw


def size(blob: bytes) -> int:
    """Bytes of the text that this is the stored form of, as it says itself; -1 where it does not say."""
    if blob[:1] == b"{":
        return len(blob)
    try:
        return zstandard.frame_content_size(blob)
    except zstandard.ZstdError:
        return -1


def unpack(blob: bytes) -> bytes:
    """The exact text. What is neither a text nor a frame of ours is given as it stands: its hash tells."""
    if blob[:1] == b"{":
        return blob
    try:
        if not 0 <= size(blob) <= MAX_TEXT:
            return blob
        return _ready().unpack(blob)
    except zstandard.ZstdError:
        return blob
