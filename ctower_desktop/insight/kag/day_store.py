"""Days and what went wrong on them, in SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import apsw
import msgspec

from ctower_desktop.insight.kag.days import Wrong
from ctower_desktop.insight.kag.model import Evidence, Outcome, Score, Signal, Snapshot
from ctower_desktop.insight.kag.similarity import Day
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import as_text, new_id
from ctower_desktop.kernel.tower import ProjectRef


class Work(msgspec.Struct, frozen=True):
    """How much work is open, blocked and late."""

    open_issues: int
    blocked_issues: int
    overdue_issues: int


class Ended(msgspec.Struct, frozen=True):
    """How a day ended, before it is stored."""

    date: str
    signals: list[Signal]
    normalised: dict[str, float]
    scores: list[Score]
    aggregates: dict[str, Any]
    evidence: list[Evidence]


class _Kept(msgspec.Struct, frozen=True):
    signals_json: list[dict[str, Any]]
    scores_json: list[dict[str, Any]]
    key_aggregates_json: dict[str, Any]


_WORK = Query(
    Work,
    """
    SELECT (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
              AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL) AS open_issues,
           (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
              AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL AND blocked = 1)
               AS blocked_issues,
           (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
              AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL
              AND due_date < :today) AS overdue_issues
    """,
)
_PUT = Command("""
    INSERT INTO kag_snapshot (id, project_id, account_scope_id, snapshot_date, signals_json,
        normalized_signals_json, scores_json, key_aggregates_json, evidence_refs, publishable, created_at)
    VALUES (:id, :project_id, :account_scope_id, :date, :signals, :normalised, :scores, :aggregates,
        :evidence, :publishable, :at)
    ON CONFLICT (project_id, snapshot_date) DO UPDATE SET signals_json = excluded.signals_json,
        normalized_signals_json = excluded.normalized_signals_json, scores_json = excluded.scores_json,
        key_aggregates_json = excluded.key_aggregates_json, evidence_refs = excluded.evidence_refs,
        publishable = excluded.publishable
""")
_LISTED = Query(
    Snapshot,
    """
    SELECT id, snapshot_date, signals_json, normalized_signals_json, scores_json, key_aggregates_json,
           evidence_refs, publishable, created_at
    FROM kag_snapshot WHERE project_id = :project_id AND (:all OR publishable = 1)
    ORDER BY snapshot_date DESC LIMIT :limit OFFSET :offset
    """,
)
_STRETCH = Query(
    _Kept,
    """
    SELECT signals_json, scores_json, key_aggregates_json FROM kag_snapshot
    WHERE project_id = :project_id AND snapshot_date > :after ORDER BY snapshot_date
    """,
)
_OUTCOMES = Query(
    Outcome,
    """
    SELECT id, outcome_type, occurred_at, severity, notes, evidence_refs,
           CAST(source_event_id AS TEXT) AS source_event_id, created_at
    FROM kag_outcome WHERE project_id = :project_id AND (:outcome_type = '' OR outcome_type = :outcome_type)
    ORDER BY occurred_at DESC, id LIMIT :limit OFFSET :offset
    """,
)
_HAPPENED = Command("""
    INSERT INTO kag_outcome (id, project_id, account_scope_id, outcome_type, occurred_at, severity, notes,
        evidence_refs, source_event_id, dedupe_key, created_at)
    VALUES (:id, :project_id, :account_scope_id, :outcome_type, :occurred_at, :severity, :notes, :evidence,
        :event_id, :key, :at)
    ON CONFLICT (project_id, dedupe_key) DO UPDATE SET severity = excluded.severity, notes = excluded.notes,
        evidence_refs = excluded.evidence_refs
""")


def work(db: apsw.Connection, project_id: str, today: str) -> Work:
    """How much work is open now."""
    return _WORK.one(db, project_id=project_id, today=today)


def put(db: apsw.Connection, project: ProjectRef, day: Ended, wrong: Iterable[Wrong], now: datetime) -> int:
    """Keep a day, or keep it anew, and what went wrong on it; return how many things that were."""
    scope = {"project_id": project.id, "account_scope_id": project.account_scope_id}
    _PUT.run(
        db,
        **scope,
        id=new_id(),
        date=day.date,
        signals=as_json(day.signals),
        normalised=as_json(day.normalised),
        scores=as_json(day.scores),
        aggregates=as_json(day.aggregates),
        evidence=as_json(day.evidence),
        publishable=bool(day.evidence),
        at=as_text(now),
    )
    occurred_at, count = f"{day.date}T23:59:59.000Z", 0
    for each in wrong:
        said = f"{project.id}:{each.outcome_type}:{occurred_at}:{each.cause}"
        count += _HAPPENED.run(
            db,
            **scope,
            id=new_id(),
            outcome_type=each.outcome_type,
            occurred_at=occurred_at,
            severity=each.severity,
            notes=each.notes,
            evidence=as_json(each.evidence),
            event_id=each.event_id,
            key=hashlib.sha1(said.encode(), usedforsecurity=False).hexdigest(),
            at=as_text(now),
        )
    return count


def snapshots(
    db: apsw.Connection, project_id: str, *, limit: int, offset: int, unpublished: bool
) -> list[Snapshot]:
    """Days, the newest first; those that stand on nothing only if asked for."""
    return _LISTED.all(db, project_id=project_id, limit=limit, offset=offset, all=unpublished)


def stretch(db: apsw.Connection, project_id: str, after: str) -> list[Day]:
    """The days after a date, the oldest first, as far as projects are compared by them."""
    found = []
    for row in _STRETCH.all(db, project_id=project_id, after=after):
        scores = {score["score_type"]: float(score["score"]) for score in row.scores_json}
        found.append(
            Day(
                {signal["signal_key"]: float(signal["value"]) for signal in row.signals_json},
                scores["risk"],
                scores["project_health"],
                int(row.key_aggregates_json["events_7d"]),
            )
        )
    return found


def outcomes(
    db: apsw.Connection, project_id: str, outcome_type: str, limit: int, offset: int = 0
) -> list[Outcome]:
    """What went wrong, the last first."""
    return _OUTCOMES.all(db, project_id=project_id, outcome_type=outcome_type, limit=limit, offset=offset)
