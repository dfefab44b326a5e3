"""How a stand-in Chatwoot writes its rows: epoch seconds here, ISO text there, as the vendor does."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ctower_desktop.sandbox.chatwoot_state import (
    ACTIVITY,
    INCOMING,
    Agent,
    ChatwootState,
    Contact,
    Conversation,
    Inbox,
    Label,
    Message,
    Team,
)


def seconds(at: float | None) -> int:
    """An absent time is 0."""
    return int(at or 0)


def iso(at: float | None) -> str | None:
    """Milliseconds and `Z`."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def inbox_row(inbox: Inbox) -> dict[str, Any]:
    return {
        "id": inbox.id,
        "avatar_url": "",
        "channel_id": inbox.id,
        "name": inbox.name,
        "channel_type": inbox.channel_type,
        "greeting_enabled": False,
        "greeting_message": None,
        "working_hours_enabled": False,
        "enable_auto_assignment": True,
        "out_of_office_message": None,
        "timezone": "UTC",
        "allow_messages_after_resolved": True,
        "lock_to_single_conversation": False,
        "provider": None,
    }


def agent_row(agent: Agent, account_id: int) -> dict[str, Any]:
    return {
        "id": agent.id,
        "account_id": account_id,
        "availability_status": "online",
        "auto_offline": True,
        "confirmed": True,
        "email": agent.email,
        "available_name": agent.name,
        "name": agent.name,
        "role": agent.role,
        "thumbnail": "",
        "custom_role_id": None,
    }


def profile_row(agent: Agent, account_id: int, account_name: str) -> dict[str, Any]:
    membership = {
        "id": account_id,
        "name": account_name,
        "status": "active",
        "active_at": None,
        "role": agent.role,
        "permissions": [agent.role],
        "availability": "online",
        "availability_status": "online",
        "auto_offline": True,
        "custom_role_id": None,
        "custom_role": None,
    }
    return {
        "id": agent.id,
        "access_token": agent.token,
        "account_id": account_id,
        "available_name": agent.name,
        "avatar_url": "",
        "confirmed": True,
        "display_name": None,
        "message_signature": None,
        "email": agent.email,
        "hmac_identifier": "",
        "inviter_id": None,
        "name": agent.name,
        "provider": "email",
        "pubsub_token": "",
        "role": agent.role,
        "ui_settings": {},
        "uid": agent.email,
        "type": None,
        "accounts": [membership],
    }


def team_row(team: Team, account_id: int) -> dict[str, Any]:
    return {
        "id": team.id,
        "name": team.name,
        "description": None,
        "allow_auto_assign": True,
        "account_id": account_id,
        "is_member": True,
    }


def label_row(label: Label) -> dict[str, Any]:
    return {
        "id": label.id,
        "title": label.title,
        "description": None,
        "color": label.color,
        "show_on_sidebar": True,
    }


def contact_row(contact: Contact) -> dict[str, Any]:
    row: dict[str, Any] = {
        "additional_attributes": contact.additional_attributes,
        "availability_status": "online" if contact.online else "offline",
        "email": contact.email,
        "id": contact.id,
        "name": contact.name,
        "phone_number": contact.phone_number,
        "blocked": False,
        "identifier": contact.identifier,
        "thumbnail": "",
        "custom_attributes": contact.custom_attributes,
        "created_at": int(contact.created_at),
    }
    if contact.last_activity_at is not None:
        row["last_activity_at"] = int(contact.last_activity_at)
    return row


def listed_contact_rows(contacts: Iterable[Contact], state: ChatwootState) -> list[dict[str, Any]]:
    """Contacts as the contact endpoints give them: with the inboxes they came by."""
    links: dict[int, dict[int, dict[str, Any]]] = {contact.id: {} for contact in contacts}
    for each in state.conversations.values():
        if each.contact_id in links:
            source = {"source_id": f"{each.contact_id}-{each.inbox_id}"}
            links[each.contact_id][each.inbox_id] = source | {"inbox": _slim(state.inboxes[each.inbox_id])}
    return [
        contact_row(state.contacts[contact_id]) | {"contact_inboxes": list(met.values())}
        for contact_id, met in links.items()
    ]


def _slim(inbox: Inbox) -> dict[str, Any]:
    row = inbox_row(inbox)
    return {
        name: row[name] for name in ("id", "avatar_url", "channel_id", "name", "channel_type", "provider")
    }


def sender_row(sender: Contact | Agent) -> dict[str, Any]:
    if isinstance(sender, Agent):
        return {
            "id": sender.id,
            "name": sender.name,
            "available_name": sender.name,
            "avatar_url": "",
            "type": "user",
            "availability_status": "online",
            "thumbnail": "",
        }
    return {
        "additional_attributes": sender.additional_attributes,
        "custom_attributes": sender.custom_attributes,
        "email": sender.email,
        "id": sender.id,
        "identifier": sender.identifier,
        "name": sender.name,
        "phone_number": sender.phone_number,
        "thumbnail": "",
        "blocked": False,
        "type": "contact",
    }


def message_row(message: Message) -> dict[str, Any]:
    """A message of the messages endpoint; the time of an edit is not in it."""
    row: dict[str, Any] = {
        "id": message.id,
        "content": message.content,
        "inbox_id": message.inbox_id,
        "conversation_id": message.conversation_id,
        "message_type": message.message_type,
        "content_type": message.content_type,
        "status": message.status,
        "content_attributes": message.content_attributes,
        "created_at": int(message.created_at),
        "private": message.private,
        "source_id": None,
    }
    if message.sender is not None:
        row["sender"] = sender_row(message.sender)
    if message.attachments:
        row["attachments"] = message.attachments
    return row


def embedded_message_row(
    message: Message, state: ChatwootState, conversation: Conversation
) -> dict[str, Any]:
    """A message inside a conversation: its `updated_at` is ISO text."""
    sender = message.sender
    kind = {Contact: "Contact", Agent: "User"}.get(type(sender)) if sender is not None else None
    return message_row(message) | {
        "account_id": state.account_id,
        "updated_at": iso(message.updated_at),
        "sender_type": kind,
        "sender_id": sender.id if sender is not None else None,
        "external_source_ids": {},
        "additional_attributes": {},
        "processed_message_content": message.content,
        "sentiment": {},
        "conversation": {
            "assignee_id": conversation.assignee_id,
            "unread_count": unread(conversation),
            "last_activity_at": int(conversation.last_activity_at),
            "contact_inbox": {"source_id": f"{conversation.contact_id}-{conversation.inbox_id}"},
        },
    }


def unread(conversation: Conversation) -> int:
    """Incoming messages since an agent looked last."""
    seen = conversation.agent_last_seen_at or 0.0
    return sum(m.message_type == INCOMING and m.created_at > seen for m in conversation.messages)


def conversation_row(conversation: Conversation, state: ChatwootState) -> dict[str, Any]:
    """A conversation with its last message only."""
    by_time = max(conversation.messages, key=lambda m: (m.created_at, m.id), default=None)
    spoken = [m for m in conversation.messages if m.message_type != ACTIVITY]
    last_said = max(spoken, key=lambda m: (m.created_at, m.id), default=None)
    contact = state.contacts.get(conversation.contact_id)
    meta: dict[str, Any] = {
        "sender": contact_row(contact) if contact else {},
        "channel": state.inboxes[conversation.inbox_id].channel_type,
        "hmac_verified": False,
    }
    if conversation.assignee_id is not None:
        meta["assignee"] = agent_row(state.agents[conversation.assignee_id], state.account_id)
    if conversation.team_id is not None:
        meta["team"] = team_row(state.teams[conversation.team_id], state.account_id)
    snoozed = conversation.snoozed_until
    return {
        "meta": meta,
        "id": conversation.id,
        "messages": [embedded_message_row(by_time, state, conversation)] if by_time else [],
        "account_id": state.account_id,
        "uuid": conversation.uuid,
        "additional_attributes": conversation.additional_attributes,
        "agent_last_seen_at": seconds(conversation.agent_last_seen_at),
        "assignee_last_seen_at": 0,
        "can_reply": True,
        "contact_last_seen_at": 0,
        "custom_attributes": conversation.custom_attributes,
        "inbox_id": conversation.inbox_id,
        "labels": conversation.labels,
        "muted": False,
        "snoozed_until": iso(snoozed.timestamp()) if snoozed else None,
        "status": conversation.status,
        "created_at": seconds(conversation.created_at),
        "updated_at": conversation.updated_at,
        "timestamp": seconds(conversation.last_activity_at),
        "first_reply_created_at": seconds(conversation.first_reply_at),
        "unread_count": unread(conversation),
        "last_non_activity_message": embedded_message_row(last_said, state, conversation)
        if last_said
        else None,
        "last_activity_at": seconds(conversation.last_activity_at),
        "priority": conversation.priority,
        "waiting_since": seconds(conversation.waiting_since),
        "sla_policy_id": None,
    }


def messages_meta(conversation: Conversation, state: ChatwootState) -> dict[str, Any]:
    """What stands beside the messages; here `*_last_seen_at` is ISO text."""
    contact = state.contacts.get(conversation.contact_id)
    meta: dict[str, Any] = {
        "labels": conversation.labels,
        "additional_attributes": conversation.additional_attributes,
        "contact": sender_row(contact) if contact else {},
        "agent_last_seen_at": iso(conversation.agent_last_seen_at),
        "assignee_last_seen_at": None,
    }
    if conversation.assignee_id is not None:
        meta["assignee"] = agent_row(state.agents[conversation.assignee_id], state.account_id)
    return meta
