"""Outbound messages, what is looked at before they go, and what became of them, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ctower_desktop.gui.feedback import plain_words
from ctower_desktop.gui.text import number, tr, trn, when
from ctower_desktop.inbox.outbound.model import Attempt, ChannelName, Check, Outbound, Payload
from ctower_desktop.kernel.errors import TowerError

TEXT_FIELDS = ("text", "body", "message", "content")  # where a payload may keep what is said
EDITABLE = ("draft", "approved", "failed")
SENDABLE = ("approved", "failed")

Words = Callable[[Mapping[str, Any]], str]


def status_words(status: str) -> str:
    """What a state of a message is called."""
    known = {
        "draft": tr("draft"),
        "approved": tr("approved, not sent"),
        "sending": tr("on its way"),
        "sent": tr("sent"),
        "failed": tr("not sent"),
        "cancelled": tr("called off"),
        "blocked_opt_out": tr("blocked"),
        "uncertain": tr("nobody knows"),
    }
    return known.get(status, status)


def status_look(status: str) -> tuple[str, str]:
    """The figure and the colour of a state."""
    known = {
        "draft": ("…", "text_2"),
        "approved": ("→", "info"),
        "sending": ("→", "info"),
        "sent": ("✓", "success"),
        "failed": ("!", "danger"),
        "cancelled": ("×", "text_3"),
        "blocked_opt_out": ("×", "warning"),
        "uncertain": ("?", "warning"),
    }
    return known.get(status, ("…", "text_2"))


def channel_words(channel: str) -> str:
    """What a channel is called."""
    return {"email": tr("E-mail"), "chatwoot": "Chatwoot", "telegram": "Telegram", "loops": "Loops"}.get(
        channel, channel
    )


def channels() -> list[tuple[ChannelName, str]]:
    """All channels and what they are called."""
    names: tuple[ChannelName, ...] = ("email", "chatwoot", "telegram", "loops")
    return [(name, channel_words(name)) for name in names]


def missing_words(channel: str) -> str:
    """What a channel needs before it can send."""
    known = {
        "email": tr("The mail server has no address or sender yet."),
        "chatwoot": tr("Chatwoot is not connected yet."),
        "telegram": tr("The bot has no token yet."),
        "loops": tr("Loops is not connected yet."),
    }
    return known.get(channel, tr("It is not set up yet."))


def recipient_words(message: Outbound) -> str:
    """Who a message is for."""
    return message.recipient_name or message.recipient_ref


def said_in(payload: Payload) -> str:
    """What a message says, as far as it is text."""
    for name in (*TEXT_FIELDS, "html"):
        value = payload.get(name)
        if isinstance(value, str) and value.strip():
            return value
    template = payload.get("template")
    return tr("Template {name}", name=template) if template else ""


def state_sentence(message: Outbound, now: datetime, *, by_itself: bool, dry_run: bool) -> str:
    """Where a message stands and what comes next."""
    at = message.sent_at or message.updated_at
    match message.status:
        case "draft":
            return tr("A draft. It goes nowhere before somebody approves it.")
        case "approved":
            return _approved(message, now, by_itself=by_itself, dry_run=dry_run)
        case "sending":
            return tr("It is being handed over now.")
        case "sent":
            return tr("Sent {time}.", time=when(at, now))
        case "failed":
            return tr("It was not sent: {reason}", reason=reason_words(message.last_error))
        case "cancelled":
            return _called_off(message)
        case "blocked_opt_out":
            return tr("It was not sent: the recipient wants no messages on this channel.")
        case "uncertain":
            return tr("Nobody knows whether it went out. It is not sent again unless somebody says so.")


def _approved(message: Outbound, now: datetime, *, by_itself: bool, dry_run: bool) -> str:
    by = message.approved_by or ""
    if message.dry_run_at is not None and dry_run:
        time = when(message.dry_run_at, now)
        return tr("Rehearsed {time}; nothing left this computer.", time=time)
    if message.next_attempt_at is not None and message.last_error:
        return tr(
            "Approved by {name}, not sent yet: {reason} Next try {time}.",
            name=by, reason=reason_words(message.last_error), time=when(message.next_attempt_at, now),
        )  # fmt: skip
    if by_itself:
        return tr("Approved by {name}. Not sent yet; it goes out by itself within five minutes.", name=by)
    return tr("Approved by {name}. Not sent yet; somebody has to press send.", name=by)


def _called_off(message: Outbound) -> str:
    if message.last_error == "recipient_replied":
        return tr("Called off by itself: the recipient wrote after the approval. Read the answer first.")
    return tr("Called off; it was not sent.")


def reason_words(error: str | None) -> str:
    """Why a message did not go out; a vendor's own sentence stays as it is."""
    if not error:
        return tr("no reason was noted.")
    code, _, rest = error.partition(":")
    known = {
        "recipient_opted_out": tr("the recipient wants no messages here."),
        "recipient_replied": tr("the recipient wrote in the meantime."),
        "frequency_cap_reached": tr("they were written to often enough for now."),
        "outbound_quiet_hours": tr("it is quiet time."),
        "channel_not_configured": tr("the channel is not set up."),
        "outbound_disabled": tr("sending is switched off."),
        "outbound_incomplete": tr("there is nothing in it to send."),
        "recipient_unresolved": tr("it is not known where to reach them."),
        "force_fail": tr("it is a drill that always fails."),
    }
    return known.get(code.strip(), error if code not in known else rest.strip())


def error_words(error: TowerError) -> str:
    """What stood in the way, for people."""
    known = {
        "outbound_exists": tr("The same words for the same recipient are there already."),
        "outbound_invalid_state": tr("It is in another state meanwhile; look at it again."),
        "outbound_blocked_opt_out": tr("Not sent: the recipient wants no messages on this channel."),
        "outbound_blocked_stop_on_reply": tr(
            "Not sent: they wrote after the approval. Read the answer first."
        ),
        "frequency_cap_reached": tr("Not sent: they were written to often enough for now."),
        "outbound_quiet_hours": tr("Not sent: it is quiet time. It waits until that is over."),
        "outbound_disabled": tr("Not sent: sending is switched off for the whole program."),
        "outbound_incomplete": tr("Not sent: there is nothing in it to send."),
        "recipient_unresolved": tr("Not sent: it is not known where to reach them."),
        "channel_not_configured": tr("Not sent: the channel is not set up."),
        "outbound_send_failed": tr("Not sent: {reason}", reason=str(error)),
        "outbound_uncertain": tr("Nobody knows whether it was sent: {reason}", reason=str(error)),
        "outbound_cannot_check": tr(
            "This channel cannot be asked. Look for yourself, then say what you found."
        ),
        "invalid_request": plain_words(error),
    }
    return known.get(error.code, plain_words(error))


def check_words(check: Check, now: datetime) -> str:
    """What was looked at and how it stands."""
    good, bad = _checks(now).get(check.name, (None, None))
    words = good if check.passed else bad
    return words(check.facts) if words else check.message


def waits(check: Check) -> bool:
    """Whether it is no obstacle but the next step: a draft waits for approval."""
    return check.name == "state" and check.facts.get("status") == "draft"


def _checks(now: datetime) -> dict[str, tuple[Words, Words]]:
    return {
        "enabled": (
            lambda _: tr("Sending is switched on."),
            lambda _: tr("Sending is switched off for the whole program."),
        ),
        "state": (
            lambda f: tr("Approved by {name}.", name=f.get("approved_by") or ""),
            lambda f: (
                tr("Waits for approval.")
                if f.get("status") == "draft"
                else tr("Its state is: {state}.", state=status_words(str(f.get("status"))))
            ),
        ),
        "opt_out": (
            lambda _: tr("The recipient has not opted out."),
            lambda _: tr("The recipient wants no messages on this channel."),
        ),
        "stop_on_reply": (
            lambda _: tr("No answer has come since the approval."),
            lambda f: tr("They wrote {time}, after the approval.", time=when(str(f["heard_at"]), now)),
        ),
        "frequency_cap": (_often, lambda f: tr("Often enough for now: {count}", count=_often(f))),
        "quiet_hours": (
            lambda _: tr("It is not quiet time."),
            lambda f: tr("It is quiet time until {time}; the message waits.", time=f.get("until", "")),
        ),
        "force_fail": (
            lambda _: tr("It is not a drill."),
            lambda _: tr("It is a drill: it always fails and is never sent."),
        ),
        "content": (
            lambda _: tr("There is something to send."),
            lambda _: tr("There is nothing in it to send, or it does not fit the channel."),
        ),
        "recipient": (
            lambda f: tr("Goes to {address}.", address=f.get("to", "")),
            lambda _: tr("It is not known where to reach them on this channel."),
        ),
        "channel": (
            lambda f: (
                tr("{channel} is set up.", channel=f.get("title", ""))
                if not f.get("missing")
                else tr(
                    "{channel} is not set up, which a rehearsal does not need.", channel=f.get("title", "")
                )
            ),
            lambda f: tr("{channel} is not set up.", channel=f.get("title", "")),
        ),
    }


def _often(facts: Mapping[str, Any]) -> str:
    hours = int(facts.get("hours", 0))
    return tr(
        "{sent} of {cap} messages in {time}.",
        sent=number(facts.get("sent", 0)),
        cap=number(facts.get("cap", 0)),
        time=trn("{n} hour", "{n} hours", hours),
    )


def attempt_words(attempt: Attempt, now: datetime) -> str:
    """A try to send a message, and how it ended."""
    ends = {
        "sending": tr("on its way"),
        "sent": tr("sent"),
        "failed": tr("refused by the vendor") if attempt.refused else tr("not sent"),
        "uncertain": tr("nobody knows"),
        "dry_run": tr("rehearsed, nothing sent"),
    }
    parts = (
        tr("Try {n}", n=number(attempt.attempt_no)),
        when(attempt.started_at, now),
        attempt.actor_username,
        ends[attempt.status],
        attempt.error or "",
    )
    return " · ".join(part for part in parts if part)
