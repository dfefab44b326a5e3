"""A conversation as the right pane shows it: who writes with whom, and the messages around the cited one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import QUrl, Signal
from PySide6.QtWidgets import QWidget

from ctower_desktop.gui.bubbles import Bubble, Side
from ctower_desktop.gui.leaving import leave_for
from ctower_desktop.gui.links import is_web
from ctower_desktop.gui.records import RecordView
from ctower_desktop.gui.text import size, tr, trn, when
from ctower_desktop.gui.widgets import Label, LinkButton
from ctower_desktop.inbox.model import Attachment, Thread, ThreadMessage

FIRST = 30  # messages around the cited one; more are a click away
MOST = 500
_NAME, _END = 44, 12  # characters of a file's name, and of its end when it is longer

_STATUSES = {
    "open": lambda: tr("open conversation"),
    "pending": lambda: tr("pending"),
    "snoozed": lambda: tr("snoozed"),
    "resolved": lambda: tr("resolved"),
}
_EVENT = "2"
_INCOMING = "0"


class ConversationView(RecordView):
    """The messages in the order they were written; asks for more when there are more."""

    more = Signal()

    def __init__(self, thread: Thread, cited: str, now: datetime) -> None:
        found = thread.conversation
        who = found.contact_name or (thread.contact.name if thread.contact else None)
        status = _STATUSES.get(found.status)
        parts = (
            tr("Chatwoot No. {number}", number=found.conversation_id),
            who,
            status() if status else found.status,
            found.assignee_name,
        )
        super().__init__(" · ".join(part for part in parts if part), found.subject or found.inbox_name or "")
        whole = len(thread.messages) >= MOST
        self._more(
            trn("{n} earlier message", "{n} earlier messages", thread.earlier), thread.earlier, whole=whole
        )
        self.bubbles([bubble(self, message, now, cited=message.id == cited) for message in thread.messages])
        self._more(trn("{n} later message", "{n} later messages", thread.later), thread.later, whole=whole)

    def _more(self, text: str, count: int, *, whole: bool) -> None:
        if not count:
            return
        if whole:
            self.column.addWidget(Label(text, "meta", "text_3"))
            return
        button = LinkButton(text)
        button.clicked.connect(self.more)
        self.column.addWidget(button)


def bubble(owner: QWidget, message: ThreadMessage, now: datetime, *, cited: bool) -> Bubble:
    """A message at the side of who wrote it; a file opens after `owner` has shown where it is."""
    return Bubble(
        message.content,
        " · ".join(part for part in (message.sender_name, when(message.created_at, now)) if part),
        side_of(message),
        private=message.private,
        cited=cited,
        files=[(file_words(each), _opener(owner, each)) for each in message.attachments],
    )


def side_of(message: ThreadMessage) -> Side:
    """The client writes at the left, the team at the right; events stand between."""
    if message.message_type == _EVENT:
        return "middle"
    if (message.sender_type or "").lower() == "contact":
        return "left"
    return "left" if message.message_type == _INCOMING else "right"


def _opener(owner: QWidget, attachment: Attachment) -> Callable[[], object] | None:
    """Opens the file where the vendor keeps it, if that is a web page."""
    url = attachment.file_url
    return partial(leave_for, owner, url) if url is not None and is_web(url) else None


def file_words(attachment: Attachment) -> str:
    """What a file is called, else what it is, and its size."""
    path = QUrl(attachment.file_url or "", QUrl.ParsingMode.StrictMode).path()
    name = "".join(sign for sign in path.rpartition("/")[2] if sign.isprintable()).strip()
    if len(name) > _NAME:
        name = f"{name[: _NAME - _END]}…{name[-_END:]}"
    shown = name or attachment.content_type or tr("file")
    return f"{shown} · {size(attachment.file_size)}" if attachment.file_size else shown
