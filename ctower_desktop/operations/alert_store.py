"""Alerts in SQL, and the troubles of projects that lead to them."""

from __future__ import annotations

from datetime import datetime

import apsw
import msgspec

from ctower_desktop.kernel.regional import Language
from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.kernel.system import as_text
from ctower_desktop.operations.alert_model import Alert, AlertChanged, AlertNotFound
from ctower_desktop.operations.alerting import RULES, Key, Reading, Watch

_COLUMNS = """
    SELECT CAST(a.id AS TEXT) AS id, a.rule, a.subject, a.project_id, p.name AS project_name, a.severity,
           a.state, a.value, a.threshold, a.message, a.started_at, a.updated_at, a.resolved_at,
           a.acknowledged_at, a.acknowledged_by
    FROM alert AS a LEFT JOIN project AS p ON p.id = a.project_id
"""
_MAY_SEE = "(:everything OR a.project_id IS NULL OR a.project_id = :project_id)"
_LISTED = Query(
    Alert,
    f"""
    {_COLUMNS}
    WHERE (:state IS NULL OR a.state = :state) AND (:severity IS NULL OR a.severity = :severity)
        AND (:rule IS NULL OR a.rule = :rule) AND {_MAY_SEE}
    ORDER BY a.state, a.id DESC LIMIT :limit OFFSET :offset
    """,
)
_ONE = Query(Alert, f"{_COLUMNS} WHERE a.id = :id AND {_MAY_SEE}", missing=AlertNotFound)
_FIRING = Query(Alert, f"{_COLUMNS} WHERE a.state = 'firing'")


class _Count(msgspec.Struct, frozen=True):
    number: int


class _Id(msgspec.Struct, frozen=True):
    id: str


class _Found(msgspec.Struct, frozen=True):
    project_id: str
    subject: str
    value: float
    detail: str


_HOW_MANY = Query(
    _Count, f"SELECT count(*) AS number FROM alert AS a WHERE a.state = 'firing' AND {_MAY_SEE}"
)
_BEGIN = Query(
    _Id,
    """
    INSERT INTO alert (project_id, rule, subject, severity, state, value, threshold, message, started_at,
                       updated_at)
    VALUES (:project_id, :rule, :subject, :severity, 'firing', :value, :threshold, :message, :at, :at)
    RETURNING CAST(id AS TEXT) AS id
    """,
)
_GO_ON = Command("""
    UPDATE alert SET value = :value, threshold = :threshold, message = :message, updated_at = :at
    WHERE id = :id AND state = 'firing' AND message <> :message
""")
_END = Command("""
    UPDATE alert SET state = 'resolved', resolved_at = :at, updated_at = :at
    WHERE id = :id AND state = 'firing'
""")
_ACKNOWLEDGE = Command("""
    UPDATE alert SET acknowledged_at = :at, acknowledged_by = :by, updated_at = :at
    WHERE id = :id AND acknowledged_at IS NULL
""")

_SUSPENDED = Query(
    _Found,
    """
    SELECT project_id, job_type AS subject,
           CAST(coalesce(json_extract(payload, '$.consecutive_failures'), 1) AS REAL) AS value,
           coalesce(last_error, '') AS detail
    FROM scheduled_job WHERE status = 'suspended'
    """,
)
_STUCK = Query(
    _Found,
    """
    SELECT project_id, job_type AS subject,
           (julianday(:now) - julianday(started_at)) * 1440 AS value, '' AS detail
    FROM scheduled_job WHERE status = 'running' AND started_at < :before
    """,
)
_FAILING = Query(
    _Found,
    """
    SELECT project_id, connector AS subject,
           (julianday(:now) - julianday(last_success_at)) * 1440 AS value, coalesce(last_error, '') AS detail
    FROM connector_sync_state WHERE status = 'failed' AND last_success_at IS NOT NULL
    """,
)
_DEAD_LETTERS = Query(
    _Found,
    """
    SELECT project_id, connector AS subject, CAST(count(*) AS REAL) AS value, '' AS detail
    FROM connector_error WHERE status = 'dead_letter' GROUP BY project_id, connector
    """,
)
_COMPLETENESS = Query(
    _Found,
    """
    SELECT m.project_id, m.connector AS subject, m.completeness_pct AS value, '' AS detail
    FROM connector_sync_state AS s JOIN reconciliation_metric AS m ON m.id = (
        SELECT id FROM reconciliation_metric
        WHERE project_id = s.project_id AND connector = s.connector
        ORDER BY captured_at DESC, id DESC LIMIT 1)
    """,
)


class Sight(msgspec.Struct, frozen=True):
    """Whose alerts somebody sees: all, or those of one project beside those of the whole tower."""

    everything: bool
    project_id: str | None


def weigh(
    db: apsw.Connection, watch: Watch, readings: list[Reading], speech: Language, now: datetime
) -> list[AlertChanged]:
    """Begin, renew and end alerts as the readings say; return what began and what ended."""
    there, at, changes = firing(db), as_text(now), list[AlertChanged]()
    verdict = watch.look(readings, there.keys(), now)
    for reading in verdict.begin:
        rule = RULES[reading.rule]
        message = rule.says(reading, speech)
        new = begin(db, reading, rule.severity, message, at)
        changes.append(
            AlertChanged(
                project_id=reading.project_id,
                id=new,
                rule=rule.name,
                severity=rule.severity,
                state="firing",
                message=message,
                at=at,
            )
        )
    for reading in verdict.go_on:
        go_on(db, there[reading.key].id, reading, RULES[reading.rule].says(reading, speech), at)
    for over in (there[key] for key in verdict.end):
        end(db, over.id, at)
        changes.append(
            AlertChanged(
                project_id=over.project_id,
                id=over.id,
                rule=over.rule,
                severity=over.severity,
                state="resolved",
                message=over.message,
                at=at,
            )
        )
    return changes


def listed(  # noqa: PLR0917 - one argument a filter
    db: apsw.Connection,
    sight: Sight,
    state: str | None,
    severity: str | None,
    rule: str | None,
    limit: int,
    offset: int,
) -> tuple[list[Alert], int]:
    """Alerts, what fires first, then the newest; and how many fire."""
    seen = msgspec.structs.asdict(sight)
    found = _LISTED.all(db, state=state, severity=severity, rule=rule, limit=limit, offset=offset, **seen)
    return found, _HOW_MANY.one(db, **seen).number


def firing(db: apsw.Connection) -> dict[Key, Alert]:
    """What fires now."""
    return {Key(alert.rule, alert.subject, alert.project_id): alert for alert in _FIRING.all(db)}


def begin(db: apsw.Connection, reading: Reading, severity: str, message: str, at: str) -> str:
    """Note that an alert began; return its number."""
    return _BEGIN.one(
        db,
        project_id=reading.project_id,
        rule=reading.rule,
        subject=reading.subject,
        severity=severity,
        value=reading.value,
        threshold=reading.threshold,
        message=message,
        at=at,
    ).id


def go_on(db: apsw.Connection, alert_id: str, reading: Reading, message: str, at: str) -> None:
    """Note what has become of a firing alert, if it says something else now."""
    _GO_ON.run(db, id=int(alert_id), value=reading.value, threshold=reading.threshold, message=message, at=at)


def end(db: apsw.Connection, alert_id: str, at: str) -> None:
    """Note that an alert ended."""
    _END.run(db, id=int(alert_id), at=at)


def acknowledge(db: apsw.Connection, sight: Sight, alert_id: int, by: str, at: str) -> Alert:
    """Note who has seen an alert, the first time; raise AlertNotFound."""
    seen = msgspec.structs.asdict(sight)
    _ONE.one(db, id=alert_id, **seen)
    _ACKNOWLEDGE.run(db, id=alert_id, by=by, at=at)
    return _ONE.one(db, id=alert_id, **seen)


def troubles(
    db: apsw.Connection, *, now: str, stuck_before: str, failing_minutes: float, completeness: float
) -> list[Reading]:
    """What is to be said of jobs and sources, project by project."""
    asked = (
        ("job_suspended", 0.0, _SUSPENDED.all(db)),
        ("job_stuck", 0.0, _STUCK.all(db, now=now, before=stuck_before)),
        ("connector_failing", failing_minutes, _FAILING.all(db, now=now)),
        ("dead_letters", 0.0, _DEAD_LETTERS.all(db)),
        ("completeness_drop", completeness, _COMPLETENESS.all(db)),
    )
    return [
        Reading(rule, found.value, threshold, found.subject, found.project_id, found.detail)
        for rule, threshold, rows in asked
        for found in rows
    ]
