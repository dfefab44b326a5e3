"""A chart on a card: its newest figure, what it means, its legend, and the table behind it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import msgspec
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.charts import Chart, Data, mark
from ctower_desktop.gui.flow import FlowLayout
from ctower_desktop.gui.table import Column, StructTable, StructTableView
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Card, IconButton, Label, LinkButton, row


class _Row(msgspec.Struct, frozen=True):
    place: int
    label: str
    figures: list[str]
    values: list[float | None]


@dataclass(frozen=True)
class _Sign:
    place: int
    words: str


class _Legend(QWidget):
    """The mark of a series, as the chart draws it."""

    def __init__(self, sign: _Sign) -> None:
        super().__init__()
        self._sign = sign
        self.setFixedSize(QSize(10, 10))
        self.setAccessibleName(sign.words)
        theme.signals().changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The mark in its colour."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.current().charts[self._sign.place]))
        mark(painter, QRectF(self.rect()).center(), self._sign.place)


class ChartCard(Card):
    """One chart; `asked` wants the evidence behind the point at a place, or with -1 behind all of it."""

    asked = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__(margin=14, spacing=4)
        self.name = name
        self._shape: tuple[str, ...] = ()
        self.title = Label("", "label")
        self.newest = Label("", "title")
        self.point = Label("", "meta", "text_2")
        self.point.setMinimumWidth(1)
        self.point.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.as_table = IconButton("table", tr("Show the table behind it"), checkable=True)
        self.as_table.toggled.connect(self._turn)
        self.evidence = LinkButton(tr("What it rests on"), "link")
        self.evidence.clicked.connect(lambda: self.asked.emit(-1))
        self.chart = Chart()
        self.chart.walked.connect(self._walked)
        self.chart.chosen.connect(self._chosen)
        self.table: StructTableView | None = None
        self._model: StructTable[_Row] | None = None  # a view does not keep its model alive
        self.legend = QWidget()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.chart)
        self._stack.setMinimumHeight(150)
        self.body.addLayout(row(self.title, 0, self.as_table))
        self.body.addLayout(row(self.newest, self.point))
        self.body.addWidget(self.legend)
        self.body.addWidget(self._stack, 1)
        self.body.addLayout(row(0, self.evidence))

    @property
    def data(self) -> Data | None:
        """What is shown."""
        return self.chart.data

    def show_data(self, data: Data) -> None:
        """Show other figures."""
        self.title.setText(data.title)
        self.title.setToolTip(data.meaning)
        self.newest.setToolTip(data.meaning)
        self.setAccessibleName(data.title)
        self.evidence.setAccessibleName(tr("{title}: what it rests on", title=data.title))
        self.as_table.setAccessibleName(tr("{title}: as a table", title=data.title))
        known = [] if data.empty else [v for v in data.series[0].values if v is not None]
        self.newest.setText(data.form(known[-1]) if known and data.shape == "line" else "")
        self.newest.setVisible(bool(self.newest.text()))
        self.newest.setAccessibleName(tr("{title}: {value}", title=data.title, value=self.newest.text()))
        shape = tuple(one.name for one in data.series)
        if shape != self._shape:
            self._shape = shape
            self._make_legend(data)
            if self.table is not None:
                self._stack.removeWidget(self.table)
                self.table.deleteLater()
                self.table = None
        self.chart.show_data(data)
        if self.as_table.isChecked():
            self._turn(on=True)

    def _make_legend(self, data: Data) -> None:
        self.body.removeWidget(self.legend)
        self.legend.deleteLater()
        self.legend = QWidget()
        parts = []
        for place, one in enumerate(data.series):
            part = QWidget()
            part.setLayout(row(_Legend(_Sign(place, one.name)), Label(one.name, "meta", "text_2"), spacing=4))
            parts.append(part)
        self.legend.setLayout(FlowLayout(*parts, spacing=12))
        self.body.insertWidget(2, self.legend)
        self.legend.setVisible(len(parts) > 1)

    def _turn(self, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        if on and self.data is not None:
            if self.table is None:
                self.table = self._made_table(self.data)
                self._stack.addWidget(self.table)
            assert self._model is not None
            self._model.show_rows(rows_of(self.data))
        self._stack.setCurrentWidget(self.table if on and self.table is not None else self.chart)

    def _made_table(self, data: Data) -> StructTableView:
        columns: list[Column[_Row]] = [
            Column(tr("Point"), lambda r: r.label, lambda r: r.place, stretch=True)
        ]
        for place, one in enumerate(data.series):
            columns.append(Column(one.name, partial(_figure, place), partial(_value, place), right=True))
        self._model = model = StructTable(columns)
        view = StructTableView(model, columns, tr("{title}: the figures", title=data.title))
        view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        view.activated.connect(lambda index: self.asked.emit(model.row(index).place))
        return view

    def _walked(self, place: int) -> None:
        if self.data is not None:
            self.point.setText(self.data.point_words(place))

    def _chosen(self, place: int) -> None:
        if self.data is not None and place < len(self.data.labels):
            self.asked.emit(place)


def _figure(place: int, row_: _Row) -> str:
    return row_.figures[place]


def _value(place: int, row_: _Row) -> float:
    value = row_.values[place]
    return float("-inf") if value is None else value


def rows_of(data: Data) -> list[_Row]:
    """The table behind a chart."""
    found = []
    for place, label in enumerate(data.labels):
        values = [one.values[place] for one in data.series]
        found.append(_Row(place, label, ["—" if v is None else data.form(v) for v in values], values))
    return found
