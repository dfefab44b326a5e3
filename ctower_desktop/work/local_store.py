"""Issues that were made and are kept here, in SQL: no vendor has them, so they can be changed here."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.mirror import searchable
from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.work.model import (
    LOCAL_STATES,
    EditIssue,
    IssueNotFound,
    IssueNotLocal,
    LocalIssue,
    LocalStatus,
)

WORKSPACE = "continuity"


class _Kind(msgspec.Struct, frozen=True):
    source: str
    identifier: str
    title: str


class _Count(msgspec.Struct, frozen=True):
    n: int


_KIND = Query(
    _Kind,
    """
    SELECT source, identifier, title FROM issue
    WHERE id = :id AND project_id = :project_id AND deleted_at IS NULL
    """,
    missing=IssueNotFound,
)
_COUNT = Query(_Count, "SELECT count(*) AS n FROM issue WHERE project_id = :project_id AND source = 'local'")
_ADD = Command("""
    INSERT INTO issue (id, project_id, account_scope_id, workspace_id, external_id, identifier, title,
        description, state, state_type, priority, due_date, assignee_name, creator_name, haystack, source,
        created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :workspace, :external_id, :identifier, :title, :description,
        :state, :state_type, :priority, :due_date, :assignee, :creator, :haystack, 'local', :at, :at)
    ON CONFLICT (id) DO NOTHING
""")
_MOVE = Command("""
    UPDATE issue SET state = :state, state_type = :state_type, updated_at = :at,
        started_at = CASE WHEN :state_type IN ('started', 'completed') THEN coalesce(started_at, :at) END,
        completed_at = CASE WHEN :state_type = 'completed' THEN coalesce(completed_at, :at) END,
        canceled_at = CASE WHEN :state_type = 'canceled' THEN coalesce(canceled_at, :at) END
    WHERE id = :id AND state IS NOT :state
""")
_EDIT = Command("""
    UPDATE issue SET
        title = coalesce(:title, title), haystack = :haystack,
        description = CASE WHEN :description IS NULL THEN description ELSE nullif(:description, '') END,
        due_date = CASE WHEN :due_date IS NULL THEN due_date ELSE nullif(:due_date, '') END,
        assignee_name = CASE WHEN :assignee IS NULL THEN assignee_name ELSE nullif(:assignee, '') END,
        priority = coalesce(:priority, priority), updated_at = :at
    WHERE id = :id
""")


def add(db: apsw.Connection, project: ProjectRef, new: LocalIssue, creator: str, at: str) -> str:
    """Make an issue here, once for each `external_id`; return what it is called."""
    state, state_type = LOCAL_STATES["todo"]
    identifier = f"LOCAL-{_COUNT.one(db, project_id=project.id).n + 1}"
    _ADD.run(
        db, id=f"linissue:{project.id}:{WORKSPACE}:{new.external_id}", project_id=project.id,
        account_scope_id=project.account_scope_id,
        workspace=WORKSPACE, external_id=new.external_id, identifier=identifier, title=new.title,
        description=new.description or None, state=state, state_type=state_type, priority=new.priority,
        due_date=new.due_date, assignee=new.assignee_name, creator=creator,
        haystack=searchable(f"{identifier}\n{new.title}"), at=at,
    )  # fmt: skip
    return identifier


def move(db: apsw.Connection, project_id: str, issue_id: str, status: LocalStatus, at: str) -> None:
    """Put a local issue into another state; raise IssueNotFound or IssueNotLocal."""
    _local(db, project_id, issue_id)
    state, state_type = LOCAL_STATES[status]
    _MOVE.run(db, id=issue_id, state=state, state_type=state_type, at=at)


def edit(db: apsw.Connection, project_id: str, issue_id: str, change: EditIssue, at: str) -> None:
    """Change a local issue; raise IssueNotFound or IssueNotLocal."""
    found = _local(db, project_id, issue_id)
    _EDIT.run(
        db, id=issue_id, title=change.title, description=change.description, due_date=change.due_date,
        assignee=change.assignee_name, priority=change.priority,
        haystack=searchable(f"{found.identifier}\n{change.title or found.title}"), at=at,
    )  # fmt: skip


def _local(db: apsw.Connection, project_id: str, issue_id: str) -> _Kind:
    found = _KIND.one(db, id=issue_id, project_id=project_id)
    if found.source != "local":
        raise IssueNotLocal
    return found
