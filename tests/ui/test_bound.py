"""The passphrase changed in the window of an installation that this workstation's real keyring is bound to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from shiboken6 import isValid

from app import vault
from app.messages import Refused
from app.vault import keyslots
from crypto import slots
from tests.support.keyrings import secret_service
from tests.ui import stage
from tests.ui.driving import click, settle, type_into, wait
from tests.ui.test_told import enter, words
from tests.ui.test_ways_in import lock, sheet
from ui.screens.ways_in import ICONS, PassphraseSheet, RemoveSheet
from ui.session import Session
from ui.widgets.buttons import Button

SECOND, THIRD = "another horse battery", "a third one for the lock"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = keyring.get_keyring()
    with secret_service(tmp_path) as env:
        for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):
            monkeypatch.setenv(name, env[name])
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
        from keyring.backends.SecretService import Keyring

        keyring.set_keyring(Keyring())
        yield
        keyring.set_keyring(before)


def remove(session: Session, place: Any, number: int) -> Any:
    end = f"number {number}…"
    found = wait(
        lambda: [b for b in place.ways.findChildren(Button) if b.accessibleName().endswith(end)], "the button"
    )
    found[0].click()
    asked = sheet(session, RemoveSheet)
    type_into(asked.key.passphrase, THIRD)
    click(asked, "Remove the way to unlock")
    return asked


@pytest.mark.timeout(60)
def test_a_bound_passphrase_is_changed(
    sessions: Callable[[Path], Session], tmp_path: Path, service: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = keyslots.add_slot
    monkeypatch.setattr(vault, "add_slot", lambda *given: add(*given, stage.CHEAP), raising=False)
    side = stage.create(tmp_path / "home")
    session = sessions(side.home)
    place = enter(session, side, "settings")
    settle(session)
    for new, old in ((SECOND, stage.PASSPHRASE), (THIRD, SECOND)):
        click(place.ways, "Add a passphrase")
        asked = sheet(session, PassphraseSheet)
        type_into(asked.new, new)
        type_into(asked.again, new)
        asked.device.setChecked(True)
        type_into(asked.key.passphrase, old)
        click(asked, "Add the passphrase")
        wait(lambda asked=asked: not isValid(asked) or not asked.isVisible(), "the passphrase")  # type: ignore[misc]
        settle(session)
    assert "Passphrase, with this workstation's keyring · number 3" in words(place.ways)
    remove(session, place, 2)
    wait(lambda: place.result.words.startswith("Removed."), "the result")
    settle(session)
    # What needs this workstation is never the only way in.
    asked = remove(session, place, 1)
    wait(lambda: asked.refusal.code == "slot-last-free", "the refusal")
    asked.close_sheet()
    lock(session)
    with pytest.raises(Refused, match="wrong-passphrase"):
        vault.unlock(side.home, SECOND)
    type_into(session._unlock.key.passphrase, THIRD)
    session._unlock.key.entered.emit()
    wait(lambda: session.desk, "the frame")
    settle(session)


def test_every_kind_of_slot_has_its_words() -> None:
    assert set(ICONS) == {slots.PASSPHRASE, slots.DEVICE, slots.RECOVERY}
