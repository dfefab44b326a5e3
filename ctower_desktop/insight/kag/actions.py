"""/kag: signals, scores, events, days, similar cases and forecasts; recommendations are next door."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.insight.kag import (
    case_store,
    day_store,
    log_store,
    recommendation_actions,  # noqa: F401 - declares its endpoints
    store,
)
from ctower_desktop.insight.kag.access import chosen, opened, visible
from ctower_desktop.insight.kag.model import (
    WINDOWS,
    Case,
    Forecast,
    LogEvent,
    OldRecommendation,
    Outcome,
    Score,
    Signal,
    Snapshot,
)
from ctower_desktop.insight.kag.refreshing import (
    DEFAULT_TOP,
    DEFAULT_WINDOW,
    ForecastResult,
    RefreshResult,
    SignatureResult,
    SnapshotResult,
    foresee,
    keep_day,
    rebuild,
    refresh,
    similar,
)
from ctower_desktop.insight.kag.settings import KagDisabled
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import Invalid, InvalidUuid, Issue, NotFound
from ctower_desktop.kernel.tower import Scoped
from ctower_desktop.projects.model import ProjectNotFound

_CLOSED = (KagDisabled, NotFound)
_ELSEWHERE = (*_CLOSED, ProjectNotFound, InvalidUuid)
Offset = Annotated[int, Meta(ge=0, description="How many to leave out")]
Top = Annotated[int, Meta(ge=1, le=50, description="How many at most")]
Window = Literal[7, 14, 30]


class ListSignals(msgspec.Struct, frozen=True, kw_only=True):
    """How many signals."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    offset: Offset = 0


class Signals(msgspec.Struct, frozen=True):
    """Signals, the worst first."""

    signals: list[Signal]


class ListScores(msgspec.Struct, frozen=True, kw_only=True):
    """How many scores."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    offset: Offset = 0


class Scores(msgspec.Struct, frozen=True):
    """Scores, by name."""

    scores: list[Score]


class ListOldRecommendations(msgspec.Struct, frozen=True, kw_only=True):
    """Which recommendations of the first kind."""

    status: str = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    offset: Offset = 0


class OldRecommendations(msgspec.Struct, frozen=True):
    """Recommendations of the first kind, the most urgent first."""

    recommendations: list[OldRecommendation]


class ListEvents(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of the event log."""

    type: str = ""
    source: str = ""
    limit: Annotated[int, Meta(ge=1, le=2000)] = 200
    offset: Offset = 0


class LogEvents(msgspec.Struct, frozen=True):
    """Lines of the event log, the newest first."""

    events: list[LogEvent]


class KeepDay(msgspec.Struct, frozen=True):
    """Which day to keep; today if none is named."""

    snapshot_date: Annotated[str, Meta(max_length=10)] | None = None


class ListSnapshots(msgspec.Struct, frozen=True, kw_only=True):
    """How many days, and whether also those that stand on nothing."""

    limit: Annotated[int, Meta(ge=1, le=365)] = 30
    offset: Offset = 0
    include_unpublished: bool = False


class Snapshots(msgspec.Struct, frozen=True):
    """Days, the newest first."""

    snapshots: list[Snapshot]


class ListOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """Which of what went wrong."""

    outcome_type: str = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    offset: Offset = 0


class Outcomes(msgspec.Struct, frozen=True):
    """What went wrong, the last first."""

    outcomes: list[Outcome]


class Rebuild(msgspec.Struct, frozen=True):
    """Which project to look at, and over how many days; the active one over 7, 14 and 30 if not said."""

    project_id: str | None = None
    window_days: Window | None = None


class FindSimilar(msgspec.Struct, frozen=True, kw_only=True):
    """Similar to which project, over how many days (7, 14 or 30), and how many."""

    project_id: str = ""
    window_days: int = DEFAULT_WINDOW
    top_k: Top = DEFAULT_TOP


class SimilarCases(msgspec.Struct, frozen=True):
    """The three most similar projects, and all that were asked for."""

    cases: list[Case]
    all: list[Case]


class RefreshForecast(msgspec.Struct, frozen=True):
    """For which project to forecast, and from how many similar ones over how many days."""

    project_id: str | None = None
    window_days: Window | None = None
    top_k: Top | None = None


class ReadForecast(msgspec.Struct, frozen=True, kw_only=True):
    """Whose forecast, and whether also what stands on nothing."""

    project_id: str = ""
    window_days: int = DEFAULT_WINDOW
    top_k: Top = 3
    include_unpublished: bool = False


class Forecasts(msgspec.Struct, frozen=True):
    """The forecast of each risk, and the most similar projects."""

    forecasts: list[Forecast]
    similar_cases_top3: list[Case]


class Refreshed(msgspec.Struct, frozen=True):
    """What the refresh did."""

    result: RefreshResult


class DayKept(msgspec.Struct, frozen=True):
    """The day that was kept."""

    result: SnapshotResult


class Rebuilt(msgspec.Struct, frozen=True):
    """What the project looked like over each stretch of days."""

    result: list[SignatureResult]


class Foreseen(msgspec.Struct, frozen=True):
    """What is expected."""

    result: ForecastResult


@TOWER.post("/kag/refresh", raises=_CLOSED, audit="kag.refresh")
async def refresh_kag(call: Scoped) -> Refreshed:
    """Read the event log and bring everything up to date that the settings allow."""
    opened(call)
    found = await refresh(call)
    call.noted.about("kag", call.project_id, processed_events=found.processed_events, enabled=found.enabled)
    return Refreshed(found)


@TOWER.get("/kag/signals", raises=_CLOSED)
async def list_kag_signals(call: Scoped, query: ListSignals) -> Signals:
    """How the project does, in ten signs, the worst first."""
    db = opened(call).db
    return Signals(await db.read(store.signals, call.project_id, query.limit, query.offset))


@TOWER.get("/kag/scores", raises=_CLOSED)
async def list_kag_scores(call: Scoped, query: ListScores) -> Scores:
    """Health, risk, client value and the chance to sell more, with what they are made of."""
    db = opened(call).db
    return Scores(await db.read(store.scores, call.project_id, query.limit, query.offset))


@TOWER.get("/kag/recommendations", raises=_CLOSED)
async def list_old_recommendations(call: Scoped, query: ListOldRecommendations) -> OldRecommendations:
    """Recommendations of the first kind, the most urgent first."""
    db = opened(call).db
    page = (query.status, query.limit, query.offset)
    return OldRecommendations(await db.read(store.recommendations, call.project_id, *page))


@TOWER.get("/kag/events", raises=_CLOSED)
async def list_log_events(call: Scoped, query: ListEvents) -> LogEvents:
    """What happened at the vendors, as the event log has it, the newest first."""
    db = opened(call).db
    page = (query.type, query.source, query.limit, query.offset)
    return LogEvents(await db.read(log_store.events, call.project_id, *page))


@TOWER.post("/kag/snapshots/refresh", raises=_CLOSED, audit="kag.snapshot.refresh")
async def refresh_snapshot(call: Scoped, body: KeepDay) -> DayKept:
    """Keep how the day stands, and what went wrong on it."""
    today = opened(call).clock.now().date()
    found = await keep_day(call, _day(body.snapshot_date, today))
    call.noted.about("kag_snapshot", found.snapshot_date, outcomes=found.outcomes_touched)
    return DayKept(found)


def _day(text: str | None, today: date) -> date:
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _no_day("A day is written as 2026-11-20.") from None
    if day > today:
        raise _no_day("That day is still to come.")
    return day


def _no_day(why: str) -> Invalid:
    return Invalid(issues=(Issue("snapshot_date", why, "invalid_value"),))


@TOWER.get("/kag/snapshots", raises=_CLOSED)
async def list_snapshots(call: Scoped, query: ListSnapshots) -> Snapshots:
    """How the days ended, the newest first."""
    found = await opened(call).db.read(
        day_store.snapshots,
        call.project_id,
        limit=query.limit,
        offset=query.offset,
        unpublished=query.include_unpublished,
    )
    return Snapshots(found)


@TOWER.get("/kag/outcomes", raises=_CLOSED)
async def list_outcomes(call: Scoped, query: ListOutcomes) -> Outcomes:
    """What went wrong so far, the last first."""
    db = opened(call).db
    page = (query.outcome_type, query.limit, query.offset)
    return Outcomes(await db.read(day_store.outcomes, call.project_id, *page))


@TOWER.post("/kag/similarity/rebuild", raises=_ELSEWHERE, audit="kag.similarity.rebuild")
async def rebuild_similarity(call: Scoped, body: Rebuild) -> Rebuilt:
    """Work out anew what a project looked like over the last days."""
    opened(call)
    project = await chosen(call, body.project_id)
    found = await rebuild(call, project, (body.window_days,) if body.window_days else WINDOWS)
    call.noted.about("project", project.id, windows=[each.window_days for each in found])
    return Rebuilt(found)


@TOWER.get("/kag/similar-cases", raises=_ELSEWHERE)
async def find_similar_cases(call: Scoped, query: FindSimilar) -> SimilarCases:
    """Other projects that looked like this one, and what went wrong there."""
    opened(call)
    project = await chosen(call, query.project_id)
    found = await similar(call, project, _window(query.window_days), query.top_k, await visible(call))
    return SimilarCases(found[:3], found)


def _window(days: int) -> int:
    return days if days in WINDOWS else DEFAULT_WINDOW


@TOWER.post("/kag/v2/forecast/refresh", raises=_ELSEWHERE, audit="kag.v2.forecast.refresh")
async def refresh_forecast(call: Scoped, body: RefreshForecast) -> Foreseen:
    """Forecast the four risks anew."""
    opened(call)
    project = await chosen(call, body.project_id)
    found = await foresee(
        call,
        body.window_days or DEFAULT_WINDOW,
        body.top_k or DEFAULT_TOP,
        project=project,
        visible=await visible(call),
    )
    call.noted.about("project", project.id, touched=found.touched)
    return Foreseen(found)


@TOWER.get("/kag/v2/forecast", raises=_ELSEWHERE)
async def read_kag_forecast(call: Scoped, query: ReadForecast) -> Forecasts:
    """How likely the four risks are to come true within 7, 14 and 30 days."""
    db = opened(call).db
    project, seen = await chosen(call, query.project_id), await visible(call)
    found = await db.read(
        case_store.forecasts, project.id, unpublished=query.include_unpublished, visible=seen
    )
    cases = await similar(call, project, _window(query.window_days), query.top_k, seen)
    return Forecasts(found, cases[:3])
