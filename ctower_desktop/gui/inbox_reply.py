"""Answering a client: a draft first, then the approval, then the sending, each its own step."""

from __future__ import annotations

import asyncio
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.outbound_deeds import Deeds
from ctower_desktop.gui.outbound_editor import Area
from ctower_desktop.gui.outbound_message import MessageInFull, MessageView, read_in_full
from ctower_desktop.gui.outbound_words import error_words
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, trn
from ctower_desktop.gui.widgets import Label, LinkButton, PrimaryButton, row
from ctower_desktop.inbox.model import Conversation, Thread
from ctower_desktop.inbox.outbound.actions import draft_outbound, list_outbound
from ctower_desktop.inbox.outbound.model import ListOutbound, NewOutbound, Outbound
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.system import new_id

_TABLES = {"outbound_message", "outbound_attempt", "channel_policy"}
_LOOKED_AT = 200  # newest outbound messages in which answers to a conversation are looked for
_TEXT, _PENDING = 72, 300  # pixels
_WAITING = ("draft", "approved", "sending", "failed", "uncertain", "blocked_opt_out")


class ReplyBox(QFrame):
    """What is written in answer to one conversation; what was begun is there again when one returns."""

    drafted = Signal(object)

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.thread_: Thread | None = None
        self._begun: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._task: asyncio.Task[Any] | None = None
        self._front = ""
        self.deeds = Deeds(page, self.refresh)
        self.message = MessageView(page, self.deeds, brief=True)
        self.pending = QScrollArea()
        self.pending.setWidgetResizable(True)
        self.pending.setFrameShape(QFrame.Shape.NoFrame)
        self.pending.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.pending.setAccessibleName(tr("Your answer on its way"))
        self.pending.setWidget(self.message)
        self.pending.setMaximumHeight(_PENDING)
        self.more = LinkButton("")
        self.more.clicked.connect(lambda: page.context.open_page("outbound"))
        self.another = LinkButton(tr("Write another answer"))
        self.another.clicked.connect(self.begin)
        self.text = Area(tr("Reply"), _TEXT)
        self.text.setMaximumHeight(_TEXT * 2)
        self.text.setPlaceholderText(tr("Write an answer…"))
        self.text.kept.connect(self.make_draft)
        self.text.left.connect(self._leave)
        self.draft = PrimaryButton(tr("Make a draft"), "Ctrl+Enter")
        self.draft.clicked.connect(self.make_draft)
        self.problem = Label("", "meta", "danger", wrap=True)
        self.hint = Label(tr("Nothing is sent before you approve it."), "meta", "text_3", wrap=True)
        self.writing = QWidget()
        inner = QVBoxLayout(self.writing)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(6)
        inner.addWidget(self.text)
        inner.addWidget(self.problem)
        line = row(spacing=8)
        line.addWidget(self.hint, 1)
        line.addWidget(self.draft)
        inner.addLayout(line)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 8, 20, 12)
        column.setSpacing(6)
        column.addWidget(self.pending)
        column.addLayout(row(self.another, self.more, 0))
        column.addWidget(self.writing)
        self.problem.hide()
        follow(self, page.tower, _TABLES, self.refresh)
        self.clear()

    # -- one conversation at a time

    def clear(self) -> None:
        """No conversation is in front."""
        self._keep_begun()
        self.thread_ = None
        self.hide()

    def show_thread(self, thread: Thread) -> None:
        """Answer this conversation."""
        other = self.thread_ is None or self.thread_.conversation.id != thread.conversation.id
        if other:
            self._keep_begun()
        self.thread_ = thread
        if other:
            self._front = ""
            self.text.setPlainText(self._begun.get(thread.conversation.id, ""))
            self.problem.hide()
            self._show_pending([], None)
        self.show()
        self.refresh()

    def _keep_begun(self) -> None:
        if self.thread_ is not None:
            self._begun[self.thread_.conversation.id] = self.text.toPlainText()

    def refresh(self) -> None:
        """Read the answers that are not there yet again."""
        if self._task is not None:
            self._task.cancel()
        if self.thread_ is not None:
            conversation = self.thread_.conversation
            self._task = start(self, self._read(conversation), lambda found: self._show_pending(*found))

    async def _read(self, conversation: Conversation) -> tuple[list[Outbound], MessageInFull | None]:
        found = (await list_outbound(self.page.call(), ListOutbound(limit=_LOOKED_AT))).outbound
        answers = [one for one in found if _answers(one, conversation) and _matters(one, conversation)]
        front = next((one for one in answers if one.id == self._front), next(iter(answers), None))
        return answers, await read_in_full(self.page.call(), front.id) if front is not None else None

    def _show_pending(self, answers: list[Outbound], front: MessageInFull | None) -> None:
        self.pending.setVisible(front is not None)
        if front is not None:
            self._front = front.message.id
            self.message.show_message(front)
        rest = max(0, len(answers) - 1)
        self.more.setText(trn("{n} more in outbound", "{n} more in outbound", rest))
        self.more.setAccessibleName(self.more.text())
        self.more.setVisible(rest > 0)
        typed = bool(self.text.toPlainText().strip()) or self.text.hasFocus()
        self.writing.setVisible(front is None or typed)
        self.another.setVisible(front is not None and not typed)

    # -- writing

    def begin(self) -> None:
        """Write."""
        if self.thread_ is not None:
            self.writing.show()
            self.another.hide()
            self.text.setFocus()

    def _leave(self) -> None:
        self._keep_begun()
        self.page.activate()

    def make_draft(self) -> None:
        """Make a draft of what was written; pressing twice makes one."""
        text = self.text.toPlainText().strip()
        if self.thread_ is None or not text or not self.draft.isEnabled():
            return
        thread = self.thread_
        self.draft.setEnabled(False)
        self.problem.hide()
        start(
            self,
            self._draft(thread, text),
            lambda found: self._drafted(thread.conversation.id, found),
            self._refused,
        )

    async def _draft(self, thread: Thread, text: str) -> Outbound:
        conversation = thread.conversation
        heard = [one.id for one in thread.messages if one.message_type == "0"][-1:]
        body = NewOutbound(
            channel="chatwoot",
            recipient_ref=conversation.id,
            idempotency_key=self._keys.setdefault(conversation.id, new_id()),
            payload={"text": text, "conversation_id": conversation.id},
            evidence_refs=list(heard),
        )
        return (await draft_outbound(self.page.call(), body)).outbound

    def _drafted(self, conversation: str, message: Outbound) -> None:
        self.draft.setEnabled(True)
        self._keys.pop(conversation, None)
        self._begun.pop(conversation, None)
        if self.thread_ is None or self.thread_.conversation.id != conversation:
            return
        self._front = message.id
        self.text.clear()
        self.writing.hide()
        self.message.buttons["approve"].setFocus()
        self.page.context.toast(tr("A draft was made; it waits for approval."))
        self.refresh()
        self.drafted.emit(message)

    def _refused(self, error: TowerError) -> None:
        self.draft.setEnabled(True)
        self.problem.setText(error_words(error))
        self.problem.show()


def _answers(message: Outbound, conversation: Conversation) -> bool:
    """Whether a message goes into this conversation."""
    if message.channel != "chatwoot":
        return False
    named = message.payload.get("conversation_id")
    if named is not None:
        return str(named) in (conversation.id, conversation.conversation_id)
    return message.recipient_ref == conversation.id


def _matters(message: Outbound, conversation: Conversation) -> bool:
    """Whether it is not to be read in the conversation yet."""
    if message.status == "sent":
        return (message.sent_at or "") > (conversation.last_said_at or "")
    return message.status in _WAITING
