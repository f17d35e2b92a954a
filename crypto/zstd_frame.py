"""Follows the outline of one zstd frame (RFC 8878) without decoding it, as the bytes go by.

The decoder we use ends quietly on a cut frame and does not say how much of its input it took. This does: a
part is exactly one frame, whole, with nothing after it, without a dictionary and within a window.
"""

from __future__ import annotations

from crypto.errors import CryptoError

WINDOW_LIMIT = 8 * 1024 * 1024
BLOCK_LIMIT = 128 * 1024

_MAGIC = bytes.fromhex("28b52ffd")
_CHECKSUM_BYTES = 4
_BLOCK_HEADER = 3
_RLE, _RESERVED = 1, 3


class Outline:
    """Feed it every byte; it raises `CryptoError` (package-part) as soon as they are not one frame."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._expected = len(_MAGIC) + 1
        self._in_blocks = False
        self._last = False
        self._skip = 0
        self._checksum = 0

    @property
    def whole(self) -> bool:
        """Whether the frame has ended."""
        return self._last and not self._skip

    def feed(self, data: bytes | memoryview) -> None:
        """The next bytes."""
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            if self._last:
                raise CryptoError("package-part", "after the frame")
            if self._in_blocks and not self._header and len(data) - at >= _BLOCK_HEADER:
                self._block(data[at] | data[at + 1] << 8 | data[at + 2] << 16)
                at += _BLOCK_HEADER
                continue
            piece = data[at : at + self._expected - len(self._header)]
            self._header += piece
            at += len(piece)
            if len(self._header) == self._expected:
                self._advance()

    def _advance(self) -> None:
        if self._in_blocks:
            self._block(int.from_bytes(self._header, "little"))
            self._header.clear()
        elif len(self._header) == len(_MAGIC) + 1:
            self._descriptor(self._header[-1])
        else:
            self._window()
            self._header.clear()
            self._in_blocks, self._expected = True, _BLOCK_HEADER

    def _descriptor(self, flags: int) -> None:
        # No dictionary; the reserved bit and the one that decoders should ignore are zero.
        if not self._header.startswith(_MAGIC) or flags & 0b11011:
            raise CryptoError("package-part", "frame header")
        single = flags >> 5 & 1
        self._checksum = _CHECKSUM_BYTES * (flags >> 2 & 1)
        self._single = bool(single)
        # A single segment always states its size (1, 2, 4 or 8 bytes) and no window.
        self._expected += (single, 2, 4, 8)[flags >> 6] + (1 - single)

    def _window(self) -> None:
        field = self._header[len(_MAGIC) + 1 :]
        if self._single:
            window = int.from_bytes(field, "little") + (256 if len(field) == 2 else 0)
        else:
            base = 1 << 10 + (field[0] >> 3)
            window = base + (base >> 3) * (field[0] & 7)
        if window > WINDOW_LIMIT:
            raise CryptoError("package-part", "window")

    def _block(self, header: int) -> None:
        self._last = bool(header & 1)
        kind, size = header >> 1 & 3, header >> 3
        if kind == _RESERVED or size > BLOCK_LIMIT:
            raise CryptoError("package-part", "block")
        self._skip = (1 if kind == _RLE else size) + (self._checksum if self._last else 0)
