"""How projects stand now, in SQL: messages, work, money by currency, health, risks."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json


class Standing(msgspec.Struct, frozen=True):
    """How a project stands; health is null before the first refresh."""

    project_id: str
    messages_7d: int
    inbound_7d: int
    linear_open_issues: int
    linear_overdue_issues: int
    health_score: float | None
    risks_open: int
    unanswered: int


class Money(msgspec.Struct, frozen=True):
    """All money of a project in one currency ('' where nothing says which); won and spent since ever."""

    project_id: str
    currency: str
    deals: int
    attio_pipeline: float
    attio_expected: float
    crm_pipeline: float
    crm_expected: float
    won: float
    signed: float
    costs: float
    budget: float
    revenue: float


class Funnel(msgspec.Struct, frozen=True):
    """A stage: how many deals are in it and what they are worth, by currency."""

    stage: str
    currency: str
    opportunities: int
    amount: float


class Forecast(msgspec.Struct, frozen=True):
    """Mean days until the open deals of a project are expected to close, the later of both sources."""

    project_id: str
    days: float


_STANDING = Query(
    Standing,
    """
    SELECT p.id AS project_id,
           (SELECT coalesce(sum(inbound + outbound), 0) FROM daily_figure
            WHERE project_id = p.id AND day > :week_ago AND day <= :today) AS messages_7d,
           (SELECT coalesce(sum(inbound), 0) FROM daily_figure
            WHERE project_id = p.id AND day > :week_ago AND day <= :today) AS inbound_7d,
           (SELECT count(*) FROM issue WHERE project_id = p.id AND deleted_at IS NULL AND archived_at IS NULL
                AND completed_at IS NULL AND canceled_at IS NULL) AS linear_open_issues,
           (SELECT count(*) FROM issue WHERE project_id = p.id AND deleted_at IS NULL AND archived_at IS NULL
                AND completed_at IS NULL AND canceled_at IS NULL AND due_date IS NOT NULL
                AND due_date < :today)
               AS linear_overdue_issues,
           (SELECT score FROM health_score WHERE project_id = p.id ORDER BY day DESC LIMIT 1) AS health_score,
           (SELECT count(*) FROM risk_item WHERE project_id = p.id AND status <> 'closed') AS risks_open,
           (SELECT count(*) FROM client_burst AS b WHERE b.project_id = p.id AND b.answered_at IS NULL
                AND EXISTS (SELECT 1 FROM conversation AS c WHERE c.id = b.conversation_global_id
                            AND c.deleted_at IS NULL AND c.status <> 'resolved')) AS unanswered
    FROM json_each(:ids) AS wanted CROSS JOIN project AS p ON p.id = wanted.value ORDER BY wanted.key
    """,
)
_MONEY = Query(
    Money,
    """
    SELECT project_id, currency, sum(deals) AS deals, sum(attio_pipeline) AS attio_pipeline,
           sum(attio_expected) AS attio_expected, sum(crm_pipeline) AS crm_pipeline,
           sum(crm_expected) AS crm_expected, sum(won) AS won, sum(signed) AS signed, sum(costs) AS costs,
           sum(budget) AS budget, sum(revenue) AS revenue
    FROM (
        SELECT f.project_id, f.currency, f.deals,
               iif(f.source = 'attio' AND f.open, f.amount, 0.0) AS attio_pipeline,
               iif(f.source = 'attio' AND f.open, f.expected, 0.0) AS attio_expected,
               iif(f.source <> 'attio' AND f.open, f.amount, 0.0) AS crm_pipeline,
               iif(f.source <> 'attio' AND f.open, f.expected, 0.0) AS crm_expected,
               iif(f.stage = 'won', f.amount, 0.0) AS won,
               0.0 AS signed, 0.0 AS costs, 0.0 AS budget, 0.0 AS revenue
        FROM json_each(:ids) AS wanted CROSS JOIN (
            SELECT project_id, currency, source, stage, deals, amount, expected,
                   stage NOT IN ('won', 'lost') AS open FROM pipeline_figure
        ) AS f ON f.project_id = wanted.value
        UNION ALL
        SELECT m.project_id, m.currency, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, m.costs, m.budget, m.revenue
        FROM json_each(:ids) AS wanted CROSS JOIN daily_money AS m ON m.project_id = wanted.value
        WHERE m.costs > 0 OR m.budget > 0 OR m.revenue > 0
        UNION ALL
        SELECT o.project_id, o.currency, 0, 0.0, 0.0, 0.0, 0.0, 0.0, o.total, 0.0, 0.0, 0.0
        FROM json_each(:ids) AS wanted
        CROSS JOIN offer AS o ON o.project_id = wanted.value AND o.status = 'signed'
    ) GROUP BY project_id, currency ORDER BY project_id, currency
    """,
)
_FUNNEL = Query(
    Funnel,
    """
    SELECT f.stage, f.currency, sum(f.deals) AS opportunities, round(sum(f.amount), 2) AS amount
    FROM json_each(:ids) AS wanted CROSS JOIN pipeline_figure AS f ON f.project_id = wanted.value
    GROUP BY f.stage, f.currency ORDER BY f.stage, f.currency
    """,
)
_FORECAST = Query(
    Forecast,
    """
    SELECT project_id, round(max(0.0, max(mean) - julianday(:today)), 2) AS days FROM (
        SELECT f.project_id, sum(f.close_days) / sum(f.dated) AS mean
        FROM json_each(:ids) AS wanted CROSS JOIN pipeline_figure AS f ON f.project_id = wanted.value
        WHERE f.stage NOT IN ('won', 'lost') AND f.dated > 0 GROUP BY f.project_id, f.source
    ) GROUP BY project_id
    """,
)


def standings(db: apsw.Connection, ids: Sequence[str], today: str, week_ago: str) -> list[Standing]:
    """How projects stand, in the order of `ids`; days are such as 2026-11-20, the week ends with `today`."""
    return _STANDING.all(db, ids=as_json(ids), today=today, week_ago=week_ago)


def money(db: apsw.Connection, ids: Sequence[str]) -> list[Money]:
    """Money of each project and currency."""
    return _MONEY.all(db, ids=as_json(ids))


def funnel(db: apsw.Connection, ids: Sequence[str]) -> list[Funnel]:
    """Deals of all stages, won and lost ones too, by currency."""
    return _FUNNEL.all(db, ids=as_json(ids))


def forecast(db: apsw.Connection, ids: Sequence[str], today: str) -> list[Forecast]:
    """When open deals are expected to close; projects without dated deals are left out."""
    return _FORECAST.all(db, ids=as_json(ids), today=today)
