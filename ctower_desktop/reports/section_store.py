"""The figures of report sections, in SQL: within a range of time, never a walk through history."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query
from ctower_desktop.reports.tower_view import Watermark


class Range(msgspec.Struct, frozen=True):
    """A project and the time from `since` up to `until`; `today` is the user's day."""

    project_id: str
    since: str
    until: str
    today: str


class Messages(msgspec.Struct, frozen=True):
    """What was said, and by how many people."""

    total_messages: int
    inbound_messages: int
    outbound_messages: int
    unique_contacts: int


class Work(msgspec.Struct, frozen=True):
    """Issues as they are now, those that were cancelled or archived not being open."""

    total_issues: int
    completed_issues: int
    open_issues: int
    overdue_issues: int


class Healthy(msgspec.Struct, frozen=True):
    """The newest health score."""

    score: float
    generated_at: str


class SourceErrors(msgspec.Struct, frozen=True):
    """Errors of a source."""

    connector: str
    error_count: int
    latest_error_at: str


class JobErrors(msgspec.Struct, frozen=True):
    """Failed runs of a job."""

    job_type: str
    error_count: int
    latest_error_at: str
    latest_error: str | None


class SignalCounts(msgspec.Struct, frozen=True):
    """Signals first seen in the range, by what became of them."""

    total_signals: int
    proposed: int
    accepted: int
    dismissed: int
    done: int


class IssueCounts(msgspec.Struct, frozen=True):
    """Issues created and completed in the range."""

    created_in_range: int
    completed_in_range: int


class _Count(msgspec.Struct, frozen=True):
    value: int


_MESSAGES = Query(
    Messages,
    """
    SELECT count(*) AS total_messages, coalesce(sum(message_type = '0'), 0) AS inbound_messages,
           coalesce(sum(message_type = '1'), 0) AS outbound_messages,
           count(DISTINCT contact_global_id) AS unique_contacts
    FROM message
    WHERE project_id = :project_id AND deleted_at IS NULL AND private = 0 AND message_type <> '2'
      AND created_at >= :since AND created_at < :until
    """,
)
_SAID = Query(
    _Count,
    """
    SELECT count(*) AS value FROM message INDEXED BY message_spoken
    WHERE project_id = :project_id AND deleted_at IS NULL AND private = 0 AND message_type <> '2'
      AND created_at >= :since AND created_at < :until
    """,
)
_WORK = Query(
    Work,
    """
    SELECT
        (SELECT count(*) FROM issue INDEXED BY issue_recent
            WHERE project_id = :project_id AND deleted_at IS NULL) AS total_issues,
        (SELECT count(*) FROM issue
            WHERE project_id = :project_id AND deleted_at IS NULL AND completed_at IS NOT NULL)
            AS completed_issues,
        (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
            AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL) AS open_issues,
        (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
            AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL
            AND due_date IS NOT NULL AND due_date < :today) AS overdue_issues
    """,
)
_HEALTH = Query(
    Healthy,
    """
    SELECT score, generated_at FROM health_score WHERE project_id = :project_id ORDER BY day DESC LIMIT 1
    """,
)
_WATERMARKS = Query(
    Watermark,
    """
    SELECT source, cursor_ts, cursor_id, updated_at FROM sync_watermark
    WHERE project_id = :project_id ORDER BY updated_at DESC, source LIMIT 50
    """,
)
_SOURCE_ERRORS = Query(
    SourceErrors,
    """
    SELECT connector, count(*) AS error_count, max(updated_at) AS latest_error_at FROM connector_error
    WHERE project_id = :project_id AND updated_at >= :since AND updated_at < :until
    GROUP BY connector ORDER BY error_count DESC, connector
    """,
)
_JOB_ERRORS = Query(
    JobErrors,
    """
    SELECT job_type, count(*) AS error_count, max(at) AS latest_error_at, error AS latest_error FROM (
        SELECT job_type, started_at AS at, error FROM worker_run
        WHERE project_id = :project_id AND status = 'failed' AND started_at >= :since AND started_at < :until
        UNION ALL
        SELECT job_name, started_at, error FROM job_run
        WHERE project_id = :project_id AND status = 'failed' AND started_at >= :since AND started_at < :until
    ) GROUP BY job_type ORDER BY error_count DESC, job_type
    """,
)
_SIGNALS = Query(
    SignalCounts,
    """
    SELECT count(*) AS total_signals, coalesce(sum(status = 'proposed'), 0) AS proposed,
           coalesce(sum(status = 'accepted'), 0) AS accepted,
           coalesce(sum(status = 'dismissed'), 0) AS dismissed, coalesce(sum(status = 'done'), 0) AS done
    FROM signal WHERE project_id = :project_id AND created_at >= :since AND created_at < :until
    """,
)
_ISSUES = Query(
    IssueCounts,
    """
    SELECT
        (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
            AND created_at >= :since AND created_at < :until) AS created_in_range,
        (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
            AND completed_at IS NOT NULL AND completed_at >= :since AND completed_at < :until)
            AS completed_in_range
    """,
)


def messages(db: apsw.Connection, span: Range) -> Messages:
    """What was said in the range."""
    return _MESSAGES.one(db, project_id=span.project_id, since=span.since, until=span.until)


def said(db: apsw.Connection, span: Range) -> int:
    """How many messages that were."""
    return _SAID.one(db, project_id=span.project_id, since=span.since, until=span.until).value


def work(db: apsw.Connection, span: Range) -> Work:
    """Issues as they are now."""
    return _WORK.one(db, project_id=span.project_id, today=span.today)


def health(db: apsw.Connection, span: Range) -> Healthy | None:
    """The newest health score, if there is one."""
    return _HEALTH.first(db, project_id=span.project_id)


def watermarks(db: apsw.Connection, span: Range) -> list[Watermark]:
    """How far every source was read."""
    return _WATERMARKS.all(db, project_id=span.project_id)


def source_errors(db: apsw.Connection, span: Range) -> list[SourceErrors]:
    """Errors of sources in the range."""
    return _SOURCE_ERRORS.all(db, project_id=span.project_id, since=span.since, until=span.until)


def job_errors(db: apsw.Connection, span: Range) -> list[JobErrors]:
    """Failed runs in the range."""
    return _JOB_ERRORS.all(db, project_id=span.project_id, since=span.since, until=span.until)


def signals(db: apsw.Connection, span: Range) -> SignalCounts:
    """Signals first seen in the range."""
    return _SIGNALS.one(db, project_id=span.project_id, since=span.since, until=span.until)


def issues(db: apsw.Connection, span: Range) -> IssueCounts:
    """Issues created and completed in the range."""
    return _ISSUES.one(db, project_id=span.project_id, since=span.since, until=span.until)
