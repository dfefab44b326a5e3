"""The steps of a refresh: read the log, measure, recommend, keep the day, compare, forecast."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from ctower_desktop.insight.analytics import standing_store
from ctower_desktop.insight.analytics.aggregates import caught_up
from ctower_desktop.insight.analytics.money import finances, primary_currency
from ctower_desktop.insight.analytics.settings import AnalyticsSettings
from ctower_desktop.insight.kag import case_store, day_store, log_store, recommendation_store, store
from ctower_desktop.insight.kag.days import evidence_of, normalised, went_wrong
from ctower_desktop.insight.kag.forecast import BEHIND, MOST_EVIDENCE, forecast
from ctower_desktop.insight.kag.gate import Demands
from ctower_desktop.insight.kag.model import (
    RISK_TYPES,
    WINDOWS,
    Case,
    Evidence,
    Forecast,
    Recommendation,
    RiskType,
    Score,
    Signal,
)
from ctower_desktop.insight.kag.recommending import View, first_kind, second_kind
from ctower_desktop.insight.kag.scores import weigh
from ctower_desktop.insight.kag.settings import Kag
from ctower_desktop.insight.kag.signals import Finance, measure, needs
from ctower_desktop.insight.kag.similarity import Signature, context, features, patterns
from ctower_desktop.insight.kag.state import State
from ctower_desktop.insight.signals.sentiment import tone
from ctower_desktop.kernel.regional import Language, Regional, language, local
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import ProjectRef, Scoped, Tower

_MOST_STEPS = 50  # thousands of events read in one refresh
_MOST_EVENTS = 5_000  # that are looked at for what follows what
DEFAULT_WINDOW = 14
DEFAULT_TOP = 5


class Measured(msgspec.Struct, frozen=True):
    """How a project does now."""

    processed: int
    last_event_id: int
    state: State
    signals: list[Signal]
    scores: list[Score]


class SnapshotResult(msgspec.Struct, frozen=True):
    """The day that was kept."""

    snapshot_date: str
    signals_count: int
    scores_count: int
    outcomes_touched: int
    key_aggregates: dict[str, Any]
    publishable: bool
    evidence_refs_count: int


class SignatureResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a project looked like over some days; `skipped` says why there is nothing to say."""

    project_id: str
    window_days: int
    signature_hash: str | None = None
    features: list[float] | None = None
    context: dict[str, str] | None = None
    skipped: str | None = None


class ForecastResult(msgspec.Struct, frozen=True):
    """The forecasts that were made."""

    touched: int
    forecasts: list[Forecast]
    similar_cases_top3: list[Case]


class RecommendationsResult(msgspec.Struct, frozen=True):
    """The recommendations that are due."""

    touched: int
    generated: int
    recommendations: list[Recommendation]
    similar_cases_top3: list[Case]
    dropped_without_evidence: int


class RefreshResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a refresh did; `skipped` says why it did nothing."""

    enabled: bool
    recommendations_enabled: bool
    skipped: str | None = None
    processed_events: int = 0
    touched_signals: int = 0
    touched_scores: int = 0
    touched_recommendations: int = 0
    generated_recommendations: int = 0
    last_event_id: str | None = None
    snapshot: SnapshotResult | None = None
    forecast: ForecastResult | None = None
    recommendations_v2: RecommendationsResult | None = None


async def refresh(call: Scoped, *, day: bool = True) -> RefreshResult:
    """Everything the settings allow, in order; `day` keeps the day as well."""
    tower, project = call.tower, call.project_ref
    settings = tower.settings.get(Kag)
    if not settings.enabled:
        return RefreshResult(enabled=False, recommendations_enabled=False, skipped="kag_disabled")
    measured = await measured_now(tower, project)
    touched = 0
    if settings.recommendations:
        drafts = first_kind(_view(tower, project, measured))
        touched = await tower.db.write(store.recommend, project, drafts, tower.clock.now())
    snapshot = await keep_day(call, measured=measured) if day and settings.snapshots else None
    foreseen = await foresee(call, measured=measured) if settings.forecasting else None
    recommended = await recommend(call, measured=measured) if settings.recommendations_v2 else None
    return RefreshResult(
        enabled=True,
        recommendations_enabled=settings.recommendations,
        processed_events=measured.processed,
        touched_signals=len(measured.signals),
        touched_scores=len(measured.scores),
        touched_recommendations=touched,
        generated_recommendations=touched,
        last_event_id=str(measured.last_event_id) if measured.last_event_id else None,
        snapshot=snapshot,
        forecast=foreseen,
        recommendations_v2=recommended,
    )


async def measured_now(tower: Tower, project: ProjectRef) -> Measured:
    """Read what is new in the log, a thousand lines at a time, and measure."""
    processed = 0
    for _ in range(_MOST_STEPS):
        progress = await tower.db.write(log_store.advance, project, tower.clock.now(), tone)
        processed += progress.processed
        if progress.processed < log_store.A_STEP:
            break
    now = tower.clock.now()
    signals = measure(progress.state, await _finance(tower, project), now)
    scores = weigh(signals, needs(progress.state, now))
    await tower.db.write(store.put, project, signals, scores)
    return Measured(processed, progress.last_event_id, progress.state, signals, scores)


async def _finance(tower: Tower, project: ProjectRef) -> Finance:
    """Money in the currency the project is mostly in; money in others is not added to it."""
    await caught_up(tower, [project.id])
    rows = await tower.db.read(standing_store.money, [project.id])
    primary = primary_currency(rows, tower.settings.get(AnalyticsSettings).currency)
    found = finances(rows, primary)[0]
    evidence = await tower.db.read(log_store.booked, project.id)
    return Finance(
        planned_budget=found.budget_amount,
        actual_cost=found.costs_amount,
        revenue=found.revenue_amount or found.deal_amount,
        currency=found.currency,
        evidence=list(evidence),
    )


async def keep_day(
    call: Scoped, day: date | None = None, *, measured: Measured | None = None
) -> SnapshotResult:
    """Keep how the day ended so far, and what went wrong on it."""
    tower, project = call.tower, call.project_ref
    known = measured or await measured_now(tower, project)
    day = day or tower.clock.now().date()
    begins = datetime.combine(day, time(), UTC)
    evidence = evidence_of(known.signals)
    aggregates = await _aggregates(tower, project, known.state)
    aggregates |= {"evidence_refs_count": len(evidence), "publishable": bool(evidence)}
    moved = await tower.db.read(log_store.moved, project.id, begins)
    wrong = went_wrong(known.signals, known.scores, moved)
    bare = [msgspec.structs.replace(signal, evidence_refs=[]) for signal in known.signals]
    scores = [msgspec.structs.replace(score, evidence_refs=[]) for score in known.scores]
    ended = day_store.Ended(day.isoformat(), bare, normalised(known.signals), scores, aggregates, evidence)
    touched = await tower.db.write(day_store.put, project, ended, wrong, tower.clock.now())
    return SnapshotResult(
        ended.date, len(bare), len(scores), touched, aggregates, bool(evidence), len(evidence)
    )


async def _aggregates(tower: Tower, project: ProjectRef, state: State) -> dict[str, Any]:
    now = tower.clock.now()

    def since(days: int) -> list[dict[str, int]]:
        oldest = as_text(now - timedelta(days=days))[:13]
        return [hour.sources for at, hour in state.hours.items() if at >= oldest]

    by_source: dict[str, int] = {}
    for sources in since(14):
        for source, n in sources.items():
            by_source[source] = by_source.get(source, 0) + n
    work = await tower.db.read(day_store.work, project.id, as_text(now)[:10])
    pipeline, deals = await _pipeline(tower, project)
    return {
        **{f"events_{days}d": sum(sum(each.values()) for each in since(days)) for days in WINDOWS},
        "events_by_source_14d": by_source,
        "open_issues": work.open_issues,
        "blocked_issues": work.blocked_issues,
        "overdue_issues": work.overdue_issues,
        "pipeline_amount": pipeline,
        "opportunities": deals,
    }


async def _pipeline(tower: Tower, project: ProjectRef) -> tuple[float, int]:
    """What open deals are worth in the project's currency, and how many deals there are."""
    rows = await tower.db.read(standing_store.money, [project.id])
    primary = primary_currency(rows, tower.settings.get(AnalyticsSettings).currency)
    return finances(rows, primary)[0].pipeline_amount, sum(row.deals for row in rows)


async def compare(call: Scoped, project: ProjectRef, window_days: int) -> Signature | None:
    """What a project looked like over the last days, kept; None when no day was kept."""
    tower = call.tower
    now = tower.clock.now()
    after = (now - timedelta(days=window_days)).date().isoformat()
    days = await tower.db.read(day_store.stretch, project.id, after)
    if not days:
        return None
    since = as_text(now - timedelta(days=window_days))
    kinds = await tower.db.read(log_store.kinds_since, project.id, since, _MOST_EVENTS)
    pipeline, _ = await _pipeline(tower, project)
    stage = await tower.db.read(log_store.newest_stage, project.id)
    signature = Signature(features(days), patterns(kinds), context(pipeline, project.name, stage))
    await tower.db.write(case_store.put_signature, project, window_days, signature, as_text(now))
    return signature


async def rebuild(call: Scoped, project: ProjectRef, windows: Collection[int]) -> list[SignatureResult]:
    """What a project looked like over several stretches of days."""
    found = []
    for window in windows:
        signature = await compare(call, project, window)
        if signature is None:
            found.append(SignatureResult(project.id, window, skipped="no_snapshots"))
        else:
            kind = msgspec.structs.asdict(signature.context)
            found.append(SignatureResult(project.id, window, signature.hash, signature.features, kind))
    return found


async def similar(
    call: Scoped,
    project: ProjectRef,
    window_days: int = DEFAULT_WINDOW,
    top: int = DEFAULT_TOP,
    visible: Collection[str] | None = None,
) -> list[Case]:
    """Projects that looked like this one; `visible` are those the caller may see, None for all."""
    signature = await compare(call, project, window_days)
    if signature is None:
        return []
    return await call.tower.db.read(
        case_store.cases, project, signature, window_days, top, spoken(call.tower), visible
    )


async def foresee(
    call: Scoped,
    window_days: int = DEFAULT_WINDOW,
    top: int = DEFAULT_TOP,
    *,
    project: ProjectRef | None = None,
    measured: Measured | None = None,
    visible: Collection[str] | None = None,
) -> ForecastResult:
    """Forecast the four risks from the signals and from what became of similar projects."""
    tower, project = call.tower, project or call.project_ref
    known = measured or await measured_now(tower, project)
    cases = await similar(call, project, window_days, top)
    by_key = {signal.signal_key: signal for signal in known.signals}
    evidence: dict[RiskType, list[Evidence]] = {}
    for risk in RISK_TYPES:
        speaking = [by_key[key] for key in BEHIND[risk] if by_key[key].status != "ok"]
        evidence[risk] = list(dict.fromkeys(e for s in speaking for e in s.evidence_refs))[:MOST_EVIDENCE]
    outlooks = forecast(
        {key: signal.value for key, signal in by_key.items()},
        next(score.score for score in known.scores if score.score_type == "risk"),
        int(by_key["blockers_age"].details["open_blockers"]),
        cases,
        evidence,
    )
    at = tower.clock.text()
    await tower.db.write(case_store.put_forecasts, project, outlooks, cases, evidence, at)
    found = await tower.db.read(case_store.forecasts, project.id, unpublished=True, visible=visible)
    return ForecastResult(len(found), found, seen(cases, visible)[:3])


async def recommend(
    call: Scoped, *, measured: Measured | None = None, visible: Collection[str] | None = None
) -> RecommendationsResult:
    """Bring the recommendations with a life of their own up to date."""
    tower, project = call.tower, call.project_ref
    known = measured or await measured_now(tower, project)
    cases = await similar(call, project)
    forecasts = await tower.db.read(case_store.forecasts, project.id, unpublished=True, visible=None)
    view = _view(tower, project, known, forecasts, cases)
    due, settings = second_kind(view), tower.settings.get(Kag)
    demands = Demands(
        settings.evidence_min_count, settings.evidence_min_quality, settings.evidence_secondary_only
    )
    now = tower.clock.now()
    today = local(now, tower.settings.get(Regional)).date()
    touched = await tower.db.write(recommendation_store.follow, project, due.drafts, demands, now, today)
    found = await tower.db.read(recommendation_store.listed, [project.id], "", hidden=True, limit=100)
    return RecommendationsResult(touched, len(due.drafts), found, seen(cases, visible)[:3], due.dropped)


def seen(cases: list[Case], visible: Collection[str] | None) -> list[Case]:
    """The cases the caller may see."""
    return [case for case in cases if visible is None or case.case_project_id in visible]


def spoken(tower: Tower) -> Language:
    """The language recommendations are written in."""
    return language(tower.settings.get(Regional))


def _view(
    tower: Tower,
    project: ProjectRef,
    measured: Measured,
    forecasts: Collection[Forecast] = (),
    cases: list[Case] | None = None,
) -> View:
    return View(
        project.name,
        spoken(tower),
        {signal.signal_key: signal for signal in measured.signals},
        {score.score_type: score for score in measured.scores},
        {each.risk_type: each for each in forecasts},
        cases or [],
    )
