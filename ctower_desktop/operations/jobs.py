"""What keeps records from growing for ever."""

from __future__ import annotations

from datetime import timedelta

from ctower_desktop.kernel.jobs import job
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.operations import figures_store
from ctower_desktop.operations.meters import Meters
from ctower_desktop.operations.model import Operations, RetentionReport


@job("analytics_retention_cleanup", every=43_200)
async def clean_up_records(call: Desktop) -> RetentionReport:
    """Delete search statistics, answered questions and records of runs older than the settings keep."""
    tower, project_id = call.tower, call.project_id
    settings, now = tower.settings.get(Operations), tower.clock.now()
    batch = settings.analytics_retention_batch_size

    def before(days: int) -> str:
        return as_text(now - timedelta(days=days))

    searches = await tower.db.write(
        figures_store.delete_old_searches,
        project_id,
        before(settings.search_analytics_retention_days),
        batch,
    )
    questions = await tower.db.write(
        figures_store.delete_old_questions,
        project_id,
        before(settings.lightrag_query_runs_retention_days),
        batch,
    )
    old_runs = await tower.db.write(
        figures_store.delete_old_runs, project_id, before(settings.run_retention_days), batch
    )
    deleted = {"search_analytics": searches, "lightrag_query_runs": questions, **old_runs}
    full = any(count >= batch for count in deleted.values())
    meters = await tower.part(Meters)
    meters.cleaned_up(sum(deleted.values()), saturated=full)
    return RetentionReport(deleted, more=full)
