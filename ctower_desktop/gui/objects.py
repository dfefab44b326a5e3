"""Contacts, conversations, deals and issues by name, for the palette."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from ctower_desktop.crm.actions import list_deals
from ctower_desktop.crm.model import Deal, ListDeals
from ctower_desktop.gui.commands import layouts
from ctower_desktop.gui.feedback import toast
from ctower_desktop.gui.memory import WindowMemory
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.travel import Place
from ctower_desktop.inbox.actions import list_contacts, list_conversations
from ctower_desktop.inbox.model import Contact, Conversation, ListContacts, ListConversations
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.work.actions import list_issues
from ctower_desktop.work.model import Issue, ListIssues

_SHORTEST, _LONGEST = 2, 200  # letters worth looking for
_EACH = 4  # of every kind
_NAMED = 120  # letters of a title


@dataclass(frozen=True)
class Found:
    """Something that has a name: its kind and id, and what is shown of it."""

    kind: str
    id: str
    title: str
    detail: str


@dataclass(frozen=True)
class NamedThings:
    """Where the palette finds more than commands: things by name, opening them, and what was used last."""

    find: Callable[[str], Awaitable[list[Found]]]
    open: Callable[[Found], object]
    recent: Callable[[], Sequence[str]]
    used: Callable[[str], object]


def named_things(
    window: QWidget, call: Callable[[], Desktop], go: Callable[[Place], None], memory: WindowMemory
) -> NamedThings:
    """The things of the chosen project; somebody is opened at the newest conversation with them."""

    def open_(found: Found) -> None:
        def known(conversation: str | None) -> None:
            if conversation is None:
                toast(window, tr("There is no conversation with {name}.", name=found.title))
            else:
                go(Place("", "conversation", conversation))

        if found.kind == "contact":
            start(window, conversation_of(call(), found.id), known)
        else:
            go(Place("", found.kind, found.id))

    return NamedThings(lambda text: find_objects(call(), text), open_, lambda: memory.recent, memory.used)


async def find_objects(call: Desktop, text: str) -> list[Found]:
    """What is called like `text`; when nothing is, what is called so in the other keyboard layout."""
    typed = text.strip()
    if call.project is None or not _SHORTEST <= len(typed) <= _LONGEST:
        return []
    for meant in dict.fromkeys((typed, *layouts(typed)[1:])):
        found = await _named(call, meant)
        if found:
            return found
    return []


async def conversation_of(call: Desktop, contact: str) -> str | None:
    """The newest conversation with somebody."""
    query = ListConversations(contact_global_id=contact, limit=1)
    found = (await list_conversations(call, query)).conversations
    return found[0].id if found else None


async def _named(call: Desktop, text: str) -> list[Found]:
    contacts, talks, deals, issues = await asyncio.gather(
        list_contacts(call, ListContacts(q=text, limit=_EACH)),
        list_conversations(call, ListConversations(q=text, limit=_EACH)),
        list_deals(call, ListDeals(q=text, limit=_EACH)),
        list_issues(call, ListIssues(q=text, limit=_EACH)),
    )
    people: Sequence[Contact] = contacts.contacts
    return [
        *(_issue(one) for one in issues.issues),
        *(_contact(one) for one in people),
        *(_conversation(one) for one in talks.conversations),
        *(_deal(one) for one in deals.deals),
    ]


def _contact(one: Contact) -> Found:
    name = one.name or one.email or one.phone_number or one.id
    return Found("contact", one.id, name[:_NAMED], _line(tr("Contact"), one.company_name))


def _conversation(one: Conversation) -> Found:
    title = one.subject or one.last_said or one.contact_name or one.conversation_id
    number = tr("Conversation {n}", n=one.conversation_id)
    return Found("conversation", one.id, " ".join(title.split())[:_NAMED], _line(number, one.contact_name))


def _deal(one: Deal) -> Found:
    return Found("deal", one.id, one.title[:_NAMED], _line(tr("Deal"), one.company_name))


def _issue(one: Issue) -> Found:
    return Found(
        "issue", one.id, f"{one.identifier} {one.title}"[:_NAMED], _line(tr("Linear issue"), one.state)
    )


def _line(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)
