"""The holdings screen's search: the query language as it is typed, and the filter by source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QMenu

from app import vault
from tests.ui import stage
from tests.ui.driving import settle, type_into, wait
from ui.screens.holdings import Holdings
from ui.session import Session


def test_a_query_narrows_a_mistake_is_told_and_sources_are_chosen(
    sessions: Callable[[Path], Session], tmp_path: Path
) -> None:
    a = stage.create(tmp_path / "a")
    stage.take(
        a, stage.bundle(tmp_path / "R&D <b>feed.json", [stage.indicator(n, f"Name {n}") for n in range(4)])
    )
    stage.take(
        a, stage.bundle(tmp_path / "other.json", [stage.indicator(n, f"Other {n}") for n in range(4, 6)])
    )
    session = sessions(a.home)
    session.enter(vault.unlock(a.home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    pane = session.window.findChild(Holdings)
    assert pane is not None
    wait(lambda: len(pane.model.ids) == 6, "everything")

    type_into(pane.search, "type:indicator other")
    wait(lambda: len(pane.model.ids) == 2, "what fits")
    pane.search.clear()
    type_into(pane.search, "colour:red")
    wait(lambda: pane.refusal.code == "query-filter", "the mistake")
    pane.search.clear()
    wait(lambda: len(pane.model.ids) == 6, "everything again")
    assert not pane.refusal.code

    pane.filters.open_sources()
    menu = pane.findChild(QMenu)
    assert menu is not None
    first, second = menu.actions()
    assert "R&&D <b>feed.json" in first.text()
    second.trigger()
    menu.close()
    wait(lambda: len(pane.model.ids) == 2, "what came from there")
    pane.clear_filters()
    wait(lambda: len(pane.model.ids) == 6, "everything at last")
