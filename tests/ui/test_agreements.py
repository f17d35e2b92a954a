"""An agreement by clicks: proposed from what the gate held back, signed by the other side, then it lets AMBER leave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app import vault
from app.exchange import agreements
from app.holdings import handling
from app.intel.marking import Level
from tests.ui import stage
from tests.ui.driving import answer_dialog, click, settle, wait
from ui.screens.agreements import CLAUSE, Agreements, ProposeSheet, SignSheet
from ui.session import Session
from ui.theme import theme
from ui.widgets.buttons import Button
from ui.widgets.sheet import Question
from ui.widgets.text import Text


def enter(session: Session, home: Path) -> Any:
    session.enter(vault.unlock(home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    return session.window.frame


def packages(stick: Path) -> list[Path]:
    """What is on the stick under its final name."""
    return [path for path in stick.iterdir() if not path.name.startswith(".")]


def test_propose_sign_release_end(sessions: Callable[[Path], Session], tmp_path: Path) -> None:
    a, b = stage.pair(tmp_path)
    stage.take(
        a, stage.bundle(tmp_path / "ours.json", [stage.indicator(n, f"Name {n}") for n in range(4)]), "AMBER"
    )
    stick = tmp_path / "stick"
    stick.mkdir()
    here, there = sessions(a.home), sessions(b.home)
    frame, other = enter(here, a.home), enter(there, b.home)

    here.desk.release_wanted.emit(None)  # type: ignore[union-attr]
    draft = wait(lambda: frame.place("releases").draft, "the draft")
    wait(lambda: draft._judged, "the verdicts")
    assert not draft._judged.decision.leaving
    assert not draft.seal_button.isEnabled()
    click(draft, "Propose agreement…")
    sheet = wait(lambda: here.window.findChild(ProposeSheet), "the sheet")
    assert sheet is not None
    until = sheet.until.text()
    sheet.until.setText("2020-01-01")
    click(sheet, "Sign and propose…")
    answer_dialog(here, stick)
    wait(lambda: sheet.refusal.code == "agreement-period", "the refusal")
    sheet.until.setText(until)
    QTest.mouseClick(sheet.kinds["vulnerabilities"], Qt.MouseButton.LeftButton)
    click(sheet, "Sign and propose…")
    answer_dialog(here, stick)
    [proposal] = wait(lambda: packages(stick), "the proposal")
    settle(here)

    there.take_file(proposal)
    settle(there)
    there.go("counterparts")

    def section() -> Agreements | None:
        return next((s for s in there.window.findChildren(Agreements) if s.isVisible()), None)

    wait(lambda: section() and section().findChildren(Button), "the agreement")  # type: ignore[union-attr]
    click(there.window, "Sign…")
    clauses = wait(lambda: there.window.findChild(SignSheet), "the clauses")
    settle(there)
    # Nothing is cut short where it is signed, nor would the longest French name of a clause be.
    assert not [text for text in clauses.findChildren(Text) if text.is_cut()]
    longest = theme().metrics("label").horizontalAdvance("Les récépissés ne donnent que des nombres")
    assert longest < CLAUSE
    click(clauses, "Sign…")
    answer_dialog(there, stick)
    wait(lambda: len(packages(stick)) == 2, "the signature")
    settle(there)
    [signed] = [path for path in packages(stick) if path != proposal]

    here.take_file(signed)
    settle(here)
    frame.place("releases").start(None)
    draft = frame.place("releases").draft
    wait(lambda: draft._judged and draft._judged.decision.leaving, "something to leave")
    assert draft._judged.decision.force.clauses.kinds == ("threats", "best-practices")
    draft.set_target(stick)
    draft.setFocus()
    click(draft.panel, "Seal for")
    wait(lambda: len(packages(stick)) == 3, "the package")
    settle(here)

    # Either side may end it; here at once.
    here.go("counterparts")
    settle(here)
    click(here.window, "End…")
    question = wait(lambda: here.window.findChild(Question), "the question")
    assert question is not None
    click(question, "End the agreement")
    settle(here)
    assert here.desk is not None
    assert [x.state for x in agreements.listed(here.desk.installation)] == ["ended"]
    assert other is there.window.frame


def test_what_leaves_is_what_was_shown(sessions: Callable[[Path], Session], tmp_path: Path) -> None:
    a, _b = stage.pair(tmp_path)
    objects = [stage.indicator(n, f"Name {n}") for n in range(4)]
    stage.take(a, stage.bundle(tmp_path / "ours.json", objects), "CLEAR")
    stick = tmp_path / "stick"
    stick.mkdir()
    here = sessions(a.home)
    frame = enter(here, a.home)
    here.desk.release_wanted.emit(None)  # type: ignore[union-attr]
    draft = wait(lambda: frame.place("releases").draft, "the draft")
    wait(lambda: draft._judged, "the verdicts")
    draft.set_target(stick)
    frame.import_file(stage.bundle(tmp_path / "more.json", [stage.indicator(9, "Later")]))
    settle(here)
    with_handling = here.desk
    assert with_handling is not None
    with_handling.write(lambda i, _job: handling.set_level(i, objects[0]["id"], Level.AMBER), changes=())
    settle(here)
    click(draft.panel, "Seal for")
    wait(lambda: draft.refusal.code == "decision-changed", "the refusal")
    settle(here)
    assert not packages(stick)
    assert draft._judged.count("leaves") == 3
    click(draft.panel, "Seal for")
    wait(lambda: packages(stick), "the package")
    settle(here)
    wait(lambda: here.window.focusWidget() is frame.place("releases").history.table, "the keyboard there")
