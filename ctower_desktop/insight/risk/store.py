"""Health, risks and patterns in SQL, and the facts they follow from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import apsw
import msgspec
from msgspec import UNSET

from ctower_desktop.insight.risk.causes import (
    CAUSES,
    Budget,
    Cause,
    Facts,
    OpenSignal,
    Settled,
    reopens,
)
from ctower_desktop.insight.risk.health import NEWEST_SIGNALS
from ctower_desktop.insight.risk.model import (
    Health,
    ListRisks,
    Pattern,
    PatternNotFound,
    PatternStatus,
    RefreshResult,
    Risk,
    RiskEdit,
    RiskNotFound,
    RiskStatus,
)
from ctower_desktop.insight.risk.wording import first_steps
from ctower_desktop.kernel.sql import Command, Query, Value, as_json
from ctower_desktop.kernel.system import new_id

_SAMPLES = 25  # ids of overdue and blocked issues that serve as evidence
SHOWN = 30


class _Count(msgspec.Struct, frozen=True):
    n: int


class _Id(msgspec.Struct, frozen=True):
    id: str


class _Known(msgspec.Struct, frozen=True):
    id: str
    dedupe_key: str
    status: RiskStatus
    closed_by: str | None
    closed_severity: int | None
    gone_at: str | None
    reopened_count: int


_OPEN_SIGNALS = Query(
    OpenSignal,
    """
    SELECT ref, signal_type, severity, confidence FROM (
        SELECT coalesce(evidence_refs ->> 0, id) AS ref, signal_type, severity, confidence, created_at
        FROM signal
        WHERE project_id = :project_id AND status IN ('proposed', 'accepted')
        ORDER BY created_at DESC, id LIMIT :limit
    ) ORDER BY severity * confidence DESC, created_at DESC
    """,
)
_UNFINISHED = """project_id = :project_id AND deleted_at IS NULL AND archived_at IS NULL
      AND completed_at IS NULL AND canceled_at IS NULL"""
_OVERDUE = Query(
    _Count,
    f"""
    SELECT count(*) AS n FROM issue WHERE {_UNFINISHED} AND due_date IS NOT NULL AND due_date < :today
    """,
)
_OVERDUE_IDS = Query(
    _Id,
    f"""
    SELECT id FROM issue WHERE {_UNFINISHED} AND due_date IS NOT NULL AND due_date < :today
    ORDER BY due_date LIMIT :limit
    """,
)
_BLOCKED = Query(
    _Count,
    f"SELECT count(*) AS n FROM issue INDEXED BY issue_stuck WHERE {_UNFINISHED} AND blocked = 1",
)
_BLOCKED_IDS = Query(
    _Id,
    f"""
    SELECT id FROM issue INDEXED BY issue_stuck WHERE {_UNFINISHED} AND blocked = 1
    ORDER BY due_date LIMIT :limit
    """,
)
_BUDGETS = Query(
    Budget,
    """
    SELECT currency, sum(budget) AS budget, sum(costs) AS costs FROM daily_money
    WHERE project_id = :project_id GROUP BY currency HAVING sum(budget) > 0 ORDER BY currency
    """,
)
_COSTS = Query(
    _Id,
    """
    SELECT id FROM cost_entry WHERE project_id = :project_id AND entry_type = 'cost'
    ORDER BY date DESC, created_at DESC, id LIMIT :limit
    """,
)
_FAILED = Query(
    _Count,
    """
    SELECT (SELECT count(*) FROM job_run
            WHERE project_id = :project_id AND started_at >= :since AND status = 'failed')
         + (SELECT count(*) FROM worker_run
            WHERE project_id = :project_id AND started_at >= :since AND status = 'failed') AS n
    """,
)
_KEEP_HEALTH = Command("""
    INSERT INTO health_score (project_id, account_scope_id, day, score, factors, score_sum, samples,
                              generated_at)
    VALUES (:project_id, :account_scope_id, :day, :score, :factors, :score, 1, :at)
    ON CONFLICT (project_id, day) DO UPDATE SET score = excluded.score, factors = excluded.factors,
        score_sum = score_sum + excluded.score, samples = samples + 1, generated_at = excluded.generated_at
""")
_HEALTH = Query(
    Health,
    """
    SELECT score, factors, generated_at FROM health_score WHERE project_id = :project_id
    ORDER BY day DESC LIMIT 1
    """,
)
_RISK = """id, source, title, severity, probability, mitigation_action, owner_username, status, evidence_refs,
           reopened_count, closed_by, closed_at, opened_at, created_by, created_at, updated_at"""
_LIVE = Query(
    Risk,
    f"""
    SELECT {_RISK} FROM risk_item WHERE project_id = :project_id AND status <> 'closed'
    ORDER BY severity DESC, updated_at DESC, id LIMIT :limit
    """,
)
_LISTED = Query(
    Risk,
    f"""
    SELECT {_RISK} FROM risk_item WHERE project_id = :project_id AND (:status = '' OR status = :status)
    ORDER BY severity DESC, updated_at DESC, id LIMIT :limit OFFSET :offset
    """,
)
_ONE = Query(
    Risk, f"SELECT {_RISK} FROM risk_item WHERE id = :id AND project_id = :project_id", missing=RiskNotFound
)
_KNOWN = Query(
    _Known,
    """
    SELECT id, dedupe_key, status, closed_by, closed_severity, gone_at, reopened_count FROM risk_item
    WHERE project_id = :project_id AND dedupe_key IN (SELECT value FROM json_each(:keys))
    """,
)
_ADD = Command("""
    INSERT INTO risk_item (id, project_id, account_scope_id, source, dedupe_key, title, severity, probability,
                           mitigation_action, owner_username, status, evidence_refs, opened_at, created_by,
                           created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :source, :dedupe_key, :title, :severity, :probability,
            :mitigation_action, :owner_username, 'open', :evidence_refs, :at, :created_by, :at, :at)
""")
_UPDATE = Command("""
    UPDATE risk_item SET title = :title, severity = :severity, probability = :probability,
        evidence_refs = :evidence_refs, updated_at = :at,
        mitigation_action = iif(mitigation_action IN (SELECT value FROM json_each(:first_steps)),
                                :mitigation_action, mitigation_action)
    WHERE id = :id AND (title, severity, probability, evidence_refs)
          IS NOT (:title, :severity, :probability, :evidence_refs)
""")
_REOPEN = Command("""
    UPDATE risk_item SET status = 'open', closed_at = NULL, closed_by = NULL, closed_severity = NULL,
        gone_at = NULL, opened_at = :at, updated_at = :at, reopened_count = reopened_count + 1
    WHERE id = :id
""")
_CLOSE = Command("""
    UPDATE risk_item SET status = 'closed', closed_at = :at, closed_by = :by, closed_severity = severity,
        gone_at = :gone_at, updated_at = :at
    WHERE id = :id AND status <> 'closed'
""")
_GONE = Command("UPDATE risk_item SET gone_at = :at WHERE id = :id AND gone_at IS NULL")
_MOVE = Command("""
    UPDATE risk_item SET status = :status, closed_at = NULL, closed_by = NULL, closed_severity = NULL,
        gone_at = NULL, updated_at = :at, opened_at = CASE WHEN status = 'closed' THEN :at ELSE opened_at END,
        reopened_count = reopened_count + (status = 'closed')
    WHERE id = :id AND status <> :status
""")
_EDIT = Command("""
    UPDATE risk_item SET title = :title, severity = :severity, probability = :probability,
        mitigation_action = :mitigation, owner_username = :owner, updated_at = :at
    WHERE id = :id
""")
_PATTERN = "id, pattern_key, title, weight, status, mitigation_playbook, evidence_refs, updated_at"
_PATTERNS = Query(
    Pattern,
    f"""
    SELECT {_PATTERN} FROM risk_pattern WHERE project_id = :project_id
    ORDER BY status <> 'open', weight DESC, updated_at DESC LIMIT :limit
    """,
)
_ONE_PATTERN = Query(
    Pattern,
    f"SELECT {_PATTERN} FROM risk_pattern WHERE id = :id AND project_id = :project_id",
    missing=PatternNotFound,
)
_KEEP_PATTERN = Command("""
    INSERT INTO risk_pattern (id, project_id, account_scope_id, pattern_key, title, weight, status,
                              mitigation_playbook, evidence_refs, created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :key, :title, :weight, 'open', :playbook, :evidence_refs,
            :at, :at)
    ON CONFLICT (project_id, pattern_key) DO UPDATE SET title = excluded.title, weight = excluded.weight,
        evidence_refs = excluded.evidence_refs, mitigation_playbook = excluded.mitigation_playbook,
        updated_at = excluded.updated_at, status = CASE WHEN status = 'ignored' THEN status ELSE 'open' END
    WHERE (title, weight, evidence_refs, status = 'mitigated')
      IS NOT (excluded.title, excluded.weight, excluded.evidence_refs, 0)
""")
_MITIGATED = Command("""
    UPDATE risk_pattern SET status = 'mitigated', updated_at = :at
    WHERE project_id = :project_id AND status = 'open'
      AND pattern_key NOT IN (SELECT value FROM json_each(:keys))
""")
_MOVE_PATTERN = Command("""
    UPDATE risk_pattern SET status = :status, updated_at = :at WHERE id = :id AND status <> :status
""")


def facts(db: apsw.Connection, project_id: str, today: str, since: str) -> Facts:
    """What risks follow from: as of the day `today`, runs that failed since the moment `since`."""
    dated = {"project_id": project_id, "today": today}
    return Facts(
        signals=_OPEN_SIGNALS.all(db, project_id=project_id, limit=NEWEST_SIGNALS),
        overdue=_OVERDUE.one(db, **dated).n,
        overdue_ids=[row.id for row in _OVERDUE_IDS.all(db, **dated, limit=_SAMPLES)],
        blocked=_BLOCKED.one(db, project_id=project_id).n,
        blocked_ids=[row.id for row in _BLOCKED_IDS.all(db, project_id=project_id, limit=_SAMPLES)],
        budgets=_BUDGETS.all(db, project_id=project_id),
        entry_ids=[row.id for row in _COSTS.all(db, project_id=project_id, limit=_SAMPLES)],
        failed_runs=_FAILED.one(db, project_id=project_id, since=since).n,
    )


def settle(
    db: apsw.Connection, owner: Mapping[str, Value], health: RefreshResult, found: Sequence[Cause], at: str
) -> None:
    """Keep the day's health; open, update, reopen or close the one risk of every cause; keep patterns."""
    project_id = owner["project_id"]
    factors = as_json(health.factors)
    _KEEP_HEALTH.run(db, **owner, day=at[:10], score=health.health_score, factors=factors, at=at)
    rows = _KNOWN.all(db, project_id=project_id, keys=as_json(CAUSES))
    known = {row.dedupe_key: row for row in rows}
    for cause in found:
        _settle_one(db, owner, cause, known.pop(cause.key, None), at)
        _KEEP_PATTERN.run(
            db, **owner, id=new_id(), key=cause.key, title=cause.title, weight=cause.weight, at=at,
            playbook=as_json({"playbook": cause.playbook}), evidence_refs=as_json(cause.evidence_refs),
        )  # fmt: skip
    for row in known.values():  # the cause has gone
        if row.status == "closed":
            _GONE.run(db, id=row.id, at=at)
        else:
            _CLOSE.run(db, id=row.id, at=at, by="system", gone_at=at)
    _MITIGATED.run(db, project_id=project_id, keys=as_json([cause.key for cause in found]), at=at)


def _settle_one(
    db: apsw.Connection, owner: Mapping[str, Value], cause: Cause, known: _Known | None, at: str
) -> None:
    values: dict[str, Value] = {
        "title": cause.title, "severity": cause.severity, "probability": cause.weight,
        "evidence_refs": as_json(cause.evidence_refs), "at": at, "mitigation_action": cause.playbook[0],
    }  # fmt: skip
    if known is None:
        _ADD.run(
            db, id=new_id(), **owner, source="cause", dedupe_key=cause.key, owner_username=None,
            created_by="tower", **values,
        )  # fmt: skip
        return
    past = Settled(known.status, known.closed_by, known.closed_severity, known.gone_at, known.reopened_count)
    if known.status == "closed" and not reopens(past, cause):
        return
    if known.status == "closed":
        _REOPEN.run(db, id=known.id, at=at)
    _UPDATE.run(db, id=known.id, first_steps=as_json(first_steps(cause.key)), **values)


def overview(db: apsw.Connection, project_id: str) -> tuple[Health | None, list[Risk], list[Pattern]]:
    """Health, the worst live risks and patterns of a project."""
    return (
        _HEALTH.first(db, project_id=project_id),
        _LIVE.all(db, project_id=project_id, limit=SHOWN),
        _PATTERNS.all(db, project_id=project_id, limit=SHOWN),
    )


def listed(db: apsw.Connection, project_id: str, query: ListRisks) -> list[Risk]:
    """Risks, the most severe first."""
    return _LISTED.all(db, project_id=project_id, status=query.status, limit=query.limit, offset=query.offset)


def add(db: apsw.Connection, owner: Mapping[str, Value], risk: Risk) -> Risk:
    """Keep a risk that a person wrote down."""
    _ADD.run(
        db, **owner, id=risk.id, source=risk.source, dedupe_key=f"manual:{risk.id}", title=risk.title,
        severity=risk.severity, probability=risk.probability, mitigation_action=risk.mitigation_action,
        owner_username=risk.owner_username, evidence_refs="[]", created_by=risk.created_by,
        at=risk.created_at,
    )  # fmt: skip
    return risk


def move(db: apsw.Connection, project_id: str, risk_id: str, status: RiskStatus, at: str) -> tuple[Risk, str]:
    """Give a risk a status; return it with the status it had; raise RiskNotFound."""
    before = _ONE.one(db, id=risk_id, project_id=project_id)
    if status == "closed":
        _CLOSE.run(db, id=risk_id, at=at, by="user", gone_at=None)
    else:
        _MOVE.run(db, id=risk_id, status=status, at=at)
    return _ONE.one(db, id=risk_id, project_id=project_id), before.status


def edit(db: apsw.Connection, project_id: str, risk_id: str, changes: RiskEdit, at: str) -> Risk:
    """Change what is given; raise RiskNotFound."""
    before = _ONE.one(db, id=risk_id, project_id=project_id)
    _EDIT.run(
        db,
        id=risk_id,
        title=before.title if changes.title is UNSET else changes.title,
        severity=before.severity if changes.severity is UNSET else changes.severity,
        probability=before.probability if changes.probability is UNSET else changes.probability,
        mitigation=before.mitigation_action if changes.mitigation is UNSET else changes.mitigation or None,
        owner=before.owner_username if changes.owner is UNSET else changes.owner or None,
        at=at,
    )
    return _ONE.one(db, id=risk_id, project_id=project_id)


def move_pattern(
    db: apsw.Connection, project_id: str, pattern_id: str, status: PatternStatus, at: str
) -> Pattern:
    """Give a pattern a status; raise PatternNotFound."""
    _ONE_PATTERN.one(db, id=pattern_id, project_id=project_id)
    _MOVE_PATTERN.run(db, id=pattern_id, status=status, at=at)
    return _ONE_PATTERN.one(db, id=pattern_id, project_id=project_id)
