"""Builds the places of an unlocked installation into a frame, one at each turn of the event loop."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer

from ui.desk import Desk
from ui.screens.audit import Audit
from ui.screens.counterparts import Counterparts
from ui.screens.holdings import Holdings
from ui.screens.inbox import Inbox
from ui.screens.releases import Releases
from ui.screens.settings import Settings
from ui.window import Frame


def build(desk: Desk, frame: Frame, ready: Callable[[], object]) -> None:
    """Build the holdings first, then the other places; `ready` when all are there."""

    def holdings() -> None:
        place = Holdings(desk)
        frame.add("holdings", place)
        frame.import_file = place.import_file
        place.register()
        desk.go.emit("holdings")

    def inbox() -> None:
        place = Inbox(desk)
        frame.add("inbox", place)
        frame.receive = place.packages.receive
        place.register()

    def releases() -> None:
        place = Releases(desk)
        frame.add("releases", place)
        place.register()

    def counterparts() -> None:
        place = Counterparts(desk)
        frame.add("counterparts", place)
        frame.add_card = place.add_card
        place.register()

    def audit() -> None:
        place = Audit(desk)
        frame.add("audit", place)
        place.register()

    def settings() -> None:
        place = Settings(desk)
        frame.add("settings", place)
        place.register()

    rest = [holdings, inbox, releases, counterparts, audit, settings]
    turn = QTimer(frame)
    turn.setInterval(0)

    def next_place() -> None:
        if rest:
            rest.pop(0)()
        else:
            turn.stop()
            ready()

    turn.timeout.connect(next_place)
    turn.start()
