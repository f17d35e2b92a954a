"""From the first paint to the end: doors, idle lock, files from outside, one window, no display, practice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app import practice, vault
from app.exchange import counterparts, receiving, releases
from app.exchange.releases import Wish
from app.jobs import Job
from app.store import index
from app.store.database import Database
from tests.ui import stage
from tests.ui.driving import click, settle, type_into, wait
from tests.ui.test_told import words
from ui import main as program
from ui.screens.entry import FirstRun, Unlock
from ui.session import Session, kind_of, speak
from ui.single import Single
from ui.theme import theme
from ui.widgets.sheet import Sheet

Make = Callable[[Path], Session]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[stage.Side, stage.Side, Path]:
    folder = tmp_path_factory.mktemp("session")
    a, b = stage.pair(folder)
    stage.take(
        b, stage.bundle(folder / "theirs.json", [stage.indicator(n, f"Name {n}") for n in range(5)]), "CLEAR"
    )
    with vault.unlocked(b.home, stage.PASSPHRASE) as there:
        releases.release(there, a.name, Wish(None), folder / "package.age", Job())
    return a, b, folder


def enter(session: Session, home: Path) -> Any:
    session.enter(vault.unlock(home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    return session.window.frame


# --- doors --------------------------------------------------------------------------------


def test_first_run_says_what_is_missing(sessions: Make, tmp_path: Path) -> None:
    session = sessions(tmp_path / "home")
    door = session.window.findChild(FirstRun)
    assert door is not None
    type_into(door.passphrase, "one thing here")
    type_into(door.again, "another thing")
    click(door, "Create the installation")
    assert door.refusal.code == "passphrase-differs"
    type_into(door.again, "one thing here")
    type_into(door.name, "CERT Almaria")
    type_into(door.country, "J")
    type_into(door.officer, "R. Haddad")
    click(door, "Create the installation")
    wait(lambda: door.refusal.code == "country-unusable", "the refusal")
    assert not (tmp_path / "home").exists()


def test_an_installation_in_use_is_refused(sessions: Make, pair: tuple[stage.Side, stage.Side, Path]) -> None:
    a, _b, _folder = pair
    with vault.unlocked(a.home, stage.PASSPHRASE):
        session = sessions(a.home)
        door = session.window.findChild(Unlock)
        assert door is not None
        type_into(door.passphrase, stage.PASSPHRASE)
        click(door, "Unlock")
        wait(lambda: door.refusal.code == "in-use", "the refusal")
    assert not door.passphrase.text()


def test_indexes_made_anew_are_shown_and_can_be_stopped(
    sessions: Make, pair: tuple[stage.Side, stage.Side, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = index.bring_up_to_date

    def endless(here: Database, step: Callable[[int, int], None]) -> None:
        monkeypatch.setattr(index, "bring_up_to_date", real)
        for _n in range(20):
            step(2, 10)
            time.sleep(0.01)
        with here.write() as tx:
            tx.execute(
                "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
            )

    monkeypatch.setattr(index, "bring_up_to_date", endless)
    session = sessions(pair[0].home)
    door = session.window.findChild(Unlock)
    assert door is not None
    assert not door.stop.isVisible()
    type_into(door.passphrase, stage.PASSPHRASE)
    click(door, "Unlock")
    wait(door.stop.isVisible, "the progress")
    assert door.busy_text.text() == "Indexing 2 of 10"
    bar = door.busy.grab().toImage()
    done, left = (bar.pixel(round(bar.width() * part), bar.height() // 2) for part in (0.15, 0.25))
    assert done != left, "the bar says the same as the words"
    click(door, "Cancel")
    wait(door.button.isEnabled, "the end")
    assert (door.stop.isVisible(), door.busy_text.text(), door.refusal.code) == (False, "", "")
    type_into(door.passphrase, stage.PASSPHRASE)
    click(door, "Unlock")
    wait(lambda: session.desk, "the frame")


# --- locking --------------------------------------------------------------------------------


def test_idle_locks(sessions: Make, pair: tuple[stage.Side, stage.Side, Path]) -> None:
    session = sessions(pair[0].home)
    frame = enter(session, pair[0].home)
    session._idle._seconds = session._idle.minutes * 60 - 2
    session._idle._tick()
    assert frame.rail.until_lock.shown == "Locks in 1 s"
    QTest.keyClick(session.window, Qt.Key.Key_Shift)
    session._idle._tick()
    assert frame.rail.until_lock.shown == f"Locks in {session._idle.minutes} min"
    session._idle._seconds = session._idle.minutes * 60
    session._idle._tick()
    assert session.window.frame is None
    assert session.desk is None


def test_a_language_is_chosen_and_left_again(
    sessions: Make, pair: tuple[stage.Side, stage.Side, Path]
) -> None:
    home = pair[0].home
    session = sessions(home)
    words = {"ar": "المحفوظات", "en": "Holdings", "system": "Holdings"}
    try:
        frame = enter(session, home)
        for language in ("ar", "en", "ar", "system"):
            place: Any = frame.place("settings")
            wait(lambda place=place: place._shown, "the settings")
            place.language._choose(language)
            settle(session)
            session.lock()
            wait(lambda: session._unlock.button.isEnabled(), "the door")
            frame = enter(session, home)
            assert frame.rail.place("holdings").accessibleName() == words[language]
            mirrored = session.window.layoutDirection() == Qt.LayoutDirection.RightToLeft
            assert mirrored is (language == "ar")
    finally:
        speak("en")


def test_the_look_chosen_in_the_menu_is_kept_and_marked(
    sessions: Make, pair: tuple[stage.Side, stage.Side, Path]
) -> None:
    home = pair[0].home
    session = sessions(home)

    def marked() -> set[str]:
        return {one.objectName() for one in session.window.registry.actions() if one.isChecked()}

    frame = enter(session, home)
    assert marked() == {"scheme-system"}
    for key in ("scheme-dark", "scheme-dark", "density"):
        session.window.registry.run(key)
        settle(session)
    assert marked() == {"scheme-dark", "density"}
    place: Any = frame.place("settings")
    wait(lambda: place.scheme.value == "dark" and place.density.value == "compact", "the settings")
    session.lock()
    wait(lambda: session._unlock.button.isEnabled(), "the door")
    theme().set_mode("light")
    theme().set_density("normal")
    frame = enter(session, home)
    assert (theme().mode, theme().density) == ("dark", "compact")
    assert marked() == {"scheme-dark", "density"}
    place = frame.place("settings")
    wait(lambda: place._shown, "the settings")
    place.change("density", "normal")
    settle(session)
    assert marked() == {"scheme-dark"}


def test_the_log_tells_of_settings_and_counterparts_in_words(
    sessions: Make, pair: tuple[stage.Side, stage.Side, Path]
) -> None:
    session = sessions(pair[0].home)
    frame = enter(session, pair[0].home)
    place: Any = frame.place("settings")
    wait(lambda: place._shown, "the settings")
    for name, value in (("theme", "high_contrast"), ("idle_minutes", "30"), ("handling", "GREEN")):
        place.change(name, value)
    settle(session)
    session.go("audit")
    log: Any = frame.place("audit")
    wait(lambda: log.model.row_at(0), "the log")
    said = [log.model.row_at(n).cells[0].text for n in range(3)]
    assert said == [
        "Setting changed · Default handling: TLP:GREEN",
        "Setting changed · Lock after: 30 minutes",
        "Setting changed · Colours: High contrast",
    ]
    log.table.select_row(2)
    wait(lambda: "Colours\nHigh contrast" in words(log.panel), "the entry")
    rows = [log.model.row_at(n).cells[0].text for n in range(len(log.model.ids))]
    log.table.select_row(rows.index("Counterpart verified"))
    alias = pair[1].name
    wait(lambda: f"\u2068{alias}\u2069" in words(log.panel), "the counterpart by its name")


def test_going_to_sleep_locks(sessions: Make, pair: tuple[stage.Side, stage.Side, Path]) -> None:
    session = sessions(pair[0].home)
    enter(session, pair[0].home)
    assert session.desktop is not None
    session.desktop.asleep(False)
    assert session.window.frame is not None
    session.desktop.asleep(True)
    assert session.window.frame is None


@pytest.mark.skipif(not shutil.which("dbus-run-session"), reason="no dbus-run-session here")
def test_a_locked_screen_is_heard_on_the_bus() -> None:
    code = (
        "from PySide6.QtCore import QCoreApplication, QTimer\n"
        "from PySide6.QtDBus import QDBusConnection, QDBusMessage\n"
        "from ui.system import Desktop\n"
        "app = QCoreApplication([])\n"
        "desktop = Desktop()\n"
        "desktop.away.connect(lambda: (print('away'), app.quit()))\n"
        "assert desktop.listen()\n"
        "said = QDBusMessage.createSignal('/s', 'org.freedesktop.ScreenSaver', 'ActiveChanged')\n"
        "said.setArguments([True])\n"
        "QTimer.singleShot(0, lambda: QDBusConnection.sessionBus().send(said))\n"
        "QTimer.singleShot(5000, app.quit)\n"
        "app.exec()\n"
    )
    command = ["dbus-run-session", "--", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "away", done.stderr


def test_locking_covers_sheets_and_stops_work(
    sessions: Make, pair: tuple[stage.Side, stage.Side, Path]
) -> None:
    home = pair[0].home
    session = sessions(home)
    enter(session, home)
    stopped: list[bool] = []
    desk = session.desk
    assert desk is not None

    def work(_installation: object, job: Job) -> None:
        try:
            while True:
                job.step(0, 0, "store")
        finally:
            stopped.append(True)

    desk.write(work, lambda _none: None, changes=("holdings",), title="Endless")
    sheet = Sheet(session.window, "A secret")
    sheet.open()
    wait(lambda: desk.jobs.running, "the work")
    session.lock()
    assert sheet.isHidden()
    locked: list[int] = []
    session.locked.connect(lambda: locked.append(1))
    wait(lambda: locked, "the store to be closed")
    assert stopped == [True]
    with vault.unlocked(home, stage.PASSPHRASE):
        pass
    assert "TIDEHOOK" not in session.window.windowTitle()


# --- files from outside --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head,kind",
    [
        (b"age-encryption.org/v1\n-> x", "package"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----", "package"),
        (b"MITHAQ-DOCUMENT-1\n\x04card", "card"),
        (b'{"type":"bundle"', "bundle"),
        (b"", "bundle"),
    ],
)
def test_what_a_file_is(head: bytes, kind: str) -> None:
    assert kind_of(head) == kind


def drop(session: Session, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    session.window.dropEvent(event)  # what Qt calls once the platform says so


def test_a_dropped_package_a_card_and_a_bundle_find_their_places(
    sessions: Make, pair: tuple[stage.Side, stage.Side, Path], tmp_path: Path
) -> None:
    a, _b, folder = pair
    session = sessions(a.home)
    frame = enter(session, a.home)
    drop(session, folder / "package.age")
    wait(lambda: frame.place("inbox").packages.model.ids, "the package")
    assert frame.current == "inbox"
    settle(session)
    drop(session, folder / "package.age")
    wait(lambda: frame.place("inbox").packages.refusal.code == "status-duplicate", "the duplicate to be told")
    third = stage.create(tmp_path / "third", "Third CERT")
    with vault.unlocked(third.home, stage.PASSPHRASE) as other:
        (tmp_path / "third.card").write_bytes(counterparts.own_card(other))
    drop(session, tmp_path / "third.card")
    wait(lambda: len(frame.place("counterparts").list.ones) == 2, "the card")
    drop(session, stage.bundle(tmp_path / "x.json", [stage.indicator(900, "Dropped")]))
    wait(lambda: frame.place("holdings").model.ids, "the bundle")
    (tmp_path / "junk.bin").write_bytes(b"\x00\x01 nothing")
    drop(session, tmp_path / "junk.bin")
    wait(lambda: frame.place("holdings").refusal.code, "the refusal")
    drop(session, tmp_path / "gone.json")
    wait(lambda: frame.refusal.code == "file-unreadable", "the refusal")


def test_a_file_waits_for_the_unlocking(
    qapp: QApplication, pair: tuple[stage.Side, stage.Side, Path]
) -> None:
    _a, b, folder = pair
    session = Session(qapp, b.home, file=folder / "package.age")
    session.show()
    frame = enter(session, b.home)
    wait(
        lambda: frame.place("inbox").packages.refusal.code == "reflected",
        "our own package to be told from theirs",
    )
    session.window.close()


# --- one window, no display --------------------------------------------------------------------------------


def test_a_second_start_hands_its_file_over(qapp: QApplication, tmp_path: Path) -> None:
    first, second = Single(tmp_path / "home"), Single(tmp_path / "home")
    assert not first.handed_over(None)
    got: list[str] = []
    first.received.connect(got.append)
    assert second.handed_over(tmp_path / "a package.age")
    wait(lambda: got, "the file")
    assert got == [str(tmp_path / "a package.age")]
    another = Single(tmp_path / "another home")
    assert not another.handed_over(None)
    first.close()
    another.close()


def test_without_a_display_one_line_and_the_practice(tmp_path: Path) -> None:
    environment = {
        k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    environment["TMPDIR"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "ui.main"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "accepted" in done.stdout


@pytest.mark.parametrize(
    "environment,shown",
    [
        ({}, False),
        ({"DISPLAY": ":1"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({"QT_QPA_PLATFORM": "offscreen"}, True),
        ({"QT_QPA_PLATFORM": "xcb"}, False),
    ],
)
def test_whether_there_is_a_display(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], shown: bool
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert program.has_display() == shown


# --- practice --------------------------------------------------------------------------------


def test_practice_opens_both_windows_and_says_what_comes_next(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = vault.create
    monkeypatch.setattr(vault, "create", lambda *a, **k: real(*a, **{**k, "cost": stage.CHEAP}))
    assert practice.vault is vault
    both = program.Program(qapp)
    first = both.open(tmp_path / "nothing")
    door = first.window.findChild(FirstRun)
    assert door is not None
    click(door, "Practise first")
    wait(lambda: len(both.sessions) == 2 and all(s.desk for s in both.sessions), "both windows", 60)
    for session in both.sessions:
        settle(session)
    from ui.practice import Guide

    guides = [wait(lambda s=s: s.window.findChild(Guide), "the guide") for s in both.sessions]  # type: ignore[misc]
    wait(lambda: all(g.words.shown for g in guides), "the first step")  # type: ignore[union-attr]
    assert guides[0].words.shown.startswith("Practice 1 of 4")  # type: ignore[union-attr]
    assert guides[1].words.shown.startswith("Practice 2 of 4")  # type: ignore[union-attr]
    a, b = both.sessions
    stick = guides[0]._stick  # type: ignore[union-attr]
    a.desk.write(  # type: ignore[union-attr]
        lambda i, job: releases.release(i, "Northmark CSIRT", Wish(None), stick, job), changes=("releases",)
    )
    wait(lambda: guides[0].words.shown.startswith("Practice 2 of 4"), "the second step")  # type: ignore[union-attr]
    [package] = list(stick.iterdir())
    b.desk.write(lambda i, job: receiving.receive(i, package, job), changes=("inbox",))  # type: ignore[union-attr]
    wait(lambda: guides[1].words.shown.startswith("Practice 3 of 4"), "the third step")  # type: ignore[union-attr]
    for session in both.sessions:
        session.window.close()
    both.wait()
