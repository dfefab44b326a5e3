"""What keeps records from growing for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from ctower_desktop.kernel import log as tower_log
from ctower_desktop.kernel.jobs import job
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.operations import retention_store
from ctower_desktop.operations.meters import Meters
from ctower_desktop.operations.retention import Retention, RetentionReport


@job("analytics_retention_cleanup", every=43_200)
async def clean_up_records(call: Desktop) -> RetentionReport:
    """Delete records older than the settings keep: runs, questions, reports, errors that are over, log."""
    tower, project_id = call.tower, call.project_id
    settings, now = tower.settings.get(Retention), tower.clock.now()
    batch, meters = settings.analytics_retention_batch_size, await tower.part(Meters)
    deleted: dict[str, int] = {}
    for kept in retention_store.KEPT:
        days = kept.days(settings)
        if not days:
            continue
        limit = now - timedelta(days=days)
        before = as_text(limit)
        count = await tower.db.write(retention_store.delete_old, kept, project_id, before, batch)
        deleted[kept.name] = count
        left = None
        if count >= batch:
            left = await tower.db.read(retention_store.oldest_left, kept, project_id, before)
        meters.lags(kept.name, (limit - from_text(left)).total_seconds() / 86_400 if left else 0.0)
    await asyncio.to_thread(tower_log.limit, settings.log_file_mb * 1_000_000, settings.log_files)
    full = any(count >= batch for count in deleted.values())
    meters.cleaned_up(sum(deleted.values()), saturated=full)
    return RetentionReport(deleted, more=full)
