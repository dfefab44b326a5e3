"""The same over HTTP: envelopes, refusals, a tick seen from a stream."""

from __future__ import annotations

import json

import httpx
import pytest

from ctower_desktop import app
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.web.listener import Listener


@pytest.fixture
async def tower(home, clock):
    opened = await app.open_tower(
        home, clock=clock, environment={"AUTH_CREDENTIALS": "boss:correct horse"}, secrets="file"
    )
    yield opened
    await app.close_tower(opened)


@pytest.fixture
async def client(tower):
    """The owner, signed in over HTTP."""
    listener = await Listener.start(tower, TOWER, 0)
    async with httpx.AsyncClient(base_url=listener.url, trust_env=False) as found:
        answer = await found.post("/auth/login", json={"username": "boss", "password": "correct horse"})
        found.headers["x-csrf-token"] = answer.json()["csrf_token"]
        yield found
    await listener.stop()


async def test_health_and_metrics_need_nobody(client):
    client.cookies.clear()
    for path in ("/health", "/v1/health", "/api/health"):
        answer = await client.get(path, headers={"x-request-id": "abc!@#def"})
        assert answer.json() == {"ok": True, "service": "server", "request_id": "abcdef"}
        assert answer.headers["x-request-id"] == "abcdef"
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for name in (
        *("app_requests_total", "app_responses_total", "app_errors_total"),
        *("app_status_2xx", "app_status_4xx", "app_status_5xx"),
        *("app_sse_connections_total", "app_sse_projects_subscribed", "app_process_uptime_seconds"),
        *("app_process_rss_bytes", "app_process_heap_bytes"),
        *("app_db_pool_total", "app_db_pool_idle", "app_db_pool_waiting"),
    ):
        assert f"\n{name} " in answer.text, name


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", "/jobs/status"), ("GET", "/jobs/scheduler"), ("GET", "/events/stream")),
        *(("POST", "/jobs/scheduler/tick"), ("POST", "/jobs/scheduler/sync/run")),
    ],
)
async def test_the_rest_needs_somebody(client, method, path):
    client.cookies.clear()
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


async def test_without_a_project(client):
    for path in ("/jobs/status", "/jobs/scheduler"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["error"]) == (409, "active_project_required")
    answer = await client.get("/events/stream")
    assert (answer.status_code, answer.json()["error"]) == (400, "project_required")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


class TestTick:
    async def test_runs_everything_once_and_shows_cascades(self, declare, client, project, clock):
        declare("connectors_sync_cycle", every=900, then=("embeddings_run",))
        declare("embeddings_run", every=86_400)
        answer = (await client.post("/jobs/scheduler/tick?limit=100")).json()
        result = answer["result"]
        assert answer["ok"] is True
        assert (result["processed"], result["ok"], result["failed"]) == (2, 2, 0)
        assert result["details"][0] == {
            "job_type": "connectors_sync_cycle",
            "status": "ok",
            "duration_ms": 0,
            "details": {},
        }
        clock.advance(900)
        assert (await client.post("/jobs/scheduler/tick")).json()["result"]["processed"] == 1
        sync, index = (await client.get("/jobs/scheduler")).json()["jobs"]
        assert (sync["job_type"], sync["payload"]) == ("connectors_sync_cycle", {})
        assert index["next_run_at"] == clock.text()
        assert index["payload"] == {
            "cascade_triggered_by": {"job_type": "connectors_sync_cycle", "at": clock.text()}
        }

    async def test_a_failing_job_is_suspended_in_the_end(self, declare, client, project, clock):
        async def fails(_):
            raise Upstream("the vendor is down")

        declare("sync", fails)
        for turn in range(10):
            result = (await client.post("/jobs/scheduler/tick")).json()["result"]
            (detail,) = result["details"]
            assert (result["failed"], detail["status"]) == (1, "failed")
            assert detail["dead_lettered"] is (turn == 9)
            clock.advance(3_600)
        (job,) = (await client.get("/jobs/scheduler")).json()["jobs"]
        assert (job["status"], job["last_status"]) == ("suspended", "failed")
        assert job["payload"] == {"consecutive_failures": 10}
        assert job["last_error"] == "upstream_failed: the vendor is down"
        resumed = (await client.post("/jobs/scheduler/sync/resume")).json()["job"]
        assert (resumed["status"], resumed["payload"]) == ("active", {})

    async def test_a_stream_hears_of_every_job(self, declare, client, project):
        declare("a")
        declare("b")
        async with client.stream("GET", "/events/stream") as stream:
            lines = stream.aiter_lines()

            async def following() -> tuple[str, dict]:
                event = (await anext(lines)).removeprefix("event: ")
                data = json.loads((await anext(lines)).removeprefix("data: "))
                assert await anext(lines) == ""
                return event, data

            assert await following() == ("connected", {"project_id": project.id})
            await client.post("/jobs/scheduler/tick")
            await client.post("/jobs/scheduler/a/run")
            heard = [await following() for _ in range(3)]
        assert [(event, data["job_type"], data["status"]) for event, data in heard] == [
            ("job_completed", "a", "ok"),
            ("job_completed", "b", "ok"),
            ("job_completed", "a", "ok"),
        ]

    async def test_what_is_not_there_is_not_found(self, declare, client, project):
        declare("sync")
        for verb in ("pause", "resume", "run"):
            answer = await client.post(f"/jobs/scheduler/nothing/{verb}")
            assert (answer.status_code, answer.json()["error"]) == (404, "job_not_found")

    async def test_no_token_no_tick(self, declare, client, project):
        ran = declare("sync")
        answer = await client.post("/jobs/scheduler/tick", headers={"x-csrf-token": "wrong"})
        assert (answer.status_code, answer.json()["error"]) == (403, "csrf_invalid")
        assert ran == []


async def test_a_project_never_sees_anothers_jobs(declare, client, tower, project, clock):
    declare("sync")
    await client.post("/jobs/scheduler/tick")
    clock.advance(1)
    other = (await create_project(desktop(tower, "test"), NewProject(name="Other"))).project
    assert (await client.post(f"/projects/{other.id}/select")).status_code == 200
    (job,) = (await client.get("/jobs/scheduler")).json()["jobs"]
    assert job["last_status"] is None
