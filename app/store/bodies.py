"""The stored form of an object's exact text: packed and unpacked, nothing of what it says."""

from __future__ import annotations


def pack(raw: bytes) -> bytes:
    """The form in which a text is stored."""
    return raw


def unpack(blob: bytes) -> bytes:
    """The exact text."""
    return bytes(blob)
