"""The composition root: opens the tower, imports the rooms, starts and stops everything in order."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
from collections.abc import Callable, Mapping

import msgspec
import sqlite_vec

from ctower_desktop.accounts.audit import record
from ctower_desktop.accounts.credentials import Auth, ensure_owner
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.inbox.outbound.sending import Outbox
from ctower_desktop.kernel.database import Database
from ctower_desktop.kernel.endpoint import AGENTS, DASHBOARD, GRAPH, TOWER
from ctower_desktop.kernel.errors import DatabaseTooNew, StorageDamaged
from ctower_desktop.kernel.events import Events
from ctower_desktop.kernel.http import Http
from ctower_desktop.kernel.metrics import Metrics
from ctower_desktop.kernel.secrets import Place, Secrets
from ctower_desktop.kernel.settings import Settings
from ctower_desktop.kernel.system import PACKAGE, Clock, Home, write_private
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.kernel.watchdog import Watchdog
from ctower_desktop.knowledge.building import Builder
from ctower_desktop.operations.alarms import Alarms
from ctower_desktop.operations.worker import Worker
from ctower_desktop.search.indexing import Indexer
from ctower_desktop.web.listener import Listener

log = logging.getLogger(__name__)

MIGRATIONS = PACKAGE / "migrations"
INDEX_MIGRATIONS = MIGRATIONS / "index"
DOORS = (TOWER, GRAPH, AGENTS, DASHBOARD)
ROOMS = (
    "accounts",
    "projects",
    "inbox",
    "inbox.outbound",
    "work",
    "crm",
    "crm.offers",
    "connectors",
    "search",
    "knowledge",
    "insight.signals",
    "insight.identity",
    "insight.continuity",
    "insight.risk",
    "insight.analytics",
    "insight.kag",
    "reports",
    "operations",
)


def import_rooms() -> None:
    """Fill the registries: every endpoint, job and settings page of every room."""
    for room in ROOMS:
        for piece in ("actions", "jobs"):
            name = f"ctower_desktop.{room}.{piece}"
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)
    importlib.import_module("ctower_desktop.gui.appearance")  # settings without Qt


import_rooms()


def secrets_place(environment: Mapping[str, str]) -> Place:
    """Where secrets go: the system's keyring unless `CTOWER_SECRETS=file`."""
    return "file" if environment.get("CTOWER_SECRETS") == "file" else "auto"


async def open_tower(
    home: Home,
    *,
    clock: Clock | None = None,
    environment: Mapping[str, str] | None = None,
    secrets: Place = "auto",
) -> Tower:
    """The tower of a home, with nothing running yet; raise a StorageFailure or Invalid saying what to do."""
    await asyncio.to_thread(home.prepare)
    settings = await Settings.open(home.settings, Secrets(home.secrets, secrets), environment)
    database = await Database.open(home.database, MIGRATIONS, backups=home.backups)
    return Tower(
        home=home,
        clock=clock or Clock(),
        settings=settings,
        db=database,
        index=await _open_index(home),
        http=Http.open(),
        events=Events(),
        metrics=Metrics(),
        audit=record,
    )


async def _open_index(home: Home) -> Database:
    """The rebuildable index; a damaged one, or one of another version, is made anew."""
    extension = (sqlite_vec.loadable_path(),)
    try:
        return await Database.open(home.index, INDEX_MIGRATIONS, extensions=extension)
    except (StorageDamaged, DatabaseTooNew) as error:
        # not the error's own words: they would send the user to a backup for what mends itself
        log.warning("the search index cannot be used (%s) and is made anew from the database", error.code)
    await asyncio.to_thread(home.drop_index)
    return await Database.open(home.index, INDEX_MIGRATIONS, extensions=extension)


async def close_tower(tower: Tower) -> None:
    """Stop what rooms keep running, then close connections and databases."""
    await tower.stop_parts()
    await tower.http.close()
    await tower.index.close()
    await tower.db.close()


class Running:
    """A tower at work: doors open, scheduler going."""

    def __init__(self, tower: Tower, listeners: list[Listener]) -> None:
        self._tower, self._listeners = tower, listeners

    @property
    def addresses(self) -> dict[str, str]:
        """The address of every open door by its name."""
        return {listener.door.name: listener.url for listener in self._listeners}

    async def stop(self) -> None:
        """Take no more work, end streams, and forget the addresses."""
        await asyncio.to_thread(self._tower.home.endpoints.unlink, missing_ok=True)
        await asyncio.gather(*(listener.stop() for listener in self._listeners))


async def start(tower: Tower, ports: Mapping[str, int | None], say: Callable[[str], None]) -> Running:
    """Open the doors and begin to work.

    `ports` holds what was asked for by door: a number, 0 for any free one, None for a closed door; what is
    not named listens where the settings say, or at the next free port. Raise PortInUse for a taken port
    that was asked for.
    """
    password = await ensure_owner(tower)
    if password is not None:
        say(f"owner {tower.settings.get(Auth).username} {password} (shown only this once)")
    await (await tower.part(Sync)).recover()
    await (await tower.part(Outbox)).recover()
    listeners: list[Listener] = []
    try:
        for door in DOORS:
            if door.name in ports and ports[door.name] is None:
                continue
            listener = await Listener.start(tower, door, ports.get(door.name))
            listeners.append(listener)
            if listener.wanted:
                say(f"port {listener.wanted} is in use; the {door.title} listens at {listener.url}")
    except BaseException:
        await asyncio.gather(*(listener.stop() for listener in listeners))
        raise
    for part in (Watchdog, Alarms, Indexer, Builder, Worker):
        await tower.part(part)
    running = Running(tower, listeners)
    addresses = msgspec.json.encode(running.addresses)
    await asyncio.to_thread(write_private, tower.home.endpoints, addresses)
    return running
