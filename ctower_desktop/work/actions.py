"""/work/issues."""

from __future__ import annotations

from datetime import date
from typing import Any

from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.errors import Issue as Wrong
from ctower_desktop.kernel.tower import Scoped
from ctower_desktop.work import local_store, store
from ctower_desktop.work.model import (
    EditIssue,
    IssueAnswer,
    IssueNotFound,
    IssueNotLocal,
    Issues,
    IssueWithComments,
    ListIssues,
    SetIssueStatus,
)


@TOWER.get("/work/issues")
async def list_issues(call: Scoped, query: ListIssues) -> Issues:
    """Issues of the project, the last changed first."""
    return Issues(await call.tower.db.read(store.issues, call.project_id, query))


@TOWER.get("/work/issues/{issue_id}", raises=(IssueNotFound,))
async def read_issue(call: Scoped, issue_id: str) -> IssueWithComments:
    """One issue with its text, what blocks it and its comments."""
    return await call.tower.db.read(store.issue, call.project_id, issue_id)


@TOWER.post(
    "/work/issues/{issue_id}",
    raises=(IssueNotFound, IssueNotLocal, Invalid),
    audit="work.issue.update",
)
async def edit_issue(call: Scoped, issue_id: str, body: EditIssue) -> IssueAnswer:
    """Change an issue that is kept here; one of Linear is changed there."""
    _check_day(body.due_date)
    tower = call.tower
    await tower.db.write_durably(local_store.edit, call.project_id, issue_id, body, tower.clock.text())
    return await _changed(call, issue_id)


@TOWER.post(
    "/work/issues/{issue_id}/status",
    raises=(IssueNotFound, IssueNotLocal),
    audit="work.issue.status_update",
)
async def set_issue_status(call: Scoped, issue_id: str, body: SetIssueStatus) -> IssueAnswer:
    """Begin, finish, cancel or reopen an issue that is kept here; one of Linear is moved there."""
    tower = call.tower
    await tower.db.write_durably(local_store.move, call.project_id, issue_id, body.status, tower.clock.text())
    return await _changed(call, issue_id, to_status=body.status)


async def _changed(call: Scoped, issue_id: str, **noted: Any) -> IssueAnswer:
    found = await call.tower.db.read(store.issue, call.project_id, issue_id)
    call.noted.about("issue", issue_id, identifier=found.issue.identifier, **noted)
    return IssueAnswer(found.issue)


def _check_day(told: str | None) -> None:
    if told:
        try:
            date.fromisoformat(told)
        except ValueError:
            raise Invalid(issues=(Wrong("due_date", f"{told} is no day.", "invalid_format"),)) from None
