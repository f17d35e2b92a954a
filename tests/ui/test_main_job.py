"""The whole main job in two real windows, with clicks and keys, on real intel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app import vault
from app.holdings import browsing
from tests.ui import stage
from tests.ui.driving import answer_dialog, button, click, click_row, press, settle, type_into, wait
from ui.screens.counterparts import Counterparts
from ui.screens.entry import FirstRun, Unlock
from ui.screens.holdings import Holdings
from ui.screens.inbox import Inbox
from ui.screens.releases import History, Releases
from ui.screens.verify import VerifySheet
from ui.session import Session
from ui.widgets.buttons import CopyButton
from ui.widgets.sheet import Sheet
from ui.widgets.verdicts import VerdictGroup

Make = Callable[[Path], Session]


def place(session: Session, key: str, kind: type[QWidget]) -> QWidget:
    assert session.window.frame is not None
    found = session.window.frame.place(key)
    assert isinstance(found, kind)
    return found


def holdings(session: Session) -> Holdings:
    return place(session, "holdings", Holdings)  # type: ignore[return-value]


def inbox(session: Session) -> Inbox:
    return place(session, "inbox", Inbox)  # type: ignore[return-value]


def releases(session: Session) -> Releases:
    return place(session, "releases", Releases)  # type: ignore[return-value]


def counterparts(session: Session) -> Counterparts:
    return place(session, "counterparts", Counterparts)  # type: ignore[return-value]


def packages(stick: Path) -> list[Path]:
    """What is on the stick under its final name."""
    return [path for path in stick.iterdir() if not path.name.startswith(".")]


def shown_state(history: History) -> str:
    """The state of the newest package, as the list has it."""
    row = history.model.row_at(0) if history.model.ids else None
    return row.data.state if row is not None else ""


def go(session: Session, key: str) -> None:
    assert session.window.frame is not None
    QTest.mouseClick(session.window.frame.rail.place(key), Qt.MouseButton.LeftButton)
    settle(session)


def unlock(session: Session, passphrase: str = stage.PASSPHRASE) -> None:
    door = wait(lambda: session.window.findChild(Unlock), "the unlock screen")
    assert isinstance(door, Unlock)
    type_into(door.passphrase, passphrase)
    QTest.keyClick(door.passphrase, Qt.Key.Key_Return)


def create(session: Session, name: str, country: str, officer: str) -> None:
    door = session.window.findChild(FirstRun)
    assert isinstance(door, FirstRun)
    type_into(door.name, name)
    type_into(door.country, country)
    type_into(door.officer, officer)
    type_into(door.passphrase, stage.PASSPHRASE)
    type_into(door.again, stage.PASSPHRASE)
    QTest.keyClick(door.again, Qt.Key.Key_Return)
    wait(lambda: session.desk, "the frame")
    settle(session)


def sheet(session: Session, kind: type[Sheet] = Sheet) -> Sheet:
    def find() -> Sheet | None:
        return next((s for s in session.window.findChildren(kind) if s.isVisible()), None)

    return wait(find, "a sheet")  # type: ignore[return-value]


def type_digits(session: Session, digits: str) -> None:
    shown = sheet(session, VerifySheet)
    assert isinstance(shown, VerifySheet)
    field = shown.theirs if shown._step == 1 else shown.code
    type_into(field, digits)
    click(shown, "Continue")


def ceremony(a: Session, b: Session) -> None:
    """Both officers on the telephone."""
    for one in (a, b):
        go(one, "counterparts")
        click(counterparts(one), "Verify…")
        wait(lambda one=one: sheet(one, VerifySheet)._ceremony, "digits")  # type: ignore[attr-defined]
    sheets = [sheet(one, VerifySheet) for one in (a, b)]
    mine = [s.mine.digits for s in sheets]  # type: ignore[attr-defined]
    for s in sheets:
        click(s, "Continue")
    type_digits(a, mine[1])
    type_digits(b, mine[0])
    halves = [s.half.digits for s in sheets]  # type: ignore[attr-defined]
    type_digits(a, halves[1])
    type_digits(b, halves[0])
    for one, s in zip((a, b), sheets, strict=True):
        QTest.mouseClick(s.stated, Qt.MouseButton.LeftButton)  # type: ignore[attr-defined]
        click(s, "Mark as verified")
        settle(one)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Creating costs what the test machine can spare."""
    real = vault.create

    def create(home: Path, name: str, country: str, officer: str, passphrase: str) -> str:
        return real(home, name, country, officer, passphrase, stage.CHEAP)

    monkeypatch.setattr(vault, "create", create)


@pytest.mark.usefixtures("cheap")
def test_main_job_with_clicks_and_keys(sessions: Make, tmp_path: Path, corpus: Path) -> None:
    source = corpus / "stix" / "ics-attack-18.1.json"
    stick = tmp_path / "stick"
    stick.mkdir()
    a, b = sessions(tmp_path / "a"), sessions(tmp_path / "b")
    create(a, "CERT Almaria", "JO", "R. Haddad")
    create(b, "Northmark CSIRT", "PT", "S. Duarte")

    # Cards cross, both are verified.
    for one, name in ((a, "almaria.card"), (b, "northmark.card")):
        go(one, "counterparts")
        click(counterparts(one), "Export our card…")
        answer_dialog(one, tmp_path / name)
        wait((tmp_path / name).exists, "the card")
    for one, name in ((a, "northmark.card"), (b, "almaria.card")):
        click(counterparts(one), "Add card…")
        answer_dialog(one, tmp_path / name)
        wait(lambda one=one: len(counterparts(one).list.ones) == 1, "the card to be pinned")
        settle(one)
    ceremony(a, b)
    assert all(counterparts(one).list.ones[0].verified for one in (a, b))

    # Import at CLEAR: without an agreement nothing above it leaves.
    press(a, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    settings = a.window.frame.place("settings")  # type: ignore[union-attr]
    settings.handling.open()
    action = next(x for x in settings.handling.menu.actions() if "CLEAR" in x.text())
    action.trigger()
    settings.handling.menu.close()
    settle(a)
    go(a, "holdings")
    click(holdings(a), "Import…")
    answer_dialog(a, source)
    wait(lambda: len(holdings(a).model.ids) == 1826, "the import", 60)
    settle(a)

    # Search, select, release.
    type_into(holdings(a).search, "triton")
    wait(lambda: 0 < len(holdings(a).model.ids) < 200, "the search")
    settle(a)
    QTest.keyClick(holdings(a).search, Qt.Key.Key_Escape)
    wait(lambda: len(holdings(a).model.ids) == 1826, "everything again")
    settle(a)
    click_row(holdings(a).table, 2)
    QTest.keyClick(holdings(a).table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert holdings(a).table.selected_count() == 1826
    click(holdings(a).selection_foot, "Release…")
    draft = wait(lambda: releases(a).draft, "the draft")
    assert draft is not None
    wait(lambda: draft._judged, "the verdicts", 60)
    leaving = len(draft._judged.decision.leaving)  # type: ignore[union-attr]
    assert leaving > 1800
    assert sum(g.group.count for g in draft.findChildren(VerdictGroup)) >= leaving
    click(draft.panel, "Change")
    answer_dialog(a, stick)
    wait(lambda: draft.target == stick, "the target")
    draft.note.setFocus()
    QTest.keyClicks(draft.note, "ICS, all of it")
    click(draft.panel, "Seal for")
    wait(lambda: packages(stick), "the package", 60)
    wait(lambda: releases(a).draft is None, "the history")
    settle(a)
    assert "read back and verified" in releases(a).history.result.words
    [package] = packages(stick)

    # The other side opens it; nothing is in its holdings yet.
    go(b, "inbox")
    press(b, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    answer_dialog(b, package)
    wait(lambda: len(inbox(b).packages.model.ids) == 1, "the package in the inbox", 60)
    settle(b)
    assert not holdings(b).model.ids
    click(inbox(b).packages.panel, "Review…")
    review = wait(lambda: inbox(b).under_review, "the review")
    assert review is not None
    wait(lambda: review._review, "the comparison", 60)
    settle(b)
    assert review._review.counts["new"] == leaving  # type: ignore[union-attr]
    click_row(review.table, 0)
    click_row(review.table, 2, Qt.KeyboardModifier.ShiftModifier)
    click(review.foot, "Accept the selected (3)")
    wait(lambda: len(holdings(b).model.ids) == 3, "three accepted", 60)
    settle(b)
    click(review.foot, "Accept all")
    wait(lambda: len(holdings(b).model.ids) >= leaving - 1, "all accepted", 60)
    settle(b)

    # A signed receipt goes back, and the ledger knows.
    click(review, "Send a receipt…")
    answer_dialog(b, stick)
    wait(lambda: len(packages(stick)) == 2, "the receipt")
    settle(b)
    [receipt] = [path for path in packages(stick) if path != package]
    a.take_file(receipt)
    history = releases(a).history
    wait(lambda: shown_state(history) == "acked", "the receipt to be applied", 60)
    go(a, "releases")
    wait(lambda: history._detail and history._detail.states, "the ledger")
    assert dict(history._detail.states) == {"accepted": leaving}  # type: ignore[union-attr]

    # Locking closes the store and empties the models; the passphrase opens it again.
    table = holdings(a).table
    go(a, "holdings")
    copy = next(c for c in holdings(a).panel.findChildren(CopyButton) if c.isVisible())
    QTest.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert "--" in QApplication.clipboard().text()
    press(a, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert a.window.frame is None
    assert a.desk is None
    assert not table.paged.ids
    assert not QApplication.clipboard().text()
    door = a.window.findChild(Unlock)
    assert door is not None
    wait(door.button.isEnabled, "the store to be closed")
    with vault.unlocked(tmp_path / "a", stage.PASSPHRASE) as installation:
        assert len(browsing.ids(installation, browsing.selection())) == 1826
    unlock(a, "not the passphrase")
    wait(lambda: door.refusal.code == "wrong-passphrase", "the refusal")
    unlock(a)
    wait(lambda: a.desk, "the frame again")
    settle(a)
    assert button(a.window, "Import…")
