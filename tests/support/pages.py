"""The pages of a store as they would stand without encryption: what somebody with the key finds in every byte."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAGE, RESERVED, SALT, IV = 4096, 80, 16, 16
WAL_HEADER, FRAME_HEADER = 32, 24


def decrypted(path: Path, key: bytes) -> bytes:
    """Every page of a store's file, free ones included (SQLCipher 4, a raw key)."""
    raw = path.read_bytes()
    return b"".join(_clear(raw[i : i + PAGE], key, first=not i) for i in range(0, len(raw), PAGE))


def decrypted_log(path: Path, key: bytes) -> bytes:
    """Every page in the write-ahead log of the store at `path`, written over since or not; b"" without a log."""
    log = path.with_name(path.name + "-wal")
    raw = log.read_bytes() if log.exists() else b""
    clear, step = [], FRAME_HEADER + PAGE
    for start in range(WAL_HEADER, len(raw) - step + 1, step):
        number = int.from_bytes(raw[start : start + 4], "big")
        clear.append(_clear(raw[start + FRAME_HEADER : start + step], key, first=number == 1))
    return b"".join(clear)


def _clear(page: bytes, key: bytes, first: bool) -> bytes:
    body, iv = page[SALT if first else 0 : PAGE - RESERVED], page[PAGE - RESERVED :][:IV]
    turn = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return turn.update(body) + turn.finalize()


def trees(path: Path, key: bytes) -> dict[int, str]:
    """{number of a page: the table or index it belongs to}, of a store's file that nobody has open. Pages of long
    values and free ones are left out. Source: the SQLite file format, section 1.6.
    """
    from sqlcipher3 import dbapi2

    connection = dbapi2.connect(str(path))
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    roots = connection.execute("SELECT rootpage, name FROM sqlite_master WHERE rootpage > 0").fetchall()
    connection.close()
    clear, found = bytes(SALT) + decrypted(path, key), dict[int, str]()

    def walk(number: int, name: str) -> None:
        found[number] = name
        at = (number - 1) * (PAGE - RESERVED)
        page = clear[at : at + PAGE - RESERVED]
        if page[0] in (2, 5):
            cells = int.from_bytes(page[3:5], "big")
            pointers = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n], "big") for n in range(cells)]
            for start in (*pointers, 8):
                walk(int.from_bytes(page[start : start + 4], "big"), name)

    for root, name in roots:
        walk(root, name)
    return found


def put_back(old: Path, path: Path, number: int) -> bool:
    """Put a page into a store as it was in an older copy of it; whether that changed anything."""
    start = (number - 1) * PAGE
    before = old.read_bytes()[start : start + PAGE]
    with path.open("r+b") as file:
        file.seek(start)
        if len(before) < PAGE or file.read(PAGE) == before:
            return False
        file.seek(start)
        file.write(before)
    return True
