"""Recommendations with a life of their own, in SQL: one story for each cause."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import apsw
import msgspec

from ctower_desktop.insight.kag.gate import Demands, judge, links
from ctower_desktop.insight.kag.model import (
    Evidence,
    Helpful,
    Recommendation,
    RecommendationNotFound,
    Status,
)
from ctower_desktop.insight.kag.recommending import RESUMED_WITHIN, Draft
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import as_text, new_id
from ctower_desktop.kernel.tower import ProjectRef

CAUSE_GONE = "cause_gone"


class Shown(msgspec.Struct, frozen=True):
    """A recommendation that somebody saw."""

    id: str
    project_id: str
    category: str
    status: Status
    shown_count: int
    evidence_refs: list[Evidence]


class _Known(msgspec.Struct, frozen=True):
    id: str
    status: Status
    due_date: str
    priority: int


class _Id(msgspec.Struct, frozen=True):
    id: str


_COLUMNS = """
    r.id, r.project_id, r.category, r.priority, r.due_date, r.owner_role, r.status, r.title, r.rationale,
    r.why_now, r.expected_impact, r.evidence_refs, r.links, r.suggested_template_key, r.suggested_template,
    r.helpful_feedback, r.feedback_note, r.signal_snapshot, r.forecast_snapshot, r.evidence_count,
    r.evidence_quality_score, r.evidence_gate_status, r.evidence_gate_reason, r.first_shown_at,
    r.last_shown_at, r.shown_count, r.acknowledged_at, r.dismissed_at, r.completed_at, r.created_at,
    r.updated_at, p.name AS project_name, '' AS project_badge_color
"""
_LISTED = Query(
    Recommendation,
    f"""
    SELECT {_COLUMNS} FROM kag_recommendation_v2 AS r JOIN project AS p ON p.id = r.project_id
    WHERE r.project_id = :project_id AND (:status = '' OR r.status = :status)
      AND (:hidden OR r.evidence_gate_status = 'visible')
    ORDER BY r.priority DESC, r.updated_at DESC, r.id LIMIT :limit OFFSET :offset
    """,
)
_WAITING = Query(
    Recommendation,
    f"""
    SELECT {_COLUMNS} FROM kag_recommendation_v2 AS r JOIN project AS p ON p.id = r.project_id
    WHERE r.project_id = :project_id AND r.status IN ('new', 'acknowledged') AND r.ended_at IS NULL
      AND r.evidence_gate_status = 'visible'
    ORDER BY r.priority DESC, r.updated_at DESC, r.id LIMIT :limit
    """,
)
_EVERYWHERE = Query(
    Recommendation,
    f"""
    SELECT {_COLUMNS} FROM json_each(:ids) AS wanted CROSS JOIN project AS p ON p.id = wanted.value
    CROSS JOIN kag_recommendation_v2 AS r ON r.project_id = p.id
    WHERE (:status = '' OR r.status = :status) AND (:hidden OR r.evidence_gate_status = 'visible')
    ORDER BY r.priority DESC, r.updated_at DESC, r.id LIMIT :limit OFFSET :offset
    """,
)
_ONE = Query(
    Recommendation,
    f"""
    SELECT {_COLUMNS} FROM kag_recommendation_v2 AS r JOIN project AS p ON p.id = r.project_id
    WHERE r.id = :id AND r.project_id IN (SELECT value FROM json_each(:ids))
    """,
    missing=RecommendationNotFound,
)
_STORY = Query(
    _Known,
    """
    SELECT id, status, due_date, priority FROM kag_recommendation_v2
    WHERE project_id = :project_id AND category = :category AND (ended_at IS NULL OR ended_at >= :since)
    ORDER BY ended_at IS NOT NULL, ended_at DESC LIMIT 1
    """,
)
_BEGIN = Command("""
    INSERT INTO kag_recommendation_v2 (id, project_id, account_scope_id, category, priority, due_date,
        owner_role, title, rationale, why_now, expected_impact, evidence_refs, links, suggested_template_key,
        suggested_template, signal_snapshot, forecast_snapshot, evidence_count, evidence_quality_score,
        evidence_gate_status, evidence_gate_reason, created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :category, :priority, :due_date, :owner_role, :title,
        :rationale, :why_now, :impact, :evidence, :links, :template_key, :template, :signals, :forecasts,
        :count, :quality, :gate, :reason, :at, :at)
""")
_GO_ON = Command("""
    UPDATE kag_recommendation_v2 SET priority = :priority, due_date = :due_date, owner_role = :owner_role,
        title = :title, rationale = :rationale, why_now = :why_now, expected_impact = :impact,
        evidence_refs = :evidence, links = :links, suggested_template_key = :template_key,
        suggested_template = :template, signal_snapshot = :signals, forecast_snapshot = :forecasts,
        evidence_count = :count, evidence_quality_score = :quality, evidence_gate_status = :gate,
        evidence_gate_reason = :reason, ended_at = NULL,
        updated_at = iif((priority, title, rationale, evidence_refs, evidence_gate_status)
                         IS (:priority, :title, :rationale, :evidence, :gate), updated_at, :at)
    WHERE id = :id
""")
_END = Query(
    _Id,
    """
    UPDATE kag_recommendation_v2 SET ended_at = :at, updated_at = :at,
        evidence_gate_status = iif(status IN ('new', 'acknowledged'), 'hidden', evidence_gate_status),
        evidence_gate_reason = iif(status IN ('new', 'acknowledged'), :reason, evidence_gate_reason)
    WHERE project_id = :project_id AND ended_at IS NULL
      AND category NOT IN (SELECT value FROM json_each(:categories))
    RETURNING id
    """,
)
_DECIDE = Command("""
    UPDATE kag_recommendation_v2 SET status = :status, updated_at = :at,
        acknowledged_at = CASE :status WHEN 'new' THEN NULL
            WHEN 'acknowledged' THEN :at ELSE acknowledged_at END,
        completed_at = CASE :status WHEN 'done' THEN :at END,
        dismissed_at = CASE :status WHEN 'dismissed' THEN :at END
    WHERE id = :id
""")
_FEEDBACK = Command("""
    UPDATE kag_recommendation_v2 SET helpful_feedback = :helpful, feedback_note = :note, updated_at = :at
    WHERE id = :id
""")
_SHOW = Query(
    Shown,
    """
    UPDATE kag_recommendation_v2
    SET shown_count = shown_count + 1, last_shown_at = :at, first_shown_at = coalesce(first_shown_at, :at)
    WHERE id IN (SELECT value FROM json_each(:wanted)) AND evidence_gate_status = 'visible'
      AND project_id IN (SELECT value FROM json_each(:ids))
    RETURNING id, project_id, category, status, shown_count, evidence_refs
    """,
)


def badge(project_id: str) -> str:
    """The colour that stands for a project."""
    return f"#{hashlib.sha1(project_id.encode(), usedforsecurity=False).hexdigest()[:6]}"


def _badged(found: Iterable[Recommendation]) -> list[Recommendation]:
    return [msgspec.structs.replace(each, project_badge_color=badge(each.project_id)) for each in found]


def listed(
    db: apsw.Connection, ids: Sequence[str], status: str, *, hidden: bool, limit: int, offset: int = 0
) -> list[Recommendation]:
    """Recommendations of these projects, the most urgent first; hidden ones only if asked for."""
    page = {"status": status, "hidden": hidden, "limit": limit, "offset": offset}
    if len(ids) == 1:
        return _badged(_LISTED.all(db, project_id=ids[0], **page))
    return _badged(_EVERYWHERE.all(db, ids=as_json(list(ids)), **page))


def found(db: apsw.Connection, ids: Sequence[str], recommendation_id: str) -> Recommendation:
    """One recommendation of these projects; raise RecommendationNotFound."""
    return _badged([_ONE.one(db, id=recommendation_id, ids=as_json(list(ids)))])[0]


def follow(  # noqa: PLR0917
    db: apsw.Connection,
    project: ProjectRef,
    drafts: Iterable[Draft],
    demands: Demands,
    now: datetime,
    today: date,
) -> int:
    """Bring the stories up to date: what is still so goes on with its status, what is no longer so ends.

    A new story begins only where none is open and none has just ended. Return how many were touched.
    """
    at, since, touched = as_text(now), as_text(now - RESUMED_WITHIN), 0
    named = []
    for draft in drafts:
        named.append(draft.category)
        known = _STORY.first(db, project_id=project.id, category=draft.category, since=since)
        due = (today + timedelta(days=draft.due_days)).isoformat()
        values = _values(draft, demands, at)
        if known is None:
            scope = {"project_id": project.id, "account_scope_id": project.account_scope_id}
            _BEGIN.run(db, id=new_id(), **scope, category=draft.category, due_date=due, **values)
        else:  # the day stays, unless it has become more urgent
            sooner = min(due, known.due_date) if draft.priority > known.priority else known.due_date
            _GO_ON.run(db, id=known.id, due_date=sooner, **values)
        touched += 1
    ended = _END.all(db, project_id=project.id, at=at, reason=CAUSE_GONE, categories=as_json(named))
    return touched + len(ended)


def _values(draft: Draft, demands: Demands, at: str) -> dict[str, str | int | float | None]:
    verdict = judge(draft.evidence, demands)
    return {
        "priority": draft.priority,
        "owner_role": draft.owner_role,
        "title": draft.words.title,
        "rationale": draft.words.rationale,
        "why_now": draft.words.why_now,
        "impact": draft.words.impact,
        "evidence": as_json(draft.evidence),
        "links": as_json(links(draft.evidence)),
        "template_key": draft.template_key,
        "template": draft.words.template,
        "signals": as_json(draft.signals),
        "forecasts": as_json(draft.forecasts),
        "count": verdict.count,
        "quality": verdict.quality,
        "gate": verdict.status,
        "reason": verdict.reason,
        "at": at,
    }


def decide(
    db: apsw.Connection, ids: Sequence[str], recommendation_id: str, status: Status, at: str
) -> Recommendation:
    """Somebody takes note of it, did it, dismisses it, or takes that back."""
    found(db, ids, recommendation_id)
    _DECIDE.run(db, id=recommendation_id, status=status, at=at)
    return found(db, ids, recommendation_id)


def judge_help(  # noqa: PLR0917
    db: apsw.Connection,
    ids: Sequence[str],
    recommendation_id: str,
    helpful: Helpful,
    note: str | None,
    at: str,
) -> Recommendation:
    """Somebody says whether it helped."""
    found(db, ids, recommendation_id)
    _FEEDBACK.run(db, id=recommendation_id, helpful=helpful, note=note, at=at)
    return found(db, ids, recommendation_id)


def show(db: apsw.Connection, ids: Sequence[str], wanted: Sequence[str], at: str) -> list[Shown]:
    """Note that these were seen; those that are hidden or elsewhere are left out."""
    return _SHOW.all(db, ids=as_json(list(ids)), wanted=as_json(list(wanted)), at=at)


def waiting(db: apsw.Connection, project_id: str, limit: int) -> list[Recommendation]:
    """Those that nobody has settled, the most urgent first."""
    return _badged(_WAITING.all(db, project_id=project_id, limit=limit))
