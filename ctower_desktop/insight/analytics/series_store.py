"""Series and standings over several projects, read from figures of days and from indexes.

Every function takes the ids of projects. Days and weeks are UTC; a week is named by its Monday, a month by
its first day. Sums of money are in one currency; `money.primary_currency` chooses it. Call
`aggregates.caught_up` first when what changed a moment ago must be in.
"""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json


class Value(msgspec.Struct, frozen=True):
    """A figure at a point of time."""

    point: str
    value: float


class Agreements(msgspec.Struct, frozen=True):
    """A week: messages that may speak of agreements, and offers that were signed."""

    point: str
    agreements: int
    signed_offers: int


class RiskPoint(msgspec.Struct, frozen=True):
    """A week: risks that came up, and how severe they are."""

    point: str
    count: int
    severity_avg: float


class Burn(msgspec.Struct, frozen=True):
    """A week: what was spent and what was planned to be, in one currency."""

    point: str
    burn: float
    budget: float


class Completeness(msgspec.Struct, frozen=True):
    """A day: how complete the copies of the sources are."""

    point: str
    completeness_pct: float
    missing_count: int
    duplicate_count: int


class TrendPoint(msgspec.Struct, frozen=True):
    """A month as its newest snapshot saw it, over one horizon and in one currency."""

    period_start: str
    expected_revenue: float
    pipeline_amount: float
    won_amount: float
    costs_amount: float


_MONDAY = "date({}, 'weekday 0', '-6 days')"
_OF = "FROM json_each(:ids) AS wanted CROSS JOIN"

_HEALTH = Query(
    Value,
    f"""
    SELECT h.day AS point, round(sum(h.score_sum) / sum(h.samples), 2) AS value
    {_OF} health_score AS h ON h.project_id = wanted.value AND h.day >= :since GROUP BY h.day ORDER BY h.day
    """,
)
_VELOCITY = Query(
    Value,
    f"""
    SELECT {_MONDAY.format("f.day")} AS point, CAST(sum(f.issues_completed) AS REAL) AS value
    {_OF} daily_figure AS f ON f.project_id = wanted.value AND f.day >= :since
    GROUP BY point ORDER BY point
    """,
)
_OVERDUE = Query(
    Value,
    f"""
    SELECT {_MONDAY.format("i.due_date")} AS point, CAST(count(*) AS REAL) AS value
    {_OF} issue AS i ON i.project_id = wanted.value AND i.due_date IS NOT NULL AND i.due_date < :today
        AND i.deleted_at IS NULL AND i.archived_at IS NULL AND i.completed_at IS NULL
        AND i.canceled_at IS NULL
    GROUP BY point ORDER BY point
    """,
)
_RESPONSIVENESS = Query(
    Value,
    f"""
    SELECT {_MONDAY.format("f.day")} AS point, round(sum(f.answer_minutes) / sum(f.answers), 2) AS value
    {_OF} daily_figure AS f ON f.project_id = wanted.value AND f.day >= :since
    GROUP BY point HAVING sum(f.answers) > 0 ORDER BY point
    """,
)
_AGREEMENTS = Query(
    Agreements,
    f"""
    SELECT point, sum(said) AS agreements, sum(signed) AS signed_offers FROM (
        SELECT {_MONDAY.format("f.day")} AS point, f.agreements AS said, 0 AS signed
        {_OF} daily_figure AS f ON f.project_id = wanted.value AND f.day >= :since WHERE f.agreements > 0
        UNION ALL
        SELECT {_MONDAY.format("substr(o.signed_at, 1, 10)")}, 0, 1
        {_OF} offer AS o ON o.project_id = wanted.value AND o.signed_at IS NOT NULL AND o.signed_at >= :since
    ) GROUP BY point ORDER BY point
    """,
)
_RISKS = Query(
    RiskPoint,
    f"""
    SELECT {_MONDAY.format("substr(r.opened_at, 1, 10)")} AS point, count(*) AS count,
           round(avg(r.severity), 2) AS severity_avg
    {_OF} risk_item AS r ON r.project_id = wanted.value AND r.opened_at >= :since
    GROUP BY point ORDER BY point
    """,
)
_BURN = Query(
    Burn,
    f"""
    SELECT {_MONDAY.format("m.day")} AS point, round(sum(m.costs), 2) AS burn,
           round(sum(m.budget), 2) AS budget
    {_OF} daily_money AS m ON m.project_id = wanted.value AND m.day >= :since
    WHERE m.currency IN (:currency, '') AND (m.costs > 0 OR m.budget > 0) GROUP BY point ORDER BY point
    """,
)
_UPSELL = Query(
    Value,
    f"""
    SELECT {_MONDAY.format("substr(u.created_at, 1, 10)")} AS point, round(avg(u.score), 4) AS value
    {_OF} upsell_opportunity AS u ON u.project_id = wanted.value
    WHERE u.created_at >= :since GROUP BY point ORDER BY point
    """,
)
_COMPLETENESS = Query(
    Completeness,
    f"""
    SELECT d.day AS point, round(avg(d.completeness_pct), 2) AS completeness_pct,
           sum(d.missing_count) AS missing_count, sum(d.duplicate_count) AS duplicate_count
    {_OF} daily_completeness AS d ON d.project_id = wanted.value AND d.day >= :since
    GROUP BY d.day ORDER BY d.day
    """,
)
_TREND = Query(
    TrendPoint,
    f"""
    SELECT s.period_start, round(sum(c.value ->> 'expected_revenue'), 2) AS expected_revenue,
           round(sum(c.value ->> 'pipeline_amount'), 2) AS pipeline_amount,
           round(sum(c.value ->> 'won_amount'), 2) AS won_amount,
           round(sum(c.value ->> 'costs_amount'), 2) AS costs_amount
    {_OF} revenue_snapshot AS s ON s.project_id = wanted.value AND s.period_start >= :since
    JOIN json_each(s.by_currency) AS c
    WHERE s.horizon_days = :horizon AND c.value ->> 'currency' = :currency
    GROUP BY s.period_start ORDER BY s.period_start
    """,
)


def health(db: apsw.Connection, ids: Sequence[str], since: str) -> list[Value]:
    """Mean health by day from the day `since` on."""
    return _HEALTH.all(db, ids=as_json(ids), since=since)


def velocity(db: apsw.Connection, ids: Sequence[str], since: str) -> list[Value]:
    """Issues completed by week; weeks in which nothing was completed but something else happened are 0."""
    return _VELOCITY.all(db, ids=as_json(ids), since=since)


def overdue(db: apsw.Connection, ids: Sequence[str], today: str) -> list[Value]:
    """Unfinished issues that were due before `today`, by the week they were due in."""
    return _OVERDUE.all(db, ids=as_json(ids), today=today)


def responsiveness(db: apsw.Connection, ids: Sequence[str], since: str) -> list[Value]:
    """Mean minutes until a client was answered, by the week of the answer."""
    return _RESPONSIVENESS.all(db, ids=as_json(ids), since=since)


def agreements_and_signed_offers(db: apsw.Connection, ids: Sequence[str], since: str) -> list[Agreements]:
    """Messages sifted as possible agreements beside offers signed, by week."""
    return _AGREEMENTS.all(db, ids=as_json(ids), since=since)


def risks(db: apsw.Connection, ids: Sequence[str], since: str) -> list[RiskPoint]:
    """Risks by the week they came up, or came back, in."""
    return _RISKS.all(db, ids=as_json(ids), since=since)


def burn_and_budget(db: apsw.Connection, ids: Sequence[str], since: str, currency: str) -> list[Burn]:
    """Costs beside budget, by week."""
    return _BURN.all(db, ids=as_json(ids), since=since, currency=currency)


def upsell_potential(db: apsw.Connection, ids: Sequence[str], since: str) -> list[Value]:
    """Mean score of chances to sell more, by the week they were found in."""
    return _UPSELL.all(db, ids=as_json(ids), since=since)


def completeness(db: apsw.Connection, ids: Sequence[str], since: str) -> list[Completeness]:
    """How complete the copies of the sources are, by day: the mean of each connector's last measurement."""
    return _COMPLETENESS.all(db, ids=as_json(ids), since=since)


def trend(
    db: apsw.Connection, ids: Sequence[str], since: str, currency: str, horizon: int = 90
) -> list[TrendPoint]:
    """Months from the snapshots of one horizon: never a sum over horizons, which hold one another."""
    return _TREND.all(db, ids=as_json(ids), since=since, currency=currency, horizon=horizon)
