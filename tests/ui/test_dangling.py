"""What refers to something that is not held: found by a filter, told by id, and exported as it is listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app import vault
from tests.ui import stage
from tests.ui.driving import answer_dialog, click, settle, wait
from ui import clipboard
from ui.screens.dangling import DanglingSheet, find
from ui.screens.export import ExportSheet
from ui.screens.holdings import Holdings
from ui.session import Session
from ui.widgets.buttons import CopyButton

LOST = "identity--00000000-0000-4000-8000-000000000009"
HOSTILE = "\u202eevil <img src=/dev/zero>"


def test_a_filter_finds_what_refers_nowhere_and_a_sheet_what_is_missing(
    sessions: Callable[[Path], Session], tmp_path: Path
) -> None:
    a = stage.create(tmp_path / "a")
    lost = [stage.indicator(n, HOSTILE, created_by_ref=LOST) for n in (1, 2)]
    stage.take(a, stage.bundle(tmp_path / "in.json", [*lost, stage.indicator(3, "Whole")]), "CLEAR")
    session = sessions(a.home)
    session.enter(vault.unlock(a.home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    place = session.window.findChild(Holdings)
    assert place is not None
    assert session.desk is not None
    wait(lambda: len(place.model.ids) == 3, "everything")
    assert [c.spec.key for c in place.filters.flags.chips] == ["conflict", "revoked", "dangling"]
    assert not place.dangling.isVisible()

    session.window.registry.run("dangling")
    wait(lambda: len(place.model.ids) == 2, "what refers nowhere")
    settle(session)
    assert place.filters.flags.value == "dangling"
    assert place.dangling.isVisible()
    place.export_listed()
    click(wait(lambda: session.window.findChild(ExportSheet), "the sheet"), "Choose a file…")  # type: ignore[arg-type]
    answer_dialog(session, tmp_path / "out.json")
    settle(session)
    wait(lambda: (tmp_path / "out.json").is_file(), "the file")
    assert len(json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["objects"]) == 2

    click(place.dangling, "Show what is missing")
    sheet = wait(lambda: session.window.findChild(DanglingSheet), "what is missing")
    assert sheet is not None
    row = sheet.table.paged.row_at(0)
    assert row is not None
    assert len(sheet.table.paged.ids) == 1
    assert [cell.text for cell in row.cells] == [LOST, HOSTILE, "2"]
    assert "\u202e" not in row.cells[1].shown
    copies = [one for one in sheet.findChildren(CopyButton) if "ids" in one.label]
    copies[0].click()
    assert QApplication.clipboard().text() == LOST
    clipboard.forget()
    click(sheet, "Show what names it")
    wait(lambda: len(place.model.ids) == 1, "the first that names it")
    settle(session)
    assert not place.dangling.isVisible()
    assert find(session.desk.installation, limit=1).more
