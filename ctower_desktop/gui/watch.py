"""Looks at what happens while the window is open and tells what the user should know."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

from ctower_desktop.gui.appearance import Notifications
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import toast
from ctower_desktop.gui.notifying import Discretion, Newly, Notice, harmless
from ctower_desktop.gui.sidebar import Source
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.travel import Place
from ctower_desktop.gui.tray import Tray
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.reports.queue import Queue, ReadQueue
from ctower_desktop.reports.queue_actions import read_queue

_TABLES = {"signal", "client_burst", "alert", "queue_mark"}
_PAUSE, _EVERY = 2_000, 60_000  # milliseconds: after a change, and between looks at what only ages
_LOOK = 200  # of the most urgent


class Watch(QObject):
    """One for a window. `go` brings the window to the front at a place."""

    def __init__(self, window: QMainWindow, call: Callable[[], Desktop], go: Callable[[Place], None]) -> None:
        super().__init__(window)
        self._window, self._call, self._go = window, call, go
        self.tray: Tray | None = None
        self.told: list[Notice] = []  # since the start
        self._newly, self._discretion = Newly(), Discretion()
        self._pause, self._clock = QTimer(self), QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._clock.setInterval(_EVERY)
        for timer in (self._pause, self._clock):
            timer.timeout.connect(self.look)
        self._clock.start()
        follow(window, call().tower, _TABLES, self._soon)
        self._pause.start()

    def look(self) -> None:
        """Read what needs somebody, and tell what is new among it."""
        start(self._window, self._read(), lambda queue: self._tell(self._newly.urgent(queue.items)))

    def sources(self, sources: Sequence[Source]) -> None:
        """The sources are so now."""
        self._tell(self._newly.failed(sources))

    def done(self, words: str) -> None:
        """Something was finished; who looks at the window has read it there."""
        if not self._window.isActiveWindow():
            self._tell([Notice("work", tr("Done"), words, Place(""))])

    def stop(self) -> None:
        """The window goes."""
        self._pause.stop()
        self._clock.stop()
        if self.tray is not None:
            self.tray.put_away()

    async def _read(self) -> Queue:
        return await read_queue(self._call(), ReadQueue(limit=_LOOK))

    def _soon(self) -> None:
        if not self._pause.isActive():
            self._pause.start()

    def _tell(self, notices: Sequence[Notice]) -> None:
        tower = self._call().tower
        wanted, regional = tower.settings.get(Notifications), tower.settings.get(Regional)
        for notice in self._discretion.pass_(notices, tower.clock.now(), wanted, regional):
            self.told.append(notice)
            self._show(notice)

    def _show(self, notice: Notice) -> None:
        if self.tray is not None and self.tray.can_tell and not self._window.isActiveWindow():
            self.tray.tell(harmless(notice.title), harmless(notice.text), lambda: self._go(notice.place))
            return
        if notice.kind == "work":
            return  # the window has said it already
        QApplication.alert(self._window)
        words = " · ".join(part for part in (notice.title, notice.text) if part)
        toast(self._window, words[:160], tr("Show"), lambda: self._go(notice.place))
