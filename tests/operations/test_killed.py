"""kill -9 in the middle of a job, in a real process: the lease runs out, and the job runs again."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from ctower_desktop.kernel.system import from_text
from ctower_desktop.operations import store

CHILD = """
import asyncio, sys
from pathlib import Path
from ctower_desktop import app
from ctower_desktop.kernel.jobs import JOBS, Job
from ctower_desktop.kernel.system import Home
from ctower_desktop.operations.worker import Worker

async def endless(call):
    print("running", flush=True)
    await asyncio.Event().wait()

async def main():
    JOBS.clear()
    JOBS["sync"] = Job("sync", 900, (), 600, endless)
    tower = await app.open_tower(Home(Path(sys.argv[1])), environment={}, secrets="file")
    await tower.part(Worker)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_job_survives_the_death_of_its_process(declare, scheduler, tower, project, home, clock):
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(home.path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        async with asyncio.timeout(30):
            assert await child.stdout.readline() == b"running\n"
    finally:
        child.kill()
        await child.wait()
    ran = declare("sync")
    clock.set(datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1))
    (job,) = await tower.db.read(store.listed, project.id)
    assert job.status == "running", "the dead process could not put it back"
    assert (await scheduler.tick(project, 10, "worker")).processed == 0
    clock.advance(61)
    await scheduler.tick(project, 10, "worker")
    (job,) = await tower.db.read(store.listed, project.id)
    assert (job.status, job.last_status, job.payload.consecutive_failures) == ("active", "failed", 1)
    assert from_text(job.next_run_at) - clock.now() == timedelta(seconds=30)
    clock.advance(30)
    assert (await scheduler.tick(project, 10, "worker")).ok == 1
    assert ran == [project.name]
    (job,) = await tower.db.read(store.listed, project.id)
    assert (job.last_status, job.payload.consecutive_failures) == ("ok", 0)
