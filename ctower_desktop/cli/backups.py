"""Backup and restore of a home's database, each checked before it counts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ctower_desktop.kernel.database import copy_file, inspect_file, newest_migration
from ctower_desktop.kernel.errors import DatabaseTooNew, NotFound
from ctower_desktop.kernel.system import Home, writing


def backup(home: Home, target: Path | None, now: datetime) -> Path:
    """Copy the database while it is in use; return where the copy is.

    Raise NotFound when there is no database, StorageDamaged when the copy does not verify.
    """
    if not home.database.is_file():
        raise NotFound(f"There is no database in {home.path}.")
    found = target or home.backups / f"ctower-{now:%Y%m%d-%H%M%S}.db"
    copy_file(home.database, found)
    return found


def restore(home: Home, source: Path, now: datetime, migrations: Path) -> Path | None:
    """Put a backup in the place of the database; return where the replaced database is kept.

    The backup is verified first; nothing is touched when it is damaged or too new. The search index is
    dropped and built again. The caller holds the home's lock.
    """
    if not source.is_file():
        raise NotFound(f"There is no file {source}.")
    version = inspect_file(source)
    if version > newest_migration(migrations):
        raise DatabaseTooNew
    staged = home.database.with_name(home.database.name + ".restoring")
    copy_file(source, staged)
    with writing(home.database):
        kept = _set_aside(home, now)
        staged.replace(home.database)
        home.drop_index()
    return kept


def _set_aside(home: Home, now: datetime) -> Path | None:
    """Move the database in use out of the way; return where it is, or None when there was none."""
    if not home.database.is_file():
        return None
    kept = home.backups / f"replaced-{now:%Y%m%d-%H%M%S}.db"
    home.backups.mkdir(parents=True, exist_ok=True)
    home.database.replace(kept)
    for suffix in ("-wal", "-shm"):
        # a log left behind would be replayed into the restored file; it belongs to the replaced one
        aside = home.database.with_name(home.database.name + suffix)
        if aside.exists():
            aside.replace(kept.with_name(kept.name + suffix))
    return kept
