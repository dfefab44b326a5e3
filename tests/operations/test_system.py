"""What an owner sees of the tower: health, jobs, synchronisations, dead jobs, log lines (§4.2, §4.4)."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import msgspec
import pytest

from ctower_desktop.kernel import log as tower_log
from ctower_desktop.kernel.errors import StorageBusy, Upstream
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.operations import actions, figures_store, scheduling, system
from ctower_desktop.operations.jobs import clean_up_records
from ctower_desktop.operations.model import DeadJobNotFound, Operations
from ctower_desktop.operations.retention import Retention
from ctower_desktop.operations.scheduler import Scheduler
from ctower_desktop.operations.scheduling import History
from ctower_desktop.operations.system_model import Hours, LogsQuery
from ctower_desktop.operations.worker import Worker


async def fail(_):
    raise Upstream("vendor down")


class TestHealth:
    async def test_every_service_is_named(self, declare, call, tower):
        health = await system.read_system_health(call)
        found = {service.name: service for service in health.services}
        assert list(found) == [
            *("api", "database", "search_index", "cache", "worker", "embeddings"),
            *("chatwoot", "linear", "attio"),
        ]
        assert (found["database"].status, found["chatwoot"].status) == ("ok", "not_configured")
        assert found["worker"].status == "down", "nobody started it here"
        assert health.status == "degraded"
        assert health.resources.budget_bytes == 20 * 2**30
        assert health.resources.database_bytes > 0
        assert health.resources.rss_bytes is None or health.resources.rss_bytes > 1e6
        assert health.scheduler.status == "not_started"

    async def test_the_worker_makes_it_well_and_its_silence_ill(self, declare, call, tower, clock, until):
        declare("sync")
        worker = await tower.part(Worker)
        scheduler = await tower.part(Scheduler)
        await until(lambda: scheduler.late() is not None)
        await worker.finish()
        health = await system.read_system_health(call)
        assert (health.status, health.scheduler.status) == ("ok", "healthy")
        clock.counter += 301
        assert (await system.read_system_health(call)).scheduler.status == "degraded"

    async def test_without_its_database_the_tower_is_down(self, declare, call, tower, monkeypatch):
        real, asked = tower.db.read, []

        async def read(fn, *args, **kwargs):
            if fn is figures_store.answer:
                asked.append(fn)
                raise StorageBusy
            return await real(fn, *args, **kwargs)

        monkeypatch.setattr(tower.db, "read", read)
        health = await system.read_system_health(call)
        assert asked
        assert health.status == "down"
        assert next(s for s in health.services if s.name == "database").detail == str(StorageBusy())

    async def test_needs_no_project(self, declare, tower):
        health = await system.read_system_health(desktop(tower, "r"))
        assert len(health.services) == 9


class TestHistory:
    async def ran(self, tower, project, job_id: str, *runs: tuple[str, int, float]) -> None:
        """Runs of a job: status, milliseconds, days ago."""

        def add(db):
            for status, took, days in runs:
                at = (tower.clock.now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
                db.execute(
                    "INSERT INTO worker_run (project_id, account_scope_id, scheduled_job_id, job_type,"
                    " source, slot, status, started_at, finished_at, duration_ms)"
                    " VALUES (?, ?, ?, 'sync', 'worker', 's', ?, ?, ?, ?)",
                    (project.id, project.account_scope_id, job_id, status, at, at, took),
                )

        await tower.db.write(add)

    @pytest.fixture
    async def job(self, declare, call):
        declare("sync")
        return (await actions.list_scheduled_jobs(call)).jobs[0]

    async def test_counts_durations_and_histogram(self, call, tower, project, job):
        runs = (("ok", 40, 9), ("ok", 100, 3), ("failed", 700, 2), ("ok", 400_000, 1))
        await self.ran(tower, project, job.id, *runs)
        metrics = await scheduling.read_scheduler_metrics(call, History())
        assert msgspec.to_builtins(metrics.jobs["sync"]) == {
            **{"count": 3, "ok": 2, "failed": 1, "avg_ms": 133_600.0, "max_ms": 400_000, "min_ms": 100},
            **{"last_duration_ms": 400_000, "last_status": "ok", "last_at": "2026-11-19T10:00:00.000Z"},
        }
        buckets = {bucket.le_ms: bucket.count for bucket in metrics.histogram["sync"]}
        assert (buckets[50], buckets[100], buckets[500], buckets[1_000]) == (0, 1, 1, 2)
        assert (buckets[300_000], buckets[None]) == (2, 3)
        all_of_them = await scheduling.read_scheduler_metrics(call, History(days=30))
        assert all_of_them.jobs["sync"].count == 4
        health = await scheduling.read_scheduler_health(call)
        assert health.jobs == metrics.jobs

    async def test_jobs_with_their_newest_runs(self, call, tower, project, job):
        await self.ran(tower, project, job.id, *(("ok", number, 1) for number in range(1, 26)))
        (found,) = (await system.read_system_jobs(call, History())).jobs
        assert (found.job_type, found.runs_total, found.ok, found.failed) == ("sync", 25, 25, 0)
        assert (found.avg_ms, found.max_ms) == (13.0, 25)
        assert [point.duration_ms for point in found.sparkline] == list(range(6, 26))

    async def test_a_job_that_never_ran(self, call, job):
        (found,) = (await system.read_system_jobs(call, History())).jobs
        assert (found.runs_total, found.avg_ms, found.sparkline) == (0, None, [])
        assert (await scheduling.read_scheduler_metrics(call, History())).jobs == {}

    async def test_other_projects_do_not_show(self, call, tower, second, job):
        await self.ran(tower, second, job.id, ("ok", 10, 1))
        assert (await scheduling.read_scheduler_metrics(call, History())).jobs == {}

    async def test_synchronisations(self, call, tower, project):
        def add(db):
            for minute, kind in ((0, "started"), (2, "finished"), (5, "started"), (6, "failed")):
                db.execute(
                    "INSERT INTO connector_event (project_id, account_scope_id, event_type, occurred_at,"
                    " actor, source, source_ref, payload_json, dedupe_key, created_at)"
                    " VALUES (?, ?, ?, ?, 'system', 'linear', 'sync_linear', ?, ?, 't')",
                    (
                        *(project.id, project.account_scope_id, f"process_{kind}"),
                        f"2026-11-20T09:{minute:02}:00.000Z",
                        '{"error": "vendor_down"}' if kind == "failed" else "{}",
                        str(minute),
                    ),
                )

        await tower.db.write(add)
        answer = await system.read_connector_timeline(call, Hours())
        assert [(run.status, run.duration_ms, run.error) for run in answer.timeline] == [
            ("failed", 60_000, "vendor_down"),
            ("ok", 120_000, None),
        ]
        assert [(rate.connector, rate.pct) for rate in answer.success_rate] == [("linear", 50.0)]
        tower.clock.advance(2 * 3_600)
        assert (await system.read_connector_timeline(call, Hours(hours=1))).timeline == []


class TestDeadJobs:
    async def test_a_suspended_job_is_listed_and_cleaned_up(
        self, declare, call, tower, project, scheduler, clock
    ):
        """Fault absent: a suspended job could only be revived by changing the database by hand."""
        declare("sync", fail)
        await tower.settings.change(Operations, {"job_max_retries": 1})
        await scheduler.tick(project, 5, "tick")
        (dead,) = (await scheduling.list_dead_jobs(call)).dead_jobs
        assert (dead.job_type, dead.status, dead.consecutive_failures) == ("sync", "suspended", 1)
        assert (dead.stuck_minutes, dead.last_error) == (None, "upstream_failed: vendor down")
        job = (await scheduling.clean_up_dead_job(call, dead.id)).job
        assert (job.status, job.last_status, job.payload.consecutive_failures) == ("active", "failed", 0)
        assert job.next_run_at == "2026-11-20T10:00:30.000Z"
        assert (await scheduling.list_dead_jobs(call)).dead_jobs == []
        with pytest.raises(DeadJobNotFound):
            await scheduling.clean_up_dead_job(call, dead.id)

    async def test_a_run_that_does_not_end_is_interrupted(
        self, declare, call, tower, project, scheduler, clock, until
    ):
        ended = []

        async def hang(_):
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        declare("sync", hang)
        tick = asyncio.create_task(scheduler.tick(project, 5, "tick"))
        await until(lambda: scheduler.running)
        assert (await scheduling.list_dead_jobs(call)).dead_jobs == []
        clock.advance(31 * 60)
        (dead,) = (await scheduling.list_dead_jobs(call)).dead_jobs
        assert (dead.status, dead.stuck_minutes) == ("running", 31.0)
        await scheduling.clean_up_dead_job(call, dead.id.upper())
        assert (await tick).processed == 0
        assert ended
        rows = await tower.db.read(
            lambda db: list(db.execute("SELECT status, substr(error, 1, 21) FROM worker_run"))
        )
        assert rows == [("failed", "dead_job_auto_cleanup")]
        (job,) = (await actions.list_scheduled_jobs(call)).jobs
        assert (job.status, job.next_run_at) == ("active", "2026-11-20T10:31:30.000Z")

    async def test_of_another_project_is_not_there(self, declare, call, tower, project, second, scheduler):
        declare("sync", fail)
        await tower.settings.change(Operations, {"job_max_retries": 1})
        await scheduler.tick(second, 5, "tick")
        assert (await scheduling.list_dead_jobs(call)).dead_jobs == []
        (dead,) = (await scheduling.list_dead_jobs(desktop(tower, "r", second))).dead_jobs
        for job_id in (dead.id, new_id()):
            with pytest.raises(DeadJobNotFound):
                await scheduling.clean_up_dead_job(call, job_id)


class TestLogs:
    @pytest.fixture(autouse=True)
    def ring(self):
        found = tower_log.ring()
        found.lines.clear()
        yield found
        found.lines.clear()

    async def test_newest_first_of_a_level_and_above(self, call):
        source = logging.getLogger("outside.room")
        for level, text in ((30, "careful"), (40, "broken: token=hush-hush-123"), (30, "again")):
            source.log(level, text)
        lines = (await system.list_log_lines(call, LogsQuery(level="warning"))).logs
        assert [line.message for line in lines] == ["again", "broken: token=[redacted]", "careful"]
        lines = (await system.list_log_lines(call, LogsQuery(level="error"))).logs
        assert [line.level for line in lines] == ["error"]
        assert (await system.list_log_lines(call, LogsQuery(source="outside", limit=1, offset=2))).logs[
            0
        ].message == "careful"
        assert len((await system.list_log_lines(call, LogsQuery(q="CAREFUL"))).logs) == 1
        assert (await system.list_log_lines(call, LogsQuery(request_id="nobody"))).logs == []


class TestRetention:
    async def test_every_kind_of_record_has_its_day(self, call, tower, project, clock):
        row = (project.id, project.account_scope_id)

        def add(db):
            for days in (1, 50, 200, 500):
                at = (clock.now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
                for status, error in (("completed", None), ("failed", "e")):
                    db.execute(
                        "INSERT INTO generated_report (id, project_id, account_scope_id, template_name,"
                        " date_range_start, date_range_end, data, format, status, error, created_at)"
                        " VALUES (?, ?, ?, 't', '2026-01-01', '2026-01-02', ?, 'json', ?, ?, ?)",
                        (new_id(), *row, None if error else "{}", status, error, at),
                    )
                for kind in ("process_started", "message_sent"):
                    db.execute(
                        "INSERT INTO connector_event (project_id, account_scope_id, event_type, occurred_at,"
                        " actor, source, source_ref, dedupe_key, created_at)"
                        " VALUES (?, ?, ?, ?, 'system', 'linear', 'r', ?, ?)",
                        (*row, kind, at, f"{kind}{days}", at),
                    )
                db.execute(
                    "INSERT INTO alert (rule, subject, severity, state, value, threshold, message,"
                    " started_at, updated_at, resolved_at) VALUES ('r', ?, 'info', 'resolved', 1, 0, 'm', ?,"
                    " ?, ?)",
                    (str(days), at, at, at),
                )
                db.execute(
                    "INSERT INTO reconciliation_metric (project_id, account_scope_id, connector, source,"
                    " completeness_pct, duplicate_count, missing_count, total_count, captured_at)"
                    " VALUES (?, ?, 'linear', 'manual', 100, 0, 0, 0, ?)",
                    (*row, at),
                )
                db.execute("UPDATE audit_event SET created_at = ?", (at,))

        await tower.db.write(add)
        report = await clean_up_records(call)
        assert {name: count for name, count in report.deleted.items() if count} == {
            **{"generated_report:completed": 2, "generated_report:failed": 3},
            **{"connector_event:process": 2, "alert:resolved": 2, "reconciliation_metric": 1},
        }
        assert "audit_event" not in report.deleted, "kept for ever unless somebody says otherwise"
        await tower.settings.change(Retention, {"audit_retention_days": 400})
        assert (await clean_up_records(call)).deleted["audit_event"] == 1

    async def test_what_is_overdue_is_told(self, call, tower, project, clock):
        await tower.settings.change(Retention, {"analytics_retention_batch_size": 1})

        def add(db):
            for days in (92, 91):
                at = (clock.now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
                db.execute(
                    "INSERT INTO alert (rule, subject, severity, state, value, threshold, message,"
                    " started_at, updated_at, resolved_at) VALUES ('r', ?, 'info', 'resolved', 1, 0, 'm', ?,"
                    " ?, ?)",
                    (str(days), at, at, at),
                )

        await tower.db.write(add)
        lag = 'app_retention_cleanup_lag_days{table="alert:resolved"} '
        assert (await clean_up_records(call)).more
        assert lag + "1.0" in tower.metrics.text().decode()
        await clean_up_records(call)
        await clean_up_records(call)
        assert lag + "0.0" in tower.metrics.text().decode()
