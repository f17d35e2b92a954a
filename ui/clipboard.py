"""The clipboard: what was copied here is taken away again when the installation locks."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication

from app import direction

_copied = ""


def copy(text: str) -> None:
    """Put `text` on the clipboard, without what isolates it on the screen, and remember that it is ours."""
    global _copied
    _copied = direction.bare(text)
    QGuiApplication.clipboard().setText(_copied)


def forget() -> None:
    """Empty the clipboard if what lies there came from here, copied by a button or from a field."""
    global _copied
    clipboard = QGuiApplication.clipboard()
    if clipboard.ownsClipboard() or (_copied and clipboard.text() == _copied):
        clipboard.clear()
    _copied = ""
