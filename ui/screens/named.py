"""What an object is called, in a list and over it: of a relationship both ends are seen, however little room."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.holdings.titles import Title
from ui import icons
from ui.widgets.paging import Cell
from ui.widgets.panel import object_title
from ui.words import type_word


def named(type_: str, title: Title, status: str = "") -> Cell:
    """The first cell of a row about an object of this type."""
    return Cell(title.words, icon=icons.object_icon(type_), status=status, both=title.ends is not None)


def heading(type_: str, title: Title) -> QWidget:
    """What stands over all that is told of it."""
    both = title.ends is not None
    return object_title(icons.object_icon(type_), type_word(type_), title.words, both=both)
