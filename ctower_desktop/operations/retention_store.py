"""What is deleted for its age, table by table: declared as data, each with a walk of its own index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.operations.retention import Retention


class _Oldest(msgspec.Struct, frozen=True):
    at: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows of one table that go when they are older than `days` of the settings say; 0 days: never."""

    name: str
    days: Callable[[Retention], int]
    delete: Command
    oldest: Query[_Oldest]


def _kept(name: str, days: Callable[[Retention], int], where: str, column: str = "created_at") -> Kept:
    table = name.partition(":")[0]
    rows = f"FROM {table} AS old WHERE {where} AND {column} < :before"
    return Kept(
        name,
        days,
        Command(f"DELETE FROM {table} WHERE id IN (SELECT id {rows} ORDER BY {column} LIMIT :batch)"),
        Query(_Oldest, f"SELECT min({column}) AS at {rows}"),
    )


_MINE = "project_id = :project_id"
_ANY = ":project_id IS NOT NULL"  # rows of no project go with the run of any
_PROCESS = "event_type IN ('process_started', 'process_finished', 'process_failed', 'process_warning')"

KEPT = (
    _kept("search_analytics", lambda r: r.search_analytics_retention_days, _MINE),
    _kept("lightrag_query_runs", lambda r: r.lightrag_query_runs_retention_days, _MINE),
    _kept(
        "worker_run",
        lambda r: r.run_retention_days,
        f"{_MINE} AND status <> 'running'"
        " AND id < (SELECT max(id) FROM worker_run WHERE scheduled_job_id = old.scheduled_job_id)",
        "started_at",
    ),
    _kept(
        "job_run",
        lambda r: r.run_retention_days,
        f"{_MINE} AND status <> 'running' AND id < (SELECT max(id) FROM job_run"
        " WHERE project_id = old.project_id AND job_name = old.job_name)",
        "started_at",
    ),
    _kept(
        "generated_report:completed",
        lambda r: r.generated_reports_completed_retention_days,
        f"{_MINE} AND status = 'completed'",
    ),
    _kept(
        "generated_report:failed",
        lambda r: r.generated_reports_failed_retention_days,
        f"{_MINE} AND status = 'failed'",
    ),
    _kept(
        "connector_event:process",
        lambda r: r.sync_log_retention_days,
        f"{_MINE} AND {_PROCESS}",
        "occurred_at",
    ),
    _kept(
        "connector_error:resolved",
        lambda r: r.sync_log_retention_days,
        f"{_MINE} AND status = 'resolved'",
        "resolved_at",
    ),
    _kept("reconciliation_metric", lambda r: r.reconciliation_retention_days, _MINE, "captured_at"),
    _kept(
        "alert:resolved", lambda r: r.alert_retention_days, f"{_ANY} AND state = 'resolved'", "resolved_at"
    ),
    _kept("audit_event", lambda r: r.audit_retention_days, _ANY),
)


def delete_old(db: apsw.Connection, kept: Kept, project_id: str, before: str, batch: int) -> int:
    """Delete at most `batch` rows from before a time, the oldest first; return how many."""
    return kept.delete.run(db, project_id=project_id, before=before, batch=batch)


def oldest_left(db: apsw.Connection, kept: Kept, project_id: str, before: str) -> str | None:
    """The time of the oldest row that should be gone already."""
    return kept.oldest.one(db, project_id=project_id, before=before).at
