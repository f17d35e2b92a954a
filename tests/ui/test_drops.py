"""Drops in the settings: added, synced, and what goes wrong told beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from app import vault
from app.exchange import drops, releases
from app.exchange.releases import Wish
from app.jobs import Job
from tests.ui import stage
from tests.ui.driving import click, settle, wait
from tests.ui.test_told import enter, words
from ui.session import Session
from ui.widgets.sheet import Sheet

Make = Callable[[Path], Session]


@pytest.fixture
def sides(tmp_path: Path) -> tuple[stage.Side, stage.Side]:
    """Almaria has something sealed for Northmark that was not carried."""
    a, b = stage.pair(tmp_path)
    stage.take(a, stage.bundle(tmp_path / "ours.json", [stage.indicator(1, "Ours")]), "CLEAR")
    with vault.unlocked(a.home, stage.PASSPHRASE) as here:
        releases.release(here, b.name, Wish(None), None, Job())
    return a, b


def sheet(session: Session) -> Sheet:
    found = wait(lambda: next((s for s in session.window.findChildren(Sheet) if s.isVisible()), None))
    assert found is not None
    return found


def test_a_drop_is_added_and_synced(
    sessions: Make, sides: tuple[stage.Side, stage.Side], tmp_path: Path
) -> None:
    session = sessions(sides[0].home)
    place = enter(session, sides[0], "settings")
    folder = tmp_path / "shared"
    folder.mkdir()
    place.drops.name(folder)
    field = sheet(session).findChild(QLineEdit)
    assert field is not None
    QTest.keyClick(field, Qt.Key.Key_Return)
    wait(lambda: "shared" in words(place.drops), "the drop")
    click(place.drops, "Sync all")
    wait(lambda: place.result.words == "1 published, 0 received.", "what was done")
    assert len(list(folder.iterdir())) == 1
    assert place.drops.refusal.code == ""
    click(place.drops, "Remove the drop")
    wait(lambda: "shared" not in words(place.drops), "no drop")
    assert place.result.words == "Drop removed. What lies in its folder stays there."
    assert len(list(folder.iterdir())) == 1


def test_a_drop_that_is_gone_is_named_where_it_was_asked_for(
    sessions: Make, sides: tuple[stage.Side, stage.Side], tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with vault.unlocked(sides[0].home, stage.PASSPHRASE) as here:
        for folder in (first, second):
            folder.mkdir()
            drops.add(here, folder.name, folder, sides[1].name)
    first.rmdir()
    session = sessions(sides[0].home)
    place = enter(session, sides[0], "settings")
    click(place.drops, "Sync all")
    wait(lambda: place.drops.refusal.isVisible(), "the refusal")
    settle(session)
    assert place.drops.refusal.code == "drop-missing"
    assert str(first) in words(place.drops.refusal)
    assert place.result.words == "1 published, 0 received."
    next(iter(second.iterdir())).unlink()
    second.rmdir()
    click(place.drops, "Sync all")
    wait(lambda: "2 things" in words(place.drops.refusal), "both")
    # Nothing was done: nothing is said to be.
    assert place.result.words == ""
    click(place.drops.refusal, "Show")
    said = words(sheet(session))
    assert str(first) in said
    assert str(second) in said
