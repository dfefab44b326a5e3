"""Copies of the database, made and looked through while the tower runs."""

from __future__ import annotations

import apsw
import pytest

from ctower_desktop.accounts.actions import list_audit
from ctower_desktop.accounts.model import AuditQuery
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.operations.backups import (
    BackupNotFound,
    CheckBackup,
    check_backup,
    create_backup,
    list_backups,
)


async def test_a_backup_holds_what_was_there_and_is_told(call, tower, clock):
    made = (await create_backup(call)).backup
    assert made.name == "ctower-20261120-100000.db"
    with apsw.Connection(made.path, flags=apsw.SQLITE_OPEN_READONLY) as copy:
        assert [name for (name,) in copy.execute("SELECT name FROM project")] == ["Кофейня «Север»"]
    clock.advance(60)
    await create_backup(call)
    listed = await list_backups(call)
    assert {b.name for b in listed.backups} == {"ctower-20261120-100000.db", "ctower-20261120-100100.db"}
    assert listed.folder == str(tower.home.backups)
    assert all(b.bytes > 0 for b in listed.backups)
    line = (await list_audit(call, AuditQuery(action="backup.create"))).events[0]
    assert (line.entity_id, line.status) == ("ctower-20261120-100100.db", "ok")


async def test_where_a_copy_comes_from_is_in_its_name(call, tower):
    for name in ("ctower-before-0050.db", "replaced-20261120-090000.db", "mine.db", "notes.txt"):
        (tower.home.backups / name).write_bytes(b"x")
    found = {b.name: b.origin for b in (await list_backups(call)).backups}
    assert found == {
        "ctower-before-0050.db": "before_update",
        "replaced-20261120-090000.db": "replaced",
        "mine.db": "made",
    }


async def test_a_damaged_copy_is_found_out(call, tower):
    made = (await create_backup(call)).backup
    sound = await check_backup(call, CheckBackup(name=made.name))
    assert (sound.sound, sound.problem) == (True, None)
    assert sound.version
    path = tower.home.backups / made.name
    whole = bytearray(path.read_bytes())
    whole[4096 * 2 : 4096 * 6] = b"\xff" * 4096 * 4
    path.write_bytes(whole)
    damaged = await check_backup(call, CheckBackup(name=made.name))
    assert not damaged.sound
    assert damaged.problem
    (tower.home.backups / "other.db").write_bytes(b"not a database at all" * 100)
    assert not (await check_backup(call, CheckBackup(name="other.db"))).sound


async def test_only_names_within_the_folder_are_looked_at(call):
    with pytest.raises(BackupNotFound):
        await check_backup(call, CheckBackup(name="missing.db"))
    for name in ("../ctower.db", "/etc/passwd.db", "a/b.db", ".db", "a.txt", "a\x00.db"):
        with pytest.raises(Invalid):
            check({"name": name}, CheckBackup)
