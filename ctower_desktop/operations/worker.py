"""The background worker: looks for due jobs in all projects, through sleep and changed clocks."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import datetime
from typing import Self

from ctower_desktop.kernel.errors import StorageFailure
from ctower_desktop.kernel.tower import ProjectRef, Tower
from ctower_desktop.operations import store
from ctower_desktop.operations.meters import Meters
from ctower_desktop.operations.model import Operations
from ctower_desktop.operations.scheduler import Scheduler
from ctower_desktop.operations.timing import Moment

log = logging.getLogger(__name__)

_NAP = 5.0  # seconds; the longest the worker takes to notice that the computer woke up
_AT_ONCE = 3  # projects worked on at the same time
_STOP_WITHIN = 1.5  # seconds


class Worker:
    """Starts the due jobs of every project by itself; one project's trouble never holds up another."""

    def __init__(self, tower: Tower, scheduler: Scheduler, chance: random.Random) -> None:
        self._tower, self._scheduler, self._chance = tower, scheduler, chance
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._seen = self._moment()
        self._looked: float | None = None  # on the monotonic counter; None: look at once
        self._next: datetime | None = None
        self._replanned = False  # somebody changed the schedule since `_next` was read
        self._loop: asyncio.Task[None] | None = None
        tower.db.changed.append(self._on_change)

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Begin to work."""
        await tower.part(Meters)  # counts runs from the first one on
        worker = cls(tower, await tower.part(Scheduler), random.Random())  # noqa: S311 - spreads load
        worker._loop = asyncio.create_task(worker._work(), name="worker")
        return worker

    async def stop(self) -> None:
        """Start nothing more and interrupt what runs; it stays due."""
        self._tower.db.changed.remove(self._on_change)
        tasks = [task for task in (self._loop, *self._busy.values()) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=_STOP_WITHIN)
            if left:
                log.warning("%d projects did not let go in time", len(left))

    async def look(self) -> int:
        """Notice a changed clock, then start on every project if it is time; return how many were begun."""
        try:
            await self._mind_the_clock()
            if self._replanned:
                self._replanned = False
                self._next = await self._tower.db.read(store.next_due)
            if not self._time_to_look():
                return 0
            self._looked = self._tower.clock.monotonic()
            return await self._begin()
        except StorageFailure as error:
            log.warning("the scheduler waits for the database: %s", error)
        except Exception:  # a bug here must not end all scheduling until the next start
            log.exception("the scheduler stumbled")
        return 0

    async def finish(self) -> None:
        """Wait until no project is being worked on."""
        while self._busy:
            await asyncio.wait(self._busy.values())

    async def _work(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_NAP)

    async def _begin(self) -> int:
        projects = await self._tower.db.read(store.projects)
        self._scheduler.looked()
        begun = 0
        for project in projects:
            if project.id not in self._busy:
                work = self._project(project)
                self._busy[project.id] = asyncio.create_task(work, name=f"jobs of {project.id}")
                begun += 1
        return begun

    async def _project(self, project: ProjectRef) -> None:
        try:
            async with self._places:
                limit = self._tower.settings.get(Operations).worker_tick_limit
                await self._scheduler.tick(project, limit, "worker")
        except StorageFailure as error:
            log.warning("the jobs of %s wait for the database: %s", project.name, error)
        except Exception:  # one project's bug must not stop the others
            log.exception("the jobs of %s could not be run", project.name)
        finally:
            self._busy.pop(project.id, None)

    async def _mind_the_clock(self) -> None:
        now = self._moment()
        jump, self._seen = self._seen.jump(now), now
        if not jump:
            return
        log.info("the clock went %+.0f s: the schedule is looked through", jump)
        self._looked = None
        if jump > 0:
            for project in await self._tower.db.read(store.projects):
                await self._tower.db.write(store.spread_overdue, project.id, now.wall, self._chance)

    def _time_to_look(self) -> bool:
        if self._looked is None:
            return True
        clock, settings = self._tower.clock, self._tower.settings.get(Operations)
        if clock.monotonic() - self._looked >= settings.worker_interval_seconds:
            return True
        return self._next is not None and self._next <= clock.now()

    def _moment(self) -> Moment:
        return Moment(self._tower.clock.now(), self._tower.clock.monotonic())

    def _on_change(self, tables: frozenset[str]) -> None:
        if "scheduled_job" in tables:
            self._replanned = True
