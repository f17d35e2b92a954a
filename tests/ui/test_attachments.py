"""The attachments of an object beside the list: seen with their size, saved out with a click, a sample as a zip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app import vault
from app.holdings import attachments
from app.jobs import Job
from tests.ui import stage
from tests.ui.driving import answer_dialog, click, settle, wait
from tests.ui.test_main_job import holdings, unlock
from ui.session import Session
from ui.widgets.text import Text

Make = Callable[[Path], Session]
OBJECT = stage.indicator(1, "With attachments")


@pytest.fixture
def side(tmp_path: Path) -> stage.Side:
    side = stage.create(tmp_path / "a")
    stage.take(side, stage.bundle(tmp_path / "b.json", [OBJECT]))
    (tmp_path / "file").write_bytes(b"MZ what was found")
    with vault.unlocked(side.home, stage.PASSPHRASE) as here:
        for name, sample in (("notes.txt", False), ("evil\u202etxt.exe", True)):
            attachments.attach(here, tmp_path / "file", OBJECT["id"], name, sample, Job())
            (tmp_path / "file").write_bytes(b"another")
    return side


def test_attachments_are_seen_and_saved(
    sessions: Make, side: stage.Side, tmp_path: Path, qapp: QApplication
) -> None:
    session = sessions(side.home)
    unlock(session)
    wait(lambda: session.desk, "the frame")
    session.go("holdings")
    place = holdings(session)
    wait(lambda: place.model.row_at(0), "a row")
    place.table.select_row(0)
    settle(session)
    words = [text.shown for text in wait(lambda: place.panel.findChildren(Text), "the panel")]
    assert "Attachments" in words
    assert {"notes.txt", "eviltxt.exe"} <= set(words)
    click(place.panel, "Save \u2068notes.txt")
    answer_dialog(session, tmp_path / "copy.txt")
    settle(session)
    wait(lambda: place.result.words.startswith("The attachment was written"), "the result")
    assert (tmp_path / "copy.txt").read_bytes() == b"MZ what was found"
    click(place.panel, "Save \u2068eviltxt.exe")
    answer_dialog(session, tmp_path / "copy.zip")
    settle(session)
    wait(lambda: "infected" in place.result.words, "the password")
    assert (tmp_path / "copy.zip").read_bytes().startswith(b"PK")
    # A file that is there is not written over.
    place.panel.save(attachments.listed(session.desk.installation, OBJECT["id"])[1], tmp_path / "copy.txt")
    settle(session)
    assert place.panel.refusal.code == "target-exists"
