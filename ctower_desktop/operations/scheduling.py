"""How the scheduler is: its health, how runs went, and jobs that need somebody's hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Scoped
from ctower_desktop.operations import history_store
from ctower_desktop.operations.history_store import BOUNDS, DeadJob, Last, Numbers
from ctower_desktop.operations.model import (
    DeadJobNotFound,
    Operations,
    ScheduledJob,
    SchedulerState,
)
from ctower_desktop.operations.scheduler import Scheduler

JobId = Annotated[
    str,
    Meta(
        pattern=(
            r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
        ),
        description="A scheduled job's id.",
    ),
]


class History(msgspec.Struct, frozen=True):
    """Over how many days."""

    days: Annotated[int, Meta(ge=1, le=90)] = 7


class JobNumbers(msgspec.Struct, frozen=True):
    """How the runs of one kind of job went."""

    count: int
    ok: int
    failed: int
    avg_ms: float | None
    max_ms: int | None
    min_ms: int | None
    last_duration_ms: int | None
    last_status: str | None
    last_at: str | None


class Bucket(msgspec.Struct, frozen=True):
    """How many runs took at most so many milliseconds; without a bound: all of them."""

    le_ms: int | None
    count: int


class SchedulerHealth(msgspec.Struct, frozen=True):
    """How the scheduler is, and how the jobs of the project went."""

    scheduler: SchedulerState
    jobs: dict[str, JobNumbers]


class SchedulerMetrics(msgspec.Struct, frozen=True):
    """How the jobs of the project went, and how long they took."""

    jobs: dict[str, JobNumbers]
    histogram: dict[str, list[Bucket]]
    days: int


class DeadJobs(msgspec.Struct, frozen=True):
    """The jobs that need somebody's hand."""

    dead_jobs: list[DeadJob]


class Cleaned(msgspec.Struct, frozen=True):
    """The job as it is now."""

    job: ScheduledJob


@TOWER.get("/health/scheduler")
async def read_scheduler_health(call: Scoped) -> SchedulerHealth:
    """Whether somebody looks for due jobs, and how the jobs of the last week went."""
    scheduler = await call.tower.part(Scheduler)
    numbers, last = await _history(call, 7)
    return SchedulerHealth(scheduler.state(), _jobs(numbers, last))


@TOWER.get("/scheduler/metrics")
async def read_scheduler_metrics(call: Scoped, query: History) -> SchedulerMetrics:
    """How the jobs of the last days went: counts, durations, and a histogram of durations."""
    numbers, last = await _history(call, query.days)
    histogram = {
        name: [
            *(Bucket(bound, count) for bound, count in zip(BOUNDS, found.buckets, strict=True)),
            Bucket(None, found.count),
        ]
        for name, found in numbers.items()
    }
    return SchedulerMetrics(_jobs(numbers, last), histogram, query.days)


@TOWER.get("/scheduler/dead-jobs")
async def list_dead_jobs(call: Scoped) -> DeadJobs:
    """Jobs that were suspended after too many failures, or whose run does not end."""
    return DeadJobs(
        await call.tower.db.read(
            history_store.dead, call.project_id, call.tower.clock.now(), _dead_after(call)
        )
    )


@TOWER.post("/scheduler/dead-jobs/{job_id}/cleanup", raises=(DeadJobNotFound,), audit="job.dead_cleanup")
async def clean_up_dead_job(call: Scoped, job_id: JobId) -> Cleaned:
    """Interrupt a dead job, forget its failures and make it due in half a minute."""
    tower = call.tower
    job = await tower.db.write_durably(
        history_store.clean_up, call.project_id, job_id.lower(), tower.clock.now(), _dead_after(call)
    )
    scheduler = await tower.part(Scheduler)
    scheduler.interrupt(job.id)
    call.noted.about("scheduled_job", job.id, job_type=job.job_type)
    return Cleaned(job)


async def _history(call: Scoped, days: int) -> tuple[dict[str, Numbers], dict[str, Last]]:
    db, since = call.tower.db, as_text(call.tower.clock.now() - timedelta(days=days))
    numbers = await db.read(history_store.numbers, call.project_id, since)
    return numbers, await db.read(history_store.last, call.project_id)


def _jobs(numbers: dict[str, Numbers], last: dict[str, Last]) -> dict[str, JobNumbers]:
    found = {}
    for name, row in numbers.items():
        newest = last.get(name)
        found[name] = JobNumbers(
            row.count,
            row.ok,
            row.failed,
            row.avg_ms,
            row.max_ms,
            row.min_ms,
            newest.duration_ms if newest else None,
            newest.status if newest else None,
            newest.at if newest else None,
        )
    return found


def _dead_after(call: Scoped) -> timedelta:
    return timedelta(minutes=call.tower.settings.get(Operations).dead_job_threshold_minutes)
