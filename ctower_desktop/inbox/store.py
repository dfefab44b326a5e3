"""Contacts, conversations and messages in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apsw
import msgspec

from ctower_desktop.accounts.audit_store import quoted_by
from ctower_desktop.inbox.model import (
    Attachment,
    Contact,
    Conversation,
    ConversationNotFound,
    ListContacts,
    ListConversations,
    ListMessages,
    Message,
    ReadThread,
    Thread,
    ThreadMessage,
)
from ctower_desktop.kernel.mirror import Mirror, searchable
from ctower_desktop.kernel.sql import Command, Query, as_json


class _Placed(msgspec.Struct, frozen=True):
    id: str


class _Said(msgspec.Struct, frozen=True):
    id: str
    sender_type: str | None
    sender_id: str | None
    sender_name: str | None
    private: bool
    message_type: str
    content: str
    created_at: str
    updated_at: str


class Silence(msgspec.Struct, frozen=True):
    """A conversation in which the team spoke last, and when."""

    conversation_global_id: str
    said_at: str


INBOX = Mirror("inbox", "account_id", "inbox_id", "name", "channel_type")
CONTACT = Mirror(
    "contact", "account_id", "contact_id", "name", "email", "phone_number", "identifier", "company_name",
    "custom_attributes", "haystack", "created_at", "updated_at",
)  # fmt: skip
CONVERSATION = Mirror(
    "conversation", "account_id", "conversation_id", "contact_global_id", "inbox_id", "status", "priority",
    "assignee_id", "assignee_name", "subject", "labels", "created_at", "updated_at", "last_activity_at",
)  # fmt: skip
MESSAGE = Mirror(
    "message", "account_id", "message_id", "conversation_id", "conversation_global_id", "contact_global_id",
    "sender_type", "sender_id", "sender_name", "private", "message_type", "content", "created_at",
    "updated_at",
)  # fmt: skip
ATTACHMENT = Mirror(
    "attachment", "message_global_id", "conversation_global_id", "content_type", "file_size", "file_url",
    "thumb_url", buried=False,
)  # fmt: skip

_CONTACT = """c.id, c.account_id, c.contact_id, c.name, c.email, c.phone_number, c.identifier, c.company_name,
           c.updated_at"""
_CONVERSATION = """v.id, v.account_id, v.conversation_id, v.contact_global_id, c.name AS contact_name,
           v.inbox_id,
           i.name AS inbox_name, v.status, v.assignee_id, v.assignee_name, v.subject, v.labels, v.updated_at,
           v.created_at, v.last_activity_at, substr(m.content, 1, 200) AS last_said,
           m.created_at AS last_said_at,
           CASE m.message_type WHEN '0' THEN 'client' WHEN '1' THEN 'team' END AS last_said_by,
           m.sender_name AS last_said_name,
           coalesce(m.message_type = '0' AND v.status <> 'resolved', 0) AS unanswered"""
# The last words of a conversation; what a machine writes answers nobody.
_LAST_SAID = """FROM message AS said
        WHERE said.conversation_global_id = v.id AND said.deleted_at IS NULL AND said.private = 0
          AND (said.message_type = '0' OR said.message_type = '1'
               AND lower(coalesce(said.sender_type, '')) NOT GLOB '*bot'
               AND lower(coalesce(said.sender_type, '')) NOT GLOB '*captain::assistant')
        ORDER BY said.created_at DESC, CAST(said.message_id AS INTEGER) DESC LIMIT 1"""
_JOINED = f"""conversation v
    LEFT JOIN contact c ON c.id = v.contact_global_id
    LEFT JOIN inbox i ON i.id = 'cwinbox:' || v.project_id || ':' || v.account_id || ':' || v.inbox_id
    LEFT JOIN message m ON m.id = (SELECT said.id {_LAST_SAID})"""

_CONTACTS = Query(
    Contact,
    f"""
    SELECT {_CONTACT} FROM contact c
    WHERE c.project_id = :project_id AND c.deleted_at IS NULL AND (:q = '' OR instr(c.haystack, :q) > 0)
    ORDER BY c.updated_at DESC, c.id LIMIT :limit
    """,
)
_ONE_CONTACT = Query(Contact, f"SELECT {_CONTACT} FROM contact c WHERE c.id = :id")
_CONVERSATIONS = Query(
    Conversation,
    f"""
    WITH page AS (
        SELECT v.id FROM conversation v LEFT JOIN contact c ON c.id = v.contact_global_id
        WHERE v.project_id = :project_id AND v.deleted_at IS NULL AND (:status = '' OR v.status = :status)
          AND (:assignee = '' OR v.assignee_name = :assignee)
          AND (:contact = '' OR v.contact_global_id = :contact)
          AND (:q = '' OR instr(c.haystack, :q) > 0 OR instr(lower(v.subject), :q) > 0
               OR instr(v.subject, :capital) > 0 OR instr(v.subject, :upper) > 0 OR v.conversation_id = :q)
          AND (NOT :unanswered OR v.status <> 'resolved' AND (SELECT said.message_type {_LAST_SAID}) = '0')
        ORDER BY coalesce(v.updated_at, v.created_at) DESC, v.id LIMIT :limit OFFSET :offset)
    SELECT {_CONVERSATION} FROM page CROSS JOIN {_JOINED} WHERE v.id = page.id
    ORDER BY coalesce(v.updated_at, v.created_at) DESC, v.id
    """,
)
_ONE_CONVERSATION = Query(
    Conversation,
    f"SELECT {_CONVERSATION} FROM {_JOINED} WHERE v.id = :id AND v.project_id = :project_id",
    missing=ConversationNotFound,
)
_SNIPPET = """m.id, m.conversation_global_id, m.contact_global_id, m.sender_type, m.sender_name, m.private,
           substr(coalesce(m.content, ''), 1, 300) AS content_snippet, m.created_at, m.updated_at"""
_MESSAGES = Query(
    Message,
    f"""
    SELECT {_SNIPPET} FROM message m
    WHERE m.project_id = :project_id AND m.deleted_at IS NULL
    ORDER BY m.created_at DESC, m.id LIMIT :limit
    """,
)
_MESSAGES_OF = Query(
    Message,
    f"""
    SELECT {_SNIPPET} FROM message m
    WHERE m.conversation_global_id = :conversation AND m.deleted_at IS NULL AND +m.project_id = :project_id
    ORDER BY m.created_at DESC, CAST(m.message_id AS INTEGER) DESC LIMIT :limit
    """,
)
_PLACES = Query(
    _Placed,
    """
    SELECT id FROM message WHERE conversation_global_id = :conversation AND deleted_at IS NULL
    ORDER BY created_at, CAST(message_id AS INTEGER)
    """,
)
_SAID = Query(
    _Said,
    """
    SELECT id, sender_type, sender_id, sender_name, private, message_type, coalesce(content, '') AS content,
           created_at, updated_at
    FROM message WHERE id IN (SELECT value FROM json_each(:ids))
    ORDER BY created_at, CAST(message_id AS INTEGER)
    """,
)
_ATTACHED = Query(
    Attachment,
    """
    SELECT id, message_global_id, content_type, file_size, file_url, thumb_url
    FROM attachment WHERE message_global_id IN (SELECT value FROM json_each(:ids)) ORDER BY id
    """,
)
_DETACH = Command("DELETE FROM attachment WHERE message_global_id IN (SELECT value FROM json_each(:ids))")
_BURY_BELOW = Command("""
    UPDATE message SET deleted_at = :at, deleted_reason = :reason
    WHERE conversation_global_id IN (SELECT value FROM json_each(:ids)) AND deleted_at IS NULL
""")
_SILENT = Query(
    Silence,
    """
    SELECT conversation_global_id, said_at FROM (
        SELECT conversation_global_id,
               max(CASE WHEN lower(coalesce(sender_type, '')) IN ('user', 'agent',
               'team') THEN created_at END)
                   AS said_at,
               max(CASE WHEN lower(coalesce(sender_type, '')) IN ('contact', 'customer') THEN created_at END)
                   AS heard_at
        FROM message WHERE project_id = :project_id AND deleted_at IS NULL AND private = 0
        GROUP BY conversation_global_id)
    WHERE said_at > coalesce(heard_at, '') AND said_at <= :before ORDER BY said_at DESC LIMIT 1000
    """,
)

quoted_by(
    "cwmsg:",
    """
    SELECT substr(content, 1, 500) AS text FROM message
    WHERE id = :ref AND project_id = :project_id AND private = 0 AND deleted_at IS NULL AND content <> ''
    """,
)
quoted_by(
    "cw:",
    """
    SELECT coalesce(nullif(v.subject, ''), c.name) AS text
    FROM conversation AS v LEFT JOIN contact AS c ON c.id = v.contact_global_id
    WHERE v.id = :ref AND v.project_id = :project_id AND v.deleted_at IS NULL
      AND coalesce(nullif(v.subject, ''), c.name) <> ''
    """,
)
quoted_by(
    "cwc:",
    """
    SELECT name AS text FROM contact
    WHERE id = :ref AND project_id = :project_id AND deleted_at IS NULL AND name <> ''
    """,
)


def contacts(db: apsw.Connection, project_id: str, query: ListContacts) -> list[Contact]:
    """Contacts, the last changed first."""
    return _CONTACTS.all(db, project_id=project_id, q=searchable(query.q), limit=query.limit)


def conversations(db: apsw.Connection, project_id: str, query: ListConversations) -> list[Conversation]:
    """Conversations, the last changed first."""
    q = searchable(query.q.strip())
    return _CONVERSATIONS.all(
        db, project_id=project_id, status=query.status, assignee=query.assignee, unanswered=query.unanswered,
        q=q, contact=query.contact_global_id, capital=q.capitalize(), upper=q.upper(),
        limit=query.limit, offset=query.offset,
    )  # fmt: skip


def messages(db: apsw.Connection, project_id: str, query: ListMessages) -> list[Message]:
    """Messages of the project or of one conversation, newest first."""
    if query.conversation_global_id:
        return _MESSAGES_OF.all(
            db, project_id=project_id, conversation=query.conversation_global_id, limit=query.limit
        )
    return _MESSAGES.all(db, project_id=project_id, limit=query.limit)


def thread(db: apsw.Connection, project_id: str, conversation_id: str, query: ReadThread) -> Thread:
    """A stretch of a conversation; raise ConversationNotFound."""
    conversation = _ONE_CONVERSATION.one(db, id=conversation_id, project_id=project_id)
    ids = [row.id for row in _PLACES.all(db, conversation=conversation_id)]
    start = max(0, len(ids) - query.limit)
    if query.message_id in ids:
        start = min(start, max(0, ids.index(query.message_id) - query.limit // 2))
    chosen = as_json(ids[start : start + query.limit])
    files: dict[str, list[Attachment]] = {}
    for file in _ATTACHED.all(db, ids=chosen):
        files.setdefault(file.message_global_id, []).append(file)
    said = [
        ThreadMessage(**msgspec.structs.asdict(row), attachments=files.get(row.id, []))
        for row in _SAID.all(db, ids=chosen)
    ]
    contact = conversation.contact_global_id
    return Thread(
        conversation=conversation,
        contact=_ONE_CONTACT.first(db, id=contact) if contact else None,
        messages=said,
        earlier=start,
        later=len(ids) - start - len(said),
    )


def put_messages(
    db: apsw.Connection, rows: Sequence[Mapping[str, Any]], files: Iterable[Mapping[str, Any]]
) -> None:
    """Write messages with exactly these files."""
    MESSAGE.put(db, rows)
    _DETACH.run(db, ids=as_json([row["id"] for row in rows]))
    ATTACHMENT.put(db, files)


def bury_messages_of(db: apsw.Connection, conversations: list[str], at: str, reason: str) -> None:
    """Mark the messages of conversations as gone with them."""
    _BURY_BELOW.run(db, ids=as_json(conversations), at=at, reason=reason)


def silences(db: apsw.Connection, project_id: str, before: str) -> list[Silence]:
    """Conversations where the team spoke last, and that before `before`."""
    return _SILENT.all(db, project_id=project_id, before=before)
