"""How one project stands, in SQL: sources, counts, what to do next, evidence."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.insight.analytics import standing_store
from ctower_desktop.insight.analytics.money import finances, primary_currency
from ctower_desktop.kernel.sql import Query
from ctower_desktop.reports.tower_view import (
    AttioPart,
    ChatwootPart,
    EvidenceCard,
    Integrations,
    LinearPart,
    MoneyByCurrency,
    SignalCard,
    TopAction,
    Watermark,
)

TABLES = frozenset(
    {
        *("project", "sync_watermark", "message", "conversation", "issue", "company", "offer", "signal"),
        *("next_action", "risk_item", "risk_pattern", "health_score", "evidence_item", "client_burst"),
        *("daily_money", "daily_figure", "pipeline_figure", "revenue_snapshot", "delivery_snapshot"),
        *("comms_snapshot", "analytics_due", "settings", "kag_signal", "kag_score", "kag_forecast"),
        *("kag_recommendation_v2", "kag_reminder", "kag_action_run"),
    }
)


class Counts(msgspec.Struct, frozen=True):
    """How much there is."""

    issues_total: int
    issues_open: int
    issues_overdue: int
    accounts: int
    annual_revenue: float
    conversations: int
    messages_7d: int
    unanswered: int


_WATERMARKS = Query(
    Watermark,
    """
    SELECT source, cursor_ts, cursor_id, updated_at FROM sync_watermark
    WHERE project_id = :project_id
      AND substr(source, 1, instr(source || ':', ':') - 1) IN ('chatwoot', 'attio', 'linear')
    ORDER BY source
    """,
)
_COUNTS = Query(
    Counts,
    """
    SELECT
        (SELECT count(*) FROM issue INDEXED BY issue_recent
            WHERE project_id = :project_id AND deleted_at IS NULL) AS issues_total,
        (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
            AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL) AS issues_open,
        (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
            AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL
            AND due_date IS NOT NULL AND due_date < :today) AS issues_overdue,
        (SELECT count(*) FROM company WHERE project_id = :project_id AND deleted_at IS NULL) AS accounts,
        (SELECT round(coalesce(sum(annual_revenue), 0.0), 2) FROM company
            WHERE project_id = :project_id AND deleted_at IS NULL) AS annual_revenue,
        (SELECT count(*) FROM conversation INDEXED BY conversation_recent
            WHERE project_id = :project_id AND deleted_at IS NULL) AS conversations,
        (SELECT coalesce(sum(inbound + outbound), 0) FROM daily_figure
            WHERE project_id = :project_id AND day > :week_ago AND day <= :today) AS messages_7d,
        (SELECT count(*) FROM client_burst AS b WHERE b.project_id = :project_id AND b.answered_at IS NULL
            AND EXISTS (SELECT 1 FROM conversation AS c WHERE c.id = b.conversation_global_id
                        AND c.deleted_at IS NULL AND c.status <> 'resolved')) AS unanswered
    """,
)
_ACTION = """id, signal_id, action_type, priority, status, summary, due_date, owner_username, evidence_refs,
           updated_at"""
# Two arms, each walking its index, merged: nothing is sorted but what is shown.
_TOP = Query(
    TopAction,
    f"""
    SELECT {_ACTION} FROM (
        SELECT * FROM (SELECT {_ACTION} FROM next_action
                       WHERE project_id = :project_id AND status = 'proposed'
                       ORDER BY priority DESC, updated_at DESC, id LIMIT :limit)
        UNION ALL
        SELECT * FROM (SELECT {_ACTION} FROM next_action
                       WHERE project_id = :project_id AND status = 'accepted'
                       ORDER BY priority DESC, updated_at DESC, id LIMIT :limit)
    ) ORDER BY priority DESC, updated_at DESC, id LIMIT :limit
    """,
)
_SIGNAL = "id, signal_type, severity, confidence, summary, status, evidence_refs, created_at"
_CRITICAL = Query(
    SignalCard,
    f"""
    SELECT {_SIGNAL} FROM signal
    WHERE project_id = :project_id AND severity >= 4 AND status IN ('proposed', 'accepted')
    ORDER BY severity DESC, confidence DESC, created_at DESC, id LIMIT :limit
    """,
)
_EVIDENCE = Query(
    EvidenceCard,
    """
    SELECT id, source_type, source_table, source_pk, snippet, created_at FROM evidence_item
    WHERE project_id = :project_id AND account_scope_id = :account_scope_id ORDER BY id DESC LIMIT :limit
    """,
)


def counts(db: apsw.Connection, project_id: str, today: str, week_ago: str) -> Counts:
    """How much there is; `today` and `week_ago` are days, the week ends with today."""
    return _COUNTS.one(db, project_id=project_id, today=today, week_ago=week_ago)


def integrations(
    db: apsw.Connection, project_id: str, today: str, week_ago: str, preferred: str
) -> Integrations:
    """What the sources hold; money in the preferred currency, if one is, first."""
    found = counts(db, project_id, today, week_ago)
    rows = standing_store.money(db, [project_id])
    money = finances(rows, primary_currency(rows, preferred))
    return Integrations(
        sync_watermarks=_WATERMARKS.all(db, project_id=project_id),
        linear=LinearPart(found.issues_total, found.issues_open, found.issues_overdue),
        attio=AttioPart(
            accounts=found.accounts,
            annual_revenue=found.annual_revenue,
            pipeline_amount=money[0].attio_pipeline_amount,
            currency=money[0].currency,
            by_currency=[
                MoneyByCurrency(one.currency, one.attio_pipeline_amount, one.attio_expected_revenue)
                for one in money
                if one.attio_pipeline_amount
            ],
        ),
        chatwoot=ChatwootPart(found.conversations, found.messages_7d, found.unanswered),
    )


def top_actions(db: apsw.Connection, project_id: str, limit: int) -> list[TopAction]:
    """Open next best actions, the most pressing first."""
    return _TOP.all(db, project_id=project_id, limit=limit)


def critical_signals(db: apsw.Connection, project_id: str, limit: int) -> list[SignalCard]:
    """Open signals of severity 4 and 5, the worst first."""
    return _CRITICAL.all(db, project_id=project_id, limit=limit)


def evidence(db: apsw.Connection, project_id: str, account_scope_id: str, limit: int) -> list[EvidenceCard]:
    """What was pointed at last."""
    return _EVIDENCE.all(db, project_id=project_id, account_scope_id=account_scope_id, limit=limit)
