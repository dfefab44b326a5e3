"""KAG_MODE: live, gone, absent (T13), over HTTP; and what runs by itself in each."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.kag.settings import Kag
from ctower_desktop.kernel.endpoint import ENDPOINTS
from ctower_desktop.kernel.errors import NotFound, TowerError
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.operations import store as schedule
from ctower_desktop.operations.actions import list_scheduled_jobs
from ctower_desktop.operations.scheduler import Scheduler
from tests.web.conftest import site_of

UNKNOWN = "00000000-0000-4000-8000-00000000dead"
ALL = [e for e in ENDPOINTS.values() if e.path.startswith("/kag/")]
JOBS = {"kag_recommendations_refresh", "kag_daily_pipeline", "case_signatures_refresh"}


def path_of(endpoint) -> str:
    return endpoint.path.replace("{recommendation_id}", UNKNOWN).replace("{action_id}", UNKNOWN)


async def answers(home, clock, mode: str):
    """Status and code of every path, signed in."""
    async with site_of(home, clock, KAG_MODE=mode) as site, site.client() as client:
        await client.sign_in()
        await site.project()
        for endpoint in ALL:
            answer = await client.request(endpoint.method, path_of(endpoint), json={})
            body = answer.json()
            assert body["request_id"] == answer.headers["x-request-id"]
            yield endpoint.name, answer.status_code, body.get("error")


def test_all_sixteen_and_four_more_are_declared():
    assert len(ALL) == 20


async def test_live_answers(home, clock):
    found = {name: (status, code) async for name, status, code in answers(home, clock, "live")}
    refused = {name: found.pop(name) for name, answer in list(found.items()) if answer[0] != 200}
    assert refused == {
        "set_recommendation_status": (400, "invalid_status"),
        "rate_recommendation": (404, "recommendation_not_found"),
        "list_recommendation_actions": (404, "recommendation_not_found"),
        "act_on_recommendation": (404, "recommendation_not_found"),
        "retry_recommendation_action": (404, "recommendation_action_not_found"),
    }
    assert len(found) == 15


@pytest.mark.parametrize(
    ("mode", "expected"), [("gone", (410, "kag_disabled")), ("absent", (404, "not_found"))]
)
async def test_closed_answers_nothing(home, clock, mode, expected):
    found = {(status, code) async for _, status, code in answers(home, clock, mode)}
    assert found == {expected}


@pytest.mark.parametrize("mode", ["live", "gone", "absent"])
async def test_nobody_learns_anything_without_signing_in(home, clock, mode):
    async with site_of(home, clock, KAG_MODE=mode) as site, site.client() as client:
        for endpoint in ALL:
            answer = await client.request(endpoint.method, path_of(endpoint))
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


@pytest.mark.parametrize(("mode", "status"), [("gone", 410), ("absent", 404)])
async def test_closed_before_anything_else_is_looked_at(home, clock, mode, status):
    """No project, no role, bad body, wrong method: the answer is the same."""
    async with site_of(home, clock, KAG_MODE=mode) as site, site.client() as client:
        await client.sign_in()
        assert (await client.get("/kag/signals")).status_code == status, "without any project"
        assert (await client.post("/kag/refresh", headers={"x-csrf-token": ""})).status_code == 403
        project = await site.project()
        await site.user("viewer", "viewer", project)
        assert (await client.post("/kag/v2/recommendations/shown", json=[1])).status_code == status
        for path in ("/v1/kag/signals", "/api/kag/signals", "/kag/else/where"):
            assert (await client.get(path)).status_code == status
        assert (await client.put("/kag/signals", json={})).status_code == status
        async with site.client() as viewer:
            await viewer.sign_in("viewer", "correct horse: battery")
            assert (await viewer.post("/kag/refresh", json={})).status_code == status


async def test_the_mode_can_be_changed_while_it_runs(home, clock):
    async with site_of(home, clock) as site, site.client() as client:
        await client.sign_in()
        await site.project()
        assert (await client.get("/kag/signals")).status_code == 410
        await site.tower.settings.change(Kag, {"mode": "live"})
        assert (await client.get("/kag/signals")).json()["signals"] == []
        assert (await client.post("/kag/refresh", json={})).json()["result"]["enabled"] is True


@pytest.mark.parametrize(("word", "on"), [("yes", True), ("on", True), ("enabled", True), ("1", True),
                                          ("off", False), ("no", False), ("0", False)])  # fmt: skip
async def test_switches_come_from_the_environment(home, clock, word, on):
    async with site_of(home, clock, KAG_MODE="live", KAG_ENABLED=word) as site, site.client() as client:
        await client.sign_in()
        await site.project()
        found = (await client.post("/kag/refresh", json={})).json()["result"]
        assert found["enabled"] is on
        assert found["skipped"] == (None if on else "kag_disabled")


async def test_the_desktop_is_told_the_same(tower, call):
    await tower.settings.change(Kag, {"mode": "gone"})
    for endpoint in ALL:
        arguments = dict.fromkeys(endpoint.path_types, UNKNOWN)
        for name in ("query", "body"):
            shape = getattr(endpoint, name)
            if shape is not None:
                arguments[name] = shape()
        with pytest.raises(TowerError) as refused:
            await endpoint(call, **arguments)
        assert refused.value.code == "kag_disabled"
    await tower.settings.change(Kag, {"mode": "absent"})
    with pytest.raises(NotFound):
        await ALL[0](call)


async def test_jobs_come_and_go_with_the_mode(tower, call, project):
    listed = {job.job_type for job in (await list_scheduled_jobs(call)).jobs}
    assert listed >= JOBS
    await tower.settings.change(Kag, {"mode": "gone"})
    listed = {job.job_type for job in (await list_scheduled_jobs(call)).jobs}
    assert not listed & JOBS
    scheduler = await tower.part(Scheduler)
    with pytest.raises(NotFound):
        await scheduler.run_now(project, "kag_daily_pipeline")
    await tower.settings.change(Kag, {"mode": "live"})
    detail = await scheduler.run_now(project, "kag_daily_pipeline")
    assert detail.status == "ok"
    assert {job.job_type for job in await tower.db.read(schedule.listed, project.id)} >= JOBS


@pytest.mark.parametrize("name", sorted(JOBS))
async def test_each_job_runs(tower, project, log, name):
    await log.silence(4)
    scheduler = await tower.part(Scheduler)
    detail = await scheduler.run_now(project, name)
    assert detail.status == "ok", detail.error


async def test_the_daily_pipeline_keeps_the_day_and_the_refresh_does_not(tower, project, log):
    await log.silence(4)
    scheduler = await tower.part(Scheduler)
    often = (await scheduler.run_now(project, "kag_recommendations_refresh")).details
    assert (often.processed_events, often.touched_forecasts, often.touched_recommendations_v2) == (2, 4, 1)
    assert await _days(tower) == 0
    daily = (await scheduler.run_now(project, "kag_daily_pipeline")).details
    assert (daily.snapshot_date, daily.outcomes, daily.forecasts) == ("2026-11-20", 1, 4)
    assert await _days(tower) == 1
    weekly = (await scheduler.run_now(project, "case_signatures_refresh")).details
    assert weekly.signatures == 3


async def _days(tower) -> int:
    return await tower.db.read(lambda db: db.execute("SELECT count(*) FROM kag_snapshot").get)


async def test_endpoints_in_process_need_no_door(tower, project):
    found = await ENDPOINTS["tower.list_kag_signals"](desktop(tower, "t", project), query=ALL[1].query())
    assert found.signals == []
