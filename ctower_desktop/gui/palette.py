"""The command palette: commands, what was used last, and things by their names, as one types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from ctower_desktop.gui import theme
from ctower_desktop.gui.commands import Command, Commands
from ctower_desktop.gui.objects import Found, NamedThings
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import SearchField

_WIDTH, _HEIGHT = 600, 420
_LINE = Qt.ItemDataRole.UserRole
_PAUSE = 80  # milliseconds after the last key before names are looked up
_MOST = 60  # lines; who wants more types on


@dataclass(frozen=True)
class Line:
    """One line: what it says in three tiers, and what happens when it is chosen."""

    title: str
    detail: str
    key: str
    run: Callable[[], object]
    name: str  # under which it is remembered as used; empty: it is not


class Palette(QFrame):
    """Find anything one can do and do it: type, arrow, Enter. Escape gives the focus back."""

    def __init__(self, window: QWidget, commands: Commands, sources: NamedThings | None = None) -> None:
        super().__init__(window)
        self._commands, self._sources = commands, sources
        self._came_from: QWidget | None = None
        self._lookup: asyncio.Task[Any] | None = None
        self.setProperty("card", True)
        self.setAccessibleName(tr("Find or do…"))
        self.field = SearchField(tr("Find or do…"))
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Commands"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setUniformItemSizes(True)
        self.list.setItemDelegate(_Drawn(self.list))
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self._look_up)
        self.field.textChanged.connect(self._show)
        self.field.installEventFilter(self)
        self.list.itemActivated.connect(lambda _: self._run())
        self.list.itemClicked.connect(lambda _: self._run())
        self.hide()

    def open(self) -> None:
        """Come up in the middle, with what was used last and everything else."""
        window = self.parentWidget()
        assert window is not None
        self._came_from = window.window().focusWidget()
        wide = round(_WIDTH * max(1.0, theme.scale()))
        width, height = min(wide, window.width() - 48), min(_HEIGHT, window.height() - 120)
        self.setGeometry((window.width() - width) // 2, 72, width, height)
        self.field.clear()
        self._show("")
        self.show()
        self.raise_()
        self.field.setFocus()

    def close_palette(self) -> None:
        """Go away and give the focus back where it was."""
        self._forget()
        self.hide()
        if self._came_from is not None and isValid(self._came_from):
            self._came_from.setFocus()

    @property
    def lines(self) -> list[Line]:
        """What is listed now."""
        items = (self.list.item(place) for place in range(self.list.count()))
        return [item.data(_LINE) for item in items if item.data(_LINE) is not None]

    # -- finding

    def _show(self, text: str) -> None:
        self._forget()
        looking = self._sources is not None and bool(text.strip())
        self._fill(self._found(text)[:_MOST], sure=not looking)
        if looking:
            self._pause.start()

    def _found(self, text: str) -> list[Line]:
        if text.strip():
            return [self._of(command) for command in self._commands.find(text)]
        every = self._commands.all()
        if self._sources is None:
            return [self._of(command) for command in every]
        known = {command.id: command for command in every}
        recent = [known.pop(name) for name in self._sources.recent() if name in known]
        return [self._of(command, tr("used last")) for command in recent] + [
            self._of(command) for command in known.values()
        ]

    def _of(self, command: Command, detail: str = "") -> Line:
        name = command.id
        return Line(command.title, detail, command.shortcut, lambda: self._commands.run(name), name)

    def _look_up(self) -> None:
        if self._sources is not None:
            text = self.field.text()
            self._lookup = start(self, self._ask(self._sources, text), self._named)

    async def _ask(self, sources: NamedThings, text: str) -> list[Found]:
        return await sources.find(text)

    def _named(self, found: list[Found]) -> None:
        """Things come below the commands; the line in front stays in front."""
        assert self._sources is not None
        open_ = self._sources.open
        place = self.list.currentRow()
        lines = [Line(one.title, one.detail, "", partial(open_, one), "") for one in found]
        lines = self.lines + lines
        self._fill(lines, sure=True)
        self.list.setCurrentRow(max(0, min(place, self.list.count() - 1)))

    def _forget(self) -> None:
        self._pause.stop()
        if self._lookup is not None:
            self._lookup.cancel()
            self._lookup = None

    def _fill(self, lines: Sequence[Line], *, sure: bool) -> None:
        self.list.clear()
        for line in lines:
            item = QListWidgetItem(line.title)
            item.setData(_LINE, line)
            spoken = ", ".join(part for part in (line.title, line.detail, line.key) if part)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
            item.setSizeHint(QSize(0, theme.ROW))
            self.list.addItem(item)
        if not lines and sure:
            nothing = QListWidgetItem(tr("Nothing is called that."))
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            nothing.setSizeHint(QSize(0, theme.ROW))
            self.list.addItem(nothing)
        self.list.setCurrentRow(0)

    def _run(self) -> None:
        items = self.list.selectedItems()
        if not items:
            return
        line: Line = items[0].data(_LINE)
        self.close_palette()
        if self._sources is not None and line.name:
            self._sources.used(line.name)
        line.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while one types; leaving the field closes."""
        if event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                place = (self.list.currentRow() + step) % max(1, self.list.count())
                self.list.setCurrentRow(place)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.close_palette()
                return True
        elif event.type() == QEvent.Type.FocusOut:
            self.hide()
        return super().eventFilter(watched, event)


class _Drawn(QStyledItemDelegate):
    """Title, what it is in grey, and its key at the right end."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw one line."""
        line: Line | None = index.data(_LINE)
        style: Any = option  # the stubs of the base class do not know its fields
        area = QRect(style.rect).adjusted(8, 0, -8, 0)
        colors = theme.current()
        painter.save()
        if style.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.color("selected"))
            painter.drawRoundedRect(style.rect, theme.RADIUS_CHIP, theme.RADIUS_CHIP)
        middle = Qt.AlignmentFlag.AlignVCenter
        if line is None:
            painter.setFont(theme.font("body"))
            painter.setPen(colors.color("text_2"))
            painter.drawText(area, middle | Qt.AlignmentFlag.AlignLeft, index.data())
        else:
            self._draw(painter, area, line)
        painter.restore()

    def _draw(self, painter: QPainter, area: QRect, line: Line) -> None:
        colors, middle = theme.current(), Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.font("meta"))
        painter.setPen(colors.color("text_2"))
        end = painter.fontMetrics().horizontalAdvance(line.key)
        painter.drawText(area, middle | Qt.AlignmentFlag.AlignRight, line.key)
        area = area.adjusted(0, 0, -end - 12 if end else 0, 0)
        detail = painter.fontMetrics().elidedText(
            line.detail, Qt.TextElideMode.ElideRight, area.width() * 2 // 5
        )
        beside = painter.fontMetrics().horizontalAdvance(detail)
        painter.setFont(theme.font("body"))
        painter.setPen(colors.color("text_1"))
        room = area.width() - (beside + 12 if beside else 0)
        title = painter.fontMetrics().elidedText(line.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(area, middle | Qt.AlignmentFlag.AlignLeft, title)
        after = painter.fontMetrics().horizontalAdvance(title) + 12
        painter.setFont(theme.font("meta"))
        painter.setPen(colors.color("text_3"))
        painter.drawText(area.adjusted(after, 0, 0, 0), middle | Qt.AlignmentFlag.AlignLeft, detail)
