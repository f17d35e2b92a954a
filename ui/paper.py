"""What the window writes for paper: pages as PDF, HTML or plain text, by the name of the file."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QPageSize, QPdfWriter, QTextDocument

from app import printed
from app.exchange.slips import Slip


def slip(found: Slip, suffix: str) -> bytes:
    """The slip of a package as `.pdf`, `.html`, or text for any other suffix."""
    if suffix == ".pdf":
        return _pdf(printed.slip_page(found))
    if suffix in (".html", ".htm"):
        return printed.slip_page(found).encode()
    return ("\n".join(printed.slip(found)) + "\n").encode()


def _pdf(page: str) -> bytes:
    """A page of ours as PDF. Every text in it was escaped, and it names nothing that would have to be loaded."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    document = QTextDocument()
    document.setHtml(page)
    document.print_(writer)
    buffer.close()
    return bytes(buffer.data().data())
