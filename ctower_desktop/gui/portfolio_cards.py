"""Lists and grids of the portfolio over one overview: rows to search and sort, charts to walk along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.chartcard import ChartCard
from ctower_desktop.gui.export import Sheet
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.listing import Listing
from ctower_desktop.gui.portfolio_charts import Picture
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import SearchField
from ctower_desktop.reports.portfolio import Overview

_CHART = 300  # pixels a chart needs at 100 %
_PADDING = 30


class Cards(QWidget):
    """Rows of an overview; `picked` gives the row and the place of the column that was clicked or entered."""

    picked = Signal(object, int)

    def __init__(
        self,
        name: str,
        columns: Sequence[Column[Any]],
        rows: Callable[[Overview], Sequence[Any]],
        key: Callable[[Any], str],
        nothing: tuple[str, str],
    ) -> None:
        super().__init__()
        self.name, self._columns, self._of, self._nothing = name, columns, rows, nothing
        self._overview: Overview | None = None
        self.search = SearchField(tr("Search: {what}", what=name), "/")
        self.listing = Listing(name, columns, self._load, key, self._empty)
        self.search.textChanged.connect(self.listing.search)
        view = self.listing.view
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.activated.connect(self._picked)
        view.clicked.connect(self._picked)
        self._fit()
        theme.signals().changed.connect(self._fit)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 8, 16, 12)
        self.column.setSpacing(8)
        self.column.addWidget(self.search)
        self.column.addWidget(self.listing, 1)

    def _fit(self) -> None:
        header = self.listing.view.horizontalHeader()
        for place, column in enumerate(self._columns):
            if not column.stretch:
                width = header.fontMetrics().horizontalAdvance(column.title) + _PADDING
                header.resizeSection(
                    place, max(width, round((150 if not column.right else 70) * theme.scale()))
                )

    def show_overview(self, found: Overview) -> None:
        """Show other rows."""
        self._overview = found
        self.listing.refresh()

    def _rows(self) -> list[Any]:
        rows = list(self._of(self._overview)) if self._overview is not None else []
        words = self.search.text().casefold().split()
        if not words:
            return rows
        return [row for row in rows if all(word in self._words(row) for word in words)]

    def _words(self, row: Any) -> str:
        return " ".join(column.text(row) for column in self._columns).casefold()

    async def _load(self, offset: int, limit: int) -> list[Any]:
        return self._rows()[offset : offset + limit]

    async def _empty(self) -> EmptyState:
        if self.search.text().strip():
            return EmptyState(
                "filtered",
                tr("Nothing fits"),
                tr("The search leaves everything out."),
                tr("Show everything"),
                self.search.clear,
            )
        return EmptyState("no_data", *self._nothing)

    def _picked(self, index: QModelIndex) -> None:
        if index.isValid() and index.row() < len(self.listing.model.rows):
            self.picked.emit(self.listing.model.row(index), index.column())

    def sheet(self) -> Sheet:
        """What is on screen, for a file."""
        rows: list[list[Any]] = [[column.text(row) for column in self._columns] for row in self._rows()]
        return Sheet(self.name, [column.title for column in self._columns], rows)


class ChartGrid(QScrollArea):
    """Charts side by side, as many as there is room for; `asked` gives a picture and the place of a point."""

    asked = Signal(object, int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.cards: dict[str, ChartCard] = {}
        self.pictures: dict[str, Picture] = {}
        self._columns = 0
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(name)
        inside = QWidget()
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(16, 8, 16, 12)
        self.column.setSpacing(12)
        self._grid = QGridLayout()
        self._grid.setSpacing(12)
        self.column.addLayout(self._grid)
        self.column.addStretch(1)
        self.setWidget(inside)

    def show_pictures(self, pictures: Sequence[Picture]) -> None:
        """Show other figures; charts that are there stay."""
        for picture in pictures:
            if picture.id not in self.cards:
                card = self.cards[picture.id] = ChartCard(picture.id)
                card.asked.connect(lambda place, name=picture.id: self.asked.emit(self.pictures[name], place))
                self._columns = 0
            self.pictures[picture.id] = picture
            self.cards[picture.id].show_data(picture.data)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another number fits."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        columns = max(1, min(3, (self.viewport().width() - 32) // round((_CHART + 12) * theme.scale())))
        if columns == self._columns:
            return
        self._columns = columns
        for place, card in enumerate(self.cards.values()):
            self._grid.addWidget(card, place // columns, place % columns)
        for place in range(self._grid.columnCount()):
            self._grid.setColumnStretch(place, 1 if place < columns else 0)

    def sheet(self) -> Sheet:
        """All figures of all charts, for a file."""
        rows: list[list[Any]] = []
        for picture in self.pictures.values():
            for series in picture.data.series:
                rows += [
                    [picture.data.title, series.name, label, value]
                    for label, value in zip(picture.data.labels, series.values, strict=True)
                ]
        columns = [tr("Chart"), tr("Series"), tr("Point"), tr("Value")]
        return Sheet(self.accessibleName(), columns, rows)
