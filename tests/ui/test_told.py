"""What an act found out besides is told in the window: to whom objects had gone out, what was held already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from app import vault
from app.exchange import agreements, receiving, releases
from app.exchange.releases import Wish
from app.exchange.terms import Clauses
from app.holdings.correlation import Hit, Holder
from app.intel import marking
from app.intel.marking import Level
from app.intel.observables import Observable
from app.jobs import Job
from app.store.ledger import Given
from tests.ui import stage
from tests.ui.driving import click, settle, wait
from ui.screens.told import SHOWN, Telling, TellingSheet, Told
from ui.session import Session
from ui.widgets.text import Text

Make = Callable[[Path], Session]


def marked(level: Level) -> dict[str, Any]:
    """Ours, changed and marked."""
    return stage.indicator(1, "Ours") | {
        "modified": "2026-04-01T08:00:00.000Z",
        "object_marking_refs": [marking.IDS[level]],
    }


@pytest.fixture
def sides(tmp_path: Path) -> tuple[stage.Side, stage.Side]:
    """Almaria gave Northmark an indicator at CLEAR, and got another one, of the same domain, and the first at GREEN."""
    a, b = stage.pair(tmp_path)
    ours, theirs = stage.indicator(1, "Ours"), stage.indicator(2, "Theirs")
    stage.take(a, stage.bundle(tmp_path / "ours.json", [ours]), "CLEAR")
    stage.take(b, stage.bundle(tmp_path / "theirs.json", [theirs, marked(Level.GREEN)]), "CLEAR")
    with (
        vault.unlocked(a.home, stage.PASSPHRASE) as here,
        vault.unlocked(b.home, stage.PASSPHRASE) as there,
    ):
        terms = Clauses(ceiling=Level.AMBER, start="2026-01-01", until="2035-12-31", open_until="2035-12-31")
        proposal = agreements.propose(here, b.name, terms, (), tmp_path, Job()).package.path
        receiving.receive(there, proposal, Job())
        receiving.receive(here, agreements.sign(there, 1, tmp_path, Job()).package.path, Job())
        given = releases.release(here, b.name, Wish(None), tmp_path, Job()).package.path
        receiving.receive(there, given, Job())
        received = releases.release(there, a.name, Wish(None), tmp_path, Job()).package.path
        receiving.receive(here, received, Job())
    return a, b


def enter(session: Session, side: stage.Side, place: str) -> Any:
    session.enter(vault.unlock(side.home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    session.go(place)
    settle(session)
    assert session.window.frame is not None
    return session.window.frame.place(place)


def words(widget: QWidget) -> str:
    return "\n".join(text.shown for text in widget.findChildren(Text) if text.isVisibleTo(widget))


def test_an_import_tells_to_whom_and_what_was_held(
    sessions: Make, sides: tuple[stage.Side, stage.Side], tmp_path: Path
) -> None:
    session = sessions(sides[0].home)
    place = enter(session, sides[0], "holdings")
    assert not place.telling.isVisible()
    for number, found in enumerate((stage.indicator(1, "Ours"), marked(Level.RED))):
        bad = [{"type": "indicator", "id": "x"}] * 2 * number
        again = stage.indicator(7 + number, "Beside")
        place.import_file(stage.bundle(tmp_path / f"{number}.json", [found, again, *bad]))
        settle(session)
        wait(lambda number=number: f"{number}.json" in place.result.words, "the result")
    said = words(place.telling)
    assert "1 object had gone out under a lower level, to" in said
    assert "Northmark CSIRT" in said
    click(place.refusal, "Show…")
    sheet = wait(lambda: session.window.findChild(TellingSheet), "the sheet")
    shown = words(sheet)
    for word in ("Northmark CSIRT", "update-relay.saltpan.example", "Ours", "ours.json", "objects[2]"):
        assert word in shown
    click(sheet, "Close")
    place.import_file(stage.bundle(tmp_path / "2.json", [stage.indicator(9, "x", pattern="[a:b = 'c']")]))
    settle(session)
    wait(lambda: "2.json" in place.result.words, "the result")
    assert not place.telling.isVisible()


def test_a_raised_handling_tells_to_whom(sessions: Make, sides: tuple[stage.Side, stage.Side]) -> None:
    session = sessions(sides[0].home)
    place = enter(session, sides[0], "holdings")
    wait(lambda: place.model.row_at(0), "a row")
    place.table.select_row(0)
    wait(lambda: place.panel.shown, "the object")
    place.panel.set_handling(place.panel.shown.shown.row.id, Level.RED)
    wait(place.telling.isVisible, "the notice")
    assert "Northmark CSIRT" in words(place.telling)
    place.panel.set_handling(place.panel.shown.shown.row.id, Level.RED)
    settle(session)
    wait(lambda: not place.telling.isVisible(), "the notice to go")


def test_a_review_tells_what_is_held_and_an_acceptance_to_whom(
    sessions: Make, sides: tuple[stage.Side, stage.Side]
) -> None:
    session = sessions(sides[0].home)
    box = enter(session, sides[0], "inbox")
    box.review(box.packages.model.ids[0])
    review = box.under_review
    wait(lambda: review._review and review._beside, "the comparison")
    at = next(n for n, one in enumerate(review._shown) if one.name == "Theirs")
    review.table.select_row(at)
    wait(lambda: "Held already" in words(review.panel), "what is held")
    assert "update-relay.saltpan.example" in words(review.panel)
    assert "ours.json" in words(review.panel)
    assert not review.telling.isVisible()
    review.accept_rest()
    settle(session)
    wait(review.telling.isVisible, "the notice")
    assert "Northmark CSIRT" in words(review.telling)


def test_much_is_counted_and_some_of_it_shown(qapp: QApplication) -> None:
    window = QWidget()
    window.resize(1280, 720)
    window.show()
    hostile = "\u202eevil <b>x</b>"
    hit = Hit(
        Observable("domain-name", hostile),
        3,
        (Holder("indicator--1", "indicator", hostile, "import", hostile),),
        differing=1,
    )
    given = [Given(f"indicator--{n}", f"{hostile} {n}", n, "sealed") for n in range(100)]
    telling = Telling(window)
    telling.setParent(window)
    telling.tell(Told(given, [hit] * 50, 1_000, [(hostile, "stix-id")] * 30))
    telling.tell_also(Told(given[:1]))
    said = words(telling)
    assert "100 objects" in said
    assert "97 more" in said
    assert "1,000 observables" in said
    telling.show_all()
    (sheet,) = window.findChildren(TellingSheet)
    shown = words(sheet)
    assert shown.count("evil") >= 3 * SHOWN
    assert "\u202e" not in shown
    for more in (100 - SHOWN, 1_000 - SHOWN, 30 - SHOWN):
        assert f"and {more} more" in shown
    telling.tell(Told())
    assert not telling.isVisible()
