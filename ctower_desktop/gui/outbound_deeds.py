"""What one can do with outbound messages: approve, send, call off, say what became of them; and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import msgspec
from PySide6.QtWidgets import QWidget

from ctower_desktop.gui.feedback import ErrorBar
from ctower_desktop.gui.outbound_words import EDITABLE, SENDABLE, error_words
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, trn
from ctower_desktop.gui.undo import undoable
from ctower_desktop.inbox.outbound.actions import (
    approve_outbound,
    cancel_outbound,
    draft_outbound,
    edit_outbound,
    resolve_outbound,
    send_outbound,
)
from ctower_desktop.inbox.outbound.model import (
    ApproveOutbound,
    EditOutbound,
    NewOutbound,
    Outbound,
    OutboundInvalidState,
    ResolveOutbound,
    SentAnswer,
)
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.system import new_id

Outcome = Literal["sent", "not_sent", "check"]


class Outcomes(msgspec.Struct):
    """What became of several at once."""

    done: list[Outbound]
    error: TowerError | None = None


def say(owner: QWidget, error: TowerError) -> None:
    """Say in the nearest error bar what stood in the way."""
    place: QWidget | None = owner
    while place is not None:
        bar = place.findChild(ErrorBar, "error-bar")
        if bar is not None:
            bar.show_error(error_words(error))
            return
        place = place.parentWidget()


class Deeds:
    """The deeds of one page; `after` is called when something is another than before."""

    def __init__(self, page: Page, after: Callable[[], object]) -> None:
        self._page, self._after = page, after
        self.sending: set[str] = set()

    def approve(self, messages: Sequence[Outbound]) -> None:
        """Let drafts go out; this alone sends nothing."""
        drafts = [each for each in messages if each.status == "draft"]
        start(self._page, self._approve(drafts), self._approved)

    async def _approve(self, drafts: Sequence[Outbound]) -> Outcomes:
        found = Outcomes([])
        for each in drafts:
            try:
                answer = await approve_outbound(self._page.call(), each.id, ApproveOutbound())
            except TowerError as error:
                found.error = error
            else:
                found.done.append(answer.outbound)
        return found

    def _approved(self, found: Outcomes) -> None:
        if found.done:
            said = trn(
                "{n} message approved, not sent yet", "{n} messages approved, not sent yet", len(found.done)
            )
            undoable(self._page, said, partial(self._draft_again, [each.id for each in found.done]))
        self._over(found.error)

    async def _draft_again(self, ids: Sequence[str]) -> None:
        """An approval is taken back by an edit that changes nothing; what went out meanwhile stays out."""
        for each in ids:
            try:
                await edit_outbound(self._page.call(), each, EditOutbound())
            except OutboundInvalidState as error:
                raise OutboundInvalidState(error_words(error)) from error

    def send(self, message: Outbound) -> None:
        """Send one message now; what is said afterwards is what the tower knows, not what was hoped for."""
        if message.status in SENDABLE and message.id not in self.sending:
            self.sending.add(message.id)
            start(self._page, self._send(message.id), self._sent, self._over)
            self._after()

    async def _send(self, outbound_id: str) -> SentAnswer:
        try:
            return await send_outbound(self._page.call(), outbound_id)
        finally:
            self.sending.discard(outbound_id)

    def _sent(self, answer: SentAnswer) -> None:
        if answer.dry_run:
            self._page.context.toast(tr("Rehearsed: nothing left this computer."))
        elif answer.outbound.status == "sent":
            self._page.context.toast(tr("Sent."))
        self._after()

    def call_off(self, messages: Sequence[Outbound]) -> None:
        """Call messages off that are not on their way."""
        start(self._page, self._call_off([m for m in messages if m.status in EDITABLE]), self._called_off)

    async def _call_off(self, messages: Sequence[Outbound]) -> Outcomes:
        found = Outcomes([])
        for each in messages:
            try:
                await cancel_outbound(self._page.call(), each.id)
            except TowerError as error:
                found.error = error
            else:
                found.done.append(each)
        return found

    def _called_off(self, found: Outcomes) -> None:
        if found.done:
            said = trn("{n} message called off", "{n} messages called off", len(found.done))
            undoable(self._page, said, partial(self._write_again, found.done))
        self._over(found.error)

    async def _write_again(self, messages: Sequence[Outbound]) -> None:
        for each in messages:
            await self.draft_like(each)

    async def draft_like(self, message: Outbound) -> Outbound:
        """A new draft that says the same to the same recipient; it needs an approval of its own."""
        body = NewOutbound(
            channel=message.channel,
            recipient_ref=message.recipient_ref,
            idempotency_key=new_id(),
            payload=message.payload,
            max_retries=message.max_retries,
            evidence_refs=list(message.evidence_refs),
        )
        return (await draft_outbound(self._page.call(), body)).outbound

    def write_again(self, message: Outbound) -> None:
        """Make a new draft out of one that is over."""
        start(self._page, self.draft_like(message), self._drafted, self._over)

    def _drafted(self, _: Outbound) -> None:
        self._page.context.toast(tr("A new draft was made."))
        self._after()

    def resolve(self, message: Outbound, outcome: Outcome) -> None:
        """Say what became of a message nobody knows about, or have the vendor asked."""
        start(self._page, self._resolve(message.id, outcome), self._resolved, self._over)

    async def _resolve(self, outbound_id: str, outcome: Outcome) -> Outbound:
        answer = await resolve_outbound(self._page.call(), outbound_id, ResolveOutbound(outcome=outcome))
        return answer.outbound

    def _resolved(self, message: Outbound) -> None:
        sent = message.status == "sent"
        self._page.context.toast(tr("Noted: it was sent.") if sent else tr("Noted: it was not sent."))
        self._after()

    def _over(self, error: TowerError | None) -> None:
        self._after()
        if error is not None:
            say(self._page, error)
