"""Conversations in words: how they stand, who spoke last, how long somebody has waited."""

from __future__ import annotations

from datetime import datetime, timedelta

from ctower_desktop.gui.inbox_rows import Talk
from ctower_desktop.gui.text import ago, tr
from ctower_desktop.inbox.model import Conversation
from ctower_desktop.kernel.system import from_text

_LONG = timedelta(hours=24)  # from here on waiting is shown in the colour of a warning


def status_words(status: str) -> str:
    """What a state of a conversation is called."""
    known = {
        "open": tr("open conversation"),
        "pending": tr("pending"),
        "snoozed": tr("snoozed"),
        "resolved": tr("resolved"),
    }
    return known.get(status, status)


def one_line(text: str | None) -> str:
    """Somebody's words in one line, without signs that would turn the reading direction."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text or "")
    return " ".join(plain.split())


def who_words(conversation: Conversation) -> str:
    """Who it is with."""
    return one_line(conversation.contact_name) or tr("Somebody without a name")


def about_words(conversation: Conversation) -> str:
    """What it is about, and how it stands."""
    subject = one_line(conversation.subject) or one_line(conversation.inbox_name)
    number = tr("No. {number}", number=conversation.conversation_id)
    parts = (subject or number, status_words(conversation.status), one_line(conversation.assignee_name))
    return " · ".join(part for part in parts if part)


def last_words(conversation: Conversation) -> str:
    """How the last message begins."""
    if conversation.last_said_by is None:
        return tr("Nothing was said yet")
    words = one_line(conversation.last_said) or tr("a file without words")
    if conversation.last_said_by == "client":
        return words
    name = one_line(conversation.last_said_name) or tr("The team")
    return tr("{name}: {value}", name=name, value=words)


def talk(conversation: Conversation, now: datetime) -> Talk:
    """A conversation as a row."""
    at = conversation.last_said_at or conversation.updated_at or conversation.created_at
    late = now - from_text(at) > _LONG
    return Talk(
        who=who_words(conversation),
        when=ago(at, now),
        about=about_words(conversation),
        words=last_words(conversation),
        waits=tr("no answer yet") if conversation.unanswered else "",
        token="warning" if late else "accent_text",
    )
