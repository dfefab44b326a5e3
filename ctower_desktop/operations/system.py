"""What an owner can see of the tower itself: health, jobs, synchronisations, alerts, log lines."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from ctower_desktop.kernel import log as tower_log
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Owner, OwnerScoped, OwnerSession
from ctower_desktop.operations import alert_store, figures_store, history_store
from ctower_desktop.operations.alert_model import (
    AlertChanged,
    AlertNotFound,
    AlertsAnswer,
    AlertsQuery,
    OneAlert,
)
from ctower_desktop.operations.alert_store import Sight
from ctower_desktop.operations.checking import checked, resources
from ctower_desktop.operations.scheduler import Scheduler
from ctower_desktop.operations.scheduling import History
from ctower_desktop.operations.system_model import (
    Hours,
    Logs,
    LogsQuery,
    SystemHealth,
    SystemJob,
    SystemJobs,
    Timeline,
    overall,
)
from ctower_desktop.operations.timeline import paired, rates

_MOST_RUNS = 500  # synchronisations shown
AlertId = Annotated[int, Meta(ge=1)]


@TOWER.get("/system/health")
async def read_system_health(call: Owner) -> SystemHealth:
    """How the services, the resources and the scheduler of the tower are."""
    tower = call.tower
    scheduler = (await tower.part(Scheduler)).state()
    services = await checked(tower, call.project.id if call.project else None, scheduler)
    _, firing = await tower.db.read(alert_store.listed, _sight(call), "firing", None, None, 1, 0)
    return SystemHealth(overall(services), services, await resources(tower), scheduler, firing)


@TOWER.get("/system/jobs")
async def read_system_jobs(call: OwnerScoped, query: History) -> SystemJobs:
    """The jobs of the project, how they went in the last days, and their newest runs."""
    db, since = call.tower.db, as_text(call.tower.clock.now() - timedelta(days=query.days))
    numbers = await db.read(history_store.numbers, call.project_id, since)
    found = []
    for job, points in await db.read(history_store.jobs, call.project_id):
        row = numbers.get(job.job_type)
        found.append(
            SystemJob(
                job.job_type,
                job.status,
                job.cadence_seconds,
                job.last_run_at,
                job.last_status,
                job.last_error,
                job.next_run_at,
                row.count if row else 0,
                row.ok if row else 0,
                row.failed if row else 0,
                row.avg_ms if row else None,
                row.max_ms if row else None,
                points,
            )
        )
    return SystemJobs(found, query.days)


@TOWER.get("/system/connectors/timeline")
async def read_connector_timeline(call: OwnerScoped, query: Hours) -> Timeline:
    """When the sources of the project were read, how long it took, and how often it went well."""
    since = as_text(call.tower.clock.now() - timedelta(hours=query.hours))
    runs = await call.tower.db.read(lambda db: paired(figures_store.processes(db, call.project_id, since)))
    return Timeline(runs[:_MOST_RUNS], rates(runs), query.hours)


@TOWER.get("/system/alerts")
async def list_alerts(call: Owner, query: AlertsQuery) -> AlertsAnswer:
    """What the tower noticed about itself: what fires first, then the newest."""
    alerts, firing = await call.tower.db.read(
        alert_store.listed,
        _sight(call),
        query.state or None,
        query.severity or None,
        query.rule or None,
        query.limit,
        query.offset,
    )
    return AlertsAnswer(alerts, firing)


@TOWER.post(
    "/system/alerts/{alert_id}/acknowledge",
    raises=(AlertNotFound,),
    audit="alert.acknowledge",
    role="owner",
)
async def acknowledge_alert(call: Owner, alert_id: AlertId) -> OneAlert:
    """Say that somebody has seen an alert; it fires until its cause is gone."""
    tower = call.tower
    alert = await tower.db.write_durably(
        alert_store.acknowledge, _sight(call), alert_id, call.user.username, tower.clock.text()
    )
    call.noted.unbound = alert.project_id is None
    call.noted.about("alert", alert.id, rule=alert.rule, subject=alert.subject)
    tower.events.publish(
        AlertChanged(
            project_id=alert.project_id,
            id=alert.id,
            rule=alert.rule,
            severity=alert.severity,
            state=alert.state,
            message=alert.message,
            at=alert.updated_at,
        )
    )
    return OneAlert(alert)


@TOWER.get("/system/logs")
async def list_log_lines(call: OwnerSession, query: LogsQuery) -> Logs:
    """The newest lines of the log of this process, without credentials."""
    least = logging.getLevelNamesMapping().get((query.level or "").upper(), logging.NOTSET)
    wanted = (query.q or "").casefold()
    found = [
        line
        for line in reversed(tower_log.ring().lines)
        if logging.getLevelNamesMapping().get(line.level.upper(), logging.NOTSET) >= least
        and (not query.source or line.source.startswith(query.source))
        and (not query.request_id or line.request_id == query.request_id)
        and (not wanted or wanted in f"{line.message} {line.context}".casefold())
    ]
    return Logs(found[query.offset : query.offset + query.limit])


def _sight(call: Owner) -> Sight:
    return Sight(call.user.sees_all_projects, call.project.id if call.project else None)
