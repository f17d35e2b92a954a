"""Keeping what is kept, in the settings: backup, moving and coming back from a move; check and compaction of the store.

Each is long work with a card of its own; what came of it is said in one sentence, and what is wrong in full. How the
store is laid out is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app import vault
from app.exchange import epochs
from app.jobs import Job
from app.messages import _, ngettext, remedy, sentence
from app.store.installation import Installation
from ui import files, numbers
from ui.desk import COUNTERPARTS, HOLDINGS, INBOX, RELEASES, SETTINGS, Desk
from ui.jobs import Task
from ui.widgets.buttons import Button
from ui.widgets.layout import column, line
from ui.widgets.notices import Notice, Refusal
from ui.widgets.panel import Section, entry
from ui.widgets.sheet import Question, Sheet
from ui.widgets.text import Text, muted

BACKUP_NAME = "mithaq-{date}.backup"
PROBLEMS_SHOWN = 100
MENDED = frozenset({"index-wrong", "counters-wrong", "state-old"})
"""What `vault.mend` makes anew."""
BEGUN_ANEW = "state-old"


class Backup(Section):
    """Everything in one file; moving to another machine; working here again after a move that came to nothing."""

    def __init__(self, desk: Desk, say: Callable[[str], object]) -> None:
        self._desk, self._say = desk, say
        self.refusal = Refusal()
        desk.acting.connect(self.refusal.clear)
        self.retired = Notice(
            "", "warning", action=Button(_("Work here again…"), icon="undo-2", run=self.ask_revive)
        )
        self._move = Button(_("Move to another machine…"), run=self.ask_move)
        words = _(
            "Everything kept here, in one encrypted file. It opens with the passphrase or the recovery kit,"
            " and is read back before it counts."
        )
        super().__init__(
            _("Backup"),
            None,
            self.retired,
            muted(words, wrap=True),
            self.refusal,
            line(Button(_("Back up…"), run=self.ask_backup), self._move, None, gap=8),
        )
        self.show_retired("")

    def show_retired(self, since: str) -> None:
        """When it was moved to another machine, "" if it was not."""
        words = sentence("retired", {"since": numbers.moment(since)}) if since else ""
        self.retired.say(words, "warning")
        self._move.setVisible(not since)

    def ask_backup(self) -> None:
        """Ask where a backup goes."""
        self._ask_file(move=False)

    def ask_move(self) -> None:
        """Ask before this installation retires."""
        Question(
            self._desk.window,
            _("Move to another machine?"),
            _(
                "A backup is written, and this installation retires: it can be read, but seals and opens no package"
                " any more. Restore the file on the other machine."
            ),
            _("Choose the file and move"),
            lambda: self._ask_file(move=True),
            typed=_("move"),
        ).open()

    def _ask_file(self, *, move: bool) -> None:
        name = BACKUP_NAME.format(date=self._desk.installation.now()[:10])
        files.ask_new(self._desk.window, _("Backup"), name, lambda path: self.back_up(path, move=move))

    def back_up(self, path: Path, *, move: bool = False) -> None:
        """Write a backup to a new file."""
        self.refusal.clear()
        said = (
            _("Moved. Restore the file on the other machine.") if move else _("Backup written and read back.")
        )
        stopped = _("Stopped. No backup was written, and nothing was changed.")
        self._desk.write(
            lambda i, job: vault.back_up(i, path, job, move=move),
            lambda _made: self._say(said),
            self.refusal.show_refusal,
            changes=(SETTINGS, COUNTERPARTS, RELEASES, INBOX) if move else (SETTINGS,),
            title=_("Back up"),
            cancelled=lambda: self._say(stopped),
        )

    def ask_revive(self) -> None:
        """Ask before an installation that was moved works again."""
        Question(
            self._desk.window,
            _("Work here again?"),
            _(
                "Only if the file of the move was not restored anywhere, and will not be: two installations would speak"
                " with one voice. Every channel begins anew; tell each counterpart's officer, who will be asked to"
                " confirm it."
            ),
            _("Work here again"),
            self.revive,
            typed=_("not restored"),
        ).open()

    def revive(self) -> None:
        """Work here again after a move that came to nothing."""
        self.refusal.clear()

        def work(installation: Installation, _job: Job) -> None:
            vault.revive(installation)
            epochs.settle_restore(installation)

        self._desk.write(
            work,
            lambda _none: self._say(_("This installation is at work again. Every channel begins anew.")),
            self.refusal.show_refusal,
            changes=(SETTINGS, COUNTERPARTS, RELEASES, INBOX),
        )


class Store(Section):
    """The store: its size, whether it is sound, and making it small again."""

    def __init__(self, desk: Desk, say: Callable[[str], object]) -> None:
        self._desk, self._say = desk, say
        self.problems: tuple[vault.Problem, ...] = ()
        self._checking: Task | None = None
        self._compacting: Task | None = None
        self.refusal = Refusal()
        self._size = muted(wrap=True)
        self._watched = muted(wrap=True)
        check = Button(_("Check everything"), icon="shield-check", run=self.check)
        compact = Button(_("Compact the store"), icon="hard-drive", run=self.compact)
        checking = _("The check looks at every page, text, signature and file.")
        compacting = _(
            "What is deleted leaves room in the store. Compacting gives it back; lists wait while it runs."
        )
        super().__init__(
            _("Store"),
            None,
            self._size,
            self._watched,
            muted(checking, wrap=True),
            muted(compacting, wrap=True),
            self.refusal,
            line(check, compact, None, gap=8),
        )
        desk.acting.connect(self._clear)

    def show_store(self, size: int, *, anchored: bool) -> None:
        """How large it is in bytes, and whether this workstation's keyring watches over its age."""
        self._size.setText(_("The store takes {size}.").format(size=numbers.size(size)))
        kept = _("This workstation's keyring notices an older copy of the store put back.")
        self._watched.setText(kept if anchored else sentence("rollback-unanchored"))

    def _clear(self) -> None:
        """What was refused is over with the next act; what the check found is not."""
        if not self.problems:
            self.refusal.clear()

    # --- the check ----------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Look at everything that is kept."""
        if self._checking in self._desk.jobs.running:
            return
        self.problems = ()
        self._checking = self._desk.write(
            lambda installation, job: vault.check(installation, job),
            self._checked,
            self.refusal.show_refusal,
            changes=(),
            title=_("Check the store"),
            cancelled=lambda: self._say(_("The check was stopped. Nothing was changed.")),
        )

    def _checked(self, problems: list[vault.Problem]) -> None:
        self.problems = tuple(problems)
        if not problems:
            self._say(_("Checked: nothing is wrong."))
            return
        if len(problems) == 1:
            first = problems[0]
            facts = {"where": first.where}
            mend = (_("Make it anew…"), self.ask_mend) if first.code in MENDED else None
            self.refusal.show_code(first.code, facts, mend)
            return
        count = len(problems)
        words = ngettext("{n} problem was found.", "{n} problems were found.", count)
        show = (_("Show…"), self.show_all)
        self.refusal.show_words(words.format(n=numbers.number(count)), "", "problems-found", show)

    def show_all(self) -> None:
        """Every problem with its remedy, and the way to mend what can be mended."""
        sheet = Sheet(self._desk.window, _("What the check found"))
        for found in self.problems[:PROBLEMS_SHOWN]:
            sheet.body.addWidget(_problem(found))
            sheet.body.addSpacing(8)
        left = len(self.problems) - PROBLEMS_SHOWN
        if left > 0:
            words = ngettext(
                "{n} more; in the terminal, `mithaq-cli check` lists all.",
                "{n} more; in the terminal, `mithaq-cli check` lists all.",
                left,
            )
            sheet.body.addWidget(muted(words.format(n=numbers.number(left)), wrap=True))
        if any(found.code in MENDED for found in self.problems):

            def mend() -> None:
                sheet.close_sheet()
                self.ask_mend()

            sheet.foot_trail.addWidget(Button(_("Make the indexes anew…"), run=mend))
        sheet.open()

    def ask_mend(self) -> None:
        """Ask before indexes and counters are made anew."""
        words = _(
            "Every index and counter is made anew from the texts held, and everything is checked again."
        )
        if any(found.code == BEGUN_ANEW for found in self.problems):
            words += " " + _(
                "A page of the store is of an earlier time: the store goes on as it is, and every channel begins anew"
                " at the next unlocking. If there is a backup, restore that instead."
            )
        Question(
            self._desk.window, _("Make the indexes anew?"), words, _("Make the indexes anew"), self.mend
        ).open()

    def mend(self) -> None:
        """Make the indexes and counters anew, and check again."""
        self.problems = ()
        self._desk.write(
            vault.mend,
            lambda _none: self.check(),
            self.refusal.show_refusal,
            changes=(HOLDINGS, INBOX, RELEASES, COUNTERPARTS),
            title=_("Make the indexes anew"),
            cancelled=self.refusal.clear,
        )

    # --- compaction ---------------------------------------------------------------------------------------------------

    def compact(self) -> None:
        """Write the store anew without the room that deleted objects left."""
        if self._compacting in self._desk.jobs.running:
            return
        self.problems = ()

        def done(found: vault.Compacted) -> None:
            words = _("Compacted: {before} before, {after} now.")
            self._say(words.format(before=numbers.size(found.before), after=numbers.size(found.after)))

        self._compacting = self._desk.write(
            vault.compact,
            done,
            self.refusal.show_refusal,
            changes=(SETTINGS,),
            title=_("Compact the store"),
            cancelled=lambda: self._say(_("Compacting was stopped. Nothing was changed.")),
            alone=True,
        )


def _problem(found: vault.Problem) -> QWidget:
    facts = {"where": found.where}
    then = remedy(found.code, facts, window=True)
    row = entry("triangle-alert", sentence(found.code, facts), then, color="danger", wrap=True)
    made = QWidget()
    made.setLayout(
        column(row, line(26, Text(found.code, size="small", mono=True, color="muted"), None, gap=0), gap=1)
    )
    return made
