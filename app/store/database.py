"""The connection to the encrypted database, and nothing of what is in it.

One writer connection, one reader connection per thread, WAL. A service opens `write()` for one act: everything the act
changes, its audit entry included, is in that one transaction, or none of it is. Queries live beside this module and
take the connection they are given.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from importlib import resources
from importlib.abc import Traversable
from itertools import islice
from pathlib import Path
from typing import Any

from app.jobs import Cancelled, Job, quiet
from app.messages import Refused
from app.store import driver, spilled, standing
from app.store.driver import dbapi2

KEY_BYTES = 32
COPY_PAGES = 2_000
BEFORE, UNDER_WAY, COPYING = "before-", "migrating-", "copying"

LOOK = 50_000
"""Steps of SQLite's machine between two looks whether to stop."""
CHECK_LOOK = 1_000
"""Of them while it checks itself: the indexes of words take a second for few."""

Connection = Any  # sqlcipher3 carries no type information

BEGINNING = 64 << 10
"""Bytes of the file that the tables of its tables lie in."""

CACHE = 64 << 10
LARGE_CACHE = 168 << 10
"""KiB of the page cache, and of the writer's while very much goes in: what spills is encrypted and written twice."""
LITTLE_CACHE = 24 << 10
"""KiB of it from when room is made for great objects. Either way an import takes less than 450 MiB."""

_PRAGMAS = (
    # Errors of a wrong key are ours to word; the library would write to standard error.
    "PRAGMA cipher_log_level = NONE",
    # What a damaged page claims of its cells is checked before it is believed. Defensive mode has no pragma
    # (`app.store.driver.defend`). Beside it, no extension can be loaded, and a file with a trigger or a view that is
    # not of our migrations is not opened (`_refuse_programs`).
    "PRAGMA cell_size_check = ON",
    # Sorting and temporary indexes hold intel: never in a file of /var/tmp. For what would take too much memory, see
    # `app.store.spilled`.
    "PRAGMA temp_store = MEMORY",
    # A deleted row's bytes are overwritten, so that a purge leaves no trace in free pages.
    "PRAGMA secure_delete = ON",
    # A row that nothing holds any more goes with what held it; off by default in SQLite.
    "PRAGMA foreign_keys = ON",
    # A hostile database file must not run functions through views or triggers.
    "PRAGMA trusted_schema = OFF",
    # Locking and wiping every allocation costs a factor of four; the process is closed to dumps and tracing instead.
    "PRAGMA cipher_memory_security = OFF",
    # KiB. Pages are decrypted when they come into the cache, so a small one costs a third of the speed. The page
    # size is SQLCipher's own, 4096 bytes: others measure the same.
    f"PRAGMA cache_size = -{CACHE}",
)


@contextlib.contextmanager
def known_errors() -> Iterator[None]:
    """Turn what the world does to a database (full disk, read-only, another writer) into `Refused`; the rest is a bug.

    Codes: disk-full, store-read-only, store-busy, store-damaged.
    """
    try:
        yield
    except dbapi2.DatabaseError as error:
        text = str(error)
        for fragment, code in _KNOWN:
            if fragment in text:
                raise Refused(code) from error
        raise


_KNOWN = (
    ("disk is full", "disk-full"),
    ("readonly database", "store-read-only"),
    ("unable to open", "store-read-only"),
    ("is locked", "store-busy"),
    ("malformed", "store-damaged"),
    ("not a database", "store-damaged"),
    ("disk I/O error", "store-damaged"),
    # Where the store was written anew, and could not be opened again.
    ("closed database", "store-damaged"),
    # A page of something else where a text was.
    ("Could not decode", "store-damaged"),
)


@contextlib.contextmanager
def foreign_store() -> Iterator[None]:
    """Whatever a store that came from elsewhere makes the database say is `Refused` (store-damaged), not a bug."""
    try:
        with known_errors():
            yield
    except dbapi2.Error as error:
        raise Refused("store-damaged") from error


class Database:
    """An open encrypted database. `key` is the 32-byte raw key; see `app.vault` for where it comes from.

    Raises `Refused`: store-damaged when the key does not fit the file or the file is not a database, store-newer when
    a later version of the program wrote it.
    """

    def __init__(self, path: Path, key: bytes, new: bool = False) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a raw key has 32 bytes")
        self.path = path
        self._key = key
        self._writing = threading.Lock()
        self._local = threading.local()
        self._readers: list[Connection] = []
        self._leave_no_trace = False
        self.after_commit: Callable[[Connection], None] | None = None
        """Called after each transaction with the connection that made it. It does not write, and returns at once."""
        self._summed = False
        self.aged = False
        """Whether a page was put back as it was earlier (`app.store.standing`). It stays so until `accept_age`."""
        self._on_commit: list[Callable[[], None]] = []
        self._on_rollback: list[Callable[[], None]] = []
        _begin_at_random(path)
        with known_errors():
            self._writer = self._open_writer()
            try:
                self._refuse_programs()
                self._migrate(new)
                with _disk_errors():
                    path.with_name(f"{path.name}.{COPYING}").unlink(missing_ok=True)
                # What a crash left in the write-ahead log may have been purged since.
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except BaseException:
                self._writer.close()
                raise

    @property
    def key(self) -> bytes:
        """The raw key, for whoever wraps it in key slots."""
        return self._key

    def rekey(self, key: bytes, job: Job) -> None:
        """Write the store anew under another key, into a file that takes its place in one step.

        No other thread may be using the database. A crash or an error leaves the old file or the new one; `key` says
        which. Raises `Refused` as `known_errors` says, and `Cancelled`.
        """
        # SQLCipher's own way works in place, and says it is done when its journal could not be removed: whoever opens
        # the file next would find it undone, and the key gone.
        self.forget_copies()
        with self._anew(key) as scratch:
            self._copy(scratch, key, job)

    def _refuse_programs(self) -> None:
        """Refuse (store-damaged) a file with SQL in it, to be run by what is done here, that no migration put there."""
        found = self._writer.execute("SELECT sql FROM sqlite_master WHERE type IN ('trigger', 'view')")
        if programs := [row[0] for row in found]:
            ours = [file.read_text() for file in _files()]
            if not all(any(program in text for text in ours) for program in programs):
                raise Refused("store-damaged")

    def _migrate(self, new: bool) -> None:
        """Bring the schema up to date, one transaction a step; before the first, keep the store as it was.

        Refuses (store-newer) a schema of a later program, and (store-damaged) a store without any that is not `new`:
        it was cut to nothing.
        """
        steps = _steps()
        have = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if have == 0 and not new:
            raise Refused("store-damaged")
        if have > len(steps):
            raise Refused("store-newer", have=have, known=len(steps))
        if 0 < have < len(steps):
            self._keep_copy(have)
        if have >= standing.SCHEMA:
            self.aged = not standing.holds(self._writer)
        self._step_up(steps, have)
        self._summed = len(steps) >= standing.SCHEMA
        # Complete: from now on the copy is of the store before the last migration.
        with _disk_errors():
            for kept in self._copies(UNDER_WAY):
                os.replace(kept, kept.with_name(kept.name.replace(UNDER_WAY, BEFORE)))

    def _step_up(self, steps: list[Callable[[], str]], have: int) -> None:
        # Large indexes may be made here. And tables for a while only, which a changed schema leaves, go with it: where
        # there are any, later sorts could not spill.
        with spilled.sorting(self._writer):
            for number, read in enumerate(steps[have:], have + 1):
                try:
                    # The next transaction makes the sum of how things stand anew, in their new shape.
                    unsum = "DELETE FROM seal;" if number > standing.SCHEMA and not self.aged else ""
                    self._writer.executescript(
                        f"BEGIN IMMEDIATE;\n{unsum}{read()}\nPRAGMA user_version = {number};\nCOMMIT;"
                    )
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise

    def _keep_copy(self, version: int) -> None:
        """The store as it is, in a file beside it, for the program that wrote it; older such files go."""
        copy = self.path.with_name(f"{self.path.name}.{UNDER_WAY}{version}")
        if self._copies(UNDER_WAY):
            # A migration that died kept it; the store may be half way by now.
            return
        scratch = self.path.with_name(f"{self.path.name}.{COPYING}")
        with _disk_errors():
            scratch.unlink(missing_ok=True)
            self.copy_to(scratch, quiet())
            with scratch.open("rb") as file:
                os.fsync(file.fileno())
            self.forget_copies()
            os.replace(scratch, copy)
            _sync_folder(copy.parent)

    def forget_copies(self) -> None:
        """Remove what was kept of the store before migrations: what is purged now lies there, and old keys open it."""
        with _disk_errors():
            for path in (*self._copies(BEFORE), *self._copies(UNDER_WAY)):
                path.unlink()

    def _copies(self, kind: str) -> list[Path]:
        return list(self.path.parent.glob(f"{glob.escape(self.path.name)}.{kind}*"))

    def compact(self, job: Job) -> None:
        """Write the store anew without its free pages, into a file that takes its place in one step.

        No other thread may be using the database. A crash leaves the old file or the new one. Raises `Refused` as
        `known_errors` says, and `Cancelled`.
        """
        whole = self.path.stat().st_size
        with self._anew(self._key) as scratch:

            def notice() -> None:
                job.step(min(scratch.stat().st_size, whole), whole, "compact")

            os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            with watched(self._writer, notice):
                # Unlike VACUUM alone it needs neither memory nor a write-ahead log of the store's size.
                self._writer.execute("VACUUM INTO ?", (str(scratch),))
            notice()

    @contextlib.contextmanager
    def _anew(self, key: bytes) -> Iterator[Path]:
        """A file for the block to write the store into, under `key`. Then it takes the store's place."""
        scratch = self.path.with_name(f"{self.path.name}.{COPYING}")
        with self._writing:
            try:
                with known_errors(), _disk_errors():
                    scratch.unlink(missing_ok=True)
                    yield scratch
                    with scratch.open("rb") as file:
                        os.fsync(file.fileno())
                    self._close_readers()
                    self._empty_log()
                    self._writer.close()
                    try:
                        os.replace(scratch, self.path)
                        self._key = key
                        _sync_folder(self.path.parent)
                    finally:
                        self._writer = self._open_again()
            except BaseException:
                scratch.unlink(missing_ok=True)
                raise

    def _empty_log(self) -> None:
        """Fold the write-ahead log into the file, or raise: what is left of it when the connection closes, and that
        does not say so, would be read into whatever file lies in this one's place.
        """
        if self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise Refused("store-busy")

    def _open_again(self) -> Connection:
        """Twice, if need be: a failure that passes must not leave the session without its store."""
        try:
            return self._open_writer()
        except dbapi2.DatabaseError:
            return self._open_writer()

    def _open_writer(self) -> Connection:
        writer = self._connect()
        self._handle = driver.handle()
        try:
            # Readers go on while the one writer writes, and a commit is one write and one sync.
            writer.execute("PRAGMA journal_mode = WAL")
            # After a large import the log is cut back to this many bytes.
            writer.execute("PRAGMA journal_size_limit = 67108864")
            # The officer was told of a commit: it must survive a power cut.
            writer.execute("PRAGMA synchronous = FULL")
        except BaseException:
            writer.close()
            raise
        return writer

    def _close_readers(self) -> None:
        for connection in self._readers:
            connection.close()
        self._readers.clear()
        self._local = threading.local()

    def _connect(self) -> Connection:
        # An absent file is a loss to be told, never a new empty store.
        existing = f"{self.path.absolute().as_uri()}?mode=rw"
        connection = dbapi2.connect(
            existing, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0
        )
        try:
            # The raw key: it is random, and the passphrase has been through Argon2 already (crypto.slots).
            connection.execute(f"PRAGMA key = \"x'{self._key.hex()}'\"")
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            # Our own statements write to no table behind another one; whatever made another one do so is stopped.
            driver.defend()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises. Not to be nested.

        Raises `Refused` as `known_errors` says; and traces-left, when it is done but not wiped (`leave_no_trace`).
        """
        with self._writing, known_errors():
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                if self._summed and not self.aged:
                    standing.put(self._writer)
                if self._leave_no_trace:
                    # Before it is done: nobody would come back for them after a crash.
                    self.forget_copies()
                self._writer.execute("COMMIT")
            except BaseException:
                self._leave_no_trace = False
                try:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                finally:
                    self._finish(self._on_rollback)
                raise
            self._finish(self._on_commit)
            if self.after_commit is not None:
                self.after_commit(self._writer)
            if self._leave_no_trace:
                self._leave_no_trace = False
                self._wipe()

    def _wipe(self) -> None:
        """Old pages lie in the log, and their bytes in the file, until the one is folded into the other. Where a
        snapshot still needs them, closing the store does it; where the disk fails, so does opening it again.
        """
        try:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except dbapi2.DatabaseError as error:
            raise Refused("traces-left", why=error) from error

    def accept_age(self) -> None:
        """Inside `write()`: how things stand is what counts from now on, whenever that was."""
        self.aged = False

    def on_commit(self, act: Callable[[], None]) -> None:
        """Inside `write()`: what to do beside the database once this transaction is committed. It does not raise."""
        self._on_commit.append(act)

    def on_rollback(self, act: Callable[[], None]) -> None:
        """Inside `write()`: what to do beside the database if this transaction is undone. It does not raise."""
        self._on_rollback.append(act)

    def _finish(self, acts: Sequence[Callable[[], None]]) -> None:
        acts = tuple(acts)
        self._on_commit.clear()
        self._on_rollback.clear()
        for act in acts:
            act()

    def leave_no_trace(self) -> None:
        """Inside `write()`: what this transaction deletes must not lie in the write-ahead log after it either."""
        self._leave_no_trace = True

    def read(self) -> Connection:
        """This thread's reader. It sees what was committed when each of its statements began."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            with known_errors():
                connection = self._connect()
                connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            self._readers.append(connection)
        return connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A reader whose statements all see the same state (for exports and releases read in two passes)."""
        connection = self.read()
        with known_errors():
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def copy_to(self, path: Path, job: Job) -> None:
        """Copy every page, as one state, to a new file at `path` under the same key, while others read and write.

        Raises `Refused` as `known_errors` says, and `Cancelled`.
        """
        self._copy(path, self._key, job)

    def _copy(self, path: Path, key: bytes, job: Job) -> None:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

        def notice(_status: int, remaining: int, total: int) -> None:
            job.step(total - remaining, total, "copy")

        with self.snapshot() as source:
            # A snapshot begins with its first read; from then on no writer makes the copy start again.
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            target = dbapi2.connect(str(path), isolation_level=None)
            try:
                target.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
                # It is read back before it counts, and made anew after a crash.
                target.execute("PRAGMA synchronous = OFF")
                source.backup(target, pages=COPY_PAGES, progress=notice, sleep=0)
            finally:
                target.close()

    @contextlib.contextmanager
    def large(self, job: Job) -> Iterator[Connection]:
        """`write` for very much at once: with a large cache, and statements that stop when `job` is cancelled."""
        try:
            with self.write() as tx:
                tx.execute(f"PRAGMA cache_size = -{LARGE_CACHE}")
                _under_way.room = partial(driver.let_go, tx, self._handle, LITTLE_CACHE)
                tx.set_progress_handler(lambda: int(job.cancelled), LOOK)
                try:
                    yield tx
                except dbapi2.OperationalError as error:
                    if job.cancelled:
                        raise Cancelled from error
                    raise
                finally:
                    tx.set_progress_handler(None, 0)
        finally:
            _under_way.room = None
            with self._writing:
                self._writer.execute(f"PRAGMA cache_size = -{CACHE}")
                self._writer.execute("PRAGMA shrink_memory")

    def watched(self, step: Callable[[], None]) -> AbstractContextManager[None]:
        """Around `write()`s of this thread: `watched` of their statements."""
        return watched(self._writer, step)

    def cancel(self) -> None:
        """Interrupt whatever statements are running; each raises, and its transaction is undone."""
        for connection in (self._writer, *self._readers):
            connection.interrupt()

    def fold(self) -> None:
        """Fold the write-ahead log into the file, which then is the whole store. Raises `Refused` as `known_errors`
        says: closing alone tries too, but does not say when it fails.
        """
        with self._writing, known_errors():
            self._empty_log()

    def close(self) -> None:
        """Close every connection. The write-ahead log is folded into the file first, where the disk lets it."""
        self._close_readers()
        self._writer.close()


_under_way = threading.local()


def make_room() -> None:
    """What comes next is very large: a large act of this thread, if there is one, does without most of its cache."""
    if room := getattr(_under_way, "room", None):
        _under_way.room = None
        room()


@contextlib.contextmanager
def watched(connection: Connection, step: Callable[[], None], every: int = 0) -> Iterator[None]:
    """Let the statements of the block call `step` now and then, and stop where it raises (`Cancelled`)."""
    stopped: list[BaseException] = []

    def look() -> int:
        try:
            step()
        except BaseException as raised:
            stopped.append(raised)
        return len(stopped)

    connection.set_progress_handler(look, every or LOOK)
    try:
        yield
    except dbapi2.OperationalError as error:
        if stopped:
            raise stopped[0] from error
        raise
    finally:
        connection.set_progress_handler(None, 0)


def in_many(connection: Connection, sql: str, values: Iterable[int | str]) -> Iterator[Sequence[Any]]:
    """Rows of a query that ends in IN, for any count of values."""
    waiting = iter(values)
    while some := list(islice(waiting, 1024)):
        # The last one again, up to a power of two: for each other count, the statement would be prepared anew.
        some += some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))
        yield from connection.execute(f"{sql} ({', '.join('?' * len(some))})", some)


def check(connection: Connection, job: Job) -> list[str]:
    """The code of what is wrong with the file itself, [] if nothing is: page-damaged, structure-damaged,
    reference-broken. How far each look is nobody knows, and the first cannot be stopped. Raises `Cancelled`.
    """
    # FTS5 notices what another connection wrote when it is queried, not when it is checked: without a
    # query first, a reader
    # that searched before calls a sound index damaged (seen with SQLite 3.53.4).
    for table in ("object_text", "observable_text"):
        connection.execute(f"SELECT count(*) FROM {table} WHERE {table} MATCH 'xyz'").fetchone()
    for pragma, sound, code, stage in (
        ("cipher_integrity_check", [], "page-damaged", "pages"),
        ("integrity_check", [("ok",)], "structure-damaged", "structure"),
        ("foreign_key_check", [], "reference-broken", "structure"),
    ):
        step = partial(job.step, 0, 0, stage)
        step()
        try:
            with watched(connection, step, CHECK_LOOK):
                found = connection.execute(f"PRAGMA {pragma}").fetchall()
        except dbapi2.DatabaseError:
            return [code]
        if found != sound:
            return [code]
    return []


def _begin_at_random(path: Path) -> None:
    """Have the beginning of the file read before the database reads it page by page.

    A system takes that for a file that is read through, and fetches megabytes of what lies behind: what is asked for
    first would wait for those, 3 ms for an object by its id.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError), path.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
            file.read(BEGINNING)


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refused("disk-full" if error.errno == errno.ENOSPC else "store-damaged") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files() -> list[Traversable]:
    folder = resources.files("app.store") / "migrations"
    return [
        folder / name for name in sorted(one.name for one in folder.iterdir() if one.name.endswith(".sql"))
    ]


def _steps() -> list[Callable[[], str]]:
    return [file.read_text for file in _files()]
