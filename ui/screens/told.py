"""What an act found out besides what it did: to whom objects had gone out, what was held already, what was refused,
what it could not reach.

A notice stands where the act was done and says how much there is; a sheet shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from PySide6.QtWidgets import QSizePolicy, QWidget

from app.holdings.correlation import Hit
from app.messages import _, listed, ngettext, remedy, sentence
from app.store.ledger import Given
from ui import icons, numbers
from ui.safe_text import isolate, isolate_ltr
from ui.widgets.buttons import Button
from ui.widgets.layout import Item, Pane, column
from ui.widgets.notices import Notice
from ui.widgets.panel import Section, entry
from ui.widgets.sheet import Sheet
from ui.widgets.text import Text
from ui.words import STATES

SHOWN = 20
"""Entries of a kind that are shown; all are counted."""
NAMED = 3
"""Counterparts that the notice names."""


@dataclass(frozen=True)
class Told:
    """`given`: to whom objects went out before they were treated at a higher level. `hits`: the first observables that
    are held already, of `count`. `refused`: (place, code) of what was passed by. `left`: (code, facts) of what still
    names or carries what was removed.
    """

    given: Sequence[Given] = ()
    hits: Sequence[Hit] = ()
    count: int = 0
    refused: Sequence[tuple[str, str]] = ()
    left: Sequence[tuple[str, Mapping[str, object]]] = ()

    def also(self, other: Told) -> Told:
        """Both."""
        return Told(
            (*self.given, *other.given),
            (*self.hits, *other.hits),
            self.count + other.count,
            (*self.refused, *other.refused),
            (*self.left, *other.left),
        )


class Telling(Pane):
    """The notice; hidden while there is nothing to tell. `window` takes the sheet."""

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self._window = window
        self.told = Told()
        self._notice = Notice(action=Button(_("Show…"), run=self.show_all))
        self.setLayout(column(self._notice, margins=(0, 0, 0, 8)))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def tell(self, told: Told) -> None:
        """Tell this, and nothing else."""
        self.clear()
        self.tell_also(told)

    def tell_also(self, told: Told) -> None:
        """Tell this too."""
        self.told = self.told.also(told)
        told = self.told
        words = [*_given_words(told.given), *_held_words(told.count), *_left_words(len(told.left))]
        self._notice.say(" ".join(words), "warning" if told.given or told.left else "info")
        self.setVisible(bool(words))

    def clear(self) -> None:
        """There is nothing to tell any more."""
        self.told = Told()
        self.hide()

    def show_all(self) -> None:
        """Everything, on a sheet."""
        TellingSheet(self._window, self.told).open()


class TellingSheet(Sheet):
    """Everything that was found out."""

    def __init__(self, window: QWidget, told: Told) -> None:
        super().__init__(window, _("Worth knowing"))
        given = packages(told.given)
        for name, count, entries in (
            (_("Still named or carried"), len(told.left), map(left_entry, told.left)),
            (_("Went out under a lower level"), len(given), map(given_entry, given)),
            (_("Held already"), told.count, map(_hit_entry, told.hits)),
            (_("Refused"), len(told.refused), map(_refused_entry, told.refused)),
        ):
            if count:
                self.body.addWidget(shown_section(name, count, entries))
        self.foot_trail.addWidget(Button(_("Close"), run=self.close_sheet))


def held_already(hits: Sequence[Hit]) -> Section:
    """The observables of one object that are held already."""
    return shown_section(_("Held already"), len(hits), map(_hit_entry, hits))


def shown_section(name: str, count: int, entries: Iterable[QWidget]) -> Section:
    """A section of the first `SHOWN` entries, of `count`."""
    items: list[Item] = [*islice(entries, SHOWN)]
    if count > SHOWN:
        more = _("and {n} more").format(n=numbers.number(count - SHOWN))
        items.append(Text(more, size="label", color="muted"))
    return Section(name, count, *items)


def _given_words(given: Sequence[Given]) -> list[str]:
    if not given:
        return []
    names = list(dict.fromkeys(one.to for one in given))
    said = listed(map(isolate, names[:NAMED]))
    if len(names) > NAMED:
        said = _("{names} and {n} more").format(names=said, n=numbers.number(len(names) - NAMED))
    count = len({one.id for one in given})
    words = ngettext(
        "{n} object had gone out under a lower level, to {names}.",
        "{n} objects had gone out under a lower level, to {names}.",
        count,
    )
    return [words.format(n=numbers.number(count), names=said)]


def _held_words(count: int) -> list[str]:
    words = ngettext("{n} observable is held already.", "{n} observables are held already.", count)
    return [words.format(n=numbers.number(count))] if count else []


def _left_words(count: int) -> list[str]:
    words = ngettext(
        "What was removed is still named or carried in {n} place.",
        "What was removed is still named or carried in {n} places.",
        count,
    )
    return [words.format(n=numbers.number(count))] if count else []


def packages(given: Sequence[Given]) -> list[tuple[Given, int]]:
    """The packages, each by one object that went out in it, with how many of them did."""
    found: dict[tuple[str, int], tuple[Given, set[str]]] = {}
    for one in given:
        found.setdefault((one.to, one.seq), (one, set()))[1].add(one.id)
    return [(one, len(ids)) for one, ids in found.values()]


def given_entry(found: tuple[Given, int]) -> QWidget:
    """A package, how far it got, and how many of them it carries."""
    one, count = found
    words = _("Package {seq} to {name}").format(seq=numbers.number(one.seq), name=isolate(one.to))
    state = STATES.get(one.state)
    said = numbers.objects(count)
    return entry("send", words, listed((_(state[2]), said)) if state else said, color="warning")


def left_entry(found: tuple[str, Mapping[str, object]]) -> QWidget:
    """A place that still names or carries what is removed, and what to do about it."""
    code, facts = found
    return entry(
        "link-2", sentence(code, facts), remedy(code, facts, window=True), color="warning", wrap=True
    )


def _hit_entry(hit: Hit) -> QWidget:
    """An observable that is held already: the first object about it, and from whom that is."""
    first = hit.holders[0]
    held = _("{name}, from {source}").format(
        name=isolate(first.name or first.id), source=isolate(first.source)
    )
    said = [held]
    if hit.count > 1:
        said.append(_("and {n} more").format(n=numbers.number(hit.count - 1)))
    if hit.differing:
        said.append(_("{n} with another SHA-256").format(n=numbers.number(hit.differing)))
    return entry(
        icons.object_icon(hit.observable.kind),
        isolate_ltr(hit.observable.value),
        listed(said),
        color="warning" if hit.differing else "muted",
    )


def _refused_entry(found: tuple[str, str]) -> QWidget:
    where, code = found
    return entry("ban", isolate(where), sentence(code, {"where": where}), color="danger", wrap=True)
