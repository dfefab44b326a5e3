"""Issues, their relations and comments in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.accounts.audit_store import quoted_by
from ctower_desktop.kernel.mirror import Mirror, searchable
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.work.model import (
    Blocker,
    Comment,
    Described,
    Issue,
    IssueNotFound,
    IssueWithComments,
    ListIssues,
)

TEAM = Mirror("team", "workspace_id", "external_id", "key", "name", "updated_at")
MEMBER = Mirror("member", "workspace_id", "external_id", "name", "email", "active", "updated_at")
PROJECT = Mirror(
    "work_project", "workspace_id", "external_id", "name", "description", "state", "lead_name", "progress",
    "start_date", "target_date", "completed_at", "url", "created_at", "updated_at",
)  # fmt: skip
STATE = Mirror(
    "work_state", "workspace_id", "external_id", "team_external_id", "name", "type", "position", "updated_at"
)
CYCLE = Mirror(
    "cycle", "workspace_id", "external_id", "team_external_id", "number", "name", "starts_at", "ends_at",
    "completed_at", "progress", "updated_at",
)  # fmt: skip
ISSUE = Mirror(
    "issue", "workspace_id", "external_id", "identifier", "title", "description", "url", "team_external_id",
    "team_name", "linear_project_external_id", "linear_project_name", "parent_external_id", "state",
    "state_external_id", "state_type", "cycle_external_id", "cycle_name", "labels", "priority", "estimate",
    "assignee_external_id", "assignee_name", "creator_name", "due_date", "started_at", "completed_at",
    "canceled_at", "archived_at", "haystack", "created_at", "updated_at",
)  # fmt: skip
RELATION = Mirror(
    "issue_relation", "external_id", "type", "issue_external_id", "related_external_id", "updated_at"
)
COMMENT = Mirror(
    "comment", "workspace_id", "external_id", "issue_id", "parent_external_id", "author_name", "body", "url",
    "created_at", "updated_at",
)  # fmt: skip


class Blockage(msgspec.Struct, frozen=True):
    """An issue that has become blocked or free."""

    id: str
    external_id: str
    identifier: str
    title: str
    url: str | None
    blocked: bool
    updated_at: str


class Stage(msgspec.Struct, frozen=True):
    """How far a project of the vendor is, and until when it should be done."""

    id: str
    stage: str


_STAGES = Query(
    Stage,
    """
    SELECT id, coalesce(state, '') || ' ' || coalesce(target_date, '') AS stage FROM work_project
    WHERE id IN (SELECT value FROM json_each(:ids))
    """,
)
_ISSUE = """id, external_id, identifier, title, url, team_name, linear_project_name, state, state_type,
           cycle_name,
           labels, blocked, blocked_by_count, priority, estimate, assignee_name, due_date, completed_at,
           archived_at, created_at, updated_at, source"""
_LIST = Query(
    Issue,
    f"""
    SELECT {_ISSUE} FROM issue
    WHERE project_id = :project_id AND deleted_at IS NULL AND (:state_type = '' OR state_type = :state_type)
      AND (:q = '' OR instr(haystack, :q) > 0)
    ORDER BY updated_at DESC, id LIMIT :limit
    """,
)
_ONE = Query(
    Issue,
    f"SELECT {_ISSUE} FROM issue WHERE id = :id AND project_id = :project_id",
    missing=IssueNotFound,
)
_TEXT = Query(Described, "SELECT description FROM issue WHERE id = :id", missing=IssueNotFound)
_COMMENTS = Query(
    Comment,
    """
    SELECT id, parent_external_id, author_name, body, url, created_at, updated_at
    FROM comment WHERE issue_id = :issue AND deleted_at IS NULL ORDER BY created_at, id
    """,
)
_BLOCKERS = Query(
    Blocker,
    """
    SELECT b.id, b.identifier, b.title, b.state_type
    FROM issue_relation r
    JOIN issue b ON b.project_id = r.project_id AND b.external_id = r.issue_external_id
    WHERE r.project_id = :project_id AND r.related_external_id = :external_id AND r.type = 'blocks'
      AND r.deleted_at IS NULL AND b.deleted_at IS NULL
    ORDER BY b.identifier
    """,
)
_SETTLE = Query(
    Blockage,
    """
    UPDATE issue SET blocked_by_count = open.n, blocked = open.n > 0
    FROM (
        SELECT i.id AS id, (
            SELECT count(*) FROM issue_relation r
            JOIN issue b ON b.project_id = r.project_id AND b.external_id = r.issue_external_id
            WHERE r.project_id = i.project_id AND r.related_external_id = i.external_id AND r.type = 'blocks'
              AND r.deleted_at IS NULL AND b.deleted_at IS NULL
              AND coalesce(b.state_type, '') NOT IN ('completed', 'canceled')
        ) AS n
        FROM issue i WHERE i.project_id = :project_id AND i.external_id IN (
            SELECT value FROM json_each(:external_ids)
            UNION SELECT r.related_external_id FROM issue_relation r
                  WHERE r.project_id = :project_id
                    AND r.issue_external_id IN (SELECT value FROM json_each(:external_ids)))
    ) AS open
    WHERE issue.id = open.id AND issue.blocked_by_count <> open.n
    RETURNING issue.id AS id, issue.external_id AS external_id, issue.identifier AS identifier,
              issue.title AS title, issue.url AS url, issue.blocked AS blocked, issue.updated_at AS updated_at
    """,
)
_BURY_BELOW = Command("""
    UPDATE comment SET deleted_at = :at, deleted_reason = :reason
    WHERE issue_id IN (SELECT value FROM json_each(:ids)) AND deleted_at IS NULL
""")

quoted_by(
    "linissue:",
    """
    SELECT substr(trim(coalesce(identifier, '') || ' ' || title), 1, 500) AS text FROM issue
    WHERE id = :ref AND project_id = :project_id AND deleted_at IS NULL
    """,
)


def issues(db: apsw.Connection, project_id: str, query: ListIssues) -> list[Issue]:
    """Issues, the last changed first."""
    return _LIST.all(
        db, project_id=project_id, q=searchable(query.q), state_type=query.state_type, limit=query.limit
    )


def issue(db: apsw.Connection, project_id: str, issue_id: str) -> IssueWithComments:
    """One issue with what blocks it and what was said; raise IssueNotFound."""
    found = _ONE.one(db, id=issue_id, project_id=project_id)
    return IssueWithComments(
        issue=found,
        description=_TEXT.one(db, id=issue_id).description,
        blockers=_BLOCKERS.all(db, project_id=project_id, external_id=found.external_id),
        comments=_COMMENTS.all(db, issue=issue_id),
    )


def stages(db: apsw.Connection, ids: list[str]) -> dict[str, str]:
    """State and target date of these projects of the vendor, as one text."""
    return {row.id: row.stage for row in _STAGES.all(db, ids=as_json(ids))}


def settle_blocked(db: apsw.Connection, project_id: str, external_ids: list[str]) -> list[Blockage]:
    """Count the open blockers of these issues and of those that they block; return what changed."""
    return _SETTLE.all(db, project_id=project_id, external_ids=as_json(external_ids))


def bury_comments_of(db: apsw.Connection, issues: list[str], at: str, reason: str) -> None:
    """Mark the comments of issues as gone with them."""
    _BURY_BELOW.run(db, ids=as_json(issues), at=at, reason=reason)
