"""Many objects treated more strictly at once, in the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMenu

from app import vault
from app.exchange import releases
from app.exchange.releases import Wish
from app.holdings import browsing
from app.intel.marking import Level
from app.jobs import Job
from tests.ui import stage
from tests.ui.driving import settle, wait
from ui.screens.holdings import Holdings
from ui.session import Session


@pytest.fixture
def session(sessions: Callable[[Path], Session], tmp_path: Path) -> Session:
    """Almaria, who holds three objects at CLEAR and one at RED, and gave Northmark the first."""
    a, b = stage.pair(tmp_path)
    stage.take(
        a, stage.bundle(tmp_path / "a.json", [stage.indicator(n, f"No {n}") for n in (1, 2, 3)]), "CLEAR"
    )
    stage.take(a, stage.bundle(tmp_path / "b.json", [stage.indicator(4, "No 4")]), "RED")
    with vault.unlocked(a.home, stage.PASSPHRASE) as here:
        releases.release(here, b.name, Wish((stage.indicator(1, "")["id"],)), tmp_path, Job())
    made = sessions(a.home)
    made.enter(vault.unlock(a.home, stage.PASSPHRASE))
    wait(lambda: made.desk, "the frame")
    settle(made)
    return made


def place(session: Session) -> Holdings:
    """The list, with all four."""
    found = session.window.findChild(Holdings)
    assert found is not None
    wait(lambda: len(found.model.ids) == 4, "the list")
    return found


def levels(session: Session) -> list[Level | None]:
    assert session.desk is not None
    rows = browsing.page(session.desk.installation, browsing.selection()).rows
    return [row.level for row in sorted(rows, key=lambda row: row.name)]


def offered(here: Holdings) -> list[str]:
    menu = wait(lambda: next((m for m in here.findChildren(QMenu) if m.isVisible()), None), "the menu")
    assert menu is not None
    return [action.text() for action in menu.actions()]


def choose(here: Holdings, words: str) -> None:
    menu = next(m for m in here.findChildren(QMenu) if m.isVisible())
    next(action for action in menu.actions() if action.text() == words).trigger()
    menu.close()


def test_a_selection_is_treated_at_a_level_at_least(session: Session) -> None:
    here = place(session)
    here.table.selectAll()
    here.selection_foot.levels.click()
    assert offered(here) == [
        f"Treat as {level} at least" for level in ("RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR")
    ]
    choose(here, "Treat as AMBER at least")
    wait(lambda: here.result.words, "what was done")
    settle(session)
    assert here.result.words == "Treated more strictly than before: 3 of 4."
    assert levels(session) == [Level.AMBER, Level.AMBER, Level.AMBER, Level.RED]
    # The one that went out is told, with to whom.
    assert here.telling.isVisible()
    assert [one.to for one in here.telling.told.given] == ["Northmark CSIRT"]


def test_what_was_selected_when_it_was_opened_counts(session: Session) -> None:
    here = place(session)
    here.table.selectAll()
    here.open_levels()
    offered(here)
    here.table.clearSelection()
    choose(here, "Treat as RED at least")
    wait(lambda: here.result.words, "what was done")
    assert levels(session) == [Level.RED] * 4


def test_nothing_selected_opens_nothing(session: Session) -> None:
    here = place(session)
    here.table.clearSelection()
    here.open_levels()
    assert not [m for m in here.findChildren(QMenu) if m.isVisible()]
