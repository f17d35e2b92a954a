"""Ways to unlock in the settings: seen, added, tried, removed; a fresh key; none of it without a passphrase first."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app import audit, vault
from app.messages import Refused
from app.vault import keyslots
from tests.ui import stage
from tests.ui.driving import click, settle, type_into, wait
from tests.ui.test_told import enter, words
from ui.screens.recovery_kit import KitSheet, WordsSheet
from ui.screens.ways_in import FreshSheet, PassphraseSheet, RemoveSheet
from ui.session import Session
from ui.widgets.buttons import Button
from ui.widgets.sheet import Question
from ui.words import detail_value

Make = Callable[[Path], Session]
SECOND = "another horse battery"


@pytest.fixture
def side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> stage.Side:
    """An installation whose further slots are as cheap to open as its first."""
    add = keyslots.add_slot
    monkeypatch.setattr(vault, "add_slot", lambda *given: add(*given, stage.CHEAP), raising=False)
    return stage.create(tmp_path / "home")


def opens(home: Path, secret: str, *, recovery: bool = False) -> bool:
    try:
        with vault.unlocked(home, secret, recovery=recovery):
            return True
    except Refused as refused:
        if refused.code != "wrong-passphrase":
            raise
        return False


def sheet(session: Session, kind: type) -> Any:
    return wait(
        lambda: next((s for s in session.window.findChildren(kind) if s.isVisible()), None), kind.__name__
    )


def lock(session: Session) -> None:
    ended: list[int] = []
    session.locked.connect(lambda: ended.append(1))
    session.lock()
    wait(lambda: ended, "the store to close")


def test_a_passphrase_is_added_and_the_first_one_removed(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    place = enter(session, side, "settings")
    assert "Passphrase · number 1" in words(place.ways)
    assert not [b for b in place.ways.findChildren(Button) if b.label == "Remove…"], "never the last"
    click(place.ways, "Add a passphrase")
    asked = sheet(session, PassphraseSheet)
    asked.label.setText("deputy \u202e")
    type_into(asked.new, SECOND)
    type_into(asked.again, SECOND + "x")
    click(asked, "Add the passphrase")
    assert asked.refusal.code == "passphrase-differs"
    asked.again.setText(SECOND)
    type_into(asked.key.passphrase, "whoever passes by")
    click(asked, "Add the passphrase")
    wait(lambda: asked.refusal.code == "wrong-passphrase", "the refusal")
    assert asked.key.passphrase.text() == ""
    type_into(asked.key.passphrase, stage.PASSPHRASE)
    click(asked, "Add the passphrase")
    wait(lambda: asked.refusal.code == "name-unusable", "the refusal")
    asked.label.setText("deputy <b>")
    type_into(asked.key.passphrase, stage.PASSPHRASE)
    click(asked, "Add the passphrase")
    wait(lambda: place.result.words == "The passphrase opens this installation from now on.", "the result")
    wait(lambda: "deputy <b>" in words(place.ways), "the row")
    settle(session)

    first = wait(lambda: [b for b in place.ways.findChildren(Button) if b.label == "Remove…"], "buttons")[0]
    assert first.accessibleName() == "Remove Passphrase · number 1…"
    first.click()
    asked = sheet(session, RemoveSheet)
    assert asked.title.shown == "Remove \u2068Passphrase · number 1\u2069?"
    type_into(asked.key.passphrase, stage.PASSPHRASE)
    click(asked, "Remove the way to unlock")
    wait(lambda: asked.refusal.code == "slot-going", "the refusal of what would be gone")
    type_into(asked.key.passphrase, SECOND)
    click(asked, "Remove the way to unlock")
    wait(lambda: place.result.words.startswith("Removed."), "the result")
    settle(session)
    assert "number 1" not in words(place.ways)
    lock(session)
    assert not opens(side.home, stage.PASSPHRASE)
    assert opens(side.home, SECOND)
    with vault.unlocked(side.home, SECOND) as here:
        acts = [one.act for one in audit.entries(here.database.read())]
    # Who tried at the open window is told at the next unlock.
    assert {"slot.added", "slot.removed", "unlock.failed"} <= set(acts)


def test_a_recovery_kit_is_made_and_tried_from_the_paper(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    place = enter(session, side, "settings")
    click(place.ways, "Make a recovery kit")
    asked = sheet(session, KitSheet)
    asked.label.setText("safe")
    type_into(asked.key.passphrase, stage.PASSPHRASE)
    click(asked, "Make the kit")
    shown = sheet(session, WordsSheet)
    paper = shown.words.shown
    assert len(paper.split()) == 14
    assert not [b for b in shown.findChildren(Button) if b.label == "Copy" and b.isVisible()]
    click(shown, "I have written them down")
    assert not shown.words.isVisible()
    type_into(shown.key.words, "quite other words")
    click(shown, "Try the words")
    wait(lambda: shown.refusal.code == "recovery-format", "the refusal")
    click(shown, "Show the words again")
    assert shown.words.isVisible()
    click(shown, "I have written them down")
    type_into(shown.key.words, " ".join(paper.split()))
    click(shown, "Try the words")
    wait(lambda: place.result.words.startswith("The words on the paper open"), "the result")
    settle(session)
    assert "safe" in words(place.ways)
    assert "Recovery kit · number 2" in words(place.ways)
    assert paper.split()[0] not in QGuiApplication.clipboard().text()
    lock(session)
    assert opens(side.home, " ".join(paper.split()), recovery=True)


def test_a_fault_of_the_program_leaves_the_sheet_at_work(
    sessions: Make, side: stage.Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = sessions(side.home)
    place = enter(session, side, "settings")
    told: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: told.append(error[0]))
    click(place.ways, "Make a recovery kit")
    asked = sheet(session, KitSheet)
    with monkeypatch.context() as broken:
        broken.setattr(vault, "add_recovery_slot", lambda *_given: 1 // 0, raising=False)
        type_into(asked.key.passphrase, stage.PASSPHRASE)
        click(asked, "Make the kit")
        wait(lambda: asked.refusal.code == "unexpected", "the refusal")
    assert told == [ZeroDivisionError]
    assert "ZeroDivisionError" in words(asked.refusal)
    type_into(asked.key.passphrase, stage.PASSPHRASE)
    click(asked, "Make the kit")
    sheet(session, WordsSheet)


def test_no_one_key_closes_the_words_that_are_shown_once(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    place = enter(session, side, "settings")
    click(place.ways, "Make a recovery kit")
    asked = sheet(session, KitSheet)
    type_into(asked.key.passphrase, stage.PASSPHRASE)
    click(asked, "Make the kit")
    shown = sheet(session, WordsSheet)
    for typing in (False, True):
        QTest.keyClick(session.window.focusWidget(), Qt.Key.Key_Escape)
        question = sheet(session, Question)
        QTest.keyClick(session.window.focusWidget(), Qt.Key.Key_Escape)
        assert not question.isVisible()
        assert shown.isVisible()
        assert shown.key.isVisible() == typing
        if not typing:
            click(shown, "I have written them down")
    shown.close_button.click()
    click(sheet(session, Question), "Close the words")
    assert not shown.isVisible()
    settle(session)
    assert place.result.words == "The recovery kit is made; its words have not been tried."


def test_a_fresh_key_leaves_the_one_passphrase_and_the_window_goes_on(
    sessions: Make, side: stage.Side
) -> None:
    with vault.unlocked(side.home, stage.PASSPHRASE) as here:
        vault.add_slot(here, SECOND, "deputy", False)
    session = sessions(side.home)
    place = enter(session, side, "settings")
    desk: Any = session.desk
    before = desk.installation.database.key
    click(place.ways, "Give the store a fresh key")
    asked = sheet(session, FreshSheet)
    assert not asked.key.switch.isVisible(), "a kit does not come along"
    type_into(asked.key.passphrase, "no such passphrase")
    click(asked, "Encrypt the store anew")
    wait(lambda: asked.refusal.code == "wrong-passphrase", "the refusal")
    type_into(asked.key.passphrase, SECOND)
    click(asked, "Encrypt the store anew")
    place_holdings: Any = session.window.frame.place("holdings")  # type: ignore[union-attr]
    place_holdings.reload()  # reading, while it is written anew
    wait(lambda: place.result.words.startswith("The store has a fresh key."), "the result")
    settle(session)
    assert desk.installation.database.key != before
    assert "deputy" in words(place.ways)
    assert "number 1" not in words(place.ways)
    session.go("audit")
    settle(session)
    lock(session)
    assert not opens(side.home, stage.PASSPHRASE)
    assert opens(side.home, SECOND)


def test_the_log_tells_which_way_was_added_in_words() -> None:
    assert detail_value("slot.added", "kind", "recovery") == "Recovery kit"
    assert detail_value("slot.added", "label", "recovery") == "recovery"
    assert detail_value("restored", "moved", True) == "yes"
    assert detail_value("slot.removed", "slot", 1200) == "1,200"
