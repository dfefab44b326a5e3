"""Opening, listing and selecting projects."""

from __future__ import annotations

from ctower_desktop.accounts import store as accounts
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import ProjectAccessDenied
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Caller, Owner, ProjectRef
from ctower_desktop.projects import (
    assignments,  # noqa: F401 - declares endpoints
    store,
)
from ctower_desktop.projects.model import (
    DEFAULT_SCOPE,
    DEFAULT_SCOPE_NAME,
    RESERVED_NAME,
    NewProject,
    Project,
    ProjectAnswer,
    ProjectId,
    ProjectNotFound,
    ProjectsAnswer,
    ReservedName,
    SelectAnswer,
    SelectedProject,
)
from ctower_desktop.projects.resolution import access_of


@TOWER.get("/projects")
async def list_projects(call: Caller) -> ProjectsAnswer:
    """The projects the caller may see, the newest first, and the active one."""
    projects = await call.tower.db.read(store.listed, access_of(call.user))
    active = call.project
    return ProjectsAnswer(
        projects, active.id if active else None, active.account_scope_id if active else None
    )


@TOWER.post("/projects", raises=(ReservedName,), audit="project.create", role="owner")
async def create_project(call: Owner, body: NewProject) -> ProjectAnswer:
    """Open a project; the active project stays as it is."""
    if body.name == RESERVED_NAME:
        raise ReservedName
    key = (body.account_scope_key or "").lower()
    project = await call.tower.db.write_durably(
        store.add,
        Project(new_id(), body.name, "", call.tower.clock.text()),
        new_id(),
        key or DEFAULT_SCOPE,
        body.account_scope_name or DEFAULT_SCOPE_NAME,
        rename_scope=bool(key),
    )
    call.noted.project = ProjectRef(project.id, project.name, project.account_scope_id)
    call.noted.about("project", project.id, name=project.name)
    return ProjectAnswer(project)


@TOWER.post(
    "/projects/{project_id}/select",
    raises=(ProjectNotFound, ProjectAccessDenied),
    audit="project.select",
    role="viewer",
)
async def select_project(call: Caller, project_id: ProjectId) -> SelectAnswer:
    """Make a project the active one of this session."""
    db, wanted = call.tower.db, project_id.lower()
    access = access_of(call.user)
    if access.user_id is not None and not access.everything:
        visible = {project.id for project in await db.read(store.listed, access)}
        if wanted not in visible and await db.read(store.exists, wanted):
            raise ProjectAccessDenied
    project = await db.read(store.read, access, wanted)
    if call.user.session_id is not None:
        await db.write_durably(accounts.select_project, call.user.session_id, project.id)
    call.noted.project = ProjectRef(project.id, project.name, project.account_scope_id)
    call.noted.about("project", project.id, selected_project_id=project.id)
    return SelectAnswer(project.id, SelectedProject(project.id, project.name, project.account_scope_id))
