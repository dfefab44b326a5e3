"""Alerts: something that should not be, since when, how bad, and who has seen it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.errors import NotFound
from ctower_desktop.kernel.events import Event
from ctower_desktop.kernel.settings import page

AlertSeverity = Literal["info", "warning", "critical"]
AlertState = Literal["firing", "resolved"]


class AlertNotFound(NotFound):
    """There is no such alert."""

    code = "alert_not_found"


class Alert(msgspec.Struct, frozen=True):
    """An alert as stored and served; `project_id` is None when it concerns the whole tower."""

    id: str
    rule: str
    subject: str
    project_id: str | None
    project_name: str | None
    severity: AlertSeverity
    state: AlertState
    value: float
    threshold: float
    message: str
    started_at: str
    updated_at: str
    resolved_at: str | None
    acknowledged_at: str | None
    acknowledged_by: str | None


class AlertChanged(Event, frozen=True, kw_only=True):
    """An alert began, ended, or was acknowledged."""

    id: str
    rule: str
    severity: AlertSeverity
    state: AlertState
    message: str
    at: str


class AlertsQuery(msgspec.Struct, frozen=True):
    """Which alerts, and which part of the list."""

    state: Annotated[str, Meta(max_length=20)] | None = None
    severity: Annotated[str, Meta(max_length=20)] | None = None
    rule: Annotated[str, Meta(max_length=100)] | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class AlertsAnswer(msgspec.Struct, frozen=True):
    """Alerts, what fires first, then the newest; how many fire in all."""

    alerts: list[Alert]
    firing: int


class OneAlert(msgspec.Struct, frozen=True):
    """An alert."""

    alert: Alert


@page("alerts")
class AlertSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When the tower raises an alert about itself, and which alerts it keeps silent."""

    storage_alert_threshold_pct: Annotated[
        float,
        Meta(
            ge=1,
            le=100,
            title="Storage used (%)",
            description="Alert when the files take more than this share of the storage budget.",
            extra={"env": ["STORAGE_ALERT_THRESHOLD_PCT"]},
        ),
    ] = 85.0
    disk_free_gb: Annotated[
        float,
        Meta(
            ge=0,
            le=10_000,
            title="Free disk space (GB)",
            description="Alert when the disk of the database has less than this left.",
        ),
    ] = 1.0
    memory_mb: Annotated[
        int,
        Meta(
            ge=100,
            le=1_000_000,
            title="Memory (MB)",
            description="Alert when the program holds more memory than this for five minutes.",
        ),
    ] = 1_500
    server_error_pct: Annotated[
        float,
        Meta(
            gt=0,
            le=100,
            title="Failed answers (%)",
            description="Alert when more than this share of answers is an error of the program's own.",
        ),
    ] = 2.0
    cache_hit_pct: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            title="Cache hits (%)",
            description="Alert when less than this share of questions is answered from the cache.",
        ),
    ] = 50.0
    connector_failing_minutes: Annotated[
        int,
        Meta(
            ge=1,
            le=10_080,
            title="A connection fails for (min)",
            description="Alert when a source could not be read for so long.",
        ),
    ] = 60
    muted: Annotated[
        str,
        Meta(
            max_length=1_000,
            title="Silent alerts",
            description="Names of rules, with commas between them, that raise no alert.",
        ),
    ] = ""

    def mutes(self, rule: str) -> bool:
        """Whether a rule is to raise no alert."""
        return rule in {name.strip() for name in self.muted.split(",")}
