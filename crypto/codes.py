"""Verification codes: two officers compare what their sides hold by reading digits to each other (protocol.md 5).

    T = HMAC-SHA-256(key = r of the lower fingerprint || r of the higher,
                     "mithaq-verify" || lower fingerprint || higher fingerprint)
    the side with the lower fingerprint reads bytes 0-7 of T mod 10^8, the other bytes 8-15, as eight digits

`r` is each side's eight random digits as ASCII, fingerprints are their 32 bytes. The order of the ceremony (digits are
made after the other's card was imported, a code is shown only once the other's digits are in) is for `app`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from crypto.errors import CryptoError

DIGITS = 8
GROUP = 4
FINGERPRINT_BYTES = 32
TYPED_LIMIT = 64

_DOMAIN = b"mithaq-verify"
_RECEIPT_DOMAIN = b"mithaq-receipt"
_BETWEEN = frozenset(" \t\n-\u00a0\u202f")
_EASTERN = "٠١٢٣٤٥٦٧٨٩"
_PERSIAN = "۰۱۲۳۴۵۶۷۸۹"
_FOLD = {ord(digit): str(value) for row in (_EASTERN, _PERSIAN) for value, digit in enumerate(row)}


def digits() -> str:
    """Eight random digits, Western."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def transcript(r_a: str, fingerprint_a: str, r_b: str, fingerprint_b: str) -> tuple[str, str]:
    """(what the side with the lower fingerprint reads, what the other reads); the order of the sides does not matter.

    Fingerprints are 64 hexadecimal digits. Raises `CryptoError` (code-format), and ValueError for fingerprints that
    are none or are the same.
    """
    sides = sorted(
        ((bytes.fromhex(f), fold(r).encode()) for f, r in ((fingerprint_a, r_a), (fingerprint_b, r_b)))
    )
    (low, r_low), (high, r_high) = sides
    if low == high or len(low) != FINGERPRINT_BYTES or len(high) != FINGERPRINT_BYTES:
        raise ValueError("two different fingerprints of 32 bytes")
    mac = hmac.digest(r_low + r_high, _DOMAIN + low + high, "sha256")
    return _code(mac[:8]), _code(mac[8:16])


def receipt(manifest_hash: bytes, accepted: int, refused: int) -> str:
    """The code by which the receiver of a package says on the telephone how many of its objects were accepted, refused.

    Eight digits of SHA-256("mithaq-receipt" || SHA-256 of the manifest || u64 accepted || u64 refused), bytes 0-7 mod
    10^8. Only sender and receiver know the manifest: the code shows that whoever reads it has opened the package.
    """
    said = manifest_hash + accepted.to_bytes(8, "big") + refused.to_bytes(8, "big")
    return _code(hashlib.sha256(_RECEIPT_DOMAIN + said).digest()[:8])


def fold(typed: str) -> str:
    """Eight digits as typed, in Western, Arabic-Indic or Persian numerals, blanks and hyphens between them ignored.

    Raises `CryptoError` (code-format).
    """
    if len(typed) > TYPED_LIMIT:
        raise CryptoError("code-format", "length")
    plain = "".join(c for c in typed if c not in _BETWEEN).translate(_FOLD)
    if len(plain) != DIGITS or not (plain.isascii() and plain.isdigit()):
        raise CryptoError("code-format")
    return plain


def same(code: str, typed: str) -> bool:
    """Whether what was typed is this code. Raises `CryptoError` (code-format) if it is no code at all."""
    return hmac.compare_digest(fold(code), fold(typed))


def spoken(code: str) -> tuple[str, str]:
    """The code to be read out, in groups of four: in Western and in Arabic-Indic numerals."""
    grouped = " ".join(code[i : i + GROUP] for i in range(0, len(code), GROUP))
    return grouped, grouped.translate({ord(str(value)): digit for value, digit in enumerate(_EASTERN)})


def _code(raw: bytes) -> str:
    return f"{int.from_bytes(raw, 'big') % 10**DIGITS:0{DIGITS}d}"
