"""Projects and the account scopes that hold them, as stored and as served."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.accounts.user_model import UserShown
from ctower_desktop.kernel.errors import Invalid, NotFound

ProjectId = Annotated[
    str,
    Meta(
        pattern=(
            r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
        ),
        description="A project's id.",
    ),
]

RESERVED_NAME = "__legacy_scope__"
DEFAULT_SCOPE = "default"
DEFAULT_SCOPE_NAME = "Project account scope"


class ProjectNotFound(NotFound):
    """There is no such project."""

    code = "project_not_found"


class AssignmentNotFound(NotFound):
    """They are not assigned to this project."""

    code = "assignment_not_found"


class ReservedName(Invalid):
    """That name is reserved; choose another."""

    code = "reserved_name"


class Project(msgspec.Struct, frozen=True):
    """A client project."""

    id: str
    name: str
    account_scope_id: str
    created_at: str


class NewProject(msgspec.Struct, frozen=True):
    """What it takes to open a project; a scope that is named by key takes the name given here."""

    name: Annotated[str, Meta(min_length=2, max_length=160)]
    account_scope_key: Annotated[str, Meta(max_length=200)] | None = None
    account_scope_name: Annotated[str, Meta(max_length=160)] | None = None


class ProjectsAnswer(msgspec.Struct, frozen=True):
    """The projects the caller may see, the newest first, and the active one."""

    projects: list[Project]
    active_project_id: str | None
    account_scope_id: str | None


class ProjectAnswer(msgspec.Struct, frozen=True):
    """One project."""

    project: Project


class SelectedProject(msgspec.Struct, frozen=True):
    """The project that is active now."""

    id: str
    name: str
    account_scope_id: str


class SelectAnswer(msgspec.Struct, frozen=True):
    """The project that is active now."""

    active_project_id: str
    project: SelectedProject


class Assignment(msgspec.Struct, frozen=True):
    """Somebody may work on a project."""

    id: str
    user_id: str
    project_id: str
    assigned_at: str
    assigned_by: str


class AssignmentListed(msgspec.Struct, frozen=True):
    """An assignment with the names of both sides."""

    id: str
    user_id: str
    username: str
    project_id: str
    project_name: str
    assigned_at: str
    assigned_by: str


class AssignmentsQuery(msgspec.Struct, frozen=True):
    """Of which project, of whom, and which part of the list."""

    project_id: Annotated[str, Meta(max_length=100)] | None = None
    user_id: Annotated[str, Meta(max_length=100)] | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 200
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class AssignmentsAnswer(msgspec.Struct, frozen=True):
    """Who works on what, the newest assignment first."""

    assignments: list[AssignmentListed]


class AssignUser(msgspec.Struct, frozen=True):
    """Who is to work on the project, or no longer."""

    user_id: str


class AssignBoth(msgspec.Struct, frozen=True):
    """Who is to work on which project, or no longer."""

    project_id: str
    user_id: str


class Assigned(msgspec.Struct, frozen=True):
    """The new assignment, or that it was there already."""

    assignment: Assignment | None
    already_assigned: bool


class Unassigned(msgspec.Struct, frozen=True):
    """The assignment is gone."""

    removed: bool = True


class OwnProject(msgspec.Struct, frozen=True):
    """A project somebody works on, and since when."""

    project_id: str
    project_name: str
    assigned_at: str


class UserProjects(msgspec.Struct, frozen=True):
    """The projects somebody is assigned to, the newest assignment first."""

    projects: list[OwnProject]


class UserDetail(msgspec.Struct, frozen=True):
    """Somebody, and what they work on."""

    user: UserShown
    project_assignments: list[OwnProject]


class Access(msgspec.Struct, frozen=True):
    """Which projects somebody may see: all, the one of their API key, or those they are assigned to."""

    everything: bool
    only: str | None
    user_id: str | None
