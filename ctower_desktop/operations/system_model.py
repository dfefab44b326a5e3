"""The state of the tower as owners see it: services, resources, jobs, synchronisations, log lines."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.log import Line
from ctower_desktop.operations.history_store import Point
from ctower_desktop.operations.model import JobStatus, SchedulerState
from ctower_desktop.operations.timeline import SuccessRate, SyncRun

ServiceStatus = Literal["ok", "degraded", "down", "not_configured"]


class Service(msgspec.Struct, frozen=True):
    """One piece of the tower, or one vendor it talks to."""

    name: str
    status: ServiceStatus
    latency_ms: float | None = None
    last_ok_at: str | None = None
    detail: str | None = None


class Resources(msgspec.Struct, frozen=True):
    """What the tower takes of the computer; `rss_bytes` is None where the system does not say."""

    database_bytes: int
    budget_bytes: int
    usage_percent: float
    disk_free_bytes: int
    rss_bytes: int | None
    uptime_seconds: float


class SystemHealth(msgspec.Struct, frozen=True):
    """The whole tower at a glance."""

    status: Literal["ok", "degraded", "down"]
    services: list[Service]
    resources: Resources
    scheduler: SchedulerState
    alerts_firing: int


class SystemJob(msgspec.Struct, frozen=True):
    """A job of the project, how it went, and its newest runs, the oldest of them first."""

    job_type: str
    status: JobStatus
    cadence_seconds: int
    last_run_at: str | None
    last_status: Literal["ok", "failed"] | None
    last_error: str | None
    next_run_at: str
    runs_total: int
    ok: int
    failed: int
    avg_ms: float | None
    max_ms: int | None
    sparkline: list[Point]


class SystemJobs(msgspec.Struct, frozen=True):
    """The jobs of the project, by name."""

    jobs: list[SystemJob]
    days: int


class Hours(msgspec.Struct, frozen=True):
    """How far back."""

    hours: Annotated[int, Meta(ge=1, le=168)] = 24


class Timeline(msgspec.Struct, frozen=True):
    """Synchronisations, the newest first, and how many went well."""

    timeline: list[SyncRun]
    success_rate: list[SuccessRate]
    hours: int


class LogsQuery(msgspec.Struct, frozen=True):
    """Which lines: of at least this level, of a source, of a request, with this text in them."""

    level: Annotated[str, Meta(max_length=20)] | None = None
    source: Annotated[str, Meta(max_length=200)] | None = None
    request_id: Annotated[str, Meta(max_length=64)] | None = None
    q: Annotated[str, Meta(max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000)] = 0


class Logs(msgspec.Struct, frozen=True):
    """Lines of the log, the newest first."""

    logs: list[Line]


def overall(services: list[Service]) -> Literal["ok", "degraded", "down"]:
    """How the tower is: down without its database, degraded when anything else is not well."""
    if any(service.status == "down" and service.name in ("api", "database") for service in services):
        return "down"
    return "degraded" if any(service.status in ("down", "degraded") for service in services) else "ok"
