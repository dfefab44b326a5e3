"""Copies of the database: made while the tower runs, listed, and looked through for damage."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.database import inspect_file
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import NotFound, StorageDamaged
from ctower_desktop.kernel.system import Home, as_text
from ctower_desktop.kernel.tower import OwnerSession

Origin = Literal["made", "before_update", "replaced"]


class BackupNotFound(NotFound):
    """There is no backup of that name."""

    code = "backup_not_found"


class Backup(msgspec.Struct, frozen=True):
    """A copy of the database: asked for, kept before an update, or replaced when another one was restored."""

    name: str
    path: str
    origin: Origin
    bytes: int
    made_at: str


class BackupsAnswer(msgspec.Struct, frozen=True):
    """The copies in the home's folder, the newest first."""

    folder: str
    backups: list[Backup]


class BackupMade(msgspec.Struct, frozen=True):
    """The new copy; it was looked through before it got its name."""

    backup: Backup


class CheckBackup(msgspec.Struct, frozen=True):
    """Which copy."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.db$")]


class BackupChecked(msgspec.Struct, frozen=True):
    """Whether the copy is whole; `version` is that of its schema."""

    sound: bool
    version: int | None
    problem: str | None


def backup_file(home: Home, now: datetime) -> Path:
    """Where a copy that is made now belongs."""
    return home.backups / f"{home.database.stem}-{now:%Y%m%d-%H%M%S}.db"


@TOWER.get("/system/backups")
async def list_backups(call: OwnerSession) -> BackupsAnswer:
    """The copies of the database in the home's folder, the newest first."""
    home = call.tower.home
    return BackupsAnswer(str(home.backups), await asyncio.to_thread(_listed, home))


@TOWER.post("/system/backups", status=201, audit="backup.create", role="owner", pace="expensive")
async def create_backup(call: OwnerSession) -> BackupMade:
    """Copy the database while it is in use; the copy is looked through before it counts."""
    tower = call.tower
    target = backup_file(tower.home, tower.clock.now())
    await tower.db.backup(target)
    found = await asyncio.to_thread(_backup, tower.home, target)
    call.noted.unbound = True
    call.noted.about("backup", found.name, bytes=found.bytes)
    return BackupMade(found)


@TOWER.post("/system/backups/check", raises=(BackupNotFound,), role="owner", pace="expensive")
async def check_backup(call: OwnerSession, body: CheckBackup) -> BackupChecked:
    """Look a copy through from its first page to its last."""
    path = call.tower.home.backups / body.name
    if not await asyncio.to_thread(path.is_file):
        raise BackupNotFound
    try:
        version = await asyncio.to_thread(inspect_file, path)
    except StorageDamaged as error:
        return BackupChecked(sound=False, version=None, problem=str(error))
    return BackupChecked(sound=True, version=version, problem=None)


def _listed(home: Home) -> list[Backup]:
    found = [_backup(home, path) for path in home.backups.glob("*.db") if path.is_file()]
    return sorted(found, key=lambda backup: (backup.made_at, backup.name), reverse=True)


def _backup(home: Home, path: Path) -> Backup:
    about = path.stat()
    origin: Origin = "made"
    if path.stem.startswith("replaced-"):
        origin = "replaced"
    elif path.stem.startswith(f"{home.database.stem}-before-"):
        origin = "before_update"
    return Backup(
        path.name, str(path), origin, about.st_size, as_text(datetime.fromtimestamp(about.st_mtime, UTC))
    )
