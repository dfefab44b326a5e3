"""Running what is due: one job after the other in a project, never two of the same, every run noted."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any, Self

import msgspec

from ctower_desktop.kernel.errors import StorageFailure, TowerError
from ctower_desktop.kernel.events import JobCompleted
from ctower_desktop.kernel.jobs import JOBS, Again, current, withdrawn
from ctower_desktop.kernel.log import request_id
from ctower_desktop.kernel.runs import reason
from ctower_desktop.kernel.sql import as_json
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef, Tower, by_job
from ctower_desktop.operations import runs_store, store
from ctower_desktop.operations.model import (
    Claim,
    JobDetail,
    JobRunning,
    Operations,
    SchedulerState,
    SchedulerStatus,
    SchedulerStopping,
    Skipped,
    Source,
    TickResult,
)
from ctower_desktop.operations.timing import Rules, limit_of

log = logging.getLogger(__name__)

_LATE = 300.0  # seconds without a look for due jobs that are too many
_STOP_WITHIN = 1.5  # seconds in which interrupted jobs must have let go
_LONGEST_ERROR = 2_000


class _Outcome(msgspec.Struct, frozen=True):
    details: Any = None
    error: str | None = None
    retry_after: float | None = None


class Scheduler:
    """The one who runs scheduled jobs in this process, for whoever asks: the worker, a client, a person."""

    def __init__(self, tower: Tower, chance: random.Random) -> None:
        self._tower, self._chance = tower, chance
        self._owner = new_id()
        self._running: dict[str, asyncio.Task[_Outcome]] = {}
        self._renewal: asyncio.Task[None] | None = None
        self._underway = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False
        self._began = tower.clock.monotonic()
        self._looked: tuple[str, float] | None = None
        self._ticks = self._errors = 0

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Ready to run jobs; nothing runs until somebody asks."""
        return cls(tower, random.Random())  # noqa: S311 - spreads retries, guards nothing

    @property
    def running(self) -> int:
        """How many jobs are being run."""
        return len(self._running)

    def looked(self) -> None:
        """Somebody looked for due jobs."""
        self._looked = self._tower.clock.text(), self._tower.clock.monotonic()

    def longest_gap(self) -> float:
        """Seconds between looks after which something is wrong."""
        return max(_LATE, 2.0 * self._tower.settings.get(Operations).worker_interval_seconds)

    def late(self) -> float | None:
        """Seconds since somebody looked for due jobs, None when nobody has."""
        return self._tower.clock.monotonic() - self._looked[1] if self._looked is not None else None

    def state(self) -> SchedulerState:
        """How the scheduler is, for whoever watches it."""
        late = self.late()
        status: SchedulerStatus = "not_started"
        if late is not None:
            status = "degraded" if late > self.longest_gap() else "healthy"
        return SchedulerState(
            status=status,
            last_tick_at=self._looked[0] if self._looked is not None else None,
            total_ticks=self._ticks,
            active_jobs=self.running,
            total_errors=self._errors,
            uptime_seconds=round(self._tower.clock.monotonic() - self._began, 3),
        )

    def interrupt(self, job_id: str) -> None:
        """Cancel the run of a job that was taken away from it."""
        task = self._running.get(job_id)
        if task is not None:
            task.cancel()

    async def stop(self) -> None:
        """Interrupt what runs at its next await; what was interrupted stays due."""
        self._stopping = True
        for task in self._running.values():
            task.cancel()
        try:
            async with asyncio.timeout(_STOP_WITHIN):
                await self._idle.wait()
        except TimeoutError:
            log.warning("jobs that do not let go are left behind: %d", self._underway)
        if self._renewal is not None:
            self._renewal.cancel()
        try:
            await self._tower.db.write(runs_store.release, self._owner, self._tower.clock.now())
        except StorageFailure as error:
            log.warning("what was interrupted is found by its lease next time: %s", error)

    async def tick(self, project: ProjectRef, limit: int, source: Source) -> TickResult:
        """Run the jobs of a project that are due now, at most `limit`, in the order they became due."""
        if self._stopping:
            return TickResult(0, 0, 0, [], skipped_reason="stopping")
        settings = self._tower.settings.get(Operations)
        slots = min(limit, settings.scheduler_max_concurrent_jobs - self.running)
        if slots < 1:
            return TickResult(0, 0, 0, [], skipped_reason="concurrency_limit")
        look = await self._look(project, settings, slots)
        details: list[JobDetail] = []
        for job in look.due:
            if self._stopping or self.running >= settings.scheduler_max_concurrent_jobs:
                break
            detail = await self._run(project, job.id, source)
            if detail is not None:
                details.append(detail)
        ok = sum(detail.status == "ok" for detail in details)
        self._ticks += 1
        self.looked()
        result = TickResult(len(details), ok, len(details) - ok, details)
        return msgspec.structs.replace(result, skipped_reason="stopping") if self._stopping else result

    async def run_now(self, project: ProjectRef, job_type: str) -> JobDetail:
        """Run one job whether it is due or not; raise JobNotFound, JobRunning or SchedulerStopping."""
        tower = self._tower
        jobs, gone = current(tower.settings), withdrawn(tower.settings)
        await tower.db.write(store.ensure, project, jobs, tower.clock.now(), gone)
        job = await tower.db.read(store.found, project.id, job_type)
        if self._stopping:
            raise SchedulerStopping
        if job.id in self._running:
            raise JobRunning
        detail = await self._run(project, job.id, "manual")
        if detail is None:
            raise SchedulerStopping if self._stopping else JobRunning
        return detail

    async def _look(self, project: ProjectRef, settings: Operations, limit: int) -> runs_store.Look:
        tower = self._tower
        look = await tower.db.write(
            runs_store.look,
            project,
            current(tower.settings),
            Rules.of(settings, self._chance),
            now=tower.clock.now(),
            running=frozenset(self._running),
            limit=limit,
            withdrawn=withdrawn(tower.settings),
        )
        for job_type in look.given_up:
            log.warning("the last run of %s in %s died; it is tried again", job_type, project.name)
            self._publish(project, job_type, ok=False, duration_ms=0)
        return look

    async def _run(self, project: ProjectRef, job_id: str, source: Source) -> JobDetail | None:
        """Claim, run and settle one job; None when it was taken before, or interrupted."""
        self._underway += 1
        self._idle.clear()
        try:
            claim = await self._tower.db.write(
                runs_store.claim,
                project,
                job_id,
                owner=self._owner,
                source=source,
                now=self._tower.clock.now(),
                at_once=source == "manual",
            )
            return await self._claimed(project, claim) if claim is not None else None
        finally:
            self._underway -= 1
            if not self._underway:
                self._idle.set()

    async def _claimed(self, project: ProjectRef, claim: Claim) -> JobDetail | None:
        started = self._tower.clock.monotonic()
        task = asyncio.create_task(self._handle(project, claim), name=f"job {claim.job_type}")
        self._running[claim.job_id] = task
        self._keep_leases()
        if self._stopping:  # it began while the claim was being written
            task.cancel()
        try:
            outcome = await task
        except asyncio.CancelledError:
            await self._tower.db.write(runs_store.release, self._owner, self._tower.clock.now(), claim.job_id)
            asking = asyncio.current_task()
            if asking is not None and asking.cancelling():
                raise
            return None
        finally:
            del self._running[claim.job_id]
        elapsed = round((self._tower.clock.monotonic() - started) * 1_000)
        return await self._settle(project, claim, outcome, max(elapsed, 0))

    async def _handle(self, project: ProjectRef, claim: Claim) -> _Outcome:
        job = current(self._tower.settings).get(claim.job_type)
        if job is None:
            return _Outcome(details=Skipped())
        asked_as = f"job-{claim.run_id}"
        request_id.set(asked_as)
        limit = limit_of(job, self._tower.settings.get(Operations))
        try:
            async with asyncio.timeout(limit) as scope:
                return _Outcome(details=await job.handler(by_job(self._tower, asked_as, project)))
        except TowerError as error:
            log.warning("%s failed in %s: %s", job.name, project.name, error)
            return _Outcome(error=reason(error), retry_after=error.retry_after)
        except asyncio.CancelledError as error:
            interrupted = asyncio.current_task()
            if interrupted is not None and interrupted.cancelling():
                raise
            return _Outcome(error=reason(error))  # something inside gave up by itself
        except Exception as error:
            if isinstance(error, TimeoutError) and scope.expired():
                log.warning("%s took more than %g s in %s", job.name, limit, project.name)
                return _Outcome(error=f"job_timeout: it took more than {limit:g} s")
            log.error("%s broke in %s", job.name, project.name, exc_info=error)
            return _Outcome(error=reason(error))

    async def _settle(
        self, project: ProjectRef, claim: Claim, outcome: _Outcome, duration_ms: int
    ) -> JobDetail:
        tower, job, error = self._tower, JOBS.get(claim.job_type), outcome.error
        ending = runs_store.Ending(
            at=tower.clock.now(),
            duration_ms=duration_ms,
            details=as_json(outcome.details) if outcome.details is not None else "{}",
            error=error[:_LONGEST_ERROR] if error is not None else None,
            retry_after=outcome.retry_after,
            then=job.then if job is not None else (),
            again_at=outcome.details.again_at if isinstance(outcome.details, Again) else None,
        )
        rules = Rules.of(tower.settings.get(Operations), self._chance)
        settled = await tower.db.write(runs_store.settle, project, claim, ending, rules)
        if not settled.held:
            log.warning("%s in %s ended after it had been given up", claim.job_type, project.name)
        self._publish(project, claim.job_type, ok=error is None, duration_ms=duration_ms)
        self._errors += error is not None
        if error is None:
            details = outcome.details if outcome.details is not None else {}
            return JobDetail(claim.job_type, "ok", duration_ms, details=details)
        return JobDetail(
            claim.job_type, "failed", duration_ms, error=ending.error or "", dead_lettered=settled.suspended
        )

    def _publish(self, project: ProjectRef, job_type: str, *, ok: bool, duration_ms: int) -> None:
        self._tower.events.publish(
            JobCompleted(
                project_id=project.id,
                job_type=job_type,
                status="ok" if ok else "failed",
                at=self._tower.clock.text(),
                duration_ms=duration_ms,
            )
        )

    def _keep_leases(self) -> None:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew(), name="leases")

    async def _renew(self) -> None:
        while self._running:
            await asyncio.sleep(runs_store.LEASE.total_seconds() / 3)
            now, jobs = self._tower.clock.now(), tuple(self._running)
            try:
                await self._tower.db.write(runs_store.extend, self._owner, jobs, now)
            except StorageFailure as error:
                log.warning("leases were not renewed: %s", error)
