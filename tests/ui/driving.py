"""Driving the real window: waiting for workers, finding buttons by their words, answering file dialogs by typing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit, QWidget

from ui.session import Session
from ui.widgets.buttons import Button
from ui.widgets.table import ListTable

T = TypeVar("T")
W = TypeVar("W", bound=QWidget)
PATIENCE = 30.0


def wait(condition: Callable[[], T], what: str = "", seconds: float = PATIENCE) -> T:
    """Run the event loop until `condition` holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        QApplication.processEvents()
        time.sleep(0.005)
    raise AssertionError(f"waited {seconds} s for {what or condition}")


def settle(session: Session) -> None:
    """Wait until no work is under way."""
    desk = session.desk
    wait(lambda: desk is None or not desk.jobs.running, "workers")
    QApplication.processEvents()


def button(parent: QWidget, words: str) -> Button:
    """The visible button whose words begin with `words`."""

    def find() -> Button | None:
        for found in parent.findChildren(Button):
            if found.label.startswith(words) and found.isVisible():
                return found
        return None

    return wait(find, f"a button {words!r}")  # type: ignore[return-value]


def click(parent: QWidget, words: str) -> None:
    """Click the button with these words, once it can be clicked."""
    found = button(parent, words)
    wait(lambda: found.isEnabled() and found.height(), f"{words!r} to be enabled and laid out")
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


def activate(window: QWidget) -> None:
    """Bring a window to the front; again, as long as another one that is just closing has the keys."""

    def active() -> bool:
        if not window.isActiveWindow():
            window.raise_()
            window.activateWindow()
        return window.isActiveWindow()

    wait(active, "the window to be active")


def type_into(field: QWidget, text: str) -> None:
    field.setFocus()
    QTest.keyClicks(field, text)


def press(
    session: Session, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Press a key in the window, brought to the front first as an officer would."""
    activate(session.window)
    QTest.keyClick(session.window, key, modifiers)


def click_row(
    table: ListTable, row: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    y = table.rowViewportPosition(row) + 10
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifiers, QPoint(60, y))


def answer_dialog(session: Session, path: Path) -> None:
    """Type a path into the file dialog that is open, and confirm."""

    def find() -> QFileDialog | None:
        for dialog in session.window.findChildren(QFileDialog):
            if dialog.isVisible():
                return dialog
        return None

    dialog = wait(find, "a file dialog")
    assert dialog is not None
    field = dialog.findChild(QLineEdit, "fileNameEdit")
    assert field is not None
    QTest.qWait(50)  # it looks at its folder first, and may change the field then
    field.setText(str(path))  # as if pasted: the completer would race with typing
    box = dialog.findChild(QDialogButtonBox)
    assert box is not None
    accept = next(b for b in box.buttons() if box.buttonRole(b) == QDialogButtonBox.ButtonRole.AcceptRole)
    wait(accept.isEnabled, f"the dialog to accept {field.text()!r}", 5)
    QTest.mouseClick(accept, Qt.MouseButton.LeftButton)
    wait(lambda: not _shown(dialog), f"the dialog to close on {path}", 5)


def _shown(dialog: QFileDialog) -> bool:
    try:
        return dialog.isVisible()
    except RuntimeError:  # deleted
        return False
