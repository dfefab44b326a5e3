"""The state of every source in two words, for the lower left corner, and whether any can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ctower_desktop.connectors.actions import sync_connectors
from ctower_desktop.connectors.answers import Overview
from ctower_desktop.connectors.connecting import list_connections
from ctower_desktop.connectors.loops import LOOPS
from ctower_desktop.gui.connection import code_of
from ctower_desktop.gui.sidebar import Source
from ctower_desktop.gui.text import ago, seconds, size, tr
from ctower_desktop.kernel.system import from_text
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.operations.actions import list_scheduled_jobs

_JOBS = {LOOPS.name: "loops_contacts_sync"}
_CYCLE = "connectors_sync_cycle"
_UNREACHED = ("upstream_unreachable", "vendor_circuit_open")


@dataclass(frozen=True)
class Sources:
    """Every connected source, how much lies on this computer, and whether none can be reached."""

    rows: list[Source]
    place: str
    offline: bool


async def read_sources(call: Desktop) -> Sources:
    """What the sidebar shows of the sources; those that are not connected are left out."""
    tower = call.tower
    rows: list[Source] = []
    offline = False
    if call.project is not None:
        found = [one for one in (await list_connections(call)).connections if one.configured]
        jobs = (await list_scheduled_jobs(call)).jobs
        due = {job.job_type: job.next_run_at for job in jobs if job.status == "active"}
        now = tower.clock.now()
        rows = [_source(one, due.get(_JOBS.get(one.connector, _CYCLE)), now) for one in found]
        offline = is_offline(found)
    kept = await tower.db.size() + await tower.index.size()
    return Sources(rows, tr("All on this computer · {size}", size=size(kept)), offline)


async def sync_sources(call: Desktop) -> None:
    """Read every connected source now; how each of them did is in its state."""
    await sync_connectors(call)


def is_offline(found: list[Overview]) -> bool:
    """Whether every source that is read failed, and each because it could not be reached."""
    read = [one for one in found if one.connector != LOOPS.name]
    return bool(read) and all(
        one.status == "failed" and code_of(one.last_error or "") in _UNREACHED for one in read
    )


def _source(one: Overview, due: str | None, now: datetime) -> Source:
    following = ""
    if due is not None:
        left = (from_text(due) - now).total_seconds()
        following = tr("next in {time}", time=seconds(left)) if left > 0 else tr("next one is due now")
    token, words, failed = _state(one, now)
    return Source(one.connector, one.title, token, words, following, failed)


def _state(one: Overview, now: datetime) -> tuple[str, str, bool]:
    if one.status == "running":
        return "info", tr("syncing"), False
    if one.breaker == "blocked":
        return "danger", tr("needs you"), True
    if one.status in ("failed", "partial"):
        return "warning", tr("will be retried"), True
    if one.last_success_at is None:
        return "text_3", tr("not yet"), False
    return "success", ago(one.last_success_at, now), False
