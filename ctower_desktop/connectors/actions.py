"""/connectors: state, errors, reconciliation, sync; /jobs/<connector>/sync; /loops/sync."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from ctower_desktop.connectors import connecting, ledger_store, reconciliation_store, vendors
from ctower_desktop.connectors.answers import (
    Differences,
    ErrorId,
    Errors,
    JobAnswer,
    ListDeadLetters,
    ListErrors,
    PushAnswer,
    PushContacts,
    ReadReconciliation,
    ReconciliationAnswer,
    Retried,
    RetryAnswer,
    RetryErrors,
    RetrySummary,
    Revived,
    States,
    SyncAllAnswer,
    SyncAnswer,
    SyncedAll,
    SyncedOne,
    Trends,
)
from ctower_desktop.connectors.channels import registry
from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.following import follow
from ctower_desktop.connectors.loops import PER_RUN, Pusher
from ctower_desktop.connectors.model import ErrorNotFound
from ctower_desktop.connectors.reconciliation import Reconciliation, reconcile
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.connectors.syncing import (
    ConnectorNotConfigured,
    ConnectorNotFound,
    SourceNotBound,
    Synced,
    SyncFailed,
    connector_named,
    processed,
    sync_one,
)
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import Conflict, TowerError
from ctower_desktop.kernel.runs import recorded
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Scoped
from ctower_desktop.projects import store as projects_store
from ctower_desktop.projects.resolution import access_of

__all__ = ["connecting", "registry", "vendors"]

_AT_ONCE = 200  # due errors of one retry


class ChatwootSyncFailed(SyncFailed):
    """Chatwoot could not be read; the error is kept and tried again."""

    code = "chatwoot_sync_failed"


class LinearSyncFailed(SyncFailed):
    """Linear could not be read; the error is kept and tried again."""

    code = "linear_sync_failed"


class AttioSyncFailed(SyncFailed):
    """Attio could not be read; the error is kept and tried again."""

    code = "attio_sync_failed"


class ChatwootBindingError(Conflict):
    """Nothing of the Chatwoot account is bound to this project."""

    code = "chatwoot_source_binding_error"


class LinearBindingError(Conflict):
    """Nothing of the Linear workspace is bound to this project."""

    code = "linear_source_binding_error"


class AttioBindingError(Conflict):
    """Nothing of the Attio workspace is bound to this project."""

    code = "attio_source_binding_error"


_FAILED: dict[str, tuple[type[TowerError], type[TowerError]]] = {
    "chatwoot": (ChatwootSyncFailed, ChatwootBindingError),
    "linear": (LinearSyncFailed, LinearBindingError),
    "attio": (AttioSyncFailed, AttioBindingError),
}


@TOWER.get("/connectors/state")
async def read_connector_state(call: Scoped) -> States:
    """How each connector that ran here does, with its last result."""
    await call.tower.part(Sync)
    return States(await call.tower.db.read(ledger_store.states, call.project_id))


@TOWER.get("/connectors/errors")
async def list_connector_errors(call: Scoped, query: ListErrors) -> Errors:
    """Errors of syncs, the last touched first."""
    found = await call.tower.db.read(
        ledger_store.errors, call.project_id, query.status, query.connector, query.limit
    )
    return Errors(found)


@TOWER.get("/connectors/errors/dead-letter")
async def list_dead_letters(call: Scoped, query: ListDeadLetters) -> Errors:
    """Errors that were given up and wait for somebody."""
    found = await call.tower.db.read(ledger_store.errors, call.project_id, "dead_letter", "", query.limit)
    return Errors(found)


@TOWER.post(
    "/connectors/errors/dead-letter/{error_id}/retry",
    raises=(ErrorNotFound,),
    audit="connector_error.dead_letter_retry",
)
async def revive_dead_letter(call: Scoped, error_id: ErrorId) -> Revived:
    """Give an error that was given up another chance: it is due at once, as if it had never been tried."""
    at = call.tower.clock.text()
    error = await call.tower.db.write_durably(ledger_store.revive, call.project_id, error_id, at)
    call.noted.about("connector_error", error.id, connector=error.connector)
    return Revived(error)


@TOWER.post("/connectors/errors/retry", audit="connectors.retry_errors")
async def retry_connector_errors(call: Scoped, body: RetryErrors) -> RetryAnswer:
    """Sync again for every error that is due, one connector after the other."""
    due = await call.tower.db.read(
        ledger_store.due, call.project_id, call.tower.clock.text(), min(body.limit, _AT_ONCE)
    )
    retried = []
    for error in due:
        one = await _synced(call, error.connector)
        if one.status == "ok":
            retried.append(
                Retried(id=error.id, connector=error.connector, status="resolved", result=one.result)
            )
        else:
            retried.append(Retried(id=error.id, connector=error.connector, status="failed", error=one.error))
    good = sum(one.status == "resolved" for one in retried)
    status = "ok" if good == len(retried) else "partial"
    call.noted.about("connector_error", "", status=status, due=len(due), succeeded=good)
    return RetryAnswer(RetrySummary(len(due), good, len(retried) - good, retried))


@TOWER.get("/connectors/reconciliation")
async def read_reconciliation(call: Scoped, query: ReadReconciliation) -> Trends:
    """Completeness now, over the days, and of each connector."""
    db, project_id = call.tower.db, call.project_id
    since = as_text(call.tower.clock.now() - timedelta(days=query.days))
    return Trends(
        await db.read(reconciliation_store.latest, project_id),
        await db.read(reconciliation_store.trend, project_id, since),
        await db.read(reconciliation_store.by_connector, project_id, since, query.limit),
    )


@TOWER.get("/connectors/reconciliation/diff")
async def read_reconciliation_diff(call: Scoped) -> Differences:
    """Completeness now beside the measurement before."""
    return Differences(await call.tower.db.read(reconciliation_store.diff, call.project_id))


@TOWER.post("/connectors/reconciliation/run", audit="connectors.reconciliation.run")
async def run_reconciliation(call: Scoped) -> ReconciliationAnswer:
    """Enumerate the vendors whole, find what is missing and what is gone, and measure."""
    found = await reconcile(call, "manual", enumerate_vendors=True)
    call.noted.about("reconciliation", found.captured_at, completeness_pct=found.summary.completeness_pct)
    return ReconciliationAnswer(found)


@TOWER.post("/connectors/sync", pace="expensive", audit="connectors.sync_all")
async def sync_connectors(call: Scoped) -> SyncAllAnswer:
    """Sync every connector side by side; failures stay with the connector that failed."""
    found = await sync_all(call)
    status = "ok" if found.failed == 0 else "partial"
    call.noted.about("connectors", "all", status=status, succeeded=found.ok, failed=found.failed)
    return SyncAllAnswer(found)


@TOWER.post(
    "/connectors/{name}/sync",
    raises=(ConnectorNotFound, ConnectorNotConfigured, SourceNotBound, SyncFailed),
    audit="connectors.sync_one",
)
async def sync_connector(call: Scoped, name: str) -> SyncAnswer:
    """Sync one connector now."""
    connector = connector_named(name)
    call.noted.about("connector", name)
    found = await sync_one(call, connector)
    call.noted.about("connector", name, processed=processed(found), resolved_errors=found.resolved_errors)
    return SyncAnswer(found)


@TOWER.post(
    "/jobs/chatwoot/sync",
    raises=(ConnectorNotConfigured, ChatwootBindingError, ChatwootSyncFailed),
    pace="expensive",
    audit="job.chatwoot_sync",
)
async def run_chatwoot_sync(call: Scoped) -> JobAnswer:
    """Sync Chatwoot as a recorded run."""
    return await _run(call, "chatwoot")


@TOWER.post(
    "/jobs/attio/sync",
    raises=(ConnectorNotConfigured, AttioBindingError, AttioSyncFailed),
    pace="expensive",
    audit="job.attio_sync",
)
async def run_attio_sync(call: Scoped) -> JobAnswer:
    """Sync Attio as a recorded run."""
    return await _run(call, "attio")


@TOWER.post(
    "/jobs/linear/sync",
    raises=(ConnectorNotConfigured, LinearBindingError, LinearSyncFailed),
    pace="expensive",
    audit="job.linear_sync",
)
async def run_linear_sync(call: Scoped) -> JobAnswer:
    """Sync Linear as a recorded run."""
    return await _run(call, "linear")


@TOWER.post("/loops/sync", audit="loops.contacts_sync")
async def push_contacts(call: Scoped, body: PushContacts) -> PushAnswer:
    """Tell Loops about the people of these projects, or of all projects of the account scope."""
    visible = await call.tower.db.read(projects_store.listed, access_of(call.user))
    own = [p for p in visible if p.account_scope_id == call.account_scope_id]
    chosen = {i.lower() for i in body.project_ids}
    selected = [p.id for p in own if not chosen or p.id in chosen]
    pusher = await call.tower.part(Pusher)
    found = await pusher.push(call.account_scope_id, selected, PER_RUN)
    call.noted.about("loops", call.account_scope_id, created=found.created, updated=found.updated,
                     failed=found.failed)  # fmt: skip
    return PushAnswer(found)


async def _run(call: Scoped, name: str) -> JobAnswer:
    """One connector, kept as a run; errors under the names the jobs' endpoints give them."""
    failed, unbound = _FAILED[name]
    call.noted.about("job", f"{name}_sync")
    async with recorded(call, f"{name}_sync") as run:
        try:
            found = await sync_one(call, connector_named(name))
        except SourceNotBound as error:
            raise unbound(str(error)) from error
        except SyncFailed as error:
            raise failed(str(error), retry_after=error.retry_after) from error
        run.processed = processed(found)
        run.meta.update(found.result)
    return JobAnswer(found.result)


async def sync_all(call: Scoped, *, fresh_within: float = 0.0, quietly: bool = False) -> SyncedAll:
    """Every connector side by side, then completeness. `quietly` leaves out what is not connected."""
    found = await asyncio.gather(*(_synced(call, name, fresh_within=fresh_within) for name in CONNECTORS))
    results = [one for one in found if not (quietly and idle(one))]
    measured: Reconciliation | None = None
    if any(one.status == "ok" for one in results):
        await follow(call, results)
        measured = await reconcile(call, "sync_cycle", enumerate_vendors=False)
    good = sum(one.status == "ok" for one in results)
    return SyncedAll(len(results), good, len(results) - good, results, measured)


def idle(one: SyncedOne) -> bool:
    """Whether a connector was not read because it is not connected, or feeds nothing here."""
    return one.error.startswith(ConnectorNotConfigured.code) or "_source_not_bound" in one.error


async def _synced(call: Scoped, name: str, *, fresh_within: float = 0.0) -> SyncedOne:
    try:
        found: Synced = await sync_one(call, connector_named(name), fresh_within=fresh_within)
    except SourceNotBound as error:
        return SyncedOne(connector=name, status="failed", error=str(error).partition(":")[0])
    except (ConnectorNotConfigured, ConnectorNotFound) as error:
        return SyncedOne(connector=name, status="failed", error=f"{error.code}: {error}")
    except SyncFailed as error:
        return SyncedOne(connector=name, status="failed", error=str(error))
    return SyncedOne(
        connector=name,
        status="ok",
        mode=found.mode,
        result=found.result,
        event_log=found.event_log,
        resolved_errors=found.resolved_errors,
    )
