"""The store in the settings: checked, mended, compacted; an installation that was moved works here again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLineEdit

from app import vault
from app.jobs import Job
from app.store.installation import Installation
from tests.ui import stage
from tests.ui.driving import click, settle, type_into, wait
from tests.ui.test_told import enter, words
from ui.session import Session
from ui.widgets.buttons import Button
from ui.widgets.sheet import Question, Sheet

Make = Callable[[Path], Session]


@pytest.fixture
def side(tmp_path: Path) -> stage.Side:
    side = stage.create(tmp_path / "home")
    stage.take(side, stage.bundle(tmp_path / "b.json", [stage.indicator(n, f"Name {n}") for n in range(9)]))
    return side


def damage(side: stage.Side, *statements: str) -> None:
    with vault.unlocked(side.home, stage.PASSPHRASE) as here, here.database.write() as tx:
        for one in statements:
            tx.execute(one)


def question(session: Session) -> Any:
    return wait(lambda: next((s for s in session.window.findChildren(Question) if s.isVisible()), None))


def test_a_sound_store_is_checked_and_compacted(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    place = enter(session, side, "settings")
    assert "The store takes " in words(place.store)
    assert "No keyring protects" in words(place.store)
    session.desk.actions.run("check-store")  # type: ignore[union-attr]
    wait(lambda: place.result.words == "Checked: nothing is wrong.", "the check")
    holdings: Any = session.window.frame.place("holdings")  # type: ignore[union-attr]
    click(place.store, "Compact")
    for _round in range(3):
        holdings.reload()
    wait(lambda: place.result.words.startswith("Compacted: "), "compaction")
    settle(session)
    assert len(holdings.model.ids) == 9
    assert holdings.refusal.code == ""


def test_the_next_act_takes_a_refusal_of_another_section_away(
    sessions: Make, side: stage.Side, tmp_path: Path
) -> None:
    session = sessions(side.home)
    place = enter(session, side, "settings")
    taken = tmp_path / "taken.backup"
    taken.write_bytes(b"x")
    place.backup.back_up(taken)
    wait(lambda: place.backup.refusal.code, "the refusal")
    place.change("idle_minutes", "5")
    wait(lambda: place.result.words == "Changed.", "the act in another section")
    assert place.backup.refusal.code == ""
    place.drops.ask()
    assert place.drops.refusal.code == "drop-counterpart"
    place.backup.back_up(tmp_path / "fresh.backup")
    assert place.drops.refusal.code == ""
    wait(lambda: place.result.words == "Backup written and read back.", "the backup")


def test_what_the_check_found_stays_until_it_is_looked_at_again(sessions: Make, side: stage.Side) -> None:
    damage(side, "UPDATE facet SET objects = objects + 1 WHERE facet = 'type'")
    session = sessions(side.home)
    place = enter(session, side, "settings")
    click(place.store, "Check everything")
    wait(lambda: place.store.refusal.code == "counters-wrong", "what it found")
    place.change("idle_minutes", "5")
    wait(lambda: place.result.words == "Changed.", "another act")
    assert place.store.refusal.code == "counters-wrong"


def test_stopping_says_that_nothing_was_changed(sessions: Make, side: stage.Side) -> None:
    session = sessions(side.home)
    place = enter(session, side, "settings")
    desk: Any = session.desk
    for act, said in (
        (place.store.check, "The check was stopped."),
        (place.store.compact, "Compacting was stopped."),
    ):
        go = threading.Event()
        desk.write(lambda _i, _job, go=go: go.wait(), changes=())
        act()
        desk.jobs.running[-1].cancel()
        go.set()
        wait(lambda said=said: place.result.words.startswith(said), said)
        assert place.result.words.endswith("Nothing was changed.")


def test_locking_while_the_store_is_written_anew_leaves_it_whole(
    sessions: Make, side: stage.Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = sessions(side.home)
    place = enter(session, side, "settings")
    began, ended, go_on = threading.Event(), threading.Event(), threading.Event()
    compact = vault.compact

    def slow(installation: Installation, job: Job) -> vault.Compacted:
        began.set()
        go_on.wait()
        return compact(installation, job)

    monkeypatch.setattr(vault, "compact", slow, raising=False)
    place.store.compact()
    began.wait()
    session.locked.connect(ended.set)
    session.lock()
    go_on.set()
    wait(ended.is_set, "the store to close")
    with vault.unlocked(side.home, stage.PASSPHRASE) as here:
        assert vault.check(here, Job()) == []


def test_what_is_wrong_is_told_in_full_and_mended(sessions: Make, side: stage.Side) -> None:
    damage(side, "UPDATE facet SET objects = objects + 1 WHERE facet = 'type'")
    session = sessions(side.home)
    place = enter(session, side, "settings")
    desk: Any = session.desk
    (desk.installation.attachments / "stray <b>").write_bytes(b"x")
    click(place.store, "Check everything")
    wait(lambda: place.store.refusal.code == "problems-found", "the refusal")
    click(place.store, "Show…")
    listed = wait(lambda: next((s for s in session.window.findChildren(Sheet) if s.isVisible()), None))
    said = words(listed)
    assert "counters-wrong" in said
    assert "stray <b>" in said
    click(listed, "Make the indexes anew")
    asked = question(session)
    assert "earlier time" not in words(asked)
    click(asked, "Make the indexes anew")
    wait(lambda: place.store.refusal.code == "attachment-stray", "what is left, by itself")
    settle(session)
    (desk.installation.attachments / "stray <b>").unlink()
    click(place.store, "Check everything")
    wait(lambda: place.result.words == "Checked: nothing is wrong.", "the check")
    assert place.store.refusal.code == ""


def test_after_a_move_that_came_to_nothing_it_works_here_again(
    sessions: Make, side: stage.Side, tmp_path: Path
) -> None:
    with vault.unlocked(side.home, stage.PASSPHRASE) as here:
        vault.back_up(here, tmp_path / "moved", Job(), move=True)
    session = sessions(side.home)
    place = enter(session, side, "settings")
    assert "was moved to another machine on" in words(place.backup)
    assert not [b for b in place.backup.findChildren(Button) if b.label.startswith("Move") and b.isVisible()]
    click(place.backup, "Work here again")
    asked = question(session)
    type_into(asked.findChild(QLineEdit), "not restored")
    click(asked, "Work here again")
    wait(lambda: place.result.words.startswith("This installation is at work again."), "the result")
    settle(session)
    desk: Any = session.desk
    assert vault.retired(desk.installation) == ""
    assert "was moved" not in words(place.backup)


def test_what_was_done_is_not_said_of_what_is_refused(
    sessions: Make, side: stage.Side, tmp_path: Path
) -> None:
    session = sessions(side.home)
    place = enter(session, side, "settings")
    place.backup.back_up(tmp_path / "one.backup")
    wait(lambda: place.result.words == "Backup written and read back.", "the backup")
    place.backup.back_up(tmp_path / "one.backup")
    wait(lambda: place.backup.refusal.code == "target-exists", "the refusal")
    assert place.result.words == ""
