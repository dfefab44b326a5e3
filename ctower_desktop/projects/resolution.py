"""Which project a call is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ctower_desktop.accounts import store as accounts
from ctower_desktop.kernel.check import is_uuid
from ctower_desktop.kernel.errors import ActiveProjectRequired, ProjectAccessDenied, TowerError
from ctower_desktop.kernel.tower import ProjectRef, Tower, Who
from ctower_desktop.projects import store
from ctower_desktop.projects.model import Access, ProjectNotFound

_MOST_HINTS = 100
_IN_URL = ("project_id", "project_ids")
_IN_BODY = (
    *("project_id", "projectId", "active_project_id", "activeProjectId", "project_ids", "projectIds"),
    *("selected_project_ids", "selectedProjectIds"),
)


class Resolution(msgspec.Struct, frozen=True):
    """The project of a call, or why there is none."""

    project: ProjectRef | None
    refusal: type[TowerError] | None = None


def access_of(who: Who) -> Access:
    """Which projects somebody may see."""
    return Access(
        everything=who.sees_all_projects,
        only=who.project_id if who.kind == "api_key" else None,
        user_id=who.user_id,
    )


async def resolve_project(tower: Tower, who: Who, hints: tuple[str, ...]) -> Resolution:
    """The caller's active project, else a hinted one, else the newest that they may see.

    What was resolved becomes the active project of the session.
    """
    own = who.kind == "api_key" and not who.sees_all_projects
    found = await tower.db.read(store.resolved, access_of(who), who.project_id, () if own else hints)
    if found.project is None:
        return Resolution(None, ProjectAccessDenied if found.others_exist else ActiveProjectRequired)
    project = ProjectRef(found.project.id, found.project.name, found.project.account_scope_id)
    if who.session_id is not None and project.id != who.project_id:
        await tower.db.write(accounts.select_project, who.session_id, project.id)
    return Resolution(project)


async def sees(tower: Tower, who: Who, project_id: str) -> bool:
    """Whether somebody may see a project now."""
    try:
        await tower.db.read(store.read, access_of(who), project_id)
    except ProjectNotFound:
        return False
    return True


def hints_in(query: Mapping[str, str], body: Any) -> tuple[str, ...]:
    """The project ids a request mentions, those of its URL first; at most a hundred, all well-formed."""
    found: dict[str, None] = {}
    for text in _mentioned(query, body):
        if is_uuid(text):
            found.setdefault(text.lower())
            if len(found) == _MOST_HINTS:
                break
    return tuple(found)


def _mentioned(query: Mapping[str, str], body: Any) -> Iterator[str]:
    for name in _IN_URL:
        yield from (part.strip() for part in query.get(name, "").split(","))
    if not isinstance(body, Mapping):
        return
    for name in _IN_BODY:
        value = body.get(name)
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, str):
                yield from (part.strip() for part in item.split(","))
