"""What happens by itself while the mode is live: refreshes, the day, the signatures of projects."""

from __future__ import annotations

import msgspec

from ctower_desktop.insight.kag import action_store
from ctower_desktop.insight.kag.acting import retry_due
from ctower_desktop.insight.kag.model import WINDOWS
from ctower_desktop.insight.kag.refreshing import (
    RefreshResult,
    foresee,
    keep_day,
    measured_now,
    rebuild,
    recommend,
    refresh,
)
from ctower_desktop.insight.kag.settings import Kag, is_live
from ctower_desktop.kernel.jobs import job
from ctower_desktop.kernel.tower import Desktop


class Renewed(msgspec.Struct, frozen=True):
    """What a refresh touched."""

    processed_events: int
    touched_signals: int
    touched_recommendations: int
    touched_forecasts: int
    touched_recommendations_v2: int
    reminded: int
    retried_actions: int
    lost_actions: int


class DayClosed(msgspec.Struct, frozen=True):
    """Which steps of the day were made."""

    snapshot_date: str | None
    outcomes: int
    forecasts: int
    recommendations: int


class Signed(msgspec.Struct, frozen=True):
    """How many signatures were renewed."""

    signatures: int


@job("kag_recommendations_refresh", every=900, when=is_live)
async def renew(call: Desktop) -> Renewed:
    """Read the event log, measure, forecast, recommend; remind of what is due and retry what failed."""
    found: RefreshResult = await refresh(call, day=False)
    now = call.tower.clock.now()
    retried = await retry_due(call)
    lost = await call.tower.db.write(action_store.give_up_lost, call.project_id, now)
    reminded = await call.tower.db.write(action_store.remind, call.project_id, now)
    return Renewed(
        found.processed_events,
        found.touched_signals,
        found.touched_recommendations,
        found.forecast.touched if found.forecast else 0,
        found.recommendations_v2.touched if found.recommendations_v2 else 0,
        reminded,
        retried,
        lost,
    )


@job("kag_daily_pipeline", every=86_400, when=is_live)
async def close_day(call: Desktop) -> DayClosed:
    """Keep the day, then forecast and recommend from it, as far as the settings allow."""
    settings = call.tower.settings.get(Kag)
    if not settings.enabled:
        return DayClosed(None, 0, 0, 0)
    measured = await measured_now(call.tower, call.project_ref)
    day = await keep_day(call, measured=measured) if settings.snapshots else None
    foreseen = await foresee(call, measured=measured) if settings.forecasting else None
    recommended = await recommend(call, measured=measured) if settings.recommendations_v2 else None
    return DayClosed(
        day.snapshot_date if day else None,
        day.outcomes_touched if day else 0,
        foreseen.touched if foreseen else 0,
        recommended.touched if recommended else 0,
    )


@job("case_signatures_refresh", every=604_800, when=is_live)
async def sign_case(call: Desktop) -> Signed:
    """Work out anew what the project looked like over the last 7, 14 and 30 days."""
    found = await rebuild(call, call.project_ref, WINDOWS)
    return Signed(sum(each.skipped is None for each in found))
