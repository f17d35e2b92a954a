"""The doors and settings of an installation's life: recovery kit, backup, restore, an older store, the last session."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest

from app import vault
from tests.support.keyrings import Memory
from tests.ui import stage
from tests.ui.driving import click, settle, type_into, wait
from ui.screens.entry import FirstRun, Unlock
from ui.screens.restore import Restore
from ui.session import Session
from ui.widgets.sheet import Question

Make = Callable[[Path], Session]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return stage.create(tmp_path / "home", "CERT Almaria", "JO", "R. Haddad").home


@pytest.fixture
def memory() -> Iterator[Memory]:
    before, mine = keyring.get_keyring(), Memory()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def door(session: Session, kind: Any) -> Any:
    return wait(lambda: session.window.findChild(kind), kind.__name__)


def test_the_recovery_kit_unlocks(sessions: Make, home: Path) -> None:
    with vault.unlocked(home, stage.PASSPHRASE) as here:
        words = vault.add_recovery_slot(here, "safe")
    session = sessions(home)
    unlock = door(session, Unlock)
    type_into(unlock.passphrase, "half a passphr")
    click(unlock, "Use the recovery kit")
    assert unlock.passphrase.text() == ""
    assert not unlock.passphrase.isVisible()
    type_into(unlock.key.words, "no such words")
    click(unlock, "Unlock")
    wait(lambda: unlock.refusal.code == "recovery-format", "the refusal")
    assert unlock.key.words.text() == ""
    type_into(unlock.key.words, " ".join(words))
    click(unlock, "Unlock")
    wait(lambda: session.desk, "the frame")
    settle(session)


def test_a_backup_is_made_in_the_settings_and_restored_at_the_door(
    sessions: Make, home: Path, tmp_path: Path
) -> None:
    session = sessions(home)
    session.enter(vault.unlock(home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    session.go("settings")
    settle(session)
    frame: Any = session.window.frame
    place = frame.place("settings")
    place.backup.back_up(tmp_path / "b")
    settle(session)
    assert place.result.words == "Backup written and read back."
    assert (tmp_path / "b").is_file()
    place.backup.back_up(tmp_path / "b")
    wait(lambda: place.backup.refusal.code == "target-exists", "the refusal")

    other = sessions(tmp_path / "new")
    assert door(other, FirstRun).restore.label == "Restore from a backup…"
    other.show_restore(tmp_path / "b")
    restore = door(other, Restore)
    type_into(restore.key.passphrase, "not the passphrase")
    click(restore, "Restore")
    wait(lambda: restore.refusal.code == "backup-passphrase", "the refusal")
    assert not (tmp_path / "new").exists()
    type_into(restore.key.passphrase, stage.PASSPHRASE)
    click(restore, "Restore")
    unlock = door(other, Unlock)
    type_into(unlock.passphrase, stage.PASSPHRASE)
    click(unlock, "Unlock")
    wait(lambda: other.desk, "the frame")
    settle(other)


def test_back_from_restoring_leads_to_the_first_door(sessions: Make, tmp_path: Path) -> None:
    session = sessions(tmp_path / "new")
    session.show_restore(tmp_path / "b")
    click(door(session, Restore), "Back")
    door(session, FirstRun)


def test_a_move_is_asked_and_the_settings_say_it_afterwards(
    sessions: Make, home: Path, tmp_path: Path
) -> None:
    session = sessions(home)
    session.enter(vault.unlock(home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    session.go("settings")
    settle(session)
    frame: Any = session.window.frame
    place = frame.place("settings")
    place.backup.ask_move()
    assert session.window.findChildren(Question)
    place.backup.back_up(tmp_path / "b", move=True)
    settle(session)
    wait(lambda: place._shown.retired, "the notice")
    settle(session)


def test_an_older_store_is_told_and_accepted_at_the_door(
    sessions: Make, home: Path, tmp_path: Path, memory: Memory
) -> None:
    with vault.unlocked(home, stage.PASSPHRASE) as here:
        here.secured()
    shutil.copytree(home, tmp_path / "old")
    with vault.unlocked(home, stage.PASSPHRASE) as here:
        here.secured()
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "old", home)
    session = sessions(home)
    unlock = door(session, Unlock)
    type_into(unlock.passphrase, stage.PASSPHRASE)
    click(unlock, "Unlock")
    wait(lambda: unlock.refusal.code == "rolled-back", "the refusal")
    told = unlock.refusal.accessibleName()
    assert "go on with it" in told
    assert "mithaq-cli" not in told, "a button does it"
    click(unlock, "Go on with it")
    assert not session.desk, "the key is asked once more"
    type_into(unlock.passphrase, stage.PASSPHRASE)
    click(unlock, "Unlock this store")
    wait(lambda: session.desk, "the frame")
    settle(session)


def test_a_wrong_key_after_going_on_is_asked_about_again(sessions: Make, home: Path) -> None:
    session = sessions(home)
    unlock = door(session, Unlock)
    unlock.accept()
    type_into(unlock.passphrase, "not the passphrase")
    click(unlock, "Unlock this store")
    wait(lambda: unlock.refusal.code == "wrong-passphrase", "the refusal")
    assert unlock.button.label == "Unlock"


def test_the_last_session_is_said(sessions: Make, home: Path) -> None:
    opened = vault.unlock(home, stage.PASSPHRASE)
    session = sessions(home)
    session.enter(opened)
    wait(lambda: session.desk, "the frame")
    frame: Any = session.window.frame
    for word in opened.last.words:
        assert word in frame.last.words
    settle(session)
