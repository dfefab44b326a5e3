"""What analytics does by itself."""

from __future__ import annotations

from ctower_desktop.insight.analytics.actions import refreshed
from ctower_desktop.insight.analytics.model import PERIOD_DAYS, RefreshResult
from ctower_desktop.kernel.jobs import job
from ctower_desktop.kernel.tower import Desktop


@job("analytics_aggregates", every=1_800)
async def aggregate(call: Desktop) -> RefreshResult:
    """Count what changed since the last run, and take the snapshots of the last thirty days."""
    return await refreshed(call, PERIOD_DAYS)
