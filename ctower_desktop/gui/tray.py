"""The icon in the notification area: a way back to the window and a mouth for notifications."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon, QWidget

from ctower_desktop.gui import icons
from ctower_desktop.gui.text import tr

_LONG = 10_000  # milliseconds; many desktops keep it as long as they like


class Tray(QObject):
    """Absent where the desktop has no such area: then it shows nothing and says that it cannot tell."""

    def __init__(
        self,
        window: QWidget,
        raise_: Callable[[], None],
        sync: Callable[[], object],
        quit_: Callable[[], object],
    ) -> None:
        super().__init__(window)
        self._chosen: Callable[[], None] = raise_
        self.icon: QSystemTrayIcon | None = None
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        self.menu = QMenu(window)
        for words, run in (
            (tr("Open the tower"), raise_),
            (tr("Sync everything now"), sync),
            (tr("Close the tower"), quit_),
        ):
            self.menu.addAction(words).triggered.connect(lambda _=False, run=run: run())
        self.icon = QSystemTrayIcon(icons.icon("tower", "accent", 64), self)
        self.icon.setToolTip(QApplication.applicationDisplayName())
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(lambda reason: self._activated(reason, raise_))
        self.icon.messageClicked.connect(lambda: self._chosen())
        self.icon.show()

    @property
    def can_tell(self) -> bool:
        """Whether a notification would be seen."""
        return self.icon is not None and self.icon.supportsMessages()

    def tell(self, title: str, text: str, chosen: Callable[[], None]) -> None:
        """Show a notification; a click on it calls `chosen`."""
        if self.icon is not None:
            self._chosen = chosen
            self.icon.showMessage(title, text, icons.icon("tower", "accent", 64), _LONG)

    def put_away(self) -> None:
        """The window goes; so does its icon."""
        if self.icon is not None:
            self.icon.hide()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason, raise_: Callable[[], None]) -> None:
        if reason in (
            QSystemTrayIcon.ActivationReason.Trigger,
            QSystemTrayIcon.ActivationReason.DoubleClick,
        ):
            raise_()
