"""Who works on which project, in SQL."""

from __future__ import annotations

import apsw

from ctower_desktop.accounts import user_store
from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.projects.model import (
    Assignment,
    AssignmentListed,
    AssignmentNotFound,
    OwnProject,
    ProjectNotFound,
)

_PROJECT = Query(
    ProjectRef, "SELECT id, name, account_scope_id FROM project WHERE id = :id", missing=ProjectNotFound
)
_ASSIGN = Command("""
    INSERT INTO project_assignment (id, user_id, project_id, assigned_at, assigned_by)
    VALUES (:id, :user_id, :project_id, :at, :by)
    ON CONFLICT (user_id, project_id) DO NOTHING
""")
_REMOVE = Command("DELETE FROM project_assignment WHERE user_id = :user_id AND project_id = :project_id")
_LISTED = Query(
    AssignmentListed,
    """
    SELECT a.id, a.user_id, u.username, a.project_id, p.name AS project_name, a.assigned_at, a.assigned_by
    FROM project_assignment AS a
    JOIN app_user AS u ON u.id = a.user_id
    JOIN project AS p ON p.id = a.project_id
    WHERE (:project_id IS NULL OR a.project_id = :project_id) AND (:user_id IS NULL OR a.user_id = :user_id)
    ORDER BY a.assigned_at DESC, a.id LIMIT :limit OFFSET :offset
    """,
)
_OF_USER = Query(
    OwnProject,
    """
    SELECT a.project_id, p.name AS project_name, a.assigned_at
    FROM project_assignment AS a JOIN project AS p ON p.id = a.project_id
    WHERE a.user_id = :user_id ORDER BY a.assigned_at DESC, a.id
    """,
)


def assign(
    db: apsw.Connection, user_id: str, project_id: str, *, assignment_id: str, at: str, by: str
) -> tuple[ProjectRef, Assignment | None]:
    """Assign somebody to a project; the assignment is None when they were already.

    Raise ProjectNotFound or UserNotFound.
    """
    project = _PROJECT.one(db, id=project_id)
    user = user_store.found(db, user_id)
    new = Assignment(assignment_id, user.id, project.id, at, by)
    fresh = _ASSIGN.run(db, id=new.id, user_id=new.user_id, project_id=new.project_id, at=at, by=by)
    return project, new if fresh else None


def remove(db: apsw.Connection, user_id: str, project_id: str) -> ProjectRef:
    """Take somebody off a project; raise ProjectNotFound, UserNotFound or AssignmentNotFound."""
    project = _PROJECT.one(db, id=project_id)
    user_store.found(db, user_id)
    if not _REMOVE.run(db, user_id=user_id, project_id=project_id):
        raise AssignmentNotFound
    return project


def listed(
    db: apsw.Connection, project_id: str | None, user_id: str | None, limit: int, offset: int
) -> list[AssignmentListed]:
    """Who works on what, the newest assignment first."""
    return _LISTED.all(db, project_id=project_id, user_id=user_id, limit=limit, offset=offset)


def of_user(db: apsw.Connection, user_id: str) -> list[OwnProject]:
    """What somebody works on, the newest assignment first; raise UserNotFound."""
    user_store.found(db, user_id)
    return _OF_USER.all(db, user_id=user_id)
