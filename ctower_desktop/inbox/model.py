"""What a contact, a conversation and a message are, as stored and as served."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.errors import Conflict, NotFound

Limit = Annotated[int, Meta(ge=1, le=500, description="How many at most")]


class ConversationNotFound(NotFound):
    """There is no such conversation in this project."""

    code = "conversation_not_found"


class MyNameUnknown(Conflict):
    """It is not known who you are in Chatwoot; choose your name in the settings of the inbox."""

    code = "my_name_unknown"


class Contact(msgspec.Struct, frozen=True):
    """Somebody who writes to the agency."""

    id: str
    account_id: str
    contact_id: str
    name: str | None
    email: str | None
    phone_number: str | None
    identifier: str | None
    company_name: str | None
    updated_at: str


class Conversation(msgspec.Struct, frozen=True):
    """One thread of messages with a contact.

    `last_said` is the beginning of the last words between client and team, private notes and remarks of the
    vendor left out. `unanswered`: they are the client's, and the conversation is not resolved.
    """

    id: str
    account_id: str
    conversation_id: str
    contact_global_id: str | None
    contact_name: str | None
    inbox_id: str | None
    inbox_name: str | None
    status: str
    assignee_id: str | None
    assignee_name: str | None
    subject: str | None
    labels: list[str]
    updated_at: str | None
    created_at: str
    last_activity_at: str | None
    last_said: str | None = None
    last_said_at: str | None = None
    last_said_by: Literal["client", "team"] | None = None
    last_said_name: str | None = None
    unanswered: bool = False


class Message(msgspec.Struct, frozen=True):
    """One message in a list: its beginning only."""

    id: str
    conversation_global_id: str
    contact_global_id: str | None
    sender_type: str | None
    sender_name: str | None
    private: bool
    content_snippet: str
    created_at: str
    updated_at: str


class Attachment(msgspec.Struct, frozen=True):
    """A file that came with a message; it stays at the vendor."""

    id: str
    message_global_id: str
    content_type: str | None
    file_size: int | None
    file_url: str | None
    thumb_url: str | None


class ThreadMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message in its conversation, whole.

    `message_type` is the vendor's: 0 from the customer, 1 from the team, 2 an event, 3 a template.
    """

    id: str
    sender_type: str | None
    sender_id: str | None
    sender_name: str | None
    private: bool
    message_type: str
    content: str
    created_at: str
    updated_at: str
    attachments: list[Attachment]


class ListContacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which contacts: those whose name, e-mail, telephone or identifier contains `q`."""

    q: str = ""
    limit: Limit = 100


class ListConversations(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversations: in a state, of somebody of the team, with a contact, those that wait for us.

    `q` is looked for in the client's names and addresses, the subject and the number.
    """

    status: str = ""
    assignee: Annotated[str, Meta(max_length=300, description="The name of somebody of the team")] = ""
    mine: Annotated[bool, Meta(description="Those assigned to the name in the settings")] = False
    contact_global_id: str = ""
    unanswered: bool = False
    q: Annotated[str, Meta(max_length=200)] = ""
    limit: Limit = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000, description="How many to leave out")] = 0


class ListMessages(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of the project, or of one conversation."""

    conversation_global_id: str = ""
    limit: Limit = 100


class ReadThread(msgspec.Struct, frozen=True, kw_only=True):
    """The stretch of a conversation around `message_id`, or its end."""

    message_id: str = ""
    limit: Limit = 100


class Contacts(msgspec.Struct, frozen=True):
    """Contacts, the last changed first."""

    contacts: list[Contact]


class Conversations(msgspec.Struct, frozen=True):
    """Conversations, the last changed first."""

    conversations: list[Conversation]


class Messages(msgspec.Struct, frozen=True):
    """Messages, newest first."""

    messages: list[Message]


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with messages in the order they were written.

    `earlier` and `later` say how many more there are on either side.
    """

    conversation: Conversation
    contact: Contact | None
    messages: list[ThreadMessage]
    earlier: int
    later: int
