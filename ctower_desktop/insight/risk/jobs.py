"""What risk does by itself."""

from __future__ import annotations

from ctower_desktop.insight.risk.actions import refreshed
from ctower_desktop.insight.risk.model import RefreshResult
from ctower_desktop.kernel.jobs import job
from ctower_desktop.kernel.tower import Desktop


@job("health_scoring", every=1_800, then=("analytics_aggregates",))
async def score_health(call: Desktop) -> RefreshResult:
    """Find the project's health and risks anew."""
    return await refreshed(call)
