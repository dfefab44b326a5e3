"""The overview of several projects: one look into the database, then arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import apsw
import msgspec

from ctower_desktop.insight.analytics import series_store, standing_store
from ctower_desktop.insight.analytics.money import Finances, finances, primary_currency
from ctower_desktop.insight.analytics.series_store import Burn
from ctower_desktop.insight.analytics.standing_store import Funnel, Money, Standing
from ctower_desktop.insight.analytics.value import client_value, max_discount_pct
from ctower_desktop.projects.model import Project
from ctower_desktop.reports import portfolio_store
from ctower_desktop.reports.agreements import speaks_of_agreement, summary
from ctower_desktop.reports.portfolio import (
    ActualPoint,
    AgreementCard,
    Charts,
    Dashboard,
    DiscountPolicy,
    FinanceCharts,
    FinanceRow,
    FinancesPart,
    FinanceTotals,
    FunnelNode,
    LoopsPart,
    OffersPart,
    Overview,
    ProjectRow,
    ProjectValue,
    Totals,
    TrendRow,
    UnitRow,
)

STAGES = ("discovery", "qualified", "proposal", "negotiation", "won", "lost")
TABLES = frozenset(
    {
        *("project", "message", "conversation", "contact", "issue", "agreement_candidate", "evidence_item"),
        *("daily_figure", "daily_money", "daily_completeness", "client_burst", "pipeline_figure"),
        *("revenue_snapshot", "health_score", "risk_item", "risk_pattern", "signal", "upsell_opportunity"),
        *("offer", "project_assignment", "settings", "analytics_due"),
    }
)
_MOST_WEEKS, _MOST_DAYS, _MOST_MONTHS = 24, 60, 12
_SIFTED = 3  # candidates looked at for every agreement shown


class Wish(msgspec.Struct, frozen=True):
    """What is asked for: projects of one scope in name order, limits, the day, the main currency if set."""

    projects: tuple[Project, ...]
    message_limit: int
    card_limit: int
    today: date
    currency: str


class _Seen(msgspec.Struct, frozen=True):
    """Figures of the chosen projects."""

    standings: list[Standing]
    money: dict[str, list[Finances]]  # by project, its own main currency first
    together: list[Finances]
    currency: str
    forecast: dict[str, float]
    names: dict[str, str]


def overview(db: apsw.Connection, wish: Wish) -> Overview:
    """Everything of the chosen projects in one snapshot."""
    ids = [project.id for project in wish.projects]
    if not ids:
        return _nothing()
    seen = _look(db, wish, ids)
    rows = _rows(seen)
    burn = _burn(db, wish, ids, seen.currency)
    return Overview(
        projects=list(wish.projects),
        selected_project_ids=ids,
        dashboard=Dashboard(
            by_project=rows,
            totals=_totals(rows, seen.together[0], portfolio_store.completeness(db, ids)),
            trend=_trend(db, wish, ids, seen.together[0]),
            charts=_charts(db, wish, ids, burn),
        ),
        messages=portfolio_store.messages(db, ids, wish.message_limit),
        agreements=_agreements(db, ids, wish.card_limit),
        risks=portfolio_store.risks(db, ids, wish.card_limit),
        finances=_finances(db, ids, seen, rows, burn),
        offers=OffersPart(
            upsell=portfolio_store.upsell(db, ids, wish.card_limit),
            recent_offers=portfolio_store.offers(db, ids, wish.card_limit),
            discount_policy=[
                DiscountPolicy(
                    row.project_id,
                    row.project_name,
                    row.client_value_score,
                    max_discount_pct(row.client_value_score),
                )
                for row in rows
            ],
        ),
        loops=portfolio_store.mailable(db, ids),
    )


def _nothing() -> Overview:
    return Overview(
        projects=[],
        selected_project_ids=[],
        dashboard=Dashboard([], None, []),
        messages=[],
        agreements=[],
        risks=[],
        finances=FinancesPart(None, [], []),
        offers=OffersPart([], [], []),
        loops=LoopsPart(0, 0),
    )


def _look(db: apsw.Connection, wish: Wish, ids: Sequence[str]) -> _Seen:
    today = wish.today.isoformat()
    money = standing_store.money(db, ids)
    currency = primary_currency(money, wish.currency)
    by_project: dict[str, list[Money]] = {project_id: [] for project_id in ids}
    for row in money:
        by_project[row.project_id].append(row)
    return _Seen(
        standings=standing_store.standings(db, ids, today, (wish.today - timedelta(days=7)).isoformat()),
        money={
            project_id: finances(found, primary_currency(found, wish.currency) if found else currency)
            for project_id, found in by_project.items()
        },
        together=finances(money, currency),
        currency=currency,
        forecast={row.project_id: row.days for row in standing_store.forecast(db, ids, today)},
        names={project.id: project.name for project in wish.projects},
    )


def _rows(seen: _Seen) -> list[ProjectRow]:
    rows = []
    for one in seen.standings:
        money, health = seen.money[one.project_id][0], one.health_score or 0.0
        rows.append(
            ProjectRow(
                project_id=one.project_id,
                project_name=seen.names[one.project_id],
                messages_7d=one.messages_7d,
                linear_open_issues=one.linear_open_issues,
                linear_overdue_issues=one.linear_overdue_issues,
                attio_pipeline_amount=money.attio_pipeline_amount,
                crm_pipeline_amount=money.crm_pipeline_amount,
                attio_expected_revenue=money.attio_expected_revenue,
                expected_revenue=money.expected_revenue,
                currency=money.currency,
                health_score=health,
                risks_open=one.risks_open,
                unanswered=one.unanswered,
                client_value_score=client_value(
                    money.expected_revenue, one.messages_7d, health, one.risks_open
                ),
            )
        )
    return rows


def _totals(rows: Sequence[ProjectRow], money: Finances, completeness: float) -> Totals:
    return Totals(
        selected_projects=len(rows),
        messages_7d=sum(row.messages_7d for row in rows),
        linear_open_issues=sum(row.linear_open_issues for row in rows),
        expected_revenue=money.expected_revenue,
        currency=money.currency,
        risks_open=sum(row.risks_open for row in rows),
        avg_health_score=round(sum(row.health_score for row in rows) / len(rows), 2),
        avg_client_value_score=round(sum(row.client_value_score for row in rows) / len(rows), 2),
        sync_completeness_pct=completeness,
    )


def _trend(db: apsw.Connection, wish: Wish, ids: Sequence[str], now: Finances) -> list[TrendRow]:
    """Months of one horizon each; before the first snapshot, one point of today."""
    since = (wish.today - timedelta(days=31 * (_MOST_MONTHS + 1))).isoformat()
    found = [
        TrendRow(point.period_start, point.expected_revenue, point.pipeline_amount, point.costs_amount)
        for point in series_store.trend(db, ids, since, now.currency)
    ]
    today = TrendRow(wish.today.isoformat(), now.expected_revenue, now.pipeline_amount, now.costs_amount)
    return found[-_MOST_MONTHS:] or [today]


def _burn(db: apsw.Connection, wish: Wish, ids: Sequence[str], currency: str) -> list[Burn]:
    since = (wish.today - timedelta(weeks=_MOST_WEEKS)).isoformat()
    return series_store.burn_and_budget(db, ids, since, currency)[-_MOST_WEEKS:]


def _charts(db: apsw.Connection, wish: Wish, ids: Sequence[str], burn: list[Burn]) -> Charts:
    today = wish.today
    weeks = (today - timedelta(weeks=_MOST_WEEKS)).isoformat()
    months, days = (today - timedelta(days=120)).isoformat(), (today - timedelta(days=_MOST_DAYS)).isoformat()
    agreed = series_store.agreements_and_signed_offers(db, ids, weeks)
    return Charts(
        health_score=series_store.health(db, ids, days)[-_MOST_DAYS:],
        velocity_completed_issues=series_store.velocity(db, ids, months)[-_MOST_WEEKS:],
        overdue_issues_count=series_store.overdue(db, ids, today.isoformat())[-_MOST_WEEKS:],
        client_responsiveness_minutes=series_store.responsiveness(db, ids, weeks)[-_MOST_WEEKS:],
        agreements_vs_signed_offers=agreed[-_MOST_WEEKS:],
        risks_trend=series_store.risks(db, ids, weeks)[-_MOST_WEEKS:],
        burn_vs_budget=burn,
        upsell_potential_score=series_store.upsell_potential(db, ids, weeks)[-_MOST_WEEKS:],
        sync_reconciliation_completeness=series_store.completeness(db, ids, days)[-_MOST_DAYS:],
    )


def _agreements(db: apsw.Connection, ids: Sequence[str], limit: int) -> list[AgreementCard]:
    """The newest that really speak of an agreement."""
    candidates = portfolio_store.agreements(db, ids, _SIFTED * -(-limit // len(ids)) + limit)
    candidates.sort(key=lambda one: (one.created_at, one.id), reverse=True)
    found: list[AgreementCard] = []
    for one in candidates:
        if speaks_of_agreement(one.text):
            found.append(
                AgreementCard(
                    id=one.id,
                    project_id=one.project_id,
                    project_name=one.project_name,
                    source_table=one.source_table,
                    source_pk=one.source_pk,
                    summary=summary(one.text),
                    created_at=one.created_at,
                    conversation_global_id=one.conversation_global_id,
                )
            )
            if len(found) == limit:
                break
    return found


def _finances(
    db: apsw.Connection, ids: Sequence[str], seen: _Seen, rows: Sequence[ProjectRow], burn: list[Burn]
) -> FinancesPart:
    together = seen.together[0]
    table = [
        FinanceRow(
            project_id=project_id,
            project_name=seen.names[project_id],
            forecast_days=seen.forecast.get(project_id, 0.0),
            **_amounts(money[0]),
        )
        for project_id, money in seen.money.items()
    ]
    worth = {row.project_id: row.client_value_score for row in rows}
    nothing = Finances(seen.currency)
    ours = {
        project_id: next((one for one in money if one.currency == seen.currency), nothing)
        for project_id, money in seen.money.items()
    }
    return FinancesPart(
        totals=FinanceTotals(**_amounts(together)),
        by_project=table,
        by_currency=seen.together,
        charts=FinanceCharts(
            revenue_by_project=_by_project((row, ours[row.project_id].expected_revenue) for row in table),
            costs_by_project=_by_project((row, ours[row.project_id].costs_amount) for row in table),
            margin_by_project=_by_project((row, ours[row.project_id].gross_margin) for row in table),
            forecast_completion_days=_by_project((row, row.forecast_days) for row in table),
            burn_rate_trend=burn,
            budget_vs_actual=[ActualPoint(week.point, week.budget, week.burn) for week in burn],
            unit_economics_proxy=[
                UnitRow(project_id, seen.names[project_id], worth[project_id], money.expected_revenue)
                for project_id, money in ours.items()
            ],
            funnel_nodes=_funnel(standing_store.funnel(db, ids), seen.currency),
        ),
    )


def _by_project(values: Iterable[tuple[FinanceRow, float]]) -> list[ProjectValue]:
    return [ProjectValue(row.project_id, row.project_name, value) for row, value in values if value]


def _amounts(money: Finances) -> dict[str, Any]:
    return {name: getattr(money, name) for name in FinanceTotals.__struct_fields__}


def _funnel(found: Sequence[Funnel], currency: str) -> list[FunnelNode]:
    """The six stages in order, in the main currency, money of none included; nothing without deals."""
    nodes = {stage: FunnelNode(stage, 0, 0.0) for stage in STAGES}
    for one in found:
        if one.currency in ("", currency) and one.stage in nodes:
            before = nodes[one.stage]
            nodes[one.stage] = FunnelNode(
                one.stage, before.opportunities + one.opportunities, round(before.amount + one.amount, 2)
            )
    return list(nodes.values()) if any(node.opportunities for node in nodes.values()) else []
