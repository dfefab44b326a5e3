"""What an outbound message, a try to send it and a recipient's rules are, as stored and as served."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.accounts.model import EvidenceRef
from ctower_desktop.kernel.errors import Conflict, NotFound, TooMany, Upstream

ChannelName = Literal["email", "chatwoot", "telegram", "loops"]
Status = Literal[
    "draft", "approved", "sending", "sent", "failed", "cancelled", "blocked_opt_out", "uncertain"
]
Payload = dict[str, Any]
OutboundId = Annotated[
    str,
    Meta(
        pattern=(
            r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
        ),
        description="An outbound message's id.",
    ),
]
Ref = Annotated[str, Meta(min_length=1, max_length=500)]
Key = Annotated[str, Meta(min_length=1, max_length=500)]
Retries = Annotated[int, Meta(ge=0, le=20)]
Offset = Annotated[int, Meta(ge=0, le=10_000, description="How many to leave out")]


class OutboundNotFound(NotFound):
    """There is no such outbound message in this project."""

    code = "outbound_not_found"


class OutboundInvalidState(Conflict):
    """The message is not in a state in which that can be done."""

    code = "outbound_invalid_state"


class OutboundExists(Conflict):
    """The same content for the same recipient is there already."""

    code = "outbound_exists"


class OutboundNotEditable(Conflict):
    """This idempotency key belongs to a message that can no longer be changed."""

    code = "outbound_not_editable"


class OutboundIncomplete(Conflict):
    """The message has nothing in it that could be sent."""

    code = "outbound_incomplete"


class RecipientUnresolved(Conflict):
    """It is not known where this recipient can be reached on this channel."""

    code = "recipient_unresolved"


class OutboundDisabled(Conflict):
    """Sending is switched off for the whole program (OUTBOUND_ENABLED)."""

    code = "outbound_disabled"


class QuietHours(Conflict):
    """It is quiet time; the message waits until it is over."""

    code = "outbound_quiet_hours"


class ChannelNotConfigured(Conflict):
    """The channel is not set up; nothing was sent."""

    code = "channel_not_configured"


class BlockedByOptOut(Conflict):
    """The recipient does not want to be written to on this channel."""

    code = "outbound_blocked_opt_out"


class BlockedByReply(Conflict):
    """The recipient has written since the message was approved; look at the answer first."""

    code = "outbound_blocked_stop_on_reply"


class FrequencyCapReached(TooMany):
    """The recipient has been written to often enough for now."""

    code = "frequency_cap_reached"


class CannotCheck(Conflict):
    """This channel cannot be asked what became of a message; look for yourself and say it."""

    code = "outbound_cannot_check"


class SendFailed(Upstream):
    """The message was not sent."""

    code = "outbound_send_failed"


class SendUncertain(Upstream):
    """It is not known whether the message was sent; it is not sent again unless somebody says so."""

    code = "outbound_uncertain"


class Outbound(msgspec.Struct, frozen=True):
    """A message to somebody outside, from draft to delivery.

    `recipient_name` is what a contact is called who is named by an id or by a conversation.
    """

    id: str
    project_id: str
    account_scope_id: str
    channel: ChannelName
    recipient_ref: str
    payload: Payload
    evidence_refs: list[EvidenceRef]
    status: Status
    idempotency_key: str
    dedupe_key: str
    retry_count: int
    max_retries: int
    next_attempt_at: str | None
    send_requested_at: str | None
    dry_run_at: str | None
    approved_by: str | None
    approved_at: str | None
    sent_at: str | None
    last_error: str | None
    created_by: str
    created_at: str
    updated_at: str
    recipient_name: str | None = None


class Attempt(msgspec.Struct, frozen=True):
    """One try to send a message, with exactly what went out."""

    attempt_no: int
    status: Literal["sending", "sent", "failed", "uncertain", "dry_run"]
    refused: bool
    provider_message_id: str | None
    error: str | None
    rendered: dict[str, Any]
    actor_username: str
    started_at: str
    finished_at: str | None


class Policy(msgspec.Struct, frozen=True):
    """What a recipient allows on a channel, and how often they were written to."""

    id: str
    project_id: str
    account_scope_id: str
    contact_global_id: str
    channel: ChannelName
    opted_out: bool
    stop_on_reply: bool
    frequency_window_hours: int
    frequency_cap: int
    sent_in_window: int
    window_started_at: str | None
    last_outbound_at: str | None
    last_inbound_at: str | None
    ruled_at: str | None
    updated_at: str
    contact_name: str | None = None


class ListOutbound(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages: all of them, or those in one state."""

    status: str = ""
    limit: Annotated[int, Meta(ge=1, le=200, description="How many at most")] = 50
    offset: Offset = 0


class ListPolicies(msgspec.Struct, frozen=True, kw_only=True):
    """Whose rules: everybody's, or only of those who opted out."""

    opted_out: bool = False
    limit: Annotated[int, Meta(ge=1, le=500, description="How many at most")] = 100
    offset: Offset = 0


class NewOutbound(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be approved and sent.

    `payload` has `text`, for e-mail also `subject` and `html`, for Loops `template`; `variables` fill
    `{{name}}`; `conversation_id` names the conversation of Chatwoot to answer in.
    """

    channel: ChannelName
    recipient_ref: Ref
    idempotency_key: Key
    payload: Payload = {}
    dedupe_key: Annotated[str, Meta(max_length=500)] | None = None
    max_retries: Retries = 5
    evidence_refs: list[Any] = []


class EditOutbound(msgspec.Struct, frozen=True, kw_only=True):
    """What to change; what is left out stays. An approved message becomes a draft again."""

    recipient_ref: Ref | None = None
    payload: Payload | None = None
    dedupe_key: Annotated[str, Meta(max_length=500)] | None = None
    max_retries: Retries | None = None
    evidence_refs: list[Any] | None = None


class ApproveOutbound(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence the approval rests on; it replaces what is there if there is any."""

    evidence_refs: list[Any] = []


class SetPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a recipient from now on; what is left out stays as it is."""

    contact_global_id: Ref
    channel: ChannelName
    opted_out: bool | None = None
    stop_on_reply: bool | None = None
    frequency_window_hours: Annotated[int, Meta(ge=0)] | None = None
    frequency_cap: Annotated[int, Meta(ge=0)] | None = None
    mark_inbound: bool = False


class ProcessOutbound(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages at most."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 20


class ResolveOutbound(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message nobody knows about: `check` asks the vendor where it can be asked."""

    outcome: Literal["sent", "not_sent", "check"]


class Outbounds(msgspec.Struct, frozen=True):
    """Messages, the newest first."""

    outbound: list[Outbound]


class OutboundAnswer(msgspec.Struct, frozen=True):
    """A message."""

    outbound: Outbound


class OutboundWithAttempts(msgspec.Struct, frozen=True):
    """A message with every try to send it, the first one first."""

    outbound: Outbound
    attempts: list[Attempt]


class SentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A message after sending; `dry_run` says that it was only rehearsed."""

    outbound: Outbound
    dry_run: bool = False


class PolicyAnswer(msgspec.Struct, frozen=True):
    """The rules for a recipient."""

    policy: Policy


class Policies(msgspec.Struct, frozen=True):
    """Rules of recipients, the last changed first."""

    policies: list[Policy]


class Processed(msgspec.Struct, kw_only=True):
    """What a run over due messages did."""

    processed: int = 0
    sent: int = 0
    failed: int = 0
    blocked: int = 0
    uncertain: int = 0
    waiting: int = 0
    rehearsed: int = 0
    reason: str | None = None


class ProcessAnswer(msgspec.Struct, frozen=True):
    """What a run over due messages did."""

    result: Processed


class Check(msgspec.Struct, frozen=True):
    """One thing that is looked at before sending. `facts` are the figures and names in `message`."""

    name: str
    passed: bool
    message: str
    facts: dict[str, Any] = {}


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly what goes out, and to which address."""

    channel: ChannelName
    to: str
    to_name: str | None = None
    subject: str | None = None
    text: str = ""
    html: str | None = None
    template: str | None = None
    variables: dict[str, Any] = {}
    sender: str | None = None


class PreviewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen if the message were sent now; nothing is sent."""

    would_send: bool
    checks: list[Check]
    rendered: Rendered | None


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a channel is set up, and how its last test went."""

    channel: ChannelName
    title: str
    configured: bool
    missing: str | None
    last_test_at: str | None = None
    last_test_works: bool | None = None
    last_test_message: str | None = None


class Channels(msgspec.Struct, frozen=True, kw_only=True):
    """The channels, and the switches that hold for all of them."""

    channels: list[ChannelState]
    enabled: bool
    dry_run: bool
    sends_approved_by_itself: bool


class ChannelTested(msgspec.Struct, frozen=True, kw_only=True):
    """How a test of a channel went, in words."""

    channel: ChannelName
    works: bool
    code: str
    message: str
