"""A recall and an undone acceptance by clicks, on two real installations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app import vault
from app.exchange import deciding, recalling, receipts, receiving, releases
from app.exchange.releases import Wish
from app.holdings import browsing
from app.jobs import Job
from tests.ui import stage
from tests.ui.driving import answer_dialog, button, click, settle, type_into, wait
from tests.ui.test_told import words as said
from ui.screens.recalls import Answer
from ui.session import Session
from ui.widgets.buttons import Button


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Almaria accepted two indicators of Northmark's, who asks one of them back."""
    a, b = stage.pair(tmp_path)
    objects = [stage.indicator(n, f"Name {n}") for n in range(2)]
    stage.take(b, stage.bundle(tmp_path / "theirs.json", objects), "CLEAR")
    with (
        vault.unlocked(b.home, stage.PASSPHRASE) as there,
        vault.unlocked(a.home, stage.PASSPHRASE) as here,
    ):
        package = releases.release(there, a.name, Wish(None), tmp_path, Job()).package.path
        deciding.accept(here, receiving.receive(here, package, Job()).number or 0, None, Job())
        receiving.receive(there, receipts.send(here, b.name, tmp_path, Job()).path, Job())
        back = recalling.recall(there, a.name, [objects[0]["id"]], None, "A mistake.", tmp_path, Job())
        receiving.receive(here, back.package.path, Job())
    return a.home


def enter(session: Session, home: Path) -> Any:
    session.enter(vault.unlock(home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    session.go("inbox")
    settle(session)
    assert session.window.frame is not None
    return session.window.frame.place("inbox")


def held(session: Session) -> set[str]:
    rows = browsing.page(session.desk.installation, browsing.selection()).rows  # type: ignore[union-attr]
    return {row.name for row in rows}


def test_a_recall_is_answered(home: Path, sessions: Callable[[Path], Session]) -> None:
    session = sessions(home)
    box = enter(session, home)
    wait(lambda: box.packages.recalls.isVisible(), "the notice")
    assert held(session) == {"Name 0", "Name 1"}
    click(box.packages.recalls, "Answer…")
    sheet = wait(lambda: session.window.findChild(Answer), "the sheet")
    assert sheet is not None
    assert "Name 0\nHeld" in said(sheet)
    assert not sheet.delete_button.isEnabled()
    assert not sheet.refuse_button.isEnabled()
    sheet.backups.setText("soon")
    assert not sheet.delete_button.isEnabled()
    sheet.backups.setText("2020-01-01")
    click(sheet, "Delete and confirm")
    wait(lambda: sheet.refusal.code == "backups-past", "the refusal")
    assert held(session) == {"Name 0", "Name 1"}
    sheet.backups.setText("٢٠٢٧-١٢-٣١")
    click(sheet, "Delete and confirm")
    wait(lambda: not box.packages.recalls.isVisible(), "the end of the notice")
    assert held(session) == {"Name 1"}
    done = "Deleted, and the confirmation is sealed: package 2, to be carried from Releases."
    wait(lambda: box.packages.result.words == done, "the words on it")


def test_a_recall_is_refused_and_the_answer_carried(
    home: Path, tmp_path: Path, sessions: Callable[[Path], Session]
) -> None:
    session = sessions(home)
    box = enter(session, home)
    wait(lambda: box.packages.recalls.isVisible(), "the notice")
    click(box.packages.recalls, "Answer…")
    sheet = wait(lambda: session.window.findChild(Answer), "the sheet")
    assert sheet is not None
    type_into(sheet.reason, "It is public.")
    click(sheet, "Refuse")
    done = "Refused, and the answer is sealed: package 2, to be carried from Releases."
    wait(lambda: box.packages.result.words == done, "the words on it")
    assert held(session) == {"Name 0", "Name 1"}
    session.go("releases")
    history: Any = session.window.frame.place("releases").history  # type: ignore[union-attr]
    wait(lambda: history.model.row_at(0), "the packages")
    history.table.select_row(next(n for n in range(2) if history.model.row_at(n).data.seq == 2))
    stick = tmp_path / "stick"
    stick.mkdir()
    # What was never carried is not carried again.
    click(history.panel, "Carry…")
    answer_dialog(session, stick)
    button(history.panel, "Carry again…")
    assert len(list(stick.iterdir())) == 1
    assert history.result.words.endswith(f"{next(iter(stick.iterdir()))}\u2069")


def test_what_was_acknowledged_is_not_carried_again(
    home: Path, tmp_path: Path, sessions: Callable[[Path], Session]
) -> None:
    with (
        vault.unlocked(home, stage.PASSPHRASE) as here,
        vault.unlocked(tmp_path / "northmark", stage.PASSPHRASE) as there,
    ):
        receiving.receive(here, receipts.send(there, "CERT Almaria", tmp_path, Job()).path, Job())
    session = sessions(home)
    enter(session, home)
    session.go("releases")
    history: Any = session.window.frame.place("releases").history  # type: ignore[union-attr]
    wait(lambda: history._detail and history._detail.package.state == "acked", "the package")
    button(history.panel, "Slip…")
    assert not [one for one in history.panel.findChildren(Button) if one.label.startswith("Carry")]


def test_a_recall_that_comes_is_told_of(
    home: Path, tmp_path: Path, sessions: Callable[[Path], Session]
) -> None:
    with vault.unlocked(tmp_path / "northmark", stage.PASSPHRASE) as there:
        more = stage.indicator(1, "")["id"]
        package = recalling.recall(
            there, "CERT Almaria", [more], None, "Again.", tmp_path, Job()
        ).package.path
    session = sessions(home)
    box = enter(session, home)
    box.packages.receive(package)
    wait(
        lambda: box.packages.result.words.endswith("They ask something back. Answer it above the list."), "it"
    )


def test_an_acceptance_is_undone(home: Path, sessions: Callable[[Path], Session]) -> None:
    session = sessions(home)
    box = enter(session, home)
    box.review(box.packages.model.ids[0])
    wait(lambda: box.under_review._review, "the comparison")
    settle(session)
    review = box.under_review
    click(review, "Undo the acceptance")
    wait(lambda: not review.undo_button.isVisible(), "the objects pending again")
    assert held(session) == set()
    review.accept_rest()
    wait(lambda: len(review.pending) == 1, "what is asked back goes on waiting")
    assert held(session) == {"Name 1"}


def test_deciding_leaves_the_keyboard_in_the_list(home: Path, sessions: Callable[[Path], Session]) -> None:
    session = sessions(home)
    box = enter(session, home)
    box.review(box.packages.model.ids[0])
    review = box.under_review
    wait(lambda: review._beside, "the comparison")
    for words, left in (("Undo the acceptance", 2), ("Accept the selected", 1)):
        review.table.select_row(next(n for n, one in enumerate(review._shown) if one.name == "Name 1"))
        acting = button(review, words)
        wait(acting.isEnabled, words)
        acting.setFocus()
        acting.click()
        wait(lambda left=left: len(review.pending) == left, words)
        settle(session)
        assert session.window.focusWidget() is review.table
    send = button(review, "Send a receipt…")
    send.setFocus()
    review.reload()
    settle(session)
    assert session.window.focusWidget() is button(review, "Send a receipt…")
    button(review.panel, "Copy").setFocus()
    review.reload()
    settle(session)
    assert session.window.focusWidget() is button(review.panel, "Copy")
    assert "1 Mar 2026, 08:00" in said(review.panel)
    QTest.keyClick(button(review.panel, "Copy"), Qt.Key.Key_Escape)
    assert box.under_review is None
    assert session.window.focusWidget() is box.packages.table
