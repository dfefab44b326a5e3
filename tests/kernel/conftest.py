"""A database of the test's own, with migrations of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw
import pytest

from ctower_desktop.kernel.database import Database
from ctower_desktop.kernel.watchdog import Stall, watch

Steps = Callable[..., Path]


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    """A folder of numbered migrations: `steps("CREATE …", "ALTER …")`."""

    def write(*scripts: str) -> Path:
        folder = tmp_path / "migrations"
        folder.mkdir(exist_ok=True)
        for number, script in enumerate(scripts, 1):
            (folder / f"{number:04}_step.sql").write_text(script, "utf-8")
        return folder

    return write


@pytest.fixture
def one_table(steps: Steps) -> Path:
    return steps(
        "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
        "CREATE TABLE other (id INTEGER PRIMARY KEY, note INTEGER REFERENCES note (id) ON DELETE CASCADE)"
        " STRICT;"
        "CREATE INDEX other_note ON other (note);"
    )


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., Awaitable[Database]]]:
    """Open a database; whatever a test leaves open is closed, for its threads would outlive a failure."""
    found: list[Database] = []

    async def opened(path: Path, migrations: Path, backups: Path | None = None) -> Database:
        found.append(await Database.open(path, migrations, backups=backups))
        return found[-1]

    yield opened
    for database in found:
        with suppress(apsw.ConnectionClosedError):
            await database.close()


@pytest.fixture
async def db(tmp_path: Path, one_table: Path, opened: Callable[..., Awaitable[Database]]) -> Database:
    return await opened(tmp_path / "test.db", one_table)


@pytest.fixture
def changes(db: Database) -> list[set[str]]:
    """The tables of every commit that was told."""
    found: list[set[str]] = []
    db.changed.append(lambda tables: found.append(set(tables)))
    return found


@pytest.fixture
def no_stalls() -> Callable[..., AbstractContextManager[None]]:
    """`with no_stalls(): …` fails when one callback holds the loop for more than 50 ms, and shows where."""

    @contextmanager
    def no_stalls(limit: float = 0.05) -> Iterator[None]:
        found: list[Stall] = []
        with watch(found.append, over=limit, stacks=True):
            yield
        assert not found, "\n".join(f"{stall}\n{stall.stack}" for stall in found)

    return no_stalls


def add(db: Any, *texts: str) -> int:
    """Add notes; return how many there are."""
    for text in texts:
        db.execute("INSERT INTO note (text) VALUES (?)", (text,))
    return int(db.execute("SELECT count(*) FROM note").get)


def texts(db: Any) -> list[str]:
    """Every note."""
    return [row[0] for row in db.execute("SELECT text FROM note ORDER BY id")]


@pytest.fixture(name="add")
def _add() -> Callable[..., int]:
    return add


@pytest.fixture(name="texts")
def _texts() -> Callable[..., list[str]]:
    return texts
