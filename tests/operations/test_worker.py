"""The background worker: every project, through sleep, changed clocks, trouble and a stop."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from ctower_desktop.kernel.errors import StorageFull
from ctower_desktop.kernel.jobs import JOBS
from ctower_desktop.kernel.system import from_text
from ctower_desktop.operations import runs_store, store
from ctower_desktop.operations.scheduler import Scheduler
from ctower_desktop.operations.worker import Worker


@pytest.fixture
async def worker(tower, scheduler):
    found = Worker(tower, scheduler, random.Random(7))
    yield found
    await found.stop()


async def test_looks_at_every_project_and_then_waits(declare, worker, project, second, clock):
    ran = declare("sync", every=30)
    assert await worker.look() == 2
    await worker.finish()
    assert sorted(ran) == sorted([project.name, second.name])
    assert await worker.look() == 0, "not yet"
    clock.advance(29)
    assert await worker.look() == 0
    clock.advance(1)
    assert await worker.look() == 2, "a job is due before the minute is over"
    await worker.finish()
    assert len(ran) == 4


async def test_looks_at_least_once_a_minute(declare, worker, project, clock):
    declare("sync", every=86_400)
    await worker.look()
    await worker.finish()
    await worker.look()
    clock.advance(59)
    assert await worker.look() == 0
    clock.advance(1)
    assert await worker.look() == 1
    await worker.finish()


async def test_a_cascade_does_not_wait_for_the_minute(declare, worker, project, clock):
    index = declare("index", every=86_400)
    declare("sync", every=900, then=("index",))
    await worker.look()
    await worker.finish()
    clock.advance(900)
    await worker.look()
    await worker.finish()
    clock.advance(5)
    await worker.look()
    await worker.finish()
    assert len(index) == 2


async def test_a_project_in_trouble_holds_up_no_other(declare, worker, project, second, until, clock):
    go = asyncio.Event()

    async def hangs_in_one(call):
        if call.project_id == second.id:
            await go.wait()

    ran = declare("sync", hangs_in_one)
    after = declare("after")
    await worker.look()
    await until(lambda: project.name in after)
    assert sorted(ran) == sorted([project.name, second.name])
    assert second.name not in after
    clock.advance(60)
    assert await worker.look() == 1, "the busy one is left to itself"
    go.set()
    await worker.finish()
    assert sorted(after) == sorted([project.name, second.name])


@pytest.mark.logs_errors
async def test_a_bug_in_the_scheduling_of_one_project_holds_up_no_other(
    declare, tower, worker, project, second, monkeypatch
):
    ran = declare("sync")
    tick = Scheduler.tick

    async def broken(self, asked, limit, source):
        if asked.id == second.id:
            raise LookupError("a bug")
        return await tick(self, asked, limit, source)

    monkeypatch.setattr(Scheduler, "tick", broken)
    await worker.look()
    await worker.finish()
    assert ran == [project.name]


@pytest.mark.logs_errors
async def test_a_bug_in_looking_does_not_end_all_scheduling(
    declare, worker, project, monkeypatch, clock, caplog
):
    ran = declare("sync")

    def broken(db):
        raise LookupError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(store, "projects", broken)
        assert await worker.look() == 0
    assert "the scheduler stumbled" in caplog.text
    clock.advance(60)
    assert await worker.look() == 1
    await worker.finish()
    assert ran == [project.name]


async def test_a_full_disk_is_waited_for(declare, tower, worker, project, monkeypatch, caplog, clock):
    ran = declare("sync")
    write = tower.db.write

    async def full(fn, *args, **kwargs):
        raise StorageFull

    monkeypatch.setattr(tower.db, "write", full)
    await worker.look()
    await worker.finish()
    assert "wait for the database" in caplog.text
    assert ran == []
    monkeypatch.setattr(tower.db, "write", write)
    clock.advance(60)
    await worker.look()
    await worker.finish()
    assert ran == [project.name]


class TestSleepAndClock:
    async def test_after_a_suspend_missed_runs_collapse_into_one_within_half_a_minute(
        self, declare, worker, project, clock, tower
    ):
        """The counter stands still while the computer sleeps; only the wall clock tells."""
        ran = declare("sync", every=900)
        await worker.look()
        await worker.finish()
        clock.set(clock.now() + timedelta(hours=8))
        await worker.look()
        await worker.finish()
        assert len(ran) == 1, "it is given a moment of its own, not run in the first second"
        (job,) = await tower.db.read(store.listed, project.id)
        assert timedelta() <= from_text(job.next_run_at) - clock.now() <= timedelta(seconds=30)
        for _ in range(12):
            clock.advance(5)
            await worker.look()
            await worker.finish()
        assert len(ran) == 2, "32 runs were missed; one is made up for"

    async def test_a_clock_set_back_runs_nothing_again_and_forgets_nothing(
        self, declare, worker, project, clock
    ):
        ran = declare("sync", every=900)
        await worker.look()
        await worker.finish()
        clock.set(clock.now() - timedelta(hours=3))
        assert await worker.look() == 1, "the plan is looked through at once"
        await worker.finish()
        assert len(ran) == 1
        for _ in range(15):
            clock.advance(60)
            await worker.look()
            await worker.finish()
        assert len(ran) == 2

    async def test_a_clock_set_forward_by_a_year_collapses_too(self, declare, worker, project, clock):
        ran = declare("sync", every=900)
        await worker.look()
        await worker.finish()
        clock.set(clock.now() + timedelta(days=365))
        for _ in range(12):
            await worker.look()
            await worker.finish()
            clock.advance(5)
        assert len(ran) == 2


async def test_works_by_itself_and_stops_at_once(declare, tower, project):
    begun = asyncio.Event()

    async def endless(call):
        begun.set()
        await asyncio.Event().wait()

    declare("sync", endless)
    await tower.part(Worker)
    async with asyncio.timeout(5):
        await begun.wait()
    async with asyncio.timeout(2):
        await tower.stop_parts()
    (job,) = await tower.db.read(store.listed, project.id)
    assert (job.status, job.last_status) == ("active", None)


async def test_what_is_resumed_does_not_wait_for_the_minute(declare, tower, worker, project, clock):
    ran = declare("sync", every=86_400)
    await tower.db.write(store.pause, project, JOBS, "sync", clock.now())
    await worker.look()
    await worker.finish()
    assert ran == []
    await tower.db.write(store.resume, project, JOBS, "sync", clock.now())
    clock.advance(5)
    assert await worker.look() == 1
    await worker.finish()
    assert ran == [project.name]


async def test_leases_are_renewed_while_a_job_runs(
    declare, scheduler, tower, project, clock, monkeypatch, until
):
    monkeypatch.setattr(runs_store, "LEASE", timedelta(seconds=0.03))
    go = asyncio.Event()

    async def waits(call):
        await go.wait()

    ran = declare("sync", waits)
    running = asyncio.create_task(scheduler.tick(project, 10, "worker"))
    await until(lambda: ran)

    def lease(db):
        return db.execute("SELECT lease_until FROM scheduled_job").get

    first = await tower.db.read(lease)
    clock.advance(3_600)

    async def renewed():
        return await tower.db.read(lease) != first

    await until(renewed)
    assert from_text(await tower.db.read(lease)) > clock.now()
    go.set()
    assert (await running).ok == 1


async def test_declared_jobs_are_created_for_a_project_that_only_looks(declare, tower, project, clock):
    declare("sync")
    await tower.db.write(store.ensure, project, JOBS, clock.now())
    await tower.db.write(store.ensure, project, JOBS, clock.now())
    assert [job.job_type for job in await tower.db.read(store.listed, project.id)] == ["sync"]
