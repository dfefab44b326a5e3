"""Next best actions in SQL: lists, decisions, and how they follow their signal."""

from __future__ import annotations

import apsw
import msgspec
from msgspec import UNSET

from ctower_desktop.insight.signals.model import (
    ActionNotFound,
    ActionStatus,
    EditAction,
    ListByStatus,
    NextAction,
    SignalStatus,
)
from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.kernel.system import new_id


class _Username(msgspec.Struct, frozen=True):
    username: str


class Wanted(msgspec.Struct, frozen=True):
    """What is to be done about a signal."""

    project_id: str
    account_scope_id: str
    signal_id: str
    action_type: str
    priority: int
    summary: str
    due_date: str
    owner_username: str | None
    evidence_refs: str  # JSON
    dedupe_key: str


_ACTION = """id, signal_id, action_type, priority, status, summary, due_date, owner_username, evidence_refs,
           created_at, updated_at"""
_ORDER = "ORDER BY priority DESC, updated_at DESC, id LIMIT :limit OFFSET :offset"
_ALL = Query(NextAction, f"SELECT {_ACTION} FROM next_action WHERE project_id = :project_id {_ORDER}")
_OF_STATUS = Query(
    NextAction,
    f"SELECT {_ACTION} FROM next_action WHERE project_id = :project_id AND status = :status {_ORDER}",
)
_ONE = Query(
    NextAction,
    f"SELECT {_ACTION} FROM next_action WHERE id = :id AND project_id = :project_id",
    missing=ActionNotFound,
)
_OF_SIGNAL = Query(
    NextAction, f"SELECT {_ACTION} FROM next_action WHERE signal_id = :signal_id ORDER BY created_at, id"
)
_SET_STATUS = Command(
    "UPDATE next_action SET status = :status, with_signal = 0, updated_at = :at WHERE id = :id"
)
_EDIT = Command("""
    UPDATE next_action
    SET due_date = :due_date, owner_username = :owner_username, edited = 1, updated_at = :at
    WHERE id = :id
""")
_CLOSE = Command("""
    UPDATE next_action SET status = :status, with_signal = 1, updated_at = :at
    WHERE signal_id = :signal_id AND status IN ('proposed', 'accepted')
""")
_REOPEN_CLOSED_WITH_IT = Command("""
    UPDATE next_action SET status = 'proposed', with_signal = 0, updated_at = :at
    WHERE signal_id = :signal_id AND with_signal = 1
""")
_REOPEN = Command("""
    UPDATE next_action SET status = 'proposed', with_signal = 0, updated_at = :at,
        due_date = CASE WHEN edited AND due_date >= :today THEN due_date ELSE :due_date END
    WHERE signal_id = :signal_id AND status NOT IN ('proposed', 'accepted')
""")
_PUT = Command("""
    INSERT INTO next_action (id, project_id, account_scope_id, signal_id, action_type, priority, summary,
        due_date, owner_username, evidence_refs, dedupe_key, created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :signal_id, :action_type, :priority, :summary, :due_date,
        :owner_username, :evidence_refs, :dedupe_key, :at, :at)
    ON CONFLICT (project_id, dedupe_key) DO UPDATE
    SET priority = max(priority, excluded.priority), summary = excluded.summary,
        owner_username = CASE WHEN edited THEN owner_username
                              ELSE coalesce(owner_username, excluded.owner_username) END,
        evidence_refs = excluded.evidence_refs, updated_at = excluded.updated_at
    WHERE (summary, evidence_refs) IS NOT (excluded.summary, excluded.evidence_refs)
       OR priority < excluded.priority
""")
_ASSIGNED = Query(
    _Username,
    """
    SELECT u.username FROM project_assignment AS a JOIN app_user AS u ON u.id = a.user_id
    WHERE a.project_id = :project_id
    ORDER BY CASE u.role WHEN 'pm' THEN 0 WHEN 'delivery_lead' THEN 1 WHEN 'owner' THEN 2 ELSE 3 END,
             a.assigned_at, u.username
    LIMIT 1
    """,
)


def listed(db: apsw.Connection, project_id: str, query: ListByStatus) -> list[NextAction]:
    """Next best actions, the most pressing first."""
    page = {"project_id": project_id, "limit": query.limit, "offset": query.offset}
    if query.status:
        return _OF_STATUS.all(db, **page, status=query.status)
    return _ALL.all(db, **page)


def of_signal(db: apsw.Connection, signal_id: str) -> list[NextAction]:
    """What is to be done about a signal."""
    return _OF_SIGNAL.all(db, signal_id=signal_id)


def set_status(
    db: apsw.Connection, project_id: str, action_id: str, status: ActionStatus, at: str
) -> NextAction:
    """Move an action; raise ActionNotFound."""
    before = _ONE.one(db, id=action_id, project_id=project_id)
    if before.status != status:
        _SET_STATUS.run(db, id=action_id, status=status, at=at)
    return _ONE.one(db, id=action_id, project_id=project_id)


def edit(db: apsw.Connection, project_id: str, action_id: str, body: EditAction, at: str) -> NextAction:
    """Another day or owner, which then stay; raise ActionNotFound."""
    before = _ONE.one(db, id=action_id, project_id=project_id)
    day, owner = body.due_date, body.owner_username
    _EDIT.run(
        db,
        id=action_id,
        at=at,
        due_date=before.due_date if day is UNSET else day or None,
        owner_username=before.owner_username if owner is UNSET else owner or None,
    )
    return _ONE.one(db, id=action_id, project_id=project_id)


def put(db: apsw.Connection, wanted: Wanted, at: str) -> None:
    """Propose an action, or renew what its signal says; what somebody decided or edited stays."""
    _PUT.run(db, id=new_id(), at=at, **msgspec.structs.asdict(wanted))


def close_with(db: apsw.Connection, signal_id: str, status: SignalStatus, at: str) -> None:
    """Close the open actions of a signal that was closed."""
    _CLOSE.run(db, signal_id=signal_id, status=status, at=at)


def reopen_with(db: apsw.Connection, signal_id: str, at: str) -> None:
    """Propose again the actions that were closed together with their signal."""
    _REOPEN_CLOSED_WITH_IT.run(db, signal_id=signal_id, at=at)


def reopen_for_news(db: apsw.Connection, signal_id: str, due_date: str, at: str) -> None:
    """Propose a signal's actions again because something new happened, with another day."""
    _REOPEN.run(db, signal_id=signal_id, due_date=due_date, today=at[:10], at=at)


def assigned(db: apsw.Connection, project_id: str) -> str | None:
    """Whose project it is."""
    found = _ASSIGNED.first(db, project_id=project_id)
    return found.username if found else None
