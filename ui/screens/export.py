"""Export: what is listed or selected as one STIX bundle in the clear.

A sheet says first what would be in the file, and up to which level; then a file is asked for, and a job writes it,
whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from app.courier import folder
from app.holdings import exporting
from app.holdings.exporting import Chosen, Contents
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused, _, ngettext
from app.store.conditions import Selection
from app.store.installation import Installation
from ui import files, numbers
from ui.desk import AUDIT, HOLDINGS, Desk
from ui.jobs import Task
from ui.safe_text import isolate_ltr
from ui.widgets.buttons import Button, Check
from ui.widgets.layout import clear, column, line
from ui.widgets.notices import Notice, Refusal, ResultLine
from ui.widgets.panel import fact
from ui.widgets.sheet import Sheet
from ui.widgets.tags import TlpTag
from ui.widgets.text import Text

NAME = "mithaq-{date}.json"


class Export:
    """The way from the holdings to a file; what comes of it is said in the holdings."""

    def __init__(self, desk: Desk, result: ResultLine, refusal: Refusal) -> None:
        self._desk, self._result, self._refusal = desk, result, refusal
        self._asked: Task | None = None

    def ask(self, chosen: Chosen, words: str) -> None:
        """Show what an export of `chosen` would hold; `words` say which objects these are."""
        if self._asked in self._desk.jobs.running:
            return
        self._refusal.clear()
        self._asked = self._desk.read(
            lambda i, _job: exporting.contents(i, chosen),
            lambda found: ExportSheet(self._desk, chosen, words, found, self.choose).open(),
            self._refusal.show_refusal,
            title=_("Export"),
        )

    def choose(self, chosen: Chosen, closure: bool, seen: Contents, done: Callable[[], object]) -> None:
        """Ask for the file; `done` once there is one."""

        def write(path: Path) -> None:
            done()
            self.write(chosen, closure, seen, path)

        name = NAME.format(date=self._desk.installation.now()[:10])
        files.ask_new(self._desk.window, _("Export"), name, write)

    def write(self, chosen: Chosen, closure: bool, seen: Contents, path: Path) -> None:
        """Write exactly what was `seen` to a new file; nothing of it stays where that does not come to its end."""
        self._refusal.clear()
        self._result.say("")

        def work(installation: Installation, job: Job) -> None:
            exporting.confirm(installation, chosen, closure, seen)
            with folder.new_file(path) as file:
                exporting.log(installation, seen.versions)
                file.writelines(exporting.bundle(installation, chosen, job, closure))

        def done(_nothing: None) -> None:
            words = _("{objects} written to {path}, in the clear.")
            self._result.say(
                words.format(
                    objects=numbers.objects_in(seen.objects, seen.versions), path=isolate_ltr(str(path))
                ),
                keep=True,
            )

        def failed(refused: Refused) -> None:
            again = (_("Choose another…"), partial(self.choose, chosen, closure, seen, self._refusal.clear))
            self._refusal.show_refusal(refused, again if refused.code.startswith("target-") else None)

        def cancelled() -> None:
            self._result.say(_("Export cancelled. No file is left; the log keeps that it was begun."))
            self._desk.changed.emit(frozenset({AUDIT}))

        self._desk.write(work, done, failed, changes=(), title=_("Export"), cancelled=cancelled)


class ExportSheet(Sheet):
    """What would be in the file, and that it would lie there in the clear."""

    def __init__(
        self,
        desk: Desk,
        chosen: Chosen,
        words: str,
        found: Contents,
        choose: Callable[[Chosen, bool, Contents, Callable[[], object]], object],
    ) -> None:
        super().__init__(desk.window, _("Export in the clear"), words, width=560)
        self._desk, self._chosen, self._contents = desk, chosen, found
        self._choose = choose
        self._open = True
        self._asked = 0
        self.closed.connect(self._end)
        self.warning = Notice()
        self._facts = column(gap=6)
        self.closure = Check(_("Also what they refer to, as far as it is held"))
        self.closure.toggled.connect(self._read)
        self.closure.setVisible(chosen != Selection())
        self.refusal = Refusal()
        self.body.addWidget(self.warning)
        self.body.addSpacing(14)
        self.body.addLayout(self._facts)
        self.body.addSpacing(10)
        self.body.addLayout(line(self.closure, None))
        self.body.addWidget(self.refusal)
        self.button = Button(_("Choose a file…"), "primary", run=self._go)
        self.foot_trail.addWidget(Button(_("Cancel"), run=self.close_sheet))
        self.foot_trail.addWidget(self.button)
        desk.changed.connect(self._changed)
        self._show(found)

    def _end(self) -> None:
        self._open = False
        self._desk.changed.disconnect(self._changed)

    def _changed(self, what: frozenset[str]) -> None:
        if HOLDINGS in what:
            self._read()

    def _read(self) -> None:
        chosen, closure = self._chosen, self.closure.isChecked()
        self.button.setEnabled(False)
        self.refusal.clear()
        # The answer to what was ticked before may come later.
        asked = self._asked = self._asked + 1

        def done(found: Contents) -> None:
            if asked == self._asked:
                self._show(found)

        def failed(refused: Refused) -> None:
            if self._open and asked == self._asked:
                self.refusal.show_refusal(refused)

        self._desk.read(lambda i, _job: exporting.contents(i, chosen, closure), done, failed)

    def _show(self, found: Contents) -> None:
        if not self._open:
            return
        self._contents = found
        strictest = found.levels[0][0] if found.levels else None
        self.warning.say(_warning(strictest), "info" if strictest in (None, Level.CLEAR) else "warning")
        clear(self._facts)
        self._facts.addWidget(fact(_("Objects"), numbers.objects_in(found.objects, found.versions)))
        for level, count in found.levels:
            tag = Text(_("No level"), size="label") if level is None else TlpTag(level.label)
            tag.setFixedWidth(tag.sizeHint().width())
            many = Text(numbers.objects(count), size="label", fixed=True)
            self._facts.addLayout(line(112, tag, 10, many, None, gap=0))
        if found.attachments:
            words = ngettext(
                "{n} attachment is not in it: it is saved from its object.",
                "{n} attachments are not in it: each is saved from its object.",
                found.attachments,
            )
            said = words.format(n=numbers.number(found.attachments))
            self._facts.addWidget(fact(_("Attachments"), said))
        self.button.setEnabled(found.objects > 0)
        self.refit()

    def _go(self) -> None:
        self._choose(self._chosen, self.closure.isChecked(), self._contents, self.close_sheet)


def _warning(strictest: Level | None) -> str:
    said = _("The file is not encrypted: whoever gets it can read it.")
    if strictest is None:
        return said
    if strictest is Level.UNREADABLE:
        more = _("The marking of some of its objects is not understood: treat it as TLP:RED.")
    else:
        more = _("The strictest of its objects is {level}.").format(
            level=isolate_ltr(f"TLP:{strictest.label}")
        )
    return f"{said} {more}"
