"""Putting people on projects and taking them off: who is not on a project does not see it."""

from __future__ import annotations

from ctower_desktop.accounts import user_store
from ctower_desktop.accounts.user_model import UserId, UserNotFound
from ctower_desktop.kernel.check import is_uuid
from ctower_desktop.kernel.endpoint import TOWER, Reply
from ctower_desktop.kernel.errors import Forbidden, InvalidUuid, Issue
from ctower_desktop.kernel.events import AccessChanged
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Caller, OwnerSession
from ctower_desktop.projects import assignment_store
from ctower_desktop.projects.model import (
    AssignBoth,
    Assigned,
    AssignmentNotFound,
    AssignmentsAnswer,
    AssignmentsQuery,
    AssignUser,
    ProjectId,
    ProjectNotFound,
    Unassigned,
    UserDetail,
    UserProjects,
)

_UNKNOWN = (ProjectNotFound, UserNotFound, InvalidUuid)


@TOWER.get("/users/{user_id}", raises=(UserNotFound,))
async def read_user(call: OwnerSession, user_id: UserId) -> UserDetail:
    """Somebody, and the projects they work on."""
    db, wanted = call.tower.db, user_id.lower()
    user = await db.read(user_store.found, wanted)
    return UserDetail(user_store.shown(user), await db.read(assignment_store.of_user, wanted))


@TOWER.get("/users/{user_id}/projects", raises=(UserNotFound, Forbidden))
async def list_user_projects(call: Caller, user_id: UserId) -> UserProjects:
    """The projects somebody works on: one's own, or for an owner anybody's."""
    wanted = user_id.lower()
    if wanted != call.user.user_id and not call.user.sees_all_projects:
        raise Forbidden
    return UserProjects(await call.tower.db.read(assignment_store.of_user, wanted))


@TOWER.post(
    "/projects/{project_id}/assign", raises=_UNKNOWN, status=201, audit="project.assign_user", role="owner"
)
async def assign_user(call: OwnerSession, project_id: ProjectId, body: AssignUser) -> Reply[Assigned]:
    """Let somebody work on a project."""
    return await _assign(call, project_id, body.user_id)


@TOWER.post(
    "/projects/{project_id}/unassign",
    raises=(*_UNKNOWN, AssignmentNotFound),
    audit="project.unassign_user",
    role="owner",
)
async def unassign_user(call: OwnerSession, project_id: ProjectId, body: AssignUser) -> Unassigned:
    """Take somebody off a project; they see it no longer, at once."""
    return await _remove(call, project_id, body.user_id)


@TOWER.get("/project-assignments")
async def list_assignments(call: OwnerSession, query: AssignmentsQuery) -> AssignmentsAnswer:
    """Who works on what, the newest assignment first."""
    project_id, user_id = (text.lower() if text else None for text in (query.project_id, query.user_id))
    return AssignmentsAnswer(
        await call.tower.db.read(assignment_store.listed, project_id, user_id, query.limit, query.offset)
    )


@TOWER.post("/project-assignments", raises=_UNKNOWN, status=201, audit="project.assign_user", role="owner")
async def create_assignment(call: OwnerSession, body: AssignBoth) -> Reply[Assigned]:
    """Let somebody work on a project."""
    return await _assign(call, body.project_id, body.user_id)


@TOWER.post(
    "/project-assignments/remove",
    raises=(*_UNKNOWN, AssignmentNotFound),
    audit="project.unassign_user",
    role="owner",
)
async def remove_assignment(call: OwnerSession, body: AssignBoth) -> Unassigned:
    """Take somebody off a project; they see it no longer, at once."""
    return await _remove(call, body.project_id, body.user_id)


async def _assign(call: OwnerSession, project_id: str, user_id: str) -> Reply[Assigned]:
    tower = call.tower
    project, new = await tower.db.write_durably(
        assignment_store.assign,
        _uuid("user_id", user_id),
        _uuid("project_id", project_id),
        assignment_id=new_id(),
        at=tower.clock.text(),
        by=call.user.username,
    )
    call.noted.project = project
    call.noted.about("user", user_id.lower(), already_assigned=new is None)
    return Reply(Assigned(new, already_assigned=new is None), status=201 if new else 200)


async def _remove(call: OwnerSession, project_id: str, user_id: str) -> Unassigned:
    tower = call.tower
    project = await tower.db.write_durably(
        assignment_store.remove, _uuid("user_id", user_id), _uuid("project_id", project_id)
    )
    tower.events.publish(AccessChanged(project_id=None))
    call.noted.project = project
    call.noted.about("user", user_id.lower())
    return Unassigned()


def _uuid(name: str, text: str) -> str:
    if not is_uuid(text):
        raise InvalidUuid(issues=(Issue(name, f"{text[:80]!r} is not a UUID.", "invalid_format"),))
    return text.lower()
