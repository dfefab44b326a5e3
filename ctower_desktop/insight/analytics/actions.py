"""/analytics: snapshots, figures of days, who waits, evidence; /costs: budget, costs and revenue."""

from __future__ import annotations

from datetime import date

from ctower_desktop.insight.analytics import snapshot_store, snapshots, standing_store, store
from ctower_desktop.insight.analytics.aggregates import caught_up
from ctower_desktop.insight.analytics.model import (
    AnalyticsOverview,
    Days,
    Deleted,
    DrillDown,
    Entries,
    Entry,
    EntryAnswer,
    EntryId,
    EntryNotFound,
    EvidenceFound,
    InvalidDate,
    ListEntries,
    ListUnanswered,
    NewEntry,
    ReadDays,
    RefreshAnalytics,
    RefreshAnswer,
    RefreshResult,
    Unanswered,
)
from ctower_desktop.insight.analytics.money import primary_currency
from ctower_desktop.insight.analytics.settings import AnalyticsSettings
from ctower_desktop.insight.analytics.snapshots import Period, later
from ctower_desktop.insight.risk.health import rounded
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import Issue
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Scoped

_STEPS = 5  # transactions a page may wait for before it shows what is counted so far


@TOWER.post("/analytics/refresh", audit="analytics.refresh")
async def refresh_analytics(call: Scoped, body: RefreshAnalytics) -> RefreshAnswer:
    """Count what changed, and take the snapshots of the last days."""
    found = await refreshed(call, body.period_days)
    call.noted.about("analytics", found.period_end, period_days=body.period_days)
    return RefreshAnswer(found)


@TOWER.get("/analytics/overview")
async def read_analytics_overview(call: Scoped) -> AnalyticsOverview:
    """The newest snapshots of revenue, delivery and communication, and the open pipeline."""
    db, project_id = call.tower.db, call.project_id
    revenue, delivery, comms = await db.read(store.last_snapshots, project_id)
    pipeline = await db.read(store.open_pipeline, project_id)
    if not pipeline:
        return AnalyticsOverview(revenue, delivery, comms, [])
    primary = await _primary(call)
    return AnalyticsOverview(revenue, delivery, comms, snapshots.in_currencies(pipeline, primary))


@TOWER.get("/analytics/drilldown")
async def drill_down(call: Scoped, query: DrillDown) -> EvidenceFound:
    """The evidence figures rest on: of a source type or table, the newest first."""
    found = await call.tower.db.read(store.evidence, call.project_id, call.account_scope_id, query)
    return EvidenceFound(found)


@TOWER.get("/analytics/daily")
async def read_daily_figures(call: Scoped, query: ReadDays) -> Days:
    """Messages, answers, issues and money by day."""
    await caught_up(call.tower, [call.project_id], steps=_STEPS)
    today = _today(call)
    since = later(today, 1 - query.days)
    return Days(*await call.tower.db.read(store.days, call.project_id, since, today))


@TOWER.get("/analytics/unanswered")
async def list_unanswered(call: Scoped, query: ListUnanswered) -> Unanswered:
    """Clients who wait for an answer, the longest waiting first."""
    await caught_up(call.tower, [call.project_id], steps=_STEPS)
    now = call.tower.clock.text()
    return Unanswered(*await call.tower.db.read(store.unanswered, call.project_id, now, query))


@TOWER.get("/costs")
async def list_costs(call: Scoped, query: ListEntries) -> Entries:
    """Entries of budget, costs and revenue, the newest day first, and their totals."""
    return await call.tower.db.read(store.entries, call.project_id, query)


@TOWER.post("/costs", status=201, raises=(InvalidDate,), audit="costs.create", idempotent=True, role="pm")
async def add_cost(call: Scoped, body: NewEntry) -> EntryAnswer:
    """Write down money planned, spent or received; without a currency it is the project's main one."""
    entry = Entry(
        id=new_id(),
        entry_type=body.entry_type,
        amount=rounded(body.amount),
        currency=body.currency.upper() or await _primary(call),
        date=_day(body.date) if body.date else _today(call),
        note=body.note or None,
        created_by=call.user.username,
        created_at=call.tower.clock.text(),
    )
    await call.tower.db.write_durably(store.add_entry, call.project_id, call.account_scope_id, entry)
    call.noted.about("cost_entry", entry.id, entry_type=entry.entry_type, amount=entry.amount,
                     currency=entry.currency)  # fmt: skip
    return EntryAnswer(entry)


@TOWER.post("/costs/{entry_id}/delete", raises=(EntryNotFound,), audit="costs.delete", role="pm")
async def delete_cost(call: Scoped, entry_id: EntryId) -> Deleted:
    """Take an entry back."""
    entry = await call.tower.db.write_durably(store.delete_entry, call.project_id, entry_id.lower())
    call.noted.about("cost_entry", entry.id, entry_type=entry.entry_type, amount=entry.amount,
                     currency=entry.currency)  # fmt: skip
    return Deleted(entry.id)


async def refreshed(call: Scoped, period_days: int) -> RefreshResult:
    """Count what changed, take the snapshots, and keep them."""
    await caught_up(call.tower, [call.project_id])
    period = Period(_today(call), period_days, call.tower.clock.text())
    preferred = call.tower.settings.get(AnalyticsSettings).currency
    owner = {"project_id": call.project_id, "account_scope_id": call.account_scope_id}
    return await call.tower.db.write(snapshot_store.taken, owner, period, preferred)


async def _primary(call: Scoped) -> str:
    preferred = call.tower.settings.get(AnalyticsSettings).currency
    rows = [] if preferred else await call.tower.db.read(standing_store.money, [call.project_id])
    return primary_currency(rows, preferred)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidDate(issues=(Issue("date", "There is no such day.", "invalid_value"),)) from None


def _today(call: Scoped) -> str:
    return call.tower.clock.text()[:10]
