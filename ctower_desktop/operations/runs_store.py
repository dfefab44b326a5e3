"""The SQL of runs: claiming a due job, renewing the lease, ending, putting back, giving up the dead."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import apsw
import msgspec

from ctower_desktop.kernel.jobs import Job
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.operations.model import Cascade, Claim, JobStatus, Source
from ctower_desktop.operations.store import Due, Row, due, ensure, replan, rows
from ctower_desktop.operations.timing import Rules

LEASE = timedelta(seconds=60)
GIVEN_UP = "dead_job_auto_cleanup: nobody has reported on this run any more; it is tried again"
_LONGEST_ERROR = 1_000


class Ending(msgspec.Struct, frozen=True):
    """How a run ended: `error` is None when well. `then` are the jobs that become due.

    `again_at` is when the job wants to run next, if that is sooner than its cadence.
    """

    at: datetime
    duration_ms: int
    details: str = "{}"
    error: str | None = None
    retry_after: float | None = None
    then: tuple[str, ...] = ()
    again_at: str | None = None


class Settled(msgspec.Struct, frozen=True):
    """What became of the job: suspended or not, and whether the lease was still ours."""

    suspended: bool
    held: bool


class _Run(msgspec.Struct, frozen=True):
    id: int


class _Taken(msgspec.Struct, frozen=True):
    id: str
    job_type: str
    next_run_at: str


_HELD = Query(
    Row,
    """
    SELECT id, job_type, status, cadence_seconds, next_run_at, payload, started_at, lease_until, pause_after
    FROM scheduled_job WHERE id = :id AND status = 'running' AND lease_owner = :owner
    """,
)
_CLAIM = Query(
    _Taken,
    """
    UPDATE scheduled_job SET status = 'running', started_at = :now, lease_owner = :owner, lease_until = :until
    WHERE id = :id AND status = 'active' AND next_run_at <= :now
    RETURNING id, job_type, next_run_at
    """,
)
_CLAIM_AT_ONCE = Query(
    _Taken,
    """
    UPDATE scheduled_job SET pause_after = (status = 'paused'),
        status = 'running', started_at = :now, lease_owner = :owner, lease_until = :until
    WHERE id = :id AND status <> 'running'
    RETURNING id, job_type, next_run_at
    """,
)
_BEGIN = Query(
    _Run,
    """
    INSERT INTO worker_run
        (project_id, account_scope_id, scheduled_job_id, job_type, source, slot, status, started_at)
    VALUES (:project_id, :account_scope_id, :job_id, :job_type, :source, :slot, 'running', :now)
    RETURNING id
    """,
)
_END = Command("""
    UPDATE worker_run
    SET status = :status, finished_at = :at, duration_ms = :duration_ms, details = :details, error = :error
    WHERE id = :id AND status = 'running'
""")
_EXTEND = Command("""
    UPDATE scheduled_job SET lease_until = :until
    WHERE id = :id AND status = 'running' AND lease_owner = :owner
""")
_SETTLE = Command("""
    UPDATE scheduled_job
    SET status = :status, next_run_at = :next_run_at, last_run_at = :at, last_status = :last_status,
        last_error = :error, payload = :payload,
        started_at = NULL, lease_owner = NULL, lease_until = NULL, pause_after = 0
    WHERE id = :id
""")
_CASCADE = Command("""
    UPDATE scheduled_job
    SET next_run_at = :at, payload = json_set(payload, '$.cascade_triggered_by', json(:cause))
    WHERE project_id = :project_id AND job_type = :job_type AND status = 'active' AND next_run_at > :at
""")
_RELEASE = Command("""
    UPDATE scheduled_job
    SET status = CASE pause_after WHEN 1 THEN 'paused' ELSE 'active' END,
        started_at = NULL, lease_owner = NULL, lease_until = NULL, pause_after = 0
    WHERE status = 'running' AND lease_owner = :owner AND (:id IS NULL OR id = :id)
""")
_STOP_RUNS = Command("""
    UPDATE worker_run SET status = 'stopped', finished_at = :at, error = 'stopped: the program was closing'
    WHERE status = 'running' AND scheduled_job_id IN (
        SELECT id FROM scheduled_job
        WHERE status = 'running' AND lease_owner = :owner AND (:id IS NULL OR id = :id)
    )
""")
_FAIL_RUNS = Command("""
    UPDATE worker_run SET status = 'failed', finished_at = :at, error = :error
    WHERE scheduled_job_id = :job_id AND status = 'running'
""")
_FAIL_ASKED = Command("""
    UPDATE job_run SET status = 'failed', finished_at = :at, error = :error
    WHERE project_id = :project_id AND started_at < :before AND status = 'running'
""")


class Look(msgspec.Struct, frozen=True):
    """What a tick found: the jobs that are due, and those whose runs had died."""

    due: list[Due]
    given_up: list[str]


def look(
    db: apsw.Connection,
    project: ProjectRef,
    jobs: dict[str, Job],
    rules: Rules,
    *,
    now: datetime,
    running: Collection[str],
    limit: int,
    withdrawn: Collection[str] = (),
) -> Look:
    """Bring the schedule of a project up to date and find what is due.

    `running` are the jobs this process is at work on.
    """
    ensure(db, project, jobs, now, withdrawn)
    replan(db, project.id, jobs, rules, now)
    given_up = give_up(db, project.id, running, rules, now)
    return Look(due(db, project.id, now, limit), given_up)


def give_up(
    db: apsw.Connection, project_id: str, running: Collection[str], rules: Rules, now: datetime
) -> list[str]:
    """Put back the jobs whose runs died with their process; return their names.

    `running` are the jobs this process is at work on. A lease too far ahead was given before the clock
    was set back.
    """
    given_up = []
    for row in rows(db, project_id):
        if row.status != "running" or row.id in running:
            continue
        assert row.lease_until is not None, "a running job is leased"
        until = from_text(row.lease_until)
        started = from_text(row.started_at) if row.started_at else until
        if now <= until <= now + 2 * LEASE and now - started <= rules.dead_after:
            continue
        failures = row.payload.consecutive_failures + 1
        payload = msgspec.structs.replace(
            row.payload, consecutive_failures=failures, dead_job_cleaned_at=as_text(now)
        )
        _SETTLE.run(
            db,
            id=row.id,
            status=_after(row, suspended=rules.suspends(failures)),
            next_run_at=as_text(now + timedelta(seconds=rules.base)),
            at=as_text(now),
            last_status="failed",
            error=GIVEN_UP,
            payload=as_json(payload),
        )
        _FAIL_RUNS.run(db, job_id=row.id, at=as_text(now), error=GIVEN_UP)
        given_up.append(row.job_type)
    _FAIL_ASKED.run(
        db, project_id=project_id, at=as_text(now), before=as_text(now - rules.dead_after), error=GIVEN_UP
    )
    return given_up


def fail_runs(db: apsw.Connection, job_id: str, now: datetime) -> None:
    """Note that the runs of a job which are still said to be going on will not end."""
    _FAIL_RUNS.run(db, job_id=job_id, at=as_text(now), error=GIVEN_UP)


def claim(
    db: apsw.Connection,
    project: ProjectRef,
    job_id: str,
    *,
    owner: str,
    source: Source,
    now: datetime,
    at_once: bool = False,
) -> Claim | None:
    """Take a due job (or, `at_once`, one that is not running) for running; None when it was taken before."""
    statement = _CLAIM_AT_ONCE if at_once else _CLAIM
    taken = statement.first(db, id=job_id, now=as_text(now), owner=owner, until=as_text(now + LEASE))
    if taken is None:
        return None
    run = _BEGIN.one(
        db,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        job_id=taken.id,
        job_type=taken.job_type,
        source=source,
        slot=taken.next_run_at,
        now=as_text(now),
    )
    return Claim(taken.id, taken.job_type, slot=taken.next_run_at, run_id=run.id, owner=owner)


def extend(db: apsw.Connection, owner: str, job_ids: Collection[str], now: datetime) -> int:
    """Renew the leases of `owner` on jobs it is at work on; return how many it still holds."""
    until = as_text(now + LEASE)
    return _EXTEND.run_many(db, ({"id": job_id, "owner": owner, "until": until} for job_id in job_ids))


def settle(db: apsw.Connection, project: ProjectRef, claim: Claim, ending: Ending, rules: Rules) -> Settled:
    """Note how a run ended, plan the next, and make due what follows from it."""
    at = as_text(ending.at)
    _END.run(
        db,
        id=claim.run_id,
        status="ok" if ending.error is None else "failed",
        at=at,
        duration_ms=ending.duration_ms,
        details=ending.details,
        error=ending.error,
    )
    row = _HELD.first(db, id=claim.job_id, owner=claim.owner)
    if row is None:
        return Settled(suspended=False, held=False)
    failures = 0 if ending.error is None else row.payload.consecutive_failures + 1
    suspended = rules.suspends(failures) if failures else False
    following = as_text(
        rules.retry_at(ending.at, failures, ending.retry_after)
        if failures
        else ending.at + timedelta(seconds=row.cadence_seconds)
    )
    if not failures and ending.again_at is not None:
        following = min(following, max(ending.again_at, at))
    _SETTLE.run(
        db,
        id=row.id,
        status=_after(row, suspended=suspended),
        next_run_at=following,
        at=at,
        last_status="failed" if failures else "ok",
        error=ending.error[:_LONGEST_ERROR] if ending.error is not None else None,
        payload=as_json(msgspec.structs.replace(row.payload, consecutive_failures=failures)),
    )
    if ending.error is None:
        cause = as_json(Cascade(job_type=claim.job_type, at=at))
        for name in ending.then:
            _CASCADE.run(db, project_id=project.id, job_type=name, at=at, cause=cause)
    return Settled(suspended=suspended, held=True)


def _after(row: Row, *, suspended: bool) -> JobStatus:
    if suspended:
        return "suspended"
    return "paused" if row.pause_after else "active"


def release(db: apsw.Connection, owner: str, now: datetime, job_id: str | None = None) -> int:
    """Put back a job whose run was interrupted, or all of `owner`; they stay due as they were."""
    _STOP_RUNS.run(db, owner=owner, id=job_id, at=as_text(now))
    return _RELEASE.run(db, owner=owner, id=job_id)
