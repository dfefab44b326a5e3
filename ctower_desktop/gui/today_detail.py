"""A thing of the queue in full: why it is there, and the record it stands for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from PySide6.QtWidgets import QWidget

from ctower_desktop.crm.offers.actions import read_offer, read_offer_document
from ctower_desktop.crm.offers.model import ReadDocument
from ctower_desktop.gui.crm_document import Sheet
from ctower_desktop.gui.detail import Target, read_record
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import LinkLine, RecordView
from ctower_desktop.gui.signals_view import Around, SignalDetail
from ctower_desktop.gui.text import money, number, tr, when
from ctower_desktop.gui.thread import MOST, ConversationView
from ctower_desktop.gui.today_deeds import in_project_of
from ctower_desktop.gui.today_words import (
    about_words,
    due_words,
    kind_words,
    urgency_sentence,
    urgency_token,
    urgency_words,
)
from ctower_desktop.gui.widgets import Badge, Button, Card, Label, row
from ctower_desktop.inbox.outbound.actions import preview_outbound
from ctower_desktop.insight.signals.actions import read_signal
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.reports.queue import QueueItem


class InQueue(Around, Protocol):
    """The list a thing stands in."""

    page: Page


async def queue_detail(view: InQueue, item: QueueItem) -> QWidget:
    """Read what a thing stands for, and draw it."""
    call = in_project_of(view.page, item)()
    readers: dict[str, Callable[[], Awaitable[RecordView]]] = {
        "waiting": lambda: _record(view, call, Target("conversation", item.id, item.place)),
        "issue": lambda: _record(view, call, Target("issue", item.id)),
        "signal": lambda: _signal(view, call, item.id),
        "action": lambda: _action(view, call, item),
        "offer": lambda: _offer(view, call, item),
        "outbound": lambda: _outbound(view, call, item),
        "alert": lambda: _alert(view, item),
    }
    found = await readers[item.kind]()
    found.column.insertWidget(0, _head(view, item))
    return found


def _head(view: InQueue, item: QueueItem) -> Card:
    """Why it is in the queue."""
    now = view.tower.clock.now()
    card = Card(margin=12, spacing=4)
    badge = Badge(tr("{n} · {word}", n=item.urgency, word=urgency_words(item.urgency)),
                  urgency_token(item.urgency))  # fmt: skip
    badge.setToolTip(urgency_sentence(item))
    badge.setAccessibleName(urgency_sentence(item))
    since = when(item.since, now) if "T" in item.since else ""
    parts = (
        about_words(item),
        item.project_name or tr("the whole tower"),
        tr("since {time}", time=since) if since else "",
        due_words(item),
    )
    words = Label(" · ".join(part for part in parts if part), "meta", "text_2", wrap=True)
    words.setMinimumWidth(1)
    card.body.addLayout(row(badge, Label(kind_words(item.kind), "label"), 0))
    card.body.addWidget(words)
    return card


async def _record(view: InQueue, call: Desktop, target: Target) -> RecordView:
    found = await read_record(call, target)
    found.asked.connect(lambda kind, of: view.open_source(Target(kind, of)))
    if isinstance(found, ConversationView):
        whole = Target(target.kind, target.id, target.cited, limit=MOST)
        found.more.connect(partial(view.open_source, whole))
    return found


async def _signal(view: InQueue, call: Desktop, signal_id: str) -> RecordView:
    return SignalDetail(view, await read_signal(call, signal_id))


async def _action(view: InQueue, call: Desktop, item: QueueItem) -> RecordView:
    if item.place:
        return await _signal(view, call, item.place)
    found = RecordView(kind_words(item.kind), item.title)
    found.fact(tr("Owner"), item.about)
    found.column.addStretch(1)
    return found


async def _offer(view: InQueue, call: Desktop, item: QueueItem) -> RecordView:
    offer = (await read_offer(call, item.id)).offer
    document = await read_offer_document(call, item.id, ReadDocument("markdown"))
    found = RecordView(item.about, offer.title)
    found.fact(tr("Total"), money(offer.total, offer.currency))
    found.fact(tr("Let off"), tr("{percent} %", percent=number(offer.granted_pct, 1)))
    found.fact(tr("Written by"), offer.created_by)
    found.column.addWidget(_way(view, tr("Open the sales"), "crm"))
    sheet = Sheet(tr("Document"))
    found.column.addWidget(sheet)
    sheet.show_markdown(document.content.decode())
    found.column.addStretch(1)
    return found


async def _outbound(view: InQueue, call: Desktop, item: QueueItem) -> RecordView:
    preview = await preview_outbound(call, item.id)
    shown = preview.rendered
    found = RecordView(f"{item.place} · {item.about}", (shown.subject if shown else None) or "")
    if shown is not None:
        found.fact(tr("To"), shown.to_name or shown.to)
        found.text(shown.text or shown.template or "")
    failing = [check for check in preview.checks if not check.passed]
    words = tr("It could go out now.") if not failing else tr("It could not go out now:")
    found.column.addWidget(Label(words, "meta", "warning" if failing else "success", wrap=True))
    for check in failing:
        found.column.addWidget(Label(check.message, "meta", "text_2", wrap=True))
    found.column.addWidget(_way(view, tr("Open outbound"), "outbound"))
    found.column.addStretch(1)
    return found


async def _alert(view: InQueue, item: QueueItem) -> RecordView:
    found = RecordView(item.about, item.title)
    found.fact(tr("Rule"), item.place)
    found.column.addWidget(_way(view, tr("Open the system page"), "system"))
    found.column.addStretch(1)
    return found


def _way(view: InQueue, words: str, page: str) -> Button:
    line = LinkLine(words)
    line.clicked.connect(partial(_go, view, page))
    return line


def _go(view: InQueue, page: str, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's
    view.page.context.open_page(page)
