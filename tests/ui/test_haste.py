"""What is done twice, out of turn, or while something lies over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app import vault
from app.holdings import attachments, exporting
from tests.ui import stage
from tests.ui.driving import activate, answer_dialog, press, settle, wait
from tests.ui.test_told import enter
from ui.screens.attached import AttachSheet
from ui.screens.entry import Unlock
from ui.screens.export import ExportSheet
from ui.session import Session
from ui.widgets.sheet import Question, Sheet

Make = Callable[[Path], Session]
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def side(tmp_path: Path) -> stage.Side:
    side = stage.create(tmp_path / "a")
    stage.take(side, stage.bundle(tmp_path / "b.json", [stage.indicator(n, f"Name {n}") for n in range(4)]))
    return side


def shown(session: Session, kind: type[Sheet]) -> list[Any]:
    return [one for one in session.window.findChildren(kind) if one.isVisible()]


def chosen(session: Session, side: stage.Side) -> Any:
    place = enter(session, side, "holdings")
    wait(lambda: len(place.model.ids) == 4, "the rows")
    place.table.selectAll()
    return place


def test_who_asks_twice_is_answered_once(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    place = chosen(session, side)
    place.purge_selected()
    place.purge_selected()
    wait(lambda: shown(session, Question), "the question")
    settle(session)
    assert len(shown(session, Question)) == 1
    shown(session, Question)[0].close_sheet()
    place.export_selected()
    place.export_listed()
    wait(lambda: shown(session, ExportSheet), "the sheet")
    settle(session)
    assert len(shown(session, ExportSheet)) == 1
    shown(session, ExportSheet)[0].close_sheet()
    place.dangling.ask()
    place.dangling.ask()
    wait(lambda: shown(session, Sheet), "the sheet")
    settle(session)
    assert len(shown(session, Sheet)) == 1


def test_long_work_on_the_store_is_begun_once(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    place = enter(session, side, "settings")
    settle(session)
    for act in (place.store.check, place.store.compact):
        act()
        act()
        assert len(session.desk.jobs.running) == 1  # type: ignore[union-attr]
        settle(session)


def test_under_a_sheet_no_key_acts_but_the_lock(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    place = chosen(session, side)
    press(session, Qt.Key.Key_Delete, CONTROL)
    wait(lambda: shown(session, Question), "the question")
    keys = session.window.windowHandle()  # from there they take the way of real ones
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_E, Qt.Key.Key_4, Qt.Key.Key_K):
        activate(session.window)
        QTest.keyClick(keys, key, CONTROL)
        settle(session)
    assert len(shown(session, Sheet)) == 1
    assert place.isVisible()
    assert session.window._palette is None
    activate(session.window)
    QTest.keyClick(keys, Qt.Key.Key_L, CONTROL)
    wait(lambda: session.window.findChild(Unlock), "the lock")


def test_an_export_is_shown_as_it_was_asked_for_last(
    sessions: Make, side: stage.Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The readers work side by side: the answer to what was ticked first may come last."""
    session = sessions(side.home)
    place = chosen(session, side)
    answers: list[tuple[bool, Callable[[Any], object]]] = []
    place.export_selected()
    wait(lambda: shown(session, ExportSheet), "the sheet")
    sheet = shown(session, ExportSheet)[0]
    desk = session.desk
    assert desk is not None
    real = desk.read
    monkeypatch.setattr(
        desk, "read", lambda _work, done, *_more, **_k: answers.append((sheet.closure.isChecked(), done))
    )
    sheet.closure.setChecked(True)
    sheet.closure.setChecked(False)
    monkeypatch.setattr(desk, "read", real)
    oids = tuple(place.table.selected_ids())
    for closure, done in reversed(answers):
        found = exporting.contents(desk.installation, oids, closure)
        done(found if not closure else exporting.contents(desk.installation, oids[:1], closure))
    assert sheet._contents.objects == 4


def test_a_file_is_named_for_the_object_it_was_asked_for(
    sessions: Make, side: stage.Side, tmp_path: Path
) -> None:
    session = sessions(side.home)
    place = enter(session, side, "holdings")
    wait(lambda: place.model.row_at(3), "the rows")
    place.table.select_row(0)
    wait(lambda: place.panel.shown, "the first")
    first = place.panel.shown.shown.row
    settle(session)
    assert place.panel.attached.ask_file()
    # The list may change under the dialog, and with it what is shown.
    place.table.select_row(1)
    wait(lambda: place.panel.shown.shown.row.oid != first.oid, "the second")
    settle(session)
    answer_dialog(session, tmp_path / "b.json")
    [sheet] = shown(session, AttachSheet)
    assert first.name in sheet.under.shown
    sheet._go()
    settle(session)
    assert session.desk is not None
    assert attachments.listed(session.desk.installation, first.id)


def test_after_a_purge_the_keyboard_is_in_the_list(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    place = chosen(session, side)
    place.table.select_row(0)
    place.table.selectAll()
    session.window.activateWindow()
    purge = next(one for one in place.selection_foot._acts if one.label.startswith("Purge"))
    purge.setFocus()
    place.table.clearSelection()
    assert session.window.focusWidget() is place.table


def test_a_screen_that_is_locked_locks_what_is_just_being_opened(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    opened = vault.unlock(side.home, stage.PASSPHRASE)
    session.enter(opened)
    assert session.desk is None
    session.lock()
    assert session._unlock.isVisible()
    locked: list[bool] = []
    session.locked.connect(lambda: locked.append(True))
    wait(lambda: locked, "the end")
    assert session.desk is None
    vault.unlock(side.home, stage.PASSPHRASE).lock()
