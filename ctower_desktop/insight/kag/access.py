"""Which projects a call may look at: those of its account scope that the caller may see."""

from __future__ import annotations

from ctower_desktop.insight.kag.settings import refusal
from ctower_desktop.kernel.check import is_uuid
from ctower_desktop.kernel.errors import InvalidUuid
from ctower_desktop.kernel.tower import ProjectRef, Scoped, Tower
from ctower_desktop.projects import store as projects
from ctower_desktop.projects.model import ProjectNotFound
from ctower_desktop.projects.resolution import access_of


def opened(call: Scoped) -> Tower:
    """The tower, if the mode lets anybody in; else raise what every path answers."""
    closed = refusal(call.tower.settings)
    if closed is not None:
        raise closed
    return call.tower


async def visible(call: Scoped) -> dict[str, ProjectRef]:
    """The projects of the call's account scope that the caller may see."""
    found = await call.tower.db.read(projects.listed, access_of(call.user))
    return {
        p.id: ProjectRef(p.id, p.name, p.account_scope_id)
        for p in found
        if p.account_scope_id == call.account_scope_id
    }


async def chosen(call: Scoped, project_id: str | None) -> ProjectRef:
    """The project that is asked for, else the call's own; raise ProjectNotFound or InvalidUuid."""
    if not project_id:
        return call.project_ref
    if not is_uuid(project_id):
        raise InvalidUuid(f"{project_id[:80]!r} is not a UUID.")
    found = (await visible(call)).get(project_id.lower())
    if found is None:
        raise ProjectNotFound
    return found


async def ids(call: Scoped, *, everywhere: bool) -> list[str]:
    """The call's project, or all that the caller may see."""
    return list(await visible(call)) if everywhere else [call.project_id]
