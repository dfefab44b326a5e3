"""Charts painted from the tokens: lines, bars, sparklines; points are reached by key and said in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.text import number, tr, trn

Shape = Literal["line", "bars"]
Form = Callable[[float], str]

_TICKS = 4
_MARK = 3.5
_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
_WIDEST_BAR = 36.0


@dataclass(frozen=True)
class Series:
    """One row of figures; None is a point without one."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Data:
    """What a chart shows: a figure for every label and series, how it is written, and what it means."""

    title: str
    meaning: str
    labels: Sequence[str]
    series: Sequence[Series]
    form: Form = number
    shape: Shape = "line"

    def __post_init__(self) -> None:
        assert all(len(one.values) == len(self.labels) for one in self.series), "a figure for every label"

    @property
    def empty(self) -> bool:
        """Whether there is no figure at all."""
        return not any(value is not None for one in self.series for value in one.values)

    def point_words(self, place: int) -> str:
        """A point in words: its label, then the figure of every series."""
        said = []
        for one in self.series:
            value = one.values[place]
            words = "—" if value is None else self.form(value)
            said.append(words if len(self.series) == 1 else tr("{name}: {value}", name=one.name, value=words))
        return tr("{label}: {figures}", label=self.labels[place], figures=", ".join(said))

    @property
    def summary(self) -> str:
        """The whole chart in a sentence: how many points, from where to where, the least and the most."""
        if self.empty:
            return tr("{title}: nothing to show yet", title=self.title)
        parts = []
        for one in self.series:
            known = [value for value in one.values if value is not None]
            if not known:
                continue
            words = tr(
                "from {first} to {last}, least {least}, most {most}",
                first=self.form(known[0]),
                last=self.form(known[-1]),
                least=self.form(min(known)),
                most=self.form(max(known)),
            )
            named = words if len(self.series) == 1 else tr("{name}: {value}", name=one.name, value=words)
            parts.append(named)
        count = trn("{n} point", "{n} points", len(self.labels))
        return tr("{title}: {count}, {parts}", title=self.title, count=count, parts="; ".join(parts))


def scale_of(values: Sequence[float]) -> tuple[float, float, float]:
    """Round bounds around figures, zero among them, and the step between lines."""
    low, high = min(0.0, *values), max(0.0, *values)
    if high == low:
        high = low + 1.0
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in (1.0, 2.0, 2.5, 5.0, 10.0) if power * one >= rough * 0.999)
    return math.floor(low / step) * step, math.ceil(high / step - 1e-9) * step, step


class Chart(QWidget):
    """A chart of a few dozen points; arrows walk along them, Enter asks what the one in front rests on."""

    walked = Signal(int)
    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.data: Data | None = None
        self.place = -1
        self._drawn, self._zero = QRectF(), 0.0  # where the figures were painted last, how high zero is
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(180, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Chart"))
        theme.signals().changed.connect(self.update)

    def show_data(self, data: Data) -> None:
        """Show other figures; the point in front stays if there still is one."""
        self.data = data
        self.place = min(self.place, len(data.labels) - 1)
        self.setAccessibleName(data.summary)
        self.setAccessibleDescription(data.meaning)
        self.update()

    def sizeHint(self) -> QSize:
        """Wider than high."""
        return QSize(320, 160)

    def walk(self, place: int) -> None:
        """Bring a point to the front and say it."""
        if self.data is None or not self.data.labels:
            return
        place = max(0, min(place, len(self.data.labels) - 1))
        if place != self.place:
            self.place = place
            words = self.data.point_words(place)
            self.setToolTip(words)
            self.setAccessibleName(words)
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.NameChanged))
            self.walked.emit(place)
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home and End walk; Enter chooses."""
        last = len(self.data.labels) - 1 if self.data else -1
        steps = {
            Qt.Key.Key_Left: self.place - 1 if self.place >= 0 else last,
            Qt.Key.Key_Right: self.place + 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.walk(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and last >= 0:
            self.chosen.emit(max(0, self.place))
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The point under the mouse is in front."""
        self.walk(self._nearest(event.position().x()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click chooses."""
        if event.button() == Qt.MouseButton.LeftButton and self.data is not None and not self.data.empty:
            self.walk(self._nearest(event.position().x()))
            self.chosen.emit(self.place)
        super().mousePressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The name is the whole chart again."""
        super().focusOutEvent(event)
        if self.data is not None:
            self.setAccessibleName(self.data.summary)

    # -- painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Lines of the scale, labels, figures, the point in front, the focus ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        look = theme.current()
        painter.setFont(theme.font("caption"))
        if self.data is None or self.data.empty:
            painter.setPen(look.color("text_3"))
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect(), flags, tr("Nothing to show yet"))
        else:
            low, high, step = scale_of([v for one in self.data.series for v in one.values if v is not None])
            area = self._drawn = self._area(painter, low, high, step)
            self._zero = -low / (high - low)
            self._paint_scale(painter, area, (low, high, step))
            self._paint_labels(painter, area)
            for place, one in enumerate(self.data.series):
                draw = self._paint_bars if self.data.shape == "bars" else self._paint_line
                draw(
                    painter,
                    area,
                    place,
                    [None if v is None else (v - low) / (high - low) for v in one.values],
                )
            self._paint_front(painter, area)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.color("focus"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)

    def _area(self, painter: QPainter, low: float, high: float, step: float) -> QRectF:
        assert self.data is not None
        metrics = painter.fontMetrics()
        count = round((high - low) / step)
        ticks = [self.data.form(low + place * step) for place in range(count + 1)]
        left = max(metrics.horizontalAdvance(words) for words in ticks) + 10
        return QRectF(
            left, 8, max(20, self.width() - left - 10), max(20, self.height() - metrics.height() - 18)
        )

    def _paint_scale(self, painter: QPainter, area: QRectF, scale: tuple[float, float, float]) -> None:
        assert self.data is not None
        look, (low, high, step) = theme.current(), scale
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for place in range(round((high - low) / step) + 1):
            value = low + place * step
            y = area.bottom() - (value - low) / (high - low) * area.height()
            zero = abs(value) < step / 1000
            painter.setPen(QPen(look.color("border_control" if zero else "border"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(look.color("text_3"))
            painter.drawText(QRectF(0, y - 8, area.left() - 6, 16), right, self.data.form(value))

    def _paint_labels(self, painter: QPainter, area: QRectF) -> None:
        assert self.data is not None
        count = len(self.data.labels)
        metrics = painter.fontMetrics()
        painter.setPen(theme.current().color("text_3"))
        until = -1.0
        for place in dict.fromkeys((0, count - 1, count // 2)):
            words = self.data.labels[place]
            if count > 1 and self.data.shape == "bars":
                words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, round(area.width() / 3))
            width = metrics.horizontalAdvance(words)
            x = min(max(area.left(), self._x(area, place) - width / 2), area.right() - width)
            if place not in (0, count - 1) and (x < until or x + width > self._x(area, count - 1) - width):
                continue
            until = max(until, x + width + 12) if place == 0 else until
            painter.drawText(QPointF(x, area.bottom() + metrics.ascent() + 6), words)

    def _paint_line(
        self, painter: QPainter, area: QRectF, place: int, heights: Sequence[float | None]
    ) -> None:
        color = QColor(theme.current().charts[place])
        points = [
            QPointF(self._x(area, at), area.bottom() - height * area.height())
            for at, height in enumerate(heights)
            if height is not None
        ]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color, 2, _DASHES[place % len(_DASHES)]))
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for point in points if len(points) <= 30 else points[-1:]:
            mark(painter, point, place)

    def _paint_bars(
        self, painter: QPainter, area: QRectF, place: int, heights: Sequence[float | None]
    ) -> None:
        assert self.data is not None
        count, rows = len(self.data.labels), len(self.data.series)
        room = area.width() / max(1, count)
        width = min(_WIDEST_BAR, max(2.0, room * 0.7 / rows))
        color = QColor(theme.current().charts[place])
        for at, height in enumerate(heights):
            if height is None:
                continue
            x = self._x(area, at) - width * rows / 2 + place * width
            top, bottom = max(height, self._zero), min(height, self._zero)
            bar = QRectF(x, area.bottom() - top * area.height(), width - 1, (top - bottom) * area.height())
            painter.setPen(QPen(color, 1))
            painter.setBrush(color if place == 0 else Qt.BrushStyle.BDiagPattern)
            if place:
                painter.setBrush(QColor(theme.current().surface))
                painter.drawRect(bar)
                painter.setBrush(Qt.BrushStyle.BDiagPattern)
            painter.drawRect(bar)

    def _paint_front(self, painter: QPainter, area: QRectF) -> None:
        if self.data is not None and 0 <= self.place < len(self.data.labels):
            x = self._x(area, self.place)
            painter.setPen(QPen(theme.current().color("text_2"), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _x(self, area: QRectF, place: int) -> float:
        assert self.data is not None
        count = len(self.data.labels)
        if self.data.shape == "bars":
            return area.left() + area.width() * (place + 0.5) / max(1, count)
        return area.left() + (area.width() * place / (count - 1) if count > 1 else area.width() / 2)

    def _nearest(self, x: float) -> int:
        if self.data is None or not self.data.labels:
            return 0
        return min(range(len(self.data.labels)), key=lambda place: abs(self._x(self._drawn, place) - x))


def mark(painter: QPainter, point: QPointF, place: int) -> None:
    """The mark of a series: a circle, a square or a triangle, so that colour is never all there is."""
    x, y = point.x(), point.y()
    if place % 3 == 0:
        painter.drawEllipse(point, _MARK, _MARK)
    elif place % 3 == 1:
        painter.drawRect(QRectF(x - _MARK, y - _MARK, 2 * _MARK, 2 * _MARK))
    else:
        corners = [QPointF(x, y - _MARK), QPointF(x + _MARK, y + _MARK), QPointF(x - _MARK, y + _MARK)]
        painter.drawPolygon(QPolygonF(corners))


class Sparkline(QWidget):
    """The shape of a row of figures without a scale; the words beside it carry the figures."""

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self._values: list[float] = []
        self._token = "accent_text"
        self.setFixedHeight(28)
        self.setMinimumWidth(60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        theme.signals().changed.connect(self.update)

    @property
    def values(self) -> list[float]:
        """What it shows."""
        return self._values

    def show_values(self, values: Sequence[float], words: str) -> None:
        """Show other figures; `words` say the same."""
        self._values = list(values)
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A line, and its newest point."""
        if len(self._values) < 2:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        low, high = min(self._values), max(self._values)
        span, area = (high - low) or 1.0, QRectF(self.rect()).adjusted(2, 4, -5, -4)
        points = [
            QPointF(
                area.left() + area.width() * place / (len(self._values) - 1),
                area.bottom() - (area.height() * (value - low) / span if high > low else area.height() / 2),
            )
            for place, value in enumerate(self._values)
        ]
        color = QColor(theme.current().charts[0])
        painter.setPen(QPen(color, 1.5))
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(points[-1], 3, 3)
