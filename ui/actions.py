"""One registry of actions: menu, shortcut, accessible name and palette (Ctrl+K) come from the same entry.

An action is registered once, by whoever can do it. Nothing is reachable by a key that is not in a menu and the palette.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenuBar

from app import direction
from app.messages import N_, NP_, _, right_to_left
from ui import icons

MENUS = ("file", "edit", "view", "selection", "exchange", "help")
MENU_WORDS = {
    "file": NP_("menu", "File"),
    "edit": N_("Edit"),
    "view": N_("View"),
    "selection": N_("Selection"),
    "exchange": N_("Exchange"),
    "help": N_("Help"),
}


@dataclass(frozen=True)
class Entry:
    """One action: its key, its menu, its words (untranslated), its shortcut and icon. `group` parts a menu by lines."""

    key: str
    menu: str
    words: str
    shortcut: str = ""
    icon: str = ""
    group: int = 0


class Actions(QObject):
    """The actions of one window."""

    triggered = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._entries: dict[str, Entry] = {}
        self._actions: dict[str, QAction] = {}

    def add(self, entry: Entry, run: Callable[[], object]) -> QAction:
        """Register `entry`; its key and its shortcut must be free."""
        if entry.key in self._entries:
            raise ValueError(f"two actions {entry.key}")
        if entry.shortcut and any(e.shortcut == entry.shortcut for e in self._entries.values()):
            raise ValueError(f"two actions on {entry.shortcut}")
        action = QAction(_(entry.words), self)
        if entry.icon:
            action.setIcon(icons.icon(entry.icon, "muted"))
        if entry.shortcut:
            action.setShortcut(QKeySequence(entry.shortcut))
            if right_to_left():
                # A menu draws what stands behind the tab; left to itself, Ctrl+\ turns round there.
                keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                action.setText(f"{action.text()}\t{direction.shown(direction.isolate_ltr(keys))}")
        action.setObjectName(entry.key)

        def go() -> None:
            run()
            self.triggered.emit(entry.key)

        action.triggered.connect(go)
        self._entries[entry.key] = entry
        self._actions[entry.key] = action
        return action

    def __getitem__(self, key: str) -> QAction:
        return self._actions[key]

    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries.values())

    def actions(self) -> list[QAction]:
        return list(self._actions.values())

    def enable(self, key: str, on: bool) -> None:
        """Whether the action can be done now."""
        self._actions[key].setEnabled(on)

    def mark(self, key: str, on: bool) -> None:
        """Whether what the action chooses is chosen: a mark stands beside it then, in the place of its icon."""
        action, icon = self._actions[key], "check" if on else self._entries[key].icon
        action.setCheckable(True)
        action.setChecked(on)
        action.setIcon(icons.icon(icon, "accent" if on else "muted"))

    def run(self, key: str) -> None:
        """Do it, if it can be done now."""
        if self._actions[key].isEnabled():
            self._actions[key].trigger()

    def fill(self, bar: QMenuBar) -> None:
        """Build the menus: every action has its place there."""
        bar.clear()
        for menu in MENUS:
            entries = sorted((e for e in self._entries.values() if e.menu == menu), key=lambda e: e.group)
            if not entries:
                continue
            shown = bar.addMenu(_(MENU_WORDS[menu]))
            group = entries[0].group
            for entry in entries:
                if entry.group != group:
                    shown.addSeparator()
                    group = entry.group
                shown.addAction(self._actions[entry.key])

    def keys(self, key: str) -> str:
        """The shortcut of an action as it is shown."""
        return self._actions[key].shortcut().toString(QKeySequence.SequenceFormat.NativeText)
