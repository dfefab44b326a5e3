"""Rows of two lines: a mark, what it is and how old, and below it what else is to be known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ctower_desktop.gui import theme
from ctower_desktop.gui.listing import PagedTable
from ctower_desktop.gui.table import StructTableView

_SIDE, _MARK, _GAP = 12, 36, 12


@dataclass(frozen=True)
class RowLine:
    """What a row says. The mark is a figure in the colour of `token`; the words say what it means."""

    mark: str
    token: str
    title: str
    meta: str
    aside: str = ""
    strong: bool = True

    @property
    def spoken(self) -> str:
        """All of it, for tool tip and screen reader."""
        return "\n".join(part for part in (self.title, self.meta, self.aside) if part)


class RowLines(QStyledItemDelegate):
    """Draws rows from their `RowLine`."""

    def __init__(self, view: StructTableView, model: PagedTable[Any], line: Callable[[Any], RowLine]) -> None:
        super().__init__(view)
        self._view, self._model, self._line = view, model, line
        view.setItemDelegate(self)
        view.horizontalHeader().hide()
        view.horizontalHeader().setMinimumSectionSize(1)
        self._measure()
        theme.signals().changed.connect(self._measure)

    def _measure(self) -> None:
        pixels = theme.font("label").pixelSize() + theme.font("meta").pixelSize()
        self._view.verticalHeader().setDefaultSectionSize(round(pixels * 1.35) + 22)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """All rows are of one height."""
        return QSize(240, self._view.verticalHeader().defaultSectionSize())

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The ground, the mark, two lines of words."""
        line, look = self._line(self._model.row(index)), theme.current()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, look.color("selected"))
        painter.fillRect(QRect(rect.x(), rect.bottom(), rect.width(), 1), look.color("border"))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(look.color("focus"), 2))
            painter.drawRoundedRect(QRectF(rect).adjusted(2, 2, -2, -3), 4, 4)
        self._draw_mark(painter, rect, line)
        self._draw_words(painter, rect, line)
        painter.restore()

    def _draw_mark(self, painter: QPainter, rect: QRect, line: RowLine) -> None:
        font = theme.font("label")
        size = font.pixelSize() + 10
        box = QRectF(rect.x() + _SIDE, rect.center().y() - size / 2, _MARK, size)
        painter.setPen(QPen(theme.current().color(line.token), 1.5))
        painter.drawRoundedRect(box, 4, 4)
        painter.setFont(font)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, line.mark)

    def _draw_words(self, painter: QPainter, rect: QRect, line: RowLine) -> None:
        look, left = theme.current(), rect.x() + _SIDE + _MARK + _GAP
        half = rect.height() // 2
        upper = QRect(left, rect.y() + 5, rect.right() - _SIDE - left, half - 4)
        lower = QRect(left, rect.y() + half + 1, upper.width(), half - 6)
        place = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.setFont(theme.font("meta"))
        painter.setPen(look.color("text_3"))
        room = upper.width()
        if line.aside:
            painter.drawText(upper, place | Qt.AlignmentFlag.AlignRight, line.aside)
            room -= painter.fontMetrics().horizontalAdvance(line.aside) + _GAP
        painter.setPen(look.color("text_2"))
        painter.drawText(lower, place, _fitted(painter, line.meta, lower.width()))
        painter.setFont(theme.font("label" if line.strong else "body"))
        painter.setPen(look.color("text_1"))
        painter.drawText(upper, place, _fitted(painter, line.title, room))


def _fitted(painter: QPainter, text: str, room: int) -> str:
    plain = " ".join(text.split())
    return painter.fontMetrics().elidedText(plain, Qt.TextElideMode.ElideRight, room)
