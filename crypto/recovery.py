"""A recovery secret as words to write on paper: 24 random bytes and a checksum, as 14 words of five letters.

Each word is 16 bits, consonant-vowel-consonant-vowel-consonant, which can be said and spelled over a telephone (the
proquint scheme, Wilkerson 2009). The last two words are the first 32 bits of SHA-256 over a domain and the secret: a
slip of the pen is noticed before any key is tried.
"""

from __future__ import annotations

import hashlib
import re

from crypto.errors import CryptoError

SECRET_BYTES = 24
WORDS = 14
TEXT_LIMIT = 1024

_CHECK_BYTES = 4
_DOMAIN = b"mithaq/recovery/v1"
_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"
_SHAPE = tuple((_CONSONANTS, 4) if i % 2 == 0 else (_VOWELS, 2) for i in range(5))
_WORD_LENGTH = len(_SHAPE)
_BETWEEN = re.compile(r"[\s\-,.]+")


def write(secret: bytes) -> tuple[str, ...]:
    """The words of a secret of 24 bytes."""
    if len(secret) != SECRET_BYTES:
        raise ValueError("a recovery secret is 24 bytes")
    return spoken(secret + _check(secret))


def read(text: str) -> bytes:
    """The secret behind words as typed: any case, blanks, hyphens or line ends between. Raises recovery-format."""
    if len(text) > TEXT_LIMIT:
        raise CryptoError("recovery-format", "length")
    words = [word for word in _BETWEEN.split(text.lower()) if word]
    if len(words) != WORDS:
        raise CryptoError("recovery-format", "count")
    whole = b"".join(_value(word).to_bytes(2, "big") for word in words)
    secret, check = whole[:SECRET_BYTES], whole[SECRET_BYTES:]
    if check != _check(secret):
        raise CryptoError("recovery-format", "checksum")
    return secret


def spoken(raw: bytes) -> tuple[str, ...]:
    """Bytes (an even number) as words, without a checksum: for people to compare, not to type."""
    return tuple(_word(int.from_bytes(raw[i : i + 2], "big")) for i in range(0, len(raw), 2))


def _word(value: int) -> str:
    letters = []
    for alphabet, bits in reversed(_SHAPE):
        letters.append(alphabet[value & ((1 << bits) - 1)])
        value >>= bits
    return "".join(reversed(letters))


def _value(word: str) -> int:
    value = 0
    for letter, (alphabet, bits) in zip(word, _SHAPE, strict=False):
        place = alphabet.find(letter)
        if place < 0 or len(word) != _WORD_LENGTH:
            raise CryptoError("recovery-format", "word")
        value = value << bits | place
    return value


def _check(secret: bytes) -> bytes:
    return hashlib.sha256(_DOMAIN + secret).digest()[:_CHECK_BYTES]
