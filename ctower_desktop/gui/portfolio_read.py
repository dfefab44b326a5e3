"""The overview of several projects as pages read it: which projects, and how much of each kind."""

from __future__ import annotations

from collections.abc import Iterable

from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.projects.actions import list_projects
from ctower_desktop.projects.model import Project
from ctower_desktop.reports.actions import read_portfolio_overview
from ctower_desktop.reports.portfolio import Overview, OverviewQuery

MESSAGES, CARDS = 200, 80


async def projects_of(call: Desktop) -> list[Project]:
    """The projects of the account scope that the chosen one belongs to, by name."""
    if call.project is None:
        return []
    found = (await list_projects(call)).projects
    scope = call.project.account_scope_id
    return sorted((p for p in found if p.account_scope_id == scope), key=lambda p: p.name.casefold())


async def read_overview(call: Desktop, only: Iterable[str] = ()) -> Overview | None:
    """The overview of all projects of the scope, or of some of them; None where there is no project."""
    projects = await projects_of(call)
    if not projects:
        return None
    wanted = set(only)
    ids = [p.id for p in projects if not wanted or p.id in wanted] or [p.id for p in projects]
    query = OverviewQuery(project_ids=",".join(ids), message_limit=MESSAGES, card_limit=CARDS)
    return await read_portfolio_overview(call, query)
