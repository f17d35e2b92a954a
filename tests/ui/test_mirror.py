"""Every screen in pseudo-Arabic: all words come from the catalogues, and the layout is the mirror image."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMargins, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QWidget

from app import direction, vault
from app.exchange import receiving, releases
from app.exchange.releases import Wish
from app.jobs import Job
from tests.ui import pseudo, stage
from tests.ui.driving import settle, wait
from ui.session import Session
from ui.widgets.buttons import Button, Check
from ui.widgets.chips import Chip
from ui.widgets.digits import DigitReading
from ui.widgets.layout import column
from ui.widgets.rail import PlaceButton
from ui.widgets.table import ListTable
from ui.widgets.text import Text

# What is not ours to translate: names of data, technical words, key names, the four words that tell a log.
FOREIGN = re.compile(
    r"CERT Almaria|Northmark CSIRT|R\. Haddad|S\. Duarte|Mithaq|TIDEHOOK|ours|theirs|\.json|TLP:[A-Z+]+|AMBER\+STRICT|"
    r"CLEAR|GREEN|AMBER|RED|Ctrl\+\w+|^[JN]$|kB|SHA-256|[0-9a-f]{4,}|\.[a-z]+|[a-z]+--[0-9a-f…-]+|/[\w./-]+|English|"
    r"Français|العربية|JO|PT|STIX|[a-z]+(-[a-z]+)+|stix|LANTERN|Name \d+|"
    r"\u2066[a-z]+( [a-z]+){3}\u2069|"
    r"Description \d+|unlocked|import|release|receipt|counterpart\.\w+|created|package\.\w+|setting\.\w+|\{.*\}|\[.*\]"
)
LATIN = re.compile(r"[A-Za-z]{3,}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mirror")
    a, b = stage.pair(folder)
    objects = [stage.indicator(n, f"Name {n}", description=f"Description {n}") for n in range(12)]
    stage.take(a, stage.bundle(folder / "ours.json", objects), "CLEAR")
    theirs = [one | {"confidence": 60} for one in objects[:6]] + [
        stage.indicator(n, f"Name {n}") for n in range(20, 25)
    ]
    stage.take(b, stage.bundle(folder / "theirs.json", theirs), "CLEAR")
    with vault.unlocked(b.home, stage.PASSPHRASE) as there:
        package = releases.release(there, a.name, Wish(None), folder, Job()).package.path
    with vault.unlocked(a.home, stage.PASSPHRASE) as here:
        releases.release(here, b.name, Wish(None), folder, Job())
        receiving.receive(here, package, Job())
        vault.add_slot(here, "another one, and longer", "", False, stage.CHEAP)
    return a.home


def words(window: QWidget) -> list[str]:
    """Every word of ours that is on the screen."""
    found = []
    for kind in (Text, Button, Chip, Check, PlaceButton):
        for widget in window.findChildren(kind):
            if widget.isVisible():
                found.append(widget.accessibleName())
    for table in window.findChildren(ListTable):
        if table.isVisible():
            found += [c.title for c in table.paged.columns]
    for action in window.menuBar().actions():  # type: ignore[attr-defined]
        found.append(action.text())
        # Behind a tab stand the keys, which are called what is written on them.
        found += [a.text().partition("\t")[0] for a in action.menu().actions()]
    return found


def untranslated(window: QWidget) -> set[str]:
    return {w for w in words(window) if LATIN.search(FOREIGN.sub("", w))}


def unshown(window: QWidget) -> set[str]:
    """Texts that Qt shows or speaks as they are, in which something still stands for an isolate."""
    found = []
    for widget in [window, *window.findChildren(QWidget)]:
        found += [
            widget.toolTip(),
            widget.accessibleName(),
            widget.accessibleDescription(),
            widget.windowTitle(),
        ]
        for name in ("text", "placeholderText"):
            found += [value] if isinstance(value := widget.property(name), str) else []
    for action in window.findChildren(QAction):
        found += [action.text(), action.toolTip()]
    return {text for text in found if any(character in direction.OWN for character in text)}


def walk(session: Session, visit: Callable[[str], None]) -> None:
    frame: Any = session.window.frame
    for key in ("holdings", "inbox", "releases", "counterparts", "audit", "settings"):
        session.go(key)
        settle(session)
        visit(key)
    frame.place("inbox").review(frame.place("inbox").packages.model.ids[0])
    wait(lambda: frame.place("inbox").under_review._beside, "the comparison")
    settle(session)
    visit("review")
    frame.place("inbox").leave()
    session.desk.release_wanted.emit(None)  # type: ignore[union-attr]
    wait(lambda: frame.place("releases").draft and frame.place("releases").draft._judged, "the verdicts")
    settle(session)
    visit("new release")
    frame.place("releases").leave()


def test_every_word_comes_from_the_catalogues(home: Path, sessions: Callable[[Path], Session]) -> None:
    pseudo.switch(True)
    try:
        session = sessions(home)
        QApplication.processEvents()
        assert not {
            w
            for w in (t.accessibleName() for t in session.window.findChildren(Text))
            if LATIN.search(FOREIGN.sub("", w))
        }
        session.enter(vault.unlock(home, stage.PASSPHRASE))
        wait(lambda: session.desk, "the frame")
        settle(session)
        left: dict[str, set[str]] = {}
        walk(session, lambda key: left.update({key: untranslated(session.window) | unshown(session.window)}))
        assert {key: found for key, found in left.items() if found} == {}
    finally:
        pseudo.switch(False)


def test_the_layout_is_the_mirror_image(home: Path, sessions: Callable[[Path], Session]) -> None:
    def places(session: Session) -> dict[str, tuple[int, int, int]]:
        frame: Any = session.window.frame
        holdings = frame.place("holdings")
        width = session.window.width()
        made = {}
        for name, widget in {
            "rail": frame.rail,
            "table": holdings.table,
            "panel": holdings.panel,
            "title": holdings.header.title,
            "search": holdings.search,
            "chips": holdings.filters.types.chips[0],
            "inbox": frame.rail.place("inbox"),
        }.items():
            corner = widget.mapTo(session.window, QPoint(0, 0))
            made[name] = (corner.x(), width - corner.x() - widget.width(), widget.width())
        return made

    def open_() -> Session:
        session = sessions(home)
        session.window.resize(1440, 900)
        session.enter(vault.unlock(home, stage.PASSPHRASE))
        wait(lambda: session.desk, "the frame")
        session.go("holdings")
        settle(session)
        return session

    there = open_()
    left = places(there)
    there.lock()
    wait(lambda: not there._unlock._busy.isVisible(), "the store to be closed")
    pseudo.switch(True)
    try:
        right = places(open_())
    finally:
        pseudo.switch(False)
    for name in ("rail", "table", "panel", "inbox"):
        assert abs(left[name][0] - right[name][1]) <= 1, name
    assert right["title"][0] > right["search"][0]
    assert abs(left["chips"][0] - right["chips"][1]) <= 1


@pytest.mark.usefixtures("qapp")
def test_digits_to_read_out_never_mirror() -> None:
    reading = DigitReading("40719326")
    reading.resize(600, 112)
    there = reading.grab().toImage()
    QApplication.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        assert reading.grab().toImage() == there
    finally:
        QApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


@pytest.mark.usefixtures("qapp")
def test_margins_are_mirrored() -> None:
    assert column(margins=(32, 24, 16, 12)).contentsMargins() == QMargins(32, 24, 16, 12)
    QApplication.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        assert column(margins=(32, 24, 16, 12)).contentsMargins() == QMargins(16, 24, 32, 12)
    finally:
        QApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def test_placeholders_survive() -> None:
    assert "{name}" in pseudo.arabic("From {name}, package {seq}")
    assert not LATIN.search(pseudo.arabic("Every Word Is Arabic"))
