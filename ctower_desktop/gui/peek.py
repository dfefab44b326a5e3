"""A record over the page in front: opened from the palette, a link or a notification; Escape puts it away."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget
from shiboken6 import isValid

from ctower_desktop.gui.detail import DetailPane, Kind
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import IconButton, Label, row
from ctower_desktop.kernel.tower import Desktop

_WIDTH, _LEFT = 560, 120  # pixels; how much of the page stays in sight at least


class Peek(QFrame):
    """A conversation, an issue or a deal at the right edge of `place`."""

    closed = Signal()

    def __init__(self, place: QWidget, call: Callable[[], Desktop]) -> None:
        super().__init__(place)
        self.setProperty("panel", True)
        self.setAutoFillBackground(True)
        self.setAccessibleName(tr("Record"))
        self._came_from: QWidget | None = None
        self.pane = DetailPane(call)
        self.close_ = IconButton("close", tr("Close"))
        self.close_.clicked.connect(self.put_away)
        head = row(Label(tr("Record"), "label"), 0, self.close_)
        head.setContentsMargins(20, 10, 12, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.pane, 1)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.put_away)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        place.installEventFilter(self)
        self.hide()

    def show_record(self, kind: Kind, of: str) -> None:
        """Open a record over the page."""
        if self.isHidden():
            window = self.window()
            self._came_from = window.focusWidget()
        self.pane.clear()
        self.pane.open_record(kind, of)
        self._fit()
        self.show()
        self.raise_()
        self.pane.area.setFocus()

    def put_away(self) -> None:
        """Give the page back its focus."""
        if self.isHidden():
            return
        self.hide()
        self.pane.clear()
        if self._came_from is not None and isValid(self._came_from):
            self._came_from.setFocus()
        self.closed.emit()

    def _fit(self) -> None:
        place = self.parentWidget()
        if place is not None:
            width = max(320, min(_WIDTH, place.width() - _LEFT))
            self.setGeometry(place.width() - width, 0, width, place.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the right edge."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._fit()
        return super().eventFilter(watched, event)
