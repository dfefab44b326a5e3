"""The settings of what is sent: the switch, the hours, the rehearsal, how long it is kept."""

from __future__ import annotations

from datetime import datetime, time, tzinfo
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page

_HOUR = r"^(([01]\d|2[0-3]):[0-5]\d)?$"


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
    quiet_from: Annotated[
        str,
        Meta(pattern=_HOUR, title="Quiet from", description="For example 20:00; empty: no quiet time."),
    ] = ""
    quiet_until: Annotated[
        str,
        Meta(pattern=_HOUR, title="Quiet until", description="For example 09:00; empty: no quiet time."),
    ] = ""
    time_zone: Annotated[
        str,
        Meta(
            title="Time zone",
            description="For example Europe/Moscow; empty: the one of this computer.",
        ),
    ] = ""
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

    @property
    def quiet(self) -> tuple[time, time] | None:
        """From when until when nothing is sent, by the clock on the wall."""
        if not self.quiet_from or not self.quiet_until or self.quiet_from == self.quiet_until:
            return None
        return time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)


@lru_cache(maxsize=16)
def zone_named(name: str) -> tzinfo | None:
    """A time zone, None for the computer's own and for one nobody knows. Reads files: call from a thread."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local(moment: datetime, zone: tzinfo | None) -> datetime:
    """A moment by the clock on the wall."""
    return moment.astimezone(zone)
