"""What is too much to sort in memory goes into files that nobody can read, and what fails there is told as it is."""

from __future__ import annotations

import errno
import os
import random

import pytest

from app.messages import Refused
from app.store import spilled
from app.store.database import Database
from app.store.driver import dbapi2
from crypto.scratch import Scratch

KEY = bytes(range(32))
CANARY = "zqxjkvwb"
ROWS = 40_000


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    path = tmp_path_factory.mktemp("spilled") / "store.db"
    path.touch()
    database = Database(path, KEY, new=True)
    chance = random.Random(1)
    with database.write() as tx:
        tx.execute("CREATE TABLE said (word TEXT)")
        words = [(f"{CANARY}{chance.randrange(1 << 60)}{'x' * 40}",) for _ in range(ROWS)]
        tx.executemany("INSERT INTO said VALUES (?)", words)
    yield database
    database.close()


@pytest.fixture
def files(monkeypatch):
    """The files that are opened meanwhile, each with what was on the disk when it was closed."""
    opened, close = [], Scratch.close

    def closing(file):
        opened.append(os.pread(file._file, 64 << 20, 0))
        close(file)

    monkeypatch.setattr(Scratch, "close", closing)
    return opened


def make(tx):
    tx.execute("PRAGMA cache_size = -100")
    with spilled.sorting(tx):
        tx.execute("CREATE INDEX by_word ON said (word)")


def made(database):
    return (
        database.read().execute("SELECT 1 FROM sqlite_master WHERE name = 'by_word'").fetchone() is not None
    )


@pytest.fixture(autouse=True)
def without(filled):
    yield
    with filled.write() as tx:
        tx.execute("DROP INDEX IF EXISTS by_word")


def test_it_is_sorted_and_nobody_can_read_it(filled, files):
    with filled.write() as tx:
        make(tx)
        assert tx.execute("PRAGMA temp_store").fetchone() == (2,)
        beside = {path.name for path in filled.path.parent.iterdir()}
    assert sum(map(len, files)) > ROWS * 60
    assert not any(CANARY.encode() in file for file in files)
    assert beside == {"store.db", "store.db-wal", "store.db-shm"}
    assert filled.read().execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    plan = "EXPLAIN QUERY PLAN SELECT word FROM said INDEXED BY by_word WHERE word > ?"
    assert "by_word" in filled.read().execute(plan, (CANARY,)).fetchone()[3]


@pytest.mark.parametrize(
    "number, code", [(errno.ENOSPC, "disk-full"), (errno.EIO, "store-damaged")], ids=["full", "fails"]
)
@pytest.mark.parametrize("act", ["write", "read"])
def test_a_disk_that_fails_is_told_as_it_is(filled, files, monkeypatch, act, number, code):
    calls, real = [], getattr(Scratch, act)

    def failing(*given):
        calls.append(given)
        if len(calls) == 200:
            raise OSError(number, "")
        return real(*given)

    monkeypatch.setattr(Scratch, act, failing)
    with pytest.raises(Refused) as caught, filled.write() as tx:
        make(tx)
    assert (caught.value.code, made(filled), len(files)) == (code, False, 1)
    assert spilled._open == {}
    with filled.write() as tx:
        make(tx)
    assert made(filled)


def test_a_folder_that_takes_no_files_is_told(filled, files, monkeypatch):
    def refused(*_given):
        raise PermissionError(errno.EACCES, "")

    monkeypatch.setattr(Scratch, "__init__", refused)
    with pytest.raises(Refused) as caught, filled.write() as tx:
        make(tx)
    assert (caught.value.code, made(filled), files) == ("store-read-only", False, [])


def test_who_interrupts_is_heard(filled, files, monkeypatch):
    def interrupted(*_given):
        raise KeyboardInterrupt

    monkeypatch.setattr(Scratch, "write", interrupted)
    with pytest.raises(KeyboardInterrupt), filled.write() as tx:
        make(tx)
    assert (made(filled), len(files)) == (False, 1)


def test_nothing_is_sorted_in_files_anywhere_else(filled, files):
    """A setting changed by mistake fails, and writes nothing in the clear."""
    reader = filled.read()
    reader.execute("PRAGMA cache_size = -100")
    reader.execute("PRAGMA temp_store = FILE")
    try:
        with pytest.raises(dbapi2.OperationalError, match="unable to open"):
            reader.execute("SELECT word FROM said ORDER BY word || 'x'").fetchall()
    finally:
        reader.execute("PRAGMA temp_store = MEMORY")
    assert files == []


def test_without_the_library_inside_it_is_sorted_in_memory(filled, files, monkeypatch):
    monkeypatch.setattr(spilled, "_kept", [])
    with filled.write() as tx:
        make(tx)
    assert (made(filled), files) == (True, [])
