"""/work/issues."""

from __future__ import annotations

from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.tower import Scoped
from ctower_desktop.work import store
from ctower_desktop.work.model import IssueNotFound, Issues, IssueWithComments, ListIssues


@TOWER.get("/work/issues")
async def list_issues(call: Scoped, query: ListIssues) -> Issues:
    """Issues of the project, the last changed first."""
    return Issues(await call.tower.db.read(store.issues, call.project_id, query))


@TOWER.get("/work/issues/{issue_id}", raises=(IssueNotFound,))
async def read_issue(call: Scoped, issue_id: str) -> IssueWithComments:
    """One issue with its text, what blocks it and its comments."""
    return await call.tower.db.read(store.issue, call.project_id, issue_id)
