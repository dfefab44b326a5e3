"""The alarms at work on a real tower: what they read, keep, tell and let go."""

from __future__ import annotations

import shutil
from collections import namedtuple

import pytest

from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.events import IndexProblem
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.tower import Asking, Owner, Who
from ctower_desktop.operations import alarms as alarms_module
from ctower_desktop.operations import alert_store, streaming, system
from ctower_desktop.operations.alarms import Alarms
from ctower_desktop.operations.alert_model import AlertNotFound, AlertSettings, AlertsQuery
from ctower_desktop.operations.model import Operations
from ctower_desktop.operations.scheduler import Scheduler


@pytest.fixture
async def alarms(tower, monkeypatch):
    """Alarms of a computer with room and memory to spare, that look when they are told to."""
    monkeypatch.setattr(alarms_module, "resident_bytes", lambda: 200 * 2**20)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100e9, 50e9, 50e9))
    await tower.settings.change(Regional, {"language": "en"})
    found = Alarms(tower, await tower.part(Scheduler))
    yield found
    await found.stop()


async def minutes(alarms, clock, count: int) -> list[str]:
    """Look so many times, a minute apart; what changed, in words."""
    changed = []
    for _ in range(count):
        changed += [f"{c.rule} {c.state}" for c in await alarms.look()]
        clock.advance(60)
    return changed


async def listed(call, **query):
    return (await system.list_alerts(call, AlertsQuery(**query))).alerts


async def test_a_healthy_tower_raises_nothing(call, alarms, clock):
    assert await minutes(alarms, clock, 5) == []
    assert await listed(call) == []


async def test_a_suspended_job_is_told_until_it_is_resumed(declare, call, tower, project, alarms, clock):
    async def fail(_):
        raise Upstream("vendor down")

    declare("sync", fail)
    await tower.settings.change(Operations, {"job_max_retries": 1})
    await (await tower.part(Scheduler)).tick(project, 5, "tick")
    assert await minutes(alarms, clock, 3) == ["job_suspended firing"]
    (alert,) = await listed(call)
    assert (alert.subject, alert.project_id, alert.project_name) == ("sync", project.id, project.name)
    assert (alert.severity, alert.state, alert.value) == ("critical", "firing", 1.0)
    assert alert.message == "sync is suspended after 1 failures in a row: upstream_failed: vendor down"
    await tower.db.write(lambda db: db.execute("UPDATE scheduled_job SET status = 'active'").fetchall())
    assert await minutes(alarms, clock, 2) == ["job_suspended resolved"]
    (alert,) = await listed(call, state="resolved")
    assert alert.resolved_at is not None
    assert await listed(call, state="firing") == []


async def test_failed_answers_are_a_share_of_the_last_five_minutes(call, tower, alarms, clock):
    answers = tower.metrics.counter("app_responses", "Answers.")
    errors = tower.metrics.counter("app_errors", "Errors.")

    async def minute(good: int, bad: int) -> list[str]:
        answers.inc(good + bad)
        errors.inc(bad)
        return await minutes(alarms, clock, 1)

    assert await minute(1_000, 900) == [], "what was before the first look does not count"
    assert await minute(10, 5) == [], "too few"
    assert [await minute(90, 10) for _ in range(4)] == [[], [], [], ["server_errors firing"]]
    (alert,) = await listed(call)
    assert alert.value == pytest.approx(100 * 45 / 415)
    quiet = [await minute(100, 0) for _ in range(12)]
    assert [c for c in quiet if c] == [["server_errors resolved"]]


async def test_what_is_held_up_is_counted_per_look(call, tower, alarms, clock):
    held = tower.metrics.histogram("app_loop_held_seconds", "Held.", buckets=(0.02, 0.25, 1.0))
    for _ in range(3):
        held.observe(0.3)
        held.observe(0.1)
        assert await minutes(alarms, clock, 1) == []
    held.observe(0.3)
    assert await minutes(alarms, clock, 1) == []
    held.observe(0.3)
    assert await minutes(alarms, clock, 1) == ["loop_held firing"]


async def test_storage_disk_memory_and_index(call, tower, alarms, clock, monkeypatch):
    await tower.settings.change(Operations, {"storage_budget_gb": 0.0001})
    monkeypatch.setattr(alarms_module, "resident_bytes", lambda: 4 * 2**30)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100e9, 99.5e9, 0.5e9))
    tower.events.publish(IndexProblem(project_id=None, problem="no model", at="t"))
    found = await minutes(alarms, clock, 7)
    assert set(found) == {
        *("storage_budget firing", "disk_free firing", "memory firing", "index_problem firing"),
    }
    tower.events.publish(IndexProblem(project_id=None, problem=None, at="t"))
    assert await minutes(alarms, clock, 3) == ["index_problem resolved"]


async def test_sources_that_fail_and_miss_rows(call, tower, project, alarms, clock):
    def break_things(db):
        row = (project.id, project.account_scope_id)
        db.execute(
            "INSERT INTO connector_sync_state (project_id, account_scope_id, connector, status,"
            " last_success_at, last_error, updated_at) VALUES (?, ?, 'linear', 'failed',"
            " '2026-11-20T08:00:00.000Z', 'vendor_down', '2026-11-20T10:00:00.000Z')",
            row,
        )
        for at, pct in (("09", 100.0), ("10", 60.0)):
            db.execute(
                "INSERT INTO reconciliation_metric (project_id, account_scope_id, connector, source,"
                " completeness_pct, duplicate_count, missing_count, total_count, captured_at)"
                " VALUES (?, ?, 'linear', 'manual', ?, 0, 1, 2, ?)",
                (*row, pct, f"2026-11-20T{at}:00:00.000Z"),
            )
        for number in range(2):
            db.execute(
                "INSERT INTO connector_error (project_id, account_scope_id, connector, mode, operation,"
                " source_ref, error_kind, error_message, attempt, next_retry_at, status, dedupe_key,"
                " created_at, updated_at) VALUES (?, ?, 'linear', 'http', 'sync', 'r', 'k', 'm', 5, 't',"
                " 'dead_letter', ?, 't', 't')",
                (*row, str(number)),
            )

    await tower.db.write(break_things)
    assert await minutes(alarms, clock, 1) == ["dead_letters firing", "completeness_drop firing"]
    assert await minutes(alarms, clock, 2) == ["connector_failing firing"]
    messages = {alert.rule: alert.message for alert in await listed(call)}
    assert messages == {
        "dead_letters": "2 failures of linear wait for somebody to retry them.",
        "completeness_drop": "Only 60.0 % of the rows of linear are here (expected 70 %).",
        "connector_failing": "linear could not be read for 122 min: vendor_down",
    }


async def test_messages_follow_the_language_and_the_value(call, tower, alarms, clock):
    await tower.settings.change(Regional, {"language": "ru"})
    await tower.settings.change(Operations, {"storage_budget_gb": 0.0001})
    await minutes(alarms, clock, 1)
    (before,) = await listed(call)
    assert before.message.startswith("Занято")
    await tower.settings.change(Operations, {"storage_budget_gb": 0.00001})
    await minutes(alarms, clock, 1)
    (after,) = await listed(call)
    assert (after.id, after.started_at) == (before.id, before.started_at)
    assert after.value > before.value


async def test_what_is_muted_is_not_told_and_what_fires_ends(call, tower, alarms, clock):
    await tower.settings.change(Operations, {"storage_budget_gb": 0.0001})
    assert await minutes(alarms, clock, 1) == ["storage_budget firing"]
    await tower.settings.change(AlertSettings, {"muted": "memory, storage_budget"})
    assert await minutes(alarms, clock, 2) == ["storage_budget resolved"]


async def test_what_fired_before_a_restart_is_not_told_twice(call, tower, alarms, clock):
    await tower.settings.change(Operations, {"storage_budget_gb": 0.0001})
    await minutes(alarms, clock, 1)
    tower.metrics.registry.unregister(alarms._firing)
    again = Alarms(tower, await tower.part(Scheduler))
    assert await minutes(again, clock, 1) == []
    assert len(await listed(call)) == 1
    await again.stop()


async def test_nobody_looks_for_due_jobs(call, tower, project, alarms, clock):
    scheduler = await tower.part(Scheduler)
    assert await minutes(alarms, clock, 3) == [], "nobody is to look yet"
    scheduler.looked()
    assert await minutes(alarms, clock, 8) == ["scheduler_late firing"]


class TestSeeing:
    @pytest.fixture
    async def two(self, tower, project, second, alarms):
        """An alert of the whole tower and one of each project."""

        def add(db):
            for project_id in (None, project.id, second.id):
                db.execute(
                    "INSERT INTO alert (project_id, rule, subject, severity, state, value, threshold,"
                    " message, started_at, updated_at)"
                    " VALUES (?, 'dead_letters', 'x', 'warning', 'firing', 1, 0, 'm', 't', 't')",
                    (project_id,),
                )

        await tower.db.write(add)

    def key(self, tower, project):
        who = Who(username="apikey:CI", role="owner", kind="api_key", key_id="k", project_id=project.id)
        return Owner(tower, Asking(request_id="r"), who, project)

    async def test_a_key_of_one_project_sees_no_other(self, call, tower, project, second, two):
        assert [a.project_id for a in await listed(call)] == [second.id, project.id, None]
        answer = await system.list_alerts(self.key(tower, project), AlertsQuery())
        assert [a.project_id for a in answer.alerts] == [project.id, None]
        assert answer.firing == 2
        (foreign,) = [a.id for a in await listed(call) if a.project_id == second.id]
        with pytest.raises(AlertNotFound):
            await system.acknowledge_alert(self.key(tower, project), int(foreign))

    async def test_pages_and_filters(self, call, two):
        assert [len(await listed(call, limit=2, offset=skip)) for skip in (0, 2, 4)] == [2, 1, 0]
        assert await listed(call, severity="critical") == []
        assert await listed(call, state="nonsense") == []
        assert len(await listed(call, rule="dead_letters")) == 3

    async def test_who_has_seen_it_first_is_kept(self, call, tower, clock, two):
        (alert, *_) = await listed(call)
        seen = (await system.acknowledge_alert(call, int(alert.id))).alert
        assert (seen.acknowledged_by, seen.acknowledged_at) == ("desktop", clock.text())
        assert seen.state == "firing"
        clock.advance(60)
        assert (await system.acknowledge_alert(call, int(alert.id))).alert == seen
        with pytest.raises(AlertNotFound):
            await system.acknowledge_alert(call, 4_242)

    async def test_streams_of_owners_are_told(self, call, tower, project, alarms, clock, two):
        stream = streaming.stream_events(call)
        await anext(stream)
        (alert, *_) = await listed(call)
        await system.acknowledge_alert(call, int(alert.id))
        told = await anext(stream)
        assert (told.event, told.rule, told.state) == ("alert", "dead_letters", "firing")
        await stream.aclose()

    async def test_what_fires_is_a_metric(self, tower, alarms, two):
        await alarms.look()
        text = tower.metrics.text().decode()
        assert 'app_alerts_firing{severity="warning"} 0.0' in text, "nothing measured: all three are over"

    async def test_old_ones_are_known(self, tower, two):
        assert len(await tower.db.read(alert_store.firing)) == 3
