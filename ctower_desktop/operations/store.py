"""The SQL of the schedule: which jobs a project has, when they are due, pausing them."""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import datetime

import apsw
import msgspec

from ctower_desktop.kernel.jobs import Job
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import as_text, from_text, new_id
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.operations.model import JobNotFound, JobStatus, Payload, ScheduledJob
from ctower_desktop.operations.timing import Rules, spread, upstream_first


class Due(msgspec.Struct, frozen=True):
    """A job whose time has come."""

    id: str
    job_type: str


class Row(msgspec.Struct, frozen=True):
    """A job as the scheduler sees it."""

    id: str
    job_type: str
    status: JobStatus
    cadence_seconds: int
    next_run_at: str
    payload: Payload
    started_at: str | None
    lease_until: str | None
    pause_after: bool


class _Time(msgspec.Struct, frozen=True):
    at: str | None


_PROJECTS = Query(
    ProjectRef,
    "SELECT id, name, account_scope_id FROM project ORDER BY created_at DESC, id",
)
_LIST = Query(
    ScheduledJob,
    """
    SELECT id, job_type, status, cadence_seconds, next_run_at, last_run_at, last_status, last_error, payload
    FROM scheduled_job WHERE project_id = :project_id ORDER BY job_type
    """,
)
_ONE = Query(
    ScheduledJob,
    """
    SELECT id, job_type, status, cadence_seconds, next_run_at, last_run_at, last_status, last_error, payload
    FROM scheduled_job WHERE project_id = :project_id AND job_type = :job_type
    """,
    missing=JobNotFound,
)
_ROWS = Query(
    Row,
    """
    SELECT id, job_type, status, cadence_seconds, next_run_at, payload, started_at, lease_until, pause_after
    FROM scheduled_job WHERE project_id = :project_id
    """,
)
_DUE = Query(
    Due,
    """
    SELECT id, job_type FROM scheduled_job
    WHERE project_id = :project_id AND status = 'active' AND next_run_at <= :now
    ORDER BY next_run_at, rowid LIMIT :limit
    """,
)
_NEXT = Query(_Time, "SELECT min(next_run_at) AS at FROM scheduled_job WHERE status = 'active'")
_ADD = Command("""
    INSERT INTO scheduled_job (id, project_id, account_scope_id, job_type, cadence_seconds, next_run_at)
    VALUES (:id, :project_id, :account_scope_id, :job_type, :cadence_seconds, :next_run_at)
""")
_WITHDRAW = Command("""
    DELETE FROM scheduled_job
    WHERE project_id = :project_id AND job_type IN (SELECT value FROM json_each(:names))
      AND status <> 'running'
""")
_PLAN = Command("""
    UPDATE scheduled_job SET cadence_seconds = :cadence_seconds, next_run_at = :next_run_at WHERE id = :id
""")
_PAUSE = Command("""
    UPDATE scheduled_job
    SET status = CASE status WHEN 'running' THEN 'running' ELSE 'paused' END,
        pause_after = (status = 'running')
    WHERE project_id = :project_id AND job_type = :job_type
""")
_RESUME = Command("""
    UPDATE scheduled_job
    SET next_run_at = CASE WHEN status IN ('paused', 'suspended') THEN :now ELSE next_run_at END,
        payload = CASE status
            WHEN 'suspended' THEN json_remove(payload, '$.consecutive_failures') ELSE payload END,
        status = CASE status WHEN 'running' THEN 'running' ELSE 'active' END,
        pause_after = 0
    WHERE project_id = :project_id AND job_type = :job_type
""")


def projects(db: apsw.Connection) -> list[ProjectRef]:
    """Every project, the newest first."""
    return _PROJECTS.all(db)


def listed(db: apsw.Connection, project_id: str) -> list[ScheduledJob]:
    """The jobs of a project, by name."""
    return _LIST.all(db, project_id=project_id)


def found(db: apsw.Connection, project_id: str, job_type: str) -> ScheduledJob:
    """One job of a project; raise JobNotFound."""
    return _ONE.one(db, project_id=project_id, job_type=job_type)


def rows(db: apsw.Connection, project_id: str) -> list[Row]:
    """The jobs of a project as the scheduler sees them."""
    return _ROWS.all(db, project_id=project_id)


def next_due(db: apsw.Connection) -> datetime | None:
    """When the first active job of any project is due."""
    at = _NEXT.one(db).at
    return from_text(at) if at is not None else None


def ensure(
    db: apsw.Connection,
    project: ProjectRef,
    jobs: dict[str, Job],
    now: datetime,
    withdrawn: Collection[str] = (),
) -> None:
    """Create what is declared and not there yet, due at once; what the settings withdrew goes."""
    there = {row.job_type for row in rows(db, project.id)}
    if gone := sorted(there.intersection(withdrawn)):
        _WITHDRAW.run(db, project_id=project.id, names=as_json(gone))
    for job in upstream_first(jobs):
        if job.name not in there:
            _ADD.run(
                db,
                id=new_id(),
                project_id=project.id,
                account_scope_id=project.account_scope_id,
                job_type=job.name,
                cadence_seconds=job.every,
                next_run_at=as_text(now),
            )


def replan(db: apsw.Connection, project_id: str, jobs: dict[str, Job], rules: Rules, now: datetime) -> None:
    """Follow changed cadences, and draw nearer what a clock set back has pushed far away."""
    for row in rows(db, project_id):
        job = jobs.get(row.job_type)
        cadence = job.every if job is not None else row.cadence_seconds
        planned = from_text(row.next_run_at)
        wanted = rules.replanned(planned, cadence, row.payload.consecutive_failures, now)
        if wanted != planned or cadence != row.cadence_seconds:
            _PLAN.run(db, id=row.id, cadence_seconds=cadence, next_run_at=as_text(wanted))


def due(db: apsw.Connection, project_id: str, now: datetime, limit: int) -> list[Due]:
    """Active jobs whose time has come, those that wait longest first."""
    return _DUE.all(db, project_id=project_id, now=as_text(now), limit=limit)


def pause(
    db: apsw.Connection, project: ProjectRef, jobs: dict[str, Job], job_type: str, now: datetime
) -> ScheduledJob:
    """Do not run a job until it is resumed; one that is running is finished first."""
    ensure(db, project, jobs, now)
    _PAUSE.run(db, project_id=project.id, job_type=job_type)
    return found(db, project.id, job_type)


def resume(
    db: apsw.Connection, project: ProjectRef, jobs: dict[str, Job], job_type: str, now: datetime
) -> ScheduledJob:
    """Make a paused or suspended job due at once; a suspended one starts with a clean slate."""
    ensure(db, project, jobs, now)
    _RESUME.run(db, project_id=project.id, job_type=job_type, now=as_text(now))
    return found(db, project.id, job_type)


def spread_overdue(db: apsw.Connection, project_id: str, now: datetime, chance: random.Random) -> int:
    """Give overdue jobs moments of their own within the next half minute; return how many there are."""
    overdue = [
        row for row in rows(db, project_id) if row.status == "active" and row.next_run_at <= as_text(now)
    ]
    for row, at in zip(overdue, spread(now, len(overdue), chance), strict=True):
        _PLAN.run(db, id=row.id, cadence_seconds=row.cadence_seconds, next_run_at=as_text(at))
    return len(overdue)
