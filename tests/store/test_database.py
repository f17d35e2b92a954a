"""The encrypted database: one act, one transaction; nothing of what was deleted stays; nobody else reads it."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import threading

import pytest
from sqlcipher3 import dbapi2

from app import audit
from app.exchange import counterparts
from app.holdings import browsing
from app.jobs import Cancelled, Job, quiet
from app.messages import Refused
from app.store import database
from app.store.database import KEY_BYTES, Database
from tests.support.pages import decrypted
from tests.support.sites import T1, acts, indicator, problems, release, state, take

KEY = bytes(range(KEY_BYTES))


def refused(code, act, *arguments, **more):
    with pytest.raises(Refused) as caught:
        act(*arguments, **more)
    assert caught.value.code == code


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A store of the newest schema with nothing in it, closed."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    plain(path, *(read() for read in database._steps()), f"PRAGMA user_version = {len(database._steps())}")
    return path


@pytest.fixture
def path(empty_store, tmp_path):
    shutil.copy(empty_store, tmp_path / "store.db")
    return tmp_path / "store.db"


@pytest.fixture
def store(path):
    opened = Database(path, KEY)
    yield opened
    opened.close()


def plain(path, *scripts):
    """Run SQL in a store without anything of ours."""
    connection = dbapi2.connect(str(path))
    connection.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    for script in scripts:
        connection.executescript(script)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return version


def put(tx, key, value):
    tx.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (key, value))


def write(store, act):
    with store.write() as tx:
        act(tx)


def keys(connection):
    return {row[0] for row in connection.execute("SELECT key FROM meta")}


# Opening --------------------------------------------------------------------------------------------------------


def test_another_key_opens_nothing(path):
    before = path.read_bytes()
    refused("store-damaged", Database, path, bytes(KEY_BYTES))
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="32 bytes"):
        Database(path, KEY[:-1])


def test_an_absent_file_is_not_made(tmp_path):
    with pytest.raises(Refused):
        Database(tmp_path / "store.db", KEY)
    assert list(tmp_path.iterdir()) == []


def test_a_path_of_odd_letters_is_that_path(path, tmp_path):
    odd = tmp_path / "a?mode=memory&x=#%41 ü" / "store.db"
    odd.parent.mkdir()
    path.rename(odd)
    Database(odd, KEY).close()
    assert {p.name for p in tmp_path.iterdir()} == {odd.parent.name}


def test_a_store_of_a_later_program_is_not_touched(path):
    plain(path, f"PRAGMA user_version = {len(database._steps()) + 1}; CREATE TABLE later (x)")
    refused("store-newer", Database, path, KEY)
    assert plain(path) == len(database._steps()) + 1


def test_every_step_up_is_whole_or_not_at_all(path, monkeypatch):
    have = len(database._steps())
    good = lambda: "CREATE TABLE added (x INTEGER) STRICT; INSERT INTO added VALUES (1);"  # noqa: E731
    bad = lambda: "CREATE TABLE half (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);"  # noqa: E731
    steps = database._steps()
    monkeypatch.setattr(database, "_steps", lambda: [*steps, good, bad])
    with pytest.raises(dbapi2.OperationalError):
        Database(path, KEY)
    assert plain(path) == have + 1
    monkeypatch.setattr(database, "_steps", lambda: [*steps, good])
    opened = Database(path, KEY)
    tables = {row[0] for row in opened.read().execute("SELECT name FROM sqlite_master")}
    assert "added" in tables
    assert "half" not in tables
    assert opened.read().execute("SELECT x FROM added").fetchall() == [(1,)]
    opened.close()


def test_steps_are_not_run_twice(path, monkeypatch):
    steps = database._steps()
    monkeypatch.setattr(database, "_steps", lambda: [lambda: pytest.fail("ran again")] * len(steps))
    Database(path, KEY).close()


# Writing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Refused("x"), SystemExit])
def test_any_exception_undoes_all_of_it(store, error):
    def act(tx):
        put(tx, "a", b"1")
        raise error

    with pytest.raises(error if isinstance(error, type) else type(error)):
        write(store, act)
    assert keys(store.read()) == set()
    with store.write() as tx:
        put(tx, "b", b"2")
    assert keys(store.read()) == {"b"}


def test_an_error_of_sql_undoes_what_came_before_it(store):
    with pytest.raises(dbapi2.IntegrityError):
        write(store, lambda tx: [put(tx, "a", b"1"), put(tx, "a", b"again")])
    assert keys(store.read()) == set()


def test_a_reader_sees_what_was_committed_and_nothing_before(store):
    reader = store.read()
    with store.write() as tx:
        put(tx, "a", b"1")
        assert keys(reader) == set()
        seen = []
        other = threading.Thread(target=lambda: seen.append(keys(store.read())))
        other.start()
        other.join()
        assert seen == [set()]
    assert keys(reader) == {"a"}


def test_a_snapshot_stays_as_it_was(store):
    with store.snapshot() as reader:
        assert keys(reader) == set()
        with store.write() as tx:
            put(tx, "a", b"1")
        assert keys(reader) == set()
    assert keys(store.read()) == {"a"}


def test_a_reader_cannot_write(store):
    with pytest.raises(dbapi2.OperationalError, match="readonly"):
        store.read().execute("DELETE FROM meta")


def test_two_writers_wait_for_each_other(store):
    begun = threading.Event()
    order = []

    def late():
        begun.wait()
        with store.write() as tx:
            order.append("second")
            put(tx, "b", b"2")

    thread = threading.Thread(target=late)
    thread.start()
    with store.write() as tx:
        begun.set()
        put(tx, "a", b"1")
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert keys(store.read()) == {"a", "b"}


def test_another_process_that_writes_is_told_as_busy(store, path, monkeypatch):
    other = dbapi2.connect(str(path), isolation_level=None)
    other.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    other.execute("BEGIN IMMEDIATE")
    store._writer.execute("PRAGMA busy_timeout = 10")
    refused("store-busy", write, store, lambda tx: None)
    other.execute("ROLLBACK")
    other.close()
    with store.write() as tx:
        put(tx, "a", b"1")


def test_a_write_that_is_interrupted_is_undone(store):
    counting = (
        "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 1e9) SELECT max(i) FROM n"
    )
    timer = threading.Timer(0.2, store.cancel)
    timer.start()
    with pytest.raises(dbapi2.OperationalError, match="interrupted"):
        write(store, lambda tx: [put(tx, "a", b"1"), tx.execute(counting).fetchone()])
    timer.join()
    assert keys(store.read()) == set()


def resident():
    """MiB of memory that this process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


@pytest.mark.parametrize("end", ["kept", "undone"])
def test_a_large_act_gives_up_its_cache_in_the_middle(store, monkeypatch, end):
    """Though all of it is changed pages, which stay in memory till the end else."""
    monkeypatch.setattr(database, "LITTLE_CACHE", 2 << 10)
    with contextlib.suppress(ZeroDivisionError), store.large(quiet()) as tx:
        tx.execute("CREATE TABLE scratch (x BLOB)")
        tx.execute(
            "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 10000)"
            " INSERT INTO scratch SELECT zeroblob(3000) FROM n"
        )
        full = resident()
        # Another thread's act is not this one.
        other = threading.Thread(target=database.make_room)
        other.start()
        other.join()
        assert tx.execute("PRAGMA cache_size").fetchone() == (-database.LARGE_CACHE,)
        database.make_room()
        assert tx.execute("PRAGMA cache_size").fetchone() == (-database.LITTLE_CACHE,)
        assert resident() < full - 25
        tx.execute("UPDATE scratch SET x = 'again' WHERE rowid % 100 = 0")
        database.make_room()
        if end == "undone":
            raise ZeroDivisionError
    assert store._writer.execute("PRAGMA cache_size").fetchone() == (-database.CACHE,)
    database.make_room()
    if end == "kept":
        found = store.read().execute("SELECT count(*), sum(x = 'again'), sum(length(x)) FROM scratch")
        assert found.fetchone() == (10_000, 100, 9_900 * 3000 + 100 * 5)
    else:
        assert not store.read().execute("SELECT 1 FROM sqlite_master WHERE name = 'scratch'").fetchone()
    assert database.check(store.read(), quiet()) == []


def test_a_full_disk_is_a_refusal_and_loses_nothing(path, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], capture_output=True
    ).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        shutil.copy(path, small / "store.db")
        opened = Database(small / "store.db", KEY)
        try:
            with opened.write() as tx:
                put(tx, "kept", b"1")
            much = lambda tx: [put(tx, f"big {n}", os.urandom(1000)) for n in range(4000)]  # noqa: E731
            refused("disk-full", write, opened, much)
            assert keys(opened.read()) == {"kept"}
            assert opened.read().execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        finally:
            opened.close()
        again = Database(small / "store.db", KEY)
        assert keys(again.read()) == {"kept"}
        again.close()
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_store_that_may_not_be_written_is_a_refusal(store):
    store._writer.execute("PRAGMA query_only = ON")
    refused("store-read-only", write, store, lambda tx: put(tx, "a", b"1"))


# What is left ---------------------------------------------------------------------------------------------------


def test_a_deleted_row_leaves_no_trace(path):
    secret = b"SECRETBODYOFTHEDEAD"
    opened = Database(path, KEY)
    with opened.write() as tx:
        put(tx, "secret", secret * 500)
        put(tx, "kept", b"REMAINING")
    opened._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert secret in decrypted(path, KEY)
    with opened.write() as tx:
        tx.execute("DELETE FROM meta WHERE key = 'secret'")
    opened._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert secret not in decrypted(path, KEY)
    assert b"REMAINING" in decrypted(path, KEY)
    opened.close()
    assert [p.name for p in path.parent.iterdir()] == ["store.db"]


def index(tx, command, rowid, text):
    """Put a text into the index, or take it out again, as app.store.objects does."""
    if command == "delete":
        tx.execute(
            "INSERT INTO object_text (object_text, rowid, text) VALUES ('delete', ?, ?)", (rowid, text)
        )
    else:
        tx.execute("INSERT INTO object_text (rowid, text) VALUES (?, ?)", (rowid, text))


def test_a_text_taken_out_of_the_index_leaves_no_trace(path):
    opened = Database(path, KEY)
    with opened.write() as tx:
        index(tx, "insert", 1, "one quixotryword two")
        index(tx, "insert", 2, "remaining words")
    opened._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"quixotryword" in decrypted(path, KEY)
    with opened.write() as tx:
        index(tx, "delete", 1, "one quixotryword two")
    opened.close()
    assert b"quixotryword" not in decrypted(path, KEY)
    assert b"remaining" in decrypted(path, KEY)


def test_a_name_that_was_replaced_leaves_no_trace_in_the_index(world):
    take(world.alpha, indicator(1, name="firstandforgotten"), indicator(2, name="remaining"))
    take(world.alpha, indicator(1, name="secondandkept", modified=T1))
    assert browsing.page(world.alpha, browsing.selection("firstandforgotten")).total == 0
    assert browsing.page(world.alpha, browsing.selection("secondandkept")).total == 1
    key = world.alpha.database._key
    # Each version is kept as it came: only the index must forget.
    with world.alpha.database.write() as tx:
        tx.execute("UPDATE version SET raw = zeroblob(1)")
        tx.execute("UPDATE object SET name = ''")
    world.close_alpha()
    pages = decrypted(world.alpha.home / "store.db", key)
    assert b"forgotten" not in pages
    assert b"secondandkept" in pages


def test_nothing_readable_lies_in_the_folder(world):
    canary = "CANARY-7f3a-lantern"
    take(world.alpha, indicator(1, name=canary, description=canary * 100))
    release(world.alpha, "beta", note=canary)
    assert browsing.page(world.alpha, browsing.selection("canary")).total == 1
    for path in world.alpha.home.rglob("*"):
        if path.is_file():
            assert canary.encode() not in path.read_bytes(), path.name
            assert b"SQLite format" not in path.read_bytes()[:16], path.name
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_leaks_are_shut_by_default(store):
    for connection in (store._writer, store.read()):
        settings = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("temp_store", "secure_delete", "foreign_keys", "trusted_schema")
        }
        assert settings == {"temp_store": 2, "secure_delete": 1, "foreign_keys": 1, "trusted_schema": 0}
        assert connection.execute("PRAGMA cell_size_check").fetchone() == (1,)
        assert connection.execute("PRAGMA cipher_memory_security").fetchone() == ("0",)
        assert connection.execute("PRAGMA cipher_page_size").fetchone() == ("4096",)
    assert store.read().execute("PRAGMA query_only").fetchone() == (1,)
    assert store._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._writer.execute("PRAGMA synchronous").fetchone() == (2,)


# Acts -----------------------------------------------------------------------------------------------------------


def test_an_act_and_its_log_entry_exist_together_or_not_at_all(world, monkeypatch):
    before = state(world.alpha)

    def broken(*arguments, **facts):
        raise RuntimeError("no log")

    with monkeypatch.context() as patched:
        patched.setattr(audit, "append", broken)
        with pytest.raises(RuntimeError):
            take(world.alpha, indicator(1))
        with pytest.raises(RuntimeError):
            counterparts.revoke(world.alpha, "beta")
    assert state(world.alpha) == before
    take(world.alpha, indicator(1))
    assert acts(world.alpha)[-1] == "import"
    assert problems(world.alpha) == []


# Migrating and compacting -----------------------------------------------------------------------------------------


def older(path, monkeypatch, *more):
    """Make the store at `path` one that lacks the steps `more`."""
    steps = database._steps()
    monkeypatch.setattr(database, "_steps", lambda: [*steps, *more])
    return len(steps)


def copies(path):
    return sorted(p.name for p in path.parent.iterdir() if p.name != path.name)


def test_the_store_is_kept_as_it_was_before_a_migration(path, monkeypatch):
    opened = Database(path, KEY)
    with opened.write() as tx:
        put(tx, "a", b"1")
    opened.close()
    have = older(
        path, monkeypatch, lambda: "UPDATE meta SET value = x'02';", lambda: "CREATE TABLE more (x);"
    )
    Database(path, KEY).close()
    kept = path.with_name(f"store.db.before-{have}")
    assert copies(path) == [kept.name]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert plain(kept) == have
    connection = dbapi2.connect(str(kept))
    connection.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    assert connection.execute("SELECT value FROM meta WHERE key = 'a'").fetchone()[0] == b"1"
    connection.close()
    Database(path, KEY).close()
    assert copies(path) == [kept.name], "opened again it stays"
    older(path, monkeypatch, lambda: "CREATE TABLE most (x);")
    Database(path, KEY).close()
    assert copies(path) == [f"store.db.before-{have + 2}"], "the newest alone"


def test_a_new_store_needs_no_copy(path):
    Database(path, KEY).close()
    assert copies(path) == []


def test_a_migration_without_room_for_the_copy_changes_nothing(path, monkeypatch):
    have = older(path, monkeypatch, lambda: "CREATE TABLE more (x);")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(database.os, "replace", full)
        refused("disk-full", Database, path, KEY)
    assert plain(path) == have
    Database(path, KEY).close()
    assert plain(path) == have + 1


def test_purging_and_rekeying_remove_the_copy(path, monkeypatch):
    older(path, monkeypatch, lambda: "CREATE TABLE more (x);")
    opened = Database(path, KEY)
    assert len(list(path.parent.glob("store.db.before-*"))) == 1
    with opened.write() as tx:
        put(tx, "a", b"1")
        opened.leave_no_trace()
    assert list(path.parent.glob("store.db.before-*")) == []
    path.with_name("store.db.before-1").write_bytes(b"x")
    opened.rekey(bytes(reversed(KEY)), quiet())
    assert list(path.parent.glob("store.db.before-*")) == []
    opened.close()


def test_nothing_is_purged_while_the_copy_that_has_it_stays(path):
    """Removed before it is done: nobody would come back for the copy after a crash."""
    opened = Database(path, KEY)
    path.with_name("store.db.before-1").mkdir()

    def purge():
        with opened.write() as tx:
            put(tx, "a", b"1")
            opened.leave_no_trace()

    refused("store-damaged", purge)
    assert opened.read().execute("SELECT count(*) FROM meta WHERE key = 'a'").fetchone()[0] == 0
    path.with_name("store.db.before-1").rmdir()
    purge()
    opened.close()


def test_a_store_that_could_not_be_opened_again_refuses_and_closes(path, monkeypatch):
    """Once is passed over; twice, and whoever locks the installation still gets to wipe its keys."""
    opened, real, failures = Database(path, KEY), Database._open_writer, [1]

    def fails(self):
        if failures:
            failures.pop()
            raise dbapi2.OperationalError("disk I/O error")
        return real(self)

    with monkeypatch.context() as patched:
        patched.setattr(Database, "_open_writer", fails)
        opened.compact(quiet())
        write(opened, lambda tx: put(tx, "a", b"1"))
        failures += [1, 1]
        refused("store-damaged", opened.compact, quiet())
        refused("store-damaged", write, opened, lambda tx: put(tx, "b", b"1"))
        opened.close()
    again = Database(path, KEY)
    assert again.read().execute("SELECT key FROM meta WHERE key IN ('a', 'b')").fetchall() == [("a",)]
    again.close()


def test_compacting_gives_room_back_and_leaves_no_trace(path):
    opened = Database(path, KEY)
    with opened.write() as tx:
        for number in range(200):
            put(tx, f"k{number}", os.urandom(4000))
        put(tx, "kept", b"REMAINING")
    with opened.write() as tx:
        tx.execute("DELETE FROM meta WHERE key LIKE 'k%' AND key <> 'kept'")
    opened._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.stat().st_size
    opened.compact(quiet())
    assert path.stat().st_size < before / 2
    assert keys(opened.read()) == {"kept"}
    assert opened.read().execute("PRAGMA cipher_integrity_check").fetchall() == []
    assert opened._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with opened.write() as tx:
        put(tx, "after", b"1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    opened.close()
    assert copies(path) == []
    assert b"REMAINING" in decrypted(path, KEY)
    assert plain(path) == len(database._steps())


def test_compacting_that_fails_leaves_the_store_as_it_was(path, monkeypatch):
    opened = Database(path, KEY)
    with opened.write() as tx:
        put(tx, "a", b"1")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(database.os, "replace", full)
        refused("disk-full", opened.compact, quiet())
    assert keys(opened.read()) == {"a"}
    with opened.write() as tx:
        put(tx, "b", b"1")
    opened.close()
    assert copies(path) == []


def other_reader(path):
    """A connection that this program knows nothing of, in the middle of reading: no log is folded in meanwhile."""
    other = dbapi2.connect(str(path), isolation_level=None)
    other.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM meta").fetchone()
    return other


@pytest.mark.parametrize("act", ["compact", "rekey"])
def test_a_store_is_not_replaced_while_its_log_holds_anything(path, act):
    """Left behind, the log of the old file would be read into the new one, page over page."""
    opened = Database(path, KEY)
    opened._writer.execute("PRAGMA busy_timeout = 50")
    with opened.write() as tx:
        put(tx, "a", os.urandom(100_000))
    other = other_reader(path)
    with opened.write() as tx:
        put(tx, "b", os.urandom(100_000))
        tx.execute("DELETE FROM meta WHERE key = 'a'")
    arguments = [quiet()] if act == "compact" else [bytes(reversed(KEY)), quiet()]
    refused("store-busy", getattr(opened, act), *arguments)
    assert (keys(opened.read()), opened.key) == ({"b"}, KEY)
    assert not path.with_name("store.db.copying").exists()
    other.close()
    getattr(opened, act)(*arguments)
    assert keys(opened.read()) == {"b"}
    assert database.check(opened.read(), quiet()) == []
    opened.close()
    with pytest.raises(Refused) if act == "rekey" else contextlib.nullcontext():
        Database(path, KEY).close()


class Stopping(Job):
    """A job that is cancelled after so many steps."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def step(self, done, total, stage):
        if not self.left:
            self.cancel()
        self.left -= 1
        super().step(done, total, stage)


@pytest.mark.parametrize("act", ["compact", "rekey"])
def test_writing_the_store_anew_is_shown_and_can_be_stopped(path, act, monkeypatch):
    monkeypatch.setattr(database, "LOOK", 200)
    monkeypatch.setattr(database, "COPY_PAGES", 20)
    opened = Database(path, KEY)
    with opened.write() as tx:
        for number in range(300):
            put(tx, f"k{number}", os.urandom(4000))
    opened._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    arguments = [] if act == "compact" else [bytes(reversed(KEY))]
    seen = []
    getattr(opened, act)(*arguments, Job(lambda *step: seen.append(step)))
    assert len(seen) > 10
    assert {stage for _, _, stage in seen} == {"compact" if act == "compact" else "copy"}
    assert all(0 <= done <= total for done, total, _ in seen)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    before = opened.key
    for stop_at in (0, 5, len(seen) - 1):
        if act == "rekey":
            arguments = [KEY]
        with pytest.raises(Cancelled):
            getattr(opened, act)(*arguments, Stopping(stop_at))
        assert (len(keys(opened.read())), opened.key) == (300, before)
        assert not path.with_name("store.db.copying").exists()
    opened.close()


def test_a_check_is_named_and_can_be_stopped_anywhere(path, monkeypatch):
    monkeypatch.setattr(database, "CHECK_LOOK", 50)
    opened = Database(path, KEY)
    with opened.write() as tx:
        for number in range(2000):
            put(tx, f"k{number}", b"x" * 100)
    seen = []
    assert database.check(opened.read(), Job(lambda *step: seen.append(step))) == []
    assert len(seen) > 5
    assert [*dict.fromkeys(seen)] == [(0, 0, "pages"), (0, 0, "structure")]
    for stop_at in (0, 1, len(seen) // 2, len(seen) - 1):
        with pytest.raises(Cancelled):
            database.check(opened.read(), Stopping(stop_at))
    opened.close()


@pytest.mark.parametrize(
    "program",
    [
        "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM meta; END",
        "CREATE VIEW v AS SELECT load_extension('x') FROM meta",
    ],
)
def test_a_file_with_a_program_in_it_is_not_opened(path, program):
    Database(path, KEY).close()
    plain(path, program)
    refused("store-damaged", Database, path, KEY)


def test_no_extension_is_loaded(path):
    opened = Database(path, KEY)
    for connection in (opened._writer, opened.read()):
        with pytest.raises(dbapi2.OperationalError, match="not authorized"):
            connection.execute("SELECT load_extension('x')")
    opened.close()


def test_the_tables_behind_others_are_written_by_nobody(world):
    """Defensive mode, of the writer and of readers."""
    with pytest.raises(dbapi2.OperationalError, match="may not be modified"):
        world.alpha.database._writer.execute("DELETE FROM object_text_data")
    with pytest.raises(dbapi2.OperationalError, match="may not be modified"):
        world.alpha.database._writer.execute("DELETE FROM sqlite_master")
    reader = world.alpha.database.read()
    reader.execute("PRAGMA query_only = OFF")
    with pytest.raises(dbapi2.OperationalError, match="may not be modified"):
        reader.execute("DELETE FROM object_text_config")
    assert problems(world.alpha) == []
