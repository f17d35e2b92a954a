"""Key slots of a real installation: added, removed, put back by a thief, rekeyed; crashes; a real keyring."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import keyring
import pytest

from app import vault
from app.jobs import Cancelled, quiet
from app.messages import Refused
from app.vault import keyslots
from crypto.slots import Cost
from tests.support.keyrings import Memory
from tests.support.sites import Impatient, acts

CHEAP = Cost(passes=1, memory=8)
FIRST, SECOND = "correct horse battery", "another horse battery"


@pytest.fixture
def home(tmp_path):
    vault.create(tmp_path / "home", "CERT A", "JO", "R. Haddad", FIRST, cost=CHEAP)
    return tmp_path / "home"


def refusal(act, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        act(*args, **kwargs)
    return caught.value.code


def opens(home: Path, passphrase: str, **kwargs) -> bool:
    """Whether it does; any refusal but that of a wrong passphrase is a failure of the test."""
    try:
        with vault.unlocked(home, passphrase, **kwargs):
            return True
    except Refused as error:
        if error.code != "wrong-passphrase":
            raise
        return False


def test_a_second_passphrase_opens_and_the_first_can_go(home):
    with vault.unlocked(home, FIRST) as installation:
        vault.add_slot(installation, SECOND, "deputy", device=False, cost=CHEAP)
        assert [(s.id, s.kind, s.label) for s in vault.slots_of(installation)] == [
            (1, "passphrase", ""),
            (2, "passphrase", "deputy"),
        ]
        assert refusal(vault.add_slot, installation, "short", "", device=False) == "passphrase-short"
        assert refusal(vault.add_slot, installation, SECOND, "a\u202eb", device=False) == "name-unusable"
        assert refusal(vault.add_recovery_slot, installation, "x" * 201) == "name-unusable"
        assert refusal(vault.remove_slot, installation, 9) == "slot-unknown"
    assert opens(home, SECOND)
    with vault.unlocked(home, SECOND) as installation:
        vault.remove_slot(installation, 1)
        assert refusal(vault.remove_slot, installation, 2) == "slot-last"
    assert not opens(home, FIRST)
    assert opens(home, SECOND)


def test_whoever_changes_what_opens_it_can_open_it(home):
    with vault.unlocked(home, FIRST) as installation:
        vault.add_slot(installation, SECOND, "deputy", device=False, cost=CHEAP)
        words = " ".join(vault.add_recovery_slot(installation, "safe"))
        for secret, recovery in ((FIRST, False), (SECOND, False), (words, True)):
            vault.confirm(installation, secret, recovery)
        assert refusal(vault.opens, installation, "no such passphrase") == "wrong-passphrase"
        assert refusal(vault.confirm, installation, "no such words", True) == "recovery-format"
        # What would be gone does not count; what stays does.
        assert refusal(vault.confirm, installation, FIRST, False, 1) == "slot-going"
        assert refusal(vault.confirm, installation, words, True, 3) == "slot-going"
        assert refusal(vault.confirm, installation, FIRST, False, 9) == "slot-unknown"
        vault.confirm(installation, SECOND, False, 1)
        vault.confirm(installation, words, True, 1)
        assert not (home / "attempts").exists()
        assert refusal(vault.confirm, installation, "no such passphrase") == "wrong-passphrase"
    # Who tried at an open window is told at the next unlock.
    with vault.unlocked(home, FIRST) as installation:
        assert acts(installation)[-2:] == ["unlock.failed", "unlocked"]
        vault.remove_slot(installation, 2)
        assert refusal(vault.confirm, installation, FIRST, False, 1) == "slot-last"


def test_an_old_slots_file_put_back_is_noticed(home):
    with vault.unlocked(home, FIRST) as installation:
        vault.add_slot(installation, SECOND, "", device=False, cost=CHEAP)
    old = (home / "slots").read_bytes()
    with vault.unlocked(home, SECOND) as installation:
        vault.remove_slot(installation, 1)
    (home / "slots").write_bytes(old)
    assert refusal(vault.unlock, home, FIRST) == "slots-old"
    assert (home / "slots").read_bytes() == old
    # Who comes with a slot that counts still is let in, and the one that was removed is out of the file again.
    with vault.unlocked(home, SECOND) as installation:
        assert [slot.id for slot in vault.slots_of(installation)] == [2]
        rows = installation.database.read().execute("SELECT entry FROM audit").fetchall()
        assert any("slots.mended" in row[0] for row in rows)
    assert refusal(vault.unlock, home, FIRST) == "wrong-passphrase"
    assert opens(home, SECOND)


def test_a_slots_file_from_before_a_rekey_opens_nothing(home):
    with vault.unlocked(home, FIRST) as installation:
        vault.add_slot(installation, SECOND, "", device=False, cost=CHEAP)
        old = (home / "slots").read_bytes()
        vault.rekey(installation, FIRST, quiet())
    (home / "slots").write_bytes(old)
    assert refusal(vault.unlock, home, SECOND) == "store-damaged"


def slot_acts(installation):
    return [act for act in acts(installation) if act.startswith("slot")]


def test_a_slot_that_a_crash_kept_out_is_taken_back_in_the_log(home):
    """The slots file as it was, in a store that says of both that they count."""
    old = (home / "slots").read_bytes()
    with vault.unlocked(home, FIRST) as installation:
        vault.add_slot(installation, SECOND, "", device=False, cost=CHEAP)
        new = (home / "slots").read_bytes()
        with installation.database.write() as tx:
            keyslots.remember(tx, old, new)
    (home / "slots").write_bytes(old)
    for _ in range(2):
        with vault.unlocked(home, FIRST) as installation:
            assert slot_acts(installation) == ["slot.added", "slots.undone"]
    (home / "slots").write_bytes(new)
    assert refusal(vault.unlock, home, SECOND) == "slots-old"


def test_a_slot_that_the_disk_does_not_confirm_is_there_and_either_file_counts(home, monkeypatch):
    old = (home / "slots").read_bytes()

    def fails(_):
        raise OSError(errno.EIO, "Input/output error")

    with vault.unlocked(home, FIRST) as installation, monkeypatch.context() as broken:
        broken.setattr(keyslots.folder, "sync_folder", fails)
        assert refusal(vault.add_slot, installation, SECOND, "", device=False, cost=CHEAP) == "unconfirmed"
        assert acts(installation)[-1] == "slot.added"
    new = (home / "slots").read_bytes()
    # What a power cut may leave.
    (home / "slots").write_bytes(old)
    with vault.unlocked(shutil.copytree(home, home.with_name("cut")), FIRST) as installation:
        assert slot_acts(installation) == ["slot.added", "slots.undone"]
    (home / "slots").write_bytes(new)
    assert opens(home, SECOND)


def test_a_crash_before_the_new_slots_are_in_place_locks_nobody_out(home, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    with vault.unlocked(home, FIRST) as installation, monkeypatch.context() as broken:
        broken.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            vault.add_slot(installation, SECOND, "", device=False, cost=CHEAP)
        assert acts(installation)[-2:] == ["slot.added", "slots.undone"]
    assert opens(home, FIRST)
    assert not opens(home, SECOND)
    assert sorted(p.name for p in home.iterdir()) == [
        "attachments",
        "attempts",
        "lock",
        "outbox",
        "slots",
        "store.db",
    ]


def test_the_recovery_kit_opens_when_every_passphrase_is_forgotten(home):
    with vault.unlocked(home, FIRST) as installation:
        words = vault.add_recovery_slot(installation, "safe")
    assert opens(home, " ".join(words).upper(), recovery=True)
    assert opens(home, "\n".join(words), recovery=True)
    assert refusal(vault.unlock, home, " ".join(words[:-1]), recovery=True) == "recovery-format"
    wrong = [*words[1:], words[0]]
    assert refusal(vault.unlock, home, " ".join(wrong), recovery=True) == "recovery-format"


def test_rekey_shuts_out_every_older_slot_and_keeps_everything_else(home):
    with vault.unlocked(home, FIRST) as installation:
        words = vault.add_recovery_slot(installation, "safe")
        vault.add_slot(installation, SECOND, "", device=False, cost=CHEAP)
        before = installation.database.key
        fingerprint = installation.identity.fingerprint
        assert refusal(vault.rekey, installation, "no such passphrase", quiet()) == "wrong-passphrase"
        vault.rekey(installation, SECOND, quiet())
        assert installation.database.key != before
        assert len(vault.slots_of(installation)) == 1
        assert vault.check(installation, quiet()) == []
    assert not opens(home, FIRST)
    assert refusal(vault.unlock, home, " ".join(words), recovery=True) in (
        "wrong-passphrase",
        "slots-damaged",
    )
    with vault.unlocked(home, SECOND) as installation:
        assert installation.identity.fingerprint == fingerprint
        assert vault.check(installation, quiet()) == []


@pytest.mark.parametrize("step", ["before the store", "after the store"])
def test_a_crash_in_rekey_leaves_one_pair_that_fits(home, monkeypatch, step):
    def crash(*_):
        raise KeyboardInterrupt

    with vault.unlocked(home, FIRST) as installation, monkeypatch.context() as broken:
        if step == "before the store":
            broken.setattr(installation.database, "rekey", crash)
        else:
            broken.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            vault.rekey(installation, FIRST, quiet())
    for _ in range(2):
        with vault.unlocked(home, FIRST) as installation:
            assert vault.check(installation, quiet()) == []
    assert not (home / "slots.next").exists()


def test_without_a_keyring_the_feature_is_off_and_says_so(home):
    with vault.unlocked(home, FIRST) as installation:
        assert refusal(vault.add_slot, installation, SECOND, "", device=True) == "keyring-unavailable"
        assert len(vault.slots_of(installation)) == 1


def test_a_keyring_that_did_not_answer_loses_no_secret_of_this_workstation(home, monkeypatch):
    mine = Memory()
    monkeypatch.setattr(keyring, "get_password", mine.get_password)
    monkeypatch.setattr(keyring, "set_password", mine.set_password)
    with vault.unlocked(home, FIRST) as installation:
        vault.add_slot(installation, SECOND, "", device=True, cost=CHEAP)
        name = (home / "workstation").read_text()
        secret = mine.kept[name]
        answers = [RuntimeError("locked")]

        def late(service, username):
            if username == name and answers:
                raise answers.pop()
            return mine.get_password(service, username)

        monkeypatch.setattr(keyring, "get_password", late)
        add = (installation, "a third battery horse", "")
        assert refusal(vault.add_slot, *add, device=True, cost=CHEAP) == "keyring-unavailable"
        assert mine.kept[name] == secret
        assert len(vault.slots_of(installation)) == 2
    assert opens(home, SECOND)


SCRIPT = """
    import sys, pathlib
    sys.path.insert(0, {root!r})
    import keyring
    from app import vault
    from app.messages import Refused
    from app.jobs import quiet
    from crypto.slots import DEVICE, RECOVERY, Cost
    assert "SecretService" in type(keyring.get_keyring()).__module__, keyring.get_keyring()
    home = pathlib.Path({home!r})
    with vault.unlocked(home, {first!r}) as installation:
        vault.add_slot(installation, {second!r}, "this workstation", device=True, cost=Cost(passes=1, memory=8))
        for act in (lambda: vault.remove_slot(installation, 1), lambda: vault.rekey(installation, {second!r}, quiet())):
            try:
                act()
                print("a keyring alone is left")
            except Refused as error:
                assert error.code == "slot-last-free"
        vault.add_recovery_slot(installation, "")
        vault.remove_slot(installation, 1)
    # The keyring's secret is not lost when the folder moves.
    home = home.rename(home.with_name("moved"))
    with vault.unlocked(home, {second!r}) as installation:
        assert [s.kind for s in vault.slots_of(installation)] == [DEVICE, RECOVERY]
    keyring.delete_password("mithaq", (home / "workstation").read_text())
    home = home.rename({home!r})
    try:
        vault.unlock(home, {second!r})
    except Refused as error:
        print("refused:", error.code)
"""


@pytest.mark.timeout(60)
def test_a_slot_bound_to_this_workstation_needs_its_real_keyring(home, tmp_path):
    tools = [shutil.which(name) for name in ("dbus-run-session", "gnome-keyring-daemon")]
    if not all(tools):
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs a Secret Service")
        pytest.skip("no dbus-run-session or gnome-keyring-daemon here")
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "PYTHON_KEYRING"))}
    env |= {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(runtime)}
    script = tmp_path / "script.py"
    root = str(Path(__file__).resolve().parents[2])
    script.write_text(textwrap.dedent(SCRIPT).format(root=root, home=str(home), first=FIRST, second=SECOND))
    inner = 'printf "secret\\n" | gnome-keyring-daemon --unlock --components=secrets >/dev/null; "$@"'
    command = ["dbus-run-session", "--", "bash", "-c", inner, "_", sys.executable, script]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.stdout == "refused: slot-needs-device\n", done.stderr
    assert refusal(vault.unlock, home, SECOND) == "slot-needs-device"


def test_a_rekey_that_is_stopped_leaves_every_slot_and_says_so(home):
    with vault.unlocked(home, FIRST) as installation:
        vault.add_slot(installation, SECOND, "second", device=False, cost=CHEAP)
        with pytest.raises(Cancelled):
            vault.rekey(installation, FIRST, Impatient("copy"))
        assert acts(installation)[-2:] == ["store.rekeyed", "store.rekey-undone"]
        assert len(vault.slots_of(installation)) == 2
        assert not (home / "slots.next").exists()
    for passphrase in (FIRST, SECOND):
        with vault.unlocked(home, passphrase) as installation:
            assert vault.check(installation, quiet()) == []
