"""What an object is linked with stands beside it, a click away, and a click back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import vault
from tests.ui import stage
from tests.ui.driving import button, click, settle, wait
from tests.ui.test_told import enter, words
from ui import reading
from ui.screens.linked import LinkedSheet
from ui.session import Session
from ui.widgets.buttons import Button

ABSENT = "malware--00000000-0000-4000-8000-0000000000aa"


def link(number: int, source: str, rel: str, target: str) -> dict[str, Any]:
    return {
        "type": "relationship",
        "spec_version": "2.1",
        "id": f"relationship--00000000-0000-4000-8000-{number:012d}",
        "created": "2026-03-01T08:00:00.000Z",
        "modified": "2026-03-01T08:00:00.000Z",
        "relationship_type": rel,
        "source_ref": source,
        "target_ref": target,
    }


@pytest.fixture
def side(tmp_path: Path) -> stage.Side:
    """An indicator that one with a hostile name is derived from, and that indicates what is not held."""
    side = stage.create(tmp_path / "a")
    one, other = stage.indicator(1, "One"), stage.indicator(2, "Other \u202e<b>x</b>")
    stage.take(
        side,
        stage.bundle(
            tmp_path / "b.json",
            [
                one,
                other,
                link(1, other["id"], "derived-from", one["id"]),
                link(2, one["id"], "indicates", ABSENT),
            ],
        ),
    )
    return side


def test_a_link_leads_there_and_back(sessions: Callable[[Path], Session], side: stage.Side) -> None:
    session = sessions(side.home)
    place = enter(session, side, "holdings")
    wait(lambda: place.model.row_at(3), "the rows")
    at = next(n for n in range(4) if place.model.row_at(n).cells[0].text == "One")
    place.table.select_row(at)
    wait(lambda: place.panel.shown and place.panel.shown.shown.row.name == "One", "the object")
    settle(session)
    said = words(place.panel)
    assert "derived-from: this" in said.replace("\u2068", "").replace("\u2069", "")
    assert "not held" in said
    assert "\u202e" not in said
    click(place.panel, "Show")
    wait(lambda: place.panel.shown.shown.row.name.startswith("Other"), "the other one")
    settle(session)
    assert session.window.focusWidget() is button(place.panel, "Back to")
    click(place.panel, "Back to")
    wait(lambda: place.panel.shown.shown.row.name == "One", "the first one")
    settle(session)
    assert not any(
        one.label.startswith("Back to") for one in place.panel.findChildren(Button) if one.isVisible()
    )


def test_what_a_link_led_to_is_what_is_released(
    sessions: Callable[[Path], Session], side: stage.Side
) -> None:
    session = sessions(side.home)
    place = enter(session, side, "holdings")
    wait(lambda: place.model.row_at(3), "the rows")
    place.table.select_row(next(n for n in range(4) if place.model.row_at(n).cells[0].text == "One"))
    wait(lambda: place.panel.shown and place.panel.shown.shown.row.name == "One", "the object")
    settle(session)
    click(place.panel, "Show")
    wait(lambda: place.panel.shown.shown.row.name.startswith("Other"), "the other one")
    settle(session)
    wanted: list[object] = []
    session.desk.release_wanted.connect(wanted.append)  # type: ignore[union-attr]
    click(place.panel, "Release…")
    settle(session)
    assert wanted == [(stage.indicator(2, "")["id"],)]


def test_of_many_links_the_first_are_shown(
    sessions: Callable[[Path], Session], side: stage.Side, tmp_path: Path
) -> None:
    one, other = (stage.indicator(n, "")["id"] for n in (1, 2))
    many = [link(10 + n, one, f"rel-{n}", other) for n in range(3 * reading.LINKED)]
    stage.take(side, stage.bundle(tmp_path / "more.json", many))
    with vault.unlocked(side.home, stage.PASSPHRASE) as installation:
        oid = next(iter(reading.names_of(installation, [one]).values())).oid
        linked = reading.whole(installation, oid).linked
    assert linked is not None
    assert len(linked.found) == reading.LINKED
    assert linked.more


def test_all_links_are_listed_and_one_is_shown(
    sessions: Callable[[Path], Session], side: stage.Side, tmp_path: Path
) -> None:
    one, other = (stage.indicator(n, "")["id"] for n in (1, 2))
    many = [link(10 + n, one, f"rel-{n:03}", other) for n in range(250)]
    own = link(300, one, "self-evident", one)
    stage.take(side, stage.bundle(tmp_path / "more.json", [*many, own]))
    session = sessions(side.home)
    place = enter(session, side, "holdings")
    place.search.setText(one)
    wait(lambda: place.panel.shown and place.panel.shown.shown.row.id == one, "the object")
    settle(session)
    click(place.panel, "Show all links")
    sheet = wait(lambda: session.window.findChild(LinkedSheet), "the sheet")
    wait(lambda: len(sheet.model.ids) == 253 and sheet.model.row_at(0), "all of them")
    assert sheet.count.shown == "253 links"
    seen = set()
    for at in range(253):
        row = wait(lambda at=at: sheet.model.row_at(at), "the row")
        seen.add(row.data.rel)
        assert "\u202e" not in "".join(cell.shown for cell in row.cells)
    assert {f"rel-{n:03}" for n in range(250)} | {"derived-from", "indicates", "self-evident"} == seen
    absent = next(n for n in range(253) if sheet.model.row_at(n).data.row is None)
    sheet.table.select_row(absent)
    assert not sheet.button.isEnabled()
    there = next(n for n in range(253) if sheet.model.row_at(n).data.rel == "derived-from")
    sheet.table.select_row(there)
    assert sheet.button.isEnabled()
    sheet.show_current()
    wait(lambda: place.panel.shown.shown.row.id == other, "the other one")
    settle(session)
    assert not [s for s in session.window.findChildren(LinkedSheet) if s.isVisible()]
    # Closed while its links are read, and locked.
    place.panel.go_back()
    wait(lambda: place.panel.shown.shown.row.id == one, "the first one")
    place.panel.show_linked()
    session.window.findChildren(LinkedSheet)[-1].close_sheet()
    settle(session)
    place.panel.show_linked()
    session.lock()
    assert not [s for s in session.window.findChildren(LinkedSheet) if s.isVisible()]
