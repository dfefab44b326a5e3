"""The queue in SQL: what waits in each room, the most pressing of each kind, and what was put aside."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.reports.queue import Kind, Mark, Waits

MOST = 300  # of a kind
TABLES = frozenset(
    {
        *("project", "client_burst", "conversation", "signal", "next_action", "offer", "outbound_message"),
        *("issue", "alert", "queue_mark", "message", "analytics_due"),
    }
)

_OF = "FROM json_each(:ids) AS wanted CROSS JOIN project AS p ON p.id = wanted.value CROSS JOIN"
_PROJECT = "p.id AS project_id, p.name AS project_name, p.account_scope_id"
_NO_MONEY = "NULL AS amount, NULL AS currency"

_WAITING = Query(
    Waits,
    f"""
    SELECT 'waiting' AS kind, v.id, {_PROJECT}, substr(coalesce(m.content, ''), 1, 300) AS title,
           coalesce(c.name, c.email, '') AS about, b.message_global_id AS place, b.started_at AS since,
           NULL AS due, b.messages AS weight, v.status, b.message_global_id || ':' || b.messages AS stamp,
           {_NO_MONEY}
    {_OF} client_burst AS b ON b.id IN (
        SELECT i.id FROM client_burst AS i
        CROSS JOIN conversation AS k ON k.id = i.conversation_global_id
        WHERE i.project_id = p.id AND i.answered_at IS NULL AND k.deleted_at IS NULL
          AND k.status <> 'resolved'
        ORDER BY i.started_at LIMIT :limit)
    CROSS JOIN conversation AS v ON v.id = b.conversation_global_id
    LEFT JOIN contact AS c ON c.id = coalesce(b.contact_global_id, v.contact_global_id)
    LEFT JOIN message AS m ON m.id = b.message_global_id
    ORDER BY b.started_at, v.id LIMIT :limit
    """,
)
# A client who waits stands in the queue already; a signal that says the same would stand there twice.
_SIGNALS = Query(
    Waits,
    f"""
    SELECT 'signal' AS kind, s.id, {_PROJECT}, s.summary AS title, s.signal_type AS about,
           s.source_ref AS place, s.started_at AS since, NULL AS due, s.severity AS weight, s.status,
           s.last_seen_at AS stamp, {_NO_MONEY}
    {_OF} signal AS s ON s.id IN (
        SELECT i.id FROM signal AS i WHERE i.project_id = p.id AND i.status = 'proposed'
          AND (i.signal_type <> 'silence' OR NOT EXISTS (
              SELECT 1 FROM client_burst AS b WHERE b.conversation_global_id = i.source_ref
                AND b.answered_at IS NULL))
        ORDER BY i.severity DESC, i.confidence DESC, i.created_at DESC, i.id LIMIT :limit)
    ORDER BY s.severity DESC, s.started_at, s.id LIMIT :limit
    """,
)
# What is to be done about a signal nobody has looked at yet is shown with that signal.
_ACTIONS = Query(
    Waits,
    f"""
    SELECT 'action' AS kind, a.id, {_PROJECT}, a.summary AS title, coalesce(a.owner_username, '') AS about,
           coalesce(a.signal_id, '') AS place, a.created_at AS since, a.due_date AS due,
           a.priority AS weight, a.status, a.updated_at AS stamp, {_NO_MONEY}
    {_OF} next_action AS a ON a.id IN (
        SELECT i.id FROM next_action AS i WHERE i.project_id = p.id AND i.status IN ('proposed', 'accepted')
          AND (i.due_date IS NULL OR i.due_date <= :today)
          AND NOT EXISTS (SELECT 1 FROM signal AS s WHERE s.id = i.signal_id AND s.status = 'proposed')
        ORDER BY i.priority DESC, i.updated_at DESC, i.id LIMIT :limit)
    ORDER BY a.priority DESC, a.due_date, a.id LIMIT :limit
    """,
)
_OFFERS = Query(
    Waits,
    f"""
    SELECT 'offer' AS kind, o.id, {_PROJECT}, o.title, coalesce(c.name, '') AS about,
           coalesce(o.account_id, '') AS place, o.updated_at AS since, o.valid_until AS due, 3 AS weight,
           o.status, o.updated_at AS stamp, o.total AS amount, o.currency
    {_OF} offer AS o ON o.id IN (
        SELECT i.id FROM offer AS i WHERE i.project_id = p.id AND i.status IN ('draft', 'approved')
        ORDER BY i.updated_at DESC, i.id LIMIT :limit)
    LEFT JOIN crm_account AS c ON c.id = o.account_id
    ORDER BY o.updated_at, o.id LIMIT :limit
    """,
)
_OUTBOUND = Query(
    Waits,
    f"""
    SELECT 'outbound' AS kind, o.id, {_PROJECT},
           substr(coalesce(nullif(o.payload ->> 'subject', ''), o.payload ->> 'text', ''), 1, 300) AS title,
           coalesce((SELECT c.name FROM contact AS c WHERE c.id = coalesce((
               SELECT v.contact_global_id FROM conversation AS v WHERE v.id = o.recipient_ref),
               o.recipient_ref)), o.recipient_ref) AS about,
           o.channel AS place, o.created_at AS since, NULL AS due, 3 AS weight, o.status,
           o.updated_at AS stamp, {_NO_MONEY}
    {_OF} outbound_message AS o ON o.id IN (
        SELECT i.id FROM outbound_message AS i
        WHERE i.project_id = p.id AND i.status IN ('draft', 'failed', 'uncertain')
          AND i.next_attempt_at IS NULL
        ORDER BY i.created_at DESC, i.id DESC LIMIT :limit)
    ORDER BY o.created_at, o.id LIMIT :limit
    """,
)
_ISSUES = Query(
    Waits,
    f"""
    SELECT 'issue' AS kind, n.id, {_PROJECT}, n.identifier || ' · ' || n.title AS title,
           coalesce(n.assignee_name, '') AS about, n.identifier AS place, n.due_date AS since,
           n.due_date AS due, n.priority AS weight, n.source AS status,
           n.due_date || ':' || coalesce(n.state, '') || ':' || coalesce(n.assignee_name, '') AS stamp,
           {_NO_MONEY}
    {_OF} issue AS n ON n.id IN (
        SELECT i.id FROM issue AS i INDEXED BY issue_unfinished
        WHERE i.project_id = p.id AND i.due_date < :today AND i.deleted_at IS NULL
          AND i.archived_at IS NULL AND i.completed_at IS NULL AND i.canceled_at IS NULL
        ORDER BY i.due_date LIMIT :limit)
    ORDER BY n.due_date, n.id LIMIT :limit
    """,
)
_ALERTS = Query(
    Waits,
    """
    SELECT 'alert' AS kind, CAST(a.id AS TEXT) AS id, p.id AS project_id, p.name AS project_name,
           p.account_scope_id, a.message AS title, a.subject AS about, a.rule AS place, a.started_at AS since,
           NULL AS due, CASE a.severity WHEN 'critical' THEN 5 WHEN 'warning' THEN 4 ELSE 2 END AS weight,
           a.severity AS status, a.started_at AS stamp, NULL AS amount, NULL AS currency
    FROM alert AS a LEFT JOIN project AS p ON p.id = a.project_id
    WHERE a.state = 'firing' AND a.acknowledged_at IS NULL
      AND (a.project_id IS NULL OR a.project_id IN (SELECT value FROM json_each(:ids)))
    ORDER BY a.id DESC LIMIT :limit
    """,
)
_OF_PROJECTS = (_WAITING, _SIGNALS, _OFFERS, _OUTBOUND)
_BY_DAY = (_ACTIONS, _ISSUES)
_MARKS = Query(Mark, "SELECT kind, ref, stamp, until FROM queue_mark WHERE username = :username")
_PUT = Command("""
    INSERT INTO queue_mark (username, project_id, kind, ref, stamp, until, created_at)
    VALUES (:username, :project_id, :kind, :ref, :stamp, :until, :at)
    ON CONFLICT (username, kind, ref) DO UPDATE SET stamp = excluded.stamp, until = excluded.until,
        created_at = excluded.created_at
""")
_TAKE = Query(
    Mark,
    """
    DELETE FROM queue_mark WHERE username = :username AND kind = :kind AND ref = :ref
    RETURNING kind, ref, stamp, until
    """,
)
_FORGET = Command("DELETE FROM queue_mark WHERE created_at < :before AND coalesce(until, '') < :before")


def waiting(
    db: apsw.Connection, ids: Sequence[str], username: str, today: str, *, alerts: bool
) -> tuple[list[Waits], dict[tuple[Kind, str], Mark], set[Kind]]:
    """What waits in these projects, what of it somebody put aside, and the kinds there is more of."""
    marks = {(mark.kind, mark.ref): mark for mark in _MARKS.all(db, username=username)}
    limit, wanted = MOST + len(marks), as_json(list(ids))
    found, more = list[Waits](), set[Kind]()
    parts = [query.all(db, ids=wanted, limit=limit) for query in _OF_PROJECTS]
    parts += [query.all(db, ids=wanted, limit=limit, today=today) for query in _BY_DAY]
    if alerts:
        parts.append(_ALERTS.all(db, ids=wanted, limit=limit))
    for part in parts:
        found += part
        if len(part) == limit:
            more.add(part[0].kind)
    return found, marks, more


def put_aside(db: apsw.Connection, username: str, waits: Waits, until: str | None, at: str) -> None:
    """Keep a mark; the one before is replaced."""
    _PUT.run(
        db, username=username, project_id=waits.project_id, kind=waits.kind, ref=waits.id, stamp=waits.stamp,
        until=until, at=at,
    )  # fmt: skip


def take_up(db: apsw.Connection, username: str, kind: str, ref: str) -> Mark | None:
    """Remove a mark; return it."""
    return _TAKE.first(db, username=username, kind=kind, ref=ref)


def forget(db: apsw.Connection, before: str) -> None:
    """Remove marks that are older and whose time is over."""
    _FORGET.run(db, before=before)
