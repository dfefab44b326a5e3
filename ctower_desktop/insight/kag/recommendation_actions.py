"""/kag/v2/recommendations: what to do, what was decided about it, and what was done."""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from ctower_desktop.insight.kag import action_store, recommendation_store
from ctower_desktop.insight.kag.access import ids, opened, visible
from ctower_desktop.insight.kag.acting import Acted, attempt, wanted
from ctower_desktop.insight.kag.model import (
    HELPFUL,
    STATUSES,
    ActionFailed,
    ActionInvalid,
    ActionNotFound,
    ActionRun,
    Helpful,
    InvalidFeedback,
    InvalidStatus,
    Recommendation,
    RecommendationNotFound,
    RetryInvalid,
    Status,
)
from ctower_desktop.insight.kag.recommendation_store import Shown
from ctower_desktop.insight.kag.refreshing import RecommendationsResult, recommend
from ctower_desktop.insight.kag.settings import KagDisabled
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import NotFound
from ctower_desktop.kernel.tower import ProjectRef, Scoped

_CLOSED = (KagDisabled, NotFound)
Id = Annotated[
    str,
    Meta(
        pattern=(
            r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
        ),
        description="An id.",
    ),
]


class RecommendationsRefreshed(msgspec.Struct, frozen=True):
    """The recommendations that are due."""

    result: RecommendationsResult


class ListRecommendations(msgspec.Struct, frozen=True, kw_only=True):
    """Which recommendations: of the active project or of all that may be seen, hidden ones too or not."""

    status: str = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    offset: Annotated[int, Meta(ge=0)] = 0
    all_projects: bool = False
    include_hidden: bool = False


class Recommendations(msgspec.Struct, frozen=True):
    """Recommendations, the most urgent first."""

    recommendations: list[Recommendation]


class OneRecommendation(msgspec.Struct, frozen=True):
    """A recommendation."""

    recommendation: Recommendation


class SetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided: new, acknowledged, done or dismissed."""

    status: str = ""
    all_projects: bool = False


class SetFeedback(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it helped: helpful, not_helpful or unknown."""

    helpful: str = "unknown"
    note: Annotated[str, Meta(max_length=2_000)] | None = None
    all_projects: bool = False


class NoteShown(msgspec.Struct, frozen=True, kw_only=True):
    """Which recommendations somebody saw."""

    recommendation_ids: Annotated[list[str], Meta(max_length=200)] = []
    all_projects: bool = False


class WereShown(msgspec.Struct, frozen=True):
    """How often they were seen by now."""

    shown: list[Shown]


class Runs(msgspec.Struct, frozen=True):
    """What was done about a recommendation, the last first."""

    runs: list[ActionRun]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: `create_or_update_task`, `send_message` or `set_reminder`."""

    action_type: str = ""
    action_payload: dict[str, Any] = {}
    max_retries: Annotated[int, Meta(ge=0, le=10)] = 3
    all_projects: bool = False


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """Whether to look in all projects that may be seen."""

    all_projects: bool = False


@TOWER.post("/kag/v2/recommendations/refresh", raises=_CLOSED, audit="kag.v2.recommendations.refresh")
async def refresh_recommendations(call: Scoped) -> RecommendationsRefreshed:
    """Bring recommendations up to date; what somebody decided about them stays."""
    opened(call)
    found = await recommend(call, visible=await visible(call))
    call.noted.about("kag", call.project_id, touched=found.touched, generated=found.generated)
    return RecommendationsRefreshed(found)


@TOWER.get("/kag/v2/recommendations", raises=_CLOSED)
async def list_recommendations(call: Scoped, query: ListRecommendations) -> Recommendations:
    """What to do, the most urgent first."""
    opened(call)
    found = await call.tower.db.read(
        recommendation_store.listed,
        await ids(call, everywhere=query.all_projects),
        query.status,
        hidden=query.include_hidden,
        limit=query.limit,
        offset=query.offset,
    )
    return Recommendations(found)


@TOWER.post(
    "/kag/v2/recommendations/{recommendation_id}/status",
    raises=(*_CLOSED, InvalidStatus, RecommendationNotFound),
    audit="recommendation_status_updated",
)
async def set_recommendation_status(
    call: Scoped, recommendation_id: Id, body: SetStatus
) -> OneRecommendation:
    """Say that it was noted, done or dismissed, or take that back."""
    opened(call)
    if body.status not in STATUSES:
        raise InvalidStatus
    found = await call.tower.db.write_durably(
        recommendation_store.decide,
        await ids(call, everywhere=body.all_projects),
        recommendation_id.lower(),
        cast(Status, body.status),
        call.tower.clock.text(),
    )
    await _about(call, found, status_now=found.status)
    return OneRecommendation(found)


@TOWER.post(
    "/kag/v2/recommendations/{recommendation_id}/feedback",
    raises=(*_CLOSED, InvalidFeedback, RecommendationNotFound),
    audit="recommendation_feedback_updated",
)
async def rate_recommendation(call: Scoped, recommendation_id: Id, body: SetFeedback) -> OneRecommendation:
    """Say whether it helped."""
    opened(call)
    if body.helpful not in HELPFUL:
        raise InvalidFeedback
    found = await call.tower.db.write_durably(
        recommendation_store.judge_help,
        await ids(call, everywhere=body.all_projects),
        recommendation_id.lower(),
        cast(Helpful, body.helpful),
        body.note or None,
        call.tower.clock.text(),
    )
    await _about(call, found, helpful=found.helpful_feedback)
    return OneRecommendation(found)


@TOWER.post("/kag/v2/recommendations/shown", raises=_CLOSED, audit="recommendations_shown")
async def note_shown(call: Scoped, body: NoteShown) -> WereShown:
    """Note that somebody saw these; unknown and hidden ones are left out."""
    opened(call)
    found = await call.tower.db.write(
        recommendation_store.show,
        await ids(call, everywhere=body.all_projects),
        [each.lower() for each in body.recommendation_ids],
        call.tower.clock.text(),
    )
    call.noted.about("recommendation", "", shown=[each.id for each in found])
    return WereShown(found)


@TOWER.get("/kag/v2/recommendations/{recommendation_id}/actions", raises=(*_CLOSED, RecommendationNotFound))
async def list_recommendation_actions(call: Scoped, recommendation_id: Id) -> Runs:
    """What was done about a recommendation, the last first."""
    opened(call)
    db, own = call.tower.db, await ids(call, everywhere=True)
    found = await db.read(recommendation_store.found, own, recommendation_id.lower())
    return Runs(await db.read(action_store.listed, found.id))


@TOWER.post(
    "/kag/v2/recommendations/{recommendation_id}/actions",
    raises=(*_CLOSED, RecommendationNotFound, ActionInvalid, ActionFailed),
    audit="recommendation_action_started",
    role="pm",
)
async def act_on_recommendation(call: Scoped, recommendation_id: Id, body: Act) -> Acted:
    """Make a task of it, send its message, or set a reminder; the same twice is done once."""
    tower = opened(call)
    own = await ids(call, everywhere=body.all_projects)
    about = await tower.db.read(recommendation_store.found, own, recommendation_id.lower())
    wish = wanted(call, about, body.action_type, body.action_payload, body.max_retries)
    project = await _about(call, about, action_type=body.action_type)
    begun = await tower.db.write_durably(action_store.begin, project, wish, tower.clock.text())
    if begun.known:
        return Acted(begun.run, about, idempotent=True)
    return await attempt(call, project, about, begun.run)


@TOWER.post(
    "/kag/v2/recommendations/actions/{action_id}/retry",
    raises=(*_CLOSED, ActionNotFound, RetryInvalid, ActionFailed, RecommendationNotFound),
    audit="recommendation_action_retried",
    role="pm",
)
async def retry_recommendation_action(call: Scoped, action_id: Id, body: Again) -> Acted:
    """Try once more what failed; it makes no second task and no second message."""
    tower = opened(call)
    own = await ids(call, everywhere=body.all_projects)
    run = await tower.db.write_durably(action_store.again, own, action_id.lower(), tower.clock.now())
    about = await tower.db.read(recommendation_store.found, own, run.recommendation_id)
    project = await _about(call, about, action_type=run.action_type)
    return await attempt(call, project, about, run)


async def _about(call: Scoped, found: Recommendation, **noted: Any) -> ProjectRef:
    """Note which recommendation it is about, in the project it belongs to; return that project."""
    call.noted.about("recommendation", found.id, category=found.category, **noted)
    project = (await visible(call))[found.project_id]
    call.noted.project = project
    return project
