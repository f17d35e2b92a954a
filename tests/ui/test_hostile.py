"""Forty hostile strings in every component and in every view of the real window: nothing hangs, nothing is read as
markup, nothing acts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QTextEdit, QWidget

from app import vault
from app.exchange import counterparts, receiving, releases
from app.exchange.releases import Wish
from app.jobs import Job
from app.messages import Refused, plain
from tests.ui import stage
from tests.ui.driving import settle, wait
from tests.ui.hostile import STRINGS
from ui.jobs import Task
from ui.session import Session
from ui.widgets.buttons import Button, Check, Choice, Segments
from ui.widgets.chips import Chip, ChipRow, ChipSpec
from ui.widgets.diff import DiffText
from ui.widgets.notices import Empty, Notice, Refusal, ResultLine
from ui.widgets.page import Header
from ui.widgets.paging import Cell, Column, Row, fixed_rows
from ui.widgets.panel import DetailPanel, Section, entry, fact, identifier, object_title, tags
from ui.widgets.rail import ProgressCard
from ui.widgets.sheet import Question, Sheet
from ui.widgets.table import ListTable
from ui.widgets.tags import HandlingTag, KeyHint, TlpTag
from ui.widgets.text import Text
from ui.widgets.verdicts import Group, VerdictGroup

PATIENCE_S = 20.0
"""Seconds that no text costs on any machine, unless it costs more the longer it is."""
COLUMNS = (
    Column("a", "A", 0, "name"),
    Column("b", "B", 90, "mono"),
    Column("c", "C", 120),
    Column("d", "D", 90, "date"),
)


def row(text: str) -> Row:
    return Row((Cell(text, icon="bug", status="conflict"), Cell(text), Cell(text, level=text), Cell(text)))


def refusal(text: str) -> Refusal:
    made = Refusal()
    made.show_words(text, text, text, (text, lambda: None))
    return made


def answered(text: str) -> Refusal:
    made = Refusal()
    made.show_refusal(Refused("file-unreadable", path=text, why=text))
    return made


def panel(text: str) -> DetailPanel:
    made = DetailPanel()
    made.show_items(
        [
            object_title("bug", text, text),
            identifier(text),
            tags(text, text),
            Section(text, 3, fact(text, text)),
        ]
    )
    made.show_foot([Button(text)])
    return made


def group(text: str) -> VerdictGroup:
    some = Group(text, "held", 9, text, text, [row(text)] * 5, (text, "bug", lambda: None))
    return VerdictGroup(some, COLUMNS)


def result(text: str) -> ResultLine:
    made = ResultLine()
    made.say(text)
    return made


def chips(text: str) -> ChipRow:
    made = ChipRow(lambda _key: None)
    made.set([ChipSpec(text, text, 3, "bug"), ChipSpec("other", text, 0)], text)
    return made


COMPONENTS: dict[str, Callable[[str], QWidget]] = {
    "text": Text,
    "paragraph": lambda t: Text(t, wrap=True),
    "mono": lambda t: Text(t, mono=True, wrap=True),
    "button": lambda t: Button(t, icon="bug", trailing="chevron-down"),
    "check": Check,
    "choice": lambda t: Choice([("a", t), ("b", t)], "a", lambda _v: None),
    "segments": lambda t: Segments([("a", t), ("b", "x")], "a"),
    "chip": lambda t: Chip(ChipSpec("a", t, 3, "bug")),
    "chips": chips,
    "notice": Notice,
    "refusal": refusal,
    "refusal with facts": answered,
    "empty": lambda t: Empty("bug", t),
    "result": result,
    "header": Header,
    "marking": TlpTag,
    "handling": lambda t: HandlingTag(t, long=True),
    "key": KeyHint,
    "fact": lambda t: fact(t, t),
    "entry": lambda t: entry("bug", t, t),
    "panel": panel,
    "group": group,
    "diff": lambda t: DiffText([(t, True), (t, False)]),
    "table": lambda t: ListTable(fixed_rows(COLUMNS, [row(t)] * 3), "x"),
    "progress": lambda t: ProgressCard(Task(t, Job(), QApplication.instance())),  # type: ignore[arg-type]
}


def check(widget: QWidget) -> None:
    """No label reads markup, no button has a hidden key, no text editor shows rich text."""
    for label in [w for w in (widget, *widget.findChildren(QLabel)) if isinstance(w, QLabel)]:
        assert label.textFormat() == Qt.TextFormat.PlainText
    for button in widget.findChildren(QAbstractButton):
        assert not button.shortcut().toString()
    assert not widget.findChildren(QTextEdit)


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("name", COMPONENTS)
def test_in_every_component(name: str) -> None:
    for text in STRINGS:
        began = time.thread_time()
        widget = COMPONENTS[name](text)
        widget.resize(380, max(60, widget.sizeHint().height() if widget.sizeHint().height() < 400 else 400))
        widget.show()
        widget.grab()
        check(widget)
        interface = QAccessible.queryAccessibleInterface(widget)
        assert interface is None or "\u202e" not in interface.text(QAccessible.Text.Name)
        widget.close()
        widget.deleteLater()
        assert time.thread_time() - began < PATIENCE_S, text[:40]


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("text", STRINGS, ids=range(len(STRINGS)))
def test_in_sheets(text: str) -> None:
    window = QWidget()
    window.resize(1280, 720)
    window.show()
    for made in (
        Sheet(window, text, text),
        Question(window, text, text, text, lambda: None, typed=text[:20]),
    ):
        made.body.addWidget(Text(text, wrap=True))
        made.open()
        made.grab()
        check(made)
        assert made.card.width() <= 720
        made.close_sheet()
    window.close()


def nasty(number: int, text: str) -> dict[str, Any]:
    return stage.indicator(
        number,
        text,
        description=text,
        pattern=text or "[x:y = 1]",
        labels=[text, text],
        external_references=[{"source_name": text or "x", "external_id": text}],
        x_custom=text,
    )


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[stage.Side, Path]:
    """An installation that holds hostile objects, and has received others of the same ids and times."""
    folder = tmp_path_factory.mktemp("hostile")
    a, b = stage.pair(folder)
    texts = [text.encode("utf-8", "replace").decode() for text in STRINGS]
    ours = [nasty(n, text) for n, text in enumerate(texts)]
    theirs = [one | {"description": "other words", "name": texts[-1 - n]} for n, one in enumerate(ours)]
    stage.take(a, stage.bundle(folder / "ours.json", ours), "CLEAR")
    stage.take(b, stage.bundle(folder / 'theirs <img src="x">.json', theirs), "CLEAR")
    with vault.unlocked(b.home, stage.PASSPHRASE) as there:
        wish = Wish(
            None, note="\n".join(texts)[:9_000], priority="flash", reference=plain(texts[9])[:200].strip()
        )
        package = releases.release(there, a.name, wish, folder, Job()).package.path
    with vault.unlocked(a.home, stage.PASSPHRASE) as here:
        releases.release(here, b.name, Wish(None, reference=plain(texts[0])[:200].strip()), folder, Job())
        got = receiving.receive(here, package, Job())
        assert got.objects == len(STRINGS)
        for number, text in enumerate(texts[:12]):
            third = stage.create(folder / f"third{number}", f"Third {number}")
            with vault.unlocked(third.home, stage.PASSPHRASE) as other:
                alias = text if text.isprintable() and 0 < len(text) < 60 else f"A & <b>{number}</b>"
                counterparts.add(here, counterparts.own_card(other), f"{number} {alias}")
    return a, folder


def test_in_every_view(two: tuple[stage.Side, Path], sessions: Callable[[Path], Session]) -> None:
    side, _folder = two
    session = sessions(side.home)
    session.enter(vault.unlock(side.home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    frame: Any = session.window.frame

    def look(what: str, part: QWidget | None = None) -> None:
        settle(session)
        began = time.thread_time()
        (part or session.window).grab()
        QApplication.processEvents()
        assert time.thread_time() - began < PATIENCE_S, what
        check(part or session.window)

    holdings = frame.place("holdings")
    assert len(holdings.model.ids) == len(STRINGS)
    for number in range(len(STRINGS)):
        holdings.table.select_row(number)
        look(f"object {number}", holdings.panel)
        holdings.panel.toggle_raw()
        look(f"raw {number}", holdings.panel)
    look("holdings")
    holdings.search._timer.setInterval(1)
    for text in STRINGS:
        holdings.search.setText(text)
        wait(lambda: not holdings.search._timer.isActive(), "typing to pause")
        look(f"search {text[:30]}", holdings.listing)
    holdings.clear_filters()
    settle(session)

    session.go("releases")
    look("releases")
    session.desk.release_wanted.emit(None)  # type: ignore[union-attr]
    place = frame.place("releases")
    wait(lambda: place.draft and place.draft._judged, "the verdicts")
    for found in place.draft.findChildren(VerdictGroup):
        found.show_more()
    look("new release")
    place.draft.preview(None)
    look("preview")
    for sheet in session.window.findChildren(Sheet):
        sheet.close_sheet()
    place.leave()

    session.go("inbox")
    look("inbox")
    box = frame.place("inbox")
    box.review(box.packages.model.ids[0])
    wait(lambda: box.under_review._review, "the comparison")
    for number in range(len(STRINGS)):
        box.under_review.table.select_row(number)
        settle(session)
        box.under_review._toggle_equal()
        look(f"review {number}", box.under_review.panel)
    box.leave()

    session.go("counterparts")
    look("counterparts")
    people = frame.place("counterparts")
    for one in people.list.ones:
        people.list.open(one.fingerprint)
        look(f"counterpart {one.alias[:20]}")
    session.go("audit")
    look("audit")
    session.go("settings")
    look("settings")
    session.window.open_palette()
    look("palette")
