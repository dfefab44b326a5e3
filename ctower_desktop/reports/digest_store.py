"""The figures of digests, in SQL: of a period, and as things are now."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query
from ctower_desktop.reports.digest import (
    DealLine,
    HealthPart,
    Highlights,
    MoveLine,
    PatternLine,
    Pipeline,
    RiskLine,
    Sum,
    TalkCounts,
    TaskCounts,
    TaskLine,
    WaitingLine,
)

_LINES = 10  # of each kind


class _Count(msgspec.Struct, frozen=True):
    value: int


class _Decided(msgspec.Struct, frozen=True):
    won: int
    lost: int


_OPEN = "deleted_at IS NULL AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL"
_PERIOD = "project_id = :project_id AND {0} >= :since AND {0} < :until"
_HIGHLIGHTS = Query(
    Highlights,
    f"""
    SELECT
        (SELECT count(*) FROM signal WHERE project_id = :project_id AND status = 'proposed')
            AS proposed_signals,
        (SELECT count(*) FROM issue WHERE project_id = :project_id AND {_OPEN} AND due_date IS NOT NULL
            AND due_date < :today) AS overdue_issues,
        (SELECT count(*) FROM outbound_message WHERE project_id = :project_id AND status = 'draft')
            AS outbound_draft,
        (SELECT count(*) FROM outbound_message WHERE project_id = :project_id AND status = 'approved')
            AS outbound_approved,
        (SELECT count(*) FROM outbound_message WHERE project_id = :project_id AND status = 'failed')
            AS outbound_failed
    """,
)
_TASKS = Query(
    TaskCounts,
    f"""
    SELECT
        (SELECT count(*) FROM issue WHERE {_PERIOD.format("completed_at")} AND completed_at IS NOT NULL
            AND deleted_at IS NULL) AS closed,
        (SELECT count(*) FROM issue WHERE {_PERIOD.format("created_at")} AND deleted_at IS NULL) AS created,
        (SELECT count(*) FROM issue WHERE project_id = :project_id AND {_OPEN} AND due_date IS NOT NULL
            AND due_date < :today) AS overdue,
        (SELECT count(*) FROM issue WHERE project_id = :project_id AND {_OPEN} AND blocked = 1) AS blocked,
        (SELECT count(*) FROM issue WHERE project_id = :project_id AND {_OPEN} AND due_date = :today)
            AS due_today
    """,
)
_TASK = "SELECT id, identifier, title, assignee_name, due_date, url FROM issue WHERE"
_TASK_LINES = {
    "closed": Query(
        TaskLine,
        f"""{_TASK} {_PERIOD.format("completed_at")} AND completed_at IS NOT NULL AND deleted_at IS NULL
        ORDER BY completed_at DESC, id LIMIT {_LINES}""",
    ),
    "created": Query(
        TaskLine,
        f"""{_TASK} {_PERIOD.format("created_at")} AND deleted_at IS NULL
        ORDER BY created_at DESC, id LIMIT {_LINES}""",
    ),
    "overdue": Query(
        TaskLine,
        f"""{_TASK} project_id = :project_id AND {_OPEN} AND due_date IS NOT NULL AND due_date < :today
        ORDER BY due_date, priority = 0, priority, id LIMIT {_LINES}""",
    ),
    "blocked": Query(
        TaskLine,
        f"""{_TASK} project_id = :project_id AND {_OPEN} AND blocked = 1
        ORDER BY due_date IS NULL, due_date, priority = 0, priority, id LIMIT {_LINES}""",
    ),
    "due_today": Query(
        TaskLine,
        f"""{_TASK} project_id = :project_id AND {_OPEN} AND due_date = :today
        ORDER BY priority = 0, priority, id LIMIT {_LINES}""",
    ),
}
_TALK = Query(
    TalkCounts,
    f"""
    SELECT coalesce(sum(message_type = '0'), 0) AS inbound, coalesce(sum(message_type = '1'), 0) AS outbound,
           (SELECT count(*) FROM client_burst
            WHERE {_PERIOD.format("answered_at")} AND answered_at IS NOT NULL) AS answered,
           (SELECT round(avg(minutes), 2) FROM client_burst
            WHERE {_PERIOD.format("answered_at")} AND answered_at IS NOT NULL) AS avg_response_minutes
    FROM message WHERE {_PERIOD.format("created_at")} AND deleted_at IS NULL AND private = 0
        AND message_type <> '2'
    """,
)
_WAITS = """
    FROM client_burst AS b CROSS JOIN conversation AS v ON v.id = b.conversation_global_id
    WHERE b.project_id = :project_id AND b.answered_at IS NULL AND v.deleted_at IS NULL
      AND v.status <> 'resolved'"""
_UNANSWERED = Query(_Count, f"SELECT count(*) AS value {_WAITS}")
_WAITING = Query(
    WaitingLine,
    f"""
    SELECT b.conversation_global_id, b.message_global_id,
           (SELECT name FROM contact WHERE id = b.contact_global_id) AS contact_name,
           coalesce((SELECT substr(content, 1, 200) FROM message WHERE id = b.message_global_id), '')
               AS snippet,
           b.started_at AS since,
           round(max(0.0, julianday(:now) - julianday(b.started_at)) * 1440, 1) AS waiting_minutes
    {_WAITS} ORDER BY b.started_at, b.id LIMIT {_LINES}
    """,
)
_DEALS = Query(
    DealLine,
    f"""
    SELECT source_ref AS ref, title, stage, amount, currency, closed_at FROM revenue_line
    WHERE {_PERIOD.format("closed_at")} AND closed_at IS NOT NULL AND stage = :stage
    ORDER BY amount DESC, closed_at, source_ref LIMIT {_LINES}
    """,
)
_MOVES = Query(
    MoveLine,
    f"""
    SELECT e.opportunity_id, o.title, e.from_stage, e.to_stage, e.created_at AS at
    FROM crm_stage_event AS e CROSS JOIN crm_opportunity AS o ON o.id = e.opportunity_id
    WHERE e.project_id = :project_id AND e.created_at >= :since AND e.created_at < :until
      AND e.from_stage <> e.to_stage
    ORDER BY e.created_at DESC, e.id DESC LIMIT {_LINES}
    """,
)
_SUMS = Query(
    Sum,
    f"""
    SELECT currency, count(*) AS count, round(sum(amount), 2) AS amount FROM revenue_line
    WHERE {_PERIOD.format("closed_at")} AND closed_at IS NOT NULL AND stage = :stage
    GROUP BY currency ORDER BY count(*) DESC, currency
    """,
)
_DECIDED = Query(
    _Decided,
    f"""
    SELECT coalesce(sum(stage = 'won'), 0) AS won, coalesce(sum(stage = 'lost'), 0) AS lost FROM revenue_line
    WHERE {_PERIOD.format("closed_at")} AND closed_at IS NOT NULL
    """,
)
# What was open at a moment: begun before it, and closed after it or not at all.
_PIPELINE = Query(
    Pipeline,
    """
    SELECT currency, round(sum(iif(at_end, amount, 0.0)), 2) AS amount,
           round(sum(iif(at_start, amount, 0.0)), 2) AS amount_before,
           round(sum(iif(at_end, amount * probability, 0.0)), 2) AS expected
    FROM (
        SELECT currency, amount, probability,
               created_at < :until AND (closed_at IS NULL OR closed_at >= :until) AS at_end,
               created_at < :since AND (closed_at IS NULL OR closed_at >= :since) AS at_start
        FROM revenue_line WHERE project_id = :project_id
    ) WHERE at_end OR at_start GROUP BY currency ORDER BY count(*) DESC, currency
    """,
)
_OPEN_DEALS = Query(
    _Count,
    """
    SELECT coalesce(sum(deals), 0) AS value FROM pipeline_figure
    WHERE project_id = :project_id AND stage NOT IN ('won', 'lost')
    """,
)
_OFFERS = {
    column: Query(
        Sum,
        f"""
        SELECT currency, count(*) AS count, round(sum(total), 2) AS amount FROM offer
        WHERE {_PERIOD.format(column)} AND {column} IS NOT NULL
        GROUP BY currency ORDER BY count(*) DESC, currency
        """,
    )
    for column in ("sent_at", "signed_at")
}
_HEALTH = Query(
    HealthPart,
    """
    SELECT h.score, h.generated_at,
           (SELECT b.score FROM health_score AS b WHERE b.project_id = :project_id AND b.day <= :week_ago
            ORDER BY b.day DESC LIMIT 1) AS before
    FROM health_score AS h WHERE h.project_id = :project_id AND h.day <= :today ORDER BY h.day DESC LIMIT 1
    """,
)
_RISKS = Query(
    RiskLine,
    """
    SELECT id, title, severity, probability, status, mitigation_action, evidence_refs FROM risk_item
    WHERE project_id = :project_id AND status <> 'closed'
    ORDER BY severity DESC, updated_at DESC, id LIMIT 5
    """,
)
_PATTERNS = Query(
    PatternLine,
    """
    SELECT pattern_key, title, weight FROM risk_pattern WHERE project_id = :project_id AND status = 'open'
    ORDER BY weight DESC, pattern_key LIMIT 5
    """,
)


class Span(msgspec.Struct, frozen=True):
    """A project, a period, the user's day at its end, and the time it is looked at."""

    project_id: str
    since: str
    until: str
    today: str
    now: str

    @property
    def period(self) -> dict[str, str]:
        return {"project_id": self.project_id, "since": self.since, "until": self.until}


def highlights(db: apsw.Connection, span: Span) -> Highlights:
    """What waits for somebody."""
    return _HIGHLIGHTS.one(db, project_id=span.project_id, today=span.today)


def task_counts(db: apsw.Connection, span: Span) -> TaskCounts:
    """How much work."""
    return _TASKS.one(db, today=span.today, **span.period)


def task_lines(db: apsw.Connection, span: Span, kind: str) -> list[TaskLine]:
    """The first issues of a kind: closed, created, overdue, blocked or due_today."""
    query = _TASK_LINES[kind]
    wanted = {"today": span.today, **span.period}
    return query.all(db, **{name: value for name, value in wanted.items() if f":{name}" in query.sql})


def talk(db: apsw.Connection, span: Span) -> TalkCounts:
    """What was said and answered."""
    return _TALK.one(db, **span.period)


def waiting(db: apsw.Connection, span: Span) -> tuple[int, list[WaitingLine]]:
    """How many rows of client messages wait for an answer, and the ones that wait longest."""
    total = _UNANSWERED.one(db, project_id=span.project_id).value
    return total, _WAITING.all(db, project_id=span.project_id, now=span.now)


def decided(db: apsw.Connection, span: Span, stage: str) -> list[DealLine]:
    """The greatest deals that were won or lost."""
    return _DEALS.all(db, stage=stage, **span.period)


def moves(db: apsw.Connection, span: Span) -> list[MoveLine]:
    """Deals that changed their stage, the last first."""
    return _MOVES.all(db, **span.period)


def sums(db: apsw.Connection, span: Span, stage: str) -> list[Sum]:
    """What was won or lost, by currency."""
    return _SUMS.all(db, stage=stage, **span.period)


def win_rate(db: apsw.Connection, span: Span) -> float | None:
    """How many per cent of the deals that were decided were won; None when none was."""
    found = _DECIDED.one(db, **span.period)
    total = found.won + found.lost
    return round(100 * found.won / total, 2) if total else None


def pipeline(db: apsw.Connection, span: Span) -> list[Pipeline]:
    """What was open at the end and at the beginning of the period, by currency."""
    return _PIPELINE.all(db, **span.period)


def open_deals(db: apsw.Connection, project_id: str) -> int:
    """How many deals are open."""
    return _OPEN_DEALS.one(db, project_id=project_id).value


def offers(db: apsw.Connection, span: Span, column: str) -> list[Sum]:
    """Offers sent (`sent_at`) or signed (`signed_at`), by currency."""
    return _OFFERS[column].all(db, **span.period)


def health(db: apsw.Connection, project_id: str, today: str, week_ago: str) -> HealthPart | None:
    """The newest score up to a day, and the one up to another."""
    return _HEALTH.first(db, project_id=project_id, today=today, week_ago=week_ago)


def risks(db: apsw.Connection, project_id: str) -> tuple[list[RiskLine], list[PatternLine]]:
    """The worst live risks, and open patterns."""
    return _RISKS.all(db, project_id=project_id), _PATTERNS.all(db, project_id=project_id)
