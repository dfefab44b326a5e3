"""Measuring completeness: the vendors are enumerated whole, then what is here is compared."""

from __future__ import annotations

import asyncio

import msgspec

from ctower_desktop.connectors import completeness, reconciliation_store
from ctower_desktop.connectors.completeness import Metric
from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.settings import ConnectorSettings
from ctower_desktop.connectors.syncing import ConnectorNotConfigured, SourceNotBound, SyncFailed, sync_one
from ctower_desktop.kernel.tower import AuditLine, Scoped


class Summary(msgspec.Struct, frozen=True):
    """All connectors together."""

    completeness_pct: float
    missing_count: int
    duplicate_count: int
    total_count: int


class Reconciliation(msgspec.Struct, frozen=True):
    """A batch of measurements: one for each connector, and the portfolio's."""

    source: str
    captured_at: str
    metrics: list[Metric]
    summary: Summary


async def reconcile(
    call: Scoped, source: str, *, enumerate_vendors: bool, fresh_within: float = 0.0
) -> Reconciliation:
    """Measure, keep, warn below the threshold. With `enumerate_vendors` vendors are read whole first."""
    if enumerate_vendors:
        await asyncio.gather(*(_enumerate(call, name, fresh_within) for name in CONNECTORS))
    tower, project = call.tower, call.project_ref
    at = tower.clock.text()
    metrics = []
    for name, connector in CONNECTORS.items():
        gaps = await tower.db.read(reconciliation_store.gaps, project.id, name)
        remote = await tower.db.read(reconciliation_store.remote, connector) if gaps.total else {}
        metrics.append(completeness.metric(name, source, gaps, remote, at))
    together = completeness.portfolio(source, metrics, at)
    await tower.db.write(reconciliation_store.keep, project, [*metrics, together])
    await _warn(call, metrics)
    summary = Summary(
        together.completeness_pct, together.missing_count, together.duplicate_count, together.total_count
    )
    return Reconciliation(source, at, [*metrics, together], summary)


async def _enumerate(call: Scoped, name: str, fresh_within: float) -> None:
    """Read a vendor whole; one that fails is measured by what is here, its error is in the ledger."""
    try:
        await sync_one(call, CONNECTORS[name], whole=True, fresh_within=fresh_within)
    except (ConnectorNotConfigured, SourceNotBound, SyncFailed):
        return


async def _warn(call: Scoped, metrics: list[Metric]) -> None:
    threshold = call.tower.settings.get(ConnectorSettings).min_completeness_pct
    for found in metrics:
        if found.completeness_pct < threshold:
            line = AuditLine(
                action="reconciliation.completeness_drop",
                entity_type="connector",
                entity_id=found.connector,
                status="warning",
                payload={
                    "connector": found.connector,
                    "completeness_pct": found.completeness_pct,
                    "threshold_pct": threshold,
                    "missing_count": found.missing_count,
                    "duplicate_count": found.duplicate_count,
                },
            )
            await call.tower.audit(call, line)
