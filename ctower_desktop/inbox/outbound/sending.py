"""Sending: one message at a time is taken up, handed to its channel once, and its fate is noted.

Nothing here sends twice by itself. A message whose fate is unknown stays so until the vendor, where it can
be asked, or a person says what became of it.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from ctower_desktop.inbox.outbound import fate_store, store, taking_store
from ctower_desktop.inbox.outbound.channel import (
    CHANNELS,
    Channel,
    DeliveryFailed,
    DeliveryRefused,
    DeliveryUncertain,
)
from ctower_desktop.inbox.outbound.fate_store import Outcome
from ctower_desktop.inbox.outbound.model import (
    BlockedByOptOut,
    BlockedByReply,
    CannotCheck,
    ChannelName,
    ChannelNotConfigured,
    Outbound,
    OutboundDisabled,
    OutboundInvalidState,
    Processed,
    QuietHours,
    SendFailed,
    SendUncertain,
    SentAnswer,
)
from ctower_desktop.inbox.outbound.settings import OutboundSettings
from ctower_desktop.inbox.outbound.taking_store import Act, Blocked, Rehearsed, Taken
from ctower_desktop.inbox.outbound.verdict import Block, Circumstances
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.system import as_text, new_id
from ctower_desktop.kernel.tower import AuditLine, Scoped, Tower

log = logging.getLogger(__name__)

_LAST_CALL = 2.0  # seconds messages on their way have when the program ends
_ONE_RUN = 420.0  # seconds one run over due messages may take; the rest is due again soon
_LONGEST_ON_ITS_WAY = timedelta(minutes=15)
_LOOKED_FOR = timedelta(hours=1)  # how long the vendor is asked by itself
_INTERRUPTED = "The program ended while it was being sent; it is not known whether it went out."


class Outbox:
    """What is on its way now; a part of the tower, so that a message outlives the call that sent it."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._on_their_way: set[asyncio.Task[Outbound]] = set()

    @classmethod
    async def start(cls, tower: Tower) -> Outbox:
        """Nothing is sent until somebody sends."""
        return cls(tower)

    async def stop(self) -> None:
        """Let what is on its way arrive for a moment; what does not is of unknown fate."""
        if not self._on_their_way:
            return
        _, left = await asyncio.wait(self._on_their_way, timeout=_LAST_CALL)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def recover(self) -> None:
        """What was on its way when the program ended is of unknown fate now.

        Only the one process that holds the home may say so: another one could be sending beside a command.
        """
        await self._strand(timedelta(0))

    async def _strand(self, age: timedelta) -> None:
        now = self._tower.clock.now()
        before = as_text(now - age + timedelta(milliseconds=1))
        count = await self._tower.db.write_durably(fate_store.strand, before, as_text(now))
        if count:
            log.warning(
                "%d messages were on their way when the program ended; look what became of them", count
            )

    async def send(self, call: Scoped, outbound_id: str) -> SentAnswer:
        """Send one message; raise what stands in its way, SendFailed or SendUncertain."""
        tower, project = self._tower, call.project_ref
        known = await tower.db.read(store.whole, project.id, outbound_id)
        channel = CHANNELS.get(known.outbound.channel)
        around = circumstances(tower, known.outbound.channel)
        tries = len(known.attempts)
        name = known.outbound.id if not tries else f"{known.outbound.id}.{tries}"
        act = Act(
            by=call.user.username,
            person=call.user.kind != "job",
            new_id=new_id(),
            wire_name=channel.wire_key(tower, name) if channel else name,
        )
        found = await tower.db.write_durably(taking_store.take, project, known.outbound.id, around, act)
        if isinstance(found, Blocked):
            await self._say(call, found.message, found.block)
            raise found.block.error
        if isinstance(found, Rehearsed):
            return SentAnswer(outbound=found.message, dry_run=True)
        assert channel is not None, "a channel that is not there is not configured"
        return SentAnswer(outbound=await self._arrival(call, channel, found))

    async def process(self, call: Scoped, limit: int, *, asked: bool) -> Processed:
        """Send what is due; `asked` by a person, else by the schedule and its switch.

        One message's trouble holds up no other. Raise OutboundDisabled when a person asks in vain.
        """
        tower, project, result = self._tower, call.project_ref, Processed()
        settings = tower.settings.get(OutboundSettings)
        await self._strand(_LONGEST_ON_ITS_WAY)
        await self._look_for_unknown(call)
        if not settings.enabled:
            if asked:
                raise OutboundDisabled
            result.reason = OutboundDisabled.code
            return result
        due = await tower.db.write_durably(
            taking_store.take_due, project.id, tower.clock.now(), limit, settings=settings, asked=asked
        )
        started = tower.clock.monotonic()
        for outbound_id in due:
            if tower.clock.monotonic() - started > _ONE_RUN:
                break
            await self._one_of_many(call, outbound_id, result)
        return result

    async def _one_of_many(self, call: Scoped, outbound_id: str, result: Processed) -> None:
        try:
            sent = await self.send(call, outbound_id)
        except OutboundInvalidState:  # somebody was quicker
            return
        except (BlockedByOptOut, BlockedByReply):
            result.blocked += 1
        except (QuietHours, ChannelNotConfigured, OutboundDisabled) as error:
            result.waiting += 1
            result.reason = error.code
        except SendUncertain as error:
            result.uncertain += 1
            await self._audit(call, "outbound.send", outbound_id, "failed", error=error.code)
        except TowerError as error:
            result.failed += 1
            await self._audit(call, "outbound.send", outbound_id, "failed", error=error.code)
        else:
            result.sent += not sent.dry_run
            result.rehearsed += sent.dry_run
            await self._audit(call, "outbound.send", outbound_id, "ok", dry_run=sent.dry_run)
        result.processed += 1

    async def check(self, call: Scoped, outbound_id: str) -> Outbound:
        """Ask the vendor what became of a message; raise CannotCheck where it cannot be asked."""
        tower, project = self._tower, call.project_ref
        lost = await tower.db.read(fate_store.unknown, project.id, outbound_id)
        channel = CHANNELS.get(lost.message.channel)
        if channel is None or not channel.can_look:
            raise CannotCheck
        try:
            found = await channel.look(tower, lost.parcel)
        except DeliveryFailed as error:
            raise SendUncertain(f"{channel.title} cannot say at the moment: {error}") from error
        outcome = (
            Outcome(fate="sent", provider_message_id=found.provider_message_id)
            if found is not None
            else Outcome(
                fate="failed", final=True, error=f"{channel.title} does not have it; it was not sent."
            )
        )
        words = f"{channel.title} was asked: {'it is there' if found else 'it is not there'}."
        return await self.conclude(call, outbound_id, outcome, words)

    async def conclude(self, call: Scoped, outbound_id: str, outcome: Outcome, words: str) -> Outbound:
        """Note what became of a message nobody knew about."""
        tower = self._tower
        return await tower.db.write_durably(
            fate_store.conclude, call.project_ref, outbound_id, outcome, words, new_id(), tower.clock.text()
        )

    async def _look_for_unknown(self, call: Scoped) -> None:
        """What the vendor has after all is sent; nothing else is concluded without a person."""
        tower = self._tower
        since = as_text(tower.clock.now() - _LOOKED_FOR)
        askable: list[str] = [name for name, channel in CHANNELS.items() if channel.can_look]
        ids = await tower.db.read(fate_store.unknown_lately, call.project_id, askable, since)
        for outbound_id in ids:
            lost = await tower.db.read(fate_store.unknown, call.project_id, outbound_id)
            channel = CHANNELS[lost.message.channel]
            try:
                found = await channel.look(tower, lost.parcel)
            except DeliveryFailed as error:
                log.info("%s cannot say what became of %s: %s", channel.title, outbound_id, error)
                continue
            if found is not None:
                outcome = Outcome(fate="sent", provider_message_id=found.provider_message_id)
                await self.conclude(call, outbound_id, outcome, f"{channel.title} was asked: it is there.")

    async def _arrival(self, call: Scoped, channel: Channel, taken: Taken) -> Outbound:
        """Wait for a message to arrive; whoever stops waiting does not stop the message."""
        task = asyncio.create_task(self._deliver(call, channel, taken), name=f"send {taken.message.id}")
        self._on_their_way.add(task)
        task.add_done_callback(self._on_their_way.discard)
        found = await asyncio.shield(task)
        if found.status == "uncertain":
            raise SendUncertain(found.last_error or "")
        if found.status != "sent":
            raise SendFailed(found.last_error or "")
        return found

    async def _deliver(self, call: Scoped, channel: Channel, taken: Taken) -> Outbound:
        tower, outcome = self._tower, Outcome(fate="uncertain", error=_INTERRUPTED)
        try:
            outcome = await handed_over(tower, channel, taken)
        finally:  # also when it is cancelled or the channel stumbles: then it is of unknown fate
            found = await tower.db.write_durably(
                fate_store.end, call.project_ref, taken, outcome, new_id(), tower.clock.text()
            )
        return found

    async def _say(self, call: Scoped, message: Outbound, block: Block) -> None:
        if block.audit is not None:
            await self._audit(call, block.audit, message.id, "blocked", reason=block.reason)

    async def _audit(
        self, call: Scoped, action: str, outbound_id: str, status: str, **payload: object
    ) -> None:
        line = AuditLine(
            action=action, entity_type="outbound", entity_id=outbound_id, status=status, payload=payload
        )
        await self._tower.audit(call, line)


async def handed_over(tower: Tower, channel: Channel, taken: Taken) -> Outcome:
    """Give the message to its channel; after a try of unknown fate ask the vendor first, if it can be."""
    try:
        found = None
        if channel.can_look and any(past.unknown for past in taken.parcel.before):
            found = await channel.look(tower, taken.parcel)
        if found is None:
            found = await channel.send(tower, taken.parcel)
    except DeliveryUncertain as error:
        return Outcome(fate="uncertain", error=str(error))
    except DeliveryFailed as error:
        refused = isinstance(error, DeliveryRefused)
        return Outcome(
            fate="failed", error=str(error), refused=refused, final=refused, retry_after=error.retry_after
        )
    return Outcome(fate="sent", provider_message_id=found.provider_message_id)


def circumstances(tower: Tower, name: ChannelName) -> Circumstances:
    """The hour, the switches and the channel as they are now."""
    settings, channel = tower.settings.get(OutboundSettings), CHANNELS.get(name)
    return Circumstances(
        now=tower.clock.now(),
        regional=tower.settings.get(Regional),
        settings=settings,
        title=channel.title if channel else name,
        missing=channel.missing(tower) if channel else "this program does not have it",
        sender=channel.sender(tower) if channel else None,
    )
