"""The sheet of keys, read off the commands."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from ctower_desktop.gui.commands import Command, Commands
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Label

_AROUND, _LINE = 160, 26  # pixels: beside and above the sheet at least; a line of it
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class KeySheet(QFrame):
    """Every shortcut on one sheet; arrows scroll it, any other key closes it."""

    def __init__(self, window: QWidget, commands: Commands) -> None:
        super().__init__(window)
        self.setProperty("card", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Keys"))
        self.shown = in_order(commands)
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(24, 4, 24, 16)
        grid.setHorizontalSpacing(32)
        high = max(8, (window.height() - _AROUND) // _LINE)
        for number, command in enumerate(self.shown):
            column, line = divmod(number, high)
            grid.addWidget(Label(command.title), line, column * 2)
            grid.addWidget(Label(command.shortcut, "label", "text_2"), line, column * 2 + 1)
        self.area = QScrollArea()
        self.area.setWidget(inside)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setAccessibleName(tr("Keys"))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 16, 0, 8)
        head = Label(tr("Keys"), "section")
        head.setContentsMargins(24, 0, 24, 0)
        whole.addWidget(head)
        whole.addWidget(self.area)
        wanted = inside.sizeHint()
        width = min(wanted.width() + 24, window.width() - 48)
        height = min(wanted.height() + 72, window.height() - 48)
        self.setGeometry(
            (window.width() - width) // 2, max(24, (window.height() - height) // 2), width, height
        )
        self.show()
        self.raise_()
        self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows scroll, any other key closes."""
        if event.key() in _MOVES:
            bar = self.area.verticalScrollBar()
            far = bar.pageStep() if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown) else _LINE * 3
            bar.setValue(
                bar.value() + (far if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_PageDown) else -far)
            )
        else:
            self.deleteLater()

    def focusOutEvent(self, _event: object) -> None:
        """So does looking elsewhere."""
        self.deleteLater()


def in_order(commands: Commands) -> list[Command]:
    """The commands with a key: those that work everywhere first, then page by page."""
    keyed = [command for command in commands.all() if command.shortcut]
    return sorted(keyed, key=lambda c: (c.within is not None, c.id.partition(".")[0] if c.within else ""))
