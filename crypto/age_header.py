"""The header of an age v1 file: stanzas and their MAC, read strictly and written canonically.

Specification: C2SP age.md, "Header". What a stanza means is for `age_keys`; the payload is for `age_stream`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.errors import CryptoError
from crypto.source import Source

VERSION_LINE = b"age-encryption.org/v1\n"
FILE_KEY_BYTES = 16
STANZA_LIMIT = 1024
LINE_LIMIT = 8 * 1024
HEADER_LIMIT = 2 * 1024 * 1024

_COLUMNS = 64
_MAC_BYTES = 32
_ARGUMENTS = re.compile(rb"->((?: [!-~]+)+)\n")
_BODY_LINE = re.compile(rb"[A-Za-z0-9+/]{0,64}\n")
_END = re.compile(rb"--- ([A-Za-z0-9+/]{43})\n")


@dataclass(frozen=True)
class Stanza:
    """One recipient stanza: its arguments (the first names the type) and its body."""

    arguments: tuple[str, ...]
    body: bytes


@dataclass(frozen=True)
class Header:
    """A header as it came. `raw` is every byte up to and including the line feed of the MAC line."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    raw: bytes

    def check_mac(self, file_key: bytes) -> None:
        """Raise `CryptoError` (age-hmac) unless the MAC is right under this file key."""
        if not hmac.compare_digest(_mac(file_key, self.raw[: self.raw.rindex(b"---") + 3]), self.mac):
            raise CryptoError("age-hmac")


def read(source: Source) -> Header:
    """Read a header from the start of a file. Raises `CryptoError` (age-header)."""
    lines = _Lines(source)
    if lines.next() != VERSION_LINE:
        raise CryptoError("age-header", "version")
    stanzas: list[Stanza] = []
    while True:
        line = lines.next()
        if end := _END.fullmatch(line):
            if not stanzas:
                raise CryptoError("age-header", "no stanza")
            mac = decode(end[1].decode())
            if mac is None or len(mac) != _MAC_BYTES:
                raise CryptoError("age-header", "MAC line")
            return Header(tuple(stanzas), mac, lines.raw())
        if len(stanzas) == STANZA_LIMIT:
            raise CryptoError("age-header", "stanzas")
        arguments = _ARGUMENTS.fullmatch(line)
        if arguments is None:
            raise CryptoError("age-header", "stanza")
        stanzas.append(Stanza(tuple(arguments[1].decode().split(" ")[1:]), _body(lines)))


def write(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """The header for these stanzas, MAC included."""
    lines = [VERSION_LINE]
    for stanza in stanzas:
        lines.append(f"-> {' '.join(stanza.arguments)}\n".encode("ascii"))
        body = encode(stanza.body).encode()
        # One line more than full lines: the last is always short, and may be empty.
        lines += [body[i : i + _COLUMNS] + b"\n" for i in range(0, len(body) + 1, _COLUMNS)]
    lines.append(b"---")
    mac = encode(_mac(file_key, b"".join(lines)))
    lines.append(b" " + mac.encode() + b"\n")
    return b"".join(lines)


def encode(raw: bytes) -> str:
    """Base64 without padding."""
    return base64.b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes | None:
    """Canonical base64 without padding; None for anything else."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None
    return raw if encode(raw) == text else None


def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 (RFC 5869) for 32 bytes of output: extract, and one round of expand."""
    return hmac.digest(hmac.digest(salt, key, "sha256"), info + b"\1", "sha256")


def sha256(raw: bytes) -> bytes:
    """The hash by which a package is tied to its header, 32 bytes."""
    return hashlib.sha256(raw).digest()


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(hkdf(file_key, b"", b"header"), header, "sha256")


def _body(lines: _Lines) -> bytes:
    text: list[bytes] = []
    while True:
        line = lines.next()
        if not _BODY_LINE.fullmatch(line):
            raise CryptoError("age-header", "body")
        text.append(line[:-1])
        if len(line) <= _COLUMNS:
            break
    body = decode(b"".join(text).decode())
    if body is None:
        raise CryptoError("age-header", "body")
    return body


class _Lines:
    """Takes lines off the source and keeps them, within the limits."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._kept: list[bytes] = []
        self._size = 0

    def next(self) -> bytes:
        line = self._source.line(LINE_LIMIT)
        if line is None or not line.endswith(b"\n"):
            raise CryptoError("age-header", "line")
        self._size += len(line)
        if self._size > HEADER_LIMIT:
            raise CryptoError("age-header", "size")
        self._kept.append(line)
        return line

    def raw(self) -> bytes:
        return b"".join(self._kept)
