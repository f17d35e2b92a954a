"""Packages: one sealed, signed file for exactly one counterpart. This module is the face; see docs/package-format.md.

    manifest   what a package says of itself         layout     what stands where inside
    sealing    writing one                           opening    reading one

Codes of errors: package-format (no package inside), package-manifest, package-signature, package-header
(stanzas, or a manifest under a header it was not signed for), package-part, package-padding, package-source,
not-for-us, kem-key, and those of `age`: age-header, age-hmac, age-payload.
"""

from __future__ import annotations

from crypto.layout import EXPANSION_LIMIT, EXPANSION_SLACK, PADDING_FLOOR, padded
from crypto.manifest import (
    MANIFEST_LIMIT,
    PART_LIMIT,
    PARTS_LIMIT,
    RANGES_LIMIT,
    Ack,
    Draft,
    Manifest,
    Part,
    Ranges,
)
from crypto.opening import Opened, open_package, read_header_hash, verify_manifest
from crypto.sealing import PartSource, Sealed, seal

__all__ = [
    "EXPANSION_LIMIT",
    "EXPANSION_SLACK",
    "MANIFEST_LIMIT",
    "PADDING_FLOOR",
    "PARTS_LIMIT",
    "PART_LIMIT",
    "RANGES_LIMIT",
    "Ack",
    "Draft",
    "Manifest",
    "Opened",
    "Part",
    "PartSource",
    "Ranges",
    "Sealed",
    "open_package",
    "padded",
    "read_header_hash",
    "seal",
    "verify_manifest",
]
