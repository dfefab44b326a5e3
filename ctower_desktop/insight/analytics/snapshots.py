"""Snapshots made of figures: forecast by horizon and currency, delivery and communication of a period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from ctower_desktop.insight.analytics.model import (
    Comms,
    CurrencyRevenue,
    Delivery,
    OpenPipeline,
    Revenue,
)
from ctower_desktop.insight.analytics.money import margin
from ctower_desktop.insight.analytics.store import Horizon, MonthMoney, Talk, Work
from ctower_desktop.insight.risk.health import rounded


class Period(msgspec.Struct, frozen=True):
    """The last so many days up to a moment."""

    today: str
    days: int
    at: str

    @property
    def start(self) -> str:
        return later(self.today, -self.days)

    @property
    def month(self) -> str:
        """The first day of the month."""
        return f"{self.today[:7]}-01"


def later(day: str, days: int) -> str:
    """The day so many days after `day`."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def forecast(
    days: int, open_deals: Sequence[Horizon], money: Sequence[MonthMoney], period: Period, primary: str
) -> Revenue:
    """What is to be expected within `days`, the primary currency in front; nothing is added across."""
    sums: dict[str, list[float]] = {primary: [0.0] * 5}
    for deals in open_deals:
        into = sums.setdefault(deals.currency or primary, [0.0] * 5)
        into[0], into[1] = into[0] + deals.amount, into[1] + deals.expected
    for row in money:
        into = sums.setdefault(row.currency or primary, [0.0] * 5)
        for place, amount in enumerate((row.won, row.costs, row.revenue), start=2):
            into[place] += amount
    rows = [
        _in_currency(currency, sums[currency]) for currency in (primary, *sorted(sums.keys() - {primary}))
    ]
    main = rows[0]
    return Revenue(
        period_start=period.month,
        horizon_days=days,
        currency=main.currency,
        pipeline_amount=main.pipeline_amount,
        commit_amount=main.commit_amount,
        won_amount=main.won_amount,
        expected_revenue=main.expected_revenue,
        costs_amount=main.costs_amount,
        gross_margin=main.gross_margin,
        by_currency=rows,
        generated_at=period.at,
    )


def _in_currency(currency: str, sums: Sequence[float]) -> CurrencyRevenue:
    amount, expected, won, costs, revenue = sums
    return CurrencyRevenue(
        currency=currency,
        pipeline_amount=rounded(amount),
        commit_amount=rounded(expected),
        won_amount=rounded(won),
        expected_revenue=rounded(expected),
        costs_amount=rounded(costs),
        gross_margin=margin(revenue, won, costs),
    )


def delivered(work: Work, period: Period) -> Delivery:
    """Delivery of a period."""
    lead = rounded(work.lead_hours / work.completed / 24) if work.completed else None
    return Delivery(
        period_start=period.start,
        period_end=period.today,
        open_issues=work.open,
        overdue_issues=work.overdue,
        created_issues=work.created,
        completed_issues=work.completed,
        throughput=rounded(work.completed * 7 / period.days),
        lead_time_days=lead,
        created_at=period.at,
    )


def talked(talk: Talk, period: Period) -> Comms:
    """Communication of a period."""
    mean = rounded(talk.answer_minutes / talk.answers) if talk.answers else None
    return Comms(
        period_start=period.start,
        period_end=period.today,
        inbound_messages=talk.inbound,
        outbound_messages=talk.outbound,
        unique_contacts=talk.contacts,
        answered=talk.answers,
        unanswered=talk.unanswered,
        avg_response_minutes=mean,
        median_response_minutes=None if talk.median_minutes is None else rounded(talk.median_minutes),
        created_at=period.at,
    )


def in_currencies(rows: Sequence[OpenPipeline], primary: str) -> list[OpenPipeline]:
    """The open pipeline with the primary currency in front; what says no currency is in it."""
    found = {primary: OpenPipeline(primary, 0, 0.0, 0.0, 0)}
    for row in rows:
        currency = row.currency or primary
        into = found.get(currency, OpenPipeline(currency, 0, 0.0, 0.0, 0))
        found[currency] = OpenPipeline(
            currency,
            into.deals + row.deals,
            rounded(into.pipeline_amount + row.pipeline_amount),
            rounded(into.expected_revenue + row.expected_revenue),
            into.undated_deals + row.undated_deals,
        )
    return [found[currency] for currency in (primary, *sorted(found.keys() - {primary}))]
