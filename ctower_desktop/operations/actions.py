"""What one can ask and do about the running of things: health, metrics, jobs, the stream of events."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel import runs
from ctower_desktop.kernel.endpoint import TOWER, Text
from ctower_desktop.kernel.jobs import current, withdrawn
from ctower_desktop.kernel.metrics import MEDIA_TYPE
from ctower_desktop.kernel.tower import Anyone, Scoped
from ctower_desktop.operations import (
    backups,  # noqa: F401 - declares endpoints
    figures_store,
    scheduling,  # noqa: F401 - declares endpoints
    store,
    streaming,  # noqa: F401 - declares the stream
    system,  # noqa: F401 - declares endpoints
)
from ctower_desktop.operations.meters import Meters
from ctower_desktop.operations.model import (
    EntityCounts,
    JobDetail,
    JobNotFound,
    JobRunning,
    ScheduledJob,
    SchedulerStopping,
    Storage,
    TickResult,
    Watermark,
)
from ctower_desktop.operations.scheduler import Scheduler
from ctower_desktop.operations.storage import StorageMeter
from ctower_desktop.search.actions import read_lightrag_status
from ctower_desktop.search.model import EmbeddingCounts

JobType = Annotated[str, Meta(min_length=1, max_length=100)]


class Health(msgspec.Struct, frozen=True):
    """The tower answers."""

    service: str = "server"


class JobsStatus(msgspec.Struct, frozen=True):
    """The newest runs, and how much there is of everything."""

    jobs: list[runs.JobRun]
    rag_counts: EmbeddingCounts
    entities: EntityCounts
    storage: Storage
    watermarks: list[Watermark]


class ScheduledJobs(msgspec.Struct, frozen=True):
    """The scheduled jobs of a project."""

    jobs: list[ScheduledJob]


class OneJob(msgspec.Struct, frozen=True):
    """A scheduled job."""

    job: ScheduledJob


class TickQuery(msgspec.Struct, frozen=True):
    """How many due jobs to run at most."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 10


class Ticked(msgspec.Struct, frozen=True):
    """What the tick did."""

    result: TickResult


class JobRan(msgspec.Struct, frozen=True):
    """How the run ended."""

    result: JobDetail


@TOWER.get("/health")
async def read_health(call: Anyone) -> Health:
    """Whether the tower answers."""
    return Health()


@TOWER.get("/metrics")
async def read_metrics(call: Anyone) -> Text:
    """Counters and gauges in the Prometheus text format."""
    meters = await call.tower.part(Meters)
    return Text(await meters.text(), MEDIA_TYPE)


@TOWER.get("/jobs/status")
async def read_jobs_status(call: Scoped) -> JobsStatus:
    """The newest run of every job asked for, counts of rows, storage, and how far sources were read."""
    db, project_id = call.tower.db, call.project_id
    index = await read_lightrag_status(call)
    meter = await call.tower.part(StorageMeter)
    return JobsStatus(
        jobs=await db.read(runs.latest_runs, project_id),
        rag_counts=index.embeddings,
        entities=await db.read(figures_store.counts, project_id, index.index.chunks),
        storage=await meter.of(project_id),
        watermarks=await db.read(figures_store.watermarks, project_id),
    )


@TOWER.get("/jobs/scheduler")
async def list_scheduled_jobs(call: Scoped) -> ScheduledJobs:
    """The jobs of the project: when each is due next and how it went last."""
    tower = call.tower
    jobs, gone = current(tower.settings), withdrawn(tower.settings)
    await tower.db.write(store.ensure, call.project_ref, jobs, tower.clock.now(), gone)
    return ScheduledJobs(await tower.db.read(store.listed, call.project_id))


@TOWER.post("/jobs/scheduler/tick", audit="job.scheduler_tick")
async def tick_scheduler(call: Scoped, query: TickQuery) -> Ticked:
    """Run the jobs of the project that are due, one after the other."""
    scheduler = await call.tower.part(Scheduler)
    result = await scheduler.tick(call.project_ref, query.limit, "tick")
    call.noted.about(
        "scheduler",
        call.project_id,
        status="partial" if result.failed else "ok",
        processed=result.processed,
        ok=result.ok,
        failed=result.failed,
    )
    return Ticked(result)


@TOWER.post("/jobs/scheduler/{job_type}/pause", raises=(JobNotFound,), audit="job.pause")
async def pause_job(call: Scoped, job_type: JobType) -> OneJob:
    """Do not run a job until it is resumed; a running one ends first."""
    tower, jobs = call.tower, current(call.tower.settings)
    job = await tower.db.write_durably(store.pause, call.project_ref, jobs, job_type, tower.clock.now())
    call.noted.about("scheduled_job", job.id, job_type=job_type)
    return OneJob(job)


@TOWER.post("/jobs/scheduler/{job_type}/resume", raises=(JobNotFound,), audit="job.resume")
async def resume_job(call: Scoped, job_type: JobType) -> OneJob:
    """Make a paused or suspended job due at once, its failures forgotten."""
    tower, jobs = call.tower, current(call.tower.settings)
    job = await tower.db.write_durably(store.resume, call.project_ref, jobs, job_type, tower.clock.now())
    call.noted.about("scheduled_job", job.id, job_type=job_type)
    return OneJob(job)


@TOWER.post(
    "/jobs/scheduler/{job_type}/run",
    raises=(JobNotFound, JobRunning, SchedulerStopping),
    audit="job.run",
    pace="expensive",
)
async def run_job(call: Scoped, job_type: JobType) -> JobRan:
    """Run one job now, due or not, and wait for its end."""
    scheduler = await call.tower.part(Scheduler)
    detail = await scheduler.run_now(call.project_ref, job_type)
    call.noted.about(
        "scheduled_job", job_type, status=detail.status, job_type=job_type, duration_ms=detail.duration_ms
    )
    return JobRan(detail)
