"""Rows of the inbox, three lines high: who and when, about what, the last words."""

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

_SIDE, _DOT, _GAP, _LEAD = 12, 8, 8, 1.38


@dataclass(frozen=True)
class Talk:
    """What a row says; `waits` are the words beside a dot in the colour of `token`."""

    who: str
    when: str
    about: str
    words: str
    waits: str = ""
    token: str = "text_3"

    @property
    def spoken(self) -> str:
        """All of it, for a screen reader."""
        return "\n".join(part for part in (self.who, self.waits, self.when, self.about, self.words) if part)


class TalkRows(QStyledItemDelegate):
    """Draws rows from their `Talk`."""

    def __init__(self, view: StructTableView, model: PagedTable[Any], talk: Callable[[Any], Talk]) -> None:
        super().__init__(view)
        self._view, self._model, self._talk = view, model, talk
        view.setItemDelegate(self)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.horizontalHeader().hide()
        view.horizontalHeader().setMinimumSectionSize(1)
        self._measure()
        theme.signals().changed.connect(self._measure)

    def _measure(self) -> None:
        pixels = theme.font("label").pixelSize() + 2 * theme.font("meta").pixelSize()
        self._view.verticalHeader().setDefaultSectionSize(round(pixels * _LEAD) + 18)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """All rows are of one height."""
        return QSize(240, self._view.verticalHeader().defaultSectionSize())

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The ground, the dot, three lines of words."""
        talk, look = self._talk(self._model.row(index)), theme.current()
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
        first = round(theme.font("label").pixelSize() * _LEAD)
        other = round(theme.font("meta").pixelSize() * _LEAD)
        left, top = rect.x() + _SIDE + _DOT + _GAP, rect.y() + 8
        room = rect.right() - _SIDE - left
        if talk.waits:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color(talk.token))
            painter.drawEllipse(QRectF(rect.x() + _SIDE, top + (first - _DOT) / 2, _DOT, _DOT))
        self._line(painter, QRect(left, top, room, first), talk.who, talk.when, "label")
        second = QRect(left, top + first, room, other)
        self._line(painter, second, talk.about, talk.waits, "meta", talk.token)
        painter.setPen(look.color("text_3"))
        third = QRect(left, second.bottom() + 1, room, other)
        painter.drawText(third, _PLACE, _fitted(painter, talk.words, room))
        painter.restore()

    def _line(  # noqa: PLR0917
        self, painter: QPainter, rect: QRect, text: str, aside: str, kind: theme.Kind, token: str = "text_3"
    ) -> None:
        """Words at the left, and at the right what must not be cut off."""
        look, room = theme.current(), rect.width()
        painter.setFont(theme.font("meta"))
        if aside:
            painter.setPen(look.color(token))
            painter.drawText(rect, _PLACE | Qt.AlignmentFlag.AlignRight, aside)
            room -= painter.fontMetrics().horizontalAdvance(aside) + _GAP
        painter.setFont(theme.font(kind))
        painter.setPen(look.color("text_1" if kind == "label" else "text_2"))
        painter.drawText(rect, _PLACE, _fitted(painter, text, room))
        painter.setFont(theme.font("meta"))


_PLACE = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine


def _fitted(painter: QPainter, text: str, room: int) -> str:
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(0, room))
