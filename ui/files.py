"""Asking for a file or folder, without a modal loop: the answer comes to a callable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.messages import _


def ask(
    parent: QWidget, title: str, chosen: Callable[[Path], object], *, filters: str = "", many: bool = False
) -> QFileDialog:
    """Ask for an existing file, or several, one answer each."""
    dialog = QFileDialog(parent, title, "", filters or _("All files (*)"))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles if many else QFileDialog.FileMode.ExistingFile)
    return _open(dialog, chosen)


def ask_new(parent: QWidget, title: str, name: str, chosen: Callable[[Path], object]) -> QFileDialog:
    """Ask where a new file goes. One that is there is refused by whoever writes, and never replaced.

    `name` is suggested and no path: it opens no folder that happens to be called so.
    """
    dialog = QFileDialog(parent, title, "", _("All files (*)"))
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    dialog.selectFile(name)
    return _open(dialog, chosen)


def ask_folder(parent: QWidget, title: str, chosen: Callable[[Path], object]) -> QFileDialog:
    """Ask for an existing folder or drive."""
    dialog = QFileDialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    return _open(dialog, chosen)


def _open(dialog: QFileDialog, chosen: Callable[[Path], object]) -> QFileDialog:
    # Qt's own dialog: it keeps the plain-text rule, and nothing of it goes into a desktop's list of recent files.
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.setOption(QFileDialog.Option.DontUseCustomDirectoryIcons)

    def accepted() -> None:
        for name in dialog.selectedFiles():
            chosen(Path(name))

    dialog.accepted.connect(accepted)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog
