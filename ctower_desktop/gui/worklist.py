"""A list to work through: search and filters, the one in front beside it, what to do with what is chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ctower_desktop.connectors.connecting import list_connections
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.detail import DetailPane, Target
from ctower_desktop.gui.export import Sheet
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import EmptyState, plain_words, show_error
from ctower_desktop.gui.flow import FlowLayout
from ctower_desktop.gui.listing import Listing
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.rowlines import RowLine, RowLines
from ctower_desktop.gui.savedviews import SavedViews, State
from ctower_desktop.gui.sieve import Sieve
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, trn
from ctower_desktop.gui.undo import Back, undoable
from ctower_desktop.gui.widgets import Button, Label, LinkButton, PrimaryButton, SearchField, row
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Desktop

_LIST, _DETAIL = 430, 610  # pixels at first; the splitter changes them


@dataclass(frozen=True)
class Deed:
    """Something to do with chosen rows; `fits` says with which. The page's key for `id` is shown on it."""

    id: str
    title: str
    run: Callable[[list[Any]], object]
    fits: Callable[[Any], bool]
    key: str = ""
    primary: bool = False


class WorkList(QWidget):
    """Rows at the left, the one in front at the right. What it shows is up to those that derive from it."""

    def __init__(
        self,
        page: Page,
        name: str,
        *,
        tables: set[str],
        deeds: Sequence[Deed],
        chips: Sequence[Chips],
        most: int = 400,
    ) -> None:
        super().__init__()
        self.page, self.tower, self.name, self.deeds, self.chips = page, page.tower, name, deeds, chips
        self._most, self._place = most, 0
        self._task: asyncio.Task[Any] | None = None
        self._shown_key: str | None = None
        self.search = SearchField(tr("Search: {what}", what=name), "/")
        self.listing = self._made_listing()
        self.search.textChanged.connect(self.listing.search)
        kind = type(self).__name__
        self.views = SavedViews(page.tower.home.path, kind, self.state, self.restore)
        for group in chips:
            group.changed.connect(self.listing.start_over)
        self.buttons = {deed.id: self._made_button(deed) for deed in deeds}
        self.count = Label("", "meta", "text_2")
        self.source = DetailPane(self.call)
        self.facts = QScrollArea()
        self.beside = QStackedWidget()
        self._build()
        self.rest()
        follow(self, self.tower, tables, self.refresh)

    # -- what those that derive say

    def key(self, row_: Any) -> str:
        """What names a row."""
        return str(row_.id)

    def line(self, row_: Any) -> RowLine:
        """What a row says in the list."""
        raise LookupError(f"{type(self).__name__} has no lines")

    def words(self, row_: Any) -> str:
        """What the search looks through."""
        return self.line(row_).spoken

    def fits(self, _row: Any) -> bool:
        """Whether a row passes the filters that the reading does not know of."""
        return True

    async def read(self, offset: int, limit: int) -> list[Any]:
        """Rows in their order."""
        raise LookupError(f"{type(self).__name__} reads nothing")

    async def detail(self, row_: Any) -> QWidget:
        """The one in front, in full."""
        raise LookupError(f"{type(self).__name__} has no detail")

    def nothing(self) -> EmptyState:
        """Why there is nothing although everything was read, and what to do."""
        raise LookupError(f"{type(self).__name__} says nothing")

    def look_again(self) -> None:
        """Find anew what belongs here."""
        raise LookupError(f"{type(self).__name__} looks for nothing")

    def columns(self) -> Sequence[Column[Any]]:
        """The columns of a file with these rows."""
        raise LookupError(f"{type(self).__name__} has no columns")

    # -- building

    def _made_listing(self) -> Listing:
        columns: list[Column[Any]] = [Column(self.name, lambda row_: self.line(row_).spoken, stretch=True)]
        found = Listing(self.name, columns, self._rows(), self.key, self._empty)
        RowLines(found.view, found.model, self.line)
        found.opened.connect(self._open)
        found.marked.connect(lambda _: self._choice())
        found.shown.connect(self._shown)
        found.activated.connect(self.activate_front)
        return found

    def _made_button(self, deed: Deed) -> Button:
        button = (PrimaryButton if deed.primary else Button)(deed.title, deed.key)
        button.clicked.connect(partial(self.do, deed.id))
        return button

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(16, 12, 8, 12)
        column.setSpacing(8)
        column.addLayout(row(self.search, self.views))
        for group in self.chips:
            column.addWidget(group)
        column.addWidget(self.listing, 1)
        back = LinkButton(tr("Back to: {what}", what=self.name), "back")
        back.clicked.connect(self.close_source)
        with_back = QWidget()
        inner = QVBoxLayout(with_back)
        inner.setContentsMargins(12, 4, 0, 0)
        inner.addWidget(back)
        inner.addWidget(self.source, 1)
        self.facts.setWidgetResizable(True)
        self.facts.setFrameShape(QFrame.Shape.NoFrame)
        self.facts.setAccessibleName(tr("What is in front"))
        self.beside.addWidget(self.facts)
        self.beside.addWidget(with_back)
        right = QFrame()
        right.setProperty("panel", True)
        right.setMinimumWidth(360)
        column = QVBoxLayout(right)
        column.setContentsMargins(1, 8, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._bar())
        column.addWidget(self.beside, 1)
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), right, self.close_source)
        self._escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._escape.setEnabled(False)
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(right)
        split.setChildrenCollapsible(False)
        split.setSizes([_LIST, _DETAIL])
        split.setStretchFactor(1, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(split)

    def _bar(self) -> QVBoxLayout:
        held = QWidget()
        held.setLayout(FlowLayout(*self.buttons.values()))
        bar = QVBoxLayout()
        bar.setContentsMargins(16, 4, 16, 4)
        bar.setSpacing(4)
        bar.addLayout(row(self.count, 0))
        bar.addWidget(held)
        return bar

    # -- reading

    def call(self) -> Desktop:
        """A call of the person at the screen."""
        return self.page.call()

    def _rows(self) -> Callable[[int, int], Coroutine[Any, Any, list[Any]]]:
        return Sieve(self._read, self._passes, self._most)

    async def _read(self, offset: int, limit: int) -> list[Any]:
        return await self.read(offset, limit) if self.page.context.has_project() else []

    def _passes(self, row_: Any) -> bool:
        typed = self.search.text().casefold().split()
        return self.fits(row_) and (not typed or all(one in self.words(row_).casefold() for one in typed))

    @property
    def filtered(self) -> bool:
        """Whether something was asked for that is not the first choice of every filter."""
        return bool(self.search.text().strip()) or any(one.value != one.first for one in self.chips)

    def show_all(self) -> None:
        """Take all filters away."""
        self.restore({})

    def state(self) -> State:
        """What the filters say now, to be kept under a name."""
        return {"search": self.search.text()} | {str(n): one.value for n, one in enumerate(self.chips)}

    def restore(self, state: State) -> None:
        """Filter as it was kept; what is not there stands as at first."""
        for place, group in enumerate(self.chips):
            group.blockSignals(True)
            group.choose(state.get(str(place), group.first))
            group.blockSignals(False)
        self.search.setText(state.get("search", ""))
        self.listing.start_over()

    def refresh(self) -> None:
        """Read the rows and the one in front again."""
        self.listing.refresh()

    def start_over(self) -> None:
        """Another project: nothing of the one before stays."""
        self._shown_key, self._place = None, 0
        self.close_source()
        self.rest()
        self.listing.start_over()

    async def _empty(self) -> EmptyState:
        context = self.page.context
        if not context.has_project():
            return EmptyState(
                "no_data",
                tr("No project yet"),
                tr("Everything here belongs to a project; open one first."),
                tr("New project…"),
                lambda: context.commands.run("project.new"),
            )
        if self.filtered:
            return EmptyState(
                "filtered",
                tr("Nothing fits these filters"),
                tr("There may be more without them."),
                tr("Show everything"),
                self.show_all,
            )
        found = (await list_connections(self.call())).connections
        if not any(one.last_success_at for one in found):
            return EmptyState(
                "not_synced",
                tr("Nothing has come in yet"),
                tr("Connect a source and sync it: this is read from what clients write and order."),
                tr("Open connectors"),
                lambda: context.open_page("connectors"),
            )
        return self.nothing()

    async def sheet(self) -> Sheet:
        """All rows that pass the filters, for a file."""
        rows: list[Any] = []
        read, columns = self._rows(), self.columns()
        while found := await read(len(rows), self._most):
            rows += found
        return Sheet(
            self.name, [one.title for one in columns], [[one.text(each) for one in columns] for each in rows]
        )

    # -- the one in front

    def _shown(self) -> None:
        rows = self.listing.model.rows
        if self.listing.front is None and rows:
            self.listing.view.selectRow(min(self._place, len(rows) - 1))
        front = self.listing.front
        if front is None:
            self._shown_key = None
            self.close_source()
            self.rest()
        else:
            self._open(front)
        self._choice()

    def _open(self, row_: msgspec.Struct) -> None:
        self._place = max(0, self.listing.view.currentIndex().row())
        if self.key(row_) != self._shown_key:
            self.close_source()
        self._stop()
        self._task = start(self, self.detail(row_), partial(self._show, self.key(row_)), self._failed)

    def _show(self, key: str, found: QWidget) -> None:
        if found is not self.facts.widget():
            keep = key == self._shown_key
            place = self.facts.verticalScrollBar().value() if keep else 0
            self.facts.setWidget(found)
            self.facts.verticalScrollBar().setValue(place)
        self._shown_key = key

    def _failed(self, error: TowerError) -> None:
        self._shown_key = None
        title = tr("It could not be read")
        self.facts.setWidget(EmptyState("failed", title, plain_words(error), tr("Try again"), self.refresh))

    def rest(self) -> None:
        """Nothing is in front."""
        self._stop()
        sentence = tr("Choose one at the left to see what it stands on and what to do about it.")
        self.facts.setWidget(EmptyState("no_data", tr("Details open here"), sentence))

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def open_source(self, target: Target) -> None:
        """Show where something was said or written."""
        self.beside.setCurrentIndex(1)
        self._escape.setEnabled(True)
        self.source.open_target(target)
        self.source.area.setFocus()

    def close_source(self) -> None:
        """Return to the one in front."""
        self.beside.setCurrentIndex(0)
        self._escape.setEnabled(False)

    def activate_front(self) -> None:
        """Enter: go on in the detail."""
        self.facts.setFocus()
        self.facts.focusNextChild()

    # -- doing

    def _choice(self) -> None:
        chosen = self.listing.chosen
        many = len(chosen) > 1
        self.count.setText(trn("{n} chosen", "{n} chosen", len(chosen)) if many else "")
        self.count.setVisible(many)
        for deed in self.deeds:
            self.buttons[deed.id].setEnabled(any(deed.fits(each) for each in chosen))

    def do(self, deed_id: str) -> None:
        """Do it with the chosen rows it fits."""
        deed = next((one for one in self.deeds if one.id == deed_id), None)
        if deed is not None and (fitting := [each for each in self.listing.chosen if deed.fits(each)]):
            deed.run(fitting)

    def step(self, by: int) -> None:
        """Bring the next or the one before to the front."""
        rows = self.listing.model.rows
        if rows:
            place = self.listing.view.currentIndex().row() + by
            self.listing.view.selectRow(max(0, min(place, len(rows) - 1)))
            self.listing.view.setFocus()

    def change(self, work: Coroutine[Any, Any, object], said: str, back: Back) -> None:
        """Change a fact of the one in front; it can be taken back."""
        start(self, work, lambda _: undoable(self.page, said, back))

    def told(self, error: TowerError | None) -> None:
        """Read again; say what did not work."""
        self.refresh()
        if error is not None:
            show_error(self, error)
