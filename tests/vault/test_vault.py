"""Creating, unlocking and checking: a whole installation or none, and damage that is told, not repaired in silence."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from app import audit, vault
from app.courier import folder
from app.holdings import browsing, exporting
from app.jobs import Cancelled, Job, quiet
from app.messages import Refused
from app.store import database, index, packages
from crypto import slots
from tests.support.sites import (
    CHEAP,
    PASSPHRASE,
    Clock,
    acts,
    indicator,
    problems,
    receive,
    release,
    sealed_last,
    state,
    take,
    unlocked,
)


def refused(code, act, *arguments, **more):
    with pytest.raises(Refused) as caught:
        act(*arguments, **more)
    assert caught.value.code == code


def create(home, **more):
    facts = {
        "name": "alpha",
        "country": "JO",
        "officer": "R. Haddad",
        "passphrase": PASSPHRASE,
        "cost": CHEAP,
    }
    return vault.create(home, **facts | more)


@pytest.fixture
def home(world):
    """The folder of alpha, locked."""
    world.close_alpha()
    return world.alpha.home


# Creating -----------------------------------------------------------------------------------------------------


def test_only_the_owner_reads_anything(world):
    take(world.alpha, indicator(1))
    release(world.alpha, "beta")
    home = world.alpha.home
    for path in (home, *home.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path.name} {mode:o}"
    assert {path.name for path in home.iterdir()} >= {"slots", "store.db", "outbox", "lock"}


@pytest.mark.parametrize(
    "facts, code",
    [
        ({"passphrase": "x" * (vault.PASSPHRASE_LENGTH - 1)}, "passphrase-short"),
        ({"name": "a\u202eb"}, "name-unusable"),
        ({"officer": ""}, "name-unusable"),
        ({"country": "JOR"}, "country-unusable"),
        ({"country": "J1"}, "country-unusable"),
    ],
)
def test_what_cannot_be_leaves_nothing_behind(tmp_path, facts, code):
    refused(code, create, tmp_path / "home", **facts)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_half_way_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*arguments, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    refused("home-unusable", create, tmp_path / "home")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_made_over_something(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    (tmp_path / "file").write_text("x")
    refused("installation-exists", create, tmp_path / "full")
    refused("installation-exists", create, tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert len(create(tmp_path / "empty")) == 64
    refused("installation-exists", create, tmp_path / "empty")


def test_the_folder_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    done = []
    real_sync, real_rename = folder.sync_folder, os.rename
    monkeypatch.setattr(folder, "sync_folder", lambda path: (done.append(path), real_sync(path)))
    monkeypatch.setattr(os, "rename", lambda a, b: (done.append("rename"), real_rename(a, b)))
    create(tmp_path / "home")
    at = done.index("rename")
    assert [Path(p).name.startswith(".home-") for p in done[:at]].count(True) >= 1
    assert tmp_path in done[at:]


# Unlocking ----------------------------------------------------------------------------------------------------


def test_a_wrong_passphrase_opens_nothing_and_leaves_the_lock_free(home):
    refused("wrong-passphrase", vault.unlock, home, "wrong horse battery staple")
    with unlocked(home):
        refused("in-use", vault.unlock, home, PASSPHRASE)
    with unlocked(home) as alpha:
        assert acts(alpha)[-4:] == ["unlock.failed", "unlocked", "locked", "unlocked"]
        [entry] = [e for e in audit.entries(alpha.database.read()) if e.act == "unlock.failed"]
        assert entry.detail["count"] == 1


def test_failed_attempts_are_counted_until_somebody_unlocks(home):
    clock = Clock()
    for day in range(3):
        refused("wrong-passphrase", vault.unlock, home, f"wrong horse battery {day}", clock=clock)
        clock.pass_days(1)
    refused("officer-unknown", vault.unlock, home, PASSPHRASE, "Nobody", clock=clock)
    with unlocked(home, clock) as alpha:
        found = audit.entries(alpha.database.read(), limit=3)[::-1]
        assert [e.act for e in found] == ["unlock.refused", "unlock.failed", "unlocked"]
        assert (found[0].officer, found[0].detail) == ("", {"code": "officer-unknown", "name": "Nobody"})
        assert found[1].detail == {
            "count": 3,
            "first": "2026-06-01T12:00:00.000Z",
            "last": "2026-06-03T12:00:00.000Z",
        }
        assert problems(alpha) == []
    with unlocked(home) as alpha:
        assert acts(alpha)[-1] == "unlocked"
        assert acts(alpha).count("unlock.failed") == 1


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"count":1,"first":"<b>","last":""}', b"[" * 5000, b"\xff"]
)
def test_a_count_of_attempts_that_somebody_wrote_is_told_as_unreadable(home, raw):
    (home / "attempts").write_bytes(raw)
    with unlocked(home) as alpha:
        [entry] = [e for e in audit.entries(alpha.database.read()) if e.act == "unlock.failed"]
        assert entry.detail == {"count": 0, "first": "", "last": ""}
    assert not (home / "attempts").exists()


def test_a_missing_store_is_a_loss_and_not_a_new_store(home):
    (home / "store.db").unlink()
    for suffix in ("-wal", "-shm"):
        (home / f"store.db{suffix}").unlink(missing_ok=True)
    with pytest.raises(Refused) as caught:
        vault.unlock(home, PASSPHRASE)
    assert caught.value.code in ("store-damaged", "store-missing", "store-read-only")
    assert not (home / "store.db").exists()


@pytest.mark.parametrize("content", [b"", b"x", b"SQLite format 3\0" + bytes(8176), bytes(range(256)) * 32])
def test_a_store_that_is_none_is_told(home, content):
    (home / "store.db").write_bytes(content)
    refused("store-damaged", vault.unlock, home, PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"x", b"{}", bytes(100_000)])
def test_slots_that_are_none_are_told(home, content):
    (home / "slots").write_bytes(content)
    refused("slots-damaged", vault.unlock, home, PASSPHRASE)


def test_the_slots_of_another_installation_do_not_open_this_store(home):
    (home / "slots").write_bytes(slots.create(os.urandom(32), PASSPHRASE, cost=CHEAP))
    refused("store-damaged", vault.unlock, home, PASSPHRASE)


def test_no_installation(tmp_path):
    refused("no-installation", vault.unlock, tmp_path, PASSPHRASE)
    refused("no-installation", vault.unlock, tmp_path / "absent", PASSPHRASE)
    assert list(tmp_path.iterdir()) == []


def test_an_officer_who_is_not_one(home):
    refused("officer-unknown", vault.unlock, home, PASSPHRASE, "Nobody")
    with vault.unlocked(home, PASSPHRASE, "R. Haddad") as alpha:
        assert alpha.officer == "R. Haddad"


def test_an_outbox_that_is_gone_is_made_again_and_told_by_check(world):
    take(world.alpha, indicator(1))
    release(world.alpha, "beta")
    world.close_alpha()
    home = world.alpha.home
    shutil.rmtree(home / "outbox")
    with unlocked(home) as alpha:
        assert problems(alpha) == ["outbox-missing"]
        assert release(alpha, "beta").package.seq == 2


def test_a_folder_in_the_outbox_hinders_nothing(home):
    (home / "outbox" / "folder").mkdir()
    with unlocked(home) as alpha:
        assert problems(alpha) == []


def test_locking_twice_is_no_error_and_lets_the_next_in(home):
    opened = vault.unlock(home, PASSPHRASE)
    opened.lock()
    opened.lock()
    with unlocked(home):
        pass


# Checking -----------------------------------------------------------------------------------------------------


def filled(world):
    """alpha with enough in its store to damage some of it."""
    take(world.alpha, *(indicator(n, description=f"{n} " * 400) for n in range(60)))
    release(world.alpha, "beta")
    assert problems(world.alpha) == []
    world.close_alpha()
    return world.alpha.home


def test_a_damaged_page_is_found(world):
    home = filled(world)
    store = home / "store.db"
    raw = bytearray(store.read_bytes())
    page = 4096
    # Of the pages at the end, which hold intel: the store still opens.
    for number in range(len(raw) // page - 8, len(raw) // page - 4):
        raw[number * page + 100] ^= 1
    store.write_bytes(raw)
    with unlocked(home) as alpha:
        assert "page-damaged" in problems(alpha)


def test_a_damaged_page_met_in_reading_is_a_refusal(world):
    home = filled(world)
    store = home / "store.db"
    raw = bytearray(store.read_bytes())
    for number in range(20, len(raw) // 4096):
        raw[number * 4096 + 100] ^= 1
    store.write_bytes(raw)

    def all_of(act):
        with unlocked(home) as alpha:
            return act(alpha)

    refused("store-damaged", all_of, lambda a: list(exporting.bundle(a, browsing.selection(), quiet())))
    refused("store-damaged", all_of, lambda a: [browsing.show_oid(a, n) for n in range(1, 61)])


@pytest.mark.parametrize("what", ["altered", "cut", "missing"])
def test_a_sealed_file_that_was_touched_is_found(world, what):
    home = filled(world)
    [path] = (home / "outbox").iterdir()
    raw = path.read_bytes()
    if what == "missing":
        path.unlink()
    else:
        path.write_bytes(raw[:-1] if what == "cut" else raw[:-1] + bytes([raw[-1] ^ 1]))
    with unlocked(home) as alpha:
        assert problems(alpha) == ["outbox-missing" if what == "missing" else "outbox-altered"]
        assert sealed_last(alpha, "beta").file == path.name


@pytest.mark.parametrize(
    "sql, code",
    [
        ("UPDATE version SET raw = zeroblob(9) WHERE vid = 3", "content-altered"),
        ("UPDATE audit SET entry = replace(entry, 'Haddad', 'Hadad') WHERE number = 2", "audit-altered"),
        ("DELETE FROM audit WHERE number = 2", "audit-missing"),
        ("UPDATE audit_node SET hash = zeroblob(32) WHERE level = 0 AND position = 1", "audit-altered"),
    ],
)
def test_what_was_altered_through_sql_is_found(world, sql, code):
    home = filled(world)
    with unlocked(home) as alpha:
        with alpha.database.write() as tx:
            tx.execute(sql)
        assert code in problems(alpha)


def test_a_broken_reference_is_found(world):
    home = filled(world)
    with unlocked(home) as alpha:
        alpha.database._writer.execute("PRAGMA foreign_keys = OFF")
        with alpha.database.write() as tx:
            tx.execute("DELETE FROM object WHERE oid = (SELECT oid FROM version WHERE vid = 3)")
        assert "reference-broken" in problems(alpha)
        assert packages.sealed(alpha.database.read())


@pytest.mark.parametrize(
    "sql, where",
    [
        ("UPDATE facet SET objects = objects + 1 WHERE facet = 'type'", "store"),
        ("DELETE FROM facet WHERE facet = 'all'", "store"),
        ("DELETE FROM observable WHERE oid = 3", "observable"),
        ("UPDATE observable SET val = '203.0.113.1' WHERE oid = 3", "observable"),
        ("INSERT INTO edge (vid, rel, src, dst, related) VALUES (3, 'uses', 1, 2, 0)", "edge"),
    ],
)
def test_an_index_that_says_something_else_is_found_and_made_anew(world, sql, where):
    home = filled(world)
    with unlocked(home) as alpha:
        with alpha.database.write() as tx:
            tx.execute(sql)
        code = "counters-wrong" if where == "store" else "index-wrong"
        assert [(p.code, p.where) for p in vault.check(alpha, quiet())] == [(code, where)]
        vault.mend(alpha, quiet())
        assert acts(alpha)[-1] == "indexes.remade"
        assert problems(alpha) == []


class Heard(Job):
    """A job that keeps what it hears, and is cancelled once it has heard so much."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.heard: list[tuple[int, int, str]] = []
        self.most = most

    def step(self, done: int, total: int, stage: str) -> None:
        self.heard.append((done, total, stage))
        if len(self.heard) > self.most:
            self.cancel()
        super().step(done, total, stage)


def test_indexes_of_another_program_are_made_anew_within_sight(world, monkeypatch):
    home = filled(world)
    with unlocked(home) as alpha:
        before = [found for found in state(alpha) if found[0] in ("observable", "edge", "facet")]
        with alpha.database.write() as tx:
            tx.execute("UPDATE meta SET value = x'00' WHERE key = ?", (index.VERSION_KEY,))
            tx.execute("DELETE FROM observable")
    monkeypatch.setattr(database, "LOOK", 10)
    monkeypatch.setattr(index, "BATCH", 2)
    stopped, heard = Heard(2), Heard(1 << 30)
    with pytest.raises(Cancelled):
        vault.unlock(home, PASSPHRASE, job=stopped)
    opened = vault.unlock(home, PASSPHRASE, job=heard)
    assert [
        found for found in state(opened.installation) if found[0] in ("observable", "edge", "facet")
    ] == before
    with pytest.raises(Cancelled):
        vault.mend(opened.installation, Heard(2))
    assert problems(opened.installation) == []
    opened.lock()
    held = max(total for _done, total, _stage in heard.heard)
    told = [(done, stage) for done, total, stage in heard.heard if total == held]
    assert told == [(done, "index") for done in [*range(0, held, 2), held]]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE outbox SET manifest = x'00'",
        "UPDATE inbox SET manifest = x'00'",
        "UPDATE inbox_object SET raw = x'7b227d' WHERE position = 0",
    ],
)
def test_what_was_altered_of_the_exchange_is_found(world, sql):
    take(world.alpha, indicator(1))
    take(world.beta, indicator(2))
    receive(world.alpha, release(world.beta, "alpha").package.path)
    release(world.alpha, "beta", indicator(1)["id"])
    assert problems(world.alpha) == []
    with world.alpha.database.write() as tx:
        tx.execute(sql)
    assert "content-altered" in problems(world.alpha)


def test_compacting_is_logged_and_needs_room(world, monkeypatch):
    take(world.alpha, *(indicator(n, description=f"{n} " * 400) for n in range(60)))
    done = vault.compact(world.alpha, quiet())
    assert done.after <= done.before
    assert acts(world.alpha)[-1] == "store.compacted"
    assert problems(world.alpha) == []
    none = os.statvfs_result((4096, 4096, 10, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: none)
    refused("compact-room", vault.compact, world.alpha, quiet())
