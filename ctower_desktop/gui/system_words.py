"""What the System page calls things: jobs, services, states, roles, and what to do when one is not well."""

from __future__ import annotations

from collections.abc import Callable

from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.gui.text import number, seconds, tr
from ctower_desktop.kernel.tower import Role
from ctower_desktop.operations.alert_model import AlertSeverity
from ctower_desktop.operations.model import JobStatus, SchedulerStatus
from ctower_desktop.operations.system_model import ServiceStatus

Words = Callable[[], str]

JOB_TITLES: dict[str, Words] = {
    "connectors_sync_cycle": lambda: tr("Read all sources"),
    "connectors_reconciliation_daily": lambda: tr("Check that everything came in"),
    "connector_errors_retry": lambda: tr("Try failed rows again"),
    "loops_contacts_sync": lambda: tr("Tell Loops about contacts"),
    "embeddings_run": lambda: tr("Prepare search by meaning"),
    "signals_extraction": lambda: tr("Look for signals"),
    "health_scoring": lambda: tr("Weigh health and risks"),
    "upsell_radar": lambda: tr("Look for chances to sell more"),
    "analytics_aggregates": lambda: tr("Count the figures of charts"),
    "kag_recommendations_refresh": lambda: tr("Renew recommendations"),
    "kag_daily_pipeline": lambda: tr("Daily look at similar cases"),
    "case_signatures_refresh": lambda: tr("Renew the memory of cases"),
    "analytics_retention_cleanup": lambda: tr("Delete old records"),
    "daily_digest": lambda: tr("Write the daily digest"),
    "weekly_digest": lambda: tr("Write the weekly digest"),
    "report_generation": lambda: tr("Make scheduled reports"),
    "campaign_scheduler": lambda: tr("Send campaigns that are due"),
    "outbound_retention_cleanup": lambda: tr("Delete old outbound messages"),
}
_SERVICES: dict[str, Words] = {
    "api": lambda: tr("The program itself"),
    "database": lambda: tr("Database"),
    "search_index": lambda: tr("Search index"),
    "cache": lambda: tr("Cache"),
    "worker": lambda: tr("Scheduler"),
    "embeddings": lambda: tr("Search by meaning"),
}
_SERVICE_STATES: dict[ServiceStatus, tuple[Words, str]] = {
    "ok": (lambda: tr("Works"), "success"),
    "degraded": (lambda: tr("Works, with something to look at"), "warning"),
    "down": (lambda: tr("Does not work"), "danger"),
    "not_configured": (lambda: tr("Not connected"), "text_3"),
}
_JOB_STATES: dict[JobStatus, tuple[Words, str]] = {
    "active": (lambda: tr("On schedule"), "success"),
    "running": (lambda: tr("Running"), "info"),
    "paused": (lambda: tr("Paused"), "text_3"),
    "suspended": (lambda: tr("Stopped after failures"), "danger"),
}
_SEVERITIES: dict[AlertSeverity, tuple[Words, str]] = {
    "info": (lambda: tr("For information"), "info"),
    "warning": (lambda: tr("Warning"), "warning"),
    "critical": (lambda: tr("Serious"), "danger"),
}
_RUN_STATES: dict[str, tuple[Words, str]] = {
    "ok": (lambda: tr("went well"), "success"),
    "failed": (lambda: tr("failed"), "danger"),
    "running": (lambda: tr("running"), "info"),
}
_SCHEDULER: dict[SchedulerStatus, Words] = {
    "healthy": lambda: tr("The scheduler looks for due jobs."),
    "degraded": lambda: tr("The scheduler has not looked for due jobs for too long."),
    "not_started": lambda: tr("The scheduler has not looked for due jobs yet."),
}
_ROLES: dict[Role, tuple[Words, Words]] = {
    "owner": (lambda: tr("Owner"), lambda: tr("Sees and changes everything, people and keys included.")),
    "pm": (lambda: tr("Project manager"), lambda: tr("Runs the projects they are assigned to.")),
    "delivery_lead": (
        lambda: tr("Delivery lead"),
        lambda: tr("Runs the work of their projects, without sales."),
    ),
    "executor": (lambda: tr("Executor"), lambda: tr("Works on the tasks of their projects.")),
    "viewer": (lambda: tr("Viewer"), lambda: tr("Reads their projects and changes nothing.")),
}


def job_title(name: str) -> str:
    """What a job does, in a few words."""
    words = JOB_TITLES.get(name)
    return words() if words else name.replace("_", " ").capitalize()


def job_state(status: JobStatus) -> tuple[str, str]:
    """The state of a job in words, and the token of its colour."""
    words, token = _JOB_STATES[status]
    return words(), token


def run_state(status: str) -> tuple[str, str]:
    """How a run ended in words, and the token of its colour."""
    words, token = _RUN_STATES[status]
    return words(), token


def service_title(name: str) -> str:
    """What a service is called."""
    if name in CONNECTORS:
        return CONNECTORS[name].title
    words = _SERVICES.get(name)
    return words() if words else name


def service_state(status: ServiceStatus) -> tuple[str, str]:
    """The state of a service in words, and the token of its colour."""
    words, token = _SERVICE_STATES[status]
    return words(), token


def service_step(name: str, status: ServiceStatus) -> str:
    """What to do about a service that is not well; nothing when it is."""
    if status == "ok":
        return ""
    if name in CONNECTORS:
        return (
            tr("Connect it to see its data here.")
            if status == "not_configured"
            else tr("Its card under Connectors says what happened and what to do.")
        )
    known = {
        "database": tr(
            "Close what uses the disk heavily. If it stays so, close the tower and start it again."
        ),
        "search_index": tr("Nothing is lost: it can be built again from the database at the next start."),
        "worker": tr("Jobs do not run by themselves. If it stays so, close the tower and start it again."),
        "embeddings": tr("Words are still found; choose a model under Settings, Search."),
    }
    return known.get(name, tr("If it stays so, close the tower and start it again."))


def severity_words(severity: AlertSeverity) -> tuple[str, str]:
    """How bad an alert is in words, and the token of its colour."""
    words, token = _SEVERITIES[severity]
    return words(), token


def scheduler_words(status: SchedulerStatus) -> str:
    """How the scheduler is, as a sentence."""
    return _SCHEDULER[status]()


def role_title(role: Role) -> str:
    """What a role is called."""
    return _ROLES[role][0]()


def role_about(role: Role) -> str:
    """What a role may do."""
    return _ROLES[role][1]()


def took(milliseconds: float | None) -> str:
    """How long something took; a dash when it is not known."""
    if milliseconds is None:
        return "—"
    if milliseconds < 1_000:
        return tr("{n} ms", n=number(milliseconds))
    if milliseconds < 60_000:
        return tr("{n} sec", n=number(milliseconds / 1_000, 1))
    return seconds(milliseconds / 1_000)
