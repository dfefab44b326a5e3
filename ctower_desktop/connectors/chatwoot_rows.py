"""What Chatwoot's rows say, and the contacts, conversations and messages made of them. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from ctower_desktop.connectors.contract import BadPayload, Names, Record, Scope, Typed, understood
from ctower_desktop.connectors.times import moment
from ctower_desktop.kernel.mirror import searchable
from ctower_desktop.kernel.sql import as_json

Id = int


class Inbox(msgspec.Struct):
    """A channel customers write to."""

    id: Id
    name: str = ""
    channel_type: str | None = None


class Agent(msgspec.Struct):
    """A member of the agency."""

    id: Id
    name: str | None = None
    available_name: str | None = None


class Linked(msgspec.Struct):
    """An inbox a contact came by."""

    inbox: Inbox | None = None


class Contact(msgspec.Struct):
    """A customer, in the list of contacts or inside a conversation."""

    id: Id
    name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    identifier: str | None = None
    custom_attributes: dict[str, Any] | None = None
    additional_attributes: dict[str, Any] | None = None
    created_at: float | str | None = None
    last_activity_at: float | str | None = None
    contact_inboxes: list[Linked] | None = None
    type: str | None = None


class Meta(msgspec.Struct):
    """Who takes part in a conversation."""

    sender: msgspec.Raw = msgspec.Raw(b"{}")
    assignee: Agent | None = None


class Conversation(msgspec.Struct):
    """A thread; its messages are read apart from it."""

    id: Id
    inbox_id: Id
    created_at: float | str
    status: str = "open"
    meta: Meta = msgspec.field(default_factory=Meta)
    priority: str | None = None
    labels: list[str] | None = None
    additional_attributes: dict[str, Any] | None = None
    updated_at: float | str | None = None
    last_activity_at: float | str | None = None
    timestamp: float | str | None = None


class Sender(msgspec.Struct):
    """Who wrote a message."""

    id: Id | None = None
    name: str | None = None
    available_name: str | None = None
    type: str | None = None


class File(msgspec.Struct):
    """A file that came with a message."""

    id: Id | None = None
    file_type: str | None = None
    file_size: int | None = None
    data_url: str | None = None
    thumb_url: str | None = None


class Message(msgspec.Struct):
    """One message; `conversation_id` is the number shown to people."""

    id: Id
    conversation_id: Id
    created_at: float | str
    message_type: int | str = 0
    content: str | None = None
    private: bool | None = False
    sender: Sender | None = None
    sender_type: str | None = None
    sender_id: Id | None = None
    content_attributes: dict[str, Any] | None = None
    attachments: list[File] | None = None


_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "inboxes": msgspec.json.Decoder(Inbox),
    "agents": msgspec.json.Decoder(Agent),
    "contacts": msgspec.json.Decoder(Contact),
    "conversations": msgspec.json.Decoder(Conversation),
    "messages": msgspec.json.Decoder(Message),
}
_TYPES = {"incoming": "0", "outgoing": "1", "activity": "2", "template": "3"}


def parse(stream: str, raw: bytes) -> list[Record]:
    """The row, and for a conversation the contact inside it. Raise BadPayload, nothing else."""
    wire = understood(_DECODERS[stream], raw, stream)
    if stream == "conversations":
        return _conversation(wire, raw)
    if stream == "messages":
        if moment(wire.created_at) is None:
            raise BadPayload(f"message {wire.id} has no time: {wire.created_at!r}")
        return [Record(stream, str(wire.id), raw, wire, parents=(str(wire.conversation_id),))]
    if stream == "contacts":
        return [_contact(wire, raw, ())]
    units = (f"inbox:{wire.id}",) if stream == "inboxes" else ()
    return [Record(stream, str(wire.id), raw, wire, units=units)]


def _conversation(wire: Conversation, raw: bytes) -> list[Record]:
    if moment(wire.created_at) is None:
        raise BadPayload(f"conversation {wire.id} has no time: {wire.created_at!r}")
    unit = f"inbox:{wire.inbox_id}"
    found = [Record("conversations", str(wire.id), raw, wire, version=version(wire), units=(unit,))]
    sender = bytes(wire.meta.sender)
    if sender not in (b"{}", b"null"):
        contact = understood(_DECODERS["contacts"], sender, f"the contact of conversation {wire.id}")
        found.append(_contact(contact, sender, (unit,)))
    return found


def version(wire: Conversation) -> str:
    """The newest of a conversation's times, as text that sorts: `updated_at` is seconds with a fraction."""
    times = [v for v in (wire.updated_at, wire.last_activity_at) if isinstance(v, int | float)]
    if times:
        return f"{max(times):020.6f}"
    return moment(wire.updated_at) or ""


def _contact(wire: Contact, raw: bytes, units: tuple[str, ...]) -> Record:
    met = (f"inbox:{link.inbox.id}" for link in wire.contact_inboxes or () if link.inbox is not None)
    same = (
        wire.id, wire.name, wire.email, wire.phone_number, wire.identifier, wire.custom_attributes,
        wire.additional_attributes,
    )  # fmt: skip
    return Record(
        "contacts", str(wire.id), raw, wire, units=tuple(dict.fromkeys((*units, *met))),
        digest=msgspec.json.encode(same),
    )  # fmt: skip


def typed(record: Record, scope: Scope, names: Names) -> list[Typed]:
    """The rows of the inbox made of a row."""
    wire = record.wire
    if record.stream == "inboxes":
        row = scope.row("cwinbox", wire.id) | {
            "account_id": scope.account, "inbox_id": str(wire.id), "name": wire.name or f"Inbox {wire.id}",
            "channel_type": wire.channel_type,
        }  # fmt: skip
        return [Typed("cwinbox", row)]
    if record.stream == "contacts":
        return [Typed("cwc", _contact_row(wire, scope))]
    if record.stream == "conversations":
        return [Typed("cw", _conversation_row(wire, scope, names))]
    if record.stream == "messages":
        return _message_rows(wire, scope, names)
    return []


def _contact_row(wire: Contact, scope: Scope) -> dict[str, Any]:
    company = (wire.additional_attributes or {}).get("company_name")
    seen = moment(wire.last_activity_at) or moment(wire.created_at) or "1970-01-01T00:00:00.000Z"
    words = (wire.name, wire.email, wire.phone_number, wire.identifier)
    return scope.row("cwc", wire.id) | {
        "account_id": scope.account,
        "contact_id": str(wire.id),
        "name": wire.name,
        "email": wire.email,
        "phone_number": wire.phone_number,
        "identifier": wire.identifier,
        "company_name": company if isinstance(company, str) else None,
        "custom_attributes": as_json(wire.custom_attributes or {}),
        "haystack": searchable("\n".join(filter(None, words))),
        "created_at": moment(wire.created_at),
        "updated_at": seen,
    }


def contact_of(wire: Conversation) -> Contact | None:
    """The customer of a conversation; anybody who calls himself something else is none."""
    sender = bytes(wire.meta.sender)
    if sender in (b"{}", b"null"):
        return None
    found = _DECODERS["contacts"].decode(sender)
    assert isinstance(found, Contact)
    return found if (found.type or "contact").lower() in ("contact", "customer") else None


def _conversation_row(wire: Conversation, scope: Scope, names: Names) -> dict[str, Any]:
    contact, assignee = contact_of(wire), wire.meta.assignee
    extra = wire.additional_attributes or {}
    subject = extra.get("mail_subject") or extra.get("subject")
    agent = names.get("agents", assignee.id) if assignee else None
    known = agent or assignee
    return scope.row("cw", wire.id) | {
        "account_id": scope.account,
        "conversation_id": str(wire.id),
        "contact_global_id": scope.id("cwc", contact.id) if contact else None,
        "inbox_id": str(wire.inbox_id),
        "status": wire.status,
        "priority": wire.priority,
        "assignee_id": str(assignee.id) if assignee else None,
        "assignee_name": (known.available_name or known.name) if known else None,
        "subject": subject if isinstance(subject, str) else None,
        "labels": as_json(wire.labels or []),
        "created_at": moment(wire.created_at),
        "updated_at": moment(wire.updated_at) or moment(wire.last_activity_at),
        "last_activity_at": moment(wire.last_activity_at) or moment(wire.timestamp),
    }


def _message_rows(wire: Message, scope: Scope, names: Names) -> list[Typed]:
    sender = wire.sender
    kind = _sender_kind(wire)
    conversation = names.parent(str(wire.conversation_id))
    contact = contact_of(conversation.wire) if conversation else None
    contact_id = sender.id if kind == "contact" and sender and sender.id else contact.id if contact else None
    at = moment(wire.created_at)
    message_id, conversation_id = scope.id("cwmsg", wire.id), scope.id("cw", wire.conversation_id)
    row = scope.row("cwmsg", wire.id) | {
        "account_id": scope.account,
        "message_id": str(wire.id),
        "conversation_id": str(wire.conversation_id),
        "conversation_global_id": conversation_id,
        "contact_global_id": scope.id("cwc", contact_id) if contact_id else None,
        "sender_type": kind,
        "sender_id": str(sender.id)
        if sender and sender.id
        else str(wire.sender_id)
        if wire.sender_id
        else None,
        "sender_name": (sender.available_name or sender.name) if sender else None,
        "private": int(bool(wire.private)),
        "message_type": _TYPES.get(str(wire.message_type), str(wire.message_type)),
        "content": wire.content,
        "created_at": at,
        "updated_at": at,
    }
    gone = "deleted_at_vendor" if (wire.content_attributes or {}).get("deleted") is True else ""
    return [Typed("cwmsg", row, gone), *_files(wire, scope, message_id, conversation_id)]


def _sender_kind(wire: Message) -> str | None:
    """contact, user or another word of the vendor; by the direction where nothing is said."""
    said = wire.sender_type or (wire.sender.type if wire.sender else None)
    if said:
        return said.lower()
    if wire.sender is None:
        return None
    return "contact" if str(wire.message_type) in ("0", "incoming") else "user"


def _files(wire: Message, scope: Scope, message_id: str, conversation_id: str) -> list[Typed]:
    return [
        Typed(
            "cwa",
            scope.row("cwa", file.id if file.id is not None else f"{wire.id}:{place}")
            | {
                "message_global_id": message_id,
                "conversation_global_id": conversation_id,
                "content_type": file.file_type,
                "file_size": file.file_size,
                "file_url": file.data_url,
                "thumb_url": file.thumb_url or None,
            },
        )
        for place, file in enumerate(wire.attachments or ())
    ]
