"""Taking the snapshots of a project in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

import apsw

from ctower_desktop.insight.analytics import snapshots, standing_store, store
from ctower_desktop.insight.analytics.model import HORIZONS, RefreshResult
from ctower_desktop.insight.analytics.money import primary_currency
from ctower_desktop.insight.analytics.snapshots import Period


def taken(db: apsw.Connection, owner: Mapping[str, str], period: Period, preferred: str) -> RefreshResult:
    """Take and keep the snapshots of a project; `preferred` is the currency to show first, '' to find it."""
    project_id = owner["project_id"]
    primary = primary_currency(standing_store.money(db, [project_id]), preferred)
    money = store.month(db, project_id, period.month, period.today)
    revenue = [
        snapshots.forecast(
            days, store.horizon(db, project_id, snapshots.later(period.today, days)), money, period, primary
        )
        for days in HORIZONS
    ]
    delivery = snapshots.delivered(store.work(db, project_id, period.start, period.today), period)
    comms = snapshots.talked(store.talk(db, project_id, period.start, period.today), period)
    store.keep(db, owner, revenue, delivery, comms)
    pipeline = snapshots.in_currencies(store.open_pipeline(db, project_id), primary)
    return RefreshResult(
        period_start=period.start,
        period_end=period.today,
        currency=primary,
        pipeline_amount=pipeline[0].pipeline_amount,
        expected_revenue=pipeline[0].expected_revenue,
        open_issues=delivery.open_issues,
        overdue_issues=delivery.overdue_issues,
        completed_issues=delivery.completed_issues,
        inbound_messages=comms.inbound_messages,
        outbound_messages=comms.outbound_messages,
        avg_response_minutes=comms.avg_response_minutes,
        median_response_minutes=comms.median_response_minutes,
        by_currency=pipeline,
    )
