"""The charts of the portfolio: what each shows of the overview, and which figure its points rest on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import UnsetType

from ctower_desktop.gui.charts import Data, Form, Series, Shape
from ctower_desktop.gui.crm_words import stage_words
from ctower_desktop.gui.portfolio_drill import Figure, Span
from ctower_desktop.gui.portfolio_words import meaning
from ctower_desktop.gui.text import day, money, number, seconds, tr
from ctower_desktop.insight.analytics.series_store import Burn, Value
from ctower_desktop.reports.portfolio import Charts, FinanceCharts, FunnelNode, Overview, ProjectValue


@dataclass(frozen=True)
class Picture:
    """A chart: its data, the figure behind it, and for each point the days or the project it stands for."""

    id: str
    data: Data
    figure: Figure
    spans: Sequence[Span | None]
    projects: Sequence[str] = ()  # of a chart by project: the project of each point


def dashboard_pictures(found: Overview) -> list[Picture]:
    """The nine charts over time."""
    charts = found.dashboard.charts
    if isinstance(charts, UnsetType):
        return []
    currency = found.dashboard.totals.currency if found.dashboard.totals is not None else ""
    return [
        _plain("health", tr("Health index"), "health", charts.health_score, days=1),
        _plain(
            "velocity", tr("Finished issues"), "completed", charts.velocity_completed_issues, shape="bars"
        ),
        _plain("overdue", tr("Overdue issues"), "overdue", charts.overdue_issues_count, shape="bars"),
        _plain(
            "response",
            tr("Client response time"),
            "response",
            charts.client_responsiveness_minutes,
            form=lambda v: seconds(v * 60),
        ),
        _agreements(charts),
        _risks(charts),
        _budget("burn", tr("Budget and costs"), charts.burn_vs_budget, currency),
        _plain(
            "upsell",
            tr("Upsell index"),
            "upsell",
            [Value(p.point, p.value * 100) for p in charts.upsell_potential_score],
        ),
        _plain(
            "completeness",
            tr("Sync completeness"),
            "completeness",
            [Value(p.point, p.completeness_pct) for p in charts.sync_reconciliation_completeness],
            days=1,
            form=lambda v: tr("{percent} %", percent=number(v)),
        ),
    ]


def _agreements(charts: Charts) -> Picture:
    rows = charts.agreements_vs_signed_offers
    series = [
        Series(tr("Agreements"), [float(p.agreements) for p in rows]),
        Series(tr("Signed offers"), [float(p.signed_offers) for p in rows]),
    ]
    title = tr("Agreements and signed offers")
    return _timed("agreements", title, "agreements", [p.point for p in rows], series, shape="bars")


def _risks(charts: Charts) -> Picture:
    rows = charts.risks_trend
    series = [
        Series(tr("Came up"), [float(p.count) for p in rows]),
        Series(tr("Mean severity"), [p.severity_avg for p in rows]),
    ]
    points = [p.point for p in rows]
    return _timed("risks", tr("Risks"), "risks", points, series, form=_short, shape="bars")


def _budget(name: str, title: str, rows: Sequence[Burn], currency: str) -> Picture:
    series = [Series(tr("Spent"), [p.burn for p in rows]), Series(tr("Planned"), [p.budget for p in rows])]
    points = [p.point for p in rows]
    return _timed(name, title, "costs", points, series, form=_amounts(currency), shape="bars")


def finance_pictures(found: Overview) -> list[Picture]:
    """Money by project and by stage, in the main currency."""
    charts = found.finances.charts
    if isinstance(charts, UnsetType):
        return []
    currency = found.finances.totals.currency if found.finances.totals is not None else ""
    days = charts.forecast_completion_days
    value = [ProjectValue(p.project_id, p.project_name, p.client_value_score)
             for p in charts.unit_economics_proxy]  # fmt: skip
    return [
        _money(charts, currency),
        _by_project(
            "days",
            tr("Days to completion"),
            tr("In how many days the open deals of a project are expected to close, on average."),
            "pipeline",
            days,
        ),
        _by_project("unit", tr("Client value"), meaning("value"), "value", value),
        _budget("plan", tr("Plan and fact"), charts.burn_rate_trend, currency),
        _funnel(charts.funnel_nodes, currency),
    ]


def _money(charts: FinanceCharts, currency: str) -> Picture:
    parts = (
        (tr("Expected revenue"), charts.revenue_by_project),
        (tr("Costs"), charts.costs_by_project),
        (tr("Margin"), charts.margin_by_project),
    )
    names = {p.project_id: p.project_name for _, rows in parts for p in rows}  # each is sorted by its own sum
    values = [{p.project_id: p.value for p in rows} for _, rows in parts]
    data = Data(
        tr("Expected revenue, costs and margin"),
        tr("What open deals may bring by their probability, what was spent, what is left of what came in."),
        list(names.values()),
        [
            Series(title, [of.get(project, 0.0) for project in names])
            for (title, _), of in zip(parts, values, strict=True)
        ],
        _amounts(currency),
        "bars",
    )
    return Picture("money", data, "pipeline", [None] * len(names), list(names))


def _funnel(rows: Sequence[FunnelNode], currency: str) -> Picture:
    data = Data(
        tr("Funnel"),
        tr("Deals of every stage in the main currency, Attio's and your own."),
        [stage_words(p.stage) for p in rows],
        [Series(tr("Amount"), [p.amount for p in rows])],
        _amounts(currency),
        "bars",
    )
    return Picture("funnel", data, "pipeline", [None] * len(rows))


def _by_project(name: str, title: str, means: str, figure: Figure, rows: Sequence[ProjectValue]) -> Picture:
    series = [Series(title, [p.value for p in rows])]
    data = Data(title, means, [p.project_name for p in rows], series, number, "bars")
    return Picture(name, data, figure, [None] * len(rows), [p.project_id for p in rows])


def _plain(
    name: str,
    title: str,
    figure: Figure,
    points: Sequence[Value],
    *,
    days: int = 7,
    form: Form = number,
    shape: Shape = "line",
) -> Picture:
    series = [Series(title, [p.value for p in points])]
    return _timed(name, title, figure, [p.point for p in points], series, days=days, form=form, shape=shape)


def _timed(
    name: str,
    title: str,
    figure: Figure,
    points: Sequence[str],
    series: Sequence[Series],
    *,
    days: int = 7,
    form: Form = number,
    shape: Shape = "line",
) -> Picture:
    labels = [day(datetime.fromisoformat(point)) for point in points]
    spans = [Span(point, days) for point in points]
    return Picture(name, Data(title, meaning(figure), labels, series, form, shape), figure, spans)


def _short(value: float) -> str:
    return number(value, 1 if value % 1 else 0)


def _amounts(currency: str) -> Callable[[float], str]:
    return lambda value: money(round(value), currency)
