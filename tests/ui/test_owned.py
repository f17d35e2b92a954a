"""Qt's objects end in the window's thread: Python's collector runs in whichever thread it is due in, and what Python
owns ends there. A widget is spared that; a model, a timer or a session is not.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid, ownedByPython

from app import vault
from tests.ui import stage
from tests.ui.driving import settle, wait
from ui.jobs import _Bridge
from ui.screens.dangling import DanglingSheet, Found, Missing
from ui.screens.holdings import Holdings
from ui.session import Session
from ui.window import PLACES

KEPT = (_Bridge, QSvgRenderer)
"""Kept for good, each by its module."""


def test_what_a_window_is_made_of_is_not_pythons_to_end(
    sessions: Callable[[Path], Session], tmp_path: Path
) -> None:
    side = stage.create(tmp_path / "a")
    stage.take(side, stage.bundle(tmp_path / "in.json", [stage.indicator(1, "One")]))
    session = sessions(side.home)
    session.enter(vault.unlock(side.home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    for place in PLACES:
        session.go(place.key)
        settle(session)
    DanglingSheet(session.desk, Found((Missing("id", ("by",), "name"),), more=False), print).open()
    settle(session)
    gc.collect()
    objects = [one for one in gc.get_objects() if isinstance(one, QObject) and isValid(one)]
    owned = [one for one in objects if ownedByPython(one) and not isinstance(one, (*KEPT, QWidget))]
    assert [type(one).__name__ for one in owned] == []


def test_a_collection_in_a_worker_ends_nothing_of_a_window_that_is_gone(
    sessions: Callable[[Path], Session], tmp_path: Path
) -> None:
    side = stage.create(tmp_path / "a")
    session = sessions(side.home)
    session.enter(vault.unlock(side.home, stage.PASSPHRASE))
    wait(lambda: session.desk, "the frame")
    settle(session)
    ended: list[str] = []
    direct = Qt.ConnectionType.DirectConnection
    pane = session.window.findChild(Holdings)
    assert pane is not None
    pane.model.destroyed.connect(lambda *_a: ended.append(threading.current_thread().name), direct)
    # While the worker closes the store, what the lock has let go of is garbage; the collector may come there.
    session.lock()
    del pane
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    worker = threading.Thread(target=gc.collect, name="worker")
    worker.start()
    worker.join()
    wait(lambda: ended, "the end of the model")
    assert ended == [threading.main_thread().name]
