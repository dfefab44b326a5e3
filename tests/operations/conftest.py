"""A scheduler with jobs of the test's own, and what it told everybody."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from ctower_desktop.kernel.events import JobCompleted
from ctower_desktop.kernel.jobs import JOBS, Job
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower
from ctower_desktop.operations.scheduler import Scheduler

Declare = Callable[..., list[str]]
Until = Callable[[Callable[[], Any]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """Wait until a condition, plain or to be awaited, is true; five seconds are too long."""

    async def until(condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(5):
            while True:
                found = condition()
                if await found if inspect.isawaitable(found) else found:
                    return
                await asyncio.sleep(0.002)

    return until


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Declare a job; the list that is returned holds the projects it ran for. No other job is declared."""
    for name in list(JOBS):
        monkeypatch.delitem(JOBS, name)

    def declare(name: str, handler: Any = None, *, every: int = 900, then: tuple[str, ...] = ()) -> list[str]:
        ran: list[str] = []

        async def counted(call: Desktop) -> Any:
            """Note that it ran."""
            ran.append(call.project_ref.name)
            return await handler(call) if handler is not None else None

        monkeypatch.setitem(JOBS, name, Job(name, every, then, 600, counted))
        return ran

    return declare


@pytest.fixture
async def scheduler(tower: Tower) -> Scheduler:
    return await tower.part(Scheduler)


@pytest.fixture
def completed(tower: Tower) -> Iterator[list[JobCompleted]]:
    """Every JobCompleted, in order."""
    found: list[JobCompleted] = []
    stop = tower.events.subscribe(lambda e: found.append(e) if isinstance(e, JobCompleted) else None)
    yield found
    stop()


@pytest.fixture
async def second(tower: Tower, project: ProjectRef) -> ProjectRef:
    """Another project, newer than the first."""

    def add(db: Any) -> None:
        db.execute(
            "INSERT INTO project (id, name, account_scope_id, created_at) VALUES (?, ?, ?, ?)",
            (
                "22222222-2222-4222-8222-222222222222",
                "Yasen",
                project.account_scope_id,
                "2099-01-01T00:00:00.000Z",
            ),
        )

    await tower.db.write(add)
    return ProjectRef("22222222-2222-4222-8222-222222222222", "Yasen", project.account_scope_id)
