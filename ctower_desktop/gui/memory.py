"""What a window remembers from one start to the next, in its home: place, size, splitters, last commands."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QMainWindow, QSplitter, QWidget

from ctower_desktop.kernel.system import Home

_RECENT = 8


class WindowMemory:
    """A file in the home; what cannot be read there is as if it had never been kept."""

    def __init__(self, home: Home) -> None:
        self._kept = QSettings(str(home.path / "window.ini"), QSettings.Format.IniFormat)

    def text(self, name: str) -> str:
        """A word that was kept; empty when there is none."""
        found = self._kept.value(name, "")
        return found if isinstance(found, str) else ""

    def keep(self, name: str, value: str) -> None:
        """Keep a word."""
        self._kept.setValue(name, value)

    def forget(self, name: str) -> None:
        """Keep it no more."""
        self._kept.remove(name)

    # -- the window

    def keep_window(self, window: QMainWindow) -> None:
        """Where it is on screen and how large."""
        self._kept.setValue("geometry", window.saveGeometry())
        self._kept.sync()

    def restore_window(self, window: QMainWindow) -> bool:
        """Put it where it was; False when that is not known."""
        found = self._kept.value("geometry")
        return isinstance(found, QByteArray) and window.restoreGeometry(found)

    def keep_splitters(self, page: str, of: QWidget) -> None:
        """How the parts of a page share the room."""
        for key, splitter in _splitters(page, of):
            if splitter.isVisible():
                self._kept.setValue(key, splitter.saveState())

    def restore_splitters(self, page: str, of: QWidget) -> None:
        """Share the room as before."""
        for key, splitter in _splitters(page, of):
            found = self._kept.value(key)
            if isinstance(found, QByteArray):
                splitter.restoreState(found)

    # -- what was done last

    @property
    def recent(self) -> list[str]:
        """The commands used last, the newest first."""
        return [name for name in self.text("recent").split("\n") if name]

    def used(self, command: str) -> None:
        """A command was used."""
        names = [command, *(name for name in self.recent if name != command)]
        self.keep("recent", "\n".join(names[:_RECENT]))


def _splitters(page: str, of: QWidget) -> list[tuple[str, QSplitter]]:
    """Each splitter of a page under a name that stays: its own, or its place and how many parts it has."""
    found = of.findChildren(QSplitter)
    return [
        (f"splitters/{page}.{one.objectName() or f'{place}.{one.count()}'}", one)
        for place, one in enumerate(found)
    ]
