"""One writer, a few readers, transactions, and who is told what changed."""

from __future__ import annotations

import asyncio
import stat
import threading

import apsw
import pytest

from ctower_desktop.kernel.database import Database, verify
from ctower_desktop.kernel.errors import StorageDamaged, StorageFailure


async def test_what_is_written_is_read(db, add, texts):
    assert await db.write(add, "first", "второй") == 2
    assert await db.write_durably(add, "third") == 3
    assert await db.read(texts) == ["first", "второй", "third"]


async def test_only_its_owner_may_read_the_file(db):
    assert stat.S_IMODE(db.path.stat().st_mode) == 0o600


async def test_the_settings_that_keep_data_safe_are_on(db):
    def pragmas(connection):
        names = ("journal_mode", "foreign_keys", "trusted_schema", "cell_size_check", "recursive_triggers")
        return {name: connection.pragma(name) for name in names}

    assert await db.write(pragmas) == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "recursive_triggers": 1,
    }


async def test_durability_is_per_transaction(db):
    def level(connection):
        return connection.pragma("synchronous")

    assert [await db.write_durably(level), await db.write(level), await db.write_durably(level)] == [2, 1, 2]


async def test_a_reader_cannot_write(db, add):
    with pytest.raises(StorageFailure):
        await db.read(add, "no")


async def test_text_in_double_quotes_is_no_string(db):
    with pytest.raises(apsw.SQLError):
        await db.read(lambda c: list(c.execute('SELECT "no such column"')))


class TestTransactions:
    async def test_a_failure_leaves_nothing_behind(self, db, add, texts, changes):
        def half(connection):
            add(connection, "half")
            raise LookupError("of our own")

        with pytest.raises(LookupError):
            await db.write(half)
        assert await db.read(texts) == []
        assert await db.write(add, "whole") == 1
        assert changes == [{"note"}]

    async def test_a_broken_rule_is_our_bug_and_keeps_its_name(self, db):
        with pytest.raises(apsw.ConstraintError):
            await db.write(lambda c: c.execute("INSERT INTO other (note) VALUES (99)"))

    async def test_a_read_sees_one_moment(self, db, add):
        await db.write(add, "before")
        looked, written = threading.Event(), threading.Event()

        def twice(connection):
            first = connection.execute("SELECT count(*) FROM note").get
            looked.set()
            assert written.wait(5)
            return first, connection.execute("SELECT count(*) FROM note").get

        reading = asyncio.create_task(db.read(twice))
        await asyncio.to_thread(looked.wait, 5)
        await db.write(add, "after")
        written.set()
        assert await reading == (1, 1)

    async def test_writers_take_turns(self, db):
        def count_up(connection):
            found = connection.execute("SELECT coalesce(max(id), 0) FROM note").get
            connection.execute("INSERT INTO note (id, text) VALUES (?, '')", (found + 1,))

        await asyncio.gather(*(db.write(count_up) for _ in range(50)))
        assert await db.read(lambda c: c.execute("SELECT max(id) FROM note").get) == 50

    async def test_readers_do_not_wait_for_the_writer(self, db, add, texts):
        await db.write(add, "there")
        begun, go = threading.Event(), threading.Event()

        def slow(connection):
            add(connection, "later")
            begun.set()
            assert go.wait(5)

        writing = asyncio.create_task(db.write(slow))
        await asyncio.to_thread(begun.wait, 5)
        assert await db.read(texts) == ["there"]
        go.set()
        await writing
        assert await db.read(texts) == ["there", "later"]


class TestChanged:
    async def test_tells_the_tables_of_a_commit_and_nothing_of_a_rollback(self, db, add, changes):
        await db.write(add, "one")
        await db.write(lambda c: c.execute("INSERT INTO other (note) VALUES (1)"))
        await db.write(lambda c: c.execute("UPDATE note SET text = 'x' WHERE id = 99"))
        await db.read(lambda c: c.execute("SELECT 1").get)
        assert changes == [{"note"}, {"other"}]

    async def test_what_goes_with_a_parent_counts(self, db, add, changes):
        await db.write(add, "one")
        await db.write(lambda c: c.execute("INSERT INTO other (note) VALUES (1)"))
        await db.write(lambda c: c.execute("DELETE FROM note WHERE id = 1"))
        assert changes[-1] == {"note", "other"}

    async def test_is_told_after_the_commit(self, db, add, texts, tmp_path):
        seen = []
        other = apsw.Connection(str(db.path))

        def look(tables):
            seen.append(texts(other))

        db.changed.append(look)
        await db.write(add, "one")
        assert seen == [["one"]]
        other.close()

    async def test_is_told_before_the_writer_goes_on(self, db, add, changes):
        for number in range(1, 20):
            await db.write(add, "x")
            assert len(changes) == number


class TestCancellation:
    async def test_a_cancelled_write_rolls_back(self, db, add, texts, changes):
        begun, go = threading.Event(), threading.Event()

        def slow(connection):
            add(connection, "never")
            begun.set()
            assert go.wait(5)

        writing = asyncio.create_task(db.write(slow))
        await asyncio.to_thread(begun.wait, 5)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        go.set()
        assert await db.write(add, "after") == 1
        assert await db.read(texts) == ["after"]
        assert changes == [{"note"}]

    async def test_a_write_cancelled_before_its_turn_never_begins(self, db, add, texts):
        begun, go = threading.Event(), threading.Event()

        def slow(connection):
            begun.set()
            assert go.wait(5)

        first = asyncio.create_task(db.write(slow))
        await asyncio.to_thread(begun.wait, 5)
        second = asyncio.create_task(db.write(add, "never"))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        go.set()
        await first
        assert await db.read(texts) == []

    async def test_a_commit_is_told_even_when_nobody_waits_any_more(
        self, db, add, texts, changes, monkeypatch
    ):
        """The cancellation comes between the commit and its news."""
        told, run = asyncio.Event(), Database._run

        async def forgetful(self, connection, fn, *args, **kwargs):
            await run(self, connection, fn, *args, **kwargs)
            raise asyncio.CancelledError

        db.changed.append(lambda tables: told.set())
        with monkeypatch.context() as patch:
            patch.setattr(Database, "_run", forgetful)
            with pytest.raises(asyncio.CancelledError):
                await db.write(add, "there")
        async with asyncio.timeout(5):
            await told.wait()
        assert await db.read(texts) == ["there"]

    async def test_a_cancelled_question_stops_and_frees_its_reader(self, db):
        begun = threading.Event()

        def endless(connection):
            begun.set()
            return connection.execute(
                "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
            ).get

        for _ in range(2 * db.pool.total):
            begun.clear()
            asking = asyncio.create_task(db.read(endless))
            await asyncio.to_thread(begun.wait, 5)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        async with asyncio.timeout(5):
            assert (
                await asyncio.gather(*(db.read(lambda c: c.execute("SELECT 1").get) for _ in range(4)))
                == [1] * 4
            )

    async def test_the_pool_says_how_busy_it_is(self, db):
        begun, go = threading.Semaphore(0), threading.Event()

        def slow(connection):
            begun.release()
            assert go.wait(5)

        assert db.pool == (2, 2, 0)
        reading = [asyncio.create_task(db.read(slow)) for _ in range(3)]
        for _ in range(2):
            await asyncio.to_thread(begun.acquire)
        assert db.pool == (2, 0, 1)
        go.set()
        await asyncio.gather(*reading)
        assert db.pool == (2, 2, 0)


class TestCopies:
    async def test_a_backup_is_whole_while_writing_goes_on(self, db, add, tmp_path):
        await db.write(add, *("x" * 1_000 for _ in range(500)))
        target = tmp_path / "backups" / "copy.db"
        writing = [asyncio.create_task(db.write(add, "more")) for _ in range(20)]
        await db.backup(target)
        await asyncio.gather(*writing)
        copy = apsw.Connection(str(target), flags=apsw.SQLITE_OPEN_READONLY)
        assert verify(copy) == 1
        assert 500 <= copy.execute("SELECT count(*) FROM note").get <= 520
        copy.close()
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert [file.name for file in target.parent.iterdir()] == ["copy.db"], "nothing half done is left"

    async def test_a_copy_that_does_not_verify_gets_no_name(self, tmp_path, one_table, add, opened):
        path = tmp_path / "sick.db"
        healthy = await opened(path, one_table)
        await healthy.write(add, *("x" * 900 for _ in range(200)))
        await healthy.close()
        with path.open("rb+") as file:  # one page in the middle of the table
            file.seek(20 * 4_096)
            file.write(b"\xff" * 4_096)
        sick = await opened(path, one_table)
        with pytest.raises(StorageDamaged):
            await sick.backup(tmp_path / "copy.db")
        assert not (tmp_path / "copy.db").exists()
        await sick.close()

    async def test_closing_folds_the_log_into_the_file(self, tmp_path, one_table, add, texts, opened):
        path = tmp_path / "folded.db"
        first = await opened(path, one_table)
        await first.write(add, "kept")
        assert path.with_name("folded.db-wal").stat().st_size > 0
        await first.close()
        assert not path.with_name("folded.db-wal").exists()
        again = await opened(path, one_table)
        assert await again.read(texts) == ["kept"]
        await again.close()

    async def test_the_size_counts_the_log(self, db, add):
        before = await db.size()
        await db.write(add, "x" * 100_000)
        assert await db.size() >= before + 100_000
