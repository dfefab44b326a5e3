"""The list of conversations: searched, narrowed, read as it comes into sight."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctower_desktop.connectors.connecting import list_connections
from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.export import Sheet
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.inbox_rows import Talk, TalkRows
from ctower_desktop.gui.inbox_words import last_words, status_words, talk, who_words
from ctower_desktop.gui.listing import Listing
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import SearchField
from ctower_desktop.inbox.actions import list_conversations
from ctower_desktop.inbox.model import Conversation, ListConversations
from ctower_desktop.inbox.settings import InboxSettings
from ctower_desktop.reports.document import Cell

TABLES = {"conversation", "message", "contact", "inbox"}
_ASKED = 500  # conversations whose team names are offered


class InboxList(QWidget):
    """Conversations, the last changed first; `opened` tells which one is in front, `rested` that none is."""

    opened = Signal(object)
    rested = Signal()

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page, self.tower = page, page.tower
        self.search = SearchField(tr("Search conversations"), "/")
        self.which = Chips(
            tr("Which conversations"),
            [
                ("open", tr("Not closed")),
                ("waiting", tr("No answer yet")),
                ("mine", tr("Mine")),
                ("", tr("All")),
            ],
        )
        name = tr("Conversations")
        spoken: Column[Any] = Column(name, lambda one: self._talk(one).spoken, stretch=True)
        self.listing = Listing(name, [spoken], self._load, lambda one: str(one.id), self._empty)
        TalkRows(self.listing.view, self.listing.model, self._talk)
        self.search.textChanged.connect(self.listing.search)
        self.which.changed.connect(self._narrow)
        self.listing.opened.connect(self.opened)
        self.listing.shown.connect(self._shown)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 8, 12)
        column.setSpacing(8)
        column.addWidget(self.search)
        column.addWidget(self.which)
        column.addWidget(self.listing, 1)
        follow(self, self.tower, TABLES, self.listing.refresh)

    def _talk(self, one: Conversation) -> Talk:
        return talk(one, self.tower.clock.now())

    # -- reading

    async def _load(self, offset: int, limit: int) -> list[Any]:
        if not self.page.context.has_project():
            return []
        which = self.which.value
        query = ListConversations(
            status="open" if which in ("open", "mine") else "",
            unanswered=which == "waiting",
            mine=which == "mine",
            q=self.search.text().strip()[:200],
            limit=limit,
            offset=offset,
        )
        return list((await list_conversations(self.page.call(), query)).conversations)

    @property
    def filtered(self) -> bool:
        """Whether less than everything is asked for."""
        return bool(self.search.text().strip()) or self.which.value != ""

    def show_all(self) -> None:
        """Take all filters away."""
        self.search.clear()
        self.which.choose("")
        self.listing.start_over()

    def start_over(self) -> None:
        """Another project: nothing of the one before stays."""
        self.listing.choose("")
        self.rested.emit()
        self.listing.start_over()

    def _shown(self) -> None:
        rows = self.listing.model.rows
        if not rows:
            self.rested.emit()
        elif self.listing.front is None:
            self.listing.view.selectRow(0)
        else:
            self.opened.emit(self.listing.front)

    async def _empty(self) -> EmptyState:
        context = self.page.context
        if not context.has_project():
            return EmptyState(
                "no_data",
                tr("No project yet"),
                tr("Everything here belongs to a project; open one first."),
                tr("New project…"),
                lambda: context.commands.run("project.new"),
            )
        if (self.search.text().strip() or self.which.value == "mine") or await self._any():
            return self._nothing_fits()
        found = (await list_connections(self.page.call())).connections
        if not any(one.last_success_at for one in found if one.connector == "chatwoot"):
            return EmptyState(
                "not_synced",
                tr("No conversations have come in yet"),
                tr("Connect Chatwoot and sync it: what clients write is read here."),
                tr("Open connectors"),
                lambda: context.open_page("connectors"),
            )
        return EmptyState(
            "no_data",
            tr("Nobody has written yet"),
            tr("Chatwoot is connected; conversations of its inboxes come in with the next sync."),
            tr("Open connectors"),
            lambda: context.open_page("connectors"),
        )

    async def _any(self) -> bool:
        found = await list_conversations(self.page.call(), ListConversations(limit=1))
        return bool(found.conversations)

    def _nothing_fits(self) -> EmptyState:
        if self.which.value == "waiting" and not self.search.text().strip():
            return EmptyState(
                "filtered",
                tr("Everybody has an answer"),
                tr("No client waits in a conversation that is not resolved."),
                tr("Show everything"),
                self.show_all,
            )
        return EmptyState(
            "filtered",
            tr("Nothing fits these filters"),
            tr("The search looks through names, addresses and subjects. Ask finds words in messages."),
            tr("Show everything"),
            self.show_all,
        )

    # -- whose

    def _narrow(self) -> None:
        if self.which.value == "mine" and not self._my_name:
            start(self, self._team(), self._ask_who)
            return
        self.listing.start_over()

    @property
    def _my_name(self) -> str:
        return self.tower.settings.get(InboxSettings).my_name

    async def _team(self) -> list[str]:
        if not self.page.context.has_project():
            return []
        found = await list_conversations(self.page.call(), ListConversations(limit=_ASKED))
        return sorted({one.assignee_name for one in found.conversations if one.assignee_name})

    def _ask_who(self, names: list[str]) -> None:
        if not names:
            self.which.choose("open")
            self.page.context.toast(tr("No conversation is assigned to anybody yet."))
            return
        dialog = FieldsDialog(
            self.page,
            tr("Who are you in Chatwoot?"),
            [Field("my_name", tr("Your name in Chatwoot"), choices=[(name, name) for name in names])],
            InboxSettings,
            send=partial(self._keep_name),
            then=lambda _: self.listing.start_over(),
            does=tr("That is me"),
            about=tr("Conversations assigned to that name are yours. The settings can change it."),
        )
        dialog.rejected.connect(lambda: self.which.choose("open"))
        dialog.open()

    async def _keep_name(self, body: InboxSettings) -> None:
        await self.tower.settings.change(InboxSettings, {"my_name": body.my_name})

    # -- moving, taking out

    def step(self, by: int) -> None:
        """Bring the next or the one before to the front."""
        rows = self.listing.model.rows
        if rows:
            place = self.listing.view.currentIndex().row() + by
            self.listing.view.selectRow(max(0, min(place, len(rows) - 1)))
            self.listing.view.setFocus()

    async def sheet(self) -> Sheet:
        """All conversations that pass the filters, for a file."""
        rows: list[Conversation] = await self.listing.everything()
        columns: list[Column[Conversation]] = [
            Column(tr("Number"), lambda one: one.conversation_id),
            Column(tr("Client"), who_words),
            Column(tr("Subject"), lambda one: one.subject or ""),
            Column(tr("State"), lambda one: status_words(one.status)),
            Column(tr("Assigned to"), lambda one: one.assignee_name or ""),
            Column(tr("No answer yet"), lambda one: tr("yes") if one.unanswered else tr("no")),
            Column(tr("Last words"), last_words),
            Column(tr("When"), lambda one: one.last_said_at or one.updated_at or one.created_at),
        ]
        cells: list[list[Cell]] = [[one.text(each) for one in columns] for each in rows]
        return Sheet(tr("Conversations"), [one.title for one in columns], cells)
