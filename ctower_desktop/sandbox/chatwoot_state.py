"""The state of a stand-in Chatwoot account and everything that can happen to it."""

import random
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from ctower_desktop.sandbox.front import Clock

DELETED_TEXT = "This message was deleted"
INCOMING, OUTGOING, ACTIVITY, TEMPLATE = 0, 1, 2, 3
NOTED_BY_ACTIVITY = {"status", "labels", "assignee_id", "team_id", "priority"}
"""Changes that Chatwoot itself writes into the conversation as an activity message."""

Row = TypeVar("Row", bound=msgspec.Struct)
Status = Literal["open", "resolved", "pending", "snoozed"]


class Agent(msgspec.Struct):
    """A member of the agency; an `agent` sees only the inboxes listed, an `administrator` all of them."""

    id: int
    name: str
    email: str
    role: str = "agent"
    token: str = ""
    inboxes: list[int] = []
    bot: bool = False


class Inbox(msgspec.Struct):
    """Where conversations come in."""

    id: int
    name: str
    channel_type: str = "Channel::WebWidget"


class Team(msgspec.Struct):
    """A group of agents."""

    id: int
    name: str


class Label(msgspec.Struct):
    """A tag of the account."""

    id: int
    title: str
    color: str = "#1f93ff"


class Contact(msgspec.Struct):
    """A customer; there is no time of the last edit, as at the vendor."""

    id: int
    name: str
    created_at: float
    email: str | None = None
    phone_number: str | None = None
    identifier: str | None = None
    last_activity_at: float | None = None
    online: bool = False
    custom_attributes: dict[str, Any] = {}
    additional_attributes: dict[str, Any] = {}

    @property
    def resolved(self) -> bool:
        """Only people who can be told apart are listed; anonymous visitors are not."""
        return bool(self.email or self.phone_number or self.identifier)


class Message(msgspec.Struct):
    """One line of a conversation; `conversation_id` is the display id."""

    id: int
    conversation_id: int
    inbox_id: int
    content: str | None
    message_type: int
    created_at: float
    updated_at: float
    sender: Contact | Agent | None = None
    private: bool = False
    status: str = "sent"
    content_type: str = "text"
    content_attributes: dict[str, Any] = {}
    attachments: list[dict[str, Any]] = []


class Conversation(msgspec.Struct):
    """A thread with one contact; `id` is the display id, the only one the API shows."""

    id: int
    uuid: str
    inbox_id: int
    contact_id: int
    created_at: float
    updated_at: float
    last_activity_at: float
    status: Status = "open"
    assignee_id: int | None = None
    team_id: int | None = None
    priority: str | None = None
    labels: list[str] = []
    snoozed_until: datetime | None = None
    waiting_since: float | None = None
    first_reply_at: float | None = None
    agent_last_seen_at: float | None = None
    custom_attributes: dict[str, Any] = {}
    additional_attributes: dict[str, Any] = {}
    messages: list[Message] = []


class ChatwootState:
    """One account of Chatwoot. What changes it takes `at`, the moment it happened; absent is now."""

    def __init__(
        self,
        clock: Clock,
        *,
        token: str = "chatwoot-token",  # noqa: S107 - a made-up token of a made-up account
        account_id: int = 1,
        name: str = "Agency",
    ) -> None:
        self.clock = clock
        self.account_id = account_id
        self.name = name
        self.suspended = False
        self.agents: dict[int, Agent] = {}
        self.inboxes: dict[int, Inbox] = {}
        self.teams: dict[int, Team] = {}
        self.labels: dict[int, Label] = {}
        self.contacts: dict[int, Contact] = {}
        self.conversations: dict[int, Conversation] = {}
        self.messages: dict[int, Message] = {}
        self.last_ids: dict[str, int] = {}
        self.random = random.Random(account_id)  # noqa: S311 - reproducible ids, no secret
        self.administrator = self.add_agent(
            "Admin", "admin@agency.example", role="administrator", token=token
        )

    # who and where

    def add_agent(
        self,
        name: str,
        email: str,
        *,
        role: str = "agent",
        token: str = "",
        inboxes: Iterable[int] = (),
        bot: bool = False,
    ) -> Agent:
        agent = Agent(self._next("agent"), name, email, role, token, list(inboxes), bot)
        self.agents[agent.id] = agent
        return agent

    def add_inbox(self, name: str, channel_type: str = "Channel::WebWidget") -> Inbox:
        inbox = Inbox(self._next("inbox"), name, channel_type)
        self.inboxes[inbox.id] = inbox
        return inbox

    def add_team(self, name: str) -> Team:
        team = Team(self._next("team"), name)
        self.teams[team.id] = team
        return team

    def add_label(self, title: str) -> Label:
        label = Label(self._next("label"), title)
        self.labels[label.id] = label
        return label

    # contacts

    def add_contact(
        self,
        name: str,
        email: str | None = None,
        *,
        phone_number: str | None = None,
        identifier: str | None = None,
        at: datetime | None = None,
        **attributes: Any,
    ) -> Contact:
        contact = Contact(
            self._next("contact"), name, self._when(at), email, phone_number, identifier,
            additional_attributes=dict(attributes),
        )  # fmt: skip
        self.contacts[contact.id] = contact
        return contact

    def edit_contact(self, contact_id: int, **changes: Any) -> Contact:
        """Moves no time of the contact, as at the vendor."""
        return self._change(self.contacts[contact_id], changes)

    def delete_contact(self, contact_id: int) -> None:
        """Hard: its conversations and messages go with it."""
        del self.contacts[contact_id]
        for conversation in [each for each in self.conversations.values() if each.contact_id == contact_id]:
            self.delete_conversation(conversation.id)

    def merge_contacts(self, base_id: int, mergee_id: int) -> Contact:
        """The mergee disappears, what it said becomes the base's, and the base's empty fields are filled."""
        base, mergee = self.contacts[base_id], self.contacts.pop(mergee_id)
        for conversation in self.conversations.values():
            if conversation.contact_id == mergee_id:
                conversation.contact_id = base_id
                for message in conversation.messages:
                    if message.sender is mergee:
                        message.sender = base
        for name in ("email", "phone_number", "identifier"):
            setattr(base, name, getattr(base, name) or getattr(mergee, name))
        return base

    # conversations

    def add_conversation(
        self, inbox_id: int, contact_id: int, *, at: datetime | None = None, **fields: Any
    ) -> Conversation:
        now = self._when(at)
        conversation = Conversation(
            self._next("conversation"),
            str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
            inbox_id, contact_id, now, now, now,
        )  # fmt: skip
        self._change(conversation, fields)
        self.conversations[conversation.id] = conversation
        return conversation

    def edit_conversation(
        self, conversation_id: int, *, by: str = "Admin", at: datetime | None = None, **changes: Any
    ) -> Conversation:
        """Moves `updated_at`; what Chatwoot notes by an activity message moves `last_activity_at` as well."""
        conversation = self._change(self.conversations[conversation_id], changes)
        conversation.updated_at = self._when(at)
        for name in sorted(changes.keys() & NOTED_BY_ACTIVITY):
            self.add_message(
                conversation_id, self._noted(name, changes[name], by), message_type=ACTIVITY, at=at
            )
        if changes.get("status") == "resolved":
            conversation.waiting_since = None
        return conversation

    def see_conversation(self, conversation_id: int, *, at: datetime | None = None) -> None:
        """An agent has read it: no other time moves."""
        self.conversations[conversation_id].agent_last_seen_at = self._when(at)

    def delete_conversation(self, conversation_id: int) -> None:
        """Hard, with its messages."""
        for message in self.conversations.pop(conversation_id).messages:
            del self.messages[message.id]

    # messages

    def add_message(
        self,
        conversation_id: int,
        content: str | None,
        *,
        agent: Agent | None = None,
        contact: Contact | None = None,
        message_type: int | None = None,
        private: bool = False,
        attachments: Iterable[str] = (),
        at: datetime | None = None,
    ) -> Message:
        """From the conversation's contact unless somebody is named; moves the conversation's times."""
        conversation = self.conversations[conversation_id]
        now = self._when(at)
        kind = (INCOMING if agent is None else OUTGOING) if message_type is None else message_type
        said_by = contact or self.contacts[conversation.contact_id]
        sender = agent or (said_by if kind == INCOMING else None)
        message = Message(
            self._next("message"),
            conversation_id,
            conversation.inbox_id,
            content,
            kind,
            now,
            now,
            sender,
            private,
        )
        message.attachments = [attachment(message.id, name, self.account_id) for name in attachments]
        conversation.messages.append(message)
        self.messages[message.id] = message
        self._touch(conversation, message)
        return message

    def edit_message(self, message_id: int, *, at: datetime | None = None, **changes: Any) -> Message:
        """Moves the message's own `updated_at` and nothing of the conversation."""
        message = self._change(self.messages[message_id], changes)
        message.updated_at = self._when(at)
        return message

    def delete_message(self, message_id: int, *, at: datetime | None = None) -> Message:
        """Soft: the text is replaced, the attachments are removed, the conversation does not move."""
        return self.edit_message(
            message_id,
            at=at,
            content=DELETED_TEXT,
            content_type="text",
            content_attributes={"deleted": True},
            attachments=[],
        )

    def generate(self, conversations: int, messages_each: int, seed: int = 1) -> None:
        """Fills one inbox with so many conversations of so many messages, the same for the same seed."""
        chance = random.Random(seed)  # noqa: S311 - reproducible filling, no secret
        inbox = self.add_inbox(f"Bulk {seed}")
        start = self.clock().timestamp() - 60.0 * conversations * messages_each
        for index in range(conversations):
            contact = self.add_contact(f"Contact {index}", f"contact{seed}-{index}@bulk.example")
            conversation = self.add_conversation(inbox.id, contact.id)
            conversation.created_at = start
            for turn in range(messages_each):
                start += 60.0
                message = self.add_message(
                    conversation.id, sentence(chance), agent=self.administrator if turn % 2 else None
                )
                message.created_at = message.updated_at = start
            conversation.updated_at = conversation.last_activity_at = start
            contact.created_at = contact.last_activity_at = start

    def _noted(self, name: str, value: Any, by: str) -> str:
        """The text of an activity message."""
        if name == "status":
            return f"Conversation was marked {value} by {by}"
        if name == "labels":
            return f"{by} set {', '.join(value) or 'no labels'}"
        if name == "assignee_id":
            return (
                f"Assigned to {self.agents[value].name} by {by}"
                if value
                else f"Conversation unassigned by {by}"
            )
        return f"{by} changed {name.removesuffix('_id')} to {value}"

    def _touch(self, conversation: Conversation, message: Message) -> None:
        now = message.created_at
        conversation.updated_at = max(conversation.updated_at, now)
        conversation.last_activity_at = max(conversation.last_activity_at, now)
        if isinstance(message.sender, Contact):
            message.sender.last_activity_at = max(message.sender.last_activity_at or 0.0, now)
            conversation.waiting_since = conversation.waiting_since or now
            if conversation.status in ("resolved", "snoozed"):
                conversation.status = "open"
        elif message.message_type == OUTGOING and not message.private:
            conversation.waiting_since = None
            conversation.first_reply_at = conversation.first_reply_at or now

    def _change(self, row: Row, changes: dict[str, Any]) -> Row:
        for name, value in changes.items():
            if name not in row.__struct_fields__:
                raise AttributeError(f"{type(row).__name__} has no {name}")
            setattr(row, name, value)
        return row

    def _next(self, kind: str) -> int:
        self.last_ids[kind] = self.last_ids.get(kind, 0) + 1
        return self.last_ids[kind]

    def _when(self, at: datetime | None) -> float:
        return (at or self.clock()).timestamp()


def attachment(message_id: int, name: str, account_id: int) -> dict[str, Any]:
    """A file sent with a message."""
    kind = "image" if name.lower().endswith((".png", ".jpg", ".jpeg", ".webp", ".gif")) else "file"
    url = f"https://chat.example/rails/active_storage/{message_id}/{name}"
    return {
        "id": message_id * 10,
        "message_id": message_id,
        "file_type": kind,
        "account_id": account_id,
        "data_url": url,
        "thumb_url": url if kind == "image" else "",
        "file_size": 1024 * len(name),
    }


WORDS = (  # noqa: SIM905 - easier to read than thirty quoted words
    "invoice delivery checkout layout banner hosting domain contract landing mobile header review photo "
    "договор счёт макет доставка оплата корзина баннер правки запуск отчёт тариф заявка скидка форма"
).split()


def sentence(chance: random.Random) -> str:
    """A line of bulk text: words, a number to tell it apart, an end."""
    words = chance.choices(WORDS, k=chance.randint(6, 24))
    return f"{' '.join(words).capitalize()} #{chance.randrange(10**6)}."
