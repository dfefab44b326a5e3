"""The state of every source in two words, for the lower left corner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ctower_desktop.connectors.answers import Overview
from ctower_desktop.connectors.connecting import list_connections
from ctower_desktop.gui.sidebar import Source
from ctower_desktop.gui.text import ago, size, tr
from ctower_desktop.kernel.tower import Desktop


@dataclass(frozen=True)
class Sources:
    """Every connected source, and how much lies on this computer."""

    rows: list[Source]
    place: str


async def read_sources(call: Desktop) -> Sources:
    """What the sidebar shows of the sources; those that are not connected are left out."""
    tower = call.tower
    rows = []
    if call.project is not None:
        found = (await list_connections(call)).connections
        rows = [_source(one, tower.clock.now()) for one in found if one.configured]
    kept = await tower.db.size() + await tower.index.size()
    return Sources(rows, tr("All on this computer · {size}", size=size(kept)))


def _source(one: Overview, now: datetime) -> Source:
    if one.status == "running":
        return Source(one.title, "info", tr("syncing"))
    if one.breaker == "blocked":
        return Source(one.title, "danger", tr("needs you"))
    if one.status in ("failed", "partial"):
        return Source(one.title, "warning", tr("will be retried"))
    if one.last_success_at is None:
        return Source(one.title, "text_3", tr("not yet"))
    return Source(one.title, "success", ago(one.last_success_at, now))
