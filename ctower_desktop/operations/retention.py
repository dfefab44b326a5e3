"""How long records are kept, as settings; what a cleaning job reports."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page


class RetentionReport(msgspec.Struct, frozen=True):
    """Rows deleted by a retention job, by table; `more` when a batch was full: the next run goes on."""

    deleted: dict[str, int]
    more: bool


@page("retention")
class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long records are kept before they are deleted."""

    run_retention_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3_650,
            title="Keep runs of jobs for (days)",
            description="Older records of runs are deleted; the newest of each job always stays.",
        ),
    ] = 30
    search_analytics_retention_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3_650,
            title="Keep search statistics for (days)",
            description="Older records of what was searched for are deleted.",
            extra={"env": ["SEARCH_ANALYTICS_RETENTION_DAYS"]},
        ),
    ] = 365
    lightrag_query_runs_retention_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3_650,
            title="Keep answered questions for (days)",
            description="Older questions, with their answers and ratings, are deleted.",
            extra={"env": ["LIGHTRAG_QUERY_RUNS_RETENTION_DAYS"]},
        ),
    ] = 180
    analytics_retention_batch_size: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            title="Rows deleted in one go",
            description="A retention job deletes at most so many rows of a table in one run.",
            extra={"env": ["ANALYTICS_RETENTION_BATCH_SIZE"]},
        ),
    ] = 1_000
    generated_reports_completed_retention_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3_650,
            title="Keep reports for (days)",
            description="Older reports are deleted.",
            extra={"env": ["GENERATED_REPORTS_COMPLETED_RETENTION_DAYS"]},
        ),
    ] = 180
    generated_reports_failed_retention_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3_650,
            title="Keep failed reports for (days)",
            description="Older reports that could not be made are deleted.",
            extra={"env": ["GENERATED_REPORTS_FAILED_RETENTION_DAYS"]},
        ),
    ] = 45
    sync_log_retention_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3_650,
            title="Keep records of synchronisation for (days)",
            description="Older records of runs and of errors that are over are deleted.",
        ),
    ] = 90
    reconciliation_retention_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3_650,
            title="Keep completeness for (days)",
            description="Older measurements of completeness are deleted.",
        ),
    ] = 400
    alert_retention_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3_650,
            title="Keep alerts for (days)",
            description="Older alerts that are over are deleted.",
        ),
    ] = 90
    audit_retention_days: Annotated[
        int,
        Meta(
            ge=0,
            le=3_650,
            title="Keep the audit trail for (days)",
            description="Older lines are deleted; 0 keeps them for ever.",
        ),
    ] = 0
    log_file_mb: Annotated[
        int,
        Meta(ge=1, le=1_000, title="Size of a log file (MB)", description="Then the next file is begun."),
    ] = 2
    log_files: Annotated[
        int,
        Meta(
            ge=2,
            le=100,
            title="Log files",
            description="So many files of the log are kept; the oldest goes.",
        ),
    ] = 5
