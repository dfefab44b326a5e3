"""Figures of days kept from changed rows only, in SQL: who wrote, who answered when, what was done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import apsw
import msgspec

from ctower_desktop.insight.analytics import line_store
from ctower_desktop.insight.analytics.bursts import Said, bursts
from ctower_desktop.kernel.sql import Command, Query, as_json

A_STEP = 100  # changed things counted in one transaction, so that nobody waits long for the writer


class _Due(msgspec.Struct, frozen=True):
    id: int
    kind: str
    pk: str
    since: str


class _Project(msgspec.Struct, frozen=True):
    id: str
    account_scope_id: str


class _Day(msgspec.Struct, frozen=True):
    day: str


class _Moment(msgspec.Struct, frozen=True):
    at: str | None


_WAITING = Query(
    _Project,
    """
    SELECT p.id, p.account_scope_id
    FROM json_each(:ids) AS wanted CROSS JOIN project AS p ON p.id = wanted.value
    WHERE EXISTS (SELECT 1 FROM analytics_due AS d WHERE d.project_id = p.id)
    """,
)
_TAKE = Query(
    _Due,
    "SELECT id, kind, pk, since FROM analytics_due WHERE project_id = :project_id LIMIT :limit",
)
_DONE = Command("DELETE FROM analytics_due WHERE id IN (SELECT value FROM json_each(:ids))")
_MESSAGE_DAYS = Command("""
    INSERT INTO daily_figure (project_id, account_scope_id, day, inbound, outbound, agreements)
    SELECT :project_id, :account_scope_id, due.value, coalesce(sum(m.message_type = '0'), 0),
           coalesce(sum(m.message_type = '1'), 0),
           (SELECT count(*) FROM agreement_candidate AS a WHERE a.project_id = :project_id
                AND a.said_at >= due.value AND a.said_at < date(due.value, '+1 day'))
    FROM json_each(:days) AS due LEFT JOIN message AS m
        ON m.project_id = :project_id AND m.deleted_at IS NULL AND m.created_at >= due.value
        AND m.created_at < date(due.value, '+1 day') AND m.private = 0
    WHERE true GROUP BY due.value
    ON CONFLICT (project_id, day) DO UPDATE SET inbound = excluded.inbound, outbound = excluded.outbound,
        agreements = excluded.agreements
""")
_FORGET_CONTACTS = Command("""
    DELETE FROM daily_contact WHERE project_id = :project_id AND day IN (SELECT value FROM json_each(:days))
""")
_CONTACTS = Command("""
    INSERT INTO daily_contact (project_id, day, contact_global_id)
    SELECT DISTINCT :project_id, due.value, m.contact_global_id
    FROM json_each(:days) AS due CROSS JOIN message AS m
        ON m.project_id = :project_id AND m.deleted_at IS NULL AND m.created_at >= due.value
        AND m.created_at < date(due.value, '+1 day')
    WHERE m.private = 0 AND m.message_type IN ('0', '1') AND m.contact_global_id IS NOT NULL
""")
_ISSUE_DAYS = Command("""
    INSERT INTO daily_figure (project_id, account_scope_id, day, issues_created, issues_completed, lead_hours)
    SELECT :project_id, :account_scope_id, due.value,
           (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
                AND created_at >= due.value AND created_at < date(due.value, '+1 day')),
           (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
                AND completed_at IS NOT NULL AND completed_at >= due.value
                AND completed_at < date(due.value, '+1 day')),
           (SELECT coalesce(sum(max(0, (julianday(completed_at) - julianday(created_at)) * 24)), 0)
            FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
                AND completed_at IS NOT NULL AND completed_at >= due.value
                AND completed_at < date(due.value, '+1 day'))
    FROM json_each(:days) AS due WHERE true
    ON CONFLICT (project_id, day) DO UPDATE SET issues_created = excluded.issues_created,
        issues_completed = excluded.issues_completed, lead_hours = excluded.lead_hours
""")
_BEGINS = Query(
    _Moment,
    """
    SELECT max(started_at) AS at FROM client_burst
    WHERE conversation_global_id = :conversation AND started_at <= :since
    """,
)
_FORGET_BURSTS = Query(
    _Moment,
    """
    DELETE FROM client_burst WHERE conversation_global_id = :conversation AND started_at >= :since
    RETURNING answered_at AS at
    """,
)
_SAID = Query(
    Said,
    """
    SELECT id, contact_global_id, message_type, sender_type, created_at FROM message
    WHERE conversation_global_id = :conversation AND deleted_at IS NULL AND created_at >= :since
      AND private = 0 AND +project_id = :project_id
    ORDER BY created_at, CAST(message_id AS INTEGER)
    """,
)
_PUT_BURST = Command("""
    INSERT INTO client_burst (project_id, conversation_global_id, contact_global_id, message_global_id,
                              started_at, messages, answered_at, minutes)
    VALUES (:project_id, :conversation, :contact_global_id, :message_global_id, :started_at, :messages,
            :answered_at, :minutes)
    ON CONFLICT (conversation_global_id, started_at) DO NOTHING
""")
_ANSWER_DAYS = Command("""
    INSERT INTO daily_figure (project_id, account_scope_id, day, answers, answer_minutes)
    SELECT :project_id, :account_scope_id, due.value, count(b.id), coalesce(sum(b.minutes), 0)
    FROM json_each(:days) AS due LEFT JOIN client_burst AS b
        ON b.project_id = :project_id AND b.answered_at IS NOT NULL AND b.answered_at >= due.value
        AND b.answered_at < date(due.value, '+1 day')
    WHERE true GROUP BY due.value
    ON CONFLICT (project_id, day) DO UPDATE SET answers = excluded.answers,
        answer_minutes = excluded.answer_minutes
""")
_TIDY = Command("""
    DELETE FROM daily_figure WHERE project_id = :project_id AND day IN (SELECT value FROM json_each(:days))
      AND inbound = 0 AND outbound = 0 AND agreements = 0 AND answers = 0 AND issues_created = 0
      AND issues_completed = 0
""")


def waiting(db: apsw.Connection, project_ids: list[str]) -> list[tuple[str, str]]:
    """Which of these projects have something to be counted anew, with their account scopes."""
    return [(p.id, p.account_scope_id) for p in _WAITING.all(db, ids=as_json(project_ids))]


def catch_up(db: apsw.Connection, project_id: str, account_scope_id: str, limit: int = A_STEP) -> int:
    """Count anew what changed, at most `limit` days, conversations and deals; return how many that were."""
    lines = _TAKE.all(db, project_id=project_id, limit=limit)
    if not lines:
        return 0
    due: dict[str, list[_Due]] = defaultdict(list)
    for line in lines:
        due[line.kind].append(line)
    answered = _talks(db, project_id, due["talk"])
    owner = {"project_id": project_id, "account_scope_id": account_scope_id}
    said, done = _pks(due["message_day"]), _pks(due["issue_day"])
    if said:
        _MESSAGE_DAYS.run(db, days=as_json(said), **owner)
        _FORGET_CONTACTS.run(db, project_id=project_id, days=as_json(said))
        _CONTACTS.run(db, project_id=project_id, days=as_json(said))
    if done:
        _ISSUE_DAYS.run(db, days=as_json(done), **owner)
    if answered:
        _ANSWER_DAYS.run(db, days=as_json(sorted(answered)), **owner)
    _TIDY.run(db, project_id=project_id, days=as_json(sorted({*said, *done, *answered})))
    line_store.derive(db, project_id, deals=_pks(due["deal"]), opportunities=_pks(due["opportunity"]))
    _DONE.run(db, ids=as_json([line.id for line in lines]))
    return len(lines)


def _pks(lines: Iterable[_Due]) -> list[str]:
    return [line.pk for line in lines]


def _talks(db: apsw.Connection, project_id: str, lines: Iterable[_Due]) -> set[str]:
    """Read conversations again from where they changed; return the days whose answers are others now."""
    days: set[str] = set()
    for line in lines:
        begins = _BEGINS.one(db, conversation=line.pk, since=line.since).at or ""
        for forgotten in _FORGET_BURSTS.all(db, conversation=line.pk, since=begins):
            if forgotten.at is not None:
                days.add(forgotten.at[:10])
        found = bursts(_SAID.all(db, conversation=line.pk, since=begins, project_id=project_id))
        for burst in found:
            if burst.answered_at is not None:
                days.add(burst.answered_at[:10])
        row = {"project_id": project_id, "conversation": line.pk}
        _PUT_BURST.run_many(db, [{**row, **msgspec.structs.asdict(burst)} for burst in found])
    return days
