"""Purge from the window: what the question names, that no key alone does it, and what it could not reach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from app import vault
from app.exchange import receipts, receiving, releases, sanitising
from app.exchange.releases import Wish
from app.holdings import browsing, purge
from app.jobs import Job
from app.messages import Refused
from tests.ui import stage
from tests.ui.driving import click, press, settle, type_into, wait
from ui.screens.holdings import Holdings
from ui.session import Session
from ui.widgets.sheet import Question
from ui.widgets.text import Text

Make = Callable[[Path], Session]
HOSTILE = "\u202eevil <img src=/dev/zero> & more"


def objects() -> list[dict[str, Any]]:
    """One that another refers to, in two versions; that other; one that Northmark sends too; and one beside."""
    hook = stage.indicator(1, HOSTILE)
    note = {
        "type": "note",
        "spec_version": "2.1",
        "id": "note--00000000-0000-4000-8000-000000000005",
        "created": "2026-03-01T08:00:00.000Z",
        "modified": "2026-03-01T08:00:00.000Z",
        "content": "See there.",
        "object_refs": [hook["id"]],
    }
    newer = hook | {"modified": "2026-04-01T08:00:00.000Z"}
    return [hook, newer, note, stage.indicator(2, "Theirs too"), stage.indicator(3, "Beside")]


@pytest.fixture
def session(sessions: Make, tmp_path: Path) -> Session:
    """Almaria gave Northmark the first as package 1, acknowledged, and as 2, and got a package that waits."""
    a, b = stage.pair(tmp_path)
    stage.take(a, stage.bundle(tmp_path / "a.json", objects()), "CLEAR")
    stage.take(b, stage.bundle(tmp_path / "b.json", objects()[3:4]), "CLEAR")
    with (
        vault.unlocked(a.home, stage.PASSPHRASE) as here,
        vault.unlocked(b.home, stage.PASSPHRASE) as there,
    ):
        wish = Wish((objects()[0]["id"],))
        first = releases.release(here, b.name, wish, tmp_path, Job()).package.path
        receiving.receive(there, first, Job())
        receiving.receive(here, receipts.send(there, a.name, tmp_path, Job()).path, Job())
        other = releases.release(there, a.name, Wish((objects()[3]["id"],)), tmp_path, Job()).package.path
        receiving.receive(here, other, Job())
        releases.release(here, b.name, Wish((objects()[3]["id"],)), tmp_path, Job())
    return enter(sessions, a)


def test_the_question_says_who_has_a_sanitised_form(sessions: Make, tmp_path: Path) -> None:
    a, b = stage.pair(tmp_path)
    stage.take(a, stage.bundle(tmp_path / "a.json", [stage.indicator(1, "Whole in the harbour")]), "CLEAR")
    with vault.unlocked(a.home, stage.PASSPHRASE) as here:
        wanted = sanitising.Wanted(redact=("harbour",))
        original = stage.indicator(1, "")["id"]
        made = sanitising.sanitise(here, b.name, [original], wanted, False, Job()).made
        releases.release(here, b.name, Wish((made[-1].id,)), tmp_path, Job())
    session = enter(sessions, a)
    choose(session, "harbour", 1)
    press(session, Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    said = words(question(session))
    assert "Went out sanitised" in said
    assert "Package 1 to \u2068Northmark CSIRT\u2069" in said


@pytest.fixture
def alone(sessions: Make, tmp_path: Path) -> Session:
    """Almaria, who knows nobody."""
    a = stage.create(tmp_path / "a")
    stage.take(a, stage.bundle(tmp_path / "a.json", objects()), "CLEAR")
    return enter(sessions, a)


def enter(sessions: Make, side: stage.Side) -> Session:
    made = sessions(side.home)
    made.enter(vault.unlock(side.home, stage.PASSPHRASE))
    wait(lambda: made.desk, "the frame")
    settle(made)
    return made


def place(session: Session) -> Holdings:
    found = session.window.findChild(Holdings)
    assert found is not None
    return found


def question(session: Session) -> Question:
    def find() -> Question | None:
        return next((s for s in session.window.findChildren(Question) if s.isVisible()), None)

    found = wait(find, "the question")
    assert found is not None
    return found


def words(widget: Any) -> str:
    return "\n".join(text.shown for text in widget.findChildren(Text) if text.isVisibleTo(widget))


def held(session: Session) -> set[str]:
    desk = session.desk
    assert desk is not None
    return {row.name or row.type for row in browsing.page(desk.installation, browsing.selection()).rows}


def choose(session: Session, query: str, count: int) -> None:
    place(session).search.setText(query)
    wait(lambda: len(place(session).model.ids) == count, query)
    place(session).table.selectAll()


def test_the_question_names_what_goes_what_went_out_and_what_stays(session: Session) -> None:
    here = place(session)
    choose(session, "type:indicator", 3)
    press(session, Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    asked = question(session)
    said = words(asked)
    for part in (
        "Purge 3 objects?",
        "cannot be undone",
        "3 objects in 4 versions",
        "Package 1 to \u2068Northmark CSIRT\u2069",
        "1 object",
        "Package 2 in the inbox still holds it",
        "for Northmark CSIRT carries it",
        "is still held and refers to",
        "backups that were made before",
    ):
        assert part in said
    # Neither Enter nor a half-typed word does anything.
    assert session.window.focusWidget() is asked.cancel
    field = asked.findChild(QLineEdit)
    assert field is not None
    act = next(b for b in asked.findChildren(type(asked.cancel)) if b.label == "Purge 3 objects")
    type_into(field, "purg")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert not act.isEnabled()
    QTest.keyClick(field, Qt.Key.Key_Escape)
    settle(session)
    assert len(held(session)) == 4

    click(here.selection_foot, "Purge…")
    asked = question(session)
    field = asked.findChild(QLineEdit)
    assert field is not None
    type_into(field, "purge")
    click(asked, "Purge 3 objects")
    wait(lambda: "removed for good" in here.result.words, "the end")
    assert here.result.words == "3 objects in 4 versions removed for good."
    assert held(session) == {"See there."}
    wait(here.telling.isVisible, "what it could not reach")
    assert "still named or carried in 3 places" in words(here.telling)
    here.telling.show_all()
    wait(lambda: "Decide the package" in words(session.window), "the remedy")
    settle(session)
    assert here.panel.shown is None
    assert not here.refusal.code


def test_one_object_alone_is_purged_and_leaves_nothing_to_tell(alone: Session) -> None:
    here = place(alone)
    choose(alone, "Beside", 1)
    here.purge_selected()
    asked = question(alone)
    assert "Went out" not in words(asked)
    assert "Still named" not in words(asked)
    type_into(asked.findChild(QLineEdit), "purge")  # type: ignore[arg-type]
    click(asked, "Purge 1 object")
    wait(lambda: here.result.words == "1 object removed for good.", "the end")
    assert not here.telling.isVisible()
    assert "Beside" not in held(alone)


def test_what_changed_since_it_was_looked_at_stays_and_a_cancelled_purge_does_nothing(
    alone: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, desk = place(alone), alone.desk
    assert desk is not None
    oids = browsing.oids(desk.installation, browsing.selection("type:indicator"))
    seen = purge.foresee(desk.installation, oids, Job())
    newer = stage.indicator(3, "Beside", modified="2026-05-01T08:00:00.000Z")
    here.import_file(stage.bundle(tmp_path / "new.json", [newer]))
    settle(alone)
    here.purge.purge(seen)
    wait(lambda: here.refusal.code == "purge-changed", "the refusal")
    assert len(held(alone)) == 4

    begun, real = [], purge.purge

    def stopped(tx: Any, installation: Any, ids: Any, job: Any = None) -> Any:
        done = real(tx, installation, ids, job)
        begun.append(done)
        job.cancel()
        job.step(0, 0, "purge")
        return done

    monkeypatch.setattr(purge, "purge", stopped)
    here.purge.purge(purge.foresee(desk.installation, oids, Job()))
    wait(lambda: "cancelled" in here.result.words, "the end")
    assert begun[0].objects == 3
    assert len(held(alone)) == 4


def test_what_is_done_though_its_traces_stay_is_shown_as_done(
    alone: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, desk = place(alone), alone.desk
    assert desk is not None
    choose(alone, "Beside", 1)
    seen = purge.foresee(desk.installation, [here.model.ids[0]], Job())  # type: ignore[list-item]
    real = purge.purge_foreseen

    def failing(installation: Any, seen: Any, job: Any) -> Any:
        real(installation, seen, job)
        raise Refused("traces-left", why="a disk")

    monkeypatch.setattr(purge, "purge_foreseen", failing)
    here.purge.purge(seen)
    wait(lambda: here.refusal.code == "traces-left", "the refusal")
    wait(lambda: not here.model.ids, "the list without it")
