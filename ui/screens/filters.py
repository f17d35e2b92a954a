"""The filters over the holdings: what the list is narrowed to, the chips that say so, and the counts they carry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.holdings import browsing
from app.intel.marking import Level
from app.messages import _, listed, ngettext, pgettext
from app.store.conditions import Selection
from app.store.installation import Installation
from ui import icons, numbers, reading
from ui.safe_text import isolate, visible
from ui.widgets.chips import Chip, ChipRow, ChipSpec
from ui.widgets.layout import Pane, column, line
from ui.widgets.page import count_text
from ui.words import type_word

TYPE_CHIPS = 40
SOURCES = 30
SOURCE_LETTERS = 40


def shortened(name: str) -> str:
    """A source's name as a chip or a menu shows it."""
    return name if len(name) <= SOURCE_LETTERS else name[: SOURCE_LETTERS - 1] + "…"


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed to."""

    query: str = ""
    type: str = ""
    level: str = ""
    flag: str = ""  # conflict, revoked, or dangling: it refers to what is not held
    source: str = ""  # a file's name or a counterpart's alias

    def selection(self) -> Selection:
        return browsing.selection(
            self.query,
            (self.type,) if self.type else (),
            self.flag == "conflict",
            self.flag == "revoked",
            Level[self.level.replace("+", "_")] if self.level else None,
            self.source,
            self.flag == "dangling",
        )

    @property
    def any(self) -> bool:
        return self != Filter()

    @property
    def words(self) -> str:
        """All of it in one line; "" for everything."""
        flags = {
            "conflict": _("Conflicts"),
            "revoked": pgettext("filter", "Revoked"),
            "dangling": _("Dangling"),
        }
        parts = (
            isolate(self.query) if self.query else "",
            type_word(self.type, many=True) if self.type else "",
            f"TLP:{self.level}" if self.level else "",
            flags.get(self.flag, ""),
            isolate(shortened(self.source)) if self.source else "",
        )
        return listed(part for part in parts if part)


@dataclass(frozen=True)
class Numbers:
    """The counts that the filters carry."""

    total: int
    types: tuple[tuple[str, int], ...]
    conflicts: int
    revoked: int
    sources: tuple[str, ...]


def count(installation: Installation, chosen: Filter) -> Numbers:
    """The numbers beside `chosen`; those of the types are of what fits the rest of it."""
    types = browsing.counts_by_type(installation, replace(chosen, type="").selection())
    return Numbers(
        reading.count(installation, Filter().selection()),
        tuple(types),
        reading.count(installation, Filter(flag="conflict").selection()),
        reading.count(installation, Filter(flag="revoked").selection()),
        tuple(name for _kind, name, _count in browsing.sources(installation)[:SOURCES]),
    )


def in_the_middle(installation: Installation, chosen: Filter) -> Filter | None:
    """What finds, in the middle of words, what the words of `chosen` begin none of; None where that is nothing. Raises
    `Refused` as the query does.
    """
    other = replace(chosen, query=browsing.in_the_middle(installation, chosen.query))
    return other if other.query and reading.count(installation, other.selection()) else None


class Filters(Pane):
    """Two rows of chips, `order` at the end of the second. `chosen` hears of every change of `value`."""

    def __init__(self, chosen: Callable[[], object], order: QWidget) -> None:
        super().__init__()
        self.value = Filter()
        self._chosen = chosen
        self.types = ChipRow(self.choose_type)
        self.matches = count_text()
        self.flags = ChipRow(self.choose_flag, trailing=self.matches, toggles=True)
        self._level = Chip(ChipSpec("level", _("Marking")), opens=True)
        self._level.clicked.connect(self._open_levels)
        self._source = Chip(ChipSpec("source", _("Source")), opens=True)
        self._source.clicked.connect(self.open_sources)
        self._sources: tuple[str, ...] = ()
        self.setLayout(column(self.types, line(self._level, self._source, self.flags, order, gap=8)))

    # --- what is shown ------------------------------------------------------------------------------------------------

    def show_numbers(self, found: Numbers) -> None:
        """Let the chips carry these counts."""
        self._sources = found.sources
        specs = [ChipSpec("", _("All"), sum(n for _t, n in found.types))]
        specs += [
            ChipSpec(kind, type_word(kind, many=True), count, icons.object_icon(kind))
            for kind, count in found.types[:TYPE_CHIPS]
        ]
        if self.value.type and self.value.type not in {s.key for s in specs}:
            kind = self.value.type
            specs.append(ChipSpec(kind, type_word(kind, many=True), 0, icons.object_icon(kind)))
        self.types.set(specs, self.value.type)
        self.flags.set(
            [
                ChipSpec("conflict", _("Conflicts"), found.conflicts, "split", "conflict"),
                ChipSpec("revoked", pgettext("filter", "Revoked"), found.revoked, "ban", "danger"),
                # Of these no count is kept: every reference is looked at when they are asked for.
                ChipSpec("dangling", _("Dangling"), None, "circle-question-mark", "warning"),
            ],
            self.value.flag,
        )

    def show_matches(self, count: int) -> None:
        """Say how many fit, where anything is filtered."""
        words = ngettext("{number} matches", "{number} match", count).format(number=numbers.number(count))
        self.matches.setText(words if self.value.any else "")
        self.flags.updateGeometry()
        self.flags.set([c.spec for c in self.flags.chips], self.value.flag)

    # --- choosing -----------------------------------------------------------------------------------------------------

    def _narrow(self, value: Filter) -> None:
        if value != self.value:
            self.value = value
            self._chosen()

    def search(self, words: str) -> None:
        """Show only what fits a query."""
        self._narrow(replace(self.value, query=words))

    def choose_type(self, kind: str) -> None:
        """Show only one type; "" for all."""
        self._narrow(replace(self.value, type=kind))

    def choose_flag(self, flag: str) -> None:
        """Show only conflicts, what is revoked, or what refers to anything that is not held; "" for all."""
        self._narrow(replace(self.value, flag=flag))

    def choose_level(self, level: str) -> None:
        """Show only what is treated at `level`; "" for all."""
        words = f"TLP:{level}" if level else _("Marking")
        self._level.set(ChipSpec("level", words), removable=bool(level))
        self._narrow(replace(self.value, level=level))

    def choose_source(self, source: str) -> None:
        """Show only what came from a file or a counterpart; "" for all."""
        words = isolate(shortened(source)) if source else _("Source")
        self._source.set(ChipSpec("source", words), removable=bool(source))
        self._narrow(replace(self.value, source=source))

    def clear(self) -> None:
        """Show everything again."""
        self._level.set(ChipSpec("level", _("Marking")))
        self._source.set(ChipSpec("source", _("Source")))
        self._narrow(Filter())

    def open_sources(self) -> None:
        """Offer the sources, or let go of the one chosen."""
        if self.value.source:
            self.choose_source("")
            return
        # An ampersand would underline what follows it.
        named = [(visible(isolate(shortened(one))).replace("&", "&&"), one) for one in self._sources]
        self._offer(self._source, named, self.choose_source)

    def _open_levels(self) -> None:
        if self.value.level:
            self.choose_level("")
            return
        levels = [level.label for level in reversed(Level) if level is not Level.UNREADABLE]
        self._offer(self._level, [(f"TLP:{label}", label) for label in levels], self.choose_level)

    def _offer(self, chip: Chip, options: Sequence[tuple[str, str]], choose: Callable[[str], object]) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for words, value in options:
            menu.addAction(words, partial(choose, value))
        menu.popup(chip.mapToGlobal(QPoint(0, chip.height() + 4)))
