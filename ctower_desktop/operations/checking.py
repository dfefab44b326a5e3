"""Looking whether each piece of the tower does its part."""

from __future__ import annotations

import asyncio
import shutil

from ctower_desktop.connectors import ledger_store
from ctower_desktop.connectors.contract import CONNECTORS, NotConfigured, settings_of
from ctower_desktop.connectors.model import SyncState
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.kernel.database import Database
from ctower_desktop.kernel.errors import StorageFailure
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.operations import figures_store
from ctower_desktop.operations.meters import Meters, resident_bytes
from ctower_desktop.operations.model import Operations, SchedulerState
from ctower_desktop.operations.system_model import Resources, Service, ServiceStatus
from ctower_desktop.search.indexing import Indexer

_SLOW = 500.0  # milliseconds for the smallest question to a database
_WORKER: dict[str, ServiceStatus] = {"healthy": "ok", "degraded": "degraded", "not_started": "down"}


async def checked(tower: Tower, project_id: str | None, scheduler: SchedulerState) -> list[Service]:
    """Every service, and every vendor as it does in a project."""
    now = tower.clock.text()
    indexer = await tower.part(Indexer)
    return [
        Service("api", "ok", last_ok_at=now),
        await _database(tower, "database", tower.db),
        await _database(tower, "search_index", tower.index),
        Service("cache", "ok", last_ok_at=now, detail="Kept in the memory of this process."),
        Service("worker", _WORKER[scheduler.status], last_ok_at=scheduler.last_tick_at),
        Service(
            "embeddings",
            "degraded" if indexer.problem else "ok",
            last_ok_at=None if indexer.problem else now,
            detail=indexer.problem,
        ),
        *await _vendors(tower, project_id),
    ]


async def resources(tower: Tower) -> Resources:
    """What the tower takes of the computer."""
    used = await tower.db.size() + await tower.index.size()
    budget = round(tower.settings.get(Operations).storage_budget_gb * 2**30)
    disk = await asyncio.to_thread(shutil.disk_usage, tower.home.path)
    meters = await tower.part(Meters)
    return Resources(
        database_bytes=used,
        budget_bytes=budget,
        usage_percent=round(100 * used / budget, 2),
        disk_free_bytes=disk.free,
        rss_bytes=await asyncio.to_thread(resident_bytes),
        uptime_seconds=round(meters.uptime, 3),
    )


async def _database(tower: Tower, name: str, database: Database) -> Service:
    began = tower.clock.monotonic()
    try:
        await database.read(figures_store.answer)
    except StorageFailure as error:
        return Service(name, "down", detail=str(error))
    took = round((tower.clock.monotonic() - began) * 1_000, 2)
    return Service(name, "degraded" if took > _SLOW else "ok", took, tower.clock.text())


async def _vendors(tower: Tower, project_id: str | None) -> list[Service]:
    found: dict[str, SyncState] = {}
    if project_id is not None:
        found = {s.connector: s for s in await tower.db.read(ledger_store.states, project_id)}
    sync, services = await tower.part(Sync), []
    for name, connector in CONNECTORS.items():
        try:
            settings_of(connector, tower.settings.get(connector.settings))
        except NotConfigured as error:
            services.append(Service(name, "not_configured", detail=str(error)))
            continue
        services.append(_vendor(name, found.get(name), is_open=sync.breaker(name).state != "closed"))
    return services


def _vendor(name: str, state: SyncState | None, *, is_open: bool) -> Service:
    status: ServiceStatus = "ok"
    if is_open:
        status = "down"
    elif state is not None and state.status in ("failed", "partial"):
        status = "degraded"
    detail = state.last_error if state is not None and status != "ok" else None
    return Service(name, status, last_ok_at=state.last_success_at if state else None, detail=detail)
