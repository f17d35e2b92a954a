"""One window per installation: the first start listens on a local socket, the next hands it a file and ends."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

WAIT_MS = 500
LONGEST = 8_192


class Single(QObject):
    """`received` gets the path (or "") that a later start brought."""

    received = Signal(str)

    def __init__(self, home: Path) -> None:
        super().__init__()
        digest = hashlib.sha256(str(home.absolute()).encode("utf-8", "surrogateescape")).hexdigest()
        self._name = f"mithaq-{digest[:24]}"
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)

    def handed_over(self, file: Path | None) -> bool:
        """True if a window is open already and has taken `file`; else this process is the first one and listens."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if socket.waitForConnected(WAIT_MS):
            socket.write(str(file or "").encode("utf-8", "surrogateescape") + b"\n")
            socket.waitForBytesWritten(WAIT_MS)
            socket.disconnectFromServer()
            return True
        QLocalServer.removeServer(self._name)  # left behind by a process that was killed
        self._server.listen(self._name)
        return False

    def close(self) -> None:
        """Listen no more."""
        self._server.close()

    def _accept(self) -> None:
        # Sockets belong to the server and go with it: one small object for each later start.
        socket = self._server.nextPendingConnection()
        socket.readyRead.connect(partial(self._read, socket))
        if socket.bytesAvailable():
            self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        if socket.canReadLine():
            line = bytes(socket.readLine(LONGEST).data()).rstrip(b"\n")
            self.received.emit(line.decode("utf-8", "surrogateescape"))
