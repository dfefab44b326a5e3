"""A list of any length: rows are read as they come into sight; choice and place outlast a refresh."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec
from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import QAbstractItemView, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui.feedback import EmptyState, plain_words
from ctower_desktop.gui.table import Column, Index, StructTable, StructTableView
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.kernel.errors import TowerError

Row = TypeVar("Row", bound=msgspec.Struct)
Load = Callable[[int, int], Coroutine[Any, Any, list[Any]]]  # offset and limit

PAGE, MOST = 200, 500
_ROOT = QModelIndex()
_PAUSE = 150  # milliseconds after a key before a search is read


class PagedTable(StructTable[Row], Generic[Row]):
    """A table that asks for more rows when its end comes into sight."""

    def __init__(self, columns: Sequence[Column[Row]], more: Callable[[], None]) -> None:
        super().__init__(columns)
        self._more = more
        self.complete = True

    @property
    def rows(self) -> list[Row]:
        """All rows that were read so far."""
        return self._rows

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Put further rows at the end."""
        if rows:
            first = len(self._rows)
            self.beginInsertRows(_ROOT, first, first + len(rows) - 1)
            self._rows.extend(rows)
            self.endInsertRows()

    def canFetchMore(self, _parent: Index) -> bool:
        """Whether there are rows that were not read yet."""
        return not self.complete

    def fetchMore(self, _parent: Index) -> None:
        """Read them."""
        self._more()


class Listing(QWidget):
    """The rows of `load`; `opened` tells the one in front, `marked` how many are chosen."""

    opened = Signal(object)
    marked = Signal(int)
    activated = Signal()  # Enter or a double click
    shown = Signal()  # rows were read and are on screen

    def __init__(
        self,
        name: str,
        columns: Sequence[Column[Any]],
        load: Load,
        key: Callable[[Any], str],
        empty: Callable[[], Coroutine[Any, Any, EmptyState]],
    ) -> None:
        super().__init__()
        self._load, self._key, self._empty = load, key, empty
        self._task: asyncio.Task[Any] | None = None
        self._reading = False
        self._front = ""
        self.model: PagedTable[Any] = PagedTable(columns, self._read_more)
        self.view = StructTableView(self.model, columns, name)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.horizontalHeader().setSortIndicatorClearable(True)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self.marked.emit(len(self.chosen)))
        self.view.selectionModel().currentRowChanged.connect(self._moved)
        self.view.activated.connect(lambda _: self.activated.emit())
        self.state: EmptyState | None = None
        self._stack = QStackedWidget()
        self._stack.addWidget(self.view)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self.start_over)

    @property
    def chosen(self) -> list[Any]:
        """The rows that are selected, from top to bottom."""
        places = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return [self.model.rows[place] for place in places if place < len(self.model.rows)]

    @property
    def front(self) -> Any | None:
        """The row in front."""
        index = self.view.currentIndex()
        return self.model.rows[index.row()] if index.isValid() else None

    def search(self, _text: str) -> None:
        """Read anew a moment after the last key."""
        self._pause.start()

    def start_over(self) -> None:
        """Read from the first row: the question is another one."""
        self._read(PAGE, keep=False)

    def refresh(self) -> None:
        """Read as many rows as there are, again."""
        self._read(max(PAGE, len(self.model.rows)), keep=True)

    def choose(self, key: str) -> None:
        """Bring the row of that key to the front, now or when it is read; only people make it tell."""
        self._front = key
        self.view.clearSelection()
        self._to_front(scroll=True)

    async def everything(self) -> list[Any]:
        """All rows, also those that were not in sight yet."""
        rows: list[Any] = []
        while True:
            found = await self._load(len(rows), MOST)
            rows += found
            if len(found) < MOST:
                return rows

    # -- reading

    def _read(self, count: int, *, keep: bool) -> None:
        if self._task is not None:
            self._task.cancel()
        self._reading = True
        self._task = start(self, self._rows(count), partial(self._show, keep=keep), self._failed)

    async def _rows(self, count: int) -> tuple[list[Any], bool, EmptyState | None]:
        rows: list[Any] = []
        while len(rows) < count:
            limit = min(MOST, count - len(rows))
            found = await self._load(len(rows), limit)
            rows += found
            if len(found) < limit:
                return rows, True, None if rows else await self._empty()
        return rows, False, None

    def _show(self, found: tuple[list[Any], bool, EmptyState | None], *, keep: bool) -> None:
        rows, complete, state = found
        self._reading = False
        self._say(state)
        self._complete(complete=complete)
        if not keep or rows != self.model.rows:
            marked = {self._key(row) for row in self.chosen}
            place = self.view.verticalScrollBar().value() if keep else 0
            self.model.show_rows(rows)
            self._mark(marked)
            self._to_front(scroll=not keep)
            if keep:
                self.view.verticalScrollBar().setValue(place)
        self.shown.emit()

    def _read_more(self) -> None:
        if not self._reading:
            self._reading = True
            self._task = start(self, self._load(len(self.model.rows), PAGE), self._add, self._failed)

    def _add(self, rows: list[Any]) -> None:
        self._reading = False
        self.model.add_rows(rows)
        self._complete(complete=len(rows) < PAGE)

    def _complete(self, *, complete: bool) -> None:
        """Columns sort only when every row is there: the first of a part is not the first of all."""
        self.model.complete = complete
        if not complete:
            self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.setSortingEnabled(complete)

    def _failed(self, error: TowerError) -> None:
        self._reading = False
        title = tr("The list could not be read")
        self._say(EmptyState("failed", title, plain_words(error), tr("Try again"), self.start_over))

    def _say(self, state: EmptyState | None) -> None:
        if self.state is not None:
            self._stack.removeWidget(self.state)
            self.state.deleteLater()
        self.state = state
        if state is not None:
            self._stack.addWidget(state)
        self._stack.setCurrentWidget(state or self.view)

    # -- choice and place

    def _moved(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            row = self.model.rows[index.row()]
            if self._key(row) != self._front:
                self._front = self._key(row)
                self.opened.emit(row)

    def _mark(self, keys: set[str]) -> None:
        wanted = QItemSelection()
        for place, row in enumerate(self.model.rows):
            if self._key(row) in keys:
                wanted.select(
                    self.model.index(place, 0), self.model.index(place, self.model.columnCount() - 1)
                )
        self.view.selectionModel().select(wanted, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _to_front(self, *, scroll: bool) -> None:
        for place, row in enumerate(self.model.rows):
            if self._key(row) == self._front:
                index = self.model.index(place, 0)
                flag = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
                self.view.selectionModel().setCurrentIndex(index, flag)
                if scroll:
                    self.view.scrollTo(index)
                return
