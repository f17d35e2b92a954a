"""One window from its first paint to its end: first run, unlock, work, lock; and what comes from outside (files)."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from app import messages, officers, vault
from app.exchange import counterparts
from app.jobs import Job
from app.messages import N_, Refused, _, ngettext, use_language
from app.settings import Settings
from app.store.installation import Installation
from ui import clipboard, files, numbers
from ui.actions import Entry
from ui.desk import Desk
from ui.jobs import Jobs
from ui.theme import theme
from ui.widgets.sheet import Sheet
from ui.window import PLACES, Frame, Window

if TYPE_CHECKING:
    from ui.system import Desktop

IDLE_CHECK_MS = 1_000
SNIFF = 64
AGE = b"age-encryption.org/v1"
ARMOR = b"-----BEGIN AGE"
CARD = b"MITHAQ-DOCUMENT-"


def kind_of(head: bytes) -> str:
    """What a file is by its first bytes: package, card or bundle (whatever else: reading it says why not)."""
    if head.startswith((AGE, ARMOR)):
        return "package"
    if head.startswith(CARD):
        return "card"
    return "bundle"


def speak(language: str) -> None:
    """Speak a language from the next screen on: words, digits, fonts, direction."""
    if language != messages.language():
        use_language(language)
        numbers.use_arabic_digits(language == "ar")
        if theme().arabic != (language == "ar"):
            theme().set_arabic(language == "ar")


def _load(_job: Job) -> None:
    import_module("ui.places")
    import_module("ui.system")


class IdleWatch(QObject):
    """Counts the time since the last key or mouse in one window."""

    idle = Signal()
    left = Signal(int)  # seconds

    def __init__(self, application: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        self.minutes = 10
        self._seconds = 0
        self._timer = QTimer(self)
        self._timer.setInterval(IDLE_CHECK_MS)
        self._timer.timeout.connect(self._tick)
        application.installEventFilter(self)

    def start(self, minutes: int) -> None:
        self.minutes = minutes
        self._seconds = 0
        self._timer.start()
        self.left.emit(self.minutes * 60)

    def stop(self) -> None:
        self._timer.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _TOUCHES:
            self._seconds = 0
        return False

    def _tick(self) -> None:
        self._seconds += 1
        rest = self.minutes * 60 - self._seconds
        if rest <= 0:
            self.stop()
            self.idle.emit()
        else:
            self.left.emit(rest)


_TOUCHES = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.InputMethod,
    }
)


class Session(QObject):
    """An installation in one window."""

    unlocked = Signal()
    locked = Signal()
    practise = Signal()

    def __init__(self, application: QApplication, home: Path, *, file: Path | None = None) -> None:
        # The application's to end, as Python's collector would end it in whichever thread it runs.
        super().__init__(application)
        self.home = home
        # Whoever chooses another language finds the way back to it.
        self._desktop = messages.language()
        self.window = Window()
        self.desk: Desk | None = None  # once every place is built
        self._opening: Desk | None = None
        self.desktop: Desktop | None = None
        self._application = application
        self._file = file
        self._open: vault.Unlocked | None = None
        self._door_jobs: Jobs | None = None
        self._idle = IdleWatch(application, self)
        self._idle.idle.connect(self.lock)
        self._idle.left.connect(self._say_left)
        self.window.closing.connect(self._close)
        self.window.dropped.connect(self.take_file)

    # --- the doors ----------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Show the first screen there is reason for."""
        if (self.home / vault.SLOTS).is_file():
            self._show_unlock(closing=False)
        else:
            self._show_first_run()
        self.window.show()
        # While the officer types: what the frame needs is read from disk.
        QTimer.singleShot(0, self, lambda: self._jobs().read(_load, lambda _none: None))

    def _jobs(self) -> Jobs:
        if self._door_jobs is None:
            self._door_jobs = Jobs(self)
        return self._door_jobs

    def _show_first_run(self) -> None:
        from ui.screens.entry import FirstRun

        screen = FirstRun(self.home, self._jobs(), self._created, self.practise.emit, self.ask_backup)
        self.window.cover(screen)
        screen.name.setFocus()

    def ask_backup(self) -> None:
        """Ask for the file of a backup to restore here."""
        files.ask(self.window, _("Backup"), self.show_restore)

    def show_restore(self, backup: Path) -> None:
        """The door back, with the file of a backup."""
        from ui.screens.restore import Restore

        def restored(found: vault.Restored) -> None:
            made = numbers.moment(found.made)
            self._show_unlock(closing=False, said=_("Restored as it was on {at}.").format(at=made))

        screen = Restore(self.home, backup, self._jobs(), restored, self._show_first_run)
        self.window.cover(screen)
        screen.key.setFocus()

    def _show_unlock(self, *, closing: bool, said: str = "") -> None:
        from ui.screens.entry import Unlock

        self._unlock = Unlock(self.home, self._jobs(), self.enter, closing=closing, said=said)
        self.window.cover(self._unlock)
        self._unlock.passphrase.setFocus()

    def _created(self, passphrase: str) -> None:
        home = self.home

        def failed(_refused: Refused) -> None:
            self._show_unlock(closing=False)

        self._jobs().write(lambda _job: vault.unlock(home, passphrase), self.enter, failed)

    # --- at work ------------------------------------------------------------------------------------------------------

    def enter(self, opened: vault.Unlocked) -> None:
        """Read how the officer likes it, then build the frame over the unlocked installation."""
        self._open = opened
        jobs = Jobs(self)
        self._opening = desk = Desk(opened.installation, jobs, self.window)

        def work(installation: Installation, _job: Job) -> tuple[str, Settings]:
            return counterparts.own(installation).name, officers.current_settings(installation)

        def done(found: tuple[str, Settings]) -> None:
            name, values = found
            # Before there is a frame to be styled anew.
            speak(self._desktop if values.language == "system" else values.language)
            theme().set_mode(values.theme)  # type: ignore[arg-type]
            theme().set_density(values.density)  # type: ignore[arg-type]
            self._build(desk, name, values)

        desk.read(work, done)

    def _build(self, desk: Desk, name: str, values: Settings) -> None:
        from ui.places import build

        frame = Frame(self.go, lambda: self.go("settings"), self.lock)
        frame.rail.show_officer(desk.installation.officer, name)
        self.window.new_registry()
        self._register(desk)
        desk.go.connect(self.go)
        desk.refused.connect(frame.refusal.show_refusal)
        desk.acting.connect(frame.refusal.clear)
        desk.changed.connect(self._settings_changed)
        desk.jobs.began.connect(frame.rail.watch)

        def ready() -> None:
            if self._opening is not desk:
                return  # locked meanwhile
            self.desk = desk
            self.window.fill_menus()
            if self._open is not None:
                frame.say_last(self._open.last)
            self._idle.start(values.idle_minutes)
            self._listen()
            self.unlocked.emit()
            if self._file is not None:
                file, self._file = self._file, None
                self.take_file(file)

        self.window.show_frame(frame)
        build(desk, frame, ready)

    def _listen(self) -> None:
        """Lock when the screen is locked or the machine goes to sleep."""
        if self.desktop is None:
            from ui.system import Desktop

            self.desktop = Desktop(self)
            self.desktop.away.connect(self.lock)
            self.desktop.listen()

    def _register(self, desk: Desk) -> None:
        add = desk.actions.add
        for number, place in enumerate(PLACES, 1):
            entry = Entry(f"go-{place.key}", "view", place.words, f"Ctrl+{number}", place.icon, 4)
            add(entry, partial(self.go, place.key))
        add(Entry("settings", "file", N_("Settings"), "Ctrl+,", "settings", 7), lambda: self.go("settings"))
        add(Entry("lock", "file", N_("Lock"), "Ctrl+L", "lock", 8), self.lock)
        add(Entry("about", "help", N_("About Mithaq"), "", "info", 1), self._about)

    def go(self, key: str) -> None:
        """Show a place."""
        if self.window.frame is not None:
            self.window.frame.show_place(key)

    def _settings_changed(self, what: frozenset[str]) -> None:
        if "settings" in what and self.desk is not None:
            self.desk.read(
                lambda installation, _job: officers.current_settings(installation).idle_minutes,
                self._idle.start,
            )

    def _say_left(self, seconds: int) -> None:
        frame = self.window.frame
        if frame is None:
            return
        minutes = max(1, -(-seconds // 60))
        words = ngettext("Locks in {n} min", "Locks in {n} min", minutes)
        if seconds < 60:
            words = ngettext("Locks in {n} s", "Locks in {n} s", seconds)
            minutes = seconds
        frame.rail.until_lock.setText(words.format(n=numbers.number(minutes)))

    def lock(self) -> None:
        """Cover everything, stop work, close the store, empty models and clipboard."""
        if self._open is None or self._opening is None:
            return
        opened, self._open = self._open, None
        # It may be just being opened, with only some of its places there.
        desk, self._opening, self.desk = self._opening, None, None
        self._idle.stop()
        frame = self.window.frame
        if frame is not None:
            for place in frame.places():
                forget = getattr(place, "forget", None)
                if forget is not None:
                    forget()
        clipboard.forget()
        for child in self.window.findChildren(QWidget):
            if isinstance(child, Sheet):
                child.close_sheet()
        self.window.close_dialogs()
        self._show_unlock(closing=True)
        unlock = self._unlock

        def closed() -> None:
            if isValid(unlock):  # the window may be gone by now
                unlock.set_closing(False)
                desk.deleteLater()
            self.locked.emit()

        desk.jobs.stop(opened.lock, closed, opened.installation.database.cancel)

    def _close(self) -> None:
        """The window closes: the store is closed before the program ends."""
        if self._open is not None and self._opening is not None:
            opened, self._open = self._open, None
            desk, self._opening, self.desk = self._opening, None, None
            self._idle.stop()
            desk.jobs.stop(opened.lock, interrupt=opened.installation.database.cancel)
        if self._door_jobs is not None:
            self._door_jobs.stop()
            self._door_jobs = None

    def _about(self) -> None:
        from importlib.metadata import PackageNotFoundError, version

        from ui.widgets.text import Text, muted

        try:
            number = version("mithaq")
        except PackageNotFoundError:
            number = ""
        sheet = Sheet(self.window, _("About Mithaq"), number, width=520)
        sheet.body.addWidget(
            Text(
                _("Exchange of threat intelligence between two teams, sealed and signed, without a network."),
                wrap=True,
            )
        )
        sheet.body.addSpacing(8)
        sheet.body.addWidget(muted(_("Apache-2.0. Fonts: Noto, OFL. Icons: Lucide, ISC."), wrap=True))
        sheet.open()

    # --- from outside -------------------------------------------------------------------------------------------------

    def take_file(self, path: Path) -> None:
        """Open a package, add a card or import a bundle, whichever the file is; once unlocked."""
        if self.desk is None or self.window.frame is None:
            self._file = path
            return
        frame = self.window.frame

        def work(_installation: Installation, _job: Job) -> str:
            try:
                with path.open("rb") as file:
                    return kind_of(file.read(SNIFF))
            except OSError as error:
                raise Refused("file-unreadable", path=path, why=error.strerror) from error

        def done(kind: str) -> None:
            if kind == "package":
                self.go("inbox")
                frame.receive(path)
            elif kind == "card":
                self.go("counterparts")
                frame.add_card(path)
            else:
                self.go("holdings")
                frame.import_file(path)

        self.desk.read(work, done)
