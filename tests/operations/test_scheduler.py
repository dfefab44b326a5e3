"""The scheduler: what runs, what is noted, what becomes due, what is put back."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta

import msgspec
import pytest

from ctower_desktop.kernel import runs
from ctower_desktop.kernel.errors import TooMany, Upstream
from ctower_desktop.kernel.jobs import JOBS, Again
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.operations import runs_store, store
from ctower_desktop.operations.model import JobNotFound, JobRunning, Operations, SchedulerStopping
from ctower_desktop.operations.scheduler import Scheduler


class Counted(msgspec.Struct):
    """What a job of the test answers."""

    processed: int


async def jobs_of(tower, project):
    return {job.job_type: job for job in await tower.db.read(store.listed, project.id)}


async def worker_runs(tower):
    def read(db):
        names = ("job_type", "source", "slot", "status", "started_at", "finished_at", "details", "error")
        return [
            dict(zip(names, row, strict=True))
            for row in db.execute(f"SELECT {', '.join(names)} FROM worker_run ORDER BY id")
        ]

    return await tower.db.read(read)


async def _fails(call):
    raise Upstream("the vendor is down")


async def test_the_first_tick_creates_every_declared_job_and_runs_it(
    declare, scheduler, tower, project, clock
):
    first, then = declare("sync", then=("index",)), declare("index", every=1_200)
    result = await scheduler.tick(project, 10, "tick")
    assert [detail.job_type for detail in result.details] == ["sync", "index"], "causes come before effects"
    assert (result.processed, result.ok, result.failed) == (2, 2, 0)
    assert first == then == [project.name]
    jobs = await jobs_of(tower, project)
    assert {name: job.cadence_seconds for name, job in jobs.items()} == {"sync": 900, "index": 1_200}
    assert all(job.status == "active" and job.last_status == "ok" for job in jobs.values())
    assert from_text(jobs["sync"].next_run_at) == clock.now() + timedelta(seconds=900)


async def test_jobs_of_a_new_version_appear_and_changed_cadences_are_followed(
    declare, scheduler, tower, project, clock
):
    declare("sync", every=900)
    await scheduler.tick(project, 10, "tick")
    declare("sync", every=60)
    declare("fresh")
    await scheduler.tick(project, 10, "tick")
    jobs = await jobs_of(tower, project)
    assert jobs["fresh"].last_status == "ok"
    assert jobs["sync"].cadence_seconds == 60
    assert from_text(jobs["sync"].next_run_at) == clock.now() + timedelta(seconds=60)


async def test_what_a_job_answers_is_kept_with_its_run(declare, scheduler, tower, project, clock):
    async def answers(call):
        clock.advance(1.5)
        return Counted(processed=6)

    declare("index", answers)
    result = await scheduler.tick(project, 10, "tick")
    assert msgspec.json.decode(msgspec.json.encode(result)) == {
        "processed": 1,
        "ok": 1,
        "failed": 0,
        "details": [{"job_type": "index", "status": "ok", "duration_ms": 1_500, "details": {"processed": 6}}],
    }
    (run,) = await worker_runs(tower)
    assert (run["status"], run["source"]) == ("ok", "tick")
    assert json.loads(run["details"]) == {"processed": 6}
    assert from_text(run["finished_at"]) - from_text(run["started_at"]) == timedelta(seconds=1.5)


async def test_nothing_runs_before_it_is_due(declare, scheduler, project, clock):
    ran = declare("sync", every=900)
    await scheduler.tick(project, 10, "tick")
    clock.advance(899)
    assert (await scheduler.tick(project, 10, "tick")).processed == 0
    clock.advance(1)
    assert (await scheduler.tick(project, 10, "tick")).processed == 1
    assert len(ran) == 2


async def test_the_limit_leaves_the_rest_for_the_next_tick(declare, scheduler, project):
    ran = [declare(name) for name in ("a", "b", "c")]
    assert (await scheduler.tick(project, 2, "tick")).processed == 2
    assert (await scheduler.tick(project, 2, "tick")).processed == 1
    assert [len(found) for found in ran] == [1, 1, 1]


async def test_a_failure_is_told_and_tried_again_after_a_while(declare, scheduler, tower, project, clock):
    ran = declare("sync", _fails)
    result = await scheduler.tick(project, 10, "tick")
    (detail,) = result.details
    assert (result.ok, result.failed, detail.dead_lettered) == (0, 1, False)
    assert detail.error == "upstream_failed: the vendor is down"
    job = (await jobs_of(tower, project))["sync"]
    assert (job.status, job.last_status, job.payload.consecutive_failures) == ("active", "failed", 1)
    wait = (from_text(job.next_run_at) - clock.now()).total_seconds()
    assert 25.4 <= wait <= 34.6
    clock.advance(wait - 0.01)
    assert (await scheduler.tick(project, 10, "tick")).processed == 0
    clock.advance(0.02)
    assert (await scheduler.tick(project, 10, "tick")).processed == 1
    assert len(ran) == 2


async def test_a_retry_after_is_honoured(declare, scheduler, tower, project, clock):
    async def limited(call):
        raise TooMany(retry_after=77)

    declare("sync", limited)
    await scheduler.tick(project, 10, "tick")
    job = (await jobs_of(tower, project))["sync"]
    assert from_text(job.next_run_at) - clock.now() == timedelta(seconds=77)


async def test_ten_failures_in_a_row_suspend_a_job_until_it_is_resumed(
    declare, scheduler, tower, project, clock
):
    ran = declare("sync", _fails)
    for turn in range(1, 11):
        (detail,) = (await scheduler.tick(project, 10, "tick")).details
        assert detail.dead_lettered is (turn == 10)
        clock.advance(3_600)
    job = (await jobs_of(tower, project))["sync"]
    assert (job.status, job.payload.consecutive_failures) == ("suspended", 10)
    clock.advance(30 * 86_400)
    assert (await scheduler.tick(project, 10, "tick")).processed == 0
    assert len(ran) == 10
    resumed = await tower.db.write(store.resume, project, JOBS, "sync", clock.now())
    assert (resumed.status, resumed.payload.consecutive_failures) == ("active", 0)
    assert (await scheduler.tick(project, 10, "tick")).failed == 1
    assert (await jobs_of(tower, project))["sync"].status == "active"


async def test_a_success_clears_the_failures(declare, scheduler, tower, project, clock):
    answers = iter([_fails, _fails])

    async def at_last(call):
        broken = next(answers, None)
        if broken is not None:
            await broken(call)

    declare("sync", at_last)
    for _ in range(3):
        await scheduler.tick(project, 10, "tick")
        clock.advance(3_600)
    job = (await jobs_of(tower, project))["sync"]
    assert (job.last_status, job.last_error, job.payload.consecutive_failures) == ("ok", None, 0)


@pytest.mark.logs_errors
async def test_a_bug_in_one_job_does_not_stop_the_others(declare, scheduler, project, caplog):
    async def broken(call):
        raise ZeroDivisionError("by nothing")

    declare("a", broken)
    after = declare("b")
    result = await scheduler.tick(project, 10, "tick")
    assert (result.ok, result.failed) == (1, 1)
    assert result.details[0].error == "ZeroDivisionError: by nothing"
    assert after == [project.name]
    assert any(record.exc_info for record in caplog.records), "the log holds the traceback"


async def test_a_job_that_gives_up_by_itself_has_failed(declare, scheduler, project):
    async def gives_up(call):
        raise asyncio.CancelledError

    declare("sync", gives_up)
    assert (await scheduler.tick(project, 10, "tick")).failed == 1


async def test_a_job_that_takes_too_long_is_ended(declare, scheduler, tower, project):
    await tower.settings.change(Operations, {"job_timeouts_ms": {"sync": 20}})
    ended = asyncio.Event()

    async def endless(call):
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    declare("sync", endless)
    (detail,) = (await scheduler.tick(project, 10, "tick")).details
    assert detail.error == "job_timeout: it took more than 0.02 s"
    assert ended.is_set()


async def test_a_job_nobody_handles_any_more_is_skipped(declare, scheduler, tower, project, monkeypatch):
    declare("old")
    await tower.db.write(store.ensure, project, JOBS, tower.clock.now())
    monkeypatch.delitem(JOBS, "old")
    (detail,) = (await scheduler.tick(project, 10, "tick")).details
    assert msgspec.to_builtins(detail.details) == {"status": "ok", "skipped": True, "reason": "no_handler"}


class TestCascades:
    async def test_success_makes_what_follows_due_in_the_next_tick(
        self, declare, scheduler, tower, project, clock
    ):
        declare("connectors_sync_cycle", every=900, then=("embeddings_run", "signals_extraction"))
        index = declare("embeddings_run", every=86_400)
        await scheduler.tick(project, 10, "tick")
        clock.advance(900)
        result = await scheduler.tick(project, 10, "tick")
        assert [detail.job_type for detail in result.details] == ["connectors_sync_cycle"]
        job = (await jobs_of(tower, project))["embeddings_run"]
        assert from_text(job.next_run_at) == clock.now()
        assert job.payload.cascade_triggered_by is not None
        assert job.payload.cascade_triggered_by.job_type == "connectors_sync_cycle"
        assert job.payload.cascade_triggered_by.at == clock.text()
        result = await scheduler.tick(project, 10, "tick")
        assert [detail.job_type for detail in result.details] == ["embeddings_run"]
        assert len(index) == 2

    async def test_failure_makes_nothing_due(self, declare, scheduler, tower, project, clock):
        declare("index", every=86_400)
        await scheduler.tick(project, 10, "tick")
        declare("sync", _fails, then=("index",))
        await scheduler.tick(project, 10, "tick")
        assert from_text((await jobs_of(tower, project))["index"].next_run_at) > clock.now()

    async def test_a_paused_job_is_left_alone(self, declare, scheduler, tower, project, clock):
        declare("sync", every=60, then=("index",))
        index = declare("index", every=86_400)
        await scheduler.tick(project, 10, "tick")
        paused = await tower.db.write(store.pause, project, JOBS, "index", clock.now())
        clock.advance(60)
        await scheduler.tick(project, 10, "tick")
        assert (await scheduler.tick(project, 10, "tick")).processed == 0
        assert len(index) == 1
        assert (await jobs_of(tower, project))["index"] == paused

    async def test_another_project_is_left_alone(self, declare, scheduler, tower, project, second, clock):
        declare("sync", every=60, then=("index",))
        declare("index", every=86_400)
        for each in (project, second):
            await scheduler.tick(each, 10, "tick")
        clock.advance(60)
        await scheduler.tick(project, 10, "tick")
        assert from_text((await jobs_of(tower, second))["index"].next_run_at) > clock.now()


async def test_every_run_is_told_however_it_was_started(
    declare, scheduler, tower, project, call, completed, clock
):
    declare("good")
    declare("bad", _fails)
    await scheduler.tick(project, 10, "tick")
    await scheduler.run_now(project, "good")
    async with runs.recorded(call, "embeddings_run") as run:
        clock.advance(2)
        run.processed = 6
    with pytest.raises(Upstream):
        async with runs.recorded(call, "attio_sync"):
            raise Upstream("down")
    assert [(event.job_type, event.status) for event in completed] == [
        ("good", "ok"),
        ("bad", "failed"),
        ("good", "ok"),
        ("embeddings_run", "ok"),
        ("attio_sync", "failed"),
    ]
    assert {event.project_id for event in completed} == {project.id}
    assert completed[3].duration_ms == 2_000


class TestOneAtATime:
    async def test_two_ticks_never_run_the_same_job(self, declare, scheduler, project, until):
        go = asyncio.Event()

        async def waits(call):
            await go.wait()

        ran = declare("sync", waits)
        first = asyncio.create_task(scheduler.tick(project, 10, "worker"))
        await until(lambda: ran)
        assert (await scheduler.tick(project, 10, "tick")).processed == 0
        with pytest.raises(JobRunning):
            await scheduler.run_now(project, "sync")
        go.set()
        assert (await first).ok == 1
        assert len(ran) == 1

    async def test_no_more_than_the_settings_allow(self, declare, scheduler, tower, project, second, until):
        await tower.settings.change(Operations, {"scheduler_max_concurrent_jobs": 1})
        go = asyncio.Event()

        async def waits(call):
            await go.wait()

        ran = declare("sync", waits)
        first = asyncio.create_task(scheduler.tick(project, 10, "worker"))
        await until(lambda: ran)
        result = await scheduler.tick(second, 10, "worker")
        assert (result.processed, result.skipped_reason) == (0, "concurrency_limit")
        go.set()
        await first
        assert (await scheduler.tick(second, 10, "worker")).processed == 1


class TestByHand:
    async def test_run_now_runs_what_is_not_due(self, declare, scheduler, tower, project):
        ran = declare("sync")
        await scheduler.tick(project, 10, "tick")
        detail = await scheduler.run_now(project, "sync")
        assert (detail.status, len(ran)) == ("ok", 2)
        assert [run["source"] for run in await worker_runs(tower)] == ["tick", "manual"]

    async def test_an_unknown_job_is_not_found(self, declare, scheduler, project):
        declare("sync")
        with pytest.raises(JobNotFound):
            await scheduler.run_now(project, "nothing")

    async def test_a_paused_job_stays_paused_after_a_run_by_hand(
        self, declare, scheduler, tower, project, clock
    ):
        ran = declare("sync")
        await tower.db.write(store.pause, project, JOBS, "sync", clock.now())
        assert (await scheduler.tick(project, 10, "tick")).processed == 0
        await scheduler.run_now(project, "sync")
        assert (await jobs_of(tower, project))["sync"].status == "paused"
        assert len(ran) == 1

    async def test_a_suspended_job_is_revived_by_a_good_run(self, declare, scheduler, tower, project):
        await tower.settings.change(Operations, {"job_max_retries": 1})
        declare("sync", _fails)
        await scheduler.tick(project, 10, "tick")
        assert (await jobs_of(tower, project))["sync"].status == "suspended"
        declare("sync")
        await scheduler.run_now(project, "sync")
        assert (await jobs_of(tower, project))["sync"].status == "active"

    async def test_a_job_paused_while_it_waits_for_its_turn_is_not_run(
        self, declare, scheduler, tower, project, clock
    ):
        async def pauses_the_next(call):
            await tower.db.write(store.pause, project, JOBS, "b", clock.now())

        declare("a", pauses_the_next)
        ran = declare("b")
        assert (await scheduler.tick(project, 10, "tick")).processed == 1
        assert ran == []

    async def test_pausing_a_running_job_lets_it_end(self, declare, scheduler, tower, project, clock, until):
        go = asyncio.Event()

        async def waits(call):
            await go.wait()

        ran = declare("sync", waits)
        running = asyncio.create_task(scheduler.tick(project, 10, "worker"))
        await until(lambda: ran)
        assert (await tower.db.write(store.pause, project, JOBS, "sync", clock.now())).status == "running"
        go.set()
        assert (await running).ok == 1
        assert (await jobs_of(tower, project))["sync"].status == "paused"


class TestStopping:
    async def test_what_runs_is_interrupted_and_stays_due(
        self, declare, scheduler, tower, project, clock, until
    ):
        async def endless(call):
            await asyncio.Event().wait()

        ran, never = declare("a", endless), declare("b")
        running = asyncio.create_task(scheduler.tick(project, 10, "worker"))
        await until(lambda: ran)
        before = (await jobs_of(tower, project))["a"]
        await scheduler.stop()
        result = await running
        assert (result.processed, result.skipped_reason) == (0, "stopping")
        assert never == [], "nothing new is started"
        job = (await jobs_of(tower, project))["a"]
        assert (job.status, job.next_run_at, job.last_status) == ("active", before.next_run_at, None)
        assert job.payload.consecutive_failures == 0, "stopping is no failure"
        assert [run["status"] for run in await worker_runs(tower)] == ["stopped"]
        with pytest.raises(SchedulerStopping):
            await scheduler.run_now(project, "a")
        again = Scheduler(tower, scheduler._chance)
        declare("a")
        assert (await again.tick(project, 1, "worker")).processed == 1

    async def test_a_job_that_was_just_being_claimed_does_not_begin_in_earnest(
        self, declare, scheduler, tower, project, monkeypatch, caplog
    ):
        begun, go, claim = threading.Event(), threading.Event(), runs_store.claim

        def slowly(*args, **kwargs):
            begun.set()
            assert go.wait(5)
            return claim(*args, **kwargs)

        async def endless(call):
            await asyncio.Event().wait()

        declare("a", endless)
        monkeypatch.setattr(runs_store, "claim", slowly)
        running = asyncio.create_task(scheduler.tick(project, 10, "worker"))
        await asyncio.to_thread(begun.wait, 5)
        stopping = asyncio.create_task(scheduler.stop())
        await asyncio.sleep(0)
        go.set()
        await stopping
        async with asyncio.timeout(5):
            assert (await running).processed == 0
        assert "do not let go" not in caplog.text
        assert (await jobs_of(tower, project))["a"].status == "active"

    async def test_a_caller_that_goes_away_takes_the_job_with_it(
        self, declare, scheduler, tower, project, until
    ):
        async def endless(call):
            await asyncio.Event().wait()

        ran = declare("a", endless)
        running = asyncio.create_task(scheduler.tick(project, 10, "tick"))
        await until(lambda: ran)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await jobs_of(tower, project))["a"].status == "active"
        assert scheduler.running == 0

    async def test_a_job_that_does_not_let_go_is_left_behind(
        self, declare, scheduler, tower, project, monkeypatch, caplog, until
    ):
        monkeypatch.setattr("ctower_desktop.operations.scheduler._STOP_WITHIN", 0.05)
        go = asyncio.Event()

        async def stubborn(call):
            while not go.is_set():
                try:
                    await go.wait()
                except asyncio.CancelledError:
                    continue

        ran = declare("a", stubborn)
        running = asyncio.create_task(scheduler.tick(project, 10, "worker"))
        await until(lambda: ran)
        await scheduler.stop()
        assert "do not let go" in caplog.text
        assert (await jobs_of(tower, project))["a"].status == "active"
        go.set()
        await running


class TestLeases:
    async def test_a_run_whose_process_died_is_tried_again_after_its_lease(
        self, declare, scheduler, tower, project, clock, completed
    ):
        ran = declare("sync")
        await self._abandoned(tower, project)
        clock.advance(59)
        assert (await scheduler.tick(project, 10, "worker")).processed == 0
        clock.advance(2)
        assert (await scheduler.tick(project, 10, "worker")).processed == 0
        job = (await jobs_of(tower, project))["sync"]
        assert (job.status, job.last_status) == ("active", "failed")
        assert (job.last_error or "").startswith("dead_job_auto_cleanup")
        assert job.payload.dead_job_cleaned_at == clock.text()
        assert from_text(job.next_run_at) == clock.now() + timedelta(seconds=30)
        assert [event.status for event in completed] == ["failed"]
        assert [run["status"] for run in await worker_runs(tower)] == ["failed"]
        clock.advance(30)
        assert (await scheduler.tick(project, 10, "worker")).ok == 1
        assert len(ran) == 1

    async def test_a_lease_given_before_the_clock_was_set_back_does_not_hold_for_ever(
        self, declare, scheduler, tower, project, clock
    ):
        declare("sync")
        await self._abandoned(tower, project)
        clock.set(clock.now() - timedelta(hours=6))
        await scheduler.tick(project, 10, "worker")
        assert (await jobs_of(tower, project))["sync"].status == "active"

    async def test_a_run_that_goes_on_through_a_suspend_is_not_given_up(
        self, declare, scheduler, tower, project, clock, until
    ):
        go = asyncio.Event()

        async def waits(call):
            await go.wait()

        ran = declare("sync", waits)
        running = asyncio.create_task(scheduler.tick(project, 10, "worker"))
        await until(lambda: ran)
        clock.set(clock.now() + timedelta(hours=8))
        assert (await scheduler.tick(project, 10, "worker")).processed == 0
        go.set()
        assert (await running).ok == 1
        assert len(ran) == 1
        assert (await jobs_of(tower, project))["sync"].last_status == "ok"
        assert [run["status"] for run in await worker_runs(tower)] == ["ok"]

    async def test_a_job_that_kills_its_process_is_suspended_in_the_end(
        self, declare, scheduler, tower, project, clock
    ):
        await tower.settings.change(Operations, {"job_max_retries": 2})
        declare("sync")
        for _ in range(2):
            await self._abandoned(tower, project)
            clock.advance(3_600)
            await scheduler.tick(project, 10, "worker")
            clock.advance(30)
        assert (await jobs_of(tower, project))["sync"].status == "suspended"

    async def test_a_run_that_lost_its_lease_does_not_touch_the_plan(
        self, declare, scheduler, tower, project, clock, caplog, until
    ):
        other = Scheduler(tower, scheduler._chance)
        go = asyncio.Event()

        async def waits(call):
            await go.wait()

        ran = declare("sync", waits)
        running = asyncio.create_task(scheduler.tick(project, 10, "worker"))
        await until(lambda: ran)
        clock.advance(61)
        await other.tick(project, 10, "worker")
        given_up = (await jobs_of(tower, project))["sync"]
        go.set()
        await running
        assert (await jobs_of(tower, project))["sync"] == given_up
        assert "had been given up" in caplog.text

    async def test_requested_runs_that_died_do_not_run_for_ever(
        self, declare, scheduler, tower, project, clock
    ):
        declare("sync")
        await tower.db.write(runs.start_run, project, "attio_sync", clock.text())
        clock.advance(31 * 60)
        await scheduler.tick(project, 10, "worker")
        (run,) = await tower.db.read(runs.latest_runs, project.id)
        assert run.status == "failed"

    @staticmethod
    async def _abandoned(tower, project):
        """As a killed process leaves it."""
        await tower.db.write(store.ensure, project, JOBS, tower.clock.now())

        def claim(db):
            now = tower.clock.now()
            db.execute(
                "UPDATE scheduled_job SET status = 'running', lease_owner = 'gone', started_at = ?,"
                " lease_until = ?",
                (as_text(now), as_text(now + timedelta(seconds=60))),
            )
            db.execute(
                "INSERT INTO worker_run (project_id, account_scope_id, scheduled_job_id, job_type, source,"
                " slot, status, started_at) SELECT project_id, account_scope_id, id, job_type, 'worker',"
                " next_run_at, 'running', started_at FROM scheduled_job"
            )

        await tower.db.write(claim)


class TestClock:
    async def test_runs_missed_while_the_program_was_off_collapse_into_one(
        self, declare, scheduler, project, clock
    ):
        ran = declare("sync", every=900)
        await scheduler.tick(project, 10, "worker")
        clock.set(clock.now() + timedelta(days=9))
        assert (await scheduler.tick(project, 10, "worker")).processed == 1
        assert (await scheduler.tick(project, 10, "worker")).processed == 0
        assert len(ran) == 2

    async def test_a_clock_set_back_repeats_nothing_and_postpones_by_a_cadence_at_most(
        self, declare, scheduler, project, clock
    ):
        ran = declare("sync", every=900)
        await scheduler.tick(project, 10, "worker")
        clock.set(clock.now() - timedelta(hours=5))
        assert (await scheduler.tick(project, 10, "worker")).processed == 0
        clock.advance(899)
        assert (await scheduler.tick(project, 10, "worker")).processed == 0
        clock.advance(1)
        assert (await scheduler.tick(project, 10, "worker")).processed == 1
        assert len(ran) == 2


@pytest.mark.parametrize(("wish", "expected"), [(90, 90), (5_000, 900), (-30, 0)])
async def test_a_job_may_ask_to_run_sooner_than_its_cadence(
    declare, scheduler, tower, project, clock, wish, expected
):
    async def answers(call):
        return Again(again_at=as_text(clock.now() + timedelta(seconds=wish)))

    declare("reports", answers)
    await scheduler.tick(project, 10, "tick")
    planned = (await jobs_of(tower, project))["reports"].next_run_at
    assert from_text(planned) == clock.now() + timedelta(seconds=expected)
