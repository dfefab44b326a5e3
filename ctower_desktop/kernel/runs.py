"""Runs that somebody asked for: one row of `job_run` for each, kept whatever becomes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import apsw
import msgspec

from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.events import JobCompleted
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef, Scoped

_LONGEST_ERROR = 2_000


class JobRun(msgspec.Struct, frozen=True):
    """One run of a job, as stored and served."""

    id: str
    job_name: str
    status: Literal["running", "ok", "failed"]
    started_at: str
    finished_at: str | None
    processed_count: int
    error: str | None
    meta: dict[str, Any]


class _Id(msgspec.Struct, frozen=True):
    id: int


@dataclass(slots=True)
class Progress:
    """What a running job says of itself; it is stored when the run ends."""

    processed: int = 0
    meta: dict[str, Any] = field(default_factory=dict)


_START = Query(
    _Id,
    """
    INSERT INTO job_run (project_id, account_scope_id, job_name, status, started_at)
    VALUES (:project_id, :account_scope_id, :job_name, 'running', :at)
    RETURNING id
    """,
)
_FINISH = Command("""
    UPDATE job_run
    SET status = :status, finished_at = :at, processed_count = :processed, error = :error, meta = :meta
    WHERE id = :id AND status = 'running'
""")
_LATEST = Query(
    JobRun,
    """
    SELECT CAST(id AS TEXT) AS id, job_name, status, started_at, finished_at, processed_count, error, meta
    FROM job_run
    WHERE id IN (SELECT max(id) FROM job_run WHERE project_id = :project_id GROUP BY job_name)
    ORDER BY job_name
    """,
)


def start_run(db: apsw.Connection, project: ProjectRef, job_name: str, at: str) -> int:
    """Note that a run began; return its number for `finish_run`."""
    return _START.one(
        db, project_id=project.id, account_scope_id=project.account_scope_id, job_name=job_name, at=at
    ).id


def finish_run(
    db: apsw.Connection,
    run_id: int,
    at: str,
    *,
    processed: int = 0,
    error: str | None = None,
    meta: dict[str, Any] | None = None,
) -> None:
    """Note how a run ended: well, or with `error`."""
    _FINISH.run(
        db,
        id=run_id,
        at=at,
        status="ok" if error is None else "failed",
        processed=processed,
        error=error[:_LONGEST_ERROR] if error is not None else None,
        meta=as_json(meta or {}),
    )


def latest_runs(db: apsw.Connection, project_id: str) -> list[JobRun]:
    """The newest run of every job name, by name."""
    return _LATEST.all(db, project_id=project_id)


@asynccontextmanager
async def recorded(call: Scoped, job_name: str) -> AsyncIterator[Progress]:
    """Keep what runs inside as one `job_run`, and tell those who listen how it ended.

    For what a person or a client asked for; the scheduler keeps its own account of its runs.
    """
    tower, project, progress = call.tower, call.project_ref, Progress()
    started = tower.clock.monotonic()
    run_id = await tower.db.write(start_run, project, job_name, tower.clock.text())
    error: str | None = None
    try:
        yield progress
    except BaseException as cause:
        error = reason(cause)
        raise
    finally:
        at = tower.clock.text()
        await tower.db.write(
            finish_run, run_id, at, processed=progress.processed, error=error, meta=progress.meta
        )
        tower.events.publish(
            JobCompleted(
                project_id=project.id,
                job_type=job_name,
                status="ok" if error is None else "failed",
                at=at,
                duration_ms=round((tower.clock.monotonic() - started) * 1_000),
            )
        )


def reason(cause: BaseException) -> str:
    """Why a run failed, in words for the person at the screen: a code first where there is one."""
    if isinstance(cause, TowerError):
        return f"{cause.code}: {cause}"
    text = str(cause)
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
