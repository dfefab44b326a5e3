"""What runs by itself, when, and how it went; how much is stored; the settings of both."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctower_desktop.kernel.errors import Conflict, Invalid, NotFound, TowerError
from ctower_desktop.kernel.settings import page

JobStatus = Literal["active", "running", "paused", "suspended"]
SchedulerStatus = Literal["healthy", "degraded", "not_started"]
Source = Literal["worker", "tick", "manual"]
LONGEST_LIMIT_MS = 1_800_000


class JobNotFound(NotFound):
    """This project has no job of that name."""

    code = "job_not_found"


class DeadJobNotFound(NotFound):
    """No job of that id is dead: neither suspended nor running for too long."""

    code = "dead_job_not_found"


class JobRunning(Conflict):
    """This job is running; wait for it to end."""

    code = "job_running"


class SchedulerStopping(TowerError):
    """The program is closing; no job is started any more."""

    code, status = "scheduler_stopping", 503


class ProjectRequired(Invalid):
    """Choose a project first; a stream of events is always about one project."""

    code = "project_required"


class Cascade(msgspec.Struct, frozen=True):
    """Which job, by ending well, made this one due, and when."""

    job_type: str
    at: str


class Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the scheduler remembers of a job from run to run."""

    consecutive_failures: int = 0
    cascade_triggered_by: Cascade | None = None
    dead_job_cleaned_at: str | None = None


class ScheduledJob(msgspec.Struct, frozen=True):
    """A job of one project, as stored and served."""

    id: str
    job_type: str
    status: JobStatus
    cadence_seconds: int
    next_run_at: str
    last_run_at: str | None
    last_status: Literal["ok", "failed"] | None
    last_error: str | None
    payload: Payload


class Claim(msgspec.Struct, frozen=True):
    """A job taken to be run: the lease on it and the row of the run."""

    job_id: str
    job_type: str
    slot: str
    run_id: int
    owner: str


class JobDetail(msgspec.Struct, frozen=True):
    """How one run of a tick ended."""

    job_type: str
    status: Literal["ok", "failed"]
    duration_ms: int
    details: Any | UnsetType = UNSET
    error: str | UnsetType = UNSET
    dead_lettered: bool | UnsetType = UNSET


class TickResult(msgspec.Struct, frozen=True):
    """What one tick did; `skipped_reason` says why it did less than it could."""

    processed: int
    ok: int
    failed: int
    details: list[JobDetail]
    skipped_reason: Literal["concurrency_limit", "stopping"] | UnsetType = UNSET


class SchedulerState(msgspec.Struct, frozen=True):
    """How the scheduler is: degraded when nobody has looked for due jobs for too long."""

    status: SchedulerStatus
    last_tick_at: str | None
    total_ticks: int
    active_jobs: int
    total_errors: int
    uptime_seconds: float


class Skipped(msgspec.Struct, frozen=True):
    """The result of a job that nobody handles any more."""

    status: str = "ok"
    skipped: bool = True
    reason: str = "no_handler"


class Storage(msgspec.Struct, frozen=True):
    """How much is stored: the files, this project's share of the text, the budget."""

    database_bytes: int
    scoped_logical_bytes: int
    budget_bytes: int
    usage_percent: float
    table_bytes: dict[str, int]


class EntityCounts(msgspec.Struct, frozen=True):
    """How many rows a project has of what people say."""

    contacts: int
    conversations: int
    messages: int
    rag_chunks: int


class Watermark(msgspec.Struct, frozen=True):
    """How far a source has been read."""

    source: str
    cursor_ts: str | None
    cursor_id: str | None
    updated_at: str
    meta: dict[str, Any]


@page("operations")
class Operations(msgspec.Struct, frozen=True, kw_only=True):
    """Scheduler and storage budget."""

    worker_interval_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=3_600,
            title="Look for due jobs every (s)",
            description="How often all projects are looked through for jobs that are due.",
            extra={"env": ["WORKER_INTERVAL_SECONDS"]},
        ),
    ] = 60
    worker_tick_limit: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            title="Jobs per look",
            description="How many jobs of one project are run in one go.",
            extra={"env": ["WORKER_TICK_LIMIT"]},
        ),
    ] = 25
    scheduler_max_concurrent_jobs: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            title="Jobs at the same time",
            description="How many jobs may run at once, all projects together.",
            extra={"env": ["SCHEDULER_MAX_CONCURRENT_JOBS"]},
        ),
    ] = 10
    job_max_retries: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            title="Failures until suspended",
            description="After so many failures in a row a job waits until somebody resumes it.",
            extra={"env": ["JOB_MAX_RETRIES"]},
        ),
    ] = 10
    job_retry_backoff_base_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=3_600,
            title="First retry after (s)",
            description="The wait after the first failure; it doubles with each further one.",
            extra={"env": ["JOB_RETRY_BACKOFF_BASE_SECONDS"]},
        ),
    ] = 30
    job_retry_backoff_cap_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            title="Longest wait for a retry (s)",
            description="No failed job waits longer than this for its next try.",
            extra={"env": ["JOB_RETRY_BACKOFF_CAP_SECONDS"]},
        ),
    ] = 3_600
    dead_job_threshold_minutes: Annotated[
        int,
        Meta(
            ge=5,
            le=1_440,
            title="A run is lost after (min)",
            description="A run that nobody has reported on for so long is given up and tried again.",
            extra={"env": ["DEAD_JOB_THRESHOLD_MINUTES"]},
        ),
    ] = 30
    job_timeouts_ms: Annotated[
        dict[str, int],
        Meta(
            title="Time limits of jobs (ms)",
            description="By job name, for example connectors_sync_cycle; at most 1,800,000.",
            extra={"env_each": ["JOB_TIMEOUT_", "_MS"]},
        ),
    ] = {}
    storage_budget_gb: Annotated[
        float,
        Meta(
            gt=0,
            le=1_000_000,
            title="Storage budget (GB)",
            description="What the database may take; the share used is shown beside it.",
            extra={"env": ["STORAGE_BUDGET_GB"]},
        ),
    ] = 20.0
