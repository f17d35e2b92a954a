"""Purge: the selection removed for good, after a question that says what goes, what went out, and what stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from PySide6.QtWidgets import QWidget

from app.holdings import purge as purging
from app.holdings.purge import Foreseen, Purged
from app.jobs import Job
from app.messages import Refused, _, ngettext
from app.store.installation import Installation
from ui import numbers
from ui.desk import HOLDINGS, INBOX, Desk
from ui.jobs import Task
from ui.screens.told import Told, given_entry, left_entry, packages, shown_section
from ui.widgets.notices import Refusal, ResultLine
from ui.widgets.panel import fact
from ui.widgets.sheet import Question
from ui.widgets.text import muted

DONE = frozenset({"traces-left", "unconfirmed"})
"""Codes of what is done all the same."""

Left: TypeAlias = tuple[str, Mapping[str, object]]


class Purge:
    """The way from the selection to its end; what comes of it is said in the holdings."""

    def __init__(
        self, desk: Desk, result: ResultLine, refusal: Refusal, tell: Callable[[Told], object]
    ) -> None:
        self._desk, self._result, self._refusal, self._tell = desk, result, refusal, tell
        self._asked: Task | None = None

    def ask(self, oids: Sequence[int]) -> None:
        """Say what a purge of these objects does, and ask."""
        if self._asked in self._desk.jobs.running:
            return
        self._refusal.clear()
        self._asked = self._desk.read(
            lambda i, job: purging.foresee(i, oids, job),
            self._ask,
            self._refusal.show_refusal,
            title=_("Purge"),
        )

    def _ask(self, seen: Foreseen) -> None:
        count = len(seen.ids)
        if not count:
            return
        what = ngettext("Purge {number} object?", "Purge {number} objects?", count)
        verb = ngettext("Purge {number} object", "Purge {number} objects", count)
        Question(
            self._desk.window,
            what.format(number=numbers.number(count)),
            ngettext(
                "It is removed for good, with its copies in decided packages. This cannot be undone.",
                "They are removed for good, with their copies in decided packages. This cannot be undone.",
                count,
            ),
            verb.format(number=numbers.number(count)),
            lambda: self.purge(seen),
            typed=_("purge"),
            more=_told(seen),
        ).open()

    def purge(self, seen: Foreseen) -> None:
        """Remove exactly what was `seen`."""
        self._refusal.clear()
        self._result.say("")

        def work(installation: Installation, job: Job) -> Purged:
            return purging.purge_foreseen(installation, seen, job)

        def done(purged: Purged) -> None:
            said = _("{objects} removed for good.")
            amount = numbers.objects_in(purged.objects, purged.versions)
            self._result.say(said.format(objects=amount), keep=True)
            self._tell(Told(left=_left(purged)))

        def failed(refused: Refused) -> None:
            if refused.code in DONE:
                self._desk.changed.emit(frozenset(_CHANGED))
            self._refusal.show_refusal(refused)

        self._desk.write(
            work,
            done,
            failed,
            changes=_CHANGED,
            title=_("Purge"),
            cancelled=lambda: self._result.say(_("Purge cancelled. Nothing was removed.")),
        )


_CHANGED = (HOLDINGS, INBOX)


def _told(seen: Foreseen) -> list[QWidget]:
    said: list[QWidget] = [fact(_("Objects"), numbers.objects_in(len(seen.ids), seen.versions))]
    if seen.attachments:
        said.append(fact(_("Attachments"), numbers.number(seen.attachments)))
    for name, given in ((_("Went out"), seen.given), (_("Went out sanitised"), seen.sanitised)):
        if not given:
            continue
        found = packages(given)
        section = shown_section(name, len(found), map(given_entry, found))
        section.content.addWidget(
            muted(_("What they have they keep: only a recall asks it back."), wrap=True)
        )
        said.append(section)
    left = _left(seen)
    if left:
        said.append(shown_section(_("Still named or carried"), len(left), map(left_entry, left)))
    stays = _(
        "What stays: who was given what, in the ledger, and older entries of the log, by id and without their text;"
        " and backups that were made before."
    )
    said.append(muted(stays, wrap=True))
    return said


def _left(found: Foreseen | Purged) -> list[Left]:
    """What a purge does not reach, as (code, facts)."""
    left: list[Left] = [("purge-waiting", {"number": numbers.number(number)}) for number in found.waiting]
    left += [("purge-sealed", {"to": to, "seq": numbers.number(seq)}) for to, seq in found.sealed]
    left += [("purge-referring", {"id": id_}) for id_ in found.referring]
    return left
