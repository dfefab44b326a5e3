"""Pictures of runs painted from the tokens: sparklines in a table, durations as bars, a timeline of sources.

None says anything by colour alone, and each stands beside a table or a text that says the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.system_words import took
from ctower_desktop.gui.text import number, tr, trn
from ctower_desktop.kernel.system import from_text
from ctower_desktop.operations.history_store import Point
from ctower_desktop.operations.scheduling import Bucket
from ctower_desktop.operations.timeline import SyncRun

_POINTS = 20  # places in a sparkline
_BAR, _GAP, _LOWEST = 4, 2, 3
_LANE, _NAME_WIDTH, _AXIS = 26, 110, 18


def runs_words(points: Sequence[Point]) -> str:
    """What a sparkline shows, as a sentence."""
    if not points:
        return tr("No run yet")
    failed = sum(point.status != "ok" for point in points)
    return tr(
        "{runs}, {failed}; the last one took {time}",
        runs=trn("{n} run", "{n} runs", len(points)),
        failed=trn("{n} failed", "{n} failed", failed),
        time=took(points[-1].duration_ms),
    )


def paint_runs(painter: QPainter, area: QRectF, points: Sequence[Point]) -> None:
    """A bar for each run, the newest at the right, as high as it was long; a failed one is crossed."""
    colors = theme.current()
    longest = max((point.duration_ms or 0 for point in points), default=0)
    whole = math.log1p(longest) or 1.0
    left = area.left() + (_POINTS - len(points)) * (_BAR + _GAP)
    for place, point in enumerate(points):
        share = math.log1p(point.duration_ms or 0) / whole
        height = max(_LOWEST, share * area.height())
        bar = QRectF(left + place * (_BAR + _GAP), area.bottom() - height, _BAR, height)
        if point.status == "ok":
            painter.fillRect(bar, QColor(colors.charts[0]))
        else:
            danger = colors.color("danger")
            painter.setPen(QPen(danger, 1))
            painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, -0.5))
            painter.drawLine(QPointF(bar.left() - 1, area.top()), QPointF(bar.right() + 1, area.top() + _BAR))
            painter.drawLine(QPointF(bar.right() + 1, area.top()), QPointF(bar.left() - 1, area.top() + _BAR))


class RunsDelegate(QStyledItemDelegate):
    """Paints the newest runs of a row in a cell; the words of the cell stay for screen readers."""

    def __init__(self, parent: QWidget, points: Callable[[int], Sequence[Point]]) -> None:
        super().__init__(parent)
        self._points = points

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The ground of the cell, then the bars."""
        option.widget.style().drawPrimitive(
            option.widget.style().PrimitiveElement.PE_PanelItemViewItem,
            option,
            painter,
            option.widget,
        )
        area = QRectF(option.rect).adjusted(8, 7, -8, -7)
        painter.save()
        painter.setClipRect(option.rect)
        paint_runs(painter, area, self._points(index.row()))
        painter.restore()

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Room for all places."""
        return QSize(_POINTS * (_BAR + _GAP) + 16, theme.ROW)


class Bin(msgspec.Struct, frozen=True):
    """How many runs took longer than the bin before and at most `most` ms; without a bound: any longer."""

    most: int | None
    count: int

    @property
    def title(self) -> str:
        """The bin in words."""
        return tr("up to {time}", time=took(self.most)) if self.most is not None else tr("longer")


def bins(buckets: Sequence[Bucket]) -> list[Bin]:
    """Counts of each bin from counts that add up; empty ones at both ends are left out."""
    found, before = [], 0
    for bucket in buckets:
        found.append(Bin(bucket.le_ms, bucket.count - before))
        before = bucket.count
    filled = [place for place, bin_ in enumerate(found) if bin_.count]
    return found[filled[0] : filled[-1] + 1] if filled else []


class Histogram(QWidget):
    """How long runs took: a bar with its count and its bound for each bin."""

    def __init__(self) -> None:
        super().__init__()
        self._bins: list[Bin] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.signals().changed.connect(self.update)

    def show_bins(self, found: list[Bin]) -> None:
        """Show other counts."""
        self._bins = found
        said = "; ".join(
            tr("{bin}: {runs}", bin=one.title, runs=trn("{n} run", "{n} runs", one.count)) for one in found
        )
        self.setAccessibleName(tr("How long runs took: {bins}", bins=said or tr("No run yet")))
        self.setFixedHeight(len(found) * self._row())
        self.update()

    def _row(self) -> int:
        return round(20 * theme.scale())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """One line for each bin: bound, bar, count."""
        painter = QPainter(self)
        colors, row = theme.current(), self._row()
        painter.setFont(theme.font("meta"))
        metrics = painter.fontMetrics()
        names = max((metrics.horizontalAdvance(one.title) for one in self._bins), default=0) + 12
        counts = max((metrics.horizontalAdvance(number(one.count)) for one in self._bins), default=0) + 8
        most = max((one.count for one in self._bins), default=0) or 1
        room = max(20, self.width() - names - counts)
        for place, one in enumerate(self._bins):
            line = QRectF(0, place * row, self.width(), row)
            painter.setPen(colors.color("text_2"))
            painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter), one.title)
            length = room * one.count / most
            if one.count:
                painter.fillRect(
                    QRectF(names, line.top() + 4, max(2.0, length), row - 8), QColor(colors.charts[0])
                )
            painter.setPen(colors.color("text_1"))
            place_of_count = line.adjusted(names + length + 6, 0, 0, 0)
            painter.drawText(place_of_count, int(Qt.AlignmentFlag.AlignVCenter), number(one.count))


class Lane(msgspec.Struct, frozen=True):
    """The synchronisations of one source in the time that is shown."""

    title: str
    runs: list[SyncRun]


class Timeline(QWidget):
    """When each source was read: a block for each run; failed ones are hollow and stand out above."""

    def __init__(self) -> None:
        super().__init__()
        self._lanes: list[Lane] = []
        self._from = self._to = datetime.fromtimestamp(0, UTC)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.signals().changed.connect(self.update)

    def show_lanes(self, lanes: list[Lane], since: datetime, until: datetime) -> None:
        """Show the runs between two moments."""
        self._lanes, self._from, self._to = lanes, since, until
        said = "; ".join(
            tr(
                "{name}: {runs}, {failed}",
                name=lane.title,
                runs=trn("{n} run", "{n} runs", len(lane.runs)),
                failed=trn("{n} failed", "{n} failed", sum(run.status == "failed" for run in lane.runs)),
            )
            for lane in lanes
        )
        self.setAccessibleName(tr("When sources were read: {sources}", sources=said))
        self.setFixedHeight(len(lanes) * _LANE + round(_AXIS * theme.scale()))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Names, lanes with their runs, hours below."""
        painter = QPainter(self)
        colors = theme.current()
        painter.setFont(theme.font("meta"))
        left = round(_NAME_WIDTH * theme.scale())
        room = max(40, self.width() - left - 8)
        for place, lane in enumerate(self._lanes):
            top = place * _LANE
            painter.setPen(colors.color("text_2"))
            shown = painter.fontMetrics().elidedText(lane.title, Qt.TextElideMode.ElideRight, left - 8)
            painter.drawText(QRectF(0, top, left, _LANE), int(Qt.AlignmentFlag.AlignVCenter), shown)
            painter.fillRect(QRectF(left, top + _LANE - 8, room, 2), colors.color("border"))
            for run in lane.runs:
                self._paint_run(painter, run, left, room, top)
        self._paint_hours(painter, left, room)

    def _paint_run(self, painter: QPainter, run: SyncRun, left: float, room: float, top: float) -> None:
        colors = theme.current()
        start = left + self._share(from_text(run.started_at)) * room
        ended = from_text(run.finished_at) if run.finished_at else self._to
        width = max(3.0, self._share(ended) * room + left - start) if run.status != "failed" else 4.0
        block = QRectF(start, top + 8, min(width, left + room - start + 3), 11)
        if run.status == "failed":
            painter.setPen(QPen(colors.color("danger"), 1.5))
            painter.drawRect(QRectF(start, top + 3, 5, 16))
        else:
            painter.fillRect(block, QColor(colors.charts[2] if run.status == "ok" else colors.charts[0]))

    def _paint_hours(self, painter: QPainter, left: float, room: float) -> None:
        colors = theme.current()
        painter.setFont(theme.font("caption"))
        painter.setPen(colors.color("text_3"))
        top = len(self._lanes) * _LANE
        days = (self._to - self._from).total_seconds() > 2 * 86_400
        for place in range(5):
            moment = (self._from + (self._to - self._from) * place / 4).astimezone()
            words = f"{moment:%d.%m}" if days else f"{moment:%H:%M}"
            width = painter.fontMetrics().horizontalAdvance(words)
            x = left + room * place / 4 - (0 if place == 0 else width if place == 4 else width / 2)
            painter.drawText(QPointF(x, top + painter.fontMetrics().ascent() + 2), words)

    def _share(self, moment: datetime) -> float:
        whole = (self._to - self._from).total_seconds() or 1.0
        return min(1.0, max(0.0, (moment - self._from).total_seconds() / whole))


def cell_points(rows: Callable[[], Sequence[Any]]) -> Callable[[int], Sequence[Point]]:
    """The runs of the row at a place, for the delegate."""

    def of(place: int) -> Sequence[Point]:
        found = rows()
        return found[place].sparkline if place < len(found) else ()

    return of
