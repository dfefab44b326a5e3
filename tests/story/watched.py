"""The program as `python -m ctower_desktop` starts it, with somebody beside it who reads its screen aloud.

`python tests/story/watched.py SOCKET …` runs the same `main` on the rest of the arguments. Every line that
comes in at SOCKET is answered with one line of JSON: what is on screen at that moment, as a screen reader
would find it. Nothing can be done through it: keys and clicks come from the X server or not at all.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent, QWindow
from PySide6.QtNetwork import QLocalServer
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from ctower_desktop.cli.main import main
from ctower_desktop.gui import run

_ROWS = 40  # of a list, as far as they are in sight


class Marks(QObject):
    """Counts how often the Pause key went up: what was typed before it has been worked off then."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def watch(self, window: QWindow | None) -> None:
        """Count in this window too."""
        if window is not None:
            window.installEventFilter(self)  # once; again only moves it to the front

    def eventFilter(self, _window: QObject, event: QEvent) -> bool:
        """Count and let pass."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyRelease:
            self.count += event.key() == Qt.Key.Key_Pause
        return False


class Watched(QApplication):
    """The application, and what it says of itself."""

    address = ""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self._marks = Marks()
        self.focusWindowChanged.connect(self._marks.watch)
        self._server = QLocalServer()
        QLocalServer.removeServer(self.address)
        self._server.newConnection.connect(self._greet)
        if not self._server.listen(self.address):
            raise OSError(self._server.errorString())

    def _greet(self) -> None:
        reader = self._server.nextPendingConnection()

        def answer() -> None:
            while reader.canReadLine():
                reader.readLine()
                reader.write(json.dumps(self._seen()).encode() + b"\n")

        reader.readyRead.connect(answer)
        reader.disconnected.connect(reader.deleteLater)

    def _seen(self) -> dict[str, Any]:
        window, focus = self.activeWindow(), self.focusWidget()
        return {
            "window": window.windowTitle() if window is not None else None,
            "marks": self._marks.count,
            "focus": _told(focus) if focus is not None else None,
            "shown": [_told(one) for one in self.allWidgets() if _in_sight(one) and _speaks(one)],
        }


def _in_sight(widget: QWidget) -> bool:
    return widget.isVisible() and not widget.visibleRegion().isEmpty()


def _speaks(widget: QWidget) -> bool:
    return bool(widget.accessibleName() or _text(widget))


def _text(widget: QWidget) -> str:
    if isinstance(widget, QLineEdit | QLabel | QAbstractButton):
        return widget.text()
    return widget.toPlainText() if isinstance(widget, QPlainTextEdit | QTextEdit) else ""


def _told(widget: QWidget) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": type(widget).__name__,
        "name": widget.accessibleName(),
        "text": _text(widget),
        "place": _middle(widget, widget.visibleRegion().boundingRect()),
        "enabled": widget.isEnabled(),
    }
    if isinstance(widget, QAbstractButton):
        told["checked"] = widget.isChecked()
    if isinstance(widget, QAbstractItemView):
        told["rows"] = _rows(widget)
        told["at"] = widget.currentIndex().row()
    return told


def _rows(view: QAbstractItemView) -> list[dict[str, Any]]:
    model, found = view.model(), []
    for number in range(min(model.rowCount(), _ROWS) if model is not None else 0):
        index = model.index(number, 0)
        spoken = index.data(Qt.ItemDataRole.AccessibleTextRole) or index.data() or ""
        found.append({"text": str(spoken), "place": _middle(view.viewport(), view.visualRect(index))})
    return found


def _middle(widget: QWidget, part: QRect) -> list[int]:
    point: QPoint = widget.mapToGlobal(part.center())
    return [point.x(), point.y()]


if __name__ == "__main__":
    Watched.address = sys.argv.pop(1)
    run.QApplication = Watched
    sys.exit(main())
