"""What goes on while a menu is open, an act is under way, or a screen is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from app import vault
from app.holdings import browsing, handling
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.store.installation import Installation
from tests.ui import stage
from tests.ui.driving import button, settle, wait
from tests.ui.test_told import enter
from ui.screens.entry import FirstRun
from ui.screens.key_sheet import Tell
from ui.screens.recovery_kit import WordsSheet
from ui.screens.restore import Restore
from ui.session import Session

Make = Callable[[Path], Session]


@pytest.fixture
def side(tmp_path: Path) -> stage.Side:
    """Three indicators, one of them in conflict."""
    side = stage.create(tmp_path / "a")
    stage.take(side, stage.bundle(tmp_path / "b.json", [stage.indicator(n, f"Name {n}") for n in range(3)]))
    stage.take(side, stage.bundle(tmp_path / "c.json", [stage.indicator(0, "Another name")]))
    return side


def show(place: Any, name: str) -> Any:
    wait(lambda: len(place.model.ids) == 3 and place.model.row_at(2), "the rows")
    at = next(n for n in range(3) if name in place.model.row_at(n).data.name)
    place.table.select_row(at)
    wait(lambda: place.panel.shown and name in place.panel.shown.shown.row.name, name)


def let_go() -> None:
    """What is to be deleted is, as between two events of a window that runs."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_a_handling_is_of_the_object_it_was_asked_for(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    place = enter(session, side, "holdings")
    show(place, "Name 1")
    settle(session)
    button(place.panel, "Handling").click()
    [menu] = [one for one in place.panel.findChildren(QMenu) if one.isVisible()]
    # The list may change under the menu, and with it what is shown.
    show(place, "Name 2")
    settle(session)
    next(one for one in menu.actions() if "RED" in one.text()).trigger()
    menu.close()
    settle(session)
    assert session.desk is not None
    ids = [stage.indicator(n, "")["id"] for n in (1, 2)]
    rows = browsing.named(session.desk.installation, ids)
    levels = [rows[one].handling for one in ids]
    assert levels[0] != levels[1]
    assert levels[0] == max(level or 0 for level in levels)
    let_go()
    assert not place.panel.findChildren(QMenu)


def test_what_is_kept_twice_is_kept_once(
    sessions: Make, side: stage.Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []
    real = handling.resolve

    def resolve(installation: Installation, id_: str, keep: str) -> int:
        kept.append(id_)
        return real(installation, id_, keep)

    monkeypatch.setattr(handling, "resolve", resolve)
    session = sessions(side.home)
    place = enter(session, side, "holdings")
    wait(lambda: len(place.model.ids) == 3 and place.model.row_at(2), "the rows")
    at = next(n for n in range(3) if place.model.row_at(n).data.variants > 1)
    place.table.select_row(at)
    button(place.panel, "Keep this")
    settle(session)
    keep = button(place.panel, "Keep this")
    QTest.mouseClick(keep, Qt.MouseButton.LeftButton)
    QTest.mouseClick(keep, Qt.MouseButton.LeftButton)
    settle(session)
    assert len(kept) == 1
    assert not place.panel.refusal.code


@pytest.mark.parametrize("raw", [False, True])
def test_a_refusal_comes_to_a_panel_that_was_drawn_anew(
    sessions: Make, side: stage.Side, raw: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise Refused("retired", since="2026-01-01")

    session = sessions(side.home)
    place = enter(session, side, "holdings")
    show(place, "Name 1")
    settle(session)
    if raw:
        place.panel.toggle_raw()
    monkeypatch.setattr(handling, "set_level", refuse)
    place.panel.set_handling(place.panel.shown.shown.row.id, Level.RED)
    place.panel._show()
    let_go()
    settle(session)
    assert place.panel.refusal.code == "retired"
    assert place.panel.refusal.isVisible()
    # Of another object it is not said.
    place.panel.set_handling(place.panel.shown.shown.row.id, Level.RED)
    told: list[Refused] = []
    assert session.desk is not None
    session.desk.refused.connect(told.append)
    place.panel.show_object(None)
    let_go()
    settle(session)
    assert [one.code for one in told] == ["retired"]


@pytest.mark.parametrize("failing", [False, True])
def test_a_restore_that_is_left_ends_behind_it(
    sessions: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: bool
) -> None:
    session = sessions(tmp_path / "new")
    entered, left = threading.Event(), threading.Event()

    def slowly(_home: Path, _backup: Path, _secret: str, job: Job, *, recovery: bool) -> None:
        entered.set()
        left.wait(30)
        if failing:
            raise Refused("backup-broken")
        job.step(1, 2, "restore")

    monkeypatch.setattr(vault, "restore", slowly)
    session.show_restore(tmp_path / "x.backup")
    [screen] = session.window.findChildren(Restore)
    screen.key.passphrase.setText(stage.PASSPHRASE)
    screen.restore()
    wait(entered.is_set, "the work")
    screen.leave()
    let_go()
    left.set()
    jobs = session._door_jobs
    wait(lambda: jobs is not None and not jobs.running, "the end")
    assert session.window.findChildren(FirstRun)


def test_nothing_else_is_begun_while_an_installation_is_made(
    sessions: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    go = threading.Event()

    def create(home: Path, *_words: str) -> str:
        made.append(home)
        go.wait(30)
        raise Refused("installation-exists")

    monkeypatch.setattr(vault, "create", create)
    session = sessions(tmp_path / "new")
    [screen] = session.window.findChildren(FirstRun)
    for field in (screen.passphrase, screen.again):
        field.setText(stage.PASSPHRASE)
    QTest.keyClick(screen.again, Qt.Key.Key_Return)
    QTest.keyClick(screen.again, Qt.Key.Key_Return)
    acts = (screen.create_button, screen.practise, screen.restore)
    assert not any(one.isEnabled() for one in acts)
    go.set()
    wait(screen.create_button.isEnabled, "the end")
    assert all(one.isEnabled() for one in acts)
    assert len(made) == 1


def test_clicked_twice_the_words_are_not_tried_yet(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    enter(session, side, "settings")
    assert session.desk is not None
    said: list[object] = []
    sheet = WordsSheet(session.desk, Tell(said.append, said.append), tuple("abcdefghijklmn"))
    sheet.open()
    QTest.mouseClick(sheet.button, Qt.MouseButton.LeftButton)
    QTest.mouseClick(sheet.button, Qt.MouseButton.LeftButton)
    settle(session)
    assert not sheet.refusal.code
    assert session.window.focusWidget() is sheet.key.words
    sheet.close_sheet()
