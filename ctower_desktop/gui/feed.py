"""Pages that follow what happens: changed tables and progress, while they are on screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from ctower_desktop.kernel.database import Changed
from ctower_desktop.kernel.events import Event
from ctower_desktop.kernel.tower import Tower

E = TypeVar("E", bound=Event)

_DEBOUNCE = 100  # milliseconds


class _Follower(QObject):
    """Calls `refresh` a moment after a change, once for all changes meanwhile, and only in sight."""

    def __init__(
        self, page: QWidget, tower: Tower, tables: frozenset[str], refresh: Callable[[], None]
    ) -> None:
        super().__init__(page)
        self._page, self._tower, self._tables, self._refresh = page, tower, tables, refresh
        self._stale = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DEBOUNCE)
        self._timer.timeout.connect(self._catch_up)
        self._sources = (tower.db.changed, tower.index.changed)
        for changed in self._sources:
            changed.append(self._changed)
        page.installEventFilter(self)
        page.destroyed.connect(partial(_leave, self._sources, self._changed))

    def _changed(self, tables: frozenset[str]) -> None:
        if tables & self._tables:
            self._stale = True
            if not self._timer.isActive():
                self._timer.start()

    def _catch_up(self) -> None:
        if self._stale and self._page.isVisible():
            self._stale = False
            self._refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Coming into sight is the moment to catch up."""
        if event.type() == QEvent.Type.Show and self._stale and not self._timer.isActive():
            self._timer.start()
        return super().eventFilter(watched, event)


def _leave(sources: Iterable[list[Changed]], listener: Changed) -> None:
    for changed in sources:
        changed.remove(listener)


def follow(page: QWidget, tower: Tower, tables: set[str], refresh: Callable[[], None]) -> None:
    """Call `refresh` after a commit that touched one of `tables`, at most ten times a second."""
    _Follower(page, tower, frozenset(tables), refresh)


def listen(page: QWidget, tower: Tower, kind: type[E], each: Callable[[E], None]) -> None:
    """Give every event of `kind` to `each` as long as the page lives."""

    def tell(event: Event) -> None:
        if isinstance(event, kind):
            each(event)

    stop = tower.events.subscribe(tell)
    page.destroyed.connect(lambda: stop())
