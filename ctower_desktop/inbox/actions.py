"""/contacts, /conversations, /messages."""

from __future__ import annotations

import msgspec

from ctower_desktop.inbox import store
from ctower_desktop.inbox.model import (
    Contacts,
    ConversationNotFound,
    Conversations,
    ListContacts,
    ListConversations,
    ListMessages,
    Messages,
    MyNameUnknown,
    ReadThread,
    Thread,
)
from ctower_desktop.inbox.settings import InboxSettings
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.tower import Scoped


@TOWER.get("/contacts")
async def list_contacts(call: Scoped, query: ListContacts) -> Contacts:
    """Contacts of the project, the last changed first."""
    return Contacts(await call.tower.db.read(store.contacts, call.project_id, query))


@TOWER.get("/conversations", raises=(MyNameUnknown,))
async def list_conversations(call: Scoped, query: ListConversations) -> Conversations:
    """Conversations of the project, the last changed first."""
    if query.mine:
        name = call.tower.settings.get(InboxSettings).my_name
        if not name:
            raise MyNameUnknown
        query = msgspec.structs.replace(query, assignee=name)
    return Conversations(await call.tower.db.read(store.conversations, call.project_id, query))


@TOWER.get("/conversations/{conversation_id}", raises=(ConversationNotFound,))
async def read_conversation(call: Scoped, conversation_id: str, query: ReadThread) -> Thread:
    """A conversation as it was written, around one message or at its end.

    Private notes are included and flagged.
    """
    return await call.tower.db.read(store.thread, call.project_id, conversation_id, query)


@TOWER.get("/messages")
async def list_messages(call: Scoped, query: ListMessages) -> Messages:
    """Messages of the project or of one conversation, newest first.

    Private notes are included and flagged.
    """
    return Messages(await call.tower.db.read(store.messages, call.project_id, query))
