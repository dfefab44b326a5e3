"""Lines under the top bar that stay while something is so: sample data, no source reachable."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QHBoxLayout

from ctower_desktop.gui import icons, theme
from ctower_desktop.gui.widgets import Label, LinkButton


class Notice(QFrame):
    """A sentence with at most one thing to do about it; it blocks nothing."""

    def __init__(self, icon: str, token: str, action: str, run: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("hint", True)
        self._icon, self._token = icon, token
        self._sign = Label()
        self._words = Label("", "body", wrap=True)
        self.action = LinkButton(action)
        self.action.clicked.connect(lambda: run())
        line = QHBoxLayout(self)
        line.setContentsMargins(20, 6, 12, 6)
        line.addWidget(self._sign)
        line.addWidget(self._words, 1)
        line.addWidget(self.action)
        self.hide()
        self._restyle()
        theme.signals().changed.connect(self._restyle)

    @property
    def text(self) -> str:
        """What it says."""
        return self._words.text()

    def say(self, words: str) -> None:
        """Say something, or go away when there is nothing to say."""
        self._words.setText(words)
        self.setAccessibleName(words)
        self.setVisible(bool(words))

    def _restyle(self) -> None:
        self._sign.setPixmap(icons.pixmap(self._icon, self._token))
