"""Which ids were seen, as a sieve: of most that were not it says so for certain, and none that was is ever denied.

A look-up in an index of a million random numbers costs more than all else that a new object needs of it. One slot for
each hash, taken by its lowest bits: of objects that are new about one in sixteen is looked for in vain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.store.database import Connection

SLOTS = 16
"""Slots for each id that is expected."""
LEAST, MOST = 1 << 16, 1 << 24
"""Slots, of a byte each; where more ids come than there is room for, more are looked for in vain."""
FEW = 8
"""Not worth its making where this many ids are held for each that comes."""


class Seen:
    """The ids of the objects held, and those added since, by their hashes (`app.store.index.id_hash`)."""

    def __init__(self, connection: Connection, held: int, expected: int) -> None:
        slots = min(max(LEAST, SLOTS * (held + expected)), MOST)
        self._mask = (1 << (slots - 1).bit_length()) - 1
        self._slots: bytearray | None = None
        if held <= FEW * expected:
            self._slots = bytearray(self._mask + 1)
            self.add(row[0] for row in connection.execute("SELECT idh FROM object"))

    def add(self, hashes: Iterable[int]) -> None:
        """Objects with these ids are held from now on."""
        slots, mask = self._slots, self._mask
        if slots is not None:
            for idh in hashes:
                slots[idh & mask] = 1

    def among(self, hashes: Sequence[int]) -> Sequence[int]:
        """Those of these that may be held."""
        slots, mask = self._slots, self._mask
        return hashes if slots is None else [idh for idh in hashes if slots[idh & mask]]
