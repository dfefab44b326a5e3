"""The command palette and the sheet of keys, both read off the commands."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.commands import Command, Commands
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Label, SearchField

_WIDTH, _HEIGHT = 600, 420
_COMMAND = Qt.ItemDataRole.UserRole


class Palette(QFrame):
    """Find anything one can do and do it: type, arrow, Enter. Escape gives the focus back."""

    def __init__(self, window: QWidget, commands: Commands) -> None:
        super().__init__(window)
        self._commands = commands
        self._came_from: QWidget | None = None
        self.setProperty("card", True)
        self.field = SearchField(tr("Find or do…"))
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Commands"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.field.textChanged.connect(self._show)
        self.field.installEventFilter(self)
        self.list.itemActivated.connect(lambda _: self._run())
        self.list.itemClicked.connect(lambda _: self._run())
        self.hide()

    def open(self) -> None:
        """Come up in the middle, with everything listed."""
        window = self.parentWidget()
        assert window is not None
        self._came_from = window.focusWidget()
        width, height = min(_WIDTH, window.width() - 48), min(_HEIGHT, window.height() - 120)
        self.setGeometry((window.width() - width) // 2, 72, width, height)
        self.field.clear()
        self._show("")
        self.show()
        self.raise_()
        self.field.setFocus()

    def close_palette(self) -> None:
        """Go away and give the focus back where it was."""
        self.hide()
        if self._came_from is not None:
            self._came_from.setFocus()

    def _show(self, text: str) -> None:
        self.list.clear()
        for command in self._commands.find(text):
            words = command.title + (f"    {command.shortcut}" if command.shortcut else "")
            item = QListWidgetItem(words)
            item.setData(_COMMAND, command)
            item.setSizeHint(QSize(0, theme.ROW))
            self.list.addItem(item)
        if not self.list.count():
            nothing = QListWidgetItem(tr("Nothing is called that."))
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            nothing.setSizeHint(QSize(0, theme.ROW))
            self.list.addItem(nothing)
        self.list.setCurrentRow(0)

    def _run(self) -> None:
        items = self.list.selectedItems()
        if not items:
            return
        command: Command = items[0].data(_COMMAND)
        self.close_palette()
        self._commands.run(command.id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while one types; leaving the field closes."""
        if event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                self.list.setCurrentRow((self.list.currentRow() + step) % max(1, self.list.count()))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.close_palette()
                return True
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        return super().eventFilter(watched, event)


class KeySheet(QFrame):
    """Every shortcut on one sheet; any key closes it."""

    def __init__(self, window: QWidget, commands: Commands) -> None:
        super().__init__(window)
        self.setProperty("card", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Keys"))
        grid = QGridLayout(self)
        grid.setContentsMargins(24, 16, 24, 16)
        grid.setHorizontalSpacing(48)
        grid.addWidget(Label(tr("Keys"), "section"), 0, 0)
        for line, command in enumerate((c for c in commands.all() if c.shortcut), 1):
            grid.addWidget(Label(command.title), line, 0)
            grid.addWidget(Label(command.shortcut, "label", "text_2"), line, 1)
        self.adjustSize()
        self.move((window.width() - self.width()) // 2, max(24, (window.height() - self.height()) // 2))
        self.show()
        self.raise_()
        self.setFocus()

    def keyPressEvent(self, _event: QKeyEvent) -> None:
        """Any key closes."""
        self.deleteLater()

    def focusOutEvent(self, _event: object) -> None:
        """So does looking elsewhere."""
        self.deleteLater()
