"""How runs went, in SQL: statistics from one index, the newest runs of a job, the dead ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.kernel.system import as_text
from ctower_desktop.operations.model import DeadJobNotFound, ScheduledJob
from ctower_desktop.operations.runs_store import fail_runs
from ctower_desktop.operations.store import found, listed

BOUNDS = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000)  # milliseconds
_POINTS = 20  # runs in a sparkline
_REST = timedelta(seconds=30)  # after a dead job was cleaned up


class Numbers(msgspec.Struct, frozen=True):
    """How the runs of one kind of job went; `buckets` counts those that took at most each of BOUNDS."""

    job_type: str
    count: int
    ok: int
    failed: int
    avg_ms: float | None
    max_ms: int | None
    min_ms: int | None
    buckets: list[int]


class Last(msgspec.Struct, frozen=True):
    """The newest run of a job that has ended."""

    job_type: str
    duration_ms: int | None
    status: str
    at: str


class Point(msgspec.Struct, frozen=True):
    """One run, for a sparkline."""

    at: str
    duration_ms: int | None
    status: str


class DeadJob(msgspec.Struct, frozen=True):
    """A job that nobody will run again by itself: suspended, or at a run that does not end."""

    id: str
    job_type: str
    status: Literal["running", "suspended"]
    started_at: str | None
    last_run_at: str | None
    last_error: str | None
    consecutive_failures: int
    stuck_minutes: float | None


_BUCKETS = ", ".join(f"coalesce(sum(duration_ms <= {bound}), 0)" for bound in BOUNDS)
_NUMBERS = Query(
    Numbers,
    f"""
    SELECT job_type, count(*) AS count, sum(status = 'ok') AS ok, sum(status = 'failed') AS failed,
           round(avg(duration_ms), 1) AS avg_ms, max(duration_ms) AS max_ms, min(duration_ms) AS min_ms,
           json_array({_BUCKETS}) AS buckets
    FROM worker_run INDEXED BY worker_run_age
    WHERE project_id = :project_id AND started_at >= :since AND status IN ('ok', 'failed')
    GROUP BY job_type ORDER BY job_type
    """,
)
_LAST = Query(
    Last,
    """
    SELECT r.job_type, r.duration_ms, r.status, r.finished_at AS at
    FROM scheduled_job AS j JOIN worker_run AS r ON r.id = (
        SELECT id FROM worker_run WHERE scheduled_job_id = j.id AND status IN ('ok', 'failed')
        ORDER BY id DESC LIMIT 1)
    WHERE j.project_id = :project_id
    """,
)
_POINTS_OF = Query(
    Point,
    """
    SELECT started_at AS at, duration_ms, status FROM worker_run
    WHERE scheduled_job_id = :job_id AND status IN ('ok', 'failed') ORDER BY id DESC LIMIT :limit
    """,
)
_DEAD_COLUMNS = """
    SELECT id, job_type, status, started_at, last_run_at, last_error,
           CAST(coalesce(json_extract(payload, '$.consecutive_failures'), 0) AS INTEGER)
               AS consecutive_failures,
           CASE status WHEN 'running'
               THEN round((julianday(:now) - julianday(started_at)) * 1440, 1) END AS stuck_minutes
    FROM scheduled_job
    WHERE project_id = :project_id
        AND (status = 'suspended' OR status = 'running' AND started_at < :before)
"""
_DEAD = Query(DeadJob, f"{_DEAD_COLUMNS} ORDER BY job_type")
_ONE_DEAD = Query(DeadJob, f"{_DEAD_COLUMNS} AND id = :id", missing=DeadJobNotFound)
_CLEAN_UP = Command("""
    UPDATE scheduled_job
    SET status = 'active', next_run_at = :next_run_at, last_status = 'failed',
        payload = json_remove(payload, '$.consecutive_failures'),
        started_at = NULL, lease_owner = NULL, lease_until = NULL, pause_after = 0
    WHERE id = :id
""")


def numbers(db: apsw.Connection, project_id: str, since: str) -> dict[str, Numbers]:
    """How the runs of a project went since a time, by job."""
    return {row.job_type: row for row in _NUMBERS.all(db, project_id=project_id, since=since)}


def last(db: apsw.Connection, project_id: str) -> dict[str, Last]:
    """The newest run that has ended of every job of a project."""
    return {row.job_type: row for row in _LAST.all(db, project_id=project_id)}


def jobs(db: apsw.Connection, project_id: str) -> list[tuple[ScheduledJob, list[Point]]]:
    """The jobs of a project by name, each with its newest runs, the oldest of them first."""
    return [(job, _POINTS_OF.all(db, job_id=job.id, limit=_POINTS)[::-1]) for job in listed(db, project_id)]


def dead(db: apsw.Connection, project_id: str, now: datetime, dead_after: timedelta) -> list[DeadJob]:
    """The jobs of a project that nobody will run again by itself."""
    return _DEAD.all(db, project_id=project_id, now=as_text(now), before=as_text(now - dead_after))


def clean_up(
    db: apsw.Connection, project_id: str, job_id: str, now: datetime, dead_after: timedelta
) -> ScheduledJob:
    """Give a dead job a clean slate, due in half a minute; raise DeadJobNotFound."""
    job = _ONE_DEAD.one(
        db, id=job_id, project_id=project_id, now=as_text(now), before=as_text(now - dead_after)
    )
    _CLEAN_UP.run(db, id=job.id, next_run_at=as_text(now + _REST))
    fail_runs(db, job.id, now)
    return found(db, project_id, job.job_type)
