"""Starts the window as `mithaq` does and ends with its first paint: what `make bench` takes the time of."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

from ui import main as program


class _Watch(QObject):
    """Ends the program after the first paint of a window."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, QApplication.quit)
        return False


def main() -> int:
    opened = program.Program.open

    def watched(self: program.Program, home: Path, file: Path | None = None) -> object:
        application = QApplication.instance()
        assert application is not None
        watch = _Watch(application)
        application.installEventFilter(watch)
        return opened(self, home, file)

    program.Program.open = watched  # type: ignore[method-assign,assignment]
    with tempfile.TemporaryDirectory() as folder:
        return program.main(["--home", str(Path(folder) / "home")])


if __name__ == "__main__":
    sys.exit(main())
