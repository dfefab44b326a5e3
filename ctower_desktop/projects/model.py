"""Projects and the account scopes that hold them, as stored and as served."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

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


class Access(msgspec.Struct, frozen=True):
    """Which projects somebody may see: all, the one of their API key, or those they are assigned to."""

    everything: bool
    only: str | None
    user_id: str | None
