"""Foreign text becomes something that cannot act; our own isolates survive, theirs are marked."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QToolTip, QWidget

from app import direction
from app.messages import use_language
from tests.ui.driving import wait
from tests.ui.hostile import STRINGS
from ui import reading
from ui.safe_text import (
    LINE_LIMIT,
    PARAGRAPH_LIMIT,
    elide_both,
    elide_end,
    elide_middle,
    isolate,
    isolate_file,
    isolate_ltr,
    short_id,
    spoken,
    visible,
)
from ui.theme import theme
from ui.widgets.text import Text

ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
HARMLESS = set("\u200c\u200d\u00ad")


@given(st.text(alphabet=st.characters(), max_size=300))
def test_nothing_that_acts_is_left(text: str) -> None:
    shown = visible(text)
    assert "\n" not in shown
    assert not [c for c in shown if unicodedata.category(c) in ACTING and c not in HARMLESS]
    shown.encode("utf-8")  # no lone surrogate either


@given(st.text(alphabet=st.characters(), max_size=300))
def test_lines_keep_only_line_feeds(text: str) -> None:
    shown = visible(text, lines=True)
    assert shown.count("\n") == text.count("\n")
    assert not [c for c in shown.replace("\n", "") if unicodedata.category(c) in ACTING and c not in HARMLESS]


@pytest.mark.parametrize(
    "text,shown",
    [
        ("plain", "plain"),
        ("evil\u202egpj.exe", "evil⁅RLO⁆gpj.exe"),
        ("\u2068a\u2069", "⁅FSI⁆a⁅PDI⁆"),
        ("a\x00b", "a⁅U+0000⁆b"),
        ("⁅RLO⁆", "⁅U+2045⁆RLO⁅U+2046⁆"),
        ("a\nb\tc", "a b c"),
        ("\ud800", "⁅U+D800⁆"),
    ],
)
def test_marks(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_marks_are_spoken_where_they_cannot_be_drawn() -> None:
    assert spoken(visible("evil\u202egpj.exe")) == "evil[RLO]gpj.exe"


@pytest.mark.parametrize("length", [LINE_LIMIT - 1, LINE_LIMIT, LINE_LIMIT + 1])
def test_line_limit(length: int) -> None:
    shown = visible("x" * length)
    assert len(shown) == (length if length <= LINE_LIMIT else LINE_LIMIT + 1)


@pytest.mark.parametrize("length", [PARAGRAPH_LIMIT, PARAGRAPH_LIMIT + 1])
def test_paragraph_limit(length: int) -> None:
    assert visible("x" * length, lines=True).endswith("…") == (length > PARAGRAPH_LIMIT)


def test_our_isolates_survive_and_theirs_do_not() -> None:
    sentence = "From {} at {}".format(isolate("a\u2069b\u202ec"), isolate_ltr("/tmp/x"))
    assert visible(sentence) == "From \u2068a⁅PDI⁆b⁅RLO⁆c\u2069 at \u2066/tmp/x\u2069"


def test_combining_marks_do_not_climb() -> None:
    assert len(visible("a" + "\u0301" * 100)) < 10


def test_ids_lose_their_middle() -> None:
    whole = "malware--5d0b7c1e-1111-4222-8333-9a41c0e2f7d8"
    assert short_id(whole) == "malware--5d0b7c1e-…-9a41c0e2f7d8"
    assert short_id("not an id") == "not an id"


@pytest.mark.usefixtures("qapp")
def test_eliding() -> None:
    metrics: QFontMetrics = theme().metrics()
    assert elide_end(metrics, "a long name of a thing", 60).endswith("…")
    middle = elide_middle(metrics, "0123456789abcdef0123456789abcdef", 90)
    assert middle.startswith("0")
    assert middle.endswith("f")


LONG = "A" * 60
ARABIC = "\u2068خطر شديد على المياه والكهرباء معا\u2069"


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("width", [60, 160, 240, 1500])
@pytest.mark.parametrize("source, target", [("a", LONG), (LONG, "b"), (LONG, LONG), (ARABIC, ARABIC)])
def test_of_two_names_both_are_seen(source: str, target: str, width: int) -> None:
    metrics = theme().metrics()
    whole = f"uses: {source} → {target}"
    cut = elide_both(metrics, whole, width)
    assert metrics.horizontalAdvance(cut) <= width
    before, _, behind = cut.partition(" → ")
    assert all(one.count("\u2068") == one.count("\u2069") for one in (before, behind))
    if width >= 160:
        assert before.startswith("uses: ")
        assert source[0] in before
        assert behind.startswith(target[0])
    assert (cut == whole) == (width == 1500)


@pytest.mark.usefixtures("qapp")
def test_what_is_short_leaves_its_room_to_the_other() -> None:
    metrics = theme().metrics()
    assert elide_both(metrics, f"uses: a → {LONG}", 240).startswith("uses: a → AAAA")
    assert elide_both(metrics, f"uses: {LONG} → b", 240).endswith("… → b")
    assert elide_both(metrics, LONG, 90) == elide_end(metrics, LONG, 90)


def test_what_is_cut_keeps_its_isolates(qapp: QApplication) -> None:
    metrics = theme().metrics("label")
    path = direction.isolate_ltr("/media/stick/a long folder of the stick/تقرير.age")
    said = direction.shown(f"Receipt sealed, written, read back and verified: {path}.")
    for width in range(20, metrics.horizontalAdvance(said), 7):
        for elide in (elide_end, elide_middle):
            cut = elide(metrics, said, width)
            assert cut != said
            depth = 0
            for character in cut:
                depth += (character in direction.BEGIN) - (character == direction.END)
                assert depth >= 0
            assert depth == 0
    assert elide_middle(metrics, said, 260).endswith("/تقرير.age\u2069.")


def test_a_files_name_ends_where_reading_ends() -> None:
    name = "تقرير.pdf"
    try:
        shown = {}
        for language in ("en", "ar"):
            use_language(language)
            shown[language] = direction.shown(isolate_file(name))
    finally:
        use_language("en")
    assert shown == {"en": f"\u2066{name}\u2069", "ar": f"\u2068{name}\u2069"}


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("text", STRINGS[:8])
def test_every_label_is_plain_once_shown(text: str, qtbot: object) -> None:
    parent = QWidget()
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.AutoText)
    box = QMessageBox(parent)
    box.setText(text)
    box.setInformativeText(text)
    parent.show()
    box.show()
    QApplication.processEvents()
    labels = [label, *box.findChildren(QLabel)]
    assert {one.textFormat() for one in labels} == {Qt.TextFormat.PlainText}
    box.close()
    parent.close()


def test_tool_tips_are_plain(qapp: QApplication) -> None:
    parent = QWidget()
    parent.show()
    QToolTip.showText(parent.mapToGlobal(parent.rect().center()), '<img src="/dev/zero">', parent)
    tips = wait(lambda: [w for w in qapp.allWidgets() if w.inherits("QTipLabel")], "the tool tip", 5)
    assert all(isinstance(tip, QLabel) and tip.textFormat() == Qt.TextFormat.PlainText for tip in tips)
    QToolTip.hideText()
    parent.close()


def test_a_line_ends_between_ids_and_not_in_one() -> None:
    ids = [f"course-of-action--00000000-0000-4000-8000-{n:012d}" for n in range(9)]
    text = Text(", ".join(ids), size="label", wrap=True)
    width = text.sizeHint().width()
    for wide in (width, width * 2 - 40):
        [layout], _height = text._lay_out(wide)
        begins = {layout.lineAt(n).textStart() for n in range(layout.lineCount())}
        assert len(begins) > 2
        assert begins <= {text.shown.index(one) for one in ids}
    assert text.shown == ", ".join(ids)


def test_a_long_list_is_cut_between_its_things() -> None:
    ids = [f"malware--00000000-0000-4000-8000-{n:012d}" for n in range(30)]
    said = reading.plain_value(ids)
    *shown, more = said.replace("\u2068", "").replace("\u2069", "").split(", ")
    assert shown == ids[: len(shown)]
    assert more == f"and {30 - len(shown)} more"
    assert reading.plain_value(ids[:3]).count("malware--") == 3
