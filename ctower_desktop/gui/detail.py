"""The right pane: opens the record a piece of evidence comes from, and whatever hangs together with it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout

from ctower_desktop.connectors.settings import ChatwootSettings
from ctower_desktop.crm.actions import list_deals, read_deal
from ctower_desktop.crm.model import Deal, ListDeals
from ctower_desktop.gui import tasks
from ctower_desktop.gui.feedback import EmptyState, plain_words
from ctower_desktop.gui.links import conversation_url, is_web, open_link
from ctower_desktop.gui.records import RecordView, deal_view, issue_view, linked, text_view
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.thread import FIRST, MOST, ConversationView
from ctower_desktop.gui.widgets import Button, IconButton, LinkButton, row
from ctower_desktop.inbox.actions import read_conversation
from ctower_desktop.inbox.model import ReadThread, Thread
from ctower_desktop.kernel.errors import NotFound, TowerError
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.search import words
from ctower_desktop.search.model import EvidenceItem
from ctower_desktop.work.actions import list_issues, read_issue
from ctower_desktop.work.model import Issue, ListIssues

Kind = Literal["conversation", "issue", "deal", "note", "text"]

_ISSUE = re.compile(r"[a-z]{1,10}-\d+")
_MENTIONS = 5  # issues named in a conversation that are looked up
_NEIGHBOURS = 5  # deals of the same company


@dataclass(frozen=True)
class Target:
    """What to open: `cited` is the message, comment or note in it that the evidence is."""

    kind: Kind
    id: str
    cited: str = ""
    item: EvidenceItem | None = None
    limit: int = FIRST


def target_of(item: EvidenceItem) -> Target:
    """The record a piece of evidence is part of."""
    about, pk = item.metadata, item.source_pk
    match item.source_type:
        case "chatwoot_message":
            return Target("conversation", str(about.get("conversation_global_id") or ""), pk, item)
        case "linear_issue":
            return Target("issue", pk, "", item)
        case "linear_comment":
            return Target("issue", str(about.get("issue_id") or ""), pk, item)
        case "attio_opportunity":
            return Target("deal", pk, "", item)
        case "attio_note":
            return Target("note", str(about.get("parent_external_id") or ""), pk, item)
        case _:
            return Target("text", pk, pk, item)


class DetailPane(QFrame):
    """One record at a time, with a way back to those that were open before."""

    judged = Signal(object)  # EvidenceItem that is not to the point

    def __init__(self, call: Callable[[], Desktop]) -> None:
        super().__init__()
        self.setProperty("panel", True)
        self.setMinimumWidth(320)
        self._call = call
        self._history: list[Target] = []
        self._task: asyncio.Task[Any] | None = None
        self._anchored = False
        self.target: Target | None = None
        self.view: RecordView | None = None
        self.back = IconButton("back", tr("Back to what was open before"))
        self.back.clicked.connect(self.go_back)
        self.vendor = Button(tr("Open in the browser"), icon="link")
        self.vendor.clicked.connect(lambda: open_link((self.view.url if self.view else None) or ""))
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(tr("Where the evidence comes from"))
        self.area.verticalScrollBar().rangeChanged.connect(lambda *_: self._to_anchor())
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        head = row(self.back, 0)
        head.setContentsMargins(12, 8, 12, 0)
        column.addLayout(head)
        column.addWidget(self.area, 1)
        self.astray = LinkButton(tr("Not to the point"), "thumb-down")
        self.astray.setToolTip(tr("Lets this piece sink for questions with these words"))
        self.astray.clicked.connect(self._judge)
        foot = row(self.vendor, 0, self.astray)
        foot.setContentsMargins(20, 8, 20, 12)
        column.addLayout(foot)
        self.clear()

    def clear(self) -> None:
        """Show nothing, and say what will be here."""
        self._stop()
        self._history.clear()
        self.target = None
        self._show(
            EmptyState(
                "no_data",
                tr("The source opens here"),
                tr("Choose a piece of evidence to read it where it was written."),
            )
        )

    def open_evidence(self, item: EvidenceItem) -> None:
        """Open the record of a piece of evidence."""
        self.open_target(target_of(item))

    def open_target(self, target: Target) -> None:
        """Open a record at what is cited in it."""
        self._history.clear()
        self._open(target)

    def open_record(self, kind: Kind, of: str) -> None:
        """Open another record; the one before can be returned to."""
        if self.target is not None:
            self._history.append(self.target)
        self._open(Target(kind, of))

    def go_back(self) -> None:
        """Return to what was open before."""
        if self._history:
            self._open(self._history.pop())

    def reload(self) -> None:
        """Read the open record again."""
        if self.target is not None and self.target.kind != "text":
            self._open(self.target, keep=True)

    def _open(self, target: Target, *, keep: bool = False) -> None:
        self._stop()
        self.target = target
        place = self.area.verticalScrollBar().value() if keep else None
        work = read_record(self._call(), target)
        self._task = tasks.start(self, work, lambda view: self._show_view(view, place), self._failed)

    def _judge(self) -> None:
        if self.target is not None and self.target.item is not None:
            self.judged.emit(self.target.item)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _failed(self, error: TowerError) -> None:
        if isinstance(error, NotFound):
            title, sentence = tr("It is no longer there"), tr("The vendor has removed it since it was found.")
        else:
            title, sentence = tr("It could not be read"), plain_words(error)
        self._show(EmptyState("failed", title, sentence, tr("Try again"), self.reload))

    def _show_view(self, view: RecordView, place: int | None) -> None:
        view.asked.connect(self._asked)
        if isinstance(view, ConversationView):
            view.more.connect(self._more)
        self._anchored = place is not None
        self._show(view)
        if place is None:
            QTimer.singleShot(0, self, self._to_anchor)
            QTimer.singleShot(300, self, self._arrived)
        else:
            QTimer.singleShot(0, self, lambda: self.area.verticalScrollBar().setValue(place))

    def _asked(self, kind: Kind, of: str) -> None:
        self.open_record(kind, of)

    def _more(self) -> None:
        if self.target is not None:
            self._open(replace(self.target, limit=min(MOST, self.target.limit * 4)), keep=False)

    def _show(self, widget: RecordView | EmptyState) -> None:
        self.view = widget if isinstance(widget, RecordView) else None
        self.area.setWidget(widget)
        self.back.setVisible(bool(self._history))
        known = self.view is not None and is_web(self.view.url)
        self.vendor.setVisible(known)
        self.astray.setVisible(
            self.view is not None and self.target is not None and self.target.item is not None
        )
        if self.view is not None and known:
            self.vendor.setText(self.view.vendor)
            self.vendor.setAccessibleName(self.view.vendor)

    def _to_anchor(self) -> None:
        """Bring what is cited into sight, until the reader takes over."""
        if self._anchored or self.view is None or self.view.anchor is None:
            return
        self.area.ensureWidgetVisible(self.view.anchor, 0, 120)

    def _arrived(self) -> None:
        self._anchored = True


async def read_record(call: Desktop, target: Target) -> RecordView:
    """Read a record and draw it."""
    now = call.tower.clock.now()
    readers: dict[Kind, Callable[[], Awaitable[RecordView]]] = {
        "conversation": lambda: _conversation(call, target),
        "issue": lambda: _issue(call, target),
        "deal": lambda: _deal(call, target.id, target.cited),
        "note": lambda: _note(call, target),
    }
    if target.kind in readers:
        return await readers[target.kind]()
    assert target.item is not None, "only evidence is shown as text"
    return text_view(target.item, now)


async def _conversation(call: Desktop, target: Target) -> RecordView:
    query = ReadThread(message_id=target.cited, limit=target.limit)
    thread = await read_conversation(call, target.id, query)
    view = ConversationView(thread, target.cited, call.tower.clock.now())
    view.url = conversation_url(call.tower.settings.get(ChatwootSettings), thread.conversation)
    view.vendor = tr("Open in Chatwoot")
    company = thread.contact.company_name if thread.contact else None
    linked(view, await mentioned_issues(call, thread), await deals_of(call, company))
    view.column.addStretch(1)
    return view


async def _issue(call: Desktop, target: Target) -> RecordView:
    view = issue_view(await read_issue(call, target.id), target.cited, call.tower.clock.now())
    view.column.addStretch(1)
    return view


async def _deal(call: Desktop, deal_id: str, cited: str) -> RecordView:
    found = await read_deal(call, deal_id)
    view = deal_view(found, cited, call.tower.clock.now())
    others = await deals_of(call, found.deal.company_name)
    linked(view, [], [deal for deal in others if deal.id != deal_id])
    view.column.addStretch(1)
    return view


async def _note(call: Desktop, target: Target) -> RecordView:
    """A note stands with the deal it is about, or with one of the company's; else by itself."""
    deals = (await list_deals(call, ListDeals(limit=500))).deals
    for found in (d.id for d in deals if target.id in (d.external_id, d.account_external_id)):
        return await _deal(call, found, target.cited)
    assert target.item is not None, "a note is only reached as evidence"
    return text_view(target.item, call.tower.clock.now())


async def mentioned_issues(call: Desktop, thread: Thread) -> list[Issue]:
    """Issues that are named in a conversation."""
    named = dict.fromkeys(
        name
        for message in thread.messages
        for name in words.identifiers(message.content)
        if _ISSUE.fullmatch(name)
    )
    found = []
    for name in list(named)[:_MENTIONS]:
        listed = (await list_issues(call, ListIssues(q=name, limit=20))).issues
        found += [issue for issue in listed if issue.identifier.casefold() == name]
    return found


async def deals_of(call: Desktop, company: str | None) -> list[Deal]:
    """Deals with a company."""
    if not company:
        return []
    listed = (await list_deals(call, ListDeals(q=company, limit=50))).deals
    return [deal for deal in listed if deal.company_name == company][:_NEIGHBOURS]
