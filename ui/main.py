"""The entry point of the window: `mithaq [--home DIR] [FILE]`.

Without a display it says so in one line and runs the practice exchange in the terminal, unless a file or a folder was
named. One window per installation: a second start hands its file to the first and ends.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.direction import shown
from app.messages import Refused, _, remedy, sentence, use_language

READER = "--read-hostile-file"
"""How a frozen program starts itself as the reader of hostile files (app.formats.stix)."""

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.practice import Site
    from ui.session import Session


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the window; returns the exit code."""
    if sys.argv[1:] == [READER]:
        from app.formats import worker

        worker.main()
        return 0
    options = _options(sys.argv[1:] if arguments is None else arguments)
    use_language(_language())
    if not has_display():
        if options.named:
            print(shown(_("No display: `mithaq-cli` does the same here in the terminal.")), file=sys.stderr)
            return 1
        return _in_the_terminal()
    from PySide6.QtWidgets import QApplication

    from ui import safe_text, theme
    from ui.numbers import use_arabic_digits
    from ui.single import Single

    application = QApplication(["mithaq"])
    application.setApplicationName("Mithaq")
    application.setDesktopFileName("mithaq")
    single = Single(options.home)
    if single.handed_over(options.file):
        return 0
    theme.install(application)
    safe_text.install_rule(application)
    if _language() == "ar":
        theme.theme().set_arabic(True)
        use_arabic_digits(True)
    program = Program(application)
    session = program.open(options.home, options.file)
    single.received.connect(lambda path: program.take(session, path))
    if options.practise:
        program.practise(session)
    code = application.exec()
    program.wait()
    return code


class Program:
    """The windows of one process: one, or the two of the practice."""

    def __init__(self, application: QApplication) -> None:
        self._application = application
        self.sessions: list[Session] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def open(self, home: Path, file: Path | None = None) -> Session:
        """Open a window on the installation in `home`."""
        from ui.session import Session

        session = Session(self._application, home, file=file)
        session.practise.connect(lambda: self.practise(session))
        self.sessions.append(session)
        session.show()
        return session

    def take(self, session: Session, path: str) -> None:
        """A second start came: show the window and open its file."""
        session.window.raise_()
        session.window.activateWindow()
        if path:
            session.take_file(Path(path))

    def practise(self, session: Session) -> None:
        """Make two throw-away installations and open both sides' windows."""
        from ui.practice import begin

        self._folder = tempfile.TemporaryDirectory(prefix="mithaq-practice-")
        begin(self, session, Path(self._folder.name))

    def open_site(self, site: Site) -> Session:
        """Open a window on a practice installation."""
        return self.open(site.home)

    def wait(self) -> None:
        """Wait until the stores are closed, then remove what was practised on."""
        import threading

        for thread in threading.enumerate():
            if thread.name == "stopping":
                thread.join()
        if self._folder is not None:
            self._folder.cleanup()


def has_display() -> bool:
    """Whether a window can be shown here."""
    if sys.platform in ("win32", "darwin"):
        return True
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform and platform.split(":")[0] not in ("xcb", "wayland"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _in_the_terminal() -> int:
    print(_("No display: the practice exchange runs here in the terminal."), file=sys.stderr)
    from app import practice

    folder = Path(tempfile.mkdtemp(prefix="mithaq-practice-"))
    try:
        practice.run(folder, lambda line: print(shown(line)))
    except Refused as refused:
        words = f"{sentence(refused.code, refused.facts)} {remedy(refused.code, refused.facts)}"
        print(shown(f"error: {refused.code}: {words}"), file=sys.stderr)
        return 1
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mithaq", description=_("Open the window of Mithaq."))
    parser.add_argument("--home", type=Path, default=None, help=_("the installation's folder"))
    parser.add_argument(
        "--practise", action="store_true", help=_("two throw-away installations, both windows")
    )
    parser.add_argument("file", type=Path, nargs="?", help=_("a package, a card or a bundle to open"))
    options = parser.parse_args(arguments)
    options.named = options.home is not None or options.file is not None
    if options.home is None:
        import platformdirs

        options.home = Path(platformdirs.user_data_dir("mithaq", appauthor=False))
    if options.file is not None:
        options.file = options.file.absolute()
    return options


def _language() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return value[:2] if value[:2] in ("ar", "fr") else "en"
    return "en"


if __name__ == "__main__":
    sys.exit(main())
