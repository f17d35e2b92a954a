"""What the desktop says that should lock the window: the screen is locked, the machine goes to sleep.

Through D-Bus where there is one (logind's PrepareForSleep and Lock, the screen saver's ActiveChanged); elsewhere
nothing comes, and the idle time alone locks.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import SLOT, QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection

LOGIN, MANAGER, SESSION = (
    "org.freedesktop.login1",
    "org.freedesktop.login1.Manager",
    "org.freedesktop.login1.Session",
)
SAVERS = ("org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver")


def _slot(signature: str) -> Any:
    # The stubs ask for bytes; the call takes only text.
    return SLOT(signature)


class Desktop(QObject):
    """`away`: nobody should see what is on the screen any more."""

    away = Signal()

    def listen(self) -> bool:
        """Listen to what there is; False where there is no bus at all."""
        heard = False
        system = QDBusConnection.systemBus()
        if system.isConnected():
            sleep, lock = _slot("asleep(bool)"), _slot("locked()")
            heard |= system.connect(LOGIN, "/org/freedesktop/login1", MANAGER, "PrepareForSleep", self, sleep)
            heard |= system.connect(LOGIN, "", SESSION, "Lock", self, lock)
        session = QDBusConnection.sessionBus()
        if session.isConnected():
            for name in SAVERS:
                heard |= session.connect("", "", name, "ActiveChanged", self, _slot("asleep(bool)"))
        return heard

    @Slot(bool)
    def asleep(self, on: bool) -> None:
        """The machine goes to sleep, or the screen is covered."""
        if on:
            self.away.emit()

    @Slot()
    def locked(self) -> None:
        """The session was locked."""
        self.away.emit()
