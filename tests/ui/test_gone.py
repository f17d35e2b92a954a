"""Answers that come when the sheet or panel that asked is gone, and a keyboard that stays where it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import vault
from app.courier import folder
from app.exchange import agreements, verification
from app.messages import Refused
from tests.ui import stage
from tests.ui.driving import button, settle, wait
from tests.ui.test_meanwhile import let_go
from ui.desk import COUNTERPARTS
from ui.screens.agreements import Agreements, ProposeSheet
from ui.screens.verify import VerifySheet
from ui.session import Session

Make = Callable[[Path], Session]


class Held:
    """An act that waits to be let go, and is then refused."""

    def __init__(self, result: object = None) -> None:
        self.go = threading.Event()
        self.count = 0
        self._result = result

    def __call__(self, *_args: object) -> object:
        self.count += 1
        assert self.go.wait(30)
        if self._result is None:
            raise Refused("retired", since="2026-01-01")
        return self._result


def counterparts(session: Session, home: Path) -> Any:
    session.enter(vault.unlock(home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    session.go("counterparts")
    place = session.window.frame.place("counterparts")  # type: ignore[union-attr]
    wait(lambda: place._shown, "the counterpart")
    settle(session)
    return place


def redraw(session: Session) -> None:
    assert session.desk is not None
    session.desk.changed.emit(frozenset((COUNTERPARTS,)))
    settle(session)
    let_go()


def told(session: Session) -> list[str]:
    codes: list[str] = []
    assert session.desk is not None
    session.desk.refused.connect(lambda refused: codes.append(refused.code))
    return codes


@pytest.mark.parametrize("refused", [False, True])
def test_a_check_that_was_closed_ends_behind_it(
    sessions: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    a, _b = stage.pair(tmp_path, verified=False)
    session = sessions(a.home)
    place = counterparts(session, a.home)
    held = Held(None if refused else object())
    monkeypatch.setattr(verification, "confirm", held)
    place.verify()
    [sheet] = session.window.findChildren(VerifySheet)
    settle(session)
    codes = told(session)
    sheet._show(3)
    sheet.stated.setChecked(True)
    sheet.next.click()
    sheet.next.click()
    wait(lambda: held.count, "the work")
    sheet.close_sheet()
    let_go()
    held.go.set()
    settle(session)
    assert held.count == 1
    assert codes == (["retired"] if refused else [])


@pytest.mark.parametrize("refused", [False, True])
def test_a_proposal_that_was_closed_ends_behind_it(
    sessions: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    a, _b = stage.pair(tmp_path)
    session = sessions(a.home)
    place = counterparts(session, a.home)
    held = Held(None if refused else object())
    monkeypatch.setattr(agreements, "propose", held)
    assert session.desk is not None
    sheet = ProposeSheet(session.desk, place._shown.one)
    sheet.open()
    codes = told(session)
    sheet.propose(tmp_path)
    wait(lambda: held.count, "the work")
    sheet.close_sheet()
    let_go()
    held.go.set()
    settle(session)
    assert codes == (["retired"] if refused else [])


def test_an_agreement_is_refused_behind_a_panel_that_was_drawn_anew(
    sessions: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _b = stage.pair(tmp_path)
    session = sessions(a.home)
    place = counterparts(session, a.home)
    held = Held()
    monkeypatch.setattr(agreements, "end", held)
    [section] = [one for one in place.panel.findChildren(Agreements) if one.isVisible()]
    codes = told(session)
    section._write(lambda i, job: agreements.end(i, 1, None, job), "x")
    wait(lambda: held.count, "the work")
    place._show_panel()
    let_go()
    held.go.set()
    settle(session)
    assert codes == ["retired"]


def test_the_keyboard_stays_in_a_panel_that_is_drawn_anew(sessions: Make, tmp_path: Path) -> None:
    a, _b = stage.pair(tmp_path)
    session = sessions(a.home)
    place = counterparts(session, a.home)
    session.window.activateWindow()
    for words in ("Rename…", "Propose…"):
        button(place.panel, words).setFocus()
        redraw(session)
        focused = session.window.focusWidget()
        assert focused is button(place.panel, words)


def test_a_slip_is_written_in_a_worker(
    sessions: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _b = stage.pair(tmp_path)
    session = sessions(a.home)
    place = counterparts(session, a.home)
    threads: list[threading.Thread] = []
    real = folder.write_pieces

    def write(*args: Any) -> int:
        threads.append(threading.current_thread())
        return real(*args)

    assert session.desk is not None
    ProposeSheet(session.desk, place._shown.one).propose(tmp_path)
    settle(session)
    session.go("releases")
    releases = session.window.frame.place("releases").history  # type: ignore[union-attr]
    wait(lambda: releases._detail, "the package")
    monkeypatch.setattr(folder, "write_pieces", write)
    for name in ("slip.pdf", "slip.txt", "slip.txt"):
        releases.write_slip(releases._detail.package, tmp_path / name)
        settle(session)
    assert (tmp_path / "slip.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "slip.txt").read_text()
    assert releases.refusal.code == "target-exists"
    assert threads
    assert threading.main_thread() not in threads
