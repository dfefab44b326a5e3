"""What this room does by itself: extraction after every sync, the radar every half hour."""

from __future__ import annotations

from ctower_desktop.insight.signals import extraction, sales
from ctower_desktop.insight.signals.model import Extraction, RadarResult
from ctower_desktop.kernel.jobs import job
from ctower_desktop.kernel.tower import Desktop


@job("signals_extraction", every=900, then=("health_scoring",))
async def extract(call: Desktop) -> Extraction:
    """Read new messages and bring signals and next best actions up to date."""
    return await extraction.extract(call)


@job("upsell_radar", every=1_800)
async def look_for_upsell(call: Desktop) -> RadarResult:
    """Look at deals and at what clients asked for, for chances to sell more."""
    return await sales.refresh(call)
