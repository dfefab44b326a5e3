"""Backup and restore: checked copies, nothing lost, nothing replaced by what is damaged or too new."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import apsw
import pytest

from ctower_desktop import app
from ctower_desktop.cli import backups
from ctower_desktop.cli.backups import backup, restore
from ctower_desktop.kernel.errors import DatabaseTooNew, NotFound, StorageDamaged, StorageFailure
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.projects.actions import NewProject, create_project, list_projects

NOW = datetime(2026, 11, 20, 10, 12, 30, tzinfo=UTC)


async def _with_project(home: Home, name: str) -> None:
    tower = await app.open_tower(home, environment={}, secrets="file")
    await create_project(desktop(tower, "test"), NewProject(name=name))
    await app.close_tower(tower)


async def _names(home: Home) -> list[str]:
    tower = await app.open_tower(home, environment={}, secrets="file")
    try:
        return [p.name for p in (await list_projects(desktop(tower, "test"))).projects]
    finally:
        await app.close_tower(tower)


async def test_a_restored_home_holds_what_the_backup_held(home):
    await _with_project(home, "Before")
    copy = await asyncio.to_thread(backup, home, None, NOW)
    assert copy.name == "ctower-20261120-101230.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    await _with_project(home, "After")
    kept = await asyncio.to_thread(restore, home, copy, NOW, app.MIGRATIONS)
    assert await _names(home) == ["Before"]
    other = Home(home.path.parent / "other")
    await asyncio.to_thread(other.prepare)
    await asyncio.to_thread(restore, other, kept, NOW, app.MIGRATIONS)
    assert await _names(other) == ["After", "Before"], "what was replaced is kept whole"


async def test_a_backup_of_a_running_tower_is_whole(tower, call, home, tmp_path):
    target = tmp_path / "copy.db"
    await asyncio.to_thread(backup, home, target, NOW)
    other = Home(tmp_path / "other")
    await asyncio.to_thread(other.prepare)
    assert await asyncio.to_thread(restore, other, target, NOW, app.MIGRATIONS) is None
    assert await _names(other) == ["Кофейня «Север»"]


def test_there_must_be_something_to_copy(home, tmp_path):
    with pytest.raises(NotFound):
        backup(home, None, NOW)
    with pytest.raises(NotFound):
        restore(home, tmp_path / "no.db", NOW, app.MIGRATIONS)


async def test_a_damaged_backup_touches_nothing(home):
    await _with_project(home, "Mine")
    copy = await asyncio.to_thread(backup, home, None, NOW)
    content = bytearray(copy.read_bytes())
    for at in range(4096, len(content), 512):
        content[at : at + 256] = b"\xff" * 256
    copy.write_bytes(content)
    with pytest.raises(StorageDamaged):
        await asyncio.to_thread(restore, home, copy, NOW, app.MIGRATIONS)
    assert await _names(home) == ["Mine"]


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to look like one" * 20])
async def test_a_file_of_something_else_touches_nothing(home, tmp_path, content):
    await _with_project(home, "Mine")
    other = tmp_path / "other.db"
    other.write_bytes(content)
    with pytest.raises(StorageDamaged):
        await asyncio.to_thread(restore, home, other, NOW, app.MIGRATIONS)
    assert await _names(home) == ["Mine"]


async def test_a_backup_from_a_newer_program_touches_nothing(home):
    await _with_project(home, "Mine")
    copy = await asyncio.to_thread(backup, home, None, NOW)
    db = apsw.Connection(str(copy))
    db.execute("PRAGMA user_version = 9999")
    db.close()
    with pytest.raises(DatabaseTooNew):
        await asyncio.to_thread(restore, home, copy, NOW, app.MIGRATIONS)
    assert await _names(home) == ["Mine"]


async def test_a_place_that_cannot_be_written_is_named(tower, home, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageFailure, match=r"copy\.db cannot be written"):
        await asyncio.to_thread(backup, home, tmp_path / "file" / "copy.db", NOW)


async def test_a_restore_that_is_interrupted_leaves_a_whole_database(home, monkeypatch):
    await _with_project(home, "Before")
    copy = await asyncio.to_thread(backup, home, None, NOW)
    await _with_project(home, "After")
    keep = backups._keep

    def killed(*given):
        keep(*given)
        raise InterruptedError

    monkeypatch.setattr(backups, "_keep", killed)
    with pytest.raises(StorageFailure):
        await asyncio.to_thread(restore, home, copy, NOW, app.MIGRATIONS)
    assert await _names(home) == ["After", "Before"]
    monkeypatch.undo()
    await asyncio.to_thread(restore, home, copy, NOW + timedelta(seconds=1), app.MIGRATIONS)
    assert await _names(home) == ["Before"]


async def test_a_damaged_database_is_replaced_and_kept_as_it_is(home):
    await _with_project(home, "Before")
    copy = await asyncio.to_thread(backup, home, None, NOW)
    junk = b"no database at all " * 500
    await asyncio.to_thread(home.database.write_bytes, junk)
    kept = await asyncio.to_thread(restore, home, copy, NOW, app.MIGRATIONS)
    assert await asyncio.to_thread(kept.read_bytes) == junk
    assert await _names(home) == ["Before"]
    left = await asyncio.to_thread(lambda: sorted(file.name for file in home.backups.iterdir()))
    assert left == [copy.name, kept.name], "nothing half done is left"


def test_what_is_no_backup_is_named(home, tmp_path):
    (tmp_path / "notes.txt").write_text("no database at all " * 500)
    with pytest.raises(StorageDamaged, match=r"notes\.txt is no sound backup; nothing was changed"):
        restore(home, tmp_path / "notes.txt", NOW, app.MIGRATIONS)
