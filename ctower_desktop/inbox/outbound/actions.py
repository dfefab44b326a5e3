"""/outbound: drafts, approval, sending, rules of recipients, channels."""

from __future__ import annotations

from typing import Any

from ctower_desktop.accounts.evidence import normalised
from ctower_desktop.accounts.model import EvidenceRef, IdempotencyKeyReuse
from ctower_desktop.inbox.outbound import channel_store, policy_store, recipients, store, taking_store
from ctower_desktop.inbox.outbound.channel import CHANNELS
from ctower_desktop.inbox.outbound.content import checked
from ctower_desktop.inbox.outbound.fate_store import Outcome
from ctower_desktop.inbox.outbound.model import (
    ApproveOutbound,
    BlockedByOptOut,
    BlockedByReply,
    CannotCheck,
    ChannelName,
    ChannelNotConfigured,
    Channels,
    ChannelState,
    ChannelTested,
    EditOutbound,
    FrequencyCapReached,
    ListOutbound,
    ListPolicies,
    NewOutbound,
    OutboundAnswer,
    OutboundDisabled,
    OutboundExists,
    OutboundId,
    OutboundIncomplete,
    OutboundInvalidState,
    OutboundNotEditable,
    OutboundNotFound,
    Outbounds,
    OutboundWithAttempts,
    Policies,
    PolicyAnswer,
    PreviewAnswer,
    ProcessAnswer,
    ProcessOutbound,
    QuietHours,
    RecipientUnresolved,
    ResolveOutbound,
    SendFailed,
    SendUncertain,
    SentAnswer,
    SetPolicy,
)
from ctower_desktop.inbox.outbound.sending import Outbox, circumstances
from ctower_desktop.inbox.outbound.settings import OutboundSettings
from ctower_desktop.inbox.outbound.store import Draft, Edit
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import Invalid, Upstream
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Scoped, Tower

_NAMES: tuple[ChannelName, ...] = ("email", "chatwoot", "telegram", "loops")
_STOPPERS = (
    OutboundNotFound,
    OutboundDisabled,
    OutboundInvalidState,
    BlockedByOptOut,
    BlockedByReply,
    FrequencyCapReached,
    QuietHours,
    OutboundIncomplete,
    RecipientUnresolved,
    ChannelNotConfigured,
    SendFailed,
    SendUncertain,
)


@TOWER.get("/outbound")
async def list_outbound(call: Scoped, query: ListOutbound) -> Outbounds:
    """Outbound messages, the newest first."""
    return Outbounds(await call.tower.db.read(store.listed, call.project_id, query))


@TOWER.post(
    "/outbound/draft",
    status=201,
    raises=(OutboundExists, OutboundNotEditable, IdempotencyKeyReuse),
    audit="outbound.draft",
    idempotent=True,
)
async def draft_outbound(call: Scoped, body: NewOutbound) -> OutboundAnswer:
    """Write a message that waits for approval; the same idempotency key means the same message."""
    draft = Draft(
        channel=body.channel,
        recipient_ref=recipients.checked_ref(body.channel, body.recipient_ref),
        payload=body.payload,
        evidence_refs=normalised(body.evidence_refs),
        idempotency_key=body.idempotency_key,
        dedupe_key=body.dedupe_key or None,
        max_retries=body.max_retries,
    )
    checked(body.channel, body.payload)
    tower = call.tower
    found = await tower.db.write_durably(
        store.put_draft, call.project_ref, new_id(), draft, call.user.username, tower.clock.text()
    )
    call.noted.about("outbound", found.id, evidence_refs=_refs(found.evidence_refs), channel=found.channel)
    return OutboundAnswer(found)


@TOWER.get("/outbound/policies")
async def list_channel_policies(call: Scoped, query: ListPolicies) -> Policies:
    """Rules for recipients, the last changed first; with `opted_out` only of those who want nothing."""
    return Policies(await call.tower.db.read(policy_store.listed, call.project_id, query))


@TOWER.post("/outbound/opt-out", audit="outbound.opt_out")
async def set_channel_policy(call: Scoped, body: SetPolicy) -> PolicyAnswer:
    """Say what a recipient allows on a channel; what is left out stays as it is."""
    recipients.checked_ref(body.channel, body.contact_global_id)
    tower = call.tower
    found = await tower.db.write_durably(
        policy_store.rule, call.project_ref, body, new_id(), tower.clock.text()
    )
    call.noted.about(
        "channel_policy", found.id, contact=found.contact_global_id, channel=found.channel,
        opted_out=found.opted_out,
    )  # fmt: skip
    return PolicyAnswer(found)


@TOWER.post("/outbound/process", raises=(OutboundDisabled,))
async def process_outbound(call: Scoped, body: ProcessOutbound) -> ProcessAnswer:
    """Send what is due now, the longest waiting first."""
    outbox = await call.tower.part(Outbox)
    return ProcessAnswer(await outbox.process(call, body.limit, asked=True))


@TOWER.get("/outbound/channels")
async def list_channels(call: Scoped) -> Channels:
    """Which channels are set up, how their last tests went, and the switches for all of them."""
    tower, tests = call.tower, await call.tower.db.read(channel_store.last_tests, call.project_id)
    settings, states = tower.settings.get(OutboundSettings), []
    for name in _NAMES:
        title, missing = _state_of(tower, name)
        test = tests.get(name)
        states.append(
            ChannelState(
                channel=name,
                title=title,
                configured=missing is None,
                missing=missing,
                last_test_at=test.tested_at if test else None,
                last_test_works=test.works if test else None,
                last_test_message=test.message if test else None,
            )
        )
    return Channels(
        channels=states,
        enabled=settings.enabled,
        dry_run=settings.dry_run,
        sends_approved_by_itself=settings.send_approved,
    )


@TOWER.post(
    "/outbound/channels/{channel}/test", pace="expensive", audit="outbound.channel_test", role="owner"
)
async def try_channel(call: Scoped, channel: ChannelName) -> ChannelTested:
    """Try a channel without sending anything; says in words what is wrong and what to do."""
    tower, (title, missing) = call.tower, _state_of(call.tower, channel)
    if missing is not None:
        code, text = ChannelNotConfigured.code, f"{title} is not set up: {missing}."
    else:
        try:
            code, text = "ok", await CHANNELS[channel].test(tower)
        except (Upstream, Invalid) as error:
            code, text = error.code, str(error)
    found = ChannelTested(channel=channel, works=code == "ok", code=code, message=text)
    await tower.db.write_durably(channel_store.keep_test, call.project_ref, found, tower.clock.text())
    call.noted.about("channel", channel, status="ok" if found.works else "warning", code=code)
    return found


@TOWER.get("/outbound/{outbound_id}", raises=(OutboundNotFound,))
async def read_outbound(call: Scoped, outbound_id: OutboundId) -> OutboundWithAttempts:
    """One message with every try to send it."""
    return await call.tower.db.read(store.whole, call.project_id, outbound_id)


@TOWER.post(
    "/outbound/{outbound_id}",
    raises=(OutboundNotFound, OutboundInvalidState, OutboundExists),
    audit="outbound.edit",
)
async def edit_outbound(call: Scoped, outbound_id: OutboundId, body: EditOutbound) -> OutboundAnswer:
    """Change a message that is not on its way; if it was approved, it needs approval again."""
    tower = call.tower
    known = await tower.db.read(store.one, call.project_id, outbound_id)
    if body.payload is not None:
        checked(known.channel, body.payload)
    change = Edit(
        recipient_ref=recipients.checked_ref(known.channel, body.recipient_ref)
        if body.recipient_ref
        else None,
        payload=body.payload,
        evidence_refs=normalised(body.evidence_refs) if body.evidence_refs is not None else None,
        dedupe_key=body.dedupe_key or None,
        max_retries=body.max_retries,
    )
    found = await tower.db.write_durably(store.edit, call.project_id, known.id, change, tower.clock.text())
    call.noted.about("outbound", found.id, before=known.status)
    return OutboundAnswer(found)


@TOWER.post(
    "/outbound/{outbound_id}/approve",
    raises=(OutboundNotFound, OutboundInvalidState),
    audit="outbound.approve",
)
async def approve_outbound(call: Scoped, outbound_id: OutboundId, body: ApproveOutbound) -> OutboundAnswer:
    """Let a draft go out; what is approved or sent already stays as it is."""
    tower, evidence = call.tower, normalised(body.evidence_refs)
    found = await tower.db.write_durably(
        store.approve, call.project_id, outbound_id, evidence, call.user.username, tower.clock.text()
    )
    call.noted.about("outbound", found.id, evidence_refs=_refs(evidence))
    return OutboundAnswer(found)


@TOWER.post("/outbound/{outbound_id}/send", raises=_STOPPERS, audit="outbound.send")
async def send_outbound(call: Scoped, outbound_id: OutboundId) -> SentAnswer:
    """Send an approved message now, or one that failed once more."""
    call.noted.about("outbound", outbound_id.lower())
    outbox = await call.tower.part(Outbox)
    found = await outbox.send(call, outbound_id)
    call.noted.about("outbound", found.outbound.id, channel=found.outbound.channel, dry_run=found.dry_run)
    return found


@TOWER.post("/outbound/{outbound_id}/preview", raises=(OutboundNotFound,))
async def preview_outbound(call: Scoped, outbound_id: OutboundId) -> PreviewAnswer:
    """Every check and exactly what would go out; nothing is sent and nothing changes."""
    tower = call.tower
    known = await tower.db.read(store.one, call.project_id, outbound_id)
    around = circumstances(tower, known.channel)
    return await tower.db.read(taking_store.preview, call.project_id, known.id, around)


@TOWER.post(
    "/outbound/{outbound_id}/cancel", raises=(OutboundNotFound, OutboundInvalidState), audit="outbound.cancel"
)
async def cancel_outbound(call: Scoped, outbound_id: OutboundId) -> OutboundAnswer:
    """Call a message off that is not on its way."""
    tower = call.tower
    found = await tower.db.write_durably(store.cancel, call.project_id, outbound_id, tower.clock.text())
    call.noted.about("outbound", found.id)
    return OutboundAnswer(found)


@TOWER.post(
    "/outbound/{outbound_id}/resolve",
    raises=(OutboundNotFound, OutboundInvalidState, CannotCheck, SendUncertain),
    audit="outbound.resolve",
)
async def resolve_outbound(call: Scoped, outbound_id: OutboundId, body: ResolveOutbound) -> OutboundAnswer:
    """Say what became of a message nobody knows about, or have the vendor asked.

    One that was not sent waits until somebody sends it; it does not go out by itself.
    """
    outbox = await call.tower.part(Outbox)
    call.noted.about("outbound", outbound_id.lower(), outcome=body.outcome)
    if body.outcome == "check":
        return OutboundAnswer(await outbox.check(call, outbound_id))
    words = f"{call.user.username} says: {'sent' if body.outcome == 'sent' else 'not sent'}."
    outcome = (
        Outcome(fate="sent") if body.outcome == "sent" else Outcome(fate="failed", final=True, error=words)
    )
    return OutboundAnswer(await outbox.conclude(call, outbound_id, outcome, words))


def _state_of(tower: Tower, name: ChannelName) -> tuple[str, str | None]:
    """What a channel is called, and what it still needs."""
    channel = CHANNELS.get(name)
    return (channel.title, channel.missing(tower)) if channel else (name, "this program does not have it")


def _refs(evidence: list[EvidenceRef]) -> list[Any]:
    return list(evidence)
