"""The order of the holdings: a chip that says which is in force, and offers the others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

from app.holdings.browsing import RANK
from app.messages import N_, _
from app.store.conditions import Selection
from ui.drawing import is_rtl
from ui.widgets.chips import Chip, ChipSpec

NEWEST = ("modified", True)
WORDS = {
    NEWEST: N_("Newest first"),
    ("modified", False): N_("Oldest first"),
    (RANK, True): N_("Best match first"),
    ("name", False): N_("Name, A to Z"),
    ("name", True): N_("Name, Z to A"),
    ("type", False): N_("Type, A to Z"),
    ("type", True): N_("Type, Z to A"),
    ("marking", True): N_("Strictest first"),
    ("marking", False): N_("Laxest first"),
}
"""Every (key, descending) that a list may be in, as it is offered."""


class Order(Chip):
    """`wanted` is what was chosen. What says most about the words comes first only where there are words: else the
    newest does, until there are words again.
    """

    def __init__(self, chosen: Callable[[], object]) -> None:
        super().__init__(ChipSpec("order", _(WORDS[NEWEST])), opens=True)
        self.wanted = NEWEST
        self._chosen = chosen
        self._words = False
        self.setToolTip(_("Order"))
        self.clicked.connect(self.open)

    def of(self, chosen: Selection) -> tuple[str, bool]:
        """The order in force of what fits `chosen`."""
        return NEWEST if self.wanted[0] == RANK and not chosen.match else self.wanted

    def show_for(self, chosen: Selection) -> tuple[str, bool]:
        """Say which order is in force; returns it."""
        self._words = bool(chosen.match)
        now = self.of(chosen)
        self.set(ChipSpec("order", _(WORDS[now])))
        return now

    def choose(self, key: str, descending: bool) -> None:
        """Want another order."""
        self.wanted = (key, descending)
        self._chosen()

    def open(self) -> None:
        """Offer the orders under the chip."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for one, words in WORDS.items():
            action = menu.addAction(_(words), partial(self.choose, *one))
            action.setCheckable(True)
            action.setChecked(self.spec.words == _(words))
            action.setEnabled(one[0] != RANK or self._words)
        # It stands at the end of its row: the menu ends where it does.
        inward = 0 if is_rtl() else self.width() - menu.sizeHint().width()
        menu.popup(self.mapToGlobal(QPoint(inward, self.height() + 4)))
