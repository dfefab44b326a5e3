"""The bar above every page: back, forward, the page's name, the way into the palette, the page's buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, IconButton, Label, clear, row

_HEIGHT, _FIND, _LEAST_FIND = 48, 300, 150


class TopBar(QFrame):
    """Tells what is wanted; knows nothing of pages."""

    back_wanted = Signal()
    forward_wanted = Signal()
    find_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("bar", True)
        self.setFixedHeight(_HEIGHT)
        self.back = IconButton("back", tr("Back"))
        self.forward = IconButton("forward", tr("Forward"))
        self.back.clicked.connect(self.back_wanted)
        self.forward.clicked.connect(self.forward_wanted)
        self.title = Label("", "title")
        self._finder = Button(tr("Find or do…"))
        self._finder.setProperty("find", True)
        self._finder.setMinimumWidth(_LEAST_FIND)
        self._finder.setFixedWidth(round(_FIND * max(1.0, theme.scale())))
        hint = Label("Ctrl K", "caption", "text_3")
        hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside = row(0, hint)
        inside.setContentsMargins(0, 0, 12, 0)
        self._finder.setLayout(inside)
        self._finder.setFont(theme.font("body"))
        self._finder.clicked.connect(self.find_wanted)
        self._buttons = QHBoxLayout()
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 0, 20, 0)
        line.setSpacing(12)
        line.addLayout(row(self.back, self.forward, spacing=2))
        line.addWidget(self.title)
        line.addStretch(1)
        line.addWidget(self._finder)
        line.addLayout(self._buttons)
        self.show_way(back=False, forward=False)

    def show_page(self, title: str, buttons: Sequence[QWidget]) -> None:
        """Another page: its name and its buttons."""
        self.title.setText(title)
        clear(self._buttons)
        for button in buttons:
            self._buttons.addWidget(button)

    def show_way(self, *, back: bool, forward: bool) -> None:
        """Whether there is somewhere to go back or forward to."""
        self.back.setEnabled(back)
        self.forward.setEnabled(forward)
