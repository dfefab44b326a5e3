"""A database file: one writer, a few readers, each on its own thread; migrations; what changed."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Concatenate, Literal, NamedTuple, ParamSpec, Self, TypeVar

import apsw

from ctower_desktop.kernel.errors import (
    DatabaseTooNew,
    StorageBusy,
    StorageDamaged,
    StorageFailure,
    StorageFull,
)
from ctower_desktop.kernel.system import writing

P = ParamSpec("P")
T = TypeVar("T")
Changed = Callable[[frozenset[str]], None]

log = logging.getLogger(__name__)

_NUMBERED = re.compile(r"(\d{4})_\w+\.sql")
_BUSY_MS = 5_000
_APPLICATION = int.from_bytes(b"ctwr")  # tells our files from other programs'
_PRAGMAS = {  # docs/sqlite: WAL for readers beside the writer; the rest refuses foot-guns
    "journal_mode": "wal",
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "journal_size_limit": 64 << 20,
    "temp_store": 2,
    "synchronous": 1,
}
Durability = Literal["FULL", "NORMAL"]


class Pool(NamedTuple):
    """Readers of a database, those that are free, and how many callers wait for one."""

    total: int
    idle: int
    waiting: int


class _GivenUp(Exception):
    """Nobody waits for this transaction any more."""


class Database:
    """One SQLite file. `read` and `write` run a store function as one transaction.

    `changed` is called on the loop, after a commit, with the names of the tables it touched.
    """

    def __init__(self, path: Path, writer: Any, readers: list[Any]) -> None:
        self.path = path
        self.changed: list[Changed] = []
        self._writer = writer
        self._all = [writer, *readers]
        self._idle: asyncio.Queue[Any] = asyncio.Queue()
        self._waiting = 0
        self._touched: set[str] = set()
        self._durability: Durability = "NORMAL"
        for reader in readers:
            self._idle.put_nowait(reader)

    @classmethod
    async def open(
        cls,
        path: Path,
        migrations: Path,
        *,
        readers: int = 2,
        extensions: Sequence[str] = (),
        backups: Path | None = None,
    ) -> Self:
        """Open or create, and migrate. Raise DatabaseTooNew, StorageDamaged, StorageBusy or StorageFull.

        `extensions` are loadable library paths; `backups` is where a copy goes before a migration.
        """
        connections: list[Any] = []
        try:
            writer = await apsw.Connection.as_async(str(path))
            connections.append(writer)
            await writer.async_run(_configure, writer, extensions, _PRAGMAS)
            await writer.async_run(migrate, writer, migrations, backups)
            for _ in range(readers):
                reader = await apsw.Connection.as_async(str(path), flags=apsw.SQLITE_OPEN_READONLY)
                connections.append(reader)
                await reader.async_run(_configure, reader, extensions, {"query_only": 1, "temp_store": 2})
            await asyncio.to_thread(_keep_private, path)
        except apsw.Error as error:
            await _close(connections)
            raise _named(error) from error
        except BaseException:
            await _close(connections)
            raise
        database = cls(path, writer, connections[1:])
        await writer.async_run(writer.set_update_hook, database._note)
        return database

    async def read(
        self, fn: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(connection, …)` on a reader's thread, in one snapshot."""
        reader = await self._reader()
        try:
            return await self._run(reader, _in_transaction, reader, "BEGIN", fn, *args, **kwargs)
        finally:
            self._idle.put_nowait(reader)

    async def write(
        self, fn: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(connection, …)` on the writer's thread as one transaction, for what can be fetched again.

        Survives a killed process; after a power cut the last commits may be missing. When the caller is
        cancelled before the commit, everything is rolled back.
        """
        return await self._write("NORMAL", fn, *args, **kwargs)

    async def write_durably(
        self, fn: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `write`, but on the disk before it returns: for what a person typed or approved."""
        return await self._write("FULL", fn, *args, **kwargs)

    async def _write(self, durability: Durability, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        loop, given_up = asyncio.get_running_loop(), threading.Event()

        def wanted(db: apsw.Connection) -> T:
            result = fn(db, *args, **kwargs)
            if given_up.is_set():
                raise _GivenUp
            return result

        try:
            return await self._run(self._writer, self._transact, durability, wanted, loop)
        except asyncio.CancelledError:
            given_up.set()  # what is not committed yet is rolled back
            raise

    def _transact(
        self, durability: Durability, fn: Callable[[apsw.Connection], T], loop: asyncio.AbstractEventLoop
    ) -> T:
        if durability != self._durability:  # cannot change inside a transaction
            self._writer.execute(f"PRAGMA synchronous = {durability}")
            self._durability = durability
        self._touched.clear()
        result = _in_transaction(self._writer, "BEGIN IMMEDIATE", fn)
        if self._touched:  # told from here, so that it is told even when nobody waits for the result any more
            loop.call_soon_threadsafe(self._tell, frozenset(self._touched))
        return result

    def _tell(self, tables: frozenset[str]) -> None:
        for tell in tuple(self.changed):
            tell(tables)

    def _note(self, _operation: int, _database: str, table: str, _rowid: int) -> None:
        self._touched.add(table)

    async def _run(self, connection: Any, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        try:
            return await connection.async_run(fn, *args, **kwargs)  # type: ignore[no-any-return]
        except apsw.Error as error:
            raise _named(error) from error

    async def _reader(self) -> Any:
        self._waiting += 1
        try:
            return await self._idle.get()
        finally:
            self._waiting -= 1

    @property
    def pool(self) -> Pool:
        """How busy the readers are."""
        return Pool(total=len(self._all) - 1, idle=self._idle.qsize(), waiting=self._waiting)

    async def backup(self, target: Path) -> None:
        """An online copy at `target`, checked before it gets its name."""
        reader = await self._reader()
        try:
            await self._run(reader, copy_database, reader, target)
        finally:
            self._idle.put_nowait(reader)

    async def size(self) -> int:
        """Bytes on disk, write-ahead log included."""
        return await asyncio.to_thread(_size, self.path)

    async def close(self) -> None:
        """Finish the running write, fold the write-ahead log into the file, and close."""
        try:
            await self._run(self._writer, _checkpoint, self._writer)
        except StorageFailure as error:
            log.info("the write-ahead log stays for the next start: %s", error)
        await _close(self._all)


def migrate(db: apsw.Connection, folder: Path, backups: Path | None = None) -> int:
    """Bring the schema to the newest numbered file, each in one transaction; return its number.

    An existing database is first copied to `backups`. Raise DatabaseTooNew for a newer one.
    """
    done: int = db.pragma("user_version")
    steps = sorted((int(m[1]), p) for p in folder.iterdir() if (m := _NUMBERED.fullmatch(p.name)))
    newest = newest_migration(folder)
    if done > newest:
        raise DatabaseTooNew(
            f"This database is of version {done}, this program knows up to {newest}. "
            "Nothing was changed. Install the newer program, or restore an older backup."
        )
    pending = [(number, path) for number, path in steps if number > done]
    if pending and done and backups is not None:
        copy_database(db, backups / f"{Path(db.filename).stem}-before-{pending[0][0]:04}.db")
    for number, path in pending:
        _in_transaction(db, "BEGIN IMMEDIATE", _apply, path.read_text("utf-8"), number)
    if pending and list(db.execute("PRAGMA foreign_key_check")):
        raise StorageDamaged("Rows refer to rows that are not there; restore a backup with `ctower restore`.")
    return newest


def _apply(db: apsw.Connection, script: str, number: int) -> None:
    db.execute(script)
    db.execute(f"PRAGMA application_id = {_APPLICATION:d}")
    db.execute(f"PRAGMA user_version = {number:d}")


def copy_database(source: apsw.Connection, target: Path) -> None:
    """Copy the whole of `source` by the online backup.

    Raise StorageDamaged when the copy does not verify, StorageFailure when `target` cannot be written.
    """
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".partial")
        partial.unlink(missing_ok=True)
        try:
            _copy_whole(source, partial)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        partial.replace(target)


def _copy_whole(source: apsw.Connection, target: Path) -> None:
    copy = apsw.Connection(str(target))
    try:
        with copy.backup("main", source, "main") as running:
            while not running.done:
                running.step(512)
        copy.execute("PRAGMA journal_mode = delete")
        verify(copy)
    finally:
        copy.close()
    with target.open("rb+") as file:
        os.fsync(file.fileno())
    target.chmod(0o600)


def copy_file(source: Path, target: Path) -> None:
    """As `copy_database`, for a file that this process does not have open."""
    db = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        db.set_busy_timeout(_BUSY_MS)
        copy_database(db, target)
    except apsw.Error as error:
        raise _named(error) from error
    finally:
        db.close()


def inspect_file(path: Path) -> int:
    """The schema version of one of our files; raise StorageDamaged when it is none or is not sound."""
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            if db.pragma("application_id") != _APPLICATION:
                raise StorageDamaged(f"{path} is not a database of the control tower.")
            return verify(db)
        finally:
            db.close()
    except apsw.Error as error:
        raise _named(error) from error


def newest_migration(folder: Path) -> int:
    """The schema version this program brings a database to."""
    return max((int(m[1]) for p in folder.iterdir() if (m := _NUMBERED.fullmatch(p.name))), default=0)


def verify(db: apsw.Connection) -> int:
    """The schema version of a sound database; raise StorageDamaged for another."""
    found = db.pragma("quick_check")
    if found != "ok":
        raise StorageDamaged(f"The database does not verify: {str(found)[:200]}.")
    version: int = db.pragma("user_version")
    return version


def _configure(db: apsw.Connection, extensions: Sequence[str], pragmas: dict[str, int | str]) -> None:
    db.set_busy_timeout(_BUSY_MS)
    db.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    db.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    if extensions:
        db.enable_load_extension(True)
        for extension in extensions:
            db.load_extension(extension)
        db.enable_load_extension(False)
    for name, value in pragmas.items():
        db.pragma(name, value)


def _keep_private(path: Path) -> None:
    with writing(path):
        path.chmod(0o600)


def _in_transaction(db: apsw.Connection, begin: str, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    db.execute(begin)
    try:
        result = fn(db, *args, **kwargs)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk has rolled back by itself
            db.execute("ROLLBACK")
        raise
    return result


def _checkpoint(db: apsw.Connection) -> None:
    db.execute("PRAGMA optimize")
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


async def _close(connections: list[Any]) -> None:
    waiting: list[Awaitable[Any]] = [connection.aclose() for connection in connections]
    await asyncio.gather(*waiting)


def _size(path: Path) -> int:
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _named(error: apsw.Error) -> Exception:
    """The failure of the environment behind an error, or the error itself when it is our bug."""
    if isinstance(error, apsw.FullError):
        return StorageFull()
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return StorageBusy()
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return StorageDamaged()
    if isinstance(error, apsw.CantOpenError | apsw.ReadOnlyError | apsw.IOError | apsw.PermissionsError):
        return StorageFailure(f"The database file cannot be used: {error}.")
    return error
