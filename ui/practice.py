"""Practice in the window: two throw-away installations, both sides' windows, and a strip that says what comes next."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app import practice, vault
from app.exchange import inbox, outbox
from app.jobs import Job
from app.messages import Refused, _
from app.practice import Site
from app.store.installation import Installation
from ui.jobs import Jobs
from ui.safe_text import isolate_ltr
from ui.widgets.layout import Pane, column, line
from ui.widgets.notices import Icon
from ui.widgets.text import Text, muted

if TYPE_CHECKING:
    from ui.main import Program
    from ui.session import Session


class Guide(Pane):
    """The next step of the exchange, on the side where it is to be done."""

    def __init__(self, session: Session, other: str, stick: Path, *, first: bool) -> None:
        super().__init__("info_soft", "top")
        self._session = session
        self._other = other
        self._stick = stick
        self._first = first
        self.words = Text("", weight="medium")
        where = muted(_("The stick: {path}").format(path=isolate_ltr(str(stick))), size="small")
        row = line(Icon("info", "info"), column(self.words, where, gap=1), gap=10, margins=(16, 6))
        row.setStretch(1, 1)
        self.setLayout(row)
        if session.desk is not None:
            session.desk.changed.connect(lambda _what: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Look at what was done and say what comes next."""
        desk = self._session.desk
        if desk is None:
            return

        def work(installation: Installation, _job: Job) -> tuple[list[outbox.Listed], list[inbox.Listed]]:
            return outbox.listed(installation), inbox.listed(installation)

        desk.read(work, lambda found: self.words.setText(self._next(*found)))

    def _next(self, sent: list[outbox.Listed], got: list[inbox.Listed]) -> str:
        other = self._other
        if self._first:
            if not sent:
                return _("Practice 1 of 4: select all (Ctrl+A), Release…, carry on the stick, seal.")
            if any(p.state == "acked" for p in sent):
                return _("Practice done: Releases shows who has what, Audit every step.")
            return _(
                "Practice 2 of 4 is in the other window. Then open the receipt from the stick here (Ctrl+O)."
            )
        if not got:
            return _(
                "Practice 2 of 4: when {name} has sealed, open the package from the stick (Ctrl+O)."
            ).format(name=other)
        if any(p.state == "pending" for p in got):
            return _("Practice 3 of 4: review the package; accept all, some or none.")
        if not sent:
            return _("Practice 4 of 4: send a receipt, onto the stick.")
        return _("Practice 4 of 4: open the receipt in the window of {name}.").format(name=other)


def _guide(session: Session, other: str, stick: Path, first: bool) -> None:
    if session.window.frame is not None:
        session.window.frame.show_guide(Guide(session, other, stick, first=first))


def begin(program: Program, session: Session, folder: Path) -> None:
    """Make both installations in a worker, then show both windows, unlocked."""
    jobs = Jobs(session)
    stick = folder / "stick"
    screen = session.window.findChild(QWidget, "door")
    busy = getattr(screen, "show_busy", None)
    if busy is not None:
        busy(_("Making two practice installations"))

    def work(_job: Job) -> list[tuple[Site, vault.Unlocked]]:
        sites = practice.prepare(folder)
        stick.mkdir(mode=0o700)
        return [(site, vault.unlock(site.home, site.passphrase)) for site in sites]

    def done(found: list[tuple[Site, vault.Unlocked]]) -> None:
        names = [site.name for site, _opened in found]
        for number, (site, opened) in enumerate(found):
            if number == 0:
                session.home = site.home
                here = session
            else:
                here = program.open(site.home)
                here.window.move(session.window.pos().x() + 60, session.window.pos().y() + 60)
            here.window.setWindowTitle(f"Mithaq – {site.name}")
            here.unlocked.connect(partial(_guide, here, names[1 - number], stick, number == 0))
            here.enter(opened)
        jobs.stop()

    def failed(refused: Refused) -> None:
        if busy is not None:
            busy("")
        refusal = getattr(screen, "refusal", None)
        if refusal is not None:
            refusal.show_refusal(refused)
        jobs.stop()

    jobs.write(work, done, failed)
