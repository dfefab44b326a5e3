"""Health, metrics, job status, the scheduler's endpoints, the stream: called as every door calls them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from ctower_desktop.kernel import runs
from ctower_desktop.kernel.endpoint import ENDPOINTS
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.events import IndexProgress, JobCompleted, SyncProgress
from ctower_desktop.kernel.tower import Asking, Caller, Desktop, Who, desktop
from ctower_desktop.operations import actions, streaming
from ctower_desktop.operations.model import JobNotFound, Operations, ProjectRequired
from ctower_desktop.operations.retention import Retention
from ctower_desktop.operations.worker import Worker


async def test_health(call):
    assert msgspec.to_builtins(await actions.read_health(call)) == {"service": "server"}


class TestMetrics:
    async def test_process_and_pool(self, call):
        answer = await actions.read_metrics(call)
        text = answer.content.decode()
        assert answer.media_type.startswith("text/plain; version=0.0.4")
        found = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert float(found["app_process_uptime_seconds"]) >= 0
        assert 1e6 < float(found["app_process_rss_bytes"]) < 1e11
        assert float(found["app_process_heap_bytes"]) > 1e6
        assert [found[f"app_db_pool_{name}"] for name in ("total", "idle", "waiting")] == [
            "2.0",
            "2.0",
            "0.0",
        ]
        assert float(found['app_database_bytes{file="ctower.db"}']) > 0

    async def test_every_run_is_counted_by_job(self, call, tower):
        await actions.read_metrics(call)
        for status, took in (("ok", 100), ("ok", 300), ("failed", 20)):
            tower.events.publish(
                JobCompleted(project_id="p", job_type="sync", status=status, at="", duration_ms=took)
            )
        text = (await actions.read_metrics(call)).content.decode()
        for line in (
            'app_job_runs_total{job_type="sync"} 3.0',
            'app_job_runs_ok{job_type="sync"} 2.0',
            'app_job_runs_failed{job_type="sync"} 1.0',
            'app_job_duration_avg_ms{job_type="sync"} 140.0',
            'app_job_duration_max_ms{job_type="sync"} 300.0',
            'app_job_duration_min_ms{job_type="sync"} 20.0',
        ):
            assert line in text

    async def test_the_worker_counts_from_its_first_run(self, declare, call, tower, project, until):
        ran = declare("sync")
        await tower.part(Worker)
        counted = 'app_job_runs_ok{job_type="sync"} 1.0'
        await until(lambda: ran and counted in tower.metrics.text().decode())


class TestScheduledJobs:
    async def test_are_there_before_the_first_tick(self, declare, call):
        declare("sync", every=900)
        (job,) = (await actions.list_scheduled_jobs(call)).jobs
        assert msgspec.to_builtins(job) == {
            "id": job.id,
            "job_type": "sync",
            "status": "active",
            "cadence_seconds": 900,
            "next_run_at": call.tower.clock.text(),
            "last_run_at": None,
            "last_status": None,
            "last_error": None,
            "payload": {},
        }

    async def test_tick_runs_and_leaves_a_trace(self, declare, call, tower):
        async def broken(_):
            raise Upstream("down")

        declare("good")
        declare("bad", broken)
        answer = await actions.tick_scheduler(call, actions.TickQuery())
        assert (answer.result.processed, answer.result.ok, answer.result.failed) == (2, 1, 1)

        def audit(db):
            return db.execute("SELECT action, status FROM audit_event ORDER BY id DESC LIMIT 1").get

        assert await tower.db.read(audit) == ("job.scheduler_tick", "partial")

    async def test_tick_takes_a_limit(self, declare, call):
        declare("a")
        declare("b")
        assert (await actions.tick_scheduler(call, actions.TickQuery(limit=1))).result.processed == 1

    def test_limits_over_the_wire_are_clamped(self):
        tick = ENDPOINTS["tower.tick_scheduler"]
        for given, limit in (("0", 1), ("abc", 10), ("99999", 100), ("7", 7)):
            assert tick.arguments({}, {"limit": given}, b"")["query"].limit == limit

    async def test_pause_resume_and_run(self, declare, call):
        ran = declare("sync")
        assert (await actions.pause_job(call, "sync")).job.status == "paused"
        assert (await actions.tick_scheduler(call, actions.TickQuery())).result.processed == 0
        assert (await actions.run_job(call, "sync")).result.status == "ok"
        assert (await actions.resume_job(call, "sync")).job.status == "active"
        assert (await actions.tick_scheduler(call, actions.TickQuery())).result.processed == 1
        assert len(ran) == 2

    @pytest.mark.parametrize("action", [actions.pause_job, actions.resume_job, actions.run_job])
    async def test_an_unknown_job(self, declare, call, action):
        declare("sync")
        with pytest.raises(JobNotFound):
            await action(call, "'; DROP TABLE scheduled_job; --")

    async def test_jobs_of_another_project_stay_as_they_are(self, declare, call, tower, second):
        declare("sync")
        other = desktop(tower, "test", second)
        await actions.list_scheduled_jobs(other)
        await actions.pause_job(call, "sync")
        (job,) = (await actions.list_scheduled_jobs(other)).jobs
        assert job.status == "active"


class TestJobsStatus:
    async def test_of_an_empty_project(self, call):
        status = msgspec.to_builtins(await actions.read_jobs_status(call))
        storage = status.pop("storage")
        assert status == {
            "jobs": [],
            "rag_counts": {"pending": 0, "processing": 0, "ready": 0, "failed": 0},
            "entities": {"contacts": 0, "conversations": 0, "messages": 0, "rag_chunks": 0},
            "watermarks": [],
        }
        assert storage["budget_bytes"] == 21_474_836_480
        assert storage["database_bytes"] > 100_000
        assert storage["usage_percent"] == round(100 * storage["database_bytes"] / storage["budget_bytes"], 2)
        assert storage["scoped_logical_bytes"] == 0
        assert set(storage["table_bytes"]) == {"cw_contacts", "cw_conversations", "cw_messages", "rag_chunks"}

    async def test_shows_the_newest_run_of_every_name(self, call, clock):
        for processed in (1, 2):
            async with runs.recorded(call, "chatwoot_sync") as run:
                run.processed = processed
                run.meta["pages"] = processed
                clock.advance(3)
        with pytest.raises(Upstream):
            async with runs.recorded(call, "attio_sync"):
                raise Upstream("x" * 5_000)
        attio, chatwoot = (await actions.read_jobs_status(call)).jobs
        assert (attio.job_name, attio.status, len(attio.error or "")) == ("attio_sync", "failed", 2_000)
        assert (chatwoot.id, chatwoot.processed_count, chatwoot.meta) == ("2", 2, {"pages": 2})
        assert chatwoot.error is None

    async def test_a_cancelled_run_is_not_left_running(self, call, until):
        async def work():
            async with runs.recorded(call, "linear_sync"):
                await asyncio.Event().wait()

        task = asyncio.create_task(work())

        async def begun():
            return (await actions.read_jobs_status(call)).jobs

        await until(begun)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (run,) = (await actions.read_jobs_status(call)).jobs
        assert (run.status, run.error) == ("failed", "CancelledError")

    async def test_counts_what_people_said_and_what_it_takes(
        self, call, tower, project, second, clock, until
    ):
        def add(db):
            for place, words in ((project, "Когда макет?"), (second, "other")):
                db.execute(
                    "INSERT INTO conversation (id, project_id, account_scope_id, account_id, conversation_id,"
                    " status, created_at) VALUES (?, ?, ?, '1', '1', 'open', ?)",
                    (f"cw:{place.id}:1:1", place.id, place.account_scope_id, clock.text()),
                )
                db.execute(
                    "INSERT INTO message (id, project_id, account_scope_id, account_id, message_id,"
                    " conversation_id, conversation_global_id, message_type, content, created_at, updated_at)"
                    " VALUES (?, ?, ?, '1', '1', '1', ?, 'incoming', ?, ?, ?)",
                    (
                        *(f"cwmsg:{place.id}:1:1", place.id, place.account_scope_id),
                        *(f"cw:{place.id}:1:1", words, clock.text(), clock.text()),
                    ),
                )

        first = await actions.read_jobs_status(call)
        await tower.db.write(add)
        status = await actions.read_jobs_status(call)
        assert (status.entities.conversations, status.entities.messages) == (1, 1), "counts are never old"
        assert status.storage == first.storage, "the walk through the pages is remembered"

        async def indexed():
            return (await actions.read_jobs_status(call)).entities.rag_chunks == 1

        await until(indexed)
        clock.advance(60)
        status = await actions.read_jobs_status(call)
        words = len("Когда макет?".encode())
        assert status.storage.scoped_logical_bytes == words + len("[]") + words, "its chunk counts too"

    async def test_the_budget_is_a_setting(self, call, tower):
        await tower.settings.change(Operations, {"storage_budget_gb": 0.001})
        storage = (await actions.read_jobs_status(call)).storage
        assert storage.budget_bytes == round(0.001 * 2**30)
        assert storage.usage_percent > 10

    async def test_watermarks_are_the_five_newest(self, call, tower, project):
        def add(db):
            for number in range(7):
                db.execute(
                    "INSERT INTO sync_watermark (project_id, account_scope_id, source, cursor_ts, meta,"
                    " updated_at) VALUES (?, ?, ?, NULL, '{\"a\": 1}', ?)",
                    (
                        *(project.id, project.account_scope_id, f"attio:{number}"),
                        f"2026-11-2{number}T00:00:00.000Z",
                    ),
                )

        await tower.db.write(add)
        found = (await actions.read_jobs_status(call)).watermarks
        assert [mark.source for mark in found] == [f"attio:{number}" for number in (6, 5, 4, 3, 2)]
        assert found[0].meta == {"a": 1}


class TestStream:
    async def test_begins_with_the_project_and_tells_what_happens_in_it(self, call, tower, project, second):
        stream = streaming.stream_events(call)
        first = await anext(stream)
        assert (first.event, first.project_id) == ("connected", project.id)
        done = JobCompleted(project_id=project.id, job_type="sync", status="ok", at="t", duration_ms=5)
        tower.events.publish(msgspec.structs.replace(done, project_id=second.id))
        tower.events.publish(done)
        tower.events.publish(
            SyncProgress(
                project_id=project.id, connector="linear", phase="issues", done=3, total=None, at="t"
            )
        )
        tower.events.publish(IndexProgress(project_id=None, done=1, total=2, at="t"))
        ended, syncing, indexing = [await anext(stream) for _ in range(3)]
        assert (ended.event, msgspec.to_builtins(ended)) == (
            "job_completed",
            {"project_id": project.id, "job_type": "sync", "status": "ok", "at": "t"},
        )
        assert (syncing.event, syncing.phase) == ("connector_sync_progress", "issues")
        assert (indexing.event, indexing.done) == ("index_progress", 1)
        await stream.aclose()
        assert tower.events._callbacks == [], "a closed stream listens no longer"

    async def test_a_tick_is_told_job_by_job(self, declare, call):
        declare("a")
        declare("b")
        stream = streaming.stream_events(call)
        await anext(stream)
        await actions.tick_scheduler(call, actions.TickQuery())
        assert [(await anext(stream)).job_type for _ in range(2)] == ["a", "b"]
        await stream.aclose()

    async def test_needs_a_project(self, tower):
        who = Who(username="pm", role="pm", kind="session")
        with pytest.raises(ProjectRequired):
            await anext(streaming.stream_events(Caller(tower, Asking(request_id="r"), who)))
        assert (ProjectRequired.code, ProjectRequired.status) == ("project_required", 400)


class TestRetention:
    async def test_old_records_go_and_the_newest_run_of_each_job_stays(
        self, declare, call, tower, project, scheduler, clock
    ):
        declare("sync", every=86_400)
        for _ in range(3):
            await scheduler.tick(project, 10, "tick")
            async with runs.recorded(call, "attio_sync"):
                clock.advance(86_400)
        clock.advance(40 * 86_400)
        report = await self._clean(call)
        assert report.deleted["worker_run"] == 2
        assert report.deleted["job_run"] == 2
        assert report.more is False
        assert [run.id for run in (await actions.read_jobs_status(call)).jobs] == ["3"]

    async def test_questions_and_searches_are_kept_as_long_as_the_settings_say(
        self, call, tower, project, clock
    ):
        def add(db):
            for days in (10, 200, 400):
                at = (clock.now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
                db.execute(
                    "INSERT INTO lightrag_query_runs (project_id, account_scope_id, query_text, top_k,"
                    " chunk_hits, source_hits, evidence, answer, quality_score, source_diversity,"
                    " created_by, created_at) VALUES (?, ?, 'q', 5, 0, 0, '[]', 'a', 0, 0, 'me', ?)",
                    (project.id, project.account_scope_id, at),
                )
                db.execute(
                    "INSERT INTO search_analytics (project_id, account_scope_id, event_type, query,"
                    " result_count, filters, created_at) VALUES (?, ?, 'search', 'q', 0, '{}', ?)",
                    (project.id, project.account_scope_id, at),
                )

        await tower.db.write(add)
        report = await self._clean(call)
        assert (report.deleted["lightrag_query_runs"], report.deleted["search_analytics"]) == (2, 1)

    async def test_deletes_in_batches_and_says_that_there_is_more(self, call, tower, clock):
        await tower.settings.change(Retention, {"analytics_retention_batch_size": 2})
        for _ in range(4):
            async with runs.recorded(call, "attio_sync"):
                clock.advance(1)
        clock.advance(40 * 86_400)
        assert (await self._clean(call)).more is True
        text = (await actions.read_metrics(call)).content.decode()
        for line in (
            "app_retention_cleanup_runs_total 1.0",
            "app_retention_cleanup_deleted_rows_total 2.0",
            "app_retention_cleanup_saturation_warnings_total 1.0",
            "app_retention_cleanup_last_deleted_rows 2.0",
        ):
            assert line in text
        assert (await self._clean(call)).deleted["job_run"] == 1

    @staticmethod
    async def _clean(call: Desktop):
        from ctower_desktop.operations.jobs import clean_up_records

        return await clean_up_records(call)
