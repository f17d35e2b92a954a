"""The menu of the levels at which objects can be treated, strictest first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.intel.marking import Level
from ui.safe_text import visible


def open_levels(within: QWidget, over: QWidget, words: str, choose: Callable[[Level], object]) -> None:
    """Open it above a widget, which may be gone before it is; `words` say what each `{level}` would do."""
    menu = QMenu(within)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for level in reversed(Level):
        if level is not Level.UNREADABLE:
            menu.addAction(visible(words.format(level=level.label)), partial(choose, level))
    size, at = menu.sizeHint(), over.rect().topLeft()
    if over.isRightToLeft():
        at.setX(over.width() - size.width())
    menu.popup(over.mapToGlobal(at) - QPoint(0, size.height() + 4))
