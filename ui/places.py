"""Builds the places of an unlocked installation into a frame, and gives each what it may reach: the desk."""

from __future__ import annotations

from ui.desk import Desk
from ui.screens.audit import Audit
from ui.screens.counterparts import Counterparts
from ui.screens.holdings import Holdings
from ui.screens.inbox import Inbox
from ui.screens.releases import Releases
from ui.screens.settings import Settings
from ui.window import Frame


def build(desk: Desk, frame: Frame) -> None:
    """The five places and the settings, with their actions registered."""
    desk.window.frame = frame
    holdings = Holdings(desk)
    inbox = Inbox(desk)
    releases = Releases(desk)
    counterparts = Counterparts(desk)
    audit = Audit(desk)
    frame.add("holdings", holdings)
    frame.add("inbox", inbox)
    frame.add("releases", releases)
    frame.add("counterparts", counterparts)
    frame.add("audit", audit)
    frame.add("settings", Settings(desk))
    for place in (holdings, inbox, releases, counterparts, audit):
        place.register()
    frame.receive = inbox.packages.receive
    frame.add_card = counterparts.add_card
    frame.import_file = holdings.import_file
