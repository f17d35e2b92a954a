"""The attachments of an object beside the list: seen, attached, saved out and removed, as an officer does it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget
from shiboken6 import isValid

from app import audit, vault
from app.exchange import deciding, receiving, releases
from app.exchange.releases import Wish
from app.holdings import attachments
from app.jobs import Job
from tests.ui import stage
from tests.ui.driving import answer_dialog, button, click, settle, wait
from tests.ui.test_told import enter, words
from ui import files
from ui.screens.attached import STEP, AttachSheet, SampleSheet
from ui.session import Session
from ui.widgets.sheet import Question, Sheet

Make = Callable[[Path], Session]
OBJECT, OTHER = stage.indicator(1, "With attachments"), stage.indicator(2, "Another one")


@pytest.fixture
def side(tmp_path: Path) -> stage.Side:
    side = stage.create(tmp_path / "a")
    stage.take(side, stage.bundle(tmp_path / "b.json", [OBJECT, OTHER]))
    (tmp_path / "file").write_bytes(b"MZ what was found")
    with vault.unlocked(side.home, stage.PASSPHRASE) as here:
        for name, sample in (("notes.txt", False), ("evil\u202etxt.exe", True)):
            attachments.attach(here, tmp_path / "file", OBJECT["id"], name, sample, Job())
            (tmp_path / "file").write_bytes(b"another")
    return side


def show(place: Any, name: str) -> None:
    wait(lambda: place.model.row_at(0), "a row")
    place.table.select_row(next(n for n in range(9) if place.model.row_at(n).cells[0].text == name))
    wait(lambda: place.panel.shown and place.panel.shown.shown.row.name == name, name)


def sheet(session: Session, kind: type[Sheet]) -> Any:
    return wait(
        lambda: next((s for s in session.window.findChildren(kind) if s.isVisible()), None), kind.__name__
    )


def acts(session: Session) -> list[str]:
    assert session.desk is not None
    return [entry.act for entry in audit.entries(session.desk.installation.database.read())][::-1]


def test_attachments_are_seen_and_saved(sessions: Make, side: stage.Side, tmp_path: Path) -> None:
    session = sessions(side.home)
    place = enter(session, side, "holdings")
    show(place, OBJECT["name"])
    settle(session)
    said = words(place.panel)
    assert "Attachments" in said
    assert "notes.txt" in said
    assert "eviltxt.exe" in said
    assert "17 bytes" in said
    assert "7 bytes · malware sample, saved as a zip" in said
    assert "by \u2068R. Haddad" in said
    click(place.panel, "Save \u2066notes.txt")
    answer_dialog(session, tmp_path / "copy.txt")
    settle(session)
    wait(lambda: place.result.words.startswith("The attachment was written"), "the result")
    assert (tmp_path / "copy.txt").read_bytes() == b"MZ what was found"
    # Of a sample it is said first as what it leaves, and with which password.
    click(place.panel, "Save \u2066eviltxt.exe")
    told = sheet(session, SampleSheet)
    assert "zip" in words(told)
    assert "infected" in words(told)
    click(told, "Cancel")
    assert not any(dialog.isVisible() for dialog in session.window.findChildren(QFileDialog))
    click(place.panel, "Save \u2066eviltxt.exe")
    click(sheet(session, SampleSheet), "Choose the file")
    open_ = wait(
        lambda: [d for d in session.window.findChildren(QFileDialog) if d.isVisible()], "a file dialog"
    )
    field = open_[0].findChild(QLineEdit, "fileNameEdit")
    assert field.text() == "eviltxt.exe.zip"
    answer_dialog(session, tmp_path / "copy.zip")
    settle(session)
    wait(lambda: "infected" in place.result.words, "the password")
    assert (tmp_path / "copy.zip").read_bytes().startswith(b"PK")
    # A file that is there is not written over; what was refused stays with its object.
    assert session.desk is not None
    one = attachments.listed(session.desk.installation, OBJECT["id"])[1]
    place.panel.attached.save(one, tmp_path / "copy.txt")
    settle(session)
    assert place.panel.attached.refusal.code == "target-exists"
    show(place, OTHER["name"])
    settle(session)
    assert place.panel.attached.refusal.code == ""
    place.panel.attached.save(one, tmp_path / "copy.txt")
    frame: Any = session.window.frame
    wait(lambda: frame.refusal.code == "target-exists", "the refusal, over another object")


def test_a_file_is_attached_and_removed(sessions: Make, side: stage.Side, tmp_path: Path) -> None:
    session = sessions(side.home)
    place = enter(session, side, "holdings")
    show(place, OBJECT["name"])
    settle(session)
    path = tmp_path / "re\u202eport .txt"
    path.write_bytes(b"what was seen")
    button(place.panel, "Attach a file").setFocus()
    QTest.keyClick(session.window.focusWidget(), Qt.Key.Key_Space)
    answer_dialog(session, path)
    asked = sheet(session, AttachSheet)
    assert asked.name.text() == "report .txt"
    asked.name.setText("../notes.txt")
    asked.kind.set_value("sample")
    QTest.keyClick(asked.name, Qt.Key.Key_Return)
    wait(lambda: place.result.words, "the result")
    settle(session)
    assert place.result.words == "\u2066_notes.txt\u2069 is attached: 13 bytes, a malware sample."
    assert session.desk is not None
    here = session.desk.installation
    held = {one.name: one for one in attachments.listed(here, OBJECT["id"])}
    assert held["_notes.txt"].sample
    # The panel is shown anew, and the focus is where it was.
    wait(lambda: "_notes.txt" in words(place.panel), "the row")
    assert session.window.focusWidget() is button(place.panel, "Attach a file")
    place.panel.attached.attach(OBJECT["id"], path, "again", None)
    settle(session)
    assert place.panel.attached.refusal.code == "attachment-held"
    assert words(place.panel.attached.refusal).startswith("With attachments has this file already")

    kept = here.attachments / held["_notes.txt"].file
    assert kept.is_file()
    click(place.panel, "Remove \u2066_notes.txt")
    asked = sheet(session, Question)
    assert session.window.focusWidget() is asked.cancel
    assert "for good" in words(asked)
    click(asked, "Cancel")
    assert kept.is_file()
    button(place.panel, "Remove \u2066_notes.txt").setFocus()
    click(place.panel, "Remove \u2066_notes.txt")
    click(sheet(session, Question), "Remove the file")
    wait(lambda: "destroyed" in place.result.words, "the result")
    settle(session)
    assert not kept.exists()
    assert "_notes.txt" not in words(place.panel)
    assert place.panel.attached.refusal.code == ""
    assert session.window.focusWidget() is button(place.panel, "Remove \u2066eviltxt.exe")
    assert acts(session)[-2:] == ["attachment.added", "attachment.removed"]


def test_a_sheet_closes_over_a_panel_that_was_made_anew(
    sessions: Make, side: stage.Side, tmp_path: Path
) -> None:
    session = sessions(side.home)
    place = enter(session, side, "holdings")
    show(place, OBJECT["name"])
    settle(session)
    before = button(place.panel, "Attach a file")
    before.setFocus()
    place.panel.attached.ask_name(OBJECT["id"], OBJECT["name"], tmp_path / "file")
    asked = sheet(session, AttachSheet)
    place.panel.reload()
    wait(lambda: not isValid(before), "the panel to be shown anew")
    click(asked, "Cancel")
    assert not asked.isVisible()


def test_cancelled_leaves_nothing(sessions: Make, side: stage.Side, tmp_path: Path) -> None:
    session = sessions(side.home)
    place = enter(session, side, "holdings")
    show(place, OBJECT["name"])
    settle(session)
    desk: Any = session.desk
    before, one = acts(session), attachments.listed(desk.installation, OBJECT["id"])[0]

    def cancelled(act: Callable[[], object], said: str) -> None:
        """Cancel what waits for other work."""
        go = threading.Event()
        desk.write(lambda _i, _job: go.wait(), changes=())
        act()
        desk.jobs.running[-1].cancel()
        go.set()
        wait(lambda: place.result.words == said, said)

    attached = place.panel.attached
    cancelled(
        lambda: attached.attach(OBJECT["id"], tmp_path / "file", "more", None),
        "Attaching cancelled. Nothing was changed.",
    )
    cancelled(lambda: attached.save(one, tmp_path / "out"), "Saving cancelled. Nothing was written.")
    settle(session)
    assert acts(session) == before
    assert not (tmp_path / "out").exists()


def test_many_are_shown_by_and_by_and_say_from_whom_they_are(sessions: Make, tmp_path: Path) -> None:
    a, b = stage.pair(tmp_path)
    stage.take(a, stage.bundle(tmp_path / "a.json", [OBJECT, OTHER]), "CLEAR")
    path = tmp_path / "file"
    with vault.unlocked(a.home, stage.PASSPHRASE) as here:
        for n in range(STEP + 2):
            path.write_bytes(b"%d" % n)
            attachments.attach(here, path, OBJECT["id"], f"{n:03}", None, Job())
        sealed = releases.release(here, b.name, Wish(None), tmp_path, Job()).package.path
    session = sessions(b.home)
    place = enter(session, b, "holdings")
    desk: Any = session.desk
    number = receiving.receive(desk.installation, sealed, Job()).number
    deciding.accept(desk.installation, number, None, Job())
    place.reload()
    show(place, OBJECT["name"])
    settle(session)
    said = words(place.panel)
    assert f"{STEP - 1:03}" in said
    assert f"{STEP:03}" not in said.split()
    assert "From \u2068CERT Almaria\u2069, " in said
    click(place.panel, "Show 2 more files")
    wait(lambda: f"{STEP + 1:03}" in words(place.panel), "the rest")


@pytest.mark.usefixtures("qapp")
def test_a_suggested_name_leads_into_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "looks like a file.txt").mkdir()
    monkeypatch.chdir(tmp_path)
    window = QWidget()
    window.show()
    for name in ("looks like a file.txt", "$HOME", "%TEMP%", ".."):
        dialog = files.ask_new(window, "x", name, lambda _path: None)
        dialog.setDirectory(str(tmp_path))
        assert Path(dialog.directory().absolutePath()) == tmp_path
        assert all(Path(one).parent in (tmp_path, tmp_path.parent) for one in dialog.selectedFiles()), name
        dialog.reject()
    window.close()
