"""Backup and restore of a home's database, each checked before it counts."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from ctower_desktop.kernel.database import copy_file, inspect_file, newest_migration
from ctower_desktop.kernel.errors import DatabaseTooNew, NotFound, StorageDamaged
from ctower_desktop.kernel.system import Home, writing
from ctower_desktop.operations.backups import backup_file

log = logging.getLogger(__name__)


def backup(home: Home, target: Path | None, now: datetime) -> Path:
    """Copy the database while it is in use; return where the copy is.

    Raise NotFound when there is no database, StorageDamaged when the copy does not verify.
    """
    if not home.database.is_file():
        raise NotFound(f"There is no database in {home.path}.")
    found = target or backup_file(home, now)
    copy_file(home.database, found)
    return found


def restore(home: Home, source: Path, now: datetime, migrations: Path) -> Path | None:
    """Put a backup in the place of the database; return where the replaced database is kept.

    The backup is verified first; nothing is touched when it is damaged or too new. The search index is
    dropped and built again. The caller holds the home's lock.
    """
    if not source.is_file():
        raise NotFound(f"There is no file {source}.")
    try:
        version = inspect_file(source)
    except StorageDamaged as error:
        raise StorageDamaged(f"{source} is no sound backup; nothing was changed.") from error
    if version > newest_migration(migrations):
        raise DatabaseTooNew
    staged = home.database.with_name(home.database.name + ".restoring")
    copy_file(source, staged)
    with writing(home.database):
        kept = _keep(home, now)
        staged.replace(home.database)
        home.drop_index()
    return kept


def _keep(home: Home, now: datetime) -> Path | None:
    """Keep the database that is to be replaced; return where, or None when there was none.

    A sound one stays in its place as well: whenever this is interrupted, a whole database is there.
    """
    if not home.database.is_file():
        return None
    kept = home.backups / f"replaced-{now:%Y%m%d-%H%M%S}.db"
    home.backups.mkdir(parents=True, exist_ok=True)
    logs = [home.database.with_name(home.database.name + suffix) for suffix in ("-wal", "-shm")]
    try:
        copy_file(home.database, kept)
    except StorageDamaged as error:
        log.info("the damaged database is kept as it is: %s", error)
        home.database.replace(kept)
        for file in filter(Path.exists, logs):
            file.replace(home.backups / file.name.replace(home.database.name, kept.name))
    else:
        for file in logs:  # the copy holds what was in them; left behind, they would be replayed into another
            file.unlink(missing_ok=True)
    return kept
