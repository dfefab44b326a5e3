"""Everything that is looked at before a message goes out, in its order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ctower_desktop.inbox.outbound.content import Content, checked, wants_failure
from ctower_desktop.inbox.outbound.model import (
    BlockedByOptOut,
    BlockedByReply,
    ChannelNotConfigured,
    Check,
    FrequencyCapReached,
    Outbound,
    OutboundDisabled,
    OutboundIncomplete,
    OutboundInvalidState,
    QuietHours,
    RecipientUnresolved,
    Rendered,
    SendFailed,
    Status,
)
from ctower_desktop.inbox.outbound.policy import CAP_DELAY, Ruling
from ctower_desktop.inbox.outbound.recipients import Recipient
from ctower_desktop.inbox.outbound.rendering import Talk, rendered
from ctower_desktop.inbox.outbound.settings import OutboundSettings
from ctower_desktop.kernel.errors import Invalid, TowerError
from ctower_desktop.kernel.regional import Regional, local, quiet_until
from ctower_desktop.kernel.system import as_text

_UNCONFIGURED_DELAY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What does not depend on the message: the hour, the switches, the channel."""

    now: datetime
    regional: Regional
    settings: OutboundSettings
    title: str
    missing: str | None  # what the channel still needs
    sender: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A message with all that bears upon it."""

    message: Outbound
    recipient: Recipient
    ruling: Ruling
    on_its_way: int  # messages to them that are being sent or of which nobody knows
    heard_at: str | None  # when they wrote last, as far as it was read from the vendor
    talk: Talk | None


@dataclass(frozen=True, slots=True)
class Block:
    """Why a message does not go out, and what becomes of it."""

    error: TowerError
    reason: str
    status: Status | None = None  # None: it stays what it is
    next_attempt_at: datetime | None = None
    keeps_next: bool = False  # the time of the next try is not touched
    audit: str | None = None
    failed: bool = False  # counts as a try that failed


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: passed, or what stands in the way."""

    name: str
    message: str
    block: Block | None = None
    rendered: Rendered | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def check(self) -> Check:
        """As it is shown."""
        words = str(self.block.error) if self.block else self.message
        return Check(self.name, self.block is None, words, dict(self.facts))


def findings(case: Case, around: Circumstances) -> Iterator[Finding]:
    """Every check in order; the first with a block decides."""
    for look in _IN_ORDER:
        yield look(case, around)


def _switch(case: Case, around: Circumstances) -> Finding:
    block = None
    if not around.settings.enabled:
        block = Block(OutboundDisabled(), OutboundDisabled.code, keeps_next=True)
    return Finding("enabled", "Sending is switched on.", block)


def _state(case: Case, around: Circumstances) -> Finding:
    status, block = case.message.status, None
    if status not in ("approved", "failed"):
        hint = " Approve it first." if status == "draft" else ""
        error = OutboundInvalidState(f"The message is {status.replace('_', ' ')}.{hint}")
        block = Block(error, OutboundInvalidState.code, keeps_next=True)
    facts = {"status": status, "approved_by": case.message.approved_by}
    return Finding("state", f"Approved by {case.message.approved_by}.", block, facts=facts)


def _opt_out(case: Case, around: Circumstances) -> Finding:
    block = None
    if case.ruling.opted_out:
        block = Block(
            BlockedByOptOut(), "recipient_opted_out", "blocked_opt_out", audit="outbound.opt_out_block"
        )
    return Finding("opt_out", "The recipient has not opted out.", block)


def _reply(case: Case, around: Circumstances) -> Finding:
    approved, block = case.message.approved_at, None
    heard = max(filter(None, (case.heard_at, case.ruling.last_inbound_at)), default=None)
    if case.ruling.stop_on_reply and approved is not None and heard is not None and heard > approved:
        error = BlockedByReply(f"The recipient wrote at {heard}, after the message was approved.")
        block = Block(error, "recipient_replied", "cancelled", audit="outbound.stop_on_reply_block")
    return Finding(
        "stop_on_reply", "No answer has come since the approval.", block, facts={"heard_at": heard}
    )


def _frequency(case: Case, around: Circumstances) -> Finding:
    ruling, block = case.ruling, None
    used = ruling.sent_in_window + case.on_its_way
    words = f"{used} of {ruling.cap} messages in {ruling.window_hours} h."
    if used >= ruling.cap:
        error = FrequencyCapReached(f"The recipient got {words}", retry_after=CAP_DELAY.total_seconds())
        block = Block(
            error,
            FrequencyCapReached.code,
            "failed",
            around.now + CAP_DELAY,
            audit="outbound.frequency_cap_block",
        )
    facts = {"sent": used, "cap": ruling.cap, "hours": ruling.window_hours}
    return Finding("frequency_cap", words, block, facts=facts)


def _quiet(case: Case, around: Circumstances) -> Finding:
    until, block, facts = quiet_until(around.now, around.regional), None, {}
    if until is not None:
        facts["until"] = f"{local(until, around.regional):%H:%M}"
        error = QuietHours(f"It is quiet time until {facts['until']}; the message waits until then.")
        block = Block(error, QuietHours.code, next_attempt_at=until)
    return Finding("quiet_hours", "It is not quiet time.", block, facts=facts)


def _drill(case: Case, around: Circumstances) -> Finding:
    block = None
    if wants_failure(case.message.payload):
        error = SendFailed("The message asks to fail (force_fail); it is never sent.")
        block = Block(error, "force_fail", failed=True)
    return Finding("force_fail", "The message is not a drill.", block)


def _content(case: Case, around: Circumstances) -> Finding:
    try:
        found = checked(case.message.channel, case.message.payload)
    except Invalid as error:
        return Finding("content", "", _hopeless(OutboundIncomplete(str(error))))
    block = _hopeless(OutboundIncomplete()) if found.empty else None
    return Finding("content", "There is something to send.", block)


def _recipient(case: Case, around: Circumstances) -> Finding:
    try:
        content = checked(case.message.channel, case.message.payload)
    except Invalid:
        content = Content()
    try:
        found = rendered(case.message.channel, content, case.recipient, case.talk, around.sender)
    except RecipientUnresolved as error:
        return Finding("recipient", "", _hopeless(error))
    return Finding("recipient", f"Goes to {found.to}.", rendered=found, facts={"to": found.to})


def _channel(case: Case, around: Circumstances) -> Finding:
    facts = {"title": around.title, "missing": around.missing}
    if around.missing is None:
        return Finding("channel", f"{around.title} is set up.", facts=facts)
    if around.settings.dry_run:
        words = f"{around.title} is not set up, which a rehearsal does not need."
        return Finding("channel", words, facts=facts)
    error = ChannelNotConfigured(f"{around.title} is not set up: {around.missing}. Nothing was sent.")
    later = around.now + _UNCONFIGURED_DELAY
    block = Block(error, ChannelNotConfigured.code, next_attempt_at=later)
    return Finding("channel", "", block, facts=facts)


def _hopeless(error: TowerError) -> Block:
    """Nothing that time would mend: somebody has to change the message."""
    return Block(error, f"{error.code}: {error}", "failed")


_IN_ORDER: tuple[Callable[[Case, Circumstances], Finding], ...] = (
    _switch, _state, _opt_out, _reply, _frequency, _quiet, _drill, _content, _recipient, _channel,
)  # fmt: skip


def next_text(at: datetime | None) -> str | None:
    """A moment as stored, if there is one."""
    return as_text(at) if at is not None else None
