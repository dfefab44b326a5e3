"""Who a conversation is with: how they are reached, which company, deals and issues hang together with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from ctower_desktop.crm.model import Deal
from ctower_desktop.gui.detail import deals_of, mentioned_issues
from ctower_desktop.gui.feedback import plain_words
from ctower_desktop.gui.inbox_words import one_line, status_words
from ctower_desktop.gui.leaving import leave_for
from ctower_desktop.gui.links import is_web
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import LinkLine
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, when
from ctower_desktop.gui.widgets import Label, clear
from ctower_desktop.inbox.actions import list_conversations
from ctower_desktop.inbox.model import Conversation, ListConversations, Thread
from ctower_desktop.insight.identity.actions import list_identity_links
from ctower_desktop.insight.identity.model import Link, ListLinks, Side
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.work.model import Issue

_LINKS, _OTHERS = 400, 8  # identity links read at a time; conversations of the same client shown


class Around(msgspec.Struct, frozen=True):
    """What hangs together with a conversation."""

    thread: Thread
    sides: list[Side]
    deals: list[Deal]
    issues: list[Issue]
    others: list[Conversation]


async def read_around(call: Desktop, thread: Thread) -> Around:
    """Links of the contact, deals of their companies, issues named, other conversations."""
    contact = thread.contact
    sides = await _linked(call, contact.id) if contact is not None else []
    names = [one.name or one.company_name for one in sides if one.entity_type == "attio_account"]
    if contact is not None:
        names.append(contact.company_name)
    deals: dict[str, Deal] = {}
    for name in dict.fromkeys(name for name in names if name):
        deals |= {deal.id: deal for deal in await deals_of(call, name)}
    issues = await mentioned_issues(call, thread)
    return Around(thread, sides, list(deals.values()), issues, await _others(call, thread))


async def _linked(call: Desktop, contact_id: str) -> list[Side]:
    """What a contact is linked to, and what that is linked to in turn."""
    links: list[Link] = []
    while True:
        found = (await list_identity_links(call, ListLinks(limit=_LINKS, offset=len(links)))).links
        links += found
        if len(found) < _LINKS:
            break
    sides = [one.right for one in links if one.left_entity_id == contact_id]
    companies = {one.entity_id for one in sides if one.entity_type == "attio_account"}
    return sides + [one.right for one in links if one.left_entity_id in companies]


async def _others(call: Desktop, thread: Thread) -> list[Conversation]:
    contact, own = thread.conversation.contact_global_id, thread.conversation.id
    if contact is None:
        return []
    query = ListConversations(contact_global_id=contact, limit=_OTHERS + 1)
    found = (await list_conversations(call, query)).conversations
    return [one for one in found if one.id != own][:_OTHERS]


class ContactCard(QFrame):
    """`asked` tells of a record to open (kind, id), `wanted` of another conversation."""

    asked = Signal(str, str)
    wanted = Signal(str)

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self._task: asyncio.Task[Any] | None = None
        self._shown: Around | None = None
        self.links: list[LinkLine] = []
        self._texts: list[str] = []
        self.column = QVBoxLayout()
        self.column.setContentsMargins(16, 16, 16, 16)
        self.column.setSpacing(4)
        inside = QWidget()
        inside.setLayout(self.column)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(tr("Who this is"))
        self.area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 0, 0, 0)
        whole.addWidget(self.area)

    @property
    def texts(self) -> list[str]:
        """What it says."""
        return list(self._texts)

    def clear(self) -> None:
        """Nobody is in front."""
        self._stop()
        self._shown = None
        self.links, self._texts = [], []
        clear(self.column)

    def show_thread(self, thread: Thread) -> None:
        """Show who a conversation is with; what hangs together with it follows."""
        self._stop()
        if self._shown is None or self._shown.thread.conversation.id != thread.conversation.id:
            self._show(Around(thread, [], [], [], []))
        work = read_around(self.page.call(), thread)
        self._task = start(self, work, self._show, partial(self._failed, thread))

    def _failed(self, thread: Thread, error: TowerError) -> None:
        self._show(Around(thread, [], [], [], []))
        self._fact("", plain_words(error))

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _show(self, found: Around) -> None:
        if found == self._shown:
            return
        self._shown = found
        self.links, self._texts = [], []
        clear(self.column)
        self._show_contact(found.thread)
        self._show_conversation(found.thread.conversation)
        self._section(tr("Linked to"), bool(found.sides))
        for side in found.sides:
            self._side(side)
        self._section(tr("Deals"), bool(found.deals))
        for deal in found.deals:
            self._link(one_line(deal.title), partial(self.asked.emit, "deal", deal.id))
        self._section(tr("Issues named here"), bool(found.issues))
        for issue in found.issues:
            words = f"{issue.identifier} · {one_line(issue.title)}"
            self._link(words, partial(self.asked.emit, "issue", issue.id))
        self._section(tr("Other conversations"), bool(found.others))
        for other in found.others:
            name = one_line(other.subject) or tr("No. {number}", number=other.conversation_id)
            self._link(f"{name} · {status_words(other.status)}", partial(self.wanted.emit, other.id))
        self.column.addStretch(1)

    def _show_contact(self, thread: Thread) -> None:
        contact = thread.contact
        name = contact.name if contact is not None else thread.conversation.contact_name
        heading = Label(one_line(name) or tr("Somebody without a name"), "section", wrap=True)
        heading.setMinimumWidth(1)
        self.column.addWidget(heading)
        if contact is not None:
            self._fact(tr("Company"), one_line(contact.company_name))
            self._fact(tr("E-mail"), one_line(contact.email))
            self._fact(tr("Phone"), one_line(contact.phone_number))

    def _show_conversation(self, conversation: Conversation) -> None:
        now = self.page.tower.clock.now()
        self._section(tr("This conversation"), there=True)
        self._fact(tr("State"), status_words(conversation.status))
        self._fact(tr("Chatwoot inbox"), one_line(conversation.inbox_name))
        self._fact(tr("Assigned to"), one_line(conversation.assignee_name) or tr("nobody"))
        self._fact(tr("Labels"), ", ".join(one_line(label) for label in conversation.labels))
        self._fact(tr("Begun"), when(conversation.created_at, now))

    def _side(self, side: Side) -> None:
        name = one_line(side.name) or side.entity_id
        kinds = {
            "attio_account": tr("company"),
            "attio_person": tr("person"),
            "linear_project": tr("project"),
        }
        words = f"{kinds.get(side.entity_type, side.entity_type)} · {name}"
        if side.gone:
            words = tr("{name} (no longer there)", name=words)
        if is_web(side.url) and side.url is not None:
            self._link(words, partial(leave_for, self, side.url))
        else:
            self._fact("", words)

    def _section(self, title: str, there: bool) -> None:  # noqa: FBT001
        if there:
            self.column.addSpacing(10)
            self.column.addWidget(Label(title, "label"))

    def _fact(self, name: str, value: str) -> None:
        if value:
            words = tr("{name}: {value}", name=name, value=value) if name else value
            label = Label(words, "meta", "text_2", wrap=True)
            label.setMinimumWidth(1)
            self._texts.append(words)
            self.column.addWidget(label)

    def _link(self, words: str, run: Callable[[], object]) -> None:
        link = LinkLine(words)
        link.clicked.connect(lambda: run())
        self.links.append(link)
        self._texts.append(words)
        self.column.addWidget(link)
