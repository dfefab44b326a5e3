"""What every test may ask for: a clock, a tower, a project, a call; and the rules that hold for all."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
import sqlite_vec
from blockbuster import blockbuster_ctx

from ctower_desktop import app
from ctower_desktop.kernel.database import migrate
from ctower_desktop.kernel.system import Clock, Home
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import NewProject, create_project

os.environ["TZ"] = "UTC"  # the computer's time zone is part of what settings begin with
time.tzset()
START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


class SetClock(Clock):
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at
        self.counter = 1_000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.counter

    def set(self, at: datetime) -> None:
        """Jump to a time of day; the monotonic counter stays where it is."""
        self.at = at

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)
        self.counter += seconds


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "home")
    found.prepare()
    return found


@pytest.fixture
async def tower(home: Home, clock: SetClock) -> AsyncIterator[Tower]:
    """A real tower in a folder of its own, with no environment and no keyring."""
    opened = await app.open_tower(home, clock=clock, environment={}, secrets="file")
    yield opened
    await app.close_tower(opened)


@pytest.fixture
async def project(tower: Tower) -> ProjectRef:
    answer = await create_project(desktop(tower, "test"), NewProject(name="Кофейня «Север»"))
    return ProjectRef(answer.project.id, answer.project.name, answer.project.account_scope_id)


@pytest.fixture
def call(tower: Tower, project: ProjectRef) -> Desktop:
    """A call of the person at the screen in `project`."""
    return desktop(tower, "test", project)


@pytest.fixture(scope="session")
def schema() -> Iterator[apsw.Connection]:
    """An empty main database, migrated."""
    db = apsw.Connection(":memory:")
    migrate(db, app.MIGRATIONS)
    yield db
    db.close()


@pytest.fixture(scope="session")
def index_schema() -> Iterator[apsw.Connection]:
    """An empty index database, migrated."""
    db = apsw.Connection(":memory:")
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    migrate(db, app.INDEX_MIGRATIONS)
    yield db
    db.close()


@pytest.fixture(autouse=True)
def _loop_is_never_blocked() -> Iterator[None]:
    """A blocking call of ours on the loop raises BlockingError."""
    with blockbuster_ctx("ctower_desktop") as watch:
        for function in watch.functions.values():
            # PySide looks into the source of every module that is imported late by anybody
            function.can_block_in("shibokensupport/feature.py", "_mod_uses_pyside")
        yield


@pytest.fixture(autouse=True)
def _no_unexpected_errors(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """An error in our log or in a handler fails the test, unless it is marked `logs_errors`."""
    yield
    if request.node.get_closest_marker("logs_errors"):
        return
    found = [
        record.getMessage()
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.levelno >= logging.ERROR and record.name.startswith(("ctower_desktop", "aiohttp.server"))
    ]
    assert not found, found
