"""What the connectors do by themselves: sync, retries, daily reconciliation, contacts to Loops."""

from __future__ import annotations

import msgspec

from ctower_desktop.connectors.actions import retry_connector_errors, sync_all
from ctower_desktop.connectors.answers import RetryErrors, RetrySummary, SyncedAll
from ctower_desktop.connectors.loops import PER_RUN, Push, Pusher
from ctower_desktop.connectors.reconciliation import Summary, reconcile
from ctower_desktop.kernel.jobs import job
from ctower_desktop.kernel.tower import Desktop

_FRESH = 600.0  # seconds a pull made for one project serves the others
_FRESH_WHOLE = 12 * 3_600.0


class Cycle(msgspec.Struct, frozen=True):
    """What a cycle of syncs did."""

    total: int
    ok: int
    failed: int
    errors: dict[str, str]


def _cycle(found: SyncedAll) -> Cycle:
    errors = {one.connector: one.error for one in found.results if one.status == "failed"}
    return Cycle(found.total, found.ok, found.failed, errors)


@job("connectors_sync_cycle", every=900, then=("signals_extraction", "embeddings_run"), limit=1_800)
async def sync_cycle(call: Desktop) -> Cycle:
    """Sync every connector that is connected and bound; a failed one keeps its error and stops no other."""
    return _cycle(await sync_all(call, fresh_within=_FRESH, quietly=True))


@job("connectors_reconciliation_daily", every=86_400, limit=1_800)
async def reconcile_daily(call: Desktop) -> Summary:
    """Enumerate the vendors whole once a day, find what is gone or missing, and measure completeness."""
    found = await reconcile(call, "daily_job", enumerate_vendors=True, fresh_within=_FRESH_WHOLE)
    return found.summary


@job("connector_errors_retry", every=300, limit=1_800)
async def retry_errors(call: Desktop) -> RetrySummary:
    """Sync again for errors whose next try has come."""
    return (await retry_connector_errors(call, RetryErrors())).result


@job("loops_contacts_sync", every=3_600, limit=1_200)
async def push_to_loops(call: Desktop) -> Push:
    """Tell Loops about people of the project that changed."""
    pusher = await call.tower.part(Pusher)
    return await pusher.push(call.account_scope_id, [call.project_id], PER_RUN)
