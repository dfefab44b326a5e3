"""Disk full, another program at the file, damage, kill -9: nothing is lost, and it is told in words."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import apsw
import pytest

from ctower_desktop.kernel import database
from ctower_desktop.kernel.database import verify
from ctower_desktop.kernel.errors import StorageBusy, StorageDamaged, StorageFailure, StorageFull


class TestDiskFull:
    async def test_is_told_loses_nothing_and_goes_on_by_itself(self, db, add, texts, changes):
        await db.write(add, "kept")

        def limit(connection, pages):
            connection.pragma("max_page_count", pages)

        await db.write(limit, 8)
        for _ in range(2):
            with pytest.raises(StorageFull) as caught:
                await db.write(add, *("x" * 4_000 for _ in range(50)))
            assert (caught.value.status, caught.value.code) == (503, "storage_full")
            assert "free some space" in str(caught.value)
        assert await db.read(texts) == ["kept"]
        assert changes == [{"note"}], "what was rolled back is not told"
        await db.write(limit, 1_000_000)
        assert await db.write(add, *("x" * 4_000 for _ in range(50))) == 51
        assert await db.read(lambda c: c.pragma("integrity_check")) == "ok"

    @pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting needs root on Linux")
    async def test_on_a_real_file_system_of_one_megabyte(self, tmp_path, one_table, add, texts, opened):
        place = tmp_path / "small"
        place.mkdir()
        mount = await asyncio.create_subprocess_exec(
            "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place), stderr=asyncio.subprocess.DEVNULL
        )
        if await mount.wait():
            pytest.skip("mounting is not allowed here")
        try:
            db = await opened(place / "a.db", one_table)
            await db.write(add, "kept")
            ballast = place / "ballast"
            ballast.write_bytes(b"x" * 700_000)
            with pytest.raises(StorageFailure):
                await db.write(add, *("x" * 4_000 for _ in range(200)))
            assert await db.read(texts) == ["kept"]
            ballast.unlink()
            assert await db.write(add, "after") == 2
            await db.close()
            again = await opened(place / "a.db", one_table)
            assert await again.read(texts) == ["kept", "after"]
            await again.close()
        finally:
            unmount = await asyncio.create_subprocess_exec("umount", str(place))
            await unmount.wait()


class TestBusy:
    async def test_a_writer_waits_a_while_and_then_says_so(
        self, tmp_path, one_table, add, texts, monkeypatch, opened
    ):
        monkeypatch.setattr(database, "_BUSY_MS", 50)
        db = await opened(tmp_path / "a.db", one_table)
        other = apsw.Connection(str(db.path))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageBusy, match="Another program"):
            await db.write(add, "no")
        other.execute("ROLLBACK")
        assert await db.write(add, "yes") == 1
        other.close()
        await db.close()

    async def test_what_a_write_has_read_stays_true_until_its_end(self, db, add):
        other = apsw.Connection(str(db.path))

        def read_then_write(connection):
            before = connection.execute("SELECT count(*) FROM note").get
            with pytest.raises(apsw.BusyError):
                add(other, "in between")
            return before, add(connection, "mine")

        assert await db.write(read_then_write) == (0, 1)
        other.close()

    async def test_short_quarrels_are_not_noticed(self, tmp_path, one_table, add, opened):
        db = await opened(tmp_path / "a.db", one_table)
        other = apsw.Connection(str(db.path))
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(db.write(add, "yes"))
        await asyncio.sleep(0.05)
        other.execute("COMMIT")
        assert await writing == 1
        other.close()
        await db.close()


class TestDamage:
    async def test_a_file_that_is_no_database(self, tmp_path, one_table, opened):
        path = tmp_path / "a.db"
        path.write_bytes(b"<html>not a database</html>" * 1_000)
        with pytest.raises(StorageDamaged, match="ctower restore"):
            await opened(path, one_table)
        assert path.read_bytes().startswith(b"<html>"), "nothing is thrown away"

    async def test_a_damaged_page_is_told_when_it_is_read(self, tmp_path, one_table, add, texts, opened):
        path = tmp_path / "a.db"
        db = await opened(path, one_table)
        await db.write(add, *("x" * 900 for _ in range(200)))
        await db.close()
        with path.open("rb+") as file:
            file.seek(20 * 4_096)
            file.write(os.urandom(4_096))
        db = await opened(path, one_table)
        with pytest.raises(StorageDamaged):
            await db.read(texts)
        await db.close()

    async def test_a_folder_that_cannot_be_written(self, tmp_path, one_table, opened):
        with pytest.raises(StorageFailure):
            await opened(tmp_path / "missing" / "a.db", one_table)

    async def test_a_torn_log_costs_only_what_was_not_committed(
        self, tmp_path, one_table, add, texts, opened
    ):
        path = tmp_path / "a.db"
        db = await opened(path, one_table)
        await db.write(add, "first")
        await db.write(add, "second")
        log = path.with_name("a.db-wal")
        whole, copy = log.read_bytes(), tmp_path / "copy.db"
        copy.write_bytes(path.read_bytes())
        copy.with_name("copy.db-wal").write_bytes(whole[:-100])
        await db.close()
        again = await opened(copy, one_table)
        assert await again.read(texts) == ["first"]
        await again.close()


WRITING = """
import asyncio, sys
from pathlib import Path
from ctower_desktop.kernel.database import Database

def add(db, number):
    for part in range(200):
        db.execute("INSERT INTO note (text) VALUES (?)", (f"{number}:{part}:" + "x" * 500,))

async def main():
    db = await Database.open(Path(sys.argv[1]), Path(sys.argv[2]))
    for number in range(10_000):
        await db.write(add, number)
        print(number, flush=True)

asyncio.run(main())
"""

MIGRATING = """
import asyncio, sys
from pathlib import Path
from ctower_desktop.kernel.database import Database

asyncio.run(Database.open(Path(sys.argv[1]), Path(sys.argv[2]), backups=Path(sys.argv[3])))
"""

LONG_STEP = """
CREATE TABLE copy (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
INSERT INTO copy (text)
WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 400000)
SELECT hex(zeroblob(50)) || x FROM c;
"""


async def _child(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", *arguments, stdout=asyncio.subprocess.PIPE
    )


class TestKilled:
    async def test_in_the_middle_of_writing(self, tmp_path, one_table, opened):
        path = tmp_path / "a.db"
        child = await _child(WRITING, str(path), str(one_table))
        assert child.stdout is not None
        async with asyncio.timeout(30):
            for number in range(20):
                assert await child.stdout.readline() == f"{number}\n".encode()
        child.send_signal(signal.SIGKILL)
        told = 20 + (await child.stdout.read()).count(b"\n")
        assert await child.wait() == -signal.SIGKILL
        db = await opened(path, one_table)
        assert await db.write(verify) == 1
        counts = await db.read(
            lambda c: list(c.execute("SELECT count(*) FROM note GROUP BY substr(text, 1, instr(text, ':'))"))
        )
        assert {count for (count,) in counts} == {200}, "no transaction is there by half"
        assert told <= len(counts) <= told + 1, "what was told to be written is there"
        await db.close()

    async def test_in_the_middle_of_a_migration(self, tmp_path, steps, add, texts, opened):
        first = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
        path, backups = tmp_path / "a.db", tmp_path / "backups"
        db = await opened(path, steps(first))
        await db.write(add, "precious")
        await db.close()
        folder = steps(first, LONG_STEP)
        child = await _child(MIGRATING, str(path), str(folder), str(backups))
        async with asyncio.timeout(30):
            while not _grew(path):
                await asyncio.sleep(0.001)
        child.send_signal(signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL, "it was killed before it was done"
        raw = apsw.Connection(str(path))
        assert (raw.pragma("user_version"), raw.pragma("integrity_check")) == (1, "ok")
        raw.close()
        db = await opened(path, folder, backups=backups)
        assert await db.read(texts) == ["precious"]
        assert await db.read(lambda c: c.execute("SELECT count(*) FROM copy").get) == 400_000
        await db.close()
        copy = apsw.Connection(str(backups / "a-before-0002.db"))
        assert texts(copy) == ["precious"]
        copy.close()


def _grew(path: Path) -> bool:
    """Whether the migration is well under way: its pages have begun to spill."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 500_000
