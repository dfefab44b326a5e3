"""Runs somebody asked for leave a row, whatever becomes of them."""

from __future__ import annotations

import asyncio

import pytest

from ctower_desktop.kernel import runs
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.events import JobCompleted


async def latest(call):
    return {run.job_name: run for run in await call.tower.db.read(runs.latest_runs, call.project_id)}


async def test_while_it_runs_it_is_shown_running(call, clock):
    async with runs.recorded(call, "attio_sync") as run:
        found = (await latest(call))["attio_sync"]
        assert (found.status, found.started_at, found.finished_at) == ("running", clock.text(), None)
        run.processed, run.meta["pages"] = 7, 2
        clock.advance(3)
    found = (await latest(call))["attio_sync"]
    assert (found.status, found.finished_at, found.error) == ("ok", clock.text(), None)
    assert (found.processed_count, found.meta) == (7, {"pages": 2})
    assert isinstance(found.id, str)


async def test_what_was_done_before_a_failure_is_kept(call):
    async def fails():
        async with runs.recorded(call, "attio_sync") as run:
            run.processed = 3
            raise Upstream("the vendor is down")

    with pytest.raises(Upstream):
        await fails()
    found = (await latest(call))["attio_sync"]
    assert (found.status, found.processed_count) == ("failed", 3)
    assert found.error == "upstream_failed: the vendor is down"


async def test_runs_at_the_same_time_do_not_mix(call):
    async def one(number):
        async with runs.recorded(call, f"job_{number}") as run:
            await asyncio.sleep(0)
            run.processed = number

    await asyncio.gather(*(one(number) for number in range(5)))
    assert {name: run.processed_count for name, run in (await latest(call)).items()} == {
        f"job_{number}": number for number in range(5)
    }


async def test_an_end_is_written_once(call, tower, project, clock):
    number = await tower.db.write(runs.start_run, project, "x", clock.text())
    await tower.db.write(runs.finish_run, number, clock.text(), error="lost")
    await tower.db.write(runs.finish_run, number, clock.text(), processed=5)
    found = (await latest(call))["x"]
    assert (found.status, found.error, found.processed_count) == ("failed", "lost", 0)


async def test_everybody_is_told(call, tower, project, clock):
    heard: list[JobCompleted] = []
    tower.events.subscribe(heard.append)
    async with runs.recorded(call, "x"):
        clock.advance(1.25)
    assert heard == [
        JobCompleted(project_id=project.id, job_type="x", status="ok", at=clock.text(), duration_ms=1_250)
    ]


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Upstream("down"), "upstream_failed: down"),
        (ValueError("x"), "ValueError: x"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_reasons_are_words(cause, words):
    assert runs.reason(cause) == words
