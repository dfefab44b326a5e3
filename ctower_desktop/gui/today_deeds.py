"""Doing what the queue offers: accept, done, dismiss, put aside; each says how it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ctower_desktop.crm.offers.actions import approve_discount, approve_sending
from ctower_desktop.crm.offers.model import Decision
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.signals_view import restore_signal
from ctower_desktop.gui.text import tr, trn
from ctower_desktop.gui.undo import Back
from ctower_desktop.inbox.outbound.actions import approve_outbound, edit_outbound
from ctower_desktop.inbox.outbound.model import ApproveOutbound, EditOutbound
from ctower_desktop.insight.signals.actions import (
    read_signal,
    set_next_action_status,
    set_signal_status,
)
from ctower_desktop.insight.signals.model import ActionStatus, SetActionStatus, SetSignalStatus, SignalStatus
from ctower_desktop.kernel.tower import Desktop, ProjectRef
from ctower_desktop.operations.system import acknowledge_alert
from ctower_desktop.reports.queue import Deed, QueueItem, Snooze, Until, Wake
from ctower_desktop.reports.queue_actions import put_aside, take_up
from ctower_desktop.work.actions import set_issue_status
from ctower_desktop.work.model import SetIssueStatus

Calls = Callable[[], Desktop]

_SIGNAL: dict[Deed, SignalStatus] = {"accept": "accepted", "done": "done", "dismiss": "dismissed"}
_ACTION: dict[Deed, ActionStatus] = {"accept": "accepted", "done": "done", "dismiss": "dismissed"}


def in_project_of(page: Page, item: QueueItem) -> Calls:
    """Calls of the person at the screen in the project a thing belongs to."""
    if item.project_id is None or item.project_name is None or item.account_scope_id is None:
        return page.call
    project = ProjectRef(item.project_id, item.project_name, item.account_scope_id)
    return lambda: replace(page.call(), project=project)


async def do(call: Calls, item: QueueItem, deed: Deed) -> Back | None:
    """Do it; return how it is taken back, or None for what cannot be."""
    match item.kind:
        case "signal":
            return await _signal(call, item, _SIGNAL[deed])
        case "action":
            return await _action(call, item, _ACTION[deed])
        case "outbound" if deed == "accept":
            await approve_outbound(call(), item.id, ApproveOutbound())
            return lambda: _call(edit_outbound(call(), item.id, EditOutbound()))
        case "issue" if deed == "done":
            await set_issue_status(call(), item.id, SetIssueStatus(status="done"))
            return lambda: _call(set_issue_status(call(), item.id, SetIssueStatus(status="todo")))
        case "alert":
            await acknowledge_alert(call(), int(item.id))
            return None
        case _:
            return await aside(call, item, "changed")


async def approve_offer(call: Calls, item: QueueItem, decision: Decision) -> None:
    """Take an offer its next step: its discount is agreed to, or it is sent."""
    step = approve_sending if item.status == "approved" else approve_discount
    await step(call(), item.id, decision)


async def aside(call: Calls, item: QueueItem, until: Until) -> Back:
    """Put it aside."""
    await put_aside(call(), Snooze(kind=item.kind, id=item.id, until=until))
    return lambda: _call(take_up(call(), Wake(item.kind, item.id)))


async def back(call: Calls, item: QueueItem) -> Back:
    """Have it in the queue again; taken back, it is aside as before."""
    await take_up(call(), Wake(item.kind, item.id))
    at = item.until or ""
    return lambda: _call(put_aside(call(), Snooze(kind=item.kind, id=item.id, until="changed", at=at)))


async def _signal(call: Calls, item: QueueItem, status: SignalStatus) -> Back:
    before = await read_signal(call(), item.id)
    await set_signal_status(call(), item.id, SetSignalStatus(status))
    return lambda: restore_signal(call, before)


async def _action(call: Calls, item: QueueItem, status: ActionStatus) -> Back:
    await set_next_action_status(call(), item.id, SetActionStatus(status))
    before: ActionStatus = "accepted" if item.status == "accepted" else "proposed"
    return lambda: _call(set_next_action_status(call(), item.id, SetActionStatus(before)))


async def _call(work: Any) -> object:
    return await work


def said(deed: str, count: int) -> str:
    """What was done, for the note in passing."""
    known = {
        "accept": lambda: trn("{n} accepted", "{n} accepted", count),
        "done": lambda: trn("{n} done", "{n} done", count),
        "dismiss": lambda: trn("{n} dismissed", "{n} dismissed", count),
        "tomorrow": lambda: trn("{n} put aside until tomorrow", "{n} put aside until tomorrow", count),
        "next_week": lambda: trn("{n} put aside until Monday", "{n} put aside until Monday", count),
        "back": lambda: trn("{n} back in the queue", "{n} back in the queue", count),
    }
    return known[deed]()


def step_words(item: QueueItem) -> tuple[str, str]:
    """The next step of an offer: what it is called, and what follows from it."""
    if item.status == "approved":
        return tr("Send the offer"), tr("From now on its document stays as it is. This is not taken back.")
    return tr("Approve the discount"), tr("Then it can be sent. This is not taken back.")
