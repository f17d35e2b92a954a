"""The window under test: on the real display where there is one, else offscreen; Qt's own messages fail tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# tests/conftest.py has chosen offscreen for whoever has no display; with one, the real platform is driven.
if os.environ.get("DISPLAY") and not os.environ.get("MITHAQ_OFFSCREEN"):
    os.environ["QT_QPA_PLATFORM"] = "xcb"

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from tests.support import threads
from ui import safe_text, theme
from ui.session import Session


@pytest.fixture(autouse=True)
def _look(qapp: QApplication) -> Iterator[None]:
    """Every test starts in English, light, normal, and leaves no widget behind."""
    if theme._theme is None:
        theme.install(qapp)
        safe_text.install_rule(qapp)
    look = theme.theme()
    look.set_mode("light")
    look.set_density("normal")
    if look.arabic:
        look.set_arabic(False)
    yield
    for widget in qapp.topLevelWidgets():
        if widget.parent() is None:
            widget.close()
            widget.deleteLater()
    for session in qapp.findChildren(Session):
        session.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture(autouse=True)
def _connections() -> Iterator[None]:
    """No test uses a connection to a store in two threads at once, nor a reader in another thread than its own."""
    with threads.watched() as wrong:
        yield
    assert wrong == []


@pytest.fixture
def sessions(qapp: QApplication) -> Iterator[Callable[[Path], Session]]:
    """Makes windows, and ends them with the test."""
    made: list[Session] = []

    def make(home: Path) -> Session:
        session = Session(qapp, home)
        made.append(session)
        session.show()
        session.window.activateWindow()
        return session

    yield make
    for session in made:
        session.window.close()
        session.window.deleteLater()
    import threading

    for thread in threading.enumerate():
        if thread.name == "stopping":
            thread.join()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Qt's own warnings fail a test, but for the offscreen platform saying what it cannot do."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            item.add_marker(pytest.mark.qt_log_ignore("^This plugin does not support", extend=True))
