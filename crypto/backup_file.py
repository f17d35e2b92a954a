"""The file of a backup: the key slots of an installation, and behind them everything it keeps, under the key they wrap.

    "MITHAQ-BACKUP-1\\n"  u32 length of the slots file  the slots file  payload

The payload is a STREAM (`crypto.age_stream`) under HKDF-SHA-256(store key, salt: SHA-256 of all bytes before it,
info: "mithaq/backup/v1"). Its plaintext: u32 length of the index, the index (strict JSON: what `Index` says), then the
files of the index, in its order, byte after byte, and nothing behind. docs/backup-format.md says it for strangers.

Nothing is given out that does not authenticate; the slots in front are bound in by the salt. Names are of a closed
form: nobody, not even who knows the key, can make a restore write elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from crypto.age_header import hkdf
from crypto.age_stream import StreamReader, encrypt
from crypto.errors import CryptoError
from crypto.source import Readable, Source
from crypto.strict_json import Reader, dump

MAGIC = b"MITHAQ-BACKUP-1\n"
SLOTS_LIMIT = 64 << 10
INDEX_LIMIT = 64 << 20
FILES_LIMIT = 500_000
SIZE_LIMIT = 1 << 50
KEY_BYTES = 32
PIECE = 1 << 20

STORE = "store.db"

_INFO = b"mithaq/backup/v1"
_NAME = re.compile(r"store\.db|outbox/[0-9a-f]{32}\.age|attachments/[0-9a-f]{32}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_read = Reader("backup-format")


@dataclass(frozen=True)
class Index:
    """What a backup holds: when it was made, of whom (fingerprint, hex), the number and hash of the newest log entry,
    whether the installation was moved with it, and its files as (name, size in bytes), the store first.
    """

    made: str
    fingerprint: str
    entry: int
    head: bytes
    moved: bool
    files: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(size for _, size in self.files)


def write(
    target: BinaryIO,
    slots: bytes,
    key: bytes,
    index: Index,
    opened: Callable[[str], BinaryIO],
    progress: Callable[[int, int], None],
) -> None:
    """Write a backup. `opened` gives each file of the index by name; `progress` is called with (bytes done, total).

    Raises `CryptoError` (backup-changed): a file is not as long as the index says.
    """
    if len(slots) > SLOTS_LIMIT:
        raise ValueError("slots too long")
    head = MAGIC + len(slots).to_bytes(4, "big") + slots
    target.write(head)
    pieces = _plaintext(index, opened, progress)
    encrypt(_Pieces(pieces), target, _payload_key(key, head))


class BackupReader:
    """Reads a backup from where `file` stands. First `slots`; with the key they wrap, `open`; then `files`, to the end.

    Raises `CryptoError`: backup-format (not a backup, or of another shape), backup-key (not the key of this file, or
    the file was changed), backup-damaged (changed or cut further on).
    """

    def __init__(self, file: Readable) -> None:
        self._source = Source(file)
        if self._source.read(len(MAGIC)) != MAGIC:
            _read.fail("magic")
        length = self._source.read(4)
        size = int.from_bytes(length, "big")
        if len(length) != 4 or not 0 < size <= SLOTS_LIMIT:
            _read.fail("slots length")
        self.slots = self._source.read(size)
        if len(self.slots) != size:
            _read.fail("slots")
        self._head = MAGIC + length + self.slots

    def open(self, key: bytes) -> Index:
        """The index, once the first bytes authenticate under `key`."""
        try:
            self._stream = StreamReader(self._source, _payload_key(key, self._head))
            length = self._stream.read(4)
        except CryptoError as error:
            raise CryptoError("backup-key", error.detail) from error
        size = int.from_bytes(length, "big")
        if len(length) != 4 or size > INDEX_LIMIT:
            _read.fail("index length")
        raw = self._take(size)
        self.index = _index(raw)
        return self.index

    def files(self) -> Iterator[tuple[str, int, Iterator[bytes]]]:
        """(name, size, pieces) of each file, in order. Each one's pieces are to be read to their end before the next.

        The end of the last is the end of the backup: only then has all of it been authenticated.
        """
        for name, size in self.index.files:
            yield name, size, self._pieces(size)
        if self._take(1, least=0):
            _read.fail("behind the last file")

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self._take(min(size, PIECE))
            size -= len(piece)
            yield piece

    def _take(self, size: int, least: int | None = None) -> bytes:
        try:
            found = self._stream.read(size)
        except CryptoError as error:
            raise CryptoError("backup-damaged", error.detail) from error
        if len(found) < (size if least is None else least):
            _read.fail("files end early")
        return found


def _payload_key(key: bytes, head: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError("a store key has 32 bytes")
    return hkdf(key, hashlib.sha256(head).digest(), _INFO)


def _plaintext(
    index: Index, opened: Callable[[str], BinaryIO], progress: Callable[[int, int], None]
) -> Iterator[bytes]:
    raw = dump(
        {
            "made": index.made,
            "fingerprint": index.fingerprint,
            "entry": index.entry,
            "head": index.head.hex(),
            "moved": int(index.moved),
            "files": [{"name": name, "size": size} for name, size in index.files],
        }
    )
    if _index(raw) != index:
        raise ValueError("an index that would not be read again")
    yield len(raw).to_bytes(4, "big") + raw
    done, total = 0, index.size
    for name, size in index.files:
        with opened(name) as file:
            left = size
            while left:
                progress(done, total)
                piece = file.read(min(left, PIECE))
                if not piece:
                    raise CryptoError("backup-changed", name)
                left -= len(piece)
                done += len(piece)
                yield piece
            if file.read(1):
                raise CryptoError("backup-changed", name)


def _index(raw: bytes) -> Index:
    names = ("made", "fingerprint", "entry", "head", "moved", "files")
    value = _read.fields(_read.parse(raw), names, "index")
    files = _read.list_of(value["files"], "files", FILES_LIMIT, _file)
    if [name for name, _ in files if name == STORE] != [STORE] or files[0][0] != STORE:
        _read.fail("store")
    if len({name for name, _ in files}) != len(files):
        _read.fail("a file twice")
    return Index(
        made=_read.text(value["made"], "made", _TIME),
        fingerprint=_read.hex(value["fingerprint"], "fingerprint", 32).hex(),
        entry=_read.integer(value["entry"], "entry", 1),
        head=_read.hex(value["head"], "head", 32),
        moved=_read.integer(value["moved"], "moved", 0, 1) == 1,
        files=files,
    )


def _file(value: object) -> tuple[str, int]:
    found = _read.fields(value, ("name", "size"), "file")
    return _read.text(found["name"], "name", _NAME), _read.integer(found["size"], "size", 0, SIZE_LIMIT)


class _Pieces:
    """Pieces of bytes, one after the other, as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, b"" at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        found, self._rest = self._rest[:size], self._rest[size:]
        return bytes(found)
