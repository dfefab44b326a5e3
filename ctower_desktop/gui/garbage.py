"""Python's garbage is collected on the thread of the window, and nowhere else.

Widgets hang together in cycles with the functions connected to them. The collector runs in whatever
thread happens to allocate, which may be one that reads the database, and a widget or timer destroyed there
breaks Qt.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY = 2_000  # milliseconds
_FULL = 15  # young collections between two full ones


class Collector(QObject):
    """Collects from the event loop as long as it is there; the automatic collection rests meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = 0
        gc.disable()
        gc.freeze()  # modules and what they hold live as long as the program
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def stop(self) -> None:
        """Collect once more and leave it to Python again."""
        self._timer.stop()
        gc.collect()
        gc.unfreeze()
        gc.enable()

    def _collect(self) -> None:
        self._turn = (self._turn + 1) % _FULL
        gc.collect(1 if self._turn else 2)
