"""Export from the window: what a sheet says before, the file, and that nothing is left of one that was not written."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app import vault
from app.holdings import exporting
from app.intel import marking
from app.intel.marking import Level
from tests.ui import stage
from tests.ui.driving import answer_dialog, click, press, settle, wait
from ui.screens.export import ExportSheet
from ui.screens.holdings import Holdings
from ui.session import Session
from ui.widgets.text import Text

Make = Callable[[Path], Session]
HOSTILE = "\u202eevil <img src=/dev/zero> & more"


def objects() -> list[dict[str, Any]]:
    """One that was RED once and is GREEN now, a CLEAR one that refers to an AMBER one, and one without a marking."""
    red, green = (
        stage.indicator(1, HOSTILE, modified=f"2026-0{month}-01T08:00:00.000Z")
        | {"object_marking_refs": [marking.IDS[level]]}
        for month, level in ((3, Level.RED), (4, Level.GREEN))
    )
    maker = {
        "type": "identity",
        "spec_version": "2.1",
        "id": "identity--00000000-0000-4000-8000-000000000009",
        "created": "2026-03-01T08:00:00.000Z",
        "modified": "2026-03-01T08:00:00.000Z",
        "name": "Maker",
        "object_marking_refs": [marking.IDS[Level.AMBER]],
    }
    clear = stage.indicator(2, "Clear", created_by_ref=maker["id"])
    clear["object_marking_refs"] = [marking.IDS[Level.CLEAR]]
    return [red, green, maker, clear, stage.indicator(3, "Unmarked")]


@pytest.fixture
def session(sessions: Make, tmp_path: Path) -> Session:
    side = stage.create(tmp_path / "a")
    stage.take(side, stage.bundle(tmp_path / "in.json", objects()), "CLEAR")
    made = sessions(side.home)
    made.enter(vault.unlock(side.home, stage.PASSPHRASE))
    wait(lambda: made.desk, "the frame")
    settle(made)
    return made


def place(session: Session) -> Holdings:
    found = session.window.findChild(Holdings)
    assert found is not None
    return found


def sheet(session: Session) -> ExportSheet:
    return wait(
        lambda: next((s for s in session.window.findChildren(ExportSheet) if s.isVisible()), None),
        "the sheet",
    )  # type: ignore[return-value]


def words(widget: Any) -> str:
    return "\n".join(text.shown for text in widget.findChildren(Text) if text.isVisibleTo(widget))


def written(path: Path) -> list[str]:
    return sorted(one.get("name", "") for one in json.loads(path.read_text(encoding="utf-8"))["objects"])


def find(session: Session, query: str, count: int) -> None:
    place(session).search.setText(query)
    wait(lambda: len(place(session).model.ids) == count, query)


def test_what_is_listed_goes_into_a_file_after_the_sheet_told_its_level(
    session: Session, tmp_path: Path
) -> None:
    find(session, "clear", 1)
    press(session, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    shown = sheet(session)
    assert "What is listed: " in words(shown)
    assert "The strictest of its objects is \u2066TLP:CLEAR\u2069." in words(shown)
    shown.closure.click()
    wait(lambda: "TLP:AMBER" in words(shown), "the level of what it refers to")
    wait(lambda: "2 objects" in words(shown), "their number")
    click(shown, "Choose a file…")
    answer_dialog(session, tmp_path / "out.json")
    settle(session)
    wait(lambda: place(session).result.words, "the result")
    said = place(session).result.words
    assert said.startswith("2 objects written to")
    assert str(tmp_path / "out.json") in said
    assert written(tmp_path / "out.json") == ["Clear", "Maker"]
    assert (tmp_path / "out.json").stat().st_mode & 0o777 == 0o600
    assert not sheet_open(session)


def sheet_open(session: Session) -> bool:
    return any(s.isVisible() for s in session.window.findChildren(ExportSheet))


def test_a_selection_is_as_strict_as_any_of_its_versions(session: Session, tmp_path: Path) -> None:
    find(session, "type:indicator", 3)
    table = place(session).table
    assert place(session)._desk.actions["export-selection"].isEnabled()
    table.selectAll()
    click(place(session).selection_foot, "Export…")
    shown = sheet(session)
    assert "What is selected" in words(shown)
    assert "3 objects in 4 versions" in words(shown)
    assert "TLP:RED" in words(shown)
    # What was looked at is what is written, or nothing is.
    shown._contents = exporting.Contents(3, 3, (), 0)
    click(shown, "Choose a file…")
    answer_dialog(session, tmp_path / "out.json")
    wait(lambda: place(session).refusal.code == "export-changed", "the refusal")
    assert left(tmp_path) == set()
    place(session).export_selected()
    click(sheet(session), "Choose a file…")
    answer_dialog(session, tmp_path / "out.json")
    wait(lambda: place(session).result.words, "the result")
    assert written(tmp_path / "out.json") == sorted([HOSTILE, HOSTILE, "Clear", "Unmarked"])


def left(folder: Path) -> set[str]:
    """What an export left behind, under any name."""
    return {one.name for one in folder.iterdir()} - {"a", "in.json"}


def nameless(folder: Path) -> Iterator[bytes]:
    """What stands in files of a folder that this process has open and that have no name yet."""
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            path = Path(f"/proc/self/fd/{number}")
            if path.readlink().parent == folder:
                yield path.read_bytes()


def test_no_file_is_replaced_and_another_name_can_be_given(session: Session, tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    there.write_text("mine", encoding="utf-8")
    place(session).export_listed()
    click(sheet(session), "Choose a file…")
    answer_dialog(session, there)
    wait(lambda: place(session).refusal.code == "target-exists", "the refusal")
    assert there.read_text(encoding="utf-8") == "mine"
    click(place(session).refusal, "Choose another…")
    answer_dialog(session, tmp_path / "else.json")
    wait(lambda: place(session).result.words, "the result")
    assert not place(session).refusal.code
    assert len(written(tmp_path / "else.json")) == 5
    assert left(tmp_path) == {"there.json", "else.json"}


def test_a_cancelled_export_leaves_nothing(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, begun = exporting.bundle, []

    def slow(installation: Any, chosen: Any, job: Any, closure: bool = False) -> Iterator[bytes]:
        for number, piece in enumerate(bundle(installation, chosen, job, closure)):
            yield piece
            if number == 1:
                yield b" " * (1 << 21)  # past every buffer: the clear text is in the file now
                begun.extend(nameless(tmp_path))
                assert left(tmp_path) == set()  # no name yet, for a crash to leave behind
                job.cancel()
                job.step(0, 0, "export")

    monkeypatch.setattr(exporting, "bundle", slow)
    place(session).export_listed()
    click(sheet(session), "Choose a file…")
    answer_dialog(session, tmp_path / "out.json")
    wait(lambda: "cancelled" in place(session).result.words, "the end")
    assert b"Unmarked" in b"".join(begun)
    assert left(tmp_path) == set()


def test_nothing_listed_is_not_exported_and_a_mistake_is_told(session: Session) -> None:
    find(session, "nothing of the kind", 0)
    place(session).export_listed()
    shown = sheet(session)
    assert not shown.button.isEnabled()
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    QApplication.processEvents()
    place(session).search.setText("colour:red")
    wait(lambda: place(session).refusal.code == "query-filter", "the mistake")
    place(session).export_listed()
    assert place(session).refusal.code == "query-filter"
    assert not sheet_open(session)
