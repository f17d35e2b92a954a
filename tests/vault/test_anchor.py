"""An older copy of the store put back: noticed at unlock with a keyring, told of without one, accepted knowingly."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import keyring
import pytest
from keyring.backends import SecretService, fail

from app import audit, vault
from app.exchange import outbox
from app.jobs import quiet
from app.messages import Refused
from app.store import people
from app.vault import anchor
from crypto import recovery
from tests.support.keyrings import Memory, secret_service
from tests.support.sites import (
    PASSPHRASE,
    acts,
    beside,
    channel,
    indicator,
    problems,
    release,
    sealed_last,
    take,
    unlocked,
)

CLI = Path(sys.executable).with_name("mithaq-cli")
ROOT = Path(__file__).resolve().parents[2]


# With a real Secret Service ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with secret_service(tmp_path_factory.mktemp("bus")) as env:
        yield env


@pytest.fixture
def real(service, monkeypatch):
    """This process and those it starts with the returned environment reach one real Secret Service."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", service["DBUS_SESSION_BUS_ADDRESS"])
    before = keyring.get_keyring()
    keyring.set_keyring(SecretService.Keyring())
    yield service
    keyring.set_keyring(before)


@pytest.fixture
def home(met):
    """alpha's folder, locked; not known to the keyring from a test before this one."""
    with met.alpha.database.write() as tx:
        people.put_meta(tx, anchor.STORE_ID, secrets.token_bytes(anchor.ID_BYTES))
    met.close_alpha()
    (met.folder / "pass").write_text(PASSPHRASE + "\n")
    return met.alpha.home


def act(home, *objects):
    """One session at work; all of it anchored when this returns."""
    with unlocked(home) as site:
        take(site, *objects)
        site.secured()
        return vault.anchored(site.database.read())


def run(home, env, *words):
    """(exit code, document, code of the refusal) of a command."""
    command = [CLI, "--home", home, "--passphrase-file", home.parent / "pass", "--json", *words]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=env, cwd=home.parent)
    assert "Traceback" not in done.stderr, done.stderr
    code = next((line.split(": ")[1] for line in done.stderr.splitlines() if line.startswith("error: ")), "")
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, code


@pytest.mark.timeout(120)
def test_an_older_store_is_stopped_and_accepted_knowingly(home, real, tmp_path):
    assert act(home, indicator(1))
    shutil.copytree(home, tmp_path / "old")
    assert act(home, indicator(2))
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "old", home)
    before = (home / "store.db").read_bytes()
    assert run(home, real, "list") == (1, {}, "rolled-back")
    assert (home / "store.db").read_bytes() == before, "nothing is changed before the officer decides"
    code, document, _ = run(home, real, "head", "accept")
    assert (code, document.keys(), document["accepted"]) == (0, {"accepted", "entry"}, "rolled-back")
    with unlocked(home) as site:
        assert "rolled-back" in acts(site)
        assert channel(site, "beta").mending, (
            "what the older copy knows of the channels is too old to go on with"
        )
        assert problems(site) == []


SCRIPT = """
    import os, pathlib, shutil, sys
    sys.path.insert(0, {root!r})
    from app import audit, vault
    from tests.support.sites import take, indicator, PASSPHRASE
    home = pathlib.Path({home!r})
    opened = vault.unlock(home, PASSPHRASE)
    take(opened.installation, indicator(1))
    shutil.copy(home / "store.db-wal", home.parent / "old-wal")
    take(opened.installation, indicator(2))
    opened.installation.secured()
    os._exit(0)
"""


@pytest.mark.timeout(120)
def test_an_older_write_ahead_log_is_noticed(home, real):
    script = textwrap.dedent(SCRIPT).format(root=str(ROOT), home=str(home))
    assert act(home, indicator(3))
    done = subprocess.run([sys.executable, "-c", script], env=real, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (home / "store.db-wal").stat().st_size > (home.parent / "old-wal").stat().st_size > 0
    shutil.copy(home.parent / "old-wal", home / "store.db-wal")
    (home / "store.db-shm").unlink()
    assert refusal(vault.unlock, home, PASSPHRASE).code == "rolled-back"


def test_a_keyring_that_forgot_or_does_not_answer_is_told(home, real):
    assert act(home, indicator(1))
    keyring.delete_password("mithaq", anchor_name(home))
    assert refusal(vault.unlock, home, PASSPHRASE).code == "anchor-missing"
    opened = vault.unlock(home, PASSPHRASE, accept=True)
    assert opened.accepted == "anchor-missing"
    assert "anchor-missing" in acts(opened.installation)
    opened.lock()
    assert act(home, indicator(2)), "it is kept anew"
    keyring.set_keyring(fail.Keyring())
    assert refusal(vault.unlock, home, PASSPHRASE).code == "anchor-missing"
    keyring.set_keyring(SecretService.Keyring())
    assert act(home, indicator(3)), "it answers again"
    keyring.set_keyring(fail.Keyring())
    vault.unlock(home, PASSPHRASE, accept=True).lock()
    assert not act(home, indicator(4)), "without a keyring nothing is asked any more"


def anchor_name(home):
    """Under which name the keyring keeps the anchor of the store in `home`."""
    with unlocked(home) as site:
        site.secured()
        return anchor.name_of(people.meta(site.database.read(), anchor.STORE_ID))


# With a keyring that fails on demand ---------------------------------------------------------------------------


@pytest.fixture
def memory():
    """Every keyring question of this process goes to a keyring in memory."""
    before, mine = keyring.get_keyring(), Memory()
    keyring.set_keyring(mine)
    yield mine
    mine.go.set()
    keyring.set_keyring(before)


@pytest.fixture
def watched(met, memory):
    """alpha, watched over by the keyring in memory."""
    met.close_alpha()
    opened = vault.unlock(met.alpha.home, PASSPHRASE, clock=met.clock)
    assert vault.anchored(opened.installation.database.read())
    yield opened
    memory.go.set()
    opened.lock()


def refusal(act, *args, **more):
    with pytest.raises(Refused) as caught:
        act(*args, **more)
    return caught.value


def test_no_byte_leaves_before_the_anchor_is_kept(watched, memory):
    site = watched.installation
    take(site, indicator(1))
    memory.refusing = True
    target = beside(site)
    error = refusal(release, site, "beta", target=target)
    assert (error.code, error.facts["cause"]) == ("carry-failed", "anchor-unwritten")
    assert not target.exists()
    assert not list(target.parent.glob(".mithaq-*"))
    package = sealed_last(site, "beta")
    assert refusal(outbox.carry, site, "beta", package.seq, target, quiet()).code == "anchor-unwritten"
    assert not target.exists()
    memory.refusing = False
    with site.database.write():
        pass  # any act tries again
    assert outbox.carry(site, "beta", package.seq, target, quiet()) == target


def test_what_left_is_in_the_anchor(watched, memory):
    site = watched.installation
    take(site, indicator(1))
    release(site, "beta")
    [value] = memory.kept.values()
    assert int(value.split()[0]) >= acts(site).index("package.sealed") + 1


def test_a_keyring_that_hangs_delays_nobody_but_who_lets_a_byte_leave(watched, memory, monkeypatch):
    settle = anchor.Anchor.settle
    monkeypatch.setattr(anchor.Anchor, "settle", lambda self, seconds=0.1: settle(self, 0.1))
    site = watched.installation
    memory.go.clear()
    take(site, indicator(1))
    take(site, indicator(2))
    assert refusal(release, site, "beta").facts["cause"] == "anchor-unwritten"
    watched.lock()
    assert not memory.go.is_set(), "locked while the keyring still hangs"


def test_the_newest_head_is_kept_after_locking(watched, memory):
    site = watched.installation
    for number in range(5):
        take(site, indicator(number))
    entries = len(acts(site))
    writer = watched._anchor
    watched.lock()
    assert writer.settle()
    [value] = memory.kept.values()
    assert int(value.split()[0]) == entries + 1, "the locking is an entry too"


def test_another_history_of_the_same_length_is_noticed(met, memory, tmp_path):
    """An older copy with which somebody went on: the number fits, the hash does not."""
    met.close_alpha()
    home = met.alpha.home
    shutil.copytree(home, tmp_path / "old")
    with unlocked(home, met.clock) as site:
        take(site, indicator(1))
        site.secured()
    before = dict(memory.kept)
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "old", home)
    memory.kept.clear()
    with unlocked(home, met.clock) as site:
        take(site, indicator(1), indicator(2))
        for number in range(10):
            take(site, indicator(number + 3))
        site.secured()
    assert memory.kept.keys() == before.keys()
    memory.kept.update(before)
    assert refusal(vault.unlock, home, PASSPHRASE).code == "rolled-back"


@pytest.mark.parametrize("value", ["", "x", "1", "-1 00", "1 zz", "9" * 30, "1 " + "0" * 63])
def test_an_anchor_of_nobodys_making_counts_as_none(met, memory, value):
    met.close_alpha()
    with unlocked(met.alpha.home, met.clock) as site:
        site.secured()
    [name] = memory.kept
    memory.kept[name] = value
    assert refusal(vault.unlock, met.alpha.home, PASSPHRASE).code in ("anchor-missing", "rolled-back")


def test_the_last_session_is_what_the_one_before_left(met):
    met.close_alpha()
    first = vault.unlock(met.alpha.home, PASSPHRASE, clock=met.clock)
    take(first.installation, indicator(1))
    left = vault.last_session(first.installation.database.read())
    first.lock()
    second = vault.unlock(met.alpha.home, PASSPHRASE, clock=met.clock)
    assert second.last.entry == left.entry + 1, "the locking is an entry too"
    assert second.last == vault.LastSession(*_told(second.installation, second.last.entry))
    assert second.last.words != first.last.words
    second.lock()


def _told(site, number):
    """What is told of a session that ended with entry `number`."""
    reader = site.database.read()
    [entry] = audit.entries(reader, number + 1, 1)
    words = recovery.spoken(audit.head(reader, number).hash[:8])
    assert (entry.act, len(words)) == ("locked", 4)
    return number, entry.at, entry.officer, words


def test_a_restored_store_has_an_anchor_of_its_own(met, memory, tmp_path):
    met.close_alpha()
    with unlocked(met.alpha.home, met.clock) as site:
        vault.back_up(site, tmp_path / "b", quiet())
        for number in range(5):
            take(site, indicator(number))
    shutil.rmtree(met.alpha.home)
    vault.restore(met.alpha.home, tmp_path / "b", PASSPHRASE, quiet())
    with unlocked(met.alpha.home, met.clock) as site:
        assert vault.anchored(site.database.read())
    assert len(memory.kept) == 2
