"""Refreshing the radar: what clients asked for lately, and what became of the deals."""

from __future__ import annotations

from datetime import timedelta

from ctower_desktop.insight.signals import radar, radar_store
from ctower_desktop.insight.signals.extraction import place_of
from ctower_desktop.insight.signals.intake import read_messages
from ctower_desktop.insight.signals.model import RadarResult
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import Scoped


async def refresh(call: Scoped) -> RadarResult:
    """Bring the chances of a project up to date."""
    place = place_of(call)
    await read_messages(call.tower, place)
    ripe = as_text(from_text(place.at) - timedelta(days=radar.WINDOW_DAYS))
    return await call.tower.db.write(radar_store.look, place.project, place.at, ripe)
