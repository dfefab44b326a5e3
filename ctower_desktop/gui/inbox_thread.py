"""The conversation in front: who said what, and below it the answer."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout

from ctower_desktop.connectors.settings import ChatwootSettings
from ctower_desktop.gui.feedback import EmptyState, plain_words
from ctower_desktop.gui.inbox_reply import ReplyBox
from ctower_desktop.gui.links import conversation_url, is_web, open_link
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.thread import FIRST, MOST, ConversationView
from ctower_desktop.gui.widgets import Button, IconButton, PrimaryButton, row
from ctower_desktop.inbox.actions import read_conversation
from ctower_desktop.inbox.model import Conversation, ReadThread, Thread
from ctower_desktop.kernel.errors import NotFound, TowerError

_NEAR = 40  # pixels from the end within which new words stay in sight


class ThreadPane(QFrame):
    """One conversation at a time; `shown` tells that it was read."""

    shown = Signal(object)  # Thread
    rested = Signal()

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.setProperty("panel", True)
        self.setMinimumWidth(380)
        self.thread_: Thread | None = None
        self.view: ConversationView | None = None
        self._id, self._limit = "", FIRST
        self._task: asyncio.Task[Any] | None = None
        self._to_end = False
        self.vendor = Button(tr("Open in Chatwoot"), icon="link")
        self.vendor.clicked.connect(self._open_vendor)
        self.answer = PrimaryButton(tr("Reply"), "R")
        self.card = IconButton("portfolio", tr("Show who this is"), checkable=True)
        self.card.setChecked(True)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(tr("Conversation"))
        self.area.verticalScrollBar().rangeChanged.connect(lambda *_: self._follow_end())
        self.reply = ReplyBox(page)
        self.answer.clicked.connect(self.reply.begin)
        head = row(self.answer, self.vendor, 0, self.card)
        head.setContentsMargins(20, 8, 12, 0)
        rule = QFrame()
        rule.setProperty("rule", True)
        rule.setFixedHeight(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.area, 1)
        column.addWidget(rule)
        column.addWidget(self.reply)
        self.rest()

    def rest(self) -> None:
        """No conversation is in front."""
        self._stop()
        self._id, self.thread_, self.view = "", None, None
        self.reply.clear()
        self._tools(on=False)
        sentence = tr("Choose a conversation to read what was said and to answer.")
        self.area.setWidget(EmptyState("no_data", tr("The conversation opens here"), sentence))
        self.rested.emit()

    def open(self, conversation: Conversation) -> None:
        """Show a conversation, or the same as it is now."""
        if conversation.id != self._id:
            self._id, self._limit, self.thread_ = conversation.id, FIRST, None
        self._read()

    def reload(self) -> None:
        """Read it again."""
        if self._id:
            self._read()

    def _read(self) -> None:
        self._stop()
        self._task = start(self, self._thread(self._id, self._limit), self._show, self._failed)

    async def _thread(self, conversation_id: str, limit: int) -> Thread:
        return await read_conversation(self.page.call(), conversation_id, ReadThread(limit=limit))

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _failed(self, error: TowerError) -> None:
        self.thread_, self.view = None, None
        self.reply.clear()
        self._tools(on=False)
        gone = isinstance(error, NotFound)
        title = tr("It is no longer there") if gone else tr("It could not be read")
        words = tr("The vendor has removed it since it was found.") if gone else plain_words(error)
        self.area.setWidget(EmptyState("failed", title, words, tr("Try again"), self.reload))

    def _show(self, thread: Thread) -> None:
        same = thread == self.thread_
        other = self.thread_ is None or self.thread_.conversation.id != thread.conversation.id
        if not same:
            self._show_words(thread, other=other)
        self._tools(on=True)
        self.reply.show_thread(thread)
        self.shown.emit(thread)

    def _show_words(self, thread: Thread, *, other: bool) -> None:
        bar = self.area.verticalScrollBar()
        from_end = bar.maximum() - bar.value()
        grown = self.thread_ is not None and len(thread.messages) > len(self.thread_.messages)
        earlier = grown and self.thread_ is not None and thread.earlier < self.thread_.earlier
        self.thread_ = thread
        view = ConversationView(thread, "", self.page.tower.clock.now())
        view.column.addStretch(1)
        view.more.connect(self._more)
        view.url = conversation_url(self.page.tower.settings.get(ChatwootSettings), thread.conversation)
        self.view = view
        self.area.setWidget(view)
        self._to_end = other or (from_end < _NEAR and not earlier)
        if self._to_end:
            self._follow_end()
            QTimer.singleShot(300, self, self._arrived)
        else:
            QTimer.singleShot(0, self, partial(self._keep_place, from_end))

    def _keep_place(self, from_end: int) -> None:
        bar = self.area.verticalScrollBar()
        bar.setValue(bar.maximum() - from_end)

    def _follow_end(self) -> None:
        """The newest words stay in sight until the layout has come to rest."""
        if self._to_end:
            bar = self.area.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _arrived(self) -> None:
        self._to_end = False

    def _more(self) -> None:
        self._limit = min(MOST, self._limit * 4)
        self._read()

    def _tools(self, *, on: bool) -> None:
        self.answer.setVisible(on)
        self.card.setVisible(on)
        self.vendor.setVisible(on and self.view is not None and is_web(self.view.url))

    def _open_vendor(self) -> None:
        if self.view is not None and self.view.url is not None:
            open_link(self.view.url)
