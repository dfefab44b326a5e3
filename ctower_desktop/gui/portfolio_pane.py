"""The pane beside the portfolio: what a figure rests on; a line opens its record, with a way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui.detail import DetailPane, Target
from ctower_desktop.gui.feedback import EmptyState, plain_words
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.portfolio_drill import Drill, Figure, Group, Line, drill
from ctower_desktop.gui.records import LinkLine
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, trn
from ctower_desktop.gui.widgets import IconButton, Label, clear, row
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Desktop, ProjectRef

Read = Callable[[], Coroutine[Any, Any, Drill]]


class DrillPane(QFrame):
    """One figure or card at a time; `closed` tells that nobody looks at it any more."""

    closed = Signal()

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._project: ProjectRef | None = None
        self._history: list[Read] = []
        self._read: Read | None = None
        self._task: asyncio.Task[Any] | None = None
        self.shown: Drill | None = None
        self.links: list[LinkLine] = []
        self.setProperty("panel", True)
        self.setMinimumWidth(360)
        self.back = IconButton("back", tr("Back to what was open before"))
        self.back.clicked.connect(self.go_back)
        self.close_ = IconButton("close", tr("Close"))
        self.close_.clicked.connect(self.leave)
        self.heading, self.words = Label("", "section", wrap=True), Label("", "meta", "text_2", wrap=True)
        for label in (self.heading, self.words):
            label.setMinimumWidth(1)
        self.lines = QVBoxLayout()
        self.lines.setSpacing(2)
        self.area = QScrollArea()
        self.source = DetailPane(self._call)
        self.stack = QStackedWidget()
        self._build()

    def _build(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(20, 4, 20, 16)
        column.setSpacing(6)
        column.addWidget(self.heading)
        column.addWidget(self.words)
        column.addLayout(self.lines)
        column.addStretch(1)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(tr("What the figure rests on"))
        self.area.setWidget(inside)
        self.stack.addWidget(self.area)
        self.stack.addWidget(self.source)
        head = row(self.back, 0, self.close_)
        head.setContentsMargins(12, 8, 12, 0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addWidget(self.stack, 1)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.escape)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def _call(self) -> Desktop:
        call = self._page.call()
        return replace(call, project=self._project) if self._project is not None else call

    # -- opening

    def show_figure(self, figure: Figure, projects: list[ProjectRef], **span: Any) -> None:
        """What a figure of these projects rests on."""
        self._history.clear()
        self._open(lambda: drill(self._page.call(), figure, projects, **span))

    def show_read(self, read: Read) -> None:
        """A card in full."""
        self._history.clear()
        self._open(read)

    def show_target(self, project: ProjectRef, target: Target) -> None:
        """A record at once."""
        self._history.clear()
        self._read = self.shown = None
        self._to_source(project, target)

    def refresh(self) -> None:
        """Read again what is open."""
        if self._read is not None and self.isVisible():
            self._start(self._read)

    def _open(self, read: Read) -> None:
        self._read = read
        self.stack.setCurrentWidget(self.area)
        self._buttons()
        self.show()
        self._start(read)

    def _start(self, read: Read) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = start(self, read(), partial(self._arrived, read), self._failed)

    def _arrived(self, read: Read, found: Drill) -> None:
        if read is self._read:  # nothing else was chosen while it was on its way
            self._show(found)

    def _show(self, found: Drill) -> None:
        if found == self.shown and self.lines.count():
            return
        self.shown = found
        self.heading.setText(found.title)
        self.words.setText(found.meaning)
        clear(self.lines)
        self.links = []
        for group in found.groups:
            if len(found.groups) > 1:
                count = trn("{n} entry", "{n} entries", len(group.lines))
                self.lines.addSpacing(8)
                self.lines.addWidget(
                    Label(tr("{project} · {count}", project=group.project.name, count=count), "label")
                )
            for line in group.lines:
                self.lines.addWidget(self._made(group, line))
        if not found.groups:
            self.lines.addWidget(Label(tr("Nothing was counted here."), "meta", "text_2", wrap=True))
        self.area.verticalScrollBar().setValue(0)

    def _made(self, group: Group, line: Line) -> QWidget:
        words = " · ".join(part for part in (" ".join(line.words.split()), line.note) if part)
        if line.target is None and line.figure is None and not line.page:
            label = Label(words, "meta", "text_2", wrap=True)
            label.setMinimumWidth(1)
            return label
        link = LinkLine(words)
        link.clicked.connect(partial(self._follow, group.project, line))
        self.links.append(link)
        return link

    def _follow(self, project: ProjectRef, line: Line, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's
        if line.page:
            self._page.context.open_page(line.page)
        elif line.figure is not None:
            if self._read is not None:
                self._history.append(self._read)
            figure = line.figure
            self._open(lambda: drill(self._page.call(), figure, [project]))
        elif line.target is not None:
            self._to_source(project, line.target)

    def _to_source(self, project: ProjectRef, target: Target) -> None:
        self._project = project
        self.stack.setCurrentWidget(self.source)
        self._buttons()
        self.show()
        self.source.open_target(target)
        self.source.area.setFocus()

    def _failed(self, error: TowerError) -> None:
        self.shown = None
        self.heading.setText(tr("It could not be read"))
        self.words.setText("")
        clear(self.lines)
        state = EmptyState(
            "failed", tr("It could not be read"), plain_words(error), tr("Try again"), self.refresh
        )
        self.lines.addWidget(state)

    # -- the way back

    def _buttons(self) -> None:
        in_source = self.stack.currentWidget() is self.source and self._read is not None
        self.back.setVisible(in_source or bool(self._history))

    def go_back(self) -> None:
        """From a record to its figure, from a figure to the one before."""
        if self.stack.currentWidget() is self.source and self._read is not None:
            self.stack.setCurrentWidget(self.area)
            self._buttons()
        elif self._history:
            self._open(self._history.pop())

    def escape(self) -> None:
        """One step back, or away."""
        if self.back.isVisible():
            self.go_back()
        else:
            self.leave()

    def leave(self) -> None:
        """Look at the portfolio alone."""
        self.forget()
        self.closed.emit()

    def forget(self) -> None:
        """Nothing is open."""
        if self._task is not None:
            self._task.cancel()
        self._history.clear()
        self._read = self.shown = None
        self.hide()
