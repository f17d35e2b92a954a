"""The holdings screen's search: the query language as it is typed, and the filter by source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QAction
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


def test_the_order_is_chosen_shown_and_ranked_only_where_there_are_words(
    sessions: Callable[[Path], Session], tmp_path: Path
) -> None:
    a = stage.create(tmp_path / "a")
    named = [
        stage.indicator(1, "Beside", modified="2026-06-01T08:00:00.000Z", description="copper once"),
        stage.indicator(2, "Copper lantern", modified="2026-05-01T08:00:00.000Z"),
        stage.indicator(3, "Another", modified="2026-07-01T08:00:00.000Z"),
    ]
    stage.take(a, stage.bundle(tmp_path / "in.json", named))
    session = sessions(a.home)
    session.enter(vault.unlock(a.home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    pane = session.window.findChild(Holdings)
    assert pane is not None

    def names() -> list[str]:
        rows = [pane.model.row_at(n) for n in range(len(pane.model.ids))]
        return [row.cells[0].text if row else "" for row in rows]

    def offered(words: str) -> QAction:
        pane.order.open()
        menu = pane.order.findChildren(QMenu)[-1]
        found = next(action for action in menu.actions() if action.text() == words)
        assert [a.text() for a in menu.actions() if a.isChecked()] == [pane.order.spec.words]
        menu.close()
        return found

    wait(lambda: names() == ["Another", "Beside", "Copper lantern"], "the newest first")
    assert pane.order.spec.words == "Newest first"
    assert not offered("Best match first").isEnabled()
    offered("Name, Z to A").trigger()
    wait(lambda: names() == ["Copper lantern", "Beside", "Another"], "the names")
    assert pane.order.spec.words == "Name, Z to A"
    pane.table.sort_wanted.emit("modified", True)
    type_into(pane.search, "copper")
    wait(lambda: names() == ["Beside", "Copper lantern"], "the newest first")
    offered("Best match first").trigger()
    wait(lambda: names() == ["Copper lantern", "Beside"], "the best first")
    assert pane.order.spec.words == "Best match first"
    pane.search.clear()
    wait(lambda: names() == ["Another", "Beside", "Copper lantern"], "the newest first, without words")
    assert pane.order.spec.words == "Newest first"
    type_into(pane.search, "copper")
    wait(lambda: names() == ["Copper lantern", "Beside"], "the best first again")
    pane.search.clear()
    type_into(pane.search, "colour:red")
    wait(lambda: pane.refusal.code == "query-filter", "the mistake")
    session.window.registry.run("order")
    assert pane.order.findChildren(QMenu)[-1].isVisible()
    pane.order.findChildren(QMenu)[-1].close()


def test_what_no_word_begins_with_is_offered_in_the_middle_of_words(
    sessions: Callable[[Path], Session], tmp_path: Path
) -> None:
    a = stage.create(tmp_path / "a")
    host = {
        "type": "domain-name",
        "spec_version": "2.1",
        "id": "domain-name--00000000-0000-4000-8000-000000000001",
        "value": "update.lanternworks.example",
    }
    stage.take(a, stage.bundle(tmp_path / "in.json", [host, stage.indicator(1, "One")]))
    session = sessions(a.home)
    session.enter(vault.unlock(a.home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    pane = session.window.findChild(Holdings)
    assert pane is not None

    type_into(pane.search, "ernwork")
    wait(pane.middle.isVisible, "the offer")
    assert "part:ernwork" in pane.middle.label
    assert pane.nothing.isVisible()
    # Asked again with every change: what was offered for other words is gone, also if its answer comes late.
    pane._look_in_the_middle(pane.filters.value)
    pane.filters.choose_type("indicator")
    settle(session)
    assert pane.nothing.isVisible()
    assert not pane.middle.isVisible(), "with that filter it finds nothing either"
    pane.filters.choose_type("")
    wait(pane.middle.isVisible, "the offer")
    pane.middle.setFocus()
    pane.middle.click()
    wait(lambda: len(pane.model.ids) == 1, "what was offered")
    assert pane.search.text() == "part:ernwork"
    assert session.window.focusWidget() is pane.search
    assert not pane.middle.isVisible()
    pane.search.setText("zzzz")
    wait(pane.nothing.isVisible, "nothing")
    settle(session)
    assert not pane.middle.isVisible()
