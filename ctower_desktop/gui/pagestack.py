"""The pages of a window on top of each other, and travelling between them and the records on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from ctower_desktop.gui.detail import Kind
from ctower_desktop.gui.memory import WindowMemory
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.peek import Peek
from ctower_desktop.gui.travel import Place, Travels
from ctower_desktop.kernel.tower import Desktop

_HOMES = {"conversation": "inbox", "deal": "crm"}  # the page that shows a kind of record best

_IDLE = 30  # milliseconds between two pages that are built in advance


class PageStack(QStackedWidget):
    """One page in front, perhaps with a record over it. `travels` outlives a stack that is built anew."""

    shown = Signal(str)  # another page is in front
    moved = Signal()  # somewhere else than before
    made = Signal(str)  # a page was built

    def __init__(
        self,
        call: Callable[[], Desktop],
        memory: WindowMemory,
        travels: Travels,
        monotonic: Callable[[], float],
    ) -> None:
        super().__init__()
        self._memory, self._travels, self._monotonic = memory, travels, monotonic
        self.pages: dict[str, Page] = {}  # those that are built
        self._ways: dict[str, Callable[[], Page]] = {}
        self.name = ""
        self._idle = QTimer(self)
        self._idle.setInterval(_IDLE)
        self._idle.timeout.connect(self._build_one)
        self._idle.start()
        self.peek = Peek(self, call)
        self.peek.closed.connect(self._closed)

    def add(self, name: str, build: Callable[[], Page]) -> None:
        """One more page; it is built when it is opened, or when there is nothing else to do."""
        self._ways[name] = build

    def page_of(self, name: str) -> Page:
        """A page, built when it was not yet."""
        page = self.pages.get(name)
        if page is None:
            page = self.pages[name] = self._ways[name]()
            self.addWidget(page)
            self._memory.restore_splitters(name, page)
            self.peek.raise_()
            self.made.emit(name)
        return page

    @property
    def names(self) -> list[str]:
        """Every page there is."""
        return list(self._ways)

    def _build_one(self) -> None:
        """One a turn of the loop, so that keys and pictures come between."""
        waiting = next((name for name in self._ways if name not in self.pages), None)
        if waiting is None:
            self._idle.stop()
        else:
            self.page_of(waiting)

    @property
    def page(self) -> Page:
        """The page in front."""
        return self.pages[self.name]

    @property
    def place(self) -> Place:
        """Where one is."""
        return self._travels.place or Place(self.name)

    def show_page(self, name: str) -> None:
        """Bring a page to the front without having travelled there."""
        self.peek.put_away()
        self.remember()
        page = self.page_of(name)
        self.name = name
        self.setCurrentWidget(page)
        self.shown.emit(name)
        page.activate()

    def open_page(self, name: str) -> None:
        """Go to a page."""
        self.show_page(name)
        self._arrive(Place(name))

    def go(self, place: Place) -> None:
        """Be at a place: a page, or a record on the page that shows it best."""
        self._show(place)
        if place.kind:
            place = Place(self.name, place.kind, place.record)
        self._arrive(place)

    def knows(self, place: Place) -> bool:
        """Whether there is such a place; what a record's id leads to is seen when it is opened."""
        return bool(place.kind) or place.page in self._ways

    def go_back(self) -> None:
        """Return to where one was."""
        self._return(-1)

    def go_forward(self) -> None:
        """Undo going back."""
        self._return(1)

    def visited(self, kind: str, record: str) -> None:
        """A page opened a record by itself."""
        self._arrive(Place(self.name, kind, record))

    def another_project(self) -> None:
        """Records of the project before are no places any more."""
        self.peek.put_away()
        self._travels.forget_records()
        self.moved.emit()

    def remember(self) -> None:
        """Keep how the page in front shares its room."""
        if self.name in self.pages:
            self._memory.keep_splitters(self.name, self.page)

    def _show(self, place: Place) -> None:
        if not place.kind:
            self.show_page(place.page)
            return
        home = place.page or _HOMES.get(place.kind, self.name)
        if home in self._ways and self.page_of(home).open_record(place.kind, place.record):
            self.peek.put_away()
            if self.name != home:
                self.show_page(home)
            return
        if place.page and place.page != self.name:
            self.show_page(place.page)
        self.peek.show_record(cast(Kind, place.kind), place.record)

    def _return(self, step: int) -> None:
        place = self._travels.go(step)
        if place is not None:
            self._show(place)
            self.moved.emit()

    def _arrive(self, place: Place) -> None:
        self._travels.visit(place, self._monotonic())
        self.moved.emit()

    def _closed(self) -> None:
        if self.place.kind:
            self._arrive(Place(self.name))


class MouseButtons(QObject):
    """The mouse's buttons for back and forward, wherever in the window it is."""

    def __init__(self, window: QWidget, back: Callable[[], object], forward: Callable[[], object]) -> None:
        super().__init__(window)
        self._runs = {Qt.MouseButton.BackButton: back, Qt.MouseButton.ForwardButton: forward}

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Heard before any widget under the mouse."""
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            run = self._runs.get(event.button())
            if run is not None:
                run()
                return True
        return super().eventFilter(watched, event)
