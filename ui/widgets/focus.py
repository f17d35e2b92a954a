"""Where the keyboard is: Enter presses what has the focus; what is made anew under it gives the focus to what took the
place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Pressed(QAbstractButton):
    """A button that Enter presses as the space bar does, on every desktop; held down, it presses once."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in ENTER:
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self.click()


@contextmanager
def focus_kept(inside: QWidget, *, other: bool = False) -> Iterator[None]:
    """Around work that replaces widgets in `inside`: if one of them has the focus, or gets it once the window is
    active, the new one of the same name has it afterwards, or else the new one that stands nearest. `other`: what
    comes is about something else, and is read from its first one.
    """
    before, focused = _reachable(inside), inside.window().focusWidget()
    place = next((n for n, one in enumerate(before) if one is focused), -1)
    name = before[place].accessibleName() if place >= 0 else ""
    yield
    if place < 0:
        return
    found = [one for one in _reachable(inside) if one not in before]
    same = [one for one in found if one.accessibleName() == name]
    if other:
        same = found[:1]
    nearest = min(same or found, key=lambda one: abs(found.index(one) - place), default=None)
    if nearest is None:
        return
    # What is new is shown with the next turn of the loop; what is not shown takes no focus.
    part: QWidget | None = nearest
    while part is not None and part is not inside:
        part.show()
        part = part.parentWidget()
    nearest.setFocus()


def _reachable(inside: QWidget) -> list[QWidget]:
    """What Tab leads to, shown or to be shown with the next turn of the loop."""
    hidden = Qt.WidgetAttribute.WA_WState_ExplicitShowHide

    def put_away(one: QWidget | None) -> bool:
        while one is not None and one is not inside:
            if one.isHidden() and one.testAttribute(hidden):
                return True
            one = one.parentWidget()
        return False

    reach = [one for one in inside.findChildren(QWidget) if one.focusPolicy() & Qt.FocusPolicy.TabFocus]
    return [one for one in reach if not put_away(one)]
