"""The composition root: opens the tower, imports the rooms, starts and stops everything in order."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Mapping

import sqlite_vec

from ctower_desktop.accounts.audit import record
from ctower_desktop.kernel.database import Database
from ctower_desktop.kernel.errors import DatabaseTooNew, StorageDamaged
from ctower_desktop.kernel.events import Events
from ctower_desktop.kernel.http import Http
from ctower_desktop.kernel.metrics import Metrics
from ctower_desktop.kernel.secrets import Place, Secrets
from ctower_desktop.kernel.settings import Settings
from ctower_desktop.kernel.system import PACKAGE, Clock, Home
from ctower_desktop.kernel.tower import Tower

log = logging.getLogger(__name__)

MIGRATIONS = PACKAGE / "migrations"
INDEX_MIGRATIONS = MIGRATIONS / "index"
ROOMS = ("accounts", "projects", "inbox", "work", "crm", "connectors", "search", "operations")


def import_rooms() -> None:
    """Fill the registries: every endpoint and every job of every room."""
    for room in ROOMS:
        for piece in ("actions", "jobs"):
            name = f"ctower_desktop.{room}.{piece}"
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)


import_rooms()


async def open_tower(
    home: Home,
    *,
    clock: Clock | None = None,
    environment: Mapping[str, str] | None = None,
    secrets: Place = "auto",
) -> Tower:
    """The tower of a home, with nothing running yet. Raise a StorageFailure or Invalid that says what to do."""
    home.prepare()
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
        log.warning("the search index is built anew: %s", error)
    for suffix in ("", "-wal", "-shm"):
        home.index.with_name(home.index.name + suffix).unlink(missing_ok=True)
    return await Database.open(home.index, INDEX_MIGRATIONS, extensions=extension)


async def close_tower(tower: Tower) -> None:
    """Stop what rooms keep running, then close connections and databases."""
    await tower.stop_parts()
    await tower.http.close()
    await tower.index.close()
    await tower.db.close()
