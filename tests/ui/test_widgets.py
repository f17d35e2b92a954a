"""The shared widgets by clicks and keys: chips, digits, actions and palette, sheets, verdicts, the overlay rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from app.messages import Refused
from tests.ui import gallery
from tests.ui.driving import activate, click, wait
from ui.actions import Actions, Entry
from ui.widgets.buttons import Button, Segments
from ui.widgets.chips import Chip, ChipRow, ChipSpec
from ui.widgets.digits import DigitEntry, western
from ui.widgets.notices import Refusal
from ui.widgets.page import ListDetail
from ui.widgets.paging import Column
from ui.widgets.palette import Palette
from ui.widgets.panel import DetailPanel
from ui.widgets.rail import PlaceButton
from ui.widgets.sheet import Question, Sheet
from ui.widgets.text import Text
from ui.widgets.verdicts import FIRST, Group, VerdictGroup
from ui.window import PLACES, Frame, Window

pytestmark = pytest.mark.usefixtures("qapp")


# --- keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "made",
    [
        lambda: Button("Add"),
        lambda: Chip(ChipSpec("new", "New", 3)),
        lambda: PlaceButton(PLACES[0]),
    ],
)
def test_enter_presses_what_has_the_focus_once(made: Callable[[], QAbstractButton]) -> None:
    button, pressed = made(), list[str]()
    button.clicked.connect(lambda *_args: pressed.append(""))
    button.show()

    def press(key: Qt.Key, *, again: bool = False) -> None:
        none = Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(button, QKeyEvent(QEvent.Type.KeyPress, key, none, "", again))

    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        press(key)
    assert len(pressed) == 2
    press(Qt.Key.Key_Return, again=True)
    assert len(pressed) == 2
    button.setEnabled(False)
    press(Qt.Key.Key_Return)
    assert len(pressed) == 2


def test_a_question_is_answered_with_the_word_and_enter(qapp: QApplication) -> None:
    window, said = Window(), list[str]()
    window.show()
    Question(window.body, "Move?", "It retires.", "Move", lambda: said.append("moved"), typed="move").open()
    field = window.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "mov")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert said == []
    QTest.keyClicks(field, "e")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert said == ["moved"]


# --- chips --------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [160, 300, 500, 900, 1400])
def test_chips_never_grow_the_window(width: int) -> None:
    chosen: list[str] = []
    row = ChipRow(chosen.append)
    row.set(gallery.chip_specs(), "")
    row.resize(width, 34)
    row.show()
    QApplication.processEvents()
    assert row.minimumSizeHint().width() <= 160
    shown = [chip for chip in row.chips if chip.isVisible()]
    right = max(
        [chip.geometry().right() for chip in shown] + [row._more.geometry().right() if row._hidden else 0]
    )
    assert right < width or width < 200
    assert len(shown) + len(row._hidden) == len(row.chips)


def test_the_chip_that_is_on_is_never_hidden() -> None:
    row = ChipRow(lambda _key: None)
    row.set(gallery.chip_specs(), "report")
    row.resize(420, 34)
    row.show()
    on = next(chip for chip in row.chips if chip.spec.key == "report")
    assert on.isVisible()
    assert on.isChecked()


def test_a_click_on_a_chip_filters_and_a_zero_count_stays() -> None:
    chosen: list[str] = []
    row = ChipRow(chosen.append, toggles=True)
    row.set([ChipSpec("a", "A", 3), ChipSpec("b", "B", 0)], "")
    row.resize(400, 34)
    row.show()
    QTest.mouseClick(row.chips[1], Qt.MouseButton.LeftButton)
    QTest.mouseClick(row.chips[1], Qt.MouseButton.LeftButton)
    assert chosen == ["b", ""]
    assert row.chips[1].isVisible()


# --- digits --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed,digits",
    [
        ("40719326", "40719326"),
        ("٤٠٧١٩٣٢٦", "40719326"),
        ("۴۰۷۱۹۳۲۶", "40719326"),
        ("4071 9326", "40719326"),
        ("abc", ""),
    ],
)
def test_both_numerals_are_read(typed: str, digits: str) -> None:
    assert western(typed) == digits


def test_digits_are_typed_corrected_and_pasted() -> None:
    field = DigitEntry()
    done: list[str] = []
    field.completed.connect(done.append)
    field.show()
    field.setFocus()
    QTest.keyClicks(field, "407x1")
    assert field.digits == "4071"
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    assert field.digits == "407"
    QGuiApplication.clipboard().setText("1-٩٣٢٦ and more")
    QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert field.digits == "40719326"
    assert done == ["40719326"]
    QTest.keyClicks(field, "5")
    assert field.digits == "40719326"


def test_digits_are_one_field_to_a_screen_reader() -> None:
    field = DigitEntry("Their eight digits")
    field.set_digits("8520")
    interface = QAccessible.queryAccessibleInterface(field)
    assert interface.role() == QAccessible.Role.EditableText
    assert interface.text(QAccessible.Text.Name) == "Their eight digits"
    assert interface.text(QAccessible.Text.Value) == "8520"
    assert interface.childCount() == 0


# --- actions and palette --------------------------------------------------------------------------------


def test_an_action_is_registered_once() -> None:
    window = QWidget()
    actions = Actions(window)
    actions.add(Entry("a", "file", "Do it", "Ctrl+D"), lambda: None)
    with pytest.raises(ValueError, match="two actions"):
        actions.add(Entry("a", "file", "Do it again"), lambda: None)
    with pytest.raises(ValueError, match=r"Ctrl\+D"):
        actions.add(Entry("b", "file", "Something else", "Ctrl+D"), lambda: None)


def test_menu_shortcut_and_palette_come_from_one_entry() -> None:
    window = Window()
    done: list[str] = []
    frame = gallery.frame()
    window.new_registry()
    window.registry.add(
        Entry("seal", "exchange", "Seal the package", "Ctrl+Shift+S", "lock"), lambda: done.append("seal")
    )
    window.registry.add(Entry("open", "file", "Open a package", "Ctrl+Shift+O"), lambda: done.append("open"))
    window.show_frame(frame)
    window.fill_menus()
    window.show()
    activate(window)
    menus = {a.text(): a.menu() for a in window.menuBar().actions()}
    assert [a.objectName() for a in menus["Exchange"].actions()] == ["seal"]  # type: ignore[union-attr]
    everything = {a.objectName() for menu in menus.values() for a in menu.actions() if a.objectName()}  # type: ignore[union-attr]
    assert everything == {entry.key for entry in window.registry.entries()}
    QTest.keyClick(
        window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert done == ["seal"]
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = wait(lambda: window.findChild(Palette))
    assert palette is not None
    field = palette.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "package open")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert done == ["seal", "open"]
    assert not palette.isVisible()


def test_the_palette_finds_by_words_and_leaves_out_what_cannot_be_done() -> None:
    window = Window()
    window.registry.add(Entry("a", "file", "Import a bundle"), lambda: None)
    window.registry.add(Entry("b", "file", "Import a card"), lambda: None)
    window.registry.enable("b", False)
    window.show()
    window.open_palette()
    palette = window.findChild(Palette)
    assert palette is not None
    palette._field.setText("import")
    assert [e.key for e in palette._hits.hits] == ["a"]
    QTest.keyClick(palette._field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


# --- sheets --------------------------------------------------------------------------------


def test_tab_stays_inside_a_sheet_and_esc_closes_it() -> None:
    window = Window()
    frame = gallery.frame()
    window.show_frame(frame)
    window.show()
    activate(window)
    before = frame.place("holdings")
    sheet = gallery.verify_sheet(window)
    sheet.open()
    seen = []
    for _n in range(12):
        focus = window.focusWidget()
        assert focus is not None
        assert sheet.isAncestorOf(focus)
        seen.append(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert len(set(map(id, seen))) >= 3
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert sheet.isHidden()
    assert before.isVisible()


def test_a_question_gives_cancel_the_focus_and_wants_the_word_typed() -> None:
    window = Window()
    window.show()
    activate(window)
    done: list[int] = []
    asked = Question(
        window, "Revoke?", "It cannot be undone.", "Revoke", lambda: done.append(1), typed="revoke"
    )
    asked.open()
    assert window.focusWidget() is asked.cancel
    act = next(b for b in asked.findChildren(Button) if b.label == "Revoke")
    assert not act.isEnabled()
    field = asked.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "revoke")
    click(asked, "Revoke")
    assert done == [1]


def test_a_sheet_follows_the_window() -> None:
    window = Window()
    window.show()
    sheet = Sheet(window, "A sheet")
    sheet.open()
    window.resize(1300, 800)
    QApplication.processEvents()
    assert sheet.geometry() == window.rect()


# --- verdicts, segments, overlay --------------------------------------------------------------------------------


def test_a_group_shows_three_rows_and_then_more() -> None:
    columns = (
        Column("name", "", 0, "name"),
        Column("type", "", 90),
        Column("m", "", 90),
        Column("s", "", 90),
        Column("d", "", 90),
    )
    made = VerdictGroup(
        Group("ceiling", "held", 500, "held back", "Leave them out.", gallery.rows(500)), columns
    )
    made.show()
    assert made.shown_rows == FIRST
    click(made, "Show 200 more")
    assert made.shown_rows == 203
    click(made, "Show 200 more")
    click(made, "Show 97 more")
    assert made.shown_rows == 500
    made._head.setFocus()
    QTest.keyClick(made._head, Qt.Key.Key_Space)
    assert made.shown_rows == 0


def test_segments_by_arrow_keys() -> None:
    made = Segments([("routine", "Routine"), ("flash", "Flash")], "routine")
    made.show()
    QTest.keyClick(made, Qt.Key.Key_Right)
    assert made.value == "flash"
    QTest.keyClick(made, Qt.Key.Key_Left)
    assert made.value == "routine"


def test_the_detail_lies_over_a_list_that_would_be_too_narrow() -> None:
    listing, detail = QWidget(), DetailPanel()
    both = ListDetail(listing, detail)
    both.resize(1072, 600)
    both.show()
    QApplication.processEvents()
    assert not both.overlaid
    assert listing.width() == 1072 - 424 - 1 or listing.width() == 1072 - 424
    both.resize(940, 600)
    QApplication.processEvents()
    assert both.overlaid
    assert not detail.isVisible()
    both.want_detail(True)
    assert detail.isVisible()
    assert listing.width() >= 560
    QTest.keyClick(both, Qt.Key.Key_Escape)
    assert not detail.isVisible()
    both.resize(1300, 600)
    QApplication.processEvents()
    assert not both.overlaid
    assert detail.isVisible()


def test_the_rail_folds_and_keeps_its_names() -> None:
    frame: Frame = gallery.frame()
    frame.show()
    frame.rail.fold(True)
    QApplication.processEvents()
    assert frame.rail.width() == 56
    assert frame.rail.place("inbox").accessibleName() == "Inbox 3"
    assert frame.rail.place("inbox").toolTip() == "Inbox"
    frame.rail.fold(False)
    QApplication.processEvents()
    assert frame.rail.width() == 208


def test_the_window_is_never_asked_to_be_smaller_than_it_can_show() -> None:
    window = Window()
    window.show_frame(gallery.frame())
    window.show()
    hint = window.minimumSizeHint()
    assert hint.width() <= 1280
    assert hint.height() <= 720


def test_everything_reachable_has_a_name() -> None:
    window = Window()
    frame = gallery.frame()
    window.show_frame(frame)
    window.show()
    for place in ("holdings", "releases", "audit"):
        frame.show_place(place)
        QApplication.processEvents()
        for widget in frame.findChildren(QWidget):
            if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                interface = QAccessible.queryAccessibleInterface(widget)
                name = interface.text(QAccessible.Text.Name) if interface is not None else ""
                assert name, f"{type(widget).__name__} in {place}"


def test_a_refusal_in_the_window_names_no_command_for_what_the_window_does(qapp: QApplication) -> None:
    refusal = Refusal()
    for code in ("slot-last-free", "backup-closed", "index-wrong"):
        refusal.show_refusal(Refused(code))
        said = [text.shown for text in refusal.findChildren(Text)]
        assert not any("`" in one for one in said), said
