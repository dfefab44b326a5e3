"""The names of /metrics: those of the contract that apply, and why the others do not (T3, §13.4)."""

from __future__ import annotations

import re

import pytest

from ctower_desktop.connectors.sync import Sync
from ctower_desktop.kernel.events import JobCompleted
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.kernel.watchdog import Watchdog
from ctower_desktop.operations.jobs import clean_up_records
from ctower_desktop.reports.cache import Cache

SEED = {
    *("app_requests_total", "app_responses_total", "app_errors_total"),
    *("app_status_2xx", "app_status_4xx", "app_status_5xx"),
    *("app_sse_connections_total", "app_sse_projects_subscribed"),
}
CONTRACT = SEED | {
    *(f"app_cache_{name}_total" for name in ("hits", "misses", "sets", "invalidations")),
    *("app_cache_enabled", "app_scope_violation_total", "app_contract_error_total"),
    *(f"app_retention_cleanup_{n}_total" for n in ("runs", "deleted_rows", "saturation_warnings")),
    *("app_retention_cleanup_last_deleted_rows", "app_retention_cleanup_lag_days"),
    *("app_response_status_total", "app_route_requests_total"),
    *("app_route_response_avg_ms", "app_route_response_max_ms"),
    *("app_job_runs_total", "app_job_runs_ok", "app_job_runs_failed"),
    *(f"app_job_duration_{name}_ms" for name in ("avg", "max", "min")),
    *(f"app_db_pool_{name}" for name in ("total", "idle", "waiting")),
    *("app_process_uptime_seconds", "app_process_heap_bytes", "app_process_rss_bytes"),
    *("app_circuit_breaker_state", "app_circuit_breaker_failures"),
}
WITHOUT_MEANING = {
    "app_redis_pubsub_*": "one process: events go through memory, there is no Redis",
    "app_metrics_ingest_*": "the generic metric layer of the workforce module is out of scope (contract §5)",
    "app_criteria_*": "so is its rule engine",
}


async def test_every_name_that_applies_is_there(site, owner, anonymous):
    project = await site.project()
    tower = site.tower
    for part in (Sync, Cache, Watchdog):
        await tower.part(part)
    await anonymous.get("/metrics")
    await clean_up_records(desktop(tower, "r", project))
    tower.events.publish(
        JobCompleted(project_id=project.id, job_type="sync", status="ok", at="t", duration_ms=5)
    )
    text = (await anonymous.get("/metrics")).text
    names = {re.split(r"[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}
    assert names >= CONTRACT
    assert not {n for n in names for gone in WITHOUT_MEANING if n.startswith(gone.rstrip("*"))}
    assert 'app_route_requests_total{route="/auth/login"}' in text
    assert "# TYPE app_requests_total counter" in text


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        ({"path": "/projects/x/select"}, "app_contract_error_total"),
        ({"path": "/projects", "json": {"name": "A"}}, "app_contract_error_total"),
    ],
)
async def test_requests_of_another_shape_are_counted(site, owner, ask, name):
    assert (await owner.post(ask.pop("path"), **ask)).status_code == 400
    assert f"{name} 1.0" in (await owner.get("/metrics")).text


async def test_looking_at_others_projects_is_counted(site, owner):
    project = await site.project()
    async with site.client() as anna:
        await site.user("anna", "pm")
        await anna.sign_in("anna")
        assert (await anna.post(f"/projects/{project.id}/select")).status_code == 403
    assert "app_scope_violation_total 1.0" in (await owner.get("/metrics")).text
