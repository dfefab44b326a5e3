"""Signatures of projects, the cases that are like them, and forecasts, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import apsw
import msgspec

from ctower_desktop.insight.kag import day_store
from ctower_desktop.insight.kag.forecast import Outlook
from ctower_desktop.insight.kag.model import Case, Evidence, Forecast, RiskType
from ctower_desktop.insight.kag.similarity import Context, Signature, shared_patterns, similarity, why
from ctower_desktop.kernel.regional import Language
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef

_MOST_CANDIDATES = 300
_MOST_OUTCOMES = 8


class _Candidate(msgspec.Struct, frozen=True):
    project_id: str
    name: str
    features: list[float]
    patterns: list[str]
    context: Context
    computed_at: str


_PUT_SIGNATURE = Command("""
    INSERT INTO kag_signature (project_id, account_scope_id, window_days, signature_hash, features, patterns,
        context, computed_at)
    VALUES (:project_id, :account_scope_id, :window_days, :hash, :features, :patterns, :context, :at)
    ON CONFLICT (project_id, window_days) DO UPDATE SET signature_hash = excluded.signature_hash,
        features = excluded.features, patterns = excluded.patterns, context = excluded.context,
        computed_at = excluded.computed_at
    WHERE signature_hash IS NOT excluded.signature_hash
""")
_CANDIDATES = Query(
    _Candidate,
    """
    SELECT s.project_id, p.name, s.features, s.patterns, s.context, s.computed_at
    FROM kag_signature AS s JOIN project AS p ON p.id = s.project_id
    WHERE s.account_scope_id = :account_scope_id AND s.window_days = :window_days
      AND s.project_id <> :project_id
    ORDER BY s.computed_at DESC LIMIT :limit
    """,
)
_PUT_FORECAST = Command("""
    INSERT INTO kag_forecast (project_id, account_scope_id, risk_type, probability_7d, probability_14d,
        probability_30d, expected_time_to_risk_days, confidence, top_drivers, similar_cases, evidence_refs,
        publishable, generated_at, updated_at)
    VALUES (:project_id, :account_scope_id, :risk_type, :probability_7d, :probability_14d, :probability_30d,
        :expected_time_to_risk_days, :confidence, :top_drivers, :similar_cases, :evidence_refs, :publishable,
        :at, :at)
    ON CONFLICT (project_id, risk_type) DO UPDATE SET
        updated_at = iif(probability_7d IS excluded.probability_7d AND confidence IS excluded.confidence,
                         updated_at, excluded.updated_at),
        probability_7d = excluded.probability_7d, probability_14d = excluded.probability_14d,
        probability_30d = excluded.probability_30d,
        expected_time_to_risk_days = excluded.expected_time_to_risk_days, confidence = excluded.confidence,
        top_drivers = excluded.top_drivers, similar_cases = excluded.similar_cases,
        evidence_refs = excluded.evidence_refs, publishable = excluded.publishable,
        generated_at = excluded.generated_at
""")
_FORECASTS = Query(
    Forecast,
    """
    SELECT risk_type, probability_7d, probability_14d, probability_30d, expected_time_to_risk_days,
           confidence, top_drivers, similar_cases, evidence_refs, publishable, generated_at, updated_at
    FROM kag_forecast WHERE project_id = :project_id AND (:all OR publishable = 1) ORDER BY risk_type
    """,
)


def put_signature(
    db: apsw.Connection, project: ProjectRef, window_days: int, signature: Signature, at: str
) -> None:
    """Keep what a project looked like; the same again is no news to anybody who follows changes."""
    _PUT_SIGNATURE.run(
        db,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        window_days=window_days,
        hash=signature.hash,
        features=as_json(signature.features),
        patterns=as_json(signature.patterns),
        context=as_json(signature.context),
        at=at,
    )


def cases(  # noqa: PLR0917
    db: apsw.Connection,
    project: ProjectRef,
    signature: Signature,
    window_days: int,
    top: int,
    language: Language,
    visible: Collection[str] | None,
) -> list[Case]:
    """Other projects of the scope, the most similar first; `visible` are those the caller may see."""
    ranked = []
    for candidate in _CANDIDATES.rows(
        db,
        account_scope_id=project.account_scope_id,
        window_days=window_days,
        project_id=project.id,
        limit=_MOST_CANDIDATES,
    ):
        if visible is None or candidate.project_id in visible:
            other = Signature(candidate.features, candidate.patterns, candidate.context)
            ranked.append((similarity(signature, other), candidate, other))
    ranked.sort(key=lambda found: (-found[0], found[1].project_id))
    return [
        Case(
            candidate.project_id,
            candidate.name,
            alike,
            why(signature, other, language),
            shared_patterns(signature, other),
            _outcomes(db, candidate.project_id),
            candidate.computed_at,
        )
        for alike, candidate, other in ranked[:top]
    ]


def _outcomes(db: apsw.Connection, project_id: str) -> list[dict[str, Any]]:
    return [
        {
            "outcome_type": found.outcome_type,
            "severity": found.severity,
            "occurred_at": found.occurred_at,
            "notes": found.notes,
            "evidence_count": len(found.evidence_refs),
        }
        for found in day_store.outcomes(db, project_id, "", _MOST_OUTCOMES)
    ]


def put_forecasts(  # noqa: PLR0917
    db: apsw.Connection,
    project: ProjectRef,
    outlooks: Iterable[Outlook],
    similar: list[Case],
    evidence: Mapping[RiskType, list[Evidence]],
    at: str,
) -> None:
    """Keep what is expected; one forecast for each risk."""
    for found in outlooks:
        own = [
            msgspec.structs.replace(
                case, outcomes_seen=[o for o in case.outcomes_seen if o["outcome_type"] == found.risk_type]
            )
            for case in similar
        ]
        values = msgspec.structs.asdict(found) | {
            "top_drivers": as_json(found.top_drivers),
            "similar_cases": as_json(own),
            "evidence_refs": as_json(evidence[found.risk_type]),
        }
        _PUT_FORECAST.run(
            db, project_id=project.id, account_scope_id=project.account_scope_id, at=at, **values
        )


def forecasts(
    db: apsw.Connection, project_id: str, *, unpublished: bool, visible: Collection[str] | None
) -> list[Forecast]:
    """What is expected, by risk; similar cases only as far as the caller may see those projects."""
    found = _FORECASTS.all(db, project_id=project_id, all=unpublished)
    if visible is None:
        return found
    return [
        msgspec.structs.replace(
            each, similar_cases=[c for c in each.similar_cases if c.case_project_id in visible]
        )
        for each in found
    ]
