"""What happens by itself: approved messages go out, old ones are deleted."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from ctower_desktop.inbox.outbound import store
from ctower_desktop.inbox.outbound.model import Processed
from ctower_desktop.inbox.outbound.sending import Outbox
from ctower_desktop.inbox.outbound.settings import OutboundSettings
from ctower_desktop.kernel.jobs import job
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Desktop

_AT_ONCE = 50


class Deleted(msgspec.Struct, frozen=True):
    """How many old messages were deleted, and whether more are waiting."""

    deleted: int
    more: bool


@job("campaign_scheduler", every=300)
async def send_due_messages(call: Desktop) -> Processed:
    """Send approved messages that are due, if the settings let them go by themselves."""
    outbox = await call.tower.part(Outbox)
    return await outbox.process(call, _AT_ONCE, asked=False)


@job("outbound_retention_cleanup", every=86_400)
async def delete_old_messages(call: Desktop) -> Deleted:
    """Delete messages that were sent, failed or were called off longer ago than the settings keep them."""
    tower = call.tower
    settings = tower.settings.get(OutboundSettings)
    before = as_text(tower.clock.now() - timedelta(days=settings.retention_days))
    batch = settings.retention_batch
    count = await tower.db.write(store.forget, call.project_id, before, batch)
    return Deleted(count, more=count >= batch)
