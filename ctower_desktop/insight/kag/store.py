"""Signals, scores, recommendations of the first kind, and the overview of all this, in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import apsw
import msgspec

from ctower_desktop.insight.kag import action_store, case_store, recommendation_store
from ctower_desktop.insight.kag.model import KagSummary, OldRecommendation, Score, Signal
from ctower_desktop.insight.kag.recommending import RESUMED_WITHIN, Draft
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import as_text, new_id
from ctower_desktop.kernel.tower import ProjectRef

_MOST_SHOWN = 5  # recommendations in an overview


class _Known(msgspec.Struct, frozen=True):
    id: str
    cleared_at: str | None


_SIGNALS = Query(
    Signal,
    """
    SELECT signal_key, value, status, threshold_warn, threshold_critical, details, evidence_refs, computed_at,
           updated_at
    FROM kag_signal WHERE project_id = :project_id
    ORDER BY CASE status WHEN 'critical' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, signal_key
    LIMIT :limit OFFSET :offset
    """,
)
_PUT_SIGNAL = Command("""
    INSERT INTO kag_signal (project_id, account_scope_id, signal_key, value, status, threshold_warn,
        threshold_critical, details, evidence_refs, computed_at, updated_at)
    VALUES (:project_id, :account_scope_id, :signal_key, :value, :status, :threshold_warn,
        :threshold_critical, :details, :evidence_refs, :computed_at, :updated_at)
    ON CONFLICT (project_id, signal_key) DO UPDATE SET value = excluded.value, status = excluded.status,
        threshold_warn = excluded.threshold_warn, threshold_critical = excluded.threshold_critical,
        details = excluded.details, evidence_refs = excluded.evidence_refs,
        computed_at = excluded.computed_at,
        updated_at = iif((value, status) IS (excluded.value, excluded.status),
                         updated_at, excluded.updated_at)
""")
_SCORES = Query(
    Score,
    """
    SELECT score_type, score, level, weights, thresholds, factors, evidence_refs, computed_at, updated_at
    FROM kag_score WHERE project_id = :project_id ORDER BY score_type LIMIT :limit OFFSET :offset
    """,
)
_PUT_SCORE = Command("""
    INSERT INTO kag_score (project_id, account_scope_id, score_type, score, level, weights, thresholds,
        factors, evidence_refs, computed_at, updated_at)
    VALUES (:project_id, :account_scope_id, :score_type, :score, :level, :weights, :thresholds, :factors,
        :evidence_refs, :computed_at, :updated_at)
    ON CONFLICT (project_id, score_type) DO UPDATE SET score = excluded.score, level = excluded.level,
        weights = excluded.weights, thresholds = excluded.thresholds, factors = excluded.factors,
        evidence_refs = excluded.evidence_refs, computed_at = excluded.computed_at,
        updated_at = iif((score, level) IS (excluded.score, excluded.level), updated_at, excluded.updated_at)
""")
_LISTED = Query(
    OldRecommendation,
    """
    SELECT id, category, priority, status, title, rationale, suggested_template_key, suggested_template,
           evidence_refs, signal_snapshot, score_snapshot, created_at, updated_at
    FROM kag_recommendation
    WHERE project_id = :project_id AND (:status = '' OR status = :status)
      AND (cleared_at IS NULL OR status <> 'proposed')
    ORDER BY priority DESC, updated_at DESC, id LIMIT :limit OFFSET :offset
    """,
)
_LATEST = Query(
    _Known,
    """
    SELECT id, cleared_at FROM kag_recommendation
    WHERE project_id = :project_id AND category = :category AND (cleared_at IS NULL OR cleared_at >= :since)
    ORDER BY cleared_at IS NOT NULL, cleared_at DESC LIMIT 1
    """,
)
_INSERT = Command("""
    INSERT INTO kag_recommendation (id, project_id, account_scope_id, category, priority, title, rationale,
        suggested_template_key, suggested_template, evidence_refs, signal_snapshot, score_snapshot,
        created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :category, :priority, :title, :rationale,
        :template_key, :template, :evidence_refs, :signal_snapshot, :score_snapshot, :at, :at)
""")
_UPDATE = Command("""
    UPDATE kag_recommendation SET priority = :priority, title = :title, rationale = :rationale,
        suggested_template_key = :template_key, suggested_template = :template,
        evidence_refs = :evidence_refs, signal_snapshot = :signal_snapshot,
        score_snapshot = :score_snapshot, cleared_at = NULL,
        updated_at = iif((priority, title, rationale, evidence_refs)
                         IS (:priority, :title, :rationale, :evidence_refs), updated_at, :at)
    WHERE id = :id
""")
_CLEAR = Command("""
    UPDATE kag_recommendation SET cleared_at = :at
    WHERE project_id = :project_id AND cleared_at IS NULL
      AND category NOT IN (SELECT value FROM json_each(:categories))
""")


def signals(db: apsw.Connection, project_id: str, limit: int = 100, offset: int = 0) -> list[Signal]:
    """Signals as last measured, the worst first."""
    return _SIGNALS.all(db, project_id=project_id, limit=limit, offset=offset)


def scores(db: apsw.Connection, project_id: str, limit: int = 20, offset: int = 0) -> list[Score]:
    """Scores as last computed."""
    return _SCORES.all(db, project_id=project_id, limit=limit, offset=offset)


def put(db: apsw.Connection, project: ProjectRef, measured: list[Signal], weighed: list[Score]) -> None:
    """Keep what was measured; `updated_at` tells when a value last changed."""
    scope = {"project_id": project.id, "account_scope_id": project.account_scope_id}
    for command, rows in ((_PUT_SIGNAL, measured), (_PUT_SCORE, weighed)):
        for row in rows:
            values = {
                name: as_json(value) if isinstance(value, list | dict) else value
                for name, value in msgspec.structs.asdict(row).items()
            }
            command.run(db, **scope, **values)


def recommendations(
    db: apsw.Connection, project_id: str, status: str, limit: int, offset: int
) -> list[OldRecommendation]:
    """Recommendations whose cause lasts, and those somebody decided on; the most urgent first."""
    return _LISTED.all(db, project_id=project_id, status=status, limit=limit, offset=offset)


def recommend(db: apsw.Connection, project: ProjectRef, drafts: Iterable[Draft], now: datetime) -> int:
    """One recommendation for each cause: its text follows the figures, its status stays as it is."""
    at, since = as_text(now), as_text(now - RESUMED_WITHIN)
    named = []
    for draft in drafts:
        named.append(draft.category)
        values = {
            "priority": draft.priority,
            "title": draft.words.title,
            "rationale": draft.words.rationale,
            "template_key": draft.template_key,
            "template": draft.words.template,
            "evidence_refs": as_json(draft.evidence),
            "signal_snapshot": as_json(draft.signals),
            "score_snapshot": as_json(draft.scores),
            "at": at,
        }
        known = _LATEST.first(db, project_id=project.id, category=draft.category, since=since)
        if known is not None:
            _UPDATE.run(db, id=known.id, **values)
        else:
            _INSERT.run(
                db,
                id=new_id(),
                project_id=project.id,
                account_scope_id=project.account_scope_id,
                category=draft.category,
                **values,
            )
    _CLEAR.run(db, project_id=project.id, categories=as_json(named), at=at)
    return len(named)


def summary(db: apsw.Connection, project_id: str) -> KagSummary:
    """What a project's overview shows: health, what is not well, what is expected, what to do."""
    found = {score.score_type: score for score in scores(db, project_id)}
    health, risk = found.get("project_health"), found.get("risk")
    return KagSummary(
        health.score if health else None,
        risk.score if risk else None,
        [signal for signal in signals(db, project_id) if signal.status != "ok"],
        case_store.forecasts(db, project_id, unpublished=False, visible=()),
        recommendation_store.waiting(db, project_id, _MOST_SHOWN),
        action_store.unseen(db, project_id),
        health.computed_at if health else None,
    )
