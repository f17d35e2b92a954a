"""In Arabic sentences nothing turns round: laid out as on the screen, a value runs from left to right, and whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from babel.messages.pofile import read_po
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextLayout, QTextOption
from PySide6.QtWidgets import QApplication

from app import direction, messages
from scripts import catalogues
from ui import clipboard, drawing, numbers
from ui.actions import Actions, Entry
from ui.safe_text import isolate, isolate_ltr, visible
from ui.widgets.buttons import CopyButton
from ui.widgets.panel import identifier
from ui.widgets.text import Text

RTL, LTR = Qt.LayoutDirection.RightToLeft, Qt.LayoutDirection.LeftToRight
# What turns where it is not isolated: an option, a path, a day, brackets, a version.
VALUE = "--to x/2026-11-26 (v2.1)"
FIELD = re.compile(r"\{(\w+)\}")


@pytest.fixture
def arabic(qapp: QApplication) -> Iterator[None]:
    messages.use_language("ar")
    qapp.setLayoutDirection(RTL)
    yield
    qapp.setLayoutDirection(LTR)
    messages.use_language("en")


def places(text: str, start: int, end: int) -> list[float]:
    """Where the characters of a part of `text` are drawn, from the left, px."""
    layout = QTextLayout(text)
    option = QTextOption()
    option.setTextDirection(drawing.runs(text))
    layout.setTextOption(option)
    layout.beginLayout()
    layout.createLine().setLineWidth(100_000)
    layout.endLayout()

    def units(at: int) -> int:
        return len(text[:at].encode("utf-16-le")) // 2

    return [
        min(point.x() for run in runs for point in run.positions())
        for at in range(start, end)
        if (runs := layout.glyphRuns(units(at), 1))
    ]


def turns(text: str, part: str) -> bool:
    found = [places(text, m.start(), m.end()) for m in re.finditer(re.escape(part), text)]
    assert found, text
    return any(xs != sorted(xs) for xs in found)


def translations() -> list[str]:
    with catalogues.po("ar").open("rb") as file:
        told = [one.string for one in read_po(file, locale="ar") if one.id]
    return [text for one in told for text in ((one,) if isinstance(one, str) else one)]


@pytest.mark.usefixtures("arabic")
def test_no_value_turns_in_any_arabic_sentence() -> None:
    raw = 0
    sentences = [text for text in translations() if FIELD.search(text)]
    assert len(sentences) > 300
    for text in sentences:
        facts = dict.fromkeys(FIELD.findall(text), VALUE)
        shown = visible(messages.Sentence(text).format(**facts))
        assert not turns(shown, VALUE), shown
        assert drawing.runs(shown) == RTL, shown
        raw += turns(text.format(**facts), VALUE)
    assert raw > len(sentences) / 2  # where nothing isolates them, they do


@pytest.mark.usefixtures("arabic")
def test_nothing_technical_turns_in_any_arabic_sentence() -> None:
    technical = re.compile(r"`[^`]+`|(?<![\w-])--?[a-z][a-z-]*|\b[A-Za-z0-9]+(?:[-./:+=^][A-Za-z0-9]+)+")
    found = 0
    for text in translations():
        shown = visible(str(messages._said(text)))
        for part in technical.finditer(shown):
            found += 1
            xs = places(shown, part.start(), part.end())
            assert xs == sorted(xs), shown
    assert found > 100


@pytest.mark.usefixtures("arabic")
@pytest.mark.parametrize(
    "text,runs",
    [
        ("Mithaq {what}", RTL),
        ("{name}: {counts}", RTL),
        ("{n}", RTL),
        ("من {name}", RTL),
    ],
)
def test_a_sentence_runs_as_its_language_whatever_it_begins_with(text: str, runs: Qt.LayoutDirection) -> None:
    facts = dict.fromkeys(FIELD.findall(text), "Northmark (PT)")
    assert drawing.runs(visible(messages.Sentence(text).format(**facts))) == runs


@pytest.mark.usefixtures("arabic")
@pytest.mark.parametrize(
    "text,runs",
    [
        ("Northmark CSIRT", LTR),
        ("تقرير Northmark", RTL),
        ("198.51.100.7 443", LTR),
        ("<Northmark> · </tmp>", RTL),
        ("<تقرير> Northmark", LTR),
        ("", LTR),
    ],
)
def test_a_text_from_outside_runs_as_its_first_letter(text: str, runs: Qt.LayoutDirection) -> None:
    isolated = re.sub("<([^>]*)>", lambda found: isolate(found[1]), text)
    assert drawing.runs(visible(isolated)) == runs


def test_an_arabic_name_does_not_turn_an_english_sentence() -> None:
    said = messages._("From {name}, package {seq}").format(name="مركز الاستجابة", seq=3)
    assert visible(said) == "From \u2068مركز الاستجابة\u2069, package 3"
    assert messages._("From {name}").format(name="Northmark (PT)") == "From Northmark (PT)"


@pytest.mark.usefixtures("arabic")
def test_what_a_foreign_text_isolates_is_marked_and_ours_is_not() -> None:
    said = messages.Sentence("من {name}").format(name="a\u2069b\u202ec")
    assert visible(said) == "من \u2068a⁅PDI⁆b⁅RLO⁆c\u2069"
    assert direction.shown(messages.plain(said)) == "من \u2068a\u2069b\u202ec\u2069".replace(
        "\u2069b", "[U+2069]b"
    ).replace("\u202e", "[U+202E]")


@pytest.mark.usefixtures("arabic")
def test_values_are_isolated_once_and_numbers_not_at_all() -> None:
    once = messages.Sentence("{path}").format(path=isolate_ltr("/tmp/x"))
    assert visible(once).count("\u2066") == 1
    assert visible(messages.Sentence("عدد {n}").format(n=numbers.arabic("12"))) == "عدد ١٢"
    assert visible(messages.listed(["a", "b"])) == "\u2068a\u2069، \u2068b\u2069"


@pytest.mark.usefixtures("arabic")
def test_what_is_copied_is_the_value(qapp: QApplication) -> None:
    value = "malware--5d0b7c1e-1111-4222-8333-9a41c0e2f7d8"
    clipboard.copy(messages.Sentence("المعرّف {id}").format(id=value))
    assert qapp.clipboard().text() == f"المعرّف {value}"
    row = identifier(isolate_ltr(value))
    row.findChildren(CopyButton)[0].click()
    assert qapp.clipboard().text() == value
    clipboard.forget()


@pytest.mark.usefixtures("arabic")
def test_a_label_lays_each_paragraph_out_by_itself() -> None:
    label = Text("Northmark (PT).\nمن Northmark.", wrap=True)
    layouts, _height = label._lay_out(400)
    assert [one.textOption().textDirection() for one in layouts] == [LTR, RTL]


@pytest.mark.usefixtures("arabic")
def test_a_code_stands_beside_its_label_and_lines_of_code_begin_at_the_left() -> None:
    def starts(content: str) -> list[float]:
        label = Text(content, size="label", mono=True, wrap=True)
        layouts, _height = label._lay_out(300)
        rows = [one.lineAt(at) for one in layouts for at in range(one.lineCount())]
        return [row.naturalTextRect().left() for row in rows]

    (short,) = starts("import")
    assert short > 150
    assert max(starts("a" * 400)) < 1
    assert max(starts('{\n  "type": "tool"\n}')) < 1


@pytest.mark.usefixtures("arabic")
def test_a_shortcut_does_not_turn_in_a_menu(qapp: QApplication) -> None:
    actions = Actions(qapp)
    action = actions.add(Entry("fold", "view", "Fold the rail", "Ctrl+\\"), lambda: None)
    words, _tab, keys = action.text().partition("\t")
    assert words == "طيّ الشريط الجانبي"
    assert not turns(f"{words} {keys}", "Ctrl+\\")
    actions.deleteLater()
