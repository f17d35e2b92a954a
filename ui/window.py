"""The frame of the window: menu bar, rail, the places, sheets over them, the palette.

It knows how to show a place and how to cover everything with one screen (first run, unlock); what a place shows is the
place's own. Nobody reaches through the window into another place: places tell each other nothing, they are told.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QIcon,
    QPainter,
    QPixmap,
)
from PySide6.QtWidgets import QDialog, QMainWindow, QStackedWidget, QWidget

from app.messages import N_, _
from app.vault import LastSession
from ui import numbers
from ui.actions import Actions, Entry
from ui.safe_text import isolate, isolate_ltr
from ui.tokens import TOKENS
from ui.widgets.layout import FOCUS_FIRST, Pane, column, line
from ui.widgets.notices import Refusal, ResultLine
from ui.widgets.palette import Palette
from ui.widgets.rail import PlaceSpec, Rail, draw_mark

DROPPED_LIMIT = 20

PLACES = [
    PlaceSpec("inbox", N_("Inbox"), "inbox"),
    PlaceSpec("holdings", N_("Holdings"), "database"),
    PlaceSpec("releases", N_("Releases"), "send"),
    PlaceSpec("counterparts", N_("Counterparts"), "users"),
    PlaceSpec("audit", N_("Audit"), "scroll-text"),
]


def mark_icon() -> QIcon:
    """The mark as the window's icon."""
    made = QIcon()
    for side in (16, 24, 32, 48, 64, 128):
        picture = QPixmap(side, side)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        draw_mark(painter, picture.rect())
        painter.end()
        made.addPixmap(picture)
    return made


class Frame(QWidget):
    """The rail and the place one is in."""

    def __init__(
        self, chosen: Callable[[str], object], settings: Callable[[], object], lock: Callable[[], object]
    ) -> None:
        super().__init__()
        self.rail = Rail(PLACES, chosen, settings, lock)
        self._stack = QStackedWidget()
        self._places: dict[str, QWidget] = {}
        self.refusal = Refusal()
        # An officer who remembers the last session notices an older copy of the store.
        self.last = ResultLine()
        self.last.changed.connect(lambda: self.last.setVisible(bool(self.last.words)))
        self.last.setFixedHeight(32)
        self.last.hide()
        notice = Pane("surface", layout=column(self.refusal, self.last, margins=(16, 0)))
        self._side = side = column(notice, self._stack)
        side.setStretch(1, 1)
        row = line(self.rail, side, gap=0)
        row.setStretch(1, 1)
        self.setLayout(row)
        # What to do with a file from outside, by what it is; the places say so when they are built.
        self.receive: Callable[[Path], object] = print
        self.add_card: Callable[[Path], object] = print
        self.import_file: Callable[[Path], object] = print

    def say_last(self, last: LastSession) -> None:
        """Say for a while where the store stood when it was opened."""
        if last.at:
            words = _("Last session: {at}, {officer}. Log entry {n}: {words}")
            self.last.say(
                words.format(
                    at=numbers.moment(last.at),
                    officer=isolate(last.officer),
                    n=numbers.number(last.entry),
                    words=isolate_ltr(" ".join(last.words)),
                )
            )

    def add(self, key: str, place: QWidget) -> None:
        self._places[key] = place
        self._stack.addWidget(place)

    def show_place(self, key: str) -> None:
        self.refusal.clear()
        place = self._places.get(key)
        if place is None:  # not built yet
            return
        self._stack.setCurrentWidget(place)
        self.rail.choose(key)
        for widget in place.findChildren(QWidget):
            if widget.property(FOCUS_FIRST) and widget.isVisible():
                widget.setFocus()
                break

    def place(self, key: str) -> QWidget:
        return self._places[key]

    def show_guide(self, guide: QWidget) -> None:
        """A strip under the place, for practice."""
        self._side.addWidget(guide)

    def places(self) -> list[QWidget]:
        return list(self._places.values())

    @property
    def current(self) -> str:
        """The key of the place one is in, or ""."""
        shown = self._stack.currentWidget()
        return next((key for key, place in self._places.items() if place is shown), "")


class Window(QMainWindow):
    """One window: a cover (first run, unlock) or the frame."""

    closing = Signal()
    dropped = Signal(object)  # Path

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Mithaq")
        self.setWindowIcon(mark_icon())
        self.setAcceptDrops(True)
        self.registry = Actions(self)
        self._body = QStackedWidget()
        self._ground = Pane("canvas", layout=column(self._body))
        self.setCentralWidget(self._ground)
        self._palette: Palette | None = None
        self.frame: Frame | None = None
        self.menuBar().hide()
        room = QGuiApplication.primaryScreen().availableSize()
        self.setMinimumSize(min(TOKENS.minimum[0], room.width()), min(TOKENS.minimum[1], room.height()))
        self.resize(QSize(1440, 900).boundedTo(room).expandedTo(self.minimumSize()))

    @property
    def body(self) -> QWidget:
        """What sheets lie over."""
        return self._ground

    def cover(self, screen: QWidget) -> None:
        """Show one screen over everything and forget the frame: nothing of it stays in memory."""
        self.frame = None
        self.new_registry()
        self.menuBar().clear()
        self.menuBar().hide()
        self._replace(screen)

    def new_registry(self) -> None:
        """Forget every action: those of a frame go with it."""
        old = self.registry
        for action in old.actions():
            self.removeAction(action)
        self.registry = Actions(self)
        old.deleteLater()

    def show_frame(self, frame: Frame) -> None:
        """Show the frame; its actions are registered by now."""
        self.frame = frame
        self._replace(frame)
        self.menuBar().show()

    def fill_menus(self) -> None:
        """Every action is registered: show them."""
        self.add_common_actions()
        self.registry.fill(self.menuBar())
        self.addActions(self.registry.actions())

    def close_dialogs(self) -> None:
        """Take away whatever lies over the window."""
        for dialog in self.findChildren(QDialog):
            dialog.close()
        if self._palette is not None:
            self._palette.deleteLater()
            self._palette = None

    def open_palette(self) -> None:
        """Find an action by its words."""
        if self._palette is not None:
            self._palette.deleteLater()
        self._palette = palette = Palette(self, self.registry)
        palette.open()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        for url in event.mimeData().urls()[:DROPPED_LIMIT]:
            if url.isLocalFile():
                self.dropped.emit(Path(url.toLocalFile()))

    def _replace(self, screen: QWidget) -> None:
        while self._body.count():
            old = self._body.widget(0)
            if old is not None:
                self._body.removeWidget(old)
                old.deleteLater()
        self._body.addWidget(screen)

    def add_common_actions(self) -> None:
        """What every window can do, whatever it shows."""
        self.registry.add(
            Entry("palette", "view", N_("Find an action"), "Ctrl+K", "command", 0), self.open_palette
        )
        self.registry.add(
            Entry("fold-rail", "view", N_("Fold the rail"), "Ctrl+\\", "panel-left", 1), self._fold
        )
        self.registry.add(Entry("quit", "file", N_("Quit"), "Ctrl+Q", "x", 9), self.close)

    def _fold(self) -> None:
        if self.frame is not None:
            self.frame.rail.fold(not self.frame.rail.narrow)
