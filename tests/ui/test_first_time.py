"""What an officer meets who has never seen the program: each of these misled one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app import vault
from app.exchange import agreements, outbox
from app.exchange.terms import Clauses
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from tests.ui import stage
from tests.ui.driving import click, settle, type_into, wait
from ui.screens.agreements import ProposeSheet, SignSheet
from ui.screens.entry import FirstRun
from ui.screens.releases import Releases
from ui.session import Session
from ui.widgets.digits import DigitEntry
from ui.widgets.text import Text

Make = Callable[[Path], Session]


def entered(session: Session, home: Path) -> Session:
    session.enter(vault.unlock(home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    return session


def shown(widget: object) -> str:
    return " ".join(text.shown for text in widget.findChildren(Text) if text.isVisible())  # type: ignore[attr-defined]


def test_every_clause_is_shown_before_it_is_signed(sessions: Make, tmp_path: Path) -> None:
    a, b = stage.pair(tmp_path)
    stick = tmp_path / "stick"
    stick.mkdir()
    clauses = Clauses(
        Level.GREEN, "2026-01-01", "2099-12-31", "2099-12-31", sectors=("water",), purposes=("drill",),
        retention=7, exercise=True, receipts="counts",
    )  # fmt: skip
    with vault.unlocked(a.home, stage.PASSPHRASE) as ours:
        agreements.propose(ours, b.name, clauses, (), stick, Job())
    there = entered(sessions(b.home), b.home)
    [proposal] = stick.iterdir()
    there.take_file(proposal)
    settle(there)
    assert there.window.frame is not None
    said = there.window.frame.place("inbox").packages.result.words  # type: ignore[attr-defined]
    assert "propose an agreement" in said
    assert "Counterparts" in said
    there.go("counterparts")
    settle(there)
    click(there.window, "Sign…")
    sheet = wait(lambda: there.window.findChild(SignSheet), "the sheet")
    words = shown(sheet)
    for clause in ("water", "drill", "7 days", "Never passed on", "31 Dec 2099", "For exercises only"):
        assert clause in words, clause
    assert [one.signed for one in agreements.listed(there.desk.installation)] == [""]  # type: ignore[union-attr]


def test_a_package_sealed_meanwhile_has_its_row(sessions: Make, tmp_path: Path) -> None:
    a, b = stage.pair(tmp_path)
    here = entered(sessions(a.home), a.home)
    place = here.window.frame.place("releases")  # type: ignore[union-attr]
    assert isinstance(place, Releases)
    assert here.desk is not None
    history = place.history
    before = list(history._ids(Job()))
    clauses = Clauses(Level.GREEN, "2026-01-01", "2099-12-31", "2099-12-31")
    here.desk.write(lambda i, job: agreements.propose(i, b.name, clauses, (), None, job), changes=())
    settle(here)
    now = list(history._ids(Job()))
    assert (len(before), len(now)) == (0, 1)
    older, outbox.listed = outbox.listed, lambda *_args: []  # type: ignore[assignment]
    try:
        history._ids(Job())  # a reload that began before ends after
    finally:
        outbox.listed = older
    assert [row.data.seq for row in history._rows(Job(), now)] == [1]


def test_a_refusal_over_a_list_is_as_high_as_its_words(sessions: Make, tmp_path: Path) -> None:
    a = stage.create(tmp_path / "almaria")
    here = entered(sessions(a.home), a.home)
    here.window.resize(1400, 900)
    for key in ("inbox", "releases", "counterparts"):
        here.go(key)
        place = here.window.frame.place(key)  # type: ignore[union-attr]
        part = {"inbox": "packages", "releases": "history"}.get(key)
        refusal = (getattr(place, part) if part else place).refusal
        refusal.show_refusal(Refused("card-own"))
        QApplication.processEvents()
        wait(lambda r=refusal: r.isVisible() and r.height() > 20, "the refusal")  # type: ignore[misc]
        assert refusal.height() < 120, key


def test_after_a_refusal_the_first_run_waits_in_the_field_to_mend(sessions: Make, tmp_path: Path) -> None:
    here = sessions(tmp_path / "new")
    door = here.window.findChild(FirstRun)
    assert isinstance(door, FirstRun)
    click(door, "Create the installation")
    wait(lambda: door.refusal.code == "name-unusable", "a refusal")
    wait(lambda: here.window.focusWidget() is door.name, "the focus")
    type_into(door.name, "CERT Almaria")
    type_into(door.country, "JO")
    type_into(door.officer, "R. Haddad")
    click(door, "Create the installation")
    wait(lambda: door.refusal.code == "passphrase-short", "a refusal")
    wait(lambda: here.window.focusWidget() is door.passphrase, "the focus")


def test_enter_after_the_last_digit_goes_on(qapp: QApplication) -> None:
    field = DigitEntry()
    pressed: list[str] = []
    field.returnPressed.connect(lambda: pressed.append(field.digits))
    QTest.keyClicks(field, "12345678")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert pressed == ["12345678"]


def test_no_two_acts_of_a_menu_have_the_same_words(sessions: Make, tmp_path: Path) -> None:
    here = entered(sessions(tmp_path / "a"), stage.create(tmp_path / "a").home)
    assert here.desk is not None
    words = [(one.menu, one.words) for one in here.desk.actions.entries()]
    assert len(words) == len(set(words))


def test_a_refused_proposal_shows_what_to_do(sessions: Make, tmp_path: Path) -> None:
    a, _b = stage.pair(tmp_path)
    here = entered(sessions(a.home), a.home)
    here.window.resize(1400, 900)
    here.go("counterparts")
    settle(here)
    click(here.window, "Propose…")
    sheet = wait(lambda: here.window.findChild(ProposeSheet), "the sheet")
    sheet.until.setText("2026-13-01")
    sheet.propose(tmp_path)
    wait(lambda: sheet.refusal.code, "the refusal")
    settle(here)
    end = sheet.refusal.mapTo(sheet, sheet.refusal.rect().bottomLeft()).y()
    assert end < sheet.go.mapTo(sheet, sheet.go.rect().topLeft()).y()
