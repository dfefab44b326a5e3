"""The loop of the desktop, and the one window of a home."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from ctower_desktop.gui import icons, tasks, text, theme
from ctower_desktop.gui.garbage import Collector
from ctower_desktop.gui.window import MainWindow
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import Tower

_PATIENCE = 1_000  # milliseconds for the first instance to answer


class Window:
    """The main window as the program sees it: opened once the tower stands, closed before it falls."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._server = _listen(home, self._raise)
        self._shown: MainWindow | None = None

    def open(self, tower: Tower, quit_: Callable[[], None]) -> None:
        """Show the window; `quit_` is called when the user closes it."""
        self._shown = MainWindow(tower, quit_)
        self._shown.show()

    def close(self) -> None:
        """Take the window away and stop what its pages were doing."""
        tasks.cancel_all()
        if self._shown is not None:
            self._shown.put_away()
            self._shown = None
        self._server.close()

    def _raise(self) -> None:
        if self._shown is not None:
            self._shown.showNormal()
            self._shown.raise_()
            self._shown.activateWindow()


def run_window(main: Callable[[Window], Coroutine[Any, Any, int]], home: Home) -> int:
    """Run `main` on Qt's loop and return its result."""
    app = _application()
    collector = Collector()
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    try:
        return int(loop.run_until_complete(main(Window(home))))
    finally:
        collector.stop()
        asyncio.set_event_loop(None)
        loop.close()


def raise_running(home: Home) -> bool:
    """Bring the window of the running instance to the front; False when no window is there."""
    _application()
    socket = QLocalSocket()
    socket.connectToServer(_name(home))
    if not socket.waitForConnected(_PATIENCE):
        return False
    socket.disconnectFromServer()
    return True


def _application() -> QApplication:
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("ctower")
    app.setApplicationDisplayName("Control Tower")
    app.setQuitOnLastWindowClosed(False)  # closing a dialog must not end the loop
    for drawn in (icons, text, theme):
        drawn.load()
    app.setWindowIcon(icons.icon("tower", "accent", 64))
    return app


def _listen(home: Home, heard: Callable[[], None]) -> QLocalServer:
    """Wait for a second start of the same home; a socket left by a killed process is taken over."""
    server = QLocalServer()
    server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
    QLocalServer.removeServer(_name(home))
    server.listen(_name(home))

    def answer() -> None:
        while (socket := server.nextPendingConnection()) is not None:
            socket.disconnected.connect(socket.deleteLater)
            heard()

    server.newConnection.connect(answer)
    return server


def _name(home: Home) -> str:
    return "ctower-" + hashlib.sha256(str(home.path.resolve()).encode()).hexdigest()[:16]
