"""The messages that go out: by state, each with its checks; many drafts approved at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QWidget

from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.outbound_deeds import Deeds
from ctower_desktop.gui.outbound_message import MessageView, read_in_full
from ctower_desktop.gui.outbound_new import NewMessageDialog
from ctower_desktop.gui.outbound_words import (
    EDITABLE,
    channel_words,
    reason_words,
    recipient_words,
    said_in,
    status_look,
    status_words,
)
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.text import ago, tr
from ctower_desktop.gui.worklist import Deed, WorkList
from ctower_desktop.inbox.outbound.actions import list_outbound
from ctower_desktop.inbox.outbound.model import ListOutbound, Outbound
from ctower_desktop.kernel.errors import TowerError

TABLES = {"outbound_message", "outbound_attempt", "channel_policy", "channel_test"}
_MOST, _LAST = 200, 10_000  # what the action gives at a time, and how far it leaves out
_WORDS = 160


class MessagesView(WorkList):
    """The list of outbound messages and the one in front."""

    def __init__(self, page: Page) -> None:
        self.status = Chips(
            tr("State"),
            [
                ("", tr("All")),
                ("draft", tr("Drafts")),
                ("approved", tr("Approved")),
                ("sent", tr("Sent")),
                ("failed", tr("Not sent")),
                ("uncertain", tr("Nobody knows")),
                ("cancelled", tr("Called off")),
                ("blocked_opt_out", tr("Blocked")),
            ],
        )
        many = (
            Deed("approve", tr("Approve"), self._approve, lambda m: m.status == "draft", primary=True),
            Deed("call_off", tr("Call off"), self._call_off, lambda m: m.status in EDITABLE),
        )
        self.deeds_ = Deeds(page, self._again)
        super().__init__(page, tr("Messages"), tables=TABLES, deeds=many, chips=(self.status,), most=_MOST)
        self.message: MessageView | None = None

    def _approve(self, rows: list[Any]) -> None:
        self.deeds_.approve(rows)

    def _call_off(self, rows: list[Any]) -> None:
        self.deeds_.call_off(rows)

    def _again(self) -> None:
        self.refresh()

    # -- the list

    async def read(self, offset: int, limit: int) -> list[Any]:
        """Messages, the newest first."""
        if offset > _LAST:
            return []
        query = ListOutbound(status=self.status.value, limit=min(limit, _MOST), offset=offset)
        return list((await list_outbound(self.call(), query)).outbound)

    def line(self, row_: Outbound) -> RowLine:
        """Whom it is for, where it stands, how it begins."""
        mark, token = status_look(row_.status)
        begins = " ".join(said_in(row_.payload)[: _WORDS * 2].split())[:_WORDS]
        parts = (status_words(row_.status), channel_words(row_.channel), begins)
        return RowLine(
            mark=mark,
            token=token,
            title=recipient_words(row_),
            meta=" · ".join(part for part in parts if part),
            aside=ago(row_.updated_at, self.tower.clock.now()),
            strong=row_.status in {"draft", "failed", "uncertain"},
        )

    def words(self, row_: Outbound) -> str:
        """The search looks through the whole text."""
        subject = row_.payload.get("subject") or ""
        return "\n".join((self.line(row_).spoken, row_.recipient_ref, str(subject), said_in(row_.payload)))

    def columns(self) -> Sequence[Column[Outbound]]:
        """The columns of a file."""
        return (
            Column(tr("Recipient"), recipient_words),
            Column(tr("Channel"), lambda m: channel_words(m.channel)),
            Column(tr("State"), lambda m: status_words(m.status)),
            Column(tr("Text"), lambda m: said_in(m.payload)),
            Column(tr("Written"), lambda m: m.created_at),
            Column(tr("Approved by"), lambda m: m.approved_by or ""),
            Column(tr("Sent"), lambda m: m.sent_at or ""),
            Column(tr("What happened"), lambda m: reason_words(m.last_error) if m.last_error else ""),
        )

    def nothing(self) -> EmptyState:
        """Nobody has written anything yet."""
        return EmptyState(
            "no_data",
            tr("No messages yet"),
            tr("Drafts are made here, in the inbox and by next actions. Nothing goes out unapproved."),
            tr("New message…"),
            self.write,
        )

    async def _empty(self) -> EmptyState:
        """Messages are written here: nothing has to be synced first."""
        if self.page.context.has_project() and not self.filtered:
            return self.nothing()
        return await super()._empty()

    # -- the one in front

    async def detail(self, row_: Outbound) -> QWidget:
        """A message in full, in the same widget as long as one is in front."""
        found = await read_in_full(self.call(), row_.id)
        if self.message is None or self.message is not self.facts.widget():
            self.message = MessageView(self.page, self.deeds_)
        self.message.show_message(found)
        return self.message

    def rest(self) -> None:
        """Nothing is in front."""
        self.message = None
        super().rest()

    def _failed(self, error: TowerError) -> None:
        self.message = None
        super()._failed(error)

    def _choice(self) -> None:
        """The deeds above are for many; one alone has its own below."""
        super()._choice()
        many = len(self.listing.chosen) > 1
        for button in self.buttons.values():
            button.setVisible(many)

    def press(self, name: str) -> None:
        """The key of a deed: for all that are chosen, else for the one in front."""
        if len(self.listing.chosen) > 1:
            self.do(name)
        elif self.message is not None:
            self.message.do(name)

    def show_uncertain(self) -> None:
        """Only what nobody knows the fate of."""
        self.status.choose("uncertain")

    # -- writing

    def write(self) -> None:
        """Begin a new message."""
        dialog = NewMessageDialog(self.page)
        dialog.made.connect(self._made)
        dialog.open()

    def _made(self, message: Outbound) -> None:
        self.listing.choose(message.id)
        self.show_all()
