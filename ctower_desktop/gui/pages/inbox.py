"""Inbox: what clients write, who waits for an answer, who they are, and the answer as a draft."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.detail import DetailPane
from ctower_desktop.gui.export import export_button
from ctower_desktop.gui.inbox_card import ContactCard
from ctower_desktop.gui.inbox_list import InboxList
from ctower_desktop.gui.inbox_thread import ThreadPane
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import LinkButton
from ctower_desktop.inbox.model import Thread

_LIST, _THREAD, _CARD = 340, 520, 270  # pixels at first; the splitter changes them
_ROOM = 980  # pixels from which on the card stands beside the conversation by itself


class InboxPage(Page):
    """The list at the left, the conversation in the middle, who it is with at the right."""

    id = "inbox"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self._read = False
        self._wanted = True  # whether the card is to be seen where there is room
        self.list, self.thread_, self.card = InboxList(self), ThreadPane(self), ContactCard(self)
        self.source = DetailPane(self.call)
        self.beside = QStackedWidget()
        self._build()
        self.list.opened.connect(self.thread_.open)
        self.list.rested.connect(self.thread_.rest)
        self.list.listing.activated.connect(self.thread_.area.setFocus)
        self.thread_.shown.connect(self._opened)
        self.thread_.rested.connect(self.card.clear)
        self.thread_.card.clicked.connect(self._want_card)
        self.card.asked.connect(self._open_record)
        self.card.wanted.connect(self._open_other)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Inbox")

    def _build(self) -> None:
        back = LinkButton(tr("Back to who this is"), "back")
        back.clicked.connect(self.close_record)
        held = QWidget()
        inner = QVBoxLayout(held)
        inner.setContentsMargins(12, 4, 0, 0)
        inner.addWidget(back)
        inner.addWidget(self.source, 1)
        self.beside.addWidget(self.card)
        self.beside.addWidget(held)
        right = QFrame()
        right.setProperty("panel", True)
        whole = QVBoxLayout(right)
        whole.setContentsMargins(1, 0, 0, 0)
        whole.addWidget(self.beside)
        self._right = right
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), right, self.close_record)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        split = QSplitter()
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        for part in (self.list, self.thread_, right):
            split.addWidget(part)
        split.setSizes([_LIST, _THREAD, _CARD])
        split.setStretchFactor(1, 1)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(split)

    def activate(self) -> None:
        """Read what is new; the list is where work begins."""
        if self._read:
            self.list.listing.refresh()
        else:
            self._read = True
            self.list.listing.start_over()
        self.list.listing.view.setFocus()

    def project_changed(self) -> None:
        """Another project: its conversations."""
        self.close_record()
        self._read = self.isVisible()
        if self._read:
            self.list.start_over()
        else:
            self.thread_.rest()

    def commands(self) -> list[Command]:
        """What one can do here; bare letters work while the page is in front."""
        also = "inbox conversation беседа входящие"
        return [
            Command("inbox.next", tr("Inbox: the next one"), partial(self.list.step, 1), "J", within=self),
            Command(
                "inbox.before", tr("Inbox: the one before"), partial(self.list.step, -1), "K", within=self
            ),
            Command("inbox.answer", tr("Answer the conversation in front"), self._answer, "R", also, self),
            Command(
                "inbox.approve", tr("Approve the answer in front"), self._press("approve"), "A", also, self
            ),
            Command("inbox.send", tr("Send the answer in front now"), self._press("send"), "S", also, self),
            Command("inbox.card", tr("Show or hide who this is"), self._toggle_card, "I", also, self),
            Command(
                "inbox.waiting", tr("Conversations without an answer"), self._waiting, "U", also, within=self
            ),
            Command("inbox.search", tr("Search conversations"), self._search, "/", also, within=self),
        ]

    def actions_bar(self) -> list[QWidget]:
        """The buttons at the top."""
        return [export_button(self, self.id, self.list.sheet)]

    # -- what is in front

    def _opened(self, thread: Thread) -> None:
        if self.source.target is not None and self._front != thread.conversation.id:
            self.close_record()
        self._front = thread.conversation.id
        self.card.show_thread(thread)

    _front = ""

    def _open_record(self, kind: str, of: str) -> None:
        self.source.clear()
        self.source.open_record("issue" if kind == "issue" else "deal", of)
        self.beside.setCurrentIndex(1)
        self.source.area.setFocus()

    def close_record(self) -> None:
        """Return to who it is."""
        self.source.clear()
        self.beside.setCurrentIndex(0)

    def _open_other(self, conversation: str) -> None:
        self.list.listing.choose(conversation)
        self.list.show_all()

    # -- doing

    def _answer(self) -> None:
        self._come()
        self.thread_.reply.begin()

    def _press(self, name: str) -> partial[None]:
        return partial(self._do, name)

    def _do(self, name: str) -> None:
        self._come()
        if self.thread_.reply.pending.isVisibleTo(self):
            self.thread_.reply.message.do(name)

    def _waiting(self) -> None:
        self._come()
        self.list.which.choose("waiting")

    def _search(self) -> None:
        self._come()
        self.list.search.setFocus()
        self.list.search.selectAll()

    def _come(self) -> None:
        if not self.isVisible():
            self.context.open_page(self.id)

    def _toggle_card(self) -> None:
        self.thread_.card.click()

    def _want_card(self) -> None:
        self._wanted = self.thread_.card.isChecked()
        self._right.setVisible(self._wanted)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is too little room the card waits until it is asked for."""
        super().resizeEvent(event)
        was, is_ = event.oldSize().width() >= _ROOM, event.size().width() >= _ROOM
        if was != is_ or event.oldSize().width() < 0:
            shown = is_ and self._wanted
            self._right.setVisible(shown)
            self.thread_.card.setChecked(shown)
