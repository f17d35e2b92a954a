"""Two files of one MD5 beside the list: told that they contradict, and told apart with a click."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.holdings import browsing
from tests.ui import stage
from tests.ui.driving import click, settle, wait
from tests.ui.test_main_job import holdings, unlock
from ui.session import Session
from ui.widgets.notices import Notice
from ui.widgets.text import Text

Make = Callable[[Path], Session]


def file(number: int, sha256: str) -> dict[str, object]:
    return {
        "type": "file",
        "spec_version": "2.1",
        "id": f"file--{number:08x}-0000-4000-8000-000000000000",
        "name": f"{number}.exe",
        "hashes": {"MD5": "ab" * 16, "SHA-256": sha256 * 32},
    }


@pytest.fixture
def side(tmp_path: Path) -> stage.Side:
    side = stage.create(tmp_path / "a")
    stage.take(side, stage.bundle(tmp_path / "b.json", [file(1, "aa"), file(2, "bb")]))
    return side


def test_files_that_contradict_are_told_apart(sessions: Make, side: stage.Side, qapp: QApplication) -> None:
    session = sessions(side.home)
    unlock(session)
    wait(lambda: session.desk, "the frame")
    session.go("holdings")
    place = holdings(session)
    wait(lambda: place.model.row_at(1), "two rows")
    assert [place.model.row_at(n).cells[0].status for n in (0, 1)] == ["conflict", "conflict"]
    place.table.select_row(0)
    settle(session)
    wait(lambda: place.panel.findChildren(Notice), "the notice")
    shown = place.model.row_at(0).data
    (other,) = {file(1, "aa")["id"], file(2, "bb")["id"]} - {shown.id}
    assert any(other in text.shown for text in place.panel.findChildren(Text))
    click(place.panel, "Keep this")
    settle(session)
    chosen = browsing.selection(conflicts=True)
    wait(lambda: browsing.count(session.desk.installation, chosen) == 0, "no conflict")
    assert browsing.count(session.desk.installation, browsing.selection()) == 2
