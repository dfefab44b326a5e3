"""What a report is made of: each section one function from a range of days to its figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec

from ctower_desktop.insight.analytics import standing_store
from ctower_desktop.insight.analytics.aggregates import caught_up
from ctower_desktop.insight.analytics.money import Finances, finances, primary_currency
from ctower_desktop.insight.analytics.settings import AnalyticsSettings
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import Scoped, Tower
from ctower_desktop.reports import section_store
from ctower_desktop.reports.section_store import (
    IssueCounts,
    JobErrors,
    Range,
    SignalCounts,
    SourceErrors,
)
from ctower_desktop.reports.tower_view import Watermark
from ctower_desktop.search.actions import read_lightrag_status

_ERROR_DAYS = 7


class SummaryStats(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of the range; issues, money and health as they are now. Money is in `currency`."""

    total_messages: int
    inbound_messages: int
    outbound_messages: int
    unique_contacts: int
    total_issues: int
    completed_issues: int
    open_issues: int
    overdue_issues: int
    pipeline_amount: float
    expected_revenue: float
    currency: str
    by_currency: list[Finances]
    open_opportunities: int
    health_score: float | None
    health_generated_at: str | None


class ConnectorHealth(msgspec.Struct, frozen=True):
    """How far sources were read, and their errors of the last seven days."""

    watermarks: list[Watermark]
    recent_errors_by_connector: list[SourceErrors]


class ProjectActivity(msgspec.Struct, frozen=True):
    """What happened in the range."""

    signals: SignalCounts
    messages_in_range: int
    issues: IssueCounts


class StatusCount(msgspec.Struct, frozen=True):
    """How many chunks of text are in a status."""

    status: str
    cnt: int


class EmbeddingCoverage(msgspec.Struct, frozen=True):
    """How much of the text can be found by meaning."""

    by_status: list[StatusCount]
    totals: dict[str, int]
    coverage_pct: float


class ErrorSummary(msgspec.Struct, frozen=True):
    """What failed in the last seven days."""

    job_errors: list[JobErrors]
    connector_errors: list[SourceErrors]


class UnknownSection(msgspec.Struct, frozen=True):
    """A section this version does not know."""

    error: str = "unknown_section"


async def built(call: Scoped, names: list[str], span: Range) -> dict[str, Any]:
    """The sections of these names over a range, as they are stored."""
    await caught_up(call.tower, [call.project_id])
    found: dict[str, Any] = {}
    for name in names:
        builder = BUILDERS.get(name)
        found[name] = msgspec.to_builtins(await builder(call, span) if builder else UnknownSection())
    return found


async def _summary_stats(call: Scoped, span: Range) -> SummaryStats:
    db, tower = call.tower.db, call.tower
    said, work = await db.read(section_store.messages, span), await db.read(section_store.work, span)
    health = await db.read(section_store.health, span)
    money, deals = await money_of(tower, span.project_id)
    return SummaryStats(
        **msgspec.structs.asdict(said),
        **msgspec.structs.asdict(work),
        pipeline_amount=money[0].pipeline_amount,
        expected_revenue=money[0].expected_revenue,
        currency=money[0].currency,
        by_currency=money,
        open_opportunities=deals,
        health_score=health.score if health else None,
        health_generated_at=health.generated_at if health else None,
    )


async def money_of(tower: Tower, project_id: str) -> tuple[list[Finances], int]:
    """Money by currency, the main one first, and how many deals are open."""
    rows = await tower.db.read(standing_store.money, [project_id])
    stages = await tower.db.read(standing_store.funnel, [project_id])
    primary = primary_currency(rows, tower.settings.get(AnalyticsSettings).currency)
    deals = sum(stage.opportunities for stage in stages if stage.stage not in ("won", "lost"))
    return finances(rows, primary), deals


async def _connector_health(call: Scoped, span: Range) -> ConnectorHealth:
    db = call.tower.db
    return ConnectorHealth(
        watermarks=await db.read(section_store.watermarks, span),
        recent_errors_by_connector=await db.read(section_store.source_errors, _last_week(span)),
    )


async def _project_activity(call: Scoped, span: Range) -> ProjectActivity:
    db = call.tower.db
    return ProjectActivity(
        signals=await db.read(section_store.signals, span),
        messages_in_range=await db.read(section_store.said, span),
        issues=await db.read(section_store.issues, span),
    )


async def _embedding_coverage(call: Scoped, span: Range) -> EmbeddingCoverage:
    counts = msgspec.structs.asdict((await read_lightrag_status(call)).embeddings)
    total = sum(counts.values())
    return EmbeddingCoverage(
        by_status=[StatusCount(status, count) for status, count in counts.items() if count],
        totals={**counts, "total": total},
        coverage_pct=round(100 * counts["ready"] / total, 2) if total else 100.0,
    )


async def _error_summary(call: Scoped, span: Range) -> ErrorSummary:
    db, week = call.tower.db, _last_week(span)
    return ErrorSummary(
        job_errors=await db.read(section_store.job_errors, week),
        connector_errors=await db.read(section_store.source_errors, week),
    )


def _last_week(span: Range) -> Range:
    """The seven days up to the end of the range."""
    since = as_text(from_text(span.until) - timedelta(days=_ERROR_DAYS))
    return msgspec.structs.replace(span, since=since)


BUILDERS: dict[str, Callable[[Scoped, Range], Awaitable[msgspec.Struct]]] = {
    "summary_stats": _summary_stats,
    "connector_health": _connector_health,
    "project_activity": _project_activity,
    "embedding_coverage": _embedding_coverage,
    "error_summary": _error_summary,
}
