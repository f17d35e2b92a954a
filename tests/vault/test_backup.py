"""Backup, restore, moving: one file that opens with what opens the installation; all of it comes back, or nothing."""

from __future__ import annotations

import io
import os
import shutil
import threading

import pytest

from app import vault
from app.exchange import epochs
from app.holdings import attachments, browsing
from app.jobs import Cancelled, quiet
from app.messages import Refused
from app.vault import backup as backups
from app.vault.home import SLOTS
from crypto import backup_file, slots
from crypto.errors import CryptoError
from tests.support.pages import decrypted
from tests.support.sites import (
    CHEAP,
    PASSPHRASE,
    Impatient,
    acts,
    channel,
    indicator,
    problems,
    receive,
    release,
    send,
    state,
    take,
    unlocked,
)

CANARY = "quixotrylantern"


def refusal(act, *args, **more):
    with pytest.raises(Refused) as caught:
        act(*args, **more)
    return caught.value.code


def back_up(site, target, **more):
    return vault.back_up(site, target, quiet(), **more)


def restore(home, source, passphrase=PASSPHRASE, **more):
    return vault.restore(home, source, passphrase, quiet(), **more)


@pytest.fixture
def full(met):
    """alpha with objects, an attachment, a package not acknowledged, and keys published."""
    take(met.alpha, *(indicator(n, name=f"{CANARY} {n}") for n in range(20)))
    release(met.alpha, "beta")
    sample = met.folder / "sample.bin"
    sample.write_bytes(CANARY.encode() * 1000)
    attachments.attach(met.alpha, sample, indicator(1)["id"], "", None, quiet())
    return met


def everything(site):
    """What a store holds, without what every unlock and backup adds."""
    own = {"audit", "audit_node", "meta", "own_key"}
    return [(name, rows) for name, rows in state(site) if name not in own]


def test_everything_comes_back_but_private_halves(full, tmp_path):
    before = everything(full.alpha)
    kids = {bytes(r[0]) for r in full.alpha.database.read().execute("SELECT kid FROM own_key")}
    seeds = [bytes(r[0]) for r in full.alpha.database.read().execute("SELECT seed FROM own_key")]
    made = back_up(full.alpha, tmp_path / "b")
    assert acts(full.alpha)[-1] == "backup"
    assert made.size == (tmp_path / "b").stat().st_size
    assert oct((tmp_path / "b").stat().st_mode & 0o777) == "0o600"
    assert [p.name for p in full.alpha.home.glob("backup-*")] == []
    done = restore(tmp_path / "home", tmp_path / "b", clock=full.clock)
    assert (done.fingerprint, done.moved, done.entry) == (full.alpha.identity.fingerprint, False, made.entry)
    key = full.alpha.database.key
    pages = decrypted(tmp_path / "home" / "store.db", key)
    assert len(seeds) >= 16
    assert not any(seed in pages for seed in seeds)
    with unlocked(tmp_path / "home", full.clock) as site:
        assert everything(site) == before
        assert {bytes(r[0]) for r in site.database.read().execute("SELECT kid FROM own_key")} == kids
        assert problems(site) == []
        assert acts(site)[-3:] == ["restored", "unlocked", "checked"]
        assert browsing.page(site, browsing.selection(CANARY)).total == 20
        assert len(list((site.home / "attachments").iterdir())) == 1


def test_the_file_says_nothing(full, tmp_path):
    back_up(full.alpha, tmp_path / "b")
    raw = (tmp_path / "b").read_bytes()
    for word in (
        CANARY.encode(),
        b"SQLite",
        b"store.db",
        b"outbox",
        full.alpha.identity.fingerprint.encode(),
    ):
        assert word not in raw


def test_it_opens_with_the_recovery_kit_and_with_no_other_words(full, tmp_path):
    words = vault.add_recovery_slot(full.alpha, "safe")
    back_up(full.alpha, tmp_path / "b")
    assert refusal(restore, tmp_path / "home", tmp_path / "b", "wrong horse battery") == "backup-passphrase"
    assert refusal(restore, tmp_path / "home", tmp_path / "b", "no words", recovery=True) == "recovery-format"
    assert not (tmp_path / "home").exists()
    restore(tmp_path / "home", tmp_path / "b", " ".join(words), recovery=True)
    with unlocked(tmp_path / "home", full.clock) as site:
        assert len(vault.slots_of(site)) == 2


def test_never_over_something_and_nothing_is_left_of_a_failure(full, tmp_path):
    back_up(full.alpha, tmp_path / "b")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "x").write_text("x")
    assert refusal(restore, mine, tmp_path / "b") == "installation-exists"
    assert refusal(restore, full.alpha.home, tmp_path / "b") == "installation-exists"
    assert refusal(back_up, full.alpha, tmp_path / "b") == "target-exists"
    here = sorted(os.listdir(tmp_path))
    with pytest.raises(Cancelled):
        vault.restore(tmp_path / "home", tmp_path / "b", PASSPHRASE, Impatient("restore"))
    for stage in ("copy", "backup", "verify"):
        with pytest.raises(Cancelled):
            vault.back_up(full.alpha, tmp_path / "c", Impatient(stage))
    assert sorted(os.listdir(tmp_path)) == here
    assert list(full.alpha.home.glob("backup-*")) == []
    (tmp_path / "empty").mkdir()
    assert restore(tmp_path / "empty", tmp_path / "b").entry


def test_what_opens_no_backup_is_said_of_the_backup(full, tmp_path):
    vault.add_recovery_slot(full.alpha, "safe")
    back_up(full.alpha, tmp_path / "b")
    raw, kept = (tmp_path / "b").read_bytes(), (full.alpha.home / SLOTS).read_bytes()
    (tmp_path / "cut").write_bytes(raw.replace(kept, b"x" * len(kept)))
    assert refusal(restore, tmp_path / "home", tmp_path / "cut") == "backup-damaged"
    key = full.alpha.database.key
    bound = slots.remove(slots.add(kept, key, PASSPHRASE, device_secret=bytes(32), cost=CHEAP), key, 1)
    (full.alpha.home / SLOTS).write_bytes(bound)
    back_up(full.alpha, tmp_path / "bound")
    assert refusal(restore, tmp_path / "home", tmp_path / "bound") == "backup-needs-device"
    assert not (tmp_path / "home").exists()


def test_what_a_crash_left_beside_goes_with_the_next_restore(full, tmp_path):
    back_up(full.alpha, tmp_path / "b")
    left = tmp_path / (".home-" + "0" * 16)
    left.mkdir()
    (left / "store.db").write_bytes(b"x")
    restore(tmp_path / "home", tmp_path / "b")
    assert not left.exists()


def test_others_write_while_it_is_taken(full, tmp_path):
    """The copy is one state: what was committed before it began, whatever comes meanwhile."""
    wrote = threading.Event()

    class Writing(Impatient):
        def step(self, done, total, stage):
            if stage == "copy" and not wrote.is_set():
                thread = threading.Thread(target=take, args=(full.alpha, indicator(999)))
                thread.start()
                thread.join()
                wrote.set()

    made = vault.back_up(full.alpha, tmp_path / "b", Writing("none"))
    assert wrote.is_set()
    restore(tmp_path / "home", tmp_path / "b")
    with unlocked(tmp_path / "home", full.clock) as site:
        assert browsing.page(site, browsing.selection()).total == 20
        assert made.entry == len(acts(site)) - 3, "restored, locked, unlocked"
    assert browsing.page(full.alpha, browsing.selection()).total == 21


def test_a_medium_that_lies_gets_no_backup(full, tmp_path, monkeypatch):
    def lying(target, *args):
        place = io.BytesIO()
        real(place, *args)
        raw = bytearray(place.getvalue())
        raw[-1] ^= 1
        target.write(raw)

    real = backup_file.write
    monkeypatch.setattr(backup_file, "write", lying)
    assert refusal(back_up, full.alpha, tmp_path / "b") == "backup-differs"
    assert not (tmp_path / "b").exists()
    assert "backup" not in acts(full.alpha)


def test_a_backup_that_would_open_here_only_is_not_made(full, tmp_path, monkeypatch):
    # No slot of the kind can be the only one any more; an installation from before may have it so.
    only = slots.Slot(1, slots.DEVICE, "", CHEAP)
    monkeypatch.setattr(backups.slots, "listed", lambda raw: (only,))
    assert refusal(back_up, full.alpha, tmp_path / "b") == "backup-closed"
    assert not (tmp_path / "b").exists()


def test_damage_that_was_there_before_comes_along_and_is_told(full, tmp_path):
    """Of a damaged installation a backup is better than none."""
    with full.alpha.database.write() as tx:
        tx.execute("UPDATE version SET raw = x'7b7d' WHERE vid = 3")
    for path in full.alpha.outbox.iterdir():
        path.unlink()
    back_up(full.alpha, tmp_path / "b")
    found = {problem.code for problem in restore(tmp_path / "home", tmp_path / "b").problems}
    assert found == {"content-altered", "outbox-missing"}


# The channels after it ---------------------------------------------------------------------------------------


def test_after_a_restore_every_channel_begins_anew_and_can_be_mended(full, tmp_path):
    sealed_to_lost = send(full.beta, "alpha")
    back_up(full.alpha, tmp_path / "b")
    full.close_alpha()
    restore(tmp_path / "home", tmp_path / "b")
    with unlocked(tmp_path / "home", full.clock) as site:
        assert set(epochs.settle_restore(site)) == {"beta", "mallory"}
        assert channel(site, "beta").mending
        named = tmp_path / next(iter(packages_named(full.beta, sealed_to_lost)))
        shutil.copy(sealed_to_lost, named)
        assert refusal(receive, site, named) == "key-lost"
        package = send(site, "beta")
        assert refusal(receive, full.beta, package) == "epoch-pending"
        epochs.confirm(full.beta, "alpha")
        receive(full.beta, package)
        receive(site, send(full.beta, "alpha"))
        assert not channel(site, "beta").mending


def packages_named(site, path):
    """The name on the medium of the package in `path`."""
    reader = site.database.read()
    return {row[0] for row in reader.execute("SELECT medium FROM outbox ORDER BY seq DESC LIMIT 1")}


def test_a_move_retires_the_twin_and_the_other_goes_on(full, tmp_path):
    package = send(full.beta, "alpha")
    back_up(full.alpha, tmp_path / "b", move=True)
    assert acts(full.alpha)[-1] == "moved"
    assert refusal(send, full.alpha, "beta") == "retired"
    assert refusal(release, full.alpha, "beta") == "retired"
    assert refusal(receive, full.alpha, package) == "retired"
    assert refusal(back_up, full.alpha, tmp_path / "c", move=True) == "retired"
    assert browsing.page(full.alpha, browsing.selection()).total == 20, "it can still be read"
    full.close_alpha()
    with unlocked(full.alpha.home, full.clock) as twin:
        assert refusal(send, twin, "beta") == "retired"
        assert problems(twin) == []
    assert restore(tmp_path / "home", tmp_path / "b").moved
    with unlocked(tmp_path / "home", full.clock) as site:
        epochs.settle_restore(site)
        assert "moved" not in acts(site)
        assert refusal(receive, full.beta, send(site, "beta")) == "epoch-pending"


def test_nothing_is_done_between_the_copy_and_the_end_of_a_move(full, tmp_path):
    order = []

    class Writing(Impatient):
        def step(self, done, total, stage):
            if stage == "verify" and not order:
                order.append("asked")
                thread.start()

    def late():
        take(full.alpha, indicator(999))
        order.append("written")

    thread = threading.Thread(target=late)
    vault.back_up(full.alpha, tmp_path / "b", Writing("none"), move=True)
    order.append("moved")
    thread.join()
    assert acts(full.alpha)[-2:] == ["moved", "import"]


def test_a_move_that_fails_retires_nobody(full, tmp_path):
    with pytest.raises(Cancelled):
        vault.back_up(full.alpha, tmp_path / "b", Impatient("verify"), move=True)
    assert not (tmp_path / "b").exists()
    send(full.alpha, "beta")


def test_a_move_that_cannot_be_committed_leaves_no_file(full, tmp_path, monkeypatch):
    def broken(*args, **facts):
        raise Refused("disk-full")

    with monkeypatch.context() as patched:
        patched.setattr(backups.audit, "append", broken)
        assert refusal(back_up, full.alpha, tmp_path / "b", move=True) == "disk-full"
    assert not (tmp_path / "b").exists()
    send(full.alpha, "beta")


def test_a_move_that_came_to_nothing_is_undone_with_a_new_epoch(full, tmp_path):
    back_up(full.alpha, tmp_path / "b", move=True)
    before = channel(full.alpha, "beta").sending.epoch
    vault.revive(full.alpha)
    assert refusal(send, full.alpha, "beta") == "restore-unsettled"
    epochs.settle_restore(full.alpha)
    assert channel(full.alpha, "beta").sending.epoch != before
    assert channel(full.alpha, "beta").mending
    assert refusal(vault.revive, full.alpha) == "not-retired"
    assert refusal(receive, full.beta, send(full.alpha, "beta")) == "epoch-pending"


# Hostile files -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample():
    """A small file of the format, its key, and the slots in front."""
    key = bytes(range(32))
    raw = slots.create(key, PASSPHRASE, cost=CHEAP)
    return key, raw, written(key, raw, index())


def index(**more):
    facts = {
        "made": "2026-01-01T00:00:00.000Z",
        "fingerprint": "0" * 64,
        "entry": 1,
        "head": bytes(32),
        "moved": False,
        "files": (("store.db", 9),),
    }
    return backup_file.Index(**facts | more)


def written(key, raw, what, data=b"x" * 9):
    place = io.BytesIO()
    backup_file.write(place, raw, key, what, lambda name: io.BytesIO(data), lambda done, total: None)
    return place.getvalue()


def forged(key, raw, plaintext):
    """A backup whose maker knows the key and writes what they like."""
    head = backup_file.MAGIC + len(raw).to_bytes(4, "big") + raw
    place = io.BytesIO(head)
    place.seek(len(head))
    backup_file.encrypt(io.BytesIO(plaintext), place, backup_file._payload_key(key, head))
    return place.getvalue()


def read(raw, key):
    reader = backup_file.BackupReader(io.BytesIO(raw))
    found = reader.open(key)
    return found, [(name, b"".join(pieces)) for name, _size, pieces in reader.files()]


def code_of(raw, key):
    try:
        read(raw, key)
    except CryptoError as error:
        return error.code
    return None


def test_what_was_written_is_read(sample):
    key, _raw, file = sample
    assert read(file, key) == (index(), [("store.db", b"x" * 9)])


def test_no_byte_can_be_changed_and_none_cut_off(sample):
    key, _raw, file = sample
    for at in range(0, len(file), 7):
        changed = file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :]
        assert code_of(changed, key) in ("backup-format", "backup-key", "backup-damaged"), at
        assert code_of(file[:at], key) in ("backup-format", "backup-key", "backup-damaged"), at
    assert code_of(file + b"x", key) in ("backup-key", "backup-damaged")
    assert code_of(file, bytes(32)) == "backup-key"


HEAD = b'{"made":"2026-01-01T00:00:00.000Z","fingerprint":"' + b"0" * 64 + b'","entry":1,"head":"' + b"0" * 64
GOOD = HEAD + b'","moved":0,"files":[{"name":"store.db","size":1}]}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace(b"store.db", b"../store.db"),
        GOOD.replace(b"store.db", b"/etc/passwd"),
        GOOD.replace(b"store.db", b"outbox/../../x"),
        GOOD.replace(b"store.db", b"slots"),
        GOOD.replace(b"store.db", b"store.db\\u0000"),
        GOOD.replace(b"store.db", b"outbox/" + b"0" * 32 + b".age"),
        GOOD.replace(b"]", b',{"name":"store.db","size":0}]'),
        GOOD.replace(b"]", b',{"name":"attachments/' + b"A" * 32 + b'","size":0}]'),
        GOOD.replace(b"]", (b',{"name":"attachments/' + b"a" * 32 + b'","size":0}') * 2 + b"]"),
        GOOD.replace(b'"size":1', b'"size":-1'),
        GOOD.replace(b'"size":1', b'"size":1.0'),
        GOOD.replace(b'"size":1', b'"size":%d' % ((1 << 50) + 1)),
        GOOD.replace(b'"moved":0', b'"moved":2'),
        GOOD.replace(b'"moved":0', b'"moved":0,"more":0'),
        GOOD.replace(b'"moved":0', b'"moved":0,"moved":0'),
        GOOD.replace(b'"entry":1', b'"entry":0'),
        GOOD.replace(b"2026", b"26"),
        b"{}",
        b"[" * 100_000,
        b"\xff",
        b"",
    ],
)
def test_an_index_of_another_shape_is_refused(sample, text):
    key, raw, _file = sample
    plain = len(text).to_bytes(4, "big") + text + b"x"
    assert code_of(forged(key, raw, plain), key) == "backup-format"


def test_sizes_that_are_none(sample):
    key, raw, _file = sample
    good = len(GOOD).to_bytes(4, "big") + GOOD
    assert code_of(forged(key, raw, good + b"x"), key) is None
    for plain in (
        b"",
        b"\0\0\0",
        good,
        good + b"xx",
        b"\xff" * 4 + GOOD,
        (1 << 24).to_bytes(4, "big") + GOOD,
    ):
        assert code_of(forged(key, raw, plain), key) == "backup-format"
    for head in (
        b"",
        b"MITHAQ",
        backup_file.MAGIC,
        backup_file.MAGIC + bytes(4),
        backup_file.MAGIC + b"\xff" * 4,
    ):
        assert code_of(head, key) == "backup-format"


def test_a_store_that_is_none_is_refused(tmp_path):
    """The maker knows the passphrase: an officer was talked into restoring it."""
    key = bytes(range(32))
    raw = slots.create(key, PASSPHRASE, cost=CHEAP)
    (tmp_path / "b").write_bytes(written(key, raw, index()))
    assert refusal(restore, tmp_path / "home", tmp_path / "b") == "store-damaged"
    assert sorted(os.listdir(tmp_path)) == ["b"]


@pytest.mark.parametrize(
    "sql, codes",
    [
        ("DELETE FROM identity", {"backup-damaged"}),
        ("UPDATE identity SET secret = x'00'", {"backup-damaged"}),
        ("DELETE FROM officer", {"backup-damaged"}),
        ("DROP TABLE version", {"store-damaged"}),
        ("DROP TABLE meta", {"store-damaged"}),
        ("PRAGMA user_version = 9999", {"store-newer"}),
        ("PRAGMA user_version = 0", {"store-damaged"}),
    ],
)
def test_a_store_of_ours_that_was_bent_is_refused(full, tmp_path, monkeypatch, sql, codes):
    def bent(installation, scratch, moved):
        found = real(installation, scratch, moved)
        store = backups.Database(scratch / "store.db", installation.database.key)
        store._writer.execute("PRAGMA foreign_keys = OFF")
        store._writer.execute(sql)
        store.close()
        size = (scratch / "store.db").stat().st_size
        return backup_file.Index(**vars(found) | {"files": (("store.db", size), *found.files[1:])})

    real = backups._prepared
    monkeypatch.setattr(backups, "_prepared", bent)
    back_up(full.alpha, tmp_path / "b")
    assert refusal(restore, tmp_path / "home", tmp_path / "b") in codes
    assert not (tmp_path / "home").exists()
    assert not list(tmp_path.glob(".home-*"))


@pytest.mark.parametrize("raw", [b"", b"x", b"age-encryption.org/v1\n", bytes(100_000)])
def test_what_is_no_backup(tmp_path, raw):
    (tmp_path / "b").write_bytes(raw)
    assert refusal(restore, tmp_path / "home", tmp_path / "b") == "not-a-backup"
    assert refusal(restore, tmp_path / "home", tmp_path) == "file-unreadable"
    assert refusal(restore, tmp_path / "home", tmp_path / "absent") == "file-unreadable"
    os.mkfifo(tmp_path / "pipe")
    assert refusal(restore, tmp_path / "home", tmp_path / "pipe") == "file-unreadable"
