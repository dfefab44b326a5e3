"""The loop of the desktop, and the one window of a home."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication, QFrame, QProgressBar, QVBoxLayout
from qasync import QEventLoop

from ctower_desktop.gui import icons, tasks, text, theme
from ctower_desktop.gui.garbage import Collector
from ctower_desktop.gui.outside import Outside
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Label
from ctower_desktop.gui.window import MainWindow
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import Tower

_PATIENCE = 1_000  # milliseconds for the first instance to answer
_MOMENT = 400  # milliseconds before waiting is shown
_LONGEST = 500  # bytes of a link


class Window:
    """The main window as the program sees it: opened once the tower stands, closed before it falls."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._server = _listen(home, self._raise)
        self._shown: MainWindow | None = None
        self._opening: Opening | None = Opening()

    def open(self, tower: Tower, quit_: Callable[[], None], outside: Outside) -> None:
        """Show the window; `quit_` is called when the user closes it."""
        self._shown = MainWindow(tower, quit_, outside)
        self._shown.show()
        self._opened()

    def close(self) -> None:
        """Take the window away and stop what its pages were doing."""
        tasks.cancel_all()
        self._opened()
        if self._shown is not None:
            self._shown.put_away()
            self._shown = None
        self._server.close()

    def _opened(self) -> None:
        if self._opening is not None:
            self._opening.put_away()
            self._opening = None

    def _raise(self, link: str) -> None:
        if self._shown is not None:
            self._shown.come()
            if link:
                self._shown.open_link(link)


class Opening(QFrame):
    """Says that the tower is being opened, when that takes longer than a moment."""

    def __init__(self) -> None:
        super().__init__(None, Qt.WindowType.SplashScreen)
        self.setProperty("card", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 24, 32, 24)
        column.setSpacing(12)
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setFixedHeight(4)
        bar.setAccessibleName(tr("The tower is being opened…"))
        column.addWidget(Label("Control Tower", "title"))
        column.addWidget(Label(tr("The tower is being opened…"), "body", "text_2"))
        column.addWidget(bar)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_MOMENT)
        self._timer.timeout.connect(self.show)
        self._timer.start()

    def put_away(self) -> None:
        """The window is there, or there will be none."""
        self._timer.stop()
        self.hide()
        self.deleteLater()


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


def raise_running(home: Home, link: str = "") -> bool:
    """Bring the window of the running instance to the front, at a link; False when no window is there."""
    _application()
    return hand_over(home, link)


def hand_over(home: Home, link: str) -> bool:
    """Tell the running instance where to go; False when there is none that listens."""
    socket = QLocalSocket()
    socket.connectToServer(_name(home))
    if not socket.waitForConnected(_PATIENCE):
        return False
    socket.write(link.encode()[:_LONGEST])
    socket.flush()
    socket.disconnectFromServer()
    if socket.state() != QLocalSocket.LocalSocketState.UnconnectedState:
        socket.waitForDisconnected(_PATIENCE)
    return True


def _application() -> QApplication:
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("ctower")
    app.setApplicationDisplayName("Control Tower")
    app.setQuitOnLastWindowClosed(False)  # closing a dialog must not end the loop
    for drawn in (icons, text, theme):
        drawn.load()
    text.set_language(text.system_language())  # until the settings are read
    app.setWindowIcon(icons.icon("tower", "accent", 64))
    return app


def _listen(home: Home, heard: Callable[[str], None]) -> QLocalServer:
    """Wait for a second start of the same home; a socket left by a killed process is taken over."""
    server = QLocalServer()
    server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
    QLocalServer.removeServer(_name(home))
    server.listen(_name(home))

    def answer() -> None:
        while (socket := server.nextPendingConnection()) is not None:
            _Said(socket, heard)

    server.newConnection.connect(answer)
    return server


class _Said(QObject):
    """What a second start says until it hangs up; its link is read as any other from outside, strictly."""

    def __init__(self, socket: QLocalSocket, heard: Callable[[str], None]) -> None:
        super().__init__(socket)
        self._socket, self._heard, self._text = socket, heard, b""
        socket.readyRead.connect(self._more)
        socket.disconnected.connect(self._end)
        self._more()
        if socket.state() == QLocalSocket.LocalSocketState.UnconnectedState:
            self._end()  # it had hung up before one could listen

    def _more(self) -> None:
        self._text += bytes(self._socket.readAll().data())
        if len(self._text) > _LONGEST:
            self._socket.abort()  # no link is that long; ends in `_end`

    def _end(self) -> None:
        self._socket.readyRead.disconnect(self._more)
        self._socket.disconnected.disconnect(self._end)
        if self._socket.isOpen():
            self._text += bytes(self._socket.readAll().data())
        self._socket.deleteLater()
        self._heard(self._text[:_LONGEST].decode("utf-8", "replace"))


def _name(home: Home) -> str:
    return "ctower-" + hashlib.sha256(str(home.path.resolve()).encode()).hexdigest()[:16]
