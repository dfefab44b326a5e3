"""A line over days, painted from the tokens; the table with the same figures stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.table import Column, StructTable, StructTableView
from ctower_desktop.gui.text import day as day_text
from ctower_desktop.gui.text import number, tr
from ctower_desktop.gui.widgets import LinkButton, row

_LEFT, _RIGHT, _TOP, _BOTTOM = 36, 16, 12, 24
_DOTS = 45  # up to so many points each is marked
_STEPS = 4


class TrendPoint(msgspec.Struct, frozen=True):
    """A figure of a day."""

    day: str
    value: float


class TrendLine(QWidget):
    """The line between `low` and `high`. Time runs from left to right; days without a figure are bridged."""

    def __init__(self, name: str, low: float, high: float) -> None:
        super().__init__()
        self._name, self._low, self._high = name, low, high
        self.points: list[TrendPoint] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        theme.signals().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Wide and low."""
        return QSize(420, 180)

    def show_points(self, points: Sequence[TrendPoint]) -> None:
        """Show other figures, the oldest first."""
        self.points = list(points)
        self.setAccessibleDescription(self.words())
        self.setToolTip(self.words())
        self.update()

    def words(self) -> str:
        """What the line shows, as a sentence."""
        if not self.points:
            return tr("No figures yet")
        first, last = self.points[0], self.points[-1]
        return tr(
            "From {first} on {from_day} to {last} on {to_day}; lowest {least}, highest {most}",
            first=number(first.value, 1),
            from_day=day_text_of(first.day),
            last=number(last.value, 1),
            to_day=day_text_of(last.day),
            least=number(min(point.value for point in self.points), 1),
            most=number(max(point.value for point in self.points), 1),
        )

    def places(self) -> list[QPointF]:
        """Where each figure is painted."""
        area = self._area()
        days = [date.fromisoformat(point.day).toordinal() for point in self.points]
        whole = max(1, days[-1] - days[0]) if days else 1
        span = self._high - self._low
        found = []
        for at, point in zip(days, self.points, strict=True):
            share = (at - days[0]) / whole if len(days) > 1 else 0.5
            height = (min(self._high, max(self._low, point.value)) - self._low) / span
            found.append(QPointF(area.left() + share * area.width(), area.bottom() - height * area.height()))
        return found

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The grid with its figures, then the line with the last figure."""
        painter, look = QPainter(self), theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self._area()
        painter.setFont(theme.font("caption"))
        for step in range(_STEPS + 1):
            y = area.bottom() - area.height() * step / _STEPS
            painter.setPen(look.color("border"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(look.color("text_3"))
            value = self._low + (self._high - self._low) * step / _STEPS
            painter.drawText(QRectF(0, y - 8, _LEFT - 6, 16), _AT_RIGHT, number(value))
        if self.points:
            self._paint_line(painter, area)

    def _paint_line(self, painter: QPainter, area: QRectF) -> None:
        look, places = theme.current(), self.places()
        color = QColor(look.charts[0])
        painter.setPen(QPen(color, 2))
        painter.drawPolyline(QPolygonF(places))
        painter.setBrush(color)
        marked = places if len(places) <= _DOTS else places[-1:]
        for place in marked:
            painter.drawEllipse(place, 3, 3)
        painter.setPen(look.color("text_3"))
        below = QRectF(area.left(), area.bottom() + 4, area.width(), 18)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, day_text_of(self.points[0].day))
        if len(self.points) > 1:
            painter.drawText(below, Qt.AlignmentFlag.AlignRight, day_text_of(self.points[-1].day))


_AT_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def day_text_of(day: str) -> str:
    """A day as people name it."""
    return day_text(datetime.fromisoformat(day))


class TrendWithTable(QWidget):
    """The line, and on request the same as a table."""

    def __init__(self, name: str, value: str, low: float, high: float) -> None:
        super().__init__()
        self.line = TrendLine(name, low, high)
        columns: list[Column[TrendPoint]] = [
            Column(tr("Day"), lambda point: day_text_of(point.day), lambda point: point.day, stretch=True),
            Column(value, lambda point: number(point.value, 1), lambda point: point.value, right=True),
        ]
        self.model: StructTable[TrendPoint] = StructTable(columns)
        self.table = StructTableView(self.model, columns, name)
        self.table.setMinimumHeight(220)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.line)
        self._stack.addWidget(self.table)
        self.turn = LinkButton(tr("Show as a table"))
        self.turn.clicked.connect(self.turn_over)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._stack)
        column.addLayout(row(self.turn, 0))

    def show_points(self, points: Sequence[TrendPoint]) -> None:
        """Show other figures, the oldest first."""
        self.line.show_points(points)
        self.model.show_rows(list(reversed(points)))

    def turn_over(self) -> None:
        """Between the line and the table."""
        to_table = self._stack.currentWidget() is self.line
        self._stack.setCurrentWidget(self.table if to_table else self.line)
        words = tr("Show as a line") if to_table else tr("Show as a table")
        self.turn.setText(words)
        self.turn.setAccessibleName(words)
