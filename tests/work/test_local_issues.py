"""Issues that are kept here: moved, edited, never mistaken for one of Linear."""

from __future__ import annotations

import pytest

from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.tower import ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.work import local_store, store
from ctower_desktop.work.actions import edit_issue, list_issues, read_issue, set_issue_status
from ctower_desktop.work.model import (
    EditIssue,
    IssueNotFound,
    IssueNotLocal,
    ListIssues,
    LocalIssue,
    SetIssueStatus,
)

AT = "2026-11-01T00:00:00.000Z"


@pytest.fixture
async def issue(call):
    """Fault absent: what was made here can be closed, so it is not open for ever."""
    new = LocalIssue(external_id="x", title="Отправить договор", description="до пятницы", priority=2)
    await call.tower.db.write(local_store.add, call.project_ref, new, "anna", AT)
    return (await list_issues(call, ListIssues())).issues[0]


async def test_is_made_once(call, issue):
    new = LocalIssue(external_id="x", title="Другое", description="")
    await call.tower.db.write(local_store.add, call.project_ref, new, "anna", AT)
    assert (await list_issues(call, ListIssues())).issues == [issue]
    assert (issue.identifier, issue.source) == ("LOCAL-1", "local")
    found = await read_issue(call, issue.id)
    assert found.description == "до пятницы"


async def test_goes_through_its_states(call, issue, clock):
    seen = []
    for status in ("in_progress", "done", "todo", "canceled"):
        clock.advance(60)
        got = (await set_issue_status(call, issue.id, SetIssueStatus(status=status))).issue
        seen.append((got.state, got.state_type, got.completed_at is not None))
    assert seen == [
        ("In Progress", "started", False), ("Done", "completed", True), ("Todo", "unstarted", False),
        ("Canceled", "canceled", False),
    ]  # fmt: skip


async def test_the_same_state_again_moves_no_time(call, issue, clock):
    first = (await set_issue_status(call, issue.id, SetIssueStatus(status="done"))).issue
    clock.advance(60)
    assert (await set_issue_status(call, issue.id, SetIssueStatus(status="done"))).issue == first


async def test_is_edited_field_by_field(call, issue):
    body = EditIssue(title="Подписать договор", due_date="2026-12-01", assignee_name="Марина", priority=1)
    got = (await edit_issue(call, issue.id, body)).issue
    assert (got.title, got.due_date, got.assignee_name, got.priority) == (
        "Подписать договор", "2026-12-01", "Марина", 1,
    )  # fmt: skip
    assert (await read_issue(call, issue.id)).description == "до пятницы"
    got = (await edit_issue(call, issue.id, EditIssue(due_date="", description=""))).issue
    assert (got.title, got.due_date) == ("Подписать договор", None)
    assert (await read_issue(call, issue.id)).description is None
    assert [i.id for i in (await list_issues(call, ListIssues(q="подписать"))).issues] == [issue.id]


async def test_a_day_that_is_none_is_refused(call, issue):
    with pytest.raises(Invalid):
        await edit_issue(call, issue.id, EditIssue(due_date="2026-02-30"))


async def test_one_of_linear_is_left_to_linear(call):
    project = call.project_ref
    row = dict.fromkeys(store.ISSUE.columns) | {
        "id": f"linissue:{project.id}:w:1", "project_id": project.id,
        "account_scope_id": project.account_scope_id, "workspace_id": "w", "external_id": "1",
        "identifier": "WEB-1", "title": "x", "labels": "[]", "priority": 0, "haystack": "", "created_at": AT,
        "updated_at": AT,
    }  # fmt: skip
    await call.tower.db.write(store.ISSUE.put, [row])
    assert (await list_issues(call, ListIssues())).issues[0].source == "linear"
    with pytest.raises(IssueNotLocal):
        await set_issue_status(call, row["id"], SetIssueStatus(status="done"))
    with pytest.raises(IssueNotLocal):
        await edit_issue(call, row["id"], EditIssue(title="y"))


async def test_of_another_project_it_is_unknown(tower, call, issue):
    made = (await create_project(desktop(tower, "test"), NewProject(name="Other"))).project
    other = desktop(tower, "test", ProjectRef(made.id, made.name, made.account_scope_id))
    with pytest.raises(IssueNotFound):
        await set_issue_status(other, issue.id, SetIssueStatus(status="done"))
    with pytest.raises(IssueNotFound):
        await edit_issue(other, issue.id, EditIssue(title="y"))
