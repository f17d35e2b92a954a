"""The inside of a package: what stands where in the age payload, and how long the padding is.

    "MITHAQ1\\n"  u32 manifest length  manifest  signature (3,373)
    for each part: u64 stored length, stored bytes
    zeros up to PADME

Numbers are big endian. Specification: docs/package-format.md.
"""

from __future__ import annotations

from crypto import composite

MAGIC = b"MITHAQ1\n"
LENGTH_BYTES = 4
STORED_BYTES = 8
PADDING_FLOOR = 32 * 1024
# A part may not grow beyond this when it is decompressed: so much in any case, and so many times its stored length.
EXPANSION_SLACK = 1024 * 1024
EXPANSION_LIMIT = 1000


def head_size(manifest_size: int) -> int:
    """How many bytes stand before the first part."""
    return len(MAGIC) + LENGTH_BYTES + manifest_size + composite.SIGNATURE_BYTES


def head(manifest: bytes, signature: bytes) -> bytes:
    """What stands before the first part."""
    return b"".join((MAGIC, len(manifest).to_bytes(LENGTH_BYTES, "big"), manifest, signature))


def padded(size: int) -> int:
    """PADME (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", 2019) with a floor of 32 KiB.

    At most 12 % more; of a length only its magnitude shows: O(log log n) bits.
    """
    size = max(size, PADDING_FLOOR)
    exponent = size.bit_length() - 1
    free = exponent - exponent.bit_length()
    mask = (1 << free) - 1
    return (size + mask) & ~mask


def may_expand(raw: int, stored: int) -> bool:
    """Whether `raw` bytes may come out of `stored` bytes."""
    return raw <= EXPANSION_SLACK + EXPANSION_LIMIT * stored
