"""The settings of what is sent: the switch, the rehearsal, how long it is kept. Quiet hours are regional."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page


@page("outbound")
class OutboundSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether, when and how messages go out."""

    enabled: Annotated[
        bool,
        Meta(
            title="Sending is on",
            description="Off: nothing is sent on any channel, whatever was approved.",
            extra={"env": ["OUTBOUND_ENABLED"]},
        ),
    ] = True
    send_approved: Annotated[
        bool,
        Meta(
            title="Send approved messages by itself",
            description="Within five minutes of the approval; off: somebody has to press send.",
            extra={"env": ["OUTBOUND_SEND_APPROVED"]},
        ),
    ] = True
    dry_run: Annotated[
        bool,
        Meta(
            title="Rehearse only",
            description="What would be sent is noted with the message, and nothing leaves the computer.",
            extra={"env": ["OUTBOUND_DRY_RUN"]},
        ),
    ] = False
    retention_days: Annotated[
        int,
        Meta(
            ge=7,
            le=730,
            title="Keep messages for",
            description="Days after which what was sent, failed or was called off is deleted.",
            extra={"env": ["OUTBOUND_RETENTION_DAYS"]},
        ),
    ] = 90
    retention_batch: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            title="Delete at most",
            description="How many old messages one run deletes.",
            extra={"env": ["OUTBOUND_RETENTION_BATCH"]},
        ),
    ] = 1_000
    claim_delay_seconds: Annotated[
        int,
        Meta(
            ge=10,
            le=3_600,
            title="Leave a claimed message for",
            description="Seconds after which a message that was taken up and not sent is taken up again.",
            extra={"env": ["OUTBOUND_CLAIM_DELAY_SECONDS"]},
        ),
    ] = 120
